//! Rational bounds of square roots.
use super::Rational;
use num_bigint::BigInt;
use num_traits::{One, Signed, Zero};

/// The largest `s = k·2^-e ≤ √value` and the smallest `k'·2^-e ≥ √value`, where `e` is chosen
/// such that the two differ by at most `2^-bits` relative; equal iff the root is of that form.
/// `None` for a negative value.
pub fn sqrt_bounds(value: &Rational, bits: u64) -> Option<(Rational, Rational)> {
    if value.is_negative() {
        return None;
    }
    if value.is_zero() {
        return Some((Rational::zero(), Rational::zero()));
    }
    // √(n/d) = √(n·d)/d: shift n·d by an even number of bits until its root has enough of them.
    let (n, d) = (value.numer(), value.denom());
    let product = n * d;
    let missing = (2 * bits + 2).saturating_sub(product.bits());
    let half = missing.div_ceil(2);
    let shifted: BigInt = product << (2 * half);
    let low = shifted.sqrt();
    let high = if &low * &low == shifted { low.clone() } else { &low + 1 };
    let scale = d << half;
    Some((Rational::new(low, scale.clone()), Rational::new(high, scale)))
}

/// The smallest integer `k ≥ 0` with `k² ≥ value`; 0 for a value ≤ 0.
pub fn ceil_sqrt(value: &BigInt) -> BigInt {
    if !value.is_positive() {
        return BigInt::zero();
    }
    let low = value.sqrt();
    if &low * &low == *value { low } else { low + BigInt::one() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn exact_roots_are_exact() {
        let q = |n: i64, d: i64| Rational::new(n.into(), d.into());
        for bits in [0, 1, 60] {
            assert_eq!(sqrt_bounds(&q(9, 16), bits), Some((q(3, 4), q(3, 4))));
        }
        assert_eq!(sqrt_bounds(&q(0, 1), 10), Some((q(0, 1), q(0, 1))));
        assert_eq!(sqrt_bounds(&q(-1, 1), 10), None);
        // Past the bits asked for nothing is computed: the format says which bound of a length is meant.
        let (low, high) = sqrt_bounds(&q(2, 1), 40).unwrap();
        let grid =
            |root: &Rational| (root * Rational::from_integer(BigInt::one() << 40)).to_integer();
        assert_eq!((grid(&low), grid(&high)), (1554944255987u64.into(), 1554944255988u64.into()));
        assert_eq!((low.denom(), high.denom().bits()), (&(BigInt::one() << 40), 39));
        let up = |n: i64| ceil_sqrt(&n.into());
        assert_eq!(
            (up(-4), up(0), up(1), up(2), up(4), up(5)),
            (0.into(), 0.into(), 1.into(), 2.into(), 2.into(), 3.into())
        );
    }

    proptest! {
        #[test]
        fn encloses_tightly(n in 1i64.., d in 1i64.., bits in 0u64..100) {
            let value = Rational::new(n.into(), d.into());
            let (low, high) = sqrt_bounds(&value, bits).unwrap();
            prop_assert!(&low * &low <= value && value <= &high * &high);
            let slack = (&high - &low) * Rational::from_integer(BigInt::one() << bits);
            prop_assert!(slack <= high);
        }
    }
}
