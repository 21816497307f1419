//! The report as JSON.
use super::standing;
use super::words::{f64_above, f64_below};
use crate::certify::Outcome;
use maxmargin_kernel::check::{Report, margin_json, report_json};
use maxmargin_kernel::problem::Problem;
use serde_json::{Value, json};

/// Claims, brackets, what is undecided and the margin, as one object.
pub fn json(problem: &Problem, outcome: &Outcome, report: Option<&Report>) -> Value {
    let brackets: Vec<Value> = outcome
        .brackets
        .iter()
        .map(|b| {
            json!({
                "region": b.region.to_string(),
                "at_least_times": f64_below(&b.at_least),
                "at_most_times": b.at_most.as_ref().map(f64_above),
                "upper_rule": b.upper_rule,
                "nodes": b.nodes,
            })
        })
        .collect();
    let decisions: Vec<Value> = outcome
        .decisions
        .iter()
        .map(|d| {
            json!({
                "question": format!("{:?}", d.question).to_lowercase(),
                "scope": d.scope.to_string(),
                "answer": d.verdict(),
                "reason": d.answer.as_ref().err(),
            })
        })
        .collect();
    let verdict = match (outcome.limit, !outcome.is_undecided()) {
        (true, _) => "limit",
        (false, false) => "undecided",
        (false, true) => "certified",
    };
    let nu = problem.normalised_margin();
    // Not null: the bound `everywhere` holds for any width, and a wider network is known to be so good.
    let wider = standing::wider(&outcome.brackets).map(f64_below);
    let mut value = json!({
        "verdict": verdict,
        "decisions": decisions,
        "brackets": brackets,
        "wider_network_times": wider,
        "undecided": outcome.undecided,
        "margin": margin_json(problem.gamma().ok(), nu.as_ref(), &problem.facts()),
    });
    if let (Some(map), Some(report)) = (value.as_object_mut(), report) {
        map.insert("claims".into(), report_json(report)["claims"].clone());
    }
    value
}
