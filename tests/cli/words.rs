//! Help pages and reports, word for word; numbers that depend on rounding are written `#`.
use crate::{EXAMPLES, Folder};

#[test]
fn help() {
    let folder = Folder::new();
    for command in ["", "certify", "polish", "check", "show", "diff"] {
        let arguments: Vec<&str> =
            if command.is_empty() { vec!["--help"] } else { vec![command, "--help"] };
        let run = folder.run(&arguments).expect(0);
        insta::assert_snapshot!(format!("help_{command}"), run.out);
    }
}

#[test]
fn reports() {
    let folder = Folder::new();
    for (name, pair) in [("digits", EXAMPLES[0]), ("iris", EXAMPLES[2])] {
        let run = folder.on("certify", pair, &["-o", "c.json"]).expect(0);
        insta::assert_snapshot!(format!("certify_{name}"), skeleton(&run.out));
        let run = folder.on("check", pair, &["c.json"]).expect(0);
        insta::assert_snapshot!(format!("check_{name}"), skeleton(&run.out));
        let run = folder.on("show", pair, &["c.json"]).expect(0);
        insta::assert_snapshot!(format!("show_{name}"), skeleton(&run.out));
        let run = folder.on("polish", pair, &["-o", "p.safetensors"]).expect(0);
        insta::assert_snapshot!(format!("polish_{name}"), skeleton(&run.out));
    }
}

/// Numbers become `#`, runs of spaces inside lines one space, the examples' folder `examples`.
fn skeleton(text: &str) -> String {
    let text = text.replace(&crate::example(""), "examples/");
    let mut out = String::new();
    for line in text.lines() {
        let inner = line.trim_start();
        out.push_str(&line[..line.len() - inner.len()]);
        let words: Vec<String> = inner.split_whitespace().map(word).collect();
        out.push_str(&words.join(" "));
        out.push('\n');
    }
    out
}

/// `1.5e-7,` becomes `#,`; words with letters before the digits, as in file names, stay.
fn word(word: &str) -> String {
    let digits = |c: char| c.is_ascii_digit();
    let Some(start) = word.find(digits) else { return word.into() };
    if word[..start].contains(|c: char| c.is_alphabetic()) || word.contains("-10-") {
        return word.into();
    }
    let end = word.rfind(digits).unwrap() + 1;
    format!("{}#{}", &word[..start], &word[end..])
}

#[test]
fn numbers_become_marks() {
    let text = "  ν = 0.285   (1.5e-7), 64-10-1 near:1e-6 a_m10.npz 1/10000)\n";
    assert_eq!(skeleton(text), "  ν = # (#), 64-10-1 near:1e-6 a_m10.npz #)\n");
}
