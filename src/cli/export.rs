//! `maxmargin export`.
use super::arguments::ExportArguments;
use super::check::verified;
use super::error::Stop;
use super::output::say_raw;
use super::outputs;
use crate::certify::open;
use crate::export::export;
use crate::target;

pub(super) fn run(arguments: &ExportArguments) -> Result<u8, Stop> {
    if !arguments.verified {
        return Err(Stop::usage("say what to export to: --verified is the proved checker's input"));
    }
    outputs::check(&[("-o", arguments.output.as_deref())], &[("FILE", &arguments.file)])?;
    let given = arguments.given.problem()?;
    verified(&arguments.file, given.as_ref())?;
    let file = open(&arguments.file)
        .map_err(|e| Stop::input(format!("{}: {e}", arguments.file.display())))?;
    let exported = export(file, given.as_ref())
        .map_err(|e| Stop::input(format!("{}: {e}", arguments.file.display())))?;
    match &arguments.output {
        Some(path) => target::write(path, exported.text.as_bytes())?,
        // As it is: the checker's digest is that of these bytes, and a line break has a meaning.
        None => say_raw(exported.text.as_bytes()),
    }
    Ok(0)
}
