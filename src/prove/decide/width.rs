//! Global optimality at one width, where the bound for every width is loose (end of rule 3.7): a tree
//! over the signs of the neurons with multipliers of its own at every leaf.
//!
//! At a node the cones of the neurons are known in part. Either some λ serve all of them ([`choose`]), and
//! the node is a leaf; or a combination of directions in these cones beats the point. If one neuron
//! would have to take several of them, on different sides of a sample, the node divides by that
//! side. Otherwise the combination is a network of this architecture, and the point no optimum.
use super::cover::{Demand, Excluding, Outcome, Task, Tight, choose, own_direction};
use super::setting::Setting;
use crate::budget::Budget;
use crate::numeric::two_layer::{dot, length, to_f64s};
use maxmargin_kernel::certificate::{Entry, Proof};
use maxmargin_kernel::claim::{Claim, Scope};
use maxmargin_kernel::network::{Neuron, TwoLayer};
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::dual_bound::Cone;
use maxmargin_kernel::proof::width_tree::{Leaf, MAX_OPEN, WidthNode, WidthTree};
use num_traits::{One, Signed};
use std::collections::BTreeMap;

/// Most samples.
const MAX_SAMPLES: usize = 8;
/// Most neurons.
const MAX_NEURONS: usize = 4;
/// Most nodes of a tree.
const MAX_NODES: usize = 400;

/// Whether the point is of the kind for which a tree is searched.
pub fn applies(setting: &Setting) -> bool {
    neurons(setting).is_some()
}

fn neurons(setting: &Setting) -> Option<Vec<Neuron>> {
    let neurons = TwoLayer::with_one_output(setting.problem.network()).ok()?.neurons;
    let small = setting.problem.data().len() <= MAX_SAMPLES && neurons.len() <= MAX_NEURONS;
    (small && setting.scope == Scope::All).then_some(neurons)
}

/// A proof of `global_optimum`, or `None`: there is a better point, or a limit was reached.
pub fn global(setting: &Setting, budget: &Budget) -> Option<Entry> {
    let problem = setting.problem;
    let gamma = problem.gamma().ok()?;
    let two = Rational::from_integer(2.into());
    let neurons = neurons(setting)?;
    let own = neurons.iter().filter_map(|n| own_direction(problem, n, Rational::one())).collect();
    // Σλ such that T = 1 at ν(θ).
    let sum = problem.network().norm_squared() / (gamma * two);
    let search = Search { problem, neurons, own, sum };
    let mut nodes = Vec::new();
    let mut pending = vec![(Branch::default(), search.seeds())];
    while let Some((branch, seeds)) = pending.pop() {
        if budget.expired() || nodes.len() >= MAX_NODES || pending.len() + 2 > MAX_OPEN {
            return None;
        }
        if let Some((first, second)) = search.exchange(&branch) {
            nodes.push(WidthNode::Symmetric(first, second));
            continue;
        }
        let task = search.task(&branch, seeds);
        let excluding = match choose(&task, budget) {
            Outcome::Found(found) => {
                let leaf = Leaf { multipliers: found.multipliers, covers: found.covers };
                nodes.push(WidthNode::Leaf(Box::new(leaf)));
                continue;
            }
            Outcome::Impossible(excluding) => excluding,
            Outcome::Stuck => Vec::new(),
        };
        let seeds: Seeds = (excluding.iter())
            .filter_map(|e| Some((task.demands[e.demand].cone.sign, e.cut.clone()?)))
            .chain(search.seeds())
            .collect();
        let (mut plus, mut minus) = (branch.clone(), branch.clone());
        if let Some(j) = search.unsigned(&branch) {
            nodes.push(WidthNode::Output(search.neurons[j].index));
            plus.outputs.insert(j, 1);
            minus.outputs.insert(j, -1);
        } else {
            let (j, i) = search.disputed(&branch, &task, &excluding)?;
            nodes.push(WidthNode::Split(search.neurons[j].index, i));
            plus.sides.insert((j, i), 1);
            minus.sides.insert((j, i), -1);
        }
        pending.push((minus, seeds.clone()));
        pending.push((plus, seeds));
    }
    let claim = Claim::GlobalOptimum { scope: setting.scope };
    let proof = WidthTree { nodes };
    proof.check(problem, &claim).ok()?;
    Some(Entry { claim, proof: Proof::WidthTree(proof) })
}

type Seeds = Vec<(i8, Vec<Rational>)>;

/// The signs that the competitors of a node share; neurons by their place in the list.
#[derive(Clone, Default)]
struct Branch {
    outputs: BTreeMap<usize, i8>,
    sides: BTreeMap<(usize, usize), i8>,
}

struct Search<'p> {
    problem: &'p Problem,
    neurons: Vec<Neuron>,
    /// The directions of θ's own neurons.
    own: Vec<Tight>,
    sum: Rational,
}

impl Search<'_> {
    /// Directions that usually matter: θ's own, and the samples.
    fn seeds(&self) -> Seeds {
        let own = self.own.iter().map(|t| (t.sign, t.target.clone()));
        let samples = self.problem.data().samples().iter().flat_map(|x| {
            let x = x.to_rationals();
            let back: Vec<Rational> = x.iter().map(|e| -e).collect();
            [(1, x.clone()), (-1, x), (1, back.clone()), (-1, back)]
        });
        own.chain(samples).collect()
    }

    /// Two neurons whose exchange takes every competitor of the node to one met elsewhere.
    fn exchange(&self, branch: &Branch) -> Option<(usize, usize)> {
        let sign = |j: usize| branch.outputs.get(&j).copied();
        for j in (0..self.neurons.len()).filter(|j| sign(*j) == Some(1)) {
            let same = |k: &usize| {
                sign(*k) == Some(-1) && self.neurons[*k].inputs == self.neurons[j].inputs
            };
            if let Some(k) = (0..j).find(same) {
                return Some((self.neurons[k].index, self.neurons[j].index));
            }
        }
        None
    }

    /// The first neuron whose output sign is open.
    fn unsigned(&self, branch: &Branch) -> Option<usize> {
        (0..self.neurons.len()).find(|j| !branch.outputs.contains_key(j))
    }

    fn cone(&self, branch: &Branch, j: usize, sign: i8) -> Cone {
        let inputs = &self.neurons[j].inputs;
        let full = inputs.len() == self.problem.network().inputs();
        let own = branch.sides.range((j, 0)..=(j, usize::MAX));
        let fixed = own.map(|((_, i), tau)| (*i, *tau)).collect();
        Cone { sign, inputs: (!full).then(|| inputs.clone()), fixed }
    }

    fn task(&self, branch: &Branch, seeds: Seeds) -> Task<'_> {
        let mut demands: Vec<Demand> = Vec::new();
        for (j, neuron) in self.neurons.iter().enumerate() {
            let signs = branch.outputs.get(&j).map_or(vec![1, -1], |s| vec![*s]);
            for sign in signs {
                let cone = self.cone(branch, j, sign);
                let demand = Demand { cone, inputs: neuron.inputs.clone(), t: Rational::one() };
                if !demands.contains(&demand) {
                    demands.push(demand);
                }
            }
        }
        // Where θ competes the bound is attained in the directions of its neurons.
        let tight = if self.contains(branch, &mut Vec::new()) { self.own.clone() } else { vec![] };
        Task {
            problem: self.problem,
            demands,
            samples: (0..self.problem.data().len()).collect(),
            tight,
            hints: self.own.clone(),
            sum: Some(self.sum.clone()),
            seeds,
        }
    }

    /// Whether θ, with neurons of equal inputs exchanged, competes at the node. `places` says which
    /// of θ's neurons stand in the first places.
    fn contains(&self, branch: &Branch, places: &mut Vec<usize>) -> bool {
        let place = places.len();
        if place == self.neurons.len() {
            return true;
        }
        for j in 0..self.neurons.len() {
            let same = self.neurons[j].inputs == self.neurons[place].inputs;
            if !same || places.contains(&j) || !self.stands(branch, place, j) {
                continue;
            }
            places.push(j);
            let rest = self.contains(branch, places);
            places.pop();
            if rest {
                return true;
            }
        }
        false
    }

    /// Whether θ's neuron `j` has the signs that the node asks for at this place.
    fn stands(&self, branch: &Branch, place: usize, j: usize) -> bool {
        let neuron = &self.neurons[j];
        let agrees = |value: &Rational, sign: i8| match sign > 0 {
            true => !value.is_negative(),
            false => !value.is_positive(),
        };
        let side = |((_, i), tau): (&(usize, usize), &i8)| {
            agrees(&neuron.w.dot(&self.problem.data().restricted(*i, &neuron.inputs)), *tau)
        };
        branch.outputs.get(&place).is_none_or(|s| agrees(&neuron.v1(), *s))
            && branch.sides.range((place, 0)..=(place, usize::MAX)).all(side)
    }

    /// The neuron and sample on both sides of which it would have to stand; without directions to
    /// tell, the first open one.
    fn disputed(
        &self,
        branch: &Branch,
        task: &Task,
        excluding: &[Excluding],
    ) -> Option<(usize, usize)> {
        let mut best: Option<(f64, (usize, usize))> = None;
        for (j, neuron) in self.neurons.iter().enumerate() {
            let cone = self.cone(branch, j, *branch.outputs.get(&j)?);
            let own: Vec<&Excluding> =
                excluding.iter().filter(|e| task.demands[e.demand].cone == cone).collect();
            for i in 0..self.problem.data().len() {
                let x = self.problem.data().restricted(i, &neuron.inputs);
                if x.is_zero() || branch.sides.contains_key(&(j, i)) {
                    continue;
                }
                let x = to_f64s(&x);
                let (mut above, mut below) = (0.0, 0.0);
                for e in &own {
                    let w: Vec<f64> = neuron.inputs.iter().map(|c| e.w[*c]).collect();
                    let z = e.weight * dot(&w, &x) / length(&x);
                    if z > 0.0 { above += z } else { below -= z }
                }
                let dispute = f64::min(above, below);
                if best.is_none_or(|b| dispute > b.0) {
                    best = Some((dispute, (j, i)));
                }
            }
        }
        best.filter(|b| b.0 > 0.0 || excluding.is_empty()).map(|b| b.1)
    }
}
