//! Rule 3.4 (`curve`): not a local optimum.
mod common;
#[path = "common/paper.rs"]
mod paper;

use common::*;
use maxmargin_kernel::claim::Number;
use maxmargin_kernel::number::{Rational, compare};
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::curve::{Curve, CurveError};
use maxmargin_kernel::proof::moves::{MAX_DEGREE, Moves, MovesError};
use maxmargin_kernel::proof::stationarity::StationarityError;
use paper::*;

fn along(moves: Moves) -> Curve {
    Curve { moves }
}

fn refused(moves: Moves, problem: &Problem, scope: &str) -> CurveError {
    match along(moves).check(problem, &not_local(scope)) {
        Err(Refusal::Curve(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// Every coefficient with the other sign.
fn reversed(moves: &Moves) -> Moves {
    let coordinate =
        |(i, list): &(usize, Vec<Number>)| (*i, list.iter().map(|c| Number(-&c.0)).collect());
    moves.iter().map(|l| l.iter().map(coordinate).collect()).collect()
}

#[test]
fn escapes_of_the_paper() {
    let layer = |text: &str, l: usize, depth: usize| {
        moves(&(1..=depth).map(|k| if k == l { text } else { "" }).collect::<Vec<_>>())
    };
    let cases = [
        ("A", fixture_a(), "all", curve_a()),
        ("A, depth 3", fixture_a3(), "all", curve_a3()),
        ("B, linear", fixture_b(LINEAR), "all", curve_b()),
        ("B, ReLU", fixture_b(RELU), "all", curve_b()),
        ("D", fixture_d(), "all", curve_d()),
        ("D, layer 1", fixture_d(), "layer:1", layer("1: 1; 3: -1", 1, 2)),
        ("D, depth 3, layer 1", fixture_d3(), "layer:1", layer("1: 1; 3: -1", 1, 3)),
        ("D, depth 3, layer 2", fixture_d3(), "layer:2", layer("1: 1; 3: -1", 2, 3)),
        ("F, linear", fixture_f_with(LINEAR), "all", curve_f()),
        ("F, ReLU", fixture_f_with(RELU), "all", curve_f()),
        ("G, linear", fixture_g(LINEAR), "all", curve_g()),
        ("G, ReLU", fixture_g(RELU), "all", curve_g()),
        ("three classes", fixture_three_classes(), "all", curve_three_classes()),
    ];
    for (name, problem, scope, moves) in cases {
        assert_eq!(along(moves.clone()).check(&problem, &not_local(scope)), Ok(()), "{name}");
        // With every coefficient reversed the norm grows.
        assert_eq!(refused(reversed(&moves), &problem, scope), CurveError::Norm, "{name}");
    }
}

#[test]
fn a_margin_missed_by_a_fourth_order_term() {
    let almost = moves(&["0: 0 -1/4; 1: 0 -1/2; 2: 11/10", "0: 0 -1/2; 1: 1"]);
    let missed = CurveError::Margin { constraint: 1, order: 4 };
    assert_eq!(refused(almost.clone(), &fixture_a(), "all"), missed);
    let at = |e: &str| moved(fixture_a().network(), &almost, &q(e)).rational_model();
    let margin = |e| at(e).forward(&vec![q("-1"), q("1/4")]).outputs().remove(0);
    assert_eq!(margin("1/10") - q("1"), q("-1/160000"));
}

#[test]
fn curves_that_gain_nothing_are_refused() {
    let e = fixture_e();
    // θ itself, in two spellings.
    assert_eq!(refused(moves(&["", ""]), &e, "all"), CurveError::Norm);
    assert_eq!(refused(moves(&["1: 0 0", "0:"]), &e, "all"), CurveError::Norm);
    // Turning neuron 0 costs margin of the sample it turns away from.
    let turned = CurveError::Margin { constraint: 1, order: 1 };
    assert_eq!(refused(moves(&["0: 1; 1: -1", ""]), &e, "all"), turned);
    // Two neurons exchange weight at a constant function: |θ|² stays to first order and grows.
    let p = problem(RELU, &["1 0; 1 0", "1 1"], "1 0", &[1]);
    assert_eq!(refused(moves(&["0: 1; 2: -1", ""]), &p, "layer:1"), CurveError::Norm);
    // Shrinking alone.
    let shrunk = CurveError::Margin { constraint: 0, order: 5 };
    assert_eq!(refused(moves(&["0: 0 0 0 0 -1", ""]), &p, "layer:1"), shrunk);
    // A wholly dead path at depth 3 gains ε³ and costs ε², which shrinking by cε² cannot buy back.
    let path = moves(&["1: 0 -1; 2: 1", "0: 0 -1; 3: 1", "0: 0 -1; 1: 1"]);
    let lost = CurveError::Margin { constraint: 0, order: 2 };
    assert_eq!(refused(path, &fixture_a3(), "all"), lost);
}

#[test]
fn constraints_that_are_not_active_may_fall_to_the_margin() {
    // Sample 1 has margin 2, above γ = 1.
    let p = problem(LINEAR, &["1 2", "1"], "1 0; 0 1", &[1, 1]);
    for scope in ["all", "layer:1"] {
        assert_eq!(along(moves(&["1: -1", ""])).check(&p, &not_local(scope)), Ok(()));
    }
}

#[test]
fn every_refusal_is_the_expected_one() {
    let d = fixture_d();
    let sixty_four = format!("0: {}", "1 ".repeat(MAX_DEGREE));
    let cases = [
        (moves(&["1: 1"]), "all", MovesError::Layers { found: 1, depth: 2 }),
        (moves(&["", "", ""]), "all", MovesError::Layers { found: 3, depth: 2 }),
        (moves(&["4: 1", ""]), "all", MovesError::Coordinate { layer: 1, coordinate: 4, count: 4 }),
        (
            moves(&["", "1: 1; 0: 1"]),
            "all",
            MovesError::Coordinate { layer: 2, coordinate: 0, count: 2 },
        ),
        (
            moves(&["1: 1; 1: 1", ""]),
            "all",
            MovesError::Coordinate { layer: 1, coordinate: 1, count: 4 },
        ),
        (curve_d(), "layer:1", MovesError::FixedLayer(2)),
        (curve_d(), "layer:2", MovesError::FixedLayer(1)),
        // A coordinate without coefficients is a move all the same.
        (moves(&["0:", ""]), "layer:2", MovesError::FixedLayer(1)),
        (moves(&[&sixty_four, "1: 1"]), "all", MovesError::Degree(MAX_DEGREE + 1)),
    ];
    for (moves, scope, expected) in cases {
        let limit = matches!(expected, MovesError::Degree(_));
        let found = refused(moves, &d, scope);
        assert_eq!(found, CurveError::Moves(expected));
        // What is past no limit is a wrong proof.
        assert_eq!(Refusal::from(found).is_limit(), limit);
    }
    // So it is of a germ.
    let germ = |error| Refusal::from(StationarityError::Germ { germ: 0, error }).is_limit();
    assert!(germ(MovesError::Degree(MAX_DEGREE + 1)) && !germ(MovesError::FixedLayer(1)));
    // The longest list of a layer counts.
    let long = refused(moves(&[&format!("{sixty_four}1; 2: 1"), ""]), &d, "all");
    assert_eq!(long, CurveError::Moves(MovesError::Degree(MAX_DEGREE + 1)));
    // The limit itself is fine.
    assert_eq!(refused(moves(&[&sixty_four, ""]), &d, "all"), CurveError::Norm);
    // 2200 digits at depth 5: the denominator alone has 7309 bits.
    let deep = problem(LINEAR, &["1"; 5], "1", &[1]);
    let tiny = refused(moves(&["0: 1e-2200", "", "", "", ""]), &deep, "all");
    assert_eq!(tiny, CurveError::Moves(MovesError::TooLong(5 * 7309)));
    let large = refused(moves(&["0: 1e2200", "", "", "", ""]), &deep, "all");
    assert_eq!(large, CurveError::Moves(MovesError::TooLong(5 * (7309 + 1 + 1))));
    refuses_others("curve", not_local, &[kkt("all"), not_global("all")], |p, c| {
        along(vec![vec![]; p.network().depth()]).check(p, c)
    });
}

/// The verdict of the rule is that of plain evaluation at one tiny ε, on random tiny networks with
/// holes, sharing, kinks, several outputs and dead units.
#[test]
fn the_verdict_is_that_of_evaluation_nearby() {
    let mut source = Source(1);
    let epsilon = q("1e-60");
    let (mut accepted, mut refused) = (0, 0);
    while accepted < 150 || refused < 150 {
        let depth = 1 + source.below(3) as usize;
        let sharing = source.below(2) == 0;
        let Some(p) = source.problem(depth, sharing) else { continue };
        let scope = source.scope(depth);
        let moves = source.moves(p.network(), &scope);
        let after = moved(p.network(), &moves, &epsilon);
        let shorter = compare(&after.norm_squared(), &p.network().norm_squared()).is_lt();
        let after = Problem::new(after, p.data().clone()).unwrap();
        let feasible = after.gamma().is_ok_and(|g| compare(g, p.gamma().unwrap()).is_ge());
        let verdict = along(moves).check(&p, &not_local(&scope));
        assert_eq!(verdict.is_ok(), shorter && feasible, "{verdict:?}");
        if verdict.is_ok() { accepted += 1 } else { refused += 1 }
    }
}

/// In one layer and one cell margins are linear: the segment to any shorter point of the cell with
/// margins ≥ γ is a curve of the rule, and the segment away from it is not.
#[test]
fn segments_to_better_points_of_a_cell() {
    let mut source = Source(2);
    let mut found = 0;
    while found < 100 {
        let depth = 2 + source.below(2) as usize;
        let sharing = source.below(2) == 0;
        let Some(p) = source.problem(depth, sharing) else { continue };
        let layer = 1 + source.below(depth as u64) as usize;
        let (scope, network) = (format!("layer:{layer}"), p.network());
        let step = source.moves(network, &scope);
        let linear = step
            .iter()
            .map(|l| l.iter().map(|(i, c)| (*i, c.iter().take(1).cloned().collect())).collect())
            .collect();
        let target = moved(network, &linear, &q("1/8"));
        let Ok(gamma) = Problem::new(target.clone(), p.data().clone()).unwrap().gamma().cloned()
        else {
            continue;
        };
        // Scale it to margin γ exactly.
        let scale = p.gamma().unwrap() / gamma;
        let u = network.layers()[layer - 1].parameters().to_rationals();
        let better: Vec<Rational> = target.layers()[layer - 1]
            .parameters()
            .to_rationals()
            .iter()
            .map(|b| b * &scale)
            .collect();
        let same_cell = p.data().samples().iter().all(|x| {
            let x = x.to_rationals();
            let signs = |n: &maxmargin_kernel::network::Network| -> Vec<_> {
                let t = n.rational_model().forward(&x).preactivations;
                t[..depth - 1].iter().flatten().map(|z| compare(z, &q("0"))).collect()
            };
            signs(network) == signs(&target)
        });
        let norm = |v: &[Rational]| v.iter().map(|e| e * e).sum::<Rational>();
        if !same_cell || compare(&norm(&better), &norm(&u)).is_ge() {
            continue;
        }
        let mut segment = vec![vec![]; depth];
        segment[layer - 1] = (0..u.len()).map(|i| (i, vec![Number(&better[i] - &u[i])])).collect();
        assert_eq!(along(segment.clone()).check(&p, &not_local(&scope)), Ok(()));
        assert_eq!(self::refused(reversed(&segment), &p, &scope), CurveError::Norm);
        found += 1;
    }
}
