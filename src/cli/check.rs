//! `maxmargin check`.
use super::arguments::{CheckArguments, Reading};
use super::error::Stop;
use super::files::{Files, expand};
use super::output::{say, say_json, say_unbroken};
use crate::certify::open;
use crate::import::load_problem;
use crate::report;
use maxmargin_kernel::check::{Failure, Limits, Report, check, report_json};
use maxmargin_kernel::problem::Problem;
use std::path::{Path, PathBuf};

pub(super) fn run(arguments: &CheckArguments) -> Result<u8, Stop> {
    let given = given(arguments.model.as_ref(), arguments.data.as_ref(), &arguments.reading)?;
    let Files { files, many, others } = expand(&arguments.files)?;
    let mut first_failure = 0;
    let mut verified = 0;
    for file in &files {
        let outcome = check_file(file, given.as_ref());
        verified += usize::from(outcome.is_ok());
        match (&outcome, arguments.json) {
            (_, true) => say_json(&json(file, &outcome)),
            (Ok(report), false) if many => say(report::row(file, report)),
            (Ok(_), false) => say(report::checked(file, &outcome)),
            (Err(_), false) => say_unbroken(report::checked(file, &outcome)),
        }
        if let Err(failure) = outcome
            && first_failure == 0
        {
            first_failure = failure.exit_code();
        }
    }
    if files.len() > 1 && !arguments.json {
        say(report::summary(verified, files.len() - verified, others));
    }
    Ok(first_failure)
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

/// Checks one file.
pub(super) fn check_file(path: &Path, given: Option<&Problem>) -> Result<Report, Failure> {
    let file = open(path).map_err(|e| Failure::Io(format!("{}: {e}", path.display())))?;
    check(file, given, Limits::default())
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
