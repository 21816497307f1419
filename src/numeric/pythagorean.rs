//! Rational rotations and exact optima to plant, for property tests.
//!
//! A plane rotation by a Pythagorean angle, `((q²−p²)/(q²+p²), 2pq/(q²+p²))`, is rational; products of
//! such rotations are rational orthogonal matrices, and their columns rational unit vectors.
use maxmargin_kernel::network::{Activation, Layer, Network};
use maxmargin_kernel::number::{Rational, ScaledVec};
use maxmargin_kernel::problem::{Data, Problem};
use num_traits::{One, Zero};
use rand::Rng;

/// A random rational orthogonal matrix of determinant 1, by rows: one rotation per pair of axes, with
/// `p, q ≤ size`.
pub fn orthogonal(rng: &mut impl Rng, dimension: usize, size: i64) -> Vec<Vec<Rational>> {
    let unit = |i, j| if i == j { Rational::one() } else { Rational::zero() };
    let mut rows: Vec<Vec<Rational>> =
        (0..dimension).map(|i| (0..dimension).map(|j| unit(i, j)).collect()).collect();
    for i in 0..dimension {
        for j in i + 1..dimension {
            let (cos, sin) = angle(rng, size);
            for k in 0..dimension {
                let (a, b) = (rows[i][k].clone(), rows[j][k].clone());
                rows[i][k] = &cos * &a - &sin * &b;
                rows[j][k] = &sin * a + &cos * b;
            }
        }
    }
    rows
}

/// A random rational unit vector.
pub fn unit_vector(rng: &mut impl Rng, dimension: usize, size: i64) -> Vec<Rational> {
    orthogonal(rng, dimension, size).swap_remove(0)
}

/// Cosine and sine of a random Pythagorean angle.
fn angle(rng: &mut impl Rng, size: i64) -> (Rational, Rational) {
    let (p, q) = (rng.random_range(-size..=size), rng.random_range(1..=size));
    let whole = |n: i64| Rational::from_integer(n.into());
    let square = whole(p * p + q * q);
    (whole(q * q - p * p) / &square, whole(2 * p * q) / square)
}

/// A two-layer ReLU problem with one neuron per sample that is a KKT point by construction.
///
/// In an orthonormal frame `e_1, …, e_n` the samples are `x_j = e_j/c_j`, labelled `s_j`, and the neurons
/// `w_j = r_j e_j`, `v_j = s_j r_j` with `r_j² = c_j`: every margin is `γ = 1`, and `λ_j = c_j` with slope
/// 0 at every kink gives `Σ λ_k ∇q_k = θ`. Every neuron stands on the kinks of all other samples.
///
/// `g(w) = Σ s_j σ(w·e_j)` is at most 1 on the unit sphere if no label occurs twice: then the point is
/// a global optimum at any width, by `γΣλ = ½|θ|²`. If one does, a neuron that tilts towards the other
/// sample of its label saves to first order: then the point is not even a local optimum.
#[derive(Clone, Debug)]
pub struct Planted {
    /// The network and its data.
    pub problem: Problem,
    /// The multipliers of a KKT point, one per constraint.
    pub lambda: Vec<Rational>,
    /// Whether the point is a global optimum, at any width; if not, it is not a local one either.
    pub is_global: bool,
}

/// Plants such a problem with `labels.len()` samples in `dimension ≥ labels.len()` dimensions.
///
/// # Panics
/// If there are no labels, or more of them than dimensions.
pub fn planted(rng: &mut impl Rng, dimension: usize, labels: &[i64]) -> Planted {
    assert!(!labels.is_empty() && labels.len() <= dimension);
    let frame = orthogonal(rng, dimension, 4);
    let whole = |n: i64| Rational::from_integer(n.into());
    let scaled = |v: &[Rational], c: &Rational| v.iter().map(|e| e * c).collect::<Vec<_>>();
    let (mut w, mut v, mut x, mut lambda) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (e, &label) in frame.iter().zip(labels) {
        let r = whole(rng.random_range(1..=4)) / whole(rng.random_range(1..=3));
        let c = &r * &r;
        w.extend(scaled(e, &r));
        x.push(ScaledVec::from_rationals(&scaled(e, &(Rational::one() / &c))));
        v.push(&r * whole(label.signum()));
        lambda.push(c);
    }
    let dense = |l, rows, cols, p: &[Rational]| {
        Layer::dense(l, rows, cols, ScaledVec::from_rationals(p)).expect("shapes fit")
    };
    let layers = vec![dense(1, labels.len(), dimension, &w), dense(2, 1, labels.len(), &v)];
    let network = Network::new(Activation::relu(), layers).expect("layers chain");
    let data = Data::new(x, labels.to_vec()).expect("there are samples");
    let problem = Problem::new(network, data).expect("data fit");
    let positive = labels.iter().filter(|y| **y > 0).count();
    let is_global = positive <= 1 && labels.len() - positive <= 1;
    Planted { problem, lambda, is_global }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::exact::dot;
    use maxmargin_kernel::network::gradient;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_pcg::Pcg64Mcg;

    proptest! {
        #[test]
        fn rotations_are_orthogonal(seed in any::<u64>(), n in 1usize..5) {
            let rows = orthogonal(&mut Pcg64Mcg::seed_from_u64(seed), n, 5);
            for (i, a) in rows.iter().enumerate() {
                for (j, b) in rows.iter().enumerate() {
                    prop_assert_eq!(dot(a, b), if i == j { Rational::one() } else { Rational::zero() });
                }
            }
            let unit = unit_vector(&mut Pcg64Mcg::seed_from_u64(seed), n, 9);
            prop_assert!(dot(&unit, &unit).is_one());
        }

        #[test]
        fn planted_points_are_kkt(seed in any::<u64>(), labels in prop::collection::vec(prop_oneof![Just(1i64), Just(-1)], 1..4)) {
            let Planted { problem, lambda, is_global } = planted(&mut Pcg64Mcg::seed_from_u64(seed), 4, &labels);
            prop_assert!(problem.gamma().unwrap().is_one());
            let twice = labels.iter().any(|y| labels.iter().filter(|z| y == *z).count() > 1);
            prop_assert_eq!(is_global, !twice);
            let network = problem.network();
            let model = network.rational_model();
            let theta: Vec<_> = network.layers().iter().flat_map(|l| l.parameters().to_rationals()).collect();
            let mut sum = vec![Rational::zero(); theta.len()];
            for (c, l) in problem.margins().constraints().iter().zip(&lambda) {
                let x = problem.data().sample(c.sample).to_rationals();
                let g = gradient(&model, network.layers(), &x, &model.forward(&x), &c.covector(1), |_, _| None);
                sum.iter_mut().zip(g.iter().flatten()).for_each(|(s, g)| *s += l * g);
            }
            prop_assert_eq!(sum, theta);
        }
    }
}
