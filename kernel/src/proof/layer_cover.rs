//! One hidden layer alone, kinks allowed (rule 3.5e): one output; the layer does not share weights.
//!
//! Scope `layer l`, `l < m`. If `l = m−1`, or α = 0 and no weight of the layers `l+1, …, m−1` is negative, the
//! network is, for every value of layer `l`, `F(x_i) = Σ_j P_j σ(w_j·a_i)` with fixed path products `P` and fixed
//! activations `a_i` below ([`super::one_layer`], which checks this and forms both). Below, `v = P` and
//! `x_i = a_i`; at depth 2 these are the output weights and the samples.
//!
//! Let `g(w) = Σ_i λ_i y_i σ(w·x_i)`, `λ ≥ 0`, `Σλ > 0`, and let `s_j·g(w) ≤ T_j|w|`, `T_j ≥ 0`, `s_j = sign v_j`, for
//! every `w` that a competitor's row `j` may have (`v_j ≠ 0`). Then every competitor has
//!
//! ```text
//! γ'Σλ ≤ Σ_i λ_i y_i f'(x_i) = Σ_j |v_j| s_j g(w'_j) ≤ Σ_j |v_j| T_j |w'_j| ≤ √(Σ_j v_j² T_j²) |W'|,
//! ```
//!
//! so its `ν_l = γ'/|W'|` is at most `√(Σ v_j²T_j²)/Σλ` (if γ' ≤ 0 there is nothing to show). Rows with
//! `v_j = 0` contribute nothing and need no cover; their weights only cost norm.
//!
//! Witness: λ, the `T` of every cover, the covers. Check: `Σ_j v_j² T_j² ≤ B²(Σλ)²`, with the smallest
//! `T` among the covers that serve row `j`:
//!
//! | claim, scope `layer l` | covers of | `B²` |
//! |---|---|---|
//! | `local_optimum` | the local cones (`near 0`), a neighbourhood of θ | `γ²/\|W\|²` |
//! | `global_optimum` | all of space on the row's inputs | `γ²/\|W\|²` |
//! | `margin_at_most B` | the region's cones | `B²` |
//!
//! The cell of a layer also fixes the signs of the layers above it; the covers need not know, and their
//! bound holds the more. `near δ` speaks of layer 1 at depth 2 only.
//!
//! At an optimum all inequalities are equalities, which forces `T_j ∝ |w_j|/|v_j|`; scaled such
//! that `γΣλ = |W|²` it is `T_j = |w_j|/|v_j|`, the length of a subgradient of `g`. A cover has a
//! rational `T`, so optimality can be proved by this rule only where these lengths are rational;
//! elsewhere only a bound a little above ν_l can. No scale of λ is asked for.
use super::cover::Units;
use super::dual_bound::{Cover, DualBoundChecker, DualBoundError, Multipliers};
use super::one_layer::two_layer_form;
use super::serving::Bounds;
use super::{Refusal, multipliers, wrong_claim};
use crate::claim::{Claim, Number, Region, Scope};
use crate::number::{Rational, compare};
use crate::problem::Problem;
use num_traits::{One, Signed, Zero};
use serde::{Deserialize, Serialize};

const RULE: &str = "layer_cover";

/// Everything of the witness but the covers. Comes first in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerMultipliers {
    /// The grids of this proof.
    #[serde(deserialize_with = "crate::object::object")]
    pub units: Units,
    /// `(i, λ_i/unit_a)` by ascending sample, `λ_i > 0`; the others are 0.
    pub lambda: Vec<(usize, i64)>,
    /// `T ≥ 0` of every cover, in their order.
    pub bounds: Vec<Number>,
}

/// The whole witness.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerCover {
    /// Units, `λ` and bounds.
    pub multipliers: LayerMultipliers,
    /// The covers.
    pub covers: Vec<Cover>,
}

/// Why the covers do not prove the claim about the layer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayerCoverError {
    /// A negative `T`.
    #[error("the bound T of cover {0} is negative")]
    NegativeBound(usize),
    /// Covers and bounds differ in number.
    #[error("{covers} covers, but {bounds} bounds T")]
    Bounds {
        /// Number of covers.
        covers: usize,
        /// Number of bounds.
        bounds: usize,
    },
    /// Another width has other layers.
    #[error("the scope of one layer fixes the other layers, so `any_width` has no meaning in it")]
    AnyWidth,
    /// `near δ` of a layer is defined for layer 1 at depth 2.
    #[error("`near` in the scope of one layer speaks of layer 1 at depth 2 only")]
    Near,
    /// `Σ v²T² > B²(Σλ)²`.
    #[error("√(Σ v²T²)/Σλ is about {found}, above {allowed}")]
    TooLarge {
        /// The bound on ν_l that follows.
        found: String,
        /// What the claim needs.
        allowed: String,
    },
}

/// A proof being checked: multipliers accepted, covers arriving one by one.
pub struct LayerCoverChecker<'p> {
    /// Takes the covers.
    pub(crate) covers: DualBoundChecker<'p>,
    bounds: Vec<Rational>,
    /// `B²`.
    square: Rational,
}

impl<'p> LayerCoverChecker<'p> {
    /// Checks the multipliers against the claim.
    ///
    /// # Errors
    /// [`Refusal`]: another claim or scope, an architecture the rule does not know, bad multipliers.
    pub fn new(
        problem: &'p Problem,
        claim: &Claim,
        multipliers: LayerMultipliers,
    ) -> Result<Self, Refusal> {
        let region = match claim {
            Claim::LocalOptimum { .. } => Region::Near(Number(Rational::zero())),
            Claim::GlobalOptimum { .. } => Region::Everywhere,
            Claim::MarginAtMost { region, .. } => region.clone(),
            _ => return Err(wrong_claim(RULE, claim)),
        };
        let scope = claim.scope();
        let depth = problem.network().depth();
        let layer = match scope {
            Scope::Layer(l) if (1..depth).contains(&l) => l,
            _ => return Err(Refusal::Scope { rule: RULE, scope }),
        };
        let gamma = problem.gamma()?;
        match region {
            Region::AnyWidth => return Err(LayerCoverError::AnyWidth.into()),
            Region::Near(_) if claim.kind() == "margin_at_most" && depth > 2 => {
                return Err(LayerCoverError::Near.into());
            }
            _ => {}
        }
        let square = match claim {
            Claim::MarginAtMost { bound, .. } if bound.0.is_negative() => {
                return Err(Refusal::Negative("the bound"));
            }
            Claim::MarginAtMost { bound, .. } => &bound.0 * &bound.0,
            _ => {
                // Not 0, or the outputs would be.
                let own = problem.network().layers().get(layer - 1);
                gamma * gamma / own.map_or_else(Rational::one, |l| l.parameters().norm_squared())
            }
        };
        let LayerMultipliers { units, lambda, bounds } = multipliers;
        multipliers::check_bits(bounds.iter())?;
        let bounds: Vec<Rational> = bounds.into_iter().map(|t| t.0).collect();
        if let Some(cover) = bounds.iter().position(Signed::is_negative) {
            return Err(LayerCoverError::NegativeBound(cover).into());
        }
        let each = Bounds::Each(bounds.clone());
        let multipliers = Multipliers { units, lambda };
        let form = two_layer_form(problem, layer)?;
        let covers = DualBoundChecker::with_bounds(RULE, form, region, each, multipliers)?;
        Ok(Self { covers, bounds, square })
    }

    /// Ends the proof. Returns the node count.
    ///
    /// # Errors
    /// [`DualBoundError::Uncovered`]; [`LayerCoverError`].
    pub fn finish(self) -> Result<usize, Refusal> {
        let (nodes, covers) = self.covers.counts();
        if covers != self.bounds.len() {
            return Err(LayerCoverError::Bounds { covers, bounds: self.bounds.len() }.into());
        }
        let mut sum = Rational::zero();
        for (neuron, serving) in self.covers.served()? {
            let smaller = |a: Rational, b: Rational| if compare(&b, &a).is_lt() { b } else { a };
            let candidates = serving.iter().filter_map(|c| self.bounds.get(*c)).cloned();
            let Some(t) = candidates.reduce(smaller) else {
                let (neuron, sign) = (neuron.index, 1);
                return Err(DualBoundError::Uncovered { neuron, sign }.into());
            };
            let product = neuron.v1() * t;
            sum += &product * &product;
        }
        let lambda = self.covers.sum_of_multipliers();
        if compare(&sum, &(&self.square * &lambda * &lambda)).is_gt() {
            let root = |square: &Rational| {
                let root = crate::number::root::sqrt_bounds(square, 53);
                root.map_or_else(String::new, |(_, high)| Number(high).approximately())
            };
            let (found, allowed) = (root(&(sum / (&lambda * &lambda))), root(&self.square));
            return Err(LayerCoverError::TooLarge { found, allowed }.into());
        }
        Ok(nodes)
    }
}

impl LayerCover {
    /// Checks a whole proof held in memory; returns the number of nodes.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, problem: &Problem, claim: &Claim) -> Result<usize, Refusal> {
        let mut checker = LayerCoverChecker::new(problem, claim, self.multipliers.clone())?;
        checker.covers.covers(&self.covers)?;
        checker.finish()
    }
}
