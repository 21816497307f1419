//! A network and its training set: constraints, margins, activation geometry, digests.

mod data;
mod digest;
mod facts;
mod kinks;
mod margins;

pub use data::{Data, DataError, DataJson, MAX_CONSTRAINTS, MAX_PREACTIVATIONS, MAX_SAMPLE_BITS};
pub use digest::{data_digest, network_digest};
pub use facts::Facts;
pub(crate) use kinks::kinks;
pub use margins::{Constraint, Margins, NotClassified};

use crate::network::{Activation, Network, Neuron};
use crate::number::{BigInt, IntVec, Rational, compare, work::exceeds_when_long};
use num_traits::{One, Signed, Zero};
use std::cmp::Ordering;

/// A network with a training set that fits it, evaluated once.
#[derive(Clone, Debug)]
pub struct Problem {
    network: Network,
    data: Data,
    /// Layer-1 preactivations of every sample, of the integer model at the sample's numerators.
    first: Vec<IntVec>,
    margins: Margins,
    kinks: usize,
}

impl Problem {
    /// Checks that the data fit the network and evaluates it on every sample.
    ///
    /// With one output, labels that are all 0 or 1, with at least one 0, are read as −1 and 1.
    ///
    /// # Errors
    /// [`DataError`]: no samples, shapes, labels, a zero sample; past a limit.
    pub fn new(network: Network, data: Data) -> Result<Self, DataError> {
        let data = data.fit_to(network.inputs(), network.outputs())?;
        let longest = data.samples().iter().map(data::length).max().unwrap_or(0);
        // Quadratic in what was read, and each is kept.
        let constraints = data.len().saturating_mul(network.outputs().saturating_sub(1).max(1));
        if constraints > MAX_CONSTRAINTS {
            return Err(DataError::Constraints(constraints));
        }
        let units: usize = network.layers().iter().map(|l| l.rows()).sum();
        let preactivations = data.len().saturating_mul(units);
        if preactivations > MAX_PREACTIVATIONS {
            return Err(DataError::Preactivations(preactivations));
        }
        let counts = [data.len(), network.entries()];
        if let Some(work) = exceeds_when_long(&counts, longest + network.bits()) {
            return Err(DataError::Work(work));
        }
        let model = network.integer_model();
        let scale = network.integer_scale();
        let mut first = Vec::with_capacity(data.len());
        let mut outputs = Vec::with_capacity(data.len());
        let mut kinks = 0;
        for x in data.samples() {
            let trace = model.forward(x.numerators());
            let all = 0..network.depth();
            kinks += kinks::kinks(&network, &model, x.numerators(), &trace, &all).len();
            let denominator = &scale * x.denominator();
            let exact = |o| Rational::new(o, denominator.clone());
            outputs.push(trace.outputs().into_iter().map(exact).collect());
            first.extend(trace.preactivations.into_iter().next());
        }
        let margins = Margins::new(&outputs, data.labels());
        Ok(Self { network, data, first, margins, kinks })
    }

    /// The network θ.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The training set, labels normalised.
    pub fn data(&self) -> &Data {
        &self.data
    }

    /// σ.
    pub fn activation(&self) -> &Activation {
        self.network.activation()
    }

    /// The constraints with their margins `q_k(θ)`.
    pub fn margins(&self) -> &Margins {
        &self.margins
    }

    /// `γ(θ) = min_k q_k(θ)`, if positive.
    ///
    /// # Errors
    /// [`NotClassified`] with the worst sample: the point does not classify its data.
    pub fn gamma(&self) -> Result<&Rational, NotClassified> {
        self.margins.gamma()
    }

    /// Layer-1 preactivation of sample `i` at row `j`, times the two denominators: its sign and
    /// its ratios to other preactivations of the same pair are exact.
    pub fn scaled_preactivation(&self, sample: usize, row: usize) -> BigInt {
        self.first.get(sample).map_or(BigInt::ZERO, |z| z.get(row))
    }

    /// The sign of `w_j·x_i`.
    pub fn sign(&self, sample: usize, row: usize) -> Ordering {
        self.first.get(sample).map_or(Ordering::Equal, |z| z.sign(row))
    }

    /// Whether `|w_j·x_i| ≤ δ |w_j||x_i|` (lengths on the neuron's input support), δ ≥ 0.
    pub fn is_near_kink(&self, sample: usize, neuron: &Neuron, delta: &Rational) -> bool {
        let z = self.scaled_preactivation(sample, neuron.index);
        if z.is_zero() {
            return true;
        }
        if !delta.is_positive() {
            return false;
        }
        let x = self.data.restricted(sample, &neuron.inputs);
        let (p, q) = (delta.numer(), delta.denom());
        let norms = neuron.w.numerators().norm_squared() * x.numerators().norm_squared();
        (&z * &z) * (q * q) <= norms * (p * p)
    }

    /// The claimed normalised margin compared with a bound: `γ/|θ|^m` against `bound`, by squares.
    /// `None` if the point does not classify its data.
    pub fn compare_normalised_margin(&self, bound: &Rational) -> Option<Ordering> {
        let gamma = self.margins.gamma().ok()?;
        if bound.is_negative() {
            return Some(Ordering::Greater);
        }
        let norm = power(&self.network.norm_squared(), self.network.depth());
        Some(compare(&power(gamma, 2), &product(&power(bound, 2), &norm)))
    }
}

/// `base^exponent`; powers of coprime numbers are coprime, so there is nothing to reduce.
pub(crate) fn power(base: &Rational, exponent: usize) -> Rational {
    let raised = |b: &BigInt| (0..exponent).fold(BigInt::one(), |p, _| p * b);
    Rational::new_raw(raised(base.numer()), raised(base.denom()))
}

/// `a·b`, not reduced: for one comparison a gcd of long numbers costs far more than it saves.
fn product(a: &Rational, b: &Rational) -> Rational {
    Rational::new_raw(a.numer() * b.numer(), a.denom() * b.denom())
}
