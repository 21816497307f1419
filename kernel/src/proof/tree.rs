//! A cover's tree in few bytes: how proofs are held in memory. A file is checked without it, node
//! by node as it is read.
use super::cover::{Close, Empty, Node, Quadratic, Split, Tighten};
use serde::de::{SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Nodes in depth-first order, each a tag and its integers in seven-bit groups.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tree {
    bytes: Vec<u8>,
    len: usize,
}

const SPLIT: u8 = 0;
const TIGHTEN: u8 = 1;
const CLOSE: u8 = 2;
const EMPTY: u8 = 3;
const QUADRATIC: u8 = 4;

impl Tree {
    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Removes all nodes.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.len = 0;
    }

    /// Adds the nodes of `other` at the end.
    pub fn append(&mut self, other: &Self) {
        self.bytes.extend_from_slice(&other.bytes);
        self.len += other.len;
    }

    /// Adds a node at the end.
    pub fn push(&mut self, node: &Node) {
        self.len += 1;
        match node {
            Node::Split(Split { split }) => {
                self.bytes.push(SPLIT);
                self.index(*split);
            }
            Node::Tighten(Tighten { tighten, times, upper, lower }) => {
                self.bytes.push(TIGHTEN);
                self.coefficients(tighten, *times);
                for ends in [upper, lower] {
                    self.index(ends.len());
                    for &(item, tau, end) in ends {
                        self.index(item);
                        self.integer(tau);
                        self.integer(end);
                    }
                }
            }
            Node::Close(Close { close, times }) => {
                self.bytes.push(CLOSE);
                self.coefficients(close, *times);
            }
            Node::Empty(Empty { empty }) => {
                self.bytes.push(EMPTY);
                self.index(*empty);
            }
            Node::Quadratic(Quadratic { quadratic, times, roots, kappa }) => {
                self.bytes.push(QUADRATIC);
                self.coefficients(quadratic, *times);
                self.index(roots.len());
                for &(item, root) in roots {
                    self.index(item);
                    self.integer(root);
                }
                self.integer(*kappa);
            }
        }
    }

    /// The nodes.
    pub fn iter(&self) -> Nodes<'_> {
        Nodes { rest: &self.bytes }
    }

    fn coefficients(&mut self, a: &[i64], times: i64) {
        self.index(a.len());
        a.iter().for_each(|a| self.integer(*a));
        self.integer(times);
    }

    fn index(&mut self, value: usize) {
        self.groups(u128::try_from(value).unwrap_or(u128::MAX));
    }

    fn integer(&mut self, value: i64) {
        // Magnitude and sign, so that small numbers of either sign are short.
        let sign = u128::from(value < 0);
        self.groups(u128::from(value.unsigned_abs()) << 1 | sign);
    }

    fn groups(&mut self, mut value: u128) {
        loop {
            let low = u8::try_from(value & 0x7f).unwrap_or(0);
            value >>= 7;
            if value == 0 {
                self.bytes.push(low);
                return;
            }
            self.bytes.push(low | 0x80);
        }
    }
}

/// The nodes of a [`Tree`].
#[derive(Clone, Debug)]
pub struct Nodes<'a> {
    rest: &'a [u8],
}

impl Nodes<'_> {
    fn groups(&mut self) -> Option<u128> {
        let mut value = 0u128;
        for shift in (0..70).step_by(7) {
            let (first, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= u128::from(first & 0x7f) << shift;
            if first & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn index(&mut self) -> Option<usize> {
        self.groups()?.try_into().ok()
    }

    fn integer(&mut self) -> Option<i64> {
        let value = self.groups()?;
        let size = i128::try_from(value >> 1).ok()?;
        i64::try_from(if value & 1 == 1 { -size } else { size }).ok()
    }

    fn coefficients(&mut self) -> Option<(Vec<i64>, i64)> {
        let a = (0..self.index()?).map(|_| self.integer()).collect::<Option<_>>()?;
        Some((a, self.integer()?))
    }

    fn ends(&mut self) -> Option<Vec<(usize, i64, i64)>> {
        (0..self.index()?)
            .map(|_| Some((self.index()?, self.integer()?, self.integer()?)))
            .collect()
    }
}

impl Iterator for Nodes<'_> {
    type Item = Node;

    fn next(&mut self) -> Option<Node> {
        let (tag, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(match *tag {
            SPLIT => Node::Split(Split { split: self.index()? }),
            TIGHTEN => {
                let (tighten, times) = self.coefficients()?;
                Node::Tighten(Tighten { tighten, times, upper: self.ends()?, lower: self.ends()? })
            }
            CLOSE => {
                let (close, times) = self.coefficients()?;
                Node::Close(Close { close, times })
            }
            EMPTY => Node::Empty(Empty { empty: self.index()? }),
            QUADRATIC => {
                let (quadratic, times) = self.coefficients()?;
                let count = self.index()?;
                let roots = (0..count).map(|_| Some((self.index()?, self.integer()?)));
                let roots = roots.collect::<Option<_>>()?;
                let kappa = self.integer()?;
                Node::Quadratic(Quadratic { quadratic, times, roots, kappa })
            }
            _ => return None,
        })
    }
}

impl<'a> IntoIterator for &'a Tree {
    type Item = Node;
    type IntoIter = Nodes<'a>;

    fn into_iter(self) -> Nodes<'a> {
        self.iter()
    }
}

impl FromIterator<Node> for Tree {
    fn from_iter<I: IntoIterator<Item = Node>>(nodes: I) -> Self {
        let mut tree = Self::default();
        nodes.into_iter().for_each(|node| tree.push(&node));
        tree
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.len))?;
        for node in self {
            list.serialize_element(&node)?;
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Tree;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of nodes")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
                let mut tree = Tree::default();
                while let Some(node) = list.next_element::<Node>()? {
                    tree.push(&node);
                }
                Ok(tree)
            }
        }
        deserializer.deserialize_seq(List)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn gives_back_what_it_was_given(
            a in prop::collection::vec(any::<i64>(), 0..5),
            ends in prop::collection::vec((any::<usize>(), any::<i64>(), any::<i64>()), 0..4),
            item in any::<usize>(),
            small in -70i64..70,
        ) {
            let roots = ends.iter().map(|e| (e.0, e.1)).collect();
            let nodes = vec![
                Node::Split(Split { split: item }),
                Node::Tighten(Tighten { tighten: a.clone(), times: small, upper: ends.clone(), lower: ends }),
                Node::Close(Close { close: a.clone(), times: i64::MIN }),
                Node::Quadratic(Quadratic { quadratic: a, times: 1, roots, kappa: i64::MAX }),
                Node::Empty(Empty { empty: item }),
            ];
            let tree: Tree = nodes.iter().cloned().collect();
            prop_assert_eq!(tree.iter().collect::<Vec<_>>(), nodes.clone());
            let mut twice = tree.clone();
            twice.append(&tree);
            prop_assert_eq!((twice.len(), twice.iter().count()), (10, 10));
            let text = serde_json::to_string(&tree).unwrap();
            prop_assert_eq!(&text, &serde_json::to_string(&nodes).unwrap());
            prop_assert_eq!(serde_json::from_str::<Tree>(&text).unwrap(), tree);
        }
    }
}
