//! Every kind of bad input: what is said about it, and that nothing is written.
use crate::{Folder, safetensors, safetensors_of};
use maxmargin::import::limits::{MAX_FILE_BYTES, MAX_TEXT_BYTES};
use ndarray::{Array1, Array2, arr1, arr2};
use ndarray_npy::NpzWriter;
use safetensors::tensor::Dtype;
use std::fs::File;

/// `certify` and `polish` refuse `model` and `data` with `code`, say every fact on standard error,
/// and in the object on standard output, print nothing else and write nothing.
#[track_caller]
fn refused(folder: &Folder, model: &str, data: &str, code: i32, facts: &[&str]) {
    let before = folder.names();
    for (command, output) in [("certify", "o.json"), ("polish", "o.json")] {
        let arguments = [command, "--model", model, "--data", data, "-o", output, "--json"];
        let run = folder.run(&arguments).expect(code);
        let said = run.json();
        assert_eq!((&said["verdict"], &said["exit"]), (&"error".into(), &code.into()));
        assert_eq!(run.err, format!("maxmargin: {}\n", said["reason"].as_str().unwrap()));
        assert!(run.err.starts_with("maxmargin: "), "{}", run.err);
        for fact in facts {
            assert!(run.err.contains(fact), "{command} does not say `{fact}`: {}", run.err);
        }
        assert_eq!(folder.names(), before, "{command}");
    }
}

/// A folder with a good model `m.safetensors` (2-1-1) and good data `d.npz`, `d.csv`.
fn good() -> Folder {
    let folder = Folder::new();
    folder.write("m.safetensors", model(&[1.0, 2.0], &[1.0]));
    folder.write("d.npz", npz(arr2(&[[1.0, 0.5], [-1.0, -2.0]]), arr1(&[1, -1])));
    folder.write("d.csv", "1,0.5,1\n-1,-2,-1\n");
    folder
}

fn model(w: &[f64], v: &[f64]) -> Vec<u8> {
    safetensors(&[("0.weight", &[v.len(), w.len() / v.len()], w), ("2.weight", &[1, v.len()], v)])
}

fn npz(x: Array2<f64>, y: Array1<i64>) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut writer = NpzWriter::new(&mut bytes);
    writer.add_array("X", &x).unwrap();
    writer.add_array("y", &y).unwrap();
    writer.finish().unwrap();
    bytes.into_inner()
}

#[test]
fn damaged_files() {
    let folder = good();
    let tensors = std::fs::read(folder.path("m.safetensors")).unwrap();
    let arrays = std::fs::read(folder.path("d.npz")).unwrap();
    for (cut, name) in [(0, "empty"), (4, "length"), (40, "header"), (tensors.len() - 3, "values")]
    {
        let file = format!("{name}.safetensors");
        folder.write(&file, &tensors[..cut]);
        let fact = format!("{file}: not a readable safetensors file");
        refused(&folder, &file, "d.npz", 2, &[&fact]);
    }
    for (cut, name) in
        [(0, "empty"), (30, "first"), (arrays.len() / 2, "half"), (arrays.len() - 9, "end")]
    {
        let file = format!("{name}.npz");
        folder.write(&file, &arrays[..cut]);
        let fact = format!("{file}: not a readable");
        refused(&folder, "m.safetensors", &file, 2, &[&fact]);
        refused(&folder, &file, "d.csv", 2, &[&fact]);
    }
    // Longer than the header says.
    folder.write("long.safetensors", [&tensors[..], b"more"].concat());
    refused(&folder, "long.safetensors", "d.npz", 2, &["long.safetensors: not a readable"]);
    refused(&folder, "none.safetensors", "d.npz", 2, &["none.safetensors: No such file"]);
    refused(&folder, "m.safetensors", "none.csv", 2, &["none.csv: No such file"]);
    folder.write("m.pt", "");
    refused(&folder, "m.pt", "d.npz", 2, &["m.pt: PyTorch's pickle format is never read"]);
    folder.write("m.json", r#"{"activation":"relu","layers":[{"weights":[["1","x"]]}]}"#);
    refused(&folder, "m.json", "d.npz", 2, &["m.json: layer 1: ", "`x`"]);
    folder.write("n.json", r#"{"activation":"relu","layers":"#);
    refused(&folder, "n.json", "d.npz", 2, &["n.json: EOF", "line 1 column 30"]);
}

#[test]
fn files_past_the_limits() {
    let folder = good();
    for (name, limit, is_model) in [
        ("big.safetensors", MAX_FILE_BYTES, true),
        ("big.npz", MAX_FILE_BYTES, false),
        ("big.csv", MAX_TEXT_BYTES, false),
        ("big.json", MAX_TEXT_BYTES, true),
    ] {
        // Sparse: takes no room on the disk.
        File::create(folder.path(name)).unwrap().set_len(limit + 1).unwrap();
        let facts = format!("{name}: the file has {} bytes, past the limit of {limit}", limit + 1);
        let (model, data) = if is_model { (name, "d.npz") } else { ("m.safetensors", name) };
        refused(&folder, model, data, 4, &[&facts]);
    }
    // A header that announces more than there is.
    let mut tensors = std::fs::read(folder.path("m.safetensors")).unwrap();
    tensors[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    folder.write("header.safetensors", &tensors);
    let arguments = ["certify", "--model", "header.safetensors", "--data", "d.npz", "-o", "o.json"];
    let run = folder.run(&arguments);
    assert!([2, 4].contains(&run.code), "{}", run.err);
    assert!(run.err.contains("header.safetensors"), "{}", run.err);
}

#[test]
fn element_types() {
    let folder = good();
    let integers: Vec<u8> = [1i64, 2].iter().flat_map(|v| v.to_le_bytes()).collect();
    let file = safetensors_of(&[
        ("0.weight", &[1, 2], Dtype::I64, integers),
        ("2.weight", &[1, 1], Dtype::F64, 1f64.to_le_bytes().to_vec()),
    ]);
    folder.write("i.safetensors", file);
    let facts = ["i.safetensors: tensor `0.weight` has dtype", "64; supported are"];
    refused(&folder, "i.safetensors", "d.npz", 2, &facts);
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut writer = NpzWriter::new(&mut bytes);
    writer.add_array("X", &arr2(&[[1.0, 0.5], [-1.0, -2.0]])).unwrap();
    writer.add_array("y", &arr1(&[1.0, 0.25])).unwrap();
    writer.finish().unwrap();
    folder.write("y.npz", bytes.into_inner());
    refused(&folder, "m.safetensors", "y.npz", 2, &["y.npz: sample 1 has label 0.25"]);
}

#[test]
fn shapes() {
    let folder = good();
    let chain = safetensors(&[("0.weight", &[3, 2], &[1.0; 6]), ("2.weight", &[1, 2], &[1.0; 2])]);
    folder.write("c.safetensors", chain);
    let facts = ["c.safetensors: `0.weight` has shape (3, 2)", "`2.weight` has shape (1, 2)"];
    refused(&folder, "c.safetensors", "d.npz", 2, &facts);
    folder.write("w.safetensors", model(&[1.0; 3], &[1.0]));
    let facts = ["d.npz: 2 samples of 2 features", "w.safetensors takes 3 (first layer 1×3)"];
    refused(&folder, "w.safetensors", "d.npz", 2, &facts);
    folder.write("y.npz", npz(arr2(&[[1.0, 0.5], [-1.0, -2.0]]), arr1(&[1, -1, 1])));
    refused(&folder, "m.safetensors", "y.npz", 2, &["y.npz: "]);
}

#[test]
fn numbers_that_are_not_finite() {
    let folder = good();
    folder.write("n.safetensors", model(&[1.0, f64::NAN], &[1.0]));
    let facts = ["n.safetensors: `0.weight` is NaN at row 0, column 1, not a finite number"];
    refused(&folder, "n.safetensors", "d.npz", 2, &facts);
    folder.write("i.safetensors", model(&[1.0, 2.0], &[f64::NEG_INFINITY]));
    refused(&folder, "i.safetensors", "d.npz", 2, &["`2.weight` is -inf at row 0, column 0"]);
    folder.write("n.npz", npz(arr2(&[[1.0, 0.5], [-1.0, f64::INFINITY]]), arr1(&[1, -1])));
    refused(&folder, "m.safetensors", "n.npz", 2, &["n.npz: `X` is inf at row 1, column 1"]);
    folder.write("n.csv", "1,0.5,1\n-1,nan,-1\n");
    refused(&folder, "m.safetensors", "n.csv", 2, &["n.csv, line 2, column 2", "nan"]);
}

#[test]
fn hidden_biases() {
    let folder = good();
    let biased = safetensors(&[
        ("0.weight", &[1, 2], &[1.0, 2.0]),
        ("2.weight", &[1, 1], &[1.0]),
        ("2.bias", &[1], &[0.125]),
    ]);
    folder.write("b.safetensors", biased);
    let facts = ["b.safetensors: bias `2.bias` is 0.125 at index 0", "breaks homogeneity"];
    refused(&folder, "b.safetensors", "d.npz", 2, &facts);
}

#[test]
fn labels() {
    let folder = good();
    for (name, csv, facts) in [
        ("l.csv", "1,0.5,1\n-1,-2,2\n", &["l.csv: ", "sample 1", "label 2"][..]),
        ("m.csv", "1,0.5,-3\n-1,-2,1\n", &["m.csv: sample 0 has label -3"]),
        ("h.csv", "1,0.5,1\n-1,-2,0.5\n", &["h.csv, line 2, column 3", "`0.5` is not an integer"]),
        ("t.csv", "a,b,c\n1,0.5,yes\n-1,-2,no\n", &["t.csv, line 2, column 3", "yes"]),
        ("0.csv", "a,b,c\n", &["0.csv: ", "no samples"]),
        ("1.csv", "1,0.5,1\n2,1,1\n", &["1.csv: all 2 samples have label 1"]),
        ("r.csv", "1,0.5,1\n-1,-1\n", &["r.csv, line 2", "2 cells, but the first line has 3"]),
    ] {
        folder.write(name, csv);
        refused(&folder, "m.safetensors", name, 2, facts);
    }
    folder.write("0.npz", npz(Array2::zeros((0, 2)), Array1::zeros(0)));
    refused(&folder, "m.safetensors", "0.npz", 2, &["0.npz: "]);
}

#[test]
fn samples() {
    let folder = good();
    folder.write("z.csv", "1,0.5,1\n0,0,-1\n");
    refused(&folder, "m.safetensors", "z.csv", 2, &["z.csv: sample 1 is zero"]);
    folder.write("c.csv", "1,0.5,1\n-1,-2,-1\n1,1/2,-1\n");
    let facts = ["c.csv: samples 0 and 2 have the same features and different labels"];
    refused(&folder, "m.safetensors", "c.csv", 2, &facts);
    // Linear, to have margins of both signs: 1·(1/10) − ….
    folder.write(
        "m.json",
        r#"{"activation":"linear","layers":[{"weights":[["1","2"]]},{"weights":[["1"]]}]}"#,
    );
    folder.write("w.csv", "1,0.5,1\n0.1,0.2,-1\n-1,-2,-1\n");
    let facts = ["sample 1 of w.csv has margin -1/2 = -0.500000000", "remove the sample"];
    refused(&folder, "m.json", "w.csv", 2, &facts);
    // A margin of exactly 0 is no margin: ReLU is off at sample 1.
    refused(&folder, "m.safetensors", "d.csv", 2, &["sample 1 of d.csv has margin 0 = 0"]);
}
