//! False claims, each with the witness that a forger would try: `docs/forging.md` tells the ideas.
//! Both checkers must refuse every one.

/// The rule whose example is forged, what is replaced in it, and what the kernel must answer.
type Forgery = (&'static str, &'static [(&'static str, &'static str)], &'static str);

/// In the examples ν = 1/2 is the best margin, so a bound below it is false.
const LOWER: (&str, &str) = (r#""bound":"1/2""#, r#""bound":"49/100""#);
/// All of them.
pub const FORGERIES: &[Forgery] = &[
    ("dual_bound", &[LOWER], "the leaf does not close"),
    // A grid on which everything is rounded to nothing.
    ("dual_bound", &[LOWER, (r#""z":"1""#, r#""z":"1000000""#)], "the leaf does not close"),
    (
        "dual_bound",
        &[LOWER, (r#""tau":"1""#, r#""tau":"1","x":"1000000""#)],
        "the leaf does not close",
    ),
    ("dual_bound", &[LOWER, (r#""a":"1""#, r#""a":"1000000""#)], "the leaf does not close"),
    ("dual_bound", &[LOWER, (r#""a":"1""#, r#""a":"-1""#)], "unit a is not positive"),
    ("dual_bound", &[LOWER, ("[[0,1]]", "[]")], "all multipliers λ are zero"),
    ("dual_bound", &[LOWER, ("[[0,1]]", "[[0,1],[0,1]]")], "must be ascending"),
    ("dual_bound", &[LOWER, ("[[0,1]]", "[[0,-1]]")], "λ of sample 0 is not positive"),
    // The half that is hard is cut off, or its tree left out.
    ("dual_bound", &[LOWER, (r#""fixed":[]"#, r#""fixed":[[0,-1]]"#)], "the leaf does not close"),
    (
        "dual_bound",
        &[LOWER, (r#"{"split":0},{"close":[1]},{"close":[0]}"#, "")],
        "with open subtrees",
    ),
    (
        "dual_bound",
        &[LOWER, (r#"{"split":0},{"close":[1]},"#, ""), (r#""sign":1"#, r#""sign":1,"inputs":[]"#)],
        "with output sign +1 is not served",
    ),
    (
        "dual_bound",
        &[LOWER, (r#"{"close":[1]}"#, r#"{"empty":0}"#)],
        "the range of item 0 is not empty",
    ),
    // Numbers that a checker with machine integers would wrap.
    (
        "dual_bound",
        &[LOWER, (r#"{"close":[1]}"#, r#"{"close":[9223372036854775807],"times":2}"#)],
        "are not integers of 64 bits",
    ),
    (
        "dual_bound",
        &[LOWER, (r#"{"close":[1]}"#, r#"{"close":[-9223372036854775808]}"#)],
        "the leaf does not close",
    ),
    (
        "dual_bound",
        &[
            LOWER,
            (
                r#"{"close":[1]}"#,
                r#"{"tighten":[1],"upper":[[0,9223372036854775807,0]],"lower":[]},{"close":[1]}"#,
            ),
        ],
        "the new range of item 0 does not follow",
    ),
    (
        "dual_bound",
        &[
            LOWER,
            (r#"{"close":[1]}"#, r#"{"tighten":[1],"upper":[[0,-1,0]],"lower":[]},{"close":[1]}"#),
        ],
        "the multiplier of item 0 is negative",
    ),
    (
        "dual_bound",
        &[
            LOWER,
            (
                r#"{"close":[1]}"#,
                r#"{"quadratic":[1],"roots":[[0,9223372036854775807]],"kappa":1}"#,
            ),
        ],
        "κ is not positive",
    ),
    (
        "dual_bound",
        &[
            LOWER,
            (r#"{"close":[1]}"#, r#"{"quadratic":[0],"roots":[],"kappa":9223372036854775807}"#),
        ],
        "κ is not positive",
    ),
    // A bound of the cell sold as one of every width.
    ("dual_bound", &[(r#""fixed":[]"#, r#""fixed":[[0,1]]"#)], "with output sign +1 is not served"),
    (
        "local_cover",
        &[(r#""kind":"local_optimum""#, r#""kind":"global_optimum""#)],
        "is not served",
    ),
    ("layer_cover", &[(r#""bounds":["1"]"#, r#""bounds":["99/100"]"#)], "the leaf does not close"),
    (
        "layer_cover",
        &[(r#""bounds":["1"]"#, r#""bounds":["-1"]"#)],
        "the bound T of cover 0 is negative",
    ),
    ("layer_cover", &[(r#""bounds":["1"]"#, r#""bounds":["1","0"]"#)], "1 covers, but 2 bounds"),
    (
        "width_tree",
        &[(r#"{"leaf":"#, r#"{"symmetric":[0,0]},{"leaf":"#)],
        "do not read equal inputs",
    ),
    ("width_tree", &[(r#"{"output":0},"#, r#"{"output":0},{"output":0},"#)], "decided already"),
    // Weights of germs that cancel, and germs that stay on kinks.
    (
        "stationarity",
        &[(
            r#"[[0,"1"]]"#,
            r#"[[0,"1"]],"germs":[{"constraint":0,"weight":"2","moves":[[],[]]},{"constraint":0,"weight":"-1","moves":[[],[]]}]"#,
        )],
        "the weight of germ 1 is negative",
    ),
    ("stationarity", &[(r#"[[0,"1"]]"#, r#"[[0,"1"]],"mu":[[0,0,"1"]]"#)], "not at a kink"),
    ("stationarity", &[(r#"[[0,"1"]]"#, r#"[[0,"1/2"],[0,"1/2"]]"#)], "out of order or not active"),
    ("descent", &[(r#"["-1"],["1"]"#, r#"["-1"],["0"]"#)], "falls"),
    ("descent", &[(r#"["-1"],["1"]"#, r#"["0"],["0"]"#)], "⟨θ,d⟩ is not negative"),
    ("curve", &[(r#"[[[0,["-1"]]],[[0,["1"]]]]"#, r#"[[],[]]"#)], "does not fall below"),
    ("curve", &[(r#"["1"]]]]"#, r#"["1/2"]]]]"#)], "falls below the margin, by order ε^2"),
    ("curve", &[(r#"[[0,["-1"]]],"#, r#"[[0,["-1"]],[0,["0"]]],"#)], "out of order"),
    (
        "convex_cell",
        &[(r#""kind":"local_optimum""#, r#""kind":"global_optimum""#)],
        "proves a global optimum only",
    ),
    ("second_order", &[(r#""penalty":"1""#, r#""penalty":"0""#)], "singular"),
    ("linear", &[(r#""lambda":[[0,"1"]]"#, r#""lambda":[[0,"0"]]"#)], "all multipliers λ are zero"),
    ("layer_cell", &[(r#""bound":"1""#, r#""bound":"-1""#)], "the bound is negative"),
    (
        "layer_cell",
        &[(r#""bound":"1""#, r#""bound":"9/10""#), (r#""mu":[]"#, r#""mu":[[0,1,0,"-1/5"]]"#)],
        "is negative",
    ),
    (
        "layer_cell",
        &[(r#""region":"cell""#, r#""region":"everywhere""#)],
        "proves nothing about `everywhere`",
    ),
    ("norm_bound", &[LOWER], "is below the norm bound"),
    ("norm_bound", &[LOWER, ("[0]", "[0,0]")], "have the same label"),
    ("norm_bound", &[LOWER, ("[0]", "[]")], "names one sample or two"),
    ("kkt_residual", &[(r#""lo":"0""#, r#""lo":"1/1000""#)], "needs a direction"),
    (
        "kkt_residual",
        &[
            (r#""lo":"0""#, r#""lo":"1/1000""#),
            (r#""mu":[]"#, r#""mu":[],"direction":[["1"],["-1"]]"#),
        ],
        "below the claimed",
    ),
    (
        "kkt_residual",
        &[
            (r#""lo":"0""#, r#""lo":"1/1000""#),
            (r#""mu":[]"#, r#""mu":[],"direction":[["1"],["0"]]"#),
        ],
        "positive product",
    ),
    ("point", &[(r#""bound":"1/2""#, r#""bound":"501/1000""#)], "below the claimed"),
    (
        "point",
        &[
            (r#""bound":"1/2""#, r#""bound":"3/5""#),
            (
                r#""rule":"point""#,
                r#""rule":"point","network":{"activation":"relu","layers":[{"parameters":["1"],"pattern":[[0],[0]]},{"weights":[["1","1"]]}]}"#,
            ),
        ],
        "it shares weights",
    ),
    (
        "point",
        &[
            (r#""bound":"1/2""#, r#""bound":"1/2""#),
            (
                r#""rule":"point""#,
                r#""rule":"point","network":{"activation":"linear","layers":[{"weights":[["1"]]},{"weights":[["1"]]}]}"#,
            ),
        ],
        "its activation differs",
    ),
    (
        "point",
        &[(
            r#""rule":"point""#,
            r#""rule":"point","parameters":[["1"],["1"]],"network":{"activation":"relu","layers":[{"weights":[["1"]]},{"weights":[["1"]]}]}"#,
        )],
        "not both",
    ),
];

/// The forged file.
pub fn forged(good: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(good.to_string(), |text, (before, after)| {
        // In the claims: the problem stays as it is.
        let at = text.find(r#""claims""#).unwrap();
        let (head, tail) = text.split_at(at);
        assert!(tail.contains(before), "{before} in {tail}");
        format!("{head}{}", tail.replacen(before, after, 1))
    })
}
