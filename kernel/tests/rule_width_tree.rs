//! The end of rule 3.7 (`width_tree`).
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
use maxmargin_kernel::proof::cover::{CoverError, Node};
use maxmargin_kernel::proof::dual_bound::{Cone, DualBoundError};
use maxmargin_kernel::proof::width_tree::{Leaf, MAX_OPEN, WidthNode, WidthTree, WidthTreeError};
use proptest::prelude::*;

const RULE: &str = "width_tree";

fn leaf(lambda: &[(usize, i64)], covers: Vec<(Cone, Vec<Node>)>) -> WidthNode {
    let dual = dual(lambda, covers);
    WidthNode::Leaf(Box::new(Leaf { multipliers: dual.multipliers, covers: dual.covers }))
}

/// The samples of E under one neuron that looks straight up: ν = 1/8, while two neurons reach 1/4.
fn narrow() -> Problem {
    problem(RELU, &["0 1", "1"], "1 1/4; -1 1/4", &[1, 1])
}

fn tree() -> Vec<WidthNode> {
    vec![
        WidthNode::Output(0),
        WidthNode::Split(0, 0),
        WidthNode::Split(0, 1),
        leaf(&[(0, 1), (1, 1)], vec![(cone(1, &[(0, 1), (1, 1)]), vec![close(&[1, 1])])]),
        leaf(&[(1, 1)], vec![(cone(1, &[(1, -1)]), vec![close(&[0])])]),
        leaf(&[(0, 1)], vec![(cone(1, &[(0, -1)]), vec![close(&[0])])]),
        leaf(&[(0, 1)], vec![(cone(-1, &[]), vec![close(&[0])])]),
    ]
}

fn check(p: &Problem, nodes: Vec<WidthNode>, claim: &Claim) -> Result<usize, Refusal> {
    WidthTree { nodes }.check(p, claim)
}

#[test]
fn one_neuron_is_optimal_at_width_one() {
    let p = narrow();
    assert_eq!(check(&p, tree(), &global("all")), Ok(11));
    assert_eq!(check(&p, tree(), &local("all")), Ok(11));
    assert_eq!(check(&p, tree(), &at_most("everywhere", "1/8")), Ok(11));
    let report =
        in_a_file(&p, &global("all"), Proof::WidthTree(WidthTree { nodes: tree() })).unwrap();
    assert_eq!((report.claims[0].rule, report.claims[0].nodes), (RULE, 11));
    survives(&p, &global("all"));
    let wide = problem(RELU, &["1 0; -1 0", "1 1"], "1 1/4; -1 1/4", &[1, 1]);
    assert!(beats(&p, &wide, scope("all")));
    let below = check(&p, tree(), &at_most("everywhere", "0.1249"));
    assert!(matches!(below, Err(Refusal::WidthTree(WidthTreeError::Leaf { node: 3, .. }))));
    // At width two the first leaf lacks the second neuron.
    let e = fixture_e();
    let error = DualBoundError::Uncovered { neuron: 1, sign: 1 };
    assert_eq!(
        check(&e, tree(), &global("all")),
        Err(WidthTreeError::Leaf { node: 3, error }.into())
    );
}

#[test]
fn equal_neurons_may_be_exchanged_once() {
    // Width 2 of E's data, B = ¼: one leaf for all signs but (−, +).
    let e = fixture_e();
    let plus = || {
        (
            cone(1, &[]),
            vec![
                split(0),
                split(1),
                close(&[1, 1]),
                close(&[1, 0]),
                split(1),
                close(&[0, 1]),
                close(&[0, 0]),
            ],
        )
    };
    let minus = || (cone(-1, &[]), vec![close(&[0, 0])]);
    let whole = |covers| leaf(&[(0, 1), (1, 1)], covers);
    let nodes = |last: WidthNode| {
        vec![
            WidthNode::Output(0),
            whole(vec![plus(), minus()]),
            WidthNode::Output(1),
            last,
            whole(vec![minus()]),
        ]
    };
    let claim = at_most("everywhere", "0.2578");
    assert!(check(&e, nodes(WidthNode::Symmetric(0, 1)), &claim).is_ok());
    let refused =
        |first, second| Err(WidthTreeError::NotSymmetric { node: 3, first, second }.into());
    assert_eq!(check(&e, nodes(WidthNode::Symmetric(1, 0)), &claim), refused(1, 0));
    assert_eq!(check(&e, nodes(WidthNode::Symmetric(0, 0)), &claim), refused(0, 0));
    let none = Err(WidthTreeError::NoSuchNeuron { node: 3, neuron: 2 }.into());
    assert_eq!(check(&e, nodes(WidthNode::Symmetric(0, 2)), &claim), none);
    // Not before both signs are decided, not the other way round, not with other inputs.
    let early =
        vec![WidthNode::Output(0), whole(vec![plus(), minus()]), WidthNode::Symmetric(0, 1)];
    assert_eq!(
        check(&e, early, &claim),
        Err(WidthTreeError::NotSymmetric { node: 2, first: 0, second: 1 }.into())
    );
    let swapped = vec![WidthNode::Output(1), WidthNode::Output(0), WidthNode::Symmetric(0, 1)];
    assert_eq!(
        check(&e, swapped, &claim),
        Err(WidthTreeError::NotSymmetric { node: 2, first: 0, second: 1 }.into())
    );
    let sparse = problem(RELU, &["0 1; . 1", "1 1"], "1 1/4; -1 1/4", &[1, 1]);
    assert_eq!(check(&sparse, nodes(WidthNode::Symmetric(0, 1)), &claim), refused(0, 1));
}

#[test]
fn every_refusal_is_the_expected_one() {
    let p = narrow();
    let at = |nodes: Vec<WidthNode>| check(&p, nodes, &global("all")).unwrap_err();
    assert_eq!(at(vec![]), WidthTreeError::Unfinished(0).into());
    assert_eq!(at(tree()[..6].to_vec()), WidthTreeError::Unfinished(6).into());
    let trailing = [tree(), tree()].concat();
    assert_eq!(at(trailing), WidthTreeError::Trailing(7).into());
    assert_eq!(
        at(vec![WidthNode::Output(1)]),
        WidthTreeError::NoSuchNeuron { node: 0, neuron: 1 }.into()
    );
    assert_eq!(
        at(vec![WidthNode::Split(1, 0)]),
        WidthTreeError::NoSuchNeuron { node: 0, neuron: 1 }.into()
    );
    assert_eq!(
        at(vec![WidthNode::Split(0, 2)]),
        WidthTreeError::NoSuchSample { node: 0, sample: 2 }.into()
    );
    assert_eq!(
        at(vec![WidthNode::Output(0), WidthNode::Output(0)]),
        WidthTreeError::Decided(1).into()
    );
    assert_eq!(
        at(vec![WidthNode::Split(0, 1), WidthNode::Split(0, 1)]),
        WidthTreeError::Decided(1).into()
    );
    // A leaf may not use the sibling's sign, nor forget a sign.
    let mut wrong = tree();
    wrong[4] = leaf(&[(1, 1)], vec![(cone(1, &[(1, 1)]), vec![close(&[0])])]);
    let uncovered = |node, sign| WidthTreeError::Leaf {
        node,
        error: DualBoundError::Uncovered { neuron: 0, sign },
    };
    assert!(matches!(
        at(wrong),
        Refusal::WidthTree(WidthTreeError::Leaf {
            node: 4,
            error: DualBoundError::Cover { cover: 0, error: CoverError::Open { .. } }
        })
    ));
    let mut wrong = tree();
    wrong[5] = leaf(&[(0, 1)], vec![(cone(1, &[(0, -1), (1, 1)]), vec![close(&[0, 0])])]);
    assert_eq!(at(wrong), uncovered(5, 1).into());
    let mut wrong = tree();
    wrong[6] = leaf(&[(0, 1)], vec![]);
    assert_eq!(at(wrong), uncovered(6, -1).into());
    assert_eq!(at(vec![leaf(&[(0, 1)], vec![])]), uncovered(0, 1).into());
    let empty = WidthTreeError::Leaf { node: 0, error: DualBoundError::NoMultipliers };
    assert_eq!(at(vec![leaf(&[], vec![])]), empty.into());
    for region in ["cell", "near:0", "any_width"] {
        let refused = check(&p, tree(), &at_most(region, "1"));
        assert_eq!(refused, Err(WidthTreeError::Region(region.into()).into()));
    }
    let negative = check(&p, tree(), &at_most("everywhere", "-1"));
    assert_eq!(negative, Err(Refusal::Negative("the bound")));
    assert_eq!(
        check(&p, tree(), &local("layer:1")),
        Err(Refusal::Scope { rule: RULE, scope: scope("layer:1") })
    );
    let kkt = Claim::Kkt { scope: scope("all") };
    assert_eq!(check(&p, tree(), &kkt), Err(Refusal::WrongClaim { rule: RULE, kind: "kkt" }));
    let reason = NotTwoLayer::Depth(3);
    assert_eq!(
        check(&fixture_g(RELU), tree(), &global("all")),
        Err(Refusal::Architecture { rule: RULE, reason })
    );
    // Very deep: as many samples as splits.
    let samples = (1..=MAX_OPEN).map(|i| format!("1 {i}")).collect::<Vec<_>>().join("; ");
    let many = problem(RELU, &["0 1", "1"], &samples, &vec![1; MAX_OPEN]);
    let nodes = (0..MAX_OPEN).map(|i| WidthNode::Split(0, i)).collect();
    assert_eq!(
        check(&many, nodes, &global("all")),
        Err(WidthTreeError::TooDeep(MAX_OPEN - 1).into())
    );
}

#[test]
fn near_the_point_a_leaf_needs_only_the_local_cones() {
    // E is a local optimum with ν = 1/8 and not a global one.
    let e = fixture_e();
    let here = || leaf(&[(0, 1), (1, 1)], vec![(cone(1, &[(0, 1), (1, 1)]), vec![close(&[1, 1])])]);
    assert_eq!(check(&e, vec![here()], &local("all")), Ok(2));
    let error = DualBoundError::Uncovered { neuron: 0, sign: 1 };
    let refused = Err(WidthTreeError::Leaf { node: 0, error }.into());
    assert_eq!(check(&e, vec![here()], &global("all")), refused);
    assert_eq!(check(&e, vec![here()], &at_most("everywhere", "1/8")), refused);
    // A sign that the point does not have leaves competitors with a 0 there only.
    let split = vec![WidthNode::Split(0, 0), here(), here()];
    assert!(matches!(
        check(&e, split, &local("all")),
        Err(Refusal::WidthTree(WidthTreeError::Leaf { node: 2, .. }))
    ));
    // Neurons of a neighbourhood may not be exchanged.
    let minus = || leaf(&[(0, 1)], vec![(cone(-1, &[]), vec![close(&[0])])]);
    let exchanged = vec![
        WidthNode::Output(0),
        here(),
        WidthNode::Output(1),
        WidthNode::Symmetric(0, 1),
        minus(),
    ];
    assert_eq!(check(&e, exchanged, &local("all")), Err(WidthTreeError::SymmetricNear(3).into()));
}

#[test]
fn kinks_may_be_divided_with_multipliers_of_their_own() {
    // J: both kinks are concave; with the sides decided the leaves differ in their coefficients.
    let j = fixture_j();
    let lambda = [(0, 5), (1, 5)];
    // x₁ at neuron 0 is fixed, x₂ a kink: coefficients 5, and −5 σ' plus a multiplier of its side.
    let first = |side: i8, a: i64| (cone(1, &[(0, 1), (1, side)]), vec![close(&[5, a])]);
    let second = |side: i8, a: i64| (cone(-1, &[(0, side), (1, 1)]), vec![close(&[a, 5])]);
    let at = |s: i8, a: i64, t: i8, b: i64| leaf(&lambda, vec![first(s, a), second(t, b)]);
    // w₁ = (1,0) = ¼(5 x₁ − 3 x₂) and w₂ = ¼(−3 x₁ + 5 x₂): on the ≥ 0 side −3 = −5 + 2, on the
    // ≤ 0 side −3 = 0 − 3.
    let nodes = vec![
        WidthNode::Split(0, 1),
        WidthNode::Split(1, 0),
        at(1, -3, 1, -3),
        at(1, -3, -1, -3),
        WidthNode::Split(1, 0),
        at(-1, -3, 1, -3),
        at(-1, -3, -1, -3),
    ];
    assert_eq!(check(&j, nodes.clone(), &local("all")), Ok(15));
    let mut wrong = nodes;
    wrong[2] = at(1, -2, 1, -3);
    assert!(matches!(
        check(&j, wrong, &local("all")),
        Err(Refusal::WidthTree(WidthTreeError::Leaf { node: 2, .. }))
    ));
}

/// [`narrow`] with samples `R(±a, b)`, `R` a Pythagorean rotation, and a balanced neuron of any length.
fn planted_at_width_one(a: i64, b: i64, (p, r): (i64, i64), length: i64) -> Problem {
    let norm = p * p + r * r;
    let (cos, sin) = (p * p - r * r, 2 * p * r);
    let rotated = |x: i64, y: i64, d: i64| {
        format!("{}/{} {}/{}", cos * x - sin * y, d * norm, sin * x + cos * y, d * norm)
    };
    let samples = format!("{}; {}", rotated(a, b, 16), rotated(-a, b, 16));
    let layers = [rotated(0, length, 3), format!("{length}/3")];
    problem(RELU, &layers.each_ref().map(String::as_str), &samples, &[1, 1])
}

/// [`tree`] in units that hold T exactly.
fn fine_tree() -> Vec<WidthNode> {
    let mut nodes = tree();
    for node in &mut nodes {
        if let WidthNode::Leaf(leaf) = node {
            leaf.multipliers.units = units("1", "1/1024", "1");
        }
    }
    nodes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn planted_optima_pass_and_mutants_fail(
        a in 1i64..40,
        b in 1i64..40,
        rotation in (1i64..6, 0i64..6),
        length in 1i64..9,
        edits in prop::collection::vec((0usize..4, 0usize..64, 0usize..64), 1..4),
        less in 1i64..1_000_000,
    ) {
        let p = planted_at_width_one(a, b, rotation, length);
        prop_assert_eq!(check(&p, fine_tree(), &global("all")), Ok(11));
        prop_assert_eq!(check(&p, fine_tree(), &local("all")), Ok(11));
        // ν = b/32, and nothing proves less, whatever is done to the tree.
        let exact = Rational::new(b.into(), 32.into());
        prop_assert!(compare(p.gamma().unwrap(), &(&exact * p.network().norm_squared())).is_eq());
        let claim = at_most("everywhere", &format!("{b}/32"));
        let below = at_most("everywhere", &format!("{}/{}", b * less, 32 * (less + 1)));
        prop_assert_eq!(check(&p, fine_tree(), &claim), Ok(11));
        prop_assert!(check(&p, fine_tree(), &below).is_err());
        let mut nodes = fine_tree();
        for (kind, first, second) in edits {
            let (i, j) = (first % nodes.len(), second % nodes.len());
            match kind {
                0 => { nodes.remove(i); }
                1 => { let copy = nodes[i].clone(); nodes.insert(j, copy); }
                2 => nodes.swap(i, j),
                _ => nodes[i] = [WidthNode::Output(0), WidthNode::Split(0, second % 2), WidthNode::Symmetric(0, second % 2)][second % 3].clone(),
            }
            prop_assert!(check(&p, nodes.clone(), &below).is_err());
            if nodes.is_empty() { break }
        }
        // A tree that lacks a node, or has one too many, proves nothing.
        for i in 0..tree().len() {
            let (mut less, mut more) = (fine_tree(), fine_tree());
            let copy = less.remove(i);
            more.insert(i, copy);
            prop_assert!(check(&p, less, &claim).is_err());
            prop_assert!(check(&p, more, &claim).is_err());
        }
    }
}
