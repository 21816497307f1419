//! The seeds of the fuzz targets, run once each.
use maxmargin::fuzzing;
use std::path::Path;

/// Name, function and least number of seeds.
type Target = (&'static str, fn(&[u8]), usize);

#[test]
fn every_seed_passes_its_target() {
    let targets: [Target; 8] = [
        ("certificate", fuzzing::certificate, 6),
        ("import_safetensors", fuzzing::import_safetensors, 4),
        ("import_npz", fuzzing::import_npz, 4),
        ("import_onnx", fuzzing::import_onnx, 4),
        ("import_csv", fuzzing::import_csv, 4),
        ("import_json", fuzzing::import_json, 4),
        ("arithmetic", fuzzing::arithmetic, 8),
        ("problems", fuzzing::problems, 24),
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

/// The targets that make sense of any bytes, on random ones: `FUZZ_RANDOM=100000` for more.
#[test]
fn random_bytes_pass_the_targets_that_build_problems() {
    use rand::{Rng, SeedableRng};
    let asked = std::env::var("FUZZ_RANDOM").ok().and_then(|n| n.parse().ok());
    for seed in 0..asked.unwrap_or(200) {
        let mut rng = rand_pcg::Pcg64::seed_from_u64(seed);
        let bytes: Vec<u8> = (0..rng.random_range(1..256)).map(|_| rng.random()).collect();
        fuzzing::arithmetic(&bytes);
        fuzzing::problems(&bytes);
    }
}
