//! Times of what benchmarks compare.
use std::time::Instant;

/// Seconds of the fastest of so many repetitions: others measure what else the machine does.
pub fn fastest(times: usize, mut run: impl FnMut()) -> f64 {
    let once = |_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    };
    (0..times).map(once).fold(f64::INFINITY, f64::min)
}
