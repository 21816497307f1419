//! Which certificates are meant: files, folders, patterns.
use super::error::Stop;
use crate::certify::open;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Files named on the command line, in order.
pub(super) struct Files {
    /// The certificates.
    pub files: Vec<PathBuf>,
    /// Whether a folder or a pattern stood for some of them: then one line each is enough.
    pub many: bool,
    /// JSON files in the folders that are no certificates.
    pub others: usize,
}

/// Expands folders, with everything in them that is a certificate by name (`*.cert.json`, also
/// `.gz`) or by its first words, and patterns with `*`, `?` and `[…]`.
///
/// # Errors
/// A folder without certificates, a pattern without files.
pub(super) fn expand(names: &[PathBuf]) -> Result<Files, Stop> {
    let mut found = Files { files: Vec::new(), many: false, others: 0 };
    for name in names {
        let text = name.to_string_lossy();
        if name.is_dir() {
            found.many = true;
            let before = found.files.len();
            folder(name, &mut found)?;
            if found.files.len() == before {
                return Err(Stop::input(format!("{text}: no certificates in this folder")));
            }
        } else if !name.exists() && text.contains(['*', '?', '[']) {
            found.many = true;
            let paths = glob::glob(&text).map_err(|e| Stop::input(format!("{text}: {e}")))?;
            let before = found.files.len();
            found.files.extend(paths.filter_map(Result::ok).filter(|p| p.is_file()));
            if found.files.len() == before {
                return Err(Stop::input(format!("{text}: no file matches this pattern")));
            }
        } else {
            found.files.push(name.clone());
        }
    }
    Ok(found)
}

fn folder(path: &Path, found: &mut Files) -> Result<(), Stop> {
    let fail = |e: std::io::Error| Stop::input(format!("{}: {e}", path.display()));
    let entries = std::fs::read_dir(path).map_err(fail)?;
    let mut paths: Vec<PathBuf> =
        entries.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>().map_err(fail)?;
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let json = name.ends_with(".json") || name.ends_with(".json.gz");
        if path.is_dir() {
            folder(&path, found)?;
        } else if json && (name.contains(".cert.") || begins_as_certificate(&path)) {
            found.files.push(path);
        } else if json {
            found.others += 1;
        }
    }
    Ok(())
}

/// Whether the first words are those of a certificate.
fn begins_as_certificate(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = open(path).and_then(|file| file.take(200).read_to_end(&mut start));
    read.is_ok() && String::from_utf8_lossy(&start).contains("maxmargin-certificate")
}
