//! Rule 3.5a (`convex_cell`).
mod common;
#[path = "common/exact.rs"]
mod exact;

use common::*;
use exact::*;
use maxmargin_kernel::certificate::Proof;
use maxmargin_kernel::claim::Claim;
use maxmargin_kernel::network::NotTwoLayer;
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::convex_cell::{ConvexCell, ConvexCellError};
use maxmargin_kernel::proof::elimination::TooLarge;
use maxmargin_kernel::proof::multipliers::MultiplierError;
use proptest::prelude::*;

const RULE: &str = "convex_cell";

fn by(text: &str) -> ConvexCell {
    ConvexCell { lambda: lambda(text), slopes: vec![] }
}

fn with_slopes(text: &str, slopes: &[(usize, usize, &str)]) -> ConvexCell {
    let slopes = slopes.iter().map(|(i, j, p)| (*i, *j, n(p))).collect();
    ConvexCell { lambda: lambda(text), slopes }
}

fn accepts(p: &Problem, witness: &ConvexCell, claim: Claim) {
    assert_eq!(witness.check(p, &claim), Ok(()), "{claim}");
    in_a_file(p, &claim, Proof::ConvexCell(witness.clone())).unwrap();
    survives(p, &claim);
}

/// `M = (2, −1, −1)ᵀ(1, 1, 2, 0)/6 + (0, −1, 1)ᵀ(0, 0, 0, t)/6`: of norm 1 or `t√2/6`.
#[test]
fn the_norm_of_a_live_relu_neuron_counts() {
    let at = |t: &str| {
        let samples = format!("1 1 2 {t}; 1 1 2 -{t}");
        problem(RELU, &["1 1 2 0", "2; -1; -1"], &samples, &[0, 0])
    };
    accepts(&at("4"), &by("1/6 0 0 1/6"), local("all"));
    let refused = by("1/6 0 0 1/6").check(&at("5"), &local("all"));
    assert_eq!(refused, Err(ConvexCellError::OperatorNorm(0).into()));
}

#[test]
fn proves_what_the_map_says() {
    accepts(&fixture_e(), &by("2 2"), local("all"));
    accepts(&fixture_i(), &by("1 1"), local("all"));
    accepts(&fixture_c(), &by("1"), local("all"));
    accepts(&fixture_j(), &with_slopes("5/4 5/4", &[(0, 1, "3/5"), (1, 0, "3/5")]), local("all"));
    // Each layer by itself; the last one globally, kinks below or not.
    for layer in ["layer:1", "layer:2"] {
        accepts(&fixture_e(), &by("2 2"), local(layer));
        accepts(&fixture_e3(), &by("2 2"), local(layer));
        accepts(&fixture_g(RELU), &by("1"), local(layer));
    }
    accepts(&fixture_e(), &by("2 2"), global("layer:2"));
    accepts(&fixture_d(), &by("1 1"), global("layer:2"));
    accepts(&fixture_d3(), &by("1 1"), global("layer:3"));
    accepts(&fixture_e3(), &by("2 2"), global("layer:3"));
    accepts(&fixture_g(RELU), &by("1"), global("layer:3"));
    for layer in ["layer:1", "layer:2", "layer:3"] {
        accepts(&fixture_g(LINEAR), &by("1"), global(layer));
        accepts(&fixture_h(), &by("3/20 4/15"), global(layer));
    }
    // Shared weights are no obstacle to one layer alone.
    accepts(&fixture_f(), &by("1/2"), local("layer:1"));
    accepts(&fixture_f(), &by("1/2"), global("layer:2"));
    // Depth 1 is its only layer.
    let one = problem(LINEAR, &["3 4"], "3 4; 6 8", &[1, 1]);
    accepts(&one, &by("1"), global("all"));
    accepts(&one, &by("1"), local("layer:1"));
}

/// Over all points, scopes and both claims, local (L) and global (G): exactly these are accepted.
#[test]
fn the_whole_map() {
    let mut accepted = Vec::new();
    for (name, p, lambda) in points() {
        let witness = ConvexCell { lambda, slopes: vec![] };
        let mut found = Vec::new();
        for s in ["all", "layer:1", "layer:2", "layer:3"] {
            let claims = [(local(s), "L"), (global(s), "G")];
            let proved = claims.iter().filter(|(claim, _)| witness.check(&p, claim).is_ok());
            let marks: String = proved.map(|(_, mark)| *mark).collect();
            if !marks.is_empty() {
                found.push(format!("{s} {marks}"));
            }
        }
        if !found.is_empty() {
            accepted.push(format!("{name}: {}", found.join(", ")));
        }
    }
    let expected = [
        "A: layer:1 L, layer:2 LG",
        "B: layer:1 L, layer:2 LG",
        "B linear: layer:1 LG, layer:2 LG",
        "C: all L, layer:1 LG, layer:2 LG",
        "D: layer:2 LG",
        "D3: layer:3 LG",
        "E: all L, layer:1 L, layer:2 LG",
        "E3: layer:1 L, layer:2 L, layer:3 LG",
        "F: layer:1 L, layer:2 LG",
        "G: layer:1 L, layer:2 L, layer:3 LG",
        "G linear: layer:1 LG, layer:2 LG, layer:3 LG",
        "H: layer:1 LG, layer:2 LG, layer:3 LG",
        "I: all L, layer:1 L, layer:2 LG",
        "J: layer:2 LG",
    ];
    assert_eq!(accepted, expected);
}

#[test]
fn refuses_what_is_not_optimal() {
    let kink = |sample, layer, unit| ConvexCellError::Kink { sample, layer, unit };
    let refused = |p: &Problem, l: &str, claim: Claim| by(l).check(p, &claim).unwrap_err();
    assert_eq!(refused(&fixture_a(), "2 2", local("all")), kink(0, 1, 1).into());
    assert_eq!(refused(&fixture_b(RELU), "1", local("all")), kink(0, 1, 1).into());
    let norm = ConvexCellError::OperatorNorm;
    assert_eq!(refused(&fixture_b(LINEAR), "1", local("all")), norm(1).into());
    assert_eq!(refused(&fixture_d(), "1 1", local("all")), kink(0, 1, 1).into());
    assert_eq!(refused(&fixture_d(), "1 1", local("layer:1")), kink(0, 1, 1).into());
    assert_eq!(refused(&fixture_d3(), "1 1", local("layer:1")), kink(0, 1, 1).into());
    assert_eq!(refused(&fixture_d3(), "1 1", local("layer:2")), kink(0, 2, 1).into());
    // Stationary, alive, no kinks, three classes: the operator norm is what fails.
    assert_eq!(refused(&three_classes(), "0 1/2 0 1/2", local("all")), norm(0).into());
    let moved = problem(
        LINEAR,
        &[
            "255/256 255/256 1/16; 255/256 255/256 -1/16",
            "271/256 239/256; -239/256 -271/256; -1/8 1/8",
        ],
        "1 1 2; -1 -1 2",
        &[0, 1],
    );
    assert!(beats(&three_classes(), &moved, scope("all")));
    assert_eq!(refused(&dead_on_another_input(), "2 2", local("all")), kink(0, 1, 2).into());
    // A cell says nothing about the outside.
    let outside: Refusal = ConvexCellError::NotGlobal.into();
    assert_eq!(refused(&fixture_e(), "2 2", global("all")), outside);
    assert_eq!(refused(&fixture_e(), "2 2", global("layer:1")), outside);
    assert_eq!(refused(&fixture_e3(), "2 2", global("layer:2")), outside);
    let depth = |d| Refusal::Architecture { rule: RULE, reason: NotTwoLayer::Depth(d) };
    assert_eq!(refused(&fixture_g(RELU), "1", local("all")), depth(3));
    let sharing = Refusal::Architecture { rule: RULE, reason: NotTwoLayer::Sharing };
    assert_eq!(refused(&fixture_f(), "1/2", local("all")), sharing);
}

#[test]
fn every_refusal_is_the_expected_one() {
    let e = fixture_e();
    let at_e = |witness: ConvexCell| witness.check(&e, &local("all")).unwrap_err();
    let order = |found| MultiplierError::Order { count: 2, found };
    let list = |list: &[(usize, &str)]| ConvexCell {
        lambda: list.iter().map(|(k, l)| (*k, n(l))).collect(),
        slopes: vec![],
    };
    assert_eq!(at_e(list(&[])), MultiplierError::AllZero.into());
    assert_eq!(at_e(list(&[(0, "0"), (1, "0")])), MultiplierError::AllZero.into());
    assert_eq!(at_e(list(&[(1, "2"), (0, "2")])), order(0).into());
    assert_eq!(at_e(list(&[(0, "2"), (0, "2")])), order(0).into());
    assert_eq!(at_e(list(&[(0, "2"), (2, "2")])), order(2).into());
    assert_eq!(at_e(list(&[(0, "-1"), (1, "2")])), MultiplierError::Negative(0).into());
    let long = format!("1/{}", "9".repeat(4000));
    let many: Vec<_> = (0..30).map(|k| (k, long.as_str())).collect();
    assert!(matches!(at_e(list(&many)), Refusal::Multipliers(MultiplierError::TooLong(_))));
    assert_eq!(
        at_e(by("2 1")),
        MultiplierError::NotStationary {
            layer: 1,
            coordinate: 0,
            difference: "-1.000000000".into()
        }
        .into()
    );
    // The same multipliers and a little more: not stationary in the last place only.
    assert!(matches!(
        at_e(by("2 2.0000000000000000000000001")),
        Refusal::Multipliers(MultiplierError::NotStationary { .. })
    ));
    // A third sample with a larger margin.
    let inactive = problem(RELU, &["0 1; 0 1", "1 1"], "1 1/4; -1 1/4; 0 1", &[1, 1, 1]);
    let refused = by("2 2 1").check(&inactive, &local("all"));
    assert_eq!(refused, Err(MultiplierError::NotActive(2).into()));
    assert_eq!(by("2 2").check(&inactive, &local("all")), Ok(()));
    // Scopes.
    for l in ["layer:3", "layer:99"] {
        let refused = by("2 2").check(&e, &local(l));
        assert_eq!(refused, Err(Refusal::Scope { rule: RULE, scope: scope(l) }));
    }
    for claim in [at_most("cell", "1"), at_least("cell", "0"), Claim::Kkt { scope: scope("all") }] {
        let refused = by("2 2").check(&e, &claim);
        assert_eq!(refused, Err(Refusal::WrongClaim { rule: RULE, kind: claim.kind() }));
    }
    let wrong = problem(RELU, &["0 1; 0 1", "1 1"], "1 1/4; -1 1/4", &[1, -1]);
    assert!(matches!(by("2 2").check(&wrong, &local("all")), Err(Refusal::NotClassified(_))));
}

#[test]
fn slopes_only_where_they_belong() {
    let j = fixture_j();
    let at_j = |slopes: &[(usize, usize, &str)]| {
        with_slopes("5/4 5/4", slopes).check(&j, &local("all")).unwrap_err()
    };
    let not_kink = |sample, neuron| ConvexCellError::NotKink { sample, neuron };
    assert_eq!(at_j(&[]), ConvexCellError::Kink { sample: 0, layer: 1, unit: 1 }.into());
    assert_eq!(
        at_j(&[(0, 1, "3/5")]),
        ConvexCellError::Kink { sample: 1, layer: 1, unit: 0 }.into()
    );
    assert_eq!(at_j(&[(1, 0, "3/5"), (0, 1, "3/5")]), not_kink(0, 1).into());
    // Twice, be it with one value or with two.
    for p in ["3/5", "1"] {
        let twice = at_j(&[(0, 1, "3/5"), (0, 1, p), (1, 0, "3/5")]);
        assert_eq!(twice, not_kink(0, 1).into());
    }
    assert_eq!(at_j(&[(0, 0, "1")]), not_kink(0, 0).into());
    assert_eq!(at_j(&[(0, 7, "1")]), not_kink(0, 7).into());
    assert_eq!(at_j(&[(7, 0, "1")]), not_kink(7, 0).into());
    let range = |sample, neuron| ConvexCellError::SlopeRange { sample, neuron };
    assert_eq!(at_j(&[(0, 1, "-1/5")]), range(0, 1).into());
    assert_eq!(at_j(&[(0, 1, "6/5")]), range(0, 1).into());
    // In range, but not the KKT slopes.
    for slopes in [[(0, 1, "0"), (1, 0, "0")], [(0, 1, "3/5"), (1, 0, "1")]] {
        assert!(matches!(
            at_j(&slopes),
            Refusal::ConvexCell(ConvexCellError::OperatorNorm(_)) | Refusal::Multipliers(_)
        ));
    }
    let layer = with_slopes("5/4 5/4", &[(0, 1, "3/5")]).check(&j, &local("layer:1"));
    assert_eq!(layer, Err(not_kink(0, 1).into()));
    // Convex kinks: slopes 0 make D stationary, and it is not a local optimum.
    let d = with_slopes("1 1", &[(0, 1, "0"), (1, 0, "0")]).check(&fixture_d(), &local("all"));
    assert_eq!(d, Err(ConvexCellError::NotConcave { sample: 0, neuron: 1 }.into()));
    // A dead neuron has weight 0 at its kinks.
    let a = with_slopes("2 2", &[(0, 1, "0"), (1, 1, "0")]).check(&fixture_a(), &local("all"));
    assert_eq!(a, Err(ConvexCellError::NotConcave { sample: 0, neuron: 1 }.into()));
}

#[test]
fn large_matrices_are_a_limit() {
    let size = 65;
    // V = Σc, w = x, |x|² = 64·65: stationary with all λ = 1/(64·65).
    let x = format!("64 8{}", " 0".repeat(size - 2));
    let column = format!("64{}", "; -1".repeat(size - 1));
    let p = problem(LINEAR, &[&x, &column], &x, &[0]);
    let error = TooLarge::Dimension(size);
    let refused = by(&"1/4160 ".repeat(size - 1)).check(&p, &local("all"));
    assert_eq!(refused, Err(ConvexCellError::TooLarge { neuron: 0, error }.into()));
}

#[test]
fn two_classes_are_decided_by_the_operator_norm() {
    // F = V w·x with V = (1, −1)/…: c = e₀ − e₁, M = λ c xᵀ has norm √2 λ|x|.
    let p = problem(LINEAR, &["1 1", "1; -1"], "1 1", &[0]);
    // ∇_w q = 2x, ∇_V q = 2c: θ = ½∇q. ‖M‖ = ½·√2·√2 = 1.
    accepts(&p, &by("1/2"), local("all"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn planted_optima_are_accepted(star in 0usize..5, t in prop::collection::vec(1i64..4, 3), y in prop::collection::vec(any::<bool>(), 3)) {
        let (p, lambda) = planted(star, &t, &y);
        let witness = ConvexCell { lambda, slopes: vec![] };
        for scope in ["all", "layer:1", "layer:2"] {
            prop_assert_eq!(witness.check(&p, &local(scope)), Ok(()));
            survives(&p, &local(scope));
        }
    }

    /// Whatever random multipliers, slopes and small integer points the rule accepts is optimal.
    #[test]
    fn nothing_false_is_accepted(
        w in prop::collection::vec(-2i64..=2, 4),
        v in prop::collection::vec(-2i64..=2, 2),
        x in prop::collection::vec(-2i64..=2, 4),
        linear in any::<bool>(),
        l in prop::collection::vec(0i64..=4, 2),
        layer in 0usize..3,
    ) {
        prop_assume!(x[0] != 0 || x[1] != 0);
        prop_assume!(x[2] != 0 || x[3] != 0);
        let text = |a: &[i64]| a.iter().map(i64::to_string).collect::<Vec<_>>().join(" ");
        let rows = |a: &[i64]| format!("{}; {}", text(&a[..2]), text(&a[2..]));
        let activation = if linear { LINEAR } else { RELU };
        let p = problem(activation, &[&rows(&w), &text(&v)], &rows(&x), &[1, 1]);
        let claim = local(["all", "layer:1", "layer:2"][layer]);
        let halves = l.iter().enumerate().map(|(k, l)| (k, n(&format!("{l}/2")))).collect();
        if (ConvexCell { lambda: halves, slopes: vec![] }).check(&p, &claim).is_ok() {
            survives(&p, &claim);
        }
    }
}
