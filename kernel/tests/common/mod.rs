//! What the tests of the rules share: short ways to write problems, claims and witnesses, and the
//! points on which the rules are tried.
#![allow(dead_code, unreachable_pub, reason = "every test file uses some of these")]

pub mod small;
pub mod tree;

use maxmargin_kernel::claim::{Claim, Number, Region, Scope};
use maxmargin_kernel::network::{NetworkJson, NotTwoLayer};
use maxmargin_kernel::number::{Rational, parse_rational};
use maxmargin_kernel::problem::{DataJson, NotClassified, Problem};
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::cover::{Close, Empty, Node, Split, Tighten, Units};
use maxmargin_kernel::proof::dual_bound::{Cone, Cover, DualBound, Multipliers};

/// A rational from its text.
pub fn q(text: &str) -> Rational {
    parse_rational(text).unwrap()
}

/// A number of a claim or witness.
pub fn n(text: &str) -> Number {
    Number(q(text))
}

/// `[[a, b], …]` from rows of blank-separated numbers; `.` is a structural zero.
fn rows(text: &str) -> Vec<Vec<Option<String>>> {
    let entry = |t: &str| (t != ".").then(|| t.to_string());
    text.split(';').map(|row| row.split_whitespace().map(entry).collect()).collect()
}

/// A network: activation as in files (`"relu"` in quotes), layers as `"0 2; . 0"`.
pub fn network(activation: &str, layers: &[&str]) -> NetworkJson {
    let layers: Vec<_> = layers.iter().map(|l| serde_json::json!({ "weights": rows(l) })).collect();
    let activation: serde_json::Value = serde_json::from_str(activation).unwrap();
    serde_json::from_value(serde_json::json!({"activation": activation, "layers": layers})).unwrap()
}

/// Data from samples as `"1 1/4; -1 1/4"`.
pub fn data(samples: &str, labels: &[i64]) -> DataJson {
    let x = rows(samples).into_iter().map(|r| r.into_iter().flatten().collect()).collect();
    DataJson { x, y: labels.to_vec() }
}

/// A problem from the two.
pub fn problem_of(network: &NetworkJson, data: &DataJson) -> Problem {
    Problem::new(network.to_network().unwrap(), data.to_data().unwrap()).unwrap()
}

/// A problem in short hand.
pub fn problem(activation: &str, layers: &[&str], samples: &str, labels: &[i64]) -> Problem {
    problem_of(&network(activation, layers), &data(samples, labels))
}

/// ReLU.
pub const RELU: &str = "\"relu\"";
/// The identity.
pub const LINEAR: &str = "\"linear\"";

/// Two samples left and right of the vertical axis, and neurons that look straight up: locally
/// optimal with ν = 1/8, while (±1, 0) gives 1/4.
pub fn fixture_e() -> Problem {
    problem(RELU, &["0 1; 0 1", "1 1"], "1 1/4; -1 1/4", &[1, 1])
}

/// The claim `ν ≤ bound` over a region.
pub fn at_most(region: &str, bound: &str) -> Claim {
    let region: Region = region.parse().unwrap();
    Claim::MarginAtMost { scope: Scope::All, region, bound: n(bound) }
}

/// The claim that `ν ≥ bound` is attained in a region.
pub fn at_least(region: &str, bound: &str) -> Claim {
    let region: Region = region.parse().unwrap();
    Claim::MarginAtLeast { scope: Scope::All, region, bound: n(bound) }
}

/// The claim `lo ≤ dist(θ, C)/|θ| ≤ hi`.
pub fn residual(lo: &str, hi: &str, delta: &str, epsilon: &str) -> Claim {
    let (lo, hi, delta, epsilon) = (n(lo), n(hi), n(delta), n(epsilon));
    Claim::KktResidual { scope: Scope::All, lo, hi, delta, epsilon }
}

/// The same claim about layer 1 alone.
pub fn in_layer_1(claim: Claim) -> Claim {
    let mut json = serde_json::to_value(claim).unwrap();
    json["scope"] = "layer:1".into();
    serde_json::from_value(json).unwrap()
}

/// Units from their texts.
pub fn units(a: &str, z: &str, tau: &str) -> Units {
    Units { a: n(a), z: n(z), tau: n(tau), x: None }
}

/// A closing leaf.
pub fn close(a: &[i64]) -> Node {
    Node::Close(Close { close: a.to_vec(), times: 1 })
}

/// A branching.
pub fn split(item: usize) -> Node {
    Node::Split(Split { split: item })
}

/// A leaf with an empty range.
pub fn empty(item: usize) -> Node {
    Node::Empty(Empty { empty: item })
}

/// A round.
pub fn tighten(a: &[i64], upper: &[(usize, i64, i64)], lower: &[(usize, i64, i64)]) -> Node {
    Node::Tighten(Tighten {
        tighten: a.to_vec(),
        times: 1,
        upper: upper.to_vec(),
        lower: lower.to_vec(),
    })
}

/// A cone over all inputs.
pub fn cone(sign: i8, fixed: &[(usize, i8)]) -> Cone {
    Cone { sign, inputs: None, fixed: fixed.to_vec() }
}

/// A dual bound with unit 1 for λ and 1/1000 for ranges and τ.
pub fn dual(lambda: &[(usize, i64)], covers: Vec<(Cone, Vec<Node>)>) -> DualBound {
    dual_in(units("1", "1/1000", "1/1000"), lambda, covers)
}

/// A dual bound in other units.
pub fn dual_in(units: Units, lambda: &[(usize, i64)], covers: Vec<(Cone, Vec<Node>)>) -> DualBound {
    let cover =
        |(cone, nodes): (Cone, Vec<Node>)| Cover { cone, nodes: nodes.into_iter().collect() };
    let covers = covers.into_iter().map(cover).collect();
    DualBound { multipliers: Multipliers { units, lambda: lambda.to_vec() }, covers }
}

/// Refusals every rule has in common: claims of another kind, scope `layer:1`, and a point that
/// does not classify its data. `own` is a claim of the rule's kind.
pub fn refuses_foreign_claims(
    rule: &'static str,
    foreign: &[Claim],
    own: Claim,
    check: impl Fn(&Problem, &Claim) -> Result<(), Refusal>,
) {
    let p = fixture_e();
    for claim in foreign {
        let kind = claim.kind();
        assert_ne!(kind, own.kind());
        assert_eq!(check(&p, claim), Err(Refusal::WrongClaim { rule, kind }));
    }
    let layer = check(&p, &in_layer_1(own.clone()));
    assert_eq!(layer, Err(Refusal::Scope { rule, scope: Scope::Layer(1) }));
    let wrong = problem(RELU, &["0 1; 0 1", "1 1"], "1 1/4; -1 1/4", &[1, -1]);
    let refused = check(&wrong, &own);
    let expected = NotClassified { sample: 1, margin: q("-1/2") };
    assert_eq!(refused, Err(Refusal::NotClassified(expected)));
}

/// Two patches (3, −1) and (−1, 3) under one shared filter, one output weight per patch.
pub fn fixture_f() -> Problem {
    let network = serde_json::json!({"activation": "relu", "layers": [
        {"parameters": ["1", "1"], "pattern": [[0, 1, null, null], [null, null, 0, 1]]},
        {"weights": [["1", "1"]]},
    ]});
    problem_of(&serde_json::from_value(network).unwrap(), &data("3 -1 -1 3", &[1]))
}

/// Three neurons whose `near:0` would hold a far better point if output weights could change sign:
/// margins 19/5 and 84/5, bound 2/9 of the region.
pub fn fixed_output_signs() -> Problem {
    problem(RELU, &["4 4; -2 4; 2 -1", "1 -4 -1/10"], "1 0; -3/5 4/5", &[1, -1])
}

/// Points for which the two-layer regions do not exist, with the reason.
pub fn not_two_layer() -> Vec<(Problem, NotTwoLayer)> {
    vec![
        (problem(LINEAR, &["3 4"], "3 4", &[1]), NotTwoLayer::Depth(1)),
        (problem(RELU, &["1 0", "1", "1"], "3 4", &[1]), NotTwoLayer::Depth(3)),
        (fixture_f(), NotTwoLayer::Sharing),
        (problem(RELU, &["1 0", "1; -1"], "3 4", &[0]), NotTwoLayer::Outputs(2)),
    ]
}

/// Diagonal linear, x = (1, 1), all weights 1: globally optimal, ν = 1/2.
pub fn fixture_c() -> Problem {
    problem(LINEAR, &["1 .; . 1", "1 1"], "1 1", &[1])
}

/// Fully connected ReLU, x = (±12/13, 5/13), w_j = x_j: globally optimal, ν = 1/4.
pub fn fixture_i() -> Problem {
    let x = "12/13 5/13; -12/13 5/13";
    problem(RELU, &[x, "1 1"], x, &[1, 1])
}

/// Its proof with T = 1: leaves ++ 100/169, +− 1, −+ 1, −− 0, and one for −g.
pub fn dual_i() -> DualBound {
    let leaves = [close(&[1, 1]), close(&[1, 0]), close(&[0, 1]), close(&[0, 0])];
    let [pp, pm, mp, mm] = leaves;
    let plus = vec![split(0), split(1), pp, pm, split(1), mp, mm];
    dual(&[(0, 1), (1, 1)], vec![(cone(1, &[]), plus), (cone(-1, &[]), vec![close(&[0, 0])])])
}

/// Two neurons of opposite output sign, each at a kink of the other's sample: globally optimal,
/// ν = 1/5, with slopes 3/5 at both kinks.
pub fn fixture_j() -> Problem {
    problem(RELU, &["1 0; -3/5 4/5", "1 -1"], "4/5 3/5; 0 1", &[1, -1])
}

/// The cell of neuron 0 is the half-line w ∝ (0, 1): {w·x₁ ≤ 0, w·x₂ ≤ 0} with x₂ = −x₁. ν = 1/8.
pub fn frozen_line() -> Problem {
    problem(RELU, &["0 1; 1 -1; -1 -1", "1 1 1"], "0 1; 1 0; -1 0", &[1, 1, 1])
}

/// One sample at cosine 1/100 from the kink of the one neuron: ⟨g,θ⟩ is 1/10 at slope 0, 1/5 at 1.
pub fn near_kink() -> Problem {
    problem(RELU, &["10 -9/10", "1"], "1/10 1", &[1])
}
