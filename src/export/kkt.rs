//! KKT points (rules 3.1 and 3.2) in the words of the proved checker: terms of a constraint, a weight and
//! a curve along which the gradient is read off.
//!
//! Where a certificate gives slopes `p_j ∈ [α, 1]` at the kinks of a sample (in the last layer with an activation, no sharing), they
//! are a convex combination of at most one more than there are kinks of choices of α and 1, and the curve
//! that moves `w_j` by `±ε` times its inputs realises a choice.
use super::layer::{entering, plain};
use super::write_moves;
use maxmargin_kernel::claim::{Number, Scope};
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::{Constraint, Problem};
use maxmargin_kernel::proof::moves::Moves;
use maxmargin_kernel::proof::stationarity::Stationarity;
use num_traits::{One, Signed, Zero};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The claim with its witness; `None` if that is not well formed, or has a kink that the proved checker
/// does not see to be none.
pub(super) fn covered(problem: &Problem, scope: Scope, witness: &Stationarity) -> Option<String> {
    let network = problem.network();
    let constraints = problem.margins().constraints();
    // The lowest layer in scope, from 0, and whether it is the last with an activation, with slopes of its own.
    let (first, independent) = match scope {
        Scope::All => (0, network.depth() == 2 && !network.has_sharing()),
        Scope::Layer(l) => {
            let layer = network.layers().get(l.checked_sub(1)?)?;
            (l - 1, l + 1 == network.depth() && layer.max_uses() <= 1)
        }
    };
    let alone = scope != Scope::All;
    if !witness.mu.is_empty() && !independent {
        return None;
    }
    let keys: Vec<_> = witness.mu.iter().map(|(k, j, _)| (*k, *j)).collect();
    if !witness.lambda.is_sorted_by(|a, b| a.0 < b.0)
        || !keys.is_sorted_by(|a, b| a < b)
        || !witness.germs.is_sorted_by(|a, b| a.constraint <= b.constraint)
    {
        return None;
    }
    let lambda: BTreeMap<usize, &Rational> =
        witness.lambda.iter().map(|(k, l)| (*k, &l.0)).collect();
    let positive = |k: &usize| lambda.get(k).is_some_and(|l| l.is_positive());
    if !witness.germs.iter().all(|g| positive(&g.constraint))
        || !keys.iter().all(|(k, _)| positive(k))
    {
        return None;
    }
    let mut terms: Vec<(usize, Rational, Moves)> = Vec::new();
    for (&k, &l) in &lambda {
        let constraint = constraints.get(k)?;
        if l.is_zero() {
            // The format asks that these be active too; nothing rests on it.
            if problem.margins().values().get(k)? != problem.gamma().ok()? {
                return None;
            }
            continue;
        }
        if cancels(problem, first, constraint.sample) {
            return None;
        }
        let germs: Vec<_> = witness.germs.iter().filter(|g| g.constraint == k).collect();
        let mu: BTreeMap<usize, &Number> =
            witness.mu.iter().filter(|(c, ..)| *c == k).map(|(_, j, m)| (*j, m)).collect();
        if !germs.is_empty() {
            let sum: Rational = germs.iter().map(|g| &g.weight.0).sum();
            if !sum.is_one() || !mu.is_empty() || (alone && some_weight_is_zero(problem, first + 1))
            {
                return None;
            }
            terms.extend(germs.iter().map(|g| (k, l * &g.weight.0, g.moves.clone())));
        } else if independent {
            for (weight, moves) in choices(problem, first, constraint, l, &mu)? {
                terms.push((k, l * weight, moves));
            }
        } else {
            if alone && !plain(problem, first, constraint.sample) {
                return None;
            }
            terms.push((k, l.clone(), vec![Vec::new(); network.depth()]));
        }
    }
    let mut text = format!("kkt {scope} terms {}", terms.len());
    for (k, weight, moves) in &terms {
        let _ = write!(text, "\n {k} {weight}");
        write_moves(&mut text, problem, moves)?;
    }
    Some(text)
}

/// Whether a weight that is no structural zero is 0 in the layers from `from` on: where these are fixed
/// the proved checker takes what it multiplies for an input.
fn some_weight_is_zero(problem: &Problem, from: usize) -> bool {
    let mut above = problem.network().layers().iter().skip(from);
    above.any(|layer| layer.parameters().to_rationals().iter().any(Zero::is_zero))
}

/// Whether inputs of a row of the lowest layer in scope that share a coordinate cancel, so that a preactivation
/// is 0 for all parameters though the inputs are not: the proved checker takes that for a kink.
fn cancels(problem: &Problem, first: usize, sample: usize) -> bool {
    let Some(layer) = problem.network().layers().get(first).filter(|l| l.max_uses() > 1) else {
        return false;
    };
    let (inputs, _) = entering(problem, first, sample);
    (0..layer.rows()).any(|r| {
        let mut sums: BTreeMap<usize, Rational> = BTreeMap::new();
        let mut reads = false;
        for c in 0..layer.cols() {
            if let Some(i) = layer.coordinate(r, c) {
                let Some(entry) = inputs.get(c) else { continue };
                reads |= !entry.is_zero();
                *sums.entry(i).or_default() += entry;
            }
        }
        reads && sums.values().all(Zero::is_zero)
    })
}

/// The slopes of a sample's kinks in layer `first` as a convex combination of curves.
fn choices(
    problem: &Problem,
    first: usize,
    constraint: &Constraint,
    lambda: &Rational,
    mu: &BTreeMap<usize, &Number>,
) -> Option<Vec<(Rational, Moves)>> {
    let network = problem.network();
    let alpha = network.activation().slope();
    let layer = network.layers().get(first)?;
    let (inputs, preactivations) = entering(problem, first, constraint.sample);
    let mut kinks: Vec<(usize, Rational)> = Vec::new();
    for (j, z) in preactivations.get(first)?.iter().enumerate() {
        let reads =
            layer.support(j).into_iter().any(|c| inputs.get(c).is_some_and(|a| !a.is_zero()));
        if network.activation().is_linear() || !reads || !z.is_zero() {
            continue;
        }
        // From 0 for slope α to 1 for slope 1.
        let part = match mu.get(&j) {
            Some(m) => (&m.0 / lambda - alpha) / (Rational::one() - alpha),
            None => Rational::zero(),
        };
        if part.is_negative() || part > Rational::one() {
            return None;
        }
        kinks.push((j, part));
    }
    if mu.keys().any(|j| kinks.iter().all(|(k, _)| k != j)) {
        return None;
    }
    let mut levels: Vec<Rational> = kinks.iter().map(|(_, part)| part.clone()).collect();
    levels.extend([Rational::zero(), Rational::one()]);
    levels.sort();
    levels.dedup();
    let steps = levels.iter().zip(levels.iter().skip(1)).map(|(low, high)| {
        let move_of = |(j, part): &(usize, Rational)| {
            let up = part >= high;
            let coordinate = |(c, entry): (usize, &Rational)| {
                let entry = if up { entry.clone() } else { -entry };
                Some((layer.coordinate(*j, c)?, vec![Number(entry)]))
            };
            inputs.iter().enumerate().filter_map(coordinate).collect::<Vec<_>>()
        };
        let mut moved: Vec<_> = kinks.iter().flat_map(move_of).collect();
        moved.sort_by_key(|(coordinate, _)| *coordinate);
        let mut moves = vec![Vec::new(); network.depth()];
        if let Some(slot) = moves.get_mut(first) {
            *slot = moved;
        }
        (high - low, moves)
    });
    Some(steps.collect())
}
