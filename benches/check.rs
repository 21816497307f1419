//! Checking the certificate of the digits example: at most 0.2 s, and as a multiple of parsing it.
//!
//! `cargo bench --bench check`
mod timing;

use maxmargin::certify::{Request, bytes, certify};
use maxmargin::import::load_problem;
use maxmargin_kernel::check::{Limits, check};
use maxmargin_kernel::claim::{Number, Region};
use maxmargin_kernel::number::Rational;
use std::hint::black_box;
use std::path::Path;
use timing::fastest;

/// Most seconds.
const LIMIT: f64 = 0.2;
/// Repetitions, of which the fastest counts.
const TIMES: usize = 10;

fn main() {
    let digits = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/digits");
    let (model, data) = (digits.join("digits01_m10.safetensors"), digits.join("digits01.data.npz"));
    let (problem, _) =
        load_problem(&model, &data, &Default::default(), &Default::default()).expect("an example");
    let fraction = |d: i64| Rational::new(1.into(), d.into());
    let near = Region::Near(Number(fraction(10_000)));
    let request = Request {
        brackets: vec![Region::Cell, near, Region::Everywhere],
        residual: Some((fraction(100), fraction(10_000))),
        residual_asked: true,
        gap: 1e-6,
        ..Request::default()
    };
    let outcome = certify(&problem, &request, &|_| ());
    let claims = outcome.entries.len();
    let (bytes, _) = bytes(&problem, outcome.entries, true).expect("the kernel accepts it");
    let parsing = fastest(TIMES, || {
        black_box(serde_json::from_slice::<serde_json::Value>(&bytes).expect("JSON"));
    });
    let embedded = fastest(TIMES, || {
        black_box(check(bytes.as_slice(), None, Limits::default()).expect("verifies"));
    });
    let given = fastest(TIMES, || {
        black_box(check(bytes.as_slice(), Some(&problem), Limits::default()).expect("verifies"));
    });
    println!("{claims} claims, {} kB", bytes.len() / 1000);
    println!("parsing                       {:8.2} ms", 1e3 * parsing);
    println!(
        "checking, problem embedded    {:8.2} ms = {:.1} × parsing",
        1e3 * embedded,
        embedded / parsing
    );
    println!(
        "checking, tied to files       {:8.2} ms = {:.1} × parsing",
        1e3 * given,
        given / parsing
    );
    assert!(embedded <= LIMIT && given <= LIMIT, "checking takes more than {LIMIT} s");
}
