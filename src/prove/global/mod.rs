//! The best normalised margin of any width, by column generation (rule 3.7).
//!
//! Alternates between the convex program over the candidate cells found so far
//! ([`crate::numeric::lazy`]), whose primal solution is a network and whose dual solution is `λ`, and
//! the search for directions with `s·g(w) > |w|`, first by local ascent, then by covers. A direction
//! names a new cell; when the covers close, `Σλ/T` is a certified bound.
mod bound;
mod checkpoint;
mod covers;
mod network;
mod part;
mod workers;

pub use checkpoint::{Checkpoint, CheckpointError, Saving};
pub use covers::{Covers, Ran};
pub use network::{in_architecture, lower_entry, network, upper_entry};
pub use workers::{Gone, Standing, Workers, serve};

use super::cover::{self, Effort, Instance, explore, local_maximise};
use crate::budget::Budget;
use crate::numeric::lazy::{Candidate, LazyProgram, Optimum};
use crate::numeric::two_layer::{View, length};
use maxmargin_kernel::claim::Number;
use maxmargin_kernel::proof::dual_bound::DualBound;
use part::Part;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How to search.
#[derive(Clone, Debug)]
pub struct Options {
    /// Relative gap to reach.
    pub gap: f64,
    /// Random starts of the local ascent per sign and round.
    pub starts: usize,
    /// When to stop.
    pub budget: Budget,
    /// Whether the rayon pool may be used.
    pub parallel: bool,
    /// Whether to search for covers; without, the search ends before the first one.
    pub covers: bool,
    /// Where to keep the state, and the state to start from.
    pub saving: Option<Saving>,
    /// Who searches covers, if not this process.
    pub workers: Option<Arc<dyn Workers>>,
    /// Whether looser bounds are wanted too, for when the covers do not close in time.
    pub anytime: bool,
    /// Covers of an earlier search to go on with.
    pub pending: Option<Covers>,
}

impl Default for Options {
    /// Gap 1e-6, 200 starts, no limit, one thread, with covers, anytime, nothing saved.
    fn default() -> Self {
        Self {
            gap: 1e-6,
            starts: 200,
            budget: Budget::default(),
            parallel: false,
            covers: true,
            saving: None,
            workers: None,
            anytime: true,
            pending: None,
        }
    }
}

/// How far the search is.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    /// Cost of the best network.
    pub upper: f64,
    /// Certified lower bound of the cost, 0 if there is none yet.
    pub lower: f64,
    /// Cover nodes so far.
    pub nodes: u64,
    /// Rounds so far.
    pub round: usize,
    /// The covers that are being searched, if they are.
    pub covers: Option<Working>,
}

/// How far the covers of one round are.
#[derive(Clone, Copy, Debug)]
pub struct Working {
    /// Subtrees that are waiting.
    pub open: u64,
    /// Nodes per second.
    pub rate: f64,
}

/// The result: costs are `1/(2ν)` for the samples as they are.
#[derive(Clone, Debug, Default)]
pub struct Global {
    /// The best network: `(s, u)` per neuron, for the scaled samples, margin 1.
    pub network: Vec<(f64, Vec<f64>)>,
    /// Its cost in floats.
    pub upper: f64,
    /// The proof of the bound, with the bound on ν it gives.
    pub bound: Option<(Number, DualBound)>,
    /// The certified lower bound of the cost in floats, 0 if there is none.
    pub lower: f64,
    /// Nodes of all covers tried.
    pub nodes: u64,
    /// Rounds.
    pub rounds: usize,
    /// Whether a limit ended the search.
    pub limit: bool,
    /// Covers that are not finished.
    pub pending: Option<Covers>,
    /// Why the state could not be saved.
    pub not_saved: Option<String>,
}

impl Global {
    /// `(upper − lower)/lower`.
    pub fn gap(&self) -> f64 {
        if self.lower > 0.0 { (self.upper - self.lower) / self.lower } else { f64::INFINITY }
    }
}

/// Most rounds without new candidates before giving up.
const STALLED: usize = 4;
/// New candidates per sign and round.
const ADD: usize = 10;
/// Directions remembered as starts of the local ascent.
const REMEMBERED: usize = 100;
/// Of the allowed gap, what local ascent may leave, and what covers aim at.
const ASCENT: f64 = 0.5;
const AIM: f64 = 0.9;
/// Width of the beam in which neighbours are explored at first, and at most.
const BEAM: usize = 24;
const WIDEST: usize = 384;
/// The part of the time limit that the search proper may use.
const SEARCH_SHARE: f64 = 0.8;
/// Multipliers below this part of the largest are taken for 0 where directions are sought.
const SMALL: f64 = 1e-7;
/// Rounds after which an unused candidate is dropped.
const AGE: u32 = 2;

/// Searches from `seeds` (sign and direction, for the scaled samples) and from random cells. `report` is
/// told about every round and, during the search for covers, a few times a second, from any thread.
pub fn search(
    view: &View,
    seeds: &[(f64, Vec<f64>)],
    options: &Options,
    report: &(dyn Fn(Status) + Sync),
) -> Global {
    let mut search = Search::new(view, options, report);
    search.start(seeds);
    let mut stalled = 0;
    if let Some(covers) = search.result.pending.take().filter(|_| options.covers) {
        let violators = search.drive(covers);
        for (sign, w) in violators {
            search.add(sign, w);
        }
    }
    while !search.until.expired() && stalled < STALLED && search.result.gap() > options.gap {
        search.result.rounds += 1;
        let Some(optimum) = search.solve() else { break };
        let added = search.round(&optimum);
        search.status();
        if search.result.pending.is_some() {
            break;
        }
        search.catch_up();
        search.save(false);
        stalled = if added == 0 { stalled + 1 } else { 0 };
        if added == 0 {
            // Same cells, more accuracy: the bound is within the solver's tolerance of them.
            search.program.tolerance = (search.program.tolerance * 0.1).max(1e-13);
        }
    }
    search.result.limit = search.until.expired();
    if options.covers && options.anytime && search.result.gap() > options.gap {
        search.last_resort();
    }
    search.save(true);
    search.result
}

/// The samples whose multipliers are not next to nothing.
fn support(lambda: &[f64]) -> Vec<usize> {
    let largest = lambda.iter().fold(0.0f64, |m, l| m.max(*l));
    (0..lambda.len()).filter(|i| lambda[*i] > SMALL * largest).collect()
}

struct Search<'a> {
    view: &'a View,
    options: &'a Options,
    report: &'a (dyn Fn(Status) + Sync),
    program: LazyProgram<'a>,
    age: Vec<u32>,
    rng: Pcg64,
    full: Vec<bool>,
    /// Latest `λ`, for a bound when time runs out.
    lambda: Vec<f64>,
    largest: f64,
    /// Places worth a look again.
    remembered: Vec<(f64, Vec<f64>)>,
    /// Whether local ascent once missed a violator: then it takes more trouble.
    hard: bool,
    /// Width of the beam in which neighbours are explored.
    beam: usize,
    /// How many parts of the data were solved for looser bounds, the cells of the last one's network,
    /// and the one at work.
    parts: i32,
    part_seeds: Vec<(f64, Vec<f64>)>,
    part: Option<Part>,
    /// The next of [`bound::RUNGS`], and its covers for the latest `λ` as far as they are.
    rung: usize,
    ladder: Option<Covers>,
    /// Time that went to looser bounds.
    climbed: Duration,
    started: Instant,
    saved: Instant,
    /// When the search proper ends: before the limit, to leave time for a bound.
    until: Budget,
    result: Global,
}

impl<'a> Search<'a> {
    fn new(view: &'a View, options: &'a Options, report: &'a (dyn Fn(Status) + Sync)) -> Self {
        let full = vec![true; view.x.first().map_or(0, Vec::len)];
        let tolerance = (options.gap * 1e-2).clamp(1e-12, 1e-9);
        let program = LazyProgram::new(view, Vec::new(), tolerance);
        let result = Global { upper: f64::INFINITY, ..Global::default() };
        let now = Instant::now();
        let share = if options.anytime { SEARCH_SHARE } else { 1.0 };
        let until = |at: Instant| now + at.saturating_duration_since(now).mul_f64(share);
        let deadline = options.budget.deadline.map(until);
        let until = Budget { deadline, cancel: options.budget.cancel.clone() };
        Self {
            view,
            options,
            report,
            program,
            age: Vec::new(),
            rng: Pcg64::seed_from_u64(20),
            full,
            lambda: Vec::new(),
            largest: f64::INFINITY,
            remembered: Vec::new(),
            hard: false,
            beam: BEAM,
            parts: 0,
            part_seeds: Vec::new(),
            part: None,
            rung: 0,
            ladder: None,
            climbed: Duration::ZERO,
            started: now,
            saved: now,
            until,
            result,
        }
    }

    fn add(&mut self, sign: f64, side: Vec<f64>) -> bool {
        let candidate = Candidate::new(sign, side, self.full.clone());
        match self.program.candidates.iter().position(|c| self.program.same_sides(c, &candidate)) {
            Some(_) => false,
            None => {
                self.program.candidates.push(candidate);
                self.age.push(0);
                true
            }
        }
    }

    /// First candidates: the seeds, and local maxima for equal multipliers on random samples.
    fn start(&mut self, seeds: &[(f64, Vec<f64>)]) {
        let n = self.view.len();
        let mut order: Vec<usize> = (0..n).collect();
        for i in 0..n.min(60) {
            let j = self.rng.random_range(i..n);
            order.swap(i, j);
        }
        order.truncate(60);
        self.program.working = order.clone();
        self.program.cap = Some(1e3);
        for (sign, side) in seeds {
            self.add(*sign, side.clone());
        }
        self.result.pending.clone_from(&self.options.pending);
        if self.restore() || self.result.pending.is_some() {
            return;
        }
        let mut lambda = vec![0.0; n];
        order.iter().for_each(|&i| lambda[i] = 1.0);
        for sign in [1.0, -1.0] {
            let instance = self.instance(&lambda, sign);
            let found = self.ascend(&instance, 50, &[]);
            for direction in found.into_iter().take(8) {
                self.add(sign, direction.w);
            }
        }
    }

    fn instance(&self, lambda: &[f64], sign: f64) -> Instance {
        let kept = support(lambda);
        Instance {
            x: kept.iter().map(|&i| self.view.x[i].clone()).collect(),
            b: kept.iter().map(|&i| sign * self.view.y[i] * lambda[i]).collect(),
            fixed: vec![None; kept.len()],
            alpha: self.view.alpha,
        }
    }

    /// Local maxima from random combinations of the samples, `±x_i` and the given directions.
    fn ascend(
        &mut self,
        instance: &Instance,
        random: usize,
        given: &[Vec<f64>],
    ) -> Vec<cover::Direction> {
        let mut starts: Vec<Vec<f64>> = given.to_vec();
        for x in &instance.x {
            starts.push(x.clone());
            starts.push(x.iter().map(|e| -e).collect());
        }
        for _ in 0..random {
            let mut start = vec![0.0; self.full.len()];
            for (x, b) in instance.x.iter().zip(&instance.b) {
                let weight = self.rng.random_range(-1.0..1.0) * b;
                start.iter_mut().zip(x).for_each(|(s, x)| *s += weight * x);
            }
            starts.push(start);
        }
        let stop = || self.until.expired();
        local_maximise(instance, &starts, Effort { parallel: self.options.parallel, stop: &stop })
    }

    /// Solves the program, raising the cap of λ as the candidates allow, and keeps the network.
    fn solve(&mut self) -> Option<Optimum> {
        let optimum = self.program.solve(&self.until)?;
        if optimum.capped {
            self.program.cap = self.program.cap.map(|c| c * 8.0);
        } else {
            let signs: Vec<f64> = self.program.candidates.iter().map(|c| c.sign).collect();
            let margins = self.view.margins(&signs, &optimum.u);
            let margin = margins.into_iter().fold(f64::INFINITY, f64::min);
            let size: f64 = optimum.u.iter().map(|u| length(u)).sum();
            // Costs of the samples as they are: z = u·(scale x).
            let cost = size * self.view.scale / margin;
            if margin > 0.0 && cost < self.result.upper {
                self.result.upper = cost;
                let used = signs.into_iter().zip(&optimum.u).filter(|(_, u)| length(u) > 0.0);
                let normal = |u: &Vec<f64>| u.iter().map(|e| e / margin).collect();
                self.result.network = used.map(|(s, u)| (s, normal(u))).collect();
            }
        }
        Some(optimum)
    }

    /// Looks for violators, adds them, and bounds if there are none. Returns how many were added.
    fn round(&mut self, optimum: &Optimum) -> usize {
        self.lambda.clone_from(&optimum.lambda);
        let mut violators = self.violators(self.hard);
        // Neurons that moved over a convex kink continue on the other side.
        let moved: Vec<(f64, Vec<f64>)> = (self.program.candidates.iter().zip(&optimum.u))
            .filter(|(_, u)| length(u) > 1e-5 * optimum.value)
            .map(|(c, u)| (c.sign, u.clone()))
            .collect();
        self.retire(optimum);
        if violators.is_empty() && !optimum.capped {
            self.status();
            let target = 1.0 + AIM * self.options.gap;
            let covers = Covers::new(self.view, &optimum.lambda, target);
            match covers {
                Some(covers) if self.options.covers => violators = self.drive(covers),
                covers => self.result.pending = covers,
            }
        }
        violators.into_iter().chain(moved).map(|(sign, w)| usize::from(self.add(sign, w))).sum()
    }

    /// Violators by local ascent; if that finds none of a sign, on request, also from among the
    /// neighbours of its maxima.
    fn violators(&mut self, thorough: bool) -> Vec<(f64, Vec<f64>)> {
        let least = 1.0 + ASCENT * self.options.gap;
        let lambda = std::mem::take(&mut self.lambda);
        let mut violators: Vec<(f64, Vec<f64>)> = Vec::new();
        self.largest = 0.0;
        for sign in [1.0, -1.0] {
            let instance = self.instance(&lambda, sign);
            let present = self.program.candidates.iter().map(|c| (c.sign, &c.side));
            let earlier = self.remembered.iter().map(|(s, w)| (*s, w));
            let own: Vec<Vec<f64>> = (present.chain(earlier))
                .filter(|(s, _)| *s == sign)
                .map(|(_, w)| w.clone())
                .collect();
            let mut found = self.ascend(&instance, self.options.starts, &own);
            if thorough {
                let stop = || self.until.expired();
                let effort = Effort { parallel: self.options.parallel, stop: &stop };
                found = explore(&instance, found, self.beam, least, effort);
            }
            self.largest = found.first().map_or(self.largest, |f| self.largest.max(f.value));
            let above = found.into_iter().filter(|f| f.value > least);
            for (k, f) in above.enumerate() {
                match k < ADD {
                    true => violators.push((sign, f.w)),
                    false => self.remember(sign, f.w),
                }
            }
        }
        self.lambda = lambda;
        violators
    }

    fn remember(&mut self, sign: f64, w: Vec<f64>) {
        if self.remembered.len() >= REMEMBERED {
            self.remembered.remove(0);
        }
        self.remembered.push((sign, w));
    }

    fn status(&self) {
        (self.report)(self.now());
    }

    fn now(&self) -> Status {
        let r = &self.result;
        let (upper, lower) = (r.upper, r.lower);
        Status { upper, lower, nodes: r.nodes, round: r.rounds, covers: None }
    }

    /// Drops candidates that were not used lately.
    fn retire(&mut self, optimum: &Optimum) {
        for (age, u) in self.age.iter_mut().zip(&optimum.u) {
            *age = if length(u) > 0.0 { 0 } else { *age + 1 };
        }
        let all = std::mem::take(&mut self.program.candidates);
        for (candidate, age) in all.into_iter().zip(std::mem::take(&mut self.age)) {
            if age < AGE {
                self.program.candidates.push(candidate);
                self.age.push(age);
            } else {
                self.remember(candidate.sign, candidate.side);
            }
        }
    }
}
