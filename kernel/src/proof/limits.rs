//! Which refusals say only that a proof is past a limit of this checker: nothing about the claim.
use super::Refusal;
use super::convex_cell::ConvexCellError;
use super::cover::CoverError;
use super::curve::CurveError;
use super::descent::DescentError;
use super::dual_bound::DualBoundError;
use super::kkt_residual::KktResidualError;
use super::linear::LinearError;
use super::moves::MovesError;
use super::multipliers::MultiplierError;
use super::point::PointError;
use super::second_order::SecondOrderError;
use super::stationarity::StationarityError;
use super::width_tree::WidthTreeError;

impl Refusal {
    /// Whether the check stopped at a limit, rather than at a condition that fails.
    pub fn is_limit(&self) -> bool {
        match self {
            Self::Multipliers(MultiplierError::TooLong(_))
            | Self::ConvexCell(ConvexCellError::TooLarge { .. })
            | Self::KktResidual(KktResidualError::Work(_))
            | Self::Linear(LinearError::TooLarge(_))
            | Self::SecondOrder(SecondOrderError::TooLarge(_) | SecondOrderError::Work(_))
            | Self::Stationarity(
                StationarityError::TooLong(_) | StationarityError::TooManyGerms(_),
            )
            | Self::Descent(DescentError::TooLong(_) | DescentError::TooManyKinks { .. })
            | Self::WidthTree(WidthTreeError::TooDeep(_)) => true,
            Self::Stationarity(StationarityError::Germ { error, .. })
            | Self::Curve(CurveError::Moves(error)) => of_moves(error),
            Self::DualBound(error) | Self::WidthTree(WidthTreeError::Leaf { error, .. }) => {
                of_covers(error)
            }
            Self::OneLayer(error) => error.is_limit(),
            Self::Point(PointError::Network(error)) => error.is_limit(),
            Self::Point(PointError::Data(error)) => error.is_limit(),
            _ => false,
        }
    }
}

fn of_moves(error: &MovesError) -> bool {
    matches!(error, MovesError::TooLong(_) | MovesError::Degree(_) | MovesError::Work(_))
}

fn of_covers(error: &DualBoundError) -> bool {
    let DualBoundError::Cover { error, .. } = error else { return false };
    matches!(
        error,
        CoverError::TooManyItems(_)
            | CoverError::TooDeep(_)
            | CoverError::Range(_)
            | CoverError::Work(_)
    )
}
