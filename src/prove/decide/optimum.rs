//! Search for proofs of optimality: rules 3.5a to e and 3.6, all from KKT multipliers: those
//! found first, and where these do not serve, better chosen ones ([`super::choice`]).
use super::choice::Choice;
use super::cover;
use super::setting::Setting;
use super::stationarity::Multipliers;
use crate::budget::Budget;
use maxmargin_kernel::certificate::{Entry, Proof};
use maxmargin_kernel::claim::{Claim, Number};
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::convex_cell::ConvexCell;
use maxmargin_kernel::proof::linear::Linear;
use maxmargin_kernel::proof::second_order::{SecondOrder, SecondOrderError};
use num_traits::Zero;

/// A proof that θ is a local optimum, the easiest to read first.
///
/// # Errors
/// What was learnt on the way.
pub fn local(
    setting: &Setting,
    found: &Multipliers,
    choice: Option<&Choice>,
    budget: &Budget,
) -> Result<Entry, Failed> {
    let claim = Claim::LocalOptimum { scope: setting.scope };
    let first = convex_cell(setting, found, &claim).or_else(|| linear(setting, found, &claim));
    if let Some(entry) = first {
        return Ok(entry);
    }
    let mut failed = Failed::default();
    match cover::local(setting, &claim, budget) {
        Ok(entry) => return Ok(entry),
        Err(waking) => failed.waking = waking,
    }
    match second_order(setting, found, &claim) {
        Ok(entry) => return Ok(entry),
        Err(refusal) => failed.lacks = refusal.to_string(),
    }
    let Some(choice) = choice else { return Err(failed) };
    let cell = choice.contracting(budget, |m| {
        convex_cell(setting, m, &claim).or_else(|| linear(setting, m, &claim))
    });
    if let Some(entry) = cell.entry {
        return Ok(entry);
    }
    let curved = choice.curved(budget, |m| second_order(setting, m, &claim).ok());
    failed.directions = curved.directions;
    curved.entry.ok_or(failed)
}

/// What a search for a proof of local optimality learns when it fails.
#[derive(Clone, Debug, Default)]
pub struct Failed {
    /// What the kernel says of the second-order condition.
    pub lacks: String,
    /// Directions of the variables in which the Lagrangian bends down.
    pub directions: Vec<Vec<f64>>,
    /// Directions in which dead neurons may pay.
    pub waking: Vec<cover::Waking>,
}

/// A proof that θ is a global optimum.
pub fn global(
    setting: &Setting,
    found: &Multipliers,
    choice: Option<&Choice>,
    budget: &Budget,
) -> Option<Entry> {
    let claim = Claim::GlobalOptimum { scope: setting.scope };
    let attempt =
        |m: &Multipliers| convex_cell(setting, m, &claim).or_else(|| linear(setting, m, &claim));
    attempt(found)
        .or_else(|| cover::global(setting, &claim, budget))
        .or_else(|| choice?.contracting(budget, attempt).entry)
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

fn second_order(setting: &Setting, found: &Multipliers, claim: &Claim) -> Result<Entry, Refusal> {
    let mut slopes = Vec::new();
    for k in found.lambda.keys() {
        for unit in setting.kinks(*k) {
            let p = found.slope(*k, unit).unwrap_or_else(|| setting.alpha.clone());
            slopes.push((*k, unit.0 + 1, unit.1, Number(p)));
        }
    }
    let penalties = std::iter::once(Rational::zero())
        .chain((0..12).map(|e| Rational::from_integer((1i64 << (2 * e)).into())));
    let mut last = SecondOrderError::NegativePenalty.into();
    for c in penalties {
        let proof =
            SecondOrder { lambda: found.lambda_list(), penalty: Number(c), slopes: slopes.clone() };
        match proof.check(setting.problem, claim) {
            Ok(()) => {
                return Ok(Entry { claim: claim.clone(), proof: Proof::SecondOrder(proof) });
            }
            Err(refusal) => last = refusal,
        }
    }
    Err(last)
}
