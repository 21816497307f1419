//! Many multipliers instead of one (end of rules 3.5b and 3.7): depth 2, one output, no sharing.
//!
//! The dual bound speaks of every width and can be loose for a narrow network; and near a point with
//! kinks one λ need not serve all their sides. Here a tree divides the competitors θ' of this very
//! architecture:
//!
//! - **output** (`j`): the first subtree has `v'_j ≥ 0`, the second `v'_j ≤ 0`;
//! - **split** (`j`, `i`): the first has `w'_j·x_i ≥ 0`, the second `w'_j·x_i ≤ 0`;
//! - **leaf**: a `λ` of its own, and covers of `s_j·g(w) ≤ T|w|`, `T = 2BΣλ`, for every neuron `j` that exists: on
//!   the cone of its `w'_j` by the splits above, with the sign of `v'_j` by the branchings above (both
//!   signs if there was none). By rule 3.7 no competitor of the leaf has `ν > B`;
//! - **symmetric** (`k`, `j`): closes a node with `v'_k ≤ 0` and `v'_j ≥ 0`, `k < j`, if both neurons exist and read
//!   the same inputs.
//!
//! *Why every competitor is treated.* Exchanging two neurons with equal inputs changes neither
//! margins nor norm, so it is enough to bound the competitors in which, among neurons of equal
//! inputs, `v'` does not increase with the row. Walk down the tree with such a θ': at *output* take
//! the first subtree iff `v'_j > 0`, at *split* any one that holds. Then `v'_k ≤ 0` above a symmetric node
//! means `v'_j ≤ v'_k ≤ 0`, so the walk took the second subtree at `j`, and never arrives there. It ends
//! in a leaf all of whose conditions θ' satisfies.
//!
//! | claim | competitors | `B` |
//! |---|---|---|
//! | `margin_at_most B`, region `everywhere` | all θ' | `B` |
//! | `global_optimum` | all θ' | `ν(θ) = γ/|θ|²` |
//! | `local_optimum` | `near 0`, which contains a neighbourhood of θ ([`super::local_cover`]) | `ν(θ)` |
//!
//! For `local_optimum` a leaf's cones are also cut by the signs that every competitor of `near 0`
//! keeps, a branching usually concerns a kink, and *symmetric* is refused: `near 0` is not closed
//! under exchanging neurons. A branch that contradicts a sign of θ leaves only competitors with a
//! zero there, and either sign describes those.
//!
//! The tree is exponential: meant for a handful of samples and neurons.
use super::dual_bound::{Cover, DualBoundChecker, DualBoundError, Multipliers};
use super::serving::Branch;
use super::{Refusal, only_all, wrong_claim};
use crate::claim::{Claim, Number, Region};
use crate::network::{Neuron, TwoLayer};
use crate::number::Rational;
use crate::problem::Problem;
use num_traits::{Signed, Zero};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

const RULE: &str = "width_tree";

/// Most subtrees that may be open at once.
pub const MAX_OPEN: usize = 256;

/// One node, in depth-first order, the first subtree of a branching first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WidthNode {
    /// Two subtrees by the sign of neuron `j`'s output weight.
    Output(usize),
    /// Two subtrees by the sign of `w'_j·x_i`, `(j, i)`.
    Split(usize, usize),
    /// A dual bound for all competitors of the node.
    Leaf(#[serde(deserialize_with = "crate::object::boxed")] Box<Leaf>),
    /// Closed by exchanging neurons `(k, j)`.
    Symmetric(usize, usize),
}

/// See [`WidthNode::Leaf`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    /// Units and `λ`.
    #[serde(deserialize_with = "crate::object::object")]
    pub multipliers: Multipliers,
    /// The covers.
    #[serde(deserialize_with = "crate::object::objects")]
    pub covers: Vec<Cover>,
}

/// The whole witness.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WidthTree {
    /// The tree, depth first.
    pub nodes: Vec<WidthNode>,
}

/// Why a tree proves nothing. Nodes are counted from 0 in file order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WidthTreeError {
    /// Of other regions the rule says nothing.
    #[error("a tree over neurons proves nothing about `{0}`")]
    Region(String),
    /// A row of layer 1 without an output weight, or past the end.
    #[error("node {node}: there is no neuron {neuron}")]
    NoSuchNeuron {
        /// The node.
        node: usize,
        /// The row in layer 1.
        neuron: usize,
    },
    /// A sample past the end.
    #[error("node {node}: there is no sample {sample}")]
    NoSuchSample {
        /// The node.
        node: usize,
        /// The sample.
        sample: usize,
    },
    /// A branching on a sign that is already decided.
    #[error("node {0} branches on a sign that is decided already")]
    Decided(usize),
    /// Neurons that may not be exchanged here.
    #[error(
        "node {node}: neurons {first} and {second} do not read equal inputs with v ≤ 0 first and v ≥ 0 second"
    )]
    NotSymmetric {
        /// The node.
        node: usize,
        /// `k`.
        first: usize,
        /// `j`.
        second: usize,
    },
    /// Neurons may be exchanged only where all θ' compete.
    #[error("node {0}: near θ neurons may not be exchanged")]
    SymmetricNear(usize),
    /// A leaf whose covers fail.
    #[error("node {node}: {error}")]
    Leaf {
        /// The node.
        node: usize,
        /// What is wrong.
        error: DualBoundError,
    },
    /// Past [`MAX_OPEN`].
    #[error("node {0}: more than {MAX_OPEN} subtrees are open")]
    TooDeep(usize),
    /// The tree ended with subtrees left open.
    #[error("the tree ends after node {0} with open subtrees")]
    Unfinished(usize),
    /// Nodes after the end of the tree.
    #[error("node {0} comes after the end of the tree")]
    Trailing(usize),
}

/// A tree being checked, node by node.
pub struct WidthTreeChecker<'p> {
    problem: &'p Problem,
    bound: Rational,
    /// The competitors: `everywhere` or `near 0`.
    region: Region,
    neurons: Vec<Neuron>,
    /// The subtrees still to come; the last is next.
    open: Vec<Branch>,
    nodes: usize,
    cover_nodes: usize,
}

impl<'p> WidthTreeChecker<'p> {
    /// Starts the proof of a claim.
    ///
    /// # Errors
    /// [`Refusal`]: another claim, an architecture the rule does not know.
    pub fn new(problem: &'p Problem, claim: &Claim) -> Result<Self, Refusal> {
        let region = match claim {
            Claim::LocalOptimum { .. } => Region::Near(Number(Rational::zero())),
            _ => Region::Everywhere,
        };
        let bound = match claim {
            Claim::MarginAtMost { region, bound, .. } => {
                if *region != Region::Everywhere {
                    return Err(WidthTreeError::Region(region.to_string()).into());
                }
                Some(bound.0.clone())
            }
            Claim::GlobalOptimum { .. } | Claim::LocalOptimum { .. } => None,
            _ => return Err(wrong_claim(RULE, claim)),
        };
        only_all(RULE, claim)?;
        let gamma = problem.gamma()?;
        let bound = bound.unwrap_or_else(|| gamma / problem.network().norm_squared());
        if bound.is_negative() {
            return Err(Refusal::Negative("the bound"));
        }
        let two_layer = TwoLayer::with_one_output(problem.network())
            .map_err(|reason| Refusal::Architecture { rule: RULE, reason })?;
        let (neurons, open) = (two_layer.neurons, vec![Branch::default()]);
        Ok(Self { problem, bound, region, neurons, open, nodes: 0, cover_nodes: 0 })
    }

    /// Checks the next node.
    ///
    /// # Errors
    /// [`Refusal`] names the node and what fails.
    pub fn node(&mut self, node: &WidthNode) -> Result<(), Refusal> {
        let index = self.nodes;
        let branch = self.open.pop().ok_or(WidthTreeError::Trailing(index))?;
        self.nodes += 1;
        match node {
            WidthNode::Output(j) => {
                self.neuron(index, *j)?;
                let (mut plus, mut minus) = (branch.clone(), branch);
                if plus.outputs.insert(*j, 1).is_some() {
                    return Err(WidthTreeError::Decided(index).into());
                }
                minus.outputs.insert(*j, -1);
                self.push(index, plus, minus)?;
            }
            WidthNode::Split(j, i) => {
                self.neuron(index, *j)?;
                if *i >= self.problem.data().len() {
                    return Err(WidthTreeError::NoSuchSample { node: index, sample: *i }.into());
                }
                let (mut plus, mut minus) = (branch.clone(), branch);
                if plus.preactivations.insert((*j, *i), Ordering::Greater).is_some() {
                    return Err(WidthTreeError::Decided(index).into());
                }
                minus.preactivations.insert((*j, *i), Ordering::Less);
                self.push(index, plus, minus)?;
            }
            WidthNode::Symmetric(k, j) => {
                let (first, second) = (self.neuron(index, *k)?, self.neuron(index, *j)?);
                let signs = (branch.outputs.get(k), branch.outputs.get(j));
                if self.region != Region::Everywhere {
                    return Err(WidthTreeError::SymmetricNear(index).into());
                }
                if k >= j || first.inputs != second.inputs || signs != (Some(&-1), Some(&1)) {
                    let (first, second) = (*k, *j);
                    return Err(WidthTreeError::NotSymmetric { node: index, first, second }.into());
                }
            }
            WidthNode::Leaf(leaf) => {
                let named = |error| WidthTreeError::Leaf { node: index, error };
                let mut checker = DualBoundChecker::of_region(
                    RULE,
                    self.problem,
                    self.region.clone(),
                    &self.bound,
                    leaf.multipliers.clone(),
                )
                .map_err(|refusal| match refusal {
                    Refusal::DualBound(error) => named(error).into(),
                    other => other,
                })?;
                checker.restrict(&branch);
                checker.covers(&leaf.covers).map_err(named)?;
                self.cover_nodes += checker.finish().map_err(named)?;
            }
        }
        Ok(())
    }

    /// Ends the proof: every subtree must have been closed. Returns the nodes of all covers and
    /// of the tree.
    ///
    /// # Errors
    /// [`WidthTreeError::Unfinished`].
    pub fn finish(self) -> Result<usize, WidthTreeError> {
        match self.open.is_empty() {
            true => Ok(self.nodes + self.cover_nodes),
            false => Err(WidthTreeError::Unfinished(self.nodes)),
        }
    }

    fn neuron(&self, node: usize, neuron: usize) -> Result<&Neuron, WidthTreeError> {
        let found = self.neurons.iter().find(|n| n.index == neuron);
        found.ok_or(WidthTreeError::NoSuchNeuron { node, neuron })
    }

    fn push(&mut self, node: usize, first: Branch, second: Branch) -> Result<(), WidthTreeError> {
        if self.open.len() + 2 > MAX_OPEN {
            return Err(WidthTreeError::TooDeep(node));
        }
        self.open.push(second);
        self.open.push(first);
        Ok(())
    }
}

impl WidthTree {
    /// Checks a whole proof held in memory; returns the number of nodes.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, problem: &Problem, claim: &Claim) -> Result<usize, Refusal> {
        let mut checker = WidthTreeChecker::new(problem, claim)?;
        for node in &self.nodes {
            checker.node(node)?;
        }
        Ok(checker.finish()?)
    }
}
