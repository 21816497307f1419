//! Certificates as pages: well-formed, complete in themselves, with the sections and pictures that
//! their certificates call for; and drawn by a real browser where one is installed.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

fn root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The page of a certificate, written by the program.
fn page(folder: &TempDir, certificate: &Path, name: &str) -> (PathBuf, String) {
    let target = folder.path().join(name);
    let mut command = assert_cmd::Command::cargo_bin("maxmargin").unwrap();
    command.arg("show").arg(certificate).arg("--html").arg(&target).assert().success();
    let text = std::fs::read_to_string(&target).unwrap();
    (target, text)
}

/// Elements without an end tag.
const VOID: [&str; 2] = ["meta", "br"];

/// A start tag with its attributes, or the text between tags.
#[derive(Debug, PartialEq)]
enum Event<'a> {
    Start(&'a str, BTreeMap<&'a str, &'a str>),
    Text(&'a str),
}

/// Reads the page as a tree; panics where tags do not nest, attributes are not quoted, or a `<` or
/// `&` stands by itself.
fn parse(page: &str) -> Vec<Event<'_>> {
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a doctype");
    let mut open: Vec<&str> = Vec::new();
    let mut events = Vec::new();
    while let Some(start) = rest.find('<') {
        let text = &rest[..start];
        let raw = open.last() == Some(&"style");
        for entity in text.split('&').skip(1).filter(|_| !raw) {
            assert!(
                ["amp;", "lt;", "gt;", "quot;"].iter().any(|e| entity.starts_with(e)),
                "&{entity}"
            );
        }
        if !text.trim().is_empty() {
            events.push(Event::Text(text.trim()));
        }
        let end = start + rest[start..].find('>').expect("a closed tag");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "after {events:?}");
            continue;
        }
        let closed = tag.ends_with('/');
        let tag = tag.trim_end_matches('/');
        let name = tag.split_whitespace().next().expect("a name");
        let mut attributes = BTreeMap::new();
        let mut list = tag[name.len()..].trim();
        while !list.is_empty() {
            let (key, value) = match list.split_once("=\"") {
                Some((key, more)) => {
                    let (value, more) = more.split_once('"').expect("a closed value");
                    list = more.trim_start();
                    (key.trim(), value)
                }
                None => (std::mem::take(&mut list), ""),
            };
            assert!(key.split_whitespace().count() == 1, "{key} in {tag}");
            attributes.insert(key, value);
        }
        if !closed && !VOID.contains(&name) {
            open.push(name);
        }
        events.push(Event::Start(name, attributes));
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest}");
    events
}

/// Headings, verdict, pictures and tables, one a line.
fn outline(events: &[Event]) -> String {
    let mut out = Vec::new();
    let mut verdict = false;
    for pair in events.windows(2) {
        match pair {
            [Event::Start(tag @ ("h1" | "h2" | "h3" | "summary"), _), Event::Text(text)] => {
                verdict = *text == "Verdict";
                let marks = BTreeMap::from([
                    ("h1", "# "),
                    ("h2", "## "),
                    ("h3", "### "),
                    ("summary", "  > "),
                ]);
                out.push(format!("{}{text}", marks[tag]));
            }
            [Event::Start("span", a), Event::Text(text)] if verdict && a.is_empty() => {
                out.push(format!("  {}", digits(text)));
            }
            [Event::Start(_, a), _] if a.get("role") == Some(&"img") => {
                out.push(format!("  [{}]", a["aria-label"]));
            }
            [Event::Start("th", _), Event::Text(text)] => out.push(format!("  | {text}")),
            _ => {}
        }
    }
    out.join("\n")
}

/// Decimals become `#`.
fn digits(text: &str) -> String {
    let word = |w: &str| {
        let number = w.starts_with(|c: char| c.is_ascii_digit()) && w.len() > 3;
        let tail: String = w.chars().rev().take_while(|c| ".,:;)".contains(*c)).collect();
        if number { format!("#{}", tail.chars().rev().collect::<String>()) } else { w.to_string() }
    };
    text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

const CERTIFICATES: [&str; 8] = [
    "paper/one_neuron_each",
    "paper/far_cell",
    "paper/dead_neuron",
    "paper/escape_at_kinks_deep",
    "paper/shared_filter_relu",
    "paper/deep_linear",
    "data/digits01_m10",
    "data/iris_m10_polished",
];

#[test]
fn pages_have_their_sections() {
    let folder = tempfile::tempdir().unwrap();
    let mut outlines = Vec::new();
    for name in CERTIFICATES {
        let certificate = root(&format!("certificates/{name}.cert.json"));
        let (_, text) = page(&folder, &certificate, "page.html");
        let events = parse(&text);
        for event in &events {
            let Event::Start(tag, attributes) = event else { continue };
            assert!(!["script", "link", "img", "iframe", "object"].contains(tag), "{name}: {tag}");
            let outside = |key: &&str| key.starts_with("on") || *key == "src" || *key == "href";
            assert!(!attributes.keys().any(outside), "{name}: {attributes:?}");
        }
        let style = include_str!("../src/report/html/style.css");
        assert!(text.contains(style) && !style.contains("url(") && !style.contains("@import"));
        for number in ["NaN", "inf%", "-nan"] {
            assert!(!text.contains(number), "{name}: {number}");
        }
        outlines.push(outline(&events));
    }
    insta::assert_snapshot!("outlines", outlines.join("\n\n"));
}

#[test]
fn every_committed_certificate_has_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut count = 0;
    for group in ["paper", "data", "small"] {
        for entry in std::fs::read_dir(root("certificates").join(group)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "json") {
                // Some of the small ones do not embed their problem.
                let text = std::fs::read_to_string(&path).unwrap();
                if text.contains("\"network\":") {
                    parse(&page(&folder, &path, "page.html").1);
                    count += 1;
                }
            }
        }
    }
    assert!(count > 30, "{count}");
}

/// Two features and a constant third: the plane of the two, in which edges do not pass the origin.
#[test]
fn a_bias_has_a_plane() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "m.json",
        r#"{"activation": "relu", "layers": [{"weights": [["1","0","-1"],["0","1","-1"],["-1","-1","5"]]},
            {"weights": [["1","1","-1/2"]]}]}"#,
    );
    let data = |third: &str| {
        format!(
            r#"{{"x": [["1","1","1"],["3","1","1"],["1","3","1"],["4","4","{third}"],["0","0","1"]],
                "y": [-1, 1, 1, 1, -1]}}"#
        )
    };
    let picture = |third: &str| {
        write("d.json", &data(third));
        let mut command = assert_cmd::Command::cargo_bin("maxmargin").unwrap();
        command.current_dir(folder.path());
        command.args(["certify", "--model", "m.json", "--data", "d.json", "-o", "c.json"]);
        command.args(["--bracket", "cell"]).assert().success();
        let (_, text) = page(&folder, &folder.path().join("c.json"), "page.html");
        parse(&text);
        text.split_once("The network in the plane").map(|(_, after)| after.to_string())
    };
    let plane = picture("1").expect("a picture");
    assert!(plane.contains("feature 3 is constantly 1, a bias"), "{plane}");
    // The decision boundary is drawn piece by piece; three neurons are dashed lines with arrows.
    let count = |part: &str| plane.matches(part).count();
    assert!(count("stroke-width=\"5\"") > 100, "{}", count("stroke-width=\"5\""));
    assert_eq!(count("stroke-width=\"7\""), 3);
    // A third feature that varies has none.
    assert!(picture("2").is_none());
}

#[test]
fn names_are_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let name = "<b>&\"x\".cert.json";
    let odd = folder.path().join(name);
    std::fs::copy(root("certificates/paper/far_cell.cert.json"), &odd).unwrap();
    let (_, text) = page(&folder, &odd, "page.html");
    parse(&text);
    assert!(text.contains("<title>&lt;b&gt;&amp;&quot;x&quot;.cert.json · maxmargin</title>"));
    assert!(!text.contains("<b>&\"x\""));
}

#[test]
fn a_rejected_certificate_has_no_page() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("page.html");
    let mut command = assert_cmd::Command::cargo_bin("maxmargin").unwrap();
    let rejected = root("certificates/rejected/bound_too_small.json");
    command.arg("show").arg(rejected).arg("--html").arg(&target).assert().code(1);
    assert!(!target.exists());
}

/// The first of these programs that exists.
fn browser() -> Option<&'static str> {
    let runs = |name: &&str| Command::new(name).arg("--version").output().is_ok();
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|n| runs(n))
}

#[test]
fn a_browser_draws_it() {
    let Some(browser) = browser() else {
        eprintln!("notice: no chromium is installed, so no page was drawn");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (file, _) = page(&folder, &root("certificates/paper/dead_neuron.cert.json"), "page.html");
    let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
    for width in [1280, 390] {
        let picture = folder.path().join(format!("{width}.png"));
        let run = Command::new(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", &profile])
            .arg(format!("--window-size={width},3000"))
            .arg(format!("--screenshot={}", picture.display()))
            .arg(&file)
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let bytes = std::fs::read(&picture).expect("a screenshot");
        let side = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!(&bytes[1..4], b"PNG");
        assert_eq!(side(20), 3000);
        // A blank page of this size is a tenth of that.
        assert!(bytes.len() > 60_000, "{width}: {} bytes", bytes.len());
    }
    let run = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", &profile, "--dump-dom"])
        .arg(&file)
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&run.stdout);
    for part in ["Not a local optimum", "</svg>", "The way out", "</main>"] {
        assert!(dom.contains(part), "{part}");
    }
}
