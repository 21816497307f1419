//! Explicit points that beat θ (`point` for `not_global_optimum`).
mod common;
#[path = "common/paper.rs"]
mod paper;

use common::*;
use maxmargin_kernel::claim::Number;
use maxmargin_kernel::network::NetworkJson;
use maxmargin_kernel::number::{Rational, compare};
use maxmargin_kernel::problem::{NotClassified, Problem};
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::point::{Point, PointError};
use paper::*;

/// Parameter vectors, one text per layer.
fn at(layers: &[&str]) -> Point {
    let list = |l: &&str| l.split_whitespace().map(n).collect();
    Point { parameters: Some(layers.iter().map(list).collect()), network: None }
}

fn accepts(layers: &[&str], problem: &Problem, scope: &str) {
    assert_eq!(at(layers).check(problem, &not_global(scope)), Ok(()), "{scope}");
}

fn refused(point: &Point, problem: &Problem, scope: &str) -> PointError {
    match point.check(problem, &not_global(scope)) {
        Err(Refusal::Point(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn local_optima_of_the_paper_that_are_not_global() {
    let e = fixture_e();
    for scope in ["all", "layer:1"] {
        accepts(&["1 0 -1 0", "1 1"], &e, scope);
        // Any scale: normalised margins are compared.
        accepts(&["1/3 0 -1/3 0", "1 1"], &e, scope);
    }
    accepts(&["7 0 -7 0", "7 7"], &e, "all");
    let e3 = fixture_e3();
    accepts(&["1 0 -1 0", "1 1", "1 1"], &e3, "layer:1");
    accepts(&["1 0 -1 0", "1 1", "1 1"], &e3, "all");
    // The fixed layer compared entry by entry, with fractions in it.
    let halves = problem(RELU, &["0 1; 0 1", "1/2 1/3"], "1 1/4; -1 1/4", &[1, 1]);
    accepts(&["1 0 -1 0", "1/2 1/3"], &halves, "layer:1");
    for changed in ["1/2 1/4", "1 1/3", "3 2"] {
        let point = at(&["1 0 -1 0", changed]);
        assert_eq!(refused(&point, &halves, "layer:1"), PointError::FixedLayer(2), "{changed}");
    }
    // D: the other unit shares the work.
    accepts(&["1 1/4 0 7/8", "1 7/8"], &fixture_d(), "all");
}

#[test]
fn ties_are_refused() {
    let e = fixture_e();
    for scope in ["all", "layer:1", "layer:2"] {
        assert_eq!(refused(&Point::default(), &e, scope), PointError::NotLarger);
        assert_eq!(refused(&at(&["0 1 0 1", "1 1"]), &e, scope), PointError::NotLarger);
    }
    // The same direction, one layer, another scale; and all layers.
    assert_eq!(refused(&at(&["0 5 0 5", "1 1"]), &e, "layer:1"), PointError::NotLarger);
    assert_eq!(refused(&at(&["0 5 0 5", "5 5"]), &e, "all"), PointError::NotLarger);
    // In all layers, scaling one of them unbalances: worse.
    assert_eq!(refused(&at(&["0 5 0 5", "1 1"]), &e, "all"), PointError::NotLarger);
    // Larger by a relative 1e-60 is larger, and the other way round is not.
    let (x, tilted) = ("1 1; -1 1", "1e-30 1; -1e-30 1");
    let p = problem(RELU, &[tilted, "1 1"], x, &[1, 1]);
    let straight = problem(RELU, &["0 1; 0 1", "1 1"], x, &[1, 1]);
    for scope in ["all", "layer:1"] {
        accepts(&["0 1 0 1", "1 1"], &p, scope);
        let back = at(&["1e-30 1 -1e-30 1", "1 1"]);
        assert_eq!(self::refused(&back, &straight, scope), PointError::NotLarger);
    }
}

#[test]
fn every_refusal_is_the_expected_one() {
    let e = fixture_e();
    let other: NetworkJson = network(RELU, &["1 0; -1 0", "1 1"]);
    let of = Point { parameters: None, network: Some(other.clone()) };
    let both = Point { network: Some(other), ..at(&["1 0 -1 0", "1 1"]) };
    assert_eq!(refused(&of, &e, "all"), PointError::OtherArchitecture("everywhere".into()));
    assert_eq!(refused(&both, &e, "all"), PointError::Ambiguous);
    assert_eq!(refused(&at(&["1 0 -1 0"]), &e, "all"), PointError::Parameters(1));
    assert_eq!(refused(&at(&["1 0 -1", "1 1"]), &e, "all"), PointError::Parameters(1));
    let fixed = refused(&at(&["1 0 -1 0", "1 2"]), &e, "layer:1");
    assert_eq!(fixed, PointError::FixedLayer(2));
    assert_eq!(refused(&at(&["1 0 -1 0", "1 1"]), &e, "layer:2"), PointError::FixedLayer(1));
    let wrong = PointError::NotClassified(NotClassified { sample: 1, margin: q("0") });
    assert_eq!(refused(&at(&["1 0 1 0", "1 1"]), &e, "all"), wrong);
    let zero = PointError::NotClassified(NotClassified { sample: 0, margin: q("0") });
    assert_eq!(refused(&at(&["0 0 0 0", "1 1"]), &e, "layer:1"), zero);
    refuses_others("point", not_global, &[kkt("all"), at_most("everywhere", "1")], |p, c| {
        at(&["1 0 -1 0", "1 1"]).check(p, c)
    });
    // The other claim of the rule is untouched.
    assert_eq!(at(&["1 0 -1 0", "1 1"]).check(&e, &at_least("everywhere", "1/4")), Ok(()));
}

/// The verdict is the comparison of normalised margins, and a point found along a curve that the
/// curve rule accepts is one.
#[test]
fn the_verdict_is_the_comparison() {
    let mut source = Source(6);
    let (mut accepted, mut refused) = (0, 0);
    while accepted < 100 || refused < 100 {
        let depth = 1 + source.below(3) as usize;
        let sharing = source.below(2) == 0;
        let Some(p) = source.problem(depth, sharing) else { continue };
        let scope = source.scope(depth);
        let after = moved(p.network(), &source.moves(p.network(), &scope), &q("1/4"));
        let after = Problem::new(after, p.data().clone()).unwrap();
        let values = after
            .network()
            .layers()
            .iter()
            .map(|l| l.parameters().to_rationals().into_iter().map(Number).collect());
        let point = Point { parameters: Some(values.collect()), network: None };
        let (layers, degree) = match scope.strip_prefix("layer:") {
            Some(l) => {
                let l: usize = l.parse().unwrap();
                (l - 1..l, 1)
            }
            None => (0..depth, depth),
        };
        let nu = |p: &Problem| -> Option<Rational> {
            let norm: Rational = p.network().layers()[layers.clone()]
                .iter()
                .map(|l| l.parameters().norm_squared())
                .sum();
            let gamma = p.gamma().ok()?;
            Some((0..degree).fold(gamma * gamma, |nu, _| nu / &norm))
        };
        let larger = nu(&after).is_some_and(|theirs| compare(&theirs, &nu(&p).unwrap()).is_gt());
        let verdict = point.check(&p, &not_global(&scope));
        assert_eq!(verdict.is_ok(), larger, "{verdict:?}");
        if larger { accepted += 1 } else { refused += 1 }
    }
}
