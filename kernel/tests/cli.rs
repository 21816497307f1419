//! The binary `maxmargin-check`: exit codes and output.
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn certificates(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../certificates").join(name)
}

fn run<S: AsRef<OsStr>>(arguments: &[S]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_maxmargin-check")).args(arguments).output().unwrap()
}

/// Exit code, standard output, standard error.
fn outcome<S: AsRef<OsStr>>(arguments: &[S]) -> (i32, String, String) {
    let output = run(arguments);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A file of this test with this content.
fn file(name: &str, content: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).unwrap();
    path
}

const MODEL_E: &str = r#"{"activation": "relu", "layers": [{"weights": [["0","1"],["0","1"]]}, {"weights": [["1","1"]]}]}"#;
const DATA_E: &str = r#"{"x": [["1","0.25"],["-1","1/4"]], "y": [1, 1]}"#;

#[test]
fn a_good_certificate_exits_0_and_says_what_it_proves() {
    let (code, out, err) = outcome(&[certificates("small/e_cell_and_near.json")]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("verified, 2 claims"), "{out}");
    assert!(out.contains("ν ≤ 0.125 for all networks in this activation cell\n"), "{out}");
    assert!(out.contains("(kinks within δ = 0 free)"), "{out}");
    assert!(out.contains("give --model and --data to tie it to yours"), "{out}");
}

#[test]
fn a_given_problem_is_compared() {
    let (model, data) = (file("model.json", MODEL_E), file("data.json", DATA_E));
    let good = certificates("small/e_kkt.json");
    let with = |model: &Path, data: &Path| {
        outcome(&[
            good.as_os_str(),
            "--model".as_ref(),
            model.as_ref(),
            "--data".as_ref(),
            data.as_ref(),
        ])
    };
    let (code, out, _) = with(&model, &data);
    assert_eq!(code, 0);
    assert!(!out.contains("to tie it to yours"), "{out}");
    let other = file("other.json", &DATA_E.replace("0.25", "0.26"));
    let (code, out, err) = with(&model, &other);
    assert_eq!(code, 3);
    assert!(out.contains("NOT VERIFIED"), "{out}");
    assert!(err.contains("the certificate speaks of another data set"), "{err}");
    // Past a limit is not malformed.
    let long = file("long.json", &MODEL_E.replacen("\"1\"", "\"1e9999\"", 1));
    let (code, out, err) = with(&long, &data);
    assert_eq!((code, out.as_str()), (4, ""), "{err}");
    assert!(err.contains("long.json") && err.contains("exponent"), "{err}");
    // Objects are objects.
    let (code, _, err) = with(&file("list.json", r#"["relu", [{"weights": [["1"]]}]]"#), &data);
    assert_eq!(code, 2, "{err}");
    let (code, _, err) = with(&model, &file("list.data.json", r#"[[["1"]], [1]]"#));
    assert_eq!(code, 2, "{err}");
    // A model that cannot be used is malformed input.
    for bad in [r#"{"activation": "relu"}"#, r#"{"activation": "relu", "layers": []}"#] {
        let (code, out, err) = with(&file("bad.json", bad), &data);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains("bad.json"), "{err}");
    }
}

#[test]
fn rejected_malformed_and_missing_files_have_their_codes() {
    for (name, code, reason) in [
        ("rejected/bound_too_small.json", 1, "the leaf does not close"),
        ("rejected/truncated.json", 2, "truncated"),
        ("rejected/future_version.json", 2, "version 2 is not supported"),
        ("rejected/no_such_file.json", 2, "No such file"),
        ("rejected", 2, "directory"),
    ] {
        let (found, out, err) = outcome(&[certificates(name)]);
        assert_eq!(found, code, "{name}: {err}");
        assert!(out.ends_with("NOT VERIFIED\n"), "{out}");
        assert!(err.contains(reason), "{err}");
    }
}

#[test]
fn the_first_failure_of_several_files_decides() {
    let good = certificates("small/e_kkt.json");
    let wrong = certificates("rejected/bound_too_small.json");
    let cut = certificates("rejected/truncated.json");
    let (code, out, _) = outcome(&[&good, &wrong, &cut]);
    assert_eq!((code, out.matches("NOT VERIFIED").count()), (1, 2));
    assert_eq!(outcome(&[&cut, &wrong, &good]).0, 2);
    assert_eq!(outcome(&[&good, &good]).0, 0);
}

#[test]
fn json_is_one_object_per_file() {
    let good = certificates("small/i_global.json");
    let bad = certificates("rejected/bound_too_small.json");
    let (code, out, _) = outcome(&[good.as_os_str(), bad.as_os_str(), "--json".as_ref()]);
    assert_eq!(code, 1);
    let lines: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["verdict"], "verified");
    assert_eq!(lines[0]["tied"], false);
    assert_eq!(lines[0]["claims"][0]["bound"], "1/4");
    assert_eq!(lines[1]["verdict"], "refused");
    assert_eq!(lines[1]["exit"], 1);
    assert!(lines[1]["reason"].as_str().unwrap().contains("does not close"));
}

#[test]
fn past_a_limit_of_the_caller_the_exit_code_is_4() {
    let good = certificates("small/i_global.json");
    let with = |flag: &str, value: &str| {
        let (code, out, err) = outcome(&[good.as_os_str(), flag.as_ref(), value.as_ref()]);
        assert_eq!(code == 4, out.contains("NOT VERIFIED"), "{out}");
        (code, err)
    };
    for (flag, reason) in [
        ("--max-nodes", "more than 0 cover nodes"),
        ("--max-bytes", "more than 0 bytes"),
        ("--time-limit", "more than 0 seconds"),
    ] {
        let (code, err) = with(flag, "0");
        assert_eq!(code, 4, "{flag}");
        assert!(err.contains(reason), "{err}");
        assert_eq!(with(flag, "1000000").0, 0, "{flag}");
    }
}

#[test]
fn usage_errors_exit_64() {
    for arguments in [
        vec![],
        vec!["--json"],
        vec!["--force", "a.json"],
        vec!["a.json", "--model"],
        vec!["a.json", "--model", "m.json"],
        vec!["a.json", "--data", "d.json"],
        vec!["a.json", "--max-nodes"],
        vec!["a.json", "--max-nodes", "many"],
        vec!["a.json", "--max-bytes", "-1"],
        vec!["a.json", "--time-limit", "0.5"],
    ] {
        let (code, out, err) = outcome(&arguments);
        assert_eq!((code, out.as_str()), (64, ""), "{arguments:?}");
        assert!(err.contains("Usage: maxmargin-check"), "{err}");
    }
    let (code, out, _) = outcome(&["--help"]);
    assert_eq!(code, 0);
    assert!(out.contains("Exit codes"), "{out}");
}

#[cfg(unix)]
#[test]
fn arguments_that_are_not_unicode_and_closed_pipes_are_no_crash() {
    use std::os::unix::ffi::OsStrExt;
    let (code, _, err) = outcome(&[OsStr::from_bytes(b"\xff.json")]);
    assert_eq!(code, 64);
    assert!(err.contains("not valid Unicode"), "{err}");
    // A reader that is gone changes no verdict.
    for (name, code) in [("small/e_kkt.json", 0), ("rejected/bound_too_small.json", 1)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = Command::new(env!("CARGO_BIN_EXE_maxmargin-check"))
            .arg(certificates(name))
            .stdout(writer.try_clone().unwrap())
            .stderr(writer)
            .status();
        assert_eq!(status.unwrap().code(), Some(code), "{name}");
    }
}
