//! Rule 3.5e (`layer_cover`).
mod common;
#[path = "common/exact.rs"]
mod exact;

use common::*;
use exact::*;
use maxmargin_kernel::certificate::Proof;
use maxmargin_kernel::claim::{Claim, Region};
use maxmargin_kernel::network::NetworkJson;
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::cover::{CoverError, Node};
use maxmargin_kernel::proof::dual_bound::{Cone, DualBoundError};
use maxmargin_kernel::proof::layer_cover::{LayerCover, LayerCoverError, LayerMultipliers};
use maxmargin_kernel::proof::one_layer::OneLayerError;
use proptest::prelude::*;

const RULE: &str = "layer_cover";

fn of(unit: &str, lambda: &[(usize, i64)], covers: Vec<(&str, Cone, Vec<Node>)>) -> LayerCover {
    let bounds = covers.iter().map(|(t, _, _)| n(t)).collect();
    let covers = covers.into_iter().map(|(_, cone, nodes)| (cone, nodes)).collect();
    let dual = dual_in(units(unit, "1/1000", "1/1000"), lambda, covers);
    let multipliers =
        LayerMultipliers { units: dual.multipliers.units, lambda: lambda.to_vec(), bounds };
    LayerCover { multipliers, covers: dual.covers }
}

fn accepts(p: &Problem, witness: &LayerCover, claim: Claim) {
    let nodes = witness.check(p, &claim).unwrap_or_else(|e| panic!("{claim}: {e}"));
    let report = in_a_file(p, &claim, Proof::LayerCover(witness.clone())).unwrap();
    assert_eq!((report.claims[0].nodes, report.claims[0].rule), (nodes, RULE));
    survives(p, &claim);
}

fn layer_bound(region: &str, bound: &str) -> Claim {
    let region: Region = region.parse().unwrap();
    Claim::MarginAtMost { scope: scope("layer:1"), region, bound: n(bound) }
}

fn everywhere_j() -> LayerCover {
    let covers = vec![
        ("1", cone(1, &[]), vec![split(0), close(&[5, -3]), close(&[0, 0])]),
        ("1", cone(-1, &[]), vec![split(1), close(&[-3, 5]), close(&[0, 0])]),
    ];
    of("1/4", &[(0, 5), (1, 5)], covers)
}

fn local_e(t: &'static str) -> LayerCover {
    of("1", &[(0, 2), (1, 2)], vec![(t, cone(1, &[(0, 1), (1, 1)]), vec![close(&[2, 2])])])
}

#[test]
fn proves_what_the_map_says() {
    accepts(&fixture_e(), &local_e("1"), local("layer:1"));
    accepts(&fixture_j(), &everywhere_j(), local("layer:1"));
    accepts(&fixture_j(), &everywhere_j(), global("layer:1"));
    // A neuron with v = 0 has no say in layer 1, but its own weights cost norm.
    let with = |w: &str| {
        problem(RELU, &[&format!("1 0; {w}; -3/5 4/5"), "1 0 -1"], "4/5 3/5; 0 1", &[1, -1])
    };
    accepts(&with("0 0"), &everywhere_j(), global("layer:1"));
    let refused = everywhere_j().check(&with("0 1/100"), &local("layer:1"));
    assert!(matches!(refused, Err(Refusal::LayerCover(LayerCoverError::TooLarge { .. }))));
    // ν₁(J) = (4/5)/√2 ≈ 0.565685.
    assert!(everywhere_j().check(&fixture_j(), &layer_bound("everywhere", "0.56569")).is_ok());
    assert!(everywhere_j().check(&fixture_j(), &layer_bound("near:1/2", "0.56569")).is_ok());
    assert!(local_e("1").check(&fixture_e(), &layer_bound("cell", "0.35356")).is_ok());
    let low = everywhere_j().check(&fixture_j(), &layer_bound("everywhere", "0.56568"));
    let (found, allowed) = ("0.565685425".to_string(), "0.565680000".to_string());
    assert_eq!(low, Err(LayerCoverError::TooLarge { found, allowed }.into()));
}

#[test]
fn proves_it_of_layers_of_deep_networks() {
    accepts(&fixture_e3(), &local_e("1"), local("layer:1"));
    let refused = local_e("1").check(&fixture_e3(), &global("layer:1"));
    assert_eq!(refused, Err(DualBoundError::Uncovered { neuron: 0, sign: 1 }.into()));
    let on = |input| Cone { inputs: Some(vec![input]), ..cone(1, &[]) };
    let one = || vec![split(0), close(&[1]), close(&[0])];
    let paths = of("1", &[(0, 1)], vec![("1", on(0), one()), ("1", on(1), one())]);
    for layer in ["layer:1", "layer:2"] {
        accepts(&fixture_g(RELU), &paths, global(layer));
        accepts(&fixture_g(RELU), &paths, local(layer));
    }
    // J on top of a layer that shares weights and has a unit that is off: a = (4/5, 3/5), (0, 1).
    let j = |first: serde_json::Value, above: &[&str]| {
        let mut layers = network(RELU, &["1 0; -3/5 4/5"]).layers;
        layers.insert(0, serde_json::from_value(first).unwrap());
        layers.extend(network(RELU, above).layers);
        problem_of(
            &NetworkJson { layers, ..network(RELU, &["1"]) },
            &data("4/5 3/5; 0 1", &[1, -1]),
        )
    };
    let shared = serde_json::json!({"parameters": ["1"], "pattern": [[0, null], [null, 0]]});
    let p = j(shared.clone(), &["1 -1"]);
    accepts(&p, &everywhere_j(), local("layer:2"));
    accepts(&p, &everywhere_j(), global("layer:2"));
    // Paths that meet and part again: P = (1, −1).
    let p = j(shared, &["1 0; 0 1/2; 0 1/2", "1 -1 -1"]);
    accepts(&p, &everywhere_j(), global("layer:2"));
    // A row without paths counts in the norm alone.
    let p = |w: &str| {
        let layers = [&format!("1 0; {w}; -3/5 4/5"), "1 0 .; . 0 1", "1 -1"];
        problem(RELU, &layers, "4/5 3/5; 0 1", &[1, -1])
    };
    accepts(&p("0 0"), &everywhere_j(), global("layer:1"));
    let refused = everywhere_j().check(&p("0 1/100"), &global("layer:1"));
    assert!(matches!(refused, Err(Refusal::LayerCover(LayerCoverError::TooLarge { .. }))));
}

/// Covers of one row may have several `T`: the smallest counts, wherever it stands.
#[test]
fn the_smallest_of_several_bounds_counts() {
    let larger = || ("2", cone(1, &[]), vec![split(0), close(&[5, -3]), close(&[0, 0])]);
    let proof = |places: &[usize]| {
        let mut witness = everywhere_j();
        for place in places {
            let (t, cone, nodes) = larger();
            let other = of("1/4", &[(0, 5), (1, 5)], vec![(t, cone, nodes)]);
            witness.multipliers.bounds.insert(*place, n("2"));
            witness.covers.splice(*place..*place, other.covers);
        }
        witness
    };
    for places in [&[0][..], &[1], &[2], &[0, 2]] {
        accepts(&fixture_j(), &proof(places), global("layer:1"));
    }
    let mut only = proof(&[0]);
    only.multipliers.bounds.remove(1);
    only.covers.remove(1);
    let refused = only.check(&fixture_j(), &global("layer:1"));
    assert!(matches!(refused, Err(Refusal::LayerCover(LayerCoverError::TooLarge { .. }))));
}

#[test]
fn unequal_radii() {
    // v = (1, −1/2), λ as planted below: radii 1 and 2.
    let (p, witness) = planted_layer(1, &[1, 2, 1], &[2, 1, 3], &[true, false, true]);
    accepts(&p, &witness, local("layer:1"));
}

#[test]
fn refuses_what_is_not_optimal() {
    let d = fixture_d();
    let tree = || vec![split(1), close(&[1, 1]), close(&[1, 0])];
    let refused = of("1", &[(0, 1), (1, 1)], vec![("1", cone(1, &[(0, 1)]), tree())])
        .check(&d, &local("layer:1"));
    let open = |e: &Refusal| {
        matches!(
            e,
            Refusal::DualBound(DualBoundError::Cover { cover: 0, error: CoverError::Open { .. } })
        )
    };
    assert!(refused.as_ref().is_err_and(open), "{refused:?}");
    // A larger T closes the cover, and then the sum is too large.
    let covers = vec![
        ("3/2", cone(1, &[(0, 1)]), tree()),
        ("3/2", cone(1, &[(1, 1)]), vec![split(0), close(&[1, 1]), close(&[0, 1])]),
    ];
    let refused = of("1", &[(0, 1), (1, 1)], covers).check(&d, &local("layer:1"));
    assert!(
        matches!(refused, Err(Refusal::LayerCover(LayerCoverError::TooLarge { .. }))),
        "{refused:?}"
    );
    // E is not global.
    let refused = local_e("1").check(&fixture_e(), &global("layer:1"));
    assert_eq!(refused, Err(DualBoundError::Uncovered { neuron: 0, sign: 1 }.into()));
}

#[test]
fn every_refusal_is_the_expected_one() {
    let e = fixture_e();
    let check = |w: LayerCover, claim: Claim| w.check(&e, &claim).unwrap_err();
    assert_eq!(check(local_e("-1"), local("layer:1")), LayerCoverError::NegativeBound(0).into());
    let mut more = local_e("1");
    more.multipliers.bounds.push(n("0"));
    assert_eq!(
        check(more, local("layer:1")),
        LayerCoverError::Bounds { covers: 1, bounds: 2 }.into()
    );
    // Fewer bounds than covers: the rest have T = 0.
    let mut fewer = local_e("1");
    fewer.multipliers.bounds.pop();
    assert!(matches!(
        check(fewer, local("layer:1")),
        Refusal::DualBound(DualBoundError::Cover { .. })
    ));
    assert_eq!(
        check(local_e("1"), layer_bound("any_width", "1")),
        LayerCoverError::AnyWidth.into()
    );
    assert_eq!(check(local_e("1"), layer_bound("cell", "-1")), Refusal::Negative("the bound"));
    let none = of("1", &[], vec![]);
    assert_eq!(check(none, local("layer:1")), DualBoundError::NoMultipliers.into());
    let nothing = of("1", &[(0, 2)], vec![]);
    assert_eq!(
        check(nothing, local("layer:1")),
        DualBoundError::Uncovered { neuron: 0, sign: 1 }.into()
    );
    // A negative unit is refused before any cover.
    assert_eq!(
        check(of("-1", &[(0, 2)], vec![]), local("layer:1")),
        DualBoundError::Cover { cover: 0, error: CoverError::Unit("a") }.into()
    );
    for (claim, l) in
        [(local("all"), "all"), (global("layer:2"), "layer:2"), (at_most("cell", "1"), "all")]
    {
        assert_eq!(check(local_e("1"), claim), Refusal::Scope { rule: RULE, scope: scope(l) });
    }
    let kkt = Claim::Kkt { scope: scope("layer:1") };
    assert_eq!(check(local_e("1"), kkt), Refusal::WrongClaim { rule: RULE, kind: "kkt" });
    let at = |p: &Problem| local_e("1").check(p, &local("layer:1"));
    assert_eq!(at(&fixture_f()), Err(OneLayerError::Shares(1).into()));
    assert_eq!(at(&three_classes()), Err(OneLayerError::Outputs(3).into()));
    let deep = |activation: &str, second: &str| {
        let p = problem(activation, &["0 1; 0 1", second, "1 1"], "1 1/4; -1 1/4", &[1, 1]);
        local_e("1").check(&p, &local("layer:1"))
    };
    let negative = OneLayerError::NegativeAbove { layer: 2, coordinate: 1 };
    assert_eq!(deep(RELU, "1 -1/100; . 1"), Err(negative.into()));
    let leaky = OneLayerError::Slope { layer: 1, between: 1, slope: "1/100".into() };
    assert_eq!(deep(r#"{"leaky_relu": "1/100"}"#, "1 .; . 1"), Err(leaky.into()));
    let near = local_e("1").check(&fixture_e3(), &layer_bound("near:0", "1"));
    assert_eq!(near, Err(LayerCoverError::Near.into()));
    let last = local_e("1").check(&fixture_e3(), &local("layer:3"));
    assert_eq!(last, Err(Refusal::Scope { rule: RULE, scope: scope("layer:3") }));
}

/// Layer 1 planted: `w_j = v_j r_j a_j`, `x_j = a_j/(v_j² r_j)`, `λ_j = v_j² r_j²`, γ = 1, radii `r_j`.
fn planted_layer(star: usize, v: &[i64], r: &[i64], y: &[bool]) -> (Problem, LayerCover) {
    let star = STARS[star];
    let texts = |scale: &dyn Fn(usize) -> Rational| {
        star.iter()
            .enumerate()
            .map(|(j, (a, b, c))| {
                let of = |e: &i64| Rational::new((*e).into(), (*c).into()) * scale(j);
                format!("{} {}", of(a), of(b))
            })
            .collect::<Vec<_>>()
            .join("; ")
    };
    let whole = |n: i64| Rational::from_integer(n.into());
    let w = texts(&|j| whole(v[j] * r[j]));
    let x = texts(&|j| whole(1) / whole(v[j] * v[j] * r[j]));
    let label = |j: usize| if y[j] { 1 } else { -1 };
    let out = (0..star.len()).map(|j| (label(j) * v[j]).to_string()).collect::<Vec<_>>().join(" ");
    let p = problem(RELU, &[&w, &out], &x, &(0..star.len()).map(label).collect::<Vec<_>>());
    let lambda: Vec<(usize, i64)> =
        (0..star.len()).map(|j| (j, v[j] * v[j] * r[j] * r[j])).collect();
    let radii: Vec<String> = r.iter().map(i64::to_string).collect();
    let covers = (0..star.len())
        .map(|j| {
            let fixed: Vec<(usize, i8)> =
                (0..star.len()).map(|i| (i, if i == j { 1 } else { -1 })).collect();
            let a: Vec<i64> =
                (0..star.len()).map(|i| if i == j { lambda[i].1 } else { 0 }).collect();
            (radii[j].as_str(), cone(label(j) as i8, &fixed), vec![close(&a)])
        })
        .collect();
    let witness = of("1", &lambda, covers);
    (p, witness)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn planted_optima_are_accepted(star in 0usize..5, v in prop::collection::vec(1i64..4, 3), r in prop::collection::vec(1i64..4, 3), y in prop::collection::vec(any::<bool>(), 3)) {
        let (p, witness) = planted_layer(star, &v, &r, &y);
        prop_assert!(witness.check(&p, &local("layer:1")).is_ok());
        survives(&p, &local("layer:1"));
        let mut low = witness.clone();
        low.multipliers.bounds[0].0 -= q("1/1000");
        prop_assert!(low.check(&p, &local("layer:1")).is_err());
        let mut high = witness;
        high.multipliers.bounds[0].0 += q("1/1000");
        prop_assert!(high.check(&p, &local("layer:1")).is_err());
    }
}
