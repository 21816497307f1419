//! The best normalised margin of any width, by column generation (rule 3.7).
//!
//! Alternates between the convex program over the candidate cells found so far
//! ([`crate::numeric::lazy`]), whose primal solution is a network and whose dual solution is `λ`, and
//! the search for directions with `s·g(w) > |w|`, first by local ascent, then by covers. A direction
//! names a new cell; when the covers close, `Σλ/T` is a certified bound.
use super::cover::{self, FloatUnits, Instance, Outcome, local_maximise};
use super::{exact, round_up};
use crate::budget::Budget;
use crate::numeric::lazy::{Candidate, LazyProgram, Optimum};
use crate::numeric::two_layer::{View, length};
use maxmargin_kernel::certificate::{Entry, Proof};
use maxmargin_kernel::claim::{Claim, Number, Region, Scope};
use maxmargin_kernel::network::{Activation, Layer, Network, NetworkJson};
use maxmargin_kernel::number::ScaledVec;
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::dual_bound::{Cone, Cover, DualBound, Multipliers};
use maxmargin_kernel::proof::point::Point;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
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
/// What rounding the samples may take from a bound, as a part of its distance from 1.
const ROUNDING: f64 = 1e-4;
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
    while !search.out_of_time() && stalled < STALLED {
        search.result.rounds += 1;
        let Some(optimum) = search.solve() else { break };
        let added = search.round(&optimum);
        let r = &search.result;
        report(Status { upper: r.upper, lower: r.lower, nodes: r.nodes, round: r.rounds });
        if r.gap() <= options.gap {
            return search.result;
        }
        stalled = if added == 0 { stalled + 1 } else { 0 };
        if added == 0 {
            // Same cells, more accuracy: the bound is within the solver's tolerance of them.
            search.program.tolerance = (search.program.tolerance * 0.1).max(1e-13);
        }
    }
    search.result.limit = search.out_of_time();
    search.last_resort();
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
        for (sign, side) in seeds {
            self.add(*sign, side.clone());
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
        self.program.cap = Some(1e3);
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
    fn round(&mut self, optimum: &Optimum) -> usize {
        let target = 1.0 + 0.3 * self.options.gap;
        let mut violators: Vec<(f64, Vec<f64>)> = Vec::new();
        self.largest = 0.0;
        for sign in [1.0, -1.0] {
            let instance = self.instance(&optimum.lambda, sign);
            let own: Vec<Vec<f64>> = (self.program.candidates.iter())
                .filter(|c| c.sign == sign)
                .map(|c| c.side.clone())
                .collect();
            let found = self.ascend(&instance, self.options.starts, &own);
            self.largest = found.first().map_or(self.largest, |f| self.largest.max(f.value));
            let above = found.into_iter().filter(|f| f.value > target).take(ADD);
            violators.extend(above.map(|f| (sign, f.w)));
        }
        self.lambda.clone_from(&optimum.lambda);
        // Neurons that moved over a convex kink continue on the other side.
        let moved: Vec<(f64, Vec<f64>)> = (self.program.candidates.iter().zip(&optimum.u))
            .filter(|(_, u)| length(u) > 1e-5 * optimum.value)
            .map(|(c, u)| (c.sign, u.clone()))
            .collect();
        self.retire(optimum);
        if violators.is_empty() && !optimum.capped {
            violators = self.bound(&optimum.lambda, target, f64::INFINITY);
        }
        violators.into_iter().chain(moved).map(|(sign, w)| usize::from(self.add(sign, w))).sum()
    }

    /// Drops candidates that were not used lately.
    fn retire(&mut self, optimum: &Optimum) {
        for (age, u) in self.age.iter_mut().zip(&optimum.u) {
            *age = if length(u) > 0.0 { 0 } else { *age + 1 };
        }
        let mut ages = self.age.iter();
        self.program.candidates.retain(|_| ages.next().is_none_or(|a| *a < AGE));
        self.age.retain(|a| *a < AGE);
    }

    /// Tries to cover both signs with `T = target`; keeps the bound, or returns violators.
    fn bound(&mut self, lambda: &[f64], target: f64, seconds: f64) -> Vec<(f64, Vec<f64>)> {
        let mut violators = Vec::new();
        let mut covers = Vec::new();
        let units = FloatUnits::choose(1.0 / self.view.scale, 1.0);
        let largest = lambda.iter().fold(0.0f64, |m, l| m.max(*l));
        let grid = |l: f64| (l * self.view.scale / units.unit_a()).round();
        let keep =
            |i: &usize| lambda[*i] > 1e-9 * largest && (1.0..9e18).contains(&grid(lambda[*i]));
        let kept: Vec<(usize, i64)> =
            (0..lambda.len()).filter(keep).map(|i| (i, grid(lambda[i]) as i64)).collect();
        let sum: f64 = kept.iter().map(|(_, l)| *l as f64 * units.unit_a()).sum();
        if kept.is_empty() {
            return violators;
        }
        let soon = Duration::try_from_secs_f64(seconds).ok().map(|d| Instant::now() + d);
        let deadline = match (self.deadline, soon) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let mut units = units;
        for sign in [1i8, -1] {
            let mut instance = Instance {
                x: kept
                    .iter()
                    .map(|(i, _)| self.view.x[*i].iter().map(|e| e / self.view.scale).collect())
                    .collect(),
                b: (kept.iter())
                    .map(|(i, l)| f64::from(sign) * self.view.y[*i] * *l as f64 * units.unit_a())
                    .collect(),
                fixed: vec![None; kept.len()],
                alpha: self.view.alpha,
            };
            let options = cover::Options {
                deadline,
                cancel: Some(&self.options.budget.cancel),
                parallel: self.options.parallel,
                ..Default::default()
            };
            // The same for both signs: |b| is all that counts.
            units = units.rounding(&instance, ROUNDING * (target - 1.0).min(1e-2));
            let lost = instance.round(units);
            let outcome = cover::search(&instance, target - lost, units, &options);
            self.result.nodes += outcome.statistics().nodes;
            match outcome {
                Outcome::Closed { nodes, .. } => {
                    let cone = Cone { sign, inputs: None, fixed: Vec::new() };
                    covers.push(Cover { cone, nodes });
                }
                Outcome::Violated { violators: list, .. } => {
                    violators.extend(list.into_iter().map(|v| (f64::from(sign), v.w)));
                }
                Outcome::Limit(_) => {}
            }
        }
        let lower = sum / target;
        if covers.len() == 2 && lower > self.result.lower {
            self.result.lower = lower;
            let bound = round_up(&exact(0.5 / lower * (1.0 + 1e-14)), 50);
            let multipliers = Multipliers { units: units.to_kernel(), lambda: kept };
            self.result.bound = Some((bound, DualBound { multipliers, covers }));
        }
        violators
    }

    /// Time ran out without a bound: a loose one from the latest multipliers, if it is quick.
    fn last_resort(&mut self) {
        if self.result.bound.is_some()
            || self.lambda.is_empty()
            || self.options.budget.interrupted()
        {
            return;
        }
        let lambda = self.lambda.clone();
        let base = if self.largest.is_finite() { self.largest.max(1.0) } else { 1.0 };
        // With a limit, what was kept back of it; without one (the search stalled), a few seconds.
        self.deadline = self.options.budget.deadline;
        let now = Instant::now();
        let left = self.deadline.map_or(8.0, |d| d.saturating_duration_since(now).as_secs_f64());
        let factors = [1.05, 1.2, 1.6, 2.5];
        for factor in factors {
            if self.result.bound.is_some() {
                break;
            }
            // Per sign.
            self.bound(&lambda, base * factor, left / (2 * factors.len()) as f64);
        }
    }
}

/// The dense network with these neurons, balanced: `|w_j| = |v_j|`. `None` if there are none.
pub fn network(
    view: &View,
    activation: &Activation,
    neurons: &[(f64, Vec<f64>)],
) -> Option<Network> {
    let inputs = view.x.first()?.len();
    let mut first = Vec::new();
    let mut second = Vec::new();
    for (sign, u) in neurons {
        let root = (length(u) * view.scale).sqrt();
        first.extend(u.iter().map(|e| e * view.scale / root));
        second.push(sign * root);
    }
    let width = second.len();
    let layers = vec![
        Layer::dense(1, width, inputs, ScaledVec::from_f64s(&first).ok()?).ok()?,
        Layer::dense(2, 1, width, ScaledVec::from_f64s(&second).ok()?).ok()?,
    ];
    Network::new(activation.clone(), layers).ok()
}

/// The claim `ν ≤ B` for any width; `None` if there is no bound or the kernel refuses it.
pub fn upper_entry(problem: &Problem, global: &Global) -> Option<(Entry, usize)> {
    let (bound, proof) = global.bound.clone()?;
    let claim = Claim::MarginAtMost { scope: Scope::All, region: Region::AnyWidth, bound };
    let nodes = proof.check(problem, &claim).ok()?;
    Some((Entry { claim, proof: Proof::DualBound(proof) }, nodes))
}

/// The claim that the best network found has at least its ν, for any width.
pub fn lower_entry(problem: &Problem, view: &View, global: &Global) -> Option<Entry> {
    let best = network(view, problem.activation(), &global.network)?;
    let there = Problem::new(best.clone(), problem.data().clone()).ok()?;
    let (low, _) = there.normalised_margin()?;
    let bound = super::round_down(&low, 50);
    let claim = Claim::MarginAtLeast { scope: Scope::All, region: Region::AnyWidth, bound };
    let proof = Point { parameters: None, network: Some(NetworkJson::from_network(&best)) };
    proof.check(problem, &claim).ok()?;
    Some(Entry { claim, proof: Proof::Point(proof) })
}

/// The best network in the architecture of `problem`, if it is wide enough: spare neurons become
/// copies, so that none is dead.
pub fn in_architecture(problem: &Problem, view: &View, global: &Global) -> Option<Network> {
    let spare = view.units.len().checked_sub(global.network.len())?;
    let dense = view.units.iter().all(|u| u.support.iter().all(|s| *s));
    if !dense || global.network.is_empty() {
        return None;
    }
    let mut neurons = global.network.clone();
    let largest = (0..neurons.len())
        .max_by(|a, b| length(&neurons[*a].1).total_cmp(&length(&neurons[*b].1)))?;
    let share = 1.0 / (spare + 1) as f64;
    neurons[largest].1.iter_mut().for_each(|e| *e *= share);
    let copy = neurons[largest].clone();
    neurons.extend((0..spare).map(|_| copy.clone()));
    let (signs, u): (Vec<f64>, Vec<Vec<f64>>) = neurons.into_iter().unzip();
    super::point::balanced(problem, view, &signs, &u)
}
