//! Homogeneous networks: the class 𝒩 of the paper.
//!
//! Depth `m`; layer `l` has a parameter vector `u⁽ˡ⁾`, and every entry of its weight matrix `W⁽ˡ⁾`
//! is a structural zero or one coordinate of `u⁽ˡ⁾`. A coordinate used more than once is shared.
//! `F(θ;x) = W⁽ᵐ⁾ σ(W⁽ᵐ⁻¹⁾ σ(… σ(W⁽¹⁾x)))`, with no activation after the last layer and no biases.

mod activation;
mod forward;
mod gradient;
mod json;
mod layer;
mod two_layer;

pub use activation::Activation;
pub use forward::{Model, Scalar, Trace};
pub use gradient::gradient;
pub use json::{LayerJson, NetworkJson};
pub use layer::Layer;
pub use two_layer::{Neuron, NotTwoLayer, TwoLayer};

use crate::number::{BigInt, Rational};
use num_traits::One;

/// Largest accepted number of layers.
pub const MAX_DEPTH: usize = 64;
/// Largest accepted number of entries of one weight matrix.
pub const MAX_ENTRIES: usize = 1 << 26;
/// Largest accepted depth × (bits of the longest numerator, denominator and slope): what outputs
/// and `|θ|^m` grow to. Weights that are floats stay far below it.
pub const MAX_BITS: u64 = 1 << 15;

/// A network with exact parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    activation: Activation,
    layers: Vec<Layer>,
}

/// Why a description is not a network. Layers are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// No layers, or more than [`MAX_DEPTH`].
    #[error("a network needs 1 to {MAX_DEPTH} layers, this one has {0}")]
    Depth(usize),
    /// Consecutive layers do not chain.
    #[error("layer {layer} takes {cols} inputs, but layer {} gives {rows}", layer - 1)]
    Chain {
        /// The later layer.
        layer: usize,
        /// Its number of inputs.
        cols: usize,
        /// Number of outputs of the layer before.
        rows: usize,
    },
    /// A matrix with no rows or no columns.
    #[error("layer {layer} has shape {rows}×{cols}; a width of 0 is not a network")]
    Empty {
        /// The layer.
        layer: usize,
        /// Its rows.
        rows: usize,
        /// Its columns.
        cols: usize,
    },
    /// Row lengths differ.
    #[error("layer {layer}: row {row} has {found} entries, the first row has {expected}")]
    Ragged {
        /// The layer.
        layer: usize,
        /// The row, from 0.
        row: usize,
        /// Its length.
        found: usize,
        /// Length of row 0.
        expected: usize,
    },
    /// A matrix past [`MAX_ENTRIES`].
    #[error("layer {layer} has {entries} entries, past the limit of {MAX_ENTRIES}")]
    TooLarge {
        /// The layer.
        layer: usize,
        /// Rows times columns.
        entries: usize,
    },
    /// The pattern refers to a coordinate that does not exist.
    #[error("layer {layer}: the pattern uses parameter {index}, but there are {count}")]
    NoSuchParameter {
        /// The layer.
        layer: usize,
        /// The index used.
        index: usize,
        /// Number of parameters.
        count: usize,
    },
    /// A coordinate that no entry of the matrix uses.
    #[error("layer {layer}: parameter {index} is never used; it would add to |θ| for nothing")]
    Unused {
        /// The layer.
        layer: usize,
        /// The unused coordinate.
        index: usize,
    },
    /// Numbers past [`MAX_BITS`]: exact outputs would take hours.
    #[error("the numbers are too long: depth times their bits is {0}, the limit is {MAX_BITS}")]
    TooLong(u64),
    /// The slope for negative inputs is outside [0, 1].
    #[error("the leaky ReLU slope {0} is outside [0, 1]")]
    Slope(String),
    /// A number of a layer could not be read.
    #[error("layer {layer}: {error}")]
    Number {
        /// The layer.
        layer: usize,
        /// What is wrong with it.
        error: crate::number::ParseNumberError,
    },
}

impl NetworkError {
    /// Whether the network is past a limit, rather than none.
    pub fn is_limit(&self) -> bool {
        match self {
            Self::Depth(depth) => *depth > MAX_DEPTH,
            Self::TooLarge { .. } | Self::TooLong(_) => true,
            Self::Number { error, .. } => error.is_limit(),
            _ => false,
        }
    }
}

impl Network {
    /// A network from its layers, first layer first.
    ///
    /// # Errors
    /// [`NetworkError::Depth`], [`NetworkError::Chain`] and [`NetworkError::TooLong`].
    pub fn new(activation: Activation, layers: Vec<Layer>) -> Result<Self, NetworkError> {
        if layers.is_empty() || layers.len() > MAX_DEPTH {
            return Err(NetworkError::Depth(layers.len()));
        }
        for (l, pair) in layers.windows(2).enumerate() {
            if let [before, after] = pair
                && before.rows() != after.cols()
            {
                let (cols, rows) = (after.cols(), before.rows());
                return Err(NetworkError::Chain { layer: l + 2, cols, rows });
            }
        }
        let length =
            |l: &Layer| l.parameters().numerators().bits() + l.parameters().denominator().bits();
        let slope = activation.slope().denom().bits();
        let longest = layers.iter().map(length).max().unwrap_or(0) + slope;
        let bits = layers.iter().map(|_| longest).sum();
        if bits > MAX_BITS {
            return Err(NetworkError::TooLong(bits));
        }
        Ok(Self { activation, layers })
    }

    /// The activation σ.
    pub fn activation(&self) -> &Activation {
        &self.activation
    }

    /// The layers, first to last.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Depth `m`, the degree of homogeneity of `F` in θ.
    pub fn depth(&self) -> usize {
        self.layers.len()
    }

    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        self.layers.first().map_or(0, Layer::cols)
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, Layer::rows)
    }

    /// Whether some coordinate is used by more than one entry.
    pub fn has_sharing(&self) -> bool {
        self.layers.iter().any(|l| l.max_uses() > 1)
    }

    /// Entries of all matrices, structural zeros included.
    pub(crate) fn entries(&self) -> usize {
        self.layers.iter().map(|l| l.rows() * l.cols()).sum()
    }

    /// Bits that the outputs of the integer model have more than a sample, sums aside.
    pub(crate) fn bits(&self) -> u64 {
        let slope = self.activation.slope().denom().bits();
        self.layers.iter().map(|l| l.parameters().numerators().bits() + slope).sum()
    }

    /// `|θ|²`, each coordinate once.
    pub fn norm_squared(&self) -> Rational {
        self.layers.iter().map(|l| l.parameters().norm_squared()).sum()
    }

    /// Whether the other network has the same activation and the same pattern of structural
    /// zeros and shared coordinates, so that θ and θ' live in the same space.
    pub fn same_architecture(&self, other: &Self) -> bool {
        let same = |(a, b): (&Layer, &Layer)| a.same_pattern(b);
        self.activation == other.activation
            && self.depth() == other.depth()
            && self.layers.iter().zip(&other.layers).all(same)
    }

    /// The network over ℚ.
    pub fn rational_model(&self) -> Model<Rational> {
        let row = |l: &Layer, r: usize| l.row(r).to_rationals();
        let rows = |l: &Layer| (0..l.rows()).map(|r| row(l, r)).collect();
        Model {
            layers: self.layers.iter().map(rows).collect(),
            positive: Rational::one(),
            negative: self.activation.slope().clone(),
        }
    }

    /// The network over ℤ: every layer times its denominator, σ times the denominator `q` of its
    /// slope. By homogeneity its outputs are those of the network times [`Self::integer_scale`]
    /// and the denominator of the sample, and all its preactivations keep their signs.
    pub fn integer_model(&self) -> Model<BigInt> {
        let rows = |l: &Layer| (0..l.rows()).map(|r| l.row(r).numerators().clone()).collect();
        Model {
            layers: self.layers.iter().map(rows).collect(),
            positive: self.activation.slope().denom().clone(),
            negative: self.activation.slope().numer().clone(),
        }
    }

    /// Factor between the outputs of [`Self::integer_model`] and those of the network.
    pub fn integer_scale(&self) -> BigInt {
        let mut scale: BigInt =
            self.layers.iter().map(|l| l.parameters().denominator().clone()).product();
        for _ in 1..self.depth() {
            scale *= self.activation.slope().denom();
        }
        scale
    }
}
