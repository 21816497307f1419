//! The vector field `−∇L/L` of a problem, in floats.
use crate::numeric::two_layer::{dot, to_f64, to_f64s};
use maxmargin_kernel::problem::Problem;

/// A network's shape, its constraints and its data in floats.
pub(super) struct Field {
    layers: Vec<Shape>,
    alpha: f64,
    samples: Vec<Vec<f64>>,
    /// Constraints of each sample as output covectors.
    covectors: Vec<Vec<Vec<f64>>>,
    parameters: usize,
}

/// How a matrix uses the parameter vector.
struct Shape {
    rows: usize,
    cols: usize,
    /// Entries that are not structural zeros: row, column, index into θ.
    entries: Vec<(usize, usize, usize)>,
    length: usize,
}

impl Field {
    pub(super) fn new(problem: &Problem) -> Self {
        let mut offset = 0;
        let mut layers = Vec::with_capacity(problem.network().depth());
        for layer in problem.network().layers() {
            let mut entries = Vec::new();
            for r in 0..layer.rows() {
                let row = (0..layer.cols()).filter_map(|c| Some((c, layer.coordinate(r, c)?)));
                entries.extend(row.map(|(c, i)| (r, c, offset + i)));
            }
            let length = layer.parameters().len();
            layers.push(Shape { rows: layer.rows(), cols: layer.cols(), entries, length });
            offset += length;
        }
        let samples: Vec<Vec<f64>> = problem.data().samples().iter().map(to_f64s).collect();
        let mut covectors = vec![Vec::new(); samples.len()];
        for c in problem.margins().constraints() {
            let covector = c.covector(problem.network().outputs());
            covectors[c.sample].push(covector.iter().map(to_f64).collect());
        }
        let alpha = to_f64(problem.activation().slope());
        Self { layers, alpha, samples, covectors, parameters: offset }
    }

    /// The parameters of the problem's network.
    pub(super) fn start(&self, problem: &Problem) -> Vec<f64> {
        problem.network().layers().iter().flat_map(|l| to_f64s(l.parameters())).collect()
    }

    pub(super) fn depth(&self) -> usize {
        self.layers.len()
    }

    /// Number of parameters of every layer.
    pub(super) fn lengths(&self) -> Vec<usize> {
        self.layers.iter().map(|l| l.length).collect()
    }

    /// `q_k(θ)` for every constraint, sample by sample.
    pub(super) fn margins(&self, theta: &[f64]) -> Vec<f64> {
        self.evaluate(theta).1
    }

    /// `log Σ_k exp(−q_k)`.
    pub(super) fn log_loss(&self, theta: &[f64]) -> f64 {
        log_sum_exp(&self.margins(theta))
    }

    /// Which hidden preactivations are positive, sample by sample: the cell of θ.
    pub(super) fn cell(&self, theta: &[f64]) -> Vec<bool> {
        let hidden = self.layers.len() - 1;
        let (passes, _) = self.evaluate(theta);
        passes.iter().flat_map(|p| &p[..hidden]).flatten().map(|z| *z > 0.0).collect()
    }

    /// `−∇L/L`.
    pub(super) fn velocity(&self, theta: &[f64]) -> Vec<f64> {
        let (passes, margins) = self.evaluate(theta);
        let log_loss = log_sum_exp(&margins);
        let mut velocity = vec![0.0; self.parameters];
        let mut k = 0;
        for ((x, z), covectors) in self.samples.iter().zip(&passes).zip(&self.covectors) {
            let outputs = self.layers.last().map_or(0, |l| l.rows);
            let mut covector = vec![0.0; outputs];
            for c in covectors {
                let p = (-margins[k] - log_loss).exp();
                covector.iter_mut().zip(c).for_each(|(s, c)| *s += p * c);
                k += 1;
            }
            if covector.iter().any(|c| *c != 0.0) {
                self.accumulate(theta, x, z, covector, &mut velocity);
            }
        }
        velocity
    }

    /// Preactivations of every layer for every sample, and the margins.
    fn evaluate(&self, theta: &[f64]) -> (Vec<Vec<Vec<f64>>>, Vec<f64>) {
        let mut margins = Vec::new();
        let passes = self.samples.iter().zip(&self.covectors).map(|(x, covectors)| {
            let pass = self.forward(theta, x);
            let outputs = pass.last().map_or(&[][..], Vec::as_slice);
            margins.extend(covectors.iter().map(|c| dot(c, outputs)));
            pass
        });
        (passes.collect(), margins)
    }

    fn forward(&self, theta: &[f64], x: &[f64]) -> Vec<Vec<f64>> {
        let mut pass: Vec<Vec<f64>> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let mut z = vec![0.0; layer.rows];
            let inputs = self.inputs(pass.last(), x);
            for &(r, c, i) in &layer.entries {
                z[r] += theta[i] * inputs[c];
            }
            pass.push(z);
        }
        pass
    }

    /// What a layer reads: σ of the preactivations before it, or the sample.
    fn inputs(&self, before: Option<&Vec<f64>>, x: &[f64]) -> Vec<f64> {
        match before {
            None => x.to_vec(),
            Some(z) => z.iter().map(|z| z * self.slope(*z)).collect(),
        }
    }

    fn slope(&self, z: f64) -> f64 {
        if z > 0.0 { 1.0 } else { self.alpha }
    }

    /// Adds the gradient of `covector·F(θ;x)`.
    fn accumulate(
        &self,
        theta: &[f64],
        x: &[f64],
        z: &[Vec<f64>],
        mut backward: Vec<f64>,
        gradient: &mut [f64],
    ) {
        for (l, layer) in self.layers.iter().enumerate().rev() {
            let before = l.checked_sub(1).map(|k| &z[k]);
            let inputs = self.inputs(before, x);
            let mut next = vec![0.0; layer.cols];
            for &(r, c, i) in &layer.entries {
                gradient[i] += backward[r] * inputs[c];
                next[c] += backward[r] * theta[i];
            }
            if let Some(z) = before {
                next.iter_mut().zip(z).for_each(|(n, z)| *n *= self.slope(*z));
            }
            backward = next;
        }
    }
}

/// `log Σ exp(−q_k)`, without underflow.
fn log_sum_exp(q: &[f64]) -> f64 {
    let least = q.iter().copied().fold(f64::INFINITY, f64::min);
    q.iter().map(|q| (least - q).exp()).sum::<f64>().ln() - least
}
