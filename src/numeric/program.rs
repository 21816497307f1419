//! The restricted convex program of rule 3.7, by its dual.
//!
//! A *piece* is a unit vector space of candidates `u` with sign `s` and, per sample, a concave lower
//! bound of its contribution `s·y_i·σ(u·x_i)`: linear `s·y_i·a·(u·x_i)`, or (for `s·y_i < 0`) the exact
//! `−σ(u·x_i)`. With optional cone rows `τ(u·x_i) ≥ 0` the program
//!
//! ```text
//! min Σ_p |u_p|   s.t.   Σ_p (lower bound of p at i) ≥ 1 for every working sample i
//! ```
//!
//! has the dual `max Σλ` subject to, for every piece,
//! `|Σ_i s y_i a λ_i x_i − Σ_concave m_i x_i + Σ_rows κ τ x_i| ≤ 1`, `αλ_i ≤ m_i ≤ λ_i`, `κ ≥ 0`.
//! The multipliers of the norm constraints are the `u_p`. Coefficient lists of the dual are, up to
//! rounding, the coefficients of a closing leaf.
use super::two_layer::dot;
use crate::budget::Budget;
use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettings, DefaultSolver, IPSolver, SolverStatus, SupportedConeT};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How a piece treats one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// Contribution `s·y·slope·(u·x)`.
    Linear(f64),
    /// Contribution `−σ(u·x)`, for `s·y < 0`.
    Concave,
}

/// One piece; `modes` by sample (all of them), `rows` the cone rows `(sample, τ)`.
#[derive(Clone, Debug)]
pub struct Piece {
    /// `s`, ±1.
    pub sign: f64,
    /// How each sample of the data set is treated.
    pub modes: Vec<Mode>,
    /// Cone rows in force.
    pub rows: Vec<(usize, f64)>,
    /// Inputs the piece may use.
    pub support: Vec<bool>,
}

/// A primal and dual solution.
#[derive(Clone, Debug)]
pub struct Solution {
    /// `λ` per working sample.
    pub lambda: Vec<f64>,
    /// `u` per piece.
    pub u: Vec<Vec<f64>>,
    /// `Σλ` at the optimum: the least cost.
    pub value: f64,
}

/// Largest program that is solved, by [`size`]: it takes about 600 MB.
pub const MAX_SIZE: usize = 12_000_000;

/// How to solve.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Relative and absolute tolerance of the solver.
    pub tolerance: f64,
    /// Upper bound of every `λ_i`, which keeps the dual bounded while the pieces cannot yet
    /// classify the working samples.
    pub cap: Option<f64>,
    /// Time limit.
    pub limit: Option<Duration>,
    /// Ends the solver when it becomes true.
    pub cancel: Option<Arc<AtomicBool>>,
}

impl Settings {
    /// This tolerance, no cap, and the time left in the budget; `None` if none is left.
    pub fn until(tolerance: f64, budget: &Budget) -> Option<Self> {
        let enough = |d: &Duration| *d > Duration::from_millis(5);
        let limit = match budget.deadline {
            Some(at) => Some(at.checked_duration_since(Instant::now()).filter(enough)?),
            None => None,
        };
        let cancel = Some(budget.cancel.clone());
        (!budget.interrupted()).then_some(Self { tolerance, cap: None, limit, cancel })
    }
}

/// About how many numbers the cones' matrix holds: what time and memory grow with.
pub fn size(x: &[Vec<f64>], working: &[usize], pieces: &[Piece]) -> usize {
    let inputs = x.first().map_or(0, Vec::len);
    let mut used: Vec<usize> = working.to_vec();
    used.extend(pieces.iter().flat_map(|p| p.rows.iter().map(|r| r.0)));
    used.sort_unstable();
    used.dedup();
    let columns = |p: &Piece| {
        let in_it = |i: &&usize| p.modes[**i] != Mode::Linear(0.0);
        working.iter().filter(in_it).count() + p.rows.len()
    };
    pieces.iter().map(columns).sum::<usize>() * used.len().min(inputs)
}

/// Solves the program for these working samples. `None` if it is larger than [`MAX_SIZE`], or the
/// solver does not converge in time.
pub fn solve(
    x: &[Vec<f64>],
    y: &[f64],
    alpha: f64,
    working: &[usize],
    pieces: &[Piece],
    settings: &Settings,
) -> Option<Solution> {
    if size(x, working, pieces) > MAX_SIZE {
        return None;
    }
    let frame = Reduced::new(x, working, pieces);
    let m = working.len();
    let mut columns = m;
    let mut builder = Builder::default();
    for i in 0..m {
        builder.row(&[(i, -1.0)], 0.0);
        if let Some(cap) = settings.cap {
            builder.row(&[(i, 1.0)], cap);
        }
    }
    // Per piece: (variable, sample, factor) terms of its norm constraint.
    let mut terms: Vec<Vec<(usize, usize, f64)>> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let mut list = Vec::new();
        for (k, &i) in working.iter().enumerate() {
            match piece.modes[i] {
                Mode::Linear(slope) => {
                    if slope != 0.0 {
                        list.push((k, i, piece.sign * y[i] * slope));
                    }
                }
                Mode::Concave => {
                    let v = columns;
                    columns += 1;
                    list.push((v, i, -1.0));
                    builder.row(&[(v, -1.0), (k, alpha)], 0.0);
                    builder.row(&[(v, 1.0), (k, -1.0)], 0.0);
                }
            }
        }
        for &(i, tau) in &piece.rows {
            list.push((columns, i, tau));
            builder.row(&[(columns, -1.0)], 0.0);
            columns += 1;
        }
        terms.push(list);
    }
    let linear = builder.rows;
    let mut cones = vec![SupportedConeT::NonnegativeConeT(linear)];
    for (piece, list) in pieces.iter().zip(&terms) {
        let dimension = frame.dimension;
        builder.row(&[], 1.0);
        for c in 0..dimension {
            let row: Vec<_> =
                list.iter().map(|&(v, i, f)| (v, -f * frame.coordinate(piece, i, c))).collect();
            builder.row(&row, 0.0);
        }
        cones.push(SupportedConeT::SecondOrderConeT(dimension + 1));
    }
    let a = CscMatrix::new_from_triplets(builder.rows, columns, builder.i, builder.j, builder.v);
    let p = CscMatrix::<f64>::zeros((columns, columns));
    let mut q = vec![0.0; columns];
    q[..m].fill(-1.0);
    let tolerance = settings.tolerance;
    let cancel = settings.cancel.clone();
    let settings = DefaultSettings {
        verbose: false,
        tol_gap_abs: tolerance,
        tol_gap_rel: tolerance,
        tol_feas: tolerance,
        max_iter: 200,
        time_limit: settings.limit.map_or(f64::INFINITY, |l| l.as_secs_f64()),
        direct_solve_method: "faer".to_string(),
        max_threads: 1,
        ..Default::default()
    };
    let mut solver = DefaultSolver::new(&p, &q, &a, &builder.b, &cones, settings).ok()?;
    if let Some(cancel) = cancel {
        solver.set_termination_callback(move |_| cancel.load(Ordering::Relaxed));
    }
    solver.solve();
    let solution = &solver.solution;
    let usable = matches!(
        solution.status,
        SolverStatus::Solved | SolverStatus::AlmostSolved | SolverStatus::InsufficientProgress
    );
    if !usable || solution.x.iter().any(|v| !v.is_finite()) {
        return None;
    }
    let mut u = Vec::with_capacity(pieces.len());
    let mut at = linear;
    for piece in pieces {
        let z = &solution.z[at + 1..=at + frame.dimension];
        u.push(frame.lift(piece, z));
        at += frame.dimension + 1;
    }
    Some(Solution {
        lambda: solution.x[..m].iter().map(|l| l.max(0.0)).collect(),
        u,
        value: solution.x[..m].iter().sum(),
    })
}

/// Rows of a sparse system, `A x + s = b`.
#[derive(Default)]
struct Builder {
    i: Vec<usize>,
    j: Vec<usize>,
    v: Vec<f64>,
    b: Vec<f64>,
    rows: usize,
}

impl Builder {
    fn row(&mut self, entries: &[(usize, f64)], b: f64) {
        for &(j, v) in entries {
            if v != 0.0 {
                self.i.push(self.rows);
                self.j.push(j);
                self.v.push(v);
            }
        }
        self.b.push(b);
        self.rows += 1;
    }
}

/// Coordinates in which the norm constraints are written: the inputs, or, where fewer samples are
/// involved than there are inputs and no piece has structural zeros, a frame of those samples.
struct Reduced<'a> {
    x: &'a [Vec<f64>],
    dimension: usize,
    frame: Option<Frame>,
}

struct Frame {
    /// Orthonormal vectors.
    basis: Vec<Vec<f64>>,
    /// Coordinates by sample; empty for samples that are not involved.
    coordinates: Vec<Vec<f64>>,
}

impl<'a> Reduced<'a> {
    fn new(x: &'a [Vec<f64>], working: &[usize], pieces: &[Piece]) -> Self {
        let inputs = x.first().map_or(0, Vec::len);
        let mut used: Vec<usize> = working.to_vec();
        used.extend(pieces.iter().flat_map(|p| p.rows.iter().map(|r| r.0)));
        used.sort_unstable();
        used.dedup();
        let full = pieces.iter().all(|p| p.support.iter().all(|s| *s));
        if !full || used.len() >= inputs {
            return Self { x, dimension: inputs, frame: None };
        }
        // Twice-repeated Gram–Schmidt: orthonormal to rounding.
        let mut basis: Vec<Vec<f64>> = Vec::new();
        for &i in &used {
            let mut r = x[i].clone();
            let before = super::two_layer::length(&r);
            for _ in 0..2 {
                for b in &basis {
                    let along = dot(&r, b);
                    r.iter_mut().zip(b).for_each(|(r, b)| *r -= along * b);
                }
            }
            let after = super::two_layer::length(&r);
            if after > 1e-12 * before && after > 0.0 {
                r.iter_mut().for_each(|e| *e /= after);
                basis.push(r);
            }
        }
        let mut coordinates = vec![Vec::new(); x.len()];
        for &i in &used {
            coordinates[i] = basis.iter().map(|b| dot(&x[i], b)).collect();
        }
        Self { x, dimension: basis.len(), frame: Some(Frame { basis, coordinates }) }
    }

    fn coordinate(&self, piece: &Piece, i: usize, c: usize) -> f64 {
        match &self.frame {
            Some(frame) => frame.coordinates[i][c],
            None if piece.support[c] => self.x[i][c],
            None => 0.0,
        }
    }

    /// The vector with these coordinates; the solver's multipliers are those of `−u`.
    fn lift(&self, piece: &Piece, z: &[f64]) -> Vec<f64> {
        match &self.frame {
            Some(frame) => {
                let mut u = vec![0.0; self.x.first().map_or(0, Vec::len)];
                for (b, z) in frame.basis.iter().zip(z) {
                    u.iter_mut().zip(b).for_each(|(u, b)| *u -= z * b);
                }
                u
            }
            None => z.iter().zip(&piece.support).map(|(z, s)| if *s { -z } else { 0.0 }).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Settings = Settings { tolerance: 1e-10, cap: None, limit: None, cancel: None };

    #[test]
    fn primal_and_dual_meet() {
        // x = (±12/13, 5/13), both +1, both units of sign + active on their own sample: cost 2.
        let x = vec![vec![12.0 / 13.0, 5.0 / 13.0], vec![-12.0 / 13.0, 5.0 / 13.0]];
        let piece = |a: f64, b: f64| Piece {
            sign: 1.0,
            modes: vec![Mode::Linear(a), Mode::Linear(b)],
            rows: Vec::new(),
            support: vec![true; 2],
        };
        let pieces = [piece(1.0, 0.0), piece(0.0, 1.0)];
        let s = solve(&x, &[1.0, 1.0], 0.0, &[0, 1], &pieces, &SETTINGS).unwrap();
        assert!((s.value - 2.0).abs() < 1e-8);
        assert!((s.u[0][0] - 12.0 / 13.0).abs() < 1e-6 && (s.u[1][0] + 12.0 / 13.0).abs() < 1e-6);
    }

    #[test]
    fn a_concave_sample_pushes_back() {
        // One unit must reach 1 on x₁ while −σ(u·x₂) is charged: the optimum avoids x₂.
        let x = vec![vec![1.0, 0.0], vec![0.8, 0.6]];
        let piece = Piece {
            sign: 1.0,
            modes: vec![Mode::Linear(1.0), Mode::Concave],
            rows: Vec::new(),
            support: vec![true; 2],
        };
        let minus =
            Piece { sign: -1.0, modes: vec![Mode::Concave, Mode::Linear(1.0)], ..piece.clone() };
        let s = solve(&x, &[1.0, -1.0], 0.0, &[0, 1], &[piece, minus], &SETTINGS).unwrap();
        let z = |u: &[f64], i: usize| dot(u, &x[i]).max(0.0);
        assert!(z(&s.u[0], 0) - z(&s.u[1], 0) >= 1.0 - 1e-6);
        assert!(z(&s.u[1], 1) - z(&s.u[0], 1) >= 1.0 - 1e-6);
    }
}
