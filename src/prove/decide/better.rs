//! Search for a better point of the same architecture, in scope: a proof that θ is not a global
//! optimum.
use super::setting::Setting;
use crate::budget::Budget;
use crate::numeric::two_layer::{View, dot, length, to_f64, to_f64s};
use crate::polish::{self, polish};
use crate::prove::{exact, global};
use maxmargin_kernel::certificate::{Entry, Proof};
use maxmargin_kernel::claim::{Claim, Number, Scope};
use maxmargin_kernel::network::Network;
use maxmargin_kernel::number::{BigInt, Rational, ScaledVec};
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::point::Point;
use num_traits::One;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

/// Random starts of the climb.
const STARTS: usize = 60;
/// Trials per climb.
const TRIALS: usize = 400;
/// Seconds of the climb where the user sets no limit.
const CLIMB: f64 = 2.0;
/// Relative gain below which a point is not tried in exact numbers.
const GAIN: f64 = 1e-9;

/// From a curve of better points, from the best network of any width, or by climbing from random
/// points.
pub fn search(setting: &Setting, local: Option<&Entry>, budget: &Budget) -> Option<Entry> {
    local
        .and_then(|entry| on_curve(setting, entry))
        .or_else(|| best_of_any_width(setting, budget))
        .or_else(|| climb(setting, &budget.or_seconds(CLIMB)))
}

/// From a point that should be better, such as a combination that excludes every bound: itself, the
/// best point of its cells, or what a short climb reaches.
pub fn near(setting: &Setting, start: &[f64], budget: &Budget) -> Option<Entry> {
    let floats = Floats::new(setting);
    let theta: Vec<f64> = setting.theta.iter().map(to_f64).collect();
    let here = floats.value(&theta)?;
    let mut rng = Pcg64::seed_from_u64(6);
    let up = floats.climb(start.to_vec(), &mut rng);
    [start.to_vec(), up]
        .into_iter()
        .find_map(|point| attempt(setting, &floats, point, here, budget))
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

/// A point of the curve at the largest power of two that works. Some small ε does; the coefficients of
/// a curve through a nearly optimal point can be huge.
fn on_curve(setting: &Setting, local: &Entry) -> Option<Entry> {
    let Proof::Curve(curve) = &local.proof else { return None };
    let halvings = (0..40).chain((40..=1000).step_by(40));
    for epsilon in halvings.map(|k: usize| Rational::new(BigInt::one(), BigInt::one() << k)) {
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
    }
    None
}

fn best_of_any_width(setting: &Setting, budget: &Budget) -> Option<Entry> {
    if setting.scope != Scope::All {
        return None;
    }
    let view = View::new(setting.problem)?;
    let options = global::Options { starts: 60, budget: budget.clone(), ..Default::default() };
    let found = global::search(&view, &view.seeds(), &options, &|_| ());
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
    let floats = Floats::new(setting);
    let theta: Vec<f64> = setting.theta.iter().map(to_f64).collect();
    let here = floats.value(&theta)?;
    for start in 0..STARTS {
        if budget.expired() {
            return None;
        }
        let first = match start {
            0 => theta.clone(),
            _ => theta.iter().map(|_| rng.random_range(-1.0..1.0)).collect(),
        };
        let best = floats.climb(first, &mut rng);
        if let Some(found) = attempt(setting, &floats, best, here, budget) {
            return Some(found);
        }
    }
    None
}

/// The claim with this point, or with the best point of its activation cells and those that adjoin.
fn attempt(
    setting: &Setting,
    floats: &Floats,
    point: Vec<f64>,
    here: f64,
    budget: &Budget,
) -> Option<Entry> {
    let is_better = |point: &[f64]| floats.value(point).is_some_and(|v| v > here * (1.0 + GAIN));
    if is_better(&point)
        && let Some(found) = simplest(setting, &point)
    {
        return Some(found);
    }
    let best = polished(setting, &point, budget).filter(|p| is_better(p))?;
    simplest(setting, &best)
}

/// The best point reachable from a network of depth 2 that classifies its data.
fn polished(setting: &Setting, point: &[f64], budget: &Budget) -> Option<Vec<f64>> {
    if setting.scope != Scope::All || setting.problem.network().depth() != 2 {
        return None;
    }
    let exact: Vec<Rational> = point.iter().map(|v| exact(*v)).collect();
    let network = with_variables(setting, &exact)?;
    let problem = Problem::new(network, setting.problem.data().clone()).ok()?;
    problem.gamma().ok()?;
    let view = View::new(&problem)?;
    let options = polish::Options { jump: false, rounds: 20, budget: budget.clone() };
    polish(&problem, &view, &options).map(|better| parameters(&better.network))
}

/// The network and its constraints in floats.
struct Floats {
    layers: Vec<FloatLayer>,
    x: Vec<Vec<f64>>,
    /// Sample and covector.
    constraints: Vec<(usize, Vec<f64>)>,
    alpha: f64,
    degree: i32,
}

/// One layer of it.
struct FloatLayer {
    /// `(row, column, coordinate)`.
    entries: Vec<(usize, usize, usize)>,
    rows: usize,
    /// The parameters where they do not vary.
    fixed: Option<Vec<f64>>,
}

impl Floats {
    fn new(setting: &Setting) -> Self {
        let problem = setting.problem;
        let one = |(l, layer): (usize, &maxmargin_kernel::network::Layer)| {
            let all = (0..layer.rows()).flat_map(|r| (0..layer.cols()).map(move |c| (r, c)));
            let entries = all.filter_map(|(r, c)| Some((r, c, layer.coordinate(r, c)?))).collect();
            let fixed = (!setting.moving.contains(&l)).then(|| to_f64s(layer.parameters()));
            FloatLayer { entries, rows: layer.rows(), fixed }
        };
        let outputs = problem.network().outputs();
        let covector = |c: &maxmargin_kernel::problem::Constraint| {
            (c.sample, c.covector(outputs).iter().map(to_f64).collect())
        };
        Self {
            layers: problem.network().layers().iter().enumerate().map(one).collect(),
            x: problem.data().samples().iter().map(to_f64s).collect(),
            constraints: problem.margins().constraints().iter().map(covector).collect(),
            alpha: to_f64(&setting.alpha),
            degree: i32::try_from(setting.moving.len()).unwrap_or(i32::MAX),
        }
    }

    fn outputs(&self, variables: &[f64], x: &[f64]) -> Vec<f64> {
        let mut rest = variables;
        let mut a = x.to_vec();
        for (l, FloatLayer { entries, rows, fixed }) in self.layers.iter().enumerate() {
            let parameters = fixed.as_deref().unwrap_or(rest);
            let mut z = vec![0.0; *rows];
            let mut used = 0;
            for (r, c, i) in entries {
                z[*r] += parameters[*i] * a[*c];
                used = used.max(i + 1);
            }
            if fixed.is_none() {
                rest = &rest[used..];
            }
            if l + 1 < self.layers.len() {
                z.iter_mut().filter(|z| **z < 0.0).for_each(|z| *z *= self.alpha);
            }
            a = z;
        }
        a
    }

    /// `γ/|u|^degree` of these variables; `None` for the zero vector.
    fn value(&self, variables: &[f64]) -> Option<f64> {
        let size = length(variables);
        if size == 0.0 {
            return None;
        }
        let outputs: Vec<Vec<f64>> = self.x.iter().map(|x| self.outputs(variables, x)).collect();
        let margins = self.constraints.iter().map(|(i, c)| dot(c, &outputs[*i]));
        Some(margins.fold(f64::INFINITY, f64::min) / size.powi(self.degree))
    }

    /// Random steps uphill.
    fn climb(&self, mut best: Vec<f64>, rng: &mut Pcg64) -> Vec<f64> {
        let mut top = self.value(&best).unwrap_or(f64::NEG_INFINITY);
        let mut step = 0.5;
        for _ in 0..TRIALS {
            let trial: Vec<f64> =
                best.iter().map(|v| v + step * rng.random_range(-1.0f64..1.0).powi(3)).collect();
            match self.value(&trial) {
                Some(v) if v > top => {
                    (best, top) = (trial, v);
                    step *= 1.3;
                }
                _ => step = (step * 0.97f64).max(1e-4),
            }
        }
        best
    }
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
