//! `solve`: interrupted, resumed, on degenerate data, with other activations.
use crate::{Folder, Run, example};
use std::fmt::Write as _;

fn solve(folder: &Folder, data: &str, more: &[&str]) -> Run {
    let mut arguments = vec!["solve", "--data", data];
    arguments.extend(more);
    folder.run(&arguments)
}

/// Random samples with random labels, of so many bits: far from solved in a minute.
fn hard(bits: u32) -> String {
    let mut state = 1u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> (64 - bits)) as f64 / (1u64 << (bits - 1)) as f64 - 1.0
    };
    let mut text = String::new();
    for i in 0..110 {
        for _ in 0..10 {
            write!(text, "{},", next()).unwrap();
        }
        writeln!(text, "{}", if i % 2 == 0 { 1 } else { -1 }).unwrap();
    }
    text
}

#[test]
fn an_interrupted_search_goes_on_from_its_checkpoint() {
    let folder = Folder::new();
    let data = example("digits/digits01.data.npz");
    let more = ["--checkpoint", "state", "--certificate", "c.json.gz", "--json"];
    let with = |limit| [&["--time-limit", limit], &more[..]].concat();
    solve(&folder, &data, &with("0")).expect(4);
    assert!(folder.path("state").exists());
    let mut codes = vec![4];
    while codes.last() == Some(&4) && codes.len() < 60 {
        codes.push(solve(&folder, &data, &with("0.4")).code);
    }
    let run = solve(&folder, &data, &more).expect(0).json();
    let direct = solve(&folder, &data, &["--json"]).expect(0).json();
    for run in [&run, &direct] {
        assert!((run["cost"]["upper"].as_f64().unwrap() - 1.748480887).abs() < 1e-8, "{run}");
        assert!(run["cost"]["gap"].as_f64().unwrap() <= 1e-6, "{run}");
    }
    folder.run(&["check", "c.json.gz"]).expect(0);
    // Of other data, of another activation, or no checkpoint at all.
    let iris = example("iris/iris.data.npz");
    let other = solve(&folder, &iris, &["--checkpoint", "state"]).expect(2);
    assert!(other.err.contains("state is the checkpoint of another data set"), "{}", other.err);
    let linear = ["--checkpoint", "state", "--activation", "linear"];
    let other = solve(&folder, &data, &linear).expect(2);
    assert!(other.err.contains("state is the checkpoint of another activation"), "{}", other.err);
    folder.write("state", "nothing");
    let other = solve(&folder, &data, &["--checkpoint", "state"]).expect(2);
    assert!(other.err.contains("is not a checkpoint"), "{}", other.err);
}

#[test]
fn a_limit_ends_with_a_certified_bracket() {
    let folder = Folder::new();
    // As decimals, 24 bits take 17 digits; the check must not be slow on them.
    folder.write("d.csv", hard(24));
    let start = std::time::Instant::now();
    let more = ["--time-limit", "15", "--certificate", "c.json", "--json"];
    let run = solve(&folder, "d.csv", &more).expect(4).json();
    // A fifth more is promised; some seconds are for machines that do other things besides.
    assert!(start.elapsed().as_secs_f64() < 1.2 * 15.0 + 10.0, "{:?}", start.elapsed());
    let (lower, upper) = (&run["cost"]["lower"], &run["cost"]["upper"]);
    assert!(0.0 < lower.as_f64().unwrap() && lower.as_f64() < upper.as_f64(), "{run}");
    folder.run(&["check", "c.json"]).expect(0);
}

#[cfg(unix)]
#[test]
fn an_interrupt_writes_what_is_proved() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};
    let folder = Folder::new();
    folder.write("d.csv", hard(8));
    let child = Command::new(assert_cmd::cargo::cargo_bin("maxmargin"))
        .args(["solve", "--data", "d.csv", "--certificate", "c.json", "--checkpoint", "state"])
        .current_dir(folder.0.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Its first checkpoint shows that it has a network.
    let start = Instant::now();
    while !folder.path("state").exists() && start.elapsed().as_secs() < 60 {
        std::thread::sleep(Duration::from_millis(100));
    }
    let sent = Instant::now();
    assert!(
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success()
    );
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(sent.elapsed().as_secs() < 20, "{:?}", sent.elapsed());
    folder.run(&["check", "c.json"]).expect(0);
}

#[test]
fn certificates_come_by_standard_input() {
    let folder = Folder::new();
    folder.write("d.csv", "1,0,1\n-1,0,-1\n");
    for file in ["c.json", "c.json.gz"] {
        solve(&folder, "d.csv", &["--certificate", file]).expect(0);
        let bytes = std::fs::read(folder.path(file)).unwrap();
        let whole = folder.pipe(&["check", "-"], &bytes).expect(0);
        assert!(whole.out.starts_with("VERIFIED  -\n"), "{file}: {}", whole.out);
        let cut = folder.pipe(&["check", "-"], &bytes[..bytes.len() / 2]);
        assert_eq!(cut.code, 2, "{file}: {}", cut.out);
        folder.pipe(&["check", "-", "--also-verified"], &bytes).expect(64);
    }
    folder.pipe(&["check", "-"], b"").expect(2);
}

#[test]
fn a_certificate_of_any_width_goes_on_from_its_checkpoint() {
    let folder = Folder::new();
    let model = example("digits/digits01_m2_polish.safetensors");
    let data = example("digits/digits01.data.npz");
    let certify = |more: &[&str]| {
        let asked = ["certify", "--model", &model, "--data", &data, "--bracket", "everywhere"];
        folder.run(&[&asked, more, &["--checkpoint", "state"]].concat())
    };
    certify(&["--time-limit", "0"]).expect(4);
    // A limit of 0 does not even search; a short one leaves a state.
    certify(&["--time-limit", "0.3"]);
    assert!(folder.path("state").exists());
    let run = certify(&["-o", "c.json"]).expect(0);
    assert!(run.out.contains("any width"), "{}", run.out);
    folder.run(&["check", "c.json"]).expect(0);
    let iris = example("iris/iris.data.npz");
    let model = example("iris/iris_m10.safetensors");
    let other = ["certify", "--model", &model, "--data", &iris, "--checkpoint", "state"];
    let other = folder.run(&other).expect(2);
    assert!(other.err.contains("state is the checkpoint of another data set"), "{}", other.err);
}

/// One neuron on data for which two are better: the bound of any width cannot be met.
#[test]
fn a_bound_that_is_loose_for_a_narrow_network_is_called_so() {
    let folder = Folder::new();
    folder.write("d.json", r#"{"x":[["1","1/4"],["-1","1/4"]],"y":[1,1]}"#);
    let one = r#"{"activation":"relu","layers":[{"weights":[["0","1"]]},{"weights":[["1"]]}]}"#;
    folder.write("m.json", one);
    let on = ["certify", "--model", "m.json", "--data", "d.json", "--bracket", "everywhere"];
    let run = folder.run(&on).expect(0);
    assert!(run.out.contains("For this architecture the bound is loose"), "{}", run.out);
}

#[test]
fn degenerate_data() {
    let folder = Folder::new();
    let solved = |name: &str, text: &str, more: &[&str]| {
        let data = if text.starts_with('{') { "d.json" } else { "d.csv" };
        folder.write(data, text);
        let all = [&["--json", "--certificate", "c.json", "--time-limit", "20"], more].concat();
        let run = solve(&folder, data, &all);
        assert_eq!(run.code, 0, "{name}: {}{}", run.out, run.err);
        folder.run(&["check", "c.json"]).expect(0);
        run.json()["cost"]["upper"].as_f64().unwrap()
    };
    let near = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-5, "{a} {b}");
    near(solved("one sample", r#"{"x":[["3","4"]],"y":[1]}"#, &[]), 0.2);
    let one_class = r#"{"x":[["3","4"],["4","3"]],"y":[1,1]}"#;
    near(solved("one class", one_class, &["--activation", "linear"]), 2f64.sqrt() / 7.0);
    near(solved("duplicates", "1,0,1\n1,0,1\n-1,0,-1\n-1,0,-1\n", &[]), 2.0);
    near(solved("parallel", "1,0,1\n2,0,1\n-1,0,-1\n", &[]), 2.0);
    near(solved("rank one", "1,1,1\n2,2,1\n-1,-1,-1\n", &[]), 2f64.sqrt());
    near(solved("leaky", "1,0,1\n-1,0,-1\n", &["--activation", "leaky:1/2"]), 4.0 / 3.0);
    near(solved("huge", "1e150,0,1\n-1e150,0,-1\n", &[]), 2e-150);
    near(solved("tiny", "1e-150,0,1\n-1e-150,0,-1\n", &[]), 2e150);
    folder.write("d.csv", "1,0,1\n1,0,-1\n");
    let run = solve(&folder, "d.csv", &[]).expect(2);
    assert!(run.err.contains("have the same features and different labels"), "{}", run.err);
    // Margins in a fixed proportion, and a margin of 0: no network of any width.
    for text in ["1,0,1\n2,0,-1\n", "0,0,1\n1,0,-1\n"] {
        folder.write("d.csv", text);
        let run = solve(&folder, "d.csv", &["--time-limit", "10"]);
        assert!([2, 4].contains(&run.code) && run.err.contains("network"), "{}", run.err);
        assert!(run.out.is_empty(), "{}", run.out);
    }
}

#[test]
fn iris_from_scratch() {
    let folder = Folder::new();
    let more = ["--gap", "1e-9", "--json", "--certificate", "c.json.GZ"];
    let run = solve(&folder, &example("iris/iris.data.npz"), &more).expect(0).json();
    assert!(run["cost"]["gap"].as_f64().unwrap() <= 1e-9, "{run}");
    folder.run(&["check", "c.json.GZ"]).expect(0);
    folder.run(&["show", "c.json.GZ"]).expect(0);
    let more = ["--json", "--certificate", "c.json"];
    let run = solve(&folder, &example("iris/iris12.data.npz"), &more).expect(0).json();
    assert!((run["cost"]["upper"].as_f64().unwrap() / 18.517_492_7 - 1.0).abs() < 1e-6, "{run}");
    folder.run(&["check", "c.json"]).expect(0);
}

#[test]
fn a_shell_loop_proves_a_divided_cover() {
    let folder = Folder::new();
    let data = example("digits/digits01.data.npz");
    let split = |to: &str, gap: &str| {
        folder.run(&["cover", "split", "--data", &data, "--gap", gap, "--items", "8", "-o", to])
    };
    split("work", "1e-6").expect(0);
    split("other", "1e-5").expect(0);
    let items = std::fs::read_dir(folder.path("work/items")).unwrap().count();
    assert!(items >= 8, "{items}");
    let join = || folder.run(&["cover", "join", "work", "-o", "c.json"]);
    let none = join().expect(2);
    assert!(none.err.contains("item 0 is missing"), "{}", none.err);
    let program = assert_cmd::cargo::cargo_bin("maxmargin");
    let shell = |text: &str| {
        let mut sh = std::process::Command::new("sh");
        let out = sh.args(["-c", text]).env("MM", &program).current_dir(folder.0.path()).output();
        assert!(out.unwrap().status.success(), "{text}");
    };
    // At most two processes at a time, as any scheduler would.
    shell("set -e; ls work/items/* | xargs -n 1 -P 2 \"$MM\" cover prove --threads 1");
    shell("set -e; for f in other/items/*; do \"$MM\" cover prove $f; done");
    let run = join().expect(0);
    assert!(run.out.contains("certified bound on any cost  1.74847"), "{}", run.out);
    folder.run(&["check", "c.json"]).expect(0);
    // A part that a limit cut short is joined for what it is worth.
    let cut = ["cover", "prove", "work/items/00000.json", "--time-limit", "0", "-o", "cut.json"];
    folder.run(&cut).expect(4);
    shell("cp work/parts/00000.json whole.json; cp cut.json work/parts/00000.json");
    let run = join().expect(4);
    assert!(run.err.contains("not finished"), "{}", run.err);
    folder.run(&["check", "c.json"]).expect(0);
    // Run again, it goes on.
    folder.run(&["cover", "prove", "work/items/00000.json"]).expect(0);
    join().expect(0);
    // Not a part, a changed part, a missing part, a part of another run.
    shell("sed -i 's/\"item\":1,/\"item\":0,/' work/parts/00001.json");
    let changed = join().expect(2);
    assert!(changed.err.contains("00001.json was changed"), "{}", changed.err);
    shell("rm work/parts/00001.json");
    let missing = join().expect(2);
    assert!(missing.err.contains("item 1 is missing"), "{}", missing.err);
    shell("cp other/parts/00001.json work/parts/00001.json");
    let mixed = join().expect(2);
    assert!(mixed.err.contains("items of different runs cannot be mixed"), "{}", mixed.err);
    let wrong = folder.run(&["cover", "prove", "work/run.json"]).expect(2);
    assert!(wrong.err.contains("is not a maxmargin-cover-item"), "{}", wrong.err);
}
