//! The KKT residual, from both sides (rules 3.2 and 3.11): depth 2, no sharing.
//!
//! `C` is the convex cone of the gradients `g` of the near-active constraints (`q_k ≤ (1+δ)γ`), the
//! slope of neuron `j` at sample `i` free in `[α, 1]` where `|w_j·x_i| ≤ ε|w_j||x_i|` and σ'(w_j·x_i)
//! elsewhere (α at 0), the values `σ(w_j·x_i)` as they are:
//!
//! ```text
//! g_k = ( (c_k·V_j) s_kj x_i  for w_j,   c_ko σ(w_j·x_i)  for v_jo ).
//! ```
//!
//! **Upper bound.** With `μ_kj = λ_k s_kj` the cone is described by `λ ≥ 0`, `αλ_k ≤ μ_kj ≤ λ_k`, and
//! `Σ λ_k g_k` is linear in `(λ, μ)`: the distance is at most `|θ − Σ λ_k g_k|`.
//!
//! **Lower bound.** If `⟨g, d⟩ ≤ 0` for every near-active `k` and all its slopes (a sum of two-point
//! maxima), then for every `c ∈ C`: `⟨θ,d⟩ ≤ ⟨θ−c, d⟩ ≤ |θ−c||d|`, so the distance is at least
//! `⟨θ,d⟩/|d|`.
use super::{Refusal, multipliers, only_all, wrong_claim};
use crate::claim::{Claim, Number};
use crate::network::{Neuron, TwoLayer};
use crate::number::work::{MAX_WORK, exceeds_when_long};
use crate::number::{Rational, ScaledVec, compare};
use crate::problem::{Constraint, Problem};
use num_traits::{Signed, Zero};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BTreeMap;

const RULE: &str = "kkt_residual";

/// Multipliers for the upper bound and a direction for the lower.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KktResidual {
    /// `(k, λ_k)` by ascending constraint, `λ_k ≥ 0`; the others are 0.
    pub lambda: Vec<(usize, Number)>,
    /// `(k, j, μ_kj)` at near-kinks, ascending; elsewhere `μ_kj = λ_k σ'(w_j·x_i)`.
    pub mu: Vec<(usize, usize, Number)>,
    /// `d` by layers, numbered as the parameters; may be absent if `lo = 0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Vec<Vec<Number>>>,
}

/// Why the residual bracket does not follow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KktResidualError {
    /// A constraint that is not near-active, or not ascending.
    #[error("constraint {0} is out of order or not within δ of the margin")]
    NotActive(usize),
    /// A negative multiplier.
    #[error("λ of constraint {0} is negative")]
    NegativeMultiplier(usize),
    /// A slope at a preactivation that is not a near-kink of a constraint with λ.
    #[error(
        "μ of constraint {constraint}, neuron {neuron} is out of order or not at a kink within ε"
    )]
    NotNearKink {
        /// The constraint.
        constraint: usize,
        /// The row in layer 1.
        neuron: usize,
    },
    /// `μ` outside `[αλ, λ]`.
    #[error("μ of constraint {constraint}, neuron {neuron} is outside [αλ, λ]")]
    SlopeRange {
        /// The constraint.
        constraint: usize,
        /// The row in layer 1.
        neuron: usize,
    },
    /// The residual of the multipliers exceeds `hi`.
    #[error("|θ − Σλg|/|θ| is about {found}, above the claimed {claimed}")]
    AboveUpper {
        /// The residual.
        found: String,
        /// `hi`.
        claimed: String,
    },
    /// Past [`MAX_WORK`].
    #[error("the gradients take {0} steps, past the limit of {MAX_WORK}")]
    Work(u64),
    /// No direction for a positive lower bound.
    #[error("a positive lower bound needs a direction")]
    NoDirection,
    /// The direction has the wrong shape.
    #[error("the direction does not fit layer {0}")]
    Shape(usize),
    /// A gradient with a positive product.
    #[error("the direction has a positive product with a gradient of constraint {0}")]
    NotPolar(usize),
    /// `⟨θ,d⟩ ≤ 0`, or too small for `lo`.
    #[error("the direction gives a lower bound of about {found}, below the claimed {claimed}")]
    BelowLower {
        /// `⟨θ,d⟩/(|θ||d|)`.
        found: String,
        /// `lo`.
        claimed: String,
    },
}

/// What both bounds use.
struct Setting<'a> {
    problem: &'a Problem,
    neurons: Vec<Neuron>,
    epsilon: &'a Rational,
    active: Vec<usize>,
}

impl KktResidual {
    /// Checks both sides of the bracket.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, problem: &Problem, claim: &Claim) -> Result<(), Refusal> {
        let Claim::KktResidual { lo, hi, delta, epsilon, .. } = claim else {
            return Err(wrong_claim(RULE, claim));
        };
        only_all(RULE, claim)?;
        problem.gamma()?;
        for (name, value) in [("lo", lo), ("hi", hi), ("δ", delta), ("ε", epsilon)] {
            if value.0.is_negative() {
                return Err(Refusal::Negative(name));
            }
        }
        let two_layer = TwoLayer::new(problem.network())
            .map_err(|reason| Refusal::Architecture { rule: RULE, reason })?;
        let numbers = (self.lambda.iter().map(|(_, l)| l)).chain(self.mu.iter().map(|(_, _, m)| m));
        multipliers::check_bits(numbers)?;
        for layer in self.direction.iter().flatten() {
            multipliers::check_bits(layer.iter())?;
        }
        let setting = Setting {
            problem,
            neurons: two_layer.neurons,
            epsilon: &epsilon.0,
            active: problem.margins().active(&delta.0),
        };
        setting.check_work(self)?;
        setting.check_upper(self, hi)?;
        if lo.0.is_positive() {
            let direction = self.direction.as_ref().ok_or(KktResidualError::NoDirection)?;
            setting.check_lower(direction, lo)?;
        }
        Ok(())
    }
}

impl Setting<'_> {
    /// Both sides evaluate every neuron on every constraint with multipliers, or that is near-active.
    fn check_work(&self, witness: &KktResidual) -> Result<(), KktResidualError> {
        let network = self.problem.network();
        let lambda = witness.lambda.iter().map(|(_, l)| l);
        let numbers = lambda.chain(witness.direction.iter().flatten().flatten());
        let longest =
            numbers.map(|n| n.0.numer().bits().max(n.0.denom().bits())).max().unwrap_or(0);
        let constraints = self.active.len().max(witness.lambda.len());
        let counts = [constraints, self.neurons.len(), network.inputs() + network.outputs()];
        match exceeds_when_long(&counts, longest + network.bits()) {
            Some(work) => Err(KktResidualError::Work(work)),
            None => Ok(()),
        }
    }

    fn constraint(&self, k: usize) -> Result<Constraint, KktResidualError> {
        let constraint = self.problem.margins().constraints().get(k);
        constraint.copied().ok_or(KktResidualError::NotActive(k))
    }

    /// `σ'(w_j·x_i)`, α at 0.
    fn slope(&self, sample: usize, neuron: &Neuron) -> Rational {
        match self.problem.sign(sample, neuron.index) {
            Ordering::Greater => Rational::from_integer(1.into()),
            _ => self.problem.activation().slope().clone(),
        }
    }

    /// `σ(w_j·x_i)`.
    fn value(&self, sample: usize, neuron: &Neuron) -> Rational {
        let x = self.problem.data().restricted(sample, &neuron.inputs);
        let z = self.problem.scaled_preactivation(sample, neuron.index);
        let scale = neuron.w.denominator() * x.denominator();
        self.problem.activation().apply(&Rational::new(z, scale))
    }

    /// `c·V_j`, with missing output weights as 0.
    fn output(&self, constraint: &Constraint, neuron: &Neuron) -> Rational {
        let v: Vec<_> = neuron.v.iter().map(|v| v.clone().unwrap_or_default()).collect();
        constraint.apply(&v)
    }

    /// `λ` by constraint and `μ` by constraint and neuron, validated.
    #[allow(clippy::type_complexity)]
    fn multipliers(
        &self,
        witness: &KktResidual,
    ) -> Result<(BTreeMap<usize, Rational>, BTreeMap<(usize, usize), Rational>), KktResidualError>
    {
        let mut lambda: BTreeMap<usize, Rational> = BTreeMap::new();
        for (k, value) in &witness.lambda {
            let ascending = lambda.last_key_value().is_none_or(|(last, _)| last < k);
            if !ascending || self.active.binary_search(k).is_err() {
                return Err(KktResidualError::NotActive(*k));
            }
            if value.0.is_negative() {
                return Err(KktResidualError::NegativeMultiplier(*k));
            }
            lambda.insert(*k, value.0.clone());
        }
        let mut mu: BTreeMap<(usize, usize), Rational> = BTreeMap::new();
        for (k, j, value) in &witness.mu {
            let (constraint, neuron) = (*k, *j);
            let key = (constraint, neuron);
            let refused = KktResidualError::NotNearKink { constraint, neuron };
            let ascending = mu.last_key_value().is_none_or(|(last, _)| *last < key);
            let unit = self.neurons.iter().find(|n| n.index == neuron);
            let (true, Some(unit), Some(l)) = (ascending, unit, lambda.get(k)) else {
                return Err(refused);
            };
            if !self.problem.is_near_kink(self.constraint(*k)?.sample, unit, self.epsilon) {
                return Err(refused);
            }
            let least = l * self.problem.activation().slope();
            if compare(&value.0, l).is_gt() || compare(&value.0, &least).is_lt() {
                return Err(KktResidualError::SlopeRange { constraint, neuron });
            }
            mu.insert(key, value.0.clone());
        }
        Ok((lambda, mu))
    }

    fn check_upper(&self, witness: &KktResidual, hi: &Number) -> Result<(), KktResidualError> {
        let (lambda, mu) = self.multipliers(witness)?;
        let norm = self.problem.network().norm_squared();
        let square = self.residual_squared(&lambda, &mu)?;
        if compare(&square, &(&hi.0 * &hi.0 * &norm)).is_gt() {
            let (found, claimed) = (root_text(&(square / norm)), hi.approximately());
            return Err(KktResidualError::AboveUpper { found, claimed });
        }
        Ok(())
    }

    /// `|θ − Σ λ_k g_k|²`. Coordinates of rows that no output uses have zero gradient.
    fn residual_squared(
        &self,
        lambda: &BTreeMap<usize, Rational>,
        mu: &BTreeMap<(usize, usize), Rational>,
    ) -> Result<Rational, KktResidualError> {
        let data = self.problem.data();
        let mut square = self.problem.network().norm_squared();
        for neuron in &self.neurons {
            let one = Rational::from_integer(1.into());
            let mut coefficients = vec![one];
            let mut vectors = vec![neuron.w.clone()];
            let mut outputs: Vec<Option<Rational>> = neuron.v.clone();
            for (&k, l) in lambda {
                let c = self.constraint(k)?;
                let m = match mu.get(&(k, neuron.index)) {
                    Some(m) => m.clone(),
                    None => l * self.slope(c.sample, neuron),
                };
                let weight = self.output(&c, neuron) * m;
                if !weight.is_zero() {
                    coefficients.push(-weight);
                    vectors.push(data.restricted(c.sample, &neuron.inputs));
                }
                let value = self.value(c.sample, neuron);
                let covector = c.covector(outputs.len());
                for (slot, c_o) in outputs.iter_mut().zip(covector) {
                    if let Some(v) = slot {
                        *v -= l * c_o * &value;
                    }
                }
            }
            square -= neuron.w.norm_squared();
            square +=
                ScaledVec::combination(neuron.inputs.len(), &coefficients, &vectors).norm_squared();
            for (before, after) in neuron.v.iter().flatten().zip(outputs.iter().flatten()) {
                square += after * after - before * before;
            }
        }
        Ok(square)
    }

    fn check_lower(&self, direction: &[Vec<Number>], lo: &Number) -> Result<(), KktResidualError> {
        let layers = self.problem.network().layers();
        let [first, second] = layers else { return Err(KktResidualError::Shape(layers.len())) };
        if direction.len() != 2 {
            return Err(KktResidualError::Shape(direction.len()));
        }
        let mut d = Vec::with_capacity(2);
        for (l, (layer, values)) in layers.iter().zip(direction).enumerate() {
            let values: Vec<_> = values.iter().map(|v| v.0.clone()).collect();
            if values.len() != layer.parameters().len() {
                return Err(KktResidualError::Shape(l + 1));
            }
            d.push(ScaledVec::from_rationals(&values));
        }
        let [d1, d2] = d.as_slice() else { return Err(KktResidualError::Shape(0)) };
        let moves: Vec<_> = self
            .neurons
            .iter()
            .map(|n| {
                let w: Vec<usize> =
                    n.inputs.iter().filter_map(|&c| first.coordinate(n.index, c)).collect();
                let v = |o| second.coordinate(o, n.index).map_or(Rational::zero(), |i| d2.get(i));
                (d1.select(&w), (0..second.rows()).map(v).collect::<Vec<_>>())
            })
            .collect();
        for &k in &self.active {
            let c = self.constraint(k)?;
            let mut largest = Rational::zero();
            for (neuron, (d_w, d_v)) in self.neurons.iter().zip(&moves) {
                let x = self.problem.data().restricted(c.sample, &neuron.inputs);
                let t = self.output(&c, neuron) * d_w.dot(&x);
                let low = &t * self.problem.activation().slope();
                largest += if self.problem.is_near_kink(c.sample, neuron, self.epsilon) {
                    // α ≤ 1, so αt exceeds t exactly where t is negative.
                    if t.is_negative() { low } else { t }
                } else {
                    match self.problem.sign(c.sample, neuron.index) {
                        Ordering::Greater => t,
                        _ => low,
                    }
                };
                largest += c.apply(d_v) * self.value(c.sample, neuron);
            }
            if largest.is_positive() {
                return Err(KktResidualError::NotPolar(k));
            }
        }
        let theta_d: Rational = layers.iter().zip(&d).map(|(l, d)| l.parameters().dot(d)).sum();
        let d_squared: Rational = d.iter().map(ScaledVec::norm_squared).sum();
        let scale = self.problem.network().norm_squared() * d_squared;
        let too_small = compare(&(&lo.0 * &lo.0 * &scale), &(&theta_d * &theta_d)).is_gt();
        if !theta_d.is_positive() || too_small {
            let found = match theta_d.is_positive() {
                true => root_text(&(&theta_d * &theta_d / scale)),
                false => "0".to_string(),
            };
            let claimed = lo.approximately();
            return Err(KktResidualError::BelowLower { found, claimed });
        }
        Ok(())
    }
}

/// `√value` in a few digits, for messages.
fn root_text(value: &Rational) -> String {
    let root = crate::number::root::sqrt_bounds(value, 53);
    root.map_or_else(String::new, |(_, high)| Number(high).approximately())
}
