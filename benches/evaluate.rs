//! Exact evaluation against floats: all preactivations of a 784-256 layer on 2 000 samples as
//! integers, and as one float64 matrix product on one thread. Fails above 15 times.
//!
//! `cargo bench --bench evaluate`
mod synthetic;
mod timing;

use maxmargin_kernel::network::{Activation, Layer, Network};
use maxmargin_kernel::number::ScaledVec;
use maxmargin_kernel::problem::{Data, Problem};
use ndarray::Array2;
use std::hint::black_box;
use synthetic::{INPUTS, SAMPLES, Synthetic, WIDTH};
use timing::fastest;

/// Largest accepted ratio.
const LIMIT: f64 = 15.0;
/// Repetitions, of which the fastest counts.
const TIMES: usize = 5;

fn main() {
    let Synthetic { x, w, v } = Synthetic::new();
    let wide = |values: &[f32]| values.iter().map(|v| f64::from(*v)).collect::<Vec<f64>>();
    let (x, w, v) = (wide(&x), wide(&w), wide(&v));
    let exact = |values: &[f64]| ScaledVec::from_f64s(values).expect("finite");
    let samples: Vec<ScaledVec> = x.chunks(INPUTS).map(exact).collect();
    let layers = vec![
        Layer::dense(1, WIDTH, INPUTS, exact(&w)).expect("shapes fit"),
        Layer::dense(2, 1, WIDTH, exact(&v)).expect("shapes fit"),
    ];
    let network = Network::new(Activation::relu(), layers).expect("layers chain");
    println!(
        "{SAMPLES} samples, {INPUTS}-{WIDTH}: integers of {} and {} bits",
        samples.iter().map(|s| s.numerators().bits()).max().unwrap_or(0),
        network.layers()[0].parameters().numerators().bits()
    );

    // ndarray multiplies by matrixmultiply, on one thread.
    let a = Array2::from_shape_vec((SAMPLES, INPUTS), x).expect("its shape");
    let b = Array2::from_shape_vec((WIDTH, INPUTS), w).expect("its shape");
    let mut product = Array2::zeros((SAMPLES, WIDTH));
    let floats = fastest(TIMES, || product = black_box(a.dot(&b.t())));
    let model = network.integer_model();
    let rows = &model.layers[0];
    let mut checked = 0;
    let integers = fastest(TIMES, || {
        checked = 0;
        for sample in &samples {
            let x = sample.numerators();
            for row in rows {
                checked += usize::from(!black_box(row.dot(x)).bits().is_power_of_two());
            }
        }
    });
    assert!(checked > 0 && product.iter().any(|z| *z != 0.0));
    let labels = vec![1; SAMPLES];
    let whole = fastest(TIMES, || {
        let data = Data::new(samples.clone(), labels.clone()).expect("samples");
        black_box(Problem::new(network.clone(), data).expect("fits"));
    });
    println!("preactivations, float64 product  {:8.1} ms", 1e3 * floats);
    println!("preactivations, exact            {:8.1} ms", 1e3 * integers);
    println!("whole Problem::new               {:8.1} ms", 1e3 * whole);
    let ratio = integers / floats;
    println!("exact / float64: {ratio:.1} (limit {LIMIT}); whole: {:.1}", whole / floats);
    assert!(ratio <= LIMIT, "exact evaluation is {ratio:.1} times the float product");
}
