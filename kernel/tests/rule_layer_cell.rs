//! Rule 3.8 (`layer_cell`).
mod common;
#[path = "common/exact.rs"]
mod exact;

use common::*;
use exact::*;
use maxmargin_kernel::certificate::Proof;
use maxmargin_kernel::claim::{Claim, Region, Scope};
use maxmargin_kernel::number::{Rational, compare};
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::layer_cell::{LayerCell, LayerCellError};
use maxmargin_kernel::proof::multipliers::MultiplierError;
use num_traits::Signed;
use proptest::prelude::*;

const RULE: &str = "layer_cell";

/// `μ` as `(sample, layer, unit, value)`.
fn by(l: &str, mu: &[(usize, usize, usize, &str)]) -> LayerCell {
    let mu = mu.iter().map(|(i, h, j, m)| (*i, *h, *j, n(m))).collect();
    LayerCell { lambda: lambda(l), mu }
}

fn claim(scope: &str, region: &str, bound: &str) -> Claim {
    let region: Region = region.parse().unwrap();
    Claim::MarginAtMost { scope: exact::scope(scope), region, bound: n(bound) }
}

fn exactly(p: &Problem, witness: &LayerCell, scope: &str, region: &str, bound: &str, below: &str) {
    let above = claim(scope, region, bound);
    assert_eq!(witness.check(p, &above), Ok(()));
    in_a_file(p, &above, Proof::LayerCell(witness.clone())).unwrap();
    let refused = witness.check(p, &claim(scope, region, below));
    assert!(matches!(refused, Err(Refusal::LayerCell(LayerCellError::TooLarge { .. }))));
}

#[test]
fn kkt_multipliers_give_the_points_own_margin() {
    // E: ν₁ = ν₂ = ½/√2 ≈ 0.35355.
    exactly(&fixture_e(), &by("2 2", &[]), "layer:1", "cell", "0.35356", "0.35355");
    exactly(&fixture_e(), &by("2 2", &[]), "layer:2", "everywhere", "0.35356", "0.35355");
    exactly(&fixture_e3(), &by("2 2", &[]), "layer:2", "cell", "0.35356", "0.35355");
    // G: 2/√2. D in the cell where its kinks count as off: 1/√2.
    exactly(&fixture_g(RELU), &by("1", &[]), "layer:1", "cell", "1.41422", "1.41421");
    exactly(&fixture_g(LINEAR), &by("1", &[]), "layer:2", "everywhere", "1.41422", "1.41421");
    exactly(&fixture_d3(), &by("1 1", &[]), "layer:1", "cell", "0.70711", "0.70710");
    exactly(&fixture_f(), &by("1/2", &[]), "layer:1", "cell", "2.82843", "2.82842");
}

#[test]
fn signs_help() {
    // One neuron, samples (1, 0) and (−4/5, 3/5); θ is on for the first only, leaky slope 1/2.
    let p = problem(r#"{"leaky_relu": "1/2"}"#, &["3 1", "1"], "1 0; -4/5 3/5", &[1, -1]);
    // λ on sample 0 alone: (1, 0). With μ on "sample 1 stays off", (1, 0) + μ(4/5, −3/5): longer.
    exactly(&p, &by("1", &[]), "layer:1", "cell", "1", "0.99999");
    exactly(&p, &by("1", &[(1, 1, 0, "0")]), "layer:1", "cell", "1", "0.99999");
    // On sample 1 alone: ½(4/5, −3/5), of length ½; sample 0's sign adds (1, 0).
    exactly(&p, &by("0 1", &[]), "layer:1", "cell", "1/2", "0.49999");
    assert!(by("0 1", &[(0, 1, 0, "1")]).check(&p, &claim("layer:1", "cell", "1/2")).is_err());
    // A sample on the wrong side: label −1 on a live side costs nothing below its sign's price.
    let q = problem(RELU, &["1 0; 0 1", "1 -1/2"], "4/5 3/5; 0 1", &[1, -1]);
    assert!(q.gamma().is_ok());
    let without = by("1 0", &[]);
    exactly(&q, &without, "layer:1", "cell", "1.11804", "1.11803");
    // z of neuron 1 at sample 1 is ≥ 0: adding it shortens −½(4/5, 3/5) of neuron 1.
    exactly(&q, &by("1 0", &[(1, 1, 1, "3/10")]), "layer:1", "cell", "1.07704", "1.07703");
}

#[test]
fn every_refusal_is_the_expected_one() {
    let e = fixture_e();
    let check = |w: LayerCell, c: Claim| w.check(&e, &c).unwrap_err();
    let region = |r: &str| LayerCellError::Region(r.into());
    let two = || by("2 2", &[]);
    assert_eq!(check(two(), claim("layer:1", "everywhere", "9")), region("everywhere").into());
    assert_eq!(check(two(), claim("layer:1", "near:0", "9")), region("near:0").into());
    assert_eq!(check(two(), claim("layer:2", "any_width", "9")), region("any_width").into());
    let refused =
        by("1", &[(0, 1, 0, "1")]).check(&fixture_g(LINEAR), &claim("layer:1", "everywhere", "9"));
    assert_eq!(refused, Err(region("everywhere").into()));
    let sign = |sample, layer, unit| LayerCellError::NoSuchSign { sample, layer, unit };
    let one =
        |mu: (usize, usize, usize, &str)| check(by("2 2", &[mu]), claim("layer:1", "cell", "9"));
    assert_eq!(one((2, 1, 0, "1")), sign(2, 1, 0).into());
    assert_eq!(one((0, 0, 0, "1")), sign(0, 0, 0).into());
    assert_eq!(one((0, 2, 0, "1")), sign(0, 2, 0).into());
    assert_eq!(one((0, 1, 2, "1")), sign(0, 1, 2).into());
    assert_eq!(
        one((0, 1, 0, "-1")),
        LayerCellError::Negative { sample: 0, layer: 1, unit: 0 }.into()
    );
    let twice = by("2 2", &[(0, 1, 0, "1"), (0, 1, 0, "1")]);
    assert_eq!(check(twice, claim("layer:1", "cell", "9")), sign(0, 1, 0).into());
    // Below the layer nothing is a variable, and the last layer has no signs above it.
    let refused = by("2 2", &[(0, 1, 0, "1")]).check(&fixture_e3(), &claim("layer:2", "cell", "9"));
    assert_eq!(refused, Err(sign(0, 1, 0).into()));
    let refused = by("2 2", &[(0, 1, 0, "1")]).check(&e, &claim("layer:2", "cell", "9"));
    assert_eq!(refused, Err(sign(0, 1, 0).into()));
    assert_eq!(check(by("", &[]), claim("layer:1", "cell", "9")), MultiplierError::AllZero.into());
    assert_eq!(
        check(by("0 0", &[]), claim("layer:1", "cell", "9")),
        MultiplierError::AllZero.into()
    );
    assert_eq!(
        check(by("-1", &[]), claim("layer:1", "cell", "9")),
        MultiplierError::Negative(0).into()
    );
    assert_eq!(check(two(), claim("layer:1", "cell", "-1")), Refusal::Negative("the bound"));
    for s in ["all", "layer:3"] {
        assert_eq!(
            check(two(), claim(s, "cell", "9")),
            Refusal::Scope { rule: RULE, scope: scope(s) }
        );
    }
    assert_eq!(
        check(two(), local("layer:1")),
        Refusal::WrongClaim { rule: RULE, kind: "local_optimum" }
    );
    // |h|/Σλ for h = 2(1, 1/4) + 2(−1, 1/4), twice, and Σλ = 4.
    assert_eq!(
        check(two(), claim("layer:1", "cell", "1/4")),
        LayerCellError::TooLarge { found: "0.353553391".into(), claimed: "0.250000000".into() }
            .into()
    );
    let wrong = problem(RELU, &["0 1; 0 1", "1 1"], "1 1/4; -1 1/4", &[1, -1]);
    assert!(matches!(
        two().check(&wrong, &claim("layer:1", "cell", "9")),
        Err(Refusal::NotClassified(_))
    ));
}

/// Whether the other network keeps all signs of hidden layers `first` and above weakly.
fn in_cell(p: &Problem, other: &Problem, first: usize) -> bool {
    let signs = |p: &Problem, i: usize| -> Vec<Rational> {
        let z =
            p.network().rational_model().forward(&p.data().sample(i).to_rationals()).preactivations;
        z[first - 1..z.len() - 1].iter().flatten().cloned().collect()
    };
    (0..p.data().len()).all(|i| {
        signs(p, i)
            .iter()
            .zip(&signs(other, i))
            .all(|(a, b)| if a.is_positive() { !b.is_negative() } else { !b.is_positive() })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_competitor_in_the_cell_exceeds_it(
        values in prop::collection::vec(-3i64..=3, 10),
        x in prop::collection::vec(-3i64..=3, 4),
        l in prop::collection::vec(0i64..4, 2),
        mu in prop::collection::vec(0i64..3, 8),
        layer in 1usize..4,
        slope in 0i64..3,
    ) {
        prop_assume!(x.chunks(2).all(|r| r.iter().any(|v| *v != 0)) && l.iter().any(|v| *v > 0));
        let text = |a: &[i64]| format!("{} {}; {} {}", a[0], a[1], a[2], a[3]);
        let last = format!("{} {}", values[8], values[9]);
        let activation = format!("{{\"leaky_relu\": \"{slope}/4\"}}");
        let layers = [text(&values[..4]), text(&values[4..8]), last];
        let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
        let trial = problem(&activation, &layers, &text(&x), &[1, 1]);
        let labels: Vec<i64> = trial.margins().values().iter().map(|v| if v.is_negative() { -1 } else { 1 }).collect();
        let p = problem(&activation, &layers, &text(&x), &labels);
        prop_assume!(p.gamma().is_ok());
        let keys = (0..2).flat_map(|i| (1..3).flat_map(move |h| (0..2).map(move |j| (i, h, j))));
        let mu = keys.zip(&mu).filter(|((_, h, _), _)| *h >= layer).map(|((i, h, j), m)| (i, h, j, n(&format!("{m}/2")))).collect();
        let witness = LayerCell { lambda: l.iter().map(|v| n(&v.to_string())).enumerate().collect(), mu };
        let scope = Scope::Layer(layer);
        for bound in ["1/4", "1/2", "1", "2", "3", "4", "6", "8", "12", "16", "24", "32", "64"] {
            let claim = Claim::MarginAtMost { scope, region: Region::Cell, bound: n(bound) };
            if witness.check(&p, &claim).is_err() { continue }
            let mut random = Random(5);
            for round in 0..80 {
                let size = Rational::new(1.into(), (1i64 << (round % 8)).into());
                let other = change(&p, scope, |v| v + random.unit() * &size * q("3"));
                if !in_cell(&p, &other, layer) { continue }
                let gamma = other.gamma().map_or_else(|e| e.margin, Clone::clone);
                let norm = other.network().layers()[layer - 1].parameters().norm_squared();
                let b = q(bound);
                prop_assert!(!gamma.is_positive() || compare(&(&gamma * &gamma), &(&b * &b * norm)).is_le());
            }
            break;
        }
    }
}
