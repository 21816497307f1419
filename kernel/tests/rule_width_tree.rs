//! The end of rule 3.7 (`width_tree`).
mod common;
#[path = "common/exact.rs"]
mod exact;

use common::*;
use exact::*;
use maxmargin_kernel::certificate::Proof;
use maxmargin_kernel::claim::Claim;
use maxmargin_kernel::network::NotTwoLayer;
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::cover::{CoverError, Node};
use maxmargin_kernel::proof::dual_bound::{Cone, DualBoundError};
use maxmargin_kernel::proof::width_tree::{Leaf, MAX_OPEN, WidthNode, WidthTree, WidthTreeError};

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
