//! Rule 3.3 (`descent`): not a KKT point.
mod common;
#[path = "common/paper.rs"]
mod paper;

use common::*;
use maxmargin_kernel::claim::Number;
use maxmargin_kernel::network::gradient;
use maxmargin_kernel::number::{Rational, compare};
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::descent::{Descent, DescentError as Error, MAX_PATTERNS};
use paper::*;

/// One text of numbers per layer.
fn along(layers: &[&str]) -> Descent {
    let list = |l: &&str| l.split_whitespace().map(n).collect();
    Descent { direction: layers.iter().map(list).collect() }
}

fn accepts(layers: &[&str], problem: &Problem, scope: &str) {
    assert_eq!(along(layers).check(problem, &not_kkt(scope)), Ok(()), "{scope}");
}

fn refused(layers: &[&str], problem: &Problem, scope: &str) -> Error {
    match along(layers).check(problem, &not_kkt(scope)) {
        Err(Refusal::Descent(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn directions_that_keep_every_active_margin() {
    // w has a part orthogonal to the one sample.
    let p = problem(RELU, &["1 1", "1"], "1 0", &[1]);
    accepts(&["0 -1", "0"], &p, "all");
    accepts(&["0 -1", ""], &p, "all");
    accepts(&["0 -1", ""], &p, "layer:1");
    // Unbalanced layers: one shrinks, the other grows.
    let p = problem(LINEAR, &["2 0", "1"], "1 0", &[1]);
    accepts(&["-2 0", "1"], &p, "all");
    assert_eq!(refused(&["-2 0", ""], &p, "layer:1"), Error::MarginFalls(0));
    // Only active constraints count: sample 1 has margin 2.
    let p = problem(LINEAR, &["1 2", "1"], "1 0; 0 1", &[1, 1]);
    accepts(&["0 -1", ""], &p, "all");
    // Depth 1, three classes.
    let p = problem(LINEAR, &["1 1; 0 0; 0 0"], "1 0", &[0]);
    accepts(&["0 -1 0 0 0 0"], &p, "all");
    accepts(&["0 -1 0 0 0 0"], &p, "layer:1");
}

#[test]
fn first_order_weak_descent_is_refused() {
    // B: the second unit comes to life at no cost to first order, but the gain is of second order.
    for activation in [LINEAR, RELU] {
        let b = fixture_b(activation);
        assert_eq!(refused(&["0 1", "0 1"], &b, "all"), Error::NotDescending);
        assert_eq!(refused(&["0 0", "0 0"], &b, "all"), Error::NotDescending);
        assert_eq!(refused(&["-1 1", "-1 1"], &b, "all"), Error::MarginFalls(0));
        assert_eq!(refused(&["-1p-60 1", "0 1"], &b, "all"), Error::MarginFalls(0));
    }
    assert_eq!(refused(&["", ""], &fixture_b(LINEAR), "all"), Error::NotDescending);
}

#[test]
fn every_slope_at_a_kink_counts() {
    // Stationary with slopes 3/5 only: with slope 0 at both kinks this direction would descend.
    let p = fixture_two_concave_kinks();
    // With slopes 0, θ − Σλg = (0, −3/4), (−3/5, −1/20) in layer 1: a direction against it descends
    // and keeps the margins for those slopes. Not for all.
    let p0 = ["-3/5 4/5 0 0", "0 0"];
    assert_eq!(refused(&p0, &p, "all"), Error::MarginFalls(1));
    // A concave kink that is not stationary: v = −1 turns towards the sample at slope 1, not at 0.
    let p = problem(RELU, &["1 0; 0 1", "1 -1"], "1 0", &[1]);
    accepts(&["0 0 0 -1", "0 0"], &p, "all");
    accepts(&["0 0 -1 -1", "0 0"], &p, "all");
    assert_eq!(refused(&["0 0 1 -1", "0 0"], &p, "all"), Error::MarginFalls(0));
    // And a convex one: the slope is 0 at worst.
    let p = problem(RELU, &["1 0; 0 1", "1 1"], "1 0", &[1]);
    accepts(&["0 0 1 -1", "0 0"], &p, "all");
    assert_eq!(refused(&["0 0 -1 -1", "0 0"], &p, "all"), Error::MarginFalls(0));
    // D is a KKT point: its way out turns on a kink.
    assert_eq!(refused(&["0 1 0 -1/2", "0 -1/2"], &fixture_d(), "all"), Error::MarginFalls(1));
}

/// Depth 3: below the last hidden layer the slopes of kinks are enumerated, and the worst is slope 1.
#[test]
fn slope_1_at_a_kink_of_an_inner_layer_counts() {
    for activation in [RELU, r#"{"leaky_relu": "1/2"}"#, r#"{"leaky_relu": "3/4"}"#] {
        let p = problem(activation, &["1 0; 0 0", "1 1", "1"], "1 1", &[1]);
        // The live unit gains 6, the kink loses 6 times its slope; then the one gains 5 only.
        accepts(&["-1 7 0 -6", "", ""], &p, "all");
        let falls = refused(&["-1 6 0 -6", "", ""], &p, "all");
        assert_eq!(falls, Error::MarginFalls(0), "{activation}");
        // Whichever kink it is.
        let p = problem(activation, &["1 0; 0 0; 0 0; 0 0", "1 1 1 1", "1"], "1 1", &[1]);
        for kinks in ["0 -6 0 1 0 1", "0 1 0 -6 0 1", "0 1 0 1 0 -6"] {
            accepts(&[&format!("-1 7 {kinks}"), "", ""], &p, "all");
            let falls = refused(&[&format!("-1 5 {kinks}"), "", ""], &p, "all");
            assert_eq!(falls, Error::MarginFalls(0), "{activation}, {kinks}");
        }
    }
}

#[test]
fn independent_slopes_are_a_superset_with_sharing() {
    // True only because the two slopes are tied; the rule does not see that, and refuses.
    let p = fixture_opposite_patches(RELU);
    assert_eq!(refused(&["1 2 -1", ""], &p, "layer:1"), Error::MarginFalls(0));
    accepts(&["1 2 -1/4", ""], &fixture_opposite_patches(r#"{"leaky_relu": "1/3"}"#), "layer:1");
}

#[test]
fn the_paper_points_are_stationary() {
    let mut source = Source(7);
    let cases = [
        (fixture_a(), "all"),
        (fixture_a3(), "all"),
        (fixture_b(LINEAR), "all"),
        (fixture_b(RELU), "all"),
        (fixture_d(), "layer:1"),
        (fixture_d(), "all"),
        (fixture_d3(), "layer:1"),
        (fixture_d3(), "layer:2"),
        (fixture_d3(), "all"),
        (fixture_e(), "all"),
        (fixture_e3(), "all"),
        (fixture_f(), "all"),
        (fixture_g(RELU), "all"),
        (fixture_h(), "all"),
        (fixture_three_classes(), "all"),
        (fixture_two_concave_kinks(), "all"),
    ];
    for (p, scope) in cases {
        for _ in 0..300 {
            let d = source.direction(&p, scope);
            assert!(d.check(&p, &not_kkt(scope)).is_err(), "{d:?} in {scope}");
        }
    }
}

#[test]
fn every_refusal_is_the_expected_one() {
    let d = fixture_d();
    assert_eq!(refused(&["0 0 0 0"], &d, "all"), Error::Layers { found: 1, depth: 2 });
    assert_eq!(refused(&["", "", ""], &d, "all"), Error::Layers { found: 3, depth: 2 });
    assert_eq!(refused(&["0 0 0", ""], &d, "all"), Error::Shape(1));
    assert_eq!(refused(&["0 0 0 0", "0 0 0"], &d, "all"), Error::Shape(2));
    assert_eq!(refused(&["", "0 0"], &d, "layer:1"), Error::FixedLayer(2));
    assert_eq!(refused(&["0 0 0 0", ""], &d, "layer:2"), Error::FixedLayer(1));
    let deep = problem(LINEAR, &["1"; 5], "1", &[1]);
    let long = refused(&["1e-2200", "", "", "", ""], &deep, "all");
    assert!(matches!(long, Error::TooLong(_)), "{long:?}");
    refuses_others("descent", not_kkt, &[kkt("all"), not_local("all")], |p, c| {
        along(&["0 0 0 0", "0 0"]).check(p, c)
    });
    for bad in [r#"{}"#, r#"{"direction":[["1"]],"x":1}"#, r#"{"direction":[[1.5]]}"#] {
        assert!(serde_json::from_str::<Descent>(bad).is_err(), "{bad}");
    }
}

/// Depth 3 with `width` dead units in layer 1 that the direction wakes and that reach the output by
/// one kink of layer 2 with output weight `v`, beside one live path whose margin stays.
fn many_kinks(width: usize, v: &str) -> (Problem, Descent) {
    let first = format!("2 0{}", "; 0 0".repeat(width));
    let middle = format!("1{}; 0{}", " 0".repeat(width), " 1".repeat(width));
    let p = problem(RELU, &[&first, &middle, &format!("1 {v}")], "1 1", &[1]);
    (p, along(&[&format!("-1 1{}", " 0 1".repeat(width)), "", ""]))
}

#[test]
fn the_number_of_patterns_is_limited() {
    let limit = usize::try_from(MAX_PATTERNS.trailing_zeros()).unwrap();
    let verdict = |width, v| {
        let (p, d) = many_kinks(width, v);
        d.check(&p, &not_kkt("all"))
    };
    for kinks in [1, 3, limit] {
        assert_eq!(verdict(kinks, "1"), Ok(()), "{kinks}");
        assert_eq!(verdict(kinks, "-1"), Err(Error::MarginFalls(0).into()), "{kinks}");
    }
    for kinks in [limit + 1, 63, 64, 65, 200] {
        let expected = Error::TooManyKinks { constraint: 0, layer: 1, kinks };
        assert_eq!(verdict(kinks, "1"), Err(expected.into()));
    }
    // In the last hidden layer there is nothing to enumerate.
    let wide = vec!["0 0"; 200].join("; ");
    let v = vec!["1"; 201].join(" ");
    let p = problem(RELU, &[&format!("1 1; {wide}"), &v], "1 0", &[1]);
    let d = format!("0 -1 {}", "1 1 ".repeat(200));
    accepts(&[&d, ""], &p, "all");
}

/// The verdict of the rule is that of backpropagation with every slope pattern at every zero
/// preactivation, on random tiny networks.
#[test]
fn the_verdict_is_that_of_every_pattern() {
    let mut source = Source(5);
    let (mut accepted, mut falling, mut kinks) = (0, 0, 0);
    while accepted < 150 || falling < 150 || kinks < 150 {
        let depth = 1 + source.below(4) as usize;
        let sharing = source.below(2) == 0;
        let Some(p) = source.problem(depth, sharing) else { continue };
        let scope = source.scope(depth);
        let d = source.direction(&p, &scope);
        let network = p.network();
        let pairs = || network.layers().iter().zip(&d.direction);
        let inner =
            |g: &[Rational], d: &[Number]| g.iter().zip(d).map(|(g, d)| g * &d.0).sum::<Rational>();
        let descends: Rational =
            pairs().map(|(l, d)| inner(&l.parameters().to_rationals(), d)).sum();
        let descends = compare(&descends, &q("0")).is_lt();
        let model = network.rational_model();
        let mut keeps = true;
        for k in p.margins().active(&q("0")) {
            let c = p.margins().constraints()[k];
            let x = p.data().sample(c.sample).to_rationals();
            let trace = model.forward(&x);
            let zeros: Vec<(usize, usize)> = trace.preactivations[..depth - 1]
                .iter()
                .enumerate()
                .flat_map(|(l, z)| {
                    z.iter().enumerate().filter(|(_, z)| **z == q("0")).map(move |(r, _)| (l, r))
                })
                .collect();
            kinks += usize::from(!zeros.is_empty());
            for pattern in 0..1usize << zeros.len() {
                let slope = |l, r| {
                    zeros.iter().position(|z| *z == (l, r)).map(|bit| {
                        if (pattern >> bit) & 1 == 1 {
                            q("1")
                        } else {
                            network.activation().slope().clone()
                        }
                    })
                };
                let g = gradient(
                    &model,
                    network.layers(),
                    &x,
                    &trace,
                    &c.covector(network.outputs()),
                    slope,
                );
                let along: Rational = g.iter().zip(&d.direction).map(|(g, d)| inner(g, d)).sum();
                keeps &= compare(&along, &q("0")).is_ge();
            }
        }
        match d.check(&p, &not_kkt(&scope)) {
            Ok(()) => {
                assert!(descends && keeps);
                accepted += 1;
            }
            Err(Refusal::Descent(Error::NotDescending)) => assert!(!descends),
            Err(Refusal::Descent(Error::MarginFalls(_))) => {
                assert!(descends && !keeps);
                falling += 1;
            }
            other => panic!("{other:?}"),
        }
    }
}
