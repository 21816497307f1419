//! Limits, usage, files that cannot be written.
use crate::{EXAMPLES, Folder};

#[test]
fn a_reached_time_limit_is_its_own_exit_code() {
    let folder = Folder::new();
    let limited = ["--time-limit", "0", "--json", "-o", "c.json"];
    let report = folder.on("certify", EXAMPLES[0], &limited).expect(4).json();
    assert_eq!(report["verdict"], "limit");
    // The norm bound needs no search: it is written, and verifies.
    folder.on("check", EXAMPLES[0], &["c.json"]).expect(0);
    let run = folder.on("polish", EXAMPLES[0], &["--time-limit", "0", "-o", "p.json"]).expect(4);
    // Without a convex program, there is only the balance of the layers to win.
    assert!(run.out.contains("\n0 convex programs"), "{}", run.out);
    assert_eq!(folder.names(), ["c.json", "p.json"]);
}

/// As `maxmargin-check` does.
#[test]
fn limits_of_a_check_are_set_by_the_caller() {
    let folder = Folder::new();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/certificates/small/i_global.json");
    for flag in ["--max-nodes", "--max-bytes", "--time-limit"] {
        let run = folder.run(&["check", file, flag, "0"]).expect(4);
        assert!(run.out.contains("NOT VERIFIED") && run.out.contains("more than 0"), "{}", run.out);
        folder.run(&["check", file, flag, "1000000"]).expect(0);
    }
}

#[test]
fn usage_errors_are_64() {
    let folder = Folder::new();
    for arguments in [
        &[][..],
        &["prove"],
        &["certify", "--model", "m.json"],
        &["check"],
        &["show"],
        &["check", "c.json", "--model", "m.json"],
        &["certify", "--model", "m.json", "--data", "d.json", "--bracket", "far"],
        &["certify", "--model", "m.json", "--data", "d.json", "--bracket", "near:-1"],
        &["certify", "--model", "m.json", "--data", "d.json", "--threads", "0"],
        &["certify", "--model", "m.json", "--data", "d.json", "--time-limit", "soon"],
        &["certify", "--model", "m.json", "--data", "d.json", "--activation", "tanh"],
        &["certify", "--model", "m.json", "--data", "d.json", "--activation", "leaky:2"],
        &["certify", "--model", "m.json", "--data", "d.json", "--active", "-1/2"],
        &["polish", "--model", "m.json", "--data", "d.json"],
    ] {
        let run = folder.run(arguments).expect(64);
        assert!(run.out.is_empty() && run.err.contains("--help"), "{arguments:?}: {}", run.err);
    }
    for arguments in [&["--version"][..], &["--help"], &["certify", "--help"]] {
        assert!(folder.run(arguments).expect(0).err.is_empty());
    }
    assert!(folder.names().is_empty());
}

#[test]
fn targets_are_checked_before_the_work() {
    let folder = Folder::new();
    folder.write("file", "");
    for (command, target, fact) in [
        ("certify", "none/c.json", "none/c.json"),
        ("certify", "file/c.json", "not a directory"),
        ("polish", "none/p.safetensors", "none/p.safetensors"),
        ("polish", "p.pt", "p.pt: cannot tell the format by the ending"),
        ("polish", "p", "supported are .safetensors and .json for writing models"),
    ] {
        let run = folder.on(command, EXAMPLES[0], &["-o", target]).expect(2);
        assert!(run.out.is_empty() && run.err.contains(fact), "{command} {target}: {}", run.err);
    }
    assert_eq!(folder.names(), ["file"]);
}

#[test]
fn certificates_can_leave_the_problem_out() {
    let folder = Folder::new();
    let on = |command: &str, more: &[&str]| folder.on(command, EXAMPLES[2], more);
    on("certify", &["--embed", "never", "-o", "c.json"]).expect(0);
    // A better network of another width is a witness and stays; the data and θ do not.
    assert!(!folder.read("c.json").contains("\"x\":[["));
    on("check", &["c.json"]).expect(0);
    let run = folder.run(&["check", "c.json"]).expect(2);
    assert!(run.out.contains("does not embed its problem: give the model and the data"));
    folder.run(&["show", "c.json"]).expect(2);
    on("show", &["c.json"]).expect(0);
}

#[cfg(unix)]
#[test]
fn certificates_are_ordinary_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    folder.on("certify", EXAMPLES[2], &["-o", "c.json"]).expect(0);
    folder.write("other", "");
    let mode = |name| std::fs::metadata(folder.path(name)).unwrap().permissions().mode();
    assert_eq!(mode("c.json"), mode("other"));
}

#[cfg(unix)]
#[test]
fn the_verdict_survives_a_closed_pipe() {
    use std::process::{Command, Stdio};
    let folder = Folder::new();
    folder.on("certify", EXAMPLES[2], &["-o", "c.json"]).expect(0);
    let text = folder.read("c.json");
    folder.write("cut.json", &text[..text.len() / 2]);
    for (file, code) in [("c.json", 0), ("cut.json", 2)] {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin("maxmargin"))
            .args(["check", file])
            .current_dir(folder.0.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop((child.stdout.take(), child.stderr.take()));
        assert_eq!(child.wait().unwrap().code(), Some(code), "{file}");
    }
}

/// A file that changes between the two checkers: they would agree about two certificates.
#[cfg(unix)]
#[test]
fn both_checkers_read_the_same_bytes() {
    let folder = Folder::new();
    let paper = concat!(env!("CARGO_MANIFEST_DIR"), "/certificates/paper");
    let script = format!(
        "mkfifo pipe && (cat {paper}/deep_linear.cert.json >pipe; sleep 1; cat {paper}/dead_neuron.cert.json >pipe) & \
         until test -p pipe; do sleep 0.05; done; exec {} check pipe --also-verified=/bin/true",
        env!("CARGO_BIN_EXE_maxmargin")
    );
    let mut shell = std::process::Command::new("sh");
    let output = shell.args(["-c", &script]).current_dir(folder.path(".")).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    assert!(complaint.contains("not the same when it was read again"), "{complaint}");
}
