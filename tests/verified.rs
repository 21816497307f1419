//! The kernel and the proved checker agree: on every certificate of the repository, on the rejected
//! ones and on mutated ones. Needs `proofs/_build/maxmargin-verified` (`make -C proofs`), or the
//! program that MAXMARGIN_VERIFIED names; without either it says so and checks nothing.
use maxmargin::certify::{Request, certify};
use maxmargin::export::{Disagreement, Export, export, run};
use maxmargin_kernel::certificate::{Certificate, ProblemEntry};
use maxmargin_kernel::check::{Failure, Limits, check};
use maxmargin_kernel::claim::Region;
use maxmargin_kernel::network::{Activation, Layer, Network};
use maxmargin_kernel::number::{BigInt, Rational, ScaledVec};
use maxmargin_kernel::problem::{Data, Problem};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use std::path::{Path, PathBuf};

#[path = "verified/cases.rs"]
mod cases;
#[path = "second_checker/random.rs"]
mod random;

fn program() -> Option<PathBuf> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("proofs/_build/maxmargin-verified");
    match std::env::var_os("MAXMARGIN_VERIFIED") {
        Some(path) => {
            let path = PathBuf::from(path);
            assert!(path.is_file(), "MAXMARGIN_VERIFIED names no file: {}", path.display());
            Some(path)
        }
        None if built.is_file() => Some(built),
        None => {
            eprintln!("NOT CHECKED: no maxmargin-verified; build it with `make -C proofs`");
            None
        }
    }
}

fn certificates(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("certificates").join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let json = files.filter(|path| path.extension().is_some_and(|e| e == "json"));
    json.map(|path| (path.display().to_string(), std::fs::read_to_string(path).unwrap())).collect()
}

fn accepts(text: &str) -> bool {
    check(text.as_bytes(), None, Limits::default()).is_ok()
}

#[test]
fn every_certificate_of_the_repository_is_confirmed() {
    let Some(program) = program() else { return };
    let (mut accepted, mut files) = (0, 0);
    for (name, text) in ["small", "paper"].into_iter().flat_map(certificates) {
        if !accepts(&text) {
            continue;
        }
        let exported = export(text.as_bytes(), None).unwrap();
        let verified = run(&program, &exported).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(verified.accepted.len() + verified.not_covered.len(), exported.claims.len());
        accepted += verified.accepted.len();
        files += 1;
    }
    assert!(files >= 20 && accepted >= 15, "{accepted} claims of {files} files");
}

/// With one claim each, so that a refusal is about that claim.
fn single(text: &str) -> Vec<serde_json::Value> {
    let Ok(whole) = serde_json::from_str::<serde_json::Value>(text) else { return Vec::new() };
    let claims = whole["claims"].as_array().cloned().unwrap_or_default();
    let one = |claim| {
        let mut file = whole.clone();
        file["claims"] = serde_json::json!([claim]);
        file["end"] = 1.into();
        file
    };
    claims.into_iter().map(one).collect()
}

/// Whether both give the same verdict on a covered claim; `None` if it is not covered.
fn agree(program: &Path, file: &serde_json::Value) -> Option<bool> {
    let text = in_order(file);
    let exported: Export = export(text.as_bytes(), None).ok()?;
    if !exported.claims.iter().all(|(covered, _)| *covered) {
        return None;
    }
    let kernel = match check(text.as_bytes(), None, Limits::default()) {
        Ok(_) => true,
        Err(Failure::Rejected { .. }) => false,
        // Not about the proof: the file's form, digests, limits.
        Err(_) => return None,
    };
    let proved = match run(program, &exported) {
        Ok(_) => true,
        Err(Disagreement::Refused { .. }) => false,
        Err(other) => panic!("{other}\n{text}"),
    };
    // Within rounding of a quadratic leaf's matrix the kernel may refuse what the other accepts.
    if proved && !kernel && text.contains("\"quadratic\"") {
        return None;
    }
    assert_eq!(kernel, proved, "kernel {kernel}, proved checker {proved}:\n{text}");
    Some(kernel)
}

/// The text with the keys in the order of the format, which a JSON value does not keep.
fn in_order(file: &serde_json::Value) -> String {
    let object = |keys: &[&str], value: &serde_json::Value| {
        let present = keys.iter().filter(|k| !value[**k].is_null());
        let pairs: Vec<_> = present.map(|k| format!("\"{k}\":{}", value[*k])).collect();
        format!("{{{}}}", pairs.join(","))
    };
    let problem = object(&["network_digest", "data_digest", "network", "data"], &file["problem"]);
    let claims: Vec<_> = file["claims"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|entry| {
            let proof = object(
                &[
                    "rule",
                    "lambda",
                    "mu",
                    "germs",
                    "slopes",
                    "penalty",
                    "direction",
                    "moves",
                    "parameters",
                    "network",
                    "multipliers",
                    "covers",
                ],
                &entry["proof"],
            );
            format!("{{\"claim\":{},\"proof\":{proof}}}", entry["claim"])
        })
        .collect();
    format!(
        "{{\"format\":{},\"version\":{},\"problem\":{problem},\"claims\":[{}],\"end\":{}}}",
        file["format"],
        file["version"],
        claims.join(","),
        file["end"]
    )
}

#[test]
fn rejected_certificates_are_rejected_by_both() {
    let Some(program) = program() else { return };
    for (_, text) in certificates("rejected") {
        for file in single(&text) {
            agree(&program, &file);
        }
    }
}

/// Replaces one number at a time in the claim and its witness, by a few others; the first numbers of
/// each part only. Adds what both accept and what both refuse.
fn mutate(program: &Path, file: &serde_json::Value, first: usize, counts: &mut (usize, usize)) {
    let witness =
        ["moves", "parameters", "lambda", "mu", "germs", "slopes", "penalty", "direction"];
    let claim = ["lo", "hi", "delta", "epsilon", "bound"];
    let paths = witness.map(|key| format!("/claims/0/proof/{key}")).into_iter();
    for path in paths.chain(claim.map(|key| format!("/claims/0/claim/{key}"))) {
        let Some(part) = file.pointer(&path) else { continue };
        let whole = part.to_string();
        let pieces: Vec<&str> = whole.split('"').collect();
        // Numbers are strings: every second piece.
        for at in (1..pieces.len()).step_by(2).take(first) {
            for other in ["0", "1", "-1/2", "201/200", "2"] {
                let mut changed = pieces.clone();
                changed[at] = other;
                let mut mutated = file.clone();
                *mutated.pointer_mut(&path).unwrap() =
                    serde_json::from_str(&changed.join("\"")).unwrap();
                match agree(program, &mutated) {
                    Some(true) => counts.0 += 1,
                    Some(false) => counts.1 += 1,
                    None => {}
                }
            }
        }
    }
}

#[test]
fn mutated_witnesses_get_the_same_verdict() {
    let Some(program) = program() else { return };
    let mut counts = (0, 0);
    for (_, text) in ["small", "paper"].into_iter().flat_map(certificates) {
        for file in single(&text) {
            mutate(&program, &file, 8, &mut counts);
        }
    }
    let (good, bad) = counts;
    assert!(good > 5 && bad > 50, "{good} accepted, {bad} refused");
}

/// Certificates written for the purpose, as they are and mutated: all are covered.
#[test]
fn certificates_of_every_rule_get_the_same_verdict() {
    let Some(program) = program() else { return };
    let mut counts = (0, 0);
    for (file, good) in cases::certificates() {
        assert_eq!(agree(&program, &file), Some(good), "{}", in_order(&file));
        mutate(&program, &file, 8, &mut counts);
    }
    let (good, bad) = counts;
    assert!(good > 50 && bad > 100, "{good} accepted, {bad} refused");
}

/// Descent in every scope, one layer, several outputs: rules that no certificate of the repository uses.
#[test]
fn mutated_certificates_of_random_problems_get_the_same_verdict() {
    let Some(program) = program() else { return };
    let cases = std::env::var("VERIFIED_MUTATED").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let mut counts = (0, 0);
    for seed in 1..=cases {
        let Some((text, _)) = random::certificate(seed) else { continue };
        for file in single(&String::from_utf8(text).unwrap()) {
            mutate(&program, &file, 3, &mut counts);
        }
    }
    let (good, bad) = counts;
    println!("mutated: {good} accepted, {bad} refused");
    assert!(good > 50 && bad > 200, "{good} accepted, {bad} refused");
}

/// `VERIFIED_CASES=1000` asks for as many random problems.
#[test]
fn certificates_of_random_problems_are_confirmed() {
    let Some(program) = program() else { return };
    let cases = std::env::var("VERIFIED_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(40);
    let (mut accepted, mut not_covered) = (0, 0);
    for seed in 1..=cases {
        let Some((text, _)) = random::certificate(seed) else { continue };
        let exported = export(text.as_slice(), None).unwrap();
        let verified = run(&program, &exported)
            .unwrap_or_else(|e| panic!("{e}\n{}", String::from_utf8_lossy(&text)));
        accepted += verified.accepted.len();
        not_covered += verified.not_covered.len();
    }
    println!("{accepted} claims accepted, {not_covered} not covered");
    assert!(accepted > not_covered, "{accepted} claims accepted, {not_covered} not covered");
}

/// Changes one integer at a time of a cover: multipliers, cones, coefficients, range ends. Counts
/// what both accept and what both refuse.
fn mutate_covers(program: &Path, text: &str, places: usize) -> (usize, usize) {
    let (mut good, mut bad) = (0, 0);
    for file in single(text) {
        for key in ["lambda", "covers"] {
            let path = match key {
                "lambda" => "/claims/0/proof/multipliers/lambda",
                _ => "/claims/0/proof/covers",
            };
            let Some(witness) = file.pointer(path) else { continue };
            let whole = witness.to_string();
            let spans = integers(&whole);
            let step = spans.len().div_ceil(places).max(1);
            for (from, to) in spans.into_iter().step_by(step) {
                let value: i64 = whole[from..to].parse().unwrap();
                for other in [0, -value, value + 1, value - 1, 2 * value] {
                    let changed = format!("{}{other}{}", &whole[..from], &whole[to..]);
                    let mut mutated = file.clone();
                    *mutated.pointer_mut(path).unwrap() = serde_json::from_str(&changed).unwrap();
                    match agree(program, &mutated) {
                        Some(true) => good += 1,
                        Some(false) => bad += 1,
                        None => {}
                    }
                }
            }
        }
    }
    (good, bad)
}

#[test]
fn mutated_covers_get_the_same_verdict() {
    let Some(program) = program() else { return };
    let (mut good, mut bad) = (0, 0);
    for (_, text) in ["small", "paper"].into_iter().flat_map(certificates) {
        let counts = mutate_covers(&program, &text, 16);
        (good, bad) = (good + counts.0, bad + counts.1);
    }
    assert!(good > 50 && bad > 100, "{good} accepted, {bad} refused");
}

/// With quadratic leaves, of which the certificates of the repository have few.
#[test]
fn mutated_quadratic_leaves_get_the_same_verdict() {
    let Some(program) = program() else { return };
    let problem = dense_problem(6, 8, 40);
    let request = Request { brackets: vec![Region::AnyWidth], ..Request::default() };
    let text = certificate(&problem, &request);
    let leaves = text.matches("\"quadratic\"").count();
    assert!(leaves >= 2, "{leaves} quadratic leaves");
    let exported = export(text.as_bytes(), None).unwrap();
    run(&program, &exported).unwrap();
    let (good, bad) = mutate_covers(&program, &text, 200);
    assert!(good > 20 && bad > 20, "{good} accepted, {bad} refused");
}

/// Where the integers of a JSON text stand; numbers in strings are none.
fn integers(text: &str) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    let (mut start, mut quoted) = (None, false);
    for (at, c) in text.char_indices() {
        quoted ^= c == '"';
        let part = !quoted && (c == '-' || c.is_ascii_digit());
        match (start, part) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                spans.push((from, at));
                start = None;
            }
            _ => {}
        }
    }
    spans
}

/// A dense layer: weights of 40 bits, pixels in parts of 255, labels by the network.
fn dense_problem(inputs: usize, neurons: usize, samples: usize) -> Problem {
    let mut rng = Pcg64::seed_from_u64(784);
    let one = 1i64 << 40;
    let mut weight =
        |scale: i64| Rational::new(rng.random_range(-one / scale..one / scale).into(), one.into());
    let first: Vec<Rational> = (0..neurons * inputs).map(|_| weight(16)).collect();
    let second: Vec<Rational> = (0..neurons).map(|_| weight(1)).collect();
    let layers = vec![
        Layer::dense(1, neurons, inputs, ScaledVec::from_rationals(&first)).unwrap(),
        Layer::dense(2, 1, neurons, ScaledVec::from_rationals(&second)).unwrap(),
    ];
    let network = Network::new(Activation::relu(), layers).unwrap();
    let (mut xs, mut ys) = (Vec::new(), Vec::new());
    while xs.len() < samples {
        let pixel = |_| match rng.random_range(0..3) {
            0 => Rational::new(rng.random_range(1..256).into(), 255.into()),
            _ => Rational::from_integer(0.into()),
        };
        let x: Vec<Rational> = (0..inputs).map(pixel).collect();
        let x = ScaledVec::from_rationals(&x);
        for y in [-1, 1] {
            let alone = Data::new(vec![x.clone()], vec![y]).unwrap();
            if Problem::new(network.clone(), alone).is_ok_and(|p| p.gamma().is_ok()) {
                xs.push(x.clone());
                ys.push(y);
            }
        }
    }
    Problem::new(network, Data::new(xs, ys).unwrap()).unwrap()
}

fn certificate(problem: &Problem, request: &Request) -> String {
    let entries = certify(problem, request, &|_| ()).entries;
    let entry = ProblemEntry::new(problem, true);
    let text = serde_json::to_string(&Certificate::new(entry, entries)).unwrap();
    assert!(accepts(&text));
    text
}

#[test]
fn a_dense_layer_of_784_inputs_gets_the_same_verdict() {
    let Some(program) = program() else { return };
    let problem = dense_problem(784, 3, 12);
    let request =
        Request { brackets: vec![Region::Everywhere, Region::Cell], ..Request::default() };
    let text = certificate(&problem, &request);
    let exported = export(text.as_bytes(), None).unwrap();
    let verified = run(&program, &exported).unwrap();
    let bounds = verified.accepted.iter().filter(|claim| claim.starts_with("margin_at_")).count();
    assert!(bounds >= 4, "{:?}", verified.accepted);
    // Exactly its own margin is accepted, and no more.
    let (nu, _) = problem.normalised_margin().unwrap();
    let (mut good, mut bad) = (0, 0);
    for mut file in single(&text) {
        for above in [0, 1] {
            let parts = Rational::from_integer(BigInt::from(1) << 200);
            let bound = (&nu * &parts).floor() + Rational::from_integer(above.into());
            file["claims"][0]["claim"]["bound"] = (bound / parts).to_string().into();
            match agree(&program, &file) {
                Some(true) => good += 1,
                Some(false) => bad += 1,
                None => {}
            }
        }
    }
    assert!(good >= 2 && bad >= 4, "{good} accepted, {bad} refused");
}

/// Words are echoed, so they must be words; numbers too large for the shell are no verdict.
#[test]
fn what_is_no_text_is_not_read() {
    let Some(program) = program() else { return };
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("proofs/fixtures/deep_cell.txt"),
    )
    .unwrap();
    let head = text.split("claims").next().unwrap();
    for (claim, words) in [
        ("uncovered \u{1b}[2K ;", "not printable ASCII"),
        ("uncovered a\u{a0}ACCEPTED ;", "not printable ASCII"),
        ("uncovered a\u{b}b ;", "not printable ASCII"),
        ("kkt layer:2000000 terms 0", "too large"),
    ] {
        let text = format!("{head}claims 1\nclaim {claim}\nend\n");
        let answer = run(&program, &Export { text, claims: Vec::new() });
        let Err(Disagreement::Stopped(message)) = answer else { panic!("{claim:?}: {answer:?}") };
        assert!(message.contains(words), "{claim:?}: {message}");
    }
}
