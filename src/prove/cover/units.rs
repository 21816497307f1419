//! The grids of a cover, chosen to the data.
use maxmargin_kernel::claim::Number;
use maxmargin_kernel::number::{BigInt, Rational};
use maxmargin_kernel::proof::cover::Units;
use num_traits::One;

/// [`Units`] that are powers of two, by their exponents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloatUnits {
    /// log₂ of the unit of coefficients and multipliers λ.
    pub a: i32,
    /// log₂ of the unit of range ends.
    pub z: i32,
    /// log₂ of the unit of τ.
    pub tau: i32,
}

/// Bits of a coefficient that contributes `T` to a bound.
const A_BITS: i32 = 40;
/// Bits of the range of the longest sample.
const Z_BITS: i32 = 20;
/// Bits of the τ that moves the longest sample by its own length.
const TAU_BITS: i32 = 12;

impl FloatUnits {
    /// Grids for samples of length up to `longest` and a bound `T`, both positive.
    ///
    /// Coefficients of size `T/longest` get 40 bits, the longest range 20: the search
    /// goes on from the rounded ranges, so a coarse grid costs nodes, not validity.
    pub fn choose(longest: f64, t: f64) -> Self {
        let (length, bound) = (exponent(longest), exponent(t));
        Self { a: bound - length - A_BITS, z: length - Z_BITS, tau: length - bound - TAU_BITS }
    }

    /// The same as the kernel writes them.
    pub fn to_kernel(self) -> Units {
        Units { a: power(self.a), z: power(self.z), tau: power(self.tau), x: None }
    }

    /// The unit of coefficients.
    pub fn unit_a(self) -> f64 {
        2f64.powi(self.a)
    }

    /// The unit of range ends.
    pub fn unit_z(self) -> f64 {
        2f64.powi(self.z)
    }

    /// The unit of τ.
    pub fn unit_tau(self) -> f64 {
        2f64.powi(self.tau)
    }
}

/// `⌈log₂ value⌉` of a positive float, 0 if that makes no sense.
fn exponent(value: f64) -> i32 {
    let log = value.log2().ceil();
    // The cast is exact: |log| ≤ 1074.
    if log.is_finite() { log as i32 } else { 0 }
}

fn power(exponent: i32) -> Number {
    let size = BigInt::one() << exponent.unsigned_abs();
    Number(match exponent {
        0.. => Rational::from_integer(size),
        _ => Rational::new_raw(BigInt::one(), size),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_follow_the_data() {
        let units = FloatUnits::choose(1.0, 1.0);
        assert_eq!(units, FloatUnits { a: -40, z: -20, tau: -12 });
        assert_eq!(units.to_kernel().z.to_f64(), units.unit_z());
        // Samples 2^300 times as long: λ shrinks with their square, T with their length.
        let far = FloatUnits::choose(2f64.powi(300), 2f64.powi(-300));
        assert_eq!(far, FloatUnits { a: -640, z: 280, tau: 588 });
    }
}
