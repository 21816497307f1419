//! A hidden layer alone as layer 1 of a two-layer network (`proof::one_layer`): the same margins at
//! every value of the layer, and a refusal where they would differ.
mod common;
#[path = "common/exact.rs"]
mod exact;
#[path = "common/paper.rs"]
mod paper;

use common::*;
use exact::{Random, change};
use maxmargin_kernel::claim::Scope;
use maxmargin_kernel::network::{Layer, Network, NetworkError, NetworkJson};
use maxmargin_kernel::number::{Rational, ScaledVec};
use maxmargin_kernel::problem::{DataError, DataJson, Problem};
use maxmargin_kernel::proof::Refusal;
use maxmargin_kernel::proof::one_layer::{OneLayerError, two_layer_form};
use num_traits::Signed;
use paper::Source;
use proptest::prelude::*;

/// A random problem of this depth, layer `own` without sharing, the layers between it and the last made
/// non-negative if asked; labels as the network gives them.
fn random(seed: u64, depth: usize, own: usize, slope: &str, positive: bool) -> Option<Problem> {
    let mut source = Source(seed);
    let mut widths: Vec<usize> = (0..depth).map(|_| 1 + source.below(3) as usize).collect();
    widths.push(1);
    let mut layers = source.network(&widths, true, slope).layers;
    layers[own - 1] = source.network(&widths[own - 1..=own], false, slope).layers.remove(0);
    let json = NetworkJson { layers, ..source.network(&widths, false, slope) };
    let network = json.to_network().ok()?;
    let absolute = |(l, layer): (usize, &Layer)| {
        let values = layer.parameters().to_rationals();
        let between = positive && l >= own && l + 1 < depth;
        let values: Vec<Rational> =
            values.into_iter().map(|v| if between { v.abs() } else { v }).collect();
        layer.with_parameters(ScaledVec::from_rationals(&values))
    };
    let layers = network.layers().iter().enumerate().map(absolute).collect::<Option<Vec<_>>>()?;
    let network = Network::new(network.activation().clone(), layers).ok()?;
    let x: Vec<Vec<Rational>> =
        (0..3).map(|_| (0..widths[0]).map(|_| q(&source.small().to_string())).collect()).collect();
    let kept = |x: &&Vec<Rational>| network.rational_model().forward(x).outputs()[0] != q("0");
    let x: Vec<&Vec<Rational>> = x.iter().filter(kept).collect();
    let label = |x: &&Vec<Rational>| {
        if network.rational_model().forward(x).outputs()[0].is_negative() { -1 } else { 1 }
    };
    let y = x.iter().map(label).collect();
    let x = x.iter().map(|x| x.iter().map(Rational::to_string).collect()).collect();
    let data = DataJson { x, y }.to_data().ok()?;
    Problem::new(network, data).ok().filter(|p| p.gamma().is_ok())
}

/// Whether the two have equal margins at random values of the layer, kinks among them.
fn agree(p: &Problem, form: &Problem, layer: usize, seed: u64) -> bool {
    (0..12).all(|round| {
        let mut values = Random(seed + round);
        let mut next = |_| match values.below(4) {
            0 => q("0"),
            _ => values.unit(),
        };
        let deep = change(p, Scope::Layer(layer), &mut next);
        let mut known = deep.network().layers()[layer - 1].parameters().to_rationals().into_iter();
        let two = change(form, Scope::Layer(1), |_| known.next().unwrap());
        deep.margins().values() == two.margins().values()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn margins_are_the_same_at_every_value_of_the_layer(
        seed in any::<u64>(),
        depth in 2usize..5,
        below in 0usize..3,
        leaky in any::<bool>(),
    ) {
        let own = 1 + below % (depth - 1);
        // With α > 0 only the last hidden layer.
        let slope = if leaky && own + 1 == depth { "1/3" } else { "0" };
        let Some(p) = random(seed, depth, own, slope, true) else { return Ok(()) };
        let form = two_layer_form(&p, own);
        prop_assert!(form.is_ok(), "{:?}", form);
        let form = form.unwrap();
        prop_assert_eq!(form.margins().values(), p.margins().values());
        prop_assert_eq!(form.network().depth(), 2);
        prop_assert!(!form.network().has_sharing());
        prop_assert!(agree(&p, &form, own, seed));
    }
}

/// Where a hypothesis fails the layer is refused, and path products would indeed be wrong.
#[test]
fn the_hypotheses_are_needed() {
    let (mut negative, mut leaky) = (0, 0);
    for seed in 0..3000 {
        if let Some(p) = random(seed, 3, 1, "0", false)
            && let Err(OneLayerError::NegativeAbove { layer: 2, .. }) = two_layer_form(&p, 1)
        {
            negative += usize::from(!agree(&p, &careless(&p), 1, seed));
        }
        if let Some(p) = random(seed, 3, 1, "1/3", true)
            && let Err(OneLayerError::Slope { layer: 1, between: 1, .. }) = two_layer_form(&p, 1)
        {
            leaky += usize::from(!agree(&p, &careless(&p), 1, seed));
        }
    }
    assert!(negative > 50 && leaky > 50, "{negative} {leaky}");
}

/// Layer 1 with the path products of a network of depth 3, whatever its weights.
fn careless(p: &Problem) -> Problem {
    let [first, second, third] = p.network().layers() else { panic!() };
    let rows: Vec<ScaledVec> = (0..second.rows()).map(|r| second.row(r)).collect();
    let product = ScaledVec::combination(second.cols(), &third.row(0).to_rationals(), &rows);
    let output = Layer::dense(2, 1, first.rows(), product).unwrap();
    let layers = vec![first.clone(), output];
    let network = Network::new(p.network().activation().clone(), layers).unwrap();
    Problem::new(network, p.data().clone()).unwrap()
}

#[test]
fn what_is_no_hidden_layer_of_its_own_is_refused() {
    let deep = problem(RELU, &["1", "1", "1"], "1", &[1]);
    for layer in [0, 3, usize::MAX] {
        let refused = OneLayerError::NotHidden { layer, depth: 3 };
        assert_eq!(two_layer_form(&deep, layer).unwrap_err(), refused);
    }
    let one = problem(RELU, &["1"], "1", &[1]);
    assert_eq!(
        two_layer_form(&one, 1).unwrap_err(),
        OneLayerError::NotHidden { layer: 1, depth: 1 }
    );
    let classes = problem(RELU, &["1", "1", "1; -1"], "1", &[0]);
    assert_eq!(two_layer_form(&classes, 2).unwrap_err(), OneLayerError::Outputs(2));
    assert_eq!(two_layer_form(&fixture_f(), 1).unwrap_err(), OneLayerError::Shares(1));
    // Weights 0 in between are not negative; the last layer may have any sign.
    let zero = problem(RELU, &["1; 1", "1 0", "-1"], "1", &[-1]);
    let form = two_layer_form(&zero, 1).unwrap();
    assert_eq!(form.network().layers()[1].row(0).to_rationals(), [q("-1"), q("0")]);
}

/// Products of long numbers are a limit, not a refusal.
#[test]
fn long_products_are_a_limit() {
    let long = format!("1/{}", "7".repeat(1600));
    let p = problem(RELU, &[long.as_str(); 6], "1", &[1]);
    let above = two_layer_form(&p, 1).unwrap_err();
    assert!(matches!(above, OneLayerError::Network(NetworkError::TooLong(_))), "{above:?}");
    let below = two_layer_form(&p, 5).unwrap_err();
    assert!(matches!(below, OneLayerError::Data(DataError::TooLong { .. })), "{below:?}");
    for error in [above, below] {
        assert!(Refusal::from(error).is_limit());
    }
}
