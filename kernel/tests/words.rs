//! What the checker says that it has verified: every kind of claim in words.
use maxmargin_kernel::claim::Claim;

fn words(claim: &str) -> String {
    serde_json::from_str::<Claim>(claim).unwrap().to_string()
}

#[test]
fn every_kind_scope_and_region_has_its_own_words() {
    let cases = [
        (r#"{"kind":"kkt","scope":"all"}"#, "θ is a KKT point of the max-margin problem"),
        (r#"{"kind":"not_kkt","scope":"all"}"#, "θ is not a KKT point of the max-margin problem"),
        (
            r#"{"kind":"local_optimum","scope":"layer:2"}"#,
            "θ is a local optimum of the max-margin problem in layer 2 alone",
        ),
        (
            r#"{"kind":"not_local_optimum","scope":"all"}"#,
            "θ is not a local optimum of the max-margin problem",
        ),
        (
            r#"{"kind":"global_optimum","scope":"all"}"#,
            "θ is a global optimum of the max-margin problem",
        ),
        (
            r#"{"kind":"not_global_optimum","scope":"layer:1"}"#,
            "θ is not a global optimum of the max-margin problem in layer 1 alone",
        ),
        (
            r#"{"kind":"margin_at_most","scope":"all","region":"everywhere","bound":"1/2"}"#,
            "ν ≤ 0.5 for all networks of this architecture",
        ),
        (
            r#"{"kind":"margin_at_least","scope":"all","region":"cell","bound":"1/2"}"#,
            "ν ≥ 0.5 is attained among all networks in this activation cell",
        ),
        (
            r#"{"kind":"margin_at_most","scope":"layer:3","region":"cell","bound":"1/4"}"#,
            "the margin over the norm of layer 3 ≤ 0.25 for all networks in this activation cell \
             that differ in layer 3 only",
        ),
        (
            r#"{"kind":"margin_at_most","scope":"all","region":"near:1/8","bound":"0"}"#,
            "ν ≤ 0 for all networks in this and the adjacent activation cells (kinks within \
             δ = 1/8 free)",
        ),
        (
            r#"{"kind":"margin_at_most","scope":"all","region":"any_width","bound":"2"}"#,
            "ν ≤ 2 for all networks of this depth and any width without shared weights (at depth \
             2, each neuron reading only inputs that one neuron here may read)",
        ),
        (
            r#"{"kind":"kkt_residual","scope":"all","lo":"1/4","hi":"1/2","delta":"1/8","epsilon":"3"}"#,
            "the distance of θ from the cone of its active gradients is between 0.25 and 0.5 of \
             |θ| (constraints within δ = 1/8 of the margin, slopes free within ε = 3 of a kink)",
        ),
    ];
    let same = |text: &str| {
        // Zeros at the end of a decimal say nothing.
        let word = |w: &str| match w.parse::<f64>() {
            Ok(number) => number.to_string(),
            Err(_) => w.to_string(),
        };
        text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
    };
    for (claim, expected) in cases {
        assert_eq!(same(&words(claim)), same(expected), "{claim}");
    }
}

/// A third has no decimals that end: an upper bound is rounded up, a lower bound down.
#[test]
fn rounded_bounds_are_never_stronger_than_the_claim() {
    let bound = |kind: &str| {
        let text = words(&format!(
            r#"{{"kind":"{kind}","scope":"all","region":"everywhere","bound":"1/3"}}"#
        ));
        text.split_whitespace().nth(2).unwrap().parse::<f64>().unwrap()
    };
    let (most, least) = (bound("margin_at_most"), bound("margin_at_least"));
    assert!(most > 1.0 / 3.0 && least < 1.0 / 3.0 && most - least < 1e-3, "{least} {most}");
}
