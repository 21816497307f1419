//! The one gradient, by reverse accumulation, generic over the number type.
use super::forward::{Model, Scalar, Trace};
use super::layer::Layer;

/// The gradient of `c·F(θ;x)` with respect to every layer's parameter vector, where the slope of
/// unit `j` of layer `l` (both from 0) is `slopes(l, j)`, or σ'(z) with σ'(0) the negative-side
/// slope where that is `None`. Values `σ(z)` are as they are; only derivatives use the slopes.
///
/// Shared coordinates sum the contributions of all their uses. `layers` gives the patterns.
pub fn gradient<S: Scalar>(
    model: &Model<S>,
    layers: &[Layer],
    x: &S::Vector,
    trace: &Trace<S>,
    covector: &[S],
    slopes: impl Fn(usize, usize) -> Option<S>,
) -> Vec<Vec<S>> {
    let mut backward = covector.to_vec();
    let mut gradients = Vec::with_capacity(layers.len());
    for (l, (layer, rows)) in layers.iter().zip(&model.layers).enumerate().rev() {
        let before = l.checked_sub(1).and_then(|k| trace.preactivations.get(k));
        let inputs = match before {
            Some(z) => S::unpack(&model.activate(z)),
            None => S::unpack(x),
        };
        let mut gradient = vec![S::zero(); layer.parameters().len()];
        for (r, delta) in backward.iter().enumerate() {
            for (c, input) in inputs.iter().enumerate() {
                let slot = layer.coordinate(r, c).and_then(|i| gradient.get_mut(i));
                if let Some(slot) = slot {
                    *slot = slot.plus(&delta.times(input));
                }
            }
        }
        gradients.push(gradient);
        let Some(z) = before else { break };
        let mut next = vec![S::zero(); inputs.len()];
        for (row, delta) in rows.iter().zip(&backward) {
            for (n, w) in next.iter_mut().zip(S::unpack(row)) {
                *n = n.plus(&delta.times(&w));
            }
        }
        for (j, (n, z)) in next.iter_mut().zip(S::unpack(z)).enumerate() {
            let slope = slopes(l - 1, j).unwrap_or_else(|| model.slope(&z).clone());
            *n = n.times(&slope);
        }
        backward = next;
    }
    gradients.reverse();
    gradients
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activation, Network};
    use crate::number::{Rational, ScaledVec};
    use proptest::prelude::*;

    fn rational(n: i64, d: i64) -> Rational {
        Rational::new(n.into(), d.into())
    }

    prop_compose! {
        fn networks()(
            slope in 0i64..=4,
            widths in prop::collection::vec(1usize..4, 2..5),
            seed in prop::collection::vec((-6i64..=6, 1i64..4), 64),
            holes in prop::collection::vec(0usize..5, 64),
        ) -> Network {
            let mut values = seed.iter().cycle();
            let mut holes = holes.iter().cycle();
            let layers = widths.windows(2).enumerate().map(|(l, w)| {
                // Entries 0..3 of every five are coordinates of their own, 3 is shared, 4 a zero.
                let mut count = 1;
                let mut pattern = vec![vec![Some(0); w[0]]; w[1]];
                for e in pattern.iter_mut().flatten().skip(1) {
                    *e = match holes.next().unwrap() { 4 => None, 3 => Some(0), _ => { count += 1; Some(count - 1) } };
                }
                let parameters: Vec<_> = (0..count).map(|_| { let (n, d) = values.next().unwrap(); rational(*n, *d) }).collect();
                Layer::new(l + 1, &pattern, &parameters).unwrap()
            }).collect();
            Network::new(Activation::leaky(rational(slope, 4)).unwrap(), layers).unwrap()
        }
    }

    proptest! {
        /// The integer pass is the rational pass up to the documented scale.
        #[test]
        fn integer_and_rational_passes_agree(net in networks(), x in prop::collection::vec((-9i64..9, 1i64..5), 3)) {
            let x: Vec<_> = x[..net.inputs()].iter().map(|(n, d)| rational(*n, *d)).collect();
            let scaled = ScaledVec::from_rationals(&x);
            let scale = net.integer_scale() * scaled.denominator();
            let exact = net.rational_model().forward(&x).outputs();
            let ints = net.integer_model().forward(scaled.numerators()).outputs();
            let back: Vec<_> = ints.into_iter().map(|o| Rational::new(o, scale.clone())).collect();
            prop_assert_eq!(exact, back);
        }

        /// Euler: F is homogeneous of degree 1 in each layer, ⟨u⁽ˡ⁾, ∂F/∂u⁽ˡ⁾⟩ = F, kinks or not.
        #[test]
        fn every_layer_satisfies_euler(net in networks(), x in prop::collection::vec((-9i64..9, 1i64..5), 3)) {
            let x: Vec<_> = x[..net.inputs()].iter().map(|(n, d)| rational(*n, *d)).collect();
            let model = net.rational_model();
            let trace = model.forward(&x);
            let outputs = trace.outputs();
            let covector: Vec<_> = (0..outputs.len()).map(|k| rational(k as i64 + 1, 2)).collect();
            let value: Rational = covector.iter().zip(&outputs).map(|(c, o)| c * o).sum();
            let grads = gradient(&model, net.layers(), &x, &trace, &covector, |_, _| None);
            for (g, layer) in grads.iter().zip(net.layers()) {
                let inner: Rational = g.iter().zip(layer.parameters().to_rationals()).map(|(g, u)| g * u).sum();
                prop_assert_eq!(&inner, &value);
            }
        }

        /// Along a direction, F is exactly its gradient wherever a small step crosses no kink.
        #[test]
        fn last_layer_is_linear(net in networks(), x in prop::collection::vec((-9i64..9, 1i64..5), 3)) {
            let x: Vec<_> = x[..net.inputs()].iter().map(|(n, d)| rational(*n, *d)).collect();
            let model = net.rational_model();
            let trace = model.forward(&x);
            let last = net.layers().last().unwrap();
            let covector = vec![rational(1, 1); net.outputs()];
            let grads = gradient(&model, net.layers(), &x, &trace, &covector, |_, _| None);
            let step: Vec<_> = (0..last.parameters().len()).map(|i| rational(i as i64 - 1, 3)).collect();
            let moved: Vec<_> = last.parameters().to_rationals().iter().zip(&step).map(|(a, b)| a + b).collect();
            let mut layers = net.layers().to_vec();
            *layers.last_mut().unwrap() = last.with_parameters(ScaledVec::from_rationals(&moved)).unwrap();
            let after = Network::new(net.activation().clone(), layers).unwrap();
            let sum = |n: &Network| n.rational_model().forward(&x).outputs().into_iter().sum::<Rational>();
            let predicted: Rational = grads.last().unwrap().iter().zip(&step).map(|(g, s)| g * s).sum();
            prop_assert_eq!(sum(&after) - sum(&net), predicted);
        }
    }
}
