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
use num_traits::One;

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
