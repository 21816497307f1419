//! What a successful check says.
use super::Verified;
use crate::claim::{Claim, Number};
use crate::number::{Rational, compare, format_rational};
use crate::problem::{Facts, Problem};
use serde_json::{Map, Value, json};

/// The verified claims of one certificate, and what the problem shows without proof.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The claims, in file order.
    pub claims: Vec<Verified>,
    /// `γ(θ)`, if positive.
    pub gamma: Option<Rational>,
    /// Bounds of `ν(θ)`, equal for even depth.
    pub nu: Option<(Rational, Rational)>,
    /// Counts.
    pub facts: Facts,
    /// Whether network and data were given from outside, rather than taken from the file.
    pub tied: bool,
}

impl Report {
    pub(super) fn new(problem: &Problem, claims: Vec<Verified>, tied: bool) -> Self {
        Self {
            claims,
            gamma: problem.gamma().ok().cloned(),
            nu: problem.normalised_margin(),
            facts: problem.facts(),
            tied,
        }
    }
}

/// The report as JSON: exact values as strings with an `f64` beside them.
pub fn report_json(report: &Report) -> Value {
    json!({
        "verdict": "verified",
        "claims": report.claims.iter().map(claim_json).collect::<Vec<_>>(),
        "margin": margin_json(report.gamma.as_ref(), report.nu.as_ref(), &report.facts),
        "tied": report.tied,
    })
}

/// `γ`, `ν` and the counts.
pub fn margin_json(
    gamma: Option<&Rational>,
    nu: Option<&(Rational, Rational)>,
    facts: &Facts,
) -> Value {
    let mut map = Map::new();
    if let Some(gamma) = gamma {
        put(&mut map, "gamma", gamma);
    }
    if let Some((low, high)) = nu {
        if compare(low, high).is_eq() {
            put(&mut map, "nu", low);
        } else {
            put(&mut map, "nu_lo", low);
            put(&mut map, "nu_hi", high);
        }
    }
    let counts = [
        ("samples", facts.samples),
        ("duplicates", facts.duplicates),
        ("constraints", facts.constraints),
        ("active", facts.active),
        ("kinks", facts.kinks),
        ("dead_units", facts.dead),
    ];
    for (name, count) in counts {
        map.insert(name.into(), count.into());
    }
    Value::Object(map)
}

fn claim_json(verified: &Verified) -> Value {
    let mut map = Map::new();
    map.insert("kind".into(), verified.claim.kind().into());
    map.insert("scope".into(), verified.claim.scope().to_string().into());
    match &verified.claim {
        Claim::KktResidual { lo, hi, delta, epsilon, .. } => {
            for (name, value) in [("lo", lo), ("hi", hi), ("delta", delta), ("epsilon", epsilon)] {
                put(&mut map, name, &value.0);
            }
        }
        Claim::MarginAtMost { region, bound, .. } | Claim::MarginAtLeast { region, bound, .. } => {
            map.insert("region".into(), region.to_string().into());
            put(&mut map, "bound", &bound.0);
        }
        Claim::Kkt { .. }
        | Claim::NotKkt { .. }
        | Claim::LocalOptimum { .. }
        | Claim::NotLocalOptimum { .. }
        | Claim::GlobalOptimum { .. }
        | Claim::NotGlobalOptimum { .. } => {}
    }
    map.insert("rule".into(), verified.rule.into());
    if verified.nodes > 0 {
        map.insert("nodes".into(), verified.nodes.into());
    }
    Value::Object(map)
}

fn put(map: &mut Map<String, Value>, name: &str, value: &Rational) {
    map.insert(name.into(), format_rational(value).into());
    map.insert(format!("{name}_f64"), Number(value.clone()).to_f64().into());
}
