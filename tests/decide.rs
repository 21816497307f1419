//! Exact verdicts: the paper's map, random exact points, symmetries.
use maxmargin::budget::Budget;
use maxmargin::certify::seal;
use maxmargin::paper::{fixtures::map, run};
use maxmargin::prove::decide::{Decision, Question, decide, prove};
use maxmargin_kernel::check::{Limits, check};
use maxmargin_kernel::claim::{Claim, Scope};
use maxmargin_kernel::network::{Activation, Layer, Network};
use maxmargin_kernel::number::{Rational, ScaledVec};
use maxmargin_kernel::problem::{Data, Problem};
use proptest::prelude::*;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

fn rational(n: i64, d: i64) -> Rational {
    Rational::new(n.into(), d.into())
}

/// A ReLU-like network of depth 2 by rows of `w` and `v`, all rational.
fn problem(
    alpha: &Rational,
    w: &[Vec<Rational>],
    v: &[Rational],
    x: &[Vec<Rational>],
    y: &[i64],
) -> Problem {
    let scaled = |rows: &[Vec<Rational>]| ScaledVec::from_rationals(&rows.concat());
    let layers = vec![
        Layer::dense(1, w.len(), w[0].len(), scaled(w)).unwrap(),
        Layer::dense(2, 1, v.len(), ScaledVec::from_rationals(v)).unwrap(),
    ];
    let network = Network::new(Activation::leaky(alpha.clone()).unwrap(), layers).unwrap();
    let samples = x.iter().map(|x| ScaledVec::from_rationals(x)).collect();
    Problem::new(network, Data::new(samples, y.to_vec()).unwrap()).unwrap()
}

fn verdicts(problem: &Problem, scope: Scope) -> Vec<Option<bool>> {
    decide(problem, scope, &Question::ALL, &Budget::default())
        .iter()
        .map(Decision::verdict)
        .collect()
}

#[test]
fn every_cell_of_the_paper_is_certified() {
    let walk = run(&|problem, claims| prove(problem, claims, &Budget::default()));
    let (certified, all) = walk.count();
    assert_eq!((certified, all), (18, 18));
    for point in &walk.points {
        assert!(point.missing().is_empty(), "{}: {:?}", point.fixture.name, point.missing());
        seal(&point.problem, point.entries.clone(), true, None).unwrap();
    }
    assert_eq!(walk.points.len(), 17);
}

#[test]
fn the_stored_certificates_of_the_paper_prove_the_same_claims() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("certificates/paper");
    for fixture in &map().fixtures {
        let path = folder.join(format!("{}.cert.json", fixture.name));
        let file = BufReader::new(File::open(&path).unwrap());
        let report = check(file, Some(&fixture.problem()), Limits::default()).unwrap();
        let stored: Vec<Claim> = report.claims.into_iter().map(|v| v.claim).collect();
        for claim in &fixture.claims {
            assert!(stored.contains(claim), "{}: {claim}", fixture.name);
        }
        assert_eq!(stored.len(), fixture.claims.len(), "{}", fixture.name);
    }
}

#[test]
fn a_point_that_is_not_scaled_has_the_same_verdicts() {
    for fixture in &map().fixtures {
        let point = fixture.problem();
        let network = point.network();
        // Every layer by the same factor: margins by its power, direction unchanged.
        let scale = |l: &Layer| {
            let u: Vec<_> =
                l.parameters().to_rationals().iter().map(|u| u * rational(3, 7)).collect();
            l.with_parameters(ScaledVec::from_rationals(&u)).unwrap()
        };
        let layers = network.layers().iter().map(scale).collect();
        let scaled = Network::new(network.activation().clone(), layers).unwrap();
        let scaled = Problem::new(scaled, point.data().clone()).unwrap();
        assert_eq!(verdicts(&scaled, Scope::All), verdicts(&point, Scope::All), "{}", fixture.name);
    }
}

prop_compose! {
    fn small(alphas: Vec<Rational>)(
        alpha in prop::sample::select(alphas),
        d in 1usize..4,
        m in 1usize..4,
        n in 1usize..4,
        numbers in prop::collection::vec(-3i64..=3, 40),
    ) -> Option<Problem> {
        let mut next = numbers.into_iter().cycle();
        let mut vector = |k: usize| -> Vec<Rational> {
            (0..k).map(|_| rational(next.next().unwrap(), 2)).collect()
        };
        let w: Vec<_> = (0..m).map(|_| vector(d)).collect();
        let v = vector(m);
        let x: Vec<_> = (0..n).map(|_| vector(d)).collect();
        if x.iter().any(|x| x.iter().all(|e| *e == rational(0, 1))) {
            return None;
        }
        // Labels by the network itself, so that the point classifies its data.
        let probe = problem(&alpha, &w, &v, &x, &vec![1; n]);
        let sign = |q: &Rational| if *q < rational(0, 1) { -1 } else { 1 };
        let y: Vec<i64> = probe.margins().values().iter().map(sign).collect();
        let labelled = problem(&alpha, &w, &v, &x, &y);
        labelled.gamma().is_ok().then_some(labelled)
    }
}

fn slopes() -> Vec<Rational> {
    vec![rational(0, 1), rational(1, 3), rational(1, 1)]
}

/// So many cases, or as many as the environment asks for.
fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(usual), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(150))]

    /// Small points at depth 2 are decided as far as theory promises, and answers do not contradict
    /// each other: local implies KKT, global implies local.
    #[test]
    fn small_points_are_decided(point in small(slopes())) {
        let Some(point) = point else { return Ok(()) };
        let [kkt, local, global] = verdicts(&point, Scope::All)[..] else { unreachable!() };
        prop_assert!(kkt.is_some(), "KKT undecided");
        prop_assert!(!(kkt == Some(false) && local == Some(true)), "local but not KKT");
        prop_assert!(!(local == Some(false) && global == Some(true)), "global but not local");
        let facts = point.facts();
        let alive = facts.dead == 0 && point.network().layers().iter().all(|l| {
            (0..l.rows()).all(|r| !l.row(r).is_zero())
        }) && point.network().layers()[1].parameters().to_rationals().iter().all(|v| *v != rational(0, 1));
        if alive && facts.kinks <= 12 {
            prop_assert!(local.is_some(), "local optimality undecided");
        }
    }

    /// Verdicts do not depend on the order of samples or neurons, on repeated samples, on the scale
    /// of the data, or on the names of the two classes.
    #[test]
    fn verdicts_have_the_symmetries_of_the_problem(point in small(slopes())) {
        let Some(point) = point else { return Ok(()) };
        let before = verdicts(&point, Scope::All);
        let rows = |l: &Layer| -> Vec<Vec<Rational>> { (0..l.rows()).map(|r| l.row(r).to_rationals()).collect() };
        let [first, second] = point.network().layers() else { unreachable!() };
        let (w, v) = (rows(first), second.parameters().to_rationals());
        let x: Vec<Vec<Rational>> = point.data().samples().iter().map(ScaledVec::to_rationals).collect();
        let y = point.data().labels().to_vec();
        let alpha = point.activation().slope().clone();
        let reversed = |list: &[Vec<Rational>]| list.iter().rev().cloned().collect::<Vec<_>>();
        let turned: Vec<Rational> = v.iter().rev().cloned().collect();
        let other = problem(&alpha, &reversed(&w), &turned, &x, &y);
        prop_assert_eq!(&verdicts(&other, Scope::All), &before, "neurons reversed");
        let labels: Vec<i64> = y.iter().rev().copied().collect();
        let other = problem(&alpha, &w, &v, &reversed(&x), &labels);
        prop_assert_eq!(&verdicts(&other, Scope::All), &before, "samples reversed");
        let (mut twice, mut both) = (x.clone(), y.clone());
        twice.push(x[0].clone());
        both.push(y[0]);
        let other = problem(&alpha, &w, &v, &twice, &both);
        prop_assert_eq!(&verdicts(&other, Scope::All), &before, "a sample twice");
        let larger: Vec<Vec<Rational>> =
            x.iter().map(|x| x.iter().map(|e| e * rational(5, 3)).collect()).collect();
        let other = problem(&alpha, &w, &v, &larger, &y);
        prop_assert_eq!(&verdicts(&other, Scope::All), &before, "data scaled");
        let negated: Vec<Rational> = v.iter().map(|v| -v).collect();
        let flipped: Vec<i64> = y.iter().map(|y| -y).collect();
        let other = problem(&alpha, &w, &negated, &x, &flipped);
        prop_assert_eq!(&verdicts(&other, Scope::All), &before, "classes exchanged");
    }
}
