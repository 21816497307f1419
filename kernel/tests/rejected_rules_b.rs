//! Near misses of certificates, each with the verdict and the words it must be refused with.
use maxmargin_kernel::check::check;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

#[derive(serde::Deserialize)]
struct Expected {
    exit: u8,
    error: String,
}

#[test]
fn every_near_miss_is_refused_for_its_own_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = File::open(root.join("tests/rejected_rules_b.json")).unwrap();
    let list: BTreeMap<String, Expected> = serde_json::from_reader(list).unwrap();
    assert!(list.len() >= 25, "{}", list.len());
    for (name, expected) in list {
        let file = File::open(root.join("../certificates/rejected").join(&name)).unwrap();
        let failure = check(file, None, Default::default()).expect_err(&name);
        assert_eq!(failure.exit_code(), expected.exit, "{name}: {failure}");
        let text = failure.to_string();
        assert!(text.contains(&expected.error), "{name}: {text}");
    }
}
