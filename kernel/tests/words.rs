//! What the checker says that it has verified: every kind of claim in words, and numbers in them.
mod common;

use common::{LINEAR, RELU, n, problem};
use maxmargin_kernel::check::{Limits, check, report_json};
use maxmargin_kernel::claim::Claim;

fn words(claim: &str) -> String {
    serde_json::from_str::<Claim>(claim).unwrap().to_string()
}

#[test]
fn every_kind_scope_and_region_has_its_own_words() {
    let cases = [
        (r#"{"kind":"kkt","scope":"all"}"#, "θ is a KKT point of the max-margin problem"),
        (r#"{"kind":"not_kkt","scope":"all"}"#, "θ is not a KKT point of the max-margin problem"),
        (
            r#"{"kind":"local_optimum","scope":"layer:2"}"#,
            "θ is a local optimum of the max-margin problem in layer 2 alone",
        ),
        (
            r#"{"kind":"not_local_optimum","scope":"all"}"#,
            "θ is not a local optimum of the max-margin problem",
        ),
        (
            r#"{"kind":"global_optimum","scope":"all"}"#,
            "θ is a global optimum of the max-margin problem",
        ),
        (
            r#"{"kind":"not_global_optimum","scope":"layer:1"}"#,
            "θ is not a global optimum of the max-margin problem in layer 1 alone",
        ),
        (
            r#"{"kind":"margin_at_most","scope":"all","region":"everywhere","bound":"1/2"}"#,
            "ν ≤ 0.5 for all networks of this architecture",
        ),
        (
            r#"{"kind":"margin_at_least","scope":"all","region":"cell","bound":"1/2"}"#,
            "ν ≥ 0.5 is attained among all networks in this activation cell",
        ),
        (
            r#"{"kind":"margin_at_most","scope":"layer:3","region":"cell","bound":"1/4"}"#,
            "the margin over the norm of layer 3 ≤ 0.25 for all networks in this activation cell \
             that differ in layer 3 only",
        ),
        (
            r#"{"kind":"margin_at_most","scope":"all","region":"near:1/8","bound":"0"}"#,
            "ν ≤ 0 for all networks in this and the adjacent activation cells (kinks within \
             δ = 1/8 free)",
        ),
        (
            r#"{"kind":"margin_at_most","scope":"all","region":"any_width","bound":"2"}"#,
            "ν ≤ 2 for all networks of this depth and any width without shared weights (at depth \
             2, each neuron reading only inputs that one neuron here may read)",
        ),
        (
            r#"{"kind":"kkt_residual","scope":"all","lo":"1/4","hi":"1/2","delta":"1/8","epsilon":"3"}"#,
            "the distance of θ from the cone of its active gradients is between 0.25 and 0.5 of \
             |θ| (constraints within δ = 1/8 of the margin, slopes free within ε = 3 of a kink)",
        ),
    ];
    let same = |text: &str| {
        // Zeros at the end of a decimal say nothing.
        let word = |w: &str| match w.parse::<f64>() {
            Ok(number) => number.to_string(),
            Err(_) => w.to_string(),
        };
        text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
    };
    for (claim, expected) in cases {
        assert_eq!(same(&words(claim)), same(expected), "{claim}");
    }
}

/// A third has no decimals that end: an upper bound is rounded up, a lower bound down.
#[test]
fn rounded_bounds_are_never_stronger_than_the_claim() {
    let bound = |kind: &str| {
        let text = words(&format!(
            r#"{{"kind":"{kind}","scope":"all","region":"everywhere","bound":"1/3"}}"#
        ));
        text.split_whitespace().nth(2).unwrap().parse::<f64>().unwrap()
    };
    let (most, least) = (bound("margin_at_most"), bound("margin_at_least"));
    assert!(most > 1.0 / 3.0 && least < 1.0 / 3.0 && most - least < 1e-3, "{least} {most}");
}

#[test]
fn activations_have_names() {
    let name =
        |text: &str| common::network(text, &["1"]).to_network().unwrap().activation().to_string();
    assert_eq!(name(RELU), "ReLU");
    assert_eq!(name(LINEAR), "linear");
    assert_eq!(name(r#"{"leaky_relu": "0.1"}"#), "leaky ReLU with slope 1/10");
}

#[test]
fn numbers_in_messages_are_short() {
    for (number, text) in [
        ("0", "0.000000000"),
        ("-1/3", "-0.333333333"),
        ("1/1000", "0.001000000"),
        ("1/1001", "9.990009990e-4"),
        ("999999", "999999.000000000"),
        ("1000000", "1.000000000e6"),
    ] {
        assert_eq!(n(number).approximately(), text);
    }
}

/// ν in a report is one number where it is rational, else the two that enclose it.
#[test]
fn a_report_gives_the_margin_or_encloses_it() {
    let of = |weights: &str| {
        let p = problem(LINEAR, &[weights], "1 0", &[1]);
        let text = common::small::text(
            &p,
            vec![(common::at_least("everywhere", "0"), common::small::theta())],
        );
        report_json(&check(text.as_bytes(), None, Limits::default()).unwrap())["margin"].clone()
    };
    let rational = of("3 4");
    assert_eq!(rational["nu"], "3/5");
    assert!(rational.get("nu_lo").is_none() && rational.get("nu_hi").is_none());
    let root = of("1 1");
    let (low, high) = (root["nu_lo_f64"].as_f64().unwrap(), root["nu_hi_f64"].as_f64().unwrap());
    assert!(root.get("nu").is_none() && root["nu_lo"] != root["nu_hi"]);
    assert!((low - 0.5f64.sqrt()).abs() < 1e-9 && (high - low).abs() < 1e-9);
}
