//! Explicit points (`point`).
mod common;

use common::*;
use maxmargin_kernel::claim::{Claim, Scope};
use maxmargin_kernel::network::{NetworkError, NetworkJson};
use maxmargin_kernel::problem::{DataError, NotClassified, Problem};
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::point::{Point, PointError};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// θ itself.
fn theta() -> Point {
    Point::default()
}

/// Parameter vectors, one text of blank-separated numbers per layer.
fn at(layers: &[&str]) -> Point {
    let list = |l: &&str| l.split_whitespace().map(n).collect();
    Point { parameters: Some(layers.iter().map(list).collect()), network: None }
}

fn of(network: NetworkJson) -> Point {
    Point { parameters: None, network: Some(network) }
}

fn refused(point: Point, problem: &Problem, claim: &Claim) -> PointError {
    match point.check(problem, claim) {
        Err(Refusal::Point(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_point_itself_and_a_better_one() {
    let e = fixture_e();
    for region in ["cell", "near:0", "near:1/100", "everywhere", "any_width"] {
        assert_eq!(theta().check(&e, &at_least(region, "1/8")), Ok(()), "{region}");
        let above = refused(theta(), &e, &at_least(region, "0.1250001"));
        assert!(matches!(above, PointError::TooSmall(_)), "{region}");
    }
    let better = at(&["1 0 -1 0", "1 1"]);
    assert_eq!(better.check(&e, &at_least("everywhere", "1/4")), Ok(()));
    assert_eq!(better.check(&e, &at_least("any_width", "1/4")), Ok(()));
    // It turns neuron 0 away from sample 1, whose cosine with w is 1/√17 ≈ 0.2425.
    let leaves = PointError::LeavesCell { neuron: 0, sample: 1 };
    for region in ["cell", "near:0", "near:0.2425"] {
        assert_eq!(refused(better.clone(), &e, &at_least(region, "1/4")), leaves, "{region}");
    }
    assert_eq!(better.check(&e, &at_least("near:0.2426", "1/4")), Ok(()));
}

#[test]
fn the_bounds_of_near_and_of_the_rule_agree_on_a_tie() {
    // w·x = 4 = (4/5)|w||x| exactly: free from δ = 4/5 on, for points and for covers.
    let p = problem(LINEAR, &["0 1; 0 1", "1 1"], "3 4", &[1]);
    let turned = at(&["0 -1 0 9", "1 1"]);
    let covers = vec![(cone(1, &[(0, 1)]), vec![close(&[1])])];
    let bound = dual(&[(0, 1)], covers);
    assert_eq!(turned.check(&p, &at_least("near:4/5", "0")), Ok(()));
    assert!(bound.check(&p, &at_most("near:4/5", "5/2")).is_err());
    let leaves = PointError::LeavesCell { neuron: 0, sample: 0 };
    assert_eq!(refused(turned, &p, &at_least("near:0.7999999", "0")), leaves);
    assert_eq!(bound.check(&p, &at_most("near:0.7999999", "5/2")), Ok(1));
}

#[test]
fn depth_three_compares_squares() {
    // ν = 2/12^{3/2} ≈ 0.0481125 (fixture A′).
    let p = problem(RELU, &["0 2; 0 0", "2 0; 0 0", "2 0"], "1 1/4; -1 1/4", &[1, 1]);
    assert_eq!(theta().check(&p, &at_least("everywhere", "0.0481125")), Ok(()));
    assert_eq!(
        refused(theta(), &p, &at_least("everywhere", "0.0481126")),
        PointError::TooSmall("0.048112600".into())
    );
}

#[test]
fn the_sign_of_an_output_weight_is_part_of_the_region() {
    // Without it, `near:0` would hold a point with ν = 1/4 beyond the bound 2/9 of that region.
    let p = fixed_output_signs();
    let competitor = at(&["0 0 -3/5 4/5 1 0", "0 -1 1"]);
    assert_eq!(competitor.check(&p, &at_least("everywhere", "1/4")), Ok(()));
    for region in ["cell", "near:0", "near:1"] {
        let error = refused(competitor.clone(), &p, &at_least(region, "1/4"));
        assert_eq!(error, PointError::OutputSign(2), "{region}");
    }
}

#[test]
fn a_kink_counts_as_not_positive_in_the_cell_and_is_free_nearby() {
    // w·x₁ = 0 at θ.
    let p = problem(RELU, &["1 0; 1 1", "1 1"], "1 0; 0 1", &[1, 1]);
    for (x, cell) in [("1 1/8 1 1", false), ("1 -1/8 1 1", true), ("1 0 1 1", true)] {
        let point = at(&[x, "1 1"]);
        assert_eq!(point.check(&p, &at_least("near:0", "0")), Ok(()), "{x}");
        let verdict = point.check(&p, &at_least("cell", "0"));
        let leaves = Err(PointError::LeavesCell { neuron: 0, sample: 1 }.into());
        assert_eq!(verdict, if cell { Ok(()) } else { leaves }, "{x}");
    }
    // Preactivations may shrink to 0 on either side; output weights too, and free ones may turn.
    assert_eq!(at(&["1 0 0 1", "1 1"]).check(&p, &at_least("cell", "0")), Ok(()));
}

#[test]
fn structural_zeros_bind_competitors_of_any_width() {
    // Neurons read input 0 or input 1, never both; a third has no output and does not count.
    let p = problem(LINEAR, &["1 .; . 1; 1 1", "1 1 ."], "1 1", &[1]);
    let any = |bound| at_least("any_width", bound);
    let narrow = network(LINEAR, &["1 .", "1"]);
    assert_eq!(of(narrow).check(&p, &any("1/2")), Ok(()));
    let not = |why| PointError::NotCompetitor(why);
    let both = network(LINEAR, &["1 1", "1"]);
    assert_eq!(
        refused(of(both), &p, &any("2/3")),
        not("a neuron reads inputs that no neuron of this network may read")
    );
}

/// Numbers too long for the checker say nothing about the point.
#[test]
fn long_points_are_a_limit() {
    let p = problem(LINEAR, &["1"; 5], "1", &[1]);
    let long = refused(at(&["1e2200", "1", "1", "1", "1"]), &p, &at_least("everywhere", "0"));
    assert!(matches!(long, PointError::Network(NetworkError::TooLong(_))), "{long:?}");
    assert!(Refusal::from(long).is_limit());
    let flat = refused(at(&["0", "1", "1", "1", "1"]), &p, &at_least("everywhere", "0"));
    assert!(!Refusal::from(flat).is_limit());
    assert!(Refusal::from(PointError::Data(DataError::Work(1))).is_limit());
}

/// Only at depth 2 do structural zeros bind competitors of any width.
#[test]
fn at_other_depths_a_competitor_may_read_all_inputs() {
    for above in [&[][..], &["1", "1"]] {
        let layers = |first| [&[first], above].concat();
        let p = problem(LINEAR, &layers("1 ."), "1 1", &[1]);
        let other = network(LINEAR, &layers("1 1"));
        assert_eq!(of(other).check(&p, &at_least("any_width", "1/4")), Ok(()));
    }
}

/// A neuron exists if it reaches some output, not only if it reaches all.
#[test]
fn a_neuron_of_one_class_lends_its_inputs() {
    let p = problem(RELU, &["1 1; 1 .", "1 .; . 1"], "1 1", &[0]);
    let both = network(RELU, &["1 1", "1; -1"]);
    assert_eq!(of(both).check(&p, &at_least("any_width", "1/5")), Ok(()));
}

#[test]
fn every_refusal_is_the_expected_one() {
    let e = fixture_e();
    let everywhere = at_least("everywhere", "0");
    let any = at_least("any_width", "0");
    let shared: NetworkJson = serde_json::from_value(serde_json::json!({
        "activation": "relu",
        "layers": [{"parameters": ["1"], "pattern": [[0, 0], [null, 0]]}, {"weights": [["1", "1"]]}],
    }))
    .unwrap();
    let net = |activation: &str, layers: &[&str]| of(network(activation, layers));
    let both = Point { network: net(RELU, &["1 0", "1"]).network, ..at(&["1", "1"]) };
    let not = |why| PointError::NotCompetitor(why);
    let kinks = problem(RELU, &["1 0; 1 1", "1 1"], "1 0; 0 1", &[1, 1]);
    let cases = [
        (refused(both, &e, &any), PointError::Ambiguous),
        (
            refused(net(RELU, &["0 1; 0 1", "1 1"]), &e, &everywhere),
            PointError::OtherArchitecture("everywhere".into()),
        ),
        (
            refused(net(RELU, &["0 1; 0 1", "1 1"]), &e, &at_least("near:1/2", "0")),
            PointError::OtherArchitecture("near:1/2".into()),
        ),
        (refused(at(&["1 0 -1 0"]), &e, &everywhere), PointError::Parameters(1)),
        (refused(at(&["1 0 -1 0", "1 1", "1"]), &e, &everywhere), PointError::Parameters(3)),
        (refused(at(&["1 0 -1", "1 1"]), &e, &everywhere), PointError::Parameters(1)),
        (refused(at(&["1 0 -1 0", "1 1 1"]), &e, &everywhere), PointError::Parameters(2)),
        (
            refused(net(RELU, &["1 0", "1 1"]), &e, &any),
            PointError::Network(NetworkError::Chain { layer: 2, cols: 2, rows: 1 }),
        ),
        (
            refused(net(RELU, &["1", "1"]), &e, &any),
            PointError::Data(DataError::Features { sample: 0, found: 2, expected: 1 }),
        ),
        (refused(of(shared), &e, &any), not("it shares weights")),
        (refused(net(LINEAR, &["0 1", "1"]), &e, &any), not("its activation differs")),
        (refused(net(RELU, &["0 1"]), &e, &any), not("its depth differs")),
        (
            refused(net(RELU, &["0 1; 0 1", "0 0; 1 1"]), &e, &any),
            not("its inputs or outputs differ"),
        ),
        (
            refused(
                net(RELU, &["1 1", "1"]),
                &problem(RELU, &["1 .; . 1", "1 1"], "1 1", &[1]),
                &any,
            ),
            not("a neuron reads inputs that no neuron of this network may read"),
        ),
        (
            refused(at(&["1 0 1 0", "1 1"]), &e, &everywhere),
            PointError::NotClassified(NotClassified { sample: 1, margin: q("0") }),
        ),
        (
            refused(theta(), &e, &at_least("cell", "1/4")),
            PointError::TooSmall("0.250000000".into()),
        ),
        (
            refused(at(&["1 1 1 1", "1 1"]), &kinks, &at_least("cell", "0")),
            PointError::LeavesCell { neuron: 0, sample: 1 },
        ),
        (
            refused(at(&["1 0 1 1", "-1/2 1"]), &kinks, &at_least("cell", "0")),
            PointError::OutputSign(0),
        ),
        // θ itself is not better than θ, and a point of layer 1 alone may not touch layer 2.
        (
            refused(theta(), &e, &Claim::NotGlobalOptimum { scope: Scope::All }),
            PointError::NotLarger,
        ),
        (
            refused(
                at(&["1 0 -1 0", "1 2"]),
                &e,
                &Claim::NotGlobalOptimum { scope: Scope::Layer(1) },
            ),
            PointError::FixedLayer(2),
        ),
    ];
    let mut names = BTreeSet::new();
    for (found, expected) in &cases {
        assert_eq!(found, expected);
        names.insert(match found {
            PointError::Ambiguous => "Ambiguous",
            PointError::OtherArchitecture(_) => "OtherArchitecture",
            PointError::Parameters(_) => "Parameters",
            PointError::Network(_) => "Network",
            PointError::Data(_) => "Data",
            PointError::NotCompetitor(_) => "NotCompetitor",
            PointError::NotClassified(_) => "NotClassified",
            PointError::TooSmall(_) => "TooSmall",
            PointError::LeavesCell { .. } => "LeavesCell",
            PointError::OutputSign(_) => "OutputSign",
            PointError::NotLarger => "NotLarger",
            PointError::FixedLayer(_) => "FixedLayer",
        });
    }
    assert_eq!(names.len(), 12, "{names:?}");

    let foreign = [at_most("everywhere", "1"), residual("0", "1", "0", "0")];
    refuses_foreign_claims("point", &foreign, everywhere.clone(), |p, c| theta().check(p, c));
    assert_eq!(
        theta().check(&e, &at_least("everywhere", "-1")),
        Err(Refusal::Negative("the bound"))
    );
    // `cell` and `near` exist only for two layers without sharing, with one output.
    for (p, reason) in not_two_layer() {
        for region in ["cell", "near:0"] {
            let refusal = theta().check(&p, &at_least(region, "0"));
            assert_eq!(
                refusal,
                Err(Refusal::Architecture { rule: "point", reason: reason.clone() })
            );
        }
        assert_eq!(theta().check(&p, &everywhere), Ok(()));
    }
}

fn small() -> impl Strategy<Value = i64> {
    -3i64..=3
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_global_rejects: 100_000, ..Default::default() })]

    /// Region membership is the definition, computed naively from the weights.
    #[test]
    fn membership_is_exact(
        w in prop::collection::vec(small(), 6),
        v in prop::collection::vec(small(), 3),
        step in prop::collection::vec(-2i64..=2, 9),
        x in prop::collection::vec(small(), 6),
        delta in 0i64..=10,
    ) {
        let row = |a: &[i64]| a.iter().map(i64::to_string).collect::<Vec<_>>().join(" ");
        let grid = |a: &[i64]| a.chunks(2).map(row).collect::<Vec<_>>().join("; ");
        prop_assume!(x.chunks(2).all(|x| x != [0, 0]));
        // θ' = 2θ + a step. Labels from θ; both must classify.
        let moved = |a: &[i64], by: &[i64]| a.iter().zip(by).map(|(a, b)| 2 * a + b).collect::<Vec<_>>();
        let (w2, v2) = (moved(&w, &step[..6]), moved(&v, &step[6..]));
        let f = |w: &[i64], v: &[i64], x: &[i64]| -> i64 {
            w.chunks(2).zip(v).map(|(w, v)| v * (w[0] * x[0] + w[1] * x[1]).max(0)).sum()
        };
        let labels: Vec<i64> = x.chunks(2).map(|x| if f(&w, &v, x) > 0 { 1 } else { -1 }).collect();
        let classifies = |w: &[i64], v: &[i64]| x.chunks(2).zip(&labels).all(|(x, y)| f(w, v, x) * y > 0);
        prop_assume!(classifies(&w2, &v2) && classifies(&w, &v));
        let p = problem(RELU, &[&grid(&w), &row(&v)], &grid(&x), &labels);
        let point = at(&[&row(&w2), &row(&v2)]);
        for (region, free) in [("cell".to_string(), None), (format!("near:{delta}/10"), Some(delta))] {
            let mut inside = v.iter().zip(&v2).all(|(a, b)| a * b >= 0);
            for (w, w2) in w.chunks(2).zip(w2.chunks(2)) {
                for x in x.chunks(2) {
                    let dot = |w: &[i64]| w[0] * x[0] + w[1] * x[1];
                    let square = |a: &[i64]| a[0] * a[0] + a[1] * a[1];
                    let near = free.is_some_and(|d| 100 * dot(w) * dot(w) <= d * d * square(w) * square(x));
                    let keeps = if dot(w) > 0 { dot(w2) >= 0 } else { dot(w2) <= 0 };
                    inside &= near || keeps;
                }
            }
            prop_assert_eq!(point.check(&p, &at_least(&region, "0")).is_ok(), inside, "{}", region);
        }
    }

    /// The largest accepted bound is ν, by squares.
    #[test]
    fn accepted_exactly_up_to_its_margin(w in prop::collection::vec(1i64..9, 2), bound in (0i64..400, 1i64..400)) {
        // Depth 1, x = (3, 4): ν² = (3w₀+4w₁)²/|w|².
        let p = problem(LINEAR, &[&format!("{} {}", w[0], w[1])], "3 4", &[1]);
        let gamma = 3 * w[0] + 4 * w[1];
        let norm = w[0] * w[0] + w[1] * w[1];
        let (a, b) = bound;
        let text = format!("{a}/{b}");
        let verdict = theta().check(&p, &at_least("everywhere", &text));
        prop_assert_eq!(verdict.is_ok(), a * a * norm <= gamma * gamma * b * b);
    }
}
