//! Search for the KKT residual bracket (rules 3.2, 3.11).
//!
//! The nearest point of the cone `{Σ λ_k g_k : αλ_k ≤ μ_kj ≤ λ_k}` to θ by an active-set method: least
//! squares on the free multipliers, a step to the first blocking constraint, release of the worst
//! fixed one. The residual is then recomputed exactly and the multipliers corrected, until its
//! direction is accurate to full precision however small it is.
use super::{exact, round_down, round_up};
use crate::numeric::least_squares::{Frame, solve};
use crate::numeric::two_layer::{dot, length, to_f64, to_f64s};
use maxmargin_kernel::certificate::{Entry, Proof};
use maxmargin_kernel::claim::{Claim, Number, Scope};
use maxmargin_kernel::network::{Neuron, TwoLayer};
use maxmargin_kernel::number::{Rational, ScaledVec};
use maxmargin_kernel::problem::{Constraint, Problem};
use maxmargin_kernel::proof::kkt_residual::KktResidual;
use num_traits::{Signed, Zero};

/// The claim `lo ≤ dist(θ, C)/|θ| ≤ hi` for these δ and ε; `None` where the rule does not apply.
pub fn prove(problem: &Problem, delta: &Rational, epsilon: &Rational) -> Option<Entry> {
    let cone = Cone::new(problem, delta, epsilon)?;
    let mut set = ActiveSet::new(&cone);
    set.run();
    let mut multipliers = set.exact_multipliers();
    let mut residual = cone.residual(&multipliers);
    for _ in 0..3 {
        let Some(next) = set.correct(&multipliers, &residual) else { break };
        let after = cone.residual(&next);
        if !cone.feasible(&next) || length(&after) > length(&residual) * 1.5 {
            break;
        }
        (multipliers, residual) = (next, after);
    }
    let direction = cone.polar_direction(&residual);
    // ⟨θ,d⟩ is a difference of large terms: its float value is trusted step by step less.
    let attempt = |safety: f64| {
        cone.entry(&multipliers, &residual, direction.as_deref(), safety, delta, epsilon)
    };
    [1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2]
        .into_iter()
        .find_map(attempt)
        .or_else(|| cone.entry(&multipliers, &residual, None, 0.0, delta, epsilon))
}

/// One variable of the program: `λ_k`, or `μ_kj` at a near-kink.
struct Kink {
    neuron: usize,
    column: Vec<f64>,
}

/// The gradients of one near-active constraint: `base + Σ_j s_j kink_j`.
struct Generator {
    k: usize,
    constraint: Constraint,
    base: Vec<f64>,
    kinks: Vec<Kink>,
}

/// The cone, in floats and with what is needed to evaluate it exactly.
struct Cone<'a> {
    problem: &'a Problem,
    neurons: Vec<Neuron>,
    generators: Vec<Generator>,
    theta: Vec<f64>,
    alpha: f64,
    slope: Rational,
}

/// Exact multipliers: `λ` per generator, `μ` per kink of it.
#[derive(Clone)]
struct Multipliers {
    lambda: Vec<Rational>,
    mu: Vec<Vec<Rational>>,
}

impl<'a> Cone<'a> {
    fn new(problem: &'a Problem, delta: &Rational, epsilon: &Rational) -> Option<Self> {
        let neurons = TwoLayer::new(problem.network()).ok()?.neurons;
        let slope = problem.activation().slope().clone();
        let theta =
            problem.network().layers().iter().flat_map(|l| to_f64s(l.parameters())).collect();
        let alpha = to_f64(&slope);
        let mut cone = Self { problem, neurons, generators: Vec::new(), theta, alpha, slope };
        for k in problem.margins().active(delta) {
            let constraint = *problem.margins().constraints().get(k)?;
            let generator = cone.generator(k, constraint, epsilon)?;
            cone.generators.push(generator);
        }
        Some(cone)
    }

    fn generator(&self, k: usize, constraint: Constraint, epsilon: &Rational) -> Option<Generator> {
        let [first, second] = self.problem.network().layers() else { return None };
        let offset = first.parameters().len();
        let mut base = vec![0.0; self.theta.len()];
        let mut kinks = Vec::new();
        let covector: Vec<f64> = constraint.covector(second.rows()).iter().map(to_f64).collect();
        for (j, neuron) in self.neurons.iter().enumerate() {
            let x = to_f64s(&self.problem.data().restricted(constraint.sample, &neuron.inputs));
            let z = dot(&to_f64s(&neuron.w), &x);
            let value = if z > 0.0 { z } else { self.alpha * z };
            for (o, c) in covector.iter().enumerate() {
                if let Some(i) = second.coordinate(o, neuron.index) {
                    base[offset + i] += c * value;
                }
            }
            let weight = to_f64(&self.output(&constraint, neuron));
            let mut column = vec![0.0; self.theta.len()];
            for (&c, x) in neuron.inputs.iter().zip(&x) {
                if let Some(i) = first.coordinate(neuron.index, c) {
                    column[i] = weight * x;
                }
            }
            if self.problem.is_near_kink(constraint.sample, neuron, epsilon) {
                if column.iter().any(|c| *c != 0.0) {
                    kinks.push(Kink { neuron: j, column });
                }
            } else {
                let slope = if z > 0.0 { 1.0 } else { self.alpha };
                base.iter_mut().zip(&column).for_each(|(b, c)| *b += slope * c);
            }
        }
        Some(Generator { k, constraint, base, kinks })
    }

    fn output(&self, constraint: &Constraint, neuron: &Neuron) -> Rational {
        let v: Vec<_> = neuron.v.iter().map(|v| v.clone().unwrap_or_default()).collect();
        constraint.apply(&v)
    }

    /// `θ − Σ λ_k g_k`, evaluated exactly and rounded once.
    fn residual(&self, m: &Multipliers) -> Vec<f64> {
        let [first, second] = self.problem.network().layers() else { return Vec::new() };
        let mut exact_w: Vec<Option<ScaledVec>> = Vec::new();
        let mut exact_v = second.parameters().to_rationals();
        for (j, neuron) in self.neurons.iter().enumerate() {
            let mut coefficients = vec![Rational::from_integer(1.into())];
            let mut vectors = vec![neuron.w.clone()];
            for (g, generator) in self.generators.iter().enumerate() {
                if m.lambda[g].is_zero() {
                    continue;
                }
                let c = &generator.constraint;
                let sample = self.problem.data().restricted(c.sample, &neuron.inputs);
                let kink = generator.kinks.iter().position(|kink| kink.neuron == j);
                let positive = self.problem.sign(c.sample, neuron.index).is_gt();
                let mu = match kink {
                    Some(at) => m.mu[g][at].clone(),
                    None if positive => m.lambda[g].clone(),
                    None => &m.lambda[g] * &self.slope,
                };
                let value = self.problem.activation().apply(&neuron.w.dot(&sample));
                for (o, c_o) in c.covector(second.rows()).into_iter().enumerate() {
                    if let Some(i) = second.coordinate(o, neuron.index) {
                        exact_v[i] -= &m.lambda[g] * c_o * &value;
                    }
                }
                coefficients.push(-(self.output(c, neuron) * mu));
                vectors.push(sample);
            }
            exact_w.push(Some(ScaledVec::combination(
                neuron.inputs.len(),
                &coefficients,
                &vectors,
            )));
        }
        let mut residual = self.theta.clone();
        for (neuron, w) in self.neurons.iter().zip(exact_w.into_iter().flatten()) {
            for (&c, value) in neuron.inputs.iter().zip(to_f64s(&w)) {
                if let Some(i) = first.coordinate(neuron.index, c) {
                    residual[i] = value;
                }
            }
        }
        let offset = first.parameters().len();
        residual[offset..].iter_mut().zip(&exact_v).for_each(|(r, v)| *r = to_f64(v));
        residual
    }

    fn feasible(&self, m: &Multipliers) -> bool {
        let in_range = |l: &Rational, mu: &Rational| mu <= l && *mu >= l * &self.slope;
        m.lambda
            .iter()
            .zip(&m.mu)
            .all(|(l, mus)| !l.is_negative() && mus.iter().all(|mu| in_range(l, mu)))
    }

    /// `max ⟨g, ρ⟩` over the slopes of one generator.
    fn largest(&self, g: &Generator, rho: &[f64]) -> f64 {
        let kink = |kink: &Kink| {
            let t = dot(&kink.column, rho);
            t.max(self.alpha * t)
        };
        dot(&g.base, rho) + g.kinks.iter().map(kink).sum::<f64>()
    }

    /// `d = ρ − τθ` with `⟨g, d⟩ ≤ 0` for all generators: `τ = max ⟨g,ρ⟩/⟨g,θ⟩`, over the corners
    /// that attain either maximum, with room for rounding. `None` if some `⟨g,θ⟩` is not positive.
    fn polar_direction(&self, rho: &[f64]) -> Option<Vec<f64>> {
        let mut tau = 0.0f64;
        let size = length(rho);
        for generator in &self.generators {
            // ⟨g,θ⟩ over all slopes is at least this; it is m·q at exact kinks.
            let low = |kink: &Kink| {
                let t = dot(&kink.column, &self.theta);
                t.min(self.alpha * t)
            };
            let smallest: f64 =
                dot(&generator.base, &self.theta) + generator.kinks.iter().map(low).sum::<f64>();
            if smallest <= 0.0 {
                return None;
            }
            let columns: f64 = generator.kinks.iter().map(|k| length(&k.column)).sum();
            let noise = 1e-14 * (length(&generator.base) + columns) * size;
            let excess = self.largest(generator, rho) + noise;
            tau = tau.max(excess / smallest);
        }
        Some(rho.iter().zip(&self.theta).map(|(r, t)| r - tau * t).collect())
    }

    /// The claim with its proof, if the kernel accepts it; `lo` is lowered by `safety`, relative.
    fn entry(
        &self,
        m: &Multipliers,
        residual: &[f64],
        direction: Option<&[f64]>,
        safety: f64,
        delta: &Rational,
        epsilon: &Rational,
    ) -> Option<Entry> {
        let norm = length(&self.theta);
        let hi = round_up(&exact(length(residual) / norm * (1.0 + 1e-12) + 1e-300), 40);
        let lower = direction.map(|d| (dot(&self.theta, d) / (norm * length(d)), d));
        let mut lambda = Vec::new();
        let mut mu = Vec::new();
        for (g, generator) in self.generators.iter().enumerate() {
            if m.lambda[g].is_zero() {
                continue;
            }
            lambda.push((generator.k, Number(m.lambda[g].clone())));
            for (kink, value) in generator.kinks.iter().zip(&m.mu[g]) {
                let index = self.neurons[kink.neuron].index;
                mu.push((generator.k, index, Number(value.clone())));
            }
        }
        let layers = self.problem.network().layers();
        let (lo, direction) = match lower {
            Some((lo, d)) if lo > 0.0 => {
                let split = layers.first().map_or(0, |l| l.parameters().len());
                let numbers = |part: &[f64]| part.iter().map(|v| Number(exact(*v))).collect();
                let parts = vec![numbers(&d[..split]), numbers(&d[split..])];
                (round_down(&exact(lo * (1.0 - safety)), 40), Some(parts))
            }
            _ => (Number(Rational::zero()), None),
        };
        let claim = Claim::KktResidual {
            scope: Scope::All,
            lo: lo.clone(),
            hi,
            delta: Number(delta.clone()),
            epsilon: Number(epsilon.clone()),
        };
        let proof = KktResidual { lambda, mu, direction };
        proof.check(self.problem, &claim).ok()?;
        Some(Entry { claim, proof: Proof::KktResidual(proof) })
    }
}

/// Where `μ_kj` stands in `[αλ_k, λ_k]`.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Low,
    High,
    Free,
}

/// The active-set method: which `λ` are positive, and where each `μ` stands.
struct ActiveSet<'c, 'a> {
    cone: &'c Cone<'a>,
    positive: Vec<bool>,
    at: Vec<Vec<At>>,
    lambda: Vec<f64>,
    mu: Vec<Vec<f64>>,
    frame: Frame,
}

/// A free variable: `λ_g`, or `μ` of kink `j` of generator `g`.
#[derive(Clone, Copy)]
enum Variable {
    Lambda(usize),
    Mu(usize, usize),
}

impl<'c, 'a> ActiveSet<'c, 'a> {
    fn new(cone: &'c Cone<'a>) -> Self {
        let mut columns = Vec::new();
        for generator in &cone.generators {
            columns.push(generator.base.clone());
            columns.extend(generator.kinks.iter().map(|k| k.column.clone()));
        }
        let per = |g: &Generator| g.kinks.len();
        Self {
            positive: vec![false; cone.generators.len()],
            at: cone.generators.iter().map(|g| vec![At::Low; per(g)]).collect(),
            lambda: vec![0.0; cone.generators.len()],
            mu: cone.generators.iter().map(|g| vec![0.0; per(g)]).collect(),
            frame: Frame::new(&columns),
            cone,
        }
    }

    /// Coordinates of the base and kink columns of generator `g` in the frame.
    fn framed(&self, g: usize) -> &[Vec<f64>] {
        let start: usize = self.cone.generators[..g].iter().map(|g| 1 + g.kinks.len()).sum();
        &self.frame.columns[start..=start + self.cone.generators[g].kinks.len()]
    }

    fn variables(&self) -> Vec<Variable> {
        let mut list = Vec::new();
        for g in 0..self.positive.len() {
            if self.positive[g] {
                list.push(Variable::Lambda(g));
                let free = (0..self.at[g].len()).filter(|j| self.at[g][*j] == At::Free);
                list.extend(free.map(|j| Variable::Mu(g, j)));
            }
        }
        list
    }

    fn column(&self, variable: Variable) -> Vec<f64> {
        match variable {
            Variable::Mu(g, j) => self.framed(g)[1 + j].clone(),
            Variable::Lambda(g) => {
                let parts = self.framed(g);
                let mut sum = parts[0].clone();
                for (at, part) in self.at[g].iter().zip(&parts[1..]) {
                    let slope = match at {
                        At::Low => self.cone.alpha,
                        At::High => 1.0,
                        At::Free => continue,
                    };
                    sum.iter_mut().zip(part).for_each(|(s, p)| *s += slope * p);
                }
                sum
            }
        }
    }

    /// Values of `λ, μ` for these free variables.
    fn expand(&self, variables: &[Variable], z: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
        let mut lambda = vec![0.0; self.lambda.len()];
        let mut mu: Vec<Vec<f64>> = self.mu.iter().map(|m| vec![0.0; m.len()]).collect();
        for (variable, value) in variables.iter().zip(z) {
            match *variable {
                Variable::Lambda(g) => lambda[g] = *value,
                Variable::Mu(g, j) => mu[g][j] = *value,
            }
        }
        for g in 0..lambda.len() {
            for (at, m) in self.at[g].iter().zip(&mut mu[g]) {
                match at {
                    At::Low => *m = self.cone.alpha * lambda[g],
                    At::High => *m = lambda[g],
                    At::Free => {}
                }
            }
        }
        (lambda, mu)
    }

    fn run(&mut self) {
        let target = self.frame.project(&self.cone.theta);
        let limit = 20 + 10 * self.frame.columns.len();
        for _ in 0..limit {
            if !self.descend(&target) || !self.release() {
                break;
            }
        }
    }

    /// Moves to the least-squares solution of the free variables, fixing what blocks the way.
    fn descend(&mut self, target: &[f64]) -> bool {
        for _ in 0..=2 * self.frame.columns.len() {
            let variables = self.variables();
            let columns: Vec<_> = variables.iter().map(|v| self.column(*v)).collect();
            let Some(z) = solve(&columns, target) else { return false };
            let (lambda, mu) = self.expand(&variables, &z);
            let Some((step, blocking)) = self.first_block(&lambda, &mu) else {
                (self.lambda, self.mu) = (lambda, mu);
                return true;
            };
            for g in 0..lambda.len() {
                self.lambda[g] += step * (lambda[g] - self.lambda[g]);
                for (m, new) in self.mu[g].iter_mut().zip(&mu[g]) {
                    *m += step * (new - *m);
                }
            }
            match blocking {
                (Variable::Lambda(g), _) => {
                    self.positive[g] = false;
                    self.lambda[g] = 0.0;
                    self.mu[g].fill(0.0);
                    self.at[g].fill(At::Low);
                }
                (Variable::Mu(g, j), at) => {
                    self.at[g][j] = at;
                    let slope = if at == At::High { 1.0 } else { self.cone.alpha };
                    self.mu[g][j] = slope * self.lambda[g];
                }
            }
        }
        false
    }

    /// The first constraint met on the way to `(λ, μ)`, with the step there.
    fn first_block(&self, lambda: &[f64], mu: &[Vec<f64>]) -> Option<(f64, (Variable, At))> {
        let mut best: Option<(f64, (Variable, At))> = None;
        let mut meet = |now: f64, then: f64, what: (Variable, At)| {
            // `value ≥ 0` is violated at the end of the way.
            if then < 0.0 {
                let step =
                    if now > then { (now.max(0.0) / (now.max(0.0) - then)).min(1.0) } else { 0.0 };
                if best.as_ref().is_none_or(|(b, _)| step < *b) {
                    best = Some((step, what));
                }
            }
        };
        for g in (0..lambda.len()).filter(|g| self.positive[*g]) {
            meet(self.lambda[g], lambda[g], (Variable::Lambda(g), At::Low));
            for j in (0..mu[g].len()).filter(|j| self.at[g][*j] == At::Free) {
                let (now, then) = (self.mu[g][j], mu[g][j]);
                meet(self.lambda[g] - now, lambda[g] - then, (Variable::Mu(g, j), At::High));
                let alpha = self.cone.alpha;
                let low = |m: f64, l: f64| m - alpha * l;
                meet(low(now, self.lambda[g]), low(then, lambda[g]), (Variable::Mu(g, j), At::Low));
            }
        }
        best
    }

    /// Frees the fixed variable with the steepest descent; false if there is none.
    fn release(&mut self) -> bool {
        let rho = self.cone.residual(&self.exact_multipliers());
        let size = length(&rho);
        let mut best = (0.0, None);
        for (g, generator) in self.cone.generators.iter().enumerate() {
            if !self.positive[g] {
                let gain = self.cone.largest(generator, &rho);
                let noise = 1e-13 * length(&generator.base) * size;
                if gain > noise && gain / length(&generator.base).max(1e-300) > best.0 {
                    best = (gain / length(&generator.base).max(1e-300), Some((g, None)));
                }
                continue;
            }
            for (j, kink) in generator.kinks.iter().enumerate() {
                let t = dot(&kink.column, &rho);
                let gain = match self.at[g][j] {
                    At::Low => t,
                    At::High => -t,
                    At::Free => 0.0,
                };
                let scale = length(&kink.column);
                if self.cone.alpha < 1.0 && gain > 1e-13 * scale * size && gain / scale > best.0 {
                    best = (gain / scale, Some((g, Some(j))));
                }
            }
        }
        match best.1 {
            None => false,
            Some((g, Some(j))) => {
                self.at[g][j] = At::Free;
                true
            }
            Some((g, None)) => {
                self.positive[g] = true;
                let kinks = &self.cone.generators[g].kinks;
                for (at, kink) in self.at[g].iter_mut().zip(kinks) {
                    *at = if dot(&kink.column, &rho) > 0.0 { At::High } else { At::Low };
                }
                true
            }
        }
    }

    fn exact_multipliers(&self) -> Multipliers {
        let lambda: Vec<Rational> = self.lambda.iter().map(|l| exact(l.max(0.0))).collect();
        let mu = (0..lambda.len())
            .map(|g| {
                let values = self.at[g].iter().zip(&self.mu[g]);
                values.map(|(at, m)| self.exact_mu(*at, &lambda[g], exact(*m))).collect()
            })
            .collect();
        Multipliers { lambda, mu }
    }

    fn exact_mu(&self, at: At, lambda: &Rational, mu: Rational) -> Rational {
        let low = lambda * &self.cone.slope;
        match at {
            At::High => lambda.clone(),
            At::Low => low,
            At::Free => mu.max(low).min(lambda.clone()),
        }
    }

    /// One step of iterative refinement: least squares for the exact residual, added exactly.
    fn correct(&self, m: &Multipliers, residual: &[f64]) -> Option<Multipliers> {
        let variables = self.variables();
        let columns: Vec<_> = variables.iter().map(|v| self.column(*v)).collect();
        let z = solve(&columns, &self.frame.project(residual))?;
        let mut next = m.clone();
        for (variable, value) in variables.iter().zip(&z) {
            match *variable {
                Variable::Lambda(g) => next.lambda[g] += exact(*value),
                Variable::Mu(g, j) => next.mu[g][j] += exact(*value),
            }
        }
        for g in 0..next.lambda.len() {
            for (j, at) in self.at[g].iter().enumerate() {
                let mu = std::mem::take(&mut next.mu[g][j]);
                next.mu[g][j] = self.exact_mu(*at, &next.lambda[g], mu);
            }
        }
        Some(next)
    }
}
