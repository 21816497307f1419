//! Search for rule 3.7 in a region around θ: multipliers, covers, and a better network.
use super::cover::{self, FloatUnits, Instance, Outcome};
use super::point::{balanced, push_inside};
use super::region::{RegionOptimum, RegionProgram};
use super::{exact, round_up};
use crate::budget::Budget;
use crate::certify::Request;
use crate::numeric::two_layer::{View, length, to_f64};
use maxmargin_kernel::certificate::{Entry, Proof};
use maxmargin_kernel::claim::{Claim, Region, Scope};
use maxmargin_kernel::network::Network;
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::dual_bound::{Cone, Cover, DualBound, Multipliers};
use num_traits::ToPrimitive;
use std::time::Instant;

/// Room for rounding that is tried, relative.
const SAFETIES: [f64; 8] = [1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8];
/// Coordinates below this part of the length may be meant to be 0.
const SNAP: f64 = 1e-6;

/// Most times pieces are added.
const ROUNDS: usize = 40;
/// Pieces with less of the cost than this are not used.
const USED: f64 = 1e-9;

/// What the search found.
#[derive(Default)]
pub struct Found {
    /// `margin_at_most` with its proof and number of nodes.
    pub upper: Option<(Entry, usize)>,
    /// A network in the region with a larger normalised margin.
    pub better: Option<Network>,
    /// Whether a limit ended the search.
    pub limit: bool,
}

/// Part of the time for the convex programs; the rest is for the covers.
const SHARE: f64 = 0.6;

/// Brackets the best normalised margin in `cell` or `near δ`.
pub fn prove(problem: &Problem, view: &View, region: &Region, request: &Request) -> Found {
    let mut found = Found::default();
    let left = |at: Instant| at.saturating_duration_since(Instant::now());
    let until = |at: Instant| Instant::now() + left(at).mul_f64(SHARE);
    let programs = Budget {
        deadline: request.budget.deadline.map(until),
        cancel: request.budget.cancel.clone(),
    };
    let Some(mut program) = RegionProgram::new(problem, view, region, 1e-11) else { return found };
    let mut best_lower = 1.0;
    for _ in 0..ROUNDS {
        if request.budget.expired() {
            found.limit = true;
            break;
        }
        let Some(optimum) = program.optimise(&programs) else {
            found.limit |= programs.expired();
            break;
        };
        found.limit |= optimum.limited;
        // A network of this width takes one side per neuron.
        let used = |size| size > USED * optimum.value;
        let narrow = program.one_piece_each(&optimum.u, used).and_then(|mut narrow| {
            let optimum = narrow.optimise(&programs)?;
            improved(problem, view, &narrow, &optimum)
        });
        // A program that is missing samples has a better cost than any network.
        let better = match optimum.limited {
            true => None,
            false => narrow.or_else(|| improved(problem, view, &program, &optimum)),
        };
        if let Some((network, ratio)) = better
            && ratio > best_lower
        {
            best_lower = ratio;
            found.better = Some(network);
        }
        let attempt = covers(problem, view, region, &program, &optimum, request);
        found.limit |= attempt.limit;
        if let Some((entry, nodes)) = attempt.entry
            && found.upper.as_ref().is_none_or(|(old, _)| value(&entry) < value(old))
        {
            found.upper = Some((entry, nodes));
        }
        let good_enough = |(entry, _): &(Entry, usize)| {
            let nu = problem.normalised_margin().map_or(f64::NAN, |(low, _)| to_f64(&low));
            value(entry) <= nu * best_lower * (1.0 + request.gap)
        };
        if found.upper.as_ref().is_some_and(good_enough) {
            break;
        }
        if optimum.limited {
            break;
        }
        let mut added = false;
        for (j, sign, w) in attempt.violators {
            added |= program.add_piece(j, sign, &w);
        }
        if !added {
            break;
        }
    }
    found
}

/// The bound of an upper bound.
fn value(entry: &Entry) -> f64 {
    match &entry.claim {
        Claim::MarginAtMost { bound, .. } => bound.to_f64(),
        _ => f64::INFINITY,
    }
}

/// The vector with what is next to nothing of it taken for 0.
fn snapped(u: &[f64]) -> Vec<f64> {
    let least = SNAP * length(u);
    u.iter().map(|e| if e.abs() < least { 0.0 } else { *e }).collect()
}

/// The solution as a network of this width inside the region, with its ν as a multiple of θ's.
fn improved(
    problem: &Problem,
    view: &View,
    program: &RegionProgram<'_>,
    optimum: &RegionOptimum,
) -> Option<(Network, f64)> {
    let units = view.units.len();
    let mut u = vec![vec![0.0; view.x.first()?.len()]; units];
    let mut signs: Vec<f64> =
        view.units.iter().map(|u| if u.v < 0.0 { -1.0 } else { 1.0 }).collect();
    for ((piece, &j), value) in program.pieces.iter().zip(&program.owner).zip(&optimum.u) {
        let used = length(value) > USED * optimum.value;
        if !used {
            continue;
        }
        if length(&u[j]) > 0.0 {
            return None; // two sides of one neuron: not a network of this width
        }
        u[j].clone_from(value);
        signs[j] = piece.sign;
    }
    let mut best = None;
    let pushed = |safety: &f64| {
        let mut inside = u.clone();
        push_inside(view, &mut inside, |j, i| program.fixed[j][i], *safety);
        inside
    };
    // Signs fixed on both sides leave no room to be pushed into: `w·x = 0` for samples along an axis is
    // a coordinate that is exactly 0.
    let exact = |safety| {
        let inside = pushed(safety);
        let snapped: Vec<Vec<f64>> = inside.iter().map(|u| snapped(u)).collect();
        (snapped != inside).then_some(snapped)
    };
    for inside in SAFETIES.iter().map(pushed).chain(SAFETIES.iter().filter_map(exact)) {
        let network = balanced(problem, view, &signs, &inside)?;
        let there = Problem::new(network.clone(), problem.data().clone()).ok()?;
        if !super::point::better(&there, problem) {
            continue;
        }
        let ratio = |p: &Problem| p.normalised_margin().and_then(|(low, _)| low.to_f64());
        let entry = super::point::prove(problem, Some(&network), program.region.clone());
        if entry.is_some() {
            best = Some((network, ratio(&there)? / ratio(problem)?));
            break;
        }
    }
    best
}

/// One attempt at covering all cones with the multipliers of `optimum`.
struct Attempt {
    entry: Option<(Entry, usize)>,
    /// `(unit, sign, w)` beyond the bound.
    violators: Vec<(usize, f64, Vec<f64>)>,
    limit: bool,
}

/// A cone to cover, and the unit it came from.
struct Job {
    unit: usize,
    cone: Cone,
    /// Sample, `b` in scaled units, sign, per item.
    items: Vec<(usize, f64, Option<bool>)>,
}

fn covers(
    problem: &Problem,
    view: &View,
    region: &Region,
    program: &RegionProgram<'_>,
    optimum: &RegionOptimum,
    request: &Request,
) -> Attempt {
    let mut attempt = Attempt { entry: None, violators: Vec::new(), limit: false };
    // λ on the grid. Bounds are for the samples as they are: λ = scale·λ̂, unit_a = scale·unit_â
    // would not be a power of two, so the grid is chosen for the samples as they are.
    let units = FloatUnits::choose(1.0 / view.scale, 1.0);
    let largest = optimum.lambda.iter().fold(0.0f64, |m, l| m.max(*l));
    let grid = |l: f64| (l * view.scale / units.unit_a()).round();
    let keep = |l: f64| l > 1e-9 * largest && grid(l) >= 1.0 && grid(l) < 9e18;
    let lambda: Vec<(usize, i64)> = (0..view.len())
        .filter(|&i| keep(optimum.lambda[i]))
        .map(|i| (i, grid(optimum.lambda[i]) as i64))
        .collect();
    if lambda.is_empty() {
        return attempt;
    }
    let sum: f64 = lambda.iter().map(|(_, l)| *l as f64 * units.unit_a()).sum();
    let jobs = jobs(view, program, &lambda, units);
    let mut t = 1.0 + 1e-11;
    let mut trees: Vec<Option<maxmargin_kernel::proof::tree::Tree>> = vec![None; jobs.len()];
    'raise: for _ in 0..60 {
        for (job, tree) in jobs.iter().zip(&mut trees) {
            if tree.is_some() {
                continue;
            }
            let instance = instance(view, job);
            let options = cover::Options {
                deadline: request.budget.deadline,
                cancel: Some(&request.budget.cancel),
                parallel: request.threads > 1,
                ..Default::default()
            };
            match cover::search(&instance, t, units, &options) {
                Outcome::Closed { nodes, .. } => *tree = Some(nodes),
                Outcome::Violated { violators, .. } => {
                    let value = violators.iter().map(|v| v.value).fold(0.0, f64::max);
                    let sign = f64::from(job.cone.sign);
                    attempt.violators.extend(violators.into_iter().map(|v| (job.unit, sign, v.w)));
                    t = (value * (1.0 + 1e-11)).max(t * (1.0 + 1e-12));
                    continue 'raise;
                }
                Outcome::Limit { .. } => {
                    if request.budget.expired() {
                        attempt.limit = true;
                        return attempt;
                    }
                    t *= 1.0 + 1e-9;
                    continue 'raise;
                }
            }
        }
        break;
    }
    let Some(trees) = trees.into_iter().collect::<Option<Vec<_>>>() else { return attempt };
    let bound = round_up(&exact(t / (2.0 * sum) * (1.0 + 1e-14)), 50);
    let claim = Claim::MarginAtMost { scope: Scope::All, region: region.clone(), bound };
    let covers = jobs.into_iter().zip(trees).map(|(job, nodes)| Cover { cone: job.cone, nodes });
    let multipliers = Multipliers { units: units.to_kernel(), lambda };
    let proof = DualBound { multipliers, covers: covers.collect() };
    if let Ok(nodes) = proof.check(problem, &claim) {
        attempt.entry = Some((Entry { claim, proof: Proof::DualBound(proof) }, nodes));
    }
    attempt
}

/// The cones of all pieces' units, without repetition.
fn jobs(
    view: &View,
    program: &RegionProgram<'_>,
    lambda: &[(usize, i64)],
    units: FloatUnits,
) -> Vec<Job> {
    let mut list: Vec<Job> = Vec::new();
    for (piece, &j) in program.pieces.iter().zip(&program.owner) {
        let unit = &view.units[j];
        let side = |i: usize| crate::numeric::two_layer::dot(&unit.w, &view.x[i]) > 0.0;
        let sign: i8 = if piece.sign > 0.0 { 1 } else { -1 };
        let rows = program.pieces.iter().zip(&program.owner).filter(|(_, o)| **o == j);
        let mut fixed: Vec<usize> =
            lambda.iter().map(|l| l.0).filter(|i| program.fixed[j][*i]).collect();
        fixed.extend(rows.flat_map(|(p, _)| p.rows.iter().map(|r| r.0)));
        fixed.sort_unstable();
        fixed.dedup();
        let full = unit.support.iter().all(|s| *s);
        let columns = || (0..unit.support.len()).filter(|c| unit.support[*c]).collect();
        let cone = Cone {
            sign,
            inputs: (!full).then(columns),
            fixed: fixed.iter().map(|&i| (i, if side(i) { 1 } else { -1 })).collect(),
        };
        if list.iter().any(|job| job.cone == cone) {
            continue;
        }
        let merged = maxmargin_kernel::proof::dual_bound::merge(lambda, &cone.fixed);
        let item = |(i, l, tau): (usize, i64, Option<i8>)| {
            let b = piece.sign * view.y[i] * l as f64 * units.unit_a();
            (i, b, tau.map(|t| t > 0))
        };
        list.push(Job { unit: j, cone, items: merged.into_iter().map(item).collect() });
    }
    list
}

/// The cover instance of a job, for the samples as they are.
fn instance(view: &View, job: &Job) -> Instance {
    let raw = |i: usize| -> Vec<f64> {
        let support = &view.units[job.unit].support;
        let x = view.x[i].iter().zip(support);
        x.map(|(x, s)| if *s { x / view.scale } else { 0.0 }).collect()
    };
    Instance {
        x: job.items.iter().map(|item| raw(item.0)).collect(),
        b: job.items.iter().map(|item| item.1).collect(),
        fixed: job.items.iter().map(|item| item.2).collect(),
        alpha: view.alpha,
    }
}
