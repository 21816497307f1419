//! Exact verdicts in words, with their witnesses written out.
use crate::prove::decide::{Decision, Question};
use maxmargin_kernel::certificate::{Entry, Proof};
use maxmargin_kernel::claim::{Claim, Number, Scope};
use std::fmt::Write as _;

/// Longest witness that is written out, in characters; longer ones are in the certificate.
const MAX_WITNESS: usize = 600;

/// One line per decision, for the verdict.
pub fn lines(decisions: &[Decision]) -> Vec<String> {
    decisions.iter().map(line).collect()
}

fn line(decision: &Decision) -> String {
    let what = match decision.question {
        Question::Kkt => "KKT point",
        Question::Local => "local optimum",
        Question::Global => "global optimum",
    };
    let place = match decision.scope {
        Scope::All => String::new(),
        Scope::Layer(l) => format!(" in layer {l} alone"),
    };
    match (decision.verdict(), &decision.answer) {
        (Some(true), Ok(entry)) => format!("{what}{place}: YES ({})", why(entry)),
        (Some(false), Ok(entry)) => format!("{what}{place}: NO ({})", why(entry)),
        (_, Err(reason)) => format!("{what}{place}: UNDECIDED: {reason}"),
        (None, Ok(_)) => format!("{what}{place}: UNDECIDED"),
    }
}

/// The kind of proof.
fn why(entry: &Entry) -> &'static str {
    match &entry.proof {
        Proof::Stationarity(_) => "exact multipliers",
        Proof::Descent(_) => "a direction that lowers the norm and no margin",
        Proof::Curve(_) => "better points arbitrarily near, on an explicit curve",
        Proof::Point(_) => "an explicit better network",
        Proof::ConvexCell(_) => "convexity in the activation cell",
        Proof::LocalCover(_) | Proof::LayerCover(_) => "the dual bound is attained",
        Proof::WidthTree(_) => match entry.claim {
            Claim::LocalOptimum { .. } => "a dual bound in every part of a neighbourhood",
            _ => "at this width: a dual bound for every choice of activation patterns",
        },
        Proof::SecondOrder(_) => "second-order sufficiency",
        Proof::Linear(_) => "the linear dual bound is attained",
        _ => "certified",
    }
}

/// The section with the witnesses.
pub fn witnesses(decisions: &[Decision]) -> String {
    let mut out = String::new();
    for decision in decisions {
        let Ok(entry) = &decision.answer else { continue };
        let text = witness(&entry.proof);
        if text.is_empty() {
            continue;
        }
        if out.is_empty() {
            out.push_str("\nWITNESSES (exact; constraints, rows and coordinates from 0)\n");
        }
        let _ = writeln!(out, "  {}", entry.claim);
        for row in text.lines() {
            let _ = writeln!(out, "    {row}");
        }
    }
    out
}

fn witness(proof: &Proof) -> String {
    let text = match proof {
        Proof::Stationarity(p) => multipliers(&p.lambda),
        Proof::ConvexCell(p) => multipliers(&p.lambda),
        Proof::SecondOrder(p) => format!("{}, penalty c = {}", multipliers(&p.lambda), p.penalty),
        Proof::Linear(p) => multipliers(&p.lambda),
        Proof::Descent(p) => layers("d", &p.direction),
        Proof::Curve(p) => curve(&p.moves),
        Proof::Point(p) => p.parameters.as_ref().map_or_else(String::new, |l| layers("u'", l)),
        _ => String::new(),
    };
    if text.chars().count() > MAX_WITNESS { "(long: in the certificate)".into() } else { text }
}

fn multipliers(lambda: &[(usize, Number)]) -> String {
    let terms: Vec<String> = lambda.iter().map(|(k, l)| format!("λ_{k} = {l}")).collect();
    terms.join(", ")
}

fn layers(name: &str, lists: &[Vec<Number>]) -> String {
    let one = |(l, list): (usize, &Vec<Number>)| {
        let values: Vec<String> = list.iter().map(ToString::to_string).collect();
        (!list.is_empty()).then(|| format!("{name}^({}) = ({})", l + 1, values.join(", ")))
    };
    lists.iter().enumerate().filter_map(one).collect::<Vec<_>>().join("\n")
}

fn curve(moves: &[Vec<(usize, Vec<Number>)>]) -> String {
    let term = |(e, c): (usize, &Number)| {
        let power = if e == 0 { "ε".to_string() } else { format!("ε^{}", e + 1) };
        (c.to_string() != "0").then(|| format!("({c}){power}"))
    };
    let mut rows = Vec::new();
    for (l, list) in moves.iter().enumerate() {
        for (i, coefficients) in list {
            let terms: Vec<String> = coefficients.iter().enumerate().filter_map(term).collect();
            rows.push(format!("u^({})_{i} += {}", l + 1, terms.join(" + ")));
        }
    }
    rows.join("\n")
}
