//! Not a KKT point: a descent direction (rule 3.3). Any depth, sharing and several outputs allowed.
//!
//! θ is a KKT point of `min ½|θ|²` subject to `q_k ≥ γ(θ)` iff `θ ∈ Σ_k λ_k ∂°q_k(θ)` for some `λ ≥ 0`
//! supported on the active constraints, `∂°` Clarke's subdifferential (F. H. Clarke, *Optimization
//! and Nonsmooth Analysis*, 1983; K. Lyu, J. Li, ICLR 2020).
//!
//! **Witness.** A direction `d`, in scope `layer:l` of that layer alone. **Check.** `⟨θ,d⟩ < 0`, and for
//! every active k `⟨g(s),d⟩ ≥ 0` for every choice of slopes `s ∈ [α,1]` at the zero preactivations of
//! that sample, where `g(s)` is the backpropagated gradient with those slopes (and σ' elsewhere).
//!
//! **Why.** `∂°q_k(θ)` is the convex hull of the limits of gradients at nearby points, which may be
//! chosen outside any set of measure 0 (Clarke, theorem 2.5.1): at points where every preactivation
//! is non-zero, or identically zero around that point and then without influence on the gradient.
//! The gradient there is backpropagated with slopes 1 and α; in the limit a non-zero
//! preactivation of θ keeps its slope, and a zero one has slope 1 or α. So every limit is some `g(s)`
//! at a corner, and `⟨ξ,d⟩ ≥ 0` for all `ξ ∈ ∂°q_k(θ)`. If θ were `Σ λ_k ξ_k`, `⟨θ,d⟩` would be `≥ 0`.
//! That not all slope patterns can occur together makes the check stronger than needed, not unsound.
//! In scope `layer:l` the same holds for the restriction of `q_k` to that layer.
//!
//! **The minimum over slopes.** `⟨g(s),d⟩` is the derivative of the forward pass along `d`:
//! with `ȧ = s ż` and `ż⁽ˡ⁾ = Ẇ⁽ˡ⁾ a + W⁽ˡ⁾ ȧ`, a polynomial in the slopes of degree at most 1 in each,
//! as no path passes a unit twice. Such a polynomial takes its minimum over the box `[α,1]ⁿ` at a corner:
//! fix all variables but one; it is affine in that one. In the last hidden layer the slopes
//! enter as a sum, `c·Ẇ⁽ᵐ⁾a + Σ_j (c·W⁽ᵐ⁾)_j s_j ż_j`, whose minimum is the sum of two-point minima. Only
//! kinks of earlier layers with `ż ≠ 0` are enumerated, at most [`MAX_PATTERNS`] in all; at depth 2, and where only one of the last two layers moves, there are none.
use super::moves::common_denominator;
use super::{Refusal, moving_layers, wrong_claim};
use crate::claim::{Claim, Number};
use crate::network::{Model, Network, NetworkError, Trace};
use crate::number::{BigInt, IntVec, Rational, ScaledVec, work::exceeds};
use crate::problem::{Constraint, Problem};
use num_traits::{Signed, Zero};
use serde::{Deserialize, Serialize};
use std::ops::Range;

const RULE: &str = "descent";

/// Most slope patterns that one check enumerates beyond one per constraint.
pub const MAX_PATTERNS: usize = 1 << 16;

/// A descent direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descent {
    /// `d` by layers, numbered as the parameters; an empty list for a layer that does not move.
    pub direction: Vec<Vec<Number>>,
}

/// Why the direction does not prove the claim. Layers are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DescentError {
    /// Not one list per layer.
    #[error("the direction has {found} lists, the network has {depth} layers")]
    Layers {
        /// Lists found.
        found: usize,
        /// The depth.
        depth: usize,
    },
    /// A list that is neither empty nor of the layer's length.
    #[error("the direction does not fit layer {0}")]
    Shape(usize),
    /// A layer outside the scope moves.
    #[error("layer {0} is fixed in this scope, but the direction moves it")]
    FixedLayer(usize),
    /// Numbers past [`crate::network::MAX_BITS`].
    #[error("the direction: {0}")]
    TooLong(NetworkError),
    /// `⟨θ,d⟩ ≥ 0`.
    #[error("⟨θ,d⟩ is not negative: the direction does not descend")]
    NotDescending,
    /// A slope pattern along which a margin falls.
    #[error("along the direction constraint {0} falls, for some slopes at its kinks")]
    MarginFalls(usize),
    /// Past [`MAX_PATTERNS`].
    #[error(
        "constraint {constraint} has {kinks} kinks in layer {layer} that the direction moves: \
         more than {MAX_PATTERNS} slope patterns in all"
    )]
    TooManyKinks {
        /// The constraint.
        constraint: usize,
        /// The hidden layer.
        layer: usize,
        /// Kinks there with `ż ≠ 0`.
        kinks: usize,
    },
}

impl Descent {
    /// Checks the direction.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, problem: &Problem, claim: &Claim) -> Result<(), Refusal> {
        let Claim::NotKkt { .. } = claim else {
            return Err(wrong_claim(RULE, claim));
        };
        let moving = moving_layers(problem, claim)?;
        problem.gamma()?;
        let (network, direction) = self.networks(problem.network(), &moving)?;
        let pairs = network.layers().iter().zip(direction.layers());
        let product: Rational = pairs.map(|(u, d)| u.parameters().dot(d.parameters())).sum();
        if !product.is_negative() {
            return Err(DescentError::NotDescending.into());
        }
        let entries = network.entries();
        let bits = network.bits()
            + problem.data().samples().iter().map(|x| x.numerators().bits()).max().unwrap_or(0);
        let patterns = |extra: usize| extra.saturating_mul(entries);
        let most =
            (0..=16).rev().map(|k| 1usize << k).find(|n| exceeds(&[patterns(*n)], bits).is_none());
        let derivative = Derivative {
            most: most.unwrap_or(0),
            weights: network.integer_model(),
            moves: direction.integer_model(),
        };
        let mut extra = 0;
        let mut pass: Option<(usize, Trace<BigInt>, Vec<IntVec>)> = None;
        for k in problem.margins().active(&Rational::zero()) {
            let Some(c) = problem.margins().constraints().get(k) else { continue };
            let x = problem.data().sample(c.sample);
            let (trace, inputs) = match pass.take().filter(|(sample, ..)| *sample == c.sample) {
                Some((_, trace, inputs)) => (trace, inputs),
                None => {
                    let trace = derivative.weights.forward(x.numerators());
                    let hidden =
                        trace.preactivations.iter().map(|z| derivative.weights.activate(z));
                    let inputs = std::iter::once(x.numerators().clone()).chain(hidden).collect();
                    (trace, inputs)
                }
            };
            derivative.never_falls(k, c, &inputs, &trace, &mut extra)?;
            pass = Some((c.sample, trace, inputs));
        }
        Ok(())
    }

    /// θ and `d` as networks whose layers have one denominator each: their integer models are
    /// scaled alike.
    fn networks(
        &self,
        network: &Network,
        moving: &Range<usize>,
    ) -> Result<(Network, Network), DescentError> {
        let (found, depth) = (self.direction.len(), network.depth());
        if found != depth {
            return Err(DescentError::Layers { found, depth });
        }
        let (mut points, mut moves) = (Vec::with_capacity(depth), Vec::with_capacity(depth));
        for (l, (layer, list)) in network.layers().iter().zip(&self.direction).enumerate() {
            let count = layer.parameters().len();
            if !list.is_empty() && !moving.contains(&l) {
                return Err(DescentError::FixedLayer(l + 1));
            }
            if !list.is_empty() && list.len() != count {
                return Err(DescentError::Shape(l + 1));
            }
            common_denominator(layer.parameters().denominator(), list, depth)
                .map_err(|bits| DescentError::TooLong(NetworkError::TooLong(bits)))?;
            let mut all = layer.parameters().to_rationals();
            all.extend(list.iter().map(|d| d.0.clone()));
            all.resize(2 * count, Rational::zero());
            let all = ScaledVec::from_rationals(&all);
            let part = |range: Range<usize>| {
                let part = all.select(&range.collect::<Vec<_>>());
                layer.with_parameters(part).ok_or(DescentError::Shape(l + 1))
            };
            points.push(part(0..count)?);
            moves.push(part(count..2 * count)?);
        }
        let build = |layers| {
            Network::new(network.activation().clone(), layers).map_err(DescentError::TooLong)
        };
        Ok((build(points)?, build(moves)?))
    }
}

/// The forward pass and its derivative along `d`, in integers: everything in a layer is multiplied
/// by the denominators of the layers and of σ so far, values and derivatives alike.
struct Derivative {
    weights: Model<BigInt>,
    moves: Model<BigInt>,
    /// Most patterns beyond one per constraint: [`MAX_PATTERNS`], fewer for large networks.
    most: usize,
}

impl Derivative {
    /// Checks `⟨g(s),d⟩ ≥ 0` for all slopes at the zero preactivations of a sample; `extra` counts
    /// the patterns enumerated beyond the first. `inputs` are what enters each layer.
    fn never_falls(
        &self,
        k: usize,
        constraint: &Constraint,
        inputs: &[IntVec],
        trace: &Trace<BigInt>,
        extra: &mut usize,
    ) -> Result<(), DescentError> {
        let mut before = IntVec::new(Vec::new());
        let mut open: Vec<Patterns> = Vec::new();
        loop {
            let l = open.len();
            let layer = (self.weights.layers.get(l), self.moves.layers.get(l));
            let ((Some(weights), Some(moves)), Some(a)) = (layer, inputs.get(l)) else {
                return Err(DescentError::MarginFalls(k));
            };
            let derivative = |(w, d): (&IntVec, &IntVec)| d.dot(a) + w.dot(&before);
            let derivatives: Vec<_> = weights.iter().zip(moves).map(derivative).collect();
            match trace.preactivations.get(l) {
                Some(z) if l + 1 < self.weights.layers.len() => {
                    let patterns = self.patterns(l, constraint, z, derivatives);
                    let kinks = patterns.free.len();
                    *extra = match patterns.count() {
                        Some(count) => extra.saturating_add(count - 1),
                        None => usize::MAX,
                    };
                    if *extra > self.most {
                        let (constraint, layer) = (k, l + 1);
                        return Err(DescentError::TooManyKinks { constraint, layer, kinks });
                    }
                    open.push(patterns);
                }
                _ if value(constraint, &derivatives).is_negative() => {
                    return Err(DescentError::MarginFalls(k));
                }
                _ => {}
            }
            // The next pattern of the deepest layer that has one left.
            loop {
                let Some(patterns) = open.last_mut() else { return Ok(()) };
                if let Some(after) = patterns.next() {
                    before = after;
                    break;
                }
                open.pop();
            }
        }
    }

    /// `ȧ` of hidden layer `l` (from 0) for the slopes to be enumerated.
    fn patterns(
        &self,
        l: usize,
        constraint: &Constraint,
        z: &IntVec,
        derivatives: Vec<BigInt>,
    ) -> Patterns {
        let (positive, negative) = (&self.weights.positive, &self.weights.negative);
        let last = self.weights.layers.last().filter(|_| l + 2 == self.weights.layers.len());
        let (mut low, mut free) = (Vec::with_capacity(derivatives.len()), Vec::new());
        for (r, dz) in derivatives.into_iter().enumerate() {
            let kink = z.sign(r).is_eq() && !dz.is_zero() && positive != negative;
            let slope = match last {
                Some(rows) if kink => {
                    // The lesser of (c·W)_r s ż over s ∈ {α, 1}.
                    let w: Vec<BigInt> = rows.iter().map(|row| row.get(r)).collect();
                    if (value(constraint, &w) * &dz).is_positive() { negative } else { positive }
                }
                _ if z.sign(r).is_gt() => positive,
                _ => negative,
            };
            if kink && last.is_none() {
                free.push((r, &dz * positive));
            }
            low.push(dz * slope);
        }
        Patterns { low, free, next: 0 }
    }
}

/// The slope patterns of one layer, one after the other.
struct Patterns {
    /// `ȧ` with slope α at the free kinks.
    low: Vec<BigInt>,
    /// Free kinks with their `ȧ` at slope 1.
    free: Vec<(usize, BigInt)>,
    next: usize,
}

impl Patterns {
    /// `2^kinks`, if that is a number.
    fn count(&self) -> Option<usize> {
        u32::try_from(self.free.len()).ok().and_then(|n| 1usize.checked_shl(n))
    }

    fn next(&mut self) -> Option<IntVec> {
        let pattern = self.next;
        if self.count().is_none_or(|count| pattern >= count) {
            return None;
        }
        self.next += 1;
        let mut chosen = self.low.clone();
        for (bit, (r, high)) in self.free.iter().enumerate() {
            if let Some(slot) = chosen.get_mut(*r).filter(|_| (pattern >> bit) & 1 == 1) {
                slot.clone_from(high);
            }
        }
        Some(IntVec::new(chosen))
    }
}

/// `c·outputs`.
fn value(constraint: &Constraint, outputs: &[BigInt]) -> BigInt {
    let at = |o: usize| outputs.get(o).cloned().unwrap_or_default();
    let plus = at(constraint.plus);
    let plus = if constraint.sign < 0 { -plus } else { plus };
    plus - constraint.minus.map_or(BigInt::ZERO, at)
}
