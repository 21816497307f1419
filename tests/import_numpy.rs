//! Files that the real NumPy writes, and the training script of the digits example. Needs a
//! `python3` with NumPy, or another interpreter named by the variable `PYTHON`; scikit-learn is
//! used where it is there. Where the variable `CI` is set, NumPy has to be there.
use maxmargin::import::{
    DataOptions, Dataset, ImportError, ModelOptions, Source, load_data, load_model, load_problem,
};
use maxmargin_kernel::number::format_rational;
use std::path::Path;
use std::process::Command;

/// Runs a script in `dir`; `None`, with a notice, if Python lacks one of the modules.
fn python(dir: &Path, needs: &[&str], arguments: &[&str]) -> Option<String> {
    let interpreter = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    for module in needs {
        let probe = Command::new(&interpreter).args(["-c", &format!("import {module}")]).output();
        if !probe.is_ok_and(|p| p.status.success()) {
            let required = module == &"numpy" && std::env::var_os("CI").is_some();
            assert!(!required, "NumPy is not installed, and in CI nothing is skipped");
            // Past the capture of the test harness, so that a skipped test is seen.
            use std::io::Write;
            let notice = format!("SKIPPED: {module} not installed\n");
            let _ = std::io::stderr().write_all(notice.as_bytes());
            return None;
        }
    }
    let run = Command::new(&interpreter).args(arguments).current_dir(dir).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    Some(String::from_utf8(run.stdout).unwrap())
}

fn data(path: &Path) -> Result<Dataset, ImportError> {
    load_data(path, &DataOptions::default())
}

fn texts(set: &Dataset) -> Vec<Vec<String>> {
    let row = |x: &maxmargin_kernel::number::ScaledVec| {
        x.to_rationals().iter().map(format_rational).collect()
    };
    set.data.samples().iter().map(row).collect()
}

#[test]
fn every_way_numpy_writes_an_array() {
    let dir = tempfile::tempdir().unwrap();
    let script = r#"
import itertools, json
from fractions import Fraction
import numpy as np
rng = np.random.default_rng(0)
expected = {}
kinds = ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "i1", "<i2", ">i4", "<i8", "u1", "<u4", ">u8"]
labels = [np.array([1, -1, 1]), np.array([True, False, True]), np.array([1.0, -1.0, 1.0], "f4")]
for (n, kind), order, save in itertools.product(enumerate(kinds), "CF", [np.savez, np.savez_compressed]):
    X = np.asarray(rng.uniform(1, 100, (3, 2)) * (1 + n), dtype=kind, order=order)
    y = labels[n % 3]
    name = f"{n}{order}{save.__name__}.npz"
    save(name, X=X, y=y)
    exact = lambda v: str(Fraction(int(v)) if X.dtype.kind in "iu" else Fraction(float(v)))
    expected[name] = [[[exact(v) for v in row] for row in X], [int(v) for v in y]]
print(json.dumps(expected))
"#;
    let Some(output) = python(dir.path(), &["numpy"], &["-c", script]) else { return };
    type Expected = std::collections::BTreeMap<String, (Vec<Vec<String>>, Vec<i64>)>;
    let expected: Expected = serde_json::from_str(&output).unwrap();
    assert_eq!(expected.len(), 52);
    for (name, (x, y)) in expected {
        let set = data(&dir.path().join(&name)).unwrap();
        assert_eq!(texts(&set), x, "{name}");
        assert_eq!(set.data.labels(), y, "{name}");
    }
}

#[test]
fn models_and_csv_from_numpy() {
    let dir = tempfile::tempdir().unwrap();
    let script = r#"
import numpy as np
W = np.arange(6.0).reshape(3, 2) - 1.5
np.savez("m.npz", W1=W.astype("f2"), b1=np.float32([0, 0.5, 0]), W2=np.asfortranarray(W.T), b2=np.zeros(2))
X = np.array([[0.1, 2], [3, -4e-7]])
np.savetxt("plain.csv", np.c_[X, [1, -1]], delimiter=",")
np.savetxt("short.csv", np.c_[X, [1, -1]], delimiter=",", fmt="%g", header="a,b,label")
np.savez("object.npz", X=np.array([[1, None]]), y=[1])
"#;
    let Some(_) = python(dir.path(), &["numpy"], &["-c", script]) else { return };
    let model = load_model(&dir.path().join("m.npz"), &ModelOptions::default()).unwrap();
    assert!(model.has_input_bias);
    let layers: Vec<Vec<_>> = model
        .network
        .layers()
        .iter()
        .map(|l| l.parameters().to_rationals().iter().map(format_rational).collect())
        .collect();
    assert_eq!(layers[0], ["-3/2", "-1/2", "0", "1/2", "3/2", "1/2", "5/2", "7/2", "0"]);
    assert_eq!(layers[1], ["-3/2", "1/2", "5/2", "-1/2", "3/2", "7/2"]);
    let short = data(&dir.path().join("short.csv")).unwrap();
    assert_eq!(texts(&short), [["1/10", "2"], ["3", "-1/2500000"]]);
    // The default format writes 1.000000000000000056e-01: a decimal, not the float it stands for.
    let plain = data(&dir.path().join("plain.csv")).unwrap();
    assert_eq!(texts(&plain)[0], ["125000000000000007/1250000000000000000", "2"]);
    let object = data(&dir.path().join("object.npz")).unwrap_err();
    assert!(matches!(object, ImportError::Dtype { .. }), "{object}");
}

#[test]
fn the_example_data_are_those_of_scikit_learn() {
    let script = r#"
import numpy as np
from sklearn.datasets import load_digits, load_iris
digits, iris = load_digits(n_class=2), load_iris()
np.savez("digits.npz", X=digits.data / 16, y=1 - 2 * digits.target)
X = (iris.data - iris.data.mean(0)) / iris.data.std(0)
np.savez("iris.npz", X=X, y=np.where(iris.target == 0, 1, -1))
np.savez("classes.npz", X=X, y=iris.target)
"#;
    let dir = tempfile::tempdir().unwrap();
    let Some(_) = python(dir.path(), &["numpy", "sklearn"], &["-c", script]) else { return };
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let fresh = data(&dir.path().join("digits.npz")).unwrap();
    assert_eq!(fresh.data, data(&examples.join("digits/digits01.data.npz")).unwrap().data);
    let fresh = data(&dir.path().join("iris.npz")).unwrap();
    let stored = data(&examples.join("iris/iris.data.npz")).unwrap();
    assert_eq!(fresh.data.labels(), stored.data.labels());
    // Means and deviations may differ in the last bit from one NumPy to the next.
    assert_eq!((fresh.data.len(), stored.data.len()), (150, 150));
    assert_eq!(data(&dir.path().join("classes.npz")).unwrap().data.labels()[149], 2);
}

#[test]
fn the_training_script_trains() {
    let dir = tempfile::tempdir().unwrap();
    let digits = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/digits");
    let script = digits.join("train.py");
    let arguments = [
        script.to_str().unwrap(),
        "--width",
        "10",
        "--seed",
        "1",
        "--steps",
        "2000",
        "--out",
        "net.safetensors",
    ];
    let Some(output) = python(dir.path(), &["numpy"], &arguments) else { return };
    assert!(output.contains("normalised margin"), "{output}");
    let (problem, source) = load_problem(
        &dir.path().join("net.safetensors"),
        &digits.join("digits01.data.npz"),
        &ModelOptions::default(),
        &DataOptions::default(),
    )
    .unwrap();
    assert_eq!(source, Source::Floats);
    assert_eq!(problem.network().layers()[0].rows(), 10);
    problem.gamma().expect("every sample is classified");
}
