//! From a search's result to claims.
use super::Global;
use crate::numeric::two_layer::{View, length};
use crate::prove::{point, round_down};
use maxmargin_kernel::certificate::{Entry, Proof};
use maxmargin_kernel::claim::{Claim, Region, Scope};
use maxmargin_kernel::network::{Activation, Layer, Network, NetworkJson};
use maxmargin_kernel::number::ScaledVec;
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::point::Point;

/// The dense network with these neurons, balanced: `|w_j| = |v_j|`. `None` if there are none.
pub fn network(
    view: &View,
    activation: &Activation,
    neurons: &[(f64, Vec<f64>)],
) -> Option<Network> {
    let inputs = view.x.first()?.len();
    let mut first = Vec::new();
    let mut second = Vec::new();
    for (sign, u) in neurons {
        let root = (length(u) * view.scale).sqrt();
        first.extend(u.iter().map(|e| e * view.scale / root));
        second.push(sign * root);
    }
    let width = second.len();
    let layers = vec![
        Layer::dense(1, width, inputs, ScaledVec::from_f64s(&first).ok()?).ok()?,
        Layer::dense(2, 1, width, ScaledVec::from_f64s(&second).ok()?).ok()?,
    ];
    Network::new(activation.clone(), layers).ok()
}

/// The claim `ν ≤ B` for any width with the number of its nodes; `None` if there is no bound. The
/// kernel has not seen it yet.
pub fn upper_entry(global: &mut Global) -> Option<(Entry, usize)> {
    let (bound, proof) = global.bound.take()?;
    let claim = Claim::MarginAtMost { scope: Scope::All, region: Region::AnyWidth, bound };
    let nodes = proof.covers.iter().map(|cover| cover.nodes.len()).sum();
    Some((Entry { claim, proof: Proof::DualBound(proof) }, nodes))
}

/// The claim that the best network found has at least its ν, for any width.
pub fn lower_entry(problem: &Problem, view: &View, global: &Global) -> Option<Entry> {
    let best = network(view, problem.activation(), &global.network)?;
    let there = Problem::new(best.clone(), problem.data().clone()).ok()?;
    let (low, _) = there.normalised_margin()?;
    let bound = round_down(&low, 50);
    let claim = Claim::MarginAtLeast { scope: Scope::All, region: Region::AnyWidth, bound };
    let proof = Point { parameters: None, network: Some(NetworkJson::from_network(&best)) };
    proof.check(problem, &claim).ok()?;
    Some(Entry { claim, proof: Proof::Point(proof) })
}

/// The best network in the architecture of `problem`, if it is wide enough: spare neurons become
/// copies, so that none is dead.
pub fn in_architecture(problem: &Problem, view: &View, global: &Global) -> Option<Network> {
    let spare = view.units.len().checked_sub(global.network.len())?;
    let dense = view.units.iter().all(|u| u.support.iter().all(|s| *s));
    if !dense || global.network.is_empty() {
        return None;
    }
    let mut neurons = global.network.clone();
    let largest = (0..neurons.len())
        .max_by(|a, b| length(&neurons[*a].1).total_cmp(&length(&neurons[*b].1)))?;
    let share = 1.0 / (spare + 1) as f64;
    neurons[largest].1.iter_mut().for_each(|e| *e *= share);
    let copy = neurons[largest].clone();
    neurons.extend((0..spare).map(|_| copy.clone()));
    let (signs, u): (Vec<f64>, Vec<Vec<f64>>) = neurons.into_iter().unzip();
    point::balanced(problem, view, &signs, &u)
}
