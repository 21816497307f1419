//! `maxmargin show`.
use super::arguments::ShowArguments;
use super::check::verified;
use super::error::Stop;
use super::output::say;
use super::outputs;
use crate::certify::open;
use crate::report;
use crate::report::html::{Contents, Page};
use crate::target;
use maxmargin_kernel::check::{Failure, Report};
use maxmargin_kernel::problem::Problem;
use std::path::Path;

pub(super) fn run(arguments: &ShowArguments) -> Result<u8, Stop> {
    outputs::check(&[("--html", arguments.html.as_deref())], &[("FILE", &arguments.file)])?;
    let given = arguments.given.problem()?;
    let report = verified(&arguments.file, given.as_ref())?;
    let Some(path) = &arguments.html else {
        say(report::show(&arguments.file, &report));
        return Ok(0);
    };
    let document = page(arguments, given, &report)?;
    target::write(path, document.as_bytes())?;
    say(format_args!("VERIFIED  {}\nWritten to {}\n", arguments.file.display(), path.display()));
    Ok(0)
}

fn page(
    arguments: &ShowArguments,
    given: Option<Problem>,
    report: &Report,
) -> Result<String, Stop> {
    let path: &Path = &arguments.file;
    let read = |e: &dyn std::fmt::Display| Stop::input(format!("{}: {e}", path.display()));
    let contents = Contents::read(open(path).map_err(|e| read(&e))?).map_err(|e| read(&e))?;
    let files = arguments.given.model.as_deref().zip(arguments.given.data.as_deref());
    let problem = given.or_else(|| contents.problem()).ok_or(Failure::NoProblem)?;
    let page = Page { file: path, problem: &problem, report, contents: &contents, given: files };
    Ok(page.document())
}
