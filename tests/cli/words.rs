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
fn help_fits_a_terminal() {
    let folder = Folder::new();
    let top = folder.run(&["--help"]).expect(0).out;
    let list = top.lines().skip_while(|l| *l != "Commands:").skip(1).take_while(|l| !l.is_empty());
    let names = list.filter(|l| !l.starts_with("   ")).filter_map(|l| l.split_whitespace().next());
    let mut commands: Vec<Vec<&str>> = names.filter(|n| *n != "help").map(|n| vec![n]).collect();
    assert!(commands.len() >= 12, "{commands:?}");
    commands.extend(["split", "prove", "join"].map(|step| vec!["cover", step]));
    for mut command in commands {
        command.push("--help");
        for line in folder.run(&command).expect(0).out.lines() {
            assert!(line.chars().count() <= 80, "{command:?}: {line}");
        }
    }
}

#[test]
fn reports() {
    let folder = Folder::new();
    // Where lines break depends on the length of paths: short ones, the same on every machine.
    for (name, (model, data)) in [("digits", EXAMPLES[0]), ("iris", EXAMPLES[2])] {
        let copied = |file: &str| {
            let short = format!("examples/{file}");
            let place = folder.path(&short);
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::fs::copy(crate::example(file), place).unwrap();
            short
        };
        let (model, data) = (copied(model), copied(data));
        for (command, more) in [
            ("certify", &["-o", "c.json"][..]),
            ("check", &["c.json"]),
            ("show", &["c.json"]),
            ("polish", &["-o", "p.safetensors"]),
        ] {
            let mut arguments = vec![command, "--model", &model, "--data", &data];
            arguments.extend(more);
            let run = folder.run(&arguments).expect(0);
            insta::assert_snapshot!(format!("{command}_{name}"), skeleton(&run.out));
        }
    }
}

/// Numbers become `#`, runs of spaces inside lines one space.
fn skeleton(text: &str) -> String {
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
