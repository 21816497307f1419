//! A seeded checkpoint of the size of a real one: images of 28 × 28 bytes over 255, weights from
//! a normal distribution, output weights in pairs of opposite sign so that both labels occur; all
//! float32.
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

/// Images.
pub const SAMPLES: usize = 2000;
/// Pixels.
pub const INPUTS: usize = 784;
/// Hidden neurons.
pub const WIDTH: usize = 256;

/// Samples, weights of both layers, row by row.
pub struct Synthetic {
    /// `SAMPLES × INPUTS`.
    pub x: Vec<f32>,
    /// `WIDTH × INPUTS`.
    pub w: Vec<f32>,
    /// `WIDTH`.
    pub v: Vec<f32>,
}

impl Synthetic {
    /// The same for everybody.
    pub fn new() -> Self {
        let mut rng = Pcg64::seed_from_u64(784);
        let pixel = |rng: &mut Pcg64| f32::from(rng.random_range(0u8..=255)) / 255.0;
        let x = (0..SAMPLES * INPUTS).map(|_| pixel(&mut rng)).collect();
        let mut normals = |n: usize, scale: f32| -> Vec<f32> {
            (0..n).map(|_| scale * normal(&mut rng)).collect()
        };
        let w = normals(WIDTH * INPUTS, 0.05);
        let v = normals(WIDTH / 2, 0.1).into_iter().flat_map(|v| [v, -v]).collect();
        Self { x, w, v }
    }
}

/// Box and Muller's.
fn normal(rng: &mut Pcg64) -> f32 {
    let (a, b) = (1.0 - rng.random::<f32>(), rng.random::<f32>());
    (-2.0 * a.ln()).sqrt() * (std::f32::consts::TAU * b).cos()
}
