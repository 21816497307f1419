//! Better points: from a float solution to an exact network in the region.
use super::{exact, round_down};
use crate::numeric::two_layer::{Unit, View, dot, length, to_f64, with_units};
use maxmargin_kernel::certificate::{Entry, Proof};
use maxmargin_kernel::claim::{Claim, Number, Region, Scope};
use maxmargin_kernel::network::Network;
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::point::Point;

/// The claim that `network` (same architecture), or θ itself for `None`, attains its own ν within
/// the region; `None` if the kernel does not accept it.
pub fn prove(problem: &Problem, network: Option<&Network>, region: Region) -> Option<Entry> {
    let there = match network {
        Some(network) => Problem::new(network.clone(), problem.data().clone()).ok()?,
        None => problem.clone(),
    };
    let (low, high) = there.normalised_margin()?;
    let bound = if low == high && short(&low) { Number(low) } else { round_down(to_f64(&low), 50) };
    let parameters = network.map(|n| {
        n.layers()
            .iter()
            .map(|l| l.parameters().to_rationals().into_iter().map(Number).collect())
            .collect()
    });
    let claim = Claim::MarginAtLeast { scope: Scope::All, region, bound };
    let proof = Point { parameters, network: None };
    proof.check(problem, &claim).ok()?;
    Some(Entry { claim, proof: Proof::Point(proof) })
}

/// Whether a number is worth stating exactly.
fn short(value: &Rational) -> bool {
    value.numer().bits() + value.denom().bits() <= 64
}

/// The network in which unit `j` is `u_j` (scaled samples), balanced: `|w_j| = |v_j| = √|u_j|`.
/// Units with `u_j = 0` become `w = v = 0`.
pub fn balanced(problem: &Problem, view: &View, signs: &[f64], u: &[Vec<f64>]) -> Option<Network> {
    let unit = |((old, sign), u): ((&Unit, &f64), &Vec<f64>)| {
        let size = length(u) * view.scale;
        let root = size.sqrt();
        let w = if root > 0.0 {
            u.iter().map(|e| e * view.scale / root).collect()
        } else {
            vec![0.0; u.len()]
        };
        Unit { w, v: sign * root, ..old.clone() }
    };
    let units: Vec<Unit> = view.units.iter().zip(signs).zip(u).map(unit).collect();
    with_units(problem.network(), &units)
}

/// Pulls `u_j` towards `w_j` until every sign that the region fixes holds with room for rounding.
/// `w_j` is strictly inside for `near δ`, so this always succeeds there.
pub fn pull_inside(
    view: &View,
    u: &mut [Vec<f64>],
    is_fixed: impl Fn(usize, usize) -> bool,
    safety: f64,
) {
    for (j, unit) in view.units.iter().enumerate() {
        let size = length(&u[j]);
        let w_size = length(&unit.w);
        if size == 0.0 || w_size == 0.0 {
            continue;
        }
        let mut pull = 0.0f64;
        for i in 0..view.len() {
            if !is_fixed(j, i) {
                continue;
            }
            let inside = dot(&unit.w, &view.x[i]) / w_size;
            let now = dot(&u[j], &view.x[i]) * inside.signum();
            // Rounding moves a preactivation by a few ulps of |u||x|.
            let wanted = safety * size * length(&view.x[i]);
            if now < wanted && inside != 0.0 {
                pull = pull.max((wanted - now) / inside.abs());
            }
        }
        if pull > 0.0 {
            u[j].iter_mut().zip(&unit.w).for_each(|(u, w)| *u += pull * w / w_size);
        }
    }
}

/// Exact comparison: whether `a` has a larger normalised margin than `b` (same data, equal depth).
pub fn better(a: &Problem, b: &Problem) -> bool {
    let (Ok(ga), Ok(gb)) = (a.gamma(), b.gamma()) else { return a.gamma().is_ok() };
    let m = a.network().depth();
    let power = |p: &Problem| (0..m).map(|_| p.network().norm_squared()).product::<Rational>();
    // γ_a²|θ_b|^{2m} > γ_b²|θ_a|^{2m}
    ga * ga * power(b) > gb * gb * power(a)
}

/// The exact rational of a float, for callers that build parameters.
pub fn number(value: f64) -> Number {
    Number(exact(value))
}
