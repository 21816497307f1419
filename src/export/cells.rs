//! Several outputs, and one layer (rules 3.5a and 3.6) in the words of the proved checker: multipliers by sample,
//! slopes at kinks.
use super::one_leaf::multipliers;
use maxmargin_kernel::claim::{Claim, Region, Scope};
use maxmargin_kernel::network::Layer;
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::{convex_cell::ConvexCell, linear::Linear};
use num_traits::Zero;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// `local_optimum` by a convex cell; of one layer, where this is global.
pub(super) fn convex_cell(
    problem: &Problem,
    claim: &Claim,
    witness: &ConvexCell,
) -> Option<String> {
    let slopes: BTreeMap<(usize, usize), &Rational> =
        witness.slopes.iter().map(|(i, j, p)| ((*i, *j), &p.0)).collect();
    let lambda = witness.lambda.iter().map(|(k, l)| (*k, &l.0));
    if slopes.len() != witness.slopes.len() || !balanced(problem, lambda.clone()) {
        return None;
    }
    match problem.network().depth() {
        1 if slopes.is_empty() => text(problem, claim, "matrix", lambda, &slopes),
        2 if matches!(claim, Claim::LocalOptimum { .. }) => {
            text(problem, claim, "cells", lambda, &slopes)
        }
        _ => None,
    }
}

/// `|θ|² = mγΣλ`, as stationarity implies: the proved rules do not mind the scale of λ.
pub(super) fn balanced<'n>(
    problem: &Problem,
    lambda: impl Iterator<Item = (usize, &'n Rational)>,
) -> bool {
    let network = problem.network();
    let sum: Rational = lambda.map(|(_, l)| l).sum();
    let depth = Rational::from_integer(network.depth().into());
    problem.gamma().is_ok_and(|gamma| gamma * sum * depth == network.norm_squared())
}

/// Bounds and optima of networks that are linear, or have one layer.
pub(super) fn linear(problem: &Problem, claim: &Claim, witness: &Linear) -> Option<String> {
    let network = problem.network();
    let any_width = matches!(claim, Claim::MarginAtMost { region: Region::AnyWidth, .. });
    // Of two layers, competitors of any width read what some neuron reads.
    let (inputs, layers) = (network.inputs(), network.layers());
    let neuron =
        |j| layers.iter().skip(1).any(|l| (0..l.rows()).any(|o| l.coordinate(o, j).is_some()));
    let reads_all = |l: &Layer| (0..l.rows()).any(|j| l.support(j).len() == inputs && neuron(j));
    let rule = match network.depth() {
        1 => "matrix",
        _ if !network.activation().is_linear() || network.has_sharing() => return None,
        2 if !any_width => "cells",
        2 if !layers.first().is_some_and(reads_all) => return None,
        _ => "matrix",
    };
    let lambda = witness.lambda.iter().map(|(k, l)| (*k, &l.0));
    text(problem, claim, rule, lambda, &BTreeMap::new())
}

fn text<'n>(
    problem: &Problem,
    claim: &Claim,
    rule: &str,
    lambda: impl Iterator<Item = (usize, &'n Rational)>,
    slopes: &BTreeMap<(usize, usize), &Rational>,
) -> Option<String> {
    let network = problem.network();
    if claim.scope() != Scope::All {
        return None;
    }
    let constraints = problem.margins().constraints();
    let lambda: BTreeMap<usize, Rational> =
        multipliers(constraints.len(), lambda)?.into_iter().collect();
    let head = match claim {
        Claim::MarginAtMost { region, bound, .. } => format!("margin_at_most {region} {}", bound.0),
        _ => format!("{} all", claim.kind()),
    };
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
    let mut text = format!("{head} {rule} {}", samples.len());
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
