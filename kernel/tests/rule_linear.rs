//! Rule 3.6 (`linear`).
mod common;
#[path = "common/exact.rs"]
mod exact;

use common::*;
use exact::*;
use maxmargin_kernel::certificate::Proof;
use maxmargin_kernel::claim::Claim;
use maxmargin_kernel::network::NotTwoLayer;
use maxmargin_kernel::number::{Rational, compare};
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::elimination::TooLarge;
use maxmargin_kernel::proof::linear::{Linear, LinearError};
use maxmargin_kernel::proof::multipliers::MultiplierError;
use proptest::prelude::*;

const RULE: &str = "linear";

fn by(text: &str) -> Linear {
    Linear { lambda: lambda(text) }
}

fn accepts(p: &Problem, l: &str, claim: Claim) {
    assert_eq!(by(l).check(p, &claim), Ok(()), "{claim}");
    in_a_file(p, &claim, Proof::Linear(by(l))).unwrap();
    survives(p, &claim);
}

/// Four classes: two samples along the axes, constraint 0 is e₀−e₁, constraint 5 is e₂−e₃.
fn four_classes() -> Problem {
    problem(LINEAR, &["1 0; 0 0; 0 1; 0 0"], "1 0; 0 1", &[0, 2])
}

#[test]
fn proves_global_optima_of_linear_networks() {
    accepts(&fixture_c(), "1", global("all"));
    accepts(&fixture_c(), "5/3", global("all"));
    accepts(&fixture_h(), "3/20 4/15", global("all"));
    accepts(&fixture_h(), "3/20 4/15", local("all"));
    // Its depth-2 and depth-4 analogues.
    let samples = "4 0; 0 -3";
    let two = problem(LINEAR, &["3/5 4/5; 0 0", "1 0"], samples, &[1, -1]);
    accepts(&two, "3/20 4/15", global("all"));
    let four = problem(LINEAR, &["3/5 4/5; 0 0", "1 0; 0 0", "1 0; 0 0", "1 0"], samples, &[1, -1]);
    accepts(&four, "3/20 4/15", global("all"));
    // Depth 1, shared or not.
    accepts(&problem(LINEAR, &["3 4"], "3 4; 6 8", &[1, 1]), "1", global("all"));
    let shared = serde_json::json!({"activation": "relu", "layers": [{"parameters": ["1"], "pattern": [[0, 0]]}]});
    let shared = problem_of(&serde_json::from_value(shared).unwrap(), &data("1 2", &[1]));
    accepts(&shared, "1", global("all"));
    // Two classes at depth 2: M = λ(1,−1)ᵀ(1,1), of norm 1.
    accepts(&problem(LINEAR, &["1 1", "1; -1"], "1 1", &[0]), "1/2", global("all"));
}

#[test]
fn bounds_are_exact_and_not_below() {
    let cases: [(&Problem, &str, &str, &str); 3] = [
        (&fixture_c(), "1", "everywhere", "1/2"),
        (&fixture_b(LINEAR), "1", "everywhere", "1"),
        (&problem(LINEAR, &["1 0; 0 0", "1 0"], "3 4", &[1]), "1", "any_width", "5/2"),
    ];
    for (p, l, region, bound) in cases {
        assert_eq!(by(l).check(p, &at_most(region, bound)), Ok(()));
        assert_eq!(by(l).check(p, &at_most("cell", bound)), Ok(()));
        let below = n(bound).0 - q("1e-30");
        assert!(by(l).check(p, &at_most(region, &below.to_string())).is_err());
    }
    // C is diagonal: each neuron sees one input, but a competitor of any width still only one.
    assert_eq!(by("1").check(&fixture_c(), &at_most("any_width", "1/2")), Ok(()));
    // Depth 3: any network without sharing, √2/√27 ≤ B.
    let g = fixture_g(LINEAR);
    assert_eq!(by("1").check(&g, &at_most("everywhere", "0.27217")), Ok(()));
    assert_eq!(
        by("1").check(&g, &at_most("any_width", "0.27216")),
        Err(LinearError::Operator("1.414184843".into()).into())
    );
}

#[test]
fn outputs_of_one_neuron_bind_only_this_architecture() {
    // Neuron 0 feeds classes 0, 1; neuron 1 feeds 1 and 2. M on a pair of outputs is smaller.
    let layers = ["1; 1", "1 .; 0 0; . 0"];
    let p = problem(LINEAR, &layers, "1", &[0]);
    // λ = (1/2, 1/2): M = (1, −1/2, −1/2): √5/2 on outputs {0, 1}, √6/2 on all.
    let l = "1/2 1/2";
    assert_eq!(by(l).check(&p, &at_most("everywhere", "0.5591")), Ok(()));
    assert!(by(l).check(&p, &at_most("any_width", "0.5591")).is_err());
    assert_eq!(by(l).check(&p, &at_most("any_width", "0.6124")), Ok(()));
}

#[test]
fn depth_one_needs_the_frobenius_norm() {
    // The operator norm would give 1/√2: false, for this W has more.
    let p = four_classes();
    let w = problem(LINEAR, &["3 -1; -1 -1; -1 3; -1 -1"], "1 0; 0 1", &[0, 2]);
    assert!(w.compare_normalised_margin(&q("0.8")).unwrap().is_gt());
    let l = "1 0 0 0 0 1";
    let refused = by(l).check(&p, &at_most("everywhere", "0.7072"));
    assert_eq!(refused, Err(LinearError::Frobenius("1.414400000".into()).into()));
    let refused = by(l).check(&p, &at_most("any_width", "0.7072"));
    assert_eq!(refused, Err(LinearError::Frobenius("1.414400000".into()).into()));
    assert_eq!(by(l).check(&p, &at_most("everywhere", "1")), Ok(()));
    assert_eq!(by("1 1 1 1 1 1").check(&w, &global("all")), Ok(()));
}

/// At depth 1 `any_width` drops the structural zeros: ν up to √2 for 1.
#[test]
fn structural_zeros_of_one_layer_bind_only_this_architecture() {
    let p = problem(LINEAR, &["1 ."], "1 1", &[1]);
    accepts(&p, "1", at_most("everywhere", "1"));
    let refused = by("1").check(&p, &at_most("any_width", "1"));
    assert_eq!(refused, Err(LinearError::Frobenius("1.000000000".into()).into()));
    accepts(&p, "1", at_most("any_width", "1.4143"));
}

#[test]
fn every_refusal_is_the_expected_one() {
    let check = |p: &Problem, l: &str, claim: Claim| by(l).check(p, &claim).unwrap_err();
    let everywhere = || at_most("everywhere", "100");
    assert_eq!(check(&fixture_e(), "2 2", everywhere()), LinearError::NotLinear.into());
    assert_eq!(check(&fixture_g(RELU), "1", global("all")), LinearError::NotLinear.into());
    let neuron = |allowed: &str| LinearError::Neuron { neuron: 1, allowed: allowed.into() };
    // B: the input of its dead neuron is worth 2.
    let b = fixture_b(LINEAR);
    assert_eq!(check(&b, "1", global("all")), neuron("1.000000000").into());
    assert!(beats(&b, &problem(LINEAR, &["0 .; . 1", "0 1"], "1 2", &[1]), scope("all")));
    assert_eq!(
        check(&three_classes(), "0 1/2 0 1/2", global("all")),
        LinearError::Neuron { neuron: 0, allowed: "1.000000000".into() }.into()
    );
    assert_eq!(
        check(&fixture_g(LINEAR), "1", global("all")),
        LinearError::Operator("0.707106781".into()).into()
    );
    let sharing = Refusal::Architecture { rule: RULE, reason: NotTwoLayer::Sharing };
    let f = serde_json::json!({"activation": "linear", "layers": [
        {"parameters": ["1", "1"], "pattern": [[0, 1, null, null], [null, null, 0, 1]]},
        {"weights": [["1", "1"]]}]});
    let f = problem_of(&serde_json::from_value(f).unwrap(), &data("3 -1 -1 3", &[1]));
    assert_eq!(check(&f, "1/2", everywhere()), sharing);
    // Depth 3: u used twice gives 2uvt of u² + 2v² + t², ν = 2/√54 ≈ 0.272, above 1/√27 ≈ 0.192.
    let deep = serde_json::json!({"activation": "linear", "layers": [
        {"parameters": ["1"], "pattern": [[0], [0]]}, {"weights": [["1", "1"]]}, {"weights": [["1"]]}]});
    let deep = problem_of(&serde_json::from_value(deep).unwrap(), &data("1", &[1]));
    let sharing = Refusal::Architecture { rule: RULE, reason: NotTwoLayer::Sharing };
    for region in ["everywhere", "any_width"] {
        assert_eq!(check(&deep, "1", at_most(region, "1/5")), sharing);
    }
    let c = fixture_c();
    assert_eq!(check(&c, "0", everywhere()), MultiplierError::AllZero.into());
    assert_eq!(check(&c, "", everywhere()), MultiplierError::AllZero.into());
    assert_eq!(check(&c, "-1", everywhere()), MultiplierError::Negative(0).into());
    let order = MultiplierError::Order { count: 1, found: 1 };
    assert_eq!(check(&c, "1 1", everywhere()), order.into());
    assert_eq!(check(&c, "1", at_most("everywhere", "-1")), Refusal::Negative("the bound"));
    assert!(check(&c, "1", at_most("everywhere", "0")).to_string().contains("operator norm"));
    refuses_foreign_claims(
        RULE,
        &[at_least("everywhere", "0"), Claim::Kkt { scope: scope("all") }],
        everywhere(),
        |p, claim| by("1").check(p, claim),
    );
    let size = 65;
    let zeros = " 0".repeat(size - 1);
    let column = format!("1{}", "; 0".repeat(size - 1));
    let p = problem(LINEAR, &[&format!("1{zeros}"), &column], &format!("1{zeros}"), &[0]);
    let error = LinearError::TooLarge(TooLarge::Dimension(size));
    assert_eq!(check(&p, "1", everywhere()), error.into());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Planted: one unit direction through all layers, samples on the axes.
    #[test]
    fn planted_optima_are_accepted(triple in prop::sample::select(vec![(3i64, 4i64, 5i64), (5, 12, 13), (8, 15, 17), (20, 21, 29)]), depth in 2usize..5, signs in any::<(bool, bool)>()) {
        let (a, b, c) = triple;
        let w = format!("{a}/{c} {b}/{c}; 0 0");
        let middle = "1 0; 0 0";
        let mut layers = vec![w.as_str()];
        layers.resize(depth - 1, middle);
        layers.push("1 0");
        let label = |s: bool| if s { 1 } else { -1 };
        let (y, z) = (label(signs.0), label(signs.1));
        let x = format!("{} 0; 0 {}", y * c * b, z * c * a);
        let p = problem(LINEAR, &layers, &x, &[y, z]);
        // γ = ab, λ₁ cb = a/c.
        let l = format!("{a}/{} {b}/{}", c * c * b, c * c * a);
        prop_assert_eq!(by(&l).check(&p, &global("all")), Ok(()));
        survives(&p, &global("all"));
        let worse = format!("{a}/{} {b}/{}", c * c * b, c * c * a + 1);
        prop_assert!(by(&worse).check(&p, &global("all")).is_err());
    }

    /// Bounds by random multipliers are never exceeded by random networks.
    #[test]
    fn no_network_exceeds_an_accepted_bound(
        depth in 1usize..4,
        outputs in 1usize..4,
        values in prop::collection::vec(-3i64..=3, 24),
        x in prop::collection::vec(-3i64..=3, 6),
        l in prop::collection::vec(0i64..4, 6),
        holes in prop::collection::vec(0usize..4, 24),
    ) {
        prop_assume!(x.chunks(2).all(|r| r.iter().any(|v| *v != 0)));
        let mut widths = vec![2; depth];
        widths.push(outputs);
        let mut next = values.iter().zip(&holes).cycle();
        let layers: Vec<String> = widths.windows(2).map(|w| (0..w[1]).map(|_| (0..w[0]).map(|_| {
            let (v, hole) = next.next().unwrap();
            if *hole == 0 { ".".to_string() } else { v.to_string() }
        }).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join("; ")).collect();
        let texts: Vec<&str> = layers.iter().map(String::as_str).collect();
        let samples = x.chunks(2).map(|r| format!("{} {}", r[0], r[1])).collect::<Vec<_>>().join("; ");
        // Labels that the network gets right.
        let net = network(LINEAR, &texts).to_network();
        let Ok(net) = net else { return Ok(()) };
        let labels: Vec<i64> = x.chunks(2).map(|r| {
            let out = net.rational_model().forward(&vec![Rational::from_integer(r[0].into()), Rational::from_integer(r[1].into())]).outputs();
            if outputs == 1 { if compare(&out[0], &q("0")).is_lt() { -1 } else { 1 } }
            else { (0..outputs).fold(0, |b, o| if compare(&out[o], &out[b]).is_gt() { o } else { b }) as i64 }
        }).collect();
        let p = problem(LINEAR, &texts, &samples, &labels);
        prop_assume!(p.gamma().is_ok());
        let witness = by(&l.iter().take(p.margins().constraints().len()).map(i64::to_string).collect::<Vec<_>>().join(" "));
        for bound in ["1/8", "1/4", "1/2", "3/4", "1", "3/2", "2", "3"] {
            if witness.check(&p, &at_most("everywhere", bound)).is_ok() {
                prop_assert!(p.compare_normalised_margin(&q(bound)).unwrap().is_le());
                let mut random = Random(7);
                for _ in 0..60 {
                    let other = change(&p, scope("all"), |_| random.unit());
                    prop_assert!(other.compare_normalised_margin(&q(bound)).is_none_or(|o| o.is_le()));
                }
                break;
            }
        }
    }
}
