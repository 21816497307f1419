//! Gradients and Hessians of pieces against the network's own gradient and exact differences.
use super::*;
use crate::network::{Activation, Network, gradient};
use crate::number::ScaledVec;
use crate::problem::Data;
use proptest::prelude::*;

fn rational(n: i64, d: i64) -> Rational {
    Rational::new(n.into(), d.into())
}

prop_compose! {
    fn problems()(
        slope in 0i64..=4,
        widths in prop::collection::vec(1usize..4, 2..5),
        seed in prop::collection::vec((-6i64..=6, 1i64..4), 64),
        holes in prop::collection::vec(0usize..5, 64),
        x in prop::collection::vec(1i64..9, 3),
    ) -> Problem {
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
        let network = Network::new(Activation::leaky(rational(slope, 4)).unwrap(), layers).unwrap();
        let x: Vec<_> = x[..network.inputs()].iter().map(|n| rational(*n, 2)).collect();
        let label = if network.outputs() == 1 { 1 } else { 0 };
        Problem::new(network, Data::new(vec![ScaledVec::from_rationals(&x)], vec![label]).unwrap()).unwrap()
    }
}

fn moved(network: &Network, l: usize, i: usize, step: &Rational) -> Network {
    let mut layers = network.layers().to_vec();
    let mut values = layers[l].parameters().to_rationals();
    values[i] += step;
    layers[l] = layers[l].with_parameters(ScaledVec::from_rationals(&values)).unwrap();
    Network::new(network.activation().clone(), layers).unwrap()
}

proptest! {
    #[test]
    fn gradients_are_the_networks(p in problems()) {
        let mut pieces = Pieces::new(&p);
        pieces.evaluate(0);
        let model = p.network().rational_model();
        let x = p.data().sample(0).to_rationals();
        for c in p.margins().constraints() {
            let covector = c.covector(p.network().outputs());
            let expected = gradient(&model, p.network().layers(), &x, &model.forward(&x), &covector, |_, _| None);
            let piece = pieces.constraint(c, &BTreeMap::new());
            for (l, g) in expected.iter().enumerate() {
                prop_assert_eq!(&piece.gradient(l), g);
            }
        }
    }

    /// Without kinks the gradient of the network itself, a polynomial of degree `< depth ≤ 4` along
    /// a line, has the derivative that the Hessian says: five-point differences of degree-4
    /// polynomials are exact, on a step so short that no sign changes.
    #[test]
    fn hessians_are_exact_differences(p in problems()) {
        let mut pieces = Pieces::new(&p);
        pieces.evaluate(0);
        prop_assume!(pieces.kinks(0, Scope::All).is_empty());
        let step = rational(1, 1_000_000_000);
        let x = p.data().sample(0).to_rationals();
        let layers = p.network().layers();
        for c in p.margins().constraints().iter().take(1) {
            let covector = c.covector(p.network().outputs());
            let piece = pieces.constraint(c, &BTreeMap::new());
            let at = |l, i, factor: i64| {
                let network = moved(p.network(), l, i, &(&step * rational(factor, 1)));
                let model = network.rational_model();
                gradient(&model, layers, &x, &model.forward(&x), &covector, |_, _| None)
            };
            for l in 0..layers.len() {
                for i in 0..layers[l].parameters().len() {
                    let column = piece.hessian_column(l, i);
                    let [m2, m1, p1, p2] = [-2, -1, 1, 2].map(|f| at(l, i, f));
                    for h in 0..layers.len() {
                        for k in 0..layers[h].parameters().len() {
                            let eight = rational(8, 1) * (&p1[h][k] - &m1[h][k]);
                            let difference = (eight - (&p2[h][k] - &m2[h][k])) / (rational(12, 1) * &step);
                            prop_assert_eq!(&column[h][k], &difference, "{} {} {} {}", l, i, h, k);
                        }
                    }
                }
            }
        }
    }

    /// In scope `all` there are kinks exactly where the point's statistics count them, units that
    /// reach no output aside.
    #[test]
    fn kinks_are_counted_ones(p in problems()) {
        let mut pieces = Pieces::new(&p);
        pieces.evaluate(0);
        let found = pieces.kinks(0, Scope::All).len();
        prop_assert!(p.network().activation().is_linear() || found <= p.facts().kinks);
    }
}
