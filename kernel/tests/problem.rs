//! Networks and data that cannot be used: every refusal by its variant.
mod common;

use common::*;
use maxmargin_kernel::network::{
    Layer, MAX_DEPTH, Network, NetworkError, NetworkJson, NotTwoLayer, TwoLayer,
};
use maxmargin_kernel::number::{ParseNumberError, ScaledVec};
use maxmargin_kernel::problem::{DataError, Problem};
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
        });
    }
    // The other two are limits: `tests/limits.rs`.
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
