//! `maxmargin show`.
use super::arguments::ShowArguments;
use super::check::check_file;
use super::error::Stop;
use super::output::say;
use crate::certify::open;
use crate::import::{check_folder, write_atomically};
use crate::report;
use crate::report::html::{Contents, Page};
use maxmargin_kernel::check::{Failure, Report};
use maxmargin_kernel::problem::Problem;
use std::path::Path;

pub(super) fn run(arguments: &ShowArguments) -> Result<u8, Stop> {
    let given = arguments.given.problem()?;
    let report = check_file(&arguments.file, given.as_ref())?;
    let Some(target) = &arguments.html else {
        say(report::show(&arguments.file, &report));
        return Ok(0);
    };
    check_folder(target)?;
    let document = page(arguments, given, &report)?;
    write_atomically(target, document.as_bytes())?;
    say(format_args!("VERIFIED  {}\nWritten to {}\n", arguments.file.display(), target.display()));
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
