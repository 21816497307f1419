//! The branch and bound itself: depth first, subtrees shared among threads.
//!
//! What happens at a node depends only on its ancestors, so a tree that closes is the same
//! whatever the number of threads, and however often the search was interrupted.
use super::items::{Items, State};
use super::local::distinct;
use super::node::{Scratch, Step};
use super::pieces::{Open, Piece, Pieces};
use super::{Direction, Options, Progress, Statistics};
use maxmargin_kernel::proof::cover::{Node, Split};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Splits at most this deep below where a search starts are offered to other threads.
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

    /// Works on all open subtrees; what comes back means nothing if something was violated.
    pub(super) fn run(&self, pieces: Pieces) -> Pieces {
        let open: u64 = pieces.open().map(|open| part(open.depth)).sum();
        self.closed.store(WHOLE.saturating_sub(open), Relaxed);
        let work = |piece: Piece| {
            let mut out = Pieces::default();
            match piece {
                Piece::Open(open) if !open.stuck => match open.state(self.items.len()) {
                    Some(state) => self.with_scratch(|scratch| {
                        self.subtree(state, (open.depth, 0), scratch, &mut out);
                    }),
                    None => {
                        self.open.fetch_add(1, Relaxed);
                        out.push(Piece::Open(open));
                    }
                },
                Piece::Open(open) => {
                    self.stuck.fetch_add(1, Relaxed);
                    self.open.fetch_add(1, Relaxed);
                    out.push(Piece::Open(open));
                }
                done => out.push(done),
            }
            out
        };
        let list = pieces.into_list();
        let parts: Vec<Pieces> = match self.options.parallel {
            true => list.into_par_iter().with_max_len(1).map(work).collect(),
            false => list.into_iter().map(work).collect(),
        };
        let mut all = Pieces::default();
        parts.into_iter().for_each(|pieces| all.append(pieces));
        all
    }

    /// Splits shallow subtrees until at least `count` are open, or none can be split.
    pub(super) fn expand(&self, mut pieces: Pieces, count: usize) -> Pieces {
        let mut scratch = Scratch::new(self.items.len());
        loop {
            let number = pieces.open().count();
            let ready = |open: &Open| !open.stuck && open.state(self.items.len()).is_some();
            let depth = pieces.open().filter(|o| ready(o)).map(|o| o.depth).min();
            let Some(depth) = depth.filter(|_| number < count && !self.stopped()) else {
                return pieces;
            };
            let mut next = Pieces::default();
            for piece in pieces.into_list() {
                match piece {
                    Piece::Open(open) if open.depth == depth && ready(&open) && !self.stopped() => {
                        let Some(mut state) = open.state(self.items.len()) else { continue };
                        self.nodes.fetch_add(1, Relaxed);
                        let split = self.step(&mut state, depth, &mut scratch, &mut next);
                        if let Some((plus, minus)) = split {
                            next.push(Piece::Open(Open::new(&plus, depth + 1, false)));
                            next.push(Piece::Open(Open::new(&minus, depth + 1, false)));
                        }
                    }
                    piece => next.push(piece),
                }
            }
            pieces = next;
        }
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

    /// A node at `depth.0`, which is `depth.1` below where this search started.
    fn subtree(
        &self,
        mut state: State,
        depth: (usize, usize),
        scratch: &mut Scratch,
        out: &mut Pieces,
    ) {
        if self.should_stop() {
            self.open.fetch_add(1, Relaxed);
            out.push(Piece::Open(Open::new(&state, depth.0, false)));
            return;
        }
        let Some((state, minus)) = self.step(&mut state, depth.0, scratch, out) else { return };
        let below = (depth.0 + 1, depth.1 + 1);
        if self.options.parallel && depth.1 < SHARED_DEPTH {
            let mut second = Pieces::default();
            rayon::join(
                || self.subtree(state, below, scratch, out),
                || self.with_scratch(|own| self.subtree(minus, below, own, &mut second)),
            );
            out.append(second);
        } else {
            self.subtree(state, below, scratch, out);
            self.subtree(minus, below, scratch, out);
        }
        if self.violated.load(Relaxed) {
            // No cover will come of it: do not keep its parts.
            out.clear();
        }
    }

    /// Does a node itself; the two subtrees if it is split.
    fn step(
        &self,
        state: &mut State,
        depth: usize,
        scratch: &mut Scratch,
        out: &mut Pieces,
    ) -> Option<(State, State)> {
        self.depth.fetch_max(depth, Relaxed);
        let rounds = self.options.rounds;
        match self.items.process(state, rounds, self.margin, scratch, out.tree()) {
            Step::Leaf(leaf) => {
                out.node(&leaf);
                self.closed.fetch_add(part(depth), Relaxed);
                None
            }
            Step::Stuck => {
                self.stuck.fetch_add(1, Relaxed);
                self.open.fetch_add(1, Relaxed);
                out.push(Piece::Open(Open::new(state, depth, true)));
                None
            }
            Step::Violated(found) => {
                self.violator(found, scratch);
                None
            }
            Step::Split(i) => {
                out.node(&Node::Split(Split { split: self.items.index[i] }));
                let mut minus = state.clone();
                let mut plus = state.clone();
                plus.low[i] = plus.low[i].max(0);
                minus.high[i] = minus.high[i].min(0);
                Some((plus, minus))
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
        if self.stopped() || nodes > self.options.max_nodes || nodes > self.enough.load(Relaxed) {
            self.stop.store(true, Relaxed);
            return true;
        }
        if let Some(progress) =
            self.options.progress.filter(|_| nodes.is_multiple_of(PROGRESS_EVERY))
        {
            let closed_fraction = self.closed.load(Relaxed) as f64 / WHOLE as f64;
            progress(Progress { nodes, closed_fraction });
        }
        false
    }

    fn stopped(&self) -> bool {
        let options = self.options;
        self.stop.load(Relaxed)
            || options.deadline.is_some_and(|deadline| Instant::now() >= deadline)
            || options.cancel.is_some_and(|cancel| cancel.load(Relaxed))
    }

    fn with_scratch(&self, work: impl FnOnce(&mut Scratch)) {
        let pool = || self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let spare = pool().pop();
        let mut scratch = spare.unwrap_or_else(|| Scratch::new(self.items.len()));
        work(&mut scratch);
        pool().push(scratch);
    }
}

/// The part of the whole that a node at this depth is.
fn part(depth: usize) -> u64 {
    u32::try_from(depth).ok().and_then(|d| WHOLE.checked_shr(d)).unwrap_or(0)
}
