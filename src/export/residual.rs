//! The KKT residual (rules 3.2 and 3.11) in the words of the proved checker: multipliers, slopes at near-kinks, a direction.
//!
//! A certificate gives `μ_kj = λ_k s_kj`, the text `s_kj`; multipliers that are 0 are left out.
use super::{rationals, write_vectors};
use maxmargin_kernel::claim::Claim;
use maxmargin_kernel::network::TwoLayer;
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::kkt_residual::KktResidual;
use num_traits::{Signed, Zero};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The claim with its witness; `None` if that is not well formed.
pub(super) fn covered(problem: &Problem, claim: &Claim, witness: &KktResidual) -> Option<String> {
    let Claim::KktResidual { delta, .. } = claim else { return None };
    let two_layer = TwoLayer::new(problem.network()).ok()?;
    let active =
        if delta.0.is_negative() { Vec::new() } else { problem.margins().active(&delta.0) };
    if !witness.lambda.is_sorted_by(|a, b| a.0 < b.0)
        || !witness.mu.is_sorted_by(|a, b| (a.0, a.1) < (b.0, b.1))
    {
        return None;
    }
    let lambda: BTreeMap<usize, &Rational> =
        witness.lambda.iter().map(|(k, l)| (*k, &l.0)).collect();
    // Nothing rests on a multiplier that is 0, but the format asks that its constraint be near-active.
    let idle = |k: &usize| lambda.get(k).is_none_or(|l| l.is_zero());
    let exists = |j: &usize| two_layer.neurons.iter().any(|n| n.index == *j);
    if !lambda.keys().filter(|k| idle(k)).all(|k| active.binary_search(k).is_ok())
        || witness.mu.iter().any(|(k, j, _)| idle(k) || !exists(j))
    {
        return None;
    }
    let terms: Vec<_> = lambda.iter().filter(|(k, _)| !idle(k)).collect();
    let mut text = format!("{} terms {}", super::name(claim), terms.len());
    for (k, l) in terms {
        let slopes: Vec<_> = witness.mu.iter().filter(|(of, ..)| *of == *k).collect();
        let _ = write!(text, "\n {k} {l}  {}", slopes.len());
        for (_, j, m) in slopes {
            let _ = write!(text, " {j} {}", &m.0 / *l);
        }
    }
    text.push_str("\n direction");
    write_vectors(&mut text, &rationals(witness.direction.as_deref().unwrap_or_default()));
    Some(text)
}
