//! The instance as the search sees it: unit vectors, `T` near 1, coefficients and ranges in
//! integers beside their values.
use super::units::FloatUnits;
use super::{Direction, Instance};
use crate::numeric::box_ls::{BoxLs, Gram, axpy, dot};

/// Rounding error of one operation.
pub(super) const EPS: f64 = f64::EPSILON;

/// A direction counts as in the cone if it leaves no half-space by more than this angle.
pub(super) const CONE: f64 = 1e-8;

/// Scaled items. With `S = scale`, item `i` is the unit vector `x̂_i` with `c_i = b_i|x_i|/S`, and
/// `s·g(w)/S = Σ c_i σ(w·x̂_i)`. A coefficient `a_i` of the tree stands for `β_i = a_i|x_i|/S`.
/// Items that are zero vectors are left out.
pub(super) struct Items<'a> {
    pub(super) instance: &'a Instance,
    /// Position of each item in the instance.
    pub(super) index: Vec<usize>,
    pub(super) length: Vec<f64>,
    /// Row by row, in coordinates of the items' span if that is shorter.
    unit: Vec<f64>,
    pub(super) dim: usize,
    pub(super) gram: Gram,
    pub(super) c: Vec<f64>,
    /// `b_i` in units of a.
    pub(super) b: Vec<i64>,
    /// `β_i` of one unit of a.
    pub(super) grid_a: Vec<f64>,
    /// One unit of z in units of `|x_i|`.
    pub(super) grid_z: Vec<f64>,
    /// `τ/S·|x_i|` of one unit of τ is this over `|x_i|`.
    pub(super) unit_tau: f64,
    /// One unit of a times one unit of z, over S.
    pub(super) unit_k: f64,
    pub(super) scale: f64,
    /// `T/S`.
    pub(super) t: f64,
    pub(super) alpha: f64,
}

/// Ranges at a node, in units of z, and the coefficients to start from.
#[derive(Clone)]
pub(super) struct State {
    pub(super) low: Vec<i64>,
    pub(super) high: Vec<i64>,
    pub(super) beta: Vec<f64>,
}

/// A relaxation on the grid: what the kernel will compute from integer coefficients.
pub(super) struct Rounded {
    /// Length of `vec`.
    pub(super) length: f64,
    /// Constant `K`.
    pub(super) constant: f64,
    /// Bound on the rounding error of `length + constant`.
    pub(super) error: f64,
}

impl<'a> Items<'a> {
    pub(super) fn new(instance: &'a Instance, t: f64, units: FloatUnits) -> Self {
        let lengths: Vec<f64> = instance.x.iter().map(|x| norm(x)).collect();
        let index: Vec<usize> = (0..lengths.len()).filter(|&i| lengths[i] > 0.0).collect();
        let length: Vec<f64> = index.iter().map(|&i| lengths[i]).collect();
        let (n, width) = (index.len(), instance.x.first().map_or(0, Vec::len));
        let rows = index.iter().zip(&length);
        let mut unit: Vec<f64> =
            rows.flat_map(|(&i, &l)| instance.x[i].iter().map(move |v| v / l)).collect();
        let mut dim = width;
        if width > n {
            (unit, dim) = span_coordinates(&unit, n, width);
        }
        let b: Vec<f64> = index.iter().map(|&i| instance.b[i]).collect();
        let weights = b.iter().zip(&length).map(|(b, l)| b.abs() * l);
        let scale = if t > 0.0 { t } else { weights.fold(f64::MIN_POSITIVE, f64::max) };
        let unit_a = units.unit_a();
        Self {
            instance,
            gram: Gram::new(&unit, n, dim),
            unit,
            dim,
            c: b.iter().zip(&length).map(|(b, l)| b * l / scale).collect(),
            // Saturates; b is a multiple of the unit, within 63 bits, or nothing would fit.
            b: b.iter().map(|b| (b / unit_a).round() as i64).collect(),
            grid_a: length.iter().map(|l| unit_a * l / scale).collect(),
            grid_z: length.iter().map(|l| units.unit_z() / l).collect(),
            unit_tau: units.unit_tau() * scale,
            unit_k: unit_a / scale * units.unit_z(),
            scale,
            t: t / scale,
            alpha: instance.alpha,
            index,
            length,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn unit(&self, i: usize) -> &[f64] {
        &self.unit[i * self.dim..(i + 1) * self.dim]
    }

    /// The ranges that the kernel starts from, or slightly wider ones.
    pub(super) fn root(&self) -> State {
        let slack = 1.0 + (self.instance.x.first().map_or(0, Vec::len) + 8) as f64 * EPS;
        let ends = self.grid_z.iter().map(|g| (slack / g).ceil() as i64);
        let mut high: Vec<i64> = ends.collect();
        let mut low: Vec<i64> = high.iter().map(|h| -h).collect();
        for (k, &i) in self.index.iter().enumerate() {
            match self.instance.fixed[i] {
                Some(true) => low[k] = 0,
                Some(false) => high[k] = 0,
                None => {}
            }
        }
        State { low, high, beta: vec![0.0; self.len()] }
    }

    /// Whether the sign of item `i` is open and matters.
    pub(super) fn is_open(&self, state: &State, i: usize) -> bool {
        state.low[i] < 0 && state.high[i] > 0
    }

    /// Whether a split on item `i` could help: σ bends there and `b_i > 0`.
    pub(super) fn can_split(&self, state: &State, i: usize) -> bool {
        self.c[i] > 0.0 && self.alpha < 1.0 && self.is_open(state, i)
    }

    /// Sets the box of `β` for which the constants `k_i` of these ranges are at most those of the
    /// secants, and the start. Returns `Σ k_i`.
    ///
    /// `k_i = max b_iσ(z) − a_i z` is 0 for any `a` where `z = 0`, for `a ≥ b` where `z ≥ 0`, for `a ≤ αb` where `z ≤ 0`, for
    /// `b ≤ a ≤ αb` (so `b ≤ 0`) where both occur; with `b > 0` it is least at the secant's slope.
    pub(super) fn relax(&self, state: &State, ls: &mut BoxLs) -> f64 {
        let mut constant = 0.0;
        for i in 0..self.len() {
            let c = self.c[i];
            (ls.lo[i], ls.hi[i]) = if state.low[i] >= 0 && state.high[i] <= 0 {
                (f64::NEG_INFINITY, f64::INFINITY)
            } else if state.low[i] >= 0 {
                (c, f64::INFINITY)
            } else if state.high[i] <= 0 {
                (f64::NEG_INFINITY, self.alpha * c)
            } else if c <= 0.0 {
                (c, self.alpha * c)
            } else {
                let (slope, k) = self.secant(i, state.low[i], state.high[i]);
                constant += k;
                (slope, slope)
            };
        }
        ls.beta.copy_from_slice(&state.beta);
        constant
    }

    /// Slope and constant of the secant of `cσ` on an open range.
    pub(super) fn secant(&self, i: usize, low: i64, high: i64) -> (f64, f64) {
        let (l, h) = (low as f64, high as f64);
        let slope = self.c[i] * (h - self.alpha * l) / (h - l);
        let k = -self.c[i] * (1.0 - self.alpha) * l * h / (h - l) * self.grid_z[i];
        (slope, k)
    }

    /// Evaluates integer coefficients as the kernel does; `vec` receives `Σ β_i x̂_i`.
    pub(super) fn evaluate(&self, state: &State, a: &[i64], vec: &mut Vec<f64>) -> Rounded {
        self.evaluate_with(state, a, |_| 0, vec)
    }

    /// The same with parabolas: `root` is called for every item in order.
    pub(super) fn evaluate_with(
        &self,
        state: &State,
        a: &[i64],
        mut root: impl FnMut(usize) -> i64,
        vec: &mut Vec<f64>,
    ) -> Rounded {
        vec.clear();
        vec.resize(self.dim, 0.0);
        let (mut constant, mut size, mut sum) = (0.0, 0.0, 0.0);
        for i in 0..self.len() {
            let beta = a[i] as f64 * self.grid_a[i];
            sum += beta.abs();
            if beta != 0.0 {
                axpy(vec, beta, self.unit(i));
            }
            let (a, b) = (a[i], self.b[i]);
            let slope_up = b.saturating_sub(a) as f64;
            let slope_down = self.alpha * b as f64 - a as f64;
            let curve = (root(i) as f64).powi(2);
            let (low, high) = (state.low[i] as f64, state.high[i] as f64);
            let value = |z: f64| ((if z > 0.0 { slope_up } else { slope_down }) - curve * z) * z;
            let mut k = value(low).max(value(high));
            if self.is_open(state, i) {
                k = k.max(0.0);
            }
            for (c, from, to) in [(slope_up, low.max(0.0), high), (slope_down, low, high.min(0.0))]
            {
                if 2.0 * curve * from < c && c < 2.0 * curve * to {
                    k = k.max(c * c / (4.0 * curve) + 1.0);
                }
            }
            constant += k;
            let widest = low.abs().max(high.abs());
            // α itself is rounded, so the term αb counts; a slope of exactly 0 is exact.
            if k != 0.0 {
                size += k.abs() + (b as f64).abs() * widest;
            }
        }
        let steps = (self.len() + self.dim + 16) as f64;
        Rounded {
            length: dot(vec, vec).sqrt(),
            constant: constant * self.unit_k,
            error: 2.0 * EPS * steps * (sum + size * self.unit_k),
        }
    }

    /// `s·g(w)/S` from the projections `w·x̂_i`.
    pub(super) fn value(&self, z: impl Iterator<Item = f64>) -> f64 {
        let sigma = |z: f64| if z > 0.0 { z } else { self.alpha * z };
        self.c.iter().zip(z).map(|(c, z)| c * sigma(z)).sum()
    }

    /// What leaving the cone may have added to the value at `w`, the direction of optimal
    /// coefficients; infinite if it leaves a half-space by more than `most`.
    pub(super) fn trespass(&self, beta: &[f64], w: &[f64], most: f64) -> f64 {
        let mut sum = 0.0;
        for (k, &i) in self.index.iter().enumerate() {
            let Some(up) = self.instance.fixed[i] else { continue };
            let z = dot(&self.instance.x[i], w) / self.length[k];
            let outside = if up { -z } else { z };
            if outside > most {
                return f64::INFINITY;
            }
            sum += outside.max(0.0) * (beta[k].abs() + self.c[k].abs());
        }
        sum
    }

    /// `w·x̂_i` for all items.
    pub(super) fn projections(&self, w: &[f64]) -> Vec<f64> {
        let items = self.index.iter().zip(&self.length);
        items.map(|(&i, l)| dot(&self.instance.x[i], w) / l).collect()
    }

    /// The unit vector along `Σ β_i x̂_i` in the instance's coordinates, with its value there.
    pub(super) fn direction(&self, beta: &[f64]) -> Direction {
        let width = self.instance.x.first().map_or(0, Vec::len);
        let mut w = vec![0.0; width];
        for ((&i, &l), &b) in self.index.iter().zip(&self.length).zip(beta) {
            // The quotient could underflow for long samples: scale each entry.
            for (w, x) in w.iter_mut().zip(&self.instance.x[i]) {
                *w += b * (x / l);
            }
        }
        let length = norm(&w);
        if length > 0.0 {
            w.iter_mut().for_each(|v| *v /= length);
        }
        let value = self.instance.value(&w);
        Direction { w, value }
    }
}

/// Euclidean length without overflow.
pub(super) fn norm(x: &[f64]) -> f64 {
    let largest = x.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    if largest == 0.0 {
        return 0.0;
    }
    x.iter().map(|v| (v / largest) * (v / largest)).sum::<f64>().sqrt() * largest
}

/// Coordinates of the rows in an orthonormal basis of their span: same Gram matrix, shorter rows.
/// Returns them with their length.
fn span_coordinates(rows: &[f64], n: usize, width: usize) -> (Vec<f64>, usize) {
    let mut basis: Vec<Vec<f64>> = Vec::new();
    let mut coordinates = Vec::with_capacity(n);
    for row in rows.chunks_exact(width.max(1)) {
        let mut rest = row.to_vec();
        let mut own = vec![0.0; basis.len()];
        // Twice: the second pass removes what rounding left of the first.
        for _ in 0..2 {
            for (q, c) in basis.iter().zip(&mut own) {
                let part = dot(q, &rest);
                *c += part;
                axpy(&mut rest, -part, q);
            }
        }
        let length = dot(&rest, &rest).sqrt();
        if length > 1e-14 {
            // A short rest may be mostly rounding: make it orthogonal once more.
            rest.iter_mut().for_each(|v| *v /= length);
            for q in &basis {
                let part = dot(q, &rest);
                axpy(&mut rest, -part, q);
            }
            let again = dot(&rest, &rest).sqrt();
            rest.iter_mut().for_each(|v| *v /= again);
            own.push(length * again);
            basis.push(rest);
        }
        coordinates.push(own);
    }
    let dim = basis.len();
    let mut flat = vec![0.0; n * dim];
    for (out, own) in flat.chunks_exact_mut(dim.max(1)).zip(&coordinates) {
        out[..own.len()].copy_from_slice(own);
    }
    (flat, dim)
}
