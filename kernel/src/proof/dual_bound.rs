//! The dual bound (rule 3.7): depth 2, one output, no sharing.
//!
//! Let `g(w) = Σ_i λ_i y_i σ(w·x_i)` with `λ ≥ 0`, `Σλ > 0`. If `s·g(w) ≤ T|w|` for every cone and sign
//! that a competitor's neurons may use, then `ν(θ') ≤ T/(2Σλ)` for every such competitor:
//! `γ'Σλ ≤ Σ_i λ_i y_i f'(x_i) = Σ_j s'_j g(|v'_j|w'_j) ≤ T Σ_j |v'_j||w'_j| ≤ T|θ'|²/2`.
//!
//! Witness: `λ`, and covers ([`super::cover`]) of cones. From the claim `ν ≤ B` the check takes
//! `T = 2BΣλ`. It derives, from θ and the region, which signs each neuron of a competitor may have,
//! and looks for a cover whose cone contains them:
//!
//! | region | neuron j of a competitor |
//! |---|---|
//! | `cell` | all signs fixed (`w_j·x_i = 0` counts as `≤ 0`), sign of `v_j` (both if 0) |
//! | `near δ` | signs fixed where `|w_j·x_i| > δ|w_j||x_i|`, sign of `v_j` (both if 0) |
//! | `everywhere`, `any_width` | any `w` on the neuron's input support, both signs |
//!
//! A cover on inputs `S` with some signs fixed serves a neuron whose input support lies in `S`
//! and all of whose `w` have these signs. For `any_width` a competitor's neuron reads only inputs
//! that one neuron of this architecture may read, so the same covers serve it.
//!
//! [`super::local_cover`] and [`super::layer_cover`] rest on the same covers.
use super::cover::{CoverError, Units};
pub use super::serving::{DualBoundChecker, merge};
use super::tree::Tree;
use super::{Refusal, only_all, wrong_claim};
use crate::claim::Claim;
use crate::problem::Problem;
use num_traits::Signed;
use serde::{Deserialize, Serialize};

const RULE: &str = "dual_bound";

/// Everything of the witness but the covers. Comes first in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Multipliers {
    /// The grids of this proof.
    #[serde(deserialize_with = "crate::object::object")]
    pub units: Units,
    /// `(i, λ_i/unit_a)` by ascending sample, `λ_i > 0`; the others are 0.
    pub lambda: Vec<(usize, i64)>,
}

/// The cone of one cover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cone {
    /// `s`: 1 or −1.
    pub sign: i8,
    /// The inputs `w` may use, ascending; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Vec<usize>>,
    /// `(i, τ)` by ascending sample: `τ·(w·x_i) ≥ 0`, `τ = ±1`.
    pub fixed: Vec<(usize, i8)>,
}

/// A cover: its cone and its tree. The items are the samples with `λ_i > 0` or a fixed sign,
/// ascending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cover {
    /// The cone.
    #[serde(deserialize_with = "crate::object::object")]
    pub cone: Cone,
    /// The tree, depth first.
    pub nodes: Tree,
}

/// The whole witness.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DualBound {
    /// Units and `λ`.
    #[serde(deserialize_with = "crate::object::object")]
    pub multipliers: Multipliers,
    /// The covers.
    pub covers: Vec<Cover>,
}

/// Why a dual bound does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DualBoundError {
    /// No `λ_i > 0`: the bound would say nothing.
    #[error("all multipliers λ are zero")]
    NoMultipliers,
    /// A multiplier that is not positive.
    #[error("λ of sample {0} is not positive")]
    NotPositive(usize),
    /// Samples not ascending, or past the end.
    #[error("the samples of {list} must be ascending and below {count}; found {found}")]
    Samples {
        /// `λ` or the cover.
        list: String,
        /// Number of samples.
        count: usize,
        /// The offending index.
        found: usize,
    },
    /// Inputs not ascending, or past the end.
    #[error("cover {cover}: its inputs must be ascending and below {count}; found {found}")]
    Inputs {
        /// The cover.
        cover: usize,
        /// Number of inputs.
        count: usize,
        /// The offending index.
        found: usize,
    },
    /// A sign that is neither 1 nor −1.
    #[error("cover {0}: signs are 1 or -1")]
    Sign(usize),
    /// A competitor's neuron that no cover serves.
    #[error(
        "neuron {neuron} with output sign {sign:+} is not served by any cover of this region \
         (no cover with that sign fixes only signs that all its competitors share)"
    )]
    Uncovered {
        /// Its row in layer 1.
        neuron: usize,
        /// The sign of its output weight.
        sign: i8,
    },
    /// A tree that is not a cover.
    #[error("cover {cover}: {error}")]
    Cover {
        /// The cover, from 0.
        cover: usize,
        /// What is wrong.
        error: CoverError,
    },
}
impl<'a> DualBoundChecker<'a> {
    /// Checks the multipliers against the claim.
    ///
    /// # Errors
    /// [`Refusal`]: another claim, an architecture the rule does not know, bad multipliers.
    pub fn new(
        problem: &'a Problem,
        claim: &Claim,
        multipliers: Multipliers,
    ) -> Result<Self, Refusal> {
        let Claim::MarginAtMost { region, bound, .. } = claim else {
            return Err(wrong_claim(RULE, claim));
        };
        only_all(RULE, claim)?;
        if bound.0.is_negative() {
            return Err(Refusal::Negative("the bound"));
        }
        Self::of_region(RULE, problem, region.clone(), &bound.0, multipliers)
    }
}

impl DualBound {
    /// Checks a whole proof held in memory; returns the number of nodes.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, problem: &Problem, claim: &Claim) -> Result<usize, Refusal> {
        let mut checker = DualBoundChecker::new(problem, claim, self.multipliers.clone())?;
        checker.covers(&self.covers)?;
        Ok(checker.finish()?)
    }
}
