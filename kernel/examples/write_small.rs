//! Writes `certificates/small/` and `certificates/rejected/`: good certificates of a few lines, and
//! near misses of them, each with the exit code and the error that it must raise.
//!
//! `cargo run -p maxmargin-kernel --example write_small` from the root of the workspace.
#[path = "../tests/common/mod.rs"]
mod common;

use common::small::*;
use common::*;
use maxmargin_kernel::certificate::Proof;
use maxmargin_kernel::claim::{Claim, Number, Scope};
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::cover::Node;
use maxmargin_kernel::proof::curve::Curve;
use maxmargin_kernel::proof::descent::Descent;
use maxmargin_kernel::proof::dual_bound::{Cone, DualBound, Multipliers};
use maxmargin_kernel::proof::layer_cover::{LayerCover, LayerMultipliers};
use maxmargin_kernel::proof::stationarity::Stationarity;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

struct Rejected {
    name: &'static str,
    text: String,
    exit: u8,
    error: &'static str,
}

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../certificates");
    let (good, bad) = (root.join("small"), root.join("rejected"));
    fs::create_dir_all(&good)?;
    fs::create_dir_all(&bad)?;
    for (name, text) in small() {
        fs::write(good.join(format!("{name}.json")), text)?;
    }
    // Near misses that were written by hand, `rule_*`, keep the errors stated for them.
    let path = bad.join("expected.json");
    let stated: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(&fs::read_to_string(&path)?)?;
    let mut expected: BTreeMap<_, _> =
        stated.into_iter().filter(|(file, _)| file.starts_with("rule_")).collect();
    for Rejected { name, text, exit, error } in rejected() {
        let file = format!("{name}.json");
        fs::write(bad.join(&file), text)?;
        let entry = serde_json::json!({"exit": exit, "error": error});
        assert!(expected.insert(file, entry).is_none(), "{name} is there twice");
    }
    fs::write(path, serde_json::to_string_pretty(&expected)? + "\n")
}

/// A good certificate with one passage replaced.
fn edit(original: &str, from: &str, to: &str) -> String {
    let (_, text) = small().into_iter().find(|(name, _)| *name == original).unwrap();
    assert!(text.contains(from), "{original} has no {from}");
    text.replacen(from, to, 1)
}

fn rejected() -> Vec<Rejected> {
    let case = |name, exit, error, text: String| Rejected { name, text, exit, error };
    let mut list = format_cases();
    list.extend(cover_cases());
    list.extend(one_layer_cases());
    list.extend(nearby_cases());
    list.extend([
        case(
            "classes_without_root_of_two",
            1,
            "the claimed bound 1.000000000 is below the norm bound, about 1.414213562",
            edit("classes_norm", r#""bound":"14143/10000""#, r#""bound":"1""#),
        ),
        case(
            "sharing_counted_once",
            1,
            "is below the norm bound, about 3.162277660",
            edit("f_norm_with_sharing", r#""bound":"31623/10000""#, r#""bound":"2.2361""#),
        ),
        case(
            "any_width_from_shared_weights",
            1,
            "the norm bound with shared weights says nothing about `any_width`",
            edit("f_norm_with_sharing", r#""region":"everywhere""#, r#""region":"any_width""#),
        ),
        case(
            "norm_bound_of_a_lower_bound",
            1,
            "rule `norm_bound` does not prove claims of kind `margin_at_least`",
            edit("f_norm_with_sharing", "margin_at_most", "margin_at_least"),
        ),
        case(
            "residual_repaired_with_m_q_at_a_near_kink",
            1,
            "the direction has a positive product with a gradient of constraint 0",
            text(
                &near_kink(),
                vec![(residual("0.999", "1", "0", "1/50"), kkt(&[], &[], &["4.99 -0.55", "1/2"]))],
            ),
        ),
        case(
            "slopes_at_kinks_taken_as_zero",
            1,
            "above the claimed 0.000000000",
            edit("j_concave_kinks", r#""mu":[[0,1,"3/4"],[1,0,"3/4"]]"#, r#""mu":[]"#),
        ),
        case(
            "slope_above_one",
            1,
            "μ of constraint 0, neuron 1 is outside [αλ, λ]",
            edit("j_concave_kinks", r#"[0,1,"3/4"]"#, r#"[0,1,"4/3"]"#),
        ),
        case(
            "slope_away_from_any_kink",
            1,
            "μ of constraint 0, neuron 0 is out of order or not at a kink within ε",
            edit("near_kink_residual", r#""epsilon":"1/50""#, r#""epsilon":"1/200""#),
        ),
        case(
            "negative_multiplier",
            1,
            "λ of constraint 1 is negative",
            edit("e_kkt", r#"[1,"2"]"#, r#"[1,"-2"]"#),
        ),
        case(
            "residual_below_what_the_multipliers_give",
            1,
            "above the claimed 0.000000000",
            edit("e_kkt", r#"[1,"2"]"#, r#"[1,"1.999"]"#),
        ),
        case(
            "point_just_below_its_claim",
            1,
            "the point's normalised margin is below the claimed 0.250000000",
            edit("e_points", r#""bound":"1/4""#, r#""bound":"0.2500000001""#),
        ),
        case(
            "point_leaves_the_cell",
            1,
            "the point leaves the region: neuron 0 changes its sign at sample 1",
            edit("e_points", r#""region":"everywhere""#, r#""region":"near:0.2""#),
        ),
        case(
            "point_turns_an_output_weight",
            1,
            "the point leaves the region: the output weight of neuron 2 changes its sign",
            edit("output_signs", r#""region":"everywhere""#, r#""region":"near:0""#),
        ),
        case(
            "point_reads_two_supports_at_once",
            1,
            "a neuron reads inputs that no neuron of this network may read",
            edit(
                "c_two_supports",
                r#"[{"weights":[["1",null]]},{"weights":[["1"]]}]}}}]"#,
                r#"[{"weights":[["1","1"]]},{"weights":[["1"]]}]}}}]"#,
            ),
        ),
        case(
            "point_of_odd_depth_rounded_up",
            1,
            "the point's normalised margin is below",
            edit("depth_three", r#""bound":"3849/80000""#, r#""bound":"0.0481126""#),
        ),
        case(
            "no_neurons",
            1,
            "sample 0 is not classified: its margin is 0",
            text(
                &problem(RELU, &["0 1; 0 1", ". ."], "1 1/4; -1 1/4", &[1, 1]),
                vec![(at_most("everywhere", "0"), Proof::DualBound(dual(&[(0, 1)], vec![])))],
            ),
        ),
    ]);
    list
}

/// The file itself is wrong.
fn format_cases() -> Vec<Rejected> {
    let base = "e_cell_and_near";
    let case = |name, exit, error, from: &str, to: &str| Rejected {
        name,
        exit,
        error,
        text: edit(base, from, to),
    };
    let whole = edit(base, "", "");
    let problem = whole.find(r#","network":"#).unwrap()..whole.find(r#"},"claims""#).unwrap();
    let claims = whole.find(r#""claims":["#).unwrap() + 10..whole.rfind(r#"],"end""#).unwrap();
    vec![
        case(
            "wrong_format",
            2,
            "the format is `maxmargin-proof`",
            "maxmargin-certificate",
            "maxmargin-proof",
        ),
        case("future_version", 2, "version 2 is not supported", r#""version":1"#, r#""version":2"#),
        case(
            "keys_out_of_order",
            2,
            "expected the key `format`, found `version`",
            r#""format":"maxmargin-certificate","version":1"#,
            r#""version":1,"format":"maxmargin-certificate""#,
        ),
        case(
            "unknown_key",
            2,
            "expected the key `end`, found `holes`",
            r#""end":2"#,
            r#""holes":true,"end":2"#,
        ),
        case(
            "duplicate_key",
            2,
            "duplicate field `kind`",
            r#""kind":"margin_at_most""#,
            r#""kind":"margin_at_most","kind":"margin_at_most""#,
        ),
        case(
            "unknown_claim_key",
            2,
            "unknown field `confidence`",
            r#""bound":"1/8""#,
            r#""bound":"1/8","confidence":"1""#,
        ),
        case("missing_end", 2, "the key `end` is missing", r#","end":2"#, ""),
        case(
            "end_counts_more",
            2,
            "it holds 2 claims, but its end says 3",
            r#""end":2"#,
            r#""end":3"#,
        ),
        case(
            "unknown_rule",
            2,
            "there is no rule `trust_me`",
            r#""rule":"dual_bound""#,
            r#""rule":"trust_me""#,
        ),
        case(
            "a_float_for_a_number",
            2,
            "invalid type: floating point `0.125`",
            r#""bound":"1/8""#,
            r#""bound":0.125"#,
        ),
        case(
            "bound_over_zero",
            2,
            "`1/0` has denominator 0",
            r#""bound":"1/8""#,
            r#""bound":"1/0""#,
        ),
        case(
            "region_that_does_not_exist",
            2,
            "`near:-1` is not a region",
            r#""region":"near:0""#,
            r#""region":"near:-1""#,
        ),
        case(
            "data_changed_after_signing",
            1,
            "is not that of the embedded data",
            r#"["-1","1/4"]"#,
            r#"["-1","1/3"]"#,
        ),
        case(
            "weights_changed_after_signing",
            1,
            "is not that of the embedded network",
            r#"["0","1"],["0","1"]"#,
            r#"["0","1"],["0","2"]"#,
        ),
        case(
            "numbers_that_take_hours",
            4,
            "the numbers are too long",
            r#"["0","1"],["0","1"]"#,
            r#"["0","1e-2200"],["0","1e2200"]"#,
        ),
        Rejected {
            name: "truncated",
            exit: 2,
            error: "the certificate is truncated",
            text: whole[..whole.len() - 30].to_string(),
        },
        Rejected {
            name: "trailing_bytes",
            exit: 2,
            error: "trailing characters",
            text: whole.clone() + "{}\n",
        },
        Rejected {
            name: "problem_not_embedded",
            exit: 2,
            error: "the certificate does not embed its problem",
            text: whole.replace(&whole[problem], ""),
        },
        Rejected {
            name: "claims_nothing",
            exit: 2,
            error: "the certificate claims nothing",
            text: whole.replace(&whole[claims], "").replace(r#""end":2"#, r#""end":0"#),
        },
    ]
}

/// The dual bound and its covers.
fn cover_cases() -> Vec<Rejected> {
    let case = |name, error, text: String| Rejected { name, text, exit: 1, error };
    let near =
        |name, error, from: &str, to: &str| case(name, error, edit("e_cell_and_near", from, to));
    let units = r#""units":{"a":"1""#;
    // Neurons as in E on inputs {0, 1}, a dead one on {2}; only {2} is covered.
    let third = |sign, b| {
        let cone = Cone { sign, inputs: Some(vec![2]), fixed: vec![] };
        (cone, vec![close(&[b, b])])
    };
    let dead = problem(RELU, &["0 1 .; 0 1 .; . . 0", "1 1 0"], "1 1/4 1/8; -1 1/4 1/8", &[1, 1]);
    let dead_only = dual(&[(0, 2), (1, 2)], vec![third(1, 2), third(-1, 0)]);
    let mut turned = dual_output_signs();
    turned.covers[2].cone.sign = 1;
    let frozen = |leaf| {
        let claim = at_most("cell", "0");
        text(&frozen_line(), vec![(claim, Proof::DualBound(dual_frozen(leaf)))])
    };
    let quadratic = |name, error, from: &str, to: &str| {
        case(name, error, edit("axes_by_a_quadratic", from, to))
    };
    let rounded =
        |name, error, from: &str, to: &str| case(name, error, edit("third_rounded", from, to));
    vec![
        quadratic(
            "quadratic_below_its_maximum",
            "cover 0: node 0: the quadratic leaf does not close",
            r#""bound":"7073/20000""#,
            r#""bound":"7071/20000""#,
        ),
        quadratic(
            "quadratic_with_flat_parabolas",
            "cover 0: node 0: the quadratic leaf does not close",
            "[[0,60],[1,60]]",
            "[[0,50],[1,50]]",
        ),
        quadratic(
            "quadratic_without_parabolas",
            "cover 0: node 0: the quadratic leaf does not close",
            "[[0,60],[1,60]]",
            "[]",
        ),
        quadratic(
            "quadratic_with_small_kappa",
            "cover 0: node 0: the quadratic leaf does not close",
            r#""kappa":528960"#,
            r#""kappa":260000"#,
        ),
        quadratic(
            "quadratic_with_negative_kappa",
            "cover 0: node 0: κ is not positive",
            r#""kappa":528960"#,
            r#""kappa":-528960"#,
        ),
        quadratic(
            "parabola_with_negative_root",
            "node 0: the parabola of item 1 is out of order or not positive",
            "[1,60]",
            "[1,-60]",
        ),
        quadratic(
            "parabola_given_twice",
            "node 0: the parabola of item 0 is out of order or not positive",
            "[1,60]",
            "[0,60]",
        ),
        quadratic("parabola_of_no_item", "node 0: there is no item 2", "[1,60]", "[2,60]"),
        quadratic(
            "negative_common_factor",
            "node 0: coefficients times -1000 are not integers",
            r#""times":1000"#,
            r#""times":-1000"#,
        ),
        rounded(
            "rounding_not_paid_for",
            "cover 0: node 1: the leaf does not close",
            r#""bound":"167/1000""#,
            r#""bound":"833/5000""#,
        ),
        rounded("rounded_to_nothing", "unit x is not positive", r#""x":"1/1000""#, r#""x":"0""#),
        near(
            "bound_too_small",
            "cover 0: node 0: the leaf does not close",
            r#""bound":"1/8""#,
            r#""bound":"0.1249999""#,
        ),
        near("negative_bound", "the bound is negative", r#""bound":"1/8""#, r#""bound":"-1/8""#),
        near("no_multipliers", "all multipliers λ are zero", "[[0,2],[1,2]]", "[]"),
        near("zero_multiplier", "λ of sample 1 is not positive", "[[0,2],[1,2]]", "[[0,2],[1,0]]"),
        near("negative_lambda", "λ of sample 1 is not positive", "[[0,2],[1,2]]", "[[0,2],[1,-2]]"),
        near(
            "sample_counted_twice",
            "must be ascending and below 2; found 1",
            "[[0,2],[1,2]]",
            "[[0,2],[1,2],[1,2]]",
        ),
        near(
            "no_covers",
            "neuron 0 with output sign +1 is not served by any cover",
            r#""covers":[{"cone":{"sign":1,"fixed":[[0,1],[1,1]]},"nodes":[{"close":[2,2]}]}]"#,
            r#""covers":[]"#,
        ),
        near(
            "cover_without_nodes",
            "the tree ends after node 0 with open subtrees",
            r#"[{"close":[2,2]}]"#,
            "[]",
        ),
        near(
            "node_after_the_end",
            "node 1 comes after the end of the tree",
            r#"{"close":[2,2]}"#,
            r#"{"close":[2,2]},{"close":[2,2]}"#,
        ),
        near(
            "wider_region",
            "neuron 0 with output sign +1 is not served by any cover",
            "near:0",
            "near:0.25",
        ),
        near("local_cover_for_everywhere", "is not served by any cover", "near:0", "everywhere"),
        near(
            "layer_scope",
            "rule `dual_bound` has no form for scope `layer:1`",
            r#""scope":"all""#,
            r#""scope":"layer:1""#,
        ),
        near("negative_unit", "unit a is not positive", units, r#""units":{"a":"-1""#),
        near(
            "coefficient_off_by_one",
            "the leaf does not close",
            r#"{"close":[2,2]}"#,
            r#"{"close":[2,1]}"#,
        ),
        near("smallest_sign", "cover 0: signs are 1 or -1", r#""sign":1"#, r#""sign":-128"#),
        near(
            "inputs_left_out",
            "neuron 0 with output sign +1 is not served",
            r#""sign":1,"#,
            r#""sign":1,"inputs":[1],"#,
        ),
        case(
            "leaf_left_out",
            "the tree ends after node 6 with open subtrees",
            edit("i_global", r#"{"close":[0,1]},{"close":[0,0]}]"#, r#"{"close":[0,1]}]"#),
        ),
        case(
            "subtrees_swapped",
            "cover 0: node 3: the leaf does not close",
            edit(
                "i_global",
                r#"{"close":[1,0]},{"split":1},{"close":[0,1]}"#,
                r#"{"close":[0,1]},{"split":1},{"close":[1,0]}"#,
            ),
        ),
        case(
            "one_output_sign_only",
            "neuron 0 with output sign -1 is not served",
            edit("i_global", r#",{"cone":{"sign":-1,"fixed":[]},"nodes":[{"close":[0,0]}]}"#, ""),
        ),
        case(
            "one_support_of_two",
            "neuron 1 with output sign +1 is not served",
            edit(
                "c_two_supports",
                r#",{"cone":{"sign":1,"inputs":[1],"fixed":[]},"nodes":[{"close":[1]}]},{"cone":{"sign":-1,"inputs":[1],"fixed":[]},"nodes":[{"close":[-1]}]}"#,
                "",
            ),
        ),
        case(
            "only_a_dead_support",
            "neuron 0 with output sign +1 is not served",
            text(&dead, vec![(at_most("everywhere", "1/8"), Proof::DualBound(dead_only))]),
        ),
        case(
            "output_sign_not_fixed",
            "cover 2: node 0: the leaf does not close",
            text(&fixed_output_signs(), vec![(at_most("near:0", "2/9"), Proof::DualBound(turned))]),
        ),
        case(
            "empty_interior_closed_by_multipliers",
            "cover 0: node 0: the leaf does not close",
            frozen(close(&[1, 1, 1])),
        ),
        case(
            "empty_interior_called_empty",
            "cover 0: node 0: the range of item 1 is not empty",
            frozen(empty(1)),
        ),
        case(
            "leaf_closed_by_a_zero_sample",
            "cover 0: node 0: the leaf does not close",
            edit("zero_on_some_inputs", r#""bound":"1/4""#, r#""bound":"1/5""#).replacen(
                r#"{"close":[1,0]}"#,
                r#"{"close":[1,-1000]}"#,
                1,
            ),
        ),
        case(
            "slope_of_a_concave_kink_too_small",
            "cover 0: node 1: the leaf does not close",
            edit("j_concave_kinks", r#"{"close":[5,-3]}"#, r#"{"close":[5,-2]}"#),
        ),
        case(
            "slope_of_a_concave_kink_above_one",
            "cover 0: node 1: the leaf does not close",
            edit("j_concave_kinks", r#"{"close":[5,-3]}"#, r#"{"close":[5,-6]}"#),
        ),
        case(
            "range_end_that_does_not_follow",
            "node 0: the new range of item 0 does not follow",
            edit("round_and_empty_range", "[0,1000,1500]", "[0,1000,1501]"),
        ),
        case(
            "range_that_is_not_empty",
            "node 1: the range of item 0 is not empty",
            edit("round_and_empty_range", "[0,1000,1500]", "[0,1000,1000]"),
        ),
        case(
            "negative_range_multiplier",
            "node 0: the multiplier of item 0 is negative",
            edit("round_and_empty_range", "[0,1000,1500]", "[0,-1000,1500]"),
        ),
    ]
}

/// A layer alone by its path products, where these do not describe it, or where it is not optimal.
fn one_layer_cases() -> Vec<Rejected> {
    let case = |name, error, p: &Problem, claim: Claim, witness| Rejected {
        name,
        exit: 1,
        error,
        text: text(p, vec![(claim, Proof::LayerCover(witness))]),
    };
    let scope = |layer| Scope::Layer(layer);
    let global = |layer| Claim::GlobalOptimum { scope: scope(layer) };
    let bound = |region: &str, bound| {
        let region = region.parse().unwrap();
        Claim::MarginAtMost { scope: scope(1), region, bound: n(bound) }
    };
    let of = |unit, lambda: &[(usize, i64)], covers: Vec<(&str, Cone, Vec<Node>)>| {
        let bounds = covers.iter().map(|(t, _, _)| n(t)).collect();
        let covers = covers.into_iter().map(|(_, cone, nodes)| (cone, nodes)).collect();
        let DualBound { multipliers: Multipliers { units, lambda }, covers } =
            dual_in(units(unit, "1/1000", "1/1000"), lambda, covers);
        LayerCover { multipliers: LayerMultipliers { units, lambda, bounds }, covers }
    };
    let one = || vec![split(0), close(&[1]), close(&[0])];
    let on = |inputs: &[usize]| Cone { sign: 1, inputs: Some(inputs.to_vec()), fixed: vec![] };
    // F = σ(a₀ − 2a₁) + 2σ(a₁): by path products a₀, but W¹ = (0, 1) gives 2.
    let negative = problem(RELU, &["1; 0", "1 -2; 0 2", "1 1"], "1", &[1]);
    // σσ(z) = z/4 for z < 0; by path products γ were at most |W|/√8.
    let leaky = problem(r#"{"leaky_relu":"1/2"}"#, &["1; -1", "1 .; . 1", "1 1"], "1; -1", &[1, 1]);
    let both = vec![
        split(0),
        split(1),
        close(&[2, 2]),
        close(&[2, 1]),
        split(1),
        close(&[1, 2]),
        close(&[1, 1]),
    ];
    let shared = network(RELU, &["1 0; 0 1", "1 1"]);
    let mut shared = serde_json::to_value(shared).unwrap();
    let pattern = serde_json::json!([[0, 1, null, null], [null, null, 0, 1]]);
    shared["layers"][0] = serde_json::json!({"parameters": ["1", "0"], "pattern": pattern});
    let shared = problem_of(&serde_json::from_value(shared).unwrap(), &data("1 0 1 0", &[1]));
    let e3 = problem(RELU, &["0 1; 0 1", "1 .; . 1", "1 1"], "1 1/4; -1 1/4", &[1, 1]);
    let local_e =
        of("1", &[(0, 2), (1, 2)], vec![("1", cone(1, &[(0, 1), (1, 1)]), vec![close(&[2, 2])])]);
    let g = problem(RELU, &["1 .; . 1", "1 .; . 1", "1 1"], "1 1", &[1]);
    let classes = problem(RELU, &["1", "1", "1; -1"], "1", &[0]);
    let paths = of("1", &[(0, 1)], vec![("1", on(&[0]), one()), ("1", on(&[1]), one())]);
    let single = || of("1", &[(0, 1)], vec![("1", cone(1, &[]), one())]);
    vec![
        case(
            "layer_cover_negative_weight_above",
            "weight 1 of layer 2 is negative",
            &negative,
            global(1),
            single(),
        ),
        case(
            "layer_cover_leaky_in_between",
            "with slope 1/2 on negative inputs, 1 hidden layers above layer 1",
            &leaky,
            bound("everywhere", "9/25"),
            of("1/2", &[(0, 2), (1, 2)], vec![("1/2", cone(1, &[]), both)]),
        ),
        case(
            "layer_cover_shared_layer",
            "layer 1 shares weights",
            &shared,
            bound("everywhere", "3/2"),
            of("1", &[(0, 1)], vec![("1", on(&[0, 1]), one()), ("1", on(&[2, 3]), one())]),
        ),
        case(
            "layer_cover_far_cell_deep",
            "neuron 0 with output sign +1 is not served by any cover",
            &e3,
            global(1),
            local_e.clone(),
        ),
        case(
            "layer_cover_smaller_bound_deep",
            "√(Σ v²T²)/Σλ is about 1.414213562, above 1.410000000",
            &g,
            bound("everywhere", "1.41"),
            paths.clone(),
        ),
        case("layer_cover_classes", "needs one output", &classes, global(1), single()),
        case(
            "layer_cover_last_layer",
            "has no form for scope `layer:3`",
            &g,
            global(3),
            paths.clone(),
        ),
        case(
            "layer_cover_near_deep",
            "`near` in the scope of one layer speaks of layer 1 at depth 2 only",
            &e3,
            bound("near:0", "1"),
            local_e,
        ),
    ]
}

/// KKT multipliers, descent and curves that only just fail.
fn nearby_cases() -> Vec<Rejected> {
    let case = |name, error, p: &Problem, claim, proof| Rejected {
        name,
        exit: 1,
        error,
        text: text(p, vec![(claim, proof)]),
    };
    let list = |coefficients: &[&str]| coefficients.iter().map(|c| n(c)).collect::<Vec<_>>();
    let curve = |moves| Proof::Curve(Curve { moves });
    let all = Scope::All;
    let not_local = || Claim::NotLocalOptimum { scope: all };
    let a = problem(RELU, &["0 2; 0 0", "2 0"], "1 1/4; -1 1/4", &[1, 1]);
    // With −ε²/4 − ε⁴/16 in the first coordinate it would do.
    let first = vec![(0, list(&["0", "-1/4"])), (1, list(&["0", "-1/2"])), (2, list(&["11/10"]))];
    let misses = vec![first, vec![(0, list(&["0", "-1/2"])), (1, list(&["1"]))]];
    let j = fixture_j();
    let stationarity = |mu: Vec<(usize, usize, Number)>| {
        let lambda = vec![(0, n("5/4")), (1, n("5/4"))];
        Proof::Stationarity(Stationarity { lambda, mu, germs: vec![] })
    };
    let slopes = |slope| vec![(0, 1, n(slope)), (1, 0, n("3/4"))];
    let kkt = || Claim::Kkt { scope: all };
    // With slopes 0 at the kinks no margin falls.
    let direction = vec![list(&["0", "0", "1", "0"]), list(&["0", "0"])];
    vec![
        case(
            "curve_misses_by_the_fourth_order",
            "along the curve constraint 1 falls below the margin, by order ε^4",
            &a,
            not_local(),
            curve(misses),
        ),
        case(
            "curve_that_stays",
            "along the curve |θ(ε)| does not fall below |θ|",
            &a,
            not_local(),
            curve(vec![vec![], vec![]]),
        ),
        case(
            "stationary_with_a_slope_above_one",
            "μ of constraint 0, neuron 1 is outside [αλ, λ]",
            &j,
            kkt(),
            stationarity(slopes("4/3")),
        ),
        case(
            "stationary_without_slopes",
            "θ and Σλg differ at coordinate 1 of layer 1",
            &j,
            kkt(),
            stationarity(vec![]),
        ),
        case(
            "descent_for_one_slope_only",
            "along the direction constraint 0 falls, for some slopes at its kinks",
            &j,
            Claim::NotKkt { scope: all },
            Proof::Descent(Descent { direction }),
        ),
    ]
}
