//! Search for a better point of the same architecture, in scope: a proof that θ is not a global
//! optimum.
use super::setting::Setting;
use crate::budget::Budget;
use crate::numeric::two_layer::{View, to_f64};
use crate::prove::{exact, global};
use maxmargin_kernel::certificate::{Entry, Proof};
use maxmargin_kernel::claim::{Claim, Number, Scope};
use maxmargin_kernel::network::Network;
use maxmargin_kernel::number::{Rational, ScaledVec};
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::point::Point;
use num_traits::One;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

/// Random starts of the climb.
const STARTS: usize = 60;
/// Trials per climb.
const TRIALS: usize = 400;

/// From a curve of better points, from the best network of any width, or by climbing from random
/// points.
pub fn search(setting: &Setting, local: Option<&Entry>, budget: &Budget) -> Option<Entry> {
    local
        .and_then(|entry| on_curve(setting, entry))
        .or_else(|| best_of_any_width(setting, budget))
        .or_else(|| climb(setting, budget))
}

/// The claim with this point, if the kernel accepts it.
fn entry(setting: &Setting, variables: &[Rational]) -> Option<Entry> {
    let moved = setting.by_layers(variables);
    let layers = setting.problem.network().layers();
    let list = |(l, layer): (usize, &maxmargin_kernel::network::Layer)| {
        let values = match setting.moving.contains(&l) {
            true => moved[l].clone(),
            false => layer.parameters().to_rationals(),
        };
        values.into_iter().map(Number).collect()
    };
    let parameters = layers.iter().enumerate().map(list).collect();
    let proof = Point { parameters: Some(parameters), network: None };
    let claim = Claim::NotGlobalOptimum { scope: setting.scope };
    proof.check(setting.problem, &claim).ok()?;
    Some(Entry { claim, proof: Proof::Point(proof) })
}

/// A point of the curve at the largest power of two that works.
fn on_curve(setting: &Setting, local: &Entry) -> Option<Entry> {
    let Proof::Curve(curve) = &local.proof else { return None };
    let mut epsilon = Rational::one();
    for _ in 0..40 {
        let mut variables = setting.theta.clone();
        let mut offset = 0;
        for (l, moves) in curve.moves.iter().enumerate() {
            if !setting.moving.contains(&l) {
                continue;
            }
            for (i, coefficients) in moves {
                let mut power = Rational::one();
                for c in coefficients {
                    power *= &epsilon;
                    variables[offset + i] += &power * &c.0;
                }
            }
            offset += setting.problem.network().layers()[l].parameters().len();
        }
        if let Some(found) = entry(setting, &variables) {
            return Some(found);
        }
        epsilon /= Rational::from_integer(2.into());
    }
    None
}

fn best_of_any_width(setting: &Setting, budget: &Budget) -> Option<Entry> {
    if setting.scope != Scope::All {
        return None;
    }
    let view = View::new(setting.problem)?;
    let options = global::Options { starts: 60, budget: budget.clone(), ..Default::default() };
    let found = global::search(&view, &view.seeds(), &options, |_| ());
    let network = global::in_architecture(setting.problem, &view, &found)?;
    simplest(setting, &parameters(&network))
}

fn parameters(network: &Network) -> Vec<f64> {
    network
        .layers()
        .iter()
        .flat_map(|l| crate::numeric::two_layer::to_f64s(l.parameters()))
        .collect()
}

/// The coarsest rounding that is still better than θ.
fn simplest(setting: &Setting, variables: &[f64]) -> Option<Entry> {
    let largest = variables.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    let coarse = [1.0, 2.0, 4.0, 8.0, 64.0, 1024.0];
    let rounded = |grid: f64| -> Vec<Rational> {
        variables.iter().map(|v| exact((v / largest * grid).round() / grid)).collect()
    };
    let whole: Vec<Rational> = variables.iter().map(|v| exact(*v)).collect();
    coarse.into_iter().map(rounded).chain([whole]).find_map(|v| entry(setting, &v))
}

/// Climbs the normalised margin of the scope from random points by random steps.
fn climb(setting: &Setting, budget: &Budget) -> Option<Entry> {
    let mut rng = Pcg64::seed_from_u64(5);
    let n = setting.theta.len();
    let theta: Vec<f64> = setting.theta.iter().map(to_f64).collect();
    let here = value(setting, &theta)?;
    for start in 0..STARTS {
        if budget.expired() {
            return None;
        }
        let mut best: Vec<f64> = match start {
            0 => theta.clone(),
            _ => (0..n).map(|_| rng.random_range(-1.0..1.0)).collect(),
        };
        let mut top = value(setting, &best).unwrap_or(f64::NEG_INFINITY);
        let mut step = 0.5;
        for _ in 0..TRIALS {
            let trial: Vec<f64> =
                best.iter().map(|v| v + step * rng.random_range(-1.0f64..1.0).powi(3)).collect();
            match value(setting, &trial) {
                Some(v) if v > top => {
                    (best, top) = (trial, v);
                    step *= 1.3;
                }
                _ => step = (step * 0.97f64).max(1e-4),
            }
        }
        if top > here * (1.0 + 1e-9)
            && let Some(found) = simplest(setting, &best)
        {
            return Some(found);
        }
    }
    None
}

/// `γ/|u|^degree` of these variables, in floats; `None` for the zero vector.
fn value(setting: &Setting, variables: &[f64]) -> Option<f64> {
    let size = crate::numeric::two_layer::length(variables);
    if size == 0.0 {
        return None;
    }
    let exact: Vec<Rational> = variables.iter().map(|v| exact(*v)).collect();
    let network = with_variables(setting, &exact)?;
    let problem = Problem::new(network, setting.problem.data().clone()).ok()?;
    let margins = problem.margins().values().iter().map(to_f64);
    let margin = margins.fold(f64::INFINITY, f64::min);
    let degree = i32::try_from(setting.moving.len()).ok()?;
    Some(margin / size.powi(degree))
}

/// The network with these variables in scope.
fn with_variables(setting: &Setting, variables: &[Rational]) -> Option<Network> {
    let moved = setting.by_layers(variables);
    let layers = setting.problem.network().layers();
    let one = |(l, layer): (usize, &maxmargin_kernel::network::Layer)| match setting
        .moving
        .contains(&l)
    {
        true => layer.with_parameters(ScaledVec::from_rationals(&moved[l])),
        false => Some(layer.clone()),
    };
    let layers = layers.iter().enumerate().map(one).collect::<Option<Vec<_>>>()?;
    Network::new(setting.problem.activation().clone(), layers).ok()
}
