//! Covers under construction: what is proved, and the subtrees that are still open.
use super::items::State;
use crate::numeric::bits::{from_bits, to_bits};
use maxmargin_kernel::proof::cover::{Node, Quadratic};
use maxmargin_kernel::proof::tree::Tree;
use serde::{Deserialize, Serialize};

/// A subtree to do: the ranges of its root, and the coefficients to start from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// Splits above it.
    pub depth: usize,
    /// Lower ends by item, in units of z.
    low: Vec<i64>,
    /// Upper ends.
    high: Vec<i64>,
    /// The bits of the coefficients, so that files hold them exactly.
    beta: Vec<u64>,
    /// Whether the search gave up here because the bound does not fall below `T`.
    pub stuck: bool,
}

impl Open {
    pub(super) fn new(state: &State, depth: usize, stuck: bool) -> Self {
        let beta = to_bits(&state.beta);
        Self { depth, low: state.low.clone(), high: state.high.clone(), beta, stuck }
    }

    /// The node's state, if it is one of `items` items.
    pub(super) fn state(&self, items: usize) -> Option<State> {
        let fits = [self.low.len(), self.high.len(), self.beta.len()].iter().all(|n| *n == items);
        let beta = from_bits(&self.beta);
        let finite = beta.iter().all(|b| b.is_finite());
        (fits && finite).then(|| State { low: self.low.clone(), high: self.high.clone(), beta })
    }
}

/// A stretch of a cover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Piece {
    /// Nodes that are proved.
    Done(Tree),
    /// A subtree that is not.
    Open(Open),
}

/// A cover in depth-first order with open subtrees in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pieces(Vec<Piece>);

impl From<Tree> for Pieces {
    fn from(tree: Tree) -> Self {
        Self(vec![Piece::Done(tree)])
    }
}

impl Pieces {
    /// The stretches, in order.
    pub fn list(&self) -> &[Piece] {
        &self.0
    }

    /// The same, to keep.
    pub fn into_list(self) -> Vec<Piece> {
        self.0
    }

    /// Subtrees that are open.
    pub fn open(&self) -> impl Iterator<Item = &Open> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Open(open) => Some(open),
            Piece::Done(_) => None,
        })
    }

    /// Nodes that are proved.
    pub fn nodes(&self) -> usize {
        let count = |piece: &Piece| match piece {
            Piece::Done(tree) => tree.len(),
            Piece::Open(_) => 0,
        };
        self.0.iter().map(count).sum()
    }

    /// Adds a stretch at the end.
    pub fn push(&mut self, piece: Piece) {
        match (self.0.last_mut(), piece) {
            (Some(Piece::Done(last)), Piece::Done(tree)) => last.append(&tree),
            (_, piece) => self.0.push(piece),
        }
    }

    pub(super) fn node(&mut self, node: &Node) {
        self.tree().push(node);
    }

    /// The tree at the end, to add nodes to.
    pub(super) fn tree(&mut self) -> &mut Tree {
        if !matches!(self.0.last(), Some(Piece::Done(_))) {
            self.0.push(Piece::Done(Tree::default()));
        }
        match self.0.last_mut() {
            Some(Piece::Done(tree)) => tree,
            _ => unreachable!("a tree was just added"),
        }
    }

    /// Adds the stretches of `other`.
    pub fn append(&mut self, other: Self) {
        other.0.into_iter().for_each(|piece| self.push(piece));
    }

    /// The tree, if nothing is open.
    pub fn closed(self) -> Result<Tree, Self> {
        if self.open().next().is_some() {
            return Err(self);
        }
        let mut all = Tree::default();
        for piece in self.0 {
            match piece {
                Piece::Done(tree) if all.is_empty() => all = tree,
                Piece::Done(tree) => all.append(&tree),
                Piece::Open(_) => {}
            }
        }
        Ok(all)
    }
}

/// The same tree for a larger `T`: only `κ`, which is in parts of `T`, changes.
pub fn retarget(tree: Tree, from: f64, to: f64) -> Tree {
    let quadratic = |node: &Node| matches!(node, Node::Quadratic(_));
    if to <= from || !tree.iter().any(|node| quadratic(&node)) {
        return tree;
    }
    let scale = |node: Node| match node {
        Node::Quadratic(leaf) => {
            let kappa = (leaf.kappa as f64 * (from / to)).ceil() as i64;
            Node::Quadratic(Quadratic { kappa, ..leaf })
        }
        other => other,
    };
    tree.iter().map(scale).collect()
}

/// How far above `T` a larger one must be, relatively, for [`retarget`] to keep quadratic leaves
/// valid: `κ` moves by a part in 2^20, where the leaf's bound has a slope of a few hundredths.
pub const RETARGET: f64 = 3e-7;
