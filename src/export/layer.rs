//! Rules without kinks: one layer in its cell (3.5a) and the second-order condition (3.5c) in the words of the
//! proved checker: multipliers.
use super::one_leaf::multipliers;
use maxmargin_kernel::claim::{Claim, Number, Scope};
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::{convex_cell::ConvexCell, second_order::SecondOrder};
use num_traits::{Signed, Zero};
use std::fmt::Write as _;

/// The claim with its witness; `None` if that is not well formed, or rests on a zero preactivation that
/// the proved checker does not see to be no kink.
pub(super) fn covered(problem: &Problem, claim: &Claim, witness: &ConvexCell) -> Option<String> {
    let (kind, scope) = (claim.kind(), claim.scope());
    let Scope::Layer(layer) = scope else { return None };
    if !witness.slopes.is_empty() {
        return None;
    }
    let list = without_kinks(problem, layer.checked_sub(1)?, &witness.lambda)?;
    Some(format!("{kind} {scope} multipliers {list}"))
}

/// The second-order condition (rule 3.5c); of one layer it asks for no more than its cell does.
pub(super) fn second_order(
    problem: &Problem,
    claim: &Claim,
    witness: &SecondOrder,
) -> Option<String> {
    let penalty = &witness.penalty.0;
    if !witness.slopes.is_empty() || penalty.is_negative() {
        return None;
    }
    let (scope, lambda) = (claim.scope(), &witness.lambda);
    Some(match scope {
        Scope::All => {
            let list = without_kinks(problem, 0, lambda)?;
            format!("{} {scope} second_order {penalty} {list}", claim.kind())
        }
        Scope::Layer(layer) => {
            let list = without_kinks(problem, layer.checked_sub(1)?, lambda)?;
            format!("{} {scope} multipliers {list}", claim.kind())
        }
    })
}

/// The multipliers that are not 0, if no sample of theirs has a kink in the layers from `first` on.
fn without_kinks(problem: &Problem, first: usize, lambda: &[(usize, Number)]) -> Option<String> {
    let constraints = problem.margins().constraints();
    let lambda = multipliers(constraints.len(), lambda.iter().map(|(k, l)| (*k, &l.0)))?;
    let mut text = lambda.len().to_string();
    for (k, l) in &lambda {
        if !plain(problem, first, constraints.get(*k)?.sample) {
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
