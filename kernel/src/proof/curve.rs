//! Not a local optimum: a curve of better points (rule 3.4). Any depth, sharing and several outputs
//! allowed, any activation.
//!
//! **Witness.** A polynomial curve `θ(ε)` with rational coefficients and `θ(0) = θ`; with scope
//! `layer:l` only that layer moves. **Check.** With the network's own forward pass over ℚ\[ε\] instead
//! of ℚ, a germ being positive iff its lowest non-zero coefficient is ([`crate::number::germ`]):
//!
//! ```text
//! q_k(θ(ε)) ≥ γ(θ)  for every constraint k, active or not,      |θ(ε)|² < |θ|².
//! ```
//!
//! **Why.** σ of a germ is the germ or α times it, by its sign, so the pass over germs branches on
//! finitely many signs. There is an `ε₀ > 0` such that for every `ε ∈ (0, ε₀)` all of them, and the
//! signs of the checked differences, are those of the numbers at that ε. The pass therefore computes
//! `q_k(θ(ε))` as an exact polynomial on `(0, ε₀)`, and there `γ(θ(ε)) ≥ γ(θ) > 0` and `|θ(ε)| < |θ|`. The
//! first gives `θ(ε) ≠ 0`, and together `ν(θ(ε)) = γ(θ(ε))/|θ(ε)|^m > γ(θ)/|θ|^m = ν(θ)`. A polynomial is
//! continuous, so `θ(ε) → θ` as `ε → 0`: there are points of larger ν arbitrarily close to θ, which
//! are moreover feasible and shorter in `min ½|θ|²` subject to `q_k ≥ γ(θ)`. In scope `layer:l` the
//! same with `u⁽ˡ⁾(ε)` alone: `ν_l = γ/|u⁽ˡ⁾|` increases, and `|θ(ε)|² − |θ|² = |u⁽ˡ⁾(ε)|² − |u⁽ˡ⁾|²`.
//!
//! Nothing is truncated: an error of order ε⁴ in a margin is seen. The strict inequality is that of
//! the norm; a curve that stays at θ, or moves along a set of equal points, is refused.
use super::moves::{Moves, MovesError, Path};
use super::{Refusal, moving_layers, wrong_claim};
use crate::claim::Claim;
use crate::network::Scalar;
use crate::number::Germ;
use crate::problem::{Constraint, Problem};
use serde::{Deserialize, Serialize};

const RULE: &str = "curve";

/// A curve of better points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Curve {
    /// `θ(ε) − θ`.
    pub moves: Moves,
}

/// Why the curve proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CurveError {
    /// Not a curve of this network in this scope.
    #[error(transparent)]
    Moves(#[from] MovesError),
    /// A margin falls below γ.
    #[error("along the curve constraint {constraint} falls below the margin, by order ε^{order}")]
    Margin {
        /// The constraint.
        constraint: usize,
        /// Lowest power of ε in `q_k(θ(ε)) − γ`.
        order: usize,
    },
    /// The norm does not fall.
    #[error("along the curve |θ(ε)| does not fall below |θ|")]
    Norm,
}

impl Curve {
    /// Checks the curve.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, problem: &Problem, claim: &Claim) -> Result<(), Refusal> {
        let Claim::NotLocalOptimum { .. } = claim else {
            return Err(wrong_claim(RULE, claim));
        };
        let moving = moving_layers(problem, claim)?;
        let gamma = problem.gamma()?;
        let path = Path::new(problem, &moving, &self.moves, problem.data().len())
            .map_err(CurveError::from)?;
        if path.norm_change().sign().is_ge() {
            return Err(CurveError::Norm.into());
        }
        // Constraints are listed by sample: one pass serves those of one sample.
        let mut pass: Option<(usize, Vec<Germ>, Germ)> = None;
        for (constraint, c) in problem.margins().constraints().iter().enumerate() {
            let (outputs, least) = match pass.take().filter(|(sample, ..)| *sample == c.sample) {
                Some((_, outputs, least)) => (outputs, least),
                None => {
                    let x = problem.data().sample(c.sample);
                    let outputs = path.model().forward(&Path::sample(&x)).outputs();
                    (outputs, Germ::constant(gamma.numer() * path.scale(&x)))
                }
            };
            // Outputs are multiplied by `scale`: compare q·denominator with numerator·scale.
            let unit = Germ::constant(gamma.denom().clone());
            let excess = unit.times(&value(c, &outputs)).minus(&least);
            if excess.sign().is_lt() {
                let order = excess.order().unwrap_or(0);
                return Err(CurveError::Margin { constraint, order }.into());
            }
            pass = Some((c.sample, outputs, least));
        }
        Ok(())
    }
}

/// `c·outputs`.
fn value(constraint: &Constraint, outputs: &[Germ]) -> Germ {
    let at = |o: usize| outputs.get(o).cloned().unwrap_or_default();
    let plus = at(constraint.plus);
    let plus = if constraint.sign < 0 { plus.negated() } else { plus };
    constraint.minus.map_or(plus.clone(), |o| plus.minus(&at(o)))
}
