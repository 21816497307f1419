//! Positive semidefiniteness of integer matrices: an approximate factor with its exact residual.
//!
//! For a symmetric `A`, any matrix `L`, any `h` and `E = A − hI − LLᵀ`, `A = LLᵀ + (hI + E)`, and a
//! symmetric matrix whose diagonal entries are at least the sums of the absolute values beside
//! them is positive semidefinite (Gershgorin). So `A ⪰ 0` if `h + E_ii ≥ Σ_{j≠i} |E_ij|` for every
//! `i`. Here `L` is the Cholesky factor of `A − hI` with every entry rounded to an integer: then
//! `E_ij` is the remainder of the division that gave `L_ij`, at most half of its divisor, and
//! `E_ii ≥ 0` that of a square root. `h` is what the remainders may come to, some `n√max A_ii`:
//! for entries of a hundred bits, no loss to speak of.
//!
//! `A ⪰ 0` implies `L_ij² ≤ A_ii` for the exact factor and `|A_ij| ≤ max A_ii`; matrices that break
//! these bounds by more than rounding are not accepted, and the bounds keep all sums in `i128`.

/// Largest diagonal entry that is accepted: `2^100`.
const LARGEST: i128 = 1 << 100;
/// Largest size: sums of so many products of entries of the factor stay below `2^115`.
const MOST: usize = 1 << 12;

/// Whether `A + D ⪰ 0` is proved for every symmetric `D` whose rows have absolute sums of at most
/// `slack`. `rows` is the lower triangle of `A`; `slack ≥ 0`.
///
/// `true` is a proof; `false` says nothing.
pub(crate) fn is_semidefinite(rows: &[Vec<i128>], slack: i128) -> bool {
    proved(rows, slack).is_some()
}

fn proved(rows: &[Vec<i128>], slack: i128) -> Option<()> {
    let n = rows.len();
    if n > MOST || !(0..=LARGEST).contains(&slack) {
        return None;
    }
    let mut largest = 0i128;
    for (i, row) in rows.iter().enumerate() {
        let diagonal = *row.last()?;
        if row.len() != i + 1 || !(0..=LARGEST).contains(&diagonal) {
            return None;
        }
        largest = largest.max(diagonal);
    }
    // At least √A_ii, at most 2^50 + 1.
    let root = i64::try_from(largest.unsigned_abs().isqrt()).ok()?.checked_add(1)?;
    // Remainders: at most root/2 + 1 each.
    let size = i128::try_from(n).ok()?;
    let h = size.checked_mul(i128::from(root / 2 + 1))?.checked_add(slack)?;
    let mut factor: Vec<Vec<i64>> = Vec::with_capacity(n);
    // Diagonal remainder minus the absolute remainders beside it, per row.
    let mut balance: Vec<i128> = Vec::with_capacity(n);
    for row in rows {
        let (diagonal, beside) = row.split_last()?;
        let mut own: Vec<i64> = Vec::with_capacity(row.len());
        let mut sum = 0i128;
        for ((entry, other), total) in beside.iter().zip(&factor).zip(&mut balance) {
            let (pivot, other) = other.split_last()?;
            if entry.unsigned_abs() > largest.unsigned_abs() {
                return None;
            }
            let rest = entry - dot(&own, other);
            let pivot = i128::from(*pivot);
            // To the nearest: |remainder| ≤ pivot/2 + 1.
            let quotient = (rest + pivot / 2).checked_div_euclid(pivot)?;
            let remainder = (rest - quotient * pivot).abs();
            let quotient = i64::try_from(quotient).ok()?;
            if quotient.unsigned_abs() > root.unsigned_abs() {
                return None;
            }
            own.push(quotient);
            *total -= remainder;
            sum += remainder;
        }
        let rest = diagonal - h - dot(&own, &own);
        if rest <= 0 {
            return None;
        }
        let pivot = i64::try_from(rest.unsigned_abs().isqrt()).ok()?;
        own.push(pivot);
        balance.push(rest - i128::from(pivot) * i128::from(pivot) - sum);
        factor.push(own);
    }
    // h + E_ii − Σ|E_ij| ≥ slack.
    balance.iter().all(|b| h + b >= slack).then_some(())
}

/// Entries are at most `2^50 + 1` and there are at most `2^12`: the sum stays below `2^113`.
fn dot(a: &[i64], b: &[i64]) -> i128 {
    a.iter().zip(b).fold(0, |s, (x, y)| s + i128::from(*x) * i128::from(*y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::Rational;
    use num_traits::{Signed, Zero};
    use proptest::prelude::*;

    /// Exactly, by elimination.
    fn is_psd(rows: &[Vec<i128>]) -> bool {
        let n = rows.len();
        let at = |i: usize, j: usize| Rational::from_integer(rows[i.max(j)][i.min(j)].into());
        let mut a: Vec<Vec<Rational>> =
            (0..n).map(|i| (0..n).map(|j| at(i, j)).collect()).collect();
        for k in 0..n {
            if a[k][k].is_negative() {
                return false;
            }
            if a[k][k].is_zero() {
                if (k..n).any(|j| !a[k][j].is_zero()) {
                    return false;
                }
                continue;
            }
            for i in k + 1..n {
                for j in k + 1..n {
                    let part = &a[i][k] * &a[k][j] / &a[k][k];
                    a[i][j] -= part;
                }
            }
        }
        true
    }

    #[test]
    fn small_cases() {
        let big = 1i128 << 90;
        assert!(is_semidefinite(&[], 0));
        assert!(is_semidefinite(&[vec![big]], 0) && !is_semidefinite(&[vec![0]], 0));
        assert!(is_semidefinite(&[vec![big], vec![big - (1 << 60), big]], 0));
        assert!(!is_semidefinite(&[vec![big], vec![big + 1, big]], 0));
        assert!(!is_semidefinite(&[vec![big], vec![1 - big, big]], big));
        assert!(is_semidefinite(&[vec![big], vec![-big / 2, big]], big / 3));
        assert!(!is_semidefinite(&[vec![big], vec![-big / 2, big]], big / 2));
        for wrong in [vec![vec![]], vec![vec![1, big]], vec![vec![-big]], vec![vec![2 * LARGEST]]] {
            assert!(!is_semidefinite(&wrong, 0));
        }
        assert!(!is_semidefinite(&[vec![big], vec![i128::MIN, big]], 0));
        // What would leave `i128`: entries above the diagonal's, and quotients by a small pivot.
        let half = big / 2;
        assert!(!is_semidefinite(&[vec![big], vec![half, big], vec![half, i128::MIN, big]], 0));
        let (large, small) = (1i128 << 64, 5 * ((1 << 31) + 1) + 1);
        let word = i128::from(i64::MAX);
        let pivots = [vec![small], vec![0, small], vec![0, 0, small], vec![0, 0, 0, small]];
        let rows: Vec<_> =
            pivots.into_iter().chain([vec![word, word, word, word, large]]).collect();
        assert!(!is_semidefinite(&rows, 0));
        assert!(!is_semidefinite(&[vec![big]], -1) && !is_semidefinite(&[vec![big]], i128::MAX));
    }

    proptest! {
        /// What is accepted is semidefinite, with room for the slack; clear cases are accepted.
        #[test]
        fn agrees_with_elimination(
            entries in prop::collection::vec(-1000i64..1000, 36),
            n in 1usize..=6,
            bits in 0u32..90,
            shift in -3000i128..3000,
            rank in 1usize..=6,
        ) {
            // V Vᵀ + shift·I, at the scale of the bits, so at the edge of the cone.
            let entry = |i: usize, k: usize| i128::from(entries[i * 6 + k]);
            let rows: Vec<Vec<i128>> = (0..n).map(|i| (0..=i).map(|j| {
                let product: i128 = (0..rank).map(|k| entry(i, k) * entry(j, k)).sum();
                let scaled = if bits >= 30 { (product << (bits - 30)) + product % 17 } else { product };
                scaled + if i == j { shift } else { 0 }
            }).collect()).collect();
            if is_semidefinite(&rows, 0) {
                prop_assert!(is_psd(&rows));
            }
            let slack = 1i128 << (bits / 2);
            if is_semidefinite(&rows, slack) {
                let mut less = rows.clone();
                less.iter_mut().for_each(|r| *r.last_mut().unwrap() -= slack);
                prop_assert!(is_psd(&less));
            }
            let mut clear = rows;
            let most = clear.iter().map(|r| *r.last().unwrap()).max().unwrap();
            let lift = shift.abs() + 16 * (n as i128 + 2) * (most.unsigned_abs().isqrt() as i128 + 1) + 200;
            clear.iter_mut().for_each(|r| *r.last_mut().unwrap() += lift);
            prop_assert!(is_semidefinite(&clear, 0));
        }
    }
}
