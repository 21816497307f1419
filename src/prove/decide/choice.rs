//! Which multipliers, where a point has many.
//!
//! The multipliers of a point are a polytope, and some conditions (a positive definite Hessian, `‖M‖ ≤
//! 1`) hold for some of them only. A vertex of that polytope depends on the order of the samples; so
//! does any verdict that rests on it. Conditions that are linear in λ for each direction are decided
//! here by cutting planes: from the middle of the polytope, whose support is as large as can be, each
//! λ that fails names a direction, and the next λ has as much slack as possible in all directions
//! named so far. If there are λ with slack they are found; if none, the directions show it.
use super::hessian::{lowest, subtract_hessian};
use super::setting::{Setting, Slopes};
use super::stationarity::{Multipliers, System};
use crate::budget::Budget;
use crate::numeric::exact::linear;
use crate::numeric::two_layer::{dot, length, to_f64};
use crate::prove::exact;
use faer::Mat;
use maxmargin_kernel::certificate::Entry;
use maxmargin_kernel::number::Rational;
use num_traits::Zero;

/// Most variables and multipliers for which a choice is made.
const MAX_VARIABLES: usize = 120;
const MAX_MULTIPLIERS: usize = 40;
/// Most cuts.
const ROUNDS: usize = 40;
/// Values above this count as slack.
const SLACK: f64 = 1e-9;

/// A condition `constant + coefficients·λ ≥ 0` that fails, λ by active constraint.
struct Cut {
    coefficients: Vec<f64>,
    constant: f64,
    /// The direction of the parameters it stands for, if it is one.
    direction: Option<Vec<f64>>,
}

/// The multipliers of a point, if it has more than one choice of them.
pub struct Choice<'s, 'a> {
    setting: &'s Setting<'a>,
    system: System,
    /// In the relative interior of the polytope.
    middle: Vec<Rational>,
}

/// What a search for λ gives.
#[derive(Default)]
pub struct Chosen {
    /// The proof.
    pub entry: Option<Entry>,
    /// Directions in which the Lagrangian bends down, for one λ or another.
    pub directions: Vec<Vec<f64>>,
}

impl<'s, 'a> Choice<'s, 'a> {
    /// `None` if the multipliers `found` are the only ones, or the point is large.
    pub fn new(setting: &'s Setting<'a>, found: &Multipliers) -> Option<Self> {
        if setting.active.len() > MAX_MULTIPLIERS || setting.theta.len() > MAX_VARIABLES {
            return None;
        }
        let system = System::new(setting);
        let mut points: Vec<Vec<Rational>> = Vec::new();
        for variable in 0..system.len() {
            if points.iter().all(|x| x[variable].is_zero()) {
                points.extend(system.largest(variable));
            }
        }
        let count = Rational::from_integer(points.len().into());
        let mean = |c: usize| points.iter().map(|x| &x[c]).sum::<Rational>() / &count;
        let middle: Vec<Rational> = (0..system.len()).map(mean).collect();
        let other = system.read(&middle);
        let same = other.lambda == found.lambda && other.mu == found.mu;
        (!points.is_empty() && !same).then_some(Self { setting, system, middle })
    }

    /// The multipliers in the middle.
    pub fn middle(&self) -> Multipliers {
        self.system.read(&self.middle)
    }

    /// λ for which the Lagrangian bends up in all directions that leave the active margins as they are.
    /// `accept` is asked for a proof with each λ tried.
    pub fn curved(
        &self,
        budget: &Budget,
        accept: impl Fn(&Multipliers) -> Option<Entry>,
    ) -> Chosen {
        if !self.system.is_plain() {
            return Chosen { entry: accept(&self.middle()), ..Chosen::default() };
        }
        let setting = self.setting;
        let n = setting.theta.len();
        let middle = self.middle();
        let none = Slopes::new();
        let rows: Vec<Vec<Rational>> =
            middle.lambda.keys().map(|k| setting.gradient(*k, &none)).collect();
        let Some(basis) = linear::null_space(&rows, n) else { return Chosen::default() };
        let hessians: Vec<Vec<Vec<f64>>> = (setting.active.iter())
            .map(|k| {
                let mut h = vec![vec![0.0; n]; n];
                subtract_hessian(setting, *k, &none, 1.0, &mut h);
                h
            })
            .collect();
        let floats: Vec<Vec<f64>> = basis.iter().map(|b| b.iter().map(to_f64).collect()).collect();
        let oracle = |lambda: &[f64]| {
            let (_, d) = lowest(&floats, n, |r, c| {
                let bends: f64 = hessians.iter().zip(lambda).map(|(h, l)| l * h[r][c]).sum();
                f64::from(u8::from(r == c)) + bends
            })?;
            let along = |h: &Vec<Vec<f64>>| (0..n).map(|r| d[r] * dot(&h[r], &d)).sum();
            let coefficients = hessians.iter().map(along).collect();
            Some(Cut { coefficients, constant: 1.0, direction: Some(d) })
        };
        self.search(budget, oracle, accept)
    }

    /// λ for which `‖M_j‖ ≤ 1` at every neuron of a network of depth 2 without kinks.
    pub fn contracting(
        &self,
        budget: &Budget,
        accept: impl Fn(&Multipliers) -> Option<Entry>,
    ) -> Chosen {
        let depth = self.setting.problem.network().depth();
        if !self.system.is_plain() || depth != 2 || self.setting.moving.len() != 2 {
            return Chosen { entry: accept(&self.middle()), ..Chosen::default() };
        }
        let neurons = Contraction::new(self.setting);
        let oracle = |lambda: &[f64]| {
            neurons.iter().filter_map(|m| m.cut(lambda)).min_by(|a, b| {
                let value = |c: &Cut| c.constant + dot(&c.coefficients, lambda);
                value(a).total_cmp(&value(b))
            })
        };
        self.search(budget, oracle, accept)
    }

    /// Cutting planes; `oracle` gives the worst condition at λ, `None` if none can fail.
    fn search(
        &self,
        budget: &Budget,
        oracle: impl Fn(&[f64]) -> Option<Cut>,
        accept: impl Fn(&Multipliers) -> Option<Entry>,
    ) -> Chosen {
        let columns = self.system.lambda();
        let mut chosen = Chosen::default();
        let mut cuts: Vec<(Vec<Rational>, Rational)> = Vec::new();
        let mut x = self.middle.clone();
        for _ in 0..ROUNDS {
            if budget.expired() {
                break;
            }
            let lambda: Vec<f64> = columns.iter().map(|(c, _)| to_f64(&x[*c])).collect();
            let cut = oracle(&lambda);
            let value =
                cut.as_ref().map_or(f64::INFINITY, |c| c.constant + dot(&c.coefficients, &lambda));
            if value > -SLACK
                && let Some(entry) = accept(&self.system.read(&x))
            {
                chosen.entry = Some(entry);
                break;
            }
            let Some(cut) = cut else { break };
            if value < 0.0 {
                chosen.directions.extend(cut.direction);
            }
            let mut row = vec![Rational::zero(); self.system.len()];
            for ((c, _), v) in columns.iter().zip(&cut.coefficients) {
                row[*c] = rounded(*v);
            }
            cuts.push((row, rounded(cut.constant)));
            let Some(best) = self.system.best(&cuts) else { break };
            // Inside, so that the support stays as large as can be.
            let three = Rational::from_integer(3.into());
            let four = Rational::from_integer(4.into());
            let next: Vec<Rational> =
                best.iter().zip(&self.middle).map(|(b, m)| (b * &three + m) / &four).collect();
            if next == x {
                break;
            }
            x = next;
        }
        chosen
    }
}

/// A multiple of 2⁻²⁰: cuts only guide.
fn rounded(value: f64) -> Rational {
    exact((value * f64::from(1 << 20)).round() / f64::from(1 << 20))
}

/// `M = Σ_k λ_k s_k c_k x_kᵀ` of one neuron, away from the directions in which stationarity makes it an
/// isometry: those of the neurons with the same pattern.
struct Contraction {
    /// `s_k c_k x_kᵀ` by active constraint, on orthonormal coordinates of what remains.
    parts: Vec<Vec<Vec<f64>>>,
}

impl Contraction {
    fn new(setting: &Setting) -> Vec<Self> {
        let problem = setting.problem;
        let [first, second] = problem.network().layers() else { return Vec::new() };
        let (inputs, outputs) = (first.cols(), second.rows());
        let float = |v: Vec<Rational>| v.iter().map(to_f64).collect::<Vec<f64>>();
        let w = |j: usize| float(first.row(j).to_rationals());
        let v =
            |j: usize| (0..outputs).map(|o| to_f64(&second.row(o).get(j))).collect::<Vec<f64>>();
        let support = |j: usize| {
            let out: Vec<usize> =
                (0..outputs).filter(|o| second.coordinate(*o, j).is_some()).collect();
            (first.support(j), out)
        };
        let positive = |j: usize| -> Vec<bool> {
            let of = |k: &usize| problem.sign(setting.constraint(*k).sample, j).is_gt();
            setting.active.iter().map(of).collect()
        };
        let alpha = to_f64(&setting.alpha);
        let key = |j: usize| (support(j), if alpha == 1.0 { Vec::new() } else { positive(j) });
        let mut seen = Vec::new();
        let mut all = Vec::new();
        for j in 0..first.rows() {
            let own = key(j);
            if seen.contains(&own) {
                continue;
            }
            let alike: Vec<usize> = (0..first.rows()).filter(|k| key(*k) == own).collect();
            let rest = |size: usize, kept: &[usize], used: &dyn Fn(usize) -> Vec<f64>| {
                complement(size, kept, &alike.iter().map(|k| used(*k)).collect::<Vec<_>>())
            };
            let left = rest(outputs, &own.0.1, &v);
            let right = rest(inputs, &own.0.0, &w);
            let part = |(at, k): (usize, &usize)| -> Vec<Vec<f64>> {
                let constraint = setting.constraint(*k);
                let c = float(constraint.covector(outputs));
                let x = float(problem.data().sample(constraint.sample).to_rationals());
                let slope = if alpha == 1.0 || positive(j)[at] { 1.0 } else { alpha };
                let row =
                    |a: &Vec<f64>| right.iter().map(|b| slope * dot(a, &c) * dot(b, &x)).collect();
                left.iter().map(row).collect()
            };
            let parts = setting.active.iter().enumerate().map(part).collect();
            seen.push(own);
            all.push(Self { parts });
        }
        all
    }

    /// `1 − aᵀMb ≥ 0` with the largest singular value.
    fn cut(&self, lambda: &[f64]) -> Option<Cut> {
        let (rows, cols) = {
            let part = self.parts.first()?;
            (part.len(), part.first()?.len())
        };
        if cols == 0 {
            return None;
        }
        let m = Mat::from_fn(rows, cols, |r, c| -> f64 {
            self.parts.iter().zip(lambda).map(|(p, l)| l * p[r][c]).sum()
        });
        let square = m.transpose() * &m;
        let identity: Vec<Vec<f64>> =
            (0..cols).map(|k| (0..cols).map(|c| f64::from(u8::from(c == k))).collect()).collect();
        let (_, b) = lowest(&identity, cols, |r, c| -square[(r, c)])?;
        let mut a: Vec<f64> =
            (0..rows).map(|r| (0..cols).map(|c| m[(r, c)] * b[c]).sum()).collect();
        let size = length(&a);
        if size == 0.0 {
            return None;
        }
        a.iter_mut().for_each(|e| *e /= size);
        let value = |p: &Vec<Vec<f64>>| -> f64 {
            -a.iter().zip(p).map(|(a, row)| a * dot(row, &b)).sum::<f64>()
        };
        let coefficients = self.parts.iter().map(value).collect();
        Some(Cut { coefficients, constant: 1.0, direction: None })
    }
}

/// An orthonormal basis of the vectors on these coordinates that are orthogonal to the used ones.
fn complement(size: usize, kept: &[usize], used: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut span: Vec<Vec<f64>> = Vec::new();
    let remainder = |v: &[f64], span: &[Vec<f64>]| {
        let mut left = v.to_vec();
        // Twice, against rounding.
        for e in span.iter().chain(span) {
            let along = dot(&left, e);
            left.iter_mut().zip(e).for_each(|(l, e)| *l -= along * e);
        }
        let size = length(&left);
        (size > 1e-9 * length(v).max(1e-300)).then(|| left.iter().map(|l| l / size).collect())
    };
    for v in used {
        let next: Option<Vec<f64>> = remainder(v, &span);
        span.extend(next);
    }
    let taken = span.len();
    for &c in kept {
        let unit: Vec<f64> = (0..size).map(|e| f64::from(u8::from(e == c))).collect();
        let next: Option<Vec<f64>> = remainder(&unit, &span);
        span.extend(next);
    }
    span.split_off(taken)
}
