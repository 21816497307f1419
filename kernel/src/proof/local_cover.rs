//! Local optimality by covers, kinks and dead neurons allowed (rule 3.5b): depth 2, one output, no
//! sharing.
//!
//! Witness: `λ` and covers, as for [`super::dual_bound`]. The check is that of `ν ≤ B` over `near 0`
//! (claim `local_optimum`) or over `everywhere` (`global_optimum`) with the point's own
//! `B = ν(θ) = γ/|θ|²`. So `T = 2BΣλ`, which is 1 iff `γΣλ = ½|θ|²`; any positive multiple of λ is as
//! good. For a leaf that closes with equality `T` must lie on the grid of the witness's units.
//!
//! With `s_j = sign v_j` and `g(w) = Σ_i λ_i y_i σ(w·x_i)`, what has to be covered is, per neuron that exists:
//!
//! | neuron at θ | competitors near θ | covers |
//! |---|---|---|
//! | `w ≠ 0 ≠ v` | `w'` in the *local cone*: `sign(w'·x_i)` as at θ where `w·x_i ≠ 0`, free at kinks | `s_j·g` |
//! | `w ≠ 0 = v` | the same cone, `v'` of either sign | both `±g` |
//! | `w = 0 ≠ v` | any `w'` on its inputs | `s_j·g` |
//! | `w = 0 = v` (dead) | any `w'` on its inputs, either sign | both `±g` |
//!
//! *Proof.* `near 0` fixes exactly the signs that θ' has whenever it is close enough to θ: those of
//! `w_j·x_i ≠ 0` and `v_j ≠ 0` (continuity). It therefore contains a neighbourhood of θ, and `ν ≤ ν(θ)`
//! there says that θ is a local maximum of ν; over `everywhere`, a global one. The bound itself is
//! rule 3.7: `γ'Σλ ≤ Σ_i λ_i y_i f'(x_i) = Σ_j s'_j g(|v'_j|w'_j) ≤ T Σ_j |v'_j||w'_j| ≤ ½T|θ'|²`.
//!
//! Nothing asks that λ live on active constraints, because it must: the same chain at θ itself gives
//! `Σ_i λ_i q_i(θ) ≤ ½T|θ|² = γΣλ`, and `q_i(θ) ≥ γ`, so `λ_i > 0` only where `q_i(θ) = γ`.
//!
//! Incomplete where no single λ serves all sides of the kinks.
use super::dual_bound::{Cover, DualBoundChecker, Multipliers};
use super::{Refusal, only_all, wrong_claim};
use crate::claim::{Claim, Number, Region};
use crate::number::Rational;
use crate::problem::Problem;
use num_traits::Zero;
use serde::{Deserialize, Serialize};

const RULE: &str = "local_cover";

/// The witness: as [`super::dual_bound::DualBound`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalCover {
    /// Units and `λ`.
    pub multipliers: Multipliers,
    /// The covers.
    pub covers: Vec<Cover>,
}

/// Starts a proof; covers are fed to the result.
///
/// # Errors
/// [`Refusal`]: another claim, an architecture the rule does not know, bad multipliers.
pub fn checker<'p>(
    problem: &'p Problem,
    claim: &Claim,
    multipliers: Multipliers,
) -> Result<DualBoundChecker<'p>, Refusal> {
    let region = match claim {
        Claim::LocalOptimum { .. } => Region::Near(Number(Rational::zero())),
        Claim::GlobalOptimum { .. } => Region::Everywhere,
        _ => return Err(wrong_claim(RULE, claim)),
    };
    only_all(RULE, claim)?;
    let bound = problem.gamma()? / problem.network().norm_squared();
    DualBoundChecker::of_region(RULE, problem, region, &bound, multipliers)
}

impl LocalCover {
    /// Checks a whole proof held in memory; returns the number of nodes.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, problem: &Problem, claim: &Claim) -> Result<usize, Refusal> {
        let mut checker = checker(problem, claim, self.multipliers.clone())?;
        checker.covers(&self.covers)?;
        Ok(checker.finish()?)
    }
}
