//! The grids of a cover, chosen to the data.
use super::Instance;
use super::items::norm;
use maxmargin_kernel::claim::Number;
use maxmargin_kernel::number::{BigInt, Rational};
use maxmargin_kernel::proof::cover::Units;
use num_traits::One;
use serde::{Deserialize, Serialize};

/// [`Units`] that are powers of two, by their exponents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FloatUnits {
    /// log₂ of the unit of coefficients and multipliers λ.
    pub a: i32,
    /// log₂ of the unit of range ends.
    pub z: i32,
    /// log₂ of the unit of τ.
    pub tau: i32,
    /// log₂ of the unit to which samples are rounded, if they are.
    pub x: Option<i32>,
}

/// Samples of so many bits stay as they are.
const SHORT_BITS: i32 = 24;
/// Nearer than this to the middle between two multiples of a unit, the rounding of an entry is not
/// certain; then finer units are tried, by up to so many bits.
const TIE: f64 = 1e-6;
const FINER: i32 = 8;
/// Bits of a coefficient that contributes `T` to a bound.
const A_BITS: i32 = 40;
/// Bits of the range of the longest sample.
const Z_BITS: i32 = 20;
/// Bits of the τ that moves the longest sample by its own length.
const TAU_BITS: i32 = 12;

impl Instance {
    /// Rounds the samples as the kernel will; returns at least what `T` has to give for that.
    pub fn round(&mut self, units: FloatUnits) -> f64 {
        let Some(exponent) = units.x else { return 0.0 };
        let unit = 2f64.powi(exponent);
        let mut loss = 0.0;
        for (x, b) in self.x.iter_mut().zip(&self.b) {
            let mut square = 0.0;
            for v in x {
                // To the nearest, halves up.
                let (below, part) = ((*v / unit).floor(), *v / unit - (*v / unit).floor());
                let rounded = (below + if part >= 0.5 { 1.0 } else { 0.0 }) * unit;
                square += (*v - rounded) * (*v - rounded);
                *v = rounded;
            }
            loss += b.abs() * square.sqrt();
        }
        // The floats may be decimals rounded, by a part of 2^-53 each.
        let size: f64 = self.x.iter().zip(&self.b).map(|(x, b)| b.abs() * norm(x)).sum();
        loss * (1.0 + 1e-6) + f64::EPSILON * size
    }
}

impl FloatUnits {
    /// Grids for samples of length up to `longest` and a bound `T`, both positive.
    ///
    /// Coefficients of size `T/longest` get 40 bits, the longest range 20: the search
    /// goes on from the rounded ranges, so a coarse grid costs nodes, not validity.
    pub fn choose(longest: f64, t: f64) -> Self {
        let (length, bound) = (exponent(longest), exponent(t));
        Self {
            a: bound - length - A_BITS,
            z: length - Z_BITS,
            tau: length - bound - TAU_BITS,
            x: None,
        }
    }

    /// With a unit to which the samples of `instance` are to be rounded, if they have too many bits
    /// for a Gram matrix of short integers or are not `floats` at all; rounding then costs about
    /// `loss` of the bound.
    pub fn rounding(self, instance: &Instance, loss: f64, floats: bool) -> Self {
        let entries = || instance.x.iter().flatten().filter(|v| **v != 0.0);
        let longest = entries().fold(0.0f64, |m, v| m.max(v.abs()));
        let coarse = 2f64.powi(exponent(longest) - SHORT_BITS);
        if floats && entries().all(|v| (v / coarse).fract() == 0.0) {
            return self;
        }
        let width = instance.x.first().map_or(0, Vec::len) as f64;
        let weight: f64 = instance.b.iter().map(|b| b.abs()).sum();
        // Entries move by half a unit at most, samples by half √width.
        let unit = 2.0 * loss / (weight * width.sqrt());
        if !unit.is_normal() {
            return self;
        }
        let first = unit.log2().floor() as i32;
        // The exact sample must round as the float does: none half-way between two multiples.
        let clear = |exponent: &i32| {
            let unit = 2f64.powi(*exponent);
            floats || entries().all(|v| ((v / unit - (v / unit).floor()) - 0.5).abs() > TIE)
        };
        Self { x: (first - FINER..=first).rev().find(clear), ..self }
    }

    /// The same as the kernel writes them.
    pub fn to_kernel(self) -> Units {
        let x = self.x.map(power);
        Units { a: power(self.a), z: power(self.z), tau: power(self.tau), x }
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
        assert_eq!(units, FloatUnits { a: -40, z: -20, tau: -12, x: None });
        assert_eq!(units.to_kernel().z.to_f64(), units.unit_z());
        // Samples 2^300 times as long: λ shrinks with their square, T with their length.
        let far = FloatUnits::choose(2f64.powi(300), 2f64.powi(-300));
        assert_eq!(far, FloatUnits { a: -640, z: 280, tau: 588, x: None });
    }
}
