//! Small files that ask for much work: each ends soon, at a named limit or with a verdict, and in
//! little memory.
use maxmargin_kernel::check::{Failure, Limit, Limits, check};
use maxmargin_kernel::problem::{DataError, Problem, data_digest, network_digest};
use std::time::{Duration, Instant};

/// Processor time of this thread where the system tells it (a check is one thread), so that a busy
/// machine does not count as work; elapsed time elsewhere.
struct Clock(Instant, Option<u64>);

impl Clock {
    fn now() -> Self {
        Self(Instant::now(), Self::nanoseconds())
    }

    /// Linux: the first number is the time on a processor.
    fn nanoseconds() -> Option<u64> {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split_whitespace().next()?.parse().ok()
    }

    fn seconds(&self) -> f32 {
        let spent = |(end, start): (u64, u64)| Duration::from_nanos(end.saturating_sub(start));
        let spent = Self::nanoseconds().zip(self.1).map(spent);
        spent.unwrap_or_else(|| self.0.elapsed()).as_secs_f32()
    }
}

/// The outcome of a file of at most some 10 kB, which must come in seconds even unoptimised.
fn outcome(name: &str, text: &str) -> Result<usize, Failure> {
    assert!(text.len() < 14_000, "{name}: {}", text.len());
    let started = Clock::now();
    let outcome = check(text.as_bytes(), None, Limits::default()).map(|r| r.claims.len());
    let seconds = started.seconds();
    println!("{name}: {} bytes, {seconds:.2} s, {outcome:?}", text.len());
    assert!(seconds < 30.0, "{name} takes {seconds} s");
    outcome
}

fn is_limit(name: &str, text: &str) -> Failure {
    let failure = outcome(name, text).unwrap_err();
    assert_eq!(failure.exit_code(), 4, "{name}: {failure}");
    failure
}

/// A file about this problem.
fn file(network: &str, data: &str, claims: &str, count: usize) -> String {
    let parse = |network: &str, data: &str| {
        let network: maxmargin_kernel::network::NetworkJson = serde_json::from_str(network).ok()?;
        let data: maxmargin_kernel::problem::DataJson = serde_json::from_str(data).ok()?;
        Problem::new(network.to_network().ok()?, data.to_data().ok()?).ok()
    };
    let digests =
        parse(network, data).map(|p| (network_digest(p.network()), data_digest(p.data())));
    let (n, d) = digests.unwrap_or_default();
    format!(
        r#"{{"format":"maxmargin-certificate","version":1,"problem":{{"network_digest":"{n}","data_digest":"{d}","network":{network},"data":{data}}},"claims":[{claims}],"end":{count}}}"#
    )
}

/// Without digests.
fn file_as_it_is(network: &str, data: &str) -> String {
    format!(
        r#"{{"format":"maxmargin-certificate","version":1,"problem":{{"network_digest":"","data_digest":"","network":{network},"data":{data}}},"claims":[],"end":0}}"#
    )
}

fn repeated(item: &str, count: usize) -> String {
    vec![item; count].join(",")
}

/// `rows × cols` entries, all of one coordinate.
fn shared(parameter: &str, rows: usize, cols: usize) -> String {
    let row = format!("[{}]", repeated("0", cols));
    format!(r#"{{"parameters":["{parameter}"],"pattern":[{}]}}"#, repeated(&row, rows))
}

const ONE: &str = r#"{"activation":"relu","layers":[{"weights":[["1"]]},{"weights":[["1"]]}]}"#;
const ONE_SAMPLE: &str = r#"{"x":[["1"]],"y":[1]}"#;

fn one(claim: &str, proof: &str) -> String {
    file(ONE, ONE_SAMPLE, &format!(r#"{{"claim":{claim},"proof":{proof}}}"#), 1)
}

#[test]
fn deep_nesting() {
    for open in ["[", "{\"a\":", "{\"problem\":["] {
        let text = open.repeat(10_000 / open.len());
        let failure = outcome("nesting", &text).unwrap_err();
        assert!(matches!(failure.exit_code(), 2 | 4), "{failure}");
    }
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    let deep =
        one(r#"{"kind":"kkt","scope":"all"}"#, &format!(r#"{{"rule":"curve","moves":{deep}}}"#));
    assert_eq!(outcome("nested moves", &deep).unwrap_err().exit_code(), 2);
    // Where any value is read before its kind is known.
    let layers = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    let network = format!(r#"{{"activation":"relu","layers":[{layers}]}}"#);
    assert_eq!(
        is_limit("nested layers", &file(&network, ONE_SAMPLE, "", 0)),
        Failure::Limit(Limit::Nesting)
    );
}

#[test]
fn long_numbers_and_large_exponents() {
    let bound = |b: &str| {
        format!(r#"{{"kind":"margin_at_least","scope":"all","region":"everywhere","bound":"{b}"}}"#)
    };
    for number in
        ["1e1000000000", "1e-1000000000", "1p1000000000", "1e99999999999999999999", "0.1e2201"]
    {
        let text = one(&bound(number), r#"{"rule":"point"}"#);
        assert!(matches!(is_limit(number, &text), Failure::Limit(Limit::Number(_))));
        let network = ONE.replace(r#"[["1"]]"#, &format!(r#"[["{number}"]]"#));
        assert!(matches!(
            is_limit(number, &file(&network, ONE_SAMPLE, "", 0)),
            Failure::Network(_)
        ));
        let data = format!(r#"{{"x":[["{number}"]],"y":[1]}}"#);
        assert!(matches!(is_limit(number, &file(ONE, &data, "", 0)), Failure::Data(_)));
    }
    let long = "7".repeat(5_000);
    is_limit("long", &one(&bound(&long), r#"{"rule":"point"}"#));
    // Within the limits one by one, long together: common denominators of many primes.
    let primes: Vec<usize> = (7_000..60_000).filter(|n| (2..250).all(|d| n % d != 0)).collect();
    let sample =
        primes.iter().take(1_000).map(|p| format!("\"1/{p}\"")).collect::<Vec<_>>().join(",");
    let data = format!(r#"{{"x":[[{sample}]],"y":[1]}}"#);
    let failure = is_limit("primes in a sample", &file(&one_row(1_000), &data, "", 0));
    assert!(matches!(failure, Failure::Data(_)), "{failure}");
    let lambda = (0..900).map(|k| format!("[0,\"1/{}\"]", primes[k])).collect::<Vec<_>>().join(",");
    let claim = r#"{"kind":"local_optimum","scope":"all"}"#;
    let proof = format!(r#"{{"rule":"convex_cell","lambda":[{lambda}]}}"#);
    let failure = is_limit("primes in λ", &one(claim, &proof));
    assert!(matches!(failure, Failure::ProofLimit { .. }), "{failure}");
}

/// One neuron on so many inputs, a shared weight.
fn one_row(cols: usize) -> String {
    format!(r#"{{"activation":"relu","layers":[{},{{"weights":[["1"]]}}]}}"#, shared("1", 1, cols))
}

#[test]
fn long_weights_used_many_times() {
    // 6 644 bits in each of two layers, 1 400 entries, 600 samples.
    let data = format!(r#"{{"x":[{}],"y":[{}]}}"#, repeated(r#"["1"]"#, 600), repeated("1", 600));
    let long = "9".repeat(2_000);
    let layers = format!("{},{}", shared(&long, 700, 1), shared(&long, 1, 700));
    let network = format!(r#"{{"activation":"relu","layers":[{layers}]}}"#);
    let failure = is_limit("long weights", &file(&network, &data, "", 0));
    assert!(matches!(failure, Failure::Data(_)), "{failure}");
}

#[test]
fn curves_of_high_degree() {
    let data = format!(r#"{{"x":[{}],"y":[{}]}}"#, repeated(r#"["1"]"#, 300), repeated("1", 300));
    let layers = format!("{},{}", shared("1", 1_000, 1), shared("1", 1, 1_000));
    let network = format!(r#"{{"activation":"relu","layers":[{layers}]}}"#);
    let high = |degree: usize| repeated(r#""-1p-2000""#, degree);
    let moves = |n| format!("[[[0,[{}]]],[[0,[{}]]]]", high(n), high(n));
    let claim = |n: usize, rule: &str| {
        let proof = format!(r#"{{"rule":"{rule}","moves":{}}}"#, moves(n));
        format!(r#"{{"claim":{{"kind":"not_local_optimum","scope":"all"}},"proof":{proof}}}"#)
    };
    let failure = is_limit("degree 32 + 32", &file(&network, &data, &claim(32, "curve"), 1));
    assert!(matches!(failure, Failure::ProofLimit { rule: "curve", .. }), "{failure}");
    let failure = is_limit("degree 33 + 33", &file(&network, &data, &claim(33, "curve"), 1));
    assert!(failure.to_string().contains("the degrees of the layers sum to 66"), "{failure}");
    let germ = format!(r#"{{"constraint":0,"weight":"1/40","moves":{}}}"#, "[[[0,[\"1\"]]],[]]");
    let germs = repeated(&germ, 40);
    let proof = format!(r#"{{"rule":"stationarity","lambda":[[0,"1"]],"germs":[{germs}]}}"#);
    let claim = format!(r#"{{"claim":{{"kind":"kkt","scope":"all"}},"proof":{proof}}}"#);
    let code = outcome("germs", &file(&network, &data, &claim, 1)).unwrap_err().exit_code();
    assert!(matches!(code, 1 | 4), "{code}");
}

#[test]
fn kinks_that_would_have_to_be_enumerated() {
    // Depth 3: rows of the first layer are zero, so every unit is at a kink, and d moves them.
    let width = 200;
    let zeros = format!("[{}]", repeated(r#""0""#, 1));
    let first = format!(r#"{{"weights":[{},["1"]]}}"#, repeated(&zeros, width));
    let second = shared("1", 1, width + 1);
    let network =
        format!(r#"{{"activation":"relu","layers":[{first},{second},{{"weights":[["1"]]}}]}}"#);
    let direction = format!("[[{},\"-9\"],[\"0\"],[\"0\"]]", repeated("\"1\"", width));
    let claim = format!(
        r#"{{"claim":{{"kind":"not_kkt","scope":"all"}},"proof":{{"rule":"descent","direction":{direction}}}}}"#
    );
    let failure = is_limit("kinks", &file(&network, ONE_SAMPLE, &claim, 1));
    assert!(failure.to_string().contains("has 200 kinks in layer 1"), "{failure}");
}

#[test]
fn many_claims_and_large_trees() {
    let data = format!(r#"{{"x":[{}],"y":[{}]}}"#, repeated(r#"["1"]"#, 200), repeated("1", 200));
    let point = r#"{"claim":{"kind":"margin_at_least","scope":"all","region":"any_width","bound":"1/9"},"proof":{"rule":"point"}}"#;
    assert_eq!(outcome("points", &file(ONE, &data, &repeated(point, 80), 80)), Ok(80));
    let lambda = (0..200).map(|i| format!("[{i},1]")).collect::<Vec<_>>().join(",");
    let cover = |nodes: &str| {
        let proof = format!(
            r#"{{"rule":"dual_bound","multipliers":{{"units":{{"a":"1","z":"1p-2000","tau":"1p-2000"}},"lambda":[{lambda}]}},"covers":[{{"cone":{{"sign":1,"fixed":[]}},"nodes":[{nodes}]}}]}}"#
        );
        let claim = r#"{"kind":"margin_at_most","scope":"all","region":"everywhere","bound":"1"}"#;
        file(ONE, &data, &format!(r#"{{"claim":{claim},"proof":{proof}}}"#), 1)
    };
    let failure = is_limit("a fine grid", &cover(""));
    assert!(failure.to_string().contains("out of range for unit z"), "{failure}");
    let coarse = |nodes: &str| cover(nodes).replace(r#""z":"1p-2000""#, r#""z":"1p-20""#);
    let splits = coarse(&repeated(r#"{"split":0}"#, 600));
    assert_eq!(outcome("splits", &splits).unwrap_err().exit_code(), 1);
    let leaf = format!(
        r#"{{"quadratic":[{}],"roots":[{}],"kappa":{}}}"#,
        repeated("0", 200),
        (0..200).map(|i| format!("[{i},{}]", i64::MAX)).collect::<Vec<_>>().join(","),
        i64::MAX
    );
    assert_eq!(outcome("quadratic", &coarse(&leaf)).unwrap_err().exit_code(), 1);
    let output = r#"{"output":0},{"split":[0,0]},"#;
    let tree = format!(r#"{{"rule":"width_tree","nodes":[{}{{"output":0}}]}}"#, output);
    let tree = one(r#"{"kind":"global_optimum","scope":"all"}"#, &tree);
    assert_eq!(outcome("width tree", &tree).unwrap_err().exit_code(), 1);
}

#[test]
fn matrices_of_long_numbers() {
    let width = 30;
    let row = format!("[{}]", repeated(r#""1""#, 1));
    let first = format!(r#"{{"weights":[{}]}}"#, repeated(&row, width));
    let second = format!(r#"{{"weights":[[{}]]}}"#, repeated(r#""1""#, width));
    let network = format!(r#"{{"activation":"relu","layers":[{first},{second}]}}"#);
    let long = format!("1/{}", "3".repeat(2_400));
    let proof = format!(r#"{{"rule":"second_order","lambda":[[0,"1"]],"penalty":"{long}"}}"#);
    let claim = format!(r#"{{"claim":{{"kind":"local_optimum","scope":"all"}},"proof":{proof}}}"#);
    let failure = is_limit("long Hessian", &file(&network, ONE_SAMPLE, &claim, 1));
    assert!(matches!(failure, Failure::ProofLimit { rule: "second_order", .. }), "{failure}");
}

/// Samples times classes: of 50 kB they would take gigabytes.
#[test]
fn many_classes_of_many_samples() {
    let of = |samples: usize, classes: usize| {
        let layers = format!(
            r#"{{"weights":[["1"]]}},{{"weights":[["1"],{}]}}"#,
            repeated(r#"["0"]"#, classes - 1)
        );
        let network = format!(r#"{{"activation":"relu","layers":[{layers}]}}"#);
        let (x, y) = (repeated(r#"["1"]"#, samples), repeated("0", samples));
        let text = file_as_it_is(&network, &format!(r#"{{"x":[{x}],"y":[{y}]}}"#));
        check(text.as_bytes(), None, Limits::default()).unwrap_err()
    };
    let many = of((1 << 12) + 1, (1 << 11) + 1);
    assert_eq!(many, Failure::Data(DataError::Constraints((1 << 23) + (1 << 11))));
    assert_eq!(many.exit_code(), 4);
    assert!(!matches!(of(20, 30), Failure::Data(_)));
}

/// Time is looked at between claims too, not only when the file is read.
#[test]
fn a_claim_that_comes_too_late_is_not_decided() {
    let rows = repeated(r#"["0"]"#, 499);
    let layers = format!(r#"{{"weights":[["1"]]}},{{"weights":[["1"],{rows}]}}"#);
    let network = format!(r#"{{"activation":"relu","layers":[{layers}]}}"#);
    let data = format!(r#"{{"x":[{}],"y":[{}]}}"#, repeated(r#"["1"]"#, 500), repeated("0", 500));
    let point = r#"{"claim":{"kind":"margin_at_least","scope":"all","region":"everywhere","bound":"9"},"proof":{"rule":"point"}}"#;
    let text = file(&network, &data, point, 1);
    // One read brings all of it; the evaluation of 249 500 margins comes after.
    assert!(text.len() < 8_000);
    let within = |ms| {
        let limits = Limits { time: Some(Duration::from_millis(ms)), ..Limits::default() };
        check(text.as_bytes(), None, limits).unwrap_err()
    };
    assert!(matches!(within(5), Failure::Limit(Limit::Time(0))));
    assert!(matches!(within(600_000), Failure::Rejected { .. }));
}

#[test]
fn bytes_nodes_and_time_are_set_by_the_caller() {
    let text = one(
        r#"{"kind":"margin_at_most","scope":"all","region":"everywhere","bound":"1/2"}"#,
        r#"{"rule":"norm_bound","samples":[0]}"#,
    );
    let with = |limits| check(text.as_bytes(), None, limits).map(|r| r.claims.len());
    let all = Limits::default();
    assert_eq!(with(all), Ok(1));
    let bytes = u64::try_from(text.len()).unwrap();
    assert_eq!(with(Limits { bytes, ..all }), Ok(1));
    let fewer = with(Limits { bytes: bytes - 1, ..all }).unwrap_err();
    assert_eq!(fewer, Failure::Limit(Limit::Bytes(bytes - 1)));
    let late = with(Limits { time: Some(Duration::ZERO), ..all }).unwrap_err();
    assert_eq!(late, Failure::Limit(Limit::Time(0)));
    assert_eq!((fewer.exit_code(), late.exit_code()), (4, 4));
}
