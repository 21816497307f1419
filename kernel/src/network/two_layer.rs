//! A depth-2 network as a list of neurons.
use super::{Layer, Network};
use crate::number::{Rational, ScaledVec};
use num_traits::Zero;

/// One hidden neuron that exists: some output weight is not a structural zero.
#[derive(Clone, Debug)]
pub struct Neuron {
    /// Its row in layer 1.
    pub index: usize,
    /// Its input support: the columns of layer 1 that are not structural zeros, ascending.
    pub inputs: Vec<usize>,
    /// Input weights `w` on the support.
    pub w: ScaledVec,
    /// Output weights, one per output; `None` is a structural zero.
    pub v: Vec<Option<Rational>>,
}

impl Neuron {
    /// Whether `w = 0` and all output weights are 0.
    pub fn is_dead(&self) -> bool {
        self.w.is_zero() && self.v.iter().flatten().all(Zero::is_zero)
    }
}

/// The neurons of a depth-2 network without sharing.
#[derive(Clone, Debug)]
pub struct TwoLayer {
    /// The neurons that exist, by row of layer 1.
    pub neurons: Vec<Neuron>,
    /// Number of outputs.
    pub outputs: usize,
}

/// Why a network has no such list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTwoLayer {
    /// Not depth 2.
    #[error("needs a network of depth 2; this one has depth {0}")]
    Depth(usize),
    /// A coordinate is used twice.
    #[error("needs a network without shared weights")]
    Sharing,
    /// More than one output.
    #[error("needs a network with one output; this one has {0}")]
    Outputs(usize),
}

impl TwoLayer {
    /// The neurons of `network`.
    ///
    /// # Errors
    /// [`NotTwoLayer`] for another depth, and for shared weights.
    pub fn new(network: &Network) -> Result<Self, NotTwoLayer> {
        let [first, second] = network.layers() else {
            return Err(NotTwoLayer::Depth(network.depth()));
        };
        if network.has_sharing() {
            return Err(NotTwoLayer::Sharing);
        }
        let weight = |o: usize, j| second.coordinate(o, j).map(|i| second.parameters().get(i));
        let outputs = second.rows();
        let neuron = |index: usize| {
            let v: Vec<_> = (0..outputs).map(|o| weight(o, index)).collect();
            let inputs = first.support(index);
            let w = first.row(index).select(&inputs);
            v.iter().any(Option::is_some).then_some(Neuron { index, inputs, w, v })
        };
        Ok(Self { neurons: (0..first.rows()).filter_map(neuron).collect(), outputs })
    }

    /// The neurons of a network with one output.
    ///
    /// # Errors
    /// As [`TwoLayer::new`], and [`NotTwoLayer::Outputs`].
    pub fn with_one_output(network: &Network) -> Result<Self, NotTwoLayer> {
        match network.layers().last().map_or(0, Layer::rows) {
            1 => Self::new(network),
            outputs => Self::new(network).and(Err(NotTwoLayer::Outputs(outputs))),
        }
    }
}

impl Neuron {
    /// The output weight `v` of a network with one output.
    pub fn v1(&self) -> Rational {
        self.v.first().cloned().flatten().unwrap_or_else(Rational::zero)
    }
}
