//! The documents: every command in a `console` block runs, in a folder that has `examples` and
//! `certificates`, and prints the lines shown below it; every link leads somewhere; pictures are the
//! ones the program draws now.
//!
//! In a block, `$ ` begins a command, which a `\` at the end of a line continues; `# exit N` after it is its exit code, 0 by default. `…` on a line
//! of its own stands for any lines, at the end of a line for the rest of it. Numbers need only agree
//! in their first digits.
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> Vec<PathBuf> {
    let docs = std::fs::read_dir(root().join("docs")).unwrap().map(|e| e.unwrap().path());
    let mut all: Vec<PathBuf> = docs.filter(|p| p.extension().is_some_and(|e| e == "md")).collect();
    all.push(root().join("README.md"));
    all.sort();
    all
}

/// Every document of the repository.
fn all_documents() -> Vec<PathBuf> {
    let mut all = documents();
    let mut folders = vec![root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !path.is_symlink() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(".md") && !all.contains(&path) {
                all.push(path);
            }
        }
    }
    all
}

/// A command with its exit code and the lines shown below it.
struct Step {
    command: String,
    code: i32,
    expected: Vec<String>,
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let (mut inside, mut open) = (false, None::<String>);
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside {
            let line = match (line.strip_prefix("$ "), open.take()) {
                (Some(command), _) => command.to_string(),
                (None, Some(start)) => format!("{start} {}", line.trim_start()),
                (None, None) => {
                    steps.last_mut().expect("a command first").expected.push(line.to_string());
                    continue;
                }
            };
            if let Some(start) = line.strip_suffix(" \\") {
                open = Some(start.to_string());
                continue;
            }
            let (command, code) = line.split_once(" # exit ").unwrap_or((&line, "0"));
            let (command, code) = (command.to_string(), code.parse().unwrap());
            steps.push(Step { command, code, expected: Vec::new() });
        }
    }
    steps
}

/// The first four digits of every number, one space between words. Zeros in front do not count, nor do those
/// of 1.000…: a ratio is told by what it has above one.
fn essence(line: &str) -> String {
    let mut out = String::new();
    let mut digits = 0;
    let mut one = false;
    for c in line.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        one = if digits == 0 { c == '1' } else { one };
        digits = if c == '0' && (digits == 0 || digits == 1 && one) {
            digits
        } else if c.is_ascii_digit() {
            digits + 1
        } else if c == '.' && digits > 0 {
            digits
        } else {
            0
        };
        if digits <= 4 || !c.is_ascii_digit() {
            out.push(c);
        }
    }
    out
}

/// Whether the shown lines are those of the output, with `…` for what is left out.
fn agrees(expected: &[String], output: &str) -> Result<(), String> {
    let mut lines = output.lines();
    let mut skipping = false;
    for shown in expected {
        if shown.trim() == "…" {
            skipping = true;
            continue;
        }
        let (start, open) = shown.strip_suffix('…').map_or((shown.as_str(), false), |s| (s, true));
        let start = essence(start);
        let same = |line: &str| {
            if open { essence(line).starts_with(&start) } else { essence(line) == start }
        };
        let found = if skipping { lines.any(same) } else { lines.next().is_some_and(same) };
        if !found {
            return Err(format!("`{shown}` is not in\n{output}"));
        }
        skipping = false;
    }
    Ok(())
}

#[test]
fn commands_run_and_print_what_is_shown() {
    let program = Path::new(env!("CARGO_BIN_EXE_maxmargin"));
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", program.parent().unwrap().display());
    let mut count = 0;
    for document in documents() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["examples", "certificates"] {
            std::os::unix::fs::symlink(root().join(name), folder.path().join(name)).unwrap();
        }
        for step in steps(&std::fs::read_to_string(&document).unwrap()) {
            // The program is the one that this test was built with.
            let command = step.command.replace("cargo run --release --", "maxmargin");
            let known = ["maxmargin ", "for item in work/items/"];
            let ours = known.iter().any(|start| command.starts_with(start));
            assert!(ours, "{}: {command}", document.display());
            let mut shell = Command::new("bash");
            shell.args(["-c", &command]).env("PATH", &path).current_dir(folder.path());
            let output = shell.output().unwrap();
            let (out, err) =
                (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            let what = format!("{}: {command}\n{out}{err}", document.display());
            assert_eq!(output.status.code(), Some(step.code), "{what}");
            if let Err(error) = agrees(&step.expected, &out) {
                panic!("{}: {command}: {error}", document.display());
            }
            count += 1;
        }
    }
    assert!(count >= 15, "only {count} commands");
}

/// The script for an array of jobs proves the item of its number, and ends where there is none.
#[test]
fn the_job_script_proves_its_item() {
    let program = Path::new(env!("CARGO_BIN_EXE_maxmargin"));
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", program.parent().unwrap().display());
    let text = std::fs::read_to_string(root().join("docs/many-machines.md")).unwrap();
    let script = text.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(script.starts_with("#!/bin/sh\n#SBATCH --array"), "{script}");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("job.sh"), script).unwrap();
    let run = |line: &str, number: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).env("PATH", &path).env("SLURM_ARRAY_TASK_ID", number);
        let output = shell.current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let data = root().join("examples/digits/digits01.data.npz");
    run(&format!("maxmargin cover split --data {} --items 4 -o work", data.display()), "");
    let count =
        |name: &str| std::fs::read_dir(folder.path().join("work").join(name)).unwrap().count();
    let items = count("items");
    assert!(items >= 4 && count("parts") == 0);
    for number in 0..=items {
        run("sh job.sh", &number.to_string());
    }
    assert_eq!(count("parts"), items);
    run("maxmargin cover join work -o best.cert.json.gz && maxmargin check best.cert.json.gz", "");
}

#[test]
fn links_lead_somewhere() {
    let mut count = 0;
    for document in all_documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1) {
            let target = link.split(')').next().unwrap();
            let target = target.split('#').next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let path = document.parent().unwrap().join(target);
            assert!(path.exists(), "{}: {target}", document.display());
            // The book has nothing but docs/.
            let book = root().join("docs");
            let outside = !path.canonicalize().unwrap().starts_with(&book);
            let leaves = document.starts_with(&book) && outside;
            assert!(!leaves, "{}: {target} is not in the book", document.display());
            count += 1;
        }
    }
    assert!(count > 15, "only {count} links");
}

#[test]
fn every_page_is_in_the_summary() {
    let summary = std::fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    for name in [
        "introduction",
        "tutorial",
        "verdicts",
        "faq",
        "python",
        "ci",
        "paper-map",
        "theory",
        "many-machines",
    ] {
        assert!(summary.contains(&format!("({name}.md)")), "{name}");
    }
}

/// The pictures are taken from pages; `UPDATE_PICTURES=1` writes them anew.
#[test]
fn pictures_are_those_of_the_pages() {
    let folder = tempfile::tempdir().unwrap();
    for (picture, certificate, label) in [
        ("dual", "paper/far_cell", "The dual function around the circle"),
        ("plane", "paper/concave_kinks", "Samples, neurons and decision regions in the plane"),
    ] {
        let page = folder.path().join("page.html");
        let certificate = root().join(format!("certificates/{certificate}.cert.json"));
        let run = Command::new(env!("CARGO_BIN_EXE_maxmargin"))
            .arg("show")
            .arg(certificate)
            .arg("--html")
            .arg(&page)
            .output()
            .unwrap();
        assert!(run.status.success());
        let text = std::fs::read_to_string(&page).unwrap();
        let (_, after) = text.split_once(&format!("aria-label=\"{label}\">")).unwrap();
        let (svg, _) = after.split_once("</svg>").unwrap();
        // Readable on a dark page too.
        let (start, rest) = svg.split_once('>').unwrap();
        let found = format!(
            "{start}>\n<rect width=\"100%\" height=\"100%\" fill=\"#FFFFFF\"/>{rest}</svg>\n"
        );
        let file = root().join(format!("docs/pictures/{picture}.svg"));
        if std::env::var_os("UPDATE_PICTURES").is_some() {
            std::fs::write(&file, &found).unwrap();
        }
        assert!(
            found == std::fs::read_to_string(&file).unwrap(),
            "{picture}: UPDATE_PICTURES=1 cargo test --test documents"
        );
    }
}

#[test]
fn shown_lines_are_compared() {
    let expected = |text: &str| text.lines().map(String::from).collect::<Vec<_>>();
    let output = "a 1.23456 b\nmiddle\nend\n1.0002443 0.0106713\n";
    for good in ["a 1.23499 b\nmiddle", "…\nend", "a …\n…\nend", "…\n1.0002449 0.0106719", ""]
    {
        agrees(&expected(good), output).unwrap();
    }
    for bad in [
        "a 1.24 b",
        "middle",
        "…\nmissing",
        "a 1.23456 b\nend",
        "…\n1.0002453 0.0106713",
        "…\n1.000244 0.0106813",
        "…\n1.0244 0.0106713",
    ] {
        agrees(&expected(bad), output).unwrap_err();
    }
}
