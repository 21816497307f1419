//! `maxmargin check`.
use super::arguments::{CheckArguments, Given, Reading};
use super::error::Stop;
use super::files::{Files, expand};
use super::output::{say, say_json, say_unbroken};
use crate::certify::{open, stored};
use crate::export::export;
use crate::import::load_problem;
use crate::report;
use maxmargin_kernel::check::{Failure, Limits, Report, check, report_json};
use maxmargin_kernel::problem::Problem;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) fn run(arguments: &CheckArguments) -> Result<u8, Stop> {
    let given = arguments.given.problem()?;
    if arguments.also_verified.is_some() && arguments.files.iter().any(|f| f == Path::new("-")) {
        return Err(Stop::usage("--also-verified reads certificates twice: give a file, not -"));
    }
    let Files { files, many, others } = expand(&arguments.files)?;
    let usual = Limits::default();
    let limits = Limits {
        nodes: arguments.max_nodes.unwrap_or(usual.nodes),
        bytes: arguments.max_bytes.unwrap_or(usual.bytes),
        time: arguments.time_limit.map(Duration::from_secs).or(usual.time),
    };
    let mut first_failure = 0;
    let mut verified = 0;
    for file in &files {
        let mut read = arguments.also_verified.is_some().then(Sha256::new);
        let outcome = check_within(file, given.as_ref(), limits, read.as_mut());
        verified += usize::from(outcome.is_ok());
        match (&outcome, arguments.json) {
            (_, true) => say_json(&json(file, &outcome)),
            (Ok(report), false) if many => say(report::row(file, report)),
            (Ok(_), false) => say(report::checked(file, &outcome)),
            (Err(_), false) => say_unbroken(report::checked(file, &outcome)),
        }
        let code = match (&outcome, &arguments.also_verified, read) {
            (Err(failure), _, _) => failure.exit_code(),
            (Ok(_), Some(program), Some(read)) => {
                also_verified(file, given.as_ref(), program, read)?
            }
            (Ok(_), _, _) => 0,
        };
        if first_failure == 0 {
            first_failure = code;
        }
    }
    if files.len() > 1 && !arguments.json {
        say(report::summary(verified, files.len() - verified, others));
    }
    Ok(first_failure)
}

impl Given {
    /// The problem, if both files are given.
    pub(super) fn problem(&self) -> Result<Option<Problem>, Stop> {
        given(self.model.as_ref(), self.data.as_ref(), &self.reading)
    }
}

/// The problem from outside, if both files are given.
pub(super) fn given(
    model: Option<&PathBuf>,
    data: Option<&PathBuf>,
    reading: &Reading,
) -> Result<Option<Problem>, Stop> {
    let (Some(model), Some(data)) = (model, data) else { return Ok(None) };
    let (model_options, data_options) = reading.options();
    let (problem, _) = load_problem(model, data, &model_options, &data_options)?;
    Ok(Some(problem))
}

/// Hands a file that the kernel verified to the proved checker; `read` has digested what the kernel read.
fn also_verified(
    path: &Path,
    given: Option<&Problem>,
    program: &Path,
    read: Sha256,
) -> Result<u8, Stop> {
    let wrong = |e: &dyn std::fmt::Display| Stop::input(format!("{}: {e}", path.display()));
    let mut again = Sha256::new();
    let mut file =
        Digested { source: open(path).map_err(|e| wrong(&e))?, digest: Some(&mut again) };
    let exported = export(&mut file, given).map_err(|e| wrong(&e))?;
    file.finish().map_err(|e| wrong(&e))?;
    // The two checkers agree only if they speak of the same certificate.
    if again.finalize() != read.finalize() {
        return Err(wrong(&"it was not the same when it was read again for the proved checker"));
    }
    Ok(match crate::export::run(program, &exported) {
        Ok(verified) => {
            let all = exported.claims.len();
            say(format_args!(
                "PROVED CHECKER  accepts {} of {all} claims (its input: sha256 {})\n",
                verified.accepted.len(),
                verified.digest
            ));
            for claim in &verified.not_covered {
                say(format_args!("  not covered by the proved checker: {claim}\n"));
            }
            0
        }
        Err(disagreement) => {
            let path = path.display();
            say(format_args!("PROVED CHECKER  DOES NOT CONFIRM  {path}\n  {disagreement}\n"));
            7
        }
    })
}

/// Checks one file that a command needs verified.
pub(super) fn verified(path: &Path, given: Option<&Problem>) -> Result<Report, Stop> {
    check_within(path, given, Limits::default(), None).map_err(|failure| match failure {
        // It names the file already.
        Failure::Io(_) => failure.into(),
        _ => Stop { code: failure.exit_code(), message: format!("{}: {failure}", path.display()) },
    })
}

/// A reader that digests what passes.
struct Digested<'a> {
    source: Box<dyn Read>,
    digest: Option<&'a mut Sha256>,
}

impl Read for Digested<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.source.read(buffer)?;
        if let (Some(digest), Some(bytes)) = (&mut self.digest, buffer.get(..count)) {
            digest.update(bytes);
        }
        Ok(count)
    }
}

impl Digested<'_> {
    /// Reads on to the end.
    fn finish(&mut self) -> std::io::Result<()> {
        std::io::copy(self, &mut std::io::sink()).map(drop)
    }
}

fn check_within(
    path: &Path,
    given: Option<&Problem>,
    limits: Limits,
    digest: Option<&mut Sha256>,
) -> Result<Report, Failure> {
    let failed = |e: std::io::Error| Failure::Io(format!("{}: {e}", path.display()));
    let mut file = Digested { source: open(path).map_err(failed)?, digest };
    // The kernel allows for the text it reads, of which a short gzip file may hold a thousand times
    // its own size: here its own counts, at four times for an honest certificate.
    let zipped = stored(path).filter(|_| given.is_none());
    let own = zipped.map(|bytes| Duration::from_secs(30 + (bytes >> 12)));
    let report = check(&mut file, given, Limits { time: limits.time.or(own), ..limits })?;
    if file.digest.is_some() {
        file.finish().map_err(failed)?;
    }
    Ok(report)
}

fn json(file: &Path, outcome: &Result<Report, Failure>) -> serde_json::Value {
    let mut value = match outcome {
        Ok(report) => report_json(report),
        Err(failure) => serde_json::json!({
            "verdict": "refused", "exit": failure.exit_code(), "reason": failure.to_string(),
        }),
    };
    if let Some(map) = value.as_object_mut() {
        map.insert("file".into(), file.display().to_string().into());
    }
    value
}
