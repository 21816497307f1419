//! One layer in its cell (rule 3.5a) in the words of the proved checker: multipliers.
use super::one_leaf::multipliers;
use maxmargin_kernel::claim::{Claim, Scope};
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::convex_cell::ConvexCell;
use num_traits::{Signed, Zero};
use std::fmt::Write as _;

/// The claim with its witness; `None` if that is not well formed, or rests on a zero preactivation that
/// the proved checker does not see to be no kink.
pub(super) fn covered(problem: &Problem, claim: &Claim, witness: &ConvexCell) -> Option<String> {
    let (kind, scope) = (claim.kind(), claim.scope());
    let Scope::Layer(layer) = scope else { return None };
    let constraints = problem.margins().constraints();
    let list = witness.lambda.iter().map(|(k, l)| (*k, &l.0));
    let lambda = multipliers(constraints.len(), list)?;
    if layer < 1 || !witness.slopes.is_empty() {
        return None;
    }
    let mut text = format!("{kind} {scope} multipliers {}", lambda.len());
    for (k, l) in &lambda {
        if !plain(problem, layer - 1, constraints.get(*k)?.sample) {
            return None;
        }
        let _ = write!(text, " {k} {l}");
    }
    Some(text)
}

/// What enters layer `first` (from 0) at a sample, and the preactivations of all layers.
pub(super) fn entering(
    problem: &Problem,
    first: usize,
    sample: usize,
) -> (Vec<Rational>, Vec<Vec<Rational>>) {
    let model = problem.network().rational_model();
    let x = problem.data().sample(sample).to_rationals();
    let preactivations = model.forward(&x).preactivations;
    let inputs = match first.checked_sub(1).and_then(|below| preactivations.get(below)) {
        Some(z) => model.activate(z),
        None => x,
    };
    (inputs, preactivations)
}

/// Whether every hidden preactivation of a sample in the layers from `first` on is not 0, or is 0
/// because every input of the unit is off: 0 itself, or (α = 0) a unit with a negative preactivation.
pub(super) fn plain(problem: &Problem, first: usize, sample: usize) -> bool {
    let network = problem.network();
    if network.activation().is_linear() {
        return true;
    }
    let (inputs, preactivations) = entering(problem, first, sample);
    let relu = network.activation().slope().is_zero();
    let mut off: Vec<bool> = inputs.iter().map(Zero::is_zero).collect();
    let hidden = network.depth() - 1;
    for (layer, z) in network.layers().iter().zip(&preactivations).take(hidden).skip(first) {
        let mut next = Vec::with_capacity(z.len());
        for (r, z) in z.iter().enumerate() {
            let reads = |(c, off): (usize, &bool)| !off && layer.coordinate(r, c).is_some();
            let blind = !off.iter().enumerate().any(reads);
            if z.is_zero() && !blind {
                return false;
            }
            next.push(blind || (relu && Rational::is_negative(z)));
        }
        off = next;
    }
    true
}
