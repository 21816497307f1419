//! The searches: for each rule of [`maxmargin_kernel::proof`], how its witness is found, rounded and
//! repaired. Nothing here is trusted.

pub mod cover;
pub mod dual_bound;
pub mod kkt_residual;
pub mod norm_bound;
pub mod point;
pub mod region;

use maxmargin_kernel::claim::Number;
use maxmargin_kernel::number::{BigInt, Rational};
use num_traits::{One, Signed, ToPrimitive};

/// The exact value of a finite float; 0 for others.
pub fn exact(value: f64) -> Rational {
    Rational::from_float(value).unwrap_or_default()
}

/// A number slightly above `value`, with few digits: relative `2^-bits`.
pub fn round_up(value: f64, bits: i32) -> Number {
    Number(round(value, bits, f64::ceil))
}

/// A number slightly below `value ≥ 0`, with few digits.
pub fn round_down(value: f64, bits: i32) -> Number {
    Number(round(value, bits, f64::floor))
}

/// The least number `≥ value` with so many binary digits, or one more.
pub fn round_up_exact(value: &Rational, bits: i64) -> Number {
    let grid = grid(value, bits);
    Number((value * &grid).ceil() / grid)
}

/// The largest number `≤ value` with so many binary digits, or one more.
pub fn round_down_exact(value: &Rational, bits: i64) -> Number {
    let grid = grid(value, bits);
    Number((value * &grid).floor() / grid)
}

/// A power of two by which `value` becomes an integer part of `bits` digits or one more.
fn grid(value: &Rational, bits: i64) -> Rational {
    let length = |n: &BigInt| n.abs().bits().to_i64().unwrap_or(0);
    let shift = bits - (length(value.numer()) - length(value.denom()));
    let power = Rational::from_integer(BigInt::one() << shift.unsigned_abs());
    if shift >= 0 { power } else { power.recip() }
}

fn round(value: f64, bits: i32, direction: fn(f64) -> f64) -> Rational {
    if value == 0.0 || !value.is_finite() {
        return Rational::default();
    }
    let exponent = value.abs().log2().floor() as i32;
    let shift = bits - exponent;
    let mantissa = direction(value * f64::from(shift).exp2());
    let power = BigInt::one() << shift.unsigned_abs();
    let m = exact(mantissa);
    if shift >= 0 { m / Rational::from_integer(power) } else { m * Rational::from_integer(power) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_rounding_encloses() {
        let third = Rational::new(1.into(), 3.into());
        let huge = &third * Rational::from_integer(BigInt::from(7) << 900);
        for value in [third.clone(), huge, -third, Rational::from_integer(5.into())] {
            let (low, high) = (round_down_exact(&value, 40).0, round_up_exact(&value, 40).0);
            assert!(low <= value && value <= high);
            let width = (&high - &low) * Rational::from_integer(BigInt::one() << 39);
            assert!(width <= value.abs());
        }
        assert_eq!(round_up_exact(&Rational::default(), 40).0, Rational::default());
    }
}
