//! Exact definiteness of symmetric matrices, and operator norms by it.
//!
//! Symmetric elimination: if the diagonal entry of the current Schur complement is negative, the
//! matrix is not positive semidefinite; if it is 0, the rest of its row must be 0 and the index is
//! dropped; else it is eliminated. The matrix is positive semidefinite iff this reaches the end,
//! and positive definite iff moreover no index was dropped. Elimination is fraction-free (Bareiss):
//! entries are minors, a positive multiple of the Schur complement, and every division is exact.
//!
//! `‖N‖_op ≤ r` iff `r²I − NNᵀ ⪰ 0` iff `r²I − NᵀN ⪰ 0`; the smaller of the two is tested.
use crate::number::{BigInt, Rational, ScaledVec, work::exceeds};
use num_integer::Integer;
use num_traits::{One, Signed, Zero};

/// Largest dimension of a matrix that is tested.
pub const MAX_DIMENSION: usize = 64;
/// Largest accepted dimension × bits of the common denominator, or of the longest entry times it:
/// what the minors grow to.
pub const MAX_MATRIX_BITS: u64 = 1 << 16;

/// What elimination found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Definiteness {
    /// `xᵀAx > 0` for all `x ≠ 0`.
    Positive,
    /// `xᵀAx ≥ 0`, with equality for some `x ≠ 0`.
    Semidefinite,
    /// `xᵀAx < 0` for some `x`.
    No,
}

/// A matrix past the limits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// Past [`MAX_DIMENSION`].
    #[error("a matrix of dimension {0} is past the limit of {MAX_DIMENSION}")]
    Dimension(usize),
    /// Past [`MAX_MATRIX_BITS`].
    #[error("a matrix whose dimension times bits is {0} is past the limit of {MAX_MATRIX_BITS}")]
    Bits(u64),
}

/// Definiteness of a symmetric matrix, given by rows. The empty matrix is positive definite.
///
/// # Errors
/// [`TooLarge`].
pub fn definiteness(matrix: &[Vec<Rational>]) -> Result<Definiteness, TooLarge> {
    let dimension = matrix.len();
    if dimension > MAX_DIMENSION {
        return Err(TooLarge::Dimension(dimension));
    }
    // A positive factor changes nothing: bring all entries to one denominator and drop it.
    let within = |number: &BigInt| {
        let bits = matrix.iter().map(|_| number.bits()).sum();
        if bits > MAX_MATRIX_BITS { Err(TooLarge::Bits(bits)) } else { Ok(()) }
    };
    let mut denominator = BigInt::one();
    for entry in matrix.iter().flatten() {
        within(entry.numer()).and_then(|()| within(entry.denom()))?;
        if !denominator.is_multiple_of(entry.denom()) {
            denominator = denominator.lcm(entry.denom());
            within(&denominator)?;
        }
    }
    let longest = matrix.iter().flatten().map(|e| e.numer().bits()).max().unwrap_or(0);
    let minors =
        (longest + denominator.bits()).saturating_mul(matrix.len().try_into().unwrap_or(u64::MAX));
    if exceeds(&[dimension, dimension, dimension], minors / 2).is_some() {
        return Err(TooLarge::Bits(minors));
    }
    let integer = |e: &Rational| e.numer() * (&denominator / e.denom());
    let integers = |row: &Vec<Rational>| row.iter().map(integer).collect();
    let integers: Vec<Vec<BigInt>> = matrix.iter().map(integers).collect();
    integers.iter().flatten().try_for_each(within)?;
    Ok(eliminate(integers))
}

fn eliminate(mut a: Vec<Vec<BigInt>>) -> Definiteness {
    let mut previous = BigInt::one();
    let mut found = Definiteness::Positive;
    for k in 0..a.len() {
        let Some(row) = a.get(k).cloned() else { return Definiteness::No };
        let Some(pivot) = row.get(k) else { return Definiteness::No };
        if pivot.is_negative() {
            return Definiteness::No;
        }
        if pivot.is_zero() {
            if row.iter().skip(k + 1).any(|e| !e.is_zero()) {
                return Definiteness::No;
            }
            found = Definiteness::Semidefinite;
            continue;
        }
        // By symmetry the upper triangle is enough.
        for (i, (below, factor)) in a.iter_mut().zip(&row).enumerate().skip(k + 1) {
            for (entry, right) in below.iter_mut().zip(&row).skip(i) {
                *entry = (pivot * &*entry - factor * right) / &previous;
            }
        }
        previous = pivot.clone();
    }
    found
}

/// Whether the matrix with these rows (of one length) has operator norm `≤ √square`, `square ≥ 0`.
/// A matrix without rows or columns has norm 0.
///
/// # Errors
/// [`TooLarge`]: the smaller of its sides exceeds the limits.
pub fn operator_norm_at_most(rows: &[ScaledVec], square: &Rational) -> Result<bool, TooLarge> {
    if square.is_negative() {
        return Ok(false);
    }
    let columns = rows.first().map_or(0, ScaledVec::len);
    let side = rows.len().min(columns);
    if side > MAX_DIMENSION {
        return Err(TooLarge::Dimension(side));
    }
    let transposed: Vec<ScaledVec>;
    let vectors = if columns < rows.len() {
        let column = |c| rows.iter().map(|row| row.get(c)).collect::<Vec<_>>();
        transposed = (0..columns).map(|c| ScaledVec::from_rationals(&column(c))).collect();
        &transposed
    } else {
        rows
    };
    let entry = |i: usize, j: usize, u: &ScaledVec, v: &ScaledVec| {
        let product = u.dot(v);
        if i == j { square - product } else { -product }
    };
    let row = |(i, u): (usize, &ScaledVec)| {
        vectors.iter().enumerate().map(|(j, v)| entry(i, j, u, v)).collect()
    };
    let matrix: Vec<Vec<Rational>> = vectors.iter().enumerate().map(row).collect();
    Ok(definiteness(&matrix)? != Definiteness::No)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matrix(rows: &[&[i64]]) -> Vec<Vec<Rational>> {
        let entry = |e: &i64| Rational::from_integer((*e).into());
        rows.iter().map(|row| row.iter().map(entry).collect()).collect()
    }

    #[test]
    fn small_cases() {
        use Definiteness::{No, Positive, Semidefinite};
        let cases: [(&[&[i64]], Definiteness); 10] = [
            (&[], Positive),
            (&[&[0]], Semidefinite),
            (&[&[-1]], No),
            (&[&[2, 1], &[1, 2]], Positive),
            (&[&[1, 1], &[1, 1]], Semidefinite),
            (&[&[1, 2], &[2, 1]], No),
            (&[&[0, 1], &[1, 5]], No),
            (&[&[0, 0], &[0, -1]], No),
            // The dropped index comes first, in the middle, last.
            (&[&[0, 0, 0], &[0, 2, 1], &[0, 1, 2]], Semidefinite),
            (&[&[1, 1, 0], &[1, 1, 0], &[0, 0, -1]], No),
        ];
        for (rows, expected) in cases {
            assert_eq!(definiteness(&matrix(rows)), Ok(expected), "{rows:?}");
        }
    }

    #[test]
    fn limits_have_errors() {
        let size = MAX_DIMENSION + 1;
        let zero = vec![vec![Rational::zero(); size]; size];
        assert_eq!(definiteness(&zero), Err(TooLarge::Dimension(size)));
        let long = Rational::from_integer(BigInt::one() << MAX_MATRIX_BITS);
        let bits = MAX_MATRIX_BITS + 1;
        assert_eq!(definiteness(&[vec![long]]), Err(TooLarge::Bits(bits)));
        let square = vec![ScaledVec::from_rationals(&vec![Rational::zero(); size]); size];
        let norm = operator_norm_at_most(&square, &Rational::one());
        assert_eq!(norm, Err(TooLarge::Dimension(size)));
    }

    #[test]
    #[ignore = "takes seconds; shows what the limits allow"]
    fn the_limits_bound_the_time() {
        let size = MAX_DIMENSION;
        let bits = MAX_MATRIX_BITS / size as u64;
        let mut state = 1u64;
        let mut number = || {
            (0..bits / 64).fold(BigInt::zero(), |n, _| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (n << 64) + state
            }) >> 1
        };
        let mut rows = vec![vec![Rational::zero(); size]; size];
        for i in 0..size {
            for j in 0..i {
                rows[i][j] = Rational::from_integer(number() >> 8);
                rows[j][i] = rows[i][j].clone();
            }
            rows[i][i] = Rational::from_integer(BigInt::one() << (bits - 1));
        }
        assert_eq!(definiteness(&rows), Ok(Definiteness::Positive));
    }

    proptest! {
        /// `BᵀB` is semidefinite, definite iff B has full rank; lowering one diagonal entry below
        /// what one of its vectors gives makes it indefinite.
        #[test]
        fn gram_matrices(b in prop::collection::vec(prop::collection::vec(-4i64..=4, 4), 1..6), shift in 1i64..5) {
            let gram = |i: usize, j: usize| b.iter().map(|r| r[i] * r[j]).sum::<i64>();
            let mut rows: Vec<Vec<i64>> = (0..4).map(|i| (0..4).map(|j| gram(i, j)).collect()).collect();
            let slices = |rows: &Vec<Vec<i64>>| matrix(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
            let found = definiteness(&slices(&rows)).unwrap();
            prop_assert_ne!(found, Definiteness::No);
            if b.len() < 4 { prop_assert_eq!(found, Definiteness::Semidefinite); }
            let (diagonal, last) = (rows[3][3], rows.len() - 1);
            rows[last][last] = -shift.min(diagonal + 1);
            prop_assert_eq!(definiteness(&slices(&rows)).unwrap(), Definiteness::No);
            // Both sides of a rectangular matrix give one norm: the largest singular value is at
            // most the Frobenius norm, and at least the longest row.
            let vectors: Vec<_> = b.iter().map(|r| ScaledVec::from_rationals(&matrix(&[r.as_slice()])[0])).collect();
            let frobenius: Rational = vectors.iter().map(ScaledVec::norm_squared).sum();
            prop_assert!(operator_norm_at_most(&vectors, &frobenius).unwrap());
            for row in &vectors {
                let shorter = row.norm_squared() - Rational::new(1.into(), 100.into());
                prop_assert!(!operator_norm_at_most(&vectors, &shorter).unwrap());
            }
        }
    }
}
