//! Peak memory of `certify` on a 2 000 × 784 → 256 → 1 checkpoint within a minute: at most 1 GiB.
//! Linux only: the peak is read from /proc.
//!
//! `cargo bench --bench memory`
mod synthetic;

use ndarray::{Array1, Array2};
use ndarray_npy::NpzWriter;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use synthetic::{INPUTS, SAMPLES, Synthetic, WIDTH};

/// Most bytes.
const LIMIT: u64 = 1 << 30;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (model, data) = (folder.path().join("m.npz"), folder.path().join("d.npz"));
    write(&model, &data);
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_maxmargin"))
        .args(["certify", "--time-limit", "60", "--model"])
        .arg(&model)
        .arg("--data")
        .arg(&data)
        .arg("-o")
        .arg(folder.path().join("c.json"))
        .spawn()
        .expect("the program starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let code = loop {
        // The high-water mark only rises, so the last reading is at most one interval old.
        peak = peak.max(high_water(Path::new(&status)).unwrap_or(0));
        if let Some(code) = child.try_wait().expect("it can be waited for") {
            break code;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    println!(
        "{code}, {:.1} s, peak {} MiB (limit {} MiB)",
        start.elapsed().as_secs_f64(),
        peak >> 20,
        LIMIT >> 20
    );
    assert!(peak > 0 && peak <= LIMIT, "peak memory is past the limit");
}

/// Bytes of `VmHWM`.
fn high_water(status: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some(1024 * line.split_whitespace().nth(1)?.parse::<u64>().ok()?)
}

/// The synthetic problem with the labels that its network gives.
fn write(model: &Path, data: &Path) {
    let Synthetic { x, w, v } = Synthetic::new();
    let x = Array2::from_shape_vec((SAMPLES, INPUTS), x).expect("its shape");
    let w = Array2::from_shape_vec((WIDTH, INPUTS), w).expect("its shape");
    let v = Array2::from_shape_vec((1, WIDTH), v).expect("its shape");
    let double = |a: &Array2<f32>| a.mapv(f64::from);
    let hidden = double(&x).dot(&double(&w).t()).mapv(|z| z.max(0.0));
    let outputs = hidden.dot(&double(&v).t());
    let y: Array1<i64> = outputs.iter().map(|f| if *f > 0.0 { 1 } else { -1 }).collect();
    let mut file = NpzWriter::new(File::create(model).expect("a file"));
    file.add_array("W1", &w).expect("written");
    file.add_array("W2", &v).expect("written");
    file.finish().expect("written");
    let mut file = NpzWriter::new(File::create(data).expect("a file"));
    file.add_array("X", &x).expect("written");
    file.add_array("y", &y).expect("written");
    file.finish().expect("written");
}
