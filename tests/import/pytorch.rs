//! Files that PyTorch wrote (tests/fixtures/import/make.py), against the values Python saw.
use crate::{model, weights};
use maxmargin::import::{ImportError, Model};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(serde::Deserialize)]
struct Tensor {
    shape: Vec<usize>,
    values: Vec<String>,
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/import").join(name)
}

fn expected(name: &str) -> BTreeMap<String, Tensor> {
    let text = std::fs::read_to_string(path(&format!("{name}.values.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn load(name: &str) -> Model {
    model(&path(&format!("{name}.safetensors"))).unwrap()
}

#[test]
fn every_value_is_exact() {
    for name in ["f16", "f16_extremes", "bf16", "f32", "f64"] {
        let (model, expected) = (load(name), expected(name));
        assert!(!model.has_input_bias);
        let [first, second] = &weights(&model)[..] else { panic!("two layers") };
        assert_eq!((first.len(), second.len()), (12, 3), "{name}");
        assert_eq!(first, &expected["0.weight"].values, "{name}");
        assert_eq!(second, &expected["2.weight"].values, "{name}");
    }
}

#[test]
fn twelve_layers_in_natural_order() {
    let (model, expected) = (load("twelve"), expected("twelve"));
    assert_eq!(model.network.depth(), 12);
    for (l, (layer, values)) in model.network.layers().iter().zip(weights(&model)).enumerate() {
        let tensor = &expected[&format!("{}.weight", 2 * l)];
        assert_eq!(tensor.shape, [layer.rows(), layer.cols()]);
        assert_eq!(tensor.values, values);
    }
}

#[test]
fn biases() {
    let (with, expected) = (load("input_bias"), expected("input_bias"));
    assert!(with.has_input_bias);
    let first = &with.network.layers()[0];
    assert_eq!((first.rows(), first.cols()), (3, 5));
    for (r, row) in weights(&with)[0].chunks(5).enumerate() {
        assert_eq!(row[..4], expected["0.weight"].values[4 * r..][..4]);
        assert_eq!(row[4], expected["0.bias"].values[r]);
    }
    let without = load("zero_biases");
    assert!(!without.has_input_bias);
    assert_eq!(without.network.inputs(), 4);
    let hidden = path("hidden_bias.safetensors");
    let facts = ["`2.bias`", "index 1", "-0.375"];
    assert_error!(model(&hidden), hidden, ImportError::HiddenBias { .. }, facts);
}

#[test]
fn other_layer_types() {
    let conv = path("conv.safetensors");
    assert_error!(model(&conv), conv, ImportError::Rank { .. }, ["`0.weight`", "(2, 1, 2, 2)"]);
    let norm = path("batchnorm.safetensors");
    let facts = ["`1.num_batches_tracked`", "single number", "normalisation"];
    assert_error!(model(&norm), norm, ImportError::Rank { .. }, facts);
    let norm = path("layernorm.safetensors");
    assert_error!(model(&norm), norm, ImportError::Unmatched { .. }, ["`1.bias`", "(2,)"]);
}
