//! The certificates under `certificates/small/` and `certificates/rejected/` at the root of the
//! workspace.
mod common;

use common::small::small;
use maxmargin_kernel::check::{Limits, check};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    exit: u8,
    error: String,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../certificates").join(name)
}

/// The certificates of a folder by file name.
fn files(name: &str) -> BTreeMap<String, PathBuf> {
    let entries = fs::read_dir(folder(name)).unwrap();
    let named = |entry: fs::DirEntry| (entry.file_name().into_string().unwrap(), entry.path());
    let all = entries.map(|entry| named(entry.unwrap()));
    all.filter(|(name, _)| name != "expected.json").collect()
}

#[test]
fn every_small_certificate_is_verified() {
    let files = files("small");
    assert!(files.len() >= 8, "{}", files.len());
    for (name, path) in &files {
        let report = check(File::open(path).unwrap(), None, Limits::default());
        match report {
            Ok(report) => assert!(!report.claims.is_empty() && !report.tied, "{name}"),
            Err(failure) => panic!("{name}: {failure}"),
        }
    }
}

#[test]
fn small_certificates_are_what_the_example_writes() {
    let written: BTreeMap<String, String> =
        small().into_iter().map(|(name, text)| (format!("{name}.json"), text)).collect();
    let stored = files("small");
    assert_eq!(stored.keys().collect::<Vec<_>>(), written.keys().collect::<Vec<_>>());
    for (name, path) in &stored {
        assert_eq!(&fs::read_to_string(path).unwrap(), &written[name], "{name}");
    }
}

#[test]
fn every_rejected_certificate_fails_as_expected() {
    let expected = fs::read_to_string(folder("rejected").join("expected.json")).unwrap();
    let expected: BTreeMap<String, Expected> = serde_json::from_str(&expected).unwrap();
    let files = files("rejected");
    assert!(files.len() >= 24, "{}", files.len());
    let names = |keys: BTreeSet<&String>| keys.into_iter().cloned().collect::<Vec<_>>();
    assert_eq!(names(files.keys().collect()), names(expected.keys().collect()));
    for (name, path) in &files {
        let Expected { exit, error } = &expected[name];
        match check(File::open(path).unwrap(), None, Limits::default()) {
            Ok(_) => panic!("{name} is verified"),
            Err(failure) => {
                let text = failure.to_string();
                assert!(text.contains(error.as_str()), "{name}: `{text}` lacks `{error}`");
                assert!(!error.is_empty(), "{name}");
                assert_eq!(failure.exit_code(), *exit, "{name}: {text}");
            }
        }
    }
}
