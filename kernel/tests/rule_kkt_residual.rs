//! Rules 3.2 and 3.11 (`kkt_residual`).
mod common;

use common::tree::dot;
use common::*;
use maxmargin_kernel::claim::{Claim, Number};
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::kkt_residual::{KktResidual, KktResidualError};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// `λ` and `μ` without a direction.
fn upper(lambda: &[(usize, &str)], mu: &[(usize, usize, &str)]) -> KktResidual {
    KktResidual {
        lambda: lambda.iter().map(|(k, l)| (*k, n(l))).collect(),
        mu: mu.iter().map(|(k, j, m)| (*k, *j, n(m))).collect(),
        direction: None,
    }
}

/// The same with a direction, one text of numbers per layer.
fn both(witness: KktResidual, layers: &[&str]) -> KktResidual {
    let list = |l: &&str| l.split_whitespace().map(n).collect();
    KktResidual { direction: Some(layers.iter().map(list).collect()), ..witness }
}

fn refused(witness: &KktResidual, problem: &Problem, claim: &Claim) -> KktResidualError {
    match witness.check(problem, claim) {
        Err(Refusal::KktResidual(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn exact() -> Claim {
    residual("0", "0", "0", "0")
}

#[test]
fn exact_kkt_points_have_residual_zero() {
    assert_eq!(upper(&[(0, "2"), (1, "2")], &[]).check(&fixture_e(), &exact()), Ok(()));
    assert_eq!(upper(&[(0, "1"), (1, "1")], &[]).check(&fixture_i(), &exact()), Ok(()));
    assert_eq!(upper(&[(0, "1")], &[]).check(&fixture_c(), &exact()), Ok(()));
    // Three classes (a point that is KKT and no local optimum).
    let classes = problem(LINEAR, &["1 1 0; 1 1 0", "1 1; -1 -1; 0 0"], "1 1 2; -1 -1 2", &[0, 1]);
    assert_eq!(upper(&[(1, "1/2"), (3, "1/2")], &[]).check(&classes, &exact()), Ok(()));
    let wrong =
        refused(&upper(&[(0, "1/2"), (2, "1/2")], &[]), &classes, &residual("0", "0", "1", "0"));
    assert!(matches!(wrong, KktResidualError::AboveUpper { .. }), "{wrong}");
}

#[test]
fn slopes_at_kinks_are_free_within_epsilon_and_only_there() {
    // Fixture D: slopes 0 at both kinks.
    let d = problem(RELU, &["1 0; 0 1", "1 1"], "1 0; 0 1", &[1, 1]);
    let lambda = [(0, "1"), (1, "1")];
    assert_eq!(upper(&lambda, &[]).check(&d, &exact()), Ok(()));
    assert_eq!(upper(&lambda, &[(0, 1, "0"), (1, 0, "0")]).check(&d, &exact()), Ok(()));
    let off = refused(&upper(&lambda, &[(0, 1, "1/2")]), &d, &exact());
    // Residual ½ of |θ| = 2.
    assert_eq!(
        off,
        KktResidualError::AboveUpper { found: "0.250000000".into(), claimed: "0.000000000".into() }
    );
    assert_eq!(upper(&lambda, &[(0, 1, "1/2")]).check(&d, &residual("0", "1/4", "0", "0")), Ok(()));

    // Fixture J: slopes 3/5 at both kinks, and not KKT with slopes 0.
    let j = fixture_j();
    let lambda = [(0, "5/4"), (1, "5/4")];
    assert_eq!(upper(&lambda, &[(0, 1, "3/4"), (1, 0, "3/4")]).check(&j, &exact()), Ok(()));
    let zero = refused(&upper(&lambda, &[]), &j, &exact());
    assert!(matches!(zero, KktResidualError::AboveUpper { .. }), "{zero}");

    // Fixture E has cosines 1/√17 ≈ 0.2425 at every pair.
    let e = fixture_e();
    let mu = upper(&[(0, "2"), (1, "2")], &[(0, 0, "1")]);
    let not_near = KktResidualError::NotNearKink { constraint: 0, neuron: 0 };
    assert_eq!(refused(&mu, &e, &residual("0", "1", "0", "0.2425")), not_near);
    assert_eq!(mu.check(&e, &residual("0", "1", "0", "0.2426")), Ok(()));
}

#[test]
fn delta_decides_which_constraints_are_near_active() {
    // Margins 1 and 5/4.
    let p = problem(LINEAR, &["1 0", "1"], "1 0; 5/4 1", &[1, 1]);
    let witness = upper(&[(1, "1/10")], &[]);
    assert_eq!(witness.check(&p, &residual("0", "1", "1/4", "0")), Ok(()));
    assert_eq!(
        refused(&witness, &p, &residual("0", "1", "0.2499", "0")),
        KktResidualError::NotActive(1)
    );
    // A direction must be polar to every near-active gradient: d = (1, 0 | −1) to the first, and
    // not (with x₁ = (5/4, 1)) d = (1, 1 | −1) to the second.
    let d = both(upper(&[], &[]), &["1 1/2", "-0.9"]);
    assert_eq!(refused(&d, &p, &residual("1/100", "1", "0", "0")), KktResidualError::NotPolar(0));
    let d = both(upper(&[], &[]), &["-1 2", "1"]);
    assert!(matches!(
        refused(&d, &p, &residual("1/100", "1", "0", "0")),
        KktResidualError::BelowLower { .. }
    ));
    assert_eq!(refused(&d, &p, &residual("1/100", "1", "1/4", "0")), KktResidualError::NotPolar(1));
}

#[test]
fn both_sides_at_once() {
    // x = (1, 0), w = (1, 1), v = 1: C is the ray of (1, 0 | 1), θ = (1, 1 | 1): distance 1 of √3.
    let p = problem(LINEAR, &["1 1", "1"], "1 0", &[1]);
    let witness = both(upper(&[(0, "1")], &[]), &["0 1", "0"]);
    assert_eq!(witness.check(&p, &residual("0.5773", "0.5774", "0", "0")), Ok(()));
    assert_eq!(
        refused(&witness, &p, &residual("0.5774", "0.5774", "0", "0")),
        KktResidualError::BelowLower { found: "0.577350269".into(), claimed: "0.577400000".into() }
    );
    assert_eq!(
        refused(&witness, &p, &residual("0.5773", "0.5773", "0", "0")),
        KktResidualError::AboveUpper { found: "0.577350269".into(), claimed: "0.577300000".into() }
    );
    // Rows that no output reads are part of θ and of no gradient.
    let unread = problem(LINEAR, &["1 0; 0 1", "1 ."], "1 0", &[1]);
    let witness = both(upper(&[(0, "1")], &[]), &["0 0 0 1", "0"]);
    assert_eq!(witness.check(&unread, &residual("0.5773", "0.5774", "0", "0")), Ok(()));
}

#[test]
fn a_lower_bound_repaired_with_m_q_at_a_near_kink_is_false() {
    // ⟨g,θ⟩ is 1/10 at slope 0 and 1/5 = m q only at slope 1. With m q the repair leaves a direction
    // whose product with the gradient at slope 0 is positive; the claim would be 0.9998, true 0.995.
    let p = near_kink();
    let witness = both(upper(&[], &[]), &["4.99 -0.55", "1/2"]);
    assert_eq!(
        refused(&witness, &p, &residual("0.999", "1", "0", "1/50")),
        KktResidualError::NotPolar(0)
    );
    let honest = both(upper(&[(0, "10")], &[(0, 0, "0.099")]), &["9.9901 -0.999", "-1/1000"]);
    assert_eq!(honest.check(&p, &residual("0.99", "0.996", "0", "1/50")), Ok(()));
    // At slope σ'(z) = 1 alone the same point is almost orthogonal to its gradient as well.
    assert_eq!(
        refused(&honest, &p, &residual("0.99", "0.996", "0", "0")),
        KktResidualError::NotNearKink { constraint: 0, neuron: 0 }
    );
}

/// At a near-kink a direction must be polar for slope 1 as well, where that is the worse.
#[test]
fn slope_1_at_a_near_kink_bounds_from_below_too() {
    // g(s) = (1, 0 | 1; s, 0 | 0), θ = (1, 1 | 1; 0, 1 | 1).
    let p = problem(RELU, &["1 1; 0 1", "1 1"], "1 0", &[1]);
    let along = |first: &str| both(upper(&[], &[]), &[first, "0 1"]);
    assert_eq!(along("0 1 0 1").check(&p, &residual("0.774", "1", "0", "0")), Ok(()));
    let refused = refused(&along("0 1 1 1"), &p, &residual("1/2", "1", "0", "0"));
    assert_eq!(refused, KktResidualError::NotPolar(0));
}

/// One neuron, w = 2, v = 1, at x = 1: the cone is that of (1, 2), at 3/5 of |θ| from θ.
#[test]
fn a_rational_distance_is_a_lower_bound_and_nothing_above_it() {
    let p = problem(RELU, &["2", "1"], "1", &[1]);
    let proof = || both(upper(&[(0, "4/5")], &[]), &["2", "-1"]);
    assert_eq!(proof().check(&p, &residual("3/5", "3/5", "0", "0")), Ok(()));
    let found = "0.600000000".into();
    let claimed = "0.600000001".into();
    assert_eq!(
        refused(&proof(), &p, &residual("0.600000001", "1", "0", "0")),
        KktResidualError::BelowLower { found, claimed }
    );
}

#[test]
fn every_refusal_is_the_expected_one() {
    let e = fixture_e();
    let wide = residual("0", "1", "0", "1");
    let lambda = [(0, "2"), (1, "2")];
    let with = |lambda: &[(usize, &str)], mu: &[(usize, usize, &str)]| {
        refused(&upper(lambda, mu), &e, &wide)
    };
    let lower = |layers: &[&str]| {
        refused(&both(upper(&lambda, &[]), layers), &e, &residual("1/10", "1", "0", "0"))
    };
    let off = |constraint, neuron| KktResidualError::NotNearKink { constraint, neuron };
    let range = KktResidualError::SlopeRange { constraint: 0, neuron: 1 };
    let below = |found: &str| KktResidualError::BelowLower {
        found: found.into(),
        claimed: "0.100000000".into(),
    };
    let leaky =
        problem("{\"leaky_relu\": \"1/2\"}", &["0 1; 0 1", "1 1"], "1 1/4; -1 1/4", &[1, 1]);
    let cases = [
        (with(&[(2, "1")], &[]), KktResidualError::NotActive(2)),
        (with(&[(usize::MAX, "1")], &[]), KktResidualError::NotActive(usize::MAX)),
        (with(&[(1, "1"), (0, "1")], &[]), KktResidualError::NotActive(0)),
        (with(&[(0, "1"), (0, "1")], &[]), KktResidualError::NotActive(0)),
        (with(&[(0, "-1")], &[]), KktResidualError::NegativeMultiplier(0)),
        (with(&lambda, &[(0, 2, "0")]), off(0, 2)),
        (with(&[(0, "2")], &[(1, 0, "0")]), off(1, 0)),
        (with(&lambda, &[(0, 1, "0"), (0, 0, "0")]), off(0, 0)),
        (with(&lambda, &[(0, 1, "0"), (0, 1, "0")]), off(0, 1)),
        (with(&lambda, &[(0, 1, "2.001")]), range.clone()),
        (with(&lambda, &[(0, 1, "-0.001")]), range.clone()),
        (refused(&upper(&lambda, &[(0, 1, "0.999")]), &leaky, &wide), range),
        (
            refused(&upper(&[], &[]), &e, &residual("0", "1/2", "0", "0")),
            KktResidualError::AboveUpper {
                found: "1.000000000".into(),
                claimed: "0.500000000".into(),
            },
        ),
        (
            refused(&upper(&lambda, &[]), &e, &residual("1/10", "1", "0", "0")),
            KktResidualError::NoDirection,
        ),
        (lower(&["1 0 0 0"]), KktResidualError::Shape(1)),
        (lower(&["1 0 0 0", "0 0", "0"]), KktResidualError::Shape(3)),
        (lower(&["1 0 0", "0 0"]), KktResidualError::Shape(1)),
        (lower(&["1 0 0 0", "0"]), KktResidualError::Shape(2)),
        (lower(&["0 1 0 0", "0 0"]), KktResidualError::NotPolar(0)),
        (lower(&["-1 0 0 0", "0 0"]), KktResidualError::NotPolar(1)),
        // Polar and useless: ⟨θ,d⟩ < 0, and d = 0.
        (lower(&["0 -1 0 -1", "-1 -1"]), below("0")),
        (lower(&["0 0 0 0", "0 0"]), below("0")),
    ];
    let mut names = BTreeSet::new();
    for (found, expected) in &cases {
        assert_eq!(found, expected);
        names.insert(match found {
            KktResidualError::NotActive(_) => "NotActive",
            KktResidualError::NegativeMultiplier(_) => "NegativeMultiplier",
            KktResidualError::NotNearKink { .. } => "NotNearKink",
            KktResidualError::SlopeRange { .. } => "SlopeRange",
            KktResidualError::AboveUpper { .. } => "AboveUpper",
            // In `limits.rs`.
            KktResidualError::Work(_) => "Work",
            KktResidualError::NoDirection => "NoDirection",
            KktResidualError::Shape(_) => "Shape",
            KktResidualError::NotPolar(_) => "NotPolar",
            KktResidualError::BelowLower { .. } => "BelowLower",
        });
    }
    assert_eq!(names.len(), 9, "{names:?}");

    let foreign = [at_least("cell", "0"), at_most("cell", "9")];
    refuses_foreign_claims("kkt_residual", &foreign, exact(), |p, c| {
        upper(&lambda, &[]).check(p, c)
    });
    for (name, claim) in [
        ("lo", residual("-1", "1", "0", "0")),
        ("hi", residual("0", "-1", "0", "0")),
        ("δ", residual("0", "1", "-1", "0")),
        ("ε", residual("0", "1", "0", "-1")),
    ] {
        assert_eq!(upper(&lambda, &[]).check(&e, &claim), Err(Refusal::Negative(name)));
    }
    for (p, reason) in not_two_layer() {
        let outcome = upper(&[], &[]).check(&p, &residual("0", "1", "0", "0"));
        match p.network().outputs() {
            // Several outputs are no obstacle here.
            2 => assert_eq!(outcome, Ok(())),
            _ => assert_eq!(outcome, Err(Refusal::Architecture { rule: "kkt_residual", reason })),
        }
    }
}

/// Integers of a random point: `w` (two inputs per neuron), `v` (one per neuron), samples.
#[derive(Clone, Debug)]
struct Tiny {
    slope: i64,
    w: Vec<[i64; 2]>,
    v: Vec<i64>,
    x: Vec<[i64; 2]>,
    y: Vec<i64>,
}

/// A generator of the cone: constraint, slopes, gradient over (w, v).
struct Generator {
    k: usize,
    slopes: Vec<f64>,
    g: Vec<f64>,
}

impl Tiny {
    fn alpha(&self) -> f64 {
        self.slope as f64 / 4.0
    }

    fn z(&self, i: usize, j: usize) -> i64 {
        self.w[j][0] * self.x[i][0] + self.w[j][1] * self.x[i][1]
    }

    fn sigma(&self, i: usize, j: usize) -> f64 {
        let z = self.z(i, j) as f64;
        z.max(self.alpha() * z)
    }

    fn margin(&self, i: usize) -> f64 {
        (0..self.w.len()).map(|j| (self.y[i] * self.v[j]) as f64 * self.sigma(i, j)).sum()
    }

    fn theta(&self) -> Vec<f64> {
        self.w.iter().flatten().chain(&self.v).map(|c| *c as f64).collect()
    }

    /// `|z| ≤ |w||x|/10`.
    fn near(&self, i: usize, j: usize) -> bool {
        let square = |a: [i64; 2]| a[0] * a[0] + a[1] * a[1];
        100 * self.z(i, j) * self.z(i, j) <= square(self.w[j]) * square(self.x[i])
    }

    /// The gradients at all combinations of extreme slopes.
    fn generators(&self, delta: f64) -> Vec<Generator> {
        let margins: Vec<f64> = (0..self.x.len()).map(|i| self.margin(i)).collect();
        let gamma = margins.iter().copied().fold(f64::INFINITY, f64::min);
        let mut all = Vec::new();
        for k in (0..self.x.len()).filter(|k| margins[*k] <= (1.0 + delta) * gamma + 1e-12) {
            let choices = |j: usize| match (self.near(k, j), self.z(k, j) > 0) {
                (true, _) => vec![self.alpha(), 1.0],
                (false, true) => vec![1.0],
                (false, false) => vec![self.alpha()],
            };
            let mut patterns = vec![vec![]];
            for j in 0..self.w.len() {
                let longer = |p: &Vec<f64>| {
                    choices(j).into_iter().map(|s| [&p[..], &[s]].concat()).collect::<Vec<_>>()
                };
                patterns = patterns.iter().flat_map(longer).collect();
            }
            for slopes in patterns {
                let y = self.y[k] as f64;
                let inner = (0..self.w.len())
                    .flat_map(|j| self.x[k].map(|x| y * self.v[j] as f64 * slopes[j] * x as f64));
                let outer = (0..self.w.len()).map(|j| y * self.sigma(k, j));
                all.push(Generator { k, g: inner.chain(outer).collect(), slopes });
            }
        }
        all
    }

    fn problem(&self) -> Problem {
        let pairs = |rows: &[[i64; 2]]| {
            rows.iter().map(|r| format!("{} {}", r[0], r[1])).collect::<Vec<_>>().join("; ")
        };
        let v = self.v.iter().map(i64::to_string).collect::<Vec<_>>().join(" ");
        problem(
            &format!("{{\"leaky_relu\": \"{}/4\"}}", self.slope),
            &[&pairs(&self.w), &v],
            &pairs(&self.x),
            &self.y,
        )
    }
}

fn tiny() -> impl Strategy<Value = Tiny> {
    let pair = || [-3i64..=3, -3i64..=3];
    (1usize..4, 1usize..4, 0i64..=4).prop_flat_map(move |(width, count, slope)| {
        let w = prop::collection::vec(pair(), width);
        let v = prop::collection::vec(-3i64..=3, width);
        (w, v, prop::collection::vec(pair(), count)).prop_map(move |(w, v, x)| {
            let mut tiny = Tiny { slope, w, v, y: vec![1; x.len()], x };
            tiny.y = (0..tiny.x.len()).map(|i| if tiny.margin(i) < 0.0 { -1 } else { 1 }).collect();
            tiny
        })
    })
}

/// Non-negative least squares by coordinate descent: coefficients and the residual vector.
fn project(theta: &[f64], generators: &[Generator]) -> (Vec<f64>, Vec<f64>) {
    let mut c = vec![0.0; generators.len()];
    let mut rho = theta.to_vec();
    for _ in 0..3000 {
        for (c, generator) in c.iter_mut().zip(generators) {
            let square = dot(&generator.g, &generator.g);
            if square > 0.0 {
                let next = (*c + dot(&rho, &generator.g) / square).max(0.0);
                rho.iter_mut().zip(&generator.g).for_each(|(r, g)| *r -= (next - *c) * g);
                *c = next;
            }
        }
    }
    (c, rho)
}

fn number(value: f64) -> Number {
    Number(Rational::from_float(value).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, max_global_rejects: 100_000, ..Default::default() })]

    /// Witnesses from a brute-force projection are accepted, and no accepted bracket misses the
    /// brute-force distance, whatever is changed in the witness or the claim.
    #[test]
    fn accepted_brackets_hold_the_distance(
        tiny in tiny(),
        delta in prop::sample::select(vec![0.0, 0.5]),
        change in (any::<prop::sample::Index>(), -1.0f64..1.0, 0.0f64..1.0),
    ) {
        prop_assume!(tiny.x.iter().all(|x| *x != [0, 0]));
        let p = tiny.problem();
        prop_assume!(p.gamma().is_ok());
        let theta = tiny.theta();
        let norm = dot(&theta, &theta).sqrt();
        let generators = tiny.generators(delta);
        let (c, rho) = project(&theta, &generators);
        let distance = dot(&rho, &rho).sqrt() / norm;

        // λ and μ of the projection, rounded so that αλ ≤ μ ≤ λ stays true.
        let grid = |v: f64| (v * 4096.0).round() / 4096.0;
        let mut lambda: Vec<(usize, f64)> = Vec::new();
        let mut mu: Vec<(usize, usize, f64)> = Vec::new();
        for k in 0..tiny.x.len() {
            let own = || generators.iter().zip(&c).filter(move |(g, _)| g.k == k);
            if own().next().is_none() { continue; }
            let l = grid(own().map(|(_, c)| c).sum());
            lambda.push((k, l));
            for j in (0..tiny.w.len()).filter(|j| tiny.near(k, *j)) {
                let m: f64 = own().map(|(g, c)| c * g.slopes[j]).sum();
                mu.push((k, j, grid(m).clamp(tiny.alpha() * l, l)));
            }
        }
        // d = ρ − τθ, τ just large enough for every gradient.
        let needed = |g: &Generator| dot(&g.g, &rho) / dot(&g.g, &theta);
        let tau = generators.iter().map(needed).fold(0.0, f64::max) + 1e-7;
        let d: Vec<f64> = rho.iter().zip(&theta).map(|(r, t)| r - tau * t).collect();
        let (w, v) = d.split_at(2 * tiny.w.len());
        let lo = (dot(&theta, &d) / (norm * dot(&d, &d).sqrt()) - 1e-9).max(0.0);
        let witness = KktResidual {
            lambda: lambda.iter().map(|(k, l)| (*k, number(*l))).collect(),
            mu: mu.iter().map(|(k, j, m)| (*k, *j, number(*m))).collect(),
            direction: Some(vec![w.iter().map(|v| number(*v)).collect(), v.iter().map(|v| number(*v)).collect()]),
        };
        let claim = |lo: f64, hi: f64| Claim::KktResidual {
            scope: maxmargin_kernel::claim::Scope::All,
            lo: number(lo), hi: number(hi), delta: number(delta), epsilon: n("1/10"),
        };
        let slack = 0.02 * (1.0 + lambda.iter().map(|(_, l)| *l).fold(0.0, f64::max));
        let hi = distance + slack;
        // Near distance 0 the direction is noise; the lower bound is then 0.
        let lo = if distance > 1e-3 { lo } else { 0.0 };
        prop_assert_eq!(witness.check(&p, &claim(lo, hi)), Ok(()));
        prop_assert!(lo <= distance + 1e-6 && distance <= hi + 1e-6);
        if distance > 1e-3 {
            prop_assert!(distance - lo < 1e-2, "{} {}", lo, distance);
        }

        // Sharper claims and other witnesses: accepted only if still true.
        let (at, by, share) = change;
        let mut other = witness.clone();
        if let Some(direction) = &mut other.direction {
            let at = at.index(direction[0].len());
            direction[0][at].0 += number(by).0;
        }
        if !other.lambda.is_empty() {
            let at = at.index(other.lambda.len());
            other.lambda[at].1.0 += number(by).0;
        }
        for witness in [&witness, &other] {
            for (lo, hi) in [(lo + (1.0 - lo) * share, 1.0 + slack), (0.0, distance * share), (lo, hi), (lo + share * 1e-2, hi)] {
                let holds = lo <= distance + 1e-5 && distance <= hi + 1e-3;
                prop_assert!(witness.check(&p, &claim(lo, hi)).is_err() || holds, "{} {} {}", lo, distance, hi);
            }
        }
    }
}
