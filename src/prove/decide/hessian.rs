//! Hessians of constraints in floats, with the slopes of σ fixed, and where they are lowest.
use super::setting::{Setting, Slopes};
use crate::numeric::two_layer::to_f64;
use faer::{Mat, Side};
use maxmargin_kernel::number::Rational;

/// `h −= λ ∇²q̃_k` on the variables, with these slopes at kinks: products of two layers' weights.
pub fn subtract_hessian(
    setting: &Setting,
    k: usize,
    slopes: &Slopes,
    lambda: f64,
    h: &mut [Vec<f64>],
) {
    let n = setting.theta.len();
    let polynomial = Polynomial::new(setting, k, slopes);
    let theta: Vec<f64> = setting.theta.iter().map(to_f64).collect();
    let size = theta.iter().fold(1e-3f64, |m, v| m.max(v.abs()));
    let step = 1e-4 * size;
    for i in 0..n {
        let mut moved = theta.clone();
        moved[i] += step;
        let up = polynomial.gradient(&moved);
        moved[i] = theta[i] - step;
        let down = polynomial.gradient(&moved);
        for j in 0..n {
            h[i][j] -= lambda * (up[j] - down[j]) / (2.0 * step);
        }
    }
}

/// The least value of a form (its symmetric part) on unit vectors in the span of `basis`, and where it is.
pub fn lowest(
    basis: &[Vec<f64>],
    n: usize,
    form: impl Fn(usize, usize) -> f64,
) -> Option<(f64, Vec<f64>)> {
    if basis.is_empty() {
        return None;
    }
    // Orthonormal coordinates of the span.
    let b = Mat::from_fn(n, basis.len(), |r, c| basis[c][r]);
    let q = b.qr().compute_thin_Q();
    let h = Mat::from_fn(n, n, form);
    let reduced = q.transpose() * &h * &q;
    let symmetric = Mat::from_fn(reduced.nrows(), reduced.ncols(), |r, c| {
        (reduced[(r, c)] + reduced[(c, r)]) / 2.0
    });
    let eigen = symmetric.self_adjoint_eigen(Side::Lower).ok()?;
    let values = eigen.S().column_vector();
    let at = (0..values.nrows()).min_by(|a, b| values[*a].total_cmp(&values[*b]))?;
    let u = eigen.U();
    let of = |r: usize| (0..q.ncols()).map(|k| q[(r, k)] * u[(k, at)]).sum();
    Some((values[at], (0..n).map(of).collect()))
}

/// A constraint as a polynomial in floats: all slopes fixed.
struct Polynomial<'s, 'a> {
    setting: &'s Setting<'a>,
    x: Vec<f64>,
    covector: Vec<f64>,
    /// By hidden layer and unit.
    slopes: Vec<Vec<f64>>,
}

impl<'s, 'a> Polynomial<'s, 'a> {
    fn new(setting: &'s Setting<'a>, k: usize, at_kinks: &Slopes) -> Self {
        let c = setting.constraint(k);
        let problem = setting.problem;
        let x = problem.data().sample(c.sample).to_rationals();
        let model = problem.network().rational_model();
        let trace = model.forward(&x);
        let hidden = problem.network().depth() - 1;
        let slope = |l: usize, j: usize, z: &Rational| match at_kinks.get(&(l, j)) {
            Some(s) => to_f64(s),
            None => to_f64(model.slope(z)),
        };
        let slopes = (0..hidden)
            .map(|l| {
                trace.preactivations[l].iter().enumerate().map(|(j, z)| slope(l, j, z)).collect()
            })
            .collect();
        let covector = c.covector(problem.network().outputs()).iter().map(to_f64).collect();
        Self { setting, x: x.iter().map(to_f64).collect(), covector, slopes }
    }

    fn gradient(&self, variables: &[f64]) -> Vec<f64> {
        let layers = self.setting.problem.network().layers();
        let mut rest = variables;
        let parameters: Vec<Vec<f64>> = (layers.iter().enumerate())
            .map(|(l, layer)| {
                if !self.setting.moving.contains(&l) {
                    return crate::numeric::two_layer::to_f64s(layer.parameters());
                }
                let (head, tail) = rest.split_at(layer.parameters().len());
                rest = tail;
                head.to_vec()
            })
            .collect();
        let mut inputs = vec![self.x.clone()];
        for (l, layer) in layers.iter().enumerate().take(layers.len() - 1) {
            let a = &inputs[l];
            let z = |r: usize| -> f64 {
                (0..layer.cols())
                    .filter_map(|c| Some(parameters[l][layer.coordinate(r, c)?] * a[c]))
                    .sum()
            };
            inputs.push((0..layer.rows()).map(|r| self.slopes[l][r] * z(r)).collect());
        }
        let mut backward = self.covector.clone();
        let mut gradients: Vec<Vec<f64>> = Vec::new();
        for (l, layer) in layers.iter().enumerate().rev() {
            let mut g = vec![0.0; layer.parameters().len()];
            let mut below = vec![0.0; layer.cols()];
            for r in 0..layer.rows() {
                for c in 0..layer.cols() {
                    if let Some(i) = layer.coordinate(r, c) {
                        g[i] += backward[r] * inputs[l][c];
                        below[c] += backward[r] * parameters[l][i];
                    }
                }
            }
            gradients.push(g);
            if l > 0 {
                backward = below.iter().zip(&self.slopes[l - 1]).map(|(b, s)| b * s).collect();
            }
        }
        gradients.reverse();
        gradients[self.setting.moving.clone()].concat()
    }
}
