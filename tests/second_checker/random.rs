//! Certificates of random small problems: all depths to 3, sharing, structural zeros, classes.
use maxmargin::budget::Budget;
use maxmargin::certify::{Request, certify};
use maxmargin::prove::decide::Question;
use maxmargin_kernel::certificate::{Certificate, ProblemEntry};
use maxmargin_kernel::check::{Limits, check};
use maxmargin_kernel::claim::{Number, Region, Scope};
use maxmargin_kernel::network::{Activation, Layer, Network};
use maxmargin_kernel::number::{Rational, ScaledVec};
use maxmargin_kernel::problem::{Data, Problem};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

fn ratio(n: i64, d: i64) -> Rational {
    Rational::new(n.into(), d.into())
}

/// A network of small numbers, many of them 0 or ±1.
fn network(rng: &mut Pcg64) -> Option<Network> {
    let depth = [2, 2, 2, 1, 3][rng.random_range(0..5)];
    let outputs = if rng.random_range(0..4) == 0 { rng.random_range(2..4) } else { 1 };
    let mut widths = vec![rng.random_range(1..4)];
    widths.extend((1..depth).map(|_| rng.random_range(1..4)));
    widths.push(outputs);
    let (shares, zeros) = (rng.random_range(0..5) == 0, rng.random_range(0..3) == 0);
    let halves = rng.random_bool(0.5);
    let mut layers = Vec::new();
    for (l, pair) in widths.windows(2).enumerate() {
        let mut count = 0;
        let mut entry = |rng: &mut Pcg64| {
            if zeros && rng.random_range(0..4) == 0 {
                return None;
            }
            if shares && count > 0 && rng.random_bool(0.4) {
                return Some(rng.random_range(0..count));
            }
            count += 1;
            Some(count - 1)
        };
        let rows: Vec<Vec<_>> =
            (0..pair[1]).map(|_| (0..pair[0]).map(|_| entry(rng)).collect()).collect();
        let number = |rng: &mut Pcg64| match halves {
            true => ratio(rng.random_range(-4..=4), 2),
            false => ratio(rng.random_range(-1..=1), 1),
        };
        let values: Vec<_> = (0..count).map(|_| number(rng)).collect();
        layers.push(Layer::new(l + 1, &rows, &values).ok()?);
    }
    let slope =
        [ratio(0, 1), ratio(0, 1), ratio(1, 2), ratio(1, 1)][rng.random_range(0..4)].clone();
    Network::new(Activation::leaky(slope).ok()?, layers).ok()
}

/// A network with samples that it classifies.
fn problem(rng: &mut Pcg64) -> Option<Problem> {
    let network = network(rng)?;
    let (inputs, outputs) = (network.inputs(), network.outputs());
    let mut kept = (Vec::new(), Vec::new());
    for _ in 0..rng.random_range(1..5) {
        let x: Vec<_> = (0..inputs).map(|_| ratio(rng.random_range(-2..=2), 1)).collect();
        let x = ScaledVec::from_rationals(&x);
        let labels: Vec<i64> =
            if outputs == 1 { vec![-1, 1] } else { (0..outputs as i64).collect() };
        for y in labels {
            let one = Data::new(vec![x.clone()], vec![y]).ok()?;
            if Problem::new(network.clone(), one).is_ok_and(|p| p.gamma().is_ok()) {
                kept.0.push(x.clone());
                kept.1.push(y);
            }
        }
    }
    Problem::new(network, Data::new(kept.0, kept.1).ok()?).ok()
}

/// The certificate of the problem with this seed and the rules in it, if there is one.
pub fn certificate(seed: u64) -> Option<(Vec<u8>, Vec<&'static str>)> {
    let mut rng = Pcg64::seed_from_u64(seed);
    let problem = problem(&mut rng)?;
    let network = problem.network();
    let two = network.depth() == 2 && !network.has_sharing();
    let near = |n, d| Region::Near(Number(ratio(n, d)));
    let mut brackets = vec![Region::Everywhere];
    if two && network.outputs() == 1 {
        brackets.extend([Region::Cell, near(0, 1), near(1, 4), Region::AnyWidth]);
    }
    let mut scopes = vec![Scope::All];
    scopes.extend((1..=network.depth()).map(Scope::Layer));
    let request = Request {
        brackets,
        decide: Question::ALL.to_vec(),
        scopes,
        residual: two.then(|| (ratio(1, 10), ratio(1, 100))),
        gap: 1e-6,
        budget: Budget::default(),
        ..Request::default()
    };
    let outcome = certify(&problem, &request, &|_| ());
    let entries = outcome.entries;
    if entries.is_empty() {
        return None;
    }
    let text = serde_json::to_string(&Certificate::new(ProblemEntry::new(&problem, true), entries));
    let text = text.unwrap().into_bytes();
    let report = check(text.as_slice(), Some(&problem), Limits::default()).unwrap();
    Some((text, report.claims.iter().map(|claim| claim.rule).collect()))
}
