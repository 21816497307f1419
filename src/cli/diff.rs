//! `maxmargin diff`.
use super::arguments::Reading;
use super::check::{given, verified};
use super::error::Stop;
use super::output::{say, say_json};
use crate::certify::open;
use crate::report::diff::{Side, compare, json, text};
use crate::report::html::Contents;
use clap::Args;
use maxmargin_kernel::check::{Failure, Report};
use maxmargin_kernel::problem::Problem;
use std::path::{Path, PathBuf};

/// Exit code if the new certificate says less than the old one.
const WEAKER: u8 = 6;

/// `maxmargin diff`.
#[derive(Debug, Args)]
pub(super) struct DiffArguments {
    /// The certificate from before
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// The certificate from now
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// The network of NEW, if it is not embedded
    #[arg(long, value_name = "FILE", requires = "data")]
    pub model: Option<PathBuf>,
    /// The network of OLD, if it is not embedded
    #[arg(long, value_name = "FILE", requires = "data")]
    pub old_model: Option<PathBuf>,
    /// The training set of those that do not embed it
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// How to read them
    #[command(flatten)]
    pub reading: Reading,
    /// Relative difference up to which numbers count as equal
    #[arg(long, value_name = "NUMBER", default_value_t = 1e-6, value_parser = super::arguments::seconds)]
    pub tolerance: f64,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

pub(super) const HELP: &str = "\
Example:
  maxmargin diff main.cert.json branch.cert.json

Both are verified first. Bounds are compared as multiples of each network's own
ν. Exit codes: 0 NEW says nothing less than OLD; 6 something was lost or became
weaker; 1 to 4 as for check, if one of the two is not verified.";

struct Opened {
    report: Report,
    contents: Contents,
    sharing: bool,
}

pub(super) fn run(arguments: &DiffArguments) -> Result<u8, Stop> {
    let old = opened(arguments, &arguments.old, arguments.old_model.as_ref())?;
    let new = opened(arguments, &arguments.new, arguments.model.as_ref())?;
    let changes = compare(&side(&old), &side(&new), arguments.tolerance);
    match arguments.json {
        true => say_json(&json(&changes)),
        false => say(text(&changes)),
    }
    Ok(if changes.iter().any(crate::report::diff::Change::is_loss) { WEAKER } else { 0 })
}

fn side(opened: &Opened) -> Side<'_> {
    Side { report: &opened.report, entry: &opened.contents.entry, sharing: opened.sharing }
}

fn opened(arguments: &DiffArguments, path: &Path, model: Option<&PathBuf>) -> Result<Opened, Stop> {
    let named = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let given: Option<Problem> = given(model, arguments.data.as_ref(), &arguments.reading)?;
    let report = verified(path, given.as_ref())?;
    let file = open(path).map_err(|e| Stop::input(named(&e)))?;
    let contents = Contents::read(file).map_err(|e| Stop::input(named(&e)))?;
    let problem = given.or_else(|| contents.problem()).ok_or(Failure::NoProblem)?;
    Ok(Opened { report, sharing: problem.network().has_sharing(), contents })
}
