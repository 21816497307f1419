//! Certificates that were changed, cut short, or are about something else.
use crate::{EXAMPLES, Folder};
use std::sync::OnceLock;

/// The certificate of the iris example, made once.
fn iris() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let folder = Folder::new();
        folder.on("certify", EXAMPLES[2], &["-o", "c.json"]).expect(0);
        folder.read("c.json")
    })
}

/// `check` of this text, tied to the iris example.
fn check(text: &str) -> crate::Run {
    let folder = Folder::new();
    folder.write("c.json", text);
    folder.on("check", EXAMPLES[2], &["c.json"])
}

/// `text` with what stands after the `nth` `before` up to the next `end` replaced.
fn edit(text: &str, before: &str, nth: usize, end: char, with: impl Fn(&str) -> String) -> String {
    let start = text.match_indices(before).nth(nth).unwrap_or_else(|| panic!("no {before}"));
    let start = start.0 + before.len();
    let stop = start + text[start..].find(end).unwrap();
    format!("{}{}{}", &text[..start], with(&text[start..stop]), &text[stop..])
}

/// The kinds of the claims that have a bound, and which of the bounds it is.
fn bounds() -> Vec<(String, usize)> {
    let value: serde_json::Value = serde_json::from_str(iris()).unwrap();
    let claims = value["claims"].as_array().unwrap().iter().map(|c| &c["claim"]);
    let with_bound = claims.filter(|c| c["bound"].is_string());
    with_bound.enumerate().map(|(n, c)| (c["kind"].as_str().unwrap().to_string(), n)).collect()
}

/// The certificate with the `nth` bound moved by so many units of its numerator.
fn bound(nth: usize, by: i64) -> String {
    edit(iris(), "\"bound\":\"", nth, '"', |bound| step(bound, by))
}

/// The number moved by so many units of its numerator; numbers are `n`, `n/d` or `npe`.
fn step(number: &str, by: i64) -> String {
    let end = number.find(['/', 'p']).unwrap_or(number.len());
    let (digits, rest) = number.split_at(end);
    format!("{}{rest}", digits.parse::<i64>().unwrap() + by)
}

#[test]
fn the_untouched_certificate_verifies() {
    let run = check(iris()).expect(0);
    assert!(run.out.starts_with("VERIFIED"), "{}", run.out);
}

#[test]
fn attained_margins_raised_by_the_smallest_step_are_rejected() {
    let attained: Vec<_> =
        bounds().into_iter().filter(|(kind, _)| kind == "margin_at_least").collect();
    // In the cell, near the point, of this architecture, of any width.
    assert_eq!(attained.len(), 4);
    for (_, nth) in attained {
        let run = check(&bound(nth, 1)).expect(1);
        assert!(run.out.contains("(margin_at_least, rule point) is rejected"), "{}", run.out);
        assert!(run.out.contains("normalised margin is below the claimed"), "{}", run.out);
        // The same step down is a weaker claim, and true.
        check(&bound(nth, -1)).expect(0);
    }
}

#[test]
fn an_exact_bound_lowered_by_the_smallest_step_is_rejected() {
    // |x| = 5, so ν ≤ 5/2 is the norm bound to the last digit.
    let folder = Folder::new();
    let model = r#"{"activation":"relu","layers":[{"weights":[["3","4"]]},{"weights":[["1"]]}]}"#;
    let data = r#"{"x":[["3","4"]],"y":[1]}"#;
    folder.certify_json(model, data, &["--bracket", "everywhere", "-o", "c.json"]).expect(0);
    let text = folder.read("c.json");
    assert_eq!(text.matches(r#""bound":"5/2""#).count(), 1, "{text}");
    let below = "2.49999999999999999999999999999999999999999999999999";
    folder.write("lower.json", text.replace(r#""bound":"5/2""#, &format!(r#""bound":"{below}""#)));
    let run = folder.run(&["check", "lower.json"]).expect(1);
    assert!(run.out.contains("is below the norm bound, about 2.500000000"), "{}", run.out);
}

#[test]
fn bounds_of_covers_and_residuals_are_tight() {
    let upper: Vec<_> = bounds().into_iter().filter(|(kind, _)| kind == "margin_at_most").collect();
    // Cell and near: numerators of 50 bits, so that 10^7 units are 1e-8 of the bound.
    for (_, nth) in &upper[..2] {
        let run = check(&bound(*nth, -10_000_000)).expect(1);
        assert!(run.out.contains("(margin_at_most, rule dual_bound) is rejected"), "{}", run.out);
        check(&bound(*nth, 1)).expect(0);
    }
    let hi = |by| edit(iris(), "\"hi\":\"", 0, '"', |hi| step(hi, by));
    let run = check(&hi(-100)).expect(1);
    assert!(run.out.contains("(kkt_residual, rule kkt_residual) is rejected"), "{}", run.out);
    check(&hi(1)).expect(0);
    let lo = |by| edit(iris(), "\"lo\":\"", 0, '"', |lo| step(lo, by));
    check(&lo(1_000_000_000)).expect(1);
    check(&lo(-1)).expect(0);
}

#[test]
fn changed_multipliers_are_rejected() {
    // Of the residual: [[k, "λ"], …].
    let lambda = |with: &'static str| {
        let at = iris().find("\"rule\":\"kkt_residual\"").unwrap();
        let tail = edit(&iris()[at..], "\"lambda\":[[", 0, ']', |pair| {
            let (k, _) = pair.split_once(',').unwrap();
            format!("{k},\"{with}\"")
        });
        format!("{}{tail}", &iris()[..at])
    };
    for with in ["-1", "0", "1"] {
        let run = check(&lambda(with)).expect(1);
        assert!(run.out.contains("claim 0 (kkt_residual"), "{}", run.out);
    }
    // Of the dual bound: [[i, λ/unit], …], integers.
    let integer = |with: fn(i64) -> i64| {
        let at = iris().find("\"rule\":\"dual_bound\"").unwrap();
        let tail = edit(&iris()[at..], "\"lambda\":[[", 0, ']', |pair| {
            let (i, l) = pair.split_once(',').unwrap();
            format!("{i},{}", with(l.parse().unwrap()))
        });
        format!("{}{tail}", &iris()[..at])
    };
    for with in [(|_| 0) as fn(i64) -> i64, |l| -l, |l| l / 2, |l| l / 16 * 17] {
        let run = check(&integer(with)).expect(1);
        assert!(run.out.contains("rule dual_bound) is rejected"), "{}", run.out);
    }
    // A sample that is not near-active, or not there.
    let sample = |with: &'static str| {
        let at = iris().find("\"rule\":\"kkt_residual\"").unwrap();
        let tail = edit(&iris()[at..], "\"lambda\":[[", 0, ',', |_| with.into());
        format!("{}{tail}", &iris()[..at])
    };
    check(&sample("0")).expect(1);
    check(&sample("150")).expect(1);
}

#[test]
fn changed_digests_and_problems() {
    let flip = |text: &str| {
        let first = if text.starts_with('0') { '1' } else { '0' };
        format!("{first}{}", &text[1..])
    };
    for what in ["network", "data"] {
        let text = edit(iris(), &format!("\"{what}_digest\":\""), 0, '"', flip);
        let run = check(&text).expect(1);
        assert!(run.out.contains(&format!("the {what} digest")), "{}", run.out);
    }
    // A weight or a label of the embedded problem.
    let weight = edit(iris(), "\"weights\":[[\"", 0, '"', |_| "1".into());
    let run = check(&weight).expect(1);
    assert!(run.out.contains("is not that of the embedded network"), "{}", run.out);
    let label = edit(iris(), "\"y\":[", 0, ',', |y| if y == "1" { "-1" } else { "1" }.into());
    check(&label).expect(1);
    // Not embedded, only the model's own digest can tell.
    let folder = Folder::new();
    folder.on("certify", EXAMPLES[2], &["--embed", "never", "-o", "c.json"]).expect(0);
    folder.write("c.json", edit(&folder.read("c.json"), "\"data_digest\":\"", 0, '"', flip));
    let run = folder.on("check", EXAMPLES[2], &["c.json"]).expect(3);
    assert!(run.out.contains("speaks of another data set"), "{}", run.out);
}

#[test]
fn about_another_model_or_data_set() {
    let folder = Folder::new();
    folder.write("c.json", iris());
    for pair in [EXAMPLES[0], EXAMPLES[1]] {
        let run = folder.on("check", pair, &["c.json"]).expect(3);
        assert!(run.out.contains("the certificate speaks of another model"), "{}", run.out);
        let run = folder.on("show", pair, &["c.json"]).expect(3);
        assert!(run.out.is_empty() && run.err.contains("another model"), "{}", run.err);
    }
    // The same network, one sample less.
    let csv = |n: usize| {
        let d = crate::problem(crate::example(EXAMPLES[2].0).as_ref(), EXAMPLES[2].1);
        let line = |i: usize| {
            let x = d.data().sample(i).to_rationals();
            let cells: Vec<String> = x.iter().map(|v| v.to_string()).collect();
            format!("{},{}\n", cells.join(","), d.data().label(i))
        };
        (0..n).map(line).collect::<String>()
    };
    folder.write("all.csv", csv(150));
    folder.write("less.csv", csv(149));
    let model = crate::example(EXAMPLES[2].0);
    folder.run(&["check", "c.json", "--model", &model, "--data", "all.csv"]).expect(0);
    let run = folder.run(&["check", "c.json", "--model", &model, "--data", "less.csv"]).expect(3);
    assert!(run.out.contains("speaks of another data set"), "{}", run.out);
    // The first failure decides; the good file is still reported.
    folder.write("cut.json", &iris()[..1000]);
    let run = folder.on("check", EXAMPLES[2], &["c.json", "cut.json", "c.json"]).expect(2);
    assert_eq!(run.out.matches("VERIFIED  c.json").count(), 2, "{}", run.out);
}

#[test]
fn truncated_or_malformed() {
    for cut in [1, 40, iris().len() / 2, iris().len() - 3] {
        let run = check(&iris()[..cut]).expect(2);
        assert!(run.out.contains("the certificate is truncated"), "{}", run.out);
    }
    let end = iris().rfind("\"end\":").unwrap();
    for (text, fact) in [
        (String::new(), "truncated"),
        ("[]".into(), "not a certificate"),
        (format!("{} {{}}", iris()), "not a certificate"),
        (format!("{}\"end\":1}}", &iris()[..end]), "its end says 1"),
        (format!("{}}}", iris()[..end].trim_end_matches(',')), "the key `end` is missing"),
        (iris().replacen("\"version\":1", "\"version\":2", 1), "version 2 is not supported"),
        (iris().replacen("maxmargin-certificate", "other", 1), "the format is `other`"),
        (
            iris().replacen("\"rule\":\"point\"", "\"rule\":\"faith\"", 1),
            "there is no rule `faith`",
        ),
        (
            iris().replacen("\"scope\":\"all\"", "\"scope\":\"all\",\"by\":1", 1),
            "unknown field `by`",
        ),
    ] {
        let run = check(&text).expect(2);
        assert!(run.out.contains(fact), "no `{fact}`: {}", run.out);
    }
    let folder = Folder::new();
    let run = folder.run(&["check", "none.json"]).expect(2);
    assert!(run.out.contains("none.json"), "{}", run.out);
    let run = folder.run(&["check", "none.json", "--json"]).expect(2);
    assert_eq!((&run.json()["verdict"], &run.json()["exit"]), (&"refused".into(), &2.into()));
}

#[test]
fn a_claim_moved_to_a_larger_region_is_rejected() {
    let text = iris().replacen("\"region\":\"cell\"", "\"region\":\"everywhere\"", 1);
    let run = check(&text).expect(1);
    assert!(run.out.contains("rule dual_bound) is rejected"), "{}", run.out);
    let text = iris().replace("\"region\":\"near:1/10000\"", "\"region\":\"near:1/2\"");
    check(&text).expect(1);
}
