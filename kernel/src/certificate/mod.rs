//! The certificate file: one JSON document, keys in this order, unknown keys refused.
//!
//! ```json
//! {"format": "maxmargin-certificate", "version": 1,
//!  "problem": {"network_digest": "…", "data_digest": "…", "network": {…}, "data": {…}},
//!  "claims": [{"claim": {"kind": …}, "proof": {"rule": …}}],
//!  "end": 1}
//! ```
//!
//! `problem.network` and `problem.data` are present together or not at all. `end` is the number of
//! claims; a file that was cut short does not reach it.

mod read;

pub use read::read;

use crate::claim::Claim;
use crate::network::NetworkJson;
use crate::problem::{DataJson, Problem, data_digest, network_digest};
use crate::proof::{
    convex_cell::ConvexCell, layer_cell::LayerCell, layer_cover::LayerCover, linear::Linear,
    local_cover::LocalCover, second_order::SecondOrder, width_tree::WidthTree,
};
use crate::proof::{curve::Curve, descent::Descent, stationarity::Stationarity};
use crate::proof::{
    dual_bound::DualBound, kkt_residual::KktResidual, norm_bound::NormBound, point::Point,
};
use serde::{Deserialize, Serialize};

/// The value of `format`.
pub const FORMAT: &str = "maxmargin-certificate";
/// The value of `version` this kernel reads and writes.
pub const VERSION: u32 = 1;

/// A whole certificate in memory, as producers write it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Certificate {
    format: &'static str,
    version: u32,
    /// What it speaks of.
    pub problem: ProblemEntry,
    /// The claims with their proofs.
    pub claims: Vec<Entry>,
    end: usize,
}

/// The network and data set of a certificate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProblemEntry {
    /// [`network_digest`].
    pub network_digest: String,
    /// [`data_digest`].
    pub data_digest: String,
    /// The network, if embedded.
    #[serde(
        default,
        deserialize_with = "crate::object::some_object",
        skip_serializing_if = "Option::is_none"
    )]
    pub network: Option<NetworkJson>,
    /// The data, if embedded.
    #[serde(
        default,
        deserialize_with = "crate::object::some_object",
        skip_serializing_if = "Option::is_none"
    )]
    pub data: Option<DataJson>,
}

/// One claim with its proof.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// The statement.
    pub claim: Claim,
    /// Why it is true.
    pub proof: Proof,
}

/// A proof by one rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "a certificate holds a handful")]
pub enum Proof {
    /// [`crate::proof::stationarity`].
    Stationarity(Stationarity),
    /// [`crate::proof::descent`].
    Descent(Descent),
    /// [`crate::proof::curve`].
    Curve(Curve),
    /// [`crate::proof::convex_cell`].
    ConvexCell(ConvexCell),
    /// [`crate::proof::layer_cell`].
    LayerCell(LayerCell),
    /// [`crate::proof::layer_cover`].
    LayerCover(LayerCover),
    /// [`crate::proof::linear`].
    Linear(Linear),
    /// [`crate::proof::local_cover`].
    LocalCover(LocalCover),
    /// [`crate::proof::second_order`].
    SecondOrder(SecondOrder),
    /// [`crate::proof::width_tree`].
    WidthTree(WidthTree),
    /// [`crate::proof::kkt_residual`].
    KktResidual(KktResidual),
    /// [`crate::proof::dual_bound`].
    DualBound(DualBound),
    /// [`crate::proof::norm_bound`].
    NormBound(NormBound),
    /// [`crate::proof::point`].
    Point(Point),
}

impl ProblemEntry {
    /// The entry for a problem; `embed` puts network and data into the file.
    pub fn new(problem: &Problem, embed: bool) -> Self {
        Self {
            network_digest: network_digest(problem.network()),
            data_digest: data_digest(problem.data()),
            network: embed.then(|| NetworkJson::from_network(problem.network())),
            data: embed.then(|| DataJson::from_data(problem.data())),
        }
    }
}

impl Certificate {
    /// A certificate of these claims.
    pub fn new(problem: ProblemEntry, claims: Vec<Entry>) -> Self {
        let end = claims.len();
        Self { format: FORMAT, version: VERSION, problem, claims, end }
    }
}
