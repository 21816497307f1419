//! The seeds of the fuzz targets, run once each.
use maxmargin::fuzzing;
use std::path::Path;

/// Name, function and least number of seeds.
type Target = (&'static str, fn(&[u8]), usize);

#[test]
fn every_seed_passes_its_target() {
    let targets: [Target; 6] = [
        ("certificate", fuzzing::certificate, 6),
        ("import_safetensors", fuzzing::import_safetensors, 4),
        ("import_npz", fuzzing::import_npz, 4),
        ("import_onnx", fuzzing::import_onnx, 4),
        ("import_csv", fuzzing::import_csv, 4),
        ("import_json", fuzzing::import_json, 4),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), targets.len());
    for (name, target, at_least) in targets {
        let mut count = 0;
        for entry in std::fs::read_dir(folder.join(name)).unwrap() {
            target(&std::fs::read(entry.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count >= at_least, "{name} has {count} seeds");
    }
}
