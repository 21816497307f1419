//! Systems of linear equations.
use super::{integral, pivot};
use maxmargin_kernel::number::{BigInt, Rational};
use num_traits::{One, Zero};

/// The solutions of a consistent system: `point + span(directions)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Solutions {
    /// One solution; 0 on every coordinate that is free.
    pub point: Vec<Rational>,
    /// A basis of the null space of the matrix; empty iff the solution is unique.
    pub directions: Vec<Vec<Rational>>,
}

/// All solutions of `A x = b` in `columns` unknowns, for `A` of any shape; `None` if there are none.
///
/// # Panics
/// If a row is shorter than `columns`, or `b` shorter than `A`.
pub fn solve(a: &[Vec<Rational>], b: &[Rational], columns: usize) -> Option<Solutions> {
    let augmented = |(row, b): (&Vec<Rational>, &Rational)| {
        let mut whole = row[..columns].to_vec();
        whole.push(b.clone());
        integral(&whole).0
    };
    let mut table: Vec<Vec<BigInt>> = a.iter().zip(b).map(augmented).collect();
    let reduced = reduce(&mut table, columns);
    let rank = reduced.pivots.len();
    if table[rank..].iter().any(|row| !row[columns].is_zero()) {
        return None;
    }
    let ratio = |n: &BigInt| Rational::new(n.clone(), reduced.common.clone());
    let mut point = vec![Rational::zero(); columns];
    for (row, &c) in table.iter().zip(&reduced.pivots) {
        point[c] = ratio(&row[columns]);
    }
    let direction = |free: usize| {
        let mut d = vec![Rational::zero(); columns];
        d[free] = Rational::one();
        for (row, &c) in table.iter().zip(&reduced.pivots) {
            d[c] = -ratio(&row[free]);
        }
        d
    };
    let free = (0..columns).filter(|c| !reduced.pivots.contains(c));
    let directions = free.map(direction).collect();
    Some(Solutions { point, directions })
}

/// The rank of a matrix.
pub fn rank(a: &[Vec<Rational>]) -> usize {
    let columns = a.first().map_or(0, Vec::len);
    let mut table: Vec<Vec<BigInt>> = a.iter().map(|row| integral(row).0).collect();
    reduce(&mut table, columns).pivots.len()
}

/// A basis of the vectors with as many entries as `columns` that are orthogonal to all rows of `a`.
pub fn null_space(a: &[Vec<Rational>], columns: usize) -> Option<Vec<Vec<Rational>>> {
    Some(solve(a, &vec![Rational::zero(); a.len()], columns)?.directions)
}

/// The matrix with rows and columns exchanged; `columns` is the number of columns of `a`.
pub fn transpose(a: &[Vec<Rational>], columns: usize) -> Vec<Vec<Rational>> {
    (0..columns).map(|c| a.iter().map(|row| row[c].clone()).collect()).collect()
}

/// What a reduction leaves: row `k` has `common` in column `pivots[k]` and 0 in the other pivots'.
struct Reduced {
    pivots: Vec<usize>,
    common: BigInt,
}

/// Reduces the first `columns` columns; pivot rows come first.
fn reduce(table: &mut [Vec<BigInt>], columns: usize) -> Reduced {
    let mut reduced = Reduced { pivots: Vec::new(), common: BigInt::one() };
    for c in 0..columns {
        let k = reduced.pivots.len();
        // The shortest pivot: rows of an integer matrix differ much in length at first.
        let rows = (k..table.len()).filter(|&r| !table[r][c].is_zero());
        let Some(r) = rows.min_by_key(|&r| table[r][c].bits()) else { continue };
        table.swap(k, r);
        reduced.common = pivot(table, k, c, &reduced.common);
        reduced.pivots.push(c);
    }
    reduced
}
