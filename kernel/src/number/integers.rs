//! Vectors of integers in the narrowest machine form, with exact inner products.
//!
//! A product of entries below `2^a` and `2^b` in absolute value, summed over `n ≤ 2^c` terms,
//! stays below `2^(a+b+c)`: where that exponent is at most 127 (63), no partial sum can leave
//! `i128` (`i64`). The bound is evaluated for every product; past it the sum is cut into pieces
//! that fit, or done in [`BigInt`].
use num_bigint::BigInt;
use num_traits::{ToPrimitive, Zero};
use std::cmp::Ordering;

/// A vector of integers. Equal vectors have equal representations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntVec {
    repr: Repr,
    bits: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Repr {
    I64(Vec<i64>),
    I128(Vec<i128>),
    Big(Vec<BigInt>),
}

impl IntVec {
    /// The vector with these entries.
    pub fn new(entries: Vec<BigInt>) -> Self {
        let bits = entries.iter().map(BigInt::bits).max().unwrap_or(0);
        let narrow = |e: &BigInt| e.to_i64();
        let wide = |e: &BigInt| e.to_i128();
        let repr = match bits {
            0..=63 => entries.iter().map(narrow).collect::<Option<_>>().map(Repr::I64),
            64..=127 => entries.iter().map(wide).collect::<Option<_>>().map(Repr::I128),
            _ => None,
        };
        Self { repr: repr.unwrap_or(Repr::Big(entries)), bits }
    }

    /// The vector with these entries; none may be `i64::MIN` (it has 64 bits), else it is widened.
    pub fn from_i64(entries: Vec<i64>) -> Self {
        let all = entries.iter().fold(0u64, |acc, e| acc | e.unsigned_abs());
        let bits = u64::from(64 - all.leading_zeros());
        if bits > 63 {
            return Self::new(entries.into_iter().map(BigInt::from).collect());
        }
        Self { repr: Repr::I64(entries), bits }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        match &self.repr {
            Repr::I64(v) => v.len(),
            Repr::I128(v) => v.len(),
            Repr::Big(v) => v.len(),
        }
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bit length of the largest absolute value, 0 for a zero vector.
    pub fn bits(&self) -> u64 {
        self.bits
    }

    /// Whether every entry is 0.
    pub fn is_zero(&self) -> bool {
        self.bits == 0
    }

    /// The entry at `index`, 0 past the end.
    pub fn get(&self, index: usize) -> BigInt {
        match &self.repr {
            Repr::I64(v) => v.get(index).copied().map(BigInt::from),
            Repr::I128(v) => v.get(index).copied().map(BigInt::from),
            Repr::Big(v) => v.get(index).cloned(),
        }
        .unwrap_or_default()
    }

    /// The sign of the entry at `index`.
    pub fn sign(&self, index: usize) -> Ordering {
        match &self.repr {
            Repr::I64(v) => v.get(index).map(|e| e.cmp(&0)),
            Repr::I128(v) => v.get(index).map(|e| e.cmp(&0)),
            Repr::Big(v) => v.get(index).map(|e| e.cmp(&BigInt::ZERO)),
        }
        .unwrap_or(Ordering::Equal)
    }

    /// All entries.
    pub fn to_vec(&self) -> Vec<BigInt> {
        (0..self.len()).map(|i| self.get(i)).collect()
    }

    /// The entries at `indices`, in that order.
    pub fn select(&self, indices: &[usize]) -> Self {
        Self::new(indices.iter().map(|&i| self.get(i)).collect())
    }

    /// `Σ_i self_i · other_i`, exactly; entries past the end of the shorter vector count as 0.
    pub fn dot(&self, other: &Self) -> BigInt {
        let product = self.bits + other.bits;
        let terms = ceil_log2(self.len().min(other.len()));
        match (&self.repr, &other.repr) {
            (Repr::I64(a), Repr::I64(b)) if product + terms <= 63 => BigInt::from(dot_i64(a, b)),
            (Repr::I64(a), Repr::I64(b)) if product + terms <= 127 => BigInt::from(dot_wide(a, b)),
            (Repr::I64(a), Repr::I64(b)) => {
                // product ≤ 126 here, so pieces of 2^(127 − product) ≥ 2 terms fit.
                let piece = 1usize << (127u64.saturating_sub(product)).min(30);
                let pieces = a.chunks(piece).zip(b.chunks(piece));
                pieces.map(|(x, y)| BigInt::from(dot_wide(x, y))).sum()
            }
            (Repr::I64(a), Repr::I128(b)) | (Repr::I128(b), Repr::I64(a))
                if product + terms <= 127 =>
            {
                let terms = a.iter().zip(b).map(|(x, y)| i128::from(*x).wrapping_mul(*y));
                BigInt::from(terms.fold(0i128, i128::wrapping_add))
            }
            (Repr::Big(a), Repr::I64(b)) | (Repr::I64(b), Repr::Big(a)) => {
                let terms = a.iter().zip(b).filter(|(_, y)| **y != 0);
                terms.map(|(x, y)| x * *y).sum()
            }
            // Two vectors past 63 bits have products past 127.
            _ => self.dot_big(other),
        }
    }

    /// The same inner product by arbitrary-precision integers alone.
    pub fn dot_big(&self, other: &Self) -> BigInt {
        let n = self.len().min(other.len());
        (0..n).map(|i| self.get(i) * other.get(i)).sum()
    }

    /// `|self|²`.
    pub fn norm_squared(&self) -> BigInt {
        self.dot(self)
    }

    /// `Σ_k coefficients_k · vectors_k`, entry by entry; `len` entries.
    pub fn combination(len: usize, coefficients: &[BigInt], vectors: &[&Self]) -> Self {
        let mut sum = vec![BigInt::zero(); len];
        for (c, v) in coefficients.iter().zip(vectors) {
            if c.is_zero() {
                continue;
            }
            for (i, s) in sum.iter_mut().enumerate() {
                *s += c * v.get(i);
            }
        }
        Self::new(sum)
    }
}

/// Smallest `c` with `n ≤ 2^c`.
pub(crate) fn ceil_log2(n: usize) -> u64 {
    u64::from(n.next_power_of_two().trailing_zeros())
}

// Both sums are proved to fit before these are called: wrapping arithmetic never wraps.
fn dot_i64(a: &[i64], b: &[i64]) -> i64 {
    a.iter().zip(b).fold(0, |s, (x, y)| s.wrapping_add(x.wrapping_mul(*y)))
}

fn dot_wide(a: &[i64], b: &[i64]) -> i128 {
    let term = |x: &i64, y: &i64| i128::from(*x).wrapping_mul(i128::from(*y));
    a.iter().zip(b).fold(0, |s, (x, y)| s.wrapping_add(term(x, y)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn powers(bits: &[u32], sign: &[bool]) -> IntVec {
        let entry = |(b, s): (&u32, &bool)| {
            let m: BigInt = (BigInt::from(1) << *b) - 1;
            if *s { -m } else { m }
        };
        IntVec::new(bits.iter().zip(sign).map(entry).collect())
    }

    #[test]
    fn the_forms_agree_at_every_boundary() {
        // Widths around the limits of i64 and i128, alone and with carries from many terms.
        for a in [1, 30, 31, 32, 62, 63, 64, 65, 126, 127, 128, 130] {
            for b in [1, 30, 31, 32, 62, 63, 64, 65, 126, 127, 128] {
                for n in [1usize, 2, 3, 4, 5, 8, 9, 64, 65] {
                    for s in [false, true] {
                        let u = powers(&vec![a; n], &vec![false; n]);
                        let v = powers(&vec![b; n], &vec![s; n]);
                        assert_eq!(u.dot(&v), u.dot_big(&v), "{a} {b} {n}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_smallest_i64_is_widened() {
        let v = IntVec::from_i64(vec![i64::MIN, i64::MIN]);
        assert_eq!(v.bits(), 64);
        assert_eq!(v.dot(&v), BigInt::from(2) << 126);
    }

    #[test]
    fn representation_is_canonical() {
        assert_eq!(IntVec::from_i64(vec![1, -2]), IntVec::new(vec![1.into(), (-2).into()]));
        assert!(IntVec::from_i64(vec![0, 0]).is_zero());
        assert!(IntVec::from_i64(vec![]).is_empty());
    }

    proptest! {
        #[test]
        fn dot_is_the_big_dot(
            a in prop::collection::vec((0u32..140, any::<bool>()), 0..40),
            b in prop::collection::vec((0u32..140, any::<bool>()), 0..40),
        ) {
            let make = |v: &[(u32, bool)]| {
                let (w, s): (Vec<_>, Vec<_>) = v.iter().copied().unzip();
                powers(&w, &s)
            };
            let (u, v) = (make(&a), make(&b));
            prop_assert_eq!(u.dot(&v), u.dot_big(&v));
            prop_assert_eq!(v.dot(&u), u.dot_big(&v));
        }
    }
}
