//! The statements a certificate makes, and how each reads in words.

mod number;
mod region;

pub(crate) use number::LIMIT;
pub use number::Number;
pub use region::{ParseRegionError, ParseScopeError, Region, Scope};

use serde::{Deserialize, Serialize};

/// A statement about the network θ and its training set. All presuppose `γ(θ) > 0`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Claim {
    /// θ is a KKT point (Clarke subdifferential) of `min ½|θ|²` subject to `q_k ≥ γ(θ)`.
    Kkt {
        /// Which layers are variables.
        scope: Scope,
    },
    /// θ is not a KKT point of that problem.
    NotKkt {
        /// Which layers are variables.
        scope: Scope,
    },
    /// θ is a local maximum of ν: after scaling to margin 1, a local optimum of the problem.
    LocalOptimum {
        /// Which layers are variables.
        scope: Scope,
    },
    /// Arbitrarily close to θ there are points with larger ν.
    NotLocalOptimum {
        /// Which layers are variables.
        scope: Scope,
    },
    /// No θ' of this architecture (with scope `layer L`: that differs in that layer only) has a
    /// larger ν.
    GlobalOptimum {
        /// Which layers are variables.
        scope: Scope,
    },
    /// Some θ' of this architecture (with scope `layer L`: that differs in that layer only) has a
    /// larger ν.
    NotGlobalOptimum {
        /// Which layers are variables.
        scope: Scope,
    },
    /// `lo ≤ dist(θ, C)/|θ| ≤ hi`, where `C` is the convex cone of the gradients of the
    /// constraints with `q_k ≤ (1+δ)γ`, the slopes of σ free in `[α, 1]` where
    /// `|w_j·x_i| ≤ ε|w_j||x_i|` and the values `σ(z)` as they are.
    KktResidual {
        /// Which layers are variables.
        scope: Scope,
        /// Lower bound, `≥ 0`.
        lo: Number,
        /// Upper bound.
        hi: Number,
        /// δ: how far above γ a margin may be and still count as active.
        delta: Number,
        /// ε: how close to a kink a preactivation may be for its slope to be free.
        epsilon: Number,
    },
    /// `ν(θ') ≤ bound` for all competitors θ' in the region. In scope `layer l` they differ from θ in
    /// that layer only, and `ν` is `γ/|u⁽ˡ⁾|`.
    MarginAtMost {
        /// Which layers are variables.
        scope: Scope,
        /// The competitors.
        region: Region,
        /// The bound.
        bound: Number,
    },
    /// Some θ' in the region has `ν(θ') ≥ bound`; scopes as above.
    MarginAtLeast {
        /// Which layers are variables.
        scope: Scope,
        /// Where the better point lies.
        region: Region,
        /// The bound.
        bound: Number,
    },
}

impl Claim {
    /// The scope of the claim.
    pub fn scope(&self) -> Scope {
        match self {
            Self::Kkt { scope }
            | Self::NotKkt { scope }
            | Self::LocalOptimum { scope }
            | Self::NotLocalOptimum { scope }
            | Self::GlobalOptimum { scope }
            | Self::NotGlobalOptimum { scope }
            | Self::KktResidual { scope, .. }
            | Self::MarginAtMost { scope, .. }
            | Self::MarginAtLeast { scope, .. } => *scope,
        }
    }

    /// The name in files: the value of `kind`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Kkt { .. } => "kkt",
            Self::NotKkt { .. } => "not_kkt",
            Self::LocalOptimum { .. } => "local_optimum",
            Self::NotLocalOptimum { .. } => "not_local_optimum",
            Self::GlobalOptimum { .. } => "global_optimum",
            Self::NotGlobalOptimum { .. } => "not_global_optimum",
            Self::KktResidual { .. } => "kkt_residual",
            Self::MarginAtMost { .. } => "margin_at_most",
            Self::MarginAtLeast { .. } => "margin_at_least",
        }
    }
}

/// In words; bounds are rounded to the weaker side, so that the sentence is never stronger than the
/// claim.
impl std::fmt::Display for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of = |scope: &Scope| match scope {
            Scope::All => "the max-margin problem".to_string(),
            Scope::Layer(l) => format!("the max-margin problem in layer {l} alone"),
        };
        match self {
            Self::Kkt { scope } => write!(f, "θ is a KKT point of {}", of(scope)),
            Self::NotKkt { scope } => write!(f, "θ is not a KKT point of {}", of(scope)),
            Self::LocalOptimum { scope } => write!(f, "θ is a local optimum of {}", of(scope)),
            Self::NotLocalOptimum { scope } => {
                write!(f, "θ is not a local optimum of {}", of(scope))
            }
            Self::GlobalOptimum { scope } => write!(f, "θ is a global optimum of {}", of(scope)),
            Self::NotGlobalOptimum { scope } => {
                write!(f, "θ is not a global optimum of {}", of(scope))
            }
            Self::KktResidual { lo, hi, delta, epsilon, .. } => write!(
                f,
                "the distance of θ from the cone of its active gradients is between {} and {} of \
                 |θ| (constraints within δ = {delta} of the margin, slopes free within ε = \
                 {epsilon} of a kink)",
                lo.rounded_down(),
                hi.rounded_up()
            ),
            Self::MarginAtMost { region, bound, scope } => {
                let (nu, who) = (margin_of(scope), competitors(scope, region));
                write!(f, "{nu} ≤ {} for {who}", bound.rounded_up())
            }
            Self::MarginAtLeast { region, bound, scope } => {
                let (nu, who) = (margin_of(scope), competitors(scope, region));
                write!(f, "{nu} ≥ {} is attained among {who}", bound.rounded_down())
            }
        }
    }
}

/// The normalised margin that a scope's claims speak of.
fn margin_of(scope: &Scope) -> String {
    match scope {
        Scope::All => "ν".to_string(),
        Scope::Layer(l) => format!("the margin over the norm of layer {l}"),
    }
}

/// The competitors of a scope and region.
fn competitors(scope: &Scope, region: &Region) -> String {
    match scope {
        Scope::All => region.competitors(),
        Scope::Layer(l) => format!("{} that differ in layer {l} only", region.competitors()),
    }
}
