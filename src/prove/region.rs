//! The restricted convex program of a region around θ (rule 3.7): multipliers for an upper bound,
//! and a better network of the same width.
//!
//! Every neuron keeps the signs that the region fixes. Where a sign is free and `s·y_i < 0` the exact
//! concave contribution is used; where it is free and `s·y_i > 0` a piece takes one side, and further
//! pieces for the other sides are added when a cover finds that they violate the bound.
//! Samples and cone rows enter when the current solution violates them.
use crate::budget::Budget;
use crate::numeric::program::{MAX_SIZE, Mode, Piece, Settings, Solution, size, solve};
use crate::numeric::two_layer::{View, dot, length, near_kinks};
use maxmargin_kernel::claim::Region;
use maxmargin_kernel::network::TwoLayer;
use maxmargin_kernel::problem::Problem;
use std::time::Instant;

/// Most samples and rows added at a time.
const BATCH: usize = 25;
/// Most rounds of adding.
const ROUNDS: usize = 60;
/// Measured: time of a solve against its size, as a power, with room.
const GROWTH: f64 = 1.7;

/// The program of one region, and how far it has come.
#[derive(Clone)]
pub struct RegionProgram<'a> {
    /// `cell` or `near δ`.
    pub region: Region,
    /// θ and the data in floats.
    pub view: &'a View,
    /// Signs that competitors keep: by unit, by sample.
    pub fixed: Vec<Vec<bool>>,
    /// The pieces.
    pub pieces: Vec<Piece>,
    /// The unit each piece belongs to.
    pub owner: Vec<usize>,
    /// Samples with a constraint.
    pub working: Vec<usize>,
    tolerance: f64,
}

/// An optimum of the program over all samples.
pub struct RegionOptimum {
    /// `λ` by sample, in the units of the scaled samples.
    pub lambda: Vec<f64>,
    /// `u` by piece.
    pub u: Vec<Vec<f64>>,
    /// `Σλ`.
    pub value: f64,
    /// Whether a limit ended the search before all samples and cone rows were satisfied: `λ` still
    /// bounds, not as well as it could.
    pub limited: bool,
}

impl<'a> RegionProgram<'a> {
    /// The program of `cell` or `near δ`; `None` for other regions.
    pub fn new(problem: &Problem, view: &'a View, region: &Region, tolerance: f64) -> Option<Self> {
        let neurons = TwoLayer::with_one_output(problem.network()).ok()?.neurons;
        let n = view.len();
        let fixed = match region {
            Region::Cell => vec![vec![true; n]; neurons.len()],
            Region::Near(delta) => {
                let free = near_kinks(problem, &neurons, &delta.0);
                free.iter().map(|row| row.iter().map(|f| !f).collect()).collect()
            }
            _ => return None,
        };
        let (pieces, owner, working) = (Vec::new(), Vec::new(), Vec::new());
        let region = region.clone();
        let mut program = Self { region, view, fixed, pieces, owner, working, tolerance };
        for j in 0..view.units.len() {
            let v = view.units[j].v;
            for sign in [1.0, -1.0] {
                if v == 0.0 || v * sign > 0.0 {
                    let w = view.units[j].w.clone();
                    program.add_piece(j, sign, &w);
                }
            }
        }
        program.start();
        Some(program)
    }

    /// Adds the piece of unit `j` in which the free samples with `s·y > 0` take the side of `w`;
    /// false if it is already there.
    pub fn add_piece(&mut self, j: usize, sign: f64, w: &[f64]) -> bool {
        let unit = &self.view.units[j];
        let mode = |i: usize| {
            let side = if self.fixed[j][i] { &unit.w } else { w };
            if !self.fixed[j][i] && sign * self.view.y[i] < 0.0 {
                return Mode::Concave;
            }
            let positive = dot(side, &self.view.x[i]) > 0.0;
            Mode::Linear(if positive { 1.0 } else { self.view.alpha })
        };
        let modes: Vec<Mode> = (0..self.view.len()).map(mode).collect();
        let known = self.pieces.iter().zip(&self.owner);
        if known.clone().any(|(p, o)| *o == j && p.sign == sign && p.modes == modes) {
            return false;
        }
        let support = unit.support.clone();
        self.pieces.push(Piece { sign, modes, rows: Vec::new(), support });
        self.owner.push(j);
        true
    }

    /// The program in which every unit has one piece only, that with the longest vector in `u`;
    /// `None` if no unit has two that are used.
    pub fn one_piece_each(&self, u: &[Vec<f64>], used: impl Fn(f64) -> bool) -> Option<Self> {
        let size = |p: &usize| length(&u[*p]);
        let of = |j: usize| (0..self.pieces.len()).filter(move |p| self.owner[*p] == j);
        let twice = |j: usize| of(j).filter(|p| used(size(p))).count() > 1;
        if !(0..self.view.units.len()).any(twice) {
            return None;
        }
        let longest = |j: usize| of(j).max_by(|a, b| size(a).total_cmp(&size(b)));
        let kept: Vec<usize> = (0..self.view.units.len()).filter_map(longest).collect();
        let mut program = self.clone();
        program.pieces = kept.iter().map(|p| self.pieces[*p].clone()).collect();
        program.owner = kept.iter().map(|p| self.owner[*p]).collect();
        Some(program)
    }

    /// Starts with the samples of smallest margin.
    fn start(&mut self) {
        let signs: Vec<f64> = self.view.units.iter().map(|u| u.v.signum()).collect();
        let u: Vec<Vec<f64>> =
            self.view.units.iter().map(|u| u.w.iter().map(|w| w * u.v.abs()).collect()).collect();
        let margins = self.view.margins(&signs, &u);
        let mut order: Vec<usize> = (0..margins.len()).collect();
        order.sort_by(|a, b| margins[*a].total_cmp(&margins[*b]));
        order.truncate(2 * BATCH);
        self.working = order;
    }

    /// Solves, adding violated samples and cone rows until there are none, or until the next
    /// program would be too large or take too long. `None` if the solver fails at first.
    pub fn optimise(&mut self, budget: &Budget) -> Option<RegionOptimum> {
        let mut last: Option<RegionOptimum> = None;
        let mut pace: Option<(usize, f64)> = None;
        let view = self.view;
        for _ in 0..ROUNDS {
            let next = size(&view.x, &self.working, &self.pieces);
            let left = budget.deadline.map(|at| at.saturating_duration_since(Instant::now()));
            let expected = pace.map_or(0.0, |(size, seconds)| {
                seconds * (next as f64 / size.max(1) as f64).powf(GROWTH)
            });
            let late = left.is_some_and(|left| left.is_zero() || expected > left.as_secs_f64());
            if late || next > MAX_SIZE {
                last.iter_mut().for_each(|optimum| optimum.limited = true);
                return last;
            }
            let start = Instant::now();
            let Some(settings) = Settings::until(self.tolerance, budget) else { return last };
            let solution =
                solve(&view.x, &view.y, view.alpha, &self.working, &self.pieces, &settings);
            let Some(solution) = solution else {
                let ran_out = budget.expired();
                last.iter_mut().for_each(|optimum| optimum.limited |= ran_out);
                return last;
            };
            pace = Some((next, start.elapsed().as_secs_f64()));
            let changed = self.add_violated(&solution);
            last = Some(self.optimum(solution));
            if !changed {
                break;
            }
        }
        last
    }

    fn optimum(&self, solution: Solution) -> RegionOptimum {
        let mut lambda = vec![0.0; self.view.len()];
        for (&i, l) in self.working.iter().zip(&solution.lambda) {
            lambda[i] = *l;
        }
        RegionOptimum { lambda, u: solution.u, value: solution.value, limited: false }
    }

    /// Adds the most violated samples and, per piece, cone rows; true if there were any.
    fn add_violated(&mut self, solution: &Solution) -> bool {
        let view = self.view;
        let mut low: Vec<(f64, usize)> = Vec::new();
        for i in 0..view.len() {
            let q = self.pieces.iter().zip(&solution.u).map(|(piece, u)| {
                let z = dot(u, &view.x[i]);
                match piece.modes[i] {
                    Mode::Linear(slope) => piece.sign * view.y[i] * slope * z,
                    Mode::Concave => -view.sigma(z),
                }
            });
            let q: f64 = q.sum();
            if q < 1.0 - 1e-8 && !self.working.contains(&i) {
                low.push((q, i));
            }
        }
        low.sort_by(|a, b| a.0.total_cmp(&b.0));
        low.truncate(BATCH);
        self.working.extend(low.iter().map(|(_, i)| *i));
        let mut changed = !low.is_empty();
        for (p, u) in solution.u.iter().enumerate() {
            let unit = &view.units[self.owner[p]];
            let size = length(u);
            if size <= 1e-9 * solution.value {
                continue;
            }
            let mut wrong: Vec<(f64, usize, f64)> = Vec::new();
            for i in 0..view.len() {
                if !self.fixed[self.owner[p]][i] || self.pieces[p].rows.iter().any(|r| r.0 == i) {
                    continue;
                }
                let tau = if dot(&unit.w, &view.x[i]) > 0.0 { 1.0 } else { -1.0 };
                let relative = tau * dot(u, &view.x[i]) / (size * length(&view.x[i])).max(1e-300);
                if relative < -1e-9 {
                    wrong.push((relative, i, tau));
                }
            }
            wrong.sort_by(|a, b| a.0.total_cmp(&b.0));
            wrong.truncate(BATCH);
            changed |= !wrong.is_empty();
            self.pieces[p].rows.extend(wrong.iter().map(|(_, i, tau)| (*i, *tau)));
        }
        changed
    }
}
