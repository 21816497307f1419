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
    let near = bound("1").replace("everywhere", "near:1e-3000");
    let failure = is_limit("δ", &one(&near, r#"{"rule":"point"}"#));
    assert!(matches!(failure, Failure::Limit(Limit::Number(_))), "{failure}");
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

/// Reciprocals of long numbers without common factors: their common denominator is as long as all of
/// them together.
fn reciprocals(count: usize, digits: usize) -> Vec<String> {
    (0..count).map(|k| format!("1/1{:0>digits$}", 2 * k + 1)).collect()
}

fn quoted(numbers: &[String]) -> String {
    numbers.iter().map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(",")
}

#[test]
fn long_denominators_that_multiply() {
    // The limit is met while the common denominator grows, not when it is complete.
    let sample = reciprocals(5, 2_000);
    let data = format!(r#"{{"x":[[{}]],"y":[1]}}"#, quoted(&sample));
    let failure = is_limit("a sample", &file(&one_row(5), &data, "", 0));
    assert!(matches!(failure, Failure::Data(DataError::TooLong { .. })), "{failure}");
    let weights = reciprocals(5, 2_500);
    let network = format!(
        r#"{{"activation":"relu","layers":[{{"weights":[[{}]]}},{{"weights":[["1"]]}}]}}"#,
        quoted(&weights)
    );
    let data = format!(r#"{{"x":[[{}]],"y":[1]}}"#, repeated("\"1\"", 5));
    let failure = is_limit("weights", &file(&network, &data, "", 0));
    assert!(matches!(failure, Failure::Network(_)), "{failure}");

    let claims = |claim: &str, proof: &str| format!(r#"{{"claim":{claim},"proof":{proof}}}"#);
    let wide = format!(
        r#"{{"activation":"relu","layers":[{{"weights":[[{}]]}},{{"weights":[["1"]]}}]}}"#,
        repeated("\"1\"", 5)
    );
    let point = format!(r#"{{"rule":"point","parameters":[[{}],["1"]]}}"#, quoted(&weights));
    let claim = r#"{"kind":"margin_at_least","scope":"all","region":"everywhere","bound":"0"}"#;
    let failure = is_limit("a point", &file(&wide, &data, &claims(claim, &point), 1));
    assert!(matches!(failure, Failure::ProofLimit { .. }), "{failure}");

    // The residual, from above and from below.
    let network =
        r#"{"activation":"relu","layers":[{"weights":[["1"],["1"]]},{"weights":[["1","1"]]}]}"#;
    let data = format!(r#"{{"x":[{}],"y":[{}]}}"#, repeated("[\"1\"]", 4), repeated("1", 4));
    let residual = |lo: &str| {
        format!(
            r#"{{"kind":"kkt_residual","scope":"all","lo":"{lo}","hi":"1000","delta":"0","epsilon":"0"}}"#
        )
    };
    let lambda: Vec<String> =
        (reciprocals(4, 2_400).iter().enumerate()).map(|(k, l)| format!("[{k},\"{l}\"]")).collect();
    let proof = format!(r#"{{"rule":"kkt_residual","lambda":[{}],"mu":[]}}"#, lambda.join(","));
    let failure = is_limit("λ", &file(network, &data, &claims(&residual("0"), &proof), 1));
    assert!(matches!(failure, Failure::ProofLimit { .. }), "{failure}");
    let direction = reciprocals(2, 2_500);
    let proof = format!(
        r#"{{"rule":"kkt_residual","lambda":[],"mu":[],"direction":[[{}],["1","1"]]}}"#,
        quoted(&direction)
    );
    let failure = is_limit("d", &file(network, &data, &claims(&residual("1/2"), &proof), 1));
    assert!(matches!(failure, Failure::ProofLimit { .. }), "{failure}");

    // A short file that asks for products of long numbers in every neuron.
    let units = 300;
    let network = format!(
        r#"{{"activation":"relu","layers":[{{"weights":[{}]}},{{"weights":[[{}]]}}]}}"#,
        repeated("[\"1\"]", units),
        repeated("\"1\"", units)
    );
    let lambda: Vec<String> =
        (reciprocals(4, 500).iter().enumerate()).map(|(k, l)| format!("[{k},\"{l}\"]")).collect();
    let proof = format!(r#"{{"rule":"kkt_residual","lambda":[{}],"mu":[]}}"#, lambda.join(","));
    let text = file(&network, &data, &claims(&residual("0"), &proof), 1);
    assert_eq!(outcome("λ of many neurons", &text), Ok(1));
    let data = format!(r#"{{"x":[{}],"y":[{}]}}"#, repeated("[\"1\"]", 560), repeated("1", 560));
    let lambda = reciprocals(1, 2_400);
    let proof =
        format!(r#"{{"rule":"kkt_residual","lambda":[[0,"{}"]],"mu":[]}}"#, lambda.concat());
    let failure = is_limit(
        "many neurons on many samples",
        &file(&network, &data, &claims(&residual("0"), &proof), 1),
    );
    assert!(failure.to_string().contains("steps, past the limit"), "{failure}");
}

/// A unit of many digits for a sample of many entries, one of them long.
#[test]
fn a_long_unit_of_samples() {
    let entries = 900;
    let network = format!(
        r#"{{"activation":"relu","layers":[{{"weights":[[{}]]}},{{"weights":[["1"]]}}]}}"#,
        repeated("\"1\"", entries)
    );
    let long = format!("\"1/1{:0>1500}\"", 1);
    let data = format!(r#"{{"x":[[{long},{}]],"y":[1]}}"#, repeated("\"1\"", entries - 1));
    let unit = format!("1/1{:0>1500}", 7);
    let claim = r#"{"kind":"margin_at_most","scope":"all","region":"any_width","bound":"1000"}"#;
    let proof = format!(
        r#"{{"rule":"dual_bound","multipliers":{{"units":{{"a":"1","z":"1","tau":"1","x":"{unit}"}},"lambda":[[0,1]]}},"covers":[{{"cone":{{"sign":1,"fixed":[]}},"nodes":[{{"close":[1]}}]}},{{"cone":{{"sign":-1,"fixed":[]}},"nodes":[{{"close":[0]}}]}}]}}"#
    );
    let text = file(&network, &data, &format!(r#"{{"claim":{claim},"proof":{proof}}}"#), 1);
    assert_eq!(outcome("a long unit", &text), Ok(1));
}

/// More preactivations than a file of this size is worth keeping.
#[test]
fn many_units_on_many_samples() {
    let network = |units: usize| {
        let network = format!(
            r#"{{"activation":"relu","layers":[{{"weights":[{}]}},{{"weights":[[{}]]}}]}}"#,
            repeated("[\"1\"]", units),
            repeated("\"1\"", units)
        );
        serde_json::from_str::<maxmargin_kernel::network::NetworkJson>(&network).unwrap()
    };
    let data = |samples: usize| {
        let data = maxmargin_kernel::problem::DataJson {
            x: vec![vec!["1".to_string()]; samples],
            y: vec![1; samples],
        };
        data.to_data().unwrap()
    };
    let count = 1 << 14;
    let problem = Problem::new(network(count).to_network().unwrap(), data(count));
    assert_eq!(problem.unwrap_err(), DataError::Preactivations((count + 1) * count));
    assert!(Problem::new(network(100).to_network().unwrap(), data(100)).is_ok());
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
