//! Covers of the latest multipliers, and looser ones for when those do not close in time.
use super::{BEAM, Covers, Ran, Search, Status, WIDEST, Working};
use crate::prove::cover::{self, Progress};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Covers are interrupted this often, in seconds, to save and to improve the bound.
const SLICE: f64 = 10.0;
/// Milliseconds between two reports.
const TELL_EVERY: u64 = 150;
/// The part of the time that goes to looser bounds, and, after so many seconds, if the gap is larger than
/// so much: then the bound aimed at is far away.
const SHARE: f64 = 0.15;
const WIDE_SHARE: f64 = 0.5;
const WIDE_AFTER: f64 = 60.0;
const WIDE: f64 = 0.1;
/// Only after so many seconds, and so many at a time at least.
const PATIENCE: f64 = 10.0;
const WORTH: f64 = 1.0;
/// Nodes per sign of a first try, before neighbours are explored.
const TRY: u64 = 4000;
/// Looser bounds than the one aimed at, once parts of the data are no smaller than the support: as
/// multiples of the largest value known.
pub(super) const RUNGS: [f64; 12] = [
    1.1,
    1.05,
    1.02,
    1.01,
    1.005,
    1.002,
    1.001,
    1.0001,
    1.00001,
    1.000001,
    1.00000001,
    1.0000000001,
];
/// The multiple for a bound at once, whatever it is worth.
const AT_ONCE: f64 = 8.0;
/// The bound of an unfinished proof must be larger by this part to be worth its length.
const BETTER: f64 = 1e-3;
/// Part of the time after the search proper that looser bounds may use; the rest is for checking.
const LAST: f64 = 0.7;

impl Search<'_> {
    /// Works on covers until they are closed, violated, or time is up; keeps the bound.
    pub(super) fn drive(&mut self, mut covers: Covers) -> Vec<(f64, Vec<f64>)> {
        self.ladder = None;
        loop {
            // Workers keep what they have: they are not interrupted, and are not for small tries.
            let alone = self.options.workers.is_none();
            let first = !self.hard;
            let slice = if alone { SLICE } else { f64::INFINITY };
            let most = if first { TRY } else { u64::MAX };
            let ran = match alone || !first {
                true => self.work(&mut covers, slice, most),
                false => Ran::Open,
            };
            match ran {
                Ran::Violated(violators) => {
                    // The local search had missed them.
                    self.beam = if self.hard { (2 * self.beam).min(WIDEST) } else { BEAM };
                    self.hard = true;
                    return violators;
                }
                Ran::Closed | Ran::Stuck => {
                    self.keep(&covers);
                    return Vec::new();
                }
                Ran::Open => {}
            }
            if self.until.expired() {
                if self.options.anytime {
                    self.keep(&covers);
                }
                self.result.pending = Some(covers);
                return Vec::new();
            }
            if first {
                self.hard = true;
                let violators = self.violators(true);
                if !violators.is_empty() {
                    return violators;
                }
                continue;
            }
            self.catch_up();
            self.result.pending = Some(covers);
            self.save(false);
            match self.result.pending.take() {
                Some(same) => covers = same,
                None => return Vec::new(),
            }
        }
    }

    /// Works on covers for so many seconds and nodes, here or elsewhere.
    fn work(&mut self, covers: &mut Covers, seconds: f64, nodes: u64) -> Ran {
        let soon = Duration::try_from_secs_f64(seconds).ok().map(|d| Instant::now() + d);
        let deadline = match (self.until.deadline, soon) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let (before, begun, report) = (self.now(), Instant::now(), self.report);
        let told = AtomicU64::new(0);
        let progress = |p: Progress| {
            let elapsed = begun.elapsed();
            let (now, last) = (elapsed.as_millis() as u64, told.load(Relaxed));
            let due = now >= last + TELL_EVERY
                && told.compare_exchange(last, now, Relaxed, Relaxed).is_ok();
            if due {
                let rate = p.nodes as f64 / elapsed.as_secs_f64();
                let covers = Some(Working { open: p.open, rate });
                report(Status { nodes: before.nodes + p.nodes, covers, ..before });
            }
        };
        let options = cover::Options {
            deadline,
            cancel: Some(&self.until.cancel),
            parallel: self.options.parallel,
            max_nodes: nodes,
            progress: Some(&progress),
            ..Default::default()
        };
        let nodes = &mut self.result.nodes;
        match &self.options.workers {
            Some(workers) => covers.farm(self.view, workers.as_ref(), &options, nodes),
            None => covers.run(self.view, &options, nodes),
        }
    }

    /// Keeps the bound that these covers give, closing what is open as well as it can be.
    fn keep(&mut self, covers: &Covers) {
        let open = covers.sides().any(|(_, pieces)| pieces.open().next().is_some());
        let worth = if open { 1.0 + BETTER } else { 1.0 };
        if let Some((lower, bound, proof)) = covers.certified(self.view, worth * self.result.lower)
        {
            (self.result.lower, self.result.bound) = (lower, Some((bound, proof)));
        }
    }

    /// Gives looser bounds their part of the time.
    pub(super) fn catch_up(&mut self) {
        let elapsed = self.started.elapsed().as_secs_f64();
        if !self.options.anytime || !self.options.covers || elapsed < PATIENCE {
            return;
        }
        let wide = elapsed > WIDE_AFTER && self.result.gap() > WIDE;
        let share = if wide { WIDE_SHARE } else { SHARE };
        let due = share * elapsed - self.climbed.as_secs_f64();
        if due >= WORTH {
            self.climb(due);
        }
    }

    /// Works on the next looser bounds for so long.
    fn climb(&mut self, seconds: f64) {
        let begun = Instant::now();
        self.climb_until(begun + Duration::try_from_secs_f64(seconds).unwrap_or_default());
        self.climbed += begun.elapsed();
    }

    fn climb_until(&mut self, end: Instant) {
        let base = if self.largest.is_finite() { self.largest.max(1.0) } else { 1.0 };
        loop {
            let left = end.saturating_duration_since(Instant::now()).as_secs_f64();
            if left == 0.0 || self.until.expired() {
                return;
            }
            let within = self.until.deadline.map_or(end, |at| at.min(end));
            if self.ladder.is_none() && self.solve_part(within) {
                continue;
            }
            let mut covers = match self.ladder.take() {
                Some(covers) => covers,
                None => {
                    let factor = RUNGS.get(self.rung).filter(|f| **f > 1.0 + self.options.gap);
                    let Some(factor) = factor else { return };
                    let Some(covers) = Covers::new(self.view, &self.lambda, base * factor) else {
                        return;
                    };
                    covers
                }
            };
            if covers.sum() / covers.target() <= self.result.lower {
                self.rung += 1;
                continue;
            }
            match self.work(&mut covers, left, u64::MAX) {
                Ran::Violated(_) => return,
                Ran::Open => {
                    self.ladder = Some(covers);
                    return;
                }
                Ran::Closed | Ran::Stuck => {
                    self.keep(&covers);
                    self.rung += 1;
                }
            }
        }
    }

    /// Time ran out, or nothing more was found: the best bound from the latest multipliers in what
    /// was kept back of the time.
    pub(super) fn last_resort(&mut self) {
        if self.result.bound.is_none() {
            // At once, whatever it is worth.
            let covers = Covers::new(self.view, &self.lambda, AT_ONCE);
            covers.iter().for_each(|covers| self.keep(covers));
        }
        let now = Instant::now();
        // Without a limit (the search stalled), a few seconds; with one, leave time to check.
        let left = match self.options.budget.deadline {
            Some(at) => LAST * at.saturating_duration_since(now).as_secs_f64(),
            None => 8.0,
        };
        self.until.deadline = Duration::try_from_secs_f64(left).ok().map(|d| now + d);
        self.climb(left);
        if let Some(covers) = self.ladder.take() {
            self.keep(&covers);
        }
    }
}
