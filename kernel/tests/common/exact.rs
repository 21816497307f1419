//! What the tests of the rules about exact points share: claims, the points of the paper's map, and
//! a search for better networks that an accepted claim must survive.
#![allow(dead_code, unreachable_pub, reason = "every test file uses some of these")]

use super::common::{LINEAR, RELU, fixture_c, fixture_e, fixture_i, fixture_j, n, problem, q};
use maxmargin_kernel::claim::{Claim, Number, Scope};
use maxmargin_kernel::network::Network;
use maxmargin_kernel::number::{Rational, ScaledVec, compare};
use maxmargin_kernel::problem::Problem;
use num_traits::Signed;

pub fn scope(text: &str) -> Scope {
    text.parse().unwrap()
}

pub fn local(text: &str) -> Claim {
    Claim::LocalOptimum { scope: scope(text) }
}

pub fn global(text: &str) -> Claim {
    Claim::GlobalOptimum { scope: scope(text) }
}

/// `λ` on the first constraints, blank-separated; zeros are left out.
pub fn lambda(text: &str) -> Vec<(usize, Number)> {
    let all = text.split_whitespace().map(n).enumerate();
    all.filter(|(_, l)| l.0.is_positive() || l.0.is_negative()).collect()
}

/// Fully connected ReLU with a dead neuron, KKT and not local.
pub fn fixture_a() -> Problem {
    problem(RELU, &["0 2; 0 0", "2 0"], "1 1/4; -1 1/4", &[1, 1])
}

/// Diagonal with a dead neuron, not local.
pub fn fixture_b(activation: &str) -> Problem {
    problem(activation, &["1 .; . 0", "1 0"], "1 2", &[1])
}

/// Zero inputs to neurons: KKT with slopes 0, not local; layer 1 alone not local either.
pub fn fixture_d() -> Problem {
    problem(RELU, &["1 0; 0 1", "1 1"], "1 0; 0 1", &[1, 1])
}

/// The depth-3 form of it.
pub fn fixture_d3() -> Problem {
    problem(RELU, &["1 0; 0 1", "1 0; 0 1", "1 1"], "1 0; 0 1", &[1, 1])
}

/// The depth-3 form of E: every layer alone locally optimal.
pub fn fixture_e3() -> Problem {
    problem(RELU, &["0 1; 0 1", "1 .; . 1", "1 1"], "1 1/4; -1 1/4", &[1, 1])
}

/// Depth 3, diagonal, all weights 1: not local, every layer alone optimal.
pub fn fixture_g(activation: &str) -> Problem {
    problem(activation, &["1 .; . 1", "1 .; . 1", "1 1"], "1 1", &[1])
}

/// Fully connected linear, depth 3: global with λ = (3/20, 4/15).
pub fn fixture_h() -> Problem {
    problem(LINEAR, &["3/5 4/5; 0 0", "1 0; 0 0", "1 0"], "4 0; 0 -3", &[1, -1])
}

/// Three classes, linear: KKT and alive, not local; λ = ½ on constraints 1 and 3.
pub fn three_classes() -> Problem {
    problem(LINEAR, &["1 1 0; 1 1 0", "1 1; -1 -1; 0 0"], "1 1 2; -1 -1 2", &[0, 1])
}

/// Neurons on inputs {1, 2} as in E and a dead one on {3}; ν = 1/8, and 1/4 is possible.
pub fn dead_on_another_input() -> Problem {
    problem(RELU, &["0 1 .; 0 1 .; . . 0", "1 1 0"], "1 1/4 1/8; -1 1/4 1/8", &[1, 1])
}

/// Small pseudo-random numbers, the same in every run.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % bound
    }

    /// In [−1, 1], a multiple of 1/64.
    pub fn unit(&mut self) -> Rational {
        Rational::new((self.below(129) as i64 - 64).into(), 64.into())
    }
}

/// `γ` and the squared norm of the scope.
fn margin(problem: &Problem, scope: Scope) -> (Rational, Rational, usize) {
    let gamma = problem.gamma().map_or_else(|e| e.margin, Clone::clone);
    let network = problem.network();
    match scope {
        Scope::All => (gamma, network.norm_squared(), network.depth()),
        Scope::Layer(l) => (gamma, network.layers()[l - 1].parameters().norm_squared(), 1),
    }
}

/// Whether the second network has a larger normalised margin in this scope.
pub fn beats(problem: &Problem, other: &Problem, scope: Scope) -> bool {
    let ((g, norm, m), (h, other_norm, _)) = (margin(problem, scope), margin(other, scope));
    let power = |x: &Rational| (0..m).fold(q("1"), |p, _| p * x);
    h.is_positive() && compare(&(&h * &h * power(&norm)), &(&g * &g * power(&other_norm))).is_gt()
}

/// The problem with other parameters in the scope: `change` maps each of them.
pub fn change(
    problem: &Problem,
    scope: Scope,
    mut change: impl FnMut(Rational) -> Rational,
) -> Problem {
    let layers = problem.network().layers().iter().enumerate().map(|(l, layer)| {
        if scope != Scope::All && scope != Scope::Layer(l + 1) {
            return layer.clone();
        }
        let values: Vec<_> =
            layer.parameters().to_rationals().into_iter().map(&mut change).collect();
        layer.with_parameters(ScaledVec::from_rationals(&values)).unwrap()
    });
    let network = Network::new(problem.network().activation().clone(), layers.collect()).unwrap();
    Problem::new(network, problem.data().clone()).unwrap()
}

/// Some network nearby (or anywhere) that beats θ, if random search finds one. Nearby means so
/// close that for the points tried here no sign of a non-zero preactivation changes.
pub fn better(p: &Problem, scope: Scope, near: bool, seed: u64, count: usize) -> Option<Problem> {
    let mut random = Random(seed);
    (0..count).find_map(|round| {
        let size = Rational::new(1.into(), (1i64 << (8 + round % 12)).into());
        let sparse = random.below(3);
        let other = change(p, scope, |value| match random.below(3) < sparse {
            true if near => value,
            _ if near => value + random.unit() * &size,
            true => value,
            _ => random.unit() * Rational::from_integer(2.into()),
        });
        beats(p, &other, scope).then_some(other)
    })
}

/// Random search finds nothing better.
pub fn survives(p: &Problem, claim: &Claim) {
    let near = matches!(claim, Claim::LocalOptimum { .. });
    for seed in 0..3 {
        let found = better(p, claim.scope(), near, seed, 150);
        assert!(found.is_none(), "{claim:?}: {:?}", found.unwrap().network());
    }
}

/// Unit vectors with pairwise negative inner products, from Pythagorean triples.
pub const STARS: [&[(i64, i64, i64)]; 5] = [
    &[(3, 4, 5), (-4, -3, 5)],
    &[(1, 0, 1), (-5, 12, 13), (-3, -4, 5)],
    &[(8, 15, 17), (-12, 5, 13), (3, -4, 5)],
    &[(20, 21, 29), (-24, 7, 25), (3, -4, 5)],
    &[(7, -24, 25)],
];

/// A planted optimum: unit directions `a_j` with `a_i·a_j < 0`, neurons `w_j = t_j a_j`, `v_j = y_j t_j`, samples
/// `x_j = a_j/t_j²`; then γ = 1, `λ_j = t_j²`. Returns the problem and λ.
pub fn planted(star: usize, t: &[i64], y: &[bool]) -> (Problem, Vec<(usize, Number)>) {
    let star = STARS[star % STARS.len()];
    let label = |j: usize| if y[j] { 1 } else { -1 };
    let row = |(j, (a, b, c)): (usize, &(i64, i64, i64))| {
        format!(
            "{} {}",
            Rational::new((a * t[j]).into(), (*c).into()),
            Rational::new((b * t[j]).into(), (*c).into())
        )
    };
    let sample = |(j, (a, b, c)): (usize, &(i64, i64, i64))| {
        let d = c * t[j] * t[j];
        format!("{} {}", Rational::new((*a).into(), d.into()), Rational::new((*b).into(), d.into()))
    };
    let join = |rows: Vec<String>| rows.join("; ");
    let w = join(star.iter().enumerate().map(row).collect());
    let x = join(star.iter().enumerate().map(sample).collect());
    let v: Vec<_> = (0..star.len()).map(|j| (label(j) * t[j]).to_string()).collect();
    let labels: Vec<i64> = (0..star.len()).map(label).collect();
    let problem = problem(RELU, &[&w, &v.join(" ")], &x, &labels);
    let lambda = (0..star.len()).map(|j| (j, n(&(t[j] * t[j]).to_string()))).collect();
    (problem, lambda)
}

/// Name, problem, multipliers.
pub type Point = (&'static str, Problem, Vec<(usize, Number)>);

/// Every point of the map, with the multipliers of its KKT system.
pub fn points() -> Vec<Point> {
    vec![
        ("A", fixture_a(), lambda("2 2")),
        ("B", fixture_b(RELU), lambda("1")),
        ("B linear", fixture_b(LINEAR), lambda("1")),
        ("C", fixture_c(), lambda("1")),
        ("D", fixture_d(), lambda("1 1")),
        ("D3", fixture_d3(), lambda("1 1")),
        ("E", fixture_e(), lambda("2 2")),
        ("E3", fixture_e3(), lambda("2 2")),
        ("F", super::common::fixture_f(), lambda("1/2")),
        ("G", fixture_g(RELU), lambda("1")),
        ("G linear", fixture_g(LINEAR), lambda("1")),
        ("H", fixture_h(), lambda("3/20 4/15")),
        ("I", fixture_i(), lambda("1 1")),
        ("J", fixture_j(), lambda("5/4 5/4")),
    ]
}

/// The verdict on a certificate file with this one claim and proof, problem embedded.
pub fn in_a_file(
    p: &Problem,
    claim: &Claim,
    proof: maxmargin_kernel::certificate::Proof,
) -> Result<maxmargin_kernel::check::Report, maxmargin_kernel::check::Failure> {
    use maxmargin_kernel::certificate::{Certificate, Entry, ProblemEntry};
    let entry = Entry { claim: claim.clone(), proof };
    let file = Certificate::new(ProblemEntry::new(p, true), vec![entry]);
    let text = serde_json::to_vec(&file).unwrap();
    maxmargin_kernel::check::check(text.as_slice(), Some(p), Default::default())
}
