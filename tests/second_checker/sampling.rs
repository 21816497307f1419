//! Verified claims against points found by chance, in exact arithmetic.
use maxmargin_kernel::check::Report;
use maxmargin_kernel::claim::{Claim, Region, Scope};
use maxmargin_kernel::network::Network;
use maxmargin_kernel::number::{BigInt, Rational, ScaledVec};
use maxmargin_kernel::problem::Problem;
use num_traits::Signed;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use std::cmp::Ordering;

/// Networks of θ's architecture that differ from it in the scope: `θ·keep + noise·2^-bits`.
fn moved(
    problem: &Problem,
    scope: Scope,
    keep: bool,
    bits: u32,
    rng: &mut Pcg64,
) -> Option<Problem> {
    let unit = Rational::new(1.into(), BigInt::from(1) << bits);
    let network = problem.network();
    let layers = network.layers().iter().enumerate().map(|(l, layer)| {
        let moves = scope == Scope::All || scope == Scope::Layer(l + 1);
        let entry = |u: Rational| {
            let noise = Rational::from_integer(BigInt::from(rng.random_range(-32i32..=32)));
            if keep { u + noise * &unit } else { noise * &unit }
        };
        let values = layer.parameters().to_rationals();
        let values: Vec<_> = if moves { values.into_iter().map(entry).collect() } else { values };
        layer.with_parameters(ScaledVec::from_rationals(&values))
    });
    let layers = layers.collect::<Option<Vec<_>>>()?;
    let network = Network::new(network.activation().clone(), layers).ok()?;
    Problem::new(network, problem.data().clone()).ok()
}

/// `γ|γ|/N` with the norm `N` of what moves: increases with the normalised margin of the scope.
fn score(problem: &Problem, scope: Scope) -> Option<Rational> {
    let gamma = problem.gamma().ok()?;
    let layers = problem.network().layers();
    let (norm, degree) = match scope {
        Scope::All => (problem.network().norm_squared(), layers.len()),
        Scope::Layer(l) => (layers.get(l - 1)?.parameters().norm_squared(), 1),
    };
    let power = (0..degree).fold(Rational::from_integer(1.into()), |p, _| p * &norm);
    norm.is_positive().then(|| gamma * gamma / power)
}

/// Panics if some sampled point refutes a verified claim.
pub fn assert_not_refuted(name: &str, problem: &Problem, report: &Report) {
    let mut rng = Pcg64::seed_from_u64(1);
    let parameters: usize = problem.network().layers().iter().map(|l| l.parameters().len()).sum();
    let samples = if parameters * problem.data().len() > 500 { 3 } else { 40 };
    for verified in &report.claims {
        let scope = verified.claim.scope();
        let here = score(problem, scope).unwrap();
        // Noise of 2^-80 is as near as it takes: numbers of mutants have some fifty bits.
        let (high, keep, bits) = match &verified.claim {
            Claim::MarginAtMost { bound, region, .. } => {
                let square = &bound.0 * &bound.0;
                assert!(here <= square, "{name}: a bound below the margin of θ");
                let whole = matches!(region, Region::Everywhere | Region::AnyWidth);
                if !whole {
                    continue;
                }
                (square, false, 3)
            }
            Claim::GlobalOptimum { .. } => (here, false, 3),
            Claim::LocalOptimum { .. } => (here, true, 80),
            _ => continue,
        };
        for n in 0..samples {
            // Global claims: far points and near ones.
            let near = keep || n % 2 == 1;
            let size = if keep { bits } else { 3 + 3 * (n as u32 % 5) };
            let Some(there) = moved(problem, scope, near, size, &mut rng) else { continue };
            let Some(found) = score(&there, scope) else { continue };
            assert_ne!(
                maxmargin_kernel::number::compare(&found, &high),
                Ordering::Greater,
                "{name}: {} is refuted by {:?}",
                verified.claim,
                there.network()
            );
        }
    }
}
