//! `maxmargin-check FILE… [--model M.json --data D.json] [--json] [LIMITS]`: re-verifies certificates with
//! the kernel alone.
use maxmargin_kernel::check::{Limits, Report, check, report_json};
use maxmargin_kernel::network::NetworkJson;
use maxmargin_kernel::problem::{DataJson, Problem};
use std::fmt::Display;
use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

// `println!` panics when the reader has gone; the exit code is the verdict and must survive that.
macro_rules! say {
    ($($text:tt)*) => {{ let _ = writeln!(std::io::stdout(), $($text)*); }};
}
macro_rules! complain {
    ($($text:tt)*) => {{ let _ = writeln!(std::io::stderr(), $($text)*); }};
}

const USAGE: &str = "\
Verifies maxmargin certificates in exact arithmetic.

Usage: maxmargin-check FILE... [--model M.json --data D.json] [--json] [LIMITS]

  FILE              `-` is standard input: zcat net.cert.json.gz | maxmargin-check -
  --model, --data   exact JSON; the certificates must speak of exactly these
  --json            one JSON object per file on standard output
  --max-nodes N     most nodes of all covers of a file
  --max-bytes N     most bytes of a file
  --time-limit S    most seconds of a file, looked at between the steps of a proof; without it,
                    files that bring their own problem have 30 and one more for every 16 kB

Exit codes: 0 all verified; 1 a certificate was rejected; 2 malformed or unsupported;
3 another model or data set; 4 a limit was reached; 64 usage.";

struct Arguments {
    files: Vec<String>,
    model: Option<String>,
    data: Option<String>,
    json: bool,
    limits: Limits,
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            say!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            complain!("maxmargin-check: {message}\n\n{USAGE}");
            return ExitCode::from(64);
        }
    };
    let given = match given(&arguments) {
        Ok(given) => given,
        Err((code, message)) => {
            complain!("maxmargin-check: {message}");
            return ExitCode::from(code);
        }
    };
    let mut worst = 0;
    for file in &arguments.files {
        let code = check_file(file, given.as_ref(), &arguments);
        // The first failure decides, so that one bad file is not hidden by a later one.
        if worst == 0 {
            worst = code;
        }
    }
    ExitCode::from(worst)
}

fn arguments() -> Result<Option<Arguments>, String> {
    let text = |word: std::ffi::OsString| {
        word.into_string().map_err(|word| format!("{} is not valid Unicode", word.display()))
    };
    let words = std::env::args_os().skip(1).map(text).collect::<Result<Vec<_>, _>>()?;
    parse(words.into_iter())
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Arguments>, String> {
    let (files, limits) = (Vec::new(), Limits::default());
    let mut parsed = Arguments { files, model: None, data: None, json: false, limits };
    while let Some(word) = words.next() {
        let mut value = |name: &str| words.next().ok_or_else(|| format!("{name} needs a value"));
        match word.as_str() {
            "-h" | "--help" => return Ok(None),
            "--json" => parsed.json = true,
            "--model" => parsed.model = Some(value("--model")?),
            "--data" => parsed.data = Some(value("--data")?),
            "--max-nodes" => parsed.limits.nodes = number(&word, &value(&word)?)?,
            "--max-bytes" => parsed.limits.bytes = number(&word, &value(&word)?)?,
            "--time-limit" => {
                parsed.limits.time = Some(Duration::from_secs(number(&word, &value(&word)?)?));
            }
            flag if flag.starts_with('-') && flag != "-" => {
                return Err(format!("unknown option {flag}"));
            }
            _ => parsed.files.push(word),
        }
    }
    if parsed.files.is_empty() {
        return Err("no certificate given".into());
    }
    if parsed.model.is_some() != parsed.data.is_some() {
        return Err("--model and --data go together".into());
    }
    Ok(Some(parsed))
}

fn number<T: std::str::FromStr>(flag: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{flag} needs a whole number, not `{text}`"))
}

/// The problem from outside; else the exit code, 2 or past a limit 4, and why.
fn given(arguments: &Arguments) -> Result<Option<Problem>, (u8, String)> {
    let (Some(model), Some(data)) = (&arguments.model, &arguments.data) else { return Ok(None) };
    let wrong = |path: &String, why: &dyn Display, limit| {
        (if limit { 4 } else { 2 }, format!("{path}: {why}"))
    };
    let text = |path: &String| std::fs::read(path).map_err(|e| wrong(path, &e, false));
    let network = NetworkJson::read(&text(model)?);
    let network = network.map_err(|e| wrong(model, &e, false))?;
    let samples = DataJson::read(&text(data)?);
    let samples = samples.map_err(|e| wrong(data, &e, false))?;
    let network = network.to_network().map_err(|e| wrong(model, &e, e.is_limit()))?;
    let samples = samples.to_data().map_err(|e| wrong(data, &e, e.is_limit()))?;
    Problem::new(network, samples).map(Some).map_err(|e| wrong(data, &e, e.is_limit()))
}

fn check_file(path: &str, given: Option<&Problem>, arguments: &Arguments) -> u8 {
    let json = arguments.json;
    let source: std::io::Result<Box<dyn Read>> = match path {
        "-" => Ok(Box::new(std::io::stdin().lock())),
        _ => File::open(path).map(|file| Box::new(BufReader::new(file)) as Box<dyn Read>),
    };
    let outcome = match source {
        Ok(source) => check(source, given, arguments.limits)
            .map_err(|failure| (failure.exit_code(), failure.to_string())),
        Err(error) => Err((2, error.to_string())),
    };
    match outcome {
        Ok(report) => {
            print_report(path, &report, json);
            0
        }
        Err((code, reason)) => {
            if json {
                let verdict = serde_json::json!({"file": path, "verdict": "refused", "exit": code, "reason": reason});
                say!("{verdict}");
            } else {
                say!("{path}: NOT VERIFIED");
            }
            complain!("{path}: {reason}");
            code
        }
    }
}

fn print_report(path: &str, report: &Report, json: bool) {
    if json {
        let mut value = report_json(report);
        if let Some(map) = value.as_object_mut() {
            map.insert("file".into(), path.into());
        }
        say!("{value}");
        return;
    }
    say!("{path}: verified, {} claims", report.claims.len());
    for verified in &report.claims {
        say!("  {}", verified.claim);
    }
    if !report.tied {
        say!(
            "  (about the network and data embedded in the file; give --model and --data to tie it to yours)"
        );
    }
}
