use super::definite::{Definiteness, definiteness};
use super::linear::{rank, solve, transpose};
use super::simplex::{self, Outcome, Program};
use super::{dot, lp};
use maxmargin_kernel::number::Rational;
use num_traits::{Signed, Zero};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

type Matrix = Vec<Vec<Rational>>;

fn q(n: i64, d: i64) -> Rational {
    Rational::new(n.into(), d.into())
}

fn integers(rows: &[&[i64]]) -> Matrix {
    rows.iter().map(|row| row.iter().map(|n| q(*n, 1)).collect()).collect()
}

fn times(a: &Matrix, x: &[Rational]) -> Vec<Rational> {
    a.iter().map(|row| dot(row, x)).collect()
}

fn entry() -> impl Strategy<Value = Rational> {
    // Many zeros: degenerate systems are the ones that go wrong.
    prop_oneof![2 => Just(q(0, 1)), 3 => (-4i64..=4).prop_map(|n| q(n, 1)), 1 => (-9i64..=9, 1i64..7).prop_map(|(n, d)| q(n, d))]
}

fn matrix(rows: usize, columns: usize) -> impl Strategy<Value = Matrix> {
    prop::collection::vec(prop::collection::vec(entry(), columns), rows)
}

fn system() -> impl Strategy<Value = (Matrix, Vec<Rational>, usize)> {
    (0usize..6, 0usize..6)
        .prop_flat_map(|(m, n)| (matrix(m, n), prop::collection::vec(entry(), m), Just(n)))
}

fn program() -> impl Strategy<Value = Program> {
    (1usize..6, 1usize..8).prop_flat_map(|(m, n)| {
        let vector = |k| prop::collection::vec(entry(), k);
        let free = prop::collection::vec(prop::bool::weighted(0.25), n);
        (matrix(m, n), vector(m), vector(n), free).prop_map(|(a, b, c, free)| Program {
            a,
            b,
            c,
            free,
        })
    })
}

/// A program with an optimum: feasible and dually feasible by construction, many slacks at 0.
fn bounded_program() -> impl Strategy<Value = Program> {
    (
        program(),
        prop::collection::vec(0i64..3, 8),
        prop::collection::vec(0i64..3, 8),
        prop::collection::vec(-3i64..3, 6),
    )
        .prop_map(|(mut p, x, slack, y)| {
            let x: Vec<_> = x.iter().take(p.c.len()).map(|n| q(*n, 1)).collect();
            let y: Vec<_> = y.iter().take(p.b.len()).map(|n| q(*n, 1)).collect();
            p.b = times(&p.a, &x);
            p.c = times(&transpose(&p.a, x.len()), &y);
            for (c, (s, free)) in p.c.iter_mut().zip(slack.iter().zip(&p.free)) {
                *c += q(if *free { 0 } else { *s }, 1);
            }
            p
        })
}

proptest! {
    #[test]
    fn solutions_are_all_solutions((a, b, n) in system()) {
        match solve(&a, &b, n) {
            Some(s) => {
                prop_assert_eq!(times(&a, &s.point), b);
                for d in &s.directions {
                    prop_assert!(times(&a, d).iter().all(Zero::is_zero));
                }
                // Independent and as many as there must be.
                prop_assert_eq!(rank(&s.directions), s.directions.len());
                prop_assert_eq!(rank(&a) + s.directions.len(), if a.is_empty() { n } else { a[0].len() });
            }
            None => {
                let with_b: Matrix = a.iter().zip(&b).map(|(r, b)| r.iter().chain([b]).cloned().collect()).collect();
                prop_assert_eq!(rank(&with_b), rank(&a) + 1);
            }
        }
    }

    #[test]
    fn rank_is_that_of_the_transpose(a in matrix(4, 5)) {
        prop_assert_eq!(rank(&a), rank(&transpose(&a, 5)));
    }

    #[test]
    fn gram_matrices_are_never_indefinite(a in matrix(3, 4)) {
        let columns = transpose(&a, 4);
        let gram: Matrix = columns.iter().map(|x| columns.iter().map(|y| dot(x, y)).collect()).collect();
        match definiteness(&gram) {
            Definiteness::Semi(null) => {
                prop_assert_eq!(null.len() + rank(&a), 4);
                prop_assert!(null.iter().all(|d| times(&gram, d).iter().all(Zero::is_zero)));
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn definiteness_agrees_with_its_witness(a in matrix(4, 4)) {
        let form = |d: &[Rational]| dot(d, &times(&a, d));
        match definiteness(&a) {
            Definiteness::Indefinite(d) => prop_assert!(form(&d).is_negative()),
            verdict => {
                // Every small integer direction agrees.
                for code in 0..625i64 {
                    let d: Vec<_> = (0..4).map(|k| q(code / 5i64.pow(k) % 5 - 2, 1)).collect();
                    let value = form(&d);
                    prop_assert!(!value.is_negative());
                    if verdict == Definiteness::Positive && d.iter().any(|e| !e.is_zero()) {
                        prop_assert!(value.is_positive());
                    }
                }
            }
        }
    }

    #[test]
    fn outcomes_hold_and_both_paths_agree(
        p in prop_oneof![program(), bounded_program()],
        odd in prop::collection::vec(0usize..9, 0..9),
    ) {
        let slow = simplex::minimise(&p);
        prop_assert!(slow.holds(&p), "{:?}", slow);
        prop_assert_eq!(lp::minimise(&p).holds(&p), true);
        let support = lp::support(&p).unwrap_or_default();
        let quick = simplex::minimise_from(&p, &support);
        prop_assert!(quick.holds(&p), "{:?}", quick);
        // Whatever the floats say, the outcome is right.
        let misled = simplex::minimise_from(&p, &odd);
        prop_assert!(misled.holds(&p), "{:?}", misled);
        prop_assert_eq!(std::mem::discriminant(&misled), std::mem::discriminant(&slow));
        match (&slow, &quick) {
            (Outcome::Optimal { x, .. }, Outcome::Optimal { x: other, .. }) => {
                prop_assert_eq!(dot(&p.c, x), dot(&p.c, other));
            }
            (Outcome::Infeasible { .. }, Outcome::Infeasible { .. }) => {}
            (Outcome::Unbounded { .. }, Outcome::Unbounded { .. }) => {}
            other => prop_assert!(false, "{:?}", other),
        }
    }
}

#[test]
fn a_false_outcome_does_not_hold() {
    // min x₁ + x₂, x₁ − x₂ = 1: x = (1, 0), y = 1.
    let p = Program {
        a: integers(&[&[1, -1]]),
        b: vec![q(1, 1)],
        c: vec![q(1, 1); 2],
        free: vec![false; 2],
    };
    let optimal =
        |x: [i64; 2], y: i64| Outcome::Optimal { x: x.map(|n| q(n, 1)).to_vec(), y: vec![q(y, 1)] };
    assert!(optimal([1, 0], 1).holds(&p));
    assert!(!optimal([2, 1], 1).holds(&p), "not the best");
    assert!(!optimal([1, 1], 1).holds(&p), "not feasible");
    assert!(!optimal([0, -1], 1).holds(&p), "negative");
    assert!(!optimal([1, 0], 2).holds(&p), "dual infeasible");
    assert!(!Outcome::Infeasible { y: vec![q(1, 1)] }.holds(&p));
    assert!(!Outcome::Infeasible { y: Vec::new() }.holds(&p));
    let ray = vec![q(1, 1), q(1, 1)];
    assert!(!Outcome::Unbounded { x: vec![q(1, 1), q(0, 1)], ray }.holds(&p), "it costs");
}

#[test]
fn free_variables_may_fall_for_ever() {
    // min −x with x free and no equation on it.
    for cost in [-1, 1] {
        let p = Program {
            a: integers(&[&[0, 1]]),
            b: vec![q(2, 1)],
            c: vec![q(cost, 1), q(0, 1)],
            free: vec![true, false],
        };
        let outcome = simplex::minimise(&p);
        assert!(matches!(outcome, Outcome::Unbounded { .. }) && outcome.holds(&p));
    }
}

#[test]
fn programs_without_rows_are_decided() {
    let p = |c: i64| Program { a: Vec::new(), b: Vec::new(), c: vec![q(c, 1)], free: vec![false] };
    assert_eq!(lp::minimise(&p(1)), Outcome::Optimal { x: vec![q(0, 1)], y: Vec::new() });
    assert!(matches!(lp::minimise(&p(-1)), Outcome::Unbounded { .. }));
}

/// Beale's example, on which the largest-coefficient rule alone cycles for ever.
#[test]
fn the_example_that_cycles_ends() {
    let mut a = integers(&[&[0; 7], &[0; 7], &[0, 0, 1, 0, 0, 0, 1]]);
    a[0][..5].clone_from_slice(&[q(1, 4), q(-60, 1), q(-1, 25), q(9, 1), q(1, 1)]);
    a[1][..6].clone_from_slice(&[q(1, 2), q(-90, 1), q(-1, 50), q(3, 1), q(0, 1), q(1, 1)]);
    let mut c = vec![q(0, 1); 7];
    c[..4].clone_from_slice(&[q(-3, 4), q(150, 1), q(-1, 50), q(6, 1)]);
    let p = Program { a, b: vec![q(0, 1), q(0, 1), q(1, 1)], c, free: vec![false; 7] };
    let outcome = simplex::minimise(&p);
    assert!(outcome.holds(&p));
    let Outcome::Optimal { x, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(dot(&p.c, &x), q(-1, 20));
}

/// A program of the largest size meant for this solver: 60 equations in 120 variables.
fn large(seed: u64) -> Program {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut number = |low: i64, high: i64| q(rng.random_range(low..=high), 1);
    let (m, n) = (60, 120);
    let a: Matrix = (0..m).map(|_| (0..n).map(|_| number(-9, 9)).collect()).collect();
    let x: Vec<_> = (0..n).map(|j| if j % 2 == 0 { number(0, 9) } else { q(0, 1) }).collect();
    let y: Vec<_> = (0..m).map(|_| number(-9, 9)).collect();
    let mut c = times(&transpose(&a, n), &y);
    c.iter_mut().for_each(|c| *c += number(0, 9));
    Program { b: times(&a, &x), a, c, free: vec![false; n] }
}

#[test]
fn large_programs_are_solved_both_ways() {
    let p = large(1);
    let quick = lp::minimise(&p);
    let slow = simplex::minimise(&p);
    assert!(quick.holds(&p) && slow.holds(&p));
    let value = |o: &Outcome| match o {
        Outcome::Optimal { x, .. } => dot(&p.c, x),
        other => panic!("{other:?}"),
    };
    assert_eq!(value(&quick), value(&slow));
}
