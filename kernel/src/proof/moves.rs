//! Polynomial curves through θ, as the witnesses of [`super::curve`] and [`super::stationarity`]
//! write them, and the network over germs that they are.
//!
//! A curve gives, for every layer, the coordinates that move, each with its coefficients at ε¹, ε²,
//! …; the constant term is θ's own, so `θ(0) = θ` by construction. Every layer is multiplied by the
//! common denominator of its germs, the sample by its own, and σ by the denominator of α: by
//! homogeneity all signs stay, and outputs are multiplied by one positive factor.
use crate::claim::Number;
use crate::network::{MAX_BITS, Model, Scalar};
use crate::number::work::{MAX_WORK, exceeds};
use crate::number::{BigInt, Germ, ScaledVec, lcm_within};
use crate::problem::Problem;
use num_integer::Integer;
use num_traits::One;
use std::ops::Range;

/// One list per layer, first layer first: `(coordinate, [c₁, c₂, …])` by ascending coordinate, for
/// the germ `u + c₁ε + c₂ε² + …`. Coordinates that are not listed, and layers with an empty list,
/// do not move.
pub type Moves = Vec<Vec<(usize, Vec<Number>)>>;

/// Largest accepted sum over the layers of their largest degrees, which bounds the degree of the
/// outputs.
pub const MAX_DEGREE: usize = 64;

/// Why moves are not a curve of this network. Layers are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MovesError {
    /// Not one list per layer.
    #[error("the curve has {found} lists, the network has {depth} layers")]
    Layers {
        /// Lists found.
        found: usize,
        /// The depth.
        depth: usize,
    },
    /// A coordinate that does not exist, or not ascending.
    #[error(
        "layer {layer}: coordinate {coordinate} is out of order or past the {count} parameters"
    )]
    Coordinate {
        /// The layer.
        layer: usize,
        /// The offending index.
        coordinate: usize,
        /// Number of parameters.
        count: usize,
    },
    /// A layer outside the scope moves.
    #[error("layer {0} is fixed in this scope, but the curve moves it")]
    FixedLayer(usize),
    /// Past [`MAX_DEGREE`].
    #[error("the degrees of the layers sum to {0}, past the limit of {MAX_DEGREE}")]
    Degree(usize),
    /// Past [`MAX_WORK`].
    #[error("evaluating the curve takes {0} steps, past the limit of {MAX_WORK}")]
    Work(u64),
    /// Numbers past [`MAX_BITS`].
    #[error("the numbers are too long: depth times their bits is {0}, the limit is {MAX_BITS}")]
    TooLong(u64),
}

/// The network along a curve.
pub(crate) struct Path {
    /// Its layers, scaled to integers.
    model: Model<Germ>,
    /// The parameters `L_l u⁽ˡ⁾(ε)` that move, by layer, each with its value at θ.
    moved: Vec<Vec<(Germ, Germ)>>,
    /// `L_l`, the denominators.
    denominators: Vec<BigInt>,
}

impl Path {
    /// The curve of these moves, to be evaluated at so many samples; only the layers `moving` (from
    /// 0) may move.
    pub(crate) fn new(
        problem: &Problem,
        moving: &Range<usize>,
        moves: &Moves,
        samples: usize,
    ) -> Result<Self, MovesError> {
        let network = problem.network();
        let depth = network.depth();
        if moves.len() != depth {
            return Err(MovesError::Layers { found: moves.len(), depth });
        }
        let fixed = |(l, list): (usize, &Vec<_>)| !list.is_empty() && !moving.contains(&l);
        if let Some(l) = moves.iter().enumerate().position(fixed) {
            return Err(MovesError::FixedLayer(l + 1));
        }
        let degree = |list: &Vec<(usize, Vec<Number>)>| list.iter().map(|(_, c)| c.len()).max();
        let degree: usize = moves.iter().filter_map(degree).sum();
        if degree > MAX_DEGREE {
            return Err(MovesError::Degree(degree));
        }
        let slope = network.activation().slope();
        let length = u64::try_from(depth).unwrap_or(u64::MAX);
        let mut model = Model {
            layers: Vec::with_capacity(depth),
            positive: Germ::constant(slope.denom().clone()),
            negative: Germ::constant(slope.numer().clone()),
        };
        let (mut moved, mut denominators) = (Vec::new(), Vec::new());
        let mut total_bits = 0;
        for (l, (layer, list)) in network.layers().iter().zip(moves).enumerate() {
            let (layer_number, count) = (l + 1, layer.parameters().len());
            let mut previous = None;
            for (coordinate, _) in list {
                if *coordinate >= count || previous.is_some_and(|p| p >= *coordinate) {
                    let (layer, coordinate) = (layer_number, *coordinate);
                    return Err(MovesError::Coordinate { layer, coordinate, count });
                }
                previous = Some(*coordinate);
            }
            let coefficients = list.iter().flat_map(|(_, coefficients)| coefficients);
            let denominator =
                common_denominator(layer.parameters().denominator(), coefficients, depth)
                    .map_err(MovesError::TooLong)?;
            let factor = &denominator / layer.parameters().denominator();
            let numerators = layer.parameters().numerators().to_vec();
            let mut germs: Vec<Germ> =
                numerators.into_iter().map(|n| Germ::constant(n * &factor)).collect();
            let mut pairs = Vec::with_capacity(list.len());
            for (coordinate, coefficients) in list {
                let Some(slot) = germs.get_mut(*coordinate) else { continue };
                let scaled = |c: &Number| c.0.numer() * (&denominator / c.0.denom());
                let mut all = vec![slot.coefficients().first().cloned().unwrap_or_default()];
                all.extend(coefficients.iter().map(scaled));
                let before = std::mem::replace(slot, Germ::new(all));
                pairs.push((slot.clone(), before));
            }
            let bits = germs.iter().flat_map(Germ::coefficients).map(BigInt::bits).max();
            let slope_bits = slope.denom().bits();
            check_length(length, bits.unwrap_or(0) + denominator.bits() + slope_bits)?;
            total_bits += bits.unwrap_or(0) + slope_bits;
            let entry = |r, c| match layer.coordinate(r, c).and_then(|i| germs.get(i)) {
                Some(germ) => germ.clone(),
                None => Germ::zero(),
            };
            let row = |r| (0..layer.cols()).map(|c| entry(r, c)).collect();
            model.layers.push((0..layer.rows()).map(row).collect());
            moved.push(pairs);
            denominators.push(denominator);
        }
        // Germs of degrees a and b with a + b at most the whole degree: (a + 1)(b + 1) products.
        let products = (degree / 2 + 1) * (degree / 2 + 2);
        match exceeds(&[samples, network.entries(), products], total_bits) {
            Some(work) => Err(MovesError::Work(work)),
            None => Ok(Self { model, moved, denominators }),
        }
    }

    /// The network over germs.
    pub(crate) fn model(&self) -> &Model<Germ> {
        &self.model
    }

    /// The numerators of a sample, as constants.
    pub(crate) fn sample(x: &ScaledVec) -> Vec<Germ> {
        x.numerators().to_vec().into_iter().map(Germ::constant).collect()
    }

    /// What the outputs at `x` are multiplied by: positive.
    pub(crate) fn scale(&self, x: &ScaledVec) -> BigInt {
        let Some(q) = self.model.positive.coefficients().first() else { return BigInt::one() };
        let layers: BigInt = self.denominators.iter().product();
        let hidden = self.denominators.len().saturating_sub(1);
        (0..hidden).fold(layers * x.denominator(), |scale, _| scale * q)
    }

    /// `|θ(ε)|² − |θ|²` times a positive factor.
    pub(crate) fn norm_change(&self) -> Germ {
        let lcm = self.denominators.iter().fold(BigInt::one(), |lcm, d| lcm.lcm(d));
        let mut change = Germ::zero();
        for (pairs, denominator) in self.moved.iter().zip(&self.denominators) {
            let factor = &lcm / denominator;
            let weight = Germ::constant(&factor * &factor);
            for (after, before) in pairs {
                let difference = after.times(after).minus(&before.times(before));
                change = change.plus(&weight.times(&difference));
            }
        }
        change
    }
}

/// The least common multiple of `start` and the denominators; `Err` with the length once `depth`
/// times its bits exceed [`MAX_BITS`], before it grows further.
pub(crate) fn common_denominator<'a>(
    start: &BigInt,
    numbers: impl IntoIterator<Item = &'a Number>,
    depth: usize,
) -> Result<BigInt, u64> {
    let depth = u64::try_from(depth).unwrap_or(u64::MAX);
    let bits = MAX_BITS.checked_div(depth).unwrap_or(u64::MAX);
    let grow = |lcm, number: &Number| lcm_within(lcm, number.0.denom(), bits);
    let lcm = numbers.into_iter().try_fold(start.clone(), grow);
    lcm.map_err(|bits| depth.saturating_mul(bits))
}

fn check_length(depth: u64, bits: u64) -> Result<(), MovesError> {
    let total = depth.saturating_mul(bits);
    if total > MAX_BITS { Err(MovesError::TooLong(total)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Network, NetworkJson, gradient};
    use crate::number::{Rational, parse_rational};
    use crate::problem::DataJson;

    fn at(germ: &Germ, epsilon: &Rational) -> Rational {
        let step = |sum: Rational, c: &BigInt| sum * epsilon + Rational::from_integer(c.clone());
        germ.coefficients().iter().rev().fold(Rational::default(), step)
    }

    /// The forward pass and the gradient over germs are those over rationals at every small ε.
    #[test]
    fn passes_over_germs_are_passes_nearby() {
        let network: NetworkJson = serde_json::from_str(
            r#"{"activation": {"leaky_relu": "1/3"}, "layers": [
                {"parameters": ["1/2", "0", "-1"], "pattern": [[0, 1], [1, 2], [null, 0]]},
                {"weights": [["1", "-2/3", "0"], ["0", null, "1"]]}, {"weights": [["1", "5/7"]]}]}"#,
        )
        .unwrap();
        let data: DataJson = serde_json::from_str(r#"{"x": [["1/3", "1/5"]], "y": [1]}"#).unwrap();
        let problem = Problem::new(network.to_network().unwrap(), data.to_data().unwrap()).unwrap();
        let moves: Moves = serde_json::from_str(
            r#"[[[0, ["1", "1/11"]], [1, ["-1/2", "3"]]], [[2, ["0", "-1"]], [3, ["1/13"]]], [[1, ["-4"]]]]"#,
        )
        .unwrap();
        let path = Path::new(&problem, &(0..3), &moves, 1).unwrap();
        let x = problem.data().sample(0);
        let epsilon = parse_rational("1e-9").unwrap();
        let layers = problem.network().layers().iter().zip(&moves).map(|(layer, list)| {
            let mut values = layer.parameters().to_rationals();
            for (i, c) in list {
                let step = |sum: Rational, c: &Number| (sum + &c.0) * &epsilon;
                values[*i] += c.iter().rev().fold(Rational::default(), step);
            }
            layer.with_parameters(ScaledVec::from_rationals(&values)).unwrap()
        });
        let nearby = Network::new(problem.activation().clone(), layers.collect()).unwrap();
        let scale = Rational::from_integer(path.scale(&x));
        let germs = Path::sample(&x);
        let trace = path.model().forward(&germs);
        let model = nearby.rational_model();
        let exact = model.forward(&x.to_rationals());
        let value = at(&trace.outputs()[0], &epsilon) / &scale;
        assert_eq!(value, exact.outputs()[0]);
        let one = Germ::constant(BigInt::one());
        let layers = problem.network().layers();
        let g = gradient(path.model(), layers, &germs, &trace, &[one], |_, _| None);
        let unit = [Rational::one()];
        let expected = gradient(&model, layers, &x.to_rationals(), &exact, &unit, |_, _| None);
        for ((g, expected), denominator) in g.iter().zip(&expected).zip(&path.denominators) {
            let factor = Rational::from_integer(denominator.clone()) / &scale;
            let g: Vec<_> = g.iter().map(|g| at(g, &epsilon) * &factor).collect();
            assert_eq!(&g, expected);
        }
        let change = nearby.norm_squared() - problem.network().norm_squared();
        let lcm = path.denominators.iter().fold(BigInt::one(), |lcm, d| lcm.lcm(d));
        let factor = Rational::from_integer(&lcm * &lcm);
        assert_eq!(at(&path.norm_change(), &epsilon), change * factor);
    }
}
