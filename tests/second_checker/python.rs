//! The second checker as a process.
use std::collections::BTreeMap;
use std::io::{Seek, Write};
use std::process::{Command, Stdio};

/// What a checker says of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub exit: i64,
    pub reason: String,
    /// Kind, scope and numbers of every claim.
    pub claims: Vec<BTreeMap<String, String>>,
}

/// Runs a Python program on texts, each given as a length and its bytes; one line of answer each.
fn run(program: &str, texts: &[&[u8]]) -> Vec<serde_json::Value> {
    let mut input = tempfile::tempfile().unwrap();
    for text in texts {
        writeln!(input, "{}", text.len()).unwrap();
        input.write_all(text).unwrap();
    }
    input.rewind().unwrap();
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let output = Command::new(&python)
        .args(["-I", "-c", program])
        .stdin(Stdio::from(input))
        .output()
        .unwrap_or_else(|error| panic!("{python}: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<_> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(answers.len(), texts.len());
    answers
}

/// The verdicts of `checkers/python/check.py`.
pub fn verdicts(texts: &[&[u8]]) -> Vec<Verdict> {
    let folder = format!("{}/checkers/python", env!("CARGO_MANIFEST_DIR"));
    let program = format!(
        "import json, sys\nsys.dont_write_bytecode = True\nsys.path.insert(0, {folder:?})\nimport check\n\
         for line in iter(sys.stdin.buffer.readline, b''):\n\
         \x20   raw = sys.stdin.buffer.read(int(line))\n\
         \x20   try:\n\
         \x20       answer = [0, '', [check.described(c) for c in check.check(raw)]]\n\
         \x20   except check.Fault as fault:\n\
         \x20       answer = [fault.code, str(fault), []]\n\
         \x20   print(json.dumps(answer))\n"
    );
    let verdict = |value: serde_json::Value| {
        let (exit, reason, claims) = serde_json::from_value(value).unwrap();
        Verdict { exit, reason, claims }
    };
    run(&program, texts).into_iter().map(verdict).collect()
}

/// The exit code of `checkers/python/check.py` with these words.
pub fn exit_code(words: &[&str]) -> Option<i32> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/checkers/python/check.py");
    Command::new(python).args(["-I", program]).args(words).output().unwrap().status.code()
}

/// The digests of the embedded problems by the functions `digest`, `canonical_network` and
/// `canonical_data` of some Python code.
pub fn digests(code: &str, texts: &[&[u8]]) -> Vec<(String, String)> {
    let program = format!(
        "{code}\nimport sys\n\
         for line in iter(sys.stdin.buffer.readline, b''):\n\
         \x20   problem = json.loads(sys.stdin.buffer.read(int(line)))['problem']\n\
         \x20   last = problem['network']['layers'][-1]\n\
         \x20   outputs = len(last.get('weights') or last['pattern'])\n\
         \x20   print(json.dumps([digest(canonical_network(problem['network'])),\n\
         \x20                     digest(canonical_data(problem['data'], outputs))]))\n"
    );
    run(&program, texts).into_iter().map(|v| serde_json::from_value(v).unwrap()).collect()
}
