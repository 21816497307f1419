//! Global bounds for linear activation (rule 3.6).
//!
//! Witness: `λ ≥ 0` on any constraints, `Σλ > 0`. Put `M = Σ_k λ_k c_k x_kᵀ` (outputs × inputs). For linear σ
//! (or depth 1, where there is none) `Σ_k λ_k q_k(θ') = ⟨M, A'⟩` with the end-to-end matrix
//! `A' = W'⁽ᵐ⁾⋯W'⁽¹⁾`, and `γ'Σλ ≤ Σλ_k q_k(θ')` for every θ'. From a bound `B ≥ 0` on ν, put
//! `r² = B²(Σλ)² mᵐ`. Checked, exactly:
//!
//! | network | check | why `γ'Σλ ≤ r (\|θ'\|²/m)^{m/2}` |
//! |---|---|---|
//! | depth 1 | `\|h\| ≤ r`, `h = Σλ_k ∇q_k`: the Frobenius norm of M on the pattern, shared entries summed | `⟨h, θ'⟩ ≤ \|h\|\|θ'\|` |
//! | depth 2, no sharing | `‖M‖_op ≤ r` on (outputs of j) × (inputs of j), for every neuron j that exists | `⟨M, A'⟩ = Σ_j V'_jᵀ M w'_j ≤ r Σ\|V'_j\|\|w'_j\| ≤ r\|θ'\|²/2` |
//! | depth ≥ 3, no sharing | `‖M‖_op ≤ r` | `⟨M, A'⟩ ≤ r‖A'‖_* ≤ r Π\|W'⁽ˡ⁾\|_F`, then AM–GM |
//!
//! which is `ν(θ') ≤ r m^{-m/2}/Σλ = B`. The nuclear norm of a product is at most the product of the
//! Frobenius norms, for at least two factors: at depth 1 the operator norm would prove false
//! bounds. Structural zeros only shrink the class, so the last row needs no full connection.
//!
//! For `any_width` competitors have no sharing and, at depth 2, neurons that read inputs of one
//! neuron here but may feed any output: M is restricted to the inputs only, and at depth 1 not at
//! all. For `global_optimum` (and `local_optimum`, which follows) `B = ν(θ)`.
use super::elimination::{TooLarge, operator_norm_at_most};
use super::multipliers::{self, Lambda};
use super::piece::Pieces;
use super::{Refusal, only_all, wrong_claim};
use crate::claim::{Claim, Number, Region};
use crate::network::{NotTwoLayer, TwoLayer};
use crate::number::{Rational, ScaledVec, compare};
use crate::problem::{Problem, power};
use num_traits::{Signed, Zero};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const RULE: &str = "linear";

/// The multipliers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// `(k, λ_k)` by ascending constraint, `λ_k ≥ 0`, active or not; the others are 0.
    pub lambda: Vec<(usize, Number)>,
}

/// Why the bound does not follow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinearError {
    /// σ is not the identity.
    #[error("the activation is not linear")]
    NotLinear,
    /// Depth 1: the Frobenius norm is too large.
    #[error("the Frobenius norm of Σλcxᵀ exceeds what the bound allows, about {0}")]
    Frobenius(String),
    /// Depth 2: the operator norm on a neuron's supports is too large.
    #[error(
        "neuron {neuron}: the operator norm of Σλcxᵀ exceeds what the bound allows, about {allowed}"
    )]
    Neuron {
        /// The row in layer 1.
        neuron: usize,
        /// `r`.
        allowed: String,
    },
    /// Depth ≥ 3: the operator norm is too large.
    #[error("the operator norm of Σλcxᵀ exceeds what the bound allows, about {0}")]
    Operator(String),
    /// The norm cannot be tested.
    #[error("the matrix Σλcxᵀ: {0}")]
    TooLarge(#[from] TooLarge),
}

impl Linear {
    /// Checks a bound or an optimum.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, problem: &Problem, claim: &Claim) -> Result<(), Refusal> {
        let (bound, region) = match claim {
            Claim::MarginAtMost { bound, region, .. } => (Some(&bound.0), region),
            Claim::GlobalOptimum { .. } | Claim::LocalOptimum { .. } => (None, &Region::Everywhere),
            _ => return Err(wrong_claim(RULE, claim)),
        };
        only_all(RULE, claim)?;
        let gamma = problem.gamma()?;
        let network = problem.network();
        let depth = network.depth();
        let square = match bound {
            Some(bound) if bound.is_negative() => return Err(Refusal::Negative("the bound")),
            Some(bound) => bound * bound,
            None => gamma * gamma / power(&network.norm_squared(), depth),
        };
        if depth > 1 && !network.activation().is_linear() {
            return Err(LinearError::NotLinear.into());
        }
        if depth > 1 && network.has_sharing() {
            let reason = NotTwoLayer::Sharing;
            return Err(Refusal::Architecture { rule: RULE, reason });
        }
        let lambda = multipliers::read(problem, &self.lambda, false)?;
        let sum = multipliers::sum(&lambda);
        let r2 = square * &sum * &sum * power(&Rational::from_integer(depth.into()), depth);
        let any_width = *region == Region::AnyWidth;
        match depth {
            1 => depth_one(problem, &lambda, &r2, any_width),
            2 => depth_two(problem, &lambda, &r2, any_width),
            _ => {
                let inputs: Vec<usize> = (0..network.inputs()).collect();
                let outputs: Vec<usize> = (0..network.outputs()).collect();
                let m = matrix(problem, &lambda, &outputs, &inputs);
                if operator_norm_at_most(&m, &r2).map_err(LinearError::from)? {
                    return Ok(());
                }
                Err(LinearError::Operator(root_text(&r2)).into())
            }
        }
    }
}

fn depth_one(
    problem: &Problem,
    lambda: &Lambda,
    r2: &Rational,
    any_width: bool,
) -> Result<(), Refusal> {
    let network = problem.network();
    let norm: Rational = if any_width {
        let inputs: Vec<usize> = (0..network.inputs()).collect();
        let outputs: Vec<usize> = (0..network.outputs()).collect();
        matrix(problem, lambda, &outputs, &inputs).iter().map(ScaledVec::norm_squared).sum()
    } else {
        let mut pieces = Pieces::new(problem);
        for (constraint, _) in lambda {
            pieces.evaluate(constraint.sample);
        }
        let none = BTreeMap::new();
        let gradients = lambda.iter().map(|(c, _)| pieces.constraint(c, &none).gradient(0));
        let len = network.layers().first().map_or(0, |l| l.parameters().len());
        multipliers::combination(len, lambda, gradients).norm_squared()
    };
    if compare(&norm, r2).is_gt() {
        return Err(LinearError::Frobenius(root_text(r2)).into());
    }
    Ok(())
}

fn depth_two(
    problem: &Problem,
    lambda: &Lambda,
    r2: &Rational,
    any_width: bool,
) -> Result<(), Refusal> {
    let two_layer = TwoLayer::new(problem.network())
        .map_err(|reason| Refusal::Architecture { rule: RULE, reason })?;
    let mut seen: BTreeSet<(Vec<usize>, Vec<usize>)> = BTreeSet::new();
    for neuron in &two_layer.neurons {
        let feeds = |(_, v): &(usize, &Option<Rational>)| any_width || v.is_some();
        let outputs: Vec<usize> =
            neuron.v.iter().enumerate().filter(feeds).map(|(o, _)| o).collect();
        if !seen.insert((outputs.clone(), neuron.inputs.clone())) {
            continue;
        }
        let m = matrix(problem, lambda, &outputs, &neuron.inputs);
        if !operator_norm_at_most(&m, r2).map_err(LinearError::from)? {
            let allowed = root_text(r2);
            return Err(LinearError::Neuron { neuron: neuron.index, allowed }.into());
        }
    }
    Ok(())
}

/// `Σ_k λ_k c_k x_kᵀ` on these outputs and inputs, by rows.
fn matrix(
    problem: &Problem,
    lambda: &Lambda,
    outputs: &[usize],
    inputs: &[usize],
) -> Vec<ScaledVec> {
    let samples: Vec<ScaledVec> =
        lambda.iter().map(|(c, _)| problem.data().restricted(c.sample, inputs)).collect();
    let all = problem.network().outputs();
    let covectors: Vec<Vec<Rational>> = lambda.iter().map(|(c, _)| c.covector(all)).collect();
    let row = |o: &usize| {
        let entry = |c: &Vec<Rational>| c.get(*o).cloned().unwrap_or_else(Rational::zero);
        let coefficients: Vec<Rational> =
            covectors.iter().zip(lambda).map(|(c, (_, l))| entry(c) * l).collect();
        ScaledVec::combination(inputs.len(), &coefficients, &samples)
    };
    outputs.iter().map(row).collect()
}

/// `√value` in a few digits, for messages.
fn root_text(value: &Rational) -> String {
    let root = crate::number::root::sqrt_bounds(value, 53);
    root.map_or_else(String::new, |(_, high)| Number(high).approximately())
}
