use crate::{Files, data, data_by, model, samples, weights};
use maxmargin::import::{ImportError, ModelOptions, Source, load_model};
use maxmargin_kernel::network::{Activation, NetworkError};
use maxmargin_kernel::problem::DataError;

const NETWORK: &str = r#"{"activation": {"leaky_relu": "1/10"},
 "layers": [{"weights": [["0.1", null]]}, {"parameters": ["2"], "pattern": [[0], [0]]}]}"#;

#[test]
fn exact_networks() {
    let files = Files::new();
    let path = files.write("m.json", NETWORK);
    let m = model(&path).unwrap();
    assert_eq!((m.has_input_bias, m.source), (false, Source::Exact));
    assert_eq!(weights(&m), [["1/10"], ["2"]]);
    assert!(m.network.has_sharing());
    let same = ModelOptions { activation: Some(m.network.activation().clone()) };
    assert!(load_model(&path, &same).is_ok());
    let other = ModelOptions { activation: Some(Activation::relu()) };
    assert_error!(
        load_model(&path, &other),
        path,
        ImportError::Activation { .. },
        ["leaky ReLU with slope 1/10", "ReLU was asked for"]
    );
}

#[test]
fn what_is_wrong_with_a_network() {
    let files = Files::new();
    for (text, fact) in [
        ("", "line 1 column 0"),
        ("{\"activation\": \"relu\",\n\"layers\": [}", "line 2 column 12"),
        ("{\"activation\": \"relu\",\n\"layers\": [], \"x\": 1}", "line 2 column 17"),
        ("{\"activation\": \"gelu\"", "gelu"),
        (&"[".repeat(100_000), "line 1"),
    ] {
        let path = files.write("m.json", text);
        assert_error!(model(&path), path, ImportError::Json { .. }, [fact]);
    }
    let path = files.write("m.json", r#"{"activation":"relu","layers":[{"weights":[["x"]]}]}"#);
    assert_error!(
        model(&path),
        path,
        ImportError::Network { error: NetworkError::Number { .. }, .. },
        ["layer 1", "`x`"]
    );
}

#[test]
fn exact_data() {
    let files = Files::new();
    let path = files.write("d.json", r#"{"x": [["1","1/4"],["-1","0.25"]], "y": [1, 1]}"#);
    let set = data(&path).unwrap();
    assert_eq!(set.source, Source::Exact);
    assert_eq!(samples(&set), [["1", "1/4"], ["-1", "1/4"]]);
    assert_eq!(set.data.labels(), [1, 1]);
    let asked = data_by(&path, "y");
    assert_error!(asked, path, ImportError::LabelOption { .. }, ["`y`", "csv"]);
    let path = files.write("d.json", r#"{"x": [["1"]], "y": [1, 1]}"#);
    assert_error!(
        data(&path),
        path,
        ImportError::Data { error: DataError::Counts { .. }, .. },
        ["1 samples but 2 labels"]
    );
    let path = files.write("d.json", "{\"x\": [[1]],\n \"y\": [1]}");
    assert_error!(data(&path), path, ImportError::Json { .. }, ["line 1 column 9"]);
    let path = files.write("d.json", r#"{"x": [["1"],["2"],["3"]], "y": [1, -1, 2]}"#);
    assert_error!(data(&path), path, ImportError::Label { .. }, ["sample 2", "label 2"]);
}

#[test]
fn text_is_limited() {
    let files = Files::new();
    for name in ["d.json", "d.csv"] {
        let path = files.write(name, "");
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_len((256 << 20) + 1).unwrap();
        assert_error!(data(&path), path, ImportError::TooLarge { .. }, ["268435457", "268435456"]);
    }
    let path = files.path("d.txt");
    let facts = [".npz, .csv and .json"];
    assert_error!(data(&path), path, ImportError::UnknownEnding { .. }, facts);
}

#[test]
fn numbers_that_no_certificate_could_embed() {
    let files = Files::new();
    // 2 100 characters as a decimal, 4 100 as a fraction.
    let long = format!("{}.{}1", "7".repeat(60), "0".repeat(2038));
    let facts = |what| [what, "written as a fraction, has 4", "past the limit of 4096"];
    let d = files.write("d.json", format!(r#"{{"x":[["1","1"],["1","{long}"]],"y":[1,-1]}}"#));
    assert_error!(data(&d), d, ImportError::TooLarge { .. }, facts("feature 1 of sample 1"));
    let d = files.write("d.csv", format!("1,1,1\n{long},2,-1\n"));
    assert_error!(data(&d), d, ImportError::TooLarge { .. }, facts("feature 0 of sample 1"));
    let m = format!(r#"{{"activation":"relu","layers":[{{"weights":[["1","{long}"]]}}]}}"#);
    let m = files.write("m.json", m);
    assert_error!(model(&m), m, ImportError::TooLarge { .. }, facts("parameter 1 of layer 1"));
}
