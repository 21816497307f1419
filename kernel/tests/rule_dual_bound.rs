//! Rule 3.7 (`dual_bound`).
mod common;

use common::tree::{Naive, dot, fine_units};
use common::*;
use maxmargin_kernel::claim::Claim;
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::{NotClassified, Problem};
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::cover::{CoverError, Item, Node};
use maxmargin_kernel::proof::dual_bound::{
    Cone, Cover, DualBound, DualBoundError, Multipliers, merge,
};
use proptest::prelude::*;
use std::cmp::Ordering;
use std::collections::BTreeSet;

fn refused(proof: &DualBound, problem: &Problem, claim: &Claim) -> DualBoundError {
    match proof.check(problem, claim) {
        Err(Refusal::DualBound(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// Whether the refusal is a leaf of this cover that does not close.
fn is_open(error: &DualBoundError, index: usize) -> bool {
    matches!(error, DualBoundError::Cover { cover, error: CoverError::Open { .. } } if *cover == index)
}

/// Fixture E: both neurons see both samples, vec = (0, 1), T = 1.
fn dual_e() -> DualBound {
    dual(&[(0, 2), (1, 2)], vec![(cone(1, &[(0, 1), (1, 1)]), vec![close(&[2, 2])])])
}

#[test]
fn fixture_e_is_optimal_in_its_cell_and_nearby() {
    let e = fixture_e();
    for region in ["cell", "near:0", "near:0.24"] {
        assert_eq!(dual_e().check(&e, &at_most(region, "1/8")), Ok(1), "{region}");
        let below = refused(&dual_e(), &e, &at_most(region, "0.1249"));
        assert!(is_open(&below, 0), "{below}");
    }
    // Beyond the cosine 1/√17 of its neurons the signs are free, and everywhere anyway.
    for region in ["near:0.25", "everywhere", "any_width"] {
        let uncovered = refused(&dual_e(), &e, &at_most(region, "1/8"));
        assert_eq!(uncovered, DualBoundError::Uncovered { neuron: 0, sign: 1 }, "{region}");
    }
}

#[test]
fn fixture_i_is_globally_optimal_with_t_exactly_1() {
    let i = fixture_i();
    for region in ["cell", "near:0", "everywhere", "any_width"] {
        assert_eq!(dual_i().check(&i, &at_most(region, "1/4")), Ok(8), "{region}");
    }
    assert!(is_open(&refused(&dual_i(), &i, &at_most("everywhere", "0.2499")), 0));
    let mut one_sign = dual_i();
    one_sign.covers.pop();
    assert_eq!(one_sign.check(&i, &at_most("near:1", "1/4")), Ok(7));
    let uncovered = refused(&one_sign, &i, &at_most("everywhere", "1/4"));
    assert_eq!(uncovered, DualBoundError::Uncovered { neuron: 0, sign: -1 });
}

#[test]
fn fixture_j_closes_with_slopes_at_concave_kinks() {
    let j = fixture_j();
    let leaf = |slope: i64| {
        let plus = vec![split(0), close(&[5, -slope]), close(&[0, 0])];
        let minus = vec![split(1), close(&[-slope, 5]), close(&[0, 0])];
        let quarter = units("1/4", "1/1000", "1/1000");
        dual_in(quarter, &[(0, 5), (1, 5)], vec![(cone(1, &[]), plus), (cone(-1, &[]), minus)])
    };
    for region in ["cell", "near:0", "everywhere", "any_width"] {
        assert_eq!(leaf(3).check(&j, &at_most(region, "1/5")), Ok(6), "{region}");
        for slope in [0, 2, 4, 5] {
            assert!(is_open(&refused(&leaf(slope), &j, &at_most(region, "1/5")), 0), "{slope}");
        }
    }
}

/// The bound 1/2 of fixture C, on each of the two inputs.
fn dual_c(supports: &[usize]) -> DualBound {
    let mut covers = Vec::new();
    for &input in supports {
        for sign in [1, -1] {
            let cone = Cone { sign, inputs: Some(vec![input]), fixed: vec![] };
            covers.push((cone, vec![close(&[i64::from(sign)])]));
        }
    }
    dual(&[(0, 1)], covers)
}

#[test]
fn structural_zeros_need_a_cover_of_every_support() {
    let c = fixture_c();
    for region in ["everywhere", "any_width"] {
        assert_eq!(dual_c(&[0, 1]).check(&c, &at_most(region, "1/2")), Ok(4));
        let uncovered = refused(&dual_c(&[0]), &c, &at_most(region, "1/2"));
        assert_eq!(uncovered, DualBoundError::Uncovered { neuron: 1, sign: 1 });
        // A cover of all inputs serves both, but |x| = √2 there.
        let mut all = dual_c(&[0]);
        all.covers.iter_mut().for_each(|c| c.cone.inputs = None);
        assert!(is_open(&refused(&all, &c, &at_most(region, "0.7")), 0));
        assert_eq!(all.check(&c, &at_most(region, "0.708")), Ok(2));
    }
}

#[test]
fn a_support_that_only_dead_neurons_read_counts() {
    // Neurons as in E on inputs {0, 1} and a dead one on {2}: a cover of {2} alone proves nothing.
    let p = problem(RELU, &["0 1 .; 0 1 .; . . 0", "1 1 0"], "1 1/4 1/8; -1 1/4 1/8", &[1, 1]);
    let third = |sign| {
        let b = if sign > 0 { 2 } else { 0 };
        (Cone { sign, inputs: Some(vec![2]), fixed: vec![] }, vec![close(&[b, b])])
    };
    let proof = dual(&[(0, 2), (1, 2)], vec![third(1), third(-1)]);
    let uncovered = refused(&proof, &p, &at_most("everywhere", "1/8"));
    assert_eq!(uncovered, DualBoundError::Uncovered { neuron: 0, sign: 1 });
    // The dead neuron may take either sign near θ as well.
    let mut near = dual_e();
    near.covers[0].cone.inputs = Some(vec![0, 1]);
    let uncovered = refused(&near, &p, &at_most("near:0", "1/8"));
    assert_eq!(uncovered, DualBoundError::Uncovered { neuron: 2, sign: 1 });
}

#[test]
fn a_leaf_is_not_closed_by_a_sample_that_is_zero_on_its_inputs() {
    // Sample 1 is zero on input 0, where g is σ(w·x₀).
    let p = problem(RELU, &["1 .; . 1", "1 1"], "1 0; 0 1", &[1, 1]);
    for a in [-1000, -1, 0, 1, 1000] {
        let cone = Cone { sign: 1, inputs: Some(vec![0]), fixed: vec![(0, 1), (1, -1)] };
        let proof = dual(&[(0, 1), (1, 1)], vec![(cone, vec![close(&[1, a])])]);
        let error = refused(&proof, &p, &at_most("cell", "0.2499"));
        assert!(is_open(&error, 0), "{a}: {error}");
    }
}

#[test]
fn the_bound_with_fixed_output_signs_is_true() {
    let covers = vec![
        (cone(1, &[(0, 1), (1, 1)]), vec![close(&[5, 3])]),
        (cone(-1, &[(0, -1), (1, 1)]), vec![close(&[0, 4])]),
        (cone(-1, &[(0, 1), (1, -1)]), vec![close(&[0, 0])]),
    ];
    let proof = dual_in(units("1/4", "1/1000", "1/1000"), &[(0, 5), (1, 4)], covers);
    assert_eq!(proof.check(&fixed_output_signs(), &at_most("near:0", "2/9")), Ok(3));
    // With the sign of v₂ free its cone would need a cover with s = 1 that does not exist.
    let everywhere = refused(&proof, &fixed_output_signs(), &at_most("near:1", "2/9"));
    assert_eq!(everywhere, DualBoundError::Uncovered { neuron: 0, sign: 1 });
}

#[test]
fn a_frozen_cone_without_interior_does_not_close() {
    let p = frozen_line();
    let fixed = [(0, 1), (1, -1), (2, -1)];
    for leaf in [close(&[1, 1, 1]), close(&[0, 1, 1]), close(&[1, -1, -1]), close(&[0, 0, 0])] {
        let proof = dual(&[(0, 1)], vec![(cone(1, &fixed), vec![leaf])]);
        assert!(is_open(&refused(&proof, &p, &at_most("cell", "0")), 0));
    }
    for item in 0..3 {
        let proof = dual(&[(0, 1)], vec![(cone(1, &fixed), vec![empty(item)])]);
        let error = CoverError::NotEmpty { node: 0, item };
        let expected = DualBoundError::Cover { cover: 0, error };
        assert_eq!(refused(&proof, &p, &at_most("cell", "0")), expected);
    }
}

#[test]
fn a_cover_must_fix_only_signs_that_competitors_keep() {
    // w·x₁ = 0 at θ: fixed to ≤ 0 in the cell, free in `near 0`.
    let p = problem(RELU, &["1 0; 1 1", "1 1"], "1 0; 0 1", &[1, 1]);
    let covers = vec![
        (cone(1, &[(0, 1), (1, -1)]), vec![close(&[1, 0])]),
        (cone(1, &[(0, 1), (1, 1)]), vec![close(&[1, 1])]),
    ];
    let proof = dual(&[(0, 1), (1, 1)], covers);
    assert_eq!(proof.check(&p, &at_most("cell", "0.36")), Ok(2));
    let uncovered = refused(&proof, &p, &at_most("near:0", "0.36"));
    assert_eq!(uncovered, DualBoundError::Uncovered { neuron: 0, sign: 1 });
    // And never the opposite of what θ has.
    let turned = dual(
        &[(0, 1), (1, 1)],
        vec![(cone(1, &[(0, -1)]), vec![split(1), close(&[0, 1]), close(&[0, 0])])],
    );
    let uncovered = refused(&turned, &p, &at_most("cell", "0.36"));
    assert_eq!(uncovered, DualBoundError::Uncovered { neuron: 0, sign: 1 });
}

#[test]
fn every_refusal_is_the_expected_one() {
    let e = fixture_e();
    let claim = at_most("near:0", "1/8");
    let with = |change: fn(&mut DualBound)| {
        let mut proof = dual_e();
        change(&mut proof);
        refused(&proof, &e, &claim)
    };
    let samples =
        |list: &str, found| DualBoundError::Samples { list: list.into(), count: 2, found };
    let cover = |error| DualBoundError::Cover { cover: 0, error };
    let inputs = |found| DualBoundError::Inputs { cover: 0, count: 2, found };
    let cases = [
        (with(|p| p.multipliers.lambda.clear()), DualBoundError::NoMultipliers),
        (with(|p| p.multipliers.lambda[1].1 = 0), DualBoundError::NotPositive(1)),
        (with(|p| p.multipliers.lambda[0].1 = -2), DualBoundError::NotPositive(0)),
        (with(|p| p.multipliers.lambda[0].1 = i64::MIN), DualBoundError::NotPositive(0)),
        (with(|p| p.multipliers.lambda[1].0 = 0), samples("λ", 0)),
        (with(|p| p.multipliers.lambda.reverse()), samples("λ", 0)),
        (with(|p| p.multipliers.lambda[1].0 = 2), samples("λ", 2)),
        (with(|p| p.covers[0].cone.fixed[1].0 = 0), samples("cover 0", 0)),
        (with(|p| p.covers[0].cone.fixed[1].0 = 7), samples("cover 0", 7)),
        (with(|p| p.covers[0].cone.inputs = Some(vec![1, 0])), inputs(0)),
        (with(|p| p.covers[0].cone.inputs = Some(vec![0, 0])), inputs(0)),
        (with(|p| p.covers[0].cone.inputs = Some(vec![0, 1, 2])), inputs(2)),
        (with(|p| p.covers[0].cone.sign = 0), DualBoundError::Sign(0)),
        (with(|p| p.covers[0].cone.sign = 2), DualBoundError::Sign(0)),
        (with(|p| p.covers[0].cone.sign = i8::MIN), DualBoundError::Sign(0)),
        (with(|p| p.covers[0].cone.fixed[0].1 = i8::MIN), DualBoundError::Sign(0)),
        (with(|p| p.covers[0].cone.fixed[0].1 = 0), DualBoundError::Sign(0)),
        (with(|p| p.covers[0].cone.sign = -1), DualBoundError::Uncovered { neuron: 0, sign: 1 }),
        (with(|p| p.covers.clear()), DualBoundError::Uncovered { neuron: 0, sign: 1 }),
        (
            with(|p| p.covers[0].cone.inputs = Some(vec![1])),
            DualBoundError::Uncovered { neuron: 0, sign: 1 },
        ),
        (with(|p| p.multipliers.units.a = n("0")), cover(CoverError::Unit("a"))),
        (with(|p| p.multipliers.units.a = n("-1")), cover(CoverError::Unit("a"))),
        (with(|p| p.multipliers.units.z = n("-1/1000")), cover(CoverError::Unit("z"))),
        (with(|p| p.covers[0].nodes.clear()), cover(CoverError::Unfinished(0))),
        (with(|p| p.covers[0].nodes.push(&empty(0))), cover(CoverError::Trailing(1))),
    ];
    let mut names = BTreeSet::new();
    for (found, expected) in &cases {
        assert_eq!(found, expected);
        names.insert(match found {
            DualBoundError::NoMultipliers => "NoMultipliers",
            DualBoundError::NotPositive(_) => "NotPositive",
            DualBoundError::Samples { .. } => "Samples",
            DualBoundError::Inputs { .. } => "Inputs",
            DualBoundError::Sign(_) => "Sign",
            DualBoundError::Uncovered { .. } => "Uncovered",
            DualBoundError::Cover { .. } => "Cover",
        });
    }
    assert_eq!(names.len(), 7, "{names:?}");

    let foreign = [at_least("cell", "0"), residual("0", "1", "0", "0")];
    let check = |p: &Problem, c: &Claim| dual_e().check(p, c).map(|_| ());
    refuses_foreign_claims("dual_bound", &foreign, claim, check);
    let negative = dual_e().check(&e, &at_most("cell", "-1/8"));
    assert_eq!(negative, Err(Refusal::Negative("the bound")));
    for (p, reason) in not_two_layer() {
        let refusal = dual_e().check(&p, &at_most("everywhere", "9"));
        assert_eq!(refusal, Err(Refusal::Architecture { rule: "dual_bound", reason }));
    }
    // A network without neurons has margin 0, so that no bound over no neurons is vacuously true.
    let none = problem(RELU, &["0 1; 0 1", ". ."], "1 1/4; -1 1/4", &[1, 1]);
    let zero = NotClassified { sample: 0, margin: q("0") };
    assert_eq!(check(&none, &at_most("everywhere", "0")), Err(Refusal::NotClassified(zero)));
}

/// A random two-layer network with its data, in small integers; `None` is a structural zero.
#[derive(Clone, Debug)]
struct Tiny {
    slope: i64,
    w: Vec<Vec<Option<i64>>>,
    v: Vec<i64>,
    x: Vec<Vec<i64>>,
    labels: Vec<i64>,
}

impl Tiny {
    fn problem(&self) -> Problem {
        let entry = |e: &Option<i64>| e.map_or(".".to_string(), |e| e.to_string());
        let grid = |rows: Vec<Vec<String>>| {
            rows.iter().map(|r| r.join(" ")).collect::<Vec<_>>().join("; ")
        };
        let w = grid(self.w.iter().map(|r| r.iter().map(entry).collect()).collect());
        let v = grid(vec![self.v.iter().map(i64::to_string).collect()]);
        let x = grid(self.x.iter().map(|r| r.iter().map(i64::to_string).collect()).collect());
        problem(&format!("{{\"leaky_relu\": \"{}/4\"}}", self.slope), &[&w, &v], &x, &self.labels)
    }

    /// `ν` of other weights, in floats; structural zeros are taken from θ.
    fn nu(&self, w: &[Vec<f64>], v: &[f64]) -> f64 {
        let alpha = self.slope as f64 / 4.0;
        let f = |x: &[f64]| -> f64 {
            let unit = |w: &Vec<f64>| {
                let z = dot(w, x);
                z.max(alpha * z)
            };
            w.iter().zip(v).map(|(w, v)| v * unit(w)).sum()
        };
        let margins = self
            .x
            .iter()
            .zip(&self.labels)
            .map(|(x, y)| *y as f64 * f(&x.iter().map(|c| *c as f64).collect::<Vec<_>>()));
        let norm: f64 = w.iter().map(|w| dot(w, w)).sum::<f64>() + dot(v, v);
        margins.fold(f64::INFINITY, f64::min) / norm
    }

    /// The weak sign of neuron `j` at sample `i` over the region; `None` if free.
    fn sign(&self, region: &str, j: usize, i: usize) -> Option<Ordering> {
        let w: Vec<i64> = self.w[j].iter().map(|e| e.unwrap_or(0)).collect();
        let on = |c: usize| self.w[j][c].is_some();
        let x: Vec<i64> =
            self.x[i].iter().enumerate().map(|(c, x)| if on(c) { *x } else { 0 }).collect();
        let product = |a: &[i64], b: &[i64]| -> i64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        let z = product(&w, &x);
        match region {
            "cell" => Some(if z > 0 { Ordering::Greater } else { Ordering::Less }),
            "near:1/4" if 16 * z * z > product(&w, &w) * product(&x, &x) => Some(z.cmp(&0)),
            _ => None,
        }
    }
}

fn tiny() -> impl Strategy<Value = Tiny> {
    (1usize..4, 1usize..4, 1usize..5, 0i64..=4).prop_flat_map(|(d, width, count, slope)| {
        let entry = prop_oneof![5 => (-4i64..=4).prop_map(Some), 1 => Just(None)];
        let w = prop::collection::vec(prop::collection::vec(entry, d), width);
        let v = prop::collection::vec(-3i64..=3, width);
        let x = prop::collection::vec(prop::collection::vec(-4i64..=4, d), count);
        (w, v, x).prop_map(move |(w, v, x)| {
            // Labels that θ gets right.
            let mut tiny = Tiny { slope, w, v, x, labels: vec![] };
            let weights: Vec<Vec<f64>> =
                tiny.w.iter().map(|r| r.iter().map(|e| e.unwrap_or(0) as f64).collect()).collect();
            let v: Vec<f64> = tiny.v.iter().map(|v| *v as f64).collect();
            let alone = |x: &Vec<i64>| {
                Tiny { x: vec![x.clone()], labels: vec![1], ..tiny.clone() }.nu(&weights, &v)
            };
            tiny.labels = tiny.x.iter().map(|x| if alone(x) > 0.0 { 1 } else { -1 }).collect();
            tiny
        })
    })
}

/// Covers for every neuron and sign that the region allows, and the largest T they need.
fn naive_covers(
    tiny: &Tiny,
    problem: &Problem,
    region: &str,
    lambda: &[(usize, i64)],
    unit: &Rational,
) -> (Vec<Cover>, f64) {
    let (mut covers, mut t) = (Vec::new(), 0f64);
    for j in 0..tiny.w.len() {
        let inputs: Vec<usize> = (0..tiny.w[j].len()).filter(|&c| tiny.w[j][c].is_some()).collect();
        let fixed: Vec<(usize, i8)> = (0..tiny.x.len())
            .filter_map(|i| {
                tiny.sign(region, j, i).map(|s| (i, if s == Ordering::Greater { 1 } else { -1 }))
            })
            .collect();
        for sign in [1i8, -1] {
            if region != "everywhere" && tiny.v[j] * i64::from(sign) < 0 {
                continue;
            }
            let item = |(i, lambda, fixed): (usize, i64, Option<i8>)| Item {
                x: problem.data().restricted(i, &inputs),
                b: lambda * tiny.labels[i] * i64::from(sign),
                fixed: fixed.map(|tau| tau.cmp(&0)),
            };
            let items: Vec<Item> = merge(lambda, &fixed).into_iter().map(item).collect();
            let (nodes, needed) = Naive::new(&items, problem.activation().slope(), unit).cover();
            t = t.max(needed);
            covers.push(Cover {
                cone: Cone { sign, inputs: Some(inputs.clone()), fixed: fixed.clone() },
                nodes: nodes.into_iter().collect(),
            });
        }
    }
    (covers, t)
}

/// The best ν found from θ by random steps that stay in the region.
fn best_competitor(tiny: &Tiny, region: &str, steps: &[f64]) -> f64 {
    let mut w: Vec<Vec<f64>> =
        tiny.w.iter().map(|r| r.iter().map(|e| e.unwrap_or(0) as f64).collect()).collect();
    let mut v: Vec<f64> = tiny.v.iter().map(|v| *v as f64).collect();
    let inside = |w: &[Vec<f64>], v: &[f64]| {
        region == "everywhere"
            || (0..w.len()).all(|j| {
                v[j] * tiny.v[j] as f64 >= 0.0
                    && (0..tiny.x.len()).all(|i| {
                        let z: f64 = w[j].iter().zip(&tiny.x[i]).map(|(w, x)| w * *x as f64).sum();
                        match tiny.sign(region, j, i) {
                            Some(Ordering::Greater) => z >= 0.0,
                            Some(_) => z <= 0.0,
                            None => true,
                        }
                    })
            })
    };
    let mut best = tiny.nu(&w, &v);
    let mut steps = steps.iter().cycle();
    let mut size = 4.0;
    for round in 0..400 {
        let (mut w2, mut v2) = (w.clone(), v.clone());
        for (j, row) in w2.iter_mut().enumerate() {
            for (c, e) in row.iter_mut().enumerate().filter(|(c, _)| tiny.w[j][*c].is_some()) {
                *e += size * steps.next().unwrap() * f64::from(u8::from((round + c) % 3 != 0));
            }
            v2[j] += size * steps.next().unwrap();
        }
        if inside(&w2, &v2) && tiny.nu(&w2, &v2) > best {
            best = tiny.nu(&w2, &v2);
            (w, v) = (w2, v2);
        } else {
            size = (size * 0.97f64).max(1e-3);
        }
    }
    best
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, max_global_rejects: 100_000, ..Default::default() })]

    /// Naive proofs are accepted at the bound they give; no competitor found by hill climbing in
    /// the region exceeds an accepted bound, and no change of the proof lowers it past one.
    #[test]
    fn accepted_bounds_hold_in_their_region(
        tiny in tiny(),
        region in prop::sample::select(vec!["cell", "near:1/4", "everywhere"]),
        lambda in prop::collection::vec(0i64..400, 4),
        steps in prop::collection::vec(-1.0f64..1.0, 997),
        (cover, node, entry, by) in (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<prop::sample::Index>(), -200i64..200),
        factor in 0.5f64..1.0,
    ) {
        prop_assume!(tiny.x.iter().all(|x| x.iter().any(|c| *c != 0)));
        let problem = tiny.problem();
        prop_assume!(problem.gamma().is_ok());
        let unit = q("1/100");
        let lambda: Vec<(usize, i64)> = lambda.into_iter().take(tiny.x.len()).enumerate().filter(|(_, l)| *l > 0).collect();
        prop_assume!(!lambda.is_empty());
        let (covers, t) = naive_covers(&tiny, &problem, region, &lambda, &unit);
        let sum: i64 = lambda.iter().map(|(_, l)| l).sum();
        let bound = t / (sum as f64 / 100.0 * 2.0) * (1.0 + 1e-9) + 1e-9;
        let proof = DualBound { multipliers: Multipliers { units: fine_units(&unit), lambda }, covers };
        let claim = |b: f64| at_most(region, &Rational::from_float(b).unwrap().to_string());
        let outcome = proof.check(&problem, &claim(bound));
        prop_assert!(outcome.is_ok(), "{:?}", outcome);
        let best = best_competitor(&tiny, region, &steps);
        prop_assert!(best <= bound + 1e-7, "{} > {}", best, bound);
        prop_assert!(best <= 0.0 || proof.check(&problem, &claim(best * 0.999)).is_err());

        let mut mutated = proof;
        let cover = cover.index(mutated.covers.len());
        let mut nodes: Vec<Node> = mutated.covers[cover].nodes.iter().collect();
        let node = node.index(nodes.len());
        match &mut nodes[node] {
            Node::Close(leaf) if !leaf.close.is_empty() => { let e = entry.index(leaf.close.len()); leaf.close[e] += by; }
            _ => { nodes.remove(node); }
        }
        mutated.covers[cover].nodes = nodes.into_iter().collect();
        for b in [bound, bound * factor] {
            prop_assert!(mutated.check(&problem, &claim(b)).is_err() || best <= b + 1e-7);
        }
    }
}
