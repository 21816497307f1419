//! Exact linear algebra and linear programming over the rationals, for small systems.
//!
//! Inside, everything is integers: rows are cleared of denominators once, and eliminations are
//! fraction-free (E. H. Bareiss, *Sylvester's identity and multistep integer-preserving Gaussian
//! elimination*, Math. Comp. 1968; J. Edmonds, *Systems of distinct representatives and linear
//! algebra*, 1967). After every pivot each entry is a minor of the original matrix, so one exact
//! division by the previous pivot keeps the numbers as short as they can be, with no gcd.
//!
//! | module | decides |
//! |---|---|
//! | [`linear`] | all solutions of `A x = b`, rank |
//! | [`definite`] | `A ≻ 0`, `A ⪰ 0`, or a direction of negative curvature |
//! | [`simplex`] | `min c·x`, `A x = b`, `x ≥ 0` (some free), with duals, Farkas vector or ray |
//! | [`lp`] | the same, by way of a float solver |
//!
//! Matrices are slices of rows. Nothing here is trusted: what is found goes into witnesses that the
//! kernel checks.

pub mod definite;
pub mod linear;
pub mod lp;
pub mod simplex;
#[cfg(test)]
mod tests;

use maxmargin_kernel::number::{BigInt, Rational};
use num_integer::Integer;
use num_traits::{One, Signed, Zero};

/// `Σ_j a_j b_j`.
pub fn dot(a: &[Rational], b: &[Rational]) -> Rational {
    let products = a.iter().zip(b).filter(|(x, y)| !x.is_zero() && !y.is_zero());
    products.map(|(x, y)| x * y).sum()
}

/// `row · factor` in coprime integers, and the positive `factor`; a zero row has factor 1.
fn integral(row: &[Rational]) -> (Vec<BigInt>, Rational) {
    let common = row.iter().fold(BigInt::one(), |d, e| d.lcm(e.denom()));
    let mut whole: Vec<BigInt> = row.iter().map(|e| e.numer() * (&common / e.denom())).collect();
    let content = whole.iter().fold(BigInt::zero(), |g, e| g.gcd(e));
    if content.is_zero() {
        return (whole, Rational::one());
    }
    if !content.is_one() {
        whole.iter_mut().for_each(|e| *e /= &content);
    }
    (whole, Rational::new(common, content))
}

/// One fraction-free Gauss–Jordan step on all rows: afterwards column `column` is zero but in row
/// `row`, where it holds the new common pivot, which is returned; it is positive. `before` is the
/// pivot of the previous step (1 at first).
fn pivot(table: &mut [Vec<BigInt>], row: usize, column: usize, before: &BigInt) -> BigInt {
    if table[row][column].is_negative() {
        // The row of an equation may change its sign; this keeps the common pivot positive.
        table[row].iter_mut().for_each(|e| *e = -std::mem::take(e));
    }
    let lead = std::mem::take(&mut table[row]);
    let p = &lead[column];
    for (_, other) in table.iter_mut().enumerate().filter(|(r, _)| *r != row) {
        let factor = std::mem::take(&mut other[column]);
        for (j, (entry, l)) in other.iter_mut().zip(&lead).enumerate() {
            if j == column {
                continue;
            }
            // Most entries of small systems are zero for long: both products are worth testing.
            if !entry.is_zero() {
                *entry *= p;
            }
            if !factor.is_zero() && !l.is_zero() {
                *entry -= &factor * l;
            }
            if !before.is_one() && !entry.is_zero() {
                *entry /= before;
            }
        }
    }
    let p = p.clone();
    table[row] = lead;
    p
}
