//! Bounded-variable least squares: minimise `|Σ_i β_i x_i|` subject to `lo_i ≤ β_i ≤ hi_i`.
//!
//! Only the Gram matrix `G_ij = x_i·x_j` enters. The method is cyclic coordinate descent, which is
//! cheap and identifies the active bounds, with Newton steps on the coordinates strictly inside
//! their bounds, which are exact once the active bounds are right. Starting from the solution of
//! a similar problem costs a few sweeps.

/// Added to the diagonal (relative to it) before a factorisation: the `x_i` of free coordinates
/// are often dependent.
const RIDGE: f64 = 1e-12;
/// Smallest relative pivot that a factorisation accepts.
const PIVOT: f64 = 1e-14;

/// `Σ_i u_i v_i`, in four partial sums so that it vectorises.
pub fn dot(u: &[f64], v: &[f64]) -> f64 {
    let (a, b) = (u.chunks_exact(4), v.chunks_exact(4));
    let tail: f64 = a.remainder().iter().zip(b.remainder()).map(|(x, y)| x * y).sum();
    let mut sum = [0.0; 4];
    for (x, y) in a.zip(b) {
        for k in 0..4 {
            sum[k] += x[k] * y[k];
        }
    }
    sum[0] + sum[1] + sum[2] + sum[3] + tail
}

/// `y += a·x`.
pub fn axpy(y: &mut [f64], a: f64, x: &[f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}

/// Gram matrix of `n` vectors.
#[derive(Clone, Debug)]
pub struct Gram {
    n: usize,
    entries: Vec<f64>,
    /// `1/G_ii`, 0 for zero vectors: their coefficients stay where they are.
    inverse_diagonal: Vec<f64>,
}

impl Gram {
    /// The Gram matrix of the `n` rows of `vectors`, each of length `dim`.
    pub fn new(vectors: &[f64], n: usize, dim: usize) -> Self {
        let row = |i: usize| &vectors[i * dim..(i + 1) * dim];
        let mut entries = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let product = dot(row(i), row(j));
                entries[i * n + j] = product;
                entries[j * n + i] = product;
            }
        }
        let inverse =
            |i: usize| if entries[i * n + i] > 0.0 { 1.0 / entries[i * n + i] } else { 0.0 };
        Self { n, inverse_diagonal: (0..n).map(inverse).collect(), entries }
    }

    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Whether there are no vectors.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// `x_i·x_j` for all `j`.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.entries[i * self.n..(i + 1) * self.n]
    }

    /// `x_i·Σ_j β_j x_j` for all `i`.
    fn product(&self, beta: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (j, &b) in beta.iter().enumerate() {
            if b != 0.0 {
                axpy(out, b, self.row(j));
            }
        }
    }
}

/// When [`BoxLs::solve`] may stop.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Most sweeps over all coordinates.
    pub sweeps: usize,
    /// A sweep that lowers `|vec|²` by less than this fraction ends the solve.
    pub tolerance: f64,
    /// Sweeps between two Newton steps.
    pub newton_every: usize,
}

impl Effort {
    /// Solves to about the accuracy of the arithmetic: a step of `1e-13|vec|` lowers `|vec|²` by
    /// a fraction of 1e-26.
    pub const ACCURATE: Self = Self { sweeps: 400, tolerance: 1e-26, newton_every: 2 };
}

/// A problem on a given Gram matrix, its current point and the space to solve it.
#[derive(Clone, Debug)]
pub struct BoxLs {
    /// The point `β`; a start before, the solution after [`Self::solve`].
    pub beta: Vec<f64>,
    /// Lower bounds, `−∞` allowed.
    pub lo: Vec<f64>,
    /// Upper bounds, `∞` allowed; `lo ≤ hi`.
    pub hi: Vec<f64>,
    /// `x_i·vec` with `vec = Σ β_j x_j`: half the gradient of `|vec|²`.
    pub gradient: Vec<f64>,
    movable: Vec<usize>,
    inner: Vec<usize>,
    factor: Vec<f64>,
    step: Vec<f64>,
}

impl BoxLs {
    /// Space for `n` coefficients, all fixed at 0.
    pub fn new(n: usize) -> Self {
        Self {
            beta: vec![0.0; n],
            lo: vec![0.0; n],
            hi: vec![0.0; n],
            gradient: vec![0.0; n],
            movable: Vec::with_capacity(n),
            inner: Vec::with_capacity(n),
            factor: Vec::new(),
            step: Vec::with_capacity(n),
        }
    }

    /// Moves `β` into the box and then downhill; returns `|vec|`. Stops early once `|vec| ≤ target`.
    pub fn solve(&mut self, gram: &Gram, effort: Effort, target: f64) -> f64 {
        self.movable.clear();
        for i in 0..gram.len() {
            // Not `clamp`, which panics on NaN.
            self.beta[i] = self.beta[i].max(self.lo[i]).min(self.hi[i]);
            if self.lo[i] < self.hi[i] && gram.inverse_diagonal[i] > 0.0 {
                self.movable.push(i);
            }
        }
        gram.product(&self.beta, &mut self.gradient);
        let mut square = self.square();
        let enough = if target > 0.0 { target * target } else { 0.0 };
        for sweep in 1..=effort.sweeps {
            if square <= enough {
                square = self.square();
                if square <= enough {
                    break;
                }
            }
            let decrease = self.sweep(gram);
            square -= decrease;
            if decrease <= effort.tolerance * square {
                break;
            }
            if sweep % effort.newton_every == 0 {
                self.newton(gram);
                square = self.square();
            }
        }
        self.square().sqrt()
    }

    fn square(&self) -> f64 {
        dot(&self.beta, &self.gradient).max(0.0)
    }

    /// Minimises over one coordinate after the other; returns the decrease of `|vec|²`.
    fn sweep(&mut self, gram: &Gram) -> f64 {
        let mut decrease = 0.0;
        for &j in &self.movable {
            let best = self.beta[j] - self.gradient[j] * gram.inverse_diagonal[j];
            let best = best.max(self.lo[j]).min(self.hi[j]);
            let d = best - self.beta[j];
            if d != 0.0 {
                decrease -= d * (2.0 * self.gradient[j] + d * gram.row(j)[j]);
                self.beta[j] = best;
                axpy(&mut self.gradient, d, gram.row(j));
            }
        }
        decrease
    }

    /// Goes to the minimum over the coordinates inside their bounds, or until one meets its bound,
    /// and on from there without it.
    fn newton(&mut self, gram: &Gram) {
        let inside = |&j: &usize| self.lo[j] < self.beta[j] && self.beta[j] < self.hi[j];
        self.inner.clear();
        self.inner.extend(self.movable.iter().copied().filter(inside));
        // Three bounds at a time: more would be undone by the sweeps that follow.
        for _ in 0..3 {
            if self.inner.is_empty() || !self.newton_step(gram) {
                return;
            }
        }
    }

    /// One step of [`Self::newton`]; whether a bound stopped it.
    fn newton_step(&mut self, gram: &Gram) -> bool {
        let m = self.inner.len();
        self.factor.resize(m * m, 0.0);
        for (r, &i) in self.inner.iter().enumerate() {
            let row = gram.row(i);
            for (c, &j) in self.inner.iter().enumerate().take(r + 1) {
                self.factor[r * m + c] = row[j];
            }
            self.factor[r * m + r] *= 1.0 + RIDGE;
        }
        if !cholesky(&mut self.factor, m) {
            return false;
        }
        self.step.clear();
        self.step.extend(self.inner.iter().map(|&j| -self.gradient[j]));
        solve_factored(&self.factor, &mut self.step);
        // The longest part of the step that stays inside, and the bound that ends it.
        let (mut length, mut stop) = (1.0, None);
        for (k, (&j, &d)) in self.inner.iter().zip(&self.step).enumerate() {
            let bound = if d > 0.0 { self.hi[j] } else { self.lo[j] };
            let room = (bound - self.beta[j]) / d;
            if d != 0.0 && room < length {
                (length, stop) = (room.max(0.0), Some((k, bound)));
            }
        }
        for (&j, &d) in self.inner.iter().zip(&self.step) {
            let new = (self.beta[j] + length * d).max(self.lo[j]).min(self.hi[j]);
            axpy(&mut self.gradient, new - self.beta[j], gram.row(j));
            self.beta[j] = new;
        }
        let Some((k, bound)) = stop else { return false };
        let j = self.inner.remove(k);
        axpy(&mut self.gradient, bound - self.beta[j], gram.row(j));
        self.beta[j] = bound;
        true
    }
}

/// Replaces the lower triangle of an `m × m` matrix by its Cholesky factor; false if a pivot is
/// too small.
pub(crate) fn cholesky(a: &mut [f64], m: usize) -> bool {
    for i in 0..m {
        let (above, row) = a.split_at_mut(i * m);
        let scale = row[i];
        for j in 0..i {
            let other = &above[j * m..j * m + j + 1];
            row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
        }
        let pivot = scale - dot(&row[..i], &row[..i]);
        if pivot.is_nan() || pivot <= PIVOT * scale {
            return false;
        }
        row[i] = pivot.sqrt();
    }
    true
}

/// Solves `L Lᵀ y = y` in place.
pub(crate) fn solve_factored(factor: &[f64], y: &mut [f64]) {
    let m = y.len();
    for i in 0..m {
        let row = &factor[i * m..i * m + i + 1];
        y[i] = (y[i] - dot(&row[..i], &y[..i])) / row[i];
    }
    for i in (0..m).rev() {
        let row = &factor[i * m..i * m + i + 1];
        y[i] /= row[i];
        let value = y[i];
        axpy(&mut y[..i], -value, &row[..i]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// At the solution no coordinate can lower the length: the optimality conditions.
        #[test]
        fn meets_the_optimality_conditions(
            vectors in prop::collection::vec(-1.0..1.0f64, 24),
            dim in 2usize..=4,
            low in prop::collection::vec(-2.0..1.0f64, 12),
            width in prop::collection::vec(0.0..2.0f64, 12),
        ) {
            let n = vectors.len() / dim;
            let gram = Gram::new(&vectors, n, dim);
            let mut ls = BoxLs::new(n);
            for i in 0..n {
                ls.lo[i] = low[i];
                ls.hi[i] = if i % 4 == 3 { f64::INFINITY } else { low[i] + width[i] };
            }
            let length = ls.solve(&gram, Effort::ACCURATE, 0.0);
            prop_assert!(length.is_finite());
            for i in 0..n {
                prop_assert!(ls.lo[i] <= ls.beta[i] && ls.beta[i] <= ls.hi[i]);
                let slope = ls.gradient[i];
                prop_assert!(slope > -1e-7 || ls.beta[i] == ls.hi[i], "{i}: {slope}");
                prop_assert!(slope < 1e-7 || ls.beta[i] == ls.lo[i], "{i}: {slope}");
            }
        }
    }

    #[test]
    fn stops_at_the_target() {
        let gram = Gram::new(&[1.0, 0.0, 0.0, 1.0], 2, 2);
        let mut ls = BoxLs::new(2);
        ls.lo = vec![-5.0, 3.0];
        ls.hi = vec![5.0, 4.0];
        ls.beta = vec![4.0, 4.0];
        assert_eq!(ls.solve(&gram, Effort::ACCURATE, 6.0), 32.0f64.sqrt());
        assert_eq!(ls.solve(&gram, Effort::ACCURATE, 0.0), 3.0);
    }
}
