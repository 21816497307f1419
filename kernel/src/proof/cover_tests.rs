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
    Units { a: a.into(), z: z.into(), tau: tau.into(), x: None }
}

/// Unit 1 for coefficients, 1/1000 for ranges and multipliers.
fn plain() -> Units {
    units(rational(1, 1), rational(1, 1000), rational(1, 1000))
}

/// The least integer that bounds an item on a range, against its values on a grid that holds every
/// integer and every vertex.
#[test]
fn the_largest_value_of_an_item_is_rounded_up_and_no_further() {
    let ranges = || (-3i64..=3).flat_map(|l| (l..=3).map(move |h| (l, h)));
    for (p, q) in [(0i64, 1i64), (1, 1), (1, 2), (2, 3)] {
        for (a, b) in (-3i64..=3).flat_map(|a| (-3i64..=3).map(move |b| (a, b))) {
            for (d, range) in (0i64..=2).flat_map(|d| ranges().map(move |range| (d, range))) {
                // z = k/parts; values times q·parts².
                let parts = (2 * q * d * d).max(1);
                let value = |k: i64| {
                    let slope = if k > 0 { q } else { p };
                    (b * slope - q * a) * k * parts - q * d * d * k * k
                };
                let most = (range.0 * parts..=range.1 * parts).map(value).max().unwrap();
                let expected = i128::from(Integer::div_ceil(&most, &(parts * parts)));
                let found = largest::<i128>(&p.into(), &q.into(), a, b, d, range);
                assert_eq!(found, Some(expected), "{p}/{q}, a {a}, b {b}, d {d}, {range:?}");
                let big = largest::<BigInt>(&p.into(), &q.into(), a, b, d, range);
                assert_eq!(big, Some(expected.into()));
            }
        }
    }
}

fn split(item: usize) -> Node {
    Node::Split(Split { split: item })
}

fn close(a: &[i64]) -> Node {
    Node::Close(Close { close: a.to_vec(), times: 1 })
}

fn close_times(a: &[i64], times: i64) -> Node {
    Node::Close(Close { close: a.to_vec(), times })
}

fn parabolas(a: &[i64], roots: &[(usize, i64)], kappa: i64) -> Node {
    let (quadratic, roots) = (a.to_vec(), roots.to_vec());
    Node::Quadratic(Quadratic { quadratic, times: 1, roots, kappa })
}

fn empty(item: usize) -> Node {
    Node::Empty(Empty { empty: item })
}

fn tighten(a: &[i64], upper: &[(usize, i64, i64)], lower: &[(usize, i64, i64)]) -> Node {
    Node::Tighten(Tighten {
        tighten: a.to_vec(),
        times: 1,
        upper: upper.to_vec(),
        lower: lower.to_vec(),
    })
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
fn a_common_factor_multiplies_the_coefficients() {
    let leaves = [[1, 1], [1, 0], [0, 1], [0, 0]];
    let [pp, pm, mp, mm] = leaves.map(|a| close_times(&a, 10));
    let nodes = [split(0), split(1), pp, pm, split(1), mp, mm];
    assert_eq!(relu(&mirror(10), 10, &nodes), Ok(7));
    let refused = run(&mirror(10), &plain(), &rational(0, 1), &rational(9999, 1000), &nodes);
    assert!(matches!(refused, Err(CoverError::Open { node: 3, .. })), "{refused:?}");
    // In a round too, and a factor of 1 is not written.
    let items = [item(&[(1, 1), (0, 1)], 4, Some(Ordering::Greater))];
    let round = |times, end| {
        let t = Tighten { tighten: vec![2], times, upper: vec![], lower: vec![(0, 500, end)] };
        run(&items, &plain(), &rational(0, 1), &rational(2, 1), &[Node::Tighten(t), close(&[4])])
    };
    // l ≤ τH − |x − τ vec| = 2τ − |1 − 4τ| = 0 with τ = 1/2.
    assert_eq!(round(2, 0).unwrap_err(), CoverError::Open { node: 1, excess: "1.0e0 of T".into() });
    assert_eq!(round(2, 1), Err(CoverError::NotTighter { node: 0, item: 0 }));
    let text = |node: &Node| serde_json::to_string(node).unwrap();
    assert_eq!(text(&close(&[1, 2])), r#"{"close":[1,2]}"#);
    assert_eq!(text(&close_times(&[1, 2], 10)), r#"{"close":[1,2],"times":10}"#);
    let back: Node = serde_json::from_str(r#"{"close":[1,2],"times":10}"#).unwrap();
    assert_eq!(back, close_times(&[1, 2], 10));
}

/// σ(w₁) + σ(w₂), of maximum √2, in units that make β = d²/10⁴.
#[test]
fn a_quadratic_leaf_closes_at_the_maximum_of_its_quadratic() {
    let fine = units(rational(1, 1_000_000), rational(1, 100), rational(1, 1));
    let items =
        [item(&[(1, 1), (0, 1)], 1_000_000, None), item(&[(0, 1), (1, 1)], 1_000_000, None)];
    let with = |t: i64, root: i64, kappa: i64| {
        let leaf = parabolas(&[500_000, 500_000], &[(0, root), (1, root)], kappa);
        run(&items, &fine, &rational(0, 1), &rational(t, 10_000), &[leaf])
    };
    // With β = 0.36: K = 0.3472, κ = 0.36 + √½/2, maximum 1.41442.
    let kappa = |t: f64| (0.713_55 / t * f64::from(1 << 20)) as i64;
    assert_eq!(with(14_146, 60, kappa(1.4146)), Ok(1));
    assert_eq!(with(14_143, 60, kappa(1.4143)), Err(CoverError::NotDefinite { node: 0 }));
    for root in 1..200 {
        for kappa in (0..1 << 20).step_by(1 << 14) {
            assert!(with(14_142, root, kappa).is_err(), "{root} {kappa}");
        }
    }
    // κ ≤ β: the form is not definite, whatever T is.
    assert!(with(20_000, 60, (0.3599 / 2.0 * f64::from(1 << 20)) as i64).is_err());
    assert_eq!(with(20_000, 60, (0.8 / 2.0 * f64::from(1 << 20)) as i64), Ok(1));
}

/// Without parabolas the leaf asks κs ≥ |vec|²/4: at best `|vec| + K ≤ T`.
#[test]
fn a_quadratic_leaf_without_parabolas_is_a_weak_linear_one() {
    let items = [item(&[(3, 1), (4, 1)], 1000, None)];
    let with = |t: i64, kappa: i64| {
        run(&items, &plain(), &rational(1, 1), &rational(t, 1), &[parabolas(&[1000], &[], kappa)])
    };
    assert_eq!(with(5001, 1 << 19), Ok(1));
    assert_eq!(with(4999, 1 << 19), Err(CoverError::NotDefinite { node: 0 }));
    assert_eq!(with(5001, 1 << 18), Err(CoverError::NotDefinite { node: 0 }));
    assert_eq!(with(5001, 3 << 19), Err(CoverError::NotDefinite { node: 0 }));
    assert_eq!(with(-1, 1), Err(CoverError::Kappa { node: 0 }));
    assert_eq!(with(0, 1), Err(CoverError::Kappa { node: 0 }));
    let zero = [item(&[(0, 1)], 1000, None)];
    let leaf = parabolas(&[i64::MAX], &[(0, i64::MAX)], 1 << 19);
    assert_eq!(
        run(&zero, &plain(), &rational(0, 1), &rational(1, 1), &[leaf]),
        Err(CoverError::NotDefinite { node: 0 })
    );
    let leaf = parabolas(&[0], &[(0, 1)], 1 << 19);
    assert_eq!(run(&zero, &plain(), &rational(0, 1), &rational(1, 1), &[leaf]), Ok(1));
}

#[test]
fn rounded_samples_lose_what_rounding_moved() {
    // x = 1.3 is rounded to 1: |x̂| = 1, η = 3/10, T − bη = 1.3 − 0.3 = 1.
    let with = |x: (i64, i64), fixed, t: (i64, i64), nodes: &[Node]| {
        let rounded = Units { x: Some(rational(1, 1).into()), ..plain() };
        run(&[item(&[x], 1, fixed)], &rounded, &rational(0, 1), &rational(t.0, t.1), nodes)
    };
    let greater = Some(Ordering::Greater);
    assert_eq!(
        with((13, 10), greater, (13, 10), &[close(&[1])]),
        Err(CoverError::Open { node: 0, excess: "3.0e-1 of T".into() })
    );
    // The range is [−0.3, 1]: the secant has the constant 0.3·1/1.3 = 0.2307….
    let chord = |t| {
        let fine = Units { a: rational(1, 1000).into(), x: Some(rational(1, 1).into()), ..plain() };
        let items = [item(&[(13, 10)], 1000, greater)];
        run(&items, &fine, &rational(0, 1), &rational(t, 1000), &[close(&[770])])
    };
    assert_eq!(chord(1302), Ok(1));
    assert!(matches!(chord(1299), Err(CoverError::Open { .. })));
    // Its true maximum 1.3 stays the least provable T, whatever the leaf.
    for a in -2..3 {
        assert!(
            with((13, 10), greater, (12999, 10_000), &[split(0), close(&[a]), close(&[0])])
                .is_err()
        );
    }
    assert_eq!(with((13, 10), greater, (13, 10), &[split(0), close(&[1]), close(&[0])]), Ok(3));
    // Ends of the first ranges, rounded outwards: ½ goes up, −½ too.
    let root = |x: (i64, i64), fixed| {
        let rounded = Units { x: Some(rational(1, 1).into()), ..plain() };
        let (slope, t) = (rational(0, 1), rational(5, 1));
        CoverChecker::new(&[item(&[x], 1, fixed)], &rounded, &slope, &t).unwrap().open
    };
    assert_eq!(root((5, 2), greater), vec![vec![(-500, 3000)]]);
    assert_eq!(root((-5, 2), Some(Ordering::Less)), vec![vec![(-2000, 500)]]);
    assert_eq!(root((1, 3), greater), vec![vec![(0, 0)]]);
    assert_eq!(root((20_001, 10_000), Some(Ordering::Less)), vec![vec![(-2000, 1)]]);
    // T may vanish below 0: then nothing closes.
    assert!(with((1, 3), None, (1, 4), &[close(&[0])]).is_err());
    assert_eq!(with((1, 3), None, (1, 3), &[close(&[0])]), Ok(1));
    let zero = Units { x: Some(rational(0, 1).into()), ..plain() };
    let refused = run(&[], &zero, &rational(0, 1), &rational(1, 1), &[]);
    assert_eq!(refused, Err(CoverError::Unit("x")));
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
        CoverError::Times { .. } => "Times",
        CoverError::Open { .. } => "Open",
        CoverError::Root { .. } => "Root",
        CoverError::Kappa { .. } => "Kappa",
        CoverError::NotDefinite { .. } => "NotDefinite",
        CoverError::NegativeMultiplier { .. } => "NegativeMultiplier",
        CoverError::NotTighter { .. } => "NotTighter",
        CoverError::NotEmpty { .. } => "NotEmpty",
        CoverError::Unfinished(_) => "Unfinished",
        CoverError::Trailing(_) => "Trailing",
        CoverError::Work(_) => "Work",
    }
}
const VARIANTS: usize = 17;

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
    // Entries of 4001 bits.
    let fine = Rational::new(1.into(), BigInt::one() << 4000);
    let fine = Units { x: Some(Number(fine)), ..plain() };
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
        (
            CoverChecker::new(&many[..2000], &fine, &rational(0, 1), &one).unwrap_err(),
            CoverError::Work(2 * 2000 * 2000 * (63 * 63 + 32)),
        ),
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
        (with(&[close_times(&[1, 1], 0)]), CoverError::Times { node: 0, times: 0 }),
        (with(&[close_times(&[1, 1], -1)]), CoverError::Times { node: 0, times: -1 }),
        (with(&[close_times(&[i64::MAX, 1], 2)]), CoverError::Times { node: 0, times: 2 }),
        (with(&[parabolas(&[1, 1], &[(2, 1)], 1)]), CoverError::NoSuchItem { node: 0, item: 2 }),
        (with(&[parabolas(&[1, 1], &[(1, 0)], 1)]), CoverError::Root { node: 0, item: 1 }),
        (with(&[parabolas(&[1, 1], &[(1, -3)], 1)]), CoverError::Root { node: 0, item: 1 }),
        (with(&[parabolas(&[1, 1], &[(1, 1), (0, 1)], 1)]), CoverError::Root { node: 0, item: 0 }),
        (with(&[parabolas(&[1, 1], &[(1, 1), (1, 1)], 1)]), CoverError::Root { node: 0, item: 1 }),
        (with(&[parabolas(&[1, 1], &[], 0)]), CoverError::Kappa { node: 0 }),
        (with(&[parabolas(&[1, 1], &[], -5)]), CoverError::Kappa { node: 0 }),
        (with(&[parabolas(&[1, 1], &[], 1 << 19)]), CoverError::NotDefinite { node: 0 }),
        (
            with(&[parabolas(&[1], &[], 1)]),
            CoverError::Coefficients { node: 0, found: 1, expected: 2 },
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
        self.accepts_rounded(t, nodes, None)
    }

    fn accepts_rounded(&self, t: f64, nodes: &[Node], x: Option<Rational>) -> bool {
        let t = Rational::from_float(t).unwrap();
        let units = Units { x: x.map(Into::into), ..fine_units(&rational(1, UNIT)) };
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
            // Rounded samples give the same bound, loosened.
            for unit in [rational(1, 7), rational(1, 1_000_000)] {
                for level in [lower, t, 1.1 * t, 2.0 * t] {
                    let unit = Some(unit.clone());
                    prop_assert!(!case.accepts_rounded(level, tree, unit) || largest <= level + FLOAT);
                }
            }
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

    /// Quadratic leaves under a few splits, with all kinds of items and parabolas: whatever is accepted
    /// holds for every sampled direction; with enough T something is.
    #[test]
    fn accepted_quadratics_are_never_exceeded(
        case in cases(),
        a in prop::collection::vec((0i64..5, -300i64..300), 8),
        roots in prop::collection::vec((any::<bool>(), 1i64..400), 8),
        splits in prop::collection::vec(0usize..8, 0..3),
        x in prop::sample::select(vec![None, Some(rational(1, 5)), Some(rational(1, 1000))]),
    ) {
        let naive = case.naive();
        let n = case.items.len();
        let slope = naive.slope;
        let b = |i: usize| case.items[i].b;
        // Slopes in the middle of the kink, or near the ends, or anything.
        let choose = |i: usize| match a[i].0 {
            0 => b(i),
            1 => (slope * b(i) as f64) as i64,
            2 => a[i].1,
            _ => ((1.0 + slope) / 2.0 * b(i) as f64) as i64,
        };
        let chosen = roots.iter().take(n).enumerate().filter(|(_, root)| root.0);
        let roots: Vec<(usize, i64)> = chosen.map(|(i, root)| (i, root.1)).collect();
        // Units in which a parabola is d²/10⁴: coefficients are 10⁴ times as long.
        let mut items = case.items.clone();
        items.iter_mut().for_each(|item| item.b *= 10_000);
        let units = units(rational(1, 1_000_000), rational(1, 100), rational(1, 1));
        let units = Units { x: x.map(Into::into), ..units };
        let coefficients: Vec<i64> = (0..n).map(|i| 10_000 * choose(i)).collect();
        let largest = sampled(&naive, &[]);
        let splits: Vec<usize> = splits.into_iter().map(|i| i % n).collect();
        let mut accepted = 0;
        for level in [0.0, 0.5, 0.9, 0.99, 0.9999, 1.01, 1.1, 1.3, 2.0, 4.0, 1e3, 1e6] {
            let t = level * largest.max(0.01);
            for kappa in [1 << 10, 1 << 17, 1 << 18, 3 << 17, 1 << 19, 5 << 17, 3 << 18, 1 << 20] {
                // A comb of splits with the same leaf everywhere.
                let leaf = parabolas(&coefficients, &roots, kappa);
                let comb = splits.iter().flat_map(|i| [split(*i), leaf.clone()]);
                let nodes: Vec<Node> = comb.chain([leaf.clone()]).collect();
                let exact = Rational::from_float(t).unwrap();
                if run(&items, &units, &case.slope, &exact, &nodes).is_ok() {
                    accepted += 1;
                    prop_assert!(largest <= t + FLOAT, "{largest} > {t}: {nodes:?}");
                }
            }
        }
        prop_assert!(accepted > 0);
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
        let roots: Vec<_> = rows.iter().map(|r| if r.4 % 3 == 0 { narrow(r.3, r.4).max(0) } else { 0 }).collect();
        let slow: BigInt = checker.constant(&a, &roots, &ranges).unwrap();
        if let Some(fast) = checker.constant::<i128>(&a, &roots, &ranges) {
            prop_assert_eq!(BigInt::from(fast), slow);
        }
    }
}
