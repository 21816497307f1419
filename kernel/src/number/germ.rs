//! Germs: polynomials in an infinitely small ε > 0.
//!
//! `ℤ[ε]`, ordered by `p > 0` iff `p(ε) > 0` for all sufficiently small `ε > 0`, which is the sign of
//! the lowest non-zero coefficient. This is an ordered ring: sums and products of positive germs are
//! positive, and for finitely many germs there is one `ε₀ > 0` such that on `(0, ε₀)` each has the
//! sign that it has here. So a computation over germs that branches on finitely many signs, as the
//! forward pass of a network does, says what the same computation says at every small ε > 0.
//!
//! Nothing is truncated: a product has the sum of the degrees.
use super::BigInt;
use crate::network::Scalar;
use num_traits::Zero;
use std::cmp::Ordering;

/// A polynomial in ε with integer coefficients, ordered at 0+.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Germ {
    /// By ascending power; the last is not 0.
    coefficients: Vec<BigInt>,
}

impl Germ {
    /// The polynomial with these coefficients, constant term first.
    pub fn new(mut coefficients: Vec<BigInt>) -> Self {
        let length = coefficients.iter().rposition(|c| !c.is_zero()).map_or(0, |last| last + 1);
        coefficients.truncate(length);
        Self { coefficients }
    }

    /// A constant.
    pub fn constant(value: BigInt) -> Self {
        Self::new(vec![value])
    }

    /// The coefficients by ascending power, the last not 0; none for the zero germ.
    pub fn coefficients(&self) -> &[BigInt] {
        &self.coefficients
    }

    /// The lowest power of ε with a non-zero coefficient; `None` for the zero germ.
    pub fn order(&self) -> Option<usize> {
        self.coefficients.iter().position(|c| !c.is_zero())
    }

    /// The sign for all small ε > 0, as compared with 0.
    pub fn sign(&self) -> Ordering {
        let lowest = self.coefficients.iter().find(|c| !c.is_zero());
        lowest.map_or(Ordering::Equal, |c| c.cmp(&BigInt::ZERO))
    }

    /// `−self`.
    pub fn negated(&self) -> Self {
        Self { coefficients: self.coefficients.iter().map(|c| -c).collect() }
    }

    /// `self − other`.
    pub fn minus(&self, other: &Self) -> Self {
        self.plus(&other.negated())
    }

    /// `sum += a·b`, where `sum` may end in zeros.
    fn accumulate(sum: &mut Vec<BigInt>, a: &Self, b: &Self) {
        if a.coefficients.is_empty() || b.coefficients.is_empty() {
            return;
        }
        let length = a.coefficients.len() + b.coefficients.len() - 1;
        if sum.len() < length {
            sum.resize(length, BigInt::ZERO);
        }
        for (i, x) in a.coefficients.iter().enumerate().filter(|(_, x)| !x.is_zero()) {
            for (slot, y) in sum.iter_mut().skip(i).zip(&b.coefficients) {
                *slot += x * y;
            }
        }
    }
}

impl PartialOrd for Germ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Germ {
    /// The sign of the difference.
    fn cmp(&self, other: &Self) -> Ordering {
        let length = self.coefficients.len().max(other.coefficients.len());
        let at = |germ: &Self, k| germ.coefficients.get(k).cloned().unwrap_or_default();
        let unequal = |k: &usize| self.coefficients.get(*k) != other.coefficients.get(*k);
        // Past the end of one, the other may still have zeros: compare values, not presence.
        let mut differing = (0..length).filter(unequal).map(|k| at(self, k).cmp(&at(other, k)));
        differing.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl Scalar for Germ {
    type Vector = Vec<Self>;
    fn zero() -> Self {
        Self::default()
    }
    fn is_positive(&self) -> bool {
        self.sign().is_gt()
    }
    fn vanishes(&self) -> bool {
        self.coefficients.is_empty()
    }
    fn plus(&self, other: &Self) -> Self {
        let length = self.coefficients.len().max(other.coefficients.len());
        let mut sum = self.coefficients.clone();
        sum.resize(length, BigInt::ZERO);
        for (slot, c) in sum.iter_mut().zip(&other.coefficients) {
            *slot += c;
        }
        Self::new(sum)
    }
    fn times(&self, other: &Self) -> Self {
        let mut product = Vec::new();
        Self::accumulate(&mut product, self, other);
        Self::new(product)
    }
    fn pack(entries: Vec<Self>) -> Vec<Self> {
        entries
    }
    fn unpack(vector: &Vec<Self>) -> Vec<Self> {
        vector.clone()
    }
    fn dot(a: &Vec<Self>, b: &Vec<Self>) -> Self {
        let mut sum = Vec::new();
        for (x, y) in a.iter().zip(b) {
            Self::accumulate(&mut sum, x, y);
        }
        Self::new(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::Rational;
    use proptest::prelude::*;

    fn germ(coefficients: &[i64]) -> Germ {
        Germ::new(coefficients.iter().map(|c| BigInt::from(*c)).collect())
    }

    /// The value at a rational ε, by Horner's rule.
    fn at(germ: &Germ, epsilon: &Rational) -> Rational {
        let step = |sum: Rational, c: &BigInt| sum * epsilon + Rational::from_integer(c.clone());
        germ.coefficients().iter().rev().fold(Rational::default(), step)
    }

    #[test]
    fn zeros_are_trimmed_and_ordered() {
        assert_eq!(germ(&[0, 0]), Germ::zero());
        assert_eq!(germ(&[1, 0, 0]), Germ::constant(1.into()));
        assert!(Germ::zero().coefficients().is_empty() && germ(&[0]).vanishes());
        assert_eq!(Germ::zero().sign(), Ordering::Equal);
        // Infinitely small, but not 0: 0 < ε² < ε < 1/n for every n, and 1 − 10⁹ε > 0.
        let ascending =
            [germ(&[0, -1]), germ(&[0, 0, -1]), germ(&[]), germ(&[0, 0, 1]), germ(&[0, 1])];
        assert!(ascending.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(germ(&[0, 1_000_000_000]) < germ(&[1]));
        assert!(Scalar::is_positive(&germ(&[1, -1_000_000_000])));
        assert!(!Scalar::is_positive(&germ(&[0, -1, 5])) && !Scalar::is_positive(&Germ::zero()));
        // Leading terms that cancel: the product still has the sum of the degrees.
        assert_eq!(germ(&[1, 1]).times(&germ(&[1, -1])), germ(&[1, 0, -1]));
        assert_eq!(germ(&[1, 1]).minus(&germ(&[0, 1])), germ(&[1]));
        assert_eq!(
            Germ::dot(&vec![germ(&[0, 1]), germ(&[1])], &vec![germ(&[0, 1]), germ(&[0, 0, -1])]),
            Germ::zero()
        );
    }

    prop_compose! {
        fn germs()(c in prop::collection::vec(prop_oneof![2 => Just(0i64), 3 => -9i64..=9], 0..6)) -> Germ {
            germ(&c)
        }
    }

    proptest! {
        /// Evaluation at any ε is a ring homomorphism.
        #[test]
        fn evaluation_commutes(a in germs(), b in germs(), c in germs(), n in -20i64..=20, d in 1i64..50) {
            let e = Rational::new(n.into(), d.into());
            prop_assert_eq!(at(&a.plus(&b), &e), at(&a, &e) + at(&b, &e));
            prop_assert_eq!(at(&a.times(&b), &e), at(&a, &e) * at(&b, &e));
            prop_assert_eq!(at(&a.minus(&b), &e), at(&a, &e) - at(&b, &e));
            let dot = Germ::dot(&vec![a.clone(), b.clone()], &vec![b.clone(), c.clone()]);
            prop_assert_eq!(&dot, &a.times(&b).plus(&b.times(&c)));
            prop_assert_eq!(a.times(&b.plus(&c)), a.times(&b).plus(&a.times(&c)));
        }

        /// Signs and order are those at a small ε: coefficients are at most 9, so 1/100 is small.
        #[test]
        fn signs_are_those_nearby(a in germs(), b in germs()) {
            let e = Rational::new(1.into(), 100.into());
            prop_assert_eq!(a.sign(), at(&a, &e).cmp(&Rational::default()));
            prop_assert_eq!(Scalar::is_positive(&a), a.sign().is_gt());
            prop_assert_eq!(a.vanishes(), a.sign().is_eq());
            prop_assert_eq!(a.cmp(&b), at(&a, &e).cmp(&at(&b, &e)));
            prop_assert_eq!(a.cmp(&b), a.minus(&b).sign());
            prop_assert_eq!(a.negated().sign(), a.sign().reverse());
        }
    }
}
