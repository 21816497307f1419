//! The proof rules: for each, its witness type and its check.
//!
//! A check derives cones, signs, supports, active sets and norms from the network and the data;
//! from the certificate it takes only witnesses.

pub mod cover;
pub mod dual_bound;
pub mod kkt_residual;
pub mod norm_bound;
pub mod point;
pub mod tree;

use crate::claim::{Claim, Scope};
use crate::network::NotTwoLayer;
use crate::problem::NotClassified;

/// Why a proof does not prove its claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The point has γ ≤ 0.
    #[error(transparent)]
    NotClassified(#[from] NotClassified),
    /// The rule proves claims of another kind.
    #[error("rule `{rule}` does not prove claims of kind `{kind}`")]
    WrongClaim {
        /// The rule.
        rule: &'static str,
        /// The kind of the claim.
        kind: &'static str,
    },
    /// The rule does not cover this scope.
    #[error("rule `{rule}` has no form for scope `{scope}`")]
    Scope {
        /// The rule.
        rule: &'static str,
        /// The scope of the claim.
        scope: Scope,
    },
    /// A hypothesis on the architecture fails.
    #[error("rule `{rule}` {reason}")]
    Architecture {
        /// The rule.
        rule: &'static str,
        /// What it needs.
        reason: NotTwoLayer,
    },
    /// A bound, δ or ε that is negative.
    #[error("{0} is negative")]
    Negative(&'static str),
    /// Refused by [`kkt_residual`].
    #[error(transparent)]
    KktResidual(#[from] kkt_residual::KktResidualError),
    /// Refused by [`dual_bound`].
    #[error(transparent)]
    DualBound(#[from] dual_bound::DualBoundError),
    /// Refused by [`norm_bound`].
    #[error(transparent)]
    NormBound(#[from] norm_bound::NormBoundError),
    /// Refused by [`point`].
    #[error(transparent)]
    Point(#[from] point::PointError),
}

/// Refuses every scope but `all`.
fn only_all(rule: &'static str, claim: &Claim) -> Result<(), Refusal> {
    match claim.scope() {
        Scope::All => Ok(()),
        scope => Err(Refusal::Scope { rule, scope }),
    }
}

/// The refusal of a claim that a rule does not prove.
fn wrong_claim(rule: &'static str, claim: &Claim) -> Refusal {
    Refusal::WrongClaim { rule, kind: claim.kind() }
}
