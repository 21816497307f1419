//! Exact verdicts on points that are special or not fit: each has a named outcome.
use crate::Folder;

const PAIR: &str = r#"{"x":[["1","1/4"],["-1","1/4"]],"y":[1,1]}"#;
const ASKED: [&str; 6] = ["--decide", "kkt", "--decide", "local", "--decide", "global"];

/// A ReLU network 2-1-1.
fn one_neuron(w: [&str; 2], v: &str) -> String {
    serde_json::json!({
        "activation": "relu",
        "layers": [{"weights": [w]}, {"weights": [[v]]}],
    })
    .to_string()
}

#[test]
fn points_that_are_unusual_are_decided() {
    let again = r#"{"x":[["1","1/4"],["-1","1/4"],["1","1/4"]],"y":[1,1,1]}"#;
    let yes = ["kkt", "local_optimum", "global_optimum"];
    let no = ["not_kkt", "not_local_optimum", "not_global_optimum"];
    for (name, model, data, kinds) in [
        // Two neurons would do better: the bound must speak of this width.
        ("width 1", one_neuron(["0", "1"], "1"), PAIR, yes),
        ("not scaled", one_neuron(["0", "3"], "3"), PAIR, yes),
        ("a sample twice", one_neuron(["0", "1"], "1"), again, yes),
        ("not balanced", one_neuron(["0", "2"], "1"), PAIR, no),
    ] {
        let folder = Folder::new();
        let asked = [&ASKED[..], &["--json", "-o", "c.json"]].concat();
        let run = folder.certify_json(&model, data, &asked).expect(0);
        let claims = run.json()["claims"].as_array().unwrap().clone();
        let found: Vec<&str> = claims.iter().map(|c| c["kind"].as_str().unwrap()).collect();
        assert_eq!(found, kinds, "{name}");
        if kinds == yes {
            assert_eq!(claims[2]["rule"], "width_tree", "{name}");
        }
        folder.run(&["check", "c.json", "--model", "m.json", "--data", "d.json"]).expect(0);
    }
    let folder = Folder::new();
    let run = folder.certify_json(&one_neuron(["0", "1"], "1"), PAIR, &ASKED).expect(0);
    assert!(run.out.contains("global optimum: YES (at this width"), "{}", run.out);
}

#[test]
fn points_that_are_not_fit_are_named() {
    let good = one_neuron(["0", "1"], "1");
    let empty = r#"{"activation":"relu","layers":[]}"#.to_string();
    let narrow = r#"{"activation":"relu","layers":[{"weights":[]},{"weights":[[]]}]}"#.to_string();
    let apart = r#"{"x":[["1","1/4"],["1","1/4"]],"y":[1,-1]}"#;
    for (model, data, fact) in [
        (one_neuron(["1", "0"], "1"), PAIR, "sample 1 of d.json has margin 0"),
        (one_neuron(["0", "1"], "-1"), PAIR, "sample 0 of d.json has margin -1/4"),
        (one_neuron(["0", "0"], "0"), PAIR, "sample 0 of d.json has margin 0"),
        (empty, PAIR, "a network needs 1 to 64 layers, this one has 0"),
        (narrow, PAIR, "a width of 0 is not a network"),
        (good.clone(), apart, "samples 0 and 1 have the same features and different labels"),
        (good, r#"{"x":[],"y":[]}"#, "the data set has no samples"),
    ] {
        let folder = Folder::new();
        let asked = [&ASKED[..], &["-o", "c.json"]].concat();
        let run = folder.certify_json(&model, data, &asked).expect(2);
        assert!(run.err.contains(fact), "no `{fact}` in {}", run.err);
        assert!(!folder.path("c.json").exists(), "{fact}");
    }
}
