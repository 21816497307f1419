//! An explicit point θ': one with `ν(θ') ≥ B`, or one that beats θ.
//!
//! Witness: nothing (θ itself), the parameters of another network of the same architecture, or,
//! for `any_width`, a whole network. Both claims need `γ(θ) > 0` and `γ' = γ(θ') > 0`.
//!
//! **`margin_at_least`.** Check: `ν(θ') ≥ B` (by squares: `B²|θ'|^{2m} ≤ γ'²`), and θ' lies in the
//! region of the claim.
//!
//! **`not_global_optimum`.** The witness is parameters of this architecture. Check: `ν(θ') > ν(θ)`
//! strictly, by squares of positive numbers `γ'²|θ|^{2m} > γ²|θ'|^{2m}`; in scope `layer:l`, that the
//! parameters of all other layers are those of θ, and `γ'²|u⁽ˡ⁾|² > γ²|u'⁽ˡ⁾|²`, which compares
//! `ν_l = γ/|u⁽ˡ⁾|`. Then `sθ'` (in the layer alone: `su'⁽ˡ⁾`) with `γ's^m = γ` (`γ's = γ`) is feasible
//! for `q_k ≥ γ` and shorter than θ. Norms are positive: `γ > 0` needs non-zero weights in each layer.
use super::{Refusal, moving_layers, only_all, wrong_claim};
use crate::claim::{Claim, Number, Region};
use crate::network::{MAX_BITS, Network, NetworkError, NetworkJson, TwoLayer};
use crate::number::{Rational, ScaledVec, compare};
use crate::problem::{DataError, NotClassified, Problem, power};
use num_traits::Signed;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

const RULE: &str = "point";

/// The point. At most one field is present; none means θ itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Parameter vectors `u⁽ˡ⁾`, first layer first, numbered as in the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Vec<Vec<Number>>>,
    /// A network of another width.
    #[serde(
        default,
        deserialize_with = "crate::object::some_object",
        skip_serializing_if = "Option::is_none"
    )]
    pub network: Option<NetworkJson>,
}

/// Why the point does not prove the claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointError {
    /// Both forms are present.
    #[error("a point is given by parameters or by a network, not both")]
    Ambiguous,
    /// A network where the region allows only this architecture.
    #[error("a network of another architecture proves nothing about `{0}`")]
    OtherArchitecture(String),
    /// The parameter lists do not match the layers.
    #[error("the parameters do not fit the architecture at layer {0}")]
    Parameters(usize),
    /// The network cannot be read.
    #[error("the point's network: {0}")]
    Network(#[from] NetworkError),
    /// The network does not fit the data.
    #[error("the point and the data: {0}")]
    Data(#[from] DataError),
    /// The network is not a competitor for `any_width`.
    #[error("the point's network is not in `any_width`: {0}")]
    NotCompetitor(&'static str),
    /// The point does not classify the data.
    #[error("the point does not classify the data: {0}")]
    NotClassified(NotClassified),
    /// The normalised margin is smaller than claimed.
    #[error("the point's normalised margin is below the claimed {0}")]
    TooSmall(String),
    /// The normalised margin is not larger than θ's.
    #[error("the point's normalised margin is not larger than that of the network")]
    NotLarger,
    /// A layer outside the scope differs.
    #[error("layer {0} is fixed in this scope, but the point changes it")]
    FixedLayer(usize),
    /// A preactivation on the wrong side.
    #[error("the point leaves the region: neuron {neuron} changes its sign at sample {sample}")]
    LeavesCell {
        /// The row in layer 1.
        neuron: usize,
        /// The sample.
        sample: usize,
    },
    /// An output weight on the wrong side.
    #[error("the point leaves the region: the output weight of neuron {0} changes its sign")]
    OutputSign(usize),
}

impl Point {
    /// Checks the claim at this point.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, problem: &Problem, claim: &Claim) -> Result<(), Refusal> {
        let (region, bound) = match claim {
            Claim::MarginAtLeast { region, bound, .. } => (region, bound),
            Claim::NotGlobalOptimum { .. } => return self.beats(problem, claim),
            _ => return Err(wrong_claim(RULE, claim)),
        };
        only_all(RULE, claim)?;
        problem.gamma()?;
        if bound.0.is_negative() {
            return Err(Refusal::Negative("the bound"));
        }
        let point = self.problem(problem, region)?;
        point.gamma().map_err(PointError::NotClassified)?;
        if point.compare_normalised_margin(&bound.0).is_none_or(Ordering::is_lt) {
            return Err(PointError::TooSmall(bound.approximately()).into());
        }
        match region {
            Region::Cell | Region::Near(_) => stays_in_region(problem, &point, region),
            Region::Everywhere => Ok(()),
            Region::AnyWidth => Ok(is_competitor(problem.network(), point.network())?),
        }
    }

    /// `not_global_optimum`.
    fn beats(&self, problem: &Problem, claim: &Claim) -> Result<(), Refusal> {
        let moving = moving_layers(problem, claim)?;
        let gamma = problem.gamma()?;
        let point = self.problem(problem, &Region::Everywhere)?;
        let better = point.gamma().map_err(PointError::NotClassified)?;
        let pairs = problem.network().layers().iter().zip(point.network().layers());
        let (mut norm, mut norm_after) = (Rational::default(), Rational::default());
        for (l, (before, after)) in pairs.enumerate() {
            let (u, after) = (before.parameters(), after.parameters());
            if moving.contains(&l) {
                norm += u.norm_squared();
                norm_after += after.norm_squared();
            } else if !equal(u, after) {
                return Err(PointError::FixedLayer(l + 1).into());
            }
        }
        // γ is homogeneous of degree 1 in every layer that moves.
        let degree = moving.len();
        let (theirs, ours) =
            (power(better, 2) * power(&norm, degree), power(gamma, 2) * power(&norm_after, degree));
        if compare(&theirs, &ours).is_gt() { Ok(()) } else { Err(PointError::NotLarger.into()) }
    }

    /// The data with the point's network in place of θ.
    fn problem(&self, problem: &Problem, region: &Region) -> Result<Problem, PointError> {
        let network = match (&self.parameters, &self.network) {
            (Some(_), Some(_)) => return Err(PointError::Ambiguous),
            (None, None) => problem.network().clone(),
            (Some(parameters), None) => with_parameters(problem.network(), parameters)?,
            (None, Some(_)) if *region != Region::AnyWidth => {
                return Err(PointError::OtherArchitecture(region.to_string()));
            }
            (None, Some(json)) => json.to_network()?,
        };
        Ok(Problem::new(network, problem.data().clone())?)
    }
}

/// Whether two vectors are the same, whatever their denominators.
fn equal(a: &ScaledVec, b: &ScaledVec) -> bool {
    let (p, q) = (a.denominator(), b.denominator());
    let (x, y) = (a.numerators(), b.numerators());
    a.len() == b.len() && (0..a.len()).all(|i| x.get(i) * q == y.get(i) * p)
}

/// The same architecture with other parameter vectors.
fn with_parameters(network: &Network, parameters: &[Vec<Number>]) -> Result<Network, PointError> {
    if parameters.len() != network.depth() {
        return Err(PointError::Parameters(parameters.len()));
    }
    let mut layers = Vec::with_capacity(network.depth());
    for (l, (layer, values)) in network.layers().iter().zip(parameters).enumerate() {
        let values: Vec<_> = values.iter().map(|v| v.0.clone()).collect();
        let values = ScaledVec::from_rationals_within(&values, MAX_BITS);
        let moved = layer.with_parameters(values.map_err(NetworkError::TooLong)?);
        layers.push(moved.ok_or(PointError::Parameters(l + 1))?);
    }
    Ok(Network::new(network.activation().clone(), layers)?)
}

/// Membership in `cell` and `near δ`, over all samples.
fn stays_in_region(problem: &Problem, point: &Problem, region: &Region) -> Result<(), Refusal> {
    let two_layer = TwoLayer::with_one_output(problem.network())
        .map_err(|reason| Refusal::Architecture { rule: RULE, reason })?;
    let moved = TwoLayer::with_one_output(point.network())
        .map_err(|reason| Refusal::Architecture { rule: RULE, reason })?;
    // Equal architectures list the same neurons.
    for (neuron, after) in two_layer.neurons.iter().zip(&moved.neurons) {
        let (v, v_after) = (neuron.v1(), after.v1());
        if (v.is_positive() && v_after.is_negative()) || (v.is_negative() && v_after.is_positive())
        {
            return Err(PointError::OutputSign(neuron.index).into());
        }
        for sample in 0..problem.data().len() {
            let free = match region {
                Region::Near(delta) => problem.is_near_kink(sample, neuron, &delta.0),
                _ => false,
            };
            let before = problem.sign(sample, neuron.index);
            let leaves = match point.sign(sample, neuron.index) {
                Ordering::Greater => before != Ordering::Greater,
                Ordering::Less => before == Ordering::Greater,
                Ordering::Equal => false,
            };
            if leaves && !free {
                let neuron = neuron.index;
                return Err(PointError::LeavesCell { neuron, sample }.into());
            }
        }
    }
    Ok(())
}

/// Membership in `any_width`.
fn is_competitor(network: &Network, other: &Network) -> Result<(), PointError> {
    let refuse = |why| Err(PointError::NotCompetitor(why));
    if other.has_sharing() {
        return refuse("it shares weights");
    }
    if other.activation() != network.activation() {
        return refuse("its activation differs");
    }
    if other.depth() != network.depth() {
        return refuse("its depth differs");
    }
    if other.inputs() != network.inputs() || other.outputs() != network.outputs() {
        return refuse("its inputs or outputs differ");
    }
    if network.depth() == 2 {
        let (Some(allowed), Some(first)) = (network.layers().first(), other.layers().first())
        else {
            return refuse("it has no layers");
        };
        let second = network.layers().last();
        let exists =
            |j: usize| second.is_some_and(|l| (0..l.rows()).any(|o| l.coordinate(o, j).is_some()));
        let supports: Vec<_> =
            (0..allowed.rows()).filter(|j| exists(*j)).map(|j| allowed.support(j)).collect();
        for r in 0..first.rows() {
            let inputs = first.support(r);
            if !supports.iter().any(|s| inputs.iter().all(|c| s.contains(c))) {
                return refuse("a neuron reads inputs that no neuron of this network may read");
            }
        }
    }
    Ok(())
}
