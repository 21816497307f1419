//! Rule 3.5b (`local_cover`).
mod common;
#[path = "common/exact.rs"]
mod exact;

use common::*;
use exact::*;
use maxmargin_kernel::certificate::Proof;
use maxmargin_kernel::check::Failure;
use maxmargin_kernel::claim::Claim;
use maxmargin_kernel::network::NotTwoLayer;
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::cover::{CoverError, Node, Units};
use maxmargin_kernel::proof::dual_bound::{Cone, DualBoundError};
use maxmargin_kernel::proof::local_cover::LocalCover;
use num_traits::ToPrimitive;
use proptest::prelude::*;

const RULE: &str = "local_cover";

fn of(unit: &str, lambda: &[(usize, i64)], covers: Vec<(Cone, Vec<Node>)>) -> LocalCover {
    let units: Units = units(unit, "1/1000", "1/1000");
    let dual = dual_in(units, lambda, covers);
    LocalCover { multipliers: dual.multipliers, covers: dual.covers }
}

fn accepts(p: &Problem, witness: &LocalCover, claim: Claim) {
    let nodes = witness.check(p, &claim).unwrap_or_else(|e| panic!("{claim}: {e}"));
    let report = in_a_file(p, &claim, Proof::LocalCover(witness.clone())).unwrap();
    assert_eq!((report.claims[0].nodes, report.claims[0].rule), (nodes, RULE));
    survives(p, &claim);
}

/// The full cover of `+g` for I, and of `−g`.
fn covers_i() -> Vec<(Cone, Vec<Node>)> {
    let plus = vec![
        split(0),
        split(1),
        close(&[1, 1]),
        close(&[1, 0]),
        split(1),
        close(&[0, 1]),
        close(&[0, 0]),
    ];
    vec![(cone(1, &[]), plus), (cone(-1, &[]), vec![close(&[0, 0])])]
}

fn local_covers_j() -> Vec<(Cone, Vec<Node>)> {
    vec![(cone(1, &[(0, 1)]), vec![close(&[5, -3])]), (cone(-1, &[(1, 1)]), vec![close(&[-3, 5])])]
}

const J: [(usize, i64); 2] = [(0, 5), (1, 5)];

#[test]
fn proves_what_the_map_says() {
    let i = fixture_i();
    accepts(&i, &of("1", &[(0, 1), (1, 1)], covers_i()), global("all"));
    accepts(&i, &of("1", &[(0, 1), (1, 1)], covers_i()), local("all"));
    // Any multiple of λ: T scales with it.
    let tripled = covers_i()
        .into_iter()
        .map(|(cone, nodes)| {
            (
                cone,
                nodes
                    .into_iter()
                    .map(|node| match node {
                        Node::Close(c) => close(&c.close.iter().map(|a| 3 * a).collect::<Vec<_>>()),
                        other => other,
                    })
                    .collect(),
            )
        })
        .collect();
    accepts(&i, &of("1", &[(0, 3), (1, 3)], tripled), global("all"));
    let cells = vec![
        (cone(1, &[(0, 1), (1, -1)]), vec![close(&[1, 0])]),
        (cone(1, &[(0, -1), (1, 1)]), vec![close(&[0, 1])]),
    ];
    accepts(&i, &of("1", &[(0, 1), (1, 1)], cells), local("all"));
    let j = fixture_j();
    accepts(&j, &of("1/4", &J, local_covers_j()), local("all"));
    let everywhere = vec![
        (cone(1, &[]), vec![split(0), close(&[5, -3]), close(&[0, 0])]),
        (cone(-1, &[]), vec![split(1), close(&[-3, 5]), close(&[0, 0])]),
    ];
    accepts(&j, &of("1/4", &J, everywhere), global("all"));
    // E is local without being global.
    let cell = || vec![(cone(1, &[(0, 1), (1, 1)]), vec![close(&[2, 2])])];
    accepts(&fixture_e(), &of("1", &[(0, 2), (1, 2)], cell()), local("all"));
    let global = of("1", &[(0, 2), (1, 2)], cell()).check(&fixture_e(), &global("all"));
    assert_eq!(global, Err(DualBoundError::Uncovered { neuron: 0, sign: 1 }.into()));
}

#[test]
fn dead_neurons_need_both_signs_on_all_of_their_inputs() {
    let x = "12/13 5/13; -12/13 5/13";
    let dead = problem(RELU, &["12/13 5/13; -12/13 5/13; 0 0", "1 1 0"], x, &[1, 1]);
    let lambda = [(0, 1), (1, 1)];
    accepts(&dead, &of("1", &lambda, covers_i()), local("all"));
    accepts(&dead, &of("1", &lambda, covers_i()), global("all"));
    let uncovered = |sign| Err(DualBoundError::Uncovered { neuron: 2, sign }.into());
    let first = covers_i().into_iter().take(1).collect();
    assert_eq!(of("1", &lambda, first).check(&dead, &local("all")), uncovered(-1));
    let cells = vec![
        (cone(1, &[(0, 1), (1, -1)]), vec![close(&[1, 0])]),
        (cone(1, &[(0, -1), (1, 1)]), vec![close(&[0, 1])]),
        (cone(-1, &[]), vec![close(&[0, 0])]),
    ];
    assert_eq!(of("1", &lambda, cells).check(&dead, &local("all")), uncovered(1));
    // A: the dead neuron's own optimum is better, so its cover cannot close.
    let a = fixture_a();
    let root = vec![
        split(0),
        split(1),
        close(&[2, 2]),
        close(&[2, 0]),
        split(1),
        close(&[0, 2]),
        close(&[0, 0]),
    ];
    let refused = of("1", &[(0, 2), (1, 2)], vec![(cone(1, &[]), root)]).check(&a, &local("all"));
    let open = matches!(
        refused,
        Err(Refusal::DualBound(DualBoundError::Cover {
            cover: 0,
            error: CoverError::Open { node: 3, .. }
        }))
    );
    assert!(open, "{refused:?}");
}

#[test]
fn a_covered_dead_neuron_does_not_make_the_others_global() {
    // Local (the dead neuron's g is at most ½), but not global: neurons on other inputs do better.
    let p = dead_on_another_input();
    let on = |sign, inputs: &[usize], fixed: &[(usize, i8)]| Cone {
        sign,
        inputs: Some(inputs.to_vec()),
        fixed: fixed.to_vec(),
    };
    let covers = vec![
        (on(1, &[0, 1], &[(0, 1), (1, 1)]), vec![close(&[2, 2])]),
        (on(1, &[2], &[]), vec![close(&[2, 2])]),
        (on(-1, &[2], &[]), vec![close(&[0, 0])]),
    ];
    let witness = of("1", &[(0, 2), (1, 2)], covers);
    accepts(&p, &witness, local("all"));
    let refused = witness.check(&p, &global("all"));
    assert_eq!(refused, Err(DualBoundError::Uncovered { neuron: 0, sign: 1 }.into()));
    let better =
        problem(RELU, &["1 0 .; -1 0 .; . . 0", "1 1 0"], "1 1/4 1/8; -1 1/4 1/8", &[1, 1]);
    assert!(beats(&p, &better, scope("all")));
}

#[test]
fn half_dead_neurons() {
    // A third neuron with w ≠ 0 = v, or w = 0 ≠ v, costs norm: T < 1, and the cover opens.
    let x = "12/13 5/13; -12/13 5/13";
    for (w, v) in [("1 0", "0"), ("0 0", "1/100"), ("0 0", "-1/100")] {
        let layers = [format!("{x}; {w}"), format!("1 1 {v}")];
        let p = problem(RELU, &[&layers[0], &layers[1]], x, &[1, 1]);
        let refused = of("1", &[(0, 1), (1, 1)], covers_i()).check(&p, &local("all"));
        let open = |e: &Refusal| {
            matches!(
                e,
                Refusal::DualBound(DualBoundError::Cover { error: CoverError::Open { .. }, .. })
            )
        };
        assert!(refused.as_ref().is_err_and(open), "{refused:?}");
    }
    // Without covers: which neuron and sign is missed first.
    let nothing: Vec<(Cone, Vec<Node>)> = vec![];
    for (w, v, signs) in [("1 0", "0", &[1, -1][..]), ("0 0", "1/2", &[1]), ("0 0", "-1/2", &[-1])]
    {
        let p = problem(RELU, &[&format!("{w}; {x}"), &format!("{v} 1 1")], x, &[1, 1]);
        let refused = of("1", &[(0, 1)], nothing.clone()).check(&p, &local("all"));
        assert_eq!(refused, Err(DualBoundError::Uncovered { neuron: 0, sign: signs[0] }.into()));
    }
}

#[test]
fn refuses_what_is_not_optimal() {
    // D: the convex kinks open the cover.
    let tree = |a: &[i64], b: &[i64]| vec![split(1), close(a), close(b)];
    let covers = vec![
        (cone(1, &[(0, 1)]), tree(&[1, 1], &[1, 0])),
        (cone(1, &[(1, 1)]), tree(&[1, 1], &[0, 1])),
    ];
    let refused = of("1", &[(0, 1), (1, 1)], covers).check(&fixture_d(), &local("all"));
    let open = |e: &Refusal| {
        matches!(
            e,
            Refusal::DualBound(DualBoundError::Cover {
                cover: 0,
                error: CoverError::Open { node: 1, .. }
            })
        )
    };
    assert!(refused.as_ref().is_err_and(open), "{refused:?}");
    // D with the kinks frozen: no longer the local cone.
    let covers = vec![
        (cone(1, &[(0, 1), (1, -1)]), vec![close(&[1, 0])]),
        (cone(1, &[(0, -1), (1, 1)]), vec![close(&[0, 1])]),
    ];
    let refused = of("1", &[(0, 1), (1, 1)], covers).check(&fixture_d(), &local("all"));
    assert_eq!(refused, Err(DualBoundError::Uncovered { neuron: 0, sign: 1 }.into()));
    // J with slopes 0.
    let j = fixture_j();
    let mut covers = local_covers_j();
    covers[0].1 = vec![close(&[5, 0])];
    let refused = of("1/4", &J, covers).check(&j, &local("all"));
    assert!(refused.unwrap_err().to_string().contains("cover 0: node 0"));
    // Weight on a sample that is not active makes T too small.
    let slack = problem(RELU, &["0 1; 0 1", "1 1"], "1 1/4; -1 1/4; 0 1", &[1, 1, 1]);
    let cell = |a: &[i64]| vec![(cone(1, &[(0, 1), (1, 1), (2, 1)]), vec![close(a)])];
    assert!(of("1", &[(0, 2), (1, 2)], cell(&[2, 2, 0])).check(&slack, &local("all")).is_ok());
    let refused = of("1", &[(0, 2), (1, 2), (2, 1)], cell(&[2, 2, 1])).check(&slack, &local("all"));
    assert!(refused.unwrap_err().to_string().contains("cover 0: node 0"));
}

#[test]
fn every_refusal_is_the_expected_one() {
    let i = fixture_i();
    let lambda = [(0, 1), (1, 1)];
    let check = |w: &LocalCover, claim: &Claim| w.check(&i, claim).unwrap_err();
    let empty = of("1", &[], covers_i());
    assert_eq!(check(&empty, &local("all")), DualBoundError::NoMultipliers.into());
    let zero = of("1", &[(0, 0), (1, 1)], covers_i());
    assert_eq!(check(&zero, &local("all")), DualBoundError::NotPositive(0).into());
    let negative = of("-1", &lambda, covers_i());
    let unit = DualBoundError::Cover { cover: 0, error: CoverError::Unit("a") };
    assert_eq!(check(&negative, &local("all")), unit.into());
    for claim in [at_most("near:0", "1"), at_least("cell", "0"), Claim::Kkt { scope: scope("all") }]
    {
        let wrong = Refusal::WrongClaim { rule: RULE, kind: claim.kind() };
        assert_eq!(check(&of("1", &lambda, covers_i()), &claim), wrong);
    }
    for claim in [local("layer:1"), global("layer:2")] {
        let refused = Refusal::Scope { rule: RULE, scope: claim.scope() };
        assert_eq!(check(&of("1", &lambda, covers_i()), &claim), refused);
    }
    let architecture = |reason| Err(Refusal::Architecture { rule: RULE, reason });
    let at = |p: &Problem| of("1", &[(0, 1)], covers_i()).check(p, &local("all"));
    assert_eq!(at(&fixture_g(RELU)), architecture(NotTwoLayer::Depth(3)));
    assert_eq!(at(&fixture_f()), architecture(NotTwoLayer::Sharing));
    assert_eq!(at(&three_classes()), architecture(NotTwoLayer::Outputs(3)));
    let wrong = problem(RELU, &["0 1; 0 1", "1 1"], "1 1/4; -1 1/4", &[1, -1]);
    assert!(matches!(at(&wrong), Err(Refusal::NotClassified(_))));
    // In a file the refusal names claim, rule and node.
    let mut covers = covers_i();
    covers[0].1[3] = close(&[1, 1]);
    let failure =
        in_a_file(&i, &global("all"), Proof::LocalCover(of("1", &lambda, covers))).unwrap_err();
    assert!(matches!(failure, Failure::Rejected { index: 0, rule: RULE, .. }), "{failure}");
    assert!(failure.to_string().contains("cover 0: node 3"), "{failure}");
    let mut covers = covers_i();
    covers[0].1.pop();
    let failure =
        in_a_file(&i, &global("all"), Proof::LocalCover(of("1", &lambda, covers))).unwrap_err();
    assert!(failure.to_string().contains("open subtrees"), "{failure}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn planted_optima_are_accepted(star in 0usize..5, t in prop::collection::vec(1i64..4, 3), y in prop::collection::vec(any::<bool>(), 3)) {
        let (p, lambda) = planted(star, &t, &y);
        let count = lambda.len();
        let ints: Vec<(usize, i64)> = lambda.iter().map(|(k, l)| (*k, l.0.to_i64().unwrap())).collect();
        let covers = |factor: i64| (0..count).map(|j| {
            let fixed: Vec<(usize, i8)> = (0..count).map(|i| (i, if i == j { 1 } else { -1 })).collect();
            let a: Vec<i64> = (0..count).map(|i| if i == j { ints[i].1 * factor } else { 0 }).collect();
            (cone(if y[j] { 1 } else { -1 }, &fixed), vec![close(&a)])
        }).collect::<Vec<_>>();
        let witness = of("1", &ints, covers(1));
        prop_assert!(witness.check(&p, &local("all")).is_ok());
        survives(&p, &local("all"));
        // A multiplier that is one too large somewhere is refused, and so is a neuron left out.
        let mut off = ints.clone();
        off[0].1 += 1;
        let refused = of("1", &off, covers(1)).check(&p, &local("all"));
        // With one sample alone every multiple is as good.
        prop_assert!(count == 1 || refused.is_err());
        let fewer = covers(1).into_iter().skip(1).collect();
        let refused = of("1", &ints, fewer).check(&p, &local("all"));
        prop_assert_eq!(refused, Err(DualBoundError::Uncovered { neuron: 0, sign: if y[0] { 1 } else { -1 } }.into()));
    }
}
