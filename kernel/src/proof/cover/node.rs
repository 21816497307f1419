//! Nodes as files write them: objects, told apart by their one key that names a kind.
//!
//! Written by hand since a proof may have millions: serde's code for an untagged enum would keep
//! every node in a general form first and try one kind after the other.
use super::{Close, Empty, Node, Quadratic, Split, Tighten};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::fmt;

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    Split,
    Tighten,
    Close,
    Empty,
    Quadratic,
    Times,
    Upper,
    Lower,
    Roots,
    Kappa,
}

/// The values of an object's keys.
#[derive(Default)]
struct Values {
    split: Option<usize>,
    tighten: Option<Vec<i64>>,
    close: Option<Vec<i64>>,
    empty: Option<usize>,
    quadratic: Option<Vec<i64>>,
    times: Option<i64>,
    upper: Option<Vec<(usize, i64, i64)>>,
    lower: Option<Vec<(usize, i64, i64)>>,
    roots: Option<Vec<(usize, i64)>>,
    kappa: Option<i64>,
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OneNode)
    }
}

struct OneNode;

impl<'de> Visitor<'de> for OneNode {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, a node of a cover")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut v = Values::default();
        while let Some(key) = map.next_key()? {
            match key {
                Key::Split => once(&mut v.split, "split", &mut map)?,
                Key::Tighten => once(&mut v.tighten, "tighten", &mut map)?,
                Key::Close => once(&mut v.close, "close", &mut map)?,
                Key::Empty => once(&mut v.empty, "empty", &mut map)?,
                Key::Quadratic => once(&mut v.quadratic, "quadratic", &mut map)?,
                Key::Times => once(&mut v.times, "times", &mut map)?,
                Key::Upper => once(&mut v.upper, "upper", &mut map)?,
                Key::Lower => once(&mut v.lower, "lower", &mut map)?,
                Key::Roots => once(&mut v.roots, "roots", &mut map)?,
                Key::Kappa => once(&mut v.kappa, "kappa", &mut map)?,
            }
        }
        v.node()
    }
}

fn once<'de, A: MapAccess<'de>, T: Deserialize<'de>>(
    slot: &mut Option<T>,
    name: &'static str,
    map: &mut A,
) -> Result<(), A::Error> {
    match slot.replace(map.next_value()?) {
        None => Ok(()),
        Some(_) => Err(A::Error::duplicate_field(name)),
    }
}

fn present<T, E: Error>(value: Option<T>, name: &'static str) -> Result<T, E> {
    value.ok_or_else(|| E::missing_field(name))
}

impl Values {
    /// The node, if there is exactly one kind and it has exactly the keys it should.
    fn node<E: Error>(mut self) -> Result<Node, E> {
        let given = self.times.take();
        let times = given.unwrap_or(1);
        let mut factor = given.is_some();
        let node = if let Some(split) = self.split.take() {
            Node::Split(Split { split })
        } else if let Some(empty) = self.empty.take() {
            Node::Empty(Empty { empty })
        } else if let Some(close) = self.close.take() {
            factor = false;
            Node::Close(Close { close, times })
        } else if let Some(tighten) = self.tighten.take() {
            factor = false;
            let upper = present(self.upper.take(), "upper")?;
            let lower = present(self.lower.take(), "lower")?;
            Node::Tighten(Tighten { tighten, times, upper, lower })
        } else if let Some(quadratic) = self.quadratic.take() {
            factor = false;
            let roots = present(self.roots.take(), "roots")?;
            let kappa = present(self.kappa.take(), "kappa")?;
            Node::Quadratic(Quadratic { quadratic, times, roots, kappa })
        } else {
            return Err(E::custom(
                "a node has one of the keys `split`, `tighten`, `close`, `empty`, `quadratic`",
            ));
        };
        let unused = [
            ("times", factor),
            ("split", self.split.is_some()),
            ("tighten", self.tighten.is_some()),
            ("close", self.close.is_some()),
            ("empty", self.empty.is_some()),
            ("quadratic", self.quadratic.is_some()),
            ("upper", self.upper.is_some()),
            ("lower", self.lower.is_some()),
            ("roots", self.roots.is_some()),
            ("kappa", self.kappa.is_some()),
        ];
        match unused.iter().find(|(_, there)| *there) {
            Some((key, _)) => {
                Err(E::custom(format!("the key `{key}` does not belong to this node")))
            }
            None => Ok(node),
        }
    }
}
