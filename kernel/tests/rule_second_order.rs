//! Rules 3.5c and 3.5d (`second_order`).
mod common;
#[path = "common/exact.rs"]
mod exact;

use common::*;
use exact::*;
use maxmargin_kernel::certificate::Proof;
use maxmargin_kernel::claim::Claim;
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::elimination::{MAX_DIMENSION, TooLarge};
use maxmargin_kernel::proof::multipliers::MultiplierError;
use maxmargin_kernel::proof::second_order::{SecondOrder, SecondOrderError};
use proptest::prelude::*;

const RULE: &str = "second_order";

fn by(l: &str, penalty: &str) -> SecondOrder {
    SecondOrder { lambda: lambda(l), penalty: n(penalty), slopes: vec![] }
}

/// Slopes `(k, layer, unit, p)`.
fn with(l: &str, penalty: &str, slopes: &[(usize, usize, usize, &str)]) -> SecondOrder {
    let slopes = slopes.iter().map(|(k, l, j, p)| (*k, *l, *j, n(p))).collect();
    SecondOrder { lambda: lambda(l), penalty: n(penalty), slopes }
}

fn accepts(p: &Problem, witness: &SecondOrder, claim: Claim) {
    assert_eq!(witness.check(p, &claim), Ok(()), "{claim}");
    in_a_file(p, &claim, Proof::SecondOrder(witness.clone())).unwrap();
    survives(p, &claim);
}

const SLOPES_J: [(usize, usize, usize, &str); 2] = [(0, 1, 1, "3/5"), (1, 1, 0, "3/5")];

/// J with a diagonal layer of ones between its two: concave kinks in two layers.
fn deep_j() -> Problem {
    problem(RELU, &["1 0; -3/5 4/5", "1 .; . 1", "1 -1"], "4/5 3/5; 0 1", &[1, -1])
}

/// One filter weight 2 shared by four patches: λ = 1/2, γ = 8.
fn shared_path() -> Problem {
    let network = serde_json::json!({"activation": "relu", "layers": [
        {"parameters": ["2"], "pattern": [[0, null, null, null], [null, 0, null, null], [null, null, 0, null], [null, null, null, 0]]},
        {"weights": [["1", "1", "1", "1"]]},
    ]});
    problem_of(&serde_json::from_value(network).unwrap(), &data("1 1 1 1", &[1]))
}

#[test]
fn proves_strict_local_optima() {
    accepts(&fixture_i(), &by("1 1", "10"), local("all"));
    accepts(&fixture_j(), &with("5/4 5/4", "10", &SLOPES_J), local("all"));
    accepts(&shared_path(), &by("1/2", "1"), local("all"));
    // Two classes.
    accepts(&problem(LINEAR, &["1 1", "1; -1"], "1 1", &[0]), &by("1/2", "1"), local("all"));
    // A path of depth 3: I − λ∇²q has the eigenvalue −1 along θ, the penalty adds 3c.
    let path = problem(RELU, &["1", "1", "1"], "1", &[1]);
    accepts(&path, &by("1", "1"), local("all"));
    let not = |c, why| {
        (by("1", c).check(&path, &local("all")), Err(SecondOrderError::NotDefinite(why).into()))
    };
    let (found, expected) = not("1/3", "singular");
    assert_eq!(found, expected);
    let (found, expected) = not("0", "indefinite");
    assert_eq!(found, expected);
    // Kinks in both hidden layers; the lower slopes count through the upper ones.
    let upper = [(0, 1, 1, "3/5"), (0, 2, 1, "1"), (1, 1, 0, "3/5"), (1, 2, 0, "1")];
    accepts(&deep_j(), &with("5/4 5/4", "10", &upper), local("all"));
    let halves = [(0, 1, 1, "4/5"), (0, 2, 1, "3/4"), (1, 1, 0, "4/5"), (1, 2, 0, "3/4")];
    accepts(&deep_j(), &with("5/4 5/4", "10", &halves), local("all"));
    let blocked = [(0, 1, 1, "3/5"), (0, 2, 1, "0"), (1, 1, 0, "3/5"), (1, 2, 0, "1")];
    let refused = with("5/4 5/4", "10", &blocked).check(&deep_j(), &local("all"));
    assert_eq!(
        refused,
        Err(SecondOrderError::NotConcave { constraint: 0, layer: 1, unit: 1 }.into())
    );
}

#[test]
fn one_layer_alone() {
    for layer in ["layer:1", "layer:2", "layer:3"] {
        accepts(&fixture_g(RELU), &by("1", "0"), local(layer));
        accepts(&fixture_e3(), &by("2 2", "0"), local(layer));
    }
    accepts(&fixture_j(), &with("5/4 5/4", "0", &SLOPES_J), local("layer:1"));
    // Kinks below the layer are constants.
    accepts(&fixture_j(), &by("5/4 5/4", "0"), local("layer:2"));
    let upper = [(0, 2, 1, "3/5"), (1, 2, 0, "3/5")];
    let refused = with("5/4 5/4", "0", &upper).check(&deep_j(), &local("layer:2"));
    // Layer 2 is diagonal and its inputs there are 0: identically zero, so no kink.
    assert_eq!(refused, Err(SecondOrderError::NotKink { constraint: 0, layer: 2, unit: 1 }.into()));
    accepts(&deep_j(), &by("5/4 5/4", "0"), local("layer:2"));
    let refused = by("1 1", "1").check(&fixture_d(), &local("layer:1"));
    assert_eq!(refused, Err(SecondOrderError::NoSlope { constraint: 0, layer: 1, unit: 1 }.into()));
}

#[test]
fn refuses_what_is_flat_or_not_optimal() {
    let at = |p: &Problem, l: &str| by(l, "1000000").check(p, &local("all"));
    let not = |why| Err(SecondOrderError::NotDefinite(why).into());
    // Parallel neurons, and a rotation between equal ones.
    assert_eq!(at(&fixture_e(), "2 2"), not("singular"));
    assert_eq!(at(&fixture_c(), "1"), not("singular"));
    assert_eq!(at(&three_classes(), "0 1/2 0 1/2"), not("indefinite"));
    assert_eq!(at(&fixture_f(), "1/2"), not("indefinite"));
    assert_eq!(at(&fixture_g(RELU), "1"), not("indefinite"));
    assert_eq!(at(&fixture_b(LINEAR), "1"), not("indefinite"));
    let no_slope = |unit| Err(SecondOrderError::NoSlope { constraint: 0, layer: 1, unit }.into());
    assert_eq!(at(&fixture_a(), "2 2"), no_slope(1));
    assert_eq!(at(&fixture_d(), "1 1"), no_slope(1));
    assert_eq!(at(&fixture_d3(), "1 1"), no_slope(1));
    // Convex kinks, and those of a dead neuron.
    let concave =
        |p: &Problem, l: &str, slopes: &[_]| with(l, "10", slopes).check(p, &local("all"));
    let expected = Err(SecondOrderError::NotConcave { constraint: 0, layer: 1, unit: 1 }.into());
    assert_eq!(concave(&fixture_d(), "1 1", &[(0, 1, 1, "0"), (1, 1, 0, "0")]), expected);
    assert_eq!(concave(&fixture_a(), "2 2", &[(0, 1, 1, "0"), (1, 1, 1, "0")]), expected);
    // A penalty on an inactive constraint is impossible: it needs λ > 0.
    let inactive = problem(RELU, &["1", "1"], "1; 2", &[1, 1]);
    let refused = by("1 1", "1").check(&inactive, &local("all"));
    assert_eq!(refused, Err(MultiplierError::NotActive(1).into()));
}

#[test]
fn every_refusal_is_the_expected_one() {
    let j = fixture_j();
    let at_j = |slopes: &[_]| with("5/4 5/4", "10", slopes).check(&j, &local("all")).unwrap_err();
    let not_kink = |constraint, layer, unit| SecondOrderError::NotKink { constraint, layer, unit };
    let no_slope = |constraint, layer, unit| SecondOrderError::NoSlope { constraint, layer, unit };
    assert_eq!(at_j(&[]), no_slope(0, 1, 1).into());
    assert_eq!(at_j(&SLOPES_J[..1]), no_slope(1, 1, 0).into());
    assert_eq!(at_j(&[SLOPES_J[1], SLOPES_J[0]]), not_kink(0, 1, 1).into());
    assert_eq!(at_j(&[SLOPES_J[0], SLOPES_J[0], SLOPES_J[1]]), not_kink(0, 1, 1).into());
    assert_eq!(at_j(&[(0, 0, 1, "1")]), not_kink(0, 0, 1).into());
    assert_eq!(at_j(&[(0, 1, 0, "1")]), not_kink(0, 1, 0).into());
    assert_eq!(at_j(&[(0, 2, 0, "1")]), not_kink(0, 2, 0).into());
    assert_eq!(at_j(&[SLOPES_J[0], SLOPES_J[1], (7, 1, 0, "1")]), not_kink(7, 1, 0).into());
    let range = SecondOrderError::SlopeRange { constraint: 0, layer: 1, unit: 1 };
    assert_eq!(at_j(&[(0, 1, 1, "-1/9")]), range.clone().into());
    assert_eq!(at_j(&[(0, 1, 1, "10/9")]), range.into());
    assert!(matches!(
        at_j(&[(0, 1, 1, "3/5"), (1, 1, 0, "1/2")]),
        Refusal::Multipliers(MultiplierError::NotStationary { layer: 1, .. })
    ));
    let i = fixture_i();
    let at_i = |w: SecondOrder, claim| w.check(&i, &claim).unwrap_err();
    assert_eq!(at_i(by("1 1", "-1"), local("all")), SecondOrderError::NegativePenalty.into());
    assert_eq!(at_i(by("0 0", "1"), local("all")), MultiplierError::AllZero.into());
    assert!(matches!(
        at_i(by("1 2", "1"), local("all")),
        Refusal::Multipliers(MultiplierError::NotStationary { .. })
    ));
    assert_eq!(
        at_i(by("1 1", "1"), local("layer:3")),
        Refusal::Scope { rule: RULE, scope: scope("layer:3") }
    );
    for claim in [global("all"), at_most("cell", "1"), Claim::Kkt { scope: scope("all") }] {
        let kind = claim.kind();
        assert_eq!(at_i(by("1 1", "1"), claim), Refusal::WrongClaim { rule: RULE, kind });
    }
    let wrong = problem(RELU, &["0 1; 0 1", "1 1"], "1 1/4; -1 1/4", &[1, -1]);
    assert!(matches!(by("1 1", "1").check(&wrong, &local("all")), Err(Refusal::NotClassified(_))));
}

#[test]
fn limits_have_errors() {
    let zeros = " 0".repeat(MAX_DIMENSION - 1);
    let wide = problem(RELU, &[&format!("1{zeros}"), "1"], &format!("1{zeros}"), &[1]);
    let dimension = SecondOrderError::TooLarge(TooLarge::Dimension(MAX_DIMENSION + 1));
    assert_eq!(by("1", "1").check(&wide, &local("all")), Err(dimension.into()));
    assert_eq!(by("1", "1").check(&wide, &local("layer:1")), Ok(()));
    let long = format!("1{}", "0".repeat(4000));
    let refused = by("1 1", &format!("1/{long}")).check(&fixture_i(), &local("all"));
    assert!(matches!(
        refused,
        Err(Refusal::SecondOrder(SecondOrderError::TooLarge(TooLarge::Bits(_))))
    ));
    // One coordinate used half a million times by each of 33 constraints.
    let rows = 512;
    let pattern = vec![vec![Some(0); 1024]; rows];
    let layers = serde_json::json!({"activation": "relu", "layers": [
        {"parameters": ["1"], "pattern": pattern}, {"parameters": ["1"], "pattern": [vec![0; rows]]}]});
    let x = vec![vec!["1"; 1024].join(" "); 33].join("; ");
    let p = problem_of(&serde_json::from_value(layers).unwrap(), &data(&x, &[1; 33]));
    let refused = by(&"1 ".repeat(33), "1").check(&p, &local("all"));
    assert_eq!(refused, Err(SecondOrderError::Work(2 * (rows * 1024 + rows) * 33).into()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn planted_optima_are_accepted(star in 0usize..5, t in prop::collection::vec(1i64..4, 3), y in prop::collection::vec(any::<bool>(), 3)) {
        let (p, lambda) = planted(star, &t, &y);
        let witness = SecondOrder { lambda, penalty: n("100"), slopes: vec![] };
        prop_assert_eq!(witness.check(&p, &local("all")), Ok(()));
        survives(&p, &local("all"));
    }

    /// Small integer networks with shared weights: what is accepted is locally optimal.
    #[test]
    fn nothing_false_is_accepted(
        u in prop::collection::vec(1i64..=2, 3),
        pattern in prop::collection::vec(prop::option::weighted(0.8, 0usize..2), 4),
        x in prop::collection::vec(-2i64..=2, 2),
        l in 1i64..9,
        depth3 in any::<bool>(),
    ) {
        prop_assume!(pattern.contains(&Some(0)) && pattern.contains(&Some(1)) && x.iter().any(|v| *v != 0));
        let rows: Vec<_> = pattern.chunks(2).map(<[_]>::to_vec).collect();
        let mut layers = vec![serde_json::json!({"parameters": [u[0].to_string(), u[1].to_string()], "pattern": rows})];
        if depth3 {
            layers.push(serde_json::json!({"weights": [["1", null], [null, "1"]]}));
        }
        layers.push(serde_json::json!({"parameters": [u[2].to_string()], "pattern": [[0, 0]]}));
        let network = serde_json::json!({"activation": "relu", "layers": layers});
        let p = problem_of(&serde_json::from_value(network).unwrap(), &data(&format!("{} {}", x[0], x[1]), &[1]));
        prop_assume!(p.gamma().is_ok());
        for c in ["0", "1", "50"] {
            if by(&format!("{l}/4"), c).check(&p, &local("all")).is_ok() {
                survives(&p, &local("all"));
            }
        }
    }
}
