//! Better points: from a float solution to an exact network in the region.
use super::round_down;
use crate::numeric::two_layer::{Unit, View, dot, length, with_units};
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
    let bound = if low == high && short(&low) { Number(low) } else { round_down(&low, 50) };
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

/// Moves every `u_j` by the least amount such that the signs which the region fixes hold with room
/// `safety` (relative) for rounding.
pub fn push_inside(
    view: &View,
    u: &mut [Vec<f64>],
    is_fixed: impl Fn(usize, usize) -> bool,
    safety: f64,
) {
    for (j, unit) in view.units.iter().enumerate() {
        let size = length(&u[j]);
        if size == 0.0 {
            continue;
        }
        let mut rows: Vec<Vec<f64>> = Vec::new();
        let mut missing: Vec<f64> = Vec::new();
        for i in (0..view.len()).filter(|i| is_fixed(j, *i)) {
            let tau = if dot(&unit.w, &view.x[i]) > 0.0 { 1.0 } else { -1.0 };
            let x = view.on_support(unit, i);
            let room = safety * size * length(&x);
            let now = tau * dot(&u[j], &x);
            // Rows that bind, or nearly: the step must not push them out either.
            if now < 4.0 * room && room > 0.0 {
                missing.push((room - now).max(0.0));
                rows.push(x.iter().map(|e| tau * e).collect());
            }
        }
        if missing.iter().all(|m| *m == 0.0) {
            continue;
        }
        let columns: Vec<Vec<f64>> =
            (0..u[j].len()).map(|c| rows.iter().map(|row| row[c]).collect()).collect();
        if let Some(step) = crate::numeric::least_squares::solve(&columns, &missing) {
            u[j].iter_mut().zip(&step).for_each(|(u, s)| *u += s);
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
