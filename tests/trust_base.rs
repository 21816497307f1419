//! What the README says of the trust base: the kernel's size, its dependencies and their versions.
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Lines that are neither empty, nor comments, nor in a module of tests, which stands last.
fn lines_of_code(text: &str) -> usize {
    let code = text.split_once("#[cfg(test)]\nmod tests {").map_or(text, |(code, _)| code);
    let counts = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
    code.lines().filter(counts).count()
}

/// The README's paragraphs on the kernel, on one line.
fn section() -> String {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, section) = readme.split_once("## Why believe it").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    section.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `cargo test --test trust_base -- --nocapture` prints the number.
#[test]
fn the_kernel_has_as_many_lines_as_the_readme_says() {
    let mut files = Vec::new();
    sources(&root().join("kernel/src"), &mut files);
    files.retain(|path| !path.to_string_lossy().ends_with("_tests.rs"));
    let count: usize = files.iter().map(|p| lines_of_code(&fs::read_to_string(p).unwrap())).sum();
    println!("{count} lines of code in {} files", files.len());
    let section = section();
    let (before, _) = section.split_once(" lines of code").unwrap();
    let words: Vec<&str> = before.rsplitn(4, ' ').collect();
    let said: usize = format!("{}{}", words[1], words[0]).parse().expect("a number");
    assert!(said.abs_diff(count) <= 200, "the README says {said}, there are {count}");
}

#[test]
fn the_kernel_has_the_dependencies_that_the_readme_names_with_these_versions() {
    let manifest = fs::read_to_string(root().join("kernel/Cargo.toml")).unwrap();
    let (_, list) = manifest.split_once("[dependencies]\n").unwrap();
    let (list, _) = list.split_once("\n\n").unwrap();
    let names: BTreeSet<&str> =
        list.lines().map(|line| line.split(['.', ' ']).next().unwrap()).collect();
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let section = section();
    for name in &names {
        let package = format!("name = \"{name}\"\nversion = \"");
        let locked = lock.split("[[package]]\n").filter_map(|p| p.strip_prefix(&*package));
        let says =
            |rest: &str| section.contains(&format!("`{name}` {}", rest.split('"').next().unwrap()));
        assert!(locked.clone().count() > 0, "{name} is not locked");
        // Another package may use an older version beside it.
        assert!(locked.clone().any(says), "the README has another version of {name}");
    }
    assert_eq!(names.len(), 8);
}
