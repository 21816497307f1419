//! Covers with `T = 1` for rules 3.5b and 3.5e, at small points.
//!
//! The KKT multipliers λ of a point need not be unique, and only some of them bound `s·g` on the
//! cones that have to be covered. [`choose`] finds such λ, or that there are none.
mod choose;
mod program;
mod tree;

pub use choose::{Excluding, Outcome, Task, Tight, choose};
pub use tree::Demand;

use super::setting::Setting;
use crate::budget::Budget;
use maxmargin_kernel::certificate::{Entry, Proof};
use maxmargin_kernel::claim::{Claim, Number, Scope};
use maxmargin_kernel::network::{Neuron, TwoLayer};
use maxmargin_kernel::number::{Rational, root};
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::dual_bound::{Cone, Cover, Multipliers};
use maxmargin_kernel::proof::layer_cover::{LayerCover, LayerMultipliers};
use maxmargin_kernel::proof::local_cover::LocalCover;
use maxmargin_kernel::proof::one_layer::two_layer_form;
use num_traits::{One, Signed, Zero};
use std::borrow::Cow;
use std::cmp::Ordering;

/// Most active samples for which multipliers are chosen.
const MAX_SAMPLES: usize = 40;

/// A direction in which a dead neuron may pay: its row in layer 1, `s` and `w` on all inputs.
#[derive(Clone, Debug)]
pub struct Waking {
    /// The row.
    pub row: usize,
    /// The sign of the output weight.
    pub sign: i8,
    /// The direction.
    pub w: Vec<Rational>,
}

/// `local_optimum` by covers of the local cones.
///
/// # Errors
/// Where no λ serve: the directions that exclude them and that dead neurons may take.
pub fn local(setting: &Setting, claim: &Claim, budget: &Budget) -> Result<Entry, Vec<Waking>> {
    let mut waking = Vec::new();
    prove(setting, claim, true, budget, &mut waking).ok_or(waking)
}

/// `global_optimum` by covers of all of space.
pub fn global(setting: &Setting, claim: &Claim, budget: &Budget) -> Option<Entry> {
    prove(setting, claim, false, budget, &mut Vec::new())
}

fn prove(
    setting: &Setting,
    claim: &Claim,
    local: bool,
    budget: &Budget,
    waking: &mut Vec<Waking>,
) -> Option<Entry> {
    let (one_layer, problem) = match setting.scope {
        Scope::All => (false, Cow::Borrowed(setting.problem)),
        // A hidden layer of a deep network, if it is like layer 1 of a two-layer one.
        Scope::Layer(l) => (true, two_layer_form(setting.problem, l).ok()?),
    };
    let problem = &*problem;
    let neurons = TwoLayer::with_one_output(problem.network()).ok()?.neurons;
    if setting.active.len() > MAX_SAMPLES {
        return None;
    }
    let mut demands: Vec<Demand> = Vec::new();
    let mut tight = Vec::new();
    for neuron in &neurons {
        let v = neuron.v1();
        let signs: &[i8] = match (one_layer, local, v.cmp(&Rational::zero())) {
            (true, _, Ordering::Equal) => &[],
            (true, _, Ordering::Greater) | (false, true, Ordering::Greater) => &[1],
            (true, _, Ordering::Less) | (false, true, Ordering::Less) => &[-1],
            _ => &[1, -1],
        };
        let t = if one_layer && !v.is_zero() { ratio(neuron)? } else { Rational::one() };
        for &sign in signs {
            let cone = cone(problem, &setting.active, neuron, sign, local);
            let demand = Demand { cone, inputs: neuron.inputs.clone(), t: t.clone() };
            if !demands.contains(&demand) {
                demands.push(demand);
            }
        }
        tight.extend(own_direction(problem, neuron, t));
    }
    // With one output constraints are samples.
    let samples = setting.active.clone();
    let task =
        Task { problem, demands, samples, tight, hints: Vec::new(), sum: None, seeds: Vec::new() };
    let found = match choose(&task, budget) {
        Outcome::Found(found) => found,
        Outcome::Impossible(excluding) => {
            for neuron in neurons.iter().filter(|n| n.is_dead() && !one_layer) {
                let fits = |e: &&Excluding| {
                    let demand = &task.demands[e.demand];
                    demand.cone.fixed.is_empty() && demand.inputs == neuron.inputs
                };
                waking.extend(excluding.iter().filter(fits).filter_map(|e| {
                    let (row, sign) = (neuron.index, task.demands[e.demand].cone.sign);
                    Some(Waking { row, sign, w: e.cut.clone()? })
                }));
            }
            return None;
        }
        Outcome::Stuck => return None,
    };
    let proof = match one_layer {
        false => {
            let proof = LocalCover { multipliers: found.multipliers, covers: found.covers };
            proof.check(setting.problem, claim).ok()?;
            Proof::LocalCover(proof)
        }
        true => {
            let bounds = task.demands.into_iter().map(|d| Number(d.t)).collect();
            let Multipliers { units, lambda } = found.multipliers;
            let multipliers = LayerMultipliers { units, lambda, bounds };
            let proof = LayerCover { multipliers, covers: found.covers };
            proof.check(setting.problem, claim).ok()?;
            Proof::LayerCover(proof)
        }
    };
    Some(Entry { claim: claim.clone(), proof })
}

/// The direction of a neuron with an output weight; KKT forces `vec = w/|v|` there, of length `T`.
pub fn own_direction(problem: &Problem, neuron: &Neuron, t: Rational) -> Option<Tight> {
    let v = neuron.v1();
    let size = v.abs();
    if size.is_zero() {
        return None;
    }
    let mut d = vec![Rational::zero(); problem.network().inputs()];
    for (at, &c) in neuron.inputs.iter().enumerate() {
        d[c] = neuron.w.get(at) / &size;
    }
    Some(Tight { sign: if v.is_negative() { -1 } else { 1 }, target: d, t })
}

/// `|w|/|v|`, if it is rational.
fn ratio(neuron: &Neuron) -> Option<Rational> {
    let v = neuron.v1();
    exact_root(&(neuron.w.norm_squared() / (&v * &v)))
}

/// The root of a square of a rational number.
fn exact_root(square: &Rational) -> Option<Rational> {
    let (low, high) = root::sqrt_bounds(square, 4)?;
    (low == high).then_some(low)
}

/// The cone of a neuron: its local cone, or all of space on its inputs.
fn cone(problem: &Problem, active: &[usize], neuron: &Neuron, sign: i8, local: bool) -> Cone {
    let full = neuron.inputs.len() == problem.network().inputs();
    let fixed = |i: &usize| match problem.sign(*i, neuron.index) {
        Ordering::Greater => Some((*i, 1)),
        Ordering::Less => Some((*i, -1)),
        Ordering::Equal => None,
    };
    Cone {
        sign,
        inputs: (!full).then(|| neuron.inputs.clone()),
        fixed: if local { active.iter().filter_map(fixed).collect() } else { Vec::new() },
    }
}

/// A cover of a demand.
fn cover(demand: &Demand, nodes: Vec<maxmargin_kernel::proof::cover::Node>) -> Cover {
    Cover { cone: demand.cone.clone(), nodes: nodes.into_iter().collect() }
}
