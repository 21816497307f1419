//! One hidden layer of a network with one output, the others fixed, as layer 1 of a two-layer network.
//!
//! Let only layer `l < m` vary, and let `a_i` be the activations below it on sample `i` (`x_i` if
//! `l = 1`), `w_j` its rows, `P = W⁽ᵐ⁾⋯W⁽ˡ⁺¹⁾` the row of path products. Then for **every** value of layer `l`
//!
//! ```text
//! F(x_i) = Σ_j P_j σ(w_j·a_i)
//! ```
//!
//! if `l = m−1` (nothing but the output comes after σ), or if α = 0 and no weight of the layers
//! `l+1, …, m−1` is negative. *Proof* of the latter, upwards: `a⁽ˡ⁾ = σ(z⁽ˡ⁾) ≥ 0`; if `a⁽ʰ⁾ ≥ 0` then `z⁽ʰ⁺¹⁾ =
//! W⁽ʰ⁺¹⁾a⁽ʰ⁾ ≥ 0`, and σ changes nothing where it is the identity: `a⁽ʰ⁺¹⁾ = W⁽ʰ⁺¹⁾a⁽ʰ⁾`. The last layer is linear
//! and its weights may have any sign. For α > 0 the first step fails (`σ(σ(z)) = α²z` at `z < 0`).
//!
//! The layers below `l` are constants, whatever they are; those above are constants too, so it does not
//! matter whether they share weights. Layer `l` must not: its rows have to vary independently. Its
//! structural zeros stay what they are. With several outputs every constraint has path products of its
//! own, and no single sign per row.
//!
//! Nothing of this is taken from a certificate: signs, activations and products are computed here.
use crate::network::{Layer, Network, NetworkError};
use crate::number::{BigInt, Rational, ScaledVec};
use crate::problem::{Data, DataError, Problem};
use num_traits::{Signed, Zero};
use std::borrow::Cow;

/// Why a layer alone is no layer 1 of a two-layer network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OneLayerError {
    /// The last layer, or none.
    #[error("layer {layer} is no hidden layer; the network has {depth} layers")]
    NotHidden {
        /// The layer, from 1.
        layer: usize,
        /// The depth.
        depth: usize,
    },
    /// Several outputs.
    #[error("one layer by path products needs one output; the network has {0}")]
    Outputs(usize),
    /// A coordinate of the layer is used twice.
    #[error("layer {0} shares weights, so its rows do not vary independently")]
    Shares(usize),
    /// α > 0 and a hidden layer in between.
    #[error(
        "with slope {slope} on negative inputs, {between} hidden layers above layer {layer} act on negative activations too"
    )]
    Slope {
        /// The layer, from 1.
        layer: usize,
        /// Hidden layers above it.
        between: usize,
        /// α.
        slope: String,
    },
    /// A negative weight in between.
    #[error(
        "weight {coordinate} of layer {layer} is negative: σ above it can differ from the identity"
    )]
    NegativeAbove {
        /// The layer of the weight, from 1.
        layer: usize,
        /// Its coordinate in the layer's parameter vector.
        coordinate: usize,
    },
    /// The two-layer network cannot be formed.
    #[error("the two-layer form of the layer: {0}")]
    Network(#[from] NetworkError),
    /// Its data cannot be formed.
    #[error("the activations below the layer: {0}")]
    Data(#[from] DataError),
}

impl OneLayerError {
    /// Whether numbers became too long, rather than a hypothesis failing.
    pub(super) fn is_limit(&self) -> bool {
        match self {
            Self::Network(error) => error.is_limit(),
            Self::Data(error) => error.is_limit(),
            _ => false,
        }
    }
}

/// The two-layer problem of layer `layer` (from 1): its weights with their structural zeros, the path
/// products above as output weights, the activations below as samples, the labels as they are. At
/// every value of the layer its margins are those of the network. Rows and columns keep their numbers.
///
/// # Errors
/// [`OneLayerError`]. A sample on which all activations below vanish is one of its `Data`; there `q = 0`, so
/// with `γ > 0` there is none.
pub fn two_layer_form(problem: &Problem, layer: usize) -> Result<Cow<'_, Problem>, OneLayerError> {
    let network = problem.network();
    let depth = network.depth();
    let at = layer.checked_sub(1).filter(|at| at + 1 < depth);
    let Some((own, at)) = at.and_then(|at| Some((network.layers().get(at)?, at))) else {
        return Err(OneLayerError::NotHidden { layer, depth });
    };
    if network.outputs() != 1 {
        return Err(OneLayerError::Outputs(network.outputs()));
    }
    if own.max_uses() > 1 {
        return Err(OneLayerError::Shares(layer));
    }
    if depth == 2 && !network.has_sharing() {
        return Ok(Cow::Borrowed(problem));
    }
    let between = depth - 2 - at;
    let slope = network.activation().slope();
    if between > 0 && !slope.is_zero() {
        return Err(OneLayerError::Slope { layer, between, slope: slope.to_string() });
    }
    for (l, above) in network.layers().iter().enumerate().skip(layer).take(between) {
        let weights = above.parameters().numerators();
        if let Some(coordinate) = (0..weights.len()).find(|c| weights.get(*c).is_negative()) {
            return Err(OneLayerError::NegativeAbove { layer: l + 1, coordinate });
        }
    }
    let output = Layer::dense(2, 1, own.rows(), path_products(network, layer))?;
    let activation = network.activation().clone();
    let two_layer = Network::new(activation, vec![own.clone(), output])?;
    let data = Data::new(activations(problem, at), problem.data().labels().to_vec())?;
    Ok(Cow::Owned(Problem::new(two_layer, data)?))
}

/// `W⁽ᵐ⁾⋯W⁽ˡ⁺¹⁾` of a network with one output. It costs one pass through these layers.
fn path_products(network: &Network, layer: usize) -> ScaledVec {
    let mut product = ScaledVec::from_rationals(&[Rational::from_integer(1.into())]);
    for above in network.layers().iter().skip(layer).rev() {
        let rows: Vec<ScaledVec> = (0..above.rows()).map(|r| above.row(r)).collect();
        product = ScaledVec::combination(above.cols(), &product.to_rationals(), &rows);
    }
    product
}

/// The activations that enter layer `at` (from 0), sample by sample. It costs one evaluation.
fn activations(problem: &Problem, at: usize) -> Vec<ScaledVec> {
    let network = problem.network();
    let mut below = network.integer_model();
    below.layers.truncate(at);
    let slope = network.activation().slope().denom();
    let scales = network.layers().iter().take(at).map(|l| l.parameters().denominator() * slope);
    let scale: BigInt = scales.product();
    let one = |x: &ScaledVec| {
        let trace = below.forward(x.numerators());
        let Some(z) = trace.preactivations.last() else { return x.clone() };
        let denominator = &scale * x.denominator();
        let exact = ScaledVec::new(below.activate(z), denominator);
        exact.unwrap_or_else(|| ScaledVec::from_rationals(&[]))
    };
    problem.data().samples().iter().map(one).collect()
}
