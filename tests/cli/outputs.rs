//! What is written where: targets that cannot be, the commands that reports print, biases, and what a
//! certificate says of one layer alone.
use crate::{Folder, example};

/// A small network that classifies these data, whose columns have names, the label in the first.
fn files(folder: &Folder) {
    folder.write("my data.csv", "class,a,b\n1,1,0.5\n0,-1,0.5\n1,2,1\n0,-1,-0.25\n");
    let weights = ndarray::arr2(&[[1.0, 0.25], [-1.0, 0.125], [0.5, 0.5]]);
    let outputs = ndarray::arr2(&[[1.0, -1.0, 0.25]]);
    let file = std::fs::File::create(folder.path("it's a net.npz")).unwrap();
    let mut npz = ndarray_npy::NpzWriter::new(file);
    npz.add_array("W1", &weights).unwrap();
    npz.add_array("W2", &outputs).unwrap();
    npz.finish().unwrap();
}

const INPUTS: [&str; 8] = [
    "--model",
    "it's a net.npz",
    "--data",
    "my data.csv",
    "--label",
    "class",
    "--activation",
    "leaky:1/10",
];

/// The last command of a report, run by a shell; its `maxmargin` is ours.
fn copied(folder: &Folder, report: &str) -> std::process::Output {
    let start = report.rfind("  maxmargin ").unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_maxmargin")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &report[start..]]).env("PATH", path).current_dir(folder.path("."));
    shell.output().unwrap()
}

#[test]
fn commands_to_be_copied_work() {
    let folder = Folder::new();
    files(&folder);
    let run = |command: &str, output: &str| {
        let arguments: Vec<&str> =
            [command].into_iter().chain(INPUTS).chain(["-o", output]).collect();
        folder.run(&arguments)
    };
    let report = run("certify", "the net's.cert.json").expect(0).out;
    let again = copied(&folder, &report);
    let text = String::from_utf8_lossy(&again.stdout).into_owned();
    assert_eq!(again.status.code(), Some(0), "{report}\n{text}");
    assert!(text.contains("VERIFIED") && !text.contains("tie it to yours"), "{text}");

    let report = run("polish", "-a better net.safetensors").expect(64);
    assert!(report.err.contains("-o"), "{}", report.err);
    let report = run("polish", "./a better net.safetensors").expect(0).out;
    let again = copied(&folder, &report);
    assert_eq!(again.status.code(), Some(0), "{report}");
    let report = run("flow", "limit net.json").expect(0).out;
    assert!(report.contains("maxmargin certify"), "{report}");
    let again = copied(&folder, &report);
    assert!(matches!(again.status.code(), Some(0 | 4 | 5)), "{report}");
}

#[test]
fn a_bias_stays_a_bias() {
    let folder = Folder::new();
    folder.write("d.csv", "1,0.5,1\n-1,0.5,-1\n2,1,1\n-1,-0.25,-1\n");
    let f64s = |values: &[f64]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let model = crate::safetensors_of(&[
        ("0.weight", &[2, 2], safetensors::Dtype::F64, f64s(&[1.0, 0.25, -1.0, 0.125])),
        ("0.bias", &[2], safetensors::Dtype::F64, f64s(&[0.25, 0.125])),
        ("2.weight", &[1, 2], safetensors::Dtype::F64, f64s(&[1.0, -1.0])),
    ]);
    folder.write("m.safetensors", model);
    let on = ["--model", "m.safetensors", "--data", "d.csv", "-o"];
    for command in ["polish", "flow"] {
        let arguments = |output| [&[command], &on[..], &[output]].concat();
        let report = folder.run(&arguments("better.safetensors")).expect(0).out;
        let again = copied(&folder, &report);
        let text = String::from_utf8_lossy(&again.stdout).into_owned();
        assert_eq!(again.status.code(), Some(0), "{report}\n{text}");
        assert!(text.contains("3-2-1"), "{text}");
        let run = folder.run(&arguments("better.json")).expect(2);
        assert!(run.err.contains("has a bias") && run.out.is_empty(), "{}", run.err);
    }
}

#[test]
fn targets_that_cannot_be_are_named_before_the_work() {
    let folder = Folder::new();
    files(&folder);
    let before = folder.names();
    std::fs::create_dir(folder.path("folder")).unwrap();
    let data = example("iris/iris.data.npz");
    for (output, code, what) in [
        ("-", 2, "give the name of a file"),
        ("folder", 2, "cannot be written"),
        ("none/c.json", 2, "no folder none"),
        ("it's a net.npz", 64, "-o and --model are the same file"),
        ("./my data.csv", 64, "-o and --data are the same file"),
    ] {
        let arguments: Vec<&str> =
            ["certify"].into_iter().chain(INPUTS).chain(["-o", output]).collect();
        let run = folder.run(&arguments).expect(code);
        assert!(run.err.contains(what) && run.out.is_empty(), "{}", run.err);
    }
    let run = folder.run(&["solve", "--data", &data, "-o", "a.json", "--certificate", "./a.json"]);
    let run = run.expect(64);
    assert!(run.err.contains("--certificate and -o are the same file"), "{}", run.err);
    std::fs::remove_dir(folder.path("folder")).unwrap();
    assert_eq!(folder.names(), before);
}

/// A pipe stays one, and takes the certificate.
#[test]
#[cfg(unix)]
fn a_certificate_goes_through_a_pipe() {
    let folder = Folder::new();
    files(&folder);
    let pipe = folder.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn(move || std::fs::read(pipe).unwrap());
    let arguments: Vec<&str> =
        ["certify"].into_iter().chain(INPUTS).chain(["-o", "pipe"]).collect();
    folder.run(&arguments).expect(0);
    let certificate = reader.join().unwrap();
    folder.pipe(&["check", "-"], &certificate).expect(0);
}

#[test]
fn a_scope_that_does_not_exist_is_usage() {
    let folder = Folder::new();
    files(&folder);
    let arguments: Vec<&str> =
        ["certify"].into_iter().chain(INPUTS).chain(["--scope", "layer:3"]).collect();
    let run = folder.run(&arguments).expect(64);
    assert!(run.err.contains("--scope layer:3: the network has 2 layers"), "{}", run.err);
}

#[test]
fn errors_are_objects_where_asked() {
    let folder = Folder::new();
    for command in ["certify", "polish", "solve", "flow"] {
        let mut arguments = vec![command, "--data", "none.csv", "-o", "o.json", "--json"];
        if command != "solve" {
            arguments.extend(["--model", "none.npz"]);
        }
        let run = folder.run(&arguments).expect(2);
        let value = run.json();
        assert_eq!((&value["verdict"], &value["exit"]), (&"error".into(), &2.into()));
        assert!(run.err.contains(value["reason"].as_str().unwrap()), "{}", run.err);
    }
}

/// With a gap that no search in floats can reach, the bracket is no wider than with one that it can.
#[test]
fn a_gap_of_nothing_is_no_wider() {
    let folder = Folder::new();
    let data = example("iris/iris.data.npz");
    for gap in ["0", "1e-15", "1e-13"] {
        let run = folder.run(&["solve", "--data", &data, "--gap", gap, "--json"]);
        assert!(matches!(run.code, 0 | 5), "{}", run.err);
        let reached = run.json()["cost"]["gap"].as_f64().unwrap();
        assert!(reached < 1e-8, "{gap}: {reached}");
    }
}

/// A network from `solve` is nearly optimal: a better one lies at a distance that only a curve knows.
#[test]
fn what_is_not_a_local_optimum_is_not_a_global_one() {
    let folder = Folder::new();
    folder.write("d.csv", "1,2,1\n-1,-2,-1\n");
    folder.run(&["solve", "--data", "d.csv", "-o", "n.json"]).expect(0);
    let run = folder.run(&["certify", "--model", "n.json", "--data", "d.csv"]).expect(0);
    for line in ["KKT point: NO", "local optimum: NO", "global optimum: NO"] {
        assert!(run.out.contains(line), "{}", run.out);
    }
    assert!(!run.out.contains("it is a KKT point"), "{}", run.out);
}

/// A bound of γ/|u⁽ˡ⁾| is no multiple of ν.
#[test]
fn bounds_of_one_layer_are_not_bounds_of_the_network() {
    let folder = Folder::new();
    let text = include_str!("../fixtures/layer_bound.cert.json");
    folder.write("layer.cert.json", text);
    for command in ["check", "show"] {
        let run = folder.run(&[command, "layer.cert.json"]).expect(0);
        assert!(run.out.contains("the margin over the norm of layer 2 ≤ 0.036"), "{}", run.out);
        let bound = run.out.lines().find(|line| line.contains("at most"));
        assert!(bound.is_none(), "{}", run.out);
    }
    folder.run(&["show", "layer.cert.json", "--html", "page.html"]).expect(0);
    let page = folder.read("page.html");
    assert!(page.contains("It is no bound for ν"));
    assert!(!page.contains("No network of this architecture has a larger one"));
}
