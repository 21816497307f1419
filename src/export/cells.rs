//! Two layers with several outputs (rules 3.5a and 3.6) in the words of the proved checker: multipliers by sample,
//! slopes at kinks.
use super::bounded;
use super::one_leaf::multipliers;
use maxmargin_kernel::claim::{Claim, Region, Scope};
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::{convex_cell::ConvexCell, linear::Linear};
use num_traits::Zero;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// `local_optimum` by a convex cell.
pub(super) fn convex_cell(
    problem: &Problem,
    claim: &Claim,
    witness: &ConvexCell,
) -> Option<String> {
    let slopes: BTreeMap<(usize, usize), &Rational> =
        witness.slopes.iter().map(|(i, j, p)| ((*i, *j), &p.0)).collect();
    if slopes.len() != witness.slopes.len() {
        return None;
    }
    text(problem, claim, witness.lambda.iter().map(|(k, l)| (*k, &l.0)), &slopes)
}

/// Bounds and optima of a linear network of two layers.
pub(super) fn linear(problem: &Problem, claim: &Claim, witness: &Linear) -> Option<String> {
    let any_width = matches!(claim, Claim::MarginAtMost { region: Region::AnyWidth, .. });
    if !problem.activation().is_linear() || any_width {
        return None;
    }
    text(problem, claim, witness.lambda.iter().map(|(k, l)| (*k, &l.0)), &BTreeMap::new())
}

fn text<'n>(
    problem: &Problem,
    claim: &Claim,
    lambda: impl Iterator<Item = (usize, &'n Rational)>,
    slopes: &BTreeMap<(usize, usize), &Rational>,
) -> Option<String> {
    let network = problem.network();
    if network.depth() != 2 || claim.scope() != Scope::All {
        return None;
    }
    let constraints = problem.margins().constraints();
    let lambda: BTreeMap<usize, Rational> =
        multipliers(constraints.len(), lambda)?.into_iter().collect();
    let (head, _) = bounded(problem, claim)?;
    // Every constraint of every sample that has a multiplier.
    let mut samples: BTreeMap<usize, Vec<Rational>> = BTreeMap::new();
    for k in lambda.keys() {
        samples.entry(constraints.get(*k)?.sample).or_default();
    }
    for (k, constraint) in constraints.iter().enumerate() {
        if let Some(weights) = samples.get_mut(&constraint.sample) {
            weights.push(lambda.get(&k).cloned().unwrap_or_else(Rational::zero));
        }
    }
    let rows = network.layers().first()?.rows();
    if !slopes.keys().all(|(i, j)| samples.contains_key(i) && *j < rows) {
        return None;
    }
    let mut text = format!("{head} cells {}", samples.len());
    for (i, weights) in &samples {
        let _ = write!(text, "\n  {i} ");
        super::write_vector(&mut text, weights);
        let own: Vec<_> = slopes.iter().filter(|((of, _), _)| of == i).collect();
        let _ = write!(text, "  {}", own.len());
        for ((_, j), p) in own {
            let _ = write!(text, " {j} {p}");
        }
    }
    Some(text)
}
