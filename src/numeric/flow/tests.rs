use super::*;
use crate::paper::fixtures::map;
use maxmargin_kernel::number::parse_rational;

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

/// The velocity is the exact gradient's, at a point of every architecture of the fixtures.
#[test]
fn the_velocity_is_the_weighted_sum_of_the_exact_gradients() {
    use maxmargin_kernel::network::gradient;
    use num_traits::ToPrimitive;
    let mut fixtures = 0;
    for fixture in &map().fixtures {
        let problem = fixture.problem();
        let field = Field::new(&problem);
        let q = field.margins(&field.start(&problem));
        let weights: Vec<f64> = q.iter().map(|q| (-q).exp()).collect();
        let total: f64 = weights.iter().sum();
        assert!((field.log_loss(&field.start(&problem)) - total.ln()).abs() < 1e-12);
        let model = problem.network().rational_model();
        let mut expected = vec![0.0; field.lengths().iter().sum()];
        for ((k, c), w) in problem.margins().constraints().iter().enumerate().zip(&weights) {
            assert!((problem.margins().values()[k].to_f64().unwrap() - q[k]).abs() < 1e-12);
            let x = problem.data().sample(c.sample).to_rationals();
            let trace = model.forward(&x);
            let covector = c.covector(problem.network().outputs());
            let layers = problem.network().layers();
            let g = gradient(&model, layers, &x, &trace, &covector, |_, _| None);
            for (slot, g) in expected.iter_mut().zip(g.iter().flatten()) {
                *slot += w / total * g.to_f64().unwrap();
            }
        }
        let found = field.velocity(&field.start(&problem));
        let off = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off < 1e-12, "{}: {off:e}", fixture.name);
        fixtures += 1;
    }
    assert!(fixtures > 0);
}

/// One output and one sample at depth 1: θ' = y x, so θ(t) = θ(0) + t y x.
#[test]
fn the_time_is_that_of_the_normalised_loss() {
    let network: maxmargin_kernel::network::NetworkJson =
        serde_json::from_str(r#"{"activation":"relu","layers":[{"weights":[["1","0"]]}]}"#)
            .unwrap();
    let data: maxmargin_kernel::problem::DataJson =
        serde_json::from_str(r#"{"x":[["3","4"]],"y":[1]}"#).unwrap();
    let problem = Problem::new(network.to_network().unwrap(), data.to_data().unwrap()).unwrap();
    let end = flow(&problem, &Options { time: 2.0, ..Options::default() });
    assert_eq!((end.stopped, end.time), (Stopped::Time, 2.0));
    assert!((end.theta[0] - 7.0).abs() < 1e-9 && (end.theta[1] - 8.0).abs() < 1e-9);
    assert!((end.log_loss + 53.0).abs() < 1e-7 && (end.margin - 53.0).abs() < 1e-7);
    let loss = flow(&problem, &Options { log_inverse_loss: 1e5, angle: 0.0, ..Options::default() });
    assert_eq!(loss.stopped, Stopped::Loss);
    let still = flow(&problem, &Options { angle: 1e-2, ..Options::default() });
    assert_eq!(still.stopped, Stopped::Converged);
    assert!(angle(&still.theta, &[3.0, 4.0]) < 2e-2);
    let short = flow(&problem, &Options { steps: 1, ..Options::default() });
    assert_eq!((short.stopped, short.steps), (Stopped::Limit, 1));
}

/// Along the flow |u⁽ˡ⁾|² − |u⁽ᵏ⁾|² is constant (every layer has ⟨u, ∇q⟩ = q), so balance lasts.
#[test]
fn the_differences_of_squared_layer_norms_are_conserved() {
    let problem = from("dead_unit_deep", &["1", "3", "1/2", "-2", "1", "1/3", "-1", "2", "3", "1"]);
    let end = flow(&problem, &Options { log_inverse_loss: 1e3, ..Options::default() });
    let squares = |theta: &[f64]| [&theta[..4], &theta[4..8], &theta[8..]].map(|u| dot(u, u));
    let (before, after) = (squares(&parameters(&problem)), squares(&end.theta));
    for l in 1..3 {
        let drift = (after[l] - after[0]) - (before[l] - before[0]);
        assert!(drift.abs() < 1e-5 * after[0], "{drift:e}");
    }
}

#[test]
fn a_network_without_gradient_stands_still() {
    let problem = from("dead_neuron", &["0", "-1", "0", "-1", "1", "1"]);
    let end = flow(&problem, &Options::default());
    assert_eq!((end.stopped, end.steps, end.time), (Stopped::Stationary, 0, 0.0));
}

/// Where gradient flow from other points ends: 1 − cosine to the fixture, at log(1/L) = 2·10⁴.
///
/// The bounds are about four times what was measured. What limits them is what dies out only
/// relatively: weights that stay as they are while the others grow like log(1/L)^(1/depth).
#[test]
fn the_flow_ends_in_the_directions_of_the_paper() {
    let cases: &[(&str, &[&str], f64)] = &[
        // Neuron 2 is off on both samples from the start and keeps its weights for ever.
        ("dead_neuron", &["0", "3", "0", "-2", "3", "2"], 1e-4),
        ("dead_neuron", &["1/10", "3", "1/10", "-2", "3", "2"], 1e-4),
        // Balanced with opposite signs: the second path decays to zero.
        ("dead_path_linear", &["1", "-1", "1", "1"], 1e-9),
        ("dead_path_relu", &["1", "-1", "1", "1"], 1e-4),
        ("live_paths", &["1", "1", "2", "2"], 1e-7),
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
        ("shallow_linear", &["1", "0", "0", "0", "1", "0"], 1e-4),
        ("one_neuron_each", &["1", "0", "-1", "0", "1", "1"], 1e-4),
    ];
    for (name, start, expected) in cases {
        let options = Options { log_inverse_loss: 2e4, ..Options::default() };
        let end = flow(&from(name, start), &options);
        let limit = parameters(&map().fixture(name).unwrap().problem());
        let off = 1.0 - cosine(&limit, &end.theta);
        assert!(off.abs() <= *expected, "{name}: 1 − cos = {off:e}");
    }
}
