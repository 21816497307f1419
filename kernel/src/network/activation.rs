//! The activation σ.
use super::NetworkError;
use crate::number::{Rational, compare};
use num_traits::{One, Signed, Zero};

/// `σ(z) = z` for `z > 0` and `α z` for `z ≤ 0`, with `α ∈ [0, 1]` rational:
/// 0 is ReLU, 1 is linear, anything between is leaky ReLU. Convex, and `σ(z) = max(z, αz)`.
#[derive(Clone, Debug)]
pub struct Activation {
    slope: Rational,
}

impl Activation {
    /// ReLU, `α = 0`.
    pub fn relu() -> Self {
        Self { slope: Rational::zero() }
    }

    /// Linear, `α = 1`.
    pub fn linear() -> Self {
        Self { slope: Rational::one() }
    }

    /// The activation with slope `α` on negative inputs.
    ///
    /// # Errors
    /// [`NetworkError::Slope`] outside [0, 1].
    pub fn leaky(slope: Rational) -> Result<Self, NetworkError> {
        if slope.is_negative() || slope.numer() > slope.denom() {
            return Err(NetworkError::Slope(slope.to_string()));
        }
        Ok(Self { slope })
    }

    /// The slope `α` on negative inputs.
    pub fn slope(&self) -> &Rational {
        &self.slope
    }

    /// Whether σ is the identity.
    pub fn is_linear(&self) -> bool {
        self.slope.is_one()
    }

    /// `σ(z)`.
    pub fn apply(&self, z: &Rational) -> Rational {
        if z.is_positive() { z.clone() } else { z * &self.slope }
    }
}

impl PartialEq for Activation {
    fn eq(&self, other: &Self) -> bool {
        compare(&self.slope, &other.slope).is_eq()
    }
}

impl Eq for Activation {}

impl std::fmt::Display for Activation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.slope.is_zero() {
            write!(f, "ReLU")
        } else if self.slope.is_one() {
            write!(f, "linear")
        } else {
            write!(f, "leaky ReLU with slope {}", self.slope)
        }
    }
}
