//! Random small two-layer problems: `certify` ends, its certificate verifies, and no competitor
//! that a certified bound speaks of, found by force, beats that bound.
use maxmargin::certify::{Request, bytes, certify};
use maxmargin_kernel::claim::{Claim, Number, Region};
use maxmargin_kernel::network::{NetworkJson, TwoLayer};
use maxmargin_kernel::number::{BigInt, Rational};
use maxmargin_kernel::problem::{DataJson, Problem};
use num_traits::{Signed, ToPrimitive, Zero};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use std::cmp::Ordering;

/// A problem in quarters; `None` is a structural zero.
#[derive(Clone, Debug)]
struct Case {
    slope: &'static str,
    w: Vec<Vec<Option<i32>>>,
    v: Vec<Option<i32>>,
    x: Vec<Vec<i32>>,
    seed: u64,
}

fn cases() -> impl Strategy<Value = Case> {
    (1usize..=3, 1usize..=3, 1usize..=5).prop_flat_map(|(d, width, n)| {
        let weight = prop_oneof![
            1 => Just(None),
            2 => Just(Some(0)),
            9 => (-8i32..=8).prop_map(Some),
        ];
        let row = prop::collection::vec(weight.clone(), d);
        let sample = prop::collection::vec(-4i32..=4, d);
        (
            prop::sample::select(vec!["0", "1/2", "1"]),
            prop::collection::vec(row, width),
            prop::collection::vec(weight, width),
            prop::collection::vec(sample, n),
            any::<bool>(),
            any::<u64>(),
        )
            .prop_map(|(slope, w, v, mut x, twice, seed)| {
                if twice {
                    x.push(x[0].clone());
                }
                Case { slope, w, v, x, seed }
            })
    })
}

impl Case {
    fn network(&self) -> NetworkJson {
        let quarters = |e: &Option<i32>| e.map(|e| format!("{e}/4"));
        let row = |r: &Vec<Option<i32>>| r.iter().map(quarters).collect::<Vec<_>>();
        let json = serde_json::json!({
            "activation": match self.slope {
                "0" => serde_json::json!("relu"),
                "1" => serde_json::json!("linear"),
                slope => serde_json::json!({"leaky_relu": slope}),
            },
            "layers": [
                {"weights": self.w.iter().map(row).collect::<Vec<_>>()},
                {"weights": [row(&self.v)]},
            ],
        });
        serde_json::from_value(json).unwrap()
    }

    /// The problem with the labels that the network gives; samples where it is 0 are left out.
    fn problem(&self) -> Option<Problem> {
        let network = self.network().to_network().ok()?;
        let kept: Vec<&Vec<i32>> = self.x.iter().filter(|x| x.iter().any(|e| *e != 0)).collect();
        let text = |x: &&Vec<i32>| x.iter().map(i32::to_string).collect::<Vec<_>>();
        let data = |x: &[&Vec<i32>], y: &[i64]| {
            let json = serde_json::json!({"x": x.iter().map(text).collect::<Vec<_>>(), "y": y});
            serde_json::from_value::<DataJson>(json).unwrap().to_data().ok()
        };
        let all = Problem::new(network.clone(), data(&kept, &vec![1; kept.len()])?).ok()?;
        let values = all.margins().values();
        let pairs = kept.into_iter().zip(values).filter(|(_, q)| !q.is_zero());
        let (x, y): (Vec<_>, Vec<_>) =
            pairs.map(|(x, q)| (x, if q.is_positive() { 1 } else { -1 })).unzip();
        Problem::new(network, data(&x, &y)?).ok()
    }
}

fn ratio(n: i64, d: i64) -> Rational {
    Rational::new(n.into(), d.into())
}

fn request() -> Request {
    let near = |n, d| Region::Near(Number(ratio(n, d)));
    let brackets = vec![Region::Cell, near(0, 1), near(1, 4), Region::Everywhere, Region::AnyWidth];
    Request {
        brackets,
        residual: Some((ratio(1, 10), ratio(1, 100))),
        residual_asked: true,
        gap: 1e-6,
        ..Request::default()
    }
}

/// Floats of all parameters: `w` row by row, then `v`, and which of them exist.
fn parameters(problem: &Problem) -> Vec<f64> {
    let layers = problem.network().layers().iter();
    layers.flat_map(|l| l.parameters().to_rationals()).map(|v| v.to_f64().unwrap()).collect()
}

/// The same problem at other parameters, taken to a grid.
fn moved(problem: &Problem, theta: &[f64]) -> Problem {
    let mut rest = theta;
    let layers = problem.network().layers().iter().map(|l| {
        let (now, later) = rest.split_at(l.parameters().len());
        rest = later;
        let grid: Vec<f64> = now.iter().map(|v| (v * 4096.0).round() / 4096.0).collect();
        l.with_parameters(maxmargin_kernel::number::ScaledVec::from_f64s(&grid).unwrap()).unwrap()
    });
    let layers = layers.collect();
    let network =
        maxmargin_kernel::network::Network::new(problem.activation().clone(), layers).unwrap();
    Problem::new(network, problem.data().clone()).unwrap()
}

/// Whether θ' is a competitor, by the words of the claim; deliberately not the kernel's code.
fn inside(problem: &Problem, there: &Problem, region: &Region) -> bool {
    let delta = match region {
        Region::Everywhere | Region::AnyWidth => return true,
        Region::Cell => None,
        Region::Near(delta) => Some(&delta.0),
    };
    let here = TwoLayer::new(problem.network()).unwrap().neurons;
    let after = TwoLayer::new(there.network()).unwrap().neurons;
    let agree = |a: &Rational, b: &Rational| !(a * b).is_negative();
    here.iter().zip(&after).all(|(a, b)| {
        agree(&a.v1(), &b.v1())
            && (0..problem.data().len()).all(|i| {
                let x = problem.data().restricted(i, &a.inputs);
                let (z, then) = (a.w.dot(&x), b.w.dot(&x));
                let lengths = a.w.norm_squared() * x.norm_squared();
                let free = delta.is_some_and(|d| &z * &z <= lengths * d * d);
                let kept = if z.is_positive() { !then.is_negative() } else { !then.is_positive() };
                free || kept
            })
    })
}

/// Networks near and far, better and worse: from θ by steps of all sizes, kept where they pay.
fn competitors(problem: &Problem, seed: u64) -> Vec<Problem> {
    let mut rng = Pcg64::seed_from_u64(seed);
    let start = parameters(problem);
    let mut found = Vec::new();
    let nu = |p: &Problem| p.normalised_margin().map_or(0.0, |(low, _)| low.to_f64().unwrap());
    for restart in 0..4 {
        let mut theta = start.clone();
        if restart > 1 {
            theta.iter_mut().for_each(|t| *t = rng.random_range(-2.0..2.0));
        }
        let mut best = nu(&moved(problem, &theta));
        for _ in 0..60 {
            let size = 10f64.powf(rng.random_range(-3.0..0.3));
            let step = |t: &f64| t + size * rng.random_range(-1.0..1.0);
            let next: Vec<f64> = theta.iter().map(step).collect();
            let there = moved(problem, &next);
            let value = nu(&there);
            if value >= best {
                (theta, best) = (next, value);
            }
            if value > 0.0 {
                found.push(there);
            }
        }
    }
    found
}

/// The certified upper bounds with their regions.
fn upper_bounds(claims: impl Iterator<Item = Claim>) -> Vec<(Region, Rational)> {
    let bound = |claim| match claim {
        Claim::MarginAtMost { region, bound, .. } => Some((region, bound.0)),
        _ => None,
    };
    claims.filter_map(bound).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_competitor_beats_a_certified_bound(case in cases()) {
        let Some(problem) = case.problem() else { return Ok(()) };
        prop_assert!(problem.gamma().is_ok());
        let request = request();
        let outcome = certify(&problem, &request, &|_| ());
        prop_assert!(!outcome.limit, "took too long");
        prop_assert!(outcome.undecided.is_empty(), "{:?}", outcome.undecided);
        let (_, report) = bytes(&problem, outcome.entries.clone(), true).unwrap();
        prop_assert_eq!(report.claims.len(), outcome.entries.len());
        for bracket in &outcome.brackets {
            if let Some(high) = &bracket.at_most {
                prop_assert!(bracket.at_least <= *high, "{:?}", bracket);
                // The best point of a cell is a convex program, if no sign is left open.
                let close = &bracket.at_least * ratio(1_000_001, 1_000_000);
                let tight = bracket.region == Region::Cell && !case.v.contains(&Some(0));
                prop_assert!(!tight || *high <= close, "{:?}", bracket);
            }
        }
        // A region with an attained margin and an upper bound: exactly in order, in every region.
        let uppers = upper_bounds(outcome.entries.iter().map(|e| e.claim.clone()));
        prop_assert!(uppers.iter().any(|(r, _)| *r == Region::AnyWidth));
        for entry in &outcome.entries {
            if let Claim::MarginAtLeast { region, bound, .. } = &entry.claim {
                for (_, high) in uppers.iter().filter(|(r, _)| r == region) {
                    prop_assert!(bound.0 <= *high);
                }
            }
        }
        for there in competitors(&problem, case.seed) {
            for (region, high) in &uppers {
                let beats = there.compare_normalised_margin(high) == Some(Ordering::Greater);
                prop_assert!(!(beats && inside(&problem, &there, region)), "{region}: {:?}", there.network());
            }
        }
    }
}

#[test]
fn the_oracle_sees_a_bound_that_is_too_low() {
    // Two samples, two neurons in the wrong cells: ν = 1/8 here, 1/4 everywhere.
    let case = Case {
        slope: "0",
        w: vec![vec![Some(0), Some(4)]; 2],
        v: vec![Some(4); 2],
        x: vec![vec![4, 1], vec![-4, 1]],
        seed: 1,
    };
    let problem = case.problem().unwrap();
    let half = Rational::new(BigInt::from(1), BigInt::from(2));
    assert_eq!(problem.normalised_margin().unwrap().0, half);
    let above = ratio(11, 20);
    let found = competitors(&problem, 1);
    let beats = |p: &&Problem| p.compare_normalised_margin(&above) == Some(Ordering::Greater);
    assert!(found.iter().filter(beats).count() > 0);
}
