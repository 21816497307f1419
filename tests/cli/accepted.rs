//! What the shipped examples must reach.
use crate::{EXAMPLES, Folder, problem};
use maxmargin_kernel::number::{Rational, parse_rational};
use serde_json::Value;
use std::cmp::Ordering;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value}"))
}

/// `at_most/at_least − 1` of a region.
fn width(report: &Value, region: &str) -> f64 {
    let brackets = report["brackets"].as_array().unwrap();
    let bracket = brackets.iter().find(|b| b["region"] == region).unwrap();
    let (low, high) = (number(&bracket["at_least_times"]), number(&bracket["at_most_times"]));
    assert!(1.0 <= low && low <= high, "{bracket}");
    high / low - 1.0
}

#[test]
fn brackets_and_residuals_of_the_examples_are_tight() {
    for pair in EXAMPLES {
        let folder = Folder::new();
        let report = folder.on("certify", pair, &["--json", "-o", "c.json"]).expect(0).json();
        assert_eq!(report["verdict"], "certified");
        assert_eq!(report["undecided"].as_array().unwrap().len(), 0);
        let claims = report["claims"].as_array().unwrap();
        let residual = claims.iter().find(|c| c["kind"] == "kkt_residual").unwrap();
        let (lo, hi) = (number(&residual["lo_f64"]), number(&residual["hi_f64"]));
        assert!(0.0 < lo && lo <= hi && hi <= 1.01 * lo, "{}: {lo} {hi}", pair.0);
        assert!(width(&report, "cell") <= 1e-7, "{}", pair.0);
        assert!(width(&report, "near:1/10000") <= 1e-7, "{}", pair.0);
        assert!(width(&report, "everywhere") < 1.0, "{}", pair.0);
        // Two-sided: every region has a claim of both kinds.
        for region in ["cell", "near:1/10000"] {
            for kind in ["margin_at_most", "margin_at_least"] {
                let found = claims.iter().filter(|c| c["kind"] == kind && c["region"] == region);
                assert_eq!(found.count(), 1, "{region} {kind}");
            }
        }
        folder.on("check", pair, &["c.json"]).expect(0);
    }
}

#[test]
fn the_json_report_has_its_keys() {
    let folder = Folder::new();
    let report = folder.on("certify", EXAMPLES[2], &["--json", "-o", "c.json"]).expect(0).json();
    let checked = folder.on("check", EXAMPLES[2], &["c.json", "--json"]).expect(0).json();
    assert_eq!(checked["verdict"], "verified");
    assert_eq!(checked["tied"], true);
    assert_eq!(folder.run(&["check", "c.json", "--json"]).expect(0).json()["tied"], false);
    // What certify says it proved is what check says is proved.
    assert_eq!(report["claims"], checked["claims"]);
    assert_eq!(report["margin"], checked["margin"]);
    let mut kinds = Vec::new();
    for claim in report["claims"].as_array().unwrap() {
        let kind = claim["kind"].as_str().unwrap();
        kinds.push(kind);
        assert_eq!(claim["scope"], "all");
        let exact: &[&str] = match kind {
            "kkt_residual" => &["lo", "hi", "delta", "epsilon"],
            "margin_at_most" | "margin_at_least" => &["bound"],
            other => panic!("unexpected claim {other}"),
        };
        for key in exact {
            let value = parse_rational(claim[key].as_str().unwrap()).unwrap();
            let float = number(&claim[format!("{key}_f64")]);
            let back = Rational::from_float(float).unwrap();
            let error = (&back - &value) * Rational::from_integer((1i64 << 50).into());
            assert!(error <= value && -error <= value, "{key} {claim}");
        }
        if kind != "kkt_residual" {
            assert!(claim["region"].is_string());
        }
    }
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, ["kkt_residual", "margin_at_least", "margin_at_most"]);
    for key in ["gamma", "nu"] {
        parse_rational(report["margin"][key].as_str().unwrap()).unwrap();
        number(&report["margin"][format!("{key}_f64")]);
    }
    for (key, count) in
        [("samples", 150), ("duplicates", 1), ("constraints", 150), ("kinks", 0), ("dead_units", 0)]
    {
        assert_eq!(report["margin"][key], count, "{key}");
    }
}

/// `ν(a)` against `ν(b)`, exactly; both of depth 2.
fn compare(
    a: &maxmargin_kernel::problem::Problem,
    b: &maxmargin_kernel::problem::Problem,
) -> Ordering {
    a.compare_normalised_margin(&b.normalised_margin().unwrap().0).unwrap()
}

#[test]
fn polish_reaches_the_best_cost_and_never_loses() {
    for (pair, cost, more) in [
        (EXAMPLES[0], 1.748482, &[][..]),
        (EXAMPLES[2], 4.8819, &[]),
        (EXAMPLES[2], 4.8819, &["--jump"]),
    ] {
        let folder = Folder::new();
        let before = problem(crate::example(pair.0).as_ref(), pair.1);
        let mut arguments = vec!["-o", "p.safetensors", "--json"];
        arguments.extend(more);
        let report = folder.on("polish", pair, &arguments).expect(0).json();
        assert_eq!(report["verdict"], "improved");
        assert!(number(&report["nu_after_f64"]) > number(&report["nu_before_f64"]));
        assert!(0.5 / number(&report["nu_after_f64"]) <= cost, "{report}");
        let after = problem(&folder.path("p.safetensors"), pair.1);
        assert_eq!(compare(&after, &before), Ordering::Greater);

        let data = crate::example(pair.1);
        let again = ["polish", "--model", "p.safetensors", "--data", &data, "-o", "q.safetensors"];
        let run = folder.run(&again);
        match run.code {
            0 => {
                let twice = problem(&folder.path("q.safetensors"), pair.1);
                assert_eq!(compare(&twice, &after), Ordering::Greater);
            }
            code => {
                assert_eq!(code, 5);
                assert!(run.out.contains("NOT IMPROVED"), "{}", run.out);
                assert!(!folder.path("q.safetensors").exists());
            }
        }

        let more = ["--bracket", "near:1e-6", "--json", "-o", "c.json"];
        let mut certify = vec!["certify", "--model", "p.safetensors", "--data", &data];
        certify.extend(more);
        let report = folder.run(&certify).expect(0).json();
        assert!(width(&report, "near:1/1000000") <= 1e-7, "{report}");
        let check = ["check", "c.json", "--model", "p.safetensors", "--data", &data];
        folder.run(&check).expect(0);
    }
}

#[test]
fn the_polished_example_cannot_be_polished() {
    let folder = Folder::new();
    let run = folder.on("polish", EXAMPLES[1], &["-o", "p.safetensors"]).expect(5);
    assert!(run.out.starts_with("NOT IMPROVED"), "{}", run.out);
    let run = folder.on("polish", EXAMPLES[1], &["-o", "p.json", "--json"]).expect(5);
    assert_eq!(run.json()["verdict"], "not improved");
    assert!(folder.names().is_empty());
}

#[test]
fn the_shipped_certificates_verify() {
    let folder = Folder::new();
    let shipped =
        |name: &str| format!("{}/certificates/data/{name}.cert.json", env!("CARGO_MANIFEST_DIR"));
    for (pair, name) in EXAMPLES.iter().zip(["digits01_m10", "digits01_m2_polish", "iris_m10"]) {
        folder.on("check", *pair, &[&shipped(name)]).expect(0);
        folder.run(&["check", &shipped(name)]).expect(0);
    }
    for name in ["digits01_m10_polished", "iris_m10_polished"] {
        let run = folder.run(&["check", &shipped(name), "--json"]).expect(0);
        assert_eq!(run.json()["tied"], false);
    }
}
