//! Reading certificates: the format, its order, truncation, digests, limits, exit codes.
mod common;

use common::small::{norm_bound, small, text};
use common::*;
use maxmargin_kernel::certificate::{Certificate, Entry, ProblemEntry, Proof};
use maxmargin_kernel::check::{Failure, Limit, Limits, Report, check, report_json};
use maxmargin_kernel::network::NetworkError;
use maxmargin_kernel::number::BigInt;
use maxmargin_kernel::problem::{DataError, data_digest, network_digest};
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::norm_bound::NormBoundError;
use maxmargin_kernel::proof::point::Point;
use std::collections::BTreeSet;
use std::io::{Error, Read};

fn read(text: &str) -> Result<Report, Failure> {
    check(text.as_bytes(), None, Limits::default())
}

fn failure(text: &str) -> Failure {
    read(text).expect_err(text)
}

/// What a malformed text is said to be.
fn malformed(text: &str) -> String {
    match failure(text) {
        Failure::Malformed(reason) => reason,
        other => panic!("{other}"),
    }
}

fn named(name: &str) -> String {
    small().into_iter().find(|(n, _)| *n == name).unwrap().1
}

/// The smallest certificate: one norm bound of a network of depth 1.
fn minimal() -> String {
    let p = problem(LINEAR, &["3 4"], "3 4", &[1]);
    text(&p, vec![(at_most("everywhere", "5"), norm_bound(&[0]))])
}

#[test]
fn one_certificate_of_every_rule_is_accepted() {
    for (name, rule) in [
        ("e_kkt", "kkt_residual"),
        ("i_global", "dual_bound"),
        ("f_norm_with_sharing", "norm_bound"),
        ("e_points", "point"),
    ] {
        let report = read(&named(name)).unwrap();
        assert_eq!(report.claims[0].rule, rule);
        assert!(!report.tied);
        let json = report_json(&report);
        assert_eq!(json["verdict"], "verified");
        assert_eq!(json["claims"][0]["rule"], rule);
        assert_eq!(json["claims"][0]["kind"], report.claims[0].claim.kind());
        // Only covers have nodes to speak of.
        assert_eq!(json["claims"][0].get("nodes").is_some(), rule == "dual_bound");
    }
    let global = report_json(&read(&named("i_global")).unwrap());
    assert_eq!(global["claims"][0]["bound"], "1/4");
    assert_eq!(global["claims"][0]["bound_f64"], 0.25);
    assert_eq!(global["claims"][0]["region"], "any_width");
    assert_eq!(global["claims"][0]["nodes"], 8);
    assert_eq!(global["margin"]["nu"], "1/4");
}

#[test]
fn the_format_is_this_text() {
    assert_eq!(
        minimal(),
        concat!(
            r#"{"format":"maxmargin-certificate","version":1,"problem":{"#,
            r#""network_digest":"f789cb2af9b531316df2fde5c192a521393170adc84450bc05f805e891c8c2c8","#,
            r#""data_digest":"9a287ccfd07f352f4a3f2b47a1a3b26e1a2e41bc493de076039a516b018097d5","#,
            r#""network":{"activation":"linear","layers":[{"weights":[["3","4"]]}]},"#,
            r#""data":{"x":[["3","4"]],"y":[1]}},"#,
            r#""claims":[{"claim":{"kind":"margin_at_most","scope":"all","region":"everywhere","#,
            r#""bound":"5"},"proof":{"rule":"norm_bound","samples":[0]}}],"end":1}"#,
            "\n"
        )
    );
}

#[test]
fn a_certificate_cut_short_at_any_byte_is_truncated() {
    for whole in [minimal(), named("round_and_empty_range"), named("e_kkt")] {
        let whole = whole.trim_end();
        assert!(read(whole).is_ok());
        for end in 0..whole.len() {
            let cut = whole.get(..end).unwrap_or("{");
            assert_eq!(failure(cut), Failure::Truncated, "cut at {end}");
        }
    }
}

#[test]
fn a_certificate_with_any_byte_changed_never_panics_nor_says_more() {
    // What is still accepted claims the same, or a bound that is true.
    let whole = named("round_and_empty_range");
    for at in 0..whole.len() {
        for byte in [b'0', b'9', b'"', b'}', b'[', b' ', b'-', b'e'] {
            let mut bytes = whole.clone().into_bytes();
            bytes[at] = byte;
            if let Ok(report) = check(bytes.as_slice(), None, Limits::default()) {
                let changed = String::from_utf8_lossy(&bytes);
                let bound = report_json(&report)["claims"][0]["bound_f64"].as_f64().unwrap();
                // A leaf with T < 1 = |x| cannot close: no accepted bound is below ½.
                assert!(bound >= 0.5, "{changed}");
            }
        }
    }
}

#[test]
fn keys_are_required_known_single_and_in_order() {
    let good = minimal();
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        malformed(&good.replacen(from, to, 1))
    };
    let format = r#""format":"maxmargin-certificate","#;
    for (from, to, reason) in [
        (format, "", "expected the key `format`, found `version`"),
        (r#""version":1,"#, "", "expected the key `version`, found `problem`"),
        (
            r#""version":1,"#,
            r#""version":1,"version":1,"#,
            "expected the key `problem`, found `version`",
        ),
        (r#""version":1"#, r#""version":1.0"#, "invalid type: floating point"),
        (r#""version":1"#, r#""version":"1""#, "invalid type: string"),
        (r#","end":1"#, "", "the key `end` is missing"),
        (r#""end":1"#, r#""end":1,"end":1"#, "unexpected key `end`"),
        (r#""end":1"#, r#""end":-1"#, "invalid value: integer `-1`"),
        (r#""end":1"#, r#""more":[],"end":1"#, "expected the key `end`, found `more`"),
        (r#""claim":{"#, r#""note":"","claim":{"#, "expected the key `claim`, found `note`"),
        (r#""proof":{"#, r#""note":"","proof":{"#, "expected the key `proof`, found `note`"),
        (r#""rule":"norm_bound","#, "", "expected the key `rule`, found `samples`"),
        (
            r#""rule":"norm_bound""#,
            r#""rule":"norm_bound","rule":"norm_bound""#,
            "unknown field `rule`",
        ),
        (r#","samples":[0]"#, "", "missing field `samples`"),
        (r#""samples":[0]"#, r#""samples":[0],"samples":[0]"#, "duplicate field `samples`"),
        (r#""samples":[0]"#, r#""samples":[-1]"#, "invalid value: integer `-1`"),
        (r#""samples":[0]}}"#, r#""samples":[0]},"more":1}"#, "unexpected key `more`"),
        (r#""scope":"all""#, r#""scope":"all","scope":"all""#, "duplicate field `scope`"),
        (r#""scope":"all","#, "", "missing field `scope`"),
        (r#""scope":"all""#, r#""scope":"layer:0""#, "`layer:0` is not a scope"),
        (r#""kind":"margin_at_most""#, r#""kind":"global""#, "unknown variant `global`"),
        (r#""bound":"5""#, r#""bound":"5","lo":"0""#, "unknown field `lo`"),
        (r#""bound":"5""#, r#""bound":5"#, "invalid type: integer"),
        (r#""bound":"5""#, r#""bound":"five""#, "`five` is not a number"),
        (r#""data":{"#, r#""holes":{},"data":{"#, "unknown field `holes`"),
        (r#""y":[1]"#, r#""y":[1],"y":[1]"#, "duplicate field `y`"),
        (r#""layers":"#, r#""bias":[],"layers":"#, "unknown field `bias`"),
        (r#""claims":["#, r#""claims":[null,"#, "invalid type: null"),
        (r#""end":1}"#, r#""end":1}{}"#, "trailing characters"),
        (r#""end":1}"#, r#""end":1]"#, "expected `,` or `}`"),
    ] {
        let found = with(from, to);
        assert!(found.contains(reason), "{from} → {to}: `{found}` lacks `{reason}`");
    }
    assert!(malformed("[]").contains("invalid type: sequence, expected a certificate"));
    assert!(
        malformed(&good.replace(
            &good[good.find(r#","data":"#).unwrap()..good.find(r#"},"claims""#).unwrap()],
            ""
        ))
        .contains("embedded together or not at all")
    );
    let deep = good.replace(r#""samples":[0]"#, &format!(r#""samples":{}"#, "[".repeat(100_000)));
    assert!(malformed(&deep).contains("invalid type: sequence"), "the list holds integers");
    let dual = named("e_cell_and_near");
    let nested =
        dual.replacen(r#"{"close":[2,2]}"#, &format!(r#"{{"close":{}"#, "[".repeat(100_000)), 1);
    assert!(malformed(&nested).contains("invalid type: sequence"), "the list holds integers");
    for (from, to, reason) in [
        (r#"{"close":[2,2]}"#, r#"{"close":[2,2],"split":0}"#, "does not belong to this node"),
        (r#"{"close":[2,2]}"#, r#"{"trust":[2,2]}"#, "unknown field `trust`"),
        (r#"{"close":[2,2]}"#, r#"{"close":[0,0],"close":[2,2]}"#, "duplicate field `close`"),
        (
            r#"{"close":[2,2]}"#,
            r#"{"close":[2,9223372036854775808]}"#,
            "invalid value: integer `9223372036854775808`",
        ),
        (r#"{"close":[2,2]}"#, r#"{"close":[2,2.0]}"#, "invalid type: floating point"),
        (r#""nodes":"#, r#""proof":1,"nodes":"#, "expected the key `nodes`, found `proof`"),
        (r#""covers":"#, r#""cover":"#, "expected the key `covers`, found `cover`"),
        (r#""units":{"#, r#""unit":1,"units":{"#, "unknown field `unit`"),
    ] {
        let found = malformed(&dual.replacen(from, to, 1));
        assert!(found.contains(reason), "{from} → {to}: `{found}` lacks `{reason}`");
    }
}

#[test]
fn structs_are_objects_and_no_lists_of_their_fields() {
    let dual = named("e_cell_and_near");
    for (from, to) in [
        (r#"{"close":[2,2]}"#, "[[2,2]]"),
        (r#"{"a":"1","z":"1/1000","tau":"1/1000"}"#, r#"["1","1/1000","1/1000"]"#),
        (r#"{"sign":1,"fixed":[[0,1],[1,1]]}"#, "[1,null,[[0,1],[1,1]]]"),
        (
            r#"{"kind":"margin_at_most","scope":"all","region":"near:0","bound":"1/8"}"#,
            r#"["margin_at_most","all","near:0","1/8"]"#,
        ),
        (r#"{"weights":[["0","1"],["0","1"]]}"#, r#"[[["0","1"],["0","1"]]]"#),
        (r#"{"x":[["1","1/4"],["-1","1/4"]],"y":[1,1]}"#, r#"[[["1","1/4"],["-1","1/4"]],[1,1]]"#),
    ] {
        assert!(dual.contains(from), "{from}");
        let reason = malformed(&dual.replacen(from, to, 1));
        assert!(
            reason.contains("expected an object") || reason.contains("a layer is {"),
            "{reason}"
        );
    }
}

#[test]
fn every_failure_is_the_expected_one_with_its_exit_code() {
    let good = minimal();
    let swap = |from: &str, to: &str| failure(&good.replacen(from, to, 1));
    let p = problem(LINEAR, &["3 4"], "3 4", &[1]);
    let other_net = problem(LINEAR, &["4 3"], "3 4", &[1]);
    let other_data = problem(LINEAR, &["3 4"], "4 3", &[1]);
    let (net, data) = (network_digest(p.network()), data_digest(p.data()));
    let zeros = "0".repeat(64);
    let against = |p| check(good.as_bytes(), Some(p), Limits::default()).unwrap_err();
    let loose = {
        let entry = Entry { claim: at_most("everywhere", "5"), proof: norm_bound(&[0]) };
        let certificate = Certificate::new(ProblemEntry::new(&p, false), vec![entry]);
        serde_json::to_string(&certificate).unwrap()
    };
    assert!(check(loose.as_bytes(), Some(&p), Limits::default()).unwrap().tied);
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(Error::other("the disk is gone"))
        }
    }
    let few =
        |nodes| check(named("i_global").as_bytes(), None, Limits { nodes, ..Limits::default() });
    assert!(few(8).is_ok());
    let bound = Refusal::NormBound(NormBoundError::TooSmall {
        claimed: "4.999000000".into(),
        follows: "5.000000000".into(),
    });
    let end = good.find(r#""claims":["#).unwrap() + 10;
    let nothing = format!("{}],\"end\":0}}", &good[..end]);
    let cases = [
        (
            check(Broken, None, Limits::default()).unwrap_err(),
            Failure::Io("the disk is gone".into()),
            2,
        ),
        (
            failure("null"),
            Failure::Malformed(
                "invalid type: null, expected a certificate at line 1 column 4".into(),
            ),
            2,
        ),
        (failure(""), Failure::Truncated, 2),
        (swap(r#""end":1"#, r#""end":2"#), Failure::End { count: 1, end: 2 }, 2),
        (swap(r#""end":1"#, r#""end":0"#), Failure::End { count: 1, end: 0 }, 2),
        (failure(&nothing), Failure::NoClaims, 2),
        (
            swap("maxmargin-certificate", "MaxMargin-Certificate"),
            Failure::Format("MaxMargin-Certificate".into()),
            2,
        ),
        (swap(r#""version":1"#, r#""version":0"#), Failure::Version(0), 2),
        (swap(r#""version":1"#, r#""version":2"#), Failure::Version(2), 2),
        (
            swap(r#"[["3","4"]]}]"#, r#"[]}]"#),
            Failure::Network(NetworkError::Empty { layer: 1, rows: 0, cols: 0 }),
            2,
        ),
        (
            swap(r#""x":[["3","4"]]"#, r#""x":[["3","4","5"]]"#),
            Failure::Data(DataError::Features { sample: 0, found: 3, expected: 2 }),
            2,
        ),
        (
            swap(r#""x":[["3","4"]],"y":[1]"#, r#""x":[],"y":[]"#),
            Failure::Data(DataError::Empty),
            2,
        ),
        (failure(&loose), Failure::NoProblem, 2),
        (
            swap(&net, &zeros),
            Failure::Digest { what: "network", stated: zeros.clone(), found: net.clone() },
            1,
        ),
        (
            swap(&data, &zeros),
            Failure::Digest { what: "data", stated: zeros.clone(), found: data.clone() },
            1,
        ),
        (
            swap(r#""y":[1]"#, r#""y":[-1]"#),
            Failure::Digest {
                what: "data",
                stated: data.clone(),
                found: data_digest(problem(LINEAR, &["3 4"], "3 4", &[-1]).data()),
            },
            1,
        ),
        (
            against(&other_net),
            Failure::OtherProblem {
                what: "model",
                stated: net.clone(),
                given: network_digest(other_net.network()),
            },
            3,
        ),
        (
            against(&other_data),
            Failure::OtherProblem {
                what: "data set",
                stated: data,
                given: data_digest(other_data.data()),
            },
            3,
        ),
        (
            swap(r#""bound":"5""#, r#""bound":"4.999""#),
            Failure::Rejected {
                index: 0,
                kind: "margin_at_most",
                rule: "norm_bound",
                refusal: Box::new(bound),
            },
            1,
        ),
        (few(7).unwrap_err(), Failure::Limit(Limit::Nodes(7)), 4),
        (few(0).unwrap_err(), Failure::Limit(Limit::Nodes(0)), 4),
    ];
    let mut names = BTreeSet::new();
    for (found, expected, code) in &cases {
        assert_eq!(found, expected);
        assert_eq!(found.exit_code(), *code, "{found}");
        names.insert(match found {
            Failure::Io(_) => "Io",
            Failure::Malformed(_) => "Malformed",
            Failure::Truncated => "Truncated",
            Failure::End { .. } => "End",
            Failure::NoClaims => "NoClaims",
            Failure::Format(_) => "Format",
            Failure::Version(_) => "Version",
            Failure::Network(_) => "Network",
            Failure::Data(_) => "Data",
            Failure::NoProblem => "NoProblem",
            Failure::Digest { .. } => "Digest",
            Failure::OtherProblem { .. } => "OtherProblem",
            Failure::Rejected { .. } => "Rejected",
            Failure::ProofLimit { .. } => "ProofLimit",
            Failure::Limit(_) => "Limit",
        });
    }
    assert_eq!(names.len(), 14, "{names:?}");
}

#[test]
fn long_continued_fractions_do_not_overflow_the_stack() {
    // Ratios of neighbouring Fibonacci numbers, as long as a number in a file may be.
    let (mut a, mut b) = (BigInt::from(1), BigInt::from(1));
    while b.bits() < 6_700 {
        (a, b) = (b.clone(), a + b);
    }
    let (first, second) = (format!("{b}/{a}"), format!("{}/{b}", &a + &b));
    let p = problem(LINEAR, &["1"], &format!("{first}; {second}"), &[1, 1]);
    let claim = |bound| (at_least("everywhere", bound), Proof::Point(Point::default()));
    // ν is the smaller of the two; the other exceeds it by less than 10⁻⁴⁰⁰⁰.
    let verdicts = [&first, &second].map(|bound| read(&text(&p, vec![claim(bound)])));
    let accepted: Vec<&Report> = verdicts.iter().flatten().collect();
    assert_eq!(accepted.len(), 1);
    assert_eq!(accepted[0].facts.duplicates, 0);
}

#[test]
fn the_first_bad_claim_decides_and_is_named() {
    let p = problem(LINEAR, &["3 4"], "3 4", &[1]);
    let claims = ["5", "4", "3"].map(|b| (at_most("everywhere", b), norm_bound(&[0])));
    match failure(&text(&p, claims.to_vec())) {
        Failure::Rejected { index, .. } => assert_eq!(index, 1),
        other => panic!("{other}"),
    }
}

#[test]
fn a_given_problem_is_tied_by_its_numbers_not_its_spelling() {
    let spelled = problem(LINEAR, &["6/2 4.0"], "3e0 16/4", &[1]);
    assert!(check(minimal().as_bytes(), Some(&spelled), Limits::default()).unwrap().tied);
    // Labels 0/1 and ±1 are the same data set.
    let (signs, bits) = ([1, -1], [1, 0]);
    let p = |labels: &[i64]| problem(LINEAR, &["3 4"], "3 4; -3 -4", labels);
    let certificate = text(&p(&signs), vec![(at_most("everywhere", "5"), norm_bound(&[0]))]);
    assert!(check(certificate.as_bytes(), Some(&p(&bits)), Limits::default()).unwrap().tied);
    // A sign of a zero or a structural zero makes another network.
    let e = fixture_c();
    let dense = problem(LINEAR, &["1 0; 0 1", "1 1"], "1 1", &[1]);
    let certificate = text(&e, vec![(at_most("everywhere", "9"), norm_bound(&[0]))]);
    let other = check(certificate.as_bytes(), Some(&dense), Limits::default()).unwrap_err();
    assert_eq!(other.exit_code(), 3);
}

#[test]
fn the_limit_counts_the_nodes_of_all_claims() {
    let twice = {
        let proof = || Proof::DualBound(dual_i());
        text(
            &fixture_i(),
            vec![(at_most("everywhere", "1/4"), proof()), (at_most("any_width", "1/4"), proof())],
        )
    };
    let with = |nodes| check(twice.as_bytes(), None, Limits { nodes, ..Limits::default() });
    assert_eq!(with(16).unwrap().claims.len(), 2);
    assert_eq!(with(15).unwrap_err(), Failure::Limit(Limit::Nodes(15)));
}
