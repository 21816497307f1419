//! Search for curves of better points (rule 3.4).
//!
//! First order: in some choice of sides at the kinks, a direction that lowers the norm and raises
//! every active margin (a linear program). Second order: a direction `d₁` that changes neither to
//! first order and along which the Lagrangian bends down, and a correction `d₂` from another linear
//! program that buys slack in every margin: `θ + d₁ε + d₂ε²`. Dead neurons are the special case in
//! which `d₁` switches them on.
use super::cover::Waking;
use super::hessian::{lowest, subtract_hessian};
use super::optimum::Failed;
use super::setting::{Setting, Slopes, Unit};
use super::stationarity::Multipliers;
use crate::budget::Budget;
use crate::numeric::exact::linear;
use crate::numeric::exact::simplex::{Outcome, Program};
use crate::numeric::exact::{dot, lp};
use crate::numeric::two_layer::{length, to_f64};
use crate::prove::exact;
use maxmargin_kernel::certificate::{Entry, Proof};
use maxmargin_kernel::claim::Claim;
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::proof::curve::Curve;
use num_traits::{One, Signed, Zero};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

/// Kinks up to which every choice of sides is tried at first order.
const EXHAUSTIVE: usize = 12;
/// Random choices of sides where there are more.
const SIDES: usize = 512;
/// Starts of the search for negative curvature.
const STARTS: usize = 120;
/// Seconds of that search where the user sets no limit.
const SECONDS: f64 = 2.0;
/// Most variables for which curvature is searched.
const MAX_VARIABLES: usize = 400;

/// A curve, as the lists of its coefficients by powers of ε.
type Orders = Vec<Vec<Rational>>;

/// Searches at first order, then at second order with each of the multipliers, first in the directions
/// that a search for a proof of optimality came upon.
pub fn search(
    setting: &Setting,
    multipliers: &[Multipliers],
    failed: &Failed,
    budget: &Budget,
) -> Option<Entry> {
    first_order(setting, budget)
        .or_else(|| failed.waking.iter().find_map(|w| awake(setting, w)))
        .or_else(|| failed.directions.iter().find_map(|d| along(setting, multipliers.last()?, d)))
        .or_else(|| second_order(setting, multipliers, &budget.or_seconds(SECONDS)))
}

/// A curve along which a dead neuron comes alive in this direction, as `w = εa`, `v = ±ε`.
fn awake(setting: &Setting, waking: &Waking) -> Option<Entry> {
    let [first, second] = setting.problem.network().layers() else { return None };
    let floats: Vec<f64> = waking.w.iter().map(to_f64).collect();
    let size = exact((length(&floats) * 1024.0).round() / 1024.0);
    if size.is_zero() || setting.theta.len() != first.parameters().len() + second.parameters().len()
    {
        return None;
    }
    let mut d = vec![Rational::zero(); setting.theta.len()];
    for (c, w) in waking.w.iter().enumerate() {
        if let Some(i) = first.coordinate(waking.row, c) {
            d[i] = w / &size;
        }
    }
    let output = first.parameters().len() + second.coordinate(0, waking.row)?;
    d[output] = Rational::from_integer(i64::from(waking.sign).into());
    escape(setting, &d)
}

/// A curve that starts near this direction or its opposite, without first-order change of the margins
/// with multipliers.
fn along(setting: &Setting, multipliers: &Multipliers, direction: &[f64]) -> Option<Entry> {
    let n = setting.theta.len();
    let none = Slopes::new();
    let rows: Vec<Vec<Rational>> =
        multipliers.lambda.keys().map(|k| setting.gradient(*k, &none)).collect();
    let basis = linear::null_space(&rows, n)?;
    let d = simple(&basis, direction)?;
    let back: Vec<Rational> = d.iter().map(|v| -v).collect();
    [d, back].iter().find_map(|d| escape(setting, d))
}

/// The claim with this curve, if the kernel accepts it.
fn entry(setting: &Setting, orders: &Orders) -> Option<Entry> {
    let proof = Curve { moves: setting.moves(orders) };
    let claim = Claim::NotLocalOptimum { scope: setting.scope };
    proof.check(setting.problem, &claim).ok()?;
    Some(Entry { claim, proof: Proof::Curve(proof) })
}

fn first_order(setting: &Setting, budget: &Budget) -> Option<Entry> {
    let kinks: Vec<(usize, Unit)> = {
        let mut list: Vec<(usize, Unit)> = (setting.active.iter())
            .flat_map(|k| setting.kinks(*k).into_iter().map(|u| (setting.constraint(*k).sample, u)))
            .collect();
        list.sort_unstable();
        list.dedup();
        list
    };
    let mut rng = Pcg64::seed_from_u64(3);
    let choices = if kinks.len() <= EXHAUSTIVE { 1usize << kinks.len() } else { SIDES };
    for choice in 0..choices {
        if budget.expired() {
            return None;
        }
        let side = |at: usize, rng: &mut Pcg64| match kinks.len() {
            0..=EXHAUSTIVE => choice >> at & 1 == 1,
            _ => rng.random(),
        };
        let sides: Vec<bool> = (0..kinks.len()).map(|at| side(at, &mut rng)).collect();
        if let Some(found) =
            first_order_on(setting, &kinks, &sides).and_then(|d| entry(setting, &vec![d]))
        {
            return Some(found);
        }
    }
    None
}

/// `max t` with `⟨g_k,d⟩ ≥ t`, `⟨θ,d⟩ = −1`, `t ≤ 1` and the kinks moving to their sides.
fn first_order_on(
    setting: &Setting,
    kinks: &[(usize, Unit)],
    sides: &[bool],
) -> Option<Vec<Rational>> {
    let n = setting.theta.len();
    let slope = |positive: bool| if positive { Rational::one() } else { setting.alpha.clone() };
    let of = |sample: usize| -> Slopes {
        let mine = kinks.iter().zip(sides).filter(|((i, _), _)| *i == sample);
        mine.map(|((_, u), s)| (*u, slope(*s))).collect()
    };
    let mut rows = Rows::new(n);
    for &k in &setting.active {
        rows.at_least(
            &setting.gradient(k, &of(setting.constraint(k).sample)),
            true,
            Rational::zero(),
        );
    }
    for ((i, unit), side) in kinks.iter().zip(sides) {
        let g = setting.preactivation_gradient(*i, *unit, &of(*i));
        let signed: Vec<Rational> = if *side { g } else { g.iter().map(|v| -v).collect() };
        rows.at_least(&signed, false, Rational::zero());
    }
    let down: Vec<Rational> = setting.theta.iter().map(|v| -v).collect();
    rows.at_least(&down, false, Rational::one());
    rows.maximise()
}

/// A linear program in a free vector `d` and a slack `0 ≤ t ≤ 1`: rows `a·d (− t) ≥ b`.
struct Rows {
    n: usize,
    rows: Vec<(Vec<Rational>, bool, Rational)>,
}

impl Rows {
    fn new(n: usize) -> Self {
        Self { n, rows: Vec::new() }
    }

    /// `a·d − t ≥ b` if `slack`, else `a·d ≥ b`.
    fn at_least(&mut self, a: &[Rational], slack: bool, b: Rational) {
        self.rows.push((a.to_vec(), slack, b));
    }

    /// `d` with the largest `t`, if that is positive.
    fn maximise(&self) -> Option<Vec<Rational>> {
        let (n, m) = (self.n, self.rows.len());
        // Variables: d (free), t, the slack of t ≤ 1, one surplus per row.
        let total = n + 2 + m;
        let mut a = Vec::with_capacity(m + 1);
        let mut b = Vec::with_capacity(m + 1);
        for (r, (coefficients, slack, least)) in self.rows.iter().enumerate() {
            let mut row = vec![Rational::zero(); total];
            row[..n].clone_from_slice(coefficients);
            if *slack {
                row[n] = -Rational::one();
            }
            row[n + 2 + r] = -Rational::one();
            a.push(row);
            b.push(least.clone());
        }
        let mut cap = vec![Rational::zero(); total];
        cap[n] = Rational::one();
        cap[n + 1] = Rational::one();
        a.push(cap);
        b.push(Rational::one());
        let mut c = vec![Rational::zero(); total];
        c[n] = -Rational::one();
        let free = (0..total).map(|j| j < n).collect();
        match lp::minimise(&Program { a, b, c, free }) {
            Outcome::Optimal { x, .. } if x[n].is_positive() => Some(x[..n].to_vec()),
            _ => None,
        }
    }
}

fn second_order(setting: &Setting, choices: &[Multipliers], budget: &Budget) -> Option<Entry> {
    let n = setting.theta.len();
    if n > MAX_VARIABLES || choices.is_empty() {
        return None;
    }
    let mut rng = Pcg64::seed_from_u64(11);
    for start in 0..STARTS {
        if budget.expired() {
            return None;
        }
        let multipliers = &choices[start % choices.len()];
        // The first starts are sparse: the escapes that are easiest to read move few coordinates.
        let density = if start < STARTS / 2 { 0.3 } else { 1.0 };
        let mut d: Vec<Rational> = (0..n)
            .map(|_| match rng.random_bool(density) {
                true => Rational::from_integer(rng.random_range(-5i64..=5).into()),
                false => Rational::zero(),
            })
            .collect();
        for _ in 0..4 {
            let Some(next) = bend(setting, multipliers, &d) else { break };
            if let Some(found) = escape(setting, &next) {
                return Some(found);
            }
            if next == d {
                break;
            }
            d = next;
        }
    }
    None
}

/// The direction of most negative curvature of the Lagrangian, for the sides that `d` takes, among
/// those that leave the margins with multipliers unchanged to first order; rounded to simple
/// numbers. `None` if there is no negative curvature.
fn bend(setting: &Setting, multipliers: &Multipliers, d: &[Rational]) -> Option<Vec<Rational>> {
    let n = setting.theta.len();
    let mut rows = vec![];
    let mut hessian = vec![vec![0.0; n]; n];
    for (i, row) in hessian.iter_mut().enumerate() {
        row[i] = 1.0;
    }
    for (k, lambda) in &multipliers.lambda {
        let (slopes, _) = setting.sides(*k, d);
        rows.push(setting.gradient(*k, &slopes));
        subtract_hessian(setting, *k, &slopes, to_f64(lambda), &mut hessian);
    }
    let basis = linear::null_space(&rows, n)?;
    let floats: Vec<Vec<f64>> = basis.iter().map(|b| b.iter().map(to_f64).collect()).collect();
    let (value, mut direction) = lowest(&floats, n, |r, c| hessian[r][c])?;
    if value > -1e-9 {
        return None;
    }
    // Of ±v the one that keeps more of the sides of `d`.
    let same: f64 = direction.iter().zip(d).map(|(a, b)| a * to_f64(b)).sum();
    if same < 0.0 {
        direction.iter_mut().for_each(|v| *v = -*v);
    }
    simple(&basis, &direction)
}

/// A vector of the span of `basis` near `direction`, with small numbers. The basis is reduced: each
/// vector has a coordinate at which it is 1 and the others are 0, or nearly that.
fn simple(basis: &[Vec<Rational>], direction: &[f64]) -> Option<Vec<Rational>> {
    let columns: Vec<Vec<f64>> = basis.iter().map(|b| b.iter().map(to_f64).collect()).collect();
    let z = crate::numeric::least_squares::solve(&columns, direction)?;
    let largest = z.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    if largest == 0.0 {
        return None;
    }
    let rounded = |v: &f64| exact((v / largest * 8.0).round() / 8.0);
    let mut sum = vec![Rational::zero(); direction.len()];
    for (weight, b) in z.iter().map(rounded).zip(basis) {
        sum.iter_mut().zip(b).for_each(|(s, b)| *s += &weight * b);
    }
    sum.iter().any(|v| !v.is_zero()).then_some(sum)
}

/// The claim with a curve that starts along `d₁`, for one choice or another of where the kinks go that `d₁`
/// leaves as they are.
fn escape(setting: &Setting, d1: &[Rational]) -> Option<Entry> {
    let any = |_: Unit| None;
    let below = |_: Unit| Some(false);
    let above = |_: Unit| Some(true);
    let orders = |side: &dyn Fn(Unit) -> Option<bool>| {
        corrected(setting, d1, side).and_then(|orders| entry(setting, &orders))
    };
    orders(&any).or_else(|| orders(&below)).or_else(|| orders(&above))
}

/// `θ + d₁ε + d₂ε²` with slack in every margin and in the norm, if there is one. `side` says on which side
/// of a kink `d₂` has to move a unit that `d₁` leaves there, if it matters.
fn corrected(
    setting: &Setting,
    d1: &[Rational],
    side: &dyn Fn(Unit) -> Option<bool>,
) -> Option<Orders> {
    if !dot(&setting.theta, d1).is_zero() {
        return None;
    }
    let along = setting.along(std::slice::from_ref(&d1.to_vec()));
    let mut rows = Rows::new(setting.theta.len());
    for (&k, powers) in &along {
        let at = |e: usize| powers.get(e).cloned().unwrap_or_default();
        if at(1).is_negative() {
            return None;
        }
        if at(1).is_positive() {
            continue;
        }
        let (mut slopes, stuck) = setting.sides(k, d1);
        let sample = setting.constraint(k).sample;
        for unit in stuck {
            let Some(up) = side(unit) else { continue };
            slopes.insert(unit, if up { Rational::one() } else { setting.alpha.clone() });
            let g = setting.preactivation_gradient(sample, unit, &slopes);
            let signed: Vec<Rational> = if up { g } else { g.iter().map(|v| -v).collect() };
            rows.at_least(&signed, false, Rational::zero());
        }
        rows.at_least(&setting.gradient(k, &slopes), true, -at(2));
    }
    let down: Vec<Rational> = setting.theta.iter().map(|v| -(v + v)).collect();
    rows.at_least(&down, true, dot(d1, d1));
    let d2 = rows.maximise()?;
    Some(vec![d1.to_vec(), d2])
}
