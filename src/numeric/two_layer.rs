//! A depth-2, one-output problem in floats.
use maxmargin_kernel::network::{Layer, Network, Neuron, TwoLayer};
use maxmargin_kernel::number::{Rational, ScaledVec};
use maxmargin_kernel::problem::{Data, Problem};
use num_traits::ToPrimitive;

/// The nearest floats of an exact vector.
pub fn to_f64s(v: &ScaledVec) -> Vec<f64> {
    let denominator = v.denominator();
    let shift = denominator.trailing_zeros().unwrap_or(0);
    let dyadic = denominator.bits() == shift + 1;
    if dyadic && shift < 900 && v.numerators().bits() < 900 {
        let unit = (-(shift as f64)).exp2();
        return (0..v.len())
            .map(|i| v.numerators().get(i).to_f64().unwrap_or(0.0) * unit)
            .collect();
    }
    v.to_rationals().iter().map(to_f64).collect()
}

/// The nearest float.
pub fn to_f64(value: &Rational) -> f64 {
    value.to_f64().unwrap_or(f64::NAN)
}

/// Inner product.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Euclidean length, also where squares would over- or underflow.
pub fn length(a: &[f64]) -> f64 {
    let largest = a.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    largest * a.iter().map(|x| (x / largest) * (x / largest)).sum::<f64>().sqrt()
}

/// Whether `|w_j·x_i| ≤ δ|w_j||x_i|`, by neuron, by sample: in floats where those can tell.
pub fn near_kinks(problem: &Problem, neurons: &[Neuron], delta: &Rational) -> Vec<Vec<bool>> {
    let threshold = to_f64(delta);
    let x: Vec<Vec<f64>> = problem.data().samples().iter().map(to_f64s).collect();
    let near = |neuron: &Neuron| {
        let w = to_f64s(&neuron.w);
        let size = length(&w);
        let all = neuron.inputs.len() == problem.network().inputs();
        let at = |i: usize| {
            let part: Vec<f64>;
            let x = match all {
                true => &x[i],
                false => {
                    part = neuron.inputs.iter().map(|c| x[i][*c]).collect();
                    &part
                }
            };
            let lengths = size * length(x);
            let cosine = dot(&w, x).abs() / lengths;
            // Rounding is below 1e-13 of the lengths for a thousand inputs.
            let clear = (1e-100..1e100).contains(&lengths) && (cosine - threshold).abs() > 1e-11;
            if clear { cosine < threshold } else { problem.is_near_kink(i, neuron, delta) }
        };
        (0..x.len()).map(at).collect()
    };
    neurons.iter().map(near).collect()
}

/// One neuron: `v σ(w·x)`.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Row in layer 1.
    pub index: usize,
    /// Input weights, one per input, 0 off the support.
    pub w: Vec<f64>,
    /// Output weight.
    pub v: f64,
    /// Whether each input may be used.
    pub support: Vec<bool>,
}

/// A network and its data in floats; samples scaled by a power of two, `scale`, so that the longest has a length in (1/2, 1].
#[derive(Clone, Debug)]
pub struct View {
    /// Samples times [`Self::scale`].
    pub x: Vec<Vec<f64>>,
    /// Labels ±1.
    pub y: Vec<f64>,
    /// Factor of the samples.
    pub scale: f64,
    /// Slope α.
    pub alpha: f64,
    /// The neurons that exist.
    pub units: Vec<Unit>,
    /// Whether every sample is exactly a vector of floats: decimals need not be.
    pub floats: bool,
}

impl View {
    /// The view of a depth-2, one-output problem without sharing; `None` for others.
    pub fn new(problem: &Problem) -> Option<Self> {
        let list = TwoLayer::with_one_output(problem.network()).ok()?;
        let inputs = problem.network().inputs();
        let unit = |n: &Neuron| {
            let mut w = vec![0.0; inputs];
            let mut support = vec![false; inputs];
            for (&c, value) in n.inputs.iter().zip(to_f64s(&n.w)) {
                w[c] = value;
                support[c] = true;
            }
            Unit { index: n.index, w, v: to_f64(&n.v1()), support }
        };
        let units = list.neurons.iter().map(unit).collect();
        let alpha = to_f64(problem.activation().slope());
        Some(Self { units, ..Self::of_data(problem.data(), alpha) })
    }

    /// The view of a data set with labels ±1, without neurons.
    pub fn of_data(data: &Data, alpha: f64) -> Self {
        let mut x: Vec<Vec<f64>> = data.samples().iter().map(to_f64s).collect();
        let longest = x.iter().map(|x| length(x)).fold(0.0, f64::max);
        // A power of two: scaling there and back is exact.
        let scale = if longest > 0.0 { (-longest.log2().ceil()).exp2() } else { 1.0 };
        x.iter_mut().flatten().for_each(|e| *e *= scale);
        let y = data.labels().iter().map(|y| *y as f64).collect();
        let power = |x: &ScaledVec| {
            let d = x.denominator();
            d.trailing_zeros().is_none_or(|zeros| d.bits() == zeros + 1)
        };
        let floats = data.samples().iter().all(power);
        Self { x, y, scale, alpha, units: Vec::new(), floats }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.x.len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.x.is_empty()
    }

    /// `σ(z)`.
    pub fn sigma(&self, z: f64) -> f64 {
        if z > 0.0 { z } else { self.alpha * z }
    }

    /// Sign and input weights of every neuron, a sign of 0 taken as +.
    pub fn seeds(&self) -> Vec<(f64, Vec<f64>)> {
        let sign = |v: f64| if v < 0.0 { -1.0 } else { 1.0 };
        self.units.iter().map(|u| (sign(u.v), u.w.clone())).collect()
    }

    /// Sample `i`, 0 off the unit's support.
    pub fn on_support(&self, unit: &Unit, i: usize) -> Vec<f64> {
        let keep = |(x, s): (&f64, &bool)| if *s { *x } else { 0.0 };
        self.x[i].iter().zip(&unit.support).map(keep).collect()
    }

    /// Margins `y_i f(x_i)` of the network with units `u_j = |v_j|w_j` and signs `s_j`, where
    /// `u` is in the scaled samples' units.
    pub fn margins(&self, signs: &[f64], u: &[Vec<f64>]) -> Vec<f64> {
        let one = |i: usize| {
            let terms = signs.iter().zip(u).map(|(s, u)| s * self.sigma(dot(u, &self.x[i])));
            self.y[i] * terms.sum::<f64>()
        };
        (0..self.len()).map(one).collect()
    }
}

/// The network with the architecture of `template` and these neurons (`w` by inputs, `v`), all that
/// exist; the input weights of rows that nothing reads are 0, since they would only add to `|θ|`.
pub fn with_units(template: &Network, units: &[Unit]) -> Option<Network> {
    let [first, second] = template.layers() else { return None };
    let mut p1 = vec![0.0; first.parameters().len()];
    let mut p2 = to_f64s(second.parameters());
    for unit in units {
        for c in 0..first.cols() {
            if let Some(i) = first.coordinate(unit.index, c) {
                p1[i] = unit.w[c];
            }
        }
        if let Some(i) = second.coordinate(0, unit.index) {
            p2[i] = unit.v;
        }
    }
    let exact = |layer: &Layer, p: &[f64]| layer.with_parameters(ScaledVec::from_f64s(p).ok()?);
    let layers = vec![exact(first, &p1)?, exact(second, &p2)?];
    Network::new(template.activation().clone(), layers).ok()
}
