//! The search for covers (rule 3.7, [`maxmargin_kernel::proof::cover`]): branch and bound on
//! `max { s·g(w) : |w| = 1, w in the cone }`.
//!
//! At a node the value is bounded by `|vec| + K` with the least coefficients that keep the
//! constants of the secants: a least-squares problem over a box in the Gram matrix of the items
//! ([`crate::numeric::box_ls`]). Its dual is the maximum of the concave majorant, so with no
//! convex item open the bound is exact, and `vec/|vec|` is where it is attained: either the value
//! there is above `T`, a violator, or the node is closed, narrowed to the cap `vec·w > H`, or
//! split. All numbers that the kernel will see are rounded to the grid at once, with rounding
//! errors accounted for, and the search goes on from the rounded ones.
//!
//! # References
//! - D. P. Bertsekas, *Projected Newton methods for optimization problems with simple
//!   constraints*, SIAM J. Control Optim. 20 (1982).
//! - T. Pham Dinh, H. A. Le Thi, *Convex analysis approach to D.C. programming*, Acta Math.
//!   Vietnam. 22 (1997): the local search.
mod items;
mod local;
mod node;
mod pieces;
mod quadratic;
mod rounding;
mod statement;
mod tree;
mod units;

pub use local::{Effort, explore, local_maximise};
pub use pieces::{Open, Piece, Pieces, RETARGET, retarget};
pub use statement::Statement;
pub use units::FloatUnits;

use crate::numeric::box_ls::dot;
use items::Items;
use maxmargin_kernel::proof::tree::Tree;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// A statement to cover: `Σ_i b_i σ(w·x_i) ≤ T|w|` for the `w` of a cone.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// The samples, all of the same length; zero vectors are allowed.
    pub x: Vec<Vec<f64>>,
    /// One coefficient per sample, for a cover an integer multiple of the unit of coefficients.
    pub b: Vec<f64>,
    /// The cone: `Some(true)` means `w·x_i ≥ 0`, `Some(false)` means `w·x_i ≤ 0`.
    pub fixed: Vec<Option<bool>>,
    /// Slope of `σ` on negative inputs, in `[0, 1]`.
    pub alpha: f64,
}

impl Instance {
    /// `Σ_i b_i σ(w·x_i)`.
    pub fn value(&self, w: &[f64]) -> f64 {
        let sigma = |z: f64| if z > 0.0 { z } else { self.alpha * z };
        self.x.iter().zip(&self.b).map(|(x, b)| b * sigma(dot(x, w))).sum()
    }
}

/// Limits and tuning of [`search`].
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Most rounds of narrowing per node.
    pub rounds: usize,
    /// Give up at this time.
    pub deadline: Option<Instant>,
    /// Give up after this many nodes.
    pub max_nodes: u64,
    /// Stop before the last pass, the long one.
    pub shallow: bool,
    /// Report at most so many violators.
    pub max_violators: usize,
    /// Share subtrees among the threads of the current rayon pool.
    pub parallel: bool,
    /// Give up when this becomes true.
    pub cancel: Option<&'a AtomicBool>,
    /// Called now and then, from any thread.
    pub progress: Option<&'a (dyn Fn(Progress) + Sync)>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            rounds: 6,
            deadline: None,
            max_nodes: u64::MAX,
            shallow: false,
            max_violators: 20,
            parallel: true,
            cancel: None,
            progress: None,
        }
    }
}

/// How far a search has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Nodes so far.
    pub nodes: u64,
    /// Subtrees that are waiting, for a thread or above the one that a thread is at.
    pub open: u64,
    /// Part of the tree that is closed; a node at depth `k` counts `2^−k`.
    pub closed_fraction: f64,
}

/// A unit vector and the value of `s·g` there.
#[derive(Clone, Debug, PartialEq)]
pub struct Direction {
    /// In the coordinates of the samples. Lies in the cone up to rounding.
    pub w: Vec<f64>,
    /// `Σ_i b_i σ(w·x_i)`.
    pub value: f64,
}

/// What a search did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Nodes bounded.
    pub nodes: u64,
    /// Most splits above a node.
    pub depth: usize,
    /// Subtrees not closed, neither by a violator.
    pub open: usize,
    /// Those of them that could not be split and whose bound stayed above `T`: usually `T` is
    /// within rounding of the maximum.
    pub stuck: usize,
    /// See [`Progress::closed_fraction`].
    pub closed_fraction: f64,
    /// Wall-clock time.
    pub seconds: f64,
}

/// How a search ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A cover, depth first as the kernel reads it.
    Closed {
        /// The tree.
        nodes: Tree,
        /// What it took.
        statistics: Statistics,
    },
    /// The statement is false.
    Violated {
        /// Directions with values above `T`, best first.
        violators: Vec<Direction>,
        /// What it took.
        statistics: Statistics,
    },
    /// Neither: a limit was reached, or the bound is stuck at `T`.
    Limit {
        /// What is proved and what is open; see [`resume`] and [`loosen`].
        pieces: Pieces,
        /// What it took.
        statistics: Statistics,
    },
}

impl Outcome {
    /// What the search did.
    pub fn statistics(&self) -> &Statistics {
        match self {
            Self::Closed { statistics, .. }
            | Self::Violated { statistics, .. }
            | Self::Limit { statistics, .. } => statistics,
        }
    }
}

/// Looks for a cover of `instance` with bound `t ≥ 0` on the grids `units`.
///
/// `t` must not exceed the exact `T` that the kernel will be given. The kernel accepts the tree
/// of [`Outcome::Closed`] for these items; that is tested, not trusted.
pub fn search(instance: &Instance, t: f64, units: FloatUnits, options: &Options) -> Outcome {
    resume(instance, t, units, options, start(instance, t, units))
}

/// The cover of which nothing is proved yet.
pub fn start(instance: &Instance, t: f64, units: FloatUnits) -> Pieces {
    let mut pieces = Pieces::default();
    pieces.push(Piece::Open(Open::new(&Items::new(instance, t, units).root(), 0, false)));
    pieces
}

/// Goes on with a search for the same instance, `t` and units. The tree that comes out is the one
/// that a search without interruption finds.
pub fn resume(
    instance: &Instance,
    t: f64,
    units: FloatUnits,
    options: &Options,
    pieces: Pieces,
) -> Outcome {
    run(instance, t, units, options, pieces, |search, pieces| search.run(pieces))
}

/// Splits open subtrees, shallow ones first, until there are at least `count`, as far as
/// possible. Ends with [`Outcome::Limit`] unless everything closes on the way.
pub fn expand(
    instance: &Instance,
    t: f64,
    units: FloatUnits,
    options: &Options,
    pieces: Pieces,
    count: usize,
) -> Outcome {
    run(instance, t, units, options, pieces, |search, pieces| search.widen(pieces, count, true))
}

fn run(
    instance: &Instance,
    t: f64,
    units: FloatUnits,
    options: &Options,
    pieces: Pieces,
    work: impl FnOnce(&tree::Search, Pieces) -> Pieces,
) -> Outcome {
    let start = Instant::now();
    let items = Items::new(instance, t, units);
    // Rounding coefficients to the finest grid moves a bound by about half a unit times √n.
    let finest = items.grid_a.iter().fold(0.0f64, |m, g| m.max(*g));
    let margin = (1e-11 * items.t).max(2.0 * finest * (items.len() as f64).sqrt());
    let search = tree::Search::new(&items, options, margin);
    search.begin(&pieces);
    let pieces = work(&search, pieces);
    let (violators, statistics) = search.finish(&pieces, start);
    if !violators.is_empty() {
        return Outcome::Violated { violators, statistics };
    }
    match pieces.closed() {
        Ok(nodes) => Outcome::Closed { nodes, statistics },
        Err(pieces) => Outcome::Limit { pieces, statistics },
    }
}

/// Closes every open subtree by one leaf, for the least `T' ≥ t` for which all of them close; the
/// tree and `T'`. The kernel must be given at least that `T'`. `None` if that is above `most`.
pub fn loosen(
    instance: &Instance,
    t: f64,
    units: FloatUnits,
    pieces: &Pieces,
    most: f64,
) -> Option<(Tree, f64)> {
    let items = Items::new(instance, t, units);
    let mut scratch = node::Scratch::new(items.len());
    let (mut all, mut needed) = (Pieces::default(), items.t);
    for piece in pieces.list() {
        match piece {
            Piece::Done(_) => all.push(piece.clone()),
            Piece::Open(open) => {
                // A state of another instance: start from the widest ranges.
                let state = open.state(items.len()).unwrap_or_else(|| items.root());
                let (leaf, value) = items.surrender(&state, &mut scratch);
                all.node(&leaf);
                needed = needed.max(value);
                if items.scale * needed > most {
                    return None;
                }
            }
        }
    }
    let tree = all.closed().unwrap_or_default();
    if needed <= items.t {
        return Some((tree, t));
    }
    let to = items.scale * needed.max(items.t * (1.0 + pieces::RETARGET));
    Some((retarget(tree, t, to), to))
}

#[cfg(test)]
mod tests;
