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
use super::cover::{CoverChecker, CoverError, Item, Units};
use super::tree::Tree;
use super::{Refusal, only_all, wrong_claim};
use crate::claim::{Claim, Region};
use crate::network::{Neuron, TwoLayer};
use crate::number::{BigInt, Rational};
use crate::problem::Problem;
use num_traits::{Signed, Zero};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

const RULE: &str = "dual_bound";

/// Everything of the witness but the covers. Comes first in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Multipliers {
    /// The grids of this proof.
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
    pub cone: Cone,
    /// The tree, depth first.
    pub nodes: Tree,
}

/// The whole witness.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DualBound {
    /// Units and `λ`.
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

/// A dual bound being checked: multipliers accepted, covers arriving one by one.
pub struct DualBoundChecker<'a> {
    problem: &'a Problem,
    region: Region,
    two_layer: TwoLayer,
    multipliers: Multipliers,
    /// `T = 2BΣλ`.
    t: Rational,
    cones: Vec<Cone>,
    nodes: usize,
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
        problem.gamma()?;
        let two_layer = TwoLayer::with_one_output(problem.network())
            .map_err(|reason| Refusal::Architecture { rule: RULE, reason })?;
        if bound.0.is_negative() {
            return Err(Refusal::Negative("the bound"));
        }
        let count = problem.data().len();
        let samples = multipliers.lambda.iter().map(|(i, _)| *i);
        if let Some(found) = first_unordered(samples, count) {
            let list = "λ".to_string();
            return Err(DualBoundError::Samples { list, count, found }.into());
        }
        if let Some((i, _)) = multipliers.lambda.iter().find(|(_, l)| *l <= 0) {
            return Err(DualBoundError::NotPositive(*i).into());
        }
        let sum: BigInt = multipliers.lambda.iter().map(|(_, l)| BigInt::from(*l)).sum();
        if sum.is_zero() {
            return Err(DualBoundError::NoMultipliers.into());
        }
        if !multipliers.units.a.0.is_positive() {
            return Err(DualBoundError::Cover { cover: 0, error: CoverError::Unit("a") }.into());
        }
        let t = &bound.0 * Rational::from_integer(sum * 2) * &multipliers.units.a.0;
        let region = region.clone();
        Ok(Self { problem, region, two_layer, multipliers, t, cones: Vec::new(), nodes: 0 })
    }

    /// Starts the next cover; feed its nodes to the result and hand it to [`Self::end_cover`].
    ///
    /// # Errors
    /// A cone that is not well formed.
    pub fn begin_cover(&mut self, cone: Cone) -> Result<CoverChecker, DualBoundError> {
        let cover = self.cones.len();
        let items = self.items(&cone, cover)?;
        let units = &self.multipliers.units;
        let slope = self.problem.activation().slope();
        self.cones.push(cone);
        CoverChecker::new(&items, units, slope, &self.t)
            .map_err(|error| DualBoundError::Cover { cover, error })
    }

    /// Ends the current cover.
    ///
    /// # Errors
    /// Its tree is not finished.
    pub fn end_cover(&mut self, checker: CoverChecker) -> Result<(), DualBoundError> {
        self.nodes += checker.finish().map_err(|error| self.in_cover(error))?;
        Ok(())
    }

    /// The error of a node of the current cover.
    pub fn in_cover(&self, error: CoverError) -> DualBoundError {
        DualBoundError::Cover { cover: self.cones.len().saturating_sub(1), error }
    }

    /// Ends the proof: every neuron of every competitor must be served. Returns the node count.
    ///
    /// # Errors
    /// [`DualBoundError::Uncovered`].
    pub fn finish(self) -> Result<usize, DualBoundError> {
        for neuron in &self.two_layer.neurons {
            for sign in self.signs(neuron) {
                if !self.cones.iter().any(|cone| self.serves(cone, neuron, sign)) {
                    return Err(DualBoundError::Uncovered { neuron: neuron.index, sign });
                }
            }
        }
        Ok(self.nodes)
    }

    /// Signs that the output weight of a competitor's neuron may have, 0 aside.
    fn signs(&self, neuron: &Neuron) -> Vec<i8> {
        let v = neuron.v1();
        match self.region {
            Region::Cell | Region::Near(_) if v.is_positive() => vec![1],
            Region::Cell | Region::Near(_) if v.is_negative() => vec![-1],
            _ => vec![1, -1],
        }
    }

    /// Whether the cone contains every `w` of this neuron among the competitors.
    fn serves(&self, cone: &Cone, neuron: &Neuron, sign: i8) -> bool {
        let reads = |inputs: &Vec<usize>| neuron.inputs.iter().all(|c| inputs.contains(c));
        cone.sign == sign
            && cone.inputs.as_ref().is_none_or(reads)
            && cone.fixed.iter().all(|(i, tau)| self.fixed_sign(neuron, *i) == Some(tau.cmp(&0)))
    }

    /// The weak sign that `w'·x_i` has for every competitor's neuron, if there is one.
    fn fixed_sign(&self, neuron: &Neuron, sample: usize) -> Option<Ordering> {
        let sign = self.problem.sign(sample, neuron.index);
        match &self.region {
            Region::Cell if sign == Ordering::Greater => Some(Ordering::Greater),
            Region::Cell => Some(Ordering::Less),
            Region::Near(delta) if !self.problem.is_near_kink(sample, neuron, &delta.0) => {
                Some(sign)
            }
            _ => None,
        }
    }

    /// The items of a cover.
    fn items(&self, cone: &Cone, cover: usize) -> Result<Vec<Item>, DualBoundError> {
        let (count, width) = (self.problem.data().len(), self.problem.network().inputs());
        let is_sign = |s: i8| matches!(s, 1 | -1);
        if !is_sign(cone.sign) || !cone.fixed.iter().all(|(_, tau)| is_sign(*tau)) {
            return Err(DualBoundError::Sign(cover));
        }
        if let Some(found) = first_unordered(cone.fixed.iter().map(|(i, _)| *i), count) {
            let list = format!("cover {cover}");
            return Err(DualBoundError::Samples { list, count, found });
        }
        let all: Vec<usize>;
        let inputs = match &cone.inputs {
            Some(inputs) => inputs,
            None => {
                all = (0..width).collect();
                &all
            }
        };
        if let Some(found) = first_unordered(inputs.iter().copied(), width) {
            return Err(DualBoundError::Inputs { cover, count: width, found });
        }
        let item = |i: usize, lambda: i64, fixed: Option<i8>| {
            let agrees = self.problem.data().label(i).signum() == i64::from(cone.sign);
            Item {
                x: self.problem.data().restricted(i, inputs),
                b: if agrees { lambda } else { -lambda },
                fixed: fixed.map(|tau| tau.cmp(&0)),
            }
        };
        let lambda = &self.multipliers.lambda;
        Ok(merge(lambda, &cone.fixed).into_iter().map(|(i, l, f)| item(i, l, f)).collect())
    }
}

impl DualBound {
    /// Checks a whole proof held in memory; returns the number of nodes.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, problem: &Problem, claim: &Claim) -> Result<usize, Refusal> {
        let mut checker = DualBoundChecker::new(problem, claim, self.multipliers.clone())?;
        for cover in &self.covers {
            let mut tree = checker.begin_cover(cover.cone.clone())?;
            for node in &cover.nodes {
                tree.node(&node).map_err(|error| checker.in_cover(error))?;
            }
            checker.end_cover(tree)?;
        }
        Ok(checker.finish()?)
    }
}

/// The samples of either list, ascending: with `λ` (0 where it has none) and the fixed sign.
pub fn merge(lambda: &[(usize, i64)], fixed: &[(usize, i8)]) -> Vec<(usize, i64, Option<i8>)> {
    let mut all: Vec<_> = lambda.iter().map(|(i, l)| (*i, *l, None)).collect();
    for (i, tau) in fixed {
        match all.binary_search_by_key(i, |(k, _, _)| *k) {
            Ok(at) => {
                if let Some(slot) = all.get_mut(at) {
                    slot.2 = Some(*tau);
                }
            }
            Err(at) => all.insert(at, (*i, 0, Some(*tau))),
        }
    }
    all
}

/// The first index that is not above its predecessor or not below `count`.
fn first_unordered(indices: impl Iterator<Item = usize>, count: usize) -> Option<usize> {
    let mut previous = None;
    for i in indices {
        if i >= count || previous.is_some_and(|p| p >= i) {
            return Some(i);
        }
        previous = Some(i);
    }
    None
}
