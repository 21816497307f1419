//! From a trained network to the best point reachable across adjacent activation cells.
//!
//! Every neuron is `u_j = |v_j|w_j` with a sign. With the sides of its *convex* samples
//! (`s·y_i > 0`) as they are, and the exact concave contribution of the others, the program of
//! [`crate::numeric::program`] is convex, the present network is feasible in it, and its optimum
//! is a network at least as good. Solving it again and again is the convex–concave procedure.
//! Where that stops, a neuron on a convex kink may take the other side (its contribution there is
//! 0 either way), if the dual function shows that it pays. Neurons that the optimum does not use
//! become copies of used ones, or, with `jump`, start in a cell far away that violates the bound.
use crate::budget::Budget;
use crate::numeric::lazy::{Candidate, LazyProgram};
use crate::numeric::two_layer::{Unit, View, dot, length};
use crate::prove::cover::{Effort, Instance, local_maximise};
use crate::prove::point::{balanced, better};
use maxmargin_kernel::network::Network;
use maxmargin_kernel::problem::Problem;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

/// How to polish.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether unused neurons may start in cells that are not adjacent.
    pub jump: bool,
    /// Most rounds.
    pub rounds: usize,
    /// When to stop.
    pub budget: Budget,
}

impl Default for Options {
    fn default() -> Self {
        Self { jump: true, rounds: 100, budget: Budget::default() }
    }
}

/// A polished network.
#[derive(Clone, Debug)]
pub struct Polished {
    /// Same architecture, larger exact normalised margin.
    pub network: Network,
    /// Convex programs solved.
    pub rounds: usize,
    /// Times a neuron changed the side of a convex kink.
    pub crossings: usize,
    /// Times an unused neuron started in another cell.
    pub jumps: usize,
}

/// Directions closer to a kink than this may take its other side.
const KINK: f64 = 1e-6;
/// Tolerance of the convex programs.
const TOLERANCE: f64 = 1e-11;
/// Relative improvement that counts.
const PROGRESS: f64 = 1e-11;

/// One neuron on its way.
#[derive(Clone)]
struct Neuron {
    sign: f64,
    /// `|v|w` for the scaled samples.
    u: Vec<f64>,
    /// Decides the sides: `u`, or where it is 0 or on a kink, a direction off it.
    side: Vec<f64>,
}

/// Polishes a depth-2, one-output network without sharing that classifies its data. `None` if no
/// better network was found.
pub fn polish(problem: &Problem, view: &View, options: &Options) -> Option<Polished> {
    let mut state = State::new(view);
    let (mut rounds, mut crossings, mut jumps) = (0, 0, 0);
    let mut rng = Pcg64::seed_from_u64(1);
    let mut best = state.cost();
    while rounds < options.rounds && !options.budget.expired() {
        rounds += 1;
        let Some(lambda) = state.solve(&options.budget) else { break };
        let cost = state.cost();
        let improved = cost < best * (1.0 - PROGRESS);
        best = best.min(cost);
        if improved {
            continue;
        }
        let crossed = state.cross(&lambda);
        crossings += crossed;
        if crossed > 0 {
            continue;
        }
        let jumped = if options.jump { state.jump(&lambda, &mut rng) } else { 0 };
        jumps += jumped;
        if jumped == 0 {
            break;
        }
    }
    state.share_unused();
    let signs: Vec<f64> = state.neurons.iter().map(|n| n.sign).collect();
    let u: Vec<Vec<f64>> = state.neurons.iter().map(|n| n.u.clone()).collect();
    let network = balanced(problem, view, &signs, &u)?;
    let there = Problem::new(network.clone(), problem.data().clone()).ok()?;
    better(&there, problem).then_some(Polished { network, rounds, crossings, jumps })
}

struct State<'a> {
    view: &'a View,
    program: LazyProgram<'a>,
    neurons: Vec<Neuron>,
}

impl<'a> State<'a> {
    fn new(view: &'a View) -> Self {
        let neuron = |unit: &Unit| Neuron {
            sign: if unit.v < 0.0 { -1.0 } else { 1.0 },
            u: unit.w.iter().map(|w| w * unit.v.abs() / view.scale).collect(),
            side: unit.w.clone(),
        };
        let neurons: Vec<Neuron> = view.units.iter().map(neuron).collect();
        let mut state =
            Self { view, program: LazyProgram::new(view, Vec::new(), TOLERANCE), neurons };
        let margins = state.margins();
        let mut order: Vec<usize> = (0..view.len()).collect();
        order.sort_by(|a, b| margins[*a].total_cmp(&margins[*b]));
        order.truncate(60);
        state.program.working = order;
        state
    }

    fn margins(&self) -> Vec<f64> {
        let signs: Vec<f64> = self.neurons.iter().map(|n| n.sign).collect();
        let u: Vec<Vec<f64>> = self.neurons.iter().map(|n| n.u.clone()).collect();
        self.view.margins(&signs, &u)
    }

    /// `Σ|u|` at margin 1: `1/(2ν)` for the scaled samples.
    fn cost(&self) -> f64 {
        let margin = self.margins().into_iter().fold(f64::INFINITY, f64::min);
        let size: f64 = self.neurons.iter().map(|n| length(&n.u)).sum();
        if margin > 0.0 { size / margin } else { f64::INFINITY }
    }

    /// Solves the program of the present sides; the neurons move to its optimum. Returns `λ`.
    fn solve(&mut self, budget: &Budget) -> Option<Vec<f64>> {
        // Neurons on the same sides share one vector; it is split evenly among them.
        self.program.candidates.clear();
        let mut members: Vec<Vec<usize>> = Vec::new();
        for (j, neuron) in self.neurons.iter().enumerate() {
            let support = self.view.units[j].support.clone();
            let candidate = Candidate::new(neuron.sign, neuron.side.clone(), support);
            let same = |k: &usize| self.same_on_all(&self.program.candidates[*k], &candidate);
            match (0..members.len()).find(same) {
                Some(k) => members[k].push(j),
                None => {
                    self.program.candidates.push(candidate);
                    members.push(vec![j]);
                }
            }
        }
        let optimum = self.program.solve(budget)?;
        for (list, u) in members.iter().zip(&optimum.u) {
            let share = 1.0 / list.len() as f64;
            for &j in list {
                let neuron = &mut self.neurons[j];
                neuron.u = u.iter().map(|e| e * share).collect();
                if length(u) > 0.0 {
                    neuron.side.clone_from(u);
                }
            }
        }
        Some(optimum.lambda)
    }

    /// Whether two candidates take the same side of every convex sample of the data set.
    fn same_on_all(&self, a: &Candidate, b: &Candidate) -> bool {
        let side = |c: &Candidate, x: &[f64]| dot(&c.side, x) > 0.0;
        let samples = self.view.x.iter().zip(&self.view.y);
        a.sign == b.sign
            && a.support == b.support
            && samples.filter(|(_, y)| a.sign * **y > 0.0).all(|(x, _)| side(a, x) == side(b, x))
    }

    /// The dual function as an instance for a sign, on a neuron's support.
    fn instance(&self, lambda: &[f64], sign: f64, support: &[bool]) -> Instance {
        let largest = lambda.iter().fold(0.0f64, |m, l| m.max(*l));
        let kept: Vec<usize> = (0..lambda.len()).filter(|i| lambda[*i] > 1e-9 * largest).collect();
        let masked = |i: &usize| {
            let x = self.view.x[*i].iter().zip(support);
            x.map(|(x, s)| if *s { *x } else { 0.0 }).collect()
        };
        Instance {
            x: kept.iter().map(masked).collect(),
            b: kept.iter().map(|&i| sign * self.view.y[i] * lambda[i]).collect(),
            fixed: vec![None; kept.len()],
            alpha: self.view.alpha,
        }
    }

    /// Lets neurons on convex kinks take a side that violates the bound; how many did.
    fn cross(&mut self, lambda: &[f64]) -> usize {
        let mut crossed = 0;
        for j in 0..self.neurons.len() {
            let neuron = &self.neurons[j];
            if length(&neuron.u) == 0.0 {
                continue;
            }
            let view = self.view;
            let on_kink = |i: &usize| {
                lambda[*i] > 0.0
                    && neuron.sign * view.y[*i] > 0.0
                    && self.program.cosine(&neuron.u, *i).abs() <= KINK
            };
            let kinks: Vec<usize> = (0..view.len()).filter(on_kink).collect();
            if kinks.is_empty() || view.alpha == 1.0 {
                continue;
            }
            // Starts a little to either side of every kink.
            let size = length(&neuron.u);
            let mut starts = Vec::new();
            for &i in &kinks {
                for side in [1.0, -1.0] {
                    let step = side * 1e-3 * size / self.program.lengths()[i];
                    starts
                        .push(neuron.u.iter().zip(&view.x[i]).map(|(u, x)| u + step * x).collect());
                }
            }
            let support = &view.units[j].support;
            let found = local_maximise(
                &self.instance(lambda, neuron.sign, support),
                &starts,
                Effort::QUIET,
            );
            let adjacent = |w: &[f64]| {
                (0..view.len()).all(|i| {
                    let convex = neuron.sign * view.y[i] > 0.0;
                    let same = (dot(w, &view.x[i]) > 0.0) == (dot(&neuron.u, &view.x[i]) > 0.0);
                    !convex || same || kinks.contains(&i) || lambda[i] == 0.0
                })
            };
            let pays = found.into_iter().find(|f| f.value > 1.0 + 1e-8 && adjacent(&f.w));
            if let Some(direction) = pays {
                // Sides of convex samples off the kinks stay: the old vector must stay feasible.
                let tilt = 1e-4 * size;
                let side = neuron.u.iter().zip(&direction.w).map(|(u, w)| u + tilt * w).collect();
                self.neurons[j].side = side;
                crossed += 1;
            }
        }
        crossed
    }

    /// Starts unused neurons (and all but one of every parallel group) in violating cells.
    fn jump(&mut self, lambda: &[f64], rng: &mut Pcg64) -> usize {
        let idle = self.idle();
        if idle.is_empty() {
            return 0;
        }
        let mut jumped = 0;
        let support = vec![true; self.view.x[0].len()];
        let mut violators: Vec<(f64, f64, Vec<f64>)> = Vec::new();
        for sign in [1.0, -1.0] {
            let instance = self.instance(lambda, sign, &support);
            let mut starts: Vec<Vec<f64>> = Vec::new();
            for x in &instance.x {
                starts.push(x.clone());
                starts.push(x.iter().map(|e| -e).collect());
            }
            for _ in 0..300 {
                let mut start = vec![0.0; support.len()];
                for (x, b) in instance.x.iter().zip(&instance.b) {
                    let weight = rng.random_range(-1.0..1.0) * b;
                    start.iter_mut().zip(x).for_each(|(s, x)| *s += weight * x);
                }
                starts.push(start);
            }
            let found = local_maximise(&instance, &starts, Effort::QUIET);
            violators.extend(
                found.into_iter().filter(|f| f.value > 1.0 + 1e-7).map(|f| (f.value, sign, f.w)),
            );
        }
        violators.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (j, (_, sign, w)) in idle.into_iter().zip(violators) {
            let allowed = self.view.units[j].support.iter().all(|s| *s);
            if !allowed {
                continue;
            }
            let neuron = &mut self.neurons[j];
            *neuron = Neuron { sign, u: vec![0.0; w.len()], side: w };
            jumped += 1;
        }
        jumped
    }

    /// Neurons with `u = 0`, and copies; a copy's share goes to the neuron it repeats.
    fn idle(&mut self) -> Vec<usize> {
        let mut idle = Vec::new();
        for j in 0..self.neurons.len() {
            if length(&self.neurons[j].u) == 0.0 {
                idle.push(j);
                continue;
            }
            let twin = (0..j).find(|k| self.parallel(*k, j));
            if let Some(k) = twin {
                let u = std::mem::take(&mut self.neurons[j].u);
                self.neurons[k].u.iter_mut().zip(&u).for_each(|(a, b)| *a += b);
                self.neurons[j].u = vec![0.0; u.len()];
                idle.push(j);
            }
        }
        idle
    }

    fn parallel(&self, k: usize, j: usize) -> bool {
        let (a, b) = (&self.neurons[k], &self.neurons[j]);
        let (la, lb) = (length(&a.u), length(&b.u));
        a.sign == b.sign
            && self.view.units[k].support == self.view.units[j].support
            && la > 0.0
            && dot(&a.u, &b.u) >= (1.0 - 1e-12) * la * lb
    }

    /// Turns unused neurons into copies of the largest neuron on the same support, which keeps the
    /// function and the cost and leaves no dead neuron behind.
    fn share_unused(&mut self) {
        let unused: Vec<usize> =
            (0..self.neurons.len()).filter(|j| length(&self.neurons[*j].u) == 0.0).collect();
        for j in unused {
            let support = &self.view.units[j].support;
            let candidates = (0..self.neurons.len()).filter(|k| {
                length(&self.neurons[*k].u) > 0.0 && self.view.units[*k].support == *support
            });
            let size = |k: &usize| length(&self.neurons[*k].u);
            let largest = candidates.max_by(|a, b| size(a).total_cmp(&size(b)));
            if let Some(k) = largest {
                self.neurons[k].u.iter_mut().for_each(|e| *e *= 0.5);
                self.neurons[j] = self.neurons[k].clone();
            }
        }
    }
}
