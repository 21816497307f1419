//! KKT points (rules 3.1 and 3.2) in the words of the proved checker: terms of a constraint, a weight and
//! a curve along which the gradient is read off.
//!
//! Where a certificate gives slopes `p_j ∈ [α, 1]` at the kinks of a sample (depth 2, no sharing), they
//! are a convex combination of at most one more than there are kinks of choices of α and 1, and the curve
//! that moves `w_j` by `±εx_i` realises a choice.
use super::write_moves;
use maxmargin_kernel::claim::Number;
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::{Constraint, Problem};
use maxmargin_kernel::proof::moves::Moves;
use maxmargin_kernel::proof::stationarity::Stationarity;
use num_traits::{One, Signed, Zero};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The claim with its witness; `None` if that is not well formed, or has a kink that the proved checker
/// does not see to be none.
pub(super) fn covered(problem: &Problem, witness: &Stationarity) -> Option<String> {
    let network = problem.network();
    let constraints = problem.margins().constraints();
    let independent = network.depth() == 2 && !network.has_sharing();
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
        if cancels(problem, constraint.sample) {
            return None;
        }
        let germs: Vec<_> = witness.germs.iter().filter(|g| g.constraint == k).collect();
        let mu: BTreeMap<usize, &Number> =
            witness.mu.iter().filter(|(c, ..)| *c == k).map(|(_, j, m)| (*j, m)).collect();
        if !germs.is_empty() {
            let sum: Rational = germs.iter().map(|g| &g.weight.0).sum();
            if !sum.is_one() || !mu.is_empty() {
                return None;
            }
            terms.extend(germs.iter().map(|g| (k, l * &g.weight.0, g.moves.clone())));
        } else if independent {
            for (weight, moves) in choices(problem, constraint, l, &mu)? {
                terms.push((k, l * weight, moves));
            }
        } else {
            terms.push((k, l.clone(), vec![Vec::new(); network.depth()]));
        }
    }
    let mut text = format!("kkt all terms {}", terms.len());
    for (k, weight, moves) in &terms {
        let _ = write!(text, "\n {k} {weight}");
        write_moves(&mut text, problem, moves)?;
    }
    Some(text)
}

/// Whether inputs of a row of layer 1 that share a coordinate cancel, so that a preactivation is 0
/// for all parameters though the inputs are not: the proved checker takes that for a kink.
fn cancels(problem: &Problem, sample: usize) -> bool {
    let Some(layer) = problem.network().layers().first().filter(|l| l.max_uses() > 1) else {
        return false;
    };
    let x = problem.data().sample(sample);
    (0..layer.rows()).any(|r| {
        let mut sums: BTreeMap<usize, Rational> = BTreeMap::new();
        let mut reads = false;
        for c in 0..layer.cols() {
            if let Some(i) = layer.coordinate(r, c) {
                let entry = x.get(c);
                reads |= !entry.is_zero();
                *sums.entry(i).or_default() += entry;
            }
        }
        reads && sums.values().all(Zero::is_zero)
    })
}

/// The slopes of a sample's kinks as a convex combination of curves.
fn choices(
    problem: &Problem,
    constraint: &Constraint,
    lambda: &Rational,
    mu: &BTreeMap<usize, &Number>,
) -> Option<Vec<(Rational, Moves)>> {
    let network = problem.network();
    let (sample, alpha) = (constraint.sample, network.activation().slope());
    let layer = network.layers().first()?;
    let x = problem.data().sample(sample);
    let mut kinks: Vec<(usize, Rational)> = Vec::new();
    for j in 0..layer.rows() {
        let reads = layer.support(j).into_iter().any(|c| !x.get(c).is_zero());
        if network.activation().is_linear() || !reads || problem.sign(sample, j).is_ne() {
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
            let coordinate = |c: usize| {
                let entry = if up { x.get(c) } else { -x.get(c) };
                Some((layer.coordinate(*j, c)?, vec![Number(entry)]))
            };
            (0..layer.cols()).filter_map(coordinate).collect::<Vec<_>>()
        };
        let mut first: Vec<_> = kinks.iter().flat_map(move_of).collect();
        first.sort_by_key(|(coordinate, _)| *coordinate);
        (high - low, vec![first, Vec::new()])
    });
    Some(steps.collect())
}
