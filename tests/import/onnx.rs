//! ONNX files written by the `onnx` package (tests/fixtures/onnx/make.py), against its own evaluator.
use crate::{Files, model};
use maxmargin::import::{ImportError, ModelOptions, load_model};
use maxmargin_kernel::number::Rational;
use num_traits::ToPrimitive;
use std::path::PathBuf;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/onnx").join(name)
}

#[test]
fn outputs_are_those_of_the_reference_evaluator() {
    let text = std::fs::read_to_string(file("outputs.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
    let x: Vec<Vec<f64>> = serde_json::from_value(expected["x"].clone()).unwrap();
    for (name, float32) in [
        ("gemm", true),
        ("gemm_f64", false),
        ("matmul_leaky", true),
        ("first_bias", true),
        ("linear", true),
    ] {
        let read = model(&file(&format!("{name}.onnx"))).unwrap();
        assert_eq!(read.has_input_bias, name == "first_bias");
        let outputs: Vec<f64> = serde_json::from_value(expected["outputs"][name].clone()).unwrap();
        for (x, output) in x.iter().zip(outputs) {
            let exact =
                |v: &f64| Rational::from_float(if float32 { f64::from(*v as f32) } else { *v });
            let mut x: Vec<Rational> = x.iter().map(|v| exact(v).unwrap()).collect();
            if read.has_input_bias {
                x.push(Rational::from_integer(1.into()));
            }
            let found = read.network.rational_model().forward(&x).outputs()[0].to_f64().unwrap();
            let tolerance = if float32 { 1e-5 } else { 1e-13 };
            assert!((found - output).abs() <= tolerance, "{name}: {found} {output}");
        }
    }
    let leaky = model(&file("matmul_leaky.onnx")).unwrap().network;
    assert_eq!(leaky.activation().slope().to_string(), "1/4");
    assert!(model(&file("linear.onnx")).unwrap().network.activation().is_linear());
}

#[test]
fn what_is_not_a_chain_of_layers_is_refused() {
    for (name, facts) in [
        ("sigmoid", &["node `act` (Sigmoid) is not supported", "Gemm, MatMul"][..]),
        ("residual", &["node `skip` (Add) takes `x`, which is not a constant"]),
        ("scaled", &["(Gemm) has factors alpha or beta other than 1"]),
        ("relu_last", &["an activation after the last layer"]),
    ] {
        let path = file(&format!("{name}.onnx"));
        assert_error!(model(&path), path, ImportError::OnnxGraph { .. }, facts);
    }
    let path = file("hidden_bias.onnx");
    assert_error!(model(&path), path, ImportError::HiddenBias { .. }, ["layer2.bias", "0.5"]);
    let asked = ModelOptions { activation: Some(maxmargin_kernel::network::Activation::linear()) };
    let path = file("gemm.onnx");
    assert_error!(load_model(&path, &asked), path, ImportError::Activation { .. }, ["linear"]);
}

#[test]
fn damaged_files() {
    let files = Files::new();
    let whole = std::fs::read(file("gemm_f64.onnx")).unwrap();
    let mut refused = 0;
    for length in 0..whole.len() {
        let path = files.write("cut.onnx", &whole[..length]);
        // Some cuts fall between two parts: then a part is missing, and something else is wrong.
        if let Err(error) = model(&path) {
            refused += 1;
            assert_eq!(error.exit_code(), 2, "{length}: {error}");
        }
    }
    // The file ends with its versions, which are not read.
    assert!(refused + 12 >= whole.len(), "{refused} of {}", whole.len());
    for position in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[position] ^= 0x55;
        // Whatever comes of it, no panic.
        let _ = model(&files.write("flipped.onnx", &bytes));
    }
}
