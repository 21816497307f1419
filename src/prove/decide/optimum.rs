//! Search for proofs of optimality: rules 3.5a to e and 3.6, all from the KKT multipliers.
use super::cover;
use super::setting::Setting;
use super::stationarity::Multipliers;
use crate::budget::Budget;
use maxmargin_kernel::certificate::{Entry, Proof};
use maxmargin_kernel::claim::{Claim, Number};
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::proof::convex_cell::ConvexCell;
use maxmargin_kernel::proof::linear::Linear;
use maxmargin_kernel::proof::second_order::SecondOrder;
use num_traits::Zero;

/// A proof that θ is a local optimum, the easiest to read first.
pub fn local(setting: &Setting, found: &Multipliers, budget: &Budget) -> Result<Entry, String> {
    let claim = Claim::LocalOptimum { scope: setting.scope };
    convex_cell(setting, found, &claim)
        .or_else(|| linear(setting, found, &claim))
        .or_else(|| cover::local(setting, &claim, budget))
        .or_else(|| second_order(setting, found, &claim))
        .ok_or_else(|| "no rule applies".into())
}

/// A proof that θ is a global optimum.
pub fn global(setting: &Setting, found: &Multipliers, budget: &Budget) -> Option<Entry> {
    let claim = Claim::GlobalOptimum { scope: setting.scope };
    convex_cell(setting, found, &claim)
        .or_else(|| linear(setting, found, &claim))
        .or_else(|| cover::global(setting, &claim, budget))
}

fn convex_cell(setting: &Setting, found: &Multipliers, claim: &Claim) -> Option<Entry> {
    let plain = ConvexCell { lambda: found.lambda_list(), slopes: Vec::new() };
    // Slopes are per sample and neuron; with one output every sample has one constraint.
    let mut slopes: Vec<(usize, usize, Number)> = Vec::new();
    for (k, (_, j)) in found.mu.keys() {
        if let Some(p) = found.slope(*k, (0, *j)) {
            slopes.push((setting.constraint(*k).sample, *j, Number(p)));
        }
    }
    slopes.sort_by_key(|s| (s.0, s.1));
    slopes.dedup_by_key(|s| (s.0, s.1));
    let bent = ConvexCell { lambda: found.lambda_list(), slopes };
    for proof in [plain, bent] {
        if proof.check(setting.problem, claim).is_ok() {
            return Some(Entry { claim: claim.clone(), proof: Proof::ConvexCell(proof) });
        }
    }
    None
}

fn linear(setting: &Setting, found: &Multipliers, claim: &Claim) -> Option<Entry> {
    let proof = Linear { lambda: found.lambda_list() };
    proof.check(setting.problem, claim).ok()?;
    Some(Entry { claim: claim.clone(), proof: Proof::Linear(proof) })
}

fn second_order(setting: &Setting, found: &Multipliers, claim: &Claim) -> Option<Entry> {
    let mut slopes = Vec::new();
    for k in found.lambda.keys() {
        for unit in setting.kinks(*k) {
            let p = found.slope(*k, unit).unwrap_or_else(|| setting.alpha.clone());
            slopes.push((*k, unit.0 + 1, unit.1, Number(p)));
        }
    }
    let penalties = std::iter::once(Rational::zero())
        .chain((0..12).map(|e| Rational::from_integer((1i64 << (2 * e)).into())));
    for c in penalties {
        let proof =
            SecondOrder { lambda: found.lambda_list(), penalty: Number(c), slopes: slopes.clone() };
        if proof.check(setting.problem, claim).is_ok() {
            return Some(Entry { claim: claim.clone(), proof: Proof::SecondOrder(proof) });
        }
    }
    None
}
