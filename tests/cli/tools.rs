//! Folders and patterns, `diff`, quiet runs, colours, completions and manual pages.
use crate::{EXAMPLES, Folder};
use std::path::Path;

fn certificates(name: &str) -> String {
    format!("{}/certificates/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn folders_and_patterns() {
    let folder = Folder::new();
    let run = folder.run(&["check", &certificates("paper")]).expect(0);
    assert!(run.out.contains("17 certificates: 17 verified; 35 other .json files"), "{}", run.out);
    let run = folder.run(&["check", &certificates("data/iris*.cert.json"), "--json"]).expect(0);
    let lines: Vec<serde_json::Value> =
        run.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|l| l["verdict"] == "verified"));
    // Certificates without the name of one are found by their first words.
    let run = folder.run(&["check", &certificates("small")]).expect(0);
    assert!(run.out.contains(" verified"), "{}", run.out);
    std::fs::create_dir(folder.path("empty")).unwrap();
    let run = folder.run(&["check", "empty"]).expect(2);
    assert_eq!(run.err, "maxmargin: empty: no certificates in this folder\n");
    let run = folder.run(&["check", "none*.json"]).expect(2);
    assert_eq!(run.err, "maxmargin: none*.json: no file matches this pattern\n");
}

#[test]
fn one_rejected_certificate_among_many() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("all/deep")).unwrap();
    let copy = |from: &str, to: &str| std::fs::copy(certificates(from), folder.path(to)).unwrap();
    copy("paper/far_cell.cert.json", "all/a.cert.json");
    copy("rejected/bound_too_small.json", "all/deep/b.json");
    copy("paper/live_paths.cert.json", "all/deep/c.cert.json");
    let run = folder.run(&["check", "all"]).expect(1);
    assert!(run.out.contains("NOT VERIFIED  all/deep/b.json\n"), "{}", run.out);
    assert!(run.out.ends_with("\n3 certificates: 2 verified, 1 NOT verified.\n"), "{}", run.out);
    let whole = folder.read("all/a.cert.json");
    folder.write("all/a.cert.json", &whole[..whole.len() / 2]);
    let run = folder.run(&["check", "all"]).expect(2);
    assert!(run.out.contains("1 verified, 2 NOT verified"), "{}", run.out);
}

#[test]
fn what_changed_between_certificates() {
    let folder = Folder::new();
    let (m10, polished) =
        (certificates("data/iris_m10.cert.json"), certificates("data/iris_m10_polished.cert.json"));
    let run = folder.run(&["diff", &m10, &m10]).expect(0);
    assert_eq!(run.out, "SAME: both certificates say the same.\n");
    // Polishing raised ν; the second certificate says nothing about far networks.
    let run = folder.run(&["diff", &m10, &polished]).expect(6);
    for part in [
        "WEAKER: the new certificate says less than the old, ",
        "everywhere, any width: no bracket any more",
        "normalised margin ν rose from ",
        "the network is another one",
        "near this point, δ = 1e-6: between 1",
    ] {
        assert!(run.out.contains(part), "{part}: {}", run.out);
    }
    let value = folder.run(&["diff", &polished, &m10, "--json"]).expect(6).json();
    assert_eq!(value["verdict"], "weaker");
    let texts: Vec<&str> =
        value["changes"].as_array().unwrap().iter().map(|c| c["text"].as_str().unwrap()).collect();
    assert!(texts.iter().any(|t| t.contains("ν fell from ")), "{texts:?}");
    // A claim more: nothing is lost.
    let pair = (
        certificates("paper/points/far_cell.model.json"),
        certificates("paper/points/far_cell.data.json"),
    );
    let few = ["--decide", "kkt", "-o", "few.json"];
    let mut arguments = vec!["certify", "--model", &pair.0, "--data", &pair.1];
    arguments.extend(few);
    folder.run(&arguments).expect(0);
    let full = certificates("paper/far_cell.cert.json");
    let run = folder.run(&["diff", "few.json", &full]).expect(0);
    assert!(run.out.starts_with("CHANGED: ") && run.out.contains("GAINED\n  θ is a local optimum"));
    let run = folder.run(&["diff", &full, "few.json"]).expect(6);
    assert!(run.out.contains("LOST\n  θ is a local optimum"), "{}", run.out);
    // What is not verified is not compared.
    let rejected = certificates("rejected/bound_too_small.json");
    let run = folder.run(&["diff", &rejected, &full]).expect(1);
    assert!(run.out.is_empty() && run.err.contains("bound_too_small.json: claim 0"), "{}", run.err);
}

#[test]
fn quiet_runs_leave_the_exit_code() {
    let folder = Folder::new();
    let run =
        folder.run(&["check", "--quiet", &certificates("paper/far_cell.cert.json")]).expect(0);
    assert_eq!((run.out.as_str(), run.err.as_str()), ("", ""));
    let run =
        folder.run(&["-q", "check", &certificates("rejected/bound_too_small.json")]).expect(1);
    assert_eq!(run.out, "");
    let run =
        folder.run(&["-q", "check", "--json", &certificates("paper/far_cell.cert.json")]).expect(0);
    assert_eq!(run.json()["verdict"], "verified");
    let run = folder.run(&["-q", "check", "missing.json"]).expect(2);
    assert_eq!(run.out, "");
}

#[test]
fn colours_only_where_asked() {
    let folder = Folder::new();
    let check = |variables: &[(&str, &str)]| {
        let mut command = assert_cmd::Command::cargo_bin("maxmargin").unwrap();
        command
            .arg("check")
            .arg(certificates("paper/far_cell.cert.json"))
            .current_dir(folder.path(""));
        let output = command.envs(variables.iter().copied()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(check(&[]).starts_with("VERIFIED  "));
    assert!(
        check(&[("CLICOLOR_FORCE", "1")]).starts_with("\u{1b}[1m\u{1b}[32mVERIFIED\u{1b}[0m  ")
    );
    assert!(check(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).starts_with("VERIFIED  "));
}

#[test]
fn reports_fit_eighty_columns() {
    let folder = Folder::new();
    let (model, data) = EXAMPLES[0];
    folder.write("m.safetensors", std::fs::read(crate::example(model)).unwrap());
    folder.write("d.npz", std::fs::read(crate::example(data)).unwrap());
    let pair = ["--model", "m.safetensors", "--data", "d.npz"];
    let mut shown = String::new();
    for (command, more) in [
        ("certify", &["-o", "c.json"][..]),
        ("check", &["c.json"]),
        ("show", &["c.json"]),
        ("polish", &["-o", "p.safetensors"]),
    ] {
        let mut arguments = vec![command];
        arguments.extend(pair);
        arguments.extend(more);
        shown += &folder.run(&arguments).expect(0).out;
    }
    for name in ["one_neuron_each", "escape_at_kinks_deep"] {
        shown +=
            &folder.run(&["show", &certificates(&format!("paper/{name}.cert.json"))]).expect(0).out;
    }
    let here = env!("CARGO_MANIFEST_DIR");
    let long = shown.lines().filter(|l| l.chars().count() > 80 && !l.contains(here));
    assert_eq!(long.collect::<Vec<_>>(), Vec::<&str>::new());
    assert!(shown.lines().count() > 150);
}

#[test]
fn completions_and_manual_pages() {
    let folder = Folder::new();
    for (shell, part) in
        [("bash", "_maxmargin()"), ("zsh", "#compdef maxmargin"), ("fish", "complete -c maxmargin")]
    {
        let run = folder.run(&["completions", shell]).expect(0);
        assert!(run.out.contains(part) && run.out.contains("certify"), "{shell}");
    }
    let run = folder.run(&["man"]).expect(0);
    assert!(run.out.contains(".TH maxmargin 1") && run.out.contains("SUBCOMMANDS"));
    folder.run(&["man", "--out", "pages"]).expect(0);
    for page in ["maxmargin.1", "maxmargin-certify.1", "maxmargin-diff.1"] {
        assert!(Path::new(&folder.path("pages")).join(page).is_file(), "{page}");
    }
}
