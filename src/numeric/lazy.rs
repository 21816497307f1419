//! The program of [`super::program`] without a region: candidates with a sign and a side, solved
//! with only the samples and concave terms that matter.
//!
//! A candidate takes, of every *convex* sample (`s·y_i > 0`), the side on which its direction
//! lies. A concave sample far from its kink is taken as linear until a solution crosses it.
use super::program::{Mode, Piece, Settings, Solution, solve};
use super::two_layer::{View, dot, length};
use crate::budget::Budget;

/// Concave samples with a larger |cosine| are linear until that proves wrong.
const FAR: f64 = 0.3;
/// Most samples added at a time.
const BATCH: usize = 25;
/// Most repetitions of one solve.
const REPEATS: usize = 60;

/// A place where a neuron may live.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// `s`, ±1.
    pub sign: f64,
    /// Decides the sides of the convex samples.
    pub side: Vec<f64>,
    /// Inputs it may use.
    pub support: Vec<bool>,
    /// Concave samples that a solution has crossed.
    crossed: Vec<usize>,
}

impl Candidate {
    /// A candidate on the side of `side`.
    pub fn new(sign: f64, side: Vec<f64>, support: Vec<bool>) -> Self {
        Self { sign, side, support, crossed: Vec::new() }
    }
}

/// An optimum.
#[derive(Clone, Debug)]
pub struct Optimum {
    /// `λ` by sample.
    pub lambda: Vec<f64>,
    /// `u` by candidate; 0 where it is not used.
    pub u: Vec<Vec<f64>>,
    /// `Σλ`, the cost.
    pub value: f64,
    /// Whether some `λ` is at the cap: the candidates cannot classify the data yet.
    pub capped: bool,
}

/// The program with its working samples.
pub struct LazyProgram<'a> {
    /// The data.
    pub view: &'a View,
    /// The candidates.
    pub candidates: Vec<Candidate>,
    /// Samples with a constraint.
    pub working: Vec<usize>,
    /// Solver tolerance.
    pub tolerance: f64,
    /// Cap of λ, if any.
    pub cap: Option<f64>,
    lengths: Vec<f64>,
}

impl<'a> LazyProgram<'a> {
    /// A program without candidates.
    pub fn new(view: &'a View, working: Vec<usize>, tolerance: f64) -> Self {
        let lengths = view.x.iter().map(|x| length(x)).collect();
        Self { view, candidates: Vec::new(), working, tolerance, cap: None, lengths }
    }

    /// The lengths of the samples.
    pub fn lengths(&self) -> &[f64] {
        &self.lengths
    }

    /// `cos(u, x_i)`, 0 for zero vectors.
    pub fn cosine(&self, u: &[f64], i: usize) -> f64 {
        let scale = length(u) * self.lengths[i];
        if scale > 0.0 { dot(u, &self.view.x[i]) / scale } else { 0.0 }
    }

    fn piece(&self, candidate: &Candidate) -> Piece {
        let size = length(&candidate.side).max(f64::MIN_POSITIVE);
        let mode = |i: usize| {
            let z = dot(&candidate.side, &self.view.x[i]);
            let concave = candidate.sign * self.view.y[i] < 0.0;
            let close = z.abs() <= FAR * size * self.lengths[i];
            if concave && self.view.alpha < 1.0 && (close || candidate.crossed.contains(&i)) {
                return Mode::Concave;
            }
            Mode::Linear(if z > 0.0 { 1.0 } else { self.view.alpha })
        };
        let modes = (0..self.view.len()).map(mode).collect();
        Piece { sign: candidate.sign, modes, rows: Vec::new(), support: candidate.support.clone() }
    }

    /// Whether two candidates take the same sides of all working convex samples.
    pub fn same_sides(&self, a: &Candidate, b: &Candidate) -> bool {
        let side = |c: &Candidate, i: usize| dot(&c.side, &self.view.x[i]) > 0.0;
        a.sign == b.sign
            && a.support == b.support
            && (self.working.iter())
                .filter(|i| a.sign * self.view.y[**i] > 0.0)
                .all(|i| side(a, *i) == side(b, *i))
    }

    /// Solves, adding samples below margin 1 and crossed concave samples until there are none.
    pub fn solve(&mut self, budget: &Budget) -> Option<Optimum> {
        let mut pieces: Vec<Piece> = self.candidates.iter().map(|c| self.piece(c)).collect();
        for _ in 0..REPEATS {
            let settings = Settings { cap: self.cap, ..Settings::until(self.tolerance, budget)? };
            let view = self.view;
            let solution = solve(&view.x, &view.y, view.alpha, &self.working, &pieces, &settings)?;
            if !self.add_violated(&mut pieces, &solution) {
                return Some(self.optimum(solution));
            }
        }
        None
    }

    fn optimum(&self, solution: Solution) -> Optimum {
        let mut lambda = vec![0.0; self.view.len()];
        for (&i, l) in self.working.iter().zip(&solution.lambda) {
            lambda[i] = *l;
        }
        let used = |u: Vec<f64>| match length(&u) > 1e-8 * solution.value {
            true => u,
            false => vec![0.0; u.len()],
        };
        let capped = self.cap.is_some_and(|cap| lambda.iter().any(|l| *l > 0.99 * cap));
        let u = solution.u.into_iter().map(used).collect();
        Optimum { lambda, u, value: solution.value, capped }
    }

    fn add_violated(&mut self, pieces: &mut [Piece], solution: &Solution) -> bool {
        let view = self.view;
        let mut changed = false;
        let small = 1e-8 * solution.value;
        for ((piece, candidate), u) in pieces.iter_mut().zip(&mut self.candidates).zip(&solution.u)
        {
            if length(u) <= small || view.alpha == 1.0 {
                continue;
            }
            for i in 0..view.len() {
                let Mode::Linear(slope) = piece.modes[i] else { continue };
                let crossed = (dot(u, &view.x[i]) > 0.0) != (slope == 1.0);
                if piece.sign * view.y[i] < 0.0 && crossed {
                    candidate.crossed.push(i);
                    piece.modes[i] = Mode::Concave;
                    changed = true;
                }
            }
        }
        let signs: Vec<f64> = pieces.iter().map(|p| p.sign).collect();
        let margins = view.margins(&signs, &solution.u);
        let mut low: Vec<usize> = (0..view.len())
            .filter(|i| margins[*i] < 1.0 - 1e-9 && !self.working.contains(i))
            .collect();
        low.sort_by(|a, b| margins[*a].total_cmp(&margins[*b]));
        low.truncate(BATCH);
        self.working.extend(&low);
        changed || !low.is_empty()
    }
}
