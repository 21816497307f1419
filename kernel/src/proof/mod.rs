//! The proof rules: for each, its witness type and its check.
//!
//! A check derives cones, signs, supports, active sets and norms from the network and the data;
//! from the certificate it takes only witnesses.

pub mod convex_cell;
pub mod cover;
pub mod curve;
pub mod descent;
pub mod dual_bound;
pub mod elimination;
pub mod kkt_residual;
pub mod layer_cell;
pub mod layer_cover;
mod limits;
pub mod linear;
pub mod local_cover;
pub mod moves;
pub mod multipliers;
pub mod norm_bound;
pub mod one_layer;
mod piece;
pub mod point;
pub mod second_order;
mod serving;
pub mod stationarity;
pub mod tree;
pub mod width_tree;

use crate::claim::{Claim, Scope};
use crate::network::NotTwoLayer;
use crate::problem::{NotClassified, Problem};
use std::ops::Range;

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
    /// The scope names a layer past the last.
    #[error("there is no layer {layer}; the network has {depth}")]
    NoSuchLayer {
        /// The layer, from 1.
        layer: usize,
        /// The depth.
        depth: usize,
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
    /// Multipliers that are refused.
    #[error(transparent)]
    Multipliers(#[from] multipliers::MultiplierError),
    /// Refused by [`convex_cell`].
    #[error(transparent)]
    ConvexCell(#[from] convex_cell::ConvexCellError),
    /// Refused by [`layer_cell`].
    #[error(transparent)]
    LayerCell(#[from] layer_cell::LayerCellError),
    /// Refused by [`layer_cover`].
    #[error(transparent)]
    LayerCover(#[from] layer_cover::LayerCoverError),
    /// Refused by [`one_layer`].
    #[error(transparent)]
    OneLayer(#[from] one_layer::OneLayerError),
    /// Refused by [`linear`].
    #[error(transparent)]
    Linear(#[from] linear::LinearError),
    /// Refused by [`second_order`].
    #[error(transparent)]
    SecondOrder(#[from] second_order::SecondOrderError),
    /// Refused by [`width_tree`].
    #[error(transparent)]
    WidthTree(#[from] width_tree::WidthTreeError),
    /// Refused by [`kkt_residual`].
    #[error(transparent)]
    KktResidual(#[from] kkt_residual::KktResidualError),
    /// Refused by [`stationarity`].
    #[error(transparent)]
    Stationarity(#[from] stationarity::StationarityError),
    /// Refused by [`descent`].
    #[error(transparent)]
    Descent(#[from] descent::DescentError),
    /// Refused by [`curve`].
    #[error(transparent)]
    Curve(#[from] curve::CurveError),
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

/// The layers that are variables, from 0; refuses a layer that does not exist.
fn moving_layers(problem: &Problem, claim: &Claim) -> Result<Range<usize>, Refusal> {
    let depth = problem.network().depth();
    match claim.scope() {
        Scope::All => Ok(0..depth),
        Scope::Layer(layer) => match layer.checked_sub(1) {
            Some(l) if l < depth => Ok(l..layer),
            _ => Err(Refusal::NoSuchLayer { layer, depth }),
        },
    }
}

/// The refusal of a claim that a rule does not prove.
fn wrong_claim(rule: &'static str, claim: &Claim) -> Refusal {
    Refusal::WrongClaim { rule, kind: claim.kind() }
}
