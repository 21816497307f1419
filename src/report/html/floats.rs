//! A problem in floats, for drawing only.
use crate::numeric::two_layer::to_f64s;
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::moves::Moves;
use num_traits::ToPrimitive;

/// Network and samples in floats.
pub(super) struct Floats {
    /// `u⁽ˡ⁾`.
    pub parameters: Vec<Vec<f64>>,
    /// By layer, row by row: the parameter of an entry, `None` for a structural zero.
    patterns: Vec<Vec<Vec<Option<usize>>>>,
    /// σ on negative inputs.
    alpha: f64,
    /// The samples.
    pub x: Vec<Vec<f64>>,
}

impl Floats {
    pub(super) fn new(problem: &Problem) -> Self {
        let layers = problem.network().layers();
        let pattern = |l: &maxmargin_kernel::network::Layer| {
            let row = |r| (0..l.cols()).map(|c| l.coordinate(r, c)).collect();
            (0..l.rows()).map(row).collect()
        };
        Self {
            parameters: layers.iter().map(|l| to_f64s(l.parameters())).collect(),
            patterns: layers.iter().map(pattern).collect(),
            alpha: problem.activation().slope().to_f64().unwrap_or(0.0),
            x: problem.data().samples().iter().map(to_f64s).collect(),
        }
    }

    /// The row `r` of layer `l`, from 0; structural zeros as 0.
    pub(super) fn row(&self, l: usize, r: usize) -> Vec<f64> {
        self.patterns[l][r].iter().map(|e| e.map_or(0.0, |i| self.parameters[l][i])).collect()
    }

    /// `σ(z)`.
    pub(super) fn sigma(&self, z: f64) -> f64 {
        if z > 0.0 { z } else { self.alpha * z }
    }

    /// The outputs at `x` with these parameters in place of θ.
    pub(super) fn outputs(&self, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
        let last = self.patterns.len() - 1;
        let mut a = x.to_vec();
        for (l, (pattern, u)) in self.patterns.iter().zip(parameters).enumerate() {
            let entry = |(e, a): (&Option<usize>, &f64)| e.map_or(0.0, |i| u[i] * a);
            a = pattern.iter().map(|row| row.iter().zip(&a).map(entry).sum()).collect();
            if l < last {
                a.iter_mut().for_each(|z| *z = self.sigma(*z));
            }
        }
        a
    }

    /// `γ` and `|θ|²` with these parameters.
    pub(super) fn gamma_and_norm(&self, problem: &Problem, parameters: &[Vec<f64>]) -> (f64, f64) {
        let outputs: Vec<Vec<f64>> = self.x.iter().map(|x| self.outputs(parameters, x)).collect();
        let margin = |c: &maxmargin_kernel::problem::Constraint| {
            let out = &outputs[c.sample];
            f64::from(c.sign) * out[c.plus] - c.minus.map_or(0.0, |o| out[o])
        };
        let margins = problem.margins().constraints().iter().map(margin);
        let norm = parameters.iter().flatten().map(|u| u * u).sum();
        (margins.fold(f64::INFINITY, f64::min), norm)
    }

    /// The parameters at `ε` along a curve.
    pub(super) fn along(&self, moves: &Moves, epsilon: f64) -> Vec<Vec<f64>> {
        let mut parameters = self.parameters.clone();
        for (u, list) in parameters.iter_mut().zip(moves) {
            for (i, coefficients) in list {
                let tail =
                    coefficients.iter().rev().fold(0.0, |sum, c| (sum + float(&c.0)) * epsilon);
                if let Some(slot) = u.get_mut(*i) {
                    *slot += tail;
                }
            }
        }
        parameters
    }
}

fn float(value: &Rational) -> f64 {
    value.to_f64().unwrap_or(f64::NAN)
}
