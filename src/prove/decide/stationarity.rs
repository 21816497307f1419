//! Search for KKT multipliers (rules 3.1, 3.2), or for a descent direction (rule 3.3).
//!
//! One linear program decides: θ is a non-negative combination of the gradients that the kinks
//! allow, or Farkas' vector descends.
use super::setting::{Setting, Slopes, Unit};
use crate::numeric::exact::lp::feasible;
use maxmargin_kernel::certificate::{Entry, Proof};
use maxmargin_kernel::claim::{Claim, Number};
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::proof::descent::Descent;
use maxmargin_kernel::proof::stationarity::{Stationarity, WeightedGerm};
use num_traits::{One, Signed, Zero};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use std::collections::BTreeMap;

/// KKT multipliers with slopes at kinks.
#[derive(Clone, Debug, Default)]
pub struct Multipliers {
    /// `λ_k > 0` by constraint.
    pub lambda: BTreeMap<usize, Rational>,
    /// `μ_kj` at kinks, where slopes are independent.
    pub mu: BTreeMap<(usize, Unit), Rational>,
    /// Limiting gradients otherwise: `(k, weight within λ_k, direction)`.
    pub germs: Vec<(usize, Rational, Vec<Rational>)>,
}

impl Multipliers {
    /// `λ` as certificates write it.
    pub fn lambda_list(&self) -> Vec<(usize, Number)> {
        self.lambda.iter().map(|(k, l)| (*k, Number(l.clone()))).collect()
    }

    /// The slope `μ/λ` at a kink.
    pub fn slope(&self, k: usize, unit: Unit) -> Option<Rational> {
        Some(self.mu.get(&(k, unit))? / self.lambda.get(&k)?)
    }
}

/// What the linear program says.
pub enum Answer {
    /// Multipliers.
    Stationary(Multipliers),
    /// `⟨θ,d⟩ < 0` and `⟨g,d⟩ ≥ 0` for the gradients tried.
    Descends(Vec<Rational>),
}

/// Most limiting gradients tried per constraint.
const DIRECTIONS: usize = 80;

/// Decides by one linear program.
pub fn solve(setting: &Setting) -> Answer {
    if independent(setting) { with_slopes(setting) } else { with_germs(setting) }
}

/// Whether slopes at different units of a sample are independent.
fn independent(setting: &Setting) -> bool {
    let network = setting.problem.network();
    let depth = network.depth();
    let layers = network.layers();
    let unshared = |l: usize| layers[l].max_uses() == 1;
    let no_kinks = setting.active.iter().all(|k| setting.kinks(*k).is_empty());
    no_kinks
        || (depth == 2 && !network.has_sharing())
        || (depth >= 2 && setting.moving == (depth - 2..depth - 1) && unshared(depth - 2))
}

/// Variables `λ_k ≥ 0`, `ν_kj = μ_kj − αλ_k ≥ 0` and the slack of `ν_kj ≤ (1−α)λ_k`.
fn with_slopes(setting: &Setting) -> Answer {
    let n = setting.theta.len();
    let mut columns: Vec<Vec<Rational>> = Vec::new();
    let mut names: Vec<Name> = Vec::new();
    let mut caps: Vec<(usize, usize)> = Vec::new();
    for &k in &setting.active {
        let kinks = setting.kinks(k);
        let with = |special: Option<Unit>| -> Slopes {
            let slope = |u: &Unit| {
                if Some(*u) == special { Rational::one() } else { setting.alpha.clone() }
            };
            kinks.iter().map(|u| (*u, slope(u))).collect()
        };
        let base = setting.gradient(k, &with(None));
        let lambda = columns.len();
        columns.push(base.clone());
        names.push(Name::Lambda(k));
        for unit in &kinks {
            let bent = setting.gradient(k, &with(Some(*unit)));
            // Per unit of slope: μ runs from αλ to λ while the slope runs from α to 1.
            let range = Rational::one() - &setting.alpha;
            caps.push((lambda, columns.len()));
            columns.push(bent.iter().zip(&base).map(|(b, a)| (b - a) / &range).collect());
            names.push(Name::Mu(k, *unit));
        }
    }
    let variables = columns.len();
    let total = variables + caps.len();
    let mut a: Vec<Vec<Rational>> = (0..n)
        .map(|r| {
            (0..total)
                .map(|c| columns.get(c).map_or_else(Rational::zero, |col| col[r].clone()))
                .collect()
        })
        .collect();
    let mut b = setting.theta.clone();
    for (slack, (lambda, nu)) in caps.iter().enumerate() {
        let mut row = vec![Rational::zero(); total];
        row[*nu] = Rational::one();
        row[variables + slack] = Rational::one();
        row[*lambda] = &setting.alpha - Rational::one();
        a.push(row);
        b.push(Rational::zero());
    }
    match feasible(a, b, vec![false; total]) {
        Err(y) => Answer::Descends(y[..n].iter().map(|v| -v).collect()),
        Ok(x) => {
            let mut found = Multipliers::default();
            for (name, value) in names.iter().zip(&x) {
                if let Name::Lambda(k) = name
                    && value.is_positive()
                {
                    found.lambda.insert(*k, value.clone());
                }
            }
            for (name, value) in names.iter().zip(&x) {
                if let Name::Mu(k, unit) = name
                    && let Some(lambda) = found.lambda.get(k)
                {
                    found.mu.insert((*k, *unit), lambda * &setting.alpha + value);
                }
            }
            Answer::Stationary(found)
        }
    }
}

enum Name {
    Lambda(usize),
    Mu(usize, Unit),
}

/// Variables: one per limiting gradient that a random direction realises.
fn with_germs(setting: &Setting) -> Answer {
    let mut rng = Pcg64::seed_from_u64(7);
    let n = setting.theta.len();
    let mut columns: Vec<(usize, Option<Vec<Rational>>, Vec<Rational>)> = Vec::new();
    for &k in &setting.active {
        if setting.kinks(k).is_empty() {
            columns.push((k, None, setting.gradient(k, &Slopes::new())));
            continue;
        }
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..DIRECTIONS {
            let d: Vec<Rational> = (0..n)
                .map(|_| Rational::from_integer(rng.random_range(-9i64..=9).into()))
                .collect();
            let (slopes, stuck) = setting.sides(k, &d);
            let pattern: Vec<(Unit, bool)> = slopes.iter().map(|(u, s)| (*u, s.is_one())).collect();
            if stuck.is_empty() && seen.insert(pattern) {
                columns.push((k, Some(d), setting.gradient(k, &slopes)));
            }
        }
    }
    let a: Vec<Vec<Rational>> =
        (0..n).map(|r| columns.iter().map(|(_, _, g)| g[r].clone()).collect()).collect();
    match feasible(a, setting.theta.clone(), vec![false; columns.len()]) {
        Err(y) => Answer::Descends(y.iter().map(|v| -v).collect()),
        Ok(x) => {
            let mut found = Multipliers::default();
            for ((k, _, _), value) in columns.iter().zip(&x).filter(|(_, v)| v.is_positive()) {
                *found.lambda.entry(*k).or_default() += value;
            }
            for ((k, d, _), value) in columns.iter().zip(&x).filter(|(_, v)| v.is_positive()) {
                if let Some(d) = d {
                    found.germs.push((*k, value / &found.lambda[k], d.clone()));
                }
            }
            Answer::Stationary(found)
        }
    }
}

/// The claim `kkt` with these multipliers, if the kernel accepts it.
pub fn kkt_entry(setting: &Setting, found: &Multipliers) -> Option<Entry> {
    let germ = |(k, weight, d): &(usize, Rational, Vec<Rational>)| WeightedGerm {
        constraint: *k,
        weight: Number(weight.clone()),
        moves: setting.moves(std::slice::from_ref(d)),
    };
    let proof = Stationarity {
        lambda: found.lambda_list(),
        mu: found.mu.iter().map(|((k, (_, j)), m)| (*k, *j, Number(m.clone()))).collect(),
        germs: found.germs.iter().map(germ).collect(),
    };
    let claim = Claim::Kkt { scope: setting.scope };
    proof.check(setting.problem, &claim).ok()?;
    Some(Entry { claim, proof: Proof::Stationarity(proof) })
}

/// The claim `not_kkt` with this direction, if the kernel accepts it.
pub fn not_kkt_entry(setting: &Setting, direction: &[Rational]) -> Option<Entry> {
    let layers = setting.by_layers(direction);
    let numbers = |l: Vec<Rational>| l.into_iter().map(Number).collect();
    let proof = Descent { direction: layers.into_iter().map(numbers).collect() };
    let claim = Claim::NotKkt { scope: setting.scope };
    proof.check(setting.problem, &claim).ok()?;
    Some(Entry { claim, proof: Proof::Descent(proof) })
}
