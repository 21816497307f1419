//! Points on which the paper's questions are decided exactly, curves, and random tiny problems.
//!
//! G. Vardi, O. Shamir, N. Srebro, *On Margin Maximization in Linear and ReLU Networks*, 2022. The
//! points are constructions in the sense of its theorems, named by what they show.
#![allow(dead_code, unreachable_pub, reason = "every test file uses some of these")]

use crate::common::*;
use maxmargin_kernel::claim::{Claim, Number, Scope};
use maxmargin_kernel::network::{Network, NetworkJson};
use maxmargin_kernel::number::{Rational, ScaledVec, compare};
use maxmargin_kernel::problem::{NotClassified, Problem};
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::descent::Descent;
use maxmargin_kernel::proof::moves::Moves;

pub fn kkt(scope: &str) -> Claim {
    Claim::Kkt { scope: scope.parse().unwrap() }
}

pub fn not_kkt(scope: &str) -> Claim {
    Claim::NotKkt { scope: scope.parse().unwrap() }
}

pub fn not_local(scope: &str) -> Claim {
    Claim::NotLocalOptimum { scope: scope.parse().unwrap() }
}

pub fn not_global(scope: &str) -> Claim {
    Claim::NotGlobalOptimum { scope: scope.parse().unwrap() }
}

/// `"0: 0 -1/4; 1: 0 -1/2"` per layer: coordinates with their coefficients from ε¹.
pub fn moves(layers: &[&str]) -> Moves {
    let coordinate = |text: &str| {
        let (index, list) = text.split_once(':').unwrap();
        (index.trim().parse().unwrap(), list.split_whitespace().map(n).collect())
    };
    let layer = |l: &&str| l.split(';').filter(|t| !t.trim().is_empty()).map(coordinate).collect();
    layers.iter().map(layer).collect()
}

/// Fully connected ReLU 2-2-1; neuron 1 is dead.
pub fn fixture_a() -> Problem {
    problem(RELU, &["0 2; 0 0", "2 0"], "1 1/4; -1 1/4", &[1, 1])
}

/// Its way out.
pub fn curve_a() -> Moves {
    moves(&["0: 0 -1/4 0 -1/16; 1: 0 -1/2; 2: 11/10", "0: 0 -1/2; 1: 1"])
}

/// The same at depth 3.
pub fn fixture_a3() -> Problem {
    problem(RELU, &["0 2; 0 0", "2 0; 0 0", "2 0"], "1 1/4; -1 1/4", &[1, 1])
}

/// Its way out: the dead unit of layer 1 joins the live one of layer 2.
pub fn curve_a3() -> Moves {
    moves(&["0: 0 -9/40 0 -1/10; 1: 0 -3/10; 2: 1", "0: 0 -3/10; 1: 1", "0: 0 -3/10"])
}

/// Diagonal 2-2-1 with a zero neuron.
pub fn fixture_b(activation: &str) -> Problem {
    problem(activation, &["1 .; . 0", "1 0"], "1 2", &[1])
}

pub fn curve_b() -> Moves {
    moves(&["0: 0 -1; 1: 1", "0: 0 -1; 1: 1"])
}

/// ReLU with weights that are not zero but zero inputs: each neuron at a kink of the other's sample.
pub fn fixture_d() -> Problem {
    problem(RELU, &["1 0; 0 1", "1 1"], "1 0; 0 1", &[1, 1])
}

pub fn curve_d() -> Moves {
    moves(&["1: 1; 3: -1/2", "1: -1/2"])
}

/// The same at depth 3.
pub fn fixture_d3() -> Problem {
    problem(RELU, &["1 0; 0 1", "1 0; 0 1", "1 1"], "1 0; 0 1", &[1, 1])
}

/// E at depth 3, the second layer diagonal.
pub fn fixture_e3() -> Problem {
    problem(RELU, &["0 1; 0 1", "1 .; . 1", "1 1"], "1 1/4; -1 1/4", &[1, 1])
}

/// Two patches (3, −1), (−1, 3) under one filter.
pub fn fixture_f_with(activation: &str) -> Problem {
    let text = format!(
        r#"{{"activation": {activation}, "layers": [{{"parameters": ["1", "1"], "pattern": [[0, 1, null, null], [null, null, 0, 1]]}}, {{"weights": [["1", "1"]]}}]}}"#
    );
    problem_of(&serde_json::from_str(&text).unwrap(), &data("3 -1 -1 3", &[1]))
}

/// Both vectors (1 − ½ε²)(1 ± ε).
pub fn curve_f() -> Moves {
    let both = "0: 1 -1/2 -1/2; 1: -1 -1/2 1/2";
    moves(&[both, both])
}

/// Depth 3, diagonal, all weights 1.
pub fn fixture_g(activation: &str) -> Problem {
    problem(activation, &["1 .; . 1", "1 .; . 1", "1 1"], "1 1", &[1])
}

/// Every layer (1 − ¾ε²)(1 + ε, 1 − ε).
pub fn curve_g() -> Moves {
    let every = "0: 1 -3/4 -3/4; 1: -1 -3/4 3/4";
    moves(&[every, every, every])
}

/// Fully connected linear, depth 3.
pub fn fixture_h() -> Problem {
    let layers = ["3/5 4/5; 0 0", "1 0; 0 0", "1 0"];
    problem(LINEAR, &layers, "4 0; 0 -3", &[1, -1])
}

/// Two concave kinks, stationary with slopes 3/5 only.
pub fn fixture_two_concave_kinks() -> Problem {
    problem(RELU, &["1 0; -3/5 4/5", "1 -1"], "4/5 3/5; 0 1", &[1, -1])
}

/// Three classes, linear: KKT with all neurons alive and without kinks, and yet not local.
pub fn fixture_three_classes() -> Problem {
    let layers = ["1 1 0; 1 1 0", "1 1; -1 -1; 0 0"];
    problem(LINEAR, &layers, "1 1 2; -1 -1 2", &[0, 1])
}

/// `f = 1 − ε²/4`, `W = (f, f, ±ε/2)`, `V_j = (f ± ε/2, −f ± ε/2, ∓ε)`.
pub fn curve_three_classes() -> Moves {
    moves(&[
        "0: 0 -1/4; 1: 0 -1/4; 2: 1/2; 3: 0 -1/4; 4: 0 -1/4; 5: -1/2",
        "0: 1/2 -1/4; 1: -1/2 -1/4; 2: 1/2 1/4; 3: -1/2 1/4; 4: -1; 5: 1",
    ])
}

/// One filter w = 0 on the patches p and −p with output weights 1 and −1: `σ(w·p) − σ(−w·p)` is
/// smooth with gradient (1+α)p, so layer 1 is not stationary; independent slopes would say it is.
pub fn fixture_opposite_patches(activation: &str) -> Problem {
    let text = format!(
        r#"{{"activation": {activation}, "layers": [{{"parameters": ["0", "0", "1"], "pattern": [[0, 1, null, null, null], [null, null, 0, 1, null], [null, null, null, null, 2]]}}, {{"weights": [["1", "-1", "1"]]}}]}}"#
    );
    problem_of(&serde_json::from_str(&text).unwrap(), &data("1 2 -1 -2 1", &[1]))
}

/// What every rule about the point itself refuses: claims of another kind, a layer that does not
/// exist, and a point that does not classify its data, in every scope.
pub fn refuses_others(
    rule: &'static str,
    own: fn(&str) -> Claim,
    foreign: &[Claim],
    check: impl Fn(&Problem, &Claim) -> Result<(), Refusal>,
) {
    let p = fixture_e();
    for claim in foreign {
        let kind = claim.kind();
        assert_ne!(kind, own("all").kind());
        assert_eq!(check(&p, claim), Err(Refusal::WrongClaim { rule, kind }));
    }
    for layer in [0, 3, usize::MAX] {
        let claim = match own("all") {
            Claim::Kkt { .. } => Claim::Kkt { scope: Scope::Layer(layer) },
            Claim::NotKkt { .. } => Claim::NotKkt { scope: Scope::Layer(layer) },
            Claim::NotLocalOptimum { .. } => Claim::NotLocalOptimum { scope: Scope::Layer(layer) },
            _ => Claim::NotGlobalOptimum { scope: Scope::Layer(layer) },
        };
        assert_eq!(check(&p, &claim), Err(Refusal::NoSuchLayer { layer, depth: 2 }));
    }
    let layers = ["0 1; 0 1", "1 1"];
    for (labels, sample, margin) in [([1, -1], 1, "-1/2"), ([-1, 1], 0, "-1/2")] {
        let wrong = problem(RELU, &layers, "1 1/4; -1 1/4", &labels);
        let expected = NotClassified { sample, margin: q(margin) };
        for scope in ["all", "layer:1", "layer:2"] {
            let refused = check(&wrong, &own(scope));
            assert_eq!(refused, Err(Refusal::NotClassified(expected.clone())));
        }
    }
    // γ = 0.
    let zero = problem(RELU, &["0 0; 0 0", "1 1"], "1 1/4; -1 1/4", &[1, 1]);
    let expected = NotClassified { sample: 0, margin: q("0") };
    assert_eq!(check(&zero, &own("all")), Err(Refusal::NotClassified(expected)));
}

/// The network with its parameters moved to `θ(ε)`.
pub fn moved(network: &Network, moves: &Moves, epsilon: &Rational) -> Network {
    let layers = network.layers().iter().zip(moves).map(|(layer, list)| {
        let mut values = layer.parameters().to_rationals();
        for (i, coefficients) in list {
            let step = |sum: Rational, c: &Number| (sum + &c.0) * epsilon;
            values[*i] += coefficients.iter().rev().fold(Rational::default(), step);
        }
        layer.with_parameters(ScaledVec::from_rationals(&values)).unwrap()
    });
    Network::new(network.activation().clone(), layers.collect()).unwrap()
}

/// A reproducible source of small numbers (splitmix64).
pub struct Source(pub u64);

impl Source {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    /// From −2 to 2, often 0.
    pub fn small(&mut self) -> i64 {
        [-2, -1, 0, 0, 0, 1, 1, 2][self.below(8) as usize]
    }

    /// A random network of these widths: holes and sharing, weights often 0.
    pub fn network(&mut self, widths: &[usize], sharing: bool, slope: &str) -> NetworkJson {
        let layers: Vec<_> = widths
            .windows(2)
            .map(|w| {
                let (mut parameters, mut pattern) = (Vec::new(), vec![vec![None; w[0]]; w[1]]);
                for entry in pattern.iter_mut().flatten() {
                    match self.below(10) {
                        0 => {}
                        1..3 if sharing && !parameters.is_empty() => {
                            *entry = Some(self.below(parameters.len() as u64) as usize);
                        }
                        _ => {
                            *entry = Some(parameters.len());
                            parameters.push(self.small().to_string());
                        }
                    }
                }
                serde_json::json!({ "parameters": parameters, "pattern": pattern })
            })
            .collect();
        let json = serde_json::json!({"activation": {"leaky_relu": slope}, "layers": layers});
        serde_json::from_value(json).unwrap()
    }

    /// A random tiny problem that classifies its data, if this draw gives one.
    pub fn problem(&mut self, depth: usize, sharing: bool) -> Option<Problem> {
        let mut widths: Vec<usize> = (0..depth).map(|_| 1 + self.below(3) as usize).collect();
        widths.push(if self.below(4) == 0 { 3 } else { 1 });
        let slope = ["0", "0", "1/2", "1"][self.below(4) as usize];
        let network = self.network(&widths, sharing, slope).to_network().ok()?;
        let samples = 1 + self.below(3);
        let mut rows = Vec::new();
        for _ in 0..samples {
            rows.push((0..widths[0]).map(|_| q(&self.small().to_string())).collect::<Vec<_>>());
        }
        let label = |row: &Vec<Rational>| {
            let out = network.rational_model().forward(row).outputs();
            let best = (0..out.len()).max_by(|a, b| compare(&out[*a], &out[*b])).unwrap();
            if out.len() > 1 {
                best as i64
            } else if compare(&out[0], &q("0")).is_lt() {
                -1
            } else {
                1
            }
        };
        let labels: Vec<i64> = rows.iter().map(label).collect();
        let x = rows.iter().map(|r| r.iter().map(Rational::to_string).collect()).collect();
        let data = maxmargin_kernel::problem::DataJson { x, y: labels }.to_data().ok()?;
        Problem::new(network, data).ok().filter(|p| p.gamma().is_ok())
    }

    /// A random scope: `all` or a layer.
    pub fn scope(&mut self, depth: usize) -> String {
        match self.below(depth as u64 + 1) {
            0 => "all".to_string(),
            l => format!("layer:{l}"),
        }
    }

    /// A random direction in the scope.
    pub fn direction(&mut self, problem: &Problem, scope: &str) -> Descent {
        let mut direction = Vec::new();
        for (l, layer) in problem.network().layers().iter().enumerate() {
            let moves = scope == "all" || scope == format!("layer:{}", l + 1);
            let count = if moves { layer.parameters().len() } else { 0 };
            direction.push((0..count).map(|_| n(&self.small().to_string())).collect());
        }
        Descent { direction }
    }

    /// A random line in the scope that moves every coordinate.
    pub fn generic(&mut self, network: &Network, scope: &str) -> Moves {
        let mut moves = self.moves(network, scope);
        for (_, coefficients) in moves.iter_mut().flatten() {
            let sign = ["", "-"][self.below(2) as usize];
            *coefficients = vec![n(&format!("{sign}{}/7", 1 + self.below(20)))];
        }
        moves
    }

    /// A random curve in the scope.
    pub fn moves(&mut self, network: &Network, scope: &str) -> Moves {
        let mut all = Vec::new();
        for (l, layer) in network.layers().iter().enumerate() {
            let mut list = Vec::new();
            if scope == "all" || scope == format!("layer:{}", l + 1) {
                for i in 0..layer.parameters().len() {
                    let degree = self.below(4);
                    let c = (0..degree).map(|_| n(&format!("{}/2", self.small()))).collect();
                    list.push((i, c));
                }
            }
            all.push(list);
        }
        all
    }
}
