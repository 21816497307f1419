//! The command line end to end: every exit code, every kind of bad input, the reports, and the
//! numbers that the shipped examples must reach.

#[path = "cli/accepted.rs"]
mod accepted;
#[path = "cli/edited.rs"]
mod edited;
#[path = "cli/exact.rs"]
mod exact;
#[path = "cli/inputs.rs"]
mod inputs;
#[path = "cli/limits.rs"]
mod limits;
#[path = "cli/outputs.rs"]
mod outputs;
#[path = "cli/points.rs"]
mod points;
#[path = "cli/solve.rs"]
mod solve;
#[path = "cli/tools.rs"]
mod tools;
#[path = "cli/words.rs"]
mod words;

use maxmargin::import::{DataOptions, ModelOptions, load_problem};
use maxmargin_kernel::problem::Problem;
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

/// Model and data of the shipped examples.
const EXAMPLES: [(&str, &str); 3] = [
    ("digits/digits01_m10.safetensors", "digits/digits01.data.npz"),
    ("digits/digits01_m2_polish.safetensors", "digits/digits01.data.npz"),
    ("iris/iris_m10.safetensors", "iris/iris.data.npz"),
];

fn example(name: &str) -> String {
    format!("{}/examples/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// What one run of the program did.
struct Run {
    code: i32,
    out: String,
    err: String,
}

impl Run {
    /// The one JSON object on standard output.
    fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|e| panic!("{e}: {}\n{}", self.out, self.err))
    }

    #[track_caller]
    fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }
}

/// A folder with the files of one test; the program runs in it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names in the folder, hidden ones too.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.pipe(arguments, b"")
    }

    /// The same with something on standard input.
    fn pipe(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut command = assert_cmd::Command::cargo_bin("maxmargin").unwrap();
        command.write_stdin(input);
        let output = command.args(arguments).env("COLUMNS", "100").current_dir(self.0.path());
        let Output { status, stdout, stderr } = output.output().unwrap();
        Run {
            code: status.code().expect("the program ended by itself"),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        }
    }

    /// `command --model M --data D` and more.
    fn on(&self, command: &str, (model, data): (&str, &str), more: &[&str]) -> Run {
        let (model, data) = (example(model), example(data));
        let mut arguments = vec![command, "--model", &model, "--data", &data];
        arguments.extend(more);
        self.run(&arguments)
    }

    /// A certificate of exact JSON problems, made in this folder.
    fn certify_json(&self, model: &str, data: &str, more: &[&str]) -> Run {
        self.write("m.json", model);
        self.write("d.json", data);
        let mut arguments = vec!["certify", "--model", "m.json", "--data", "d.json"];
        arguments.extend(more);
        self.run(&arguments)
    }
}

fn problem(model: &Path, data: &str) -> Problem {
    let data = example(data);
    let options = (ModelOptions::default(), DataOptions::default());
    load_problem(model, Path::new(&data), &options.0, &options.1).unwrap().0
}

/// A safetensors file of little-endian elements.
fn safetensors_of(tensors: &[(&str, &[usize], Dtype, Vec<u8>)]) -> Vec<u8> {
    let views = tensors.iter().map(|(name, shape, dtype, bytes)| {
        (name.to_string(), TensorView::new(*dtype, shape.to_vec(), bytes).unwrap())
    });
    serialize(views, None).unwrap()
}

/// A float64 safetensors file.
fn safetensors(tensors: &[(&str, &[usize], &[f64])]) -> Vec<u8> {
    let list: Vec<_> = tensors
        .iter()
        .map(|(name, shape, values)| {
            let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            (*name, *shape, Dtype::F64, bytes)
        })
        .collect();
    safetensors_of(&list)
}
