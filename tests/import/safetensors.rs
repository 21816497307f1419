use crate::{Files, model, safetensors_bytes, weights};
use maxmargin::import::{ImportError, ModelOptions, Source, load_model};
use maxmargin_kernel::network::{Activation, NetworkError};
use maxmargin_kernel::number::Rational;
use proptest::prelude::*;
use safetensors::tensor::{Dtype, TensorView, serialize};

#[test]
fn names_decide_the_order() {
    let files = Files::new();
    let path = files.safetensors(
        "m.safetensors",
        &[
            ("10.weight", &[1, 1], &[0.1]),
            ("2.weight", &[1, 2], &[3.0, 4.0]),
            ("0.weight", &[2, 1], &[0.5, -0.0]),
        ],
    );
    let m = model(&path).unwrap();
    let tenth = "3602879701896397/36028797018963968";
    assert_eq!(weights(&m), [vec!["1/2", "0"], vec!["3", "4"], vec![tenth]]);
    assert_eq!(m.network.activation(), &Activation::relu());
    assert_eq!((m.has_input_bias, m.source), (false, Source::Floats));
    let options = ModelOptions { activation: Some(Activation::linear()) };
    assert!(load_model(&path, &options).unwrap().network.activation().is_linear());
}

#[test]
fn a_first_bias_becomes_a_column() {
    let files = Files::new();
    for (w1, b1, w2, b2) in
        [("W1", "b1", "W2", "b2"), ("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias")]
    {
        let path = files.safetensors(
            "m.safetensors",
            &[
                (w2, &[1, 2], &[1.0, 1.0]),
                (b1, &[2], &[0.0, 7.0]),
                (w1, &[2, 2], &[1.0, 2.0, 3.0, 4.0]),
                (b2, &[1], &[-0.0]),
            ],
        );
        let m = model(&path).unwrap();
        assert!(m.has_input_bias);
        assert_eq!(weights(&m)[0], ["1", "2", "0", "3", "4", "7"]);
    }
    let zero: &[(&str, &[usize], &[f64])] = &[("W1", &[1, 2], &[1.0, 2.0]), ("b1", &[1], &[0.0])];
    let m = model(&files.safetensors("m.safetensors", zero)).unwrap();
    assert!(!m.has_input_bias);
    assert_eq!(weights(&m), [["1", "2"]]);
}

#[test]
fn other_biases_are_errors() {
    let files = Files::new();
    let path = files.safetensors(
        "m.safetensors",
        &[
            ("0.weight", &[2, 1], &[1.0, 2.0]),
            ("2.weight", &[2, 2], &[1.0; 4]),
            ("2.bias", &[2], &[0.0, -0.375]),
        ],
    );
    let facts = ["`2.bias`", "index 1", "-0.375", "bias=False"];
    assert_error!(model(&path), path, ImportError::HiddenBias { .. }, facts);
    let path = files.safetensors(
        "m.safetensors",
        &[("0.weight", &[2, 1], &[1.0, 2.0]), ("0.bias", &[3], &[0.0; 3])],
    );
    let facts = ["`0.bias`", "(3,)", "`0.weight`", "(2, 1)"];
    assert_error!(model(&path), path, ImportError::BiasLength { .. }, facts);
    let path = files.safetensors(
        "m.safetensors",
        &[("0.weight", &[2, 1], &[1.0, 2.0]), ("1.weight", &[2], &[1.0; 2])],
    );
    assert_error!(model(&path), path, ImportError::Unmatched { .. }, ["`1.weight`", "(2,)"]);
    let path = files.safetensors(
        "m.safetensors",
        &[("W1", &[2, 1], &[1.0; 2]), ("1", &[2], &[0.0; 2]), ("b1", &[2], &[0.0; 2])],
    );
    assert_error!(model(&path), path, ImportError::Unmatched { .. }, ["`1`"]);
}

#[test]
fn shapes_that_do_not_fit() {
    let files = Files::new();
    let path = files.safetensors(
        "m.safetensors",
        &[("0.weight", &[2, 3], &[1.0; 6]), ("2.weight", &[1, 4], &[1.0; 4])],
    );
    let facts = ["`0.weight`", "(2, 3)", "`2.weight`", "(1, 4)", "takes 2 inputs"];
    assert_error!(model(&path), path, ImportError::Chain { .. }, facts);
    assert!(!model(&path).unwrap_err().to_string().contains("transposes"));
    let path = files
        .safetensors("m.safetensors", &[("W1", &[3, 2], &[1.0; 6]), ("W2", &[2, 1], &[1.0; 2])]);
    assert_error!(
        model(&path),
        path,
        ImportError::Chain { .. },
        ["in the other order", "as their transposes"]
    );
    let path = files.safetensors("m.safetensors", &[("b1", &[2], &[1.0; 2])]);
    assert_error!(model(&path), path, ImportError::NoLayers { .. }, ["2-D", "`b1`"]);
    let path = files.safetensors("m.safetensors", &[]);
    assert_error!(model(&path), path, ImportError::NoLayers { .. }, ["nothing"]);
    for shape in [&[][..], &[1, 1, 1, 1][..]] {
        let path = files.safetensors("m.safetensors", &[("0.weight", shape, &[1.0])]);
        assert_error!(model(&path), path, ImportError::Rank { .. }, ["`0.weight`", "supported"]);
    }
    let path = files.safetensors("m.safetensors", &[("0.weight", &[0, 3], &[])]);
    assert_error!(model(&path), path, ImportError::Rank { .. }, ["`0.weight`", "(0, 3)"]);
    let names: Vec<_> = (0..65).map(|l| format!("{l}.weight")).collect();
    let tensors: Vec<_> = names.iter().map(|n| (&n[..], &[1, 1][..], &[1.0][..])).collect();
    let path = files.safetensors("m.safetensors", &tensors);
    let error = model(&path).unwrap_err();
    let deep = matches!(error, ImportError::Network { error: NetworkError::Depth(65), .. });
    assert!(deep && error.exit_code() == 4, "{error:?}");
}

#[test]
fn every_float_must_be_finite() {
    let files = Files::new();
    for (value, text) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        let path = files.safetensors(
            "m.safetensors",
            &[("0.weight", &[2, 3], &[1.0, 1.0, 1.0, 1.0, value, 1.0])],
        );
        let facts = ["`0.weight`", text, "row 1, column 1"];
        assert_error!(model(&path), path, ImportError::NotFinite { .. }, facts);
        let path = files.safetensors(
            "m.safetensors",
            &[("W1", &[2, 1], &[1.0; 2]), ("b1", &[2], &[0.0, value])],
        );
        assert_error!(model(&path), path, ImportError::NotFinite { .. }, ["`b1`", text, "index 1"]);
    }
}

#[test]
fn other_dtypes_are_named() {
    let files = Files::new();
    for (dtype, bytes) in [(Dtype::I64, 8), (Dtype::U8, 1), (Dtype::F8_E4M3, 1), (Dtype::C64, 8)] {
        let data = vec![0; bytes];
        let view = TensorView::new(dtype, vec![1, 1], &data).unwrap();
        let path = files.write("m.safetensors", serialize([("0.weight", view)], None).unwrap());
        let facts = ["`0.weight`", &dtype.to_string(), "F16, BF16, F32, F64"];
        assert_error!(model(&path), path, ImportError::Dtype { .. }, facts);
    }
}

#[test]
fn damaged_files_are_errors() {
    let files = Files::new();
    let good = safetensors_bytes(&[("0.weight", &[2, 3], &[1.0; 6])]);
    for length in 0..good.len() {
        let path = files.write("m.safetensors", &good[..length]);
        assert_error!(model(&path), path, ImportError::Malformed { .. }, ["safetensors"]);
    }
    let cut = files.write("m.safetensors", &good[..good.len() - 1]);
    assert_error!(model(&cut), cut, ImportError::Malformed { .. }, ["truncated", "48", "47"]);
    let path = files.write("m.safetensors", [&good[..], b"x"].concat());
    assert_error!(model(&path), path, ImportError::Malformed { .. }, ["1 bytes follow"]);
    let raw = |header: &str| [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
    for header in [
        // Sizes whose sum overflows 64 bits.
        r#"{"a":{"dtype":"U8","shape":[2305843009213693951],"data_offsets":[0,2305843009213693951]},"b":{"dtype":"U8","shape":[2305843009213693951],"data_offsets":[2305843009213693951,4611686018427387902]}}"#,
        r#"{"a":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#,
        r#"{"a":{"dtype":"F64","shape":[1,1],"data_offsets":[8,0]}}"#,
        r#"{"a":{"dtype":"F64","shape":[1,1],"data_offsets":[0,18446744073709551615]}}"#,
        "[1]",
        "",
    ] {
        let path = files.write("m.safetensors", raw(header));
        assert_error!(model(&path), path, ImportError::Malformed { .. }, ["safetensors"]);
    }
    let path = files.write("m.safetensors", u64::MAX.to_le_bytes());
    assert_error!(model(&path), path, ImportError::Malformed { .. }, ["truncated"]);
    let long = raw(&" ".repeat((16 << 20) + 1));
    let path = files.write("m.safetensors", long);
    assert_error!(model(&path), path, ImportError::TooLarge { .. }, ["header", "16777216"]);
}

#[test]
fn sizes_are_limited() {
    let files = Files::new();
    // A sparse file takes no space; it must be refused before it is read.
    let path = files.write("m.safetensors", "");
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_len((2 << 30) + 1).unwrap();
    assert_error!(model(&path), path, ImportError::TooLarge { .. }, ["2147483649", "bytes"]);
    // Elements whose exact form is huge: 2^26 at most, of up to 2100 bits.
    let header = r#"{"0.weight":{"dtype":"F16","shape":[8192,8193],"data_offsets":[0,134234112]}}"#;
    let path = files.write("m.safetensors", (header.len() as u64).to_le_bytes());
    let mut file = std::fs::File::options().append(true).open(&path).unwrap();
    std::io::Write::write_all(&mut file, header.as_bytes()).unwrap();
    file.set_len(8 + header.len() as u64 + 134_234_112).unwrap();
    assert_error!(
        model(&path),
        path,
        ImportError::TooLarge { .. },
        ["`0.weight`", "(8192, 8193)", "67117056 elements"]
    );
}

#[test]
fn a_stated_slope_is_obeyed() {
    let files = Files::new();
    let save = |slope: &str| {
        let view = TensorView::new(Dtype::F32, vec![1, 1], &[0, 0, 128, 63]).unwrap();
        let metadata = [("maxmargin.slope".to_string(), slope.to_string())].into();
        files.write("m.safetensors", serialize([("0.weight", view)], Some(metadata)).unwrap())
    };
    let path = save("1/10");
    let tenth = Activation::leaky(Rational::new(1.into(), 10.into())).unwrap();
    assert_eq!(model(&path).unwrap().network.activation(), &tenth);
    let options = ModelOptions { activation: Some(Activation::relu()) };
    assert_error!(
        load_model(&path, &options),
        path,
        ImportError::Activation { .. },
        ["leaky ReLU with slope 1/10", "ReLU was asked for"]
    );
    for bad in ["2", "steep"] {
        let path = save(bad);
        assert_error!(model(&path), path, ImportError::Malformed { .. }, ["maxmargin.slope", bad]);
    }
}

#[test]
fn endings() {
    let files = Files::new();
    for name in ["m.pt", "m.PTH", "m.pkl"] {
        let path = files.write(name, "not even read");
        assert_error!(model(&path), path, ImportError::Pickle { .. }, ["save_file", "any code"]);
    }
    for name in ["m.h5", "m", "m.csv"] {
        let path = files.path(name);
        let facts = [".safetensors, .npz, .onnx and .json"];
        assert_error!(model(&path), path, ImportError::UnknownEnding { .. }, facts);
    }
    let path = files.path("missing.safetensors");
    assert_error!(model(&path), path, ImportError::Io { .. }, ["No such file"]);
    std::fs::create_dir(files.path("d.safetensors")).unwrap();
    let path = files.path("d.safetensors");
    assert_error!(model(&path), path, ImportError::Io { .. }, ["directory"]);
}

proptest! {
    /// Bytes of any kind give a model or an error.
    #[test]
    fn never_panics(at in 0usize..200, byte in any::<u8>(), cut in 0usize..200) {
        let files = Files::new();
        let mut bytes = safetensors_bytes(&[("W1", &[2, 2], &[1.0; 4]), ("b1", &[2], &[0.5; 2])]);
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.truncate(bytes.len() - cut % 3);
        let _ = model(&files.write("m.safetensors", bytes));
    }
}
