//! Exact JSON points of any depth, with classes, structural zeros and sharing.
use crate::Folder;

/// Depth 3, a live path and a dead one: γ = 2, |θ|² = 12.
const DEEP: &str = r#"{"activation":"relu","layers":[{"weights":[["0","2"],["0","0"]]},{"weights":[["2","0"],["0","0"]]},{"weights":[["2","0"]]}]}"#;
/// Two samples that no neuron separates.
const PAIR: &str = r#"{"x":[["1","1/4"],["-1","1/4"]],"y":[1,1]}"#;
/// Three classes in two layers, leaky.
const CLASSES: &str = r#"{"activation":{"leaky_relu":"1/10"},"layers":[{"weights":[["1","0"],["0","1"],["-1","-1"]]},{"weights":[["1","0","0"],["0","1","0"],["0","0","1"]]}]}"#;
const THREE: &str = r#"{"x":[["1","0"],["0","1"],["-1","-1"]],"y":[0,1,2]}"#;
/// One filter on two patches.
const SHARED: &str = r#"{"activation":"relu","layers":[{"parameters":["1","1"],"pattern":[[0,1,null,null],[null,null,0,1]]},{"weights":[["1","1"]]}]}"#;
const PATCHES: &str = r#"{"x":[["3","-1","-1","3"]],"y":[1]}"#;

#[test]
fn what_the_rules_do_not_cover_is_evaluated_exactly_and_undecided() {
    for (name, model, data, gamma, reason, bound) in [
        ("depth 3", DEEP, PAIR, "2", "depth 2; this one has depth 3", "any_width"),
        ("classes", CLASSES, THREE, "1", "one output; this one has 3", "any_width"),
        ("sharing", SHARED, PATCHES, "4", "without shared weights", "everywhere"),
    ] {
        let folder = Folder::new();
        let regions = ["--bracket", "cell", "--bracket", "near:1e-4", "--bracket", "everywhere"];
        let asked = [&regions[..], &["--json", "-o", "c.json"]].concat();
        let run = folder.certify_json(model, data, &asked).expect(5);
        let report = run.json();
        assert_eq!(report["verdict"], "undecided", "{name}");
        assert_eq!(report["margin"]["gamma"], gamma, "{name}");
        let undecided = report["undecided"].as_array().unwrap();
        for region in ["`cell`", "`near:1/10000`"] {
            let says = |u: &&serde_json::Value| {
                u.as_str().is_some_and(|u| u.contains(region) && u.contains(reason))
            };
            assert_eq!(undecided.iter().filter(says).count(), 1, "{name} {region}");
        }
        let claims = report["claims"].as_array().unwrap();
        let norm = claims.iter().find(|c| c["rule"] == "norm_bound").unwrap();
        assert_eq!((&norm["kind"], &norm["region"]), (&"margin_at_most".into(), &bound.into()));
        for bracket in report["brackets"].as_array().unwrap() {
            let region = bracket["region"].as_str().unwrap();
            assert!(["everywhere", "any_width"].contains(&region), "{name} {region}");
        }
        // What was proved is written, and verifies.
        folder.run(&["check", "c.json", "--model", "m.json", "--data", "d.json"]).expect(0);
        folder.run(&["check", "c.json"]).expect(0);

        let run = folder.certify_json(model, data, &["--bracket", "everywhere"]).expect(0);
        assert!(run.out.contains("everywhere, this architecture"), "{}", run.out);
        assert!(!run.out.contains("UNDECIDED"), "{}", run.out);
        let asked = ["--bracket", "everywhere", "--bracket", "cell"];
        let run = folder.certify_json(model, data, &asked).expect(5);
        assert!(run.out.contains("UNDECIDED: the bracket of `cell`"), "{}", run.out);
        let asked = ["--bracket", "everywhere", "--kinks", "0"];
        let code = if name == "classes" { 0 } else { 5 };
        folder.certify_json(model, data, &asked).expect(code);
        let polish = ["polish", "--model", "m.json", "--data", "d.json", "-o", "p.json"];
        let run = folder.run(&polish).expect(5);
        assert!(run.err.contains(reason), "{}", run.err);
        assert!(!folder.path("p.json").exists());
    }
}

#[test]
fn two_layers_with_structural_zeros_dead_neurons_and_copies() {
    // γ = 1/2; neurons on their own inputs, one of them dead, a sample twice.
    let model = r#"{"activation":"relu","layers":[{"weights":[["0","1",null],["0","1",null],[null,null,"0"]]},{"weights":[["1","1","0"]]}]}"#;
    let data = r#"{"x":[["1","1/4","1/8"],["-1","1/4","1/8"],["1","1/4","1/8"]],"y":[1,1,1]}"#;
    let folder = Folder::new();
    let run = folder.certify_json(model, data, &["-o", "c.json"]).expect(0);
    for fact in ["1 repeated samples", "1 dead units", "3 exact kinks"] {
        assert!(run.out.contains(fact), "no `{fact}` in {}", run.out);
    }
    folder.run(&["check", "c.json", "--model", "m.json", "--data", "d.json"]).expect(0);
    let polish = ["polish", "--model", "m.json", "--data", "d.json", "--json", "-o"];
    let refused = folder.run(&[&polish[..], &["p.safetensors"]].concat()).expect(2);
    assert!(refused.err.contains("layer 1 has structural zeros"), "{}", refused.err);
    let run = folder.run(&[&polish[..], &["p.json", "--jump"]].concat());
    assert!([0, 5].contains(&run.code), "{}", run.err);
}
