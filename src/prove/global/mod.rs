//! The best normalised margin of any width, by column generation (rule 3.7).
//!
//! Alternates between the convex program over the candidate cells found so far
//! ([`crate::numeric::lazy`]), whose primal solution is a network and whose dual solution is `λ`, and
//! the search for directions with `s·g(w) > |w|`, first by local ascent, then by covers. A direction
//! names a new cell; when the covers close, `Σλ/T` is a certified bound.
mod checkpoint;
mod covers;
mod network;
mod workers;

pub use checkpoint::{Checkpoint, CheckpointError, Saving};
pub use covers::{Covers, Ran};
pub use network::{in_architecture, lower_entry, network, upper_entry};
pub use workers::{Gone, Standing, Workers, serve};

use super::cover::{self, Instance, local_maximise};
use crate::budget::Budget;
use crate::numeric::lazy::{Candidate, LazyProgram, Optimum};
use crate::numeric::two_layer::{View, length};
use maxmargin_kernel::claim::Number;
use maxmargin_kernel::proof::dual_bound::DualBound;
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
}

impl Default for Options {
    /// Gap 1e-6, 200 starts, no limit, one thread, with covers, nothing saved.
    fn default() -> Self {
        Self {
            gap: 1e-6,
            starts: 200,
            budget: Budget::default(),
            parallel: false,
            covers: true,
            saving: None,
            workers: None,
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
/// Covers are interrupted this often, to save and to improve the bound.
const SLICE: f64 = 20.0;
/// Looser bounds than the one aimed at, for when there is nothing better.
const RUNGS: [f64; 9] = [1.5, 1.2, 1.1, 1.05, 1.02, 1.01, 1.005, 1.002, 1.001];
/// The part of the time limit that the search proper may use.
const SEARCH_SHARE: f64 = 0.8;
/// Rounds after which an unused candidate is dropped.
const AGE: u32 = 2;

/// Searches from `seeds` (sign and direction, for the scaled samples) and from random cells.
pub fn search(
    view: &View,
    seeds: &[(f64, Vec<f64>)],
    options: &Options,
    mut report: impl FnMut(Status),
) -> Global {
    let mut search = Search::new(view, options);
    search.start(seeds);
    let mut stalled = 0;
    if let Some(covers) = search.result.pending.take().filter(|_| options.covers) {
        let violators = search.drive(covers);
        for (sign, w) in violators {
            search.add(sign, w);
        }
    }
    while !search.out_of_time() && stalled < STALLED && search.result.gap() > options.gap {
        search.result.rounds += 1;
        let Some(optimum) = search.solve() else { break };
        let added = search.round(&optimum, &mut report);
        search.status(&mut report);
        if search.result.pending.is_some() {
            break;
        }
        search.save(false);
        stalled = if added == 0 { stalled + 1 } else { 0 };
        if added == 0 {
            // Same cells, more accuracy: the bound is within the solver's tolerance of them.
            search.program.tolerance = (search.program.tolerance * 0.1).max(1e-13);
        }
    }
    search.result.limit = search.out_of_time();
    if options.covers && search.result.gap() > options.gap {
        search.last_resort();
    }
    search.save(true);
    search.result
}

struct Search<'a> {
    view: &'a View,
    options: &'a Options,
    program: LazyProgram<'a>,
    age: Vec<u32>,
    rng: Pcg64,
    full: Vec<bool>,
    /// Latest `λ`, for a bound when time runs out.
    lambda: Vec<f64>,
    largest: f64,
    /// Places worth a look again.
    remembered: Vec<(f64, Vec<f64>)>,
    /// Covers that ended with violators.
    failed: usize,
    /// The next of [`RUNGS`].
    rung: usize,
    saved: Instant,
    /// When the search proper ends: before the limit, to leave time for a bound.
    deadline: Option<Instant>,
    result: Global,
}

impl<'a> Search<'a> {
    fn new(view: &'a View, options: &'a Options) -> Self {
        let full = vec![true; view.x.first().map_or(0, Vec::len)];
        let tolerance = (options.gap * 1e-2).clamp(1e-12, 1e-9);
        let program = LazyProgram::new(view, Vec::new(), tolerance);
        let result = Global { upper: f64::INFINITY, ..Global::default() };
        let now = Instant::now();
        let until = |at: Instant| now + at.saturating_duration_since(now).mul_f64(SEARCH_SHARE);
        let deadline = options.budget.deadline.map(until);
        Self {
            view,
            options,
            program,
            age: Vec::new(),
            rng: Pcg64::seed_from_u64(20),
            full,
            lambda: Vec::new(),
            largest: f64::INFINITY,
            remembered: Vec::new(),
            failed: 0,
            rung: 0,
            saved: now,
            deadline,
            result,
        }
    }

    fn out_of_time(&self) -> bool {
        self.options.budget.interrupted() || self.deadline.is_some_and(|at| Instant::now() >= at)
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
        if self.restore() {
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
        let largest = lambda.iter().fold(0.0f64, |m, l| m.max(*l));
        let kept: Vec<usize> = (0..lambda.len()).filter(|i| lambda[*i] > 1e-7 * largest).collect();
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
        local_maximise(instance, &starts, self.options.parallel)
    }

    /// Solves the program, raising the cap of λ as the candidates allow, and keeps the network.
    fn solve(&mut self) -> Option<Optimum> {
        let optimum = self.program.solve(self.deadline)?;
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
    fn round(&mut self, optimum: &Optimum, report: &mut impl FnMut(Status)) -> usize {
        let mut violators = self.violators(optimum, self.options.starts);
        // A cover found what these starts did not: more of them before the next.
        if violators.is_empty() && self.failed > 0 {
            violators = self.violators(optimum, 2 * self.options.starts);
        }
        self.lambda.clone_from(&optimum.lambda);
        // Neurons that moved over a convex kink continue on the other side.
        let moved: Vec<(f64, Vec<f64>)> = (self.program.candidates.iter().zip(&optimum.u))
            .filter(|(_, u)| length(u) > 1e-5 * optimum.value)
            .map(|(c, u)| (c.sign, u.clone()))
            .collect();
        self.retire(optimum);
        if violators.is_empty() && !optimum.capped {
            self.status(report);
            let target = 1.0 + AIM * self.options.gap;
            let covers = Covers::new(self.view, &optimum.lambda, target);
            match covers {
                Some(covers) if self.options.covers => violators = self.drive(covers),
                covers => self.result.pending = covers,
            }
            self.failed += usize::from(!violators.is_empty());
        }
        violators.into_iter().chain(moved).map(|(sign, w)| usize::from(self.add(sign, w))).sum()
    }

    /// Violators by local ascent.
    fn violators(&mut self, optimum: &Optimum, random: usize) -> Vec<(f64, Vec<f64>)> {
        let least = 1.0 + ASCENT * self.options.gap;
        let mut violators: Vec<(f64, Vec<f64>)> = Vec::new();
        self.largest = 0.0;
        for sign in [1.0, -1.0] {
            let instance = self.instance(&optimum.lambda, sign);
            let present = self.program.candidates.iter().map(|c| (c.sign, &c.side));
            let earlier = self.remembered.iter().map(|(s, w)| (*s, w));
            let own: Vec<Vec<f64>> = (present.chain(earlier))
                .filter(|(s, _)| *s == sign)
                .map(|(_, w)| w.clone())
                .collect();
            let found = self.ascend(&instance, random, &own);
            self.largest = found.first().map_or(self.largest, |f| self.largest.max(f.value));
            let above = found.into_iter().filter(|f| f.value > least);
            for (k, f) in above.enumerate() {
                match k < ADD {
                    true => violators.push((sign, f.w)),
                    false => self.remember(sign, f.w),
                }
            }
        }
        violators
    }

    fn remember(&mut self, sign: f64, w: Vec<f64>) {
        if self.remembered.len() >= REMEMBERED {
            self.remembered.remove(0);
        }
        self.remembered.push((sign, w));
    }

    fn status(&self, report: &mut impl FnMut(Status)) {
        let r = &self.result;
        report(Status { upper: r.upper, lower: r.lower, nodes: r.nodes, round: r.rounds });
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

    /// Works on covers until they are closed, violated, or time is up; keeps the bound.
    fn drive(&mut self, mut covers: Covers) -> Vec<(f64, Vec<f64>)> {
        loop {
            let slice = if self.options.workers.is_some() { f64::INFINITY } else { SLICE };
            match self.work(&mut covers, slice) {
                Ran::Violated(violators) => return violators,
                Ran::Closed | Ran::Stuck => {
                    self.keep(&covers);
                    return Vec::new();
                }
                Ran::Open => {}
            }
            if self.out_of_time() {
                self.keep(&covers);
                self.result.pending = Some(covers);
                return Vec::new();
            }
            self.climb(0.2 * SLICE);
            self.result.pending = Some(covers);
            self.save(false);
            match self.result.pending.take() {
                Some(same) => covers = same,
                None => return Vec::new(),
            }
        }
    }

    fn work(&mut self, covers: &mut Covers, seconds: f64) -> Ran {
        let soon = Duration::try_from_secs_f64(seconds).ok().map(|d| Instant::now() + d);
        let deadline = match (self.deadline, soon) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let options = cover::Options {
            deadline,
            cancel: Some(&self.options.budget.cancel),
            parallel: self.options.parallel,
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
        let (lower, bound, proof) = covers.certified(self.view);
        if lower > self.result.lower {
            (self.result.lower, self.result.bound) = (lower, Some((bound, proof)));
        }
    }

    /// Tries the next looser bound for so long; whether there may be more to win.
    fn climb(&mut self, seconds: f64) -> bool {
        let base = if self.largest.is_finite() { self.largest.max(1.0) } else { 1.0 };
        let Some(factor) = RUNGS.get(self.rung).filter(|f| **f > 1.0 + self.options.gap) else {
            return false;
        };
        let lambda = std::mem::take(&mut self.lambda);
        let covers = Covers::new(self.view, &lambda, base * factor);
        let sum = covers.as_ref().map_or(0.0, Covers::sum);
        self.lambda = lambda;
        let Some(mut covers) = covers else { return false };
        if sum / (base * factor) <= self.result.lower {
            self.rung += 1;
            return true;
        }
        match self.work(&mut covers, seconds) {
            Ran::Violated(_) => return false,
            Ran::Open => self.keep(&covers),
            Ran::Closed | Ran::Stuck => {
                self.keep(&covers);
                self.rung += 1;
                return true;
            }
        }
        false
    }

    /// Time ran out, or nothing more was found: the best bound from the latest multipliers in what
    /// was kept back of the time.
    fn last_resort(&mut self) {
        if self.options.budget.interrupted() || self.result.bound.is_none() {
            // At once, whatever it is worth.
            let covers = Covers::new(self.view, &self.lambda, 1.5);
            covers.iter().for_each(|covers| self.keep(covers));
        }
        let now = Instant::now();
        // Without a limit (the search stalled), a few seconds; with one, leave time to check.
        let left = match self.options.budget.deadline {
            Some(at) => 0.7 * at.saturating_duration_since(now).as_secs_f64(),
            None => 8.0,
        };
        self.deadline = Duration::try_from_secs_f64(left).ok().map(|d| now + d);
        while !self.out_of_time() && self.climb(left) {}
    }
}
