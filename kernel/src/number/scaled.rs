//! Rational vectors as integers over one common denominator.
use super::{IntVec, Rational};
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{One, Zero};

/// The vector `numerators / denominator`, `denominator > 0`. For vectors that came from floats
/// the denominator is a power of two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScaledVec {
    numerators: IntVec,
    denominator: BigInt,
}

/// A float that is not a finite number, with its position.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("entry {index} is {value}, not a finite number")]
pub struct NotFinite {
    /// Position in the slice.
    pub index: usize,
    /// The offending value.
    pub value: f64,
}

/// The least common multiple of positive numbers; `Err` with its length if that is more than so many bits.
pub(crate) fn lcm_within(a: BigInt, b: &BigInt, bits: u64) -> Result<BigInt, u64> {
    let lcm = if a.is_multiple_of(b) { a } else { a.lcm(b) };
    if lcm.bits() > bits { Err(lcm.bits()) } else { Ok(lcm) }
}

impl ScaledVec {
    /// The exact vector of these rationals, over the least common denominator.
    pub fn from_rationals(entries: &[Rational]) -> Self {
        Self::over(entries, entries.iter().fold(BigInt::one(), |d, e| d.lcm(e.denom())))
    }

    /// Over a multiple of all denominators.
    fn over(entries: &[Rational], denominator: BigInt) -> Self {
        let scaled = |e: &Rational| e.numer() * (&denominator / e.denom());
        let numerators = IntVec::new(entries.iter().map(scaled).collect());
        Self { numerators, denominator }
    }

    /// The same; `Err` with the length of the common denominator once it has more than so many bits, before
    /// it grows further.
    pub fn from_rationals_within(entries: &[Rational], bits: u64) -> Result<Self, u64> {
        let grow = |d, e: &Rational| lcm_within(d, e.denom(), bits);
        Ok(Self::over(entries, entries.iter().try_fold(BigInt::one(), grow)?))
    }

    /// The exact vector of these floats: every finite `f64` is an integer times a power of two.
    ///
    /// # Errors
    /// [`NotFinite`] names the first NaN or infinity.
    pub fn from_f64s(entries: &[f64]) -> Result<Self, NotFinite> {
        let mut parts = Vec::with_capacity(entries.len());
        for (index, &value) in entries.iter().enumerate() {
            parts.push(decode(value).ok_or(NotFinite { index, value })?);
        }
        let lowest = parts.iter().filter(|p| p.0 != 0).map(|p| p.1).min().unwrap_or(0);
        let lowest = lowest.min(0);
        let shift = |&(m, e): &(i64, i32)| if m == 0 { 0 } else { e.abs_diff(lowest) };
        let fits = |p: &(i64, i32)| 64 - p.0.unsigned_abs().leading_zeros() + shift(p) <= 63;
        let numerators = if parts.iter().all(fits) {
            IntVec::from_i64(parts.iter().map(|p| p.0 << shift(p)).collect())
        } else {
            IntVec::new(parts.iter().map(|p| BigInt::from(p.0) << shift(p)).collect())
        };
        Ok(Self { numerators, denominator: BigInt::one() << lowest.unsigned_abs() })
    }

    /// `numerators / denominator`; `None` unless the denominator is positive.
    pub fn new(numerators: IntVec, denominator: BigInt) -> Option<Self> {
        (denominator > BigInt::zero()).then_some(Self { numerators, denominator })
    }

    /// The integers.
    pub fn numerators(&self) -> &IntVec {
        &self.numerators
    }

    /// The common denominator, positive.
    pub fn denominator(&self) -> &BigInt {
        &self.denominator
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.numerators.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.numerators.is_empty()
    }

    /// Whether every entry is 0.
    pub fn is_zero(&self) -> bool {
        self.numerators.is_zero()
    }

    /// The entry at `index` in lowest terms.
    pub fn get(&self, index: usize) -> Rational {
        Rational::new(self.numerators.get(index), self.denominator.clone())
    }

    /// All entries in lowest terms.
    pub fn to_rationals(&self) -> Vec<Rational> {
        (0..self.len()).map(|i| self.get(i)).collect()
    }

    /// The entries at `indices`, over the same denominator.
    pub fn select(&self, indices: &[usize]) -> Self {
        Self { numerators: self.numerators.select(indices), denominator: self.denominator.clone() }
    }

    /// The exact inner product.
    pub fn dot(&self, other: &Self) -> Rational {
        let denominator = &self.denominator * &other.denominator;
        Rational::new(self.numerators.dot(&other.numerators), denominator)
    }

    /// `Σ_k coefficients_k · vectors_k`, exactly; `len` entries.
    pub fn combination(len: usize, coefficients: &[Rational], vectors: &[Self]) -> Self {
        // Each term is an integer vector times the rational c_k/d_k: bring those to one denominator.
        let pairs = coefficients.iter().zip(vectors);
        let factors: Vec<Rational> = pairs.map(|(c, v)| c / &v.denominator).collect();
        let factors = Self::from_rationals(&factors);
        let integers: Vec<&IntVec> = vectors.iter().map(Self::numerators).collect();
        let numerators = IntVec::combination(len, &factors.numerators.to_vec(), &integers);
        Self { numerators, denominator: factors.denominator }
    }

    /// The exact squared norm.
    pub fn norm_squared(&self) -> Rational {
        self.dot(self)
    }
}

/// `value = m·2^e` with `m` odd or zero; `None` for NaN and infinities.
fn decode(value: f64) -> Option<(i64, i32)> {
    let bits = value.to_bits();
    let negative = bits >> 63 == 1;
    let exponent = i32::try_from((bits >> 52) & 0x7ff).ok()?;
    let fraction = i64::try_from(bits & ((1u64 << 52) - 1)).ok()?;
    let (m, e) = match exponent {
        0x7ff => return None,
        0 => (fraction, -1074),
        _ => (fraction | (1i64 << 52), exponent - 1075),
    };
    if m == 0 {
        return Some((0, 0));
    }
    let twos = m.trailing_zeros();
    let m = m >> twos;
    Some((if negative { -m } else { m }, e + i32::try_from(twos).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_traits::ToPrimitive;
    use proptest::prelude::*;

    #[test]
    fn floats_are_exact() {
        let v = ScaledVec::from_f64s(&[0.5, -3.0, 0.1, 0.0, -0.0, 5e-324, 1.7976931348623157e308])
            .unwrap();
        assert_eq!(v.get(0), Rational::new(1.into(), 2.into()));
        assert_eq!(v.get(1), Rational::from_integer((-3).into()));
        assert_eq!(v.get(2), Rational::new(3602879701896397i64.into(), (1i64 << 55).into()));
        assert!(v.get(3).is_zero() && v.get(4).is_zero());
        assert_eq!(v.get(5), Rational::new(1.into(), BigInt::one() << 1074));
        assert_eq!(v.get(6).to_f64(), Some(f64::MAX));
        assert_eq!(ScaledVec::from_f64s(&[]).unwrap().len(), 0);
    }

    #[test]
    fn names_the_entry_that_is_not_finite() {
        let e = ScaledVec::from_f64s(&[1.0, f64::NEG_INFINITY]).unwrap_err();
        assert_eq!(e.to_string(), "entry 1 is -inf, not a finite number");
        assert_eq!(ScaledVec::from_f64s(&[f64::NAN]).unwrap_err().index, 0);
    }

    proptest! {
        #[test]
        fn floats_and_rationals_agree(a in prop::collection::vec(any::<f64>(), 1..9)) {
            prop_assume!(a.iter().all(|x| x.is_finite()));
            let v = ScaledVec::from_f64s(&a).unwrap();
            let exact: Vec<_> = a.iter().map(|x| Rational::from_float(*x).unwrap()).collect();
            prop_assert_eq!(v.to_rationals(), exact.clone());
            let w = ScaledVec::from_rationals(&exact);
            prop_assert_eq!(w.to_rationals(), exact.clone());
            let square: Rational = exact.iter().map(|x| x * x).sum();
            prop_assert_eq!(v.dot(&w), square);
        }
    }
}
