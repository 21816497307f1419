//! `maxmargin export`.
use super::arguments::ExportArguments;
use super::check::check_file;
use super::error::Stop;
use super::output::say_raw;
use crate::certify::open;
use crate::export::export;
use crate::import::write_atomically;

pub(super) fn run(arguments: &ExportArguments) -> Result<u8, Stop> {
    if !arguments.verified {
        return Err(Stop::usage("say what to export to: --verified is the proved checker's input"));
    }
    let given = arguments.given.problem()?;
    check_file(&arguments.file, given.as_ref())?;
    let file = open(&arguments.file)
        .map_err(|e| Stop::input(format!("{}: {e}", arguments.file.display())))?;
    let exported = export(file, given.as_ref())
        .map_err(|e| Stop::input(format!("{}: {e}", arguments.file.display())))?;
    match &arguments.output {
        Some(path) => write_atomically(path, exported.text.as_bytes())?,
        // As it is: the checker's digest is that of these bytes, and a line break has a meaning.
        None => say_raw(exported.text.as_bytes()),
    }
    Ok(0)
}
