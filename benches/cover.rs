//! One question of the global bound alone: for given multipliers λ and T, is `s·g(w) ≤ T|w|` for all w and
//! both signs (rule 3.7)? Digits 0 against 1, with the λ and T that `solve` ends with: search of the
//! covers, and their exact check, at most 20 ms together; beside it one local ascent in floats from as
//! many starts as there are nodes, which proves nothing.
//!
//! `cargo bench --bench cover`
mod timing;

use maxmargin::budget::Budget;
use maxmargin::import::load_data;
use maxmargin::numeric::two_layer::{View, to_f64};
use maxmargin::prove::cover::{self, Effort};
use maxmargin::prove::global::{Covers, Ran};
use maxmargin::solve::{Request, solve};
use maxmargin_kernel::certificate::Proof;
use maxmargin_kernel::claim::{Claim, Region, Scope};
use maxmargin_kernel::network::Activation;
use std::hint::black_box;
use std::path::Path;
use timing::fastest;

/// Most seconds for search and check.
const LIMIT: f64 = 0.02;
/// Repetitions, of which the fastest counts.
const TIMES: usize = 10;

fn main() {
    let digits = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/digits/digits01.data.npz");
    let data = load_data(&digits, &Default::default()).expect("an example").data;
    let request = Request {
        activation: Activation::relu(),
        gap: 1e-6,
        threads: 1,
        budget: Budget::default(),
        checkpoint: None,
        workers: None,
    };
    let solved = solve(&data, &request, &|_| ()).expect("it can be solved");
    let mut proofs = solved.entries.iter().filter_map(|entry| match &entry.proof {
        Proof::DualBound(proof) => Some(proof),
        _ => None,
    });
    let proof = proofs.next().expect("a bound was proved");
    // The certificate's λ and T; the view divides samples by their scale.
    let view = View::of_data(solved.problem.data(), 0.0);
    let multipliers = &proof.multipliers;
    let mut lambda = vec![0.0; view.len()];
    let unit = to_f64(&multipliers.units.a.0);
    multipliers.lambda.iter().for_each(|(i, l)| lambda[*i] = *l as f64 * unit / view.scale);
    let sum: f64 = lambda.iter().sum::<f64>() * view.scale;
    let t = sum / solved.lower;

    let options = cover::Options { parallel: false, ..Default::default() };
    let (mut nodes, mut found) = (0, None);
    let searching = fastest(TIMES, || {
        let mut covers = Covers::new(&view, &lambda, t).expect("multipliers");
        nodes = 0;
        assert_eq!(covers.run(&view, &options, &mut nodes), Ran::Closed);
        found = covers.certified(&view, 0.0);
    });
    let (_, bound, again) = found.expect("closed covers give a bound");
    let claim = Claim::MarginAtMost { scope: Scope::All, region: Region::AnyWidth, bound };
    let checking = fastest(TIMES, || {
        black_box(again.check(&solved.problem, &claim)).expect("the kernel accepts it");
    });
    let covers = Covers::new(&view, &lambda, t).expect("multipliers");
    let floats = fastest(TIMES, || {
        for sign in [1, -1] {
            let (instance, _) = covers.instance(&view, sign);
            let starts: Vec<Vec<f64>> =
                instance.x.iter().cycle().take(nodes as usize / 2 + 1).cloned().collect();
            let effort = Effort { parallel: false, stop: &|| false };
            black_box(cover::local_maximise(&instance, &starts, effort));
        }
    });
    let used = multipliers.lambda.len();
    println!("{used} samples with λ > 0, T = {t:.9}, {nodes} nodes for both signs");
    println!("search of both covers         {:8.2} ms", 1e3 * searching);
    println!("exact check                   {:8.2} ms", 1e3 * checking);
    let ratio = (searching + checking) / floats;
    println!(
        "local ascent, no proof        {:8.2} ms: the proof takes {ratio:.1} times",
        1e3 * floats
    );
    assert!(searching + checking <= LIMIT, "search and check take more than {LIMIT} s");
}
