use crate::Files;
use maxmargin::import::{
    Biased, DataOptions, ImportError, ModelOptions, Source, load_problem as load, save_model,
};
use maxmargin_kernel::number::format_rational;
use maxmargin_kernel::problem::{DataError, Problem};
use std::path::{Path, PathBuf};

fn load_problem(model: &Path, data: &Path) -> Result<(Problem, Source), ImportError> {
    load(model, data, &ModelOptions::default(), &DataOptions::default())
}

fn example(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

#[test]
fn the_input_bias_meets_a_constant_feature() {
    let files = Files::new();
    let m =
        files.safetensors("m.safetensors", &[("W1", &[1, 2], &[1.0, -1.0]), ("b1", &[1], &[0.25])]);
    let d = files.write("d.csv", "0.5,0.2,1\n-1,1,0\n");
    let (problem, source) = load_problem(&m, &d).unwrap();
    assert_eq!(source, Source::Floats);
    let third: Vec<_> =
        problem.data().samples().iter().map(|x| format_rational(&x.get(2))).collect();
    assert_eq!(third, ["1", "1"]);
    assert_eq!(problem.data().labels(), [1, -1]);
    let margins: Vec<_> = problem.margins().values().iter().map(format_rational).collect();
    assert_eq!(margins, ["11/20", "7/4"]);
}

#[test]
fn shapes_must_fit() {
    let files = Files::new();
    let d = files.write("d.csv", "1,2,3,1\n4,5,6,0\n");
    let m = files.safetensors("m.safetensors", &[("W1", &[1, 2], &[1.0, 1.0])]);
    let facts = ["2 samples of 3 features", "m.safetensors takes 2", "1×2"];
    assert_error!(load_problem(&m, &d), d, ImportError::Mismatch { .. }, facts);
    let m =
        files.safetensors("m.safetensors", &[("W1", &[1, 2], &[1.0, 1.0]), ("b1", &[1], &[1.0])]);
    let facts = ["3 features", "m.safetensors takes 2", "1×2, and a bias"];
    assert_error!(load_problem(&m, &d), d, ImportError::Mismatch { .. }, facts);
}

#[test]
fn the_kernel_has_the_last_word() {
    let files = Files::new();
    let m = files.write("m.json", r#"{"activation":"relu","layers":[{"weights":[["1","1"]]}]}"#);
    for (text, facts) in [
        (r#"{"x":[["1","1"],["1"]],"y":[1,-1]}"#, ["sample 1", "1 features"]),
        (r#"{"x":[["1","1"],["0","0"]],"y":[1,-1]}"#, ["sample 1", "zero"]),
        (r#"{"x":[["1","1"],["1","0"]],"y":[1,2]}"#, ["label 2", "-1 and 1"]),
    ] {
        let d = files.write("d.json", text);
        assert_error!(load_problem(&m, &d), d, ImportError::Data { .. }, facts);
    }
    let d = files.write("d.csv", "1,1,1\n0,0,0\n");
    assert_error!(
        load_problem(&m, &d),
        d,
        ImportError::Data { error: DataError::ZeroSample(1), .. },
        ["sample 1"]
    );
    // One class is a legitimate exact problem; the point is exact whatever the data are.
    let d = files.write("d.json", r#"{"x":[["1","1"]],"y":[1]}"#);
    assert_eq!(load_problem(&m, &d).unwrap().1, Source::Exact);
    let d = files.write("d.csv", "1,1,1\n-1,0,0\n");
    assert_eq!(load_problem(&m, &d).unwrap().1, Source::Exact);
}

#[test]
fn the_examples_are_read_and_classified() {
    for (m, d, samples, inputs, width) in [
        ("digits/digits01_m10.safetensors", "digits/digits01.data.npz", 360, 64, 10),
        ("digits/digits01_m2_polish.safetensors", "digits/digits01.data.npz", 360, 64, 2),
        ("iris/iris_m10.safetensors", "iris/iris.data.npz", 150, 4, 10),
    ] {
        let (problem, source) = load_problem(&example(m), &example(d)).unwrap();
        assert_eq!(source, Source::Floats);
        assert_eq!(problem.data().len(), samples);
        let [first, last] = problem.network().layers() else { panic!("two layers") };
        assert_eq!(
            (first.rows(), first.cols(), last.rows(), last.cols()),
            (width, inputs, 1, width)
        );
        assert!(problem.gamma().is_ok(), "{m}");
        // What was read is what is written.
        let files = Files::new();
        let copy = files.path("m.safetensors");
        save_model(&copy, problem.network(), Biased::No).unwrap();
        let (again, _) = load_problem(&copy, &example(d)).unwrap();
        assert_eq!(again.network(), problem.network());
    }
}
