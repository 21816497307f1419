//! An exact point with what the searches ask of it: gradients with chosen slopes, kinks, and the
//! network along a polynomial curve.
use maxmargin_kernel::claim::{Number, Scope};
use maxmargin_kernel::network::{Model, Trace, gradient};
use maxmargin_kernel::number::{BigInt, Germ, Rational};
use maxmargin_kernel::problem::{Constraint, Problem};
use num_integer::Integer;
use num_traits::{One, Signed, Zero};
use std::collections::BTreeMap;
use std::ops::Range;

/// A hidden unit: `(layer, row)`, both from 0.
pub type Unit = (usize, usize);
/// Slopes at some units.
pub type Slopes = BTreeMap<Unit, Rational>;

/// A point in a scope.
pub struct Setting<'a> {
    /// The network and data.
    pub problem: &'a Problem,
    /// Which layers are variables.
    pub scope: Scope,
    /// The same as a range of layers from 0.
    pub moving: Range<usize>,
    /// The variables, layer by layer.
    pub theta: Vec<Rational>,
    /// Active constraints.
    pub active: Vec<usize>,
    /// Slope α.
    pub alpha: Rational,
    model: Model<Rational>,
    samples: BTreeMap<usize, (Vec<Rational>, Trace<Rational>)>,
}

impl<'a> Setting<'a> {
    /// `None` for a layer that does not exist.
    pub fn new(problem: &'a Problem, scope: Scope) -> Option<Self> {
        let depth = problem.network().depth();
        let moving = match scope {
            Scope::All => 0..depth,
            Scope::Layer(l) if (1..=depth).contains(&l) => l - 1..l,
            Scope::Layer(_) => return None,
        };
        let layers = problem.network().layers();
        let theta =
            layers[moving.clone()].iter().flat_map(|l| l.parameters().to_rationals()).collect();
        let model = problem.network().rational_model();
        let active = problem.margins().active(&Rational::zero());
        let mut samples = BTreeMap::new();
        for &k in &active {
            let i = problem.margins().constraints()[k].sample;
            samples.entry(i).or_insert_with(|| {
                let x = problem.data().sample(i).to_rationals();
                let trace = model.forward(&x);
                (x, trace)
            });
        }
        let alpha = problem.activation().slope().clone();
        Some(Self { problem, scope, moving, theta, active, alpha, model, samples })
    }

    /// Constraint `k`.
    pub fn constraint(&self, k: usize) -> Constraint {
        self.problem.margins().constraints()[k]
    }

    /// `∇q_k` on the variables, with these slopes where given and σ' elsewhere (α at 0).
    pub fn gradient(&self, k: usize, slopes: &Slopes) -> Vec<Rational> {
        let c = self.constraint(k);
        let (x, trace) = &self.samples[&c.sample];
        let covector = c.covector(self.problem.network().outputs());
        let layers = self.problem.network().layers();
        let at = |l, j| slopes.get(&(l, j)).cloned();
        let all = gradient(&self.model, layers, x, trace, &covector, at);
        all[self.moving.clone()].concat()
    }

    /// Derivative of the preactivation of `unit` at sample `i` on the variables.
    pub fn preactivation_gradient(&self, i: usize, unit: Unit, slopes: &Slopes) -> Vec<Rational> {
        let (x, trace) = &self.samples[&i];
        let (layer, row) = unit;
        let layers = &self.problem.network().layers()[..=layer];
        let model = Model { layers: self.model.layers[..=layer].to_vec(), ..self.model.clone() };
        let trace = Trace { preactivations: trace.preactivations[..=layer].to_vec() };
        let covector: Vec<Rational> = (0..layers[layer].rows())
            .map(|r| if r == row { Rational::one() } else { Rational::zero() })
            .collect();
        let at = |l, j| slopes.get(&(l, j)).cloned();
        let mut all = gradient(&model, layers, x, &trace, &covector, at);
        // Later layers do not move it.
        let later = self.problem.network().layers()[layer + 1..].iter();
        all.extend(later.map(|l| vec![Rational::zero(); l.parameters().len()]));
        all[self.moving.clone()].concat()
    }

    /// Zero preactivations of the sample of `k` that parameters in scope can make non-zero.
    pub fn kinks(&self, k: usize) -> Vec<Unit> {
        let (x, trace) = &self.samples[&self.constraint(k).sample];
        let layers = self.problem.network().layers();
        let start = self.moving.start;
        if self.problem.activation().is_linear() {
            return Vec::new();
        }
        let first: Vec<Rational> = match start {
            0 => x.clone(),
            l => self.model.activate(&trace.preactivations[l - 1]),
        };
        let mut off: Vec<bool> = first.iter().map(Zero::is_zero).collect();
        let mut kinks = Vec::new();
        for l in start..layers.len() - 1 {
            let mut next = Vec::new();
            for (r, z) in trace.preactivations[l].iter().enumerate() {
                let live = |c: usize| {
                    let constant_zero =
                        !self.moving.contains(&l) && self.model.layers[l][r][c].is_zero();
                    !off[c] && layers[l].coordinate(r, c).is_some() && !constant_zero
                };
                let kink = z.is_zero() && (0..layers[l].cols()).any(live);
                if kink {
                    kinks.push((l, r));
                }
                next.push(!kink && !z.is_positive() && (z.is_zero() || self.alpha.is_zero()));
            }
            off = next;
        }
        kinks
    }

    /// A vector on the variables as one list per layer of the network; fixed layers are empty.
    pub fn by_layers(&self, vector: &[Rational]) -> Vec<Vec<Rational>> {
        let mut rest = vector;
        let layers = self.problem.network().layers();
        let one = |(l, layer): (usize, &maxmargin_kernel::network::Layer)| {
            if !self.moving.contains(&l) {
                return Vec::new();
            }
            let (head, tail) = rest.split_at(layer.parameters().len());
            rest = tail;
            head.to_vec()
        };
        layers.iter().enumerate().map(one).collect()
    }

    /// The curve `θ + c₁ε + c₂ε² + …` as a certificate writes it.
    pub fn moves(&self, orders: &[Vec<Rational>]) -> Vec<Vec<(usize, Vec<Number>)>> {
        let layers: Vec<Vec<Vec<Rational>>> = orders.iter().map(|c| self.by_layers(c)).collect();
        (0..self.problem.network().depth())
            .map(|l| {
                let count = layers.first().map_or(0, |c| c[l].len());
                (0..count)
                    .filter_map(|i| {
                        let mut list: Vec<Rational> =
                            layers.iter().map(|c| c[l][i].clone()).collect();
                        while list.last().is_some_and(Zero::is_zero) {
                            list.pop();
                        }
                        (!list.is_empty()).then(|| (i, list.into_iter().map(Number).collect()))
                    })
                    .collect()
            })
            .collect()
    }

    /// `q_k(θ + c₁ε + …)` for the active constraints, by powers of ε.
    pub fn along(&self, orders: &[Vec<Rational>]) -> BTreeMap<usize, Vec<Rational>> {
        let network = self.problem.network();
        let layered: Vec<Vec<Vec<Rational>>> = orders.iter().map(|c| self.by_layers(c)).collect();
        let mut scale = BigInt::one();
        let mut rows = Vec::new();
        for (l, layer) in network.layers().iter().enumerate() {
            let theta = layer.parameters().to_rationals();
            let germ = |i: usize| -> Vec<Rational> {
                let steps = layered.iter().map(|c| c[l].get(i).cloned().unwrap_or_default());
                std::iter::once(theta[i].clone()).chain(steps).collect()
            };
            let values: Vec<Vec<Rational>> = (0..theta.len()).map(germ).collect();
            let common = values.iter().flatten().fold(BigInt::one(), |d, v| d.lcm(v.denom()));
            let whole = |v: &Rational| v.numer() * (&common / v.denom());
            let germs: Vec<Germ> =
                values.iter().map(|v| Germ::new(v.iter().map(whole).collect())).collect();
            let entry =
                |r, c| layer.coordinate(r, c).map_or_else(Germ::default, |i| germs[i].clone());
            rows.push(
                (0..layer.rows())
                    .map(|r| (0..layer.cols()).map(|c| entry(r, c)).collect())
                    .collect(),
            );
            scale *= common;
        }
        for _ in 1..network.depth() {
            scale *= self.alpha.denom();
        }
        let constant = |n: &BigInt| Germ::constant(n.clone());
        let model: Model<Germ> = Model {
            layers: rows,
            positive: constant(self.alpha.denom()),
            negative: constant(self.alpha.numer()),
        };
        let mut result = BTreeMap::new();
        for &k in &self.active {
            let c = self.constraint(k);
            let x = self.problem.data().sample(c.sample);
            let inputs: Vec<Germ> =
                x.numerators().to_vec().into_iter().map(Germ::constant).collect();
            let outputs = model.forward(&inputs).outputs();
            let total = &scale * x.denominator();
            let length = outputs.iter().map(|o| o.coefficients().len()).max().unwrap_or(0);
            let power = |e: usize| {
                let value = |o: &Germ| o.coefficients().get(e).cloned().unwrap_or_default();
                let at: Vec<Rational> =
                    outputs.iter().map(|o| Rational::from_integer(value(o))).collect();
                c.apply(&at) / Rational::from_integer(total.clone())
            };
            result.insert(k, (0..length).map(power).collect());
        }
        result
    }

    /// Slopes at the kinks of the sample of `k` by the sides that the direction `d` takes; `None` where
    /// it stays on a kink to first order.
    pub fn sides(&self, k: usize, d: &[Rational]) -> (Slopes, Vec<Unit>) {
        let mut slopes = Slopes::new();
        let mut stuck = Vec::new();
        // Lower layers first: a unit's derivative depends on the slopes below it.
        for unit in self.kinks(k) {
            let g = self.preactivation_gradient(self.constraint(k).sample, unit, &slopes);
            let speed: Rational = g.iter().zip(d).map(|(a, b)| a * b).sum();
            if speed.is_zero() {
                stuck.push(unit);
            }
            let slope = if speed.is_positive() { Rational::one() } else { self.alpha.clone() };
            slopes.insert(unit, slope);
        }
        (slopes, stuck)
    }
}
