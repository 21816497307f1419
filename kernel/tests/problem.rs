//! Networks and data that cannot be used: every refusal by its variant.
mod common;

use common::*;
use maxmargin_kernel::network::{
    Layer, MAX_DEPTH, Network, NetworkError, NetworkJson, NotTwoLayer, TwoLayer,
};
use maxmargin_kernel::number::{ParseNumberError, ScaledVec, compare};
use maxmargin_kernel::problem::{DataError, Problem};
use std::cmp::Ordering;
use std::collections::BTreeSet;

fn built(json: &str) -> Result<Network, NetworkError> {
    serde_json::from_str::<NetworkJson>(json).unwrap().to_network()
}

fn layers(list: &str) -> NetworkError {
    built(&format!(r#"{{"activation":"relu","layers":[{list}]}}"#)).unwrap_err()
}

#[test]
fn every_network_error_is_the_expected_one() {
    let one = r#"{"weights":[["1"]]}"#;
    let leaky = |slope: &str| {
        built(&format!(r#"{{"activation":{{"leaky_relu":"{slope}"}},"layers":[{one}]}}"#))
    };
    assert!(leaky("0").is_ok() && leaky("1").is_ok());
    let syntax = |text: &str| ParseNumberError::Syntax(text.into());
    let huge = Layer::dense(1, 1 << 20, 1 << 20, ScaledVec::from_rationals(&[]));
    let cases = [
        (layers(""), NetworkError::Depth(0)),
        (layers(&vec![one; MAX_DEPTH + 1].join(",")), NetworkError::Depth(MAX_DEPTH + 1)),
        (
            layers(r#"{"weights":[["1"],["1"]]},{"weights":[["1"]]}"#),
            NetworkError::Chain { layer: 2, cols: 1, rows: 2 },
        ),
        (layers(r#"{"weights":[]}"#), NetworkError::Empty { layer: 1, rows: 0, cols: 0 }),
        (
            layers(&format!(r#"{one},{{"weights":[[]]}}"#)),
            NetworkError::Empty { layer: 2, rows: 1, cols: 0 },
        ),
        (
            layers(r#"{"weights":[["1"],["1","2"]]}"#),
            NetworkError::Ragged { layer: 1, row: 1, found: 2, expected: 1 },
        ),
        (huge.unwrap_err(), NetworkError::TooLarge { layer: 1, entries: 1 << 40 }),
        (
            layers(r#"{"parameters":["1"],"pattern":[[0,1]]}"#),
            NetworkError::NoSuchParameter { layer: 1, index: 1, count: 1 },
        ),
        (
            layers(r#"{"parameters":["1","2"],"pattern":[[0,0]]}"#),
            NetworkError::Unused { layer: 1, index: 1 },
        ),
        (leaky("-1/10").unwrap_err(), NetworkError::Slope("-1/10".into())),
        (leaky("1.01").unwrap_err(), NetworkError::Slope("101/100".into())),
        (
            layers(&format!(r#"{one},{{"weights":[["nan"]]}}"#)),
            NetworkError::Number { layer: 2, error: syntax("nan") },
        ),
        // Depth times the bits of the longest numerator, denominator and slope.
        (
            layers(&[r#"{"weights":[["1p2200"]]}"#; 15].join(",")),
            NetworkError::TooLong(15 * (2201 + 1 + 1)),
        ),
    ];
    let mut names = BTreeSet::new();
    for (found, expected) in &cases {
        assert_eq!(found, expected);
        names.insert(match found {
            NetworkError::Depth(_) => "Depth",
            NetworkError::Chain { .. } => "Chain",
            NetworkError::Empty { .. } => "Empty",
            NetworkError::Ragged { .. } => "Ragged",
            NetworkError::TooLarge { .. } => "TooLarge",
            NetworkError::NoSuchParameter { .. } => "NoSuchParameter",
            NetworkError::Unused { .. } => "Unused",
            NetworkError::TooLong(_) => "TooLong",
            NetworkError::Slope(_) => "Slope",
            NetworkError::Number { .. } => "Number",
        });
    }
    assert_eq!(names.len(), 10, "{names:?}");
    let short = Layer::dense(3, 2, 2, ScaledVec::from_f64s(&[1.0; 3]).unwrap());
    let expected = NetworkError::Ragged { layer: 3, row: 0, found: 3, expected: 4 };
    assert_eq!(short.unwrap_err(), expected);
    // What is past a limit, and what is no network.
    for (error, limit) in [
        (NetworkError::Depth(0), false),
        (NetworkError::Depth(MAX_DEPTH), false),
        (NetworkError::Depth(MAX_DEPTH + 1), true),
        (NetworkError::TooLong(1), true),
        (expected, false),
    ] {
        assert_eq!(error.is_limit(), limit, "{error}");
    }
}

#[test]
fn every_data_error_is_the_expected_one() {
    let with = |outputs: usize, samples: &str, labels: &[i64]| {
        let rows = vec!["1 1"; outputs].join("; ");
        let network = network(LINEAR, &[&rows]).to_network().unwrap();
        data(samples, labels).to_data().and_then(|data| Problem::new(network, data)).map(|_| ())
    };
    let label = |sample, label, expected: &str| DataError::Label {
        sample,
        label,
        expected: expected.into(),
    };
    let two = "with one output labels are -1 and 1, or 0 and 1";
    let three = "with 3 outputs labels are the classes 0 to 2";
    let empty = maxmargin_kernel::problem::Data::new(vec![], vec![]);
    let cases = [
        (empty.unwrap_err(), DataError::Empty),
        (with(1, "1 2; 3 4", &[1]).unwrap_err(), DataError::Counts { samples: 2, labels: 1 }),
        (
            with(1, "1 2; 3 4 5", &[1, 1]).unwrap_err(),
            DataError::Features { sample: 1, found: 3, expected: 2 },
        ),
        (with(1, "1 2; 0 0", &[1, 1]).unwrap_err(), DataError::ZeroSample(1)),
        (with(1, "1 2; 3 4", &[-1, 0]).unwrap_err(), label(1, 0, two)),
        (with(1, "1 2", &[2]).unwrap_err(), label(0, 2, two)),
        (with(1, "1 2", &[i64::MIN]).unwrap_err(), label(0, i64::MIN, two)),
        (with(3, "1 2; 3 4", &[2, 3]).unwrap_err(), label(1, 3, three)),
        (with(3, "1 2", &[-1]).unwrap_err(), label(0, -1, three)),
        (
            with(1, "1 2; 3 x", &[1, 1]).unwrap_err(),
            DataError::Number {
                sample: 1,
                feature: 1,
                error: ParseNumberError::Syntax("x".into()),
            },
        ),
    ];
    let mut names = BTreeSet::new();
    for (found, expected) in &cases {
        assert_eq!(found, expected);
        names.insert(match found {
            DataError::Empty => "Empty",
            DataError::Counts { .. } => "Counts",
            DataError::Features { .. } => "Features",
            DataError::ZeroSample(_) => "ZeroSample",
            DataError::Label { .. } => "Label",
            DataError::Number { .. } => "Number",
            DataError::TooLong { .. } => "TooLong",
            DataError::Work(_) => "Work",
            DataError::Constraints(_) => "Constraints",
            DataError::Preactivations(_) => "Preactivations",
        });
    }
    // The others are limits: `tests/limits.rs`.
    assert_eq!(names.len(), 6, "{names:?}");
    for labels in [[1, -1], [1, 0], [1, 1], [-1, -1], [0, 0]] {
        assert_eq!(with(1, "1 2; 3 4", &labels), Ok(()), "{labels:?}");
    }
}

#[test]
fn labels_0_and_1_mean_signs_only_if_there_is_a_0() {
    let labels =
        |labels: &[i64]| problem(LINEAR, &["1 1"], "1 2; 3 4", labels).data().labels().to_vec();
    assert_eq!(labels(&[0, 1]), [-1, 1]);
    assert_eq!(labels(&[0, 0]), [-1, -1]);
    assert_eq!(labels(&[1, 1]), [1, 1]);
}

#[test]
fn neurons_are_those_with_an_output() {
    let p = problem(RELU, &["1 .; 2 3; . 4", "5 . 6"], "1 2", &[1]);
    let list = TwoLayer::with_one_output(p.network()).unwrap().neurons;
    let seen: Vec<_> = list.iter().map(|n| (n.index, n.inputs.clone())).collect();
    assert_eq!(seen, [(0, vec![0]), (2, vec![1])]);
    for (p, reason) in not_two_layer() {
        assert_eq!(TwoLayer::with_one_output(p.network()).unwrap_err(), reason);
        assert_eq!(TwoLayer::new(p.network()).is_ok(), matches!(reason, NotTwoLayer::Outputs(_)));
    }
}

#[test]
fn neurons_of_several_outputs_need_one_of_them() {
    let p = problem(RELU, &["1 0; 0 1; 1 1", "1 . .; . 1 ."], "1 1", &[0]);
    let list = TwoLayer::new(p.network()).unwrap();
    assert_eq!(list.outputs, 2);
    let seen: Vec<_> = list.neurons.iter().map(|n| (n.index, n.v.clone())).collect();
    let one = || Some(q("1"));
    assert_eq!(seen, [(0, vec![one(), None]), (1, vec![None, one()])]);
}

#[test]
fn one_live_output_weight_keeps_a_neuron_alive() {
    let p = problem(RELU, &["1 1; 0 0; 0 0", "1 0 0; -1 2 0"], "1 1", &[0]);
    let list = TwoLayer::new(p.network()).unwrap();
    let dead: Vec<_> = list.neurons.iter().map(|n| n.is_dead()).collect();
    assert_eq!(dead, [false, false, true]);
    assert!(!p.data().is_empty());
}

#[test]
fn dead_units_have_no_weight_on_either_side() {
    let dead = |layers: &[&str]| {
        let p = problem(RELU, layers, "1 1", &[1]);
        let list = TwoLayer::with_one_output(p.network());
        let by_neuron = list.map(|l| l.neurons.iter().filter(|n| n.is_dead()).count());
        (p.facts().dead, by_neuron.ok())
    };
    assert_eq!(dead(&["1 1; 0 2", "1 3"]), (0, Some(0)));
    // Neither a unit without inputs nor one without output alone.
    assert_eq!(dead(&["1 1; 0 0; 0 1; 0 0; 0 0", "1 1 0 0 0"]), (2, Some(2)));
    assert_eq!(dead(&["1 1; 0 0; 0 0", "1 0 0; 0 0 0; 0 0 1", "1 0 1"]), (2, None));
    assert_eq!(dead(&["1 1", "1; 0; 0", "1 0 0"]), (2, None));
}

#[test]
fn repeated_samples_are_counted_and_contradictions_found() {
    let of = |samples: &str, labels: &[i64]| problem(LINEAR, &["1 1"], samples, labels);
    let p = of("1 2; 2 4; 1 2; 2/2 4/2; 1 2", &[1, 1, 1, 1, -1]);
    assert_eq!((p.data().duplicates(), p.facts().duplicates), (2, 2));
    assert_eq!(p.data().contradiction(), Some((0, 4)));
    let p = of("1 2; 2 4; 1 2", &[1, -1, 1]);
    assert_eq!((p.data().duplicates(), p.data().contradiction()), (1, None));
    assert_eq!(of("1 2; 2 4", &[1, -1]).data().duplicates(), 0);
}

#[test]
fn normalised_margins_are_bracketed_and_compared() {
    // ν = 6/√6³ = 1/√6.
    let p = problem(LINEAR, &["2", "1", "1"], "3", &[1]);
    let (low, high) = p.normalised_margin().unwrap();
    let six = q("6");
    assert!(compare(&(&low * &low * &six), &q("1")).is_le());
    assert!(compare(&(&high * &high * &six), &q("1")).is_ge());
    assert!(compare(&low, &q("0")).is_gt() && compare(&(high - low), &q("1e-20")).is_lt());
    // γ = 1/6, |θ|² = 13/36: ν = 6/13.
    let p = problem(LINEAR, &["1/2", "1/3"], "1", &[1]);
    assert_eq!(p.normalised_margin(), Some((q("6/13"), q("6/13"))));
    let against = |bound: &str| p.compare_normalised_margin(&q(bound));
    assert_eq!(against("6/13"), Some(Ordering::Equal));
    assert_eq!(against("0.4615384615384615"), Some(Ordering::Greater));
    assert_eq!(against("0.4615384615384616"), Some(Ordering::Less));
    assert_eq!(against("-1"), Some(Ordering::Greater));
    let wrong = problem(LINEAR, &["1/2", "1/3"], "1", &[-1]);
    assert_eq!((wrong.normalised_margin(), wrong.compare_normalised_margin(&q("0"))), (None, None));
}

#[test]
fn an_architecture_is_activation_shapes_and_patterns() {
    let of = |activation, layers: &[&str]| network(activation, layers).to_network().unwrap();
    let base = of(RELU, &["1 .; 2 3", "5 6"]);
    assert!(base.same_architecture(&base));
    assert!(base.same_architecture(&of(RELU, &["7 .; 0 1", "0 9"])));
    for (other, why) in [
        (of(LINEAR, &["1 .; 2 3", "5 6"]), "activation"),
        (of(RELU, &["1 4; 2 3", "5 6"]), "first pattern"),
        (of(RELU, &["1 .; 2 3", "5 ."]), "last pattern"),
        (of(RELU, &["1 .; 2 3; 1 1", "5 6 1"]), "width"),
        (of(RELU, &["1 .; 2 3", "5 6", "1"]), "depth"),
    ] {
        assert!(!base.same_architecture(&other) && !other.same_architecture(&base), "{why}");
    }
    // Dense layers of one size and different shapes.
    let (wide, tall) = (of(RELU, &["1 2 3"]), of(RELU, &["1; 2; 3"]));
    assert!(!wide.same_architecture(&tall));
    let dense: Vec<bool> = base.layers().iter().map(Layer::is_dense).collect();
    assert_eq!(dense, [false, true]);
}
