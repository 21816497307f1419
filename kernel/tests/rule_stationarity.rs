//! Rules 3.1 and 3.2 (`stationarity`): KKT points.
mod common;
#[path = "common/paper.rs"]
mod paper;

use common::*;
use maxmargin_kernel::claim::Number;
use maxmargin_kernel::network::{Network, gradient};
use maxmargin_kernel::number::{Rational, compare};
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::curve::Curve;
use maxmargin_kernel::proof::descent::Descent;
use maxmargin_kernel::proof::moves::{Moves, MovesError};
use maxmargin_kernel::proof::stationarity::{
    MAX_GERMS, Stationarity, StationarityError as Error, WeightedGerm,
};
use paper::*;

fn by(lambda: &[(usize, &str)]) -> Stationarity {
    let lambda = lambda.iter().map(|(k, l)| (*k, n(l))).collect();
    Stationarity { lambda, ..Stationarity::default() }
}

impl Witness for Stationarity {}

trait Witness: Sized + Into<Stationarity> {
    fn slopes(self, mu: &[(usize, usize, &str)]) -> Stationarity {
        let mu = mu.iter().map(|(k, j, m)| (*k, *j, n(m))).collect();
        Stationarity { mu, ..self.into() }
    }
    fn germs(self, germs: &[(usize, &str, &[&str])]) -> Stationarity {
        let germ = |(k, weight, layers): &(usize, &str, &[&str])| WeightedGerm {
            constraint: *k,
            weight: n(weight),
            moves: moves(layers),
        };
        Stationarity { germs: germs.iter().map(germ).collect(), ..self.into() }
    }
}

fn accepts(witness: &Stationarity, problem: &Problem, scope: &str) {
    assert_eq!(witness.check(problem, &kkt(scope)), Ok(()), "{scope}");
}

fn refused(witness: &Stationarity, problem: &Problem, scope: &str) -> Error {
    match witness.check(problem, &kkt(scope)) {
        Err(Refusal::Stationarity(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn points_without_kinks() {
    let both = by(&[(0, "2"), (1, "2")]);
    for scope in ["all", "layer:1", "layer:2"] {
        accepts(&both, &fixture_e(), scope);
        accepts(&by(&[(0, "1")]), &fixture_b(LINEAR), scope);
        accepts(&by(&[(0, "1/2")]), &fixture_f_with(LINEAR), scope);
        accepts(&by(&[(0, "1/2")]), &fixture_f_with(RELU), scope);
        accepts(&by(&[(1, "1/2"), (3, "1/2")]), &fixture_three_classes(), scope);
    }
    for scope in ["all", "layer:1", "layer:2", "layer:3"] {
        accepts(&both, &fixture_e3(), scope);
        accepts(&by(&[(0, "1")]), &fixture_g(LINEAR), scope);
        accepts(&by(&[(0, "1")]), &fixture_g(RELU), scope);
        accepts(&by(&[(0, "3/20"), (1, "4/15")]), &fixture_h(), scope);
    }
    let depth_one = problem(LINEAR, &["1 1"], "1 0; 0 1", &[1, 1]);
    accepts(&by(&[(0, "1"), (1, "1")]), &depth_one, "all");
    accepts(&by(&[(0, "1"), (1, "1")]), &depth_one, "layer:1");
}

#[test]
fn kinks_at_depth_two() {
    // Neuron 1 of A is dead: any slope, as its output weight is 0; without μ, α.
    let a = by(&[(0, "2"), (1, "2")]);
    for scope in ["all", "layer:1", "layer:2"] {
        accepts(&a, &fixture_a(), scope);
        accepts(&by(&[(0, "1")]), &fixture_b(RELU), scope);
        accepts(&by(&[(0, "1"), (1, "1")]), &fixture_d(), scope);
    }
    accepts(&a.clone().slopes(&[(0, 1, "2"), (1, 1, "1/3")]), &fixture_a(), "all");
    let d = by(&[(0, "1"), (1, "1")]);
    accepts(&d.clone().slopes(&[(0, 1, "0"), (1, 0, "0")]), &fixture_d(), "all");
    // Slopes that are allowed and do not balance.
    let off = refused(&d.clone().slopes(&[(0, 1, "1/9")]), &fixture_d(), "all");
    assert_eq!(off, Error::NotStationary { layer: 1, coordinate: 2 });
    // Concave kinks need slope 3/5 at both, so μ = 3/4.
    let (j, p) = (by(&[(0, "5/4"), (1, "5/4")]), fixture_two_concave_kinks());
    let exact = j.clone().slopes(&[(0, 1, "3/4"), (1, 0, "3/4")]);
    accepts(&exact, &p, "all");
    accepts(&exact, &p, "layer:1");
    accepts(&j, &p, "layer:2");
    let zero = Error::NotStationary { layer: 1, coordinate: 1 };
    assert_eq!(refused(&j, &p, "all"), zero);
    assert_eq!(refused(&j, &p, "layer:1"), zero);
    let nearly = j.slopes(&[(0, 1, "3/4"), (1, 0, "0.7500000000001")]);
    assert_eq!(refused(&nearly, &p, "all"), Error::NotStationary { layer: 1, coordinate: 1 });
}

#[test]
fn kinks_by_germs() {
    // The same two concave kinks: slope 1 with weight 3/5, slope 0 with weight 2/5.
    let p = fixture_two_concave_kinks();
    let (up, down): ([&str; 2], [&str; 2]) = (["1: 1; 2: 1", ""], ["1: -1; 2: -1", ""]);
    let germs = |a: &'static str, b: &'static str| {
        by(&[(0, "5/4"), (1, "5/4")]).germs(&[
            (0, a, &up),
            (0, b, &down),
            (1, a, &up),
            (1, b, &down),
        ])
    };
    accepts(&germs("3/5", "2/5"), &p, "all");
    accepts(&germs("3/5", "2/5"), &p, "layer:1");
    let other = refused(&germs("2/5", "3/5"), &p, "all");
    assert_eq!(other, Error::NotStationary { layer: 1, coordinate: 1 });
    // Slopes for one constraint, germs for the other.
    let mixed = by(&[(0, "5/4"), (1, "5/4")])
        .slopes(&[(0, 1, "3/4")])
        .germs(&[(1, "3/5", &up), (1, "2/5", &down)]);
    accepts(&mixed, &p, "all");

    // Depth 3: dead units of both hidden layers.
    let a = by(&[(0, "1"), (1, "1")]);
    let awake: &[&str] = &["3: 1", "2: 1", ""];
    let a3 = a.clone().germs(&[(0, "1", awake), (1, "1", awake)]);
    accepts(&a3, &fixture_a3(), "all");
    let kink = Error::Kink { constraint: 0, layer: 1, row: 1 };
    assert_eq!(refused(&a, &fixture_a3(), "all"), kink);
    let half = a.clone().germs(&[(0, "1", awake)]);
    let kink = Error::Kink { constraint: 1, layer: 1, row: 1 };
    assert_eq!(refused(&half, &fixture_a3(), "all"), kink);
    let asleep: &[&str] = &["3: 1", "", ""];
    let stays = a.clone().germs(&[(0, "1", asleep), (1, "1", awake)]);
    let at_kink = Error::GermAtKink { germ: 0, layer: 2, row: 1 };
    assert_eq!(refused(&stays, &fixture_a3(), "all"), at_kink);
    // Layer 2 alone: what enters it is constant, and row 1 moves; layer 3 alone has no kink.
    let second: &[&str] = &["", "2: 1", ""];
    accepts(&a.clone().germs(&[(0, "1", second), (1, "1", second)]), &fixture_a3(), "layer:2");
    accepts(&a, &fixture_a3(), "layer:3");

    // D at depth 3: off at the other's sample in layer 1 is off in layer 2, if layer 2 is fixed.
    let d = by(&[(0, "1"), (1, "1")]);
    let off: [&[&str]; 2] = [&["2: -1", "", ""], &["1: -1", "", ""]];
    let germs = d.clone().germs(&[(0, "1", off[0]), (1, "1", off[1])]);
    accepts(&germs, &fixture_d3(), "layer:1");
    let at_kink = Error::GermAtKink { germ: 0, layer: 2, row: 1 };
    assert_eq!(refused(&germs, &fixture_d3(), "all"), at_kink);
    let both: [&[&str]; 2] = [&["2: -1", "2: -1", ""], &["1: -1", "1: -1", ""]];
    let germs = d.clone().germs(&[(0, "1", both[0]), (1, "1", both[1])]);
    accepts(&germs, &fixture_d3(), "all");
    // Slopes in the last hidden layer alone, at any depth; without μ they are α = 0.
    accepts(&d, &fixture_d3(), "layer:2");
    accepts(&d.clone().slopes(&[(0, 1, "0")]), &fixture_d3(), "layer:2");
    assert_eq!(refused(&d.slopes(&[(0, 1, "0")]), &fixture_d3(), "layer:1"), Error::CoupledSlopes);
}

#[test]
fn germs_may_be_curved() {
    let p = fixture_d();
    let curved: [&[&str]; 2] = [&["2: 0 0 -1; 3: 1 2", ""], &["1: 0 -1", ""]];
    accepts(
        &by(&[(0, "1"), (1, "1")]).germs(&[(0, "1", curved[0]), (1, "1", curved[1])]),
        &p,
        "all",
    );
}

#[test]
fn shared_slopes_are_not_independent() {
    let layer_1 = "layer:1";
    for activation in [RELU, r#"{"leaky_relu": "1/3"}"#] {
        let p = fixture_opposite_patches(activation);
        let one = by(&[(0, "1")]);
        // With slope 0 on both sides, which no nearby gradient has, ReLU would seem balanced.
        assert_eq!(refused(&one, &p, layer_1), Error::Kink { constraint: 0, layer: 1, row: 0 });
        let free = one.clone().slopes(&[(0, 0, "1"), (0, 1, "1")]);
        assert_eq!(refused(&free, &p, layer_1), Error::CoupledSlopes);
        for side in ["0: 1", "0: -1", "0: 1; 1: 1", "0: -2; 1: 0 5"] {
            let germ = one.clone().germs(&[(0, "1", &[side, ""])]);
            let differs = Error::NotStationary { layer: 1, coordinate: 0 };
            assert_eq!(refused(&germ, &p, layer_1), differs, "{side}");
        }
        // (2, −1)·p = 0: the germ stays on both kinks.
        let along = one.germs(&[(0, "1", &["0: 2; 1: -1", ""])]);
        assert_eq!(refused(&along, &p, layer_1), Error::GermAtKink { germ: 0, layer: 1, row: 0 });
        // And it is no local optimum: the smooth gain pays.
        let gain = Curve { moves: moves(&["0: 1; 1: 2; 2: -1", ""]) };
        assert_eq!(gain.check(&p, &not_local(layer_1)), Ok(()));
    }
}

#[test]
fn every_refusal_is_the_expected_one() {
    let (d, d3) = (fixture_d(), fixture_d3());
    let one = || by(&[(0, "1"), (1, "1")]);
    let inactive = problem(LINEAR, &["1 2", "1"], "1 0; 0 1", &[1, 1]);
    let off: &[&str] = &["2: -1", ""];
    let off_other: &[&str] = &["1: -1", ""];
    let moves_last: &[&str] = &["2: -1", "0: 1"];
    let short: &[&str] = &["2: -1"];
    let neither = Error::NotStationary { layer: 1, coordinate: 0 };
    let path = problem(RELU, &["1", "1"], "1", &[1]);
    let cases = [
        // Nothing, and all zero: θ ≠ 0.
        (refused(&by(&[]), &d, "all"), neither.clone()),
        (refused(&by(&[]), &d, "layer:2"), Error::NotStationary { layer: 2, coordinate: 0 }),
        (refused(&by(&[(0, "0"), (1, "0")]), &d, "all"), neither.clone()),
        (refused(&by(&[(0, "1")]), &d, "all"), Error::NotStationary { layer: 1, coordinate: 3 }),
        (
            refused(&by(&[(0, "1"), (1, "1.0000001")]), &d, "all"),
            Error::NotStationary { layer: 1, coordinate: 3 },
        ),
        (refused(&by(&[(1, "1")]), &inactive, "all"), Error::NotActive(1)),
        (refused(&by(&[(2, "1")]), &d, "all"), Error::NotActive(2)),
        (refused(&by(&[(1, "1"), (0, "1")]), &d, "all"), Error::NotActive(0)),
        (refused(&by(&[(0, "1"), (0, "1"), (1, "1")]), &d, "all"), Error::NotActive(0)),
        (refused(&by(&[(0, "1"), (1, "-1")]), &d, "all"), Error::NegativeMultiplier(1)),
        (refused(&one().slopes(&[(0, 1, "1")]), &d3, "all"), Error::CoupledSlopes),
        (refused(&one().slopes(&[(0, 1, "1")]), &d, "layer:2"), Error::CoupledSlopes),
        (
            refused(&one().slopes(&[(0, 0, "1")]), &d, "all"),
            Error::NotAtKink { constraint: 0, neuron: 0 },
        ),
        // A constraint without any kink.
        (
            refused(&by(&[(0, "1")]).slopes(&[(0, 0, "1")]), &path, "all"),
            Error::NotAtKink { constraint: 0, neuron: 0 },
        ),
        (
            refused(&one().slopes(&[(0, 2, "1")]), &d, "all"),
            Error::NotAtKink { constraint: 0, neuron: 2 },
        ),
        (
            refused(&one().slopes(&[(2, 0, "1")]), &d, "all"),
            Error::NotAtKink { constraint: 2, neuron: 0 },
        ),
        (
            refused(&one().slopes(&[(0, 1, "0"), (0, 1, "0")]), &d, "all"),
            Error::NotAtKink { constraint: 0, neuron: 1 },
        ),
        (
            refused(&one().slopes(&[(1, 0, "0"), (0, 1, "0")]), &d, "all"),
            Error::NotAtKink { constraint: 0, neuron: 1 },
        ),
        (
            refused(&by(&[(0, "1"), (1, "0")]).slopes(&[(1, 0, "0")]), &d, "all"),
            Error::NotAtKink { constraint: 1, neuron: 0 },
        ),
        (
            refused(&one().germs(&[(0, "1", off)]).slopes(&[(0, 1, "0")]), &d, "all"),
            Error::NotAtKink { constraint: 0, neuron: 1 },
        ),
        (
            refused(&one().slopes(&[(0, 1, "1.01")]), &d, "all"),
            Error::SlopeRange { constraint: 0, neuron: 1 },
        ),
        (
            refused(&one().slopes(&[(0, 1, "-0.01")]), &d, "all"),
            Error::SlopeRange { constraint: 0, neuron: 1 },
        ),
        (
            refused(&one().germs(&vec![(0, "0", off); MAX_GERMS + 1]), &d, "all"),
            Error::TooManyGerms(MAX_GERMS + 1),
        ),
        (
            refused(&by(&[(0, "1")]).germs(&[(1, "1", off)]), &d, "all"),
            Error::GermOrder { germ: 0, constraint: 1 },
        ),
        (
            refused(&by(&[(0, "0")]).germs(&[(0, "1", off)]), &d, "all"),
            Error::GermOrder { germ: 0, constraint: 0 },
        ),
        (
            refused(&one().germs(&[(1, "1", off_other), (0, "1", off)]), &d, "all"),
            Error::GermOrder { germ: 1, constraint: 0 },
        ),
        (
            refused(&one().germs(&[(0, "1", short)]), &d, "all"),
            Error::Germ { germ: 0, error: MovesError::Layers { found: 1, depth: 2 } },
        ),
        (
            refused(&one().germs(&[(0, "1", moves_last)]), &d, "layer:1"),
            Error::Germ { germ: 0, error: MovesError::FixedLayer(2) },
        ),
        (
            refused(&one().germs(&[(0, "2", off), (0, "-1", off)]), &d, "all"),
            Error::NegativeWeight(1),
        ),
        (
            refused(&one().germs(&[(0, "1/2", off), (0, "1/3", off)]), &d, "all"),
            Error::Weights { constraint: 0, sum: "0.833333333".into() },
        ),
        (
            refused(&one().germs(&[(0, "1", &["", ""])]), &d, "all"),
            Error::GermAtKink { germ: 0, layer: 1, row: 1 },
        ),
        (refused(&one(), &d3, "all"), Error::Kink { constraint: 0, layer: 1, row: 1 }),
    ];
    // 7309 bits each, coprime from one to the next.
    let long = |base: &str| format!("1/{}1", base.repeat(1300));
    let texts = ["10", "20", "30", "40", "50", "60", "70", "80", "90", "12", "13"].map(long);
    let germs: Vec<_> = texts.iter().map(|t| (0, t.as_str(), off)).collect();
    assert!(matches!(refused(&one().germs(&germs), &d, "all"), Error::TooLong(_)));
    let mut names = std::collections::BTreeSet::new();
    for (found, expected) in cases {
        assert_eq!(found, expected);
        names.insert(format!("{found:?}").split([' ', '(']).next().unwrap().to_string());
    }
    assert_eq!(names.len(), 13, "{names:?}");
    refuses_others("stationarity", kkt, &[not_kkt("all"), residual("0", "1", "0", "0")], |p, c| {
        by(&[(0, "2"), (1, "2")]).check(p, c)
    });
}

#[test]
fn cancelling_uses_of_a_coordinate_are_no_kink() {
    // Row 0 reads inputs 1 and −1 through one coordinate: its preactivation is 0 for every θ.
    let json = |alone: &str| {
        format!(
            r#"{{"activation": "relu", "layers": [{{"parameters": ["0", "1"], "pattern": [[0, 0, null], [null, {alone}, 1]]}}, {{"weights": [["0", "1"]]}}]}}"#
        )
    };
    let p = problem_of(&serde_json::from_str(&json("null")).unwrap(), &data("1 -1 1", &[1]));
    assert_eq!(p.facts().kinks, 0);
    accepts(&by(&[(0, "1")]), &p, "all");
    // Not so where the other input differs.
    let p = problem_of(&serde_json::from_str(&json("null")).unwrap(), &data("1 -2 1", &[1]));
    assert_eq!(p.facts().kinks, 1);
    assert_eq!(
        refused(&by(&[(0, "1")]), &p, "all"),
        Error::Kink { constraint: 0, layer: 1, row: 0 }
    );
}

#[test]
fn only_inactive_relu_units_are_off() {
    // Row 1 of layer 1 is negative at the sample, row 1 of layer 2 reads nothing else.
    let layers = ["1 .; . -1", "1 .; . 0", "1 0"];
    let p = |activation| problem(activation, &layers, "1 1", &[1]);
    let leaky = r#"{"leaky_relu": "1/2"}"#;
    assert_eq!((p(RELU).facts().kinks, p(leaky).facts().kinks), (0, 1));
    let kink = Error::Kink { constraint: 0, layer: 2, row: 1 };
    assert_eq!(refused(&by(&[(0, "1")]), &p(leaky), "all"), kink);
    // W¹ row 1 has no gradient: not stationary, but without kinks.
    let off = Error::NotStationary { layer: 1, coordinate: 1 };
    assert_eq!(refused(&by(&[(0, "1")]), &p(RELU), "all"), off);
    // A unit that reads a kink is at one.
    assert_eq!(problem(RELU, &["1 .; . 0", "1 .; . 1", "1 0"], "1 1", &[1]).facts().kinks, 2);
    assert_eq!(problem(LINEAR, &["1 .; . 0", "1 .; . 1", "1 0"], "1 1", &[1]).facts().kinks, 0);
}

#[test]
fn files_are_strict() {
    let text =
        r#"{"lambda":[[0,"1"]],"germs":[{"constraint":0,"weight":"1","moves":[[[2,["-1"]]],[]]}]}"#;
    let witness: Stationarity = serde_json::from_str(text).unwrap();
    assert_eq!(witness, by(&[(0, "1")]).germs(&[(0, "1", &["2: -1", ""])]));
    assert_eq!(serde_json::to_string(&witness).unwrap(), text);
    for bad in [
        r#"{"lambda":[],"nu":[]}"#,
        r#"{}"#,
        r#"{"lambda":[[0,1]]}"#,
        r#"{"lambda":[[0,"1"]],"germs":[{"constraint":0,"weight":"1","moves":[],"x":0}]}"#,
        r#"{"lambda":[[-1,"1"]]}"#,
    ] {
        assert!(serde_json::from_str::<Stationarity>(bad).is_err(), "{bad}");
    }
}

/// All cyclic shifts of one positive sample, `p` a multiple of (1, …, 1), and `w_j = v_j s_j λ Σx` with
/// slope `s_j` by the sign of `v_j`: stationary in layer 1 for any v.
fn planted(source: &mut Source, slope: &str) -> (Problem, Vec<(usize, Number)>) {
    let dims = 2 + source.below(2) as usize;
    let x: Vec<i64> = (0..dims).map(|_| 1 + source.below(5) as i64).collect();
    let shift =
        |s: usize| (0..dims).map(|i| x[(i + s) % dims].to_string()).collect::<Vec<_>>().join(" ");
    let samples = (0..dims).map(shift).collect::<Vec<_>>().join("; ");
    let lambda = Rational::new((1 + source.below(5) as i64).into(), 3.into());
    let sum = &lambda * Rational::from_integer(x.iter().sum::<i64>().into());
    // At least one positive output weight, or α > 0.
    let v: Vec<i64> =
        (0..3).map(|j| if j == 0 { 1 + source.below(3) as i64 } else { source.small() }).collect();
    let row = |v: &i64| {
        let s = if *v > 0 { q("1") } else { q(slope) };
        vec![(s * &sum * Rational::from_integer((*v).into())).to_string(); dims].join(" ")
    };
    let first = v.iter().map(row).collect::<Vec<_>>().join("; ");
    let second = v.iter().map(i64::to_string).collect::<Vec<_>>().join(" ");
    let activation = format!(r#"{{"leaky_relu": "{slope}"}}"#);
    let p = problem(&activation, &[&first, &second], &samples, &vec![1; dims]);
    (p, (0..dims).map(|k| (k, Number(lambda.clone()))).collect())
}

/// Planted points pass; changed multipliers and points do not; and no direction and no curve ever
/// refutes what was proved (these points are local optima of layer 1 where they have no kink).
#[test]
fn planted_points_pass_and_mutants_fail() {
    let mut source = Source(3);
    for round in 0..120 {
        let slope = ["0", "1/2", "1"][round % 3];
        let (p, lambda) = planted(&mut source, slope);
        let witness = Stationarity { lambda: lambda.clone(), ..Stationarity::default() };
        accepts(&witness, &p, "layer:1");
        for k in 0..lambda.len() {
            let mut mutant = witness.clone();
            mutant.lambda[k].1 = Number(&lambda[k].1.0 * q("8/7"));
            assert!(matches!(
                refused(&mutant, &p, "layer:1"),
                Error::NotStationary { layer: 1, .. }
            ));
            mutant.lambda.remove(k);
            assert!(matches!(
                refused(&mutant, &p, "layer:1"),
                Error::NotStationary { layer: 1, .. }
            ));
        }
        let nudged = moved(p.network(), &moves(&["0: 1/1000", ""]), &q("1"));
        let nudged = Problem::new(nudged, p.data().clone()).unwrap();
        let error = refused(&witness, &nudged, "layer:1");
        assert!(matches!(error, Error::NotActive(_) | Error::NotStationary { .. }), "{error:?}");
        for _ in 0..20 {
            let direction = p.network().layers().iter().enumerate().map(|(l, layer)| {
                let count = if l == 0 { layer.parameters().len() } else { 0 };
                (0..count).map(|_| n(&source.small().to_string())).collect()
            });
            let direction = Descent { direction: direction.collect() };
            assert!(direction.check(&p, &not_kkt("layer:1")).is_err());
            if p.facts().kinks == 0 {
                let curve = Curve { moves: source.moves(p.network(), "layer:1") };
                assert!(curve.check(&p, &not_local("layer:1")).is_err());
            }
        }
    }
}

/// The gradient of the one constraint at a nearby point, by its own signs; `None` at a kink.
fn nearby_gradient(
    p: &Problem,
    germ: &Moves,
    scope: &str,
) -> Option<(Network, Vec<Vec<Rational>>)> {
    let network = moved(p.network(), germ, &q("1e-40"));
    let model = network.rational_model();
    let c = p.margins().constraints()[0];
    let x = p.data().sample(c.sample).to_rationals();
    let trace = model.forward(&x);
    let hidden = p.network().depth() - 1;
    let first = if scope == "all" { 0 } else { scope[6..].parse::<usize>().unwrap() - 1 };
    let kink = trace.preactivations[..hidden].iter().skip(first).flatten().any(|z| *z == q("0"));
    let covector = c.covector(network.outputs());
    let g = gradient(&model, network.layers(), &x, &trace, &covector, |_, _| None);
    (!kink).then_some((network, g))
}

/// A germ accepted at a one-sample problem gives the gradient found at a point really nearby.
#[test]
fn germs_read_off_the_gradient_nearby() {
    let mut source = Source(4);
    let (mut compared, mut kinks) = (0, 0);
    while compared < 200 || kinks < 40 {
        let depth = 2 + source.below(2) as usize;
        let sharing = source.below(2) == 0;
        let Some(p) = source.problem(depth, sharing) else { continue };
        if p.margins().constraints().len() > 1 || p.network().activation().is_linear() {
            continue;
        }
        let scope = source.scope(depth);
        let germ = source.moves(p.network(), &scope);
        let Some((_, near)) = nearby_gradient(&p, &germ, &scope) else { continue };
        let entry = WeightedGerm { constraint: 0, weight: n("1"), moves: germ };
        let lambda = vec![(0, n("1"))];
        let witness = Stationarity { lambda, mu: vec![], germs: vec![entry] };
        // Round the gradient nearby to that at ε = 0: all numbers here are halves of small integers
        // times powers of the slope 1/2.
        let round = |v: &Rational| (v * q("1024") + q("1/2")).floor() / q("1024");
        let layers = p.network().layers();
        let moving = |l: usize| scope == "all" || scope == format!("layer:{}", l + 1);
        let expected = (0..depth).filter(|l| moving(*l)).find_map(|l| {
            let u = layers[l].parameters().to_rationals();
            let differs = |(g, u): (&Rational, &Rational)| compare(&round(g), u).is_ne();
            near[l]
                .iter()
                .zip(&u)
                .position(differs)
                .map(|coordinate| Error::NotStationary { layer: l + 1, coordinate })
        });
        match (witness.check(&p, &kkt(&scope)), expected) {
            (Ok(()), None) => {}
            (Err(Refusal::Stationarity(found)), Some(expected)) => assert_eq!(found, expected),
            other => panic!("{other:?} in {scope}"),
        }
        compared += 1;
        kinks += usize::from(p.facts().kinks > 0);
    }
}
