use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use tree::{Naive, dot, fine_units};

#[path = "../../tests/common/tree.rs"]
mod tree;

fn rational(n: i64, d: i64) -> Rational {
    Rational::new(n.into(), d.into())
}

fn item(x: &[(i64, i64)], b: i64, fixed: Option<Ordering>) -> Item {
    let entries: Vec<_> = x.iter().map(|&(n, d)| rational(n, d)).collect();
    Item { x: ScaledVec::from_rationals(&entries), b, fixed }
}

fn units(a: Rational, z: Rational, tau: Rational) -> Units {
    Units { a: a.into(), z: z.into(), tau: tau.into() }
}

/// Unit 1 for coefficients, 1/1000 for ranges and multipliers.
fn plain() -> Units {
    units(rational(1, 1), rational(1, 1000), rational(1, 1000))
}

fn split(item: usize) -> Node {
    Node::Split(Split { split: item })
}

fn close(a: &[i64]) -> Node {
    Node::Close(Close { close: a.to_vec() })
}

fn empty(item: usize) -> Node {
    Node::Empty(Empty { empty: item })
}

fn tighten(a: &[i64], upper: &[(usize, i64, i64)], lower: &[(usize, i64, i64)]) -> Node {
    Node::Tighten(Tighten { tighten: a.to_vec(), upper: upper.to_vec(), lower: lower.to_vec() })
}

fn run(
    items: &[Item],
    units: &Units,
    slope: &Rational,
    t: &Rational,
    nodes: &[Node],
) -> Result<usize, CoverError> {
    let mut checker = CoverChecker::new(items, units, slope, t)?;
    for node in nodes {
        checker.node(node)?;
    }
    checker.finish()
}

/// ReLU with the plain units.
fn relu(items: &[Item], t: i64, nodes: &[Node]) -> Result<usize, CoverError> {
    run(items, &plain(), &rational(0, 1), &rational(t, 1), nodes)
}

/// The two samples of fixture I, both with coefficient `b`.
fn mirror(b: i64) -> Vec<Item> {
    vec![item(&[(12, 13), (5, 13)], b, None), item(&[(-12, 13), (5, 13)], b, None)]
}

/// Leaves ++, +−, −+, −− of [`mirror`].
fn four_leaves(leaves: [[i64; 2]; 4]) -> Vec<Node> {
    let [pp, pm, mp, mm] = leaves.map(|a| close(&a));
    vec![split(0), split(1), pp, pm, split(1), mp, mm]
}

#[test]
fn closes_at_exactly_t_and_not_below() {
    let nodes = four_leaves([[1, 1], [1, 0], [0, 1], [0, 0]]);
    assert_eq!(relu(&mirror(1), 1, &nodes), Ok(7));
    let below = rational(999, 1000);
    let refused = run(&mirror(1), &plain(), &rational(0, 1), &below, &nodes);
    assert!(matches!(refused, Err(CoverError::Open { node: 3, .. })), "{refused:?}");
    // The grid rounds T down, never up: 0.9999 is 0.999 in units of 1/1000.
    let between = rational(9999, 10_000);
    let refused = run(&mirror(1), &plain(), &rational(0, 1), &between, &nodes);
    assert!(matches!(refused, Err(CoverError::Open { node: 3, .. })), "{refused:?}");
}

#[test]
fn first_ranges_are_rounded_outwards() {
    let length = |x: &[(i64, i64)], unit: Rational| {
        let units = units(rational(1, 1), unit, rational(1, 1));
        let items = [item(x, 1, None), item(x, 1, Some(Ordering::Less))];
        let t = rational(1, 1);
        let checker = CoverChecker::new(&items, &units, &rational(0, 1), &t).unwrap();
        let [open, below] = checker.open[0][..] else { panic!() };
        assert_eq!((open.0, below), (-open.1, (-open.1, 0)));
        open.1
    };
    let root_two = [(1, 1), (1, 1)];
    assert_eq!(length(&root_two, rational(1, 1)), 2);
    assert_eq!(length(&root_two, rational(1, 10)), 15);
    assert_eq!(length(&root_two, rational(3, 2)), 1);
    assert_eq!(length(&root_two, rational(3, 1)), 1);
    assert_eq!(length(&[(5, 1)], rational(2, 1)), 3);
    assert_eq!(length(&[(3, 7), (4, 7)], rational(5, 7)), 1);
    assert_eq!(length(&[(3, 7), (4, 7)], rational(1, 7)), 5);
    assert_eq!(length(&[(0, 1)], rational(1, 7)), 0);
}

#[test]
fn concave_terms_need_no_branching() {
    assert_eq!(relu(&mirror(-1), 0, &[close(&[0, 0])]), Ok(1));
    // A slope outside [α, 1] costs a constant: b σ(z) − a z = −σ(z) + 2z reaches 1 at z = 1.
    let refused = relu(&mirror(-1), 0, &[close(&[-2, 0])]);
    assert!(matches!(refused, Err(CoverError::Open { node: 0, .. })), "{refused:?}");
}

#[test]
fn multipliers_help_only_on_their_side() {
    let x = [(1, 1), (0, 1)];
    let with = |fixed, a: i64| {
        let items = [item(&x, 1, None), item(&x, 0, fixed)];
        relu(&items, 0, &[split(0), close(&[1, a]), close(&[0, 0])])
    };
    // w·x ≤ 0 known: σ(w·x) ≤ (w·x) − (w·x).
    assert_eq!(with(Some(Ordering::Less), -1), Ok(3));
    assert!(matches!(with(Some(Ordering::Greater), -1), Err(CoverError::Open { node: 1, .. })));
    assert!(matches!(with(None, -1), Err(CoverError::Open { node: 1, .. })));
}

#[test]
fn a_sample_that_is_zero_here_closes_nothing() {
    let greater = Some(Ordering::Greater);
    let items = [item(&[(1, 1)], 1, greater), item(&[(0, 1)], 1, greater)];
    for a in [-1_000_000, -1, 0, 1, 1_000_000] {
        let refused = relu(&items, 0, &[close(&[1, a])]);
        assert!(matches!(refused, Err(CoverError::Open { node: 0, .. })), "{a}: {refused:?}");
        assert_eq!(relu(&items, 1, &[close(&[1, a])]), Ok(1), "{a}");
    }
    assert_eq!(relu(&items, 0, &[empty(1)]), Err(CoverError::NotEmpty { node: 0, item: 1 }));
}

#[test]
fn a_cone_without_interior_is_not_empty() {
    // {w·x₂ ≤ 0, w·x₃ ≤ 0} with x₃ = −x₂ is a line, and σ(w·x₁) = 1 on it.
    let less = Some(Ordering::Less);
    let items = [
        item(&[(0, 1), (1, 1)], 1, Some(Ordering::Greater)),
        item(&[(1, 1), (0, 1)], 0, less),
        item(&[(-1, 1), (0, 1)], 0, less),
    ];
    for leaf in [close(&[0, 1, 1]), close(&[1, -1, -1]), close(&[1, 1, 1]), close(&[0, 0, 0])] {
        let refused = relu(&items, 0, std::slice::from_ref(&leaf));
        assert!(matches!(refused, Err(CoverError::Open { node: 0, .. })), "{leaf:?}");
    }
    for i in 0..3 {
        let refused = relu(&items, 0, &[empty(i)]);
        assert_eq!(refused, Err(CoverError::NotEmpty { node: 0, item: i }));
    }
    assert_eq!(relu(&items, 1, &[close(&[1, 0, 0])]), Ok(1));
}

#[test]
fn a_round_may_empty_a_range() {
    // σ(w·x) > 3/2 needs w·x > 3/2 > |x|: the round raises the lower end past the upper.
    let items = [item(&[(1, 1), (0, 1)], 1, Some(Ordering::Greater))];
    let t = rational(3, 2);
    let with = |end| {
        let nodes = [tighten(&[1], &[], &[(0, 1000, end)]), empty(0)];
        run(&items, &plain(), &rational(0, 1), &t, &nodes)
    };
    // l ≤ τH − |x − τ vec| = 3/2 with τ = 1.
    assert_eq!(with(1500), Ok(2));
    assert_eq!(with(1501), Err(CoverError::NotTighter { node: 0, item: 0 }));
    assert_eq!(with(1000), Err(CoverError::NotEmpty { node: 1, item: 0 }));
}

#[test]
fn a_round_is_inherited_and_never_leaks_to_a_sibling() {
    // T = 1/2: where w·x ≥ 0 is known, a violator of σ(w·x) ≤ 1/2 has w·x > 1/2.
    let x = [(1, 1), (0, 1)];
    let items = [item(&x, 1, None), item(&x, 0, None)];
    let (slope, t) = (rational(0, 1), rational(1, 2));
    let mut checker = CoverChecker::new(&items, &plain(), &slope, &t).unwrap();
    let mut node = |node: Node| checker.node(&node).map(|()| checker.open.clone());
    let sibling = vec![(-1000, 0), (-1000, 1000)];
    let round = tighten(&[1, 0], &[], &[(1, 1000, 500)]);
    node(split(0)).unwrap();
    assert_eq!(node(round), Ok(vec![sibling.clone(), vec![(0, 1000), (500, 1000)]]));
    let (plus, minus) = (vec![(0, 1000), (500, 1000)], vec![(0, 1000), (500, 0)]);
    assert_eq!(node(split(1)), Ok(vec![sibling.clone(), minus, plus]));
    assert_eq!(node(empty(1)), Err(CoverError::NotEmpty { node: 3, item: 1 }));
    assert_eq!(node(empty(1)), Ok(vec![sibling]));
    assert_eq!(node(close(&[0, 0])), Ok(vec![]));
}

/// Every variant of [`CoverError`], by name; a new variant does not compile without a case below.
fn name(error: &CoverError) -> &'static str {
    match error {
        CoverError::Unit(_) => "Unit",
        CoverError::TooManyItems(_) => "TooManyItems",
        CoverError::TooDeep(_) => "TooDeep",
        CoverError::Range(_) => "Range",
        CoverError::NoSuchItem { .. } => "NoSuchItem",
        CoverError::Coefficients { .. } => "Coefficients",
        CoverError::Open { .. } => "Open",
        CoverError::NegativeMultiplier { .. } => "NegativeMultiplier",
        CoverError::NotTighter { .. } => "NotTighter",
        CoverError::NotEmpty { .. } => "NotEmpty",
        CoverError::Unfinished(_) => "Unfinished",
        CoverError::Trailing(_) => "Trailing",
    }
}
const VARIANTS: usize = 12;

#[test]
fn every_refusal_is_the_expected_one() {
    let items = mirror(1);
    let one = rational(1, 1);
    let in_units = |a: i64, z: i64, tau: i64| {
        let u = units(rational(a, 1), rational(z, 1), rational(tau, 1));
        run(&items, &u, &rational(0, 1), &one, &[]).unwrap_err()
    };
    let with = |nodes: &[Node]| relu(&items, 1, nodes).unwrap_err();
    let many = vec![items[0].clone(); MAX_ITEMS + 1];
    let tiny = units(one.clone(), Rational::new(1.into(), BigInt::one() << 64), one.clone());
    let deep = {
        let wide = vec![item(&[(1, 1)], 1, None); 2048];
        let mut checker = CoverChecker::new(&wide, &plain(), &rational(0, 1), &one).unwrap();
        let most = MAX_RANGES / wide.len() - 1;
        (0..most).for_each(|_| checker.node(&split(0)).unwrap());
        (checker.node(&split(0)).unwrap_err(), CoverError::TooDeep(most))
    };
    let cases = [
        (in_units(0, 1, 1), CoverError::Unit("a")),
        (in_units(1, -1, 1), CoverError::Unit("z")),
        (in_units(1, 1, 0), CoverError::Unit("tau")),
        (relu(&many, 1, &[]).unwrap_err(), CoverError::TooManyItems(MAX_ITEMS + 1)),
        deep,
        (run(&items, &tiny, &rational(0, 1), &one, &[]).unwrap_err(), CoverError::Range(0)),
        (with(&[split(2)]), CoverError::NoSuchItem { node: 0, item: 2 }),
        (with(&[empty(2)]), CoverError::NoSuchItem { node: 0, item: 2 }),
        (
            with(&[split(0), tighten(&[1, 1], &[(2, 0, 0)], &[])]),
            CoverError::NoSuchItem { node: 1, item: 2 },
        ),
        (
            with(&[tighten(&[1, 1], &[], &[(usize::MAX, 0, 0)])]),
            CoverError::NoSuchItem { node: 0, item: usize::MAX },
        ),
        (with(&[close(&[1])]), CoverError::Coefficients { node: 0, found: 1, expected: 2 }),
        (
            with(&[tighten(&[1, 0, 0], &[], &[])]),
            CoverError::Coefficients { node: 0, found: 3, expected: 2 },
        ),
        (with(&[close(&[0, 0])]), CoverError::Open { node: 0, excess: "1.0e0 of T".into() }),
        (
            with(&[tighten(&[1, 1], &[(1, -1, 0)], &[])]),
            CoverError::NegativeMultiplier { node: 0, item: 1 },
        ),
        (
            // With τ = 0 the end is |x| = 1 and nothing better.
            with(&[tighten(&[1, 1], &[(1, 0, 999)], &[])]),
            CoverError::NotTighter { node: 0, item: 1 },
        ),
        (
            with(&[tighten(&[1, 1], &[], &[(0, 0, -999)])]),
            CoverError::NotTighter { node: 0, item: 0 },
        ),
        (with(&[split(0), empty(0)]), CoverError::NotEmpty { node: 1, item: 0 }),
        (with(&[]), CoverError::Unfinished(0)),
        (with(&[split(0), split(1), close(&[1, 1])]), CoverError::Unfinished(3)),
        (
            relu(&items, 2, &[close(&[1, 1]), close(&[1, 1])]).map(|_| ()).unwrap_err(),
            CoverError::Open { node: 0, excess: String::new() },
        ),
        (relu(&mirror(-1), 0, &[close(&[0, 0]), empty(0)]).unwrap_err(), CoverError::Trailing(1)),
    ];
    let mut names = BTreeSet::new();
    for (found, expected) in &cases {
        match (found, expected) {
            (CoverError::Open { node: a, .. }, CoverError::Open { node: b, .. }) => {
                assert_eq!(a, b)
            }
            _ => assert_eq!(found, expected),
        }
        assert!(!found.to_string().is_empty());
        names.insert(name(found));
    }
    assert_eq!(names.len(), VARIANTS, "{names:?}");
}

#[test]
fn extreme_integers_neither_overflow_nor_prove() {
    for a in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX] {
        for b in [1, i64::MAX] {
            let items = [item(&[(1, 1), (0, 1)], b, None)];
            for z in [rational(1, 1), rational(1, i64::MAX)] {
                let u = units(rational(1, 1), z, rational(1, 1));
                let leaf = run(&items, &u, &rational(1, 3), &rational(0, 1), &[close(&[a])]);
                assert!(matches!(leaf, Err(CoverError::Open { .. })), "{a} {b}");
                for end in [i64::MIN, i64::MAX] {
                    for tau in [0, i64::MAX] {
                        // Far outside the range these are true and useless, inside they are refused.
                        let nodes = [tighten(&[a], &[(0, tau, end)], &[(0, tau, end)]), empty(0)];
                        let verdict = run(&items, &u, &rational(1, 3), &rational(0, 1), &nodes);
                        assert!(verdict.is_err(), "{a} {b} {end} {tau}");
                    }
                }
            }
        }
    }
}

/// Unit vectors of dimension `d`, deterministic and spread out, and the given directions.
fn directions(d: usize, extra: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let angle = |k: usize| (k as f64) * 0.013;
    let raw: Vec<Vec<f64>> = match d {
        1 => vec![vec![1.0], vec![-1.0]],
        2 => (0..484).map(|k| vec![angle(k).cos(), angle(k).sin()]).collect(),
        _ => (0..900)
            .map(|k| {
                let z = (k as f64 + 0.5) / 450.0 - 1.0;
                let (phi, r) = (k as f64 * 2.399_963, (1.0 - z * z).sqrt());
                vec![r * phi.cos(), r * phi.sin(), z]
            })
            .collect(),
    };
    let mut all: Vec<Vec<f64>> = raw.into_iter().chain(extra.iter().cloned()).collect();
    for w in &mut all {
        let length = dot(w, w).sqrt();
        w.iter_mut().for_each(|c| *c /= length);
    }
    all.retain(|w| w.iter().all(|c| c.is_finite()));
    all
}

/// The largest sampled value of `Σ b_i σ(w·x_i)` on the cone.
fn sampled(naive: &Naive, nodes: &[Node]) -> f64 {
    let d = naive.x[0].len();
    let mut extra = naive.x.clone();
    for node in nodes {
        if let Node::Close(leaf) = node {
            extra.push(naive.vec(&leaf.close).0);
        }
    }
    let all = directions(d, &extra);
    all.iter().filter(|w| naive.contains(w)).map(|w| naive.value(w)).fold(0.0, f64::max)
}

#[derive(Clone, Debug)]
struct Case {
    items: Vec<Item>,
    slope: Rational,
}

fn cases() -> impl Strategy<Value = Case> {
    (1usize..4, 0i64..=4).prop_flat_map(|(d, slope)| {
        let x = prop::collection::vec((-6i64..=6, 1i64..3), d);
        let fixed = prop::sample::select(vec![
            None,
            None,
            None,
            Some(Ordering::Greater),
            Some(Ordering::Less),
        ]);
        let one = (x, -900i64..900, fixed).prop_map(|(x, b, fixed)| item(&x, b, fixed));
        let items = prop::collection::vec(one, 1..8);
        items.prop_map(move |items| Case { items, slope: rational(slope, 4) })
    })
}

const UNIT: i64 = 100;
/// Tolerance of float samples against exact bounds.
const FLOAT: f64 = 1e-6;

impl Case {
    fn naive(&self) -> Naive {
        Naive::new(&self.items, &self.slope, &rational(1, UNIT))
    }

    fn accepts(&self, t: f64, nodes: &[Node]) -> bool {
        let t = Rational::from_float(t).unwrap();
        let units = fine_units(&rational(1, UNIT));
        run(&self.items, &units, &self.slope, &t, nodes).is_ok()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Naive trees are accepted at their T, where no sample exceeds it; below the largest sample
    /// no variation of the tree is.
    #[test]
    fn accepted_bounds_are_never_exceeded(
        case in cases(),
        change in (any::<prop::sample::Index>(), any::<prop::sample::Index>(), -40i64..40),
        factor in 0.3f64..1.0,
    ) {
        let naive = case.naive();
        let (nodes, t) = naive.cover();
        prop_assert!(case.accepts(t, &nodes), "t = {t}");
        let largest = sampled(&naive, &nodes);
        prop_assert!(largest <= t + FLOAT, "{largest} > {t}");

        let (at, entry, by) = change;
        let mut mutated = nodes.clone();
        let at = at.index(mutated.len());
        match &mut mutated[at] {
            Node::Close(leaf) => {
                let entry = entry.index(leaf.close.len());
                leaf.close[entry] += by;
            }
            _ => { mutated.remove(at); }
        }
        for tree in [&nodes, &mutated] {
            let lower = t * factor;
            prop_assert!(!case.accepts(lower, tree) || largest <= lower + FLOAT);
            prop_assert!(!case.accepts(t, tree) || largest <= t + FLOAT);
        }
    }

    /// Rounds that follow are accepted, and what they exclude holds no violator.
    #[test]
    fn rounds_keep_all_violators(
        case in cases(),
        a in prop::collection::vec(-900i64..900, 8),
        tau in 0.0f64..2.0,
        level in 0.2f64..1.2,
        cut in 1i64..1_000_000_000,
        at in any::<prop::sample::Index>(),
    ) {
        let naive = case.naive();
        let (nodes, t) = naive.cover();
        let t = t * level;
        let round = naive.round(&a[..case.items.len()], tau, t);
        let units = fine_units(&rational(1, UNIT));
        let exact = Rational::from_float(t).unwrap();
        let start = || CoverChecker::new(&case.items, &units, &case.slope, &exact).unwrap();
        let mut checker = start();
        prop_assert_eq!(checker.node(&Node::Tighten(round.clone())), Ok(()));

        // One end moved inwards: refused, or still valid for every sampled violator.
        let mut sharper = round;
        let i = at.index(case.items.len());
        sharper.upper[i].2 -= cut;
        let mut second = start();
        let kept = match second.node(&Node::Tighten(sharper)) { Ok(()) => vec![&checker, &second], Err(_) => vec![&checker] };
        let unit_z = 1.0 / f64::from(1 << 30);
        for checker in kept {
            let ranges = checker.open.last().unwrap();
            for w in directions(naive.x[0].len(), &naive.x) {
                if !naive.contains(&w) || naive.value(&w) <= t + FLOAT { continue; }
                for (x, &(l, h)) in naive.x.iter().zip(ranges) {
                    let z = dot(&w, x);
                    prop_assert!(l as f64 * unit_z <= z + FLOAT && z <= h as f64 * unit_z + FLOAT);
                }
            }
        }
        // With the round at the root the tree still proves only true bounds.
        let mut with_round = vec![Node::Tighten(naive.round(&a[..case.items.len()], tau, t))];
        with_round.extend(nodes.iter().cloned());
        prop_assert!(!case.accepts(t, &with_round) || sampled(&naive, &nodes) <= t + FLOAT);
    }

    /// The two ways to compute the constants agree wherever the fast one answers.
    #[test]
    fn constants_agree(
        rows in prop::collection::vec((any::<i64>(), any::<i64>(), any::<i64>(), any::<i64>(), 0u32..64), 1..6),
        p in 0i64..5,
    ) {
        let narrow = |v: i64, by: u32| v >> by;
        let items: Vec<_> = rows.iter().map(|r| item(&[(1, 1)], narrow(r.1, r.4), None)).collect();
        let a: Vec<_> = rows.iter().map(|r| narrow(r.0, r.4)).collect();
        let ranges: Ranges = rows.iter().map(|r| (narrow(r.2, r.4).min(r.3), narrow(r.2, r.4).max(r.3))).collect();
        let checker = CoverChecker::new(&items, &plain(), &rational(p, 4), &rational(1, 1)).unwrap();
        let slow = checker.constant_big(&a, &ranges);
        if let Some(fast) = checker.constant_i128(&a, &ranges) {
            prop_assert_eq!(BigInt::from(fast), slow);
        }
    }
}
