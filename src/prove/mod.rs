//! The searches: for each rule of [`maxmargin_kernel::proof`], how its witness is found, rounded and
//! repaired. Nothing here is trusted.

pub mod cover;
pub mod decide;
pub mod dual_bound;
pub mod global;
pub mod kkt_residual;
pub mod norm_bound;
pub mod point;
pub mod region;

use maxmargin_kernel::claim::Number;
use maxmargin_kernel::number::{BigInt, Rational};
use num_traits::One;

/// The exact value of a finite float; 0 for others.
pub fn exact(value: f64) -> Rational {
    Rational::from_float(value).unwrap_or_default()
}

/// The smallest number of about `bits` significant bits that is at least `value`.
pub fn round_up(value: &Rational, bits: i64) -> Number {
    Number(on_grid(value, bits, Rational::ceil))
}

/// The largest number of about `bits` significant bits that is at most `value`.
pub fn round_down(value: &Rational, bits: i64) -> Number {
    Number(on_grid(value, bits, Rational::floor))
}

fn on_grid(value: &Rational, bits: i64, direction: fn(&Rational) -> Rational) -> Rational {
    let size = |n: &BigInt| i64::try_from(n.bits()).unwrap_or(i64::MAX);
    let shift = bits - (size(value.numer()) - size(value.denom()));
    let power = Rational::from_integer(BigInt::one() << shift.unsigned_abs());
    if shift >= 0 {
        direction(&(value * &power)) / power
    } else {
        direction(&(value / &power)) * power
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rounding_is_directed_and_close(value in -1e12f64..1e12, bits in 1i64..60) {
            let (down, up) = (round_down(&exact(value), bits), round_up(&exact(value), bits));
            prop_assert!(down.0 <= exact(value) && exact(value) <= up.0);
            let width = (&up.0 - &down.0) * Rational::from_integer(BigInt::one() << (bits - 1));
            prop_assert!(width <= exact(value.abs()));
        }
    }
}
