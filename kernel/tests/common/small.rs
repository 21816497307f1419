//! Small good certificates, one per thing a rule can prove: the originals of the rejected ones.
#![allow(dead_code, unreachable_pub, reason = "shared by tests and the example that writes them")]

use super::*;
use maxmargin_kernel::certificate::{Certificate, Entry, ProblemEntry, Proof};
use maxmargin_kernel::proof::cover::Quadratic;
use maxmargin_kernel::proof::kkt_residual::KktResidual;
use maxmargin_kernel::proof::norm_bound::NormBound;
use maxmargin_kernel::proof::point::Point;

/// One line of JSON.
pub fn text(problem: &Problem, claims: Vec<(Claim, Proof)>) -> String {
    let claims = claims.into_iter().map(|(claim, proof)| Entry { claim, proof }).collect();
    let certificate = Certificate::new(ProblemEntry::new(problem, true), claims);
    serde_json::to_string(&certificate).unwrap() + "\n"
}

/// Parameters of another point, one text per layer.
pub fn point_at(layers: &[&str]) -> Proof {
    let list = |l: &&str| l.split_whitespace().map(n).collect();
    Proof::Point(Point { parameters: Some(layers.iter().map(list).collect()), network: None })
}

/// A network of another width.
pub fn point_of(network: NetworkJson) -> Proof {
    Proof::Point(Point { parameters: None, network: Some(network) })
}

/// θ itself.
pub fn theta() -> Proof {
    Proof::Point(Point::default())
}

pub fn norm_bound(samples: &[usize]) -> Proof {
    Proof::NormBound(NormBound { samples: samples.to_vec() })
}

/// λ, μ, and a direction by layers (empty: none).
pub fn kkt(lambda: &[(usize, &str)], mu: &[(usize, usize, &str)], direction: &[&str]) -> Proof {
    let list = |l: &&str| l.split_whitespace().map(n).collect();
    Proof::KktResidual(KktResidual {
        lambda: lambda.iter().map(|(k, l)| (*k, n(l))).collect(),
        mu: mu.iter().map(|(k, j, m)| (*k, *j, n(m))).collect(),
        direction: (!direction.is_empty()).then(|| direction.iter().map(list).collect()),
    })
}

/// Three samples with frozen signs, on a line for neuron 0: a true bound of the cell.
pub fn dual_frozen(leaf: Node) -> DualBound {
    let covers = vec![
        (cone(1, &[(0, 1), (1, -1), (2, -1)]), vec![leaf]),
        (cone(1, &[(0, -1), (1, 1), (2, -1)]), vec![close(&[0, 0, 0])]),
        (cone(1, &[(0, -1), (1, -1), (2, 1)]), vec![close(&[0, 0, 0])]),
    ];
    dual(&[(0, 1)], covers)
}

/// The covers of [`fixed_output_signs`].
pub fn dual_output_signs() -> DualBound {
    let covers = vec![
        (cone(1, &[(0, 1), (1, 1)]), vec![close(&[5, 3])]),
        (cone(-1, &[(0, -1), (1, 1)]), vec![close(&[0, 4])]),
        (cone(-1, &[(0, 1), (1, -1)]), vec![close(&[0, 0])]),
    ];
    dual_in(units("1/4", "1/1000", "1/1000"), &[(0, 5), (1, 4)], covers)
}

/// σ(w₁) + σ(w₂) ≤ √2 in one leaf: σ(z) ≤ z/2 + βz² + 1/(16β), best at β = √2/4.
pub fn axes_by_a_quadratic() -> DualBound {
    let leaf = Node::Quadratic(Quadratic {
        quadratic: vec![500, 500],
        times: 1000,
        roots: vec![(0, 60), (1, 60)],
        kappa: 528_960,
    });
    let covers = vec![(cone(1, &[]), vec![leaf]), (cone(-1, &[]), vec![close(&[0, 0])])];
    dual_in(units("1e-6", "1/100", "1"), &[(0, 1_000_000), (1, 1_000_000)], covers)
}

/// x = 1/3 rounded to 333/1000: T = 0.334 pays for the rounding.
pub fn third_rounded() -> DualBound {
    let nodes = vec![split(0), close(&[1]), close(&[0])];
    let mut proof =
        dual(&[(0, 1)], vec![(cone(1, &[]), nodes), (cone(-1, &[]), vec![close(&[0])])]);
    proof.multipliers.units.x = Some(n("1/1000"));
    proof
}

/// Name and text.
pub fn small() -> Vec<(&'static str, String)> {
    let proved = |problem: &Problem, claims: Vec<(Claim, Proof)>| text(problem, claims);
    let e = fixture_e();
    let near = dual(&[(0, 2), (1, 2)], vec![(cone(1, &[(0, 1), (1, 1)]), vec![close(&[2, 2])])]);
    let support = |input, sign: i8| {
        let cone = Cone { sign, inputs: Some(vec![input]), fixed: vec![] };
        (cone, vec![close(&[sign.into()])])
    };
    let supports = vec![support(0, 1), support(0, -1), support(1, 1), support(1, -1)];
    let j_covers = vec![
        (cone(1, &[]), vec![split(0), close(&[5, -3]), close(&[0, 0])]),
        (cone(-1, &[]), vec![split(1), close(&[-3, 5]), close(&[0, 0])]),
    ];
    let j = dual_in(units("1/4", "1/1000", "1/1000"), &[(0, 5), (1, 5)], j_covers);
    let one = problem(RELU, &["1 0", "1"], "1 0", &[1]);
    let round = vec![tighten(&[1], &[], &[(0, 1000, 1500)]), empty(0)];
    let on_axes = problem(RELU, &["1 .; . 1", "1 1"], "1 0; 0 1", &[1, 1]);
    let axis = |input: usize, fixed: [(usize, i8); 2], a: [i64; 2]| {
        (Cone { sign: 1, inputs: Some(vec![input]), fixed: fixed.to_vec() }, vec![close(&a)])
    };
    let axes = dual(
        &[(0, 1), (1, 1)],
        vec![axis(0, [(0, 1), (1, -1)], [1, 0]), axis(1, [(0, -1), (1, 1)], [0, 1])],
    );
    let a3 = problem(RELU, &["0 2; 0 0", "2 0; 0 0", "2 0"], "1 1/4; -1 1/4", &[1, 1]);
    let classes = problem(LINEAR, &["1; -1"], "1", &[0]);
    vec![
        (
            "e_cell_and_near",
            proved(
                &e,
                vec![
                    (at_most("near:0", "1/8"), Proof::DualBound(near.clone())),
                    (at_most("cell", "1/8"), Proof::DualBound(near)),
                ],
            ),
        ),
        (
            "e_points",
            proved(
                &e,
                vec![
                    (at_least("cell", "1/8"), theta()),
                    (at_least("everywhere", "1/4"), point_at(&["1 0 -1 0", "1 1"])),
                ],
            ),
        ),
        (
            "e_kkt",
            proved(&e, vec![(residual("0", "0", "0", "0"), kkt(&[(0, "2"), (1, "2")], &[], &[]))]),
        ),
        (
            "i_global",
            proved(
                &fixture_i(),
                vec![
                    (at_most("any_width", "1/4"), Proof::DualBound(dual_i())),
                    (at_least("any_width", "1/4"), theta()),
                ],
            ),
        ),
        (
            "j_concave_kinks",
            proved(
                &fixture_j(),
                vec![
                    (at_most("everywhere", "1/5"), Proof::DualBound(j)),
                    (
                        residual("0", "0", "0", "0"),
                        kkt(&[(0, "5/4"), (1, "5/4")], &[(0, 1, "3/4"), (1, 0, "3/4")], &[]),
                    ),
                ],
            ),
        ),
        (
            "c_two_supports",
            proved(
                &fixture_c(),
                vec![
                    (at_most("any_width", "1/2"), Proof::DualBound(dual(&[(0, 1)], supports))),
                    (at_least("any_width", "1/2"), point_of(network(LINEAR, &["1 .", "1"]))),
                ],
            ),
        ),
        (
            "f_norm_with_sharing",
            proved(&fixture_f(), vec![(at_most("everywhere", "3.1623"), norm_bound(&[0]))]),
        ),
        (
            "classes_norm",
            proved(&classes, vec![(at_most("everywhere", "1.4143"), norm_bound(&[0]))]),
        ),
        (
            "near_kink_residual",
            proved(
                &near_kink(),
                vec![(
                    residual("0.99", "0.996", "0", "1/50"),
                    kkt(&[(0, "10")], &[(0, 0, "0.099")], &["9.9901 -0.999", "-1/1000"]),
                )],
            ),
        ),
        (
            "output_signs",
            proved(
                &fixed_output_signs(),
                vec![
                    (at_most("near:0", "2/9"), Proof::DualBound(dual_output_signs())),
                    (at_least("everywhere", "1/4"), point_at(&["0 0 -3/5 4/5 1 0", "0 -1 1"])),
                ],
            ),
        ),
        (
            "frozen_line",
            proved(
                &frozen_line(),
                vec![(at_most("cell", "1/2"), Proof::DualBound(dual_frozen(close(&[1, 0, 0]))))],
            ),
        ),
        (
            "round_and_empty_range",
            proved(
                &one,
                vec![(
                    at_most("cell", "3/4"),
                    Proof::DualBound(dual(&[(0, 1)], vec![(cone(1, &[(0, 1)]), round)])),
                )],
            ),
        ),
        (
            "zero_on_some_inputs",
            proved(&on_axes, vec![(at_most("cell", "1/4"), Proof::DualBound(axes))]),
        ),
        (
            "axes_by_a_quadratic",
            proved(
                &problem(RELU, &["1 0; 0 1", "1 1"], "1 0; 0 1", &[1, 1]),
                vec![(at_most("any_width", "0.35365"), Proof::DualBound(axes_by_a_quadratic()))],
            ),
        ),
        (
            "third_rounded",
            proved(
                &problem(RELU, &["1", "1"], "1/3", &[1]),
                vec![(at_most("any_width", "0.167"), Proof::DualBound(third_rounded()))],
            ),
        ),
        (
            "depth_three",
            proved(
                &a3,
                vec![
                    (at_least("everywhere", "0.0481125"), theta()),
                    (at_most("everywhere", "0.1984"), norm_bound(&[0])),
                ],
            ),
        ),
    ]
}
