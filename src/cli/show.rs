//! `maxmargin show`.
use super::arguments::ShowArguments;
use super::check::{check_file, given};
use super::error::Stop;
use super::output::say;
use crate::report;

pub(super) fn run(arguments: &ShowArguments) -> Result<u8, Stop> {
    let given = given(arguments.model.as_ref(), arguments.data.as_ref(), &arguments.reading)?;
    let report = check_file(&arguments.file, given.as_ref())?;
    say(report::show(&arguments.file, &report));
    Ok(0)
}
