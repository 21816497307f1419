//! Which cover serves which neuron: what the rules that rest on covers share.
//!
//! A proof names multipliers and covers of cones; a region (with what a rule adds to it) says which
//! signs each neuron of a competitor may have. A cover on inputs `S` with sign `s` and some fixed
//! signs *serves* a neuron whose input support lies in `S`, for the output sign `s`, if all `w` that
//! the neuron may have there have these fixed signs. Every neuron and output sign must be served.
use super::Refusal;
use super::cover::{CoverChecker, CoverError, Item};
use super::dual_bound::{Cone, Cover, DualBoundError, Multipliers};
use crate::claim::Region;
use crate::network::{Neuron, TwoLayer};
use crate::number::{BigInt, Rational};
use crate::problem::Problem;
use num_traits::Signed;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The `T` of covers.
pub(super) enum Bounds {
    /// `T = 2BΣλ` for all.
    Same(Rational),
    /// One `T ≥ 0` per cover, in order (0 past the end), and output weights are constants.
    Each(Vec<Rational>),
}

/// Weak signs of single neurons that all competitors share, by their row in layer 1.
#[derive(Clone, Debug, Default)]
pub(super) struct Branch {
    /// `(j, i)`: the sign of `w'_j·x_i`.
    pub(super) preactivations: BTreeMap<(usize, usize), Ordering>,
    /// The sign of `v'_j`, 1 or −1.
    pub(super) outputs: BTreeMap<usize, i8>,
}

/// A dual bound being checked: multipliers accepted, covers arriving one by one.
pub struct DualBoundChecker<'a> {
    problem: Cow<'a, Problem>,
    region: Region,
    two_layer: TwoLayer,
    multipliers: Multipliers,
    bounds: Bounds,
    /// What competitors satisfy besides the region.
    branch: Branch,
    cones: Vec<Cone>,
    nodes: usize,
}

impl<'a> DualBoundChecker<'a> {
    /// Starts the proof of `ν ≤ B` over a region, for any rule; `B ≥ 0`.
    pub(super) fn of_region(
        rule: &'static str,
        problem: &'a Problem,
        region: Region,
        bound: &Rational,
        multipliers: Multipliers,
    ) -> Result<Self, Refusal> {
        let sum: BigInt = multipliers.lambda.iter().map(|(_, l)| BigInt::from(*l)).sum();
        let t = bound * Rational::from_integer(sum * 2) * &multipliers.units.a.0;
        Self::with_bounds(rule, Cow::Borrowed(problem), region, Bounds::Same(t), multipliers)
    }

    /// Starts the check of covers with these bounds.
    pub(super) fn with_bounds(
        rule: &'static str,
        problem: Cow<'a, Problem>,
        region: Region,
        bounds: Bounds,
        multipliers: Multipliers,
    ) -> Result<Self, Refusal> {
        problem.gamma()?;
        let two_layer = TwoLayer::with_one_output(problem.network())
            .map_err(|reason| Refusal::Architecture { rule, reason })?;
        let count = problem.data().len();
        let samples = multipliers.lambda.iter().map(|(i, _)| *i);
        if let Some(found) = first_unordered(samples, count) {
            let list = "λ".to_string();
            return Err(DualBoundError::Samples { list, count, found }.into());
        }
        if let Some((i, _)) = multipliers.lambda.iter().find(|(_, l)| *l <= 0) {
            return Err(DualBoundError::NotPositive(*i).into());
        }
        if multipliers.lambda.is_empty() {
            return Err(DualBoundError::NoMultipliers.into());
        }
        if !multipliers.units.a.0.is_positive() {
            return Err(DualBoundError::Cover { cover: 0, error: CoverError::Unit("a") }.into());
        }
        let (branch, cones) = (Branch::default(), Vec::new());
        Ok(Self { problem, region, two_layer, multipliers, bounds, branch, cones, nodes: 0 })
    }

    /// Restricts the competitors further.
    pub(super) fn restrict(&mut self, branch: &Branch) {
        self.branch = branch.clone();
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
        let t = match &self.bounds {
            Bounds::Same(t) => t.clone(),
            Bounds::Each(list) => list.get(cover).cloned().unwrap_or_default(),
        };
        CoverChecker::new(&items, units, slope, &t)
            .map_err(|error| DualBoundError::Cover { cover, error })
    }

    /// Checks whole covers held in memory.
    ///
    /// # Errors
    /// The first thing wrong with them.
    pub fn covers(&mut self, covers: &[Cover]) -> Result<(), DualBoundError> {
        for cover in covers {
            let mut tree = self.begin_cover(cover.cone.clone())?;
            for node in &cover.nodes {
                tree.node(&node).map_err(|error| self.in_cover(error))?;
            }
            self.end_cover(tree)?;
        }
        Ok(())
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
        self.served().map(|_| self.nodes)
    }

    /// Every neuron and sign that competitors may have, with the covers that serve it: at least one.
    pub(super) fn served(&self) -> Result<Vec<(&Neuron, Vec<usize>)>, DualBoundError> {
        let mut all = Vec::with_capacity(self.two_layer.neurons.len());
        for neuron in &self.two_layer.neurons {
            for sign in self.signs(neuron) {
                let serves = |(_, cone): &(usize, &Cone)| self.serves(cone, neuron, sign);
                let covers: Vec<_> =
                    self.cones.iter().enumerate().filter(serves).map(|(c, _)| c).collect();
                if covers.is_empty() {
                    return Err(DualBoundError::Uncovered { neuron: neuron.index, sign });
                }
                all.push((neuron, covers));
            }
        }
        Ok(all)
    }

    /// Nodes and covers so far.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.nodes, self.cones.len())
    }

    /// `Σλ`.
    pub(super) fn sum_of_multipliers(&self) -> Rational {
        let sum: BigInt = self.multipliers.lambda.iter().map(|(_, l)| BigInt::from(*l)).sum();
        &self.multipliers.units.a.0 * sum
    }

    /// Signs that the output weight of a competitor's neuron may have, 0 aside.
    fn signs(&self, neuron: &Neuron) -> Vec<i8> {
        let v = neuron.v1();
        if matches!(self.bounds, Bounds::Each(_)) {
            return match v.numer().cmp(&BigInt::ZERO) {
                Ordering::Greater => vec![1],
                Ordering::Less => vec![-1],
                Ordering::Equal => Vec::new(),
            };
        }
        if let Some(sign) = self.branch.outputs.get(&neuron.index) {
            return vec![*sign];
        }
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
        if let Some(sign) = self.branch.preactivations.get(&(neuron.index, sample)) {
            return Some(*sign);
        }
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
