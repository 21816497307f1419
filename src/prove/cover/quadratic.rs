//! Quadratic leaves: parabolas over the open convex items, and the largest value of the quadratic
//! that results on the sphere.
//!
//! On `[l, h]`, with `m = min(h, −l)`, `max(0, z)` lies below parabolas `βz² + sz + γ` that touch it at
//! `±t` where `t < m` (`β = 1/(4t)`, `s = ½`), else at the far side's `t` and at the near end. Which `t`
//! is best depends on where the quadratic is largest: the sums of the `z_i²` there, averaged over
//! the steps (fictitious play between the parabolas and the sphere), give the next `t_i²`.
//!
//! The largest value of `vec·w + wᵀQw` for unit `w` is `min_κ κ + ¼vecᵀ(κI − Q)⁻¹vec` over `κI ≻ Q`
//! (J. J. Moré, D. C. Sorensen, *Computing a trust region step*, SIAM J. Sci. Stat. Comput. 4
//! (1983)); with `C_ij = d_i d_j x̂_i·x̂_j` and `p_i = d_i x̂_i·vec` that is
//! `κ + (|vec|² + pᵀ(κI − C)⁻¹p)/(4κ)`, so only a matrix of the size of the open items is factored.
use super::items::{Items, State};
use super::rounding::Grid;
use crate::numeric::box_ls::{BoxLs, cholesky, dot, solve_factored};
use maxmargin_kernel::proof::cover::{Node, Quadratic};

/// Parabolas are chosen again at most this often.
const STEPS: usize = 3;
/// Part of its mean square that a parabola keeps at each step.
const KEEP: f64 = 0.3;
/// The leaf is given up if this many steps as good as the last would not close it.
const HOPE: f64 = 3.0;
/// Newton steps for κ.
const NEWTON: usize = 6;
/// Where Newton's method may stop: any κ gives a bound, this close to the best a good one.
const CENTRED: f64 = 0.03;
/// Parts of `T` in which the kernel is given κ.
const PARTS: f64 = (1u64 << 20) as f64;
/// Relative room for the kernel's rounding.
const ROOM: f64 = 1e-10;

/// Space for one leaf.
#[derive(Default)]
pub(super) struct Parabolas {
    open: Vec<usize>,
    /// Mean square of `z_i`, the point where the parabola touches.
    square: Vec<f64>,
    root: Vec<f64>,
    shift: Vec<f64>,
    /// `x̂_i·x̂_j` of open items.
    gram: Vec<f64>,
    projection: Vec<f64>,
    c: Vec<f64>,
    p: Vec<f64>,
    y: Vec<f64>,
    half: Vec<f64>,
    factor: Vec<f64>,
    beta: Vec<f64>,
    roots: Vec<i64>,
}

/// A maximum over the sphere.
struct Peak {
    value: f64,
    kappa: f64,
}

impl Items<'_> {
    /// A quadratic leaf that closes the node, near the relaxation in `ls` with constant `constant`;
    /// `None` if none was found.
    pub(super) fn quadratic(
        &self,
        state: &State,
        ls: &BoxLs,
        constant: f64,
        margin: f64,
        grid: &mut Grid,
        s: &mut Parabolas,
    ) -> Option<Node> {
        s.open.clear();
        s.open.extend((0..self.len()).filter(|&i| self.can_split(state, i)));
        let m = s.open.len();
        if m == 0 {
            return None;
        }
        s.gram.clear();
        for &i in &s.open {
            let row = self.gram.row(i);
            s.gram.extend(s.open.iter().map(|&j| row[j]));
        }
        s.square.clear();
        s.square.extend(s.open.iter().map(|&i| {
            let (l, h) = self.range(state, i);
            (l * l).max(h * h)
        }));
        let square = dot(&ls.beta, &ls.gradient).max(0.0);
        let mut last = f64::NEG_INFINITY;
        for step in 0..=STEPS {
            // Parabolas on the grid, and what they change.
            s.roots.clear();
            s.root.clear();
            s.shift.clear();
            let mut k = constant;
            for (&i, &e) in s.open.iter().zip(&s.square) {
                let (l, h) = self.range(state, i);
                let bend = self.c[i] * (1.0 - self.alpha);
                let unit = self.root_unit(i);
                let root = (bend * steepness(l, h, e.sqrt())).sqrt() / unit;
                let root = two_digits(root.min(1e9));
                let beta = (root * unit) * (root * unit);
                let (slope, gamma) = parabola(l, h, beta / bend);
                let (secant, secant_k) = self.secant(i, state.low[i], state.high[i]);
                s.roots.push(root as i64);
                s.root.push(root * unit);
                s.shift.push(if root > 0.0 {
                    self.alpha * self.c[i] + bend * slope - secant
                } else {
                    0.0
                });
                k += if root > 0.0 { bend * gamma - secant_k } else { 0.0 };
            }
            // vec changes by Σ shift_i x̂_i.
            let mut length = square;
            s.projection.clear();
            for (a, &i) in s.open.iter().enumerate() {
                let moved = dot(&s.gram[a * m..(a + 1) * m], &s.shift);
                s.projection.push(ls.gradient[i] + moved);
                length += s.shift[a] * (2.0 * ls.gradient[i] + moved);
            }
            s.matrix();
            let peak = s.peak(length.max(0.0), None)?;
            let slack = self.t - k - peak.value;
            if slack > margin {
                s.beta.clear();
                s.beta.extend_from_slice(&ls.beta);
                for (&i, shift) in s.open.iter().zip(&s.shift) {
                    s.beta[i] += shift;
                }
                return self.quadratic_leaf(state, peak.kappa, slack, grid, s);
            }
            if step > 0 && slack + HOPE * (slack - last).max(0.0) < 0.0 {
                break;
            }
            last = slack;
            for ((e, y), d) in s.square.iter_mut().zip(&s.y).zip(&s.root) {
                if *d > 0.0 {
                    let z = y / d;
                    *e = KEEP * *e + (1.0 - KEEP) * z * z;
                }
            }
        }
        None
    }

    /// Rounds coefficients to the coarsest grid on which the leaf still closes.
    fn quadratic_leaf(
        &self,
        state: &State,
        kappa: f64,
        slack: f64,
        grid: &mut Grid,
        s: &mut Parabolas,
    ) -> Option<Node> {
        // Up a little, where the value is flat and the matrix safer.
        let parts = (kappa / self.t * PARTS * (1.0 + 1e-5)).ceil();
        let kappa = parts / PARTS * self.t;
        let mut step = self.step(slack);
        loop {
            self.round(state, &s.beta, step, &mut grid.a);
            let mut roots = s.open.iter().zip(&s.roots).map(|(i, d)| (*i, *d)).peekable();
            let with = |i: usize| roots.next_if(|(at, _)| *at == i).map_or(0, |(_, d)| d);
            let r = self.evaluate_with(state, &grid.a, with, &mut grid.vec);
            s.projection.clear();
            s.projection.extend(s.open.iter().map(|&i| dot(self.unit(i), &grid.vec)));
            let fits = s.peak(r.length * r.length, Some(kappa)).is_some_and(|peak| {
                let bound = peak.value + r.constant + 2.0 * r.error + ROOM * self.t;
                bound <= self.t - 2.0 * self.unit_k
            });
            if fits {
                let (quadratic, times) = self.expand(&grid.a);
                let named = s.open.iter().zip(&s.roots).filter(|(_, d)| **d > 0);
                let roots = named.map(|(i, d)| (self.index[*i], *d)).collect();
                let kappa = parts as i64;
                return Some(Node::Quadratic(Quadratic { quadratic, times, roots, kappa }));
            }
            if step == 1 {
                return None;
            }
            step /= 10;
        }
    }

    fn range(&self, state: &State, i: usize) -> (f64, f64) {
        (state.low[i] as f64 * self.grid_z[i], state.high[i] as f64 * self.grid_z[i])
    }

    /// One unit of `d_i`: the root of a unit of coefficients over one of ranges.
    fn root_unit(&self, i: usize) -> f64 {
        (self.grid_a[i] / self.grid_z[i]).sqrt()
    }
}

impl Parabolas {
    /// `C = D G D`.
    fn matrix(&mut self) {
        let m = self.open.len();
        self.c.clear();
        for (a, d) in self.root.iter().enumerate() {
            let row = &self.gram[a * m..(a + 1) * m];
            self.c.extend(row.iter().zip(&self.root).map(|(g, e)| g * d * e));
        }
    }

    /// The largest value of the quadratic; at the given κ only a bound. Leaves `d_i x̂_i·w` in `y`.
    fn peak(&mut self, square: f64, given: Option<f64>) -> Option<Peak> {
        let m = self.open.len();
        self.p.clear();
        self.p.extend(self.projection.iter().zip(&self.root).map(|(z, d)| z * d));
        let length = square.sqrt();
        // Exact if vec is an eigenvector: vecᵀQvec/|vec|² + |vec|/2.
        let along = dot(&self.p, &self.p) / square.max(1e-300);
        let mut kappa = given.unwrap_or(along + 0.5 * length);
        let mut least = 0.0f64;
        let mut best: Option<Peak> = None;
        for _ in 0..NEWTON {
            self.factor.clear();
            self.factor.extend(self.c.iter().map(|c| -c));
            for a in 0..m {
                self.factor[a * m + a] += kappa;
            }
            if !cholesky(&mut self.factor, m) {
                if given.is_some() {
                    return None;
                }
                least = least.max(kappa);
                kappa *= 1.25;
                continue;
            }
            self.half.clear();
            self.half.extend_from_slice(&self.p);
            solve_factored(&self.factor, &mut self.half);
            // half = (κ − C)⁻¹p = 2 d_i x̂_i·r; |2r|² from 2κr = vec + Q·2r.
            let inner = dot(&self.p, &self.half);
            let value = kappa + (square + inner) / (4.0 * kappa);
            // κ²|2r|² = |vec|² + 2 p·half + halfᵀC half, and C half = κ half − p.
            let norm2 = (square + inner + kappa * dot(&self.half, &self.half)) / (kappa * kappa);
            if best.as_ref().is_none_or(|b| value < b.value) {
                best = Some(Peak { value, kappa });
                self.y.clear();
                self.y.extend(self.half.iter().map(|v| 0.5 * v));
            }
            if given.is_some() {
                break;
            }
            // The best κ has |r| = 1.
            let r = norm2.sqrt() / 2.0;
            if (r - 1.0).abs() < CENTRED {
                break;
            }
            // d(½|2r|²)/dκ = −2r·M⁻¹·2r: solve once more, in the span.
            // vᵀM⁻¹v for v = 2r: (|v|² + qᵀ(κ − C)⁻¹q)/κ with q = d_i x̂_i·v = half.
            let mut again = std::mem::take(&mut self.projection);
            again.clear();
            again.extend_from_slice(&self.half);
            solve_factored(&self.factor, &mut again);
            let curved = (norm2 + dot(&again, &self.half)) / kappa;
            self.projection = again;
            // Newton for 1/|r| = 1, as Moré and Sorensen.
            let next = kappa + (r - 1.0) * norm2 / curved;
            kappa = if next > least { next } else { 0.5 * (kappa + least) };
        }
        best
    }
}

/// Rounded to an integer of two significant digits.
fn two_digits(value: f64) -> f64 {
    let unit = 10f64.powi((value.max(1.0).log10().floor() as i32 - 1).max(0));
    (value / unit).round() * unit
}

/// `β` of the parabola above `max(0, z)` on `[l, h]` that touches at `±t`, or nearly.
fn steepness(l: f64, h: f64, t: f64) -> f64 {
    let near = h.min(-l);
    if t < near { 0.25 / t } else { near / ((near + t) * (near + t)) }
}

/// Slope and constant of the parabola with this `β`.
fn parabola(l: f64, h: f64, beta: f64) -> (f64, f64) {
    let near = h.min(-l);
    let t = 0.25 / beta;
    if t < near {
        return (0.5, 0.25 * t);
    }
    let t = (near / beta).sqrt() - near;
    let up = 2.0 * beta * t;
    (if h <= -l { up } else { 1.0 - up }, beta * t * t)
}
