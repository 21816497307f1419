//! The kernel and `checkers/python/check.py`, which share no code, on the same files: those in the
//! repository, the examples of the format's description, fresh certificates of random problems,
//! and systematic edits of all of these. What one verifies, so does the other, with the same claims.
//!
//! `SECOND_CHECKER_CASES=10000` asks for as many random problems, `MUTANTS=100000` for as many
//! edits per file.
#[path = "second_checker/forged.rs"]
mod forged;
#[path = "second_checker/json.rs"]
mod json;
#[path = "second_checker/mutate.rs"]
mod mutate;
#[path = "second_checker/python.rs"]
mod python;
#[path = "second_checker/random.rs"]
mod random;
#[path = "second_checker/sampling.rs"]
mod sampling;
#[path = "second_checker/schema.rs"]
mod schema;

use maxmargin_kernel::certificate::{Certificate, Entry, ProblemEntry, Proof};
use maxmargin_kernel::check::{Limits, Report, check};
use maxmargin_kernel::claim::{Claim, Number, Region};
use maxmargin_kernel::number::format_rational;
use maxmargin_kernel::problem::Problem;
use python::Verdict;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The proof rules of version 1.
const RULES: [&str; 14] = [
    "stationarity",
    "descent",
    "curve",
    "convex_cell",
    "second_order",
    "linear",
    "layer_cell",
    "norm_bound",
    "kkt_residual",
    "point",
    "dual_bound",
    "local_cover",
    "layer_cover",
    "width_tree",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A number from the environment.
fn setting(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// The certificates of a folder, in order.
fn folder(name: &str) -> Vec<(String, Vec<u8>)> {
    let mut paths: Vec<_> = fs::read_dir(root().join("certificates").join(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .filter(|path| path.file_name().is_some_and(|n| n != "expected.json"))
        .collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), fs::read(path).unwrap())).collect()
}

/// The examples of the format's description by rule.
fn examples() -> Vec<(String, Vec<u8>)> {
    let text = fs::read_to_string(root().join("docs/certificate-format.md")).unwrap();
    let (_, examples) = text.split_once("## 9.").unwrap();
    let mut found = Vec::new();
    for part in examples.split("```json\n").skip(1) {
        let (json, _) = part.split_once("\n```").unwrap();
        let (_, rule) = json.split_once("\"rule\":\"").unwrap();
        found.push((rule.split('"').next().unwrap().to_string(), json.as_bytes().to_vec()));
    }
    found
}

/// The claims as the second checker describes them.
fn described(report: &Report) -> Vec<BTreeMap<String, String>> {
    let number = |n: &Number| format_rational(&n.0);
    let region = |r: &Region| match r {
        Region::Near(delta) => format!("near:{}", number(delta)),
        other => other.to_string(),
    };
    let one = |claim: &Claim| {
        let mut map = BTreeMap::new();
        let mut put = |key: &str, value: String| map.insert(key.to_string(), value);
        put("kind", claim.kind().into());
        put("scope", claim.scope().to_string());
        match claim {
            Claim::KktResidual { lo, hi, delta, epsilon, .. } => {
                for (key, n) in [("lo", lo), ("hi", hi), ("delta", delta), ("epsilon", epsilon)] {
                    put(key, number(n));
                }
            }
            Claim::MarginAtMost { region: r, bound, .. }
            | Claim::MarginAtLeast { region: r, bound, .. } => {
                put("region", region(r));
                put("bound", number(bound));
            }
            _ => {}
        }
        map
    };
    report.claims.iter().map(|verified| one(&verified.claim)).collect()
}

/// The kernel's verdict.
fn kernel(text: &[u8]) -> (Verdict, Option<Report>) {
    match check(text, None, Limits::default()) {
        Ok(report) => {
            let claims = described(&report);
            (Verdict { exit: 0, reason: String::new(), claims }, Some(report))
        }
        Err(failure) => {
            let (exit, reason) = (i64::from(failure.exit_code()), failure.to_string());
            (Verdict { exit, reason, claims: Vec::new() }, None)
        }
    }
}

/// How two verdicts stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Verified,
    Refused,
    /// A limit of one of the two: nothing to compare.
    Limit,
    /// A quadratic leaf that the kernel's rounding does not close.
    Rounding,
}

/// Panics where the two disagree.
fn compare(name: &str, ours: &Verdict, theirs: &Verdict) -> Outcome {
    let disagree = |what: &str| -> ! {
        panic!("{name}: {what}\n  kernel: {ours:?}\n  second: {theirs:?}");
    };
    match (ours.exit, theirs.exit) {
        (4, _) | (_, 4) => Outcome::Limit,
        (0, 0) if ours.claims == theirs.claims => Outcome::Verified,
        (0, 0) => disagree("the claims differ"),
        (0, _) => disagree("only the kernel verifies"),
        (_, 0) if ours.reason.contains("the quadratic leaf does not close") => Outcome::Rounding,
        (_, 0) => disagree("only the second checker verifies"),
        _ => Outcome::Refused,
    }
}

#[test]
fn both_checkers_agree_on_every_file() {
    for (name, least, good) in
        [("small", 16, true), ("paper", 17, true), ("data", 7, true), ("rejected", 100, false)]
    {
        let files = folder(name);
        assert!(files.len() >= least, "{name}: {}", files.len());
        let texts: Vec<_> = files.iter().map(|(_, text)| text.as_slice()).collect();
        for ((file, text), theirs) in files.iter().zip(python::verdicts(&texts)) {
            let ours = kernel(text).0;
            assert_eq!(ours.exit == 0, good, "{file}: {}", ours.reason);
            let outcome = compare(file, &ours, &theirs);
            assert_ne!(outcome, Outcome::Rounding, "{file}");
            assert_eq!(ours.exit, theirs.exit, "{file}: {} / {}", ours.reason, theirs.reason);
        }
    }
}

#[test]
fn the_description_has_one_minimal_certificate_per_rule() {
    let examples = examples();
    let rules: Vec<_> = examples.iter().map(|(rule, _)| rule.as_str()).collect();
    assert_eq!(rules, RULES);
    let texts: Vec<_> = examples.iter().map(|(_, text)| text.as_slice()).collect();
    for ((rule, text), theirs) in examples.iter().zip(python::verdicts(&texts)) {
        assert_eq!(compare(rule, &kernel(text).0, &theirs), Outcome::Verified);
        assert_eq!(String::from_utf8_lossy(text), rewritten(text), "{rule}");
    }
}

#[test]
fn forgeries_are_refused_by_both() {
    let examples: BTreeMap<_, _> = examples().into_iter().collect();
    let text = |rule: &str| String::from_utf8_lossy(&examples[rule]).into_owned();
    let texts: Vec<String> = forged::FORGERIES
        .iter()
        .map(|(rule, edits, _)| forged::forged(&text(rule), edits))
        .collect();
    let bytes: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    let (mut rules, mut others) = (BTreeSet::new(), Vec::new());
    let verdicts = python::verdicts(&bytes);
    for (((rule, edits, reason), text), theirs) in
        forged::FORGERIES.iter().zip(&texts).zip(verdicts)
    {
        let ours = kernel(text.as_bytes()).0;
        let name = format!("{rule} {edits:?}");
        assert_eq!(compare(&name, &ours, &theirs), Outcome::Refused, "{name}: {ours:?} {theirs:?}");
        if !ours.reason.contains(reason) {
            others.push(format!("{name}: {}", ours.reason));
        }
        rules.insert(*rule);
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
    assert_eq!(rules.len(), RULES.len());
}

#[test]
fn nulls_stand_where_the_description_says() {
    let examples: BTreeMap<_, _> = examples().into_iter().collect();
    let cases = [
        ("dual_bound", r#""fixed":[]"#, r#""fixed":[],"inputs":null"#, 0),
        ("dual_bound", r#""tau":"1""#, r#""tau":"1","x":null"#, 0),
        ("kkt_residual", r#""mu":[]"#, r#""mu":[],"direction":null"#, 0),
        ("point", r#""rule":"point""#, r#""rule":"point","parameters":null"#, 0),
        ("point", r#""rule":"point""#, r#""rule":"point","network":null"#, 2),
        ("dual_bound", r#""close":[1]"#, r#""close":[1],"times":null"#, 2),
        ("dual_bound", r#""fixed":[]"#, r#""fixed":null"#, 2),
        ("stationarity", r#""rule":"stationarity""#, r#""rule":"stationarity","mu":null"#, 2),
        ("stationarity", r#""rule":"stationarity""#, r#""rule":"stationarity","germs":null"#, 2),
        ("convex_cell", r#""rule":"convex_cell""#, r#""rule":"convex_cell","slopes":null"#, 2),
        ("second_order", r#""rule":"second_order""#, r#""rule":"second_order","slopes":null"#, 2),
    ];
    let text = |rule: &str| String::from_utf8_lossy(&examples[rule]).into_owned();
    let texts: Vec<String> = cases
        .iter()
        .map(|(rule, before, after, _)| forged::forged(&text(rule), &[(*before, *after)]))
        .collect();
    let bytes: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    for ((case, text), theirs) in cases.iter().zip(&texts).zip(python::verdicts(&bytes)) {
        let ours = kernel(text.as_bytes()).0;
        assert_eq!((ours.exit, theirs.exit), (case.3, case.3), "{case:?}: {}", ours.reason);
    }
}

#[test]
fn the_schema_fits_what_is_well_formed_and_nothing_else() {
    let text = fs::read_to_string(root().join("docs/certificate.schema.json")).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
    let misfit =
        |text: &[u8]| schema::misfit(&schema, &schema, &serde_json::from_slice(text).unwrap());
    let mut good = examples();
    ["small", "paper", "data"].iter().for_each(|name| good.extend(folder(name)));
    good.extend((1..80).filter_map(random::certificate).map(|(text, _)| ("random".into(), text)));
    for (name, text) in &good {
        assert_eq!(misfit(text), None, "{name}");
    }
    // Proofs that fail have the right shape too; what the kernel calls malformed has not, but for
    // what a schema cannot say.
    let (mut fits, mut misfits) = (0, 0);
    let parsed = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).is_ok();
    for (name, text) in folder("rejected").into_iter().filter(|(_, text)| parsed(text)) {
        match (kernel(&text).0.exit, misfit(&text)) {
            (1 | 3 | 4, found) => {
                // Signs that are neither 1 nor −1 are a matter of rules for the kernel.
                assert!(found.is_none() || name.contains("sign"), "{name}: {found:?}");
                fits += 1;
            }
            (_, Some(_)) => misfits += 1,
            (_, None) => {}
        }
    }
    assert!(fits > 60 && misfits >= 8, "{fits} {misfits}");
    let mutants = good.iter().flat_map(|(_, text)| mutate::mutants(text, 4, 7));
    for mutant in mutants.filter(|m| m.kind == "unknown key" || m.kind == "drop key") {
        if kernel(&mutant.text).0.exit == 2 && mutant.kind == "unknown key" {
            assert!(misfit(&mutant.text).is_some(), "{}", mutant.edit);
        }
    }
}

/// A certificate read into the kernel's types and written by them.
fn rewritten(text: &[u8]) -> String {
    use serde_json::{Value, from_value};
    let value: Value = serde_json::from_slice(text).unwrap();
    let problem = json::problem(&value).unwrap();
    let entry = |entry: &Value| {
        let mut proof = entry["proof"].clone();
        let rule = proof.as_object_mut().unwrap().remove("rule").unwrap();
        macro_rules! typed {
            ($($name:literal => $variant:ident),* $(,)?) => {
                match rule.as_str().unwrap() {
                    $($name => Proof::$variant(from_value(proof).unwrap()),)*
                    other => panic!("{other}"),
                }
            };
        }
        let proof = typed!(
            "stationarity" => Stationarity, "descent" => Descent, "curve" => Curve,
            "convex_cell" => ConvexCell, "second_order" => SecondOrder, "linear" => Linear,
            "layer_cell" => LayerCell, "norm_bound" => NormBound, "kkt_residual" => KktResidual,
            "point" => Point, "dual_bound" => DualBound, "local_cover" => LocalCover,
            "layer_cover" => LayerCover, "width_tree" => WidthTree,
        );
        Entry { claim: from_value(entry["claim"].clone()).unwrap(), proof }
    };
    let entries = value["claims"].as_array().unwrap().iter().map(entry).collect();
    let certificate = Certificate::new(ProblemEntry::new(&problem, true), entries);
    serde_json::to_string(&certificate).unwrap()
}

/// Without a limit the file is verified, in a second or so.
#[cfg(unix)]
#[test]
fn the_second_checker_stops_at_its_time_limit() {
    let small = root().join("certificates/small/f_norm_with_sharing.json");
    let long = root().join("certificates/data/digits01_m10.cert.json");
    let (small, long) = (small.to_str().unwrap(), long.to_str().unwrap());
    assert_eq!(python::exit_code(&[small, "--time-limit", "60"]), Some(0));
    assert_eq!(python::exit_code(&[long, "--time-limit", "0.05"]), Some(4));
    assert_eq!(python::exit_code(&[small, "--time-limit", "0"]), Some(64));
}

/// A file that cannot be unpacked is malformed, and one that unpacks to too much is a limit.
#[cfg(unix)]
#[test]
fn the_second_checker_unpacks_gzip_within_its_limits() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let exit = |bytes: &[u8]| {
        let path = folder.path().join("file.gz");
        fs::write(&path, bytes).unwrap();
        python::exit_code(&[path.to_str().unwrap()])
    };
    let zip = |bytes: &[u8]| {
        let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        zip.write_all(bytes).unwrap();
        zip.finish().unwrap()
    };
    let small = fs::read(root().join("certificates/small/f_norm_with_sharing.json")).unwrap();
    let mut good = zip(&small);
    assert_eq!(exit(&good), Some(0));
    assert_eq!(exit(&good[..good.len() / 2]), Some(2));
    good[60] ^= 0xff;
    assert_eq!(exit(&good), Some(2));
    // 1.6 GB of blanks in 1.6 MB.
    assert_eq!(exit(&zip(&vec![b' '; 1 << 24]).repeat(100)), Some(4));
}

#[test]
fn the_digests_are_those_of_the_python_in_the_description() {
    let text = fs::read_to_string(root().join("docs/certificate-format.md")).unwrap();
    let (_, code) = text.split_once("```python\n").unwrap();
    let (code, _) = code.split_once("```").unwrap();
    assert!(code.lines().filter(|line| !line.is_empty()).count() <= 30);
    let files: Vec<_> = folder("small").into_iter().chain(folder("paper")).collect();
    let texts: Vec<_> = files.iter().map(|(_, text)| text.as_slice()).collect();
    let answers = python::digests(code, &texts);
    assert_eq!(answers.len(), texts.len());
    for ((name, text), (network, data)) in files.iter().zip(answers) {
        let value: serde_json::Value = serde_json::from_slice(text).unwrap();
        assert_eq!(value["problem"]["network_digest"], network, "{name}");
        assert_eq!(value["problem"]["data_digest"], data, "{name}");
    }
}

#[test]
fn both_checkers_agree_on_fresh_certificates_and_their_edits() {
    let cases = setting("SECOND_CHECKER_CASES", 60);
    let mut rules: BTreeMap<&'static str, usize> = BTreeMap::new();
    let (mut problems, mut outcomes) = (0, BTreeMap::new());
    let mut seed = 0;
    while problems < cases {
        let mut batch: Vec<(String, Vec<u8>)> = Vec::new();
        while batch.len() < 200 && problems < cases {
            seed += 1;
            let Some((text, proved)) = random::certificate(seed) else { continue };
            problems += 1;
            proved.iter().for_each(|rule| *rules.entry(rule).or_default() += 1);
            let edits = mutate::mutants(&text, 3, seed);
            batch.extend(edits.into_iter().map(|m| (format!("case {seed}, {}", m.edit), m.text)));
            batch.push((format!("case {seed}"), text));
        }
        for (outcome, _) in compared(&batch) {
            *outcomes.entry(outcome).or_insert(0usize) += 1;
        }
    }
    println!("{problems} random problems; claims by rule: {rules:?}; files: {outcomes:?}");
    assert!(outcomes[&Outcome::Verified] >= problems);
    for rule in ["stationarity", "descent", "curve", "kkt_residual", "point", "dual_bound"] {
        assert!(rules.get(rule).is_some_and(|n| *n > 0), "no {rule}");
    }
}

/// Both verdicts on each text, compared; what was verified is put to the test by sampling.
fn compared(batch: &[(String, Vec<u8>)]) -> Vec<(Outcome, bool)> {
    let texts: Vec<_> = batch.iter().map(|(_, text)| text.as_slice()).collect();
    let theirs = python::verdicts(&texts);
    let mut outcomes = Vec::with_capacity(batch.len());
    for ((name, text), theirs) in batch.iter().zip(theirs) {
        let (ours, report) = kernel(text);
        let outcome = compare(name, &ours, &theirs);
        if let Some(report) = &report {
            let value: serde_json::Value = serde_json::from_slice(text).unwrap();
            let problem: Problem = json::problem(&value).unwrap();
            sampling::assert_not_refuted(name, &problem, report);
        }
        outcomes.push((outcome, report.is_some()));
    }
    outcomes
}

/// Mutants of one rule.
#[derive(Default)]
struct Score {
    mutants: usize,
    refused: usize,
    verified: usize,
    limits: usize,
    rounding: usize,
}

#[test]
fn every_mutant_is_refused_or_another_true_statement() {
    let most = setting("MUTANTS", 60);
    let mut sources = examples();
    sources.extend(folder("small"));
    sources.extend(folder("paper"));
    sources.extend(folder("data"));
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut verified: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    for (n, (name, text)) in sources.iter().enumerate() {
        let most = if text.len() > 10_000 { most / 10 } else { most };
        let mutants = mutate::mutants(text, most, n as u64);
        assert!(!mutants.is_empty());
        let named = |m: &mutate::Mutant| (format!("{name}, {}", m.edit), m.text.clone());
        let batch: Vec<_> = mutants.iter().map(named).collect();
        for (mutant, (outcome, _)) in mutants.iter().zip(compared(&batch)) {
            let score = scores.entry(mutant.rule.clone()).or_default();
            score.mutants += 1;
            match outcome {
                Outcome::Refused => score.refused += 1,
                Outcome::Limit => score.limits += 1,
                Outcome::Rounding => score.rounding += 1,
                Outcome::Verified => {
                    score.verified += 1;
                    verified.entry(mutant.rule.clone()).or_default().insert(mutant.kind);
                }
            }
        }
    }
    println!("rule            mutants  refused  another true statement  limit  rounding");
    for (rule, s) in &scores {
        println!(
            "{rule:15} {:7} {:8} {:23} {:6} {:9}   {}",
            s.mutants,
            s.refused,
            s.verified,
            s.limits,
            s.rounding,
            verified.get(rule).map_or(String::new(), |kinds| format!("{kinds:?}"))
        );
    }
    for rule in RULES {
        let score = scores.get(rule).unwrap_or_else(|| panic!("no mutant of {rule}"));
        assert!(score.refused > 0, "no mutant of {rule} is refused");
    }
    // Without fresh digests an edit of the problem survives only if it is the same problem still: keys
    // in another order, 0/2 for 0.
    let same: BTreeSet<_> = ["swap keys", "zero"].into();
    assert!(verified["(problem)"].is_subset(&same), "{:?}", verified["(problem)"]);
    assert!(scores["(problem)"].mutants > 0 && scores["(another problem)"].mutants > 0);
}
