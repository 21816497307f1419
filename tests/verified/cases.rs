//! Certificates written by hand for rules that random problems rarely reach: several outputs, slopes at their kinks,
//! linear networks of every depth, one layer, second order.
use maxmargin_kernel::certificate::ProblemEntry;
use maxmargin_kernel::network::{Activation, Layer, Network};
use maxmargin_kernel::number::{Rational, ScaledVec};
use maxmargin_kernel::problem::{Data, Problem};
use serde_json::{Value, json};

fn numbers(text: &str) -> Vec<Rational> {
    text.split_whitespace().map(|n| n.parse().unwrap()).collect()
}

/// Matrices and samples as rows of numbers; the network is fully connected.
fn problem(slope: &str, layers: &[&[&str]], samples: &[(&str, i64)]) -> Value {
    let layer = |(l, rows): (usize, &&[&str])| {
        let rows: Vec<_> = rows.iter().map(|row| numbers(row)).collect();
        let mut next = 0..;
        let indices: Vec<Vec<_>> =
            rows.iter().map(|row| row.iter().map(|_| next.next()).collect()).collect();
        Layer::new(l + 1, &indices, &rows.concat()).unwrap()
    };
    let layers = layers.iter().enumerate().map(layer).collect();
    let activation = Activation::leaky(slope.parse().unwrap()).unwrap();
    let x = samples.iter().map(|(x, _)| ScaledVec::from_rationals(&numbers(x))).collect();
    let data = Data::new(x, samples.iter().map(|(_, y)| *y).collect()).unwrap();
    let problem = Problem::new(Network::new(activation, layers).unwrap(), data).unwrap();
    serde_json::to_value(ProblemEntry::new(&problem, true)).unwrap()
}

fn file(problem: &Value, claim: Value, proof: Value) -> Value {
    json!({
        "format": "maxmargin-certificate", "version": 1, "problem": problem,
        "claims": [{"claim": claim, "proof": proof}], "end": 1
    })
}

fn optimum(kind: &str, scope: &str) -> Value {
    json!({"kind": kind, "scope": scope})
}

fn bound(region: &str, bound: &str) -> Value {
    json!({"kind": "margin_at_most", "scope": "all", "region": region, "bound": bound})
}

/// Certificates of one claim each, and whether it is true.
pub fn certificates() -> Vec<(Value, bool)> {
    let mut files = Vec::new();
    let mut add =
        |problem: &Value, claim, proof, good| files.push((file(problem, claim, proof), good));
    // One neuron for each of two classes.
    let layers: [&[&str]; 2] = [&["1 1", "-1 -1"], &["1 -1", "-1 1"]];
    let samples = [("1 1", 0), ("-1 -1", 1)];
    let halves = json!([[0, "1/2"], [1, "1/2"]]);
    let relu = problem("0", &layers, &samples);
    let cell = json!({"rule": "convex_cell", "lambda": halves});
    add(&relu, optimum("local_optimum", "all"), cell.clone(), true);
    add(&relu, optimum("local_optimum", "layer:1"), cell, true);
    let linear = problem("1", &layers, &samples);
    let proof = json!({"rule": "linear", "lambda": halves});
    for kind in ["local_optimum", "global_optimum"] {
        add(&linear, optimum(kind, "all"), proof.clone(), true);
    }
    for region in ["cell", "near:1/2", "everywhere", "any_width"] {
        add(&linear, bound(region, "1"), proof.clone(), true);
        add(&linear, bound(region, "99/100"), proof.clone(), false);
    }
    // Kinks whose slopes matter, with two outputs.
    let layers: [&[&str]; 2] = [&["1 0 1 0", "-3/5 4/5 -3/5 4/5"], &["1 -1", "-1 1"]];
    let concave = problem("0", &layers, &[("4/5 3/5 4/5 3/5", 0), ("0 1 0 1", 1)]);
    let lambda = json!([[0, "5/8"], [1, "5/8"]]);
    let slopes = json!([[0, 1, "3/5"], [1, 0, "3/5"]]);
    let cell = json!({"rule": "convex_cell", "lambda": lambda, "slopes": slopes});
    add(&concave, optimum("local_optimum", "all"), cell, true);
    // Linear, three layers: 27 B² ≥ 4.
    let layers: [&[&str]; 3] = [&["1 1", "0 0"], &["2 0", "0 0"], &["1 0", "-1 0"]];
    let deep = problem("1", &layers, &samples);
    for region in ["everywhere", "any_width"] {
        add(&deep, bound(region, "2/5"), proof.clone(), true);
        add(&deep, bound(region, "3/8"), proof.clone(), false);
    }
    // One layer.
    let layers: [&[&str]; 1] = [&["1/2 -1/2", "-1/2 1/2"]];
    let flat = problem("0", &layers, &[("1 0", 0), ("0 1", 1)]);
    for rule in ["linear", "convex_cell"] {
        let proof = json!({"rule": rule, "lambda": halves});
        for kind in ["local_optimum", "global_optimum"] {
            add(&flat, optimum(kind, "all"), proof.clone(), true);
        }
    }
    for region in ["everywhere", "any_width"] {
        add(&flat, bound(region, "1"), proof.clone(), true);
    }
    // A path of three weights, strictly locally optimal; each layer too.
    let path = problem("0", &[&["1"], &["1"], &["1"]], &[("1", 1)]);
    for (scope, penalty, good) in
        [("all", "1", true), ("all", "1/3", false), ("layer:2", "0", true)]
    {
        let proof = json!({"rule": "second_order", "lambda": [[0, "1"]], "penalty": penalty});
        add(&path, optimum("local_optimum", scope), proof, good);
    }
    files
}
