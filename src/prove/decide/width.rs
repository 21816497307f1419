//! Global optimality at one width, where the bound for every width is loose (end of rule 3.7): a tree
//! over the signs of the neurons with multipliers of its own at every leaf.
//!
//! At a node the cones of the neurons are known in part. Either some λ serve all of them ([`choose`]), and
//! the node is a leaf; or a combination of directions in these cones beats the point. If one neuron
//! would have to take several of them, on different sides of a sample, the node divides by that
//! side. Otherwise the combination is a network of this architecture, and the point no optimum; even where
//! it is none, a network near it may be better, so every combination is tried.
use super::better;
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
/// Seconds where the user sets no limit.
const SECONDS: f64 = 4.0;

fn neurons(setting: &Setting) -> Option<Vec<Neuron>> {
    let neurons = TwoLayer::with_one_output(setting.problem.network()).ok()?.neurons;
    let small = setting.problem.data().len() <= MAX_SAMPLES && neurons.len() <= MAX_NEURONS;
    (small && setting.scope == Scope::All).then_some(neurons)
}

/// How the search ends.
pub enum Verdict {
    /// A proof of `global_optimum`, or of `not_global_optimum`.
    Decided(Box<Entry>),
    /// Neither, and why.
    Open(String),
}

/// Searches for a tree that proves `global_optimum`, and for better points where its bounds fail.
pub fn global(setting: &Setting, budget: &Budget) -> Verdict {
    let Some(neurons) = neurons(setting) else {
        return Verdict::Open(format!(
            "bounds for one width are searched only for all layers at depth 2 with one output, without \
             shared weights, for at most {MAX_SAMPLES} samples and {MAX_NEURONS} neurons"
        ));
    };
    let limited = budget.or_seconds(SECONDS);
    let own_limit = budget.deadline.is_none();
    tree(setting, neurons, &limited).unwrap_or_else(|stop| {
        Verdict::Open(match stop {
            Stop::Time if own_limit => format!(
                "the tree of bounds for this width was given up after {SECONDS} seconds (--time-limit \
                 allows it longer)"
            ),
            Stop::Time => "the time limit ended the search for a tree of bounds for this width".into(),
            Stop::Nodes => format!(
                "the tree of bounds for this width was given up at {MAX_NODES} nodes"
            ),
            Stop::Stuck => "the tree of bounds for this width has a branch that does not close, which \
                            suggests a better network"
                .into(),
        })
    })
}

/// Why there is no tree.
enum Stop {
    Time,
    Nodes,
    /// A branch that neither closes nor divides, or a proof that the kernel refuses.
    Stuck,
}

fn tree(setting: &Setting, neurons: Vec<Neuron>, budget: &Budget) -> Result<Verdict, Stop> {
    let problem = setting.problem;
    let gamma = problem.gamma().map_err(|_| Stop::Stuck)?;
    let two = Rational::from_integer(2.into());
    let own = neurons.iter().filter_map(|n| own_direction(problem, n, Rational::one())).collect();
    // Σλ such that T = 1 at ν(θ).
    let sum = problem.network().norm_squared() / (gamma * two);
    let search = Search { problem, neurons, own, sum };
    let mut nodes = Vec::new();
    let mut pending = vec![(Branch::default(), search.seeds())];
    while let Some((branch, seeds)) = pending.pop() {
        if budget.expired() {
            return Err(Stop::Time);
        }
        if nodes.len() >= MAX_NODES || pending.len() + 2 > MAX_OPEN {
            return Err(Stop::Nodes);
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
            Outcome::Impossible(excluding) => {
                let start = search.network(&branch, &task, &excluding);
                if let Some(found) = start.and_then(|s| better::near(setting, &s, budget)) {
                    return Ok(Verdict::Decided(Box::new(found)));
                }
                excluding
            }
            Outcome::Stuck if budget.expired() => return Err(Stop::Time),
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
            let disputed = search.disputed(&branch, &task, &excluding);
            let (j, i) = disputed.ok_or(Stop::Stuck)?;
            nodes.push(WidthNode::Split(search.neurons[j].index, i));
            plus.sides.insert((j, i), 1);
            minus.sides.insert((j, i), -1);
        }
        pending.push((minus, seeds.clone()));
        pending.push((plus, seeds));
    }
    let claim = Claim::GlobalOptimum { scope: setting.scope };
    let proof = WidthTree { nodes };
    proof.check(problem, &claim).map_err(|_| Stop::Stuck)?;
    Ok(Verdict::Decided(Box::new(Entry { claim, proof: Proof::WidthTree(proof) })))
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

    /// A combination of directions as variables of this architecture: directions go to neurons that may
    /// take them, the closest ones together where there are more directions than neurons.
    fn network(&self, branch: &Branch, task: &Task, excluding: &[Excluding]) -> Option<Vec<f64>> {
        let scaled = |e: &Excluding| {
            let u: Vec<f64> = e.w.iter().map(|c| c * e.weight).collect();
            (e.demand, u)
        };
        let mut groups: Vec<(usize, Vec<f64>)> = excluding.iter().map(scaled).collect();
        groups.retain(|(_, u)| length(u) > 0.0);
        let may = |j: usize, demand: usize| {
            let cone = &task.demands[demand].cone;
            let sign = branch.outputs.get(&j);
            sign.is_none_or(|s| *s == cone.sign) && self.cone(branch, j, cone.sign) == *cone
        };
        let places = loop {
            if groups.is_empty() {
                return None;
            }
            if let Some(places) = places(&groups, self.neurons.len(), &may, &mut Vec::new()) {
                break places;
            }
            let cosine = |a: &[f64], b: &[f64]| dot(a, b) / (length(a) * length(b));
            let pairs = (0..groups.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
            let alike = pairs.filter(|(a, b)| groups[*a].0 == groups[*b].0).max_by(|p, q| {
                let of = |p: &(usize, usize)| cosine(&groups[p.0].1, &groups[p.1].1);
                of(p).total_cmp(&of(q))
            });
            match alike {
                Some((a, b)) => {
                    let (_, u) = groups.remove(b);
                    groups[a].1.iter_mut().zip(u).for_each(|(a, b)| *a += b);
                    groups.retain(|(_, u)| length(u) > 0.0);
                }
                // Both signs of one neuron: the longer stays.
                None => {
                    let short = |g: &usize| length(&groups[*g].1);
                    let least = (0..groups.len()).min_by(|a, b| short(a).total_cmp(&short(b)))?;
                    groups.remove(least);
                }
            }
        };
        let [first, second] = self.problem.network().layers() else { return None };
        let offset = first.parameters().len();
        let mut variables = vec![0.0; offset + second.parameters().len()];
        for ((demand, u), j) in groups.iter().zip(places) {
            let row = self.neurons[j].index;
            let root = length(u).sqrt();
            for (c, e) in u.iter().enumerate() {
                if let Some(i) = first.coordinate(row, c) {
                    variables[i] = e / root;
                }
            }
            let output = second.coordinate(0, row)?;
            variables[offset + output] = root * f64::from(task.demands[*demand].cone.sign);
        }
        Some(variables)
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

/// A neuron of its own for each group, if there is a way.
fn places(
    groups: &[(usize, Vec<f64>)],
    neurons: usize,
    may: &impl Fn(usize, usize) -> bool,
    taken: &mut Vec<usize>,
) -> Option<Vec<usize>> {
    let Some((demand, _)) = groups.get(taken.len()) else { return Some(taken.clone()) };
    for j in 0..neurons {
        if taken.contains(&j) || !may(j, *demand) {
            continue;
        }
        taken.push(j);
        if let Some(found) = places(groups, neurons, may, taken) {
            return Some(found);
        }
        taken.pop();
    }
    None
}
