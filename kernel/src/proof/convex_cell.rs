//! Convexity in the cell (rule 3.5a): stationarity proves local optimality.
//!
//! Witness: `λ ≥ 0` on active constraints with `θ = Σ_k λ_k ∇q_k(θ)` (rule 3.1), and, optionally, slopes
//! at concave kinks. Only samples with some `λ_k > 0` count below: dropping the other constraints
//! enlarges the feasible set.
//!
//! # All layers: depth 2, no sharing
//! Checked: stationarity; at a kink `(i, j)` (`super::piece`) the witness has a slope
//! `p_ij ∈ [α, 1]` and `V_j·Σ_c λ_ic c < 0`; and for every neuron that exists, on its outputs and inputs,
//!
//! ```text
//! ‖M_j‖_op ≤ 1,   M_j = Σ_k λ_k s_kj c_k x_kᵀ,   s_kj = σ'(w_j·x_i), or p_ij at a kink.
//! ```
//!
//! *Proof.* Let θ' be near θ with `q_k(θ') ≥ γ` for all k. Preactivations that are not 0 keep their signs, and
//! at kinks `V'_j·Σ_c λ_ic c` is still negative while `σ(z) ≥ pz`; so
//! `γΣλ ≤ Σλ_k q_k(θ') ≤ Σ_j V'_jᵀ M_j w'_j ≤ Σ_j |V'_j||w'_j| ≤ ½|θ'|²`. By Euler's identity stationarity
//! gives `|θ|² = 2γΣλ`. Hence `|θ'| ≥ |θ|`.
//!
//! With one output and `w_j ≠ 0 ≠ v_j` the norm is 1 by stationarity: `w_j = v_j m_j`, `v_j = m_j·w_j` with the
//! row `m_j = M_j`, so `|w_j| = |v_j|` and `|m_j| = 1`: this is the convex program of Pilanci and
//! Ergen (ICML 2020) restricted to one cell. With several outputs the norm is a condition of its
//! own. A neuron with `w_j = 0` has a kink at every sample that is not 0 on its inputs (α < 1).
//!
//! # Layer `l` alone: any depth, sharing, several outputs
//! Checked: `u⁽ˡ⁾ = Σ_k λ_k ∇_l q_k(θ)` and no kinks in layer `l` or above, in the sense of `super::piece`
//! with layer `l` the only variable. *Proof.* Near θ (everywhere, if `l` is the last layer or σ is
//! linear: no activation is then between the layer and the outputs, or none that bends) `q_k` is
//! linear in `u⁽ˡ⁾`, so `q_k = ⟨∇_l q_k(θ), ·⟩` and
//! `⟨u, u'⟩ = Σλ_k q_k(u') ≥ γΣλ = Σλ_k q_k(u) = |u|²`, whence `|u'| ≥ |u|`. For the last layer, linear σ
//! and depth 1 this proves a *global* optimum of that layer; kinks below are constants.
use super::elimination::{TooLarge, operator_norm_at_most};
use super::multipliers::{self, Lambda};
use super::piece::{Pieces, Unit};
use super::{Refusal, wrong_claim};
use crate::claim::{Claim, Number, Scope};
use crate::network::{Neuron, TwoLayer};
use crate::number::{Rational, ScaledVec, compare};
use crate::problem::Problem;
use num_traits::{One, Signed, Zero};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BTreeMap;

const RULE: &str = "convex_cell";

/// Multipliers, and slopes at concave kinks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvexCell {
    /// `(k, λ_k)` by ascending constraint; the others are 0.
    pub lambda: Vec<(usize, Number)>,
    /// `(i, j, p_ij)` by ascending sample and row of layer 1; scope `all` only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slopes: Vec<(usize, usize, Number)>,
}

/// Why the cell does not prove optimality.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvexCellError {
    /// A kink that the rule does not allow.
    #[error(
        "sample {sample} has a kink at unit {unit} of layer {layer} and a positive multiplier; \
         without a slope for it (scope `all`) nothing follows"
    )]
    Kink {
        /// The sample.
        sample: usize,
        /// The layer, from 1.
        layer: usize,
        /// The unit, from 0.
        unit: usize,
    },
    /// A slope out of order, or not at a kink of a sample with `λ > 0`, or in layer scope.
    #[error("the slope for sample {sample}, neuron {neuron} is out of order or not at a kink")]
    NotKink {
        /// The sample.
        sample: usize,
        /// The row in layer 1.
        neuron: usize,
    },
    /// A slope outside `[α, 1]`.
    #[error("the slope for sample {sample}, neuron {neuron} is outside [α, 1]")]
    SlopeRange {
        /// The sample.
        sample: usize,
        /// The row in layer 1.
        neuron: usize,
    },
    /// `V_j·Σ_c λ_ic c ≥ 0` at a kink.
    #[error("the kink of sample {sample} at neuron {neuron} is not concave: V·Σλc is not negative")]
    NotConcave {
        /// The sample.
        sample: usize,
        /// The row in layer 1.
        neuron: usize,
    },
    /// `‖M_j‖ > 1`.
    #[error("neuron {0}: the operator norm of Σ λ σ' c xᵀ exceeds 1")]
    OperatorNorm(usize),
    /// The norm cannot be tested.
    #[error("neuron {neuron}: {error}")]
    TooLarge {
        /// The row in layer 1.
        neuron: usize,
        /// The limit.
        error: TooLarge,
    },
    /// A global claim where the constraints are not linear everywhere.
    #[error(
        "this rule proves a global optimum only of the last layer alone, or of one layer of a linear network"
    )]
    NotGlobal,
}

impl ConvexCell {
    /// Checks a `local_optimum` or a `global_optimum`.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, problem: &Problem, claim: &Claim) -> Result<(), Refusal> {
        let global = match claim {
            Claim::LocalOptimum { .. } => false,
            Claim::GlobalOptimum { .. } => true,
            _ => return Err(wrong_claim(RULE, claim)),
        };
        problem.gamma()?;
        let depth = problem.network().depth();
        let scope = claim.scope();
        let lambda = multipliers::read(problem, &self.lambda, true)?;
        match scope {
            // A network of one layer is its only layer.
            Scope::All if depth == 1 => self.check_layer(problem, 1, &lambda, global),
            Scope::All => self.check_all(problem, &lambda, global),
            Scope::Layer(l) if (1..=depth).contains(&l) => {
                self.check_layer(problem, l, &lambda, global)
            }
            Scope::Layer(_) => Err(Refusal::Scope { rule: RULE, scope }),
        }
    }

    fn check_layer(
        &self,
        problem: &Problem,
        layer: usize,
        lambda: &Lambda,
        global: bool,
    ) -> Result<(), Refusal> {
        let network = problem.network();
        if let Some(&(sample, neuron, _)) = self.slopes.first() {
            return Err(ConvexCellError::NotKink { sample, neuron }.into());
        }
        if global && layer != network.depth() && !network.activation().is_linear() {
            return Err(ConvexCellError::NotGlobal.into());
        }
        let mut pieces = Pieces::new(problem);
        for (constraint, _) in lambda {
            let sample = constraint.sample;
            pieces.evaluate(sample);
            if let Some((l, unit)) = pieces.kinks(sample, Scope::Layer(layer)).first() {
                return Err(ConvexCellError::Kink { sample, layer: l + 1, unit: *unit }.into());
            }
        }
        let none = BTreeMap::new();
        let gradients = lambda.iter().map(|(c, _)| pieces.constraint(c, &none).gradient(layer - 1));
        Ok(multipliers::stationary(problem, layer, lambda, gradients)?)
    }

    fn check_all(&self, problem: &Problem, lambda: &Lambda, global: bool) -> Result<(), Refusal> {
        let two_layer = TwoLayer::new(problem.network())
            .map_err(|reason| Refusal::Architecture { rule: RULE, reason })?;
        if global {
            return Err(ConvexCellError::NotGlobal.into());
        }
        let mut pieces = Pieces::new(problem);
        let mut kinks: Vec<(usize, usize)> = Vec::new();
        for (constraint, _) in lambda {
            let sample = constraint.sample;
            pieces.evaluate(sample);
            // The constraints of one sample are neighbours.
            if kinks.last().is_none_or(|(last, _)| *last < sample) {
                let found = pieces.kinks(sample, Scope::All);
                kinks.extend(found.into_iter().map(|(_, unit)| (sample, unit)));
            }
        }
        let slopes = self.slopes(problem, &two_layer, lambda, &kinks)?;
        let of = |sample: usize| -> BTreeMap<Unit, Rational> {
            let own = slopes.range((sample, 0)..=(sample, usize::MAX));
            own.map(|((_, unit), p)| ((0, *unit), p.clone())).collect()
        };
        let of_constraints: Vec<_> =
            lambda.iter().map(|(c, _)| pieces.constraint(c, &of(c.sample))).collect();
        for layer in 1..=problem.network().depth() {
            let gradients = of_constraints.iter().map(|piece| piece.gradient(layer - 1));
            multipliers::stationary(problem, layer, lambda, gradients)?;
        }
        for neuron in &two_layer.neurons {
            check_norm(problem, lambda, neuron, &slopes)?;
        }
        Ok(())
    }

    /// The slopes by `(sample, neuron)`: one for every kink, all of them concave.
    fn slopes(
        &self,
        problem: &Problem,
        two_layer: &TwoLayer,
        lambda: &Lambda,
        kinks: &[(usize, usize)],
    ) -> Result<BTreeMap<(usize, usize), Rational>, Refusal> {
        multipliers::check_bits(self.slopes.iter().map(|(_, _, p)| p))?;
        let mut slopes: BTreeMap<(usize, usize), Rational> = BTreeMap::new();
        for (sample, neuron, p) in &self.slopes {
            let (sample, neuron, key) = (*sample, *neuron, (*sample, *neuron));
            let ascending = slopes.last_key_value().is_none_or(|(last, _)| *last < key);
            let unit = two_layer.neurons.iter().find(|n| n.index == neuron);
            let (true, true, Some(unit)) = (ascending, kinks.contains(&key), unit) else {
                return Err(ConvexCellError::NotKink { sample, neuron }.into());
            };
            let low = compare(&p.0, problem.activation().slope()).is_lt();
            if low || compare(&p.0, &Rational::one()).is_gt() {
                return Err(ConvexCellError::SlopeRange { sample, neuron }.into());
            }
            let v: Vec<_> = unit.v.iter().map(|v| v.clone().unwrap_or_default()).collect();
            let own = lambda.iter().filter(|(c, _)| c.sample == sample);
            let weight: Rational = own.map(|(c, l)| l * c.apply(&v)).sum();
            if !weight.is_negative() {
                return Err(ConvexCellError::NotConcave { sample, neuron }.into());
            }
            slopes.insert(key, p.0.clone());
        }
        match kinks.iter().find(|kink| !slopes.contains_key(*kink)) {
            None => Ok(slopes),
            Some(&(sample, unit)) => Err(ConvexCellError::Kink { sample, layer: 1, unit }.into()),
        }
    }
}

/// `‖M_j‖_op ≤ 1` on the neuron's outputs and inputs.
fn check_norm(
    problem: &Problem,
    lambda: &Lambda,
    neuron: &Neuron,
    slopes: &BTreeMap<(usize, usize), Rational>,
) -> Result<(), ConvexCellError> {
    let index = neuron.index;
    let slope = |sample: usize| match slopes.get(&(sample, index)) {
        Some(p) => p.clone(),
        None if problem.sign(sample, index) == Ordering::Greater => Rational::one(),
        None => problem.activation().slope().clone(),
    };
    let factors: Vec<Rational> = lambda.iter().map(|(c, l)| l * slope(c.sample)).collect();
    let samples: Vec<ScaledVec> =
        lambda.iter().map(|(c, _)| problem.data().restricted(c.sample, &neuron.inputs)).collect();
    let row = |o: usize| {
        let entry = |c: &crate::problem::Constraint| {
            c.covector(neuron.v.len()).get(o).cloned().unwrap_or_else(Rational::zero)
        };
        let coefficients: Vec<Rational> =
            lambda.iter().zip(&factors).map(|((c, _), f)| entry(c) * f).collect();
        ScaledVec::combination(neuron.inputs.len(), &coefficients, &samples)
    };
    let outputs = neuron.v.iter().enumerate().filter(|(_, v)| v.is_some());
    let rows: Vec<ScaledVec> = outputs.map(|(o, _)| row(o)).collect();
    match operator_norm_at_most(&rows, &Rational::one()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(ConvexCellError::OperatorNorm(index)),
        Err(error) => Err(ConvexCellError::TooLarge { neuron: index, error }),
    }
}
