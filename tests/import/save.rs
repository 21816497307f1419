use crate::{Files, model};
use maxmargin::import::{Biased, ImportError, save_model};
use maxmargin_kernel::network::{Activation, Layer, Network, NetworkJson};
use maxmargin_kernel::number::{Rational, ScaledVec};
use proptest::prelude::*;

fn read(text: &str) -> Network {
    serde_json::from_str::<NetworkJson>(text).unwrap().to_network().unwrap()
}

fn dense(activation: Activation, shapes: &[(usize, usize)], values: &[f64]) -> Network {
    let mut rest = values;
    let layer = |(l, &(rows, cols)): (usize, &(usize, usize))| {
        let (head, tail) = rest.split_at(rows * cols);
        rest = tail;
        Layer::dense(l + 1, rows, cols, ScaledVec::from_f64s(head).unwrap()).unwrap()
    };
    Network::new(activation, shapes.iter().enumerate().map(layer).collect()).unwrap()
}

#[test]
fn json_is_exact_and_has_a_row_per_line() {
    let files = Files::new();
    let network = read(
        r#"{"activation":{"leaky_relu":"1/10"},"layers":[{"weights":[["0.1",null],["2","3"]]},{"parameters":["2"],"pattern":[[0,0]]}]}"#,
    );
    let path = files.path("m.json");
    save_model(&path, &network, Biased::No).unwrap();
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        r#"{"activation": {"leaky_relu":"1/10"}, "layers": [
{"weights": [
  ["1/10",null],
  ["2","3"]
]},
{"parameters": ["2"],
"pattern": [
  [0,0]
]}
]}
"#
    );
    assert_eq!(model(&path).unwrap().network, network);
}

#[test]
fn what_safetensors_cannot_hold() {
    let files = Files::new();
    let path = files.path("m.safetensors");
    std::fs::write(&path, "the old file").unwrap();
    let big =
        format!(r#"{{"activation":"relu","layers":[{{"weights":[["1{}"]]}}]}}"#, "0".repeat(309));
    for (text, facts) in [
        (
            r#"{"activation":"relu","layers":[{"weights":[["1"]]},{"weights":[["1"],["0.1"]]}]}"#,
            ["layer 2", "row 1", "column 0", "1/10", ".json"],
        ),
        (
            r#"{"activation":"relu","layers":[{"weights":[["9007199254740993","1"]]}]}"#,
            ["layer 1", "row 0", "column 0", "9007199254740993", ".json"],
        ),
        (&big, ["layer 1", "row 0", "column 0", "is 10000", ".json"]),
        (
            r#"{"activation":"relu","layers":[{"weights":[["1p-1075"]]}]}"#,
            ["layer 1", "row 0", "column 0", "is 1/40480", ".json"],
        ),
    ] {
        let result = save_model(&path, &read(text), Biased::No);
        assert_error!(result, path, ImportError::NotAFloat { .. }, facts);
    }
    for layer in [r#"{"weights":[["1",null]]}"#, r#"{"parameters":["1"],"pattern":[[0,0]]}"#] {
        let network = read(&format!(r#"{{"activation":"relu","layers":[{layer}]}}"#));
        let result = save_model(&path, &network, Biased::No);
        assert_error!(result, path, ImportError::NotDense { .. }, ["layer 1", ".json"]);
    }
    let other = files.path("m.npz");
    let result = save_model(&other, &dense(Activation::relu(), &[(1, 1)], &[1.0]), Biased::No);
    assert_error!(result, other, ImportError::UnknownEnding { .. }, [".safetensors and .json"]);
    let nowhere = files.path("no/such/m.json");
    let result = save_model(&nowhere, &dense(Activation::relu(), &[(1, 1)], &[1.0]), Biased::No);
    assert_error!(result, nowhere, ImportError::Io { .. }, ["No such file"]);
    // Nothing was written, nothing is left over.
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "the old file");
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn files_are_readable_by_others_as_usual() {
    use std::os::unix::fs::PermissionsExt;
    let files = Files::new();
    let (saved, ordinary) = (files.path("m.json"), files.write("ordinary", ""));
    save_model(&saved, &dense(Activation::relu(), &[(1, 1)], &[1.0]), Biased::No).unwrap();
    let mode = |p| std::fs::metadata(p).unwrap().permissions().mode();
    assert_eq!(mode(saved), mode(ordinary));
}

fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("finite", |x| x.is_finite()),
        -1.0..1.0f64,
        prop::sample::select(vec![0.0, 5e-324, f64::MIN_POSITIVE, f64::MAX, f64::MIN, 1.0 / 3.0]),
    ]
}

proptest! {
    #[test]
    fn floats_survive_the_round_trip(values in prop::collection::vec(finite(), 12), slope in 0i64..=2) {
        let files = Files::new();
        let activation = Activation::leaky(Rational::new(slope.into(), 2.into())).unwrap();
        let network = dense(activation, &[(3, 2), (1, 3), (2, 1)], &values[..11]);
        for name in ["m.safetensors", "m.json"] {
            let path = files.path(name);
            save_model(&path, &network, Biased::No).unwrap();
            let read = model(&path).unwrap();
            prop_assert!(!read.has_input_bias);
            prop_assert!(read.network.same_architecture(&network));
            for (a, b) in read.network.layers().iter().zip(network.layers()) {
                prop_assert_eq!(a.parameters().to_rationals(), b.parameters().to_rationals());
            }
        }
    }
}
