//! The branch and bound itself, in three passes: a few nodes depth first, which is all that easy
//! covers need; then breadth first, with a local search for violators from every node, since depth
//! first comes to most of a large tree late; then the many subtrees that are left, shared among threads.
//!
//! What happens at a node depends only on its ancestors, so a tree that closes is the same
//! whatever the number of threads, and however often the search was interrupted. Violators do not
//! depend on the number of threads either: of subtrees searched at once, the first in order counts.
use super::items::{Items, State};
use super::local::distinct;
use super::node::{Scratch, Step};
use super::pieces::{Open, Piece, Pieces};
use super::{Direction, Options, Progress, Statistics};
use crate::numeric::box_ls::dot;
use maxmargin_kernel::proof::cover::{Node, Split};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Nodes of the first pass.
const EASY: u64 = 4000;
/// Subtrees that the second pass aims at; it is left out if there are many from before.
const WIDE: usize = 4096;
const MANY: usize = 256;
/// A first pass with a violator goes on for as many nodes as it took, and so many more: several
/// violators are worth more than one.
const PATIENCE: u64 = 200;
/// A violator is above `T` by at least this part.
const ABOVE: f64 = 1e-12;
/// Nodes between two calls of the progress hook.
const PROGRESS_EVERY: u64 = 64;
/// The whole tree, in the unit in which closed parts of it are added up.
const WHOLE: u64 = 1 << 62;

/// A running search.
pub(super) struct Search<'a> {
    items: &'a Items<'a>,
    options: &'a Options<'a>,
    margin: f64,
    nodes: AtomicU64,
    depth: AtomicUsize,
    closed: AtomicU64,
    /// Subtrees that are not finished.
    open: AtomicU64,
    stop: AtomicBool,
    /// The first subtree with a violator, by its place among those searched at once; 0 in the
    /// first two passes.
    violated: AtomicUsize,
    /// Nodes at which a first pass with a violator ends.
    enough: AtomicU64,
    /// Violators with the place of their subtree.
    violators: Mutex<Vec<(usize, Direction)>>,
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
            closed: AtomicU64::new(0),
            open: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            violated: AtomicUsize::new(usize::MAX),
            enough: AtomicU64::new(u64::MAX),
            violators: Mutex::new(Vec::new()),
            scratch: Mutex::new(Vec::new()),
        }
    }

    /// Notes what is open before the work.
    pub(super) fn begin(&self, pieces: &Pieces) {
        let open: u64 = pieces.open().map(|open| part(open.depth)).sum();
        self.closed.store(WHOLE.saturating_sub(open), Relaxed);
        self.open.store(pieces.open().filter(|open| !open.stuck).count() as u64, Relaxed);
    }

    /// Works on all open subtrees; what comes back means nothing if something was violated.
    pub(super) fn run(&self, mut pieces: Pieces) -> Pieces {
        let most = self.options.max_nodes;
        if pieces.nodes() == 0 {
            pieces = self.deepen(pieces, most.min(EASY), None);
        }
        if !self.is_violated() && pieces.open().filter(|o| !o.stuck).count() < MANY {
            pieces = self.widen(pieces, WIDE, true);
        }
        if !self.is_violated() && !self.options.shallow {
            pieces = self.deepen(pieces, most, Some(1));
        }
        pieces
    }

    /// Searches all open subtrees depth first, until there have been so many nodes: as one, or at
    /// once, with places from `first` on.
    fn deepen(&self, pieces: Pieces, most: u64, first: Option<usize>) -> Pieces {
        let work = |(place, piece): (usize, Piece)| {
            let mut out = Pieces::default();
            let state = match &piece {
                Piece::Open(open) if !open.stuck => open.state(self.items.len()),
                _ => None,
            };
            match (piece, state) {
                (Piece::Open(open), Some(state)) => {
                    let limits = Limits { place: first.map_or(0, |first| first + place), most };
                    self.with_scratch(|scratch| {
                        self.subtree(state, open.depth, limits, scratch, &mut out);
                    });
                }
                (piece, _) => out.push(piece),
            }
            out
        };
        let list = pieces.into_list();
        let parts: Vec<Pieces> = match first.is_some() && self.options.parallel {
            true => list.into_par_iter().with_max_len(1).enumerate().map(work).collect(),
            false => list.into_iter().enumerate().map(work).collect(),
        };
        let mut all = Pieces::default();
        parts.into_iter().for_each(|pieces| all.append(pieces));
        all
    }

    /// Splits shallow subtrees, a level at a time, until at least `count` are open or none can be
    /// split; with `ascents`, climbs from every node.
    pub(super) fn widen(&self, mut pieces: Pieces, count: usize, ascents: bool) -> Pieces {
        loop {
            let number = pieces.open().count();
            let ready = |open: &Open| !open.stuck && open.state(self.items.len()).is_some();
            let depth = pieces.open().filter(|o| ready(o)).map(|o| o.depth).min();
            let more = |depth: &usize| {
                let level = pieces.open().filter(|o| ready(o) && o.depth == *depth).count();
                let after = self.nodes.load(Relaxed).saturating_add(level as u64);
                number < count
                    && !self.is_violated()
                    && !self.stopped()
                    && after <= self.options.max_nodes
            };
            let Some(depth) = depth.filter(more) else { return pieces };
            let work = |piece: Piece| {
                let mut out = Pieces::default();
                let state = match &piece {
                    Piece::Open(open) if open.depth == depth && !open.stuck && !self.stopped() => {
                        open.state(self.items.len())
                    }
                    _ => None,
                };
                let Some(mut state) = state else {
                    out.push(piece);
                    return out;
                };
                self.count();
                self.with_scratch(|scratch| {
                    let split = self.step(&mut state, depth, 0, scratch, &mut out);
                    let Some((plus, minus)) = split else { return };
                    out.push(Piece::Open(Open::new(&plus, depth + 1, false)));
                    out.push(Piece::Open(Open::new(&minus, depth + 1, false)));
                    if ascents {
                        self.climb(scratch);
                    }
                });
                out
            };
            let list = pieces.into_list();
            let parts: Vec<Pieces> = match self.options.parallel {
                true => list.into_par_iter().map(work).collect(),
                false => list.into_iter().map(work).collect(),
            };
            pieces = Pieces::default();
            parts.into_iter().for_each(|part| pieces.append(part));
        }
    }

    /// Violators found, best first, and what the search did, with these pieces as its result.
    pub(super) fn finish(self, pieces: &Pieces, start: Instant) -> (Vec<Direction>, Statistics) {
        let first = self.violated.into_inner();
        let all = self.violators.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut violators: Vec<Direction> =
            all.into_iter().filter(|(place, _)| *place == first).map(|(_, v)| v).collect();
        distinct(&mut violators);
        violators.truncate(self.options.max_violators);
        let statistics = Statistics {
            nodes: self.nodes.into_inner(),
            depth: self.depth.into_inner(),
            open: pieces.open().count(),
            stuck: pieces.open().filter(|o| o.stuck).count(),
            closed_fraction: self.closed.into_inner() as f64 / WHOLE as f64,
            seconds: start.elapsed().as_secs_f64(),
        };
        (violators, statistics)
    }

    fn subtree(
        &self,
        mut state: State,
        depth: usize,
        limits: Limits,
        scratch: &mut Scratch,
        out: &mut Pieces,
    ) {
        if self.should_stop(limits) {
            out.push(Piece::Open(Open::new(&state, depth, false)));
            return;
        }
        let split = self.step(&mut state, depth, limits.place, scratch, out);
        if let Some((plus, minus)) = split {
            self.subtree(plus, depth + 1, limits, scratch, out);
            self.subtree(minus, depth + 1, limits, scratch, out);
        }
    }

    /// Does a node itself; the two subtrees if it is split.
    fn step(
        &self,
        state: &mut State,
        depth: usize,
        place: usize,
        scratch: &mut Scratch,
        out: &mut Pieces,
    ) -> Option<(State, State)> {
        self.depth.fetch_max(depth, Relaxed);
        let rounds = self.options.rounds;
        match self.items.process(state, rounds, self.margin, scratch, out.tree()) {
            Step::Leaf(leaf) => {
                out.node(&leaf);
                self.closed.fetch_add(part(depth), Relaxed);
                self.open.fetch_sub(1, Relaxed);
                None
            }
            Step::Stuck => {
                self.open.fetch_sub(1, Relaxed);
                out.push(Piece::Open(Open::new(state, depth, true)));
                None
            }
            Step::Violated(found) => {
                self.open.fetch_sub(1, Relaxed);
                self.violator(found, place, scratch);
                None
            }
            Step::Split(i) => {
                self.open.fetch_add(1, Relaxed);
                out.node(&Node::Split(Split { split: self.items.index[i] }));
                let mut minus = state.clone();
                let mut plus = state.clone();
                plus.low[i] = plus.low[i].max(0);
                minus.high[i] = minus.high[i].min(0);
                Some((plus, minus))
            }
        }
    }

    /// Looks for a violator near the relaxation that was solved last.
    fn climb(&self, scratch: &mut Scratch) {
        let (items, ls) = (self.items, &mut scratch.ls);
        let length = dot(&ls.beta, &ls.gradient).max(0.0).sqrt();
        let z: Vec<f64> = ls.gradient.iter().map(|g| g / length).collect();
        let root = items.root();
        let Some(found) = items.ascend(&root, z, ls) else { return };
        let allowed = items.scale * (items.trespass(&ls.beta, &found.w, f64::INFINITY) + items.t);
        if found.value > allowed * (1.0 + ABOVE) {
            self.note(found, 0);
        }
    }

    /// Climbs from the direction found and keeps the better of the two.
    fn violator(&self, found: Direction, place: usize, scratch: &mut Scratch) {
        let items = self.items;
        let z = items.projections(&found.w);
        let polished = items.ascend(&items.root(), z, &mut scratch.ls);
        let best = match polished {
            Some(polished) if polished.value > found.value => polished,
            _ => found,
        };
        self.note(best, place);
    }

    fn note(&self, violator: Direction, place: usize) {
        self.violated.fetch_min(place, Relaxed);
        let soon = self.nodes.load(Relaxed).saturating_mul(2).saturating_add(PATIENCE);
        self.enough.fetch_min(soon, Relaxed);
        let mut violators = self.violators.lock().unwrap_or_else(PoisonError::into_inner);
        violators.push((place, violator));
    }

    fn is_violated(&self) -> bool {
        self.violated.load(Relaxed) < usize::MAX
    }

    /// Looks at the limits, and counts a node if none is reached.
    fn should_stop(&self, limits: Limits) -> bool {
        let nodes = self.nodes.load(Relaxed);
        let enough = match limits.place {
            0 => nodes >= self.enough.load(Relaxed),
            // Subtrees before the first with a violator go on.
            place => self.violated.load(Relaxed) <= place,
        };
        if enough || nodes >= limits.most || self.stopped() {
            return true;
        }
        self.count();
        false
    }

    /// Counts a node, and tells now and then.
    fn count(&self) {
        let nodes = self.nodes.fetch_add(1, Relaxed) + 1;
        if let Some(progress) =
            self.options.progress.filter(|_| nodes.is_multiple_of(PROGRESS_EVERY))
        {
            let closed_fraction = self.closed.load(Relaxed) as f64 / WHOLE as f64;
            progress(Progress { nodes, open: self.open.load(Relaxed), closed_fraction });
        }
    }

    fn stopped(&self) -> bool {
        let options = self.options;
        if options.deadline.is_some_and(|deadline| Instant::now() >= deadline)
            || options.cancel.is_some_and(|cancel| cancel.load(Relaxed))
        {
            self.stop.store(true, Relaxed);
        }
        self.stop.load(Relaxed)
    }

    fn with_scratch(&self, work: impl FnOnce(&mut Scratch)) {
        let pool = || self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let spare = pool().pop();
        let mut scratch = spare.unwrap_or_else(|| Scratch::new(self.items.len()));
        work(&mut scratch);
        pool().push(scratch);
    }
}

/// Where a depth-first search stops.
#[derive(Clone, Copy)]
struct Limits {
    /// The place of its subtree among those searched at once.
    place: usize,
    /// Nodes of the whole search.
    most: u64,
}

/// The part of the whole that a node at this depth is.
fn part(depth: usize) -> u64 {
    u32::try_from(depth).ok().and_then(|d| WHOLE.checked_shr(d)).unwrap_or(0)
}
