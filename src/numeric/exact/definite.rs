//! Definiteness of symmetric matrices.
use super::linear::solve;
use maxmargin_kernel::number::{BigInt, Rational};
use num_integer::Integer;
use num_traits::{One, Signed, Zero};

/// The sign of the quadratic form of a symmetric matrix `A`.
#[derive(Clone, Debug, PartialEq)]
pub enum Definiteness {
    /// `dᵀAd > 0` for every `d ≠ 0`.
    Positive,
    /// `dᵀAd ≥ 0` for every `d`; a basis of the `d` with `A d = 0`.
    Semi(Vec<Vec<Rational>>),
    /// A `d` with `dᵀAd < 0`.
    Indefinite(Vec<Rational>),
}

impl Definiteness {
    /// Whether `A ⪰ 0`.
    pub fn is_psd(&self) -> bool {
        !matches!(self, Self::Indefinite(_))
    }
}

/// Decides the sign of `dᵀAd` by symmetric elimination (LDLᵀ with the diagonal as pivots).
///
/// Only the symmetric part `½(A + Aᵀ)` counts, as in the form itself.
pub fn definiteness(a: &[Vec<Rational>]) -> Definiteness {
    let n = a.len();
    let symmetric: Vec<Vec<Rational>> =
        (0..n).map(|i| (0..n).map(|j| &a[i][j] + &a[j][i]).collect()).collect();
    let mut schur = common_integers(&symmetric);
    let (mut done, mut left): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..n).collect());
    let mut before = BigInt::one();
    loop {
        // schur, on `left`, is a positive multiple of the Schur complement of A on `done`.
        if let Some(d) = negative_direction(&schur, &left) {
            return Definiteness::Indefinite(extend(&symmetric, &done, &left, d));
        }
        let positive = left.iter().filter(|&&i| schur[i][i].is_positive());
        let Some(&k) = positive.min_by_key(|&&i| schur[i][i].bits()) else { break };
        let (p, row) = (schur[k][k].clone(), schur[k].clone());
        left.retain(|&i| i != k);
        done.push(k);
        for &i in &left {
            for &j in &left {
                schur[i][j] = (&schur[i][j] * &p - &row[i] * &row[j]) / &before;
            }
        }
        before = p;
    }
    if left.is_empty() {
        return Definiteness::Positive;
    }
    let zero = vec![Rational::zero(); n];
    Definiteness::Semi(solve(&symmetric, &zero, n).map_or(Vec::new(), |s| s.directions))
}

/// The matrix times one positive number, in integers.
fn common_integers(a: &[Vec<Rational>]) -> Vec<Vec<BigInt>> {
    let common = a.iter().flatten().fold(BigInt::one(), |d, e| d.lcm(e.denom()));
    let whole = |e: &Rational| e.numer() * (&common / e.denom());
    a.iter().map(|row| row.iter().map(whole).collect()).collect()
}

/// A `d` on `left` with `dᵀSd < 0` where the diagonal shows one: a negative entry, or a zero one
/// beside a non-zero entry of its row.
fn negative_direction(s: &[Vec<BigInt>], left: &[usize]) -> Option<Vec<(usize, Rational)>> {
    for &i in left {
        if s[i][i].is_negative() {
            return Some(vec![(i, Rational::one())]);
        }
    }
    let zeros = left.iter().filter(|&&i| s[i][i].is_zero());
    let mut pairs = zeros.flat_map(|&i| left.iter().map(move |&j| (i, j)));
    let (i, j) = pairs.find(|&(i, j)| i != j && !s[i][j].is_zero())?;
    // d = t e_i + e_j gives 2t s_ij + s_jj: any t beyond −s_jj/(2 s_ij).
    let sign = if s[i][j].is_positive() { -1 } else { 1 };
    let t = (s[j][j].abs() / (BigInt::from(2) * s[i][j].abs()) + BigInt::one()) * sign;
    Some(vec![(i, Rational::from_integer(t)), (j, Rational::one())])
}

/// `d` on the Schur complement extended to all coordinates such that the form keeps its value:
/// the eliminated coordinates solve `A_PP x_P = −A_PR d`.
fn extend(
    a: &[Vec<Rational>],
    done: &[usize],
    left: &[usize],
    d: Vec<(usize, Rational)>,
) -> Vec<Rational> {
    debug_assert!(d.iter().all(|(i, _)| left.contains(i)));
    let mut full = vec![Rational::zero(); a.len()];
    let block: Vec<Vec<Rational>> =
        done.iter().map(|&i| done.iter().map(|&j| a[i][j].clone()).collect()).collect();
    let right: Vec<Rational> =
        done.iter().map(|&i| -d.iter().map(|(j, v)| &a[i][*j] * v).sum::<Rational>()).collect();
    if let Some(solved) = solve(&block, &right, done.len()) {
        for (&i, v) in done.iter().zip(solved.point) {
            full[i] = v;
        }
    }
    for (i, v) in d {
        full[i] = v;
    }
    full
}
