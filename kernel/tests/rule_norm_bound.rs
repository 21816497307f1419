//! Rule 3.10 (`norm_bound`).
mod common;

use common::*;
use maxmargin_kernel::network::Network;
use maxmargin_kernel::number::{Rational, compare};
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::norm_bound::{NormBound, NormBoundError};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn by(samples: &[usize]) -> NormBound {
    NormBound { samples: samples.to_vec() }
}

fn accepts(problem: &Problem, samples: &[usize], region: &str, bound: &str) -> bool {
    match by(samples).check(problem, &at_most(region, bound)) {
        Ok(()) => true,
        Err(Refusal::NormBound(NormBoundError::TooSmall { .. })) => false,
        Err(other) => panic!("{other}"),
    }
}

/// The bound is accepted, and the next smaller of its denomination is not.
fn exactly(problem: &Problem, samples: &[usize], bound: &str, below: &str) {
    for region in ["cell", "near:1/2", "everywhere"] {
        assert!(accepts(problem, samples, region, bound), "{bound} in {region}");
        assert!(!accepts(problem, samples, region, below), "{below} in {region}");
    }
}

#[test]
fn one_sample_by_its_length() {
    // Fixture E: |x|² = 17/16, so ν ≤ ½·√17/4 ≈ 0.51539.
    exactly(&fixture_e(), &[0], "0.5154", "0.5153");
    // Depth 1: ν ≤ |x|, attained.
    exactly(&problem(LINEAR, &["3 4"], "3 4", &[1]), &[0], "5", "4.99");
    // Depth 3: 3^{-3/2}·5 ≈ 0.96225.
    exactly(&problem(RELU, &["1 0", "1", "1"], "3 4", &[1]), &[0], "0.9623", "0.9622");
}

#[test]
fn two_samples_by_half_their_distance() {
    let apart = problem(LINEAR, &["1 0", "1"], "3 4; -3 4", &[1, -1]);
    exactly(&apart, &[0, 1], "3/2", "1.4999");
    exactly(&apart, &[1, 0], "3/2", "1.4999");
}

#[test]
fn classes_need_the_root_of_two() {
    // W = (1; −1) at x = 1 has ν = √2 at depth 1: a bound of 1 would be false.
    let two = problem(LINEAR, &["1; -1"], "1", &[0]);
    assert!(two.compare_normalised_margin(&q("1.4142")).unwrap().is_gt());
    exactly(&two, &[0], "1.4143", "1.4142");
}

#[test]
fn shared_weights_count_every_use() {
    // Two patches (3,−1), (−1,3), one filter: |x|² = 20, each filter weight used twice.
    let shared = fixture_f();
    assert!(shared.network().has_sharing());
    // ½·√20·√2 = √10 ≈ 3.16228.
    exactly(&shared, &[0], "3.1623", "3.1622");
    let refused = by(&[0]).check(&shared, &at_most("any_width", "100"));
    assert_eq!(refused, Err(NormBoundError::Sharing.into()));
    assert!(accepts(&fixture_e(), &[0], "any_width", "0.5154"));
}

#[test]
fn every_refusal_is_the_expected_one() {
    let p = problem(LINEAR, &["1 0", "1"], "3 4; -3 4; 5 1", &[1, -1, 1]);
    let with = |samples: &[usize], claim| by(samples).check(&p, &claim).unwrap_err();
    let claim = |bound| at_most("everywhere", bound);
    let cases: Vec<(Refusal, Refusal)> = vec![
        (with(&[], claim("9")), NormBoundError::Count(0).into()),
        (with(&[0, 1, 2], claim("9")), NormBoundError::Count(3).into()),
        (with(&[3], claim("9")), NormBoundError::NoSuchSample(3).into()),
        (with(&[0, 3], claim("9")), NormBoundError::NoSuchSample(3).into()),
        (with(&[0, 2], claim("9")), NormBoundError::SameLabel(0, 2).into()),
        (with(&[0, 0], claim("9")), NormBoundError::SameLabel(0, 0).into()),
        (
            by(&[0]).check(&fixture_f(), &at_most("any_width", "9")).unwrap_err(),
            NormBoundError::Sharing.into(),
        ),
        (
            with(&[0, 1], claim("1")),
            NormBoundError::TooSmall {
                claimed: "1.000000000".into(),
                follows: "1.500000000".into(),
            }
            .into(),
        ),
    ];
    let mut names = BTreeSet::new();
    for (found, expected) in cases {
        assert_eq!(found, expected);
        let Refusal::NormBound(error) = found else { panic!("{found}") };
        names.insert(match error {
            NormBoundError::Count(_) => "Count",
            NormBoundError::NoSuchSample(_) => "NoSuchSample",
            NormBoundError::SameLabel(..) => "SameLabel",
            NormBoundError::Sharing => "Sharing",
            NormBoundError::TooSmall { .. } => "TooSmall",
        });
    }
    assert_eq!(names.len(), 5, "{names:?}");
    refuses_foreign_claims(
        "norm_bound",
        &[at_least("everywhere", "0")],
        at_most("everywhere", "9"),
        |p, c| by(&[0]).check(p, c),
    );
    assert_eq!(with(&[0], claim("-1")), Refusal::Negative("the bound"));
}

/// A random network of `widths` with shared and missing entries.
fn random_network(widths: &[usize], seed: &[(i64, usize)], slope: i64) -> Option<Network> {
    let mut seed = seed.iter().cycle();
    let mut layers = Vec::new();
    for pair in widths.windows(2) {
        let mut parameters = Vec::new();
        let mut pattern = vec![vec![None; pair[0]]; pair[1]];
        for entry in pattern.iter_mut().flatten() {
            let (value, kind) = seed.next()?;
            match kind {
                0 => {}
                1 | 2 if !parameters.is_empty() => *entry = Some(kind % parameters.len()),
                _ => {
                    *entry = Some(parameters.len());
                    parameters.push(Rational::from_integer((*value).into()).to_string());
                }
            }
        }
        layers.push(serde_json::json!({ "parameters": parameters, "pattern": pattern }));
    }
    let json =
        serde_json::json!({"activation": {"leaky_relu": format!("{slope}/4")}, "layers": layers});
    serde_json::from_value::<maxmargin_kernel::network::NetworkJson>(json).ok()?.to_network().ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// No network exceeds its own bound, by any sample or pair: exactly, by squares.
    #[test]
    fn no_network_exceeds_it(
        widths in prop::collection::vec(1usize..4, 2..5),
        seed in prop::collection::vec((-5i64..=5, 0usize..6), 40),
        slope in 0i64..=4,
        x in prop::collection::vec(prop::collection::vec(-5i64..=5, 3), 2..4),
    ) {
        let Some(network) = random_network(&widths, &seed, slope) else { return Ok(()) };
        // Labels that the network gets right, so that γ > 0 most of the time.
        let text = |row: &Vec<i64>| row[..network.inputs()].iter().map(i64::to_string).collect::<Vec<_>>().join(" ");
        let samples = x.iter().map(text).collect::<Vec<_>>().join("; ");
        let zeros = vec![if network.outputs() == 1 { 1 } else { 0 }; x.len()];
        let Ok(guess) = Problem::new(network.clone(), data(&samples, &zeros).to_data().unwrap()) else { return Ok(()) };
        let outputs: Vec<Vec<Rational>> = guess.data().samples().iter()
            .map(|x| network.rational_model().forward(&x.to_rationals()).outputs()).collect();
        let largest = |out: &Vec<Rational>| (0..out.len()).fold(0, |best, o| if compare(&out[o], &out[best]).is_gt() { o } else { best });
        let labels: Vec<i64> = outputs.iter()
            .map(|out| if out.len() == 1 { if compare(&out[0], &q("0")).is_lt() { -1 } else { 1 } } else { largest(out) as i64 })
            .collect();
        let problem = Problem::new(network, data(&samples, &labels).to_data().unwrap()).unwrap();
        let Ok(gamma) = problem.gamma() else { return Ok(()) };
        let norm = problem.network().norm_squared();
        let power = (0..problem.network().depth()).fold(q("1"), |p, _| p * &norm);
        let squared = gamma * gamma / power;
        for i in 0..labels.len() {
            for j in 0..labels.len() {
                let witness = if i == j { by(&[i]) } else if labels[i] != labels[j] { by(&[i, j]) } else { continue };
                let bound = witness.square(&problem).unwrap();
                prop_assert!(compare(&squared, &bound).is_le(), "{} > {}", squared, bound);
                // The check accepts exactly from there on.
                let root = maxmargin_kernel::number::root::sqrt_bounds(&bound, 40).unwrap();
                let claim = |b: &Rational| at_most("everywhere", &b.to_string());
                prop_assert_eq!(witness.check(&problem, &claim(&root.1)), Ok(()));
                if compare(&(&root.0 * &root.0), &bound).is_lt() {
                    prop_assert!(witness.check(&problem, &claim(&root.0)).is_err());
                }
            }
        }
    }
}
