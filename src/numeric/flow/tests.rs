use super::*;
use crate::paper::fixtures::map;
use maxmargin_kernel::network::NetworkJson;
use maxmargin_kernel::number::parse_rational;
use proptest::prelude::*;

/// The problem of a fixture with other parameters, layer after layer.
fn from(fixture: &str, parameters: &[&str]) -> Problem {
    let problem = map().fixture(fixture).unwrap().problem();
    let mut numbers = parameters.iter().map(|t| parse_rational(t).unwrap());
    let layers = problem.network().layers().iter().map(|l| {
        let own: Vec<_> = numbers.by_ref().take(l.parameters().len()).collect();
        l.with_parameters(ScaledVec::from_rationals(&own)).unwrap()
    });
    let network = Network::new(problem.activation().clone(), layers.collect()).unwrap();
    assert_eq!(numbers.next(), None);
    Problem::new(network, problem.data().clone()).unwrap()
}

fn parameters(problem: &Problem) -> Vec<f64> {
    Field::new(problem).start(problem)
}

/// Where gradient flow from points nearby, or scaled differently, ends: 1 − cosine to the fixture.
#[test]
fn the_flow_ends_in_the_directions_of_the_paper() {
    let cases: &[(&str, &[&str], f64)] = &[
        // Neuron 2 is off on both samples from the start and keeps its weights for ever.
        ("dead_neuron", &["0", "3", "0", "-2", "3", "2"], 1e-4),
        ("dead_neuron", &["1/10", "3", "1/10", "-2", "3", "2"], 1e-4),
        // Balanced with opposite signs: the second path decays to zero.
        ("dead_path_linear", &["1", "-1", "1", "1"], 1e-9),
        ("dead_path_relu", &["1", "-1", "1", "1"], 1e-4),
        ("live_paths", &["1", "2", "3", "1"], 1e-4),
        // Each neuron is slightly off the other's sample.
        ("escape_at_kinks", &["1", "-1/100", "-1/50", "1", "1", "1"], 1e-7),
        (
            "escape_at_kinks_deep",
            &["1", "-1/100", "-1/50", "1", "1", "-1/100", "-1/50", "1", "1", "1"],
            1e-5,
        ),
        ("far_cell", &["1/100", "1", "-1/100", "1", "1", "1"], 1e-3),
        ("shared_filter_linear", &["1", "1", "2", "2"], 1e-7),
        ("shared_filter_relu", &["1", "1", "2", "2"], 1e-7),
        // The layers differ, the two paths do not.
        ("balanced_paths_linear", &["2", "2", "1", "1", "1/2", "1/2"], 1e-3),
        ("balanced_paths_relu", &["2", "2", "1", "1", "1/2", "1/2"], 1e-3),
        ("shallow_linear", &["1", "0", "0", "1", "1", "1"], 1e-4),
        ("one_neuron_each", &["1", "0", "-1", "0", "1", "1"], 1e-4),
    ];
    for (name, start, expected) in cases {
        let options = Options { log_inverse_loss: 2e4, ..Options::default() };
        let began = std::time::Instant::now();
        let end = flow(&from(name, start), &options);
        let limit = parameters(&map().fixture(name).unwrap().problem());
        let off = 1.0 - cosine(&limit, &end.theta);
        eprintln!(
            "{name:<24} 1−cos {off:.1e}  log 1/L {:.1e}  steps {}  misaligned {:.1e}  {:?}  {:?}",
            -end.log_loss,
            end.steps,
            end.misalignment,
            end.stopped,
            began.elapsed()
        );
        assert!(off.abs() <= *expected, "{name}: 1 − cos = {off:e}");
    }
}
