//! Files that a command is to write, looked at before its work begins.
use super::error::Stop;
use crate::target;
use std::path::Path;

/// Refuses what cannot be written, an output that is an input, and one file for two outputs. Each comes
/// with the name of its option.
pub(super) fn check(
    outputs: &[(&str, Option<&Path>)],
    inputs: &[(&str, &Path)],
) -> Result<(), Stop> {
    let outputs: Vec<(&str, &Path)> =
        outputs.iter().filter_map(|(name, path)| path.map(|path| (*name, path))).collect();
    for (k, (name, path)) in outputs.iter().enumerate() {
        let others = inputs.iter().chain(outputs.iter().take(k));
        for (other, read) in others {
            if target::same(path, read) {
                let path = path.display();
                return Err(Stop::usage(format!("{name} and {other} are the same file, {path}")));
            }
        }
        target::check(path)?;
    }
    Ok(())
}
