//! Quadratic leaves: convex items bounded by parabolas instead of secants.
//!
//! # The rule
//! Give coefficients `a_i` to all items, `d_i > 0` to some of them (the set `J`), and `κ > 0`. With
//! `β_i = d_i²` for `i ∈ J`, else 0, put
//!
//! ```text
//! k_i = max { b_i σ(z) − a_i z − β_i z² : l_i ≤ z ≤ h_i },   K = Σ k_i,   vec = Σ a_i x_i,   s = T − K − κ.
//! ```
//!
//! The leaf closes if the symmetric matrix `A` on `{0} ∪ J` is positive semidefinite, where
//!
//! ```text
//! A_00 = κs − |vec|²/4,   A_0i = −d_i (vec·x_i)/2,   A_ij = κ[i=j] − d_i d_j (x_i·x_j).
//! ```
//!
//! # Why
//! For a unit `w` in the node's ranges put `y_i = x_i·w`. Then `s·g(w) ≤ K + vec·w + Σ β_i y_i²`,
//! since every term is. For any `w`, from `|κw − vec/2 − Σ β_i y_i x_i|² ≥ 0`,
//!
//! ```text
//! κ²|w|² ≥ κ vec·w + 2κ Σ β_i y_i² − |vec/2 + Σ β_i y_i x_i|²,
//! ```
//!
//! and from `A ⪰ 0` at the vector `(1, d_i y_i)`
//!
//! ```text
//! κs + κ Σ β_i y_i² ≥ |vec/2 + Σ β_i y_i x_i|².
//! ```
//!
//! Together `κ²|w|² ≥ κ(vec·w + Σ β_i y_i² − s)`; divide by `κ > 0` and put `|w| = 1`:
//! `vec·w + Σ β_i y_i² ≤ κ + s = T − K`. So `s·g(w) ≤ T`: no violator. By the S-lemma nothing is lost:
//! over the sphere the best `κ` gives the maximum of the quadratic itself.
//!
//! Nothing is asked of the signs of `b_i` or of the ranges: a parabola may stand under any item.
//! With `J` empty the rule is `κs ≥ |vec|²/4`, from which `|vec| ≤ 2√(κs) ≤ κ + s = T − K`.
//!
//! # Arithmetic
//! `d_i` is an integer times `√(unit_a/unit_z)`, so that `k_i` lies on the grid of constants, rounded
//! up; the file gives `κ` as an integer `n`, and `κ = ⌊nT/2^20⌋` on that grid: any positive `κ` will do.
//! `A` is scaled (row and column 0 by a power of two of their own, a congruence, and all of it by
//! `2^32`) and rounded to integers:
//!
//! - `G_ij ≈ x_i·x_j` is rounded to the nearest, an error of at most ½. What that adds to the quadratic
//!   form at `t` is at most `½ (Σ d_i|t_i|)² ≤ ½ (Σ d_i²) |t|²`, which is taken from the diagonal.
//! - `A_0i` is rounded to the nearest: at most ½ in row `i` and `|J|/2` in row 0, the slack with which
//!   `is_semidefinite` is called.
//! - `A_00` is rounded down.
use super::{CoverChecker, CoverError, Quadratic, Ranges};
use crate::number::gershgorin::is_semidefinite;
use crate::number::{BigInt, IntVec};
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive};

/// log₂ of the factor of the matrix.
const SCALE: usize = 32;
/// log₂ of the parts of `T` in which `κ` is given.
const KAPPA: usize = 20;

/// `gram·(unit_x/unit_z)²·2^32`, rounded; `None` if that is too large.
pub(super) type Rounded = Option<Vec<Vec<i128>>>;

impl CoverChecker {
    pub(super) fn quadratic(
        &self,
        node: usize,
        leaf: &Quadratic,
        ranges: &Ranges,
    ) -> Result<(), CoverError> {
        let mut roots = vec![0i64; self.b.len()];
        let mut next = 0;
        for &(item, root) in &leaf.roots {
            let slot = roots.get_mut(item).ok_or(CoverError::NoSuchItem { node, item })?;
            if item < next || root < 1 {
                return Err(CoverError::Root { node, item });
            }
            next = item + 1;
            *slot = root;
        }
        let r = self.relax(node, &leaf.quadratic, leaf.times, &roots, ranges)?;
        let kappa: BigInt = (&self.t * leaf.kappa).div_floor(&(&self.q << KAPPA));
        if !kappa.is_positive() {
            return Err(CoverError::Kappa { node });
        }
        let open = || CoverError::NotDefinite { node };
        let rows = self.matrix(leaf, &kappa, &r.h, &r.square, &r.products).ok_or_else(open)?;
        let slack = i128::try_from(leaf.roots.len()).map_err(|_| open())?;
        if is_semidefinite(&rows, slack) { Ok(()) } else { Err(open()) }
    }

    /// The lower triangle of the scaled matrix; `None` if `s < 0` or an entry is out of range.
    fn matrix(
        &self,
        leaf: &Quadratic,
        kappa: &BigInt,
        h: &BigInt,
        square: &BigInt,
        products: &[BigInt],
    ) -> Option<Vec<Vec<i128>>> {
        let gram = self.rounded.get_or_init(|| self.rounded_gram()).as_ref()?;
        // (unit_x/unit_z)² = rn/rd; s = h/q − κ in units of unit_a·unit_z.
        let (rn, rd) = (&self.finer * &self.finer, &self.scale_h);
        let rest = h - &self.q * kappa;
        if rest.is_negative() {
            return None;
        }
        // Divides row 0 by 2^half, about √s.
        let half = usize::try_from((&rest / &self.q).bits() / 2).ok()?;
        let corner: BigInt = (kappa * &rest * rd * 4 - &self.q * square * &rn) << SCALE;
        let corner = corner.div_floor(&((&self.q * rd * 4) << (2 * half))).to_i128()?;
        let mut rows = Vec::with_capacity(leaf.roots.len() + 1);
        rows.push(vec![corner]);
        let squares: Option<Vec<i128>> =
            leaf.roots.iter().map(|(_, d)| i128::from(*d).checked_mul(i128::from(*d))).collect();
        let squares = squares?.into_iter().try_fold(0i128, i128::checked_add)?;
        // κ minus ½ Σ d², rounded down.
        let diagonal = (kappa << SCALE).to_i128()?.checked_sub(squares.checked_add(1)? / 2)?;
        let divisor: BigInt = rd << (half + 1);
        for (k, &(i, d)) in leaf.roots.iter().enumerate() {
            let mut row = Vec::with_capacity(k + 2);
            let first: BigInt = (products.get(i)? * &rn * -d) << SCALE;
            row.push(nearest(&first, &divisor).to_i128()?);
            let own = gram.get(i)?;
            for &(j, other) in leaf.roots.get(..=k)? {
                let weight = i128::from(d).checked_mul(i128::from(other))?;
                let product = own.get(j)?.checked_mul(weight)?;
                let on = if i == j { diagonal } else { 0 };
                row.push(on.checked_sub(product)?);
            }
            rows.push(row);
        }
        Some(rows)
    }

    fn rounded_gram(&self) -> Rounded {
        let factor = (&self.finer * &self.finer) << SCALE;
        let entry = |product: BigInt| nearest(&(product * &factor), &self.scale_h).to_i128();
        let row = |row: &IntVec| row.to_vec().into_iter().map(entry).collect();
        self.gram.iter().map(row).collect()
    }
}

/// The integer nearest to `n/d`, `d > 0`.
fn nearest(n: &BigInt, d: &BigInt) -> BigInt {
    (n * 2i32 + d).div_floor(&(d * 2i32))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The slack allows for half a unit, not for one.
    #[test]
    fn nearest_is_half_a_unit_away_at_most() {
        for d in 1i64..=9 {
            for n in -40i64..=40 {
                let m = nearest(&n.into(), &d.into());
                let away = (m * d - n) * 2;
                assert!(away <= d.into() && away >= (-d).into(), "{n}/{d}");
            }
        }
    }
}
