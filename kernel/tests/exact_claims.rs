//! The exact claims together: in one file, and never against each other.
mod common;
#[path = "common/paper.rs"]
mod paper;

use common::*;
use maxmargin_kernel::certificate::{Certificate, Entry, ProblemEntry, Proof};
use maxmargin_kernel::check::{Failure, Limits, check};
use maxmargin_kernel::claim::{Claim, Number};
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::curve::{Curve, CurveError};
use maxmargin_kernel::proof::descent::Descent;
use maxmargin_kernel::proof::point::Point;
use maxmargin_kernel::proof::stationarity::{Stationarity, StationarityError, WeightedGerm};
use paper::*;

fn file(problem: &Problem, claims: Vec<(Claim, Proof)>) -> String {
    let entries = claims.into_iter().map(|(claim, proof)| Entry { claim, proof }).collect();
    serde_json::to_string(&Certificate::new(ProblemEntry::new(problem, true), entries)).unwrap()
}

fn verdict(text: &str) -> Result<usize, Failure> {
    check(text.as_bytes(), None, Limits::default()).map(|_| text.matches("\"rule\"").count())
}

#[test]
fn every_rule_is_read_from_a_file() {
    let lambda = vec![(0, n("2")), (1, n("2"))];
    let stationary = Stationarity { lambda, ..Stationarity::default() };
    let escape = Curve { moves: curve_a() };
    let better = ["1 0 -1 0", "1 1"].map(|l| l.split(' ').map(n).collect()).to_vec();
    let better = Point { parameters: Some(better), network: None };
    let text = file(
        &fixture_a(),
        vec![
            (kkt("all"), Proof::Stationarity(stationary)),
            (not_local("all"), Proof::Curve(escape)),
            (not_global("all"), Proof::Point(better)),
        ],
    );
    assert_eq!(verdict(&text), Ok(3));
    let expected = r#"{"rule":"curve","moves":[[[0,["0","-1/4","0","-1/16"]],[1,["0","-1/2"]],[2,["11/10"]]],[[0,["0","-1/2"]],[1,["1"]]]]}"#;
    assert!(text.contains(expected), "{text}");
    // The curve that misses by ε⁴/16.
    let rejected = Failure::Rejected {
        index: 1,
        kind: "not_local_optimum",
        rule: "curve",
        refusal: Box::new(Refusal::Curve(CurveError::Margin { constraint: 1, order: 4 })),
    };
    assert_eq!(verdict(&text.replace(r#""-1/4","0","-1/16""#, r#""-1/4""#)), Err(rejected));
    let unknown = verdict(&text.replace(r#""rule":"curve","#, r#""rule":"curve","x":1,"#));
    assert!(matches!(unknown, Err(Failure::Malformed(_))), "{unknown:?}");

    let p = problem(RELU, &["1 1", "1"], "1 0", &[1]);
    let descent = Descent { direction: vec![vec![n("0"), n("-1")], vec![]] };
    let text = file(&p, vec![(not_kkt("layer:1"), Proof::Descent(descent))]);
    assert_eq!(verdict(&text), Ok(1));
    assert!(text.contains(r#"{"rule":"descent","direction":[["0","-1"],[]]}"#), "{text}");
}

/// Stationary points among random tiny problems, most with kinks: no direction refutes them, and
/// where the rules for curves and points find something, it is never against global optimality
/// of the last layer, where a KKT point is globally optimal.
#[test]
fn rules_never_contradict_each_other() {
    let mut source = Source(8);
    let (mut stationary, mut with_kinks, mut by_germs, mut last) = (0, 0, 0, 0);
    for _ in 0..40_000 {
        let depth = 1 + source.below(3) as usize;
        let sharing = source.below(2) == 0;
        let Some(p) = source.problem(depth, sharing) else { continue };
        let scope = source.scope(depth);
        let layer = scope.strip_prefix("layer:").map(|l| l.parse::<usize>().unwrap());
        let layers = p.network().layers();
        let norm = match layer {
            Some(l) => layers[l - 1].parameters().norm_squared(),
            None => p.network().norm_squared(),
        };
        let degree = layer.map_or(depth, |_| 1);
        let active = p.margins().active(&q("0"));
        // Euler: ⟨θ, Σλg⟩ = mγΣλ; share it out in random parts.
        let parts: Vec<u64> = active.iter().map(|_| source.below(3)).collect();
        let total: u64 = parts.iter().sum();
        if total == 0 {
            continue;
        }
        let sum = norm / (p.gamma().unwrap() * q(&(degree as u64 * total).to_string()));
        let lambda: Vec<(usize, Number)> = active
            .iter()
            .zip(&parts)
            .map(|(k, part)| (*k, Number(&sum * q(&part.to_string()))))
            .collect();
        let mut witness = Stationarity { lambda, ..Stationarity::default() };
        let plain = witness.check(&p, &kkt(&scope));
        let mut proved = plain.is_ok();
        let tries = if matches!(plain, Err(Refusal::Stationarity(StationarityError::Kink { .. }))) {
            20
        } else {
            2
        };
        for _ in 0..tries {
            if proved {
                break;
            }
            let used = witness.lambda.iter().filter(|(_, l)| *l > n("0"));
            let germs = used
                .flat_map(|(k, _)| {
                    let two = source.below(2) == 0;
                    let weight = if two { "1/2" } else { "1" };
                    (0..if two { 2 } else { 1 })
                        .map(|_| WeightedGerm {
                            constraint: *k,
                            weight: n(weight),
                            moves: source.generic(p.network(), &scope),
                        })
                        .collect::<Vec<_>>()
                })
                .collect();
            witness.germs = germs;
            proved = witness.check(&p, &kkt(&scope)).is_ok();
            by_germs += usize::from(proved);
        }
        if !proved {
            continue;
        }
        stationary += 1;
        with_kinks += usize::from(p.facts().kinks > 0);
        for _ in 0..30 {
            let d = source.direction(&p, &scope);
            assert!(d.check(&p, &not_kkt(&scope)).is_err(), "{witness:?} {d:?}");
        }
        if layer == Some(depth) {
            last += 1;
            for _ in 0..30 {
                let curve = Curve { moves: source.moves(p.network(), &scope) };
                assert!(curve.check(&p, &not_local(&scope)).is_err(), "{curve:?}");
                let after = moved(p.network(), &curve.moves, &q("1/2"));
                let values = after
                    .layers()
                    .iter()
                    .map(|l| l.parameters().to_rationals().into_iter().map(Number).collect());
                let point = Point { parameters: Some(values.collect()), network: None };
                assert!(point.check(&p, &not_global(&scope)).is_err(), "{point:?}");
            }
        }
    }
    let counts = (stationary, with_kinks, by_germs, last);
    assert!(stationary > 300 && with_kinks > 100 && by_germs > 20 && last > 100, "{counts:?}");
}
