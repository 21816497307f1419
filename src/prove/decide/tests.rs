use super::*;
use crate::numeric::flow::{self, flow, snap::snap};
use crate::numeric::pythagorean::{orthogonal, planted};
use crate::paper::fixtures::map;
use maxmargin_kernel::network::{Layer, Network};
use maxmargin_kernel::number::{Rational, ScaledVec, parse_rational};
use maxmargin_kernel::problem::Data;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

fn verdicts(problem: &Problem) -> Vec<Option<bool>> {
    let decisions = decide(problem, Scope::All, &Question::ALL, &Budget::default());
    decisions.iter().map(Decision::verdict).collect()
}

/// The same point and data after a rotation of the inputs.
fn rotated(problem: &Problem, rows: &[Vec<Rational>]) -> Problem {
    let turn = |x: &[Rational]| -> Vec<Rational> {
        rows.iter().map(|r| r.iter().zip(x).map(|(a, b)| a * b).sum()).collect()
    };
    let layers = problem.network().layers();
    let first = &layers[0];
    let w: Vec<Rational> =
        (0..first.rows()).flat_map(|r| turn(&first.row(r).to_rationals())).collect();
    let mut all =
        vec![Layer::dense(1, first.rows(), first.cols(), ScaledVec::from_rationals(&w)).unwrap()];
    all.extend(layers[1..].iter().cloned());
    let network = Network::new(problem.activation().clone(), all).unwrap();
    let x = problem.data().samples().iter();
    let samples = x.map(|x| ScaledVec::from_rationals(&turn(&x.to_rationals()))).collect();
    Problem::new(network, Data::new(samples, problem.data().labels().to_vec()).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Planted KKT points on many kinks: global where that was planted, else not even local.
    #[test]
    fn planted_points_are_recognised(
        seed in any::<u64>(),
        labels in prop::collection::vec(prop_oneof![Just(1i64), Just(-1)], 1..4),
    ) {
        let point = planted(&mut Pcg64Mcg::seed_from_u64(seed), 3, &labels);
        let expected = Some(point.is_global);
        prop_assert_eq!(verdicts(&point.problem), vec![Some(true), expected, expected]);
    }

    /// Rotations with rational entries change nothing.
    #[test]
    fn verdicts_do_not_depend_on_the_frame(seed in any::<u64>()) {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        for name in ["dead_neuron", "far_cell", "one_neuron_each", "concave_kinks", "escape_at_kinks"] {
            let point = map().fixture(name).unwrap().problem();
            let rows = orthogonal(&mut rng, 2, 4);
            prop_assert_eq!(verdicts(&rotated(&point, &rows)), verdicts(&point), "{}", name);
        }
    }
}

/// Gradient flow ends where the paper says, and the exact rational form of its limit has the verdicts
/// of the paper's point.
#[test]
fn limits_of_the_flow_have_the_verdicts_of_the_paper() {
    let cases: &[(&str, &[&str])] = &[
        ("dead_neuron", &["0", "3", "0", "-2", "3", "2"]),
        ("dead_path_linear", &["1", "-1", "1", "1"]),
        ("dead_path_relu", &["1", "-1", "1", "1"]),
        ("escape_at_kinks", &["1", "-1/100", "-1/50", "1", "1", "1"]),
        ("balanced_paths_linear", &["2", "2", "1", "1", "1/2", "1/2"]),
        ("balanced_paths_relu", &["2", "2", "1", "1", "1/2", "1/2"]),
    ];
    for (name, start) in cases {
        let fixture = map().fixture(name).unwrap().problem();
        let mut numbers = start.iter().map(|t| parse_rational(t).unwrap());
        let layers = fixture.network().layers().iter().map(|l| {
            let own: Vec<_> = numbers.by_ref().take(l.parameters().len()).collect();
            l.with_parameters(ScaledVec::from_rationals(&own)).unwrap()
        });
        let network = Network::new(fixture.activation().clone(), layers.collect()).unwrap();
        let first = Problem::new(network, fixture.data().clone()).unwrap();
        let end =
            flow(&first, &flow::Options { log_inverse_loss: 2e4, ..flow::Options::default() });
        let simple = snap(&end.theta, 3e-2).unwrap();
        let limit = end.exact_network(first.network(), &simple.parameters).unwrap();
        let limit = Problem::new(limit, fixture.data().clone()).unwrap();
        assert_eq!(verdicts(&limit), verdicts(&fixture), "{name}");
        assert_eq!(verdicts(&limit)[..2], [Some(true), Some(false)], "{name}");
    }
}
