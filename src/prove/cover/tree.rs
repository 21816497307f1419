//! The branch and bound itself: depth first, subtrees shared among threads.
//!
//! What happens at a node depends only on its ancestors, so a tree that closes is the same
//! whatever the number of threads.
use super::items::{Items, State};
use super::local::distinct;
use super::node::{Scratch, Step};
use super::{Direction, Options, Progress, Statistics};
use maxmargin_kernel::proof::cover::{Node, Split};
use maxmargin_kernel::proof::tree::Tree;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Splits at most this deep are offered to other threads.
const SHARED_DEPTH: usize = 12;
/// Nodes between two calls of the progress hook.
const PROGRESS_EVERY: u64 = 1024;
/// Once there is a violator, the search goes on for as many nodes as it took, and so many more:
/// the multipliers change before the tree is of use.
const PATIENCE: u64 = 1000;
/// The whole tree, in the unit in which closed parts of it are added up.
const WHOLE: u64 = 1 << 62;

/// A running search.
pub(super) struct Search<'a> {
    items: &'a Items<'a>,
    options: &'a Options<'a>,
    margin: f64,
    nodes: AtomicU64,
    depth: AtomicUsize,
    open: AtomicUsize,
    stuck: AtomicUsize,
    closed: AtomicU64,
    stop: AtomicBool,
    violated: AtomicBool,
    /// Nodes at which a search with violators ends.
    enough: AtomicU64,
    violators: Mutex<Vec<Direction>>,
    scratch: Mutex<Vec<Scratch>>,
}

impl<'a> Search<'a> {
    pub(super) fn new(items: &'a Items<'a>, options: &'a Options<'a>, margin: f64) -> Self {
        Self {
            items,
            options,
            margin,
            nodes: AtomicU64::new(0),
            depth: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            stuck: AtomicUsize::new(0),
            closed: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            violated: AtomicBool::new(false),
            enough: AtomicU64::new(u64::MAX),
            violators: Mutex::new(Vec::new()),
            scratch: Mutex::new(Vec::new()),
        }
    }

    /// Runs to the end; the tree means nothing unless nothing is left open and nothing violated.
    pub(super) fn run(&self) -> Tree {
        let mut out = Tree::default();
        self.with_scratch(|scratch| self.subtree(self.items.root(), 0, scratch, &mut out));
        out
    }

    /// Violators found, best first, and what the search did.
    pub(super) fn finish(self, start: Instant) -> (Vec<Direction>, Statistics) {
        let mut violators = self.violators.into_inner().unwrap_or_else(PoisonError::into_inner);
        distinct(&mut violators);
        let statistics = Statistics {
            nodes: self.nodes.into_inner(),
            depth: self.depth.into_inner(),
            open: self.open.into_inner(),
            stuck: self.stuck.into_inner(),
            closed_fraction: self.closed.into_inner() as f64 / WHOLE as f64,
            seconds: start.elapsed().as_secs_f64(),
        };
        (violators, statistics)
    }

    fn subtree(&self, mut state: State, depth: usize, scratch: &mut Scratch, out: &mut Tree) {
        if self.should_stop() {
            self.open.fetch_add(1, Relaxed);
            return;
        }
        self.depth.fetch_max(depth, Relaxed);
        let step = self.items.process(&mut state, self.options.rounds, self.margin, scratch, out);
        match step {
            Step::Leaf(leaf) => {
                out.push(&leaf);
                self.closed.fetch_add(WHOLE.checked_shr(depth as u32).unwrap_or(0), Relaxed);
            }
            Step::Stuck => {
                self.stuck.fetch_add(1, Relaxed);
                self.open.fetch_add(1, Relaxed);
            }
            Step::Violated(found) => self.violator(found, scratch),
            Step::Split(i) => {
                out.push(&Node::Split(Split { split: self.items.index[i] }));
                let mut minus = state.clone();
                state.low[i] = state.low[i].max(0);
                minus.high[i] = minus.high[i].min(0);
                if self.options.parallel && depth < SHARED_DEPTH {
                    let mut second = Tree::default();
                    rayon::join(
                        || self.subtree(state, depth + 1, scratch, out),
                        || {
                            self.with_scratch(|own| {
                                self.subtree(minus, depth + 1, own, &mut second);
                            });
                        },
                    );
                    out.append(&second);
                } else {
                    self.subtree(state, depth + 1, scratch, out);
                    self.subtree(minus, depth + 1, scratch, out);
                }
                if self.violated.load(Relaxed) {
                    // No cover will come of it: do not keep its parts.
                    out.clear();
                }
            }
        }
    }

    /// Climbs from the direction found and keeps the better of the two.
    fn violator(&self, found: Direction, scratch: &mut Scratch) {
        let items = self.items;
        let z = items.projections(&found.w);
        let polished = items.ascend(&items.root(), z, &mut scratch.ls);
        let best = match polished {
            Some(polished) if polished.value > found.value => polished,
            _ => found,
        };
        self.violated.store(true, Relaxed);
        let soon = self.nodes.load(Relaxed).saturating_mul(2).saturating_add(PATIENCE);
        self.enough.fetch_min(soon, Relaxed);
        let mut violators = self.violators.lock().unwrap_or_else(PoisonError::into_inner);
        violators.push(best);
        distinct(&mut violators);
        if violators.len() >= self.options.max_violators {
            self.stop.store(true, Relaxed);
        }
    }

    /// Counts a node and looks at the limits.
    fn should_stop(&self) -> bool {
        if self.stop.load(Relaxed) {
            return true;
        }
        let nodes = self.nodes.fetch_add(1, Relaxed) + 1;
        let options = self.options;
        let late = options.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        let cancelled = options.cancel.is_some_and(|cancel| cancel.load(Relaxed));
        if late || cancelled || nodes > options.max_nodes || nodes > self.enough.load(Relaxed) {
            self.stop.store(true, Relaxed);
            return true;
        }
        if let Some(progress) = options.progress.filter(|_| nodes.is_multiple_of(PROGRESS_EVERY)) {
            let closed_fraction = self.closed.load(Relaxed) as f64 / WHOLE as f64;
            progress(Progress { nodes, closed_fraction });
        }
        false
    }

    fn with_scratch(&self, work: impl FnOnce(&mut Scratch)) {
        let pool = || self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let spare = pool().pop();
        let mut scratch = spare.unwrap_or_else(|| Scratch::new(self.items.len()));
        work(&mut scratch);
        pool().push(scratch);
    }
}
