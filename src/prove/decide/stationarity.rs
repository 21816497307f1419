//! Search for KKT multipliers (rules 3.1, 3.2), or for a descent direction (rule 3.3).
//!
//! One linear program decides: θ is a non-negative combination of the gradients that the kinks
//! allow, or Farkas' vector descends.
use super::setting::{Setting, Slopes, Unit};
use crate::numeric::exact::lp::{feasible, minimise};
use crate::numeric::exact::simplex::{Outcome, Program};
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

/// Most choices of slopes at kinks, over all constraints, that one program weighs.
const PATTERNS: usize = 512;

/// Decides by one linear program.
pub fn solve(setting: &Setting) -> Answer {
    System::new(setting).solve()
}

/// The linear equations of all multipliers of a point: `Σ x_c·column_c = θ`, `x ≥ 0`, with rows that
/// cap slopes. Its solutions are a polytope: `|θ|² = mγΣλ`.
pub struct System {
    a: Vec<Vec<Rational>>,
    b: Vec<Rational>,
    names: Vec<Name>,
    /// Number of variables of θ.
    size: usize,
    alpha: Rational,
}

enum Name {
    /// `λ_k`, with the gradient of the kinks' lower slopes.
    Lambda(usize),
    /// `ν_kj = μ_kj − αλ_k ≥ 0`.
    Mu(usize, Unit),
    /// The part of `λ_k` on a limiting gradient.
    Germ(usize, Vec<Rational>),
    /// Slack of `ν_kj ≤ (1−α)λ_k`.
    Slack,
}

impl System {
    /// The system of a point.
    pub fn new(setting: &Setting) -> Self {
        if independent(setting) { Self::with_slopes(setting) } else { Self::with_germs(setting) }
    }

    /// Multipliers, or a direction that descends.
    pub fn solve(&self) -> Answer {
        match feasible(self.a.clone(), self.b.clone(), vec![false; self.names.len()]) {
            Err(y) => Answer::Descends(y[..self.size].iter().map(|v| -v).collect()),
            Ok(x) => Answer::Stationary(self.read(&x)),
        }
    }

    /// The column of every constraint whose gradient is one: with no kinks, all variables there are.
    pub fn lambda(&self) -> Vec<(usize, usize)> {
        let own = |(c, name): (usize, &Name)| match name {
            Name::Lambda(k) => Some((c, *k)),
            _ => None,
        };
        self.names.iter().enumerate().filter_map(own).collect()
    }

    /// Whether there are no slopes or limiting gradients to choose.
    pub fn is_plain(&self) -> bool {
        self.names.iter().all(|n| matches!(n, Name::Lambda(_)))
    }

    /// Number of variables.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// The solution with the largest `t ≤ 1` such that `constant + coefficients·x ≥ t` for all cuts;
    /// `None` if there is none with `t > 0`.
    pub fn best(&self, cuts: &[(Vec<Rational>, Rational)]) -> Option<Vec<Rational>> {
        let n = self.names.len();
        let total = n + 2 + cuts.len();
        let padded = |row: &[Rational]| {
            let mut all = vec![Rational::zero(); total];
            all[..row.len()].clone_from_slice(row);
            all
        };
        let mut a: Vec<Vec<Rational>> = self.a.iter().map(|row| padded(row)).collect();
        let mut b = self.b.clone();
        for (at, (coefficients, constant)) in cuts.iter().enumerate() {
            let mut row = padded(coefficients);
            row[n] = -Rational::one();
            row[n + 2 + at] = -Rational::one();
            a.push(row);
            b.push(-constant.clone());
        }
        let mut cap = vec![Rational::zero(); total];
        (cap[n], cap[n + 1]) = (Rational::one(), Rational::one());
        a.push(cap);
        b.push(Rational::one());
        let mut c = vec![Rational::zero(); total];
        c[n] = -Rational::one();
        match minimise(&Program { a, b, c, free: vec![false; total] }) {
            Outcome::Optimal { x, .. } if x[n].is_positive() => Some(x[..n].to_vec()),
            _ => None,
        }
    }

    /// The solution with the largest value of one variable.
    pub fn largest(&self, variable: usize) -> Option<Vec<Rational>> {
        let mut c = vec![Rational::zero(); self.names.len()];
        c[variable] = -Rational::one();
        let free = vec![false; self.names.len()];
        match minimise(&Program { a: self.a.clone(), b: self.b.clone(), c, free }) {
            Outcome::Optimal { x, .. } => Some(x),
            _ => None,
        }
    }

    /// The multipliers of a solution.
    pub fn read(&self, x: &[Rational]) -> Multipliers {
        let mut found = Multipliers::default();
        for (name, value) in self.names.iter().zip(x).filter(|(_, v)| v.is_positive()) {
            if let Name::Lambda(k) | Name::Germ(k, _) = name {
                *found.lambda.entry(*k).or_default() += value;
            }
        }
        for (name, value) in self.names.iter().zip(x) {
            match name {
                Name::Mu(k, unit) => {
                    if let Some(lambda) = found.lambda.get(k) {
                        found.mu.insert((*k, *unit), lambda * &self.alpha + value);
                    }
                }
                Name::Germ(k, d) if value.is_positive() => {
                    found.germs.push((*k, value / &found.lambda[k], d.clone()));
                }
                _ => {}
            }
        }
        found
    }

    /// Variables `λ_k ≥ 0`, `ν_kj = μ_kj − αλ_k ≥ 0` and the slack of `ν_kj ≤ (1−α)λ_k`.
    fn with_slopes(setting: &Setting) -> Self {
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
        names.extend(caps.iter().map(|_| Name::Slack));
        let mut system = Self::of(setting, &columns, names);
        for (slack, (lambda, nu)) in caps.iter().enumerate() {
            let mut row = vec![Rational::zero(); system.names.len()];
            row[*nu] = Rational::one();
            row[variables + slack] = Rational::one();
            row[*lambda] = &setting.alpha - Rational::one();
            system.a.push(row);
            system.b.push(Rational::zero());
        }
        system
    }

    /// Variables: one per limiting gradient that a random direction realises.
    fn with_germs(setting: &Setting) -> Self {
        let mut rng = Pcg64::seed_from_u64(7);
        let n = setting.theta.len();
        let mut columns: Vec<Vec<Rational>> = Vec::new();
        let mut names: Vec<Name> = Vec::new();
        for &k in &setting.active {
            if setting.kinks(k).is_empty() {
                names.push(Name::Lambda(k));
                columns.push(setting.gradient(k, &Slopes::new()));
                continue;
            }
            let mut seen = std::collections::BTreeSet::new();
            for _ in 0..DIRECTIONS {
                let d: Vec<Rational> = (0..n)
                    .map(|_| Rational::from_integer(rng.random_range(-9i64..=9).into()))
                    .collect();
                let (slopes, stuck) = setting.sides(k, &d);
                let pattern: Vec<(Unit, bool)> =
                    slopes.iter().map(|(u, s)| (*u, s.is_one())).collect();
                if stuck.is_empty() && seen.insert(pattern) {
                    columns.push(setting.gradient(k, &slopes));
                    names.push(Name::Germ(k, d));
                }
            }
        }
        Self::of(setting, &columns, names)
    }

    /// Variables: one per constraint and choice of slopes α or 1 at its kinks, realised or not. `None` if
    /// these are too many.
    fn with_patterns(setting: &Setting) -> Option<Self> {
        let mut columns: Vec<Vec<Rational>> = Vec::new();
        let mut names: Vec<Name> = Vec::new();
        for &k in &setting.active {
            let kinks = setting.kinks(k);
            let patterns = u32::try_from(kinks.len()).ok().and_then(|n| 1usize.checked_shl(n))?;
            if columns.len().checked_add(patterns)? > PATTERNS {
                return None;
            }
            for pattern in 0..patterns {
                let slope = |bit: usize| match pattern >> bit & 1 {
                    1 => Rational::one(),
                    _ => setting.alpha.clone(),
                };
                let slopes: Slopes =
                    kinks.iter().enumerate().map(|(b, u)| (*u, slope(b))).collect();
                columns.push(setting.gradient(k, &slopes));
                names.push(Name::Lambda(k));
            }
        }
        Some(Self::of(setting, &columns, names))
    }

    /// The rows `Σ x_c·column_c = θ`; variables past the columns are not in them.
    fn of(setting: &Setting, columns: &[Vec<Rational>], names: Vec<Name>) -> Self {
        let size = setting.theta.len();
        let entry =
            |r: usize, c: usize| columns.get(c).map_or_else(Rational::zero, |g| g[r].clone());
        let row = |r: usize| (0..names.len()).map(|c| entry(r, c)).collect();
        let a = (0..size).map(row).collect();
        let (b, alpha) = (setting.theta.clone(), setting.alpha.clone());
        Self { a, b, names, size, alpha }
    }
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

/// The claim `not_kkt`: by this direction, or by one that descends for every choice of slopes at the
/// kinks, which decides whether rule 3.3 applies.
pub fn not_kkt_entry(setting: &Setting, direction: &[Rational]) -> Option<Entry> {
    descent_entry(setting, direction).or_else(|| {
        let Answer::Descends(direction) = System::with_patterns(setting)?.solve() else {
            return None;
        };
        descent_entry(setting, &direction)
    })
}

/// The claim `not_kkt` with this direction, if the kernel accepts it.
fn descent_entry(setting: &Setting, direction: &[Rational]) -> Option<Entry> {
    let layers = setting.by_layers(direction);
    let numbers = |l: Vec<Rational>| l.into_iter().map(Number).collect();
    let proof = Descent { direction: layers.into_iter().map(numbers).collect() };
    let claim = Claim::NotKkt { scope: setting.scope };
    proof.check(setting.problem, &claim).ok()?;
    Some(Entry { claim, proof: Proof::Descent(proof) })
}
