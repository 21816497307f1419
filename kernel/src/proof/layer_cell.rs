//! A bound for one layer in its cell, at any depth (rule 3.8).
//!
//! Scope `layer l`, region `cell`: competitors differ from θ in layer `l` only, and every unit of the
//! hidden layers `l, …, m−1` keeps the sign of its preactivation weakly on every sample (0 counts
//! as `≤ 0`). That is what makes `q_k` linear in the layer: the layers below are constants, and going
//! up from layer `l`, `z'⁽ˡ⁾ = W'⁽ˡ⁾a⁽ˡ⁻¹⁾` is linear in `u'`, `σ(z') = s z'` with θ's slope `s` (1 for `z > 0`, α for
//! `z ≤ 0`) since `z'` has weakly the sign of `z`, and so on. Hence in the cell `q_k(θ') = ⟨∇_l q_k, u'⟩` and
//! `z' = ⟨∇_l z, u'⟩`, gradients at θ with these slopes.
//!
//! Witness: `λ ≥ 0` on any constraints, `Σλ > 0`, and `μ ≥ 0` on any of these units and samples. With
//! `τ = 1` where `z > 0` and −1 elsewhere, `τz' ≥ 0` in the cell, so
//!
//! ```text
//! γ'Σλ ≤ Σλ_k q_k(θ') + Σ μ τ z' = ⟨h, u'⟩ ≤ |h||u'|,   h = Σλ_k ∇_l q_k + Σ μ τ ∇_l z.
//! ```
//!
//! Check: `|h|² ≤ B²(Σλ)²`, which gives `γ'/|u'| ≤ B`. For the last layer, and for linear σ, no unit
//! need keep its sign: with `μ = 0` the bound holds `everywhere`. Sharing and several outputs are
//! allowed. Of `near δ` and `any_width` the rule says nothing.
use super::multipliers;
use super::piece::{Pieces, Unit};
use super::{Refusal, wrong_claim};
use crate::claim::{Claim, Number, Region, Scope};
use crate::number::{Rational, ScaledVec, compare};
use crate::problem::Problem;
use num_traits::{One, Signed, Zero};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BTreeMap;

const RULE: &str = "layer_cell";

/// Multipliers of constraints and of signs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerCell {
    /// `(k, λ_k)` by ascending constraint, `λ_k ≥ 0`, active or not; the others are 0.
    pub lambda: Vec<(usize, Number)>,
    /// `(i, h, j, μ)` by ascending sample, hidden layer (from 1) and unit (from 0); the others are 0.
    pub mu: Vec<(usize, usize, usize, Number)>,
}

/// Why the bound does not follow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayerCellError {
    /// A region of which the rule says nothing.
    #[error(
        "the cell of one layer proves nothing about `{0}` (`everywhere` needs the last layer or a \
         linear network, and no μ)"
    )]
    Region(String),
    /// A multiplier out of order, or of a unit whose sign nobody keeps.
    #[error(
        "μ of sample {sample}, layer {layer}, unit {unit} is out of order or belongs to no unit that keeps its sign"
    )]
    NoSuchSign {
        /// The sample.
        sample: usize,
        /// The layer, from 1.
        layer: usize,
        /// The unit, from 0.
        unit: usize,
    },
    /// A negative multiplier.
    #[error("μ of sample {sample}, layer {layer}, unit {unit} is negative")]
    Negative {
        /// The sample.
        sample: usize,
        /// The layer, from 1.
        layer: usize,
        /// The unit, from 0.
        unit: usize,
    },
    /// `|h| > BΣλ`.
    #[error("the multipliers give ν of the layer at most {found}, above the claimed {claimed}")]
    TooLarge {
        /// `|h|/Σλ`.
        found: String,
        /// `B`.
        claimed: String,
    },
}

impl LayerCell {
    /// Checks the bound.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, problem: &Problem, claim: &Claim) -> Result<(), Refusal> {
        let Claim::MarginAtMost { region, bound, scope } = claim else {
            return Err(wrong_claim(RULE, claim));
        };
        let network = problem.network();
        let layer = match *scope {
            Scope::Layer(l) if (1..=network.depth()).contains(&l) => l,
            scope => return Err(Refusal::Scope { rule: RULE, scope }),
        };
        problem.gamma()?;
        if bound.0.is_negative() {
            return Err(Refusal::Negative("the bound"));
        }
        let linear = layer == network.depth() || network.activation().is_linear();
        let everywhere = *region == Region::Everywhere && linear && self.mu.is_empty();
        if *region != Region::Cell && !everywhere {
            return Err(LayerCellError::Region(region.to_string()).into());
        }
        let lambda = multipliers::read(problem, &self.lambda, false)?;
        multipliers::check_bits(self.mu.iter().map(|(_, _, _, m)| m))?;
        // One backward pass per sample serves all its constraints and signs.
        let mut covectors: BTreeMap<usize, Vec<Rational>> = BTreeMap::new();
        let outputs = network.outputs();
        for (constraint, l) in &lambda {
            let sum = covectors.entry(constraint.sample);
            let sum = sum.or_insert_with(|| vec![Rational::zero(); outputs]);
            for (slot, c) in sum.iter_mut().zip(constraint.covector(outputs)) {
                *slot += c * l;
            }
        }
        let mut pieces = Pieces::new(problem);
        let signs = self.signs(problem, &mut pieces, layer)?;
        for sample in signs.keys() {
            covectors.entry(*sample).or_insert_with(|| vec![Rational::zero(); outputs]);
        }
        let none = BTreeMap::new();
        let mut gradients = Vec::with_capacity(covectors.len());
        for (sample, covector) in covectors {
            pieces.evaluate(sample);
            let added = signs.get(&sample).unwrap_or(&none);
            let piece = pieces.combination(sample, covector, added);
            gradients.push(ScaledVec::from_rationals(&piece.gradient(layer - 1)));
        }
        let ones = vec![Rational::one(); gradients.len()];
        let len = gradients.first().map_or(0, ScaledVec::len);
        let square = ScaledVec::combination(len, &ones, &gradients).norm_squared();
        let sum = multipliers::sum(&lambda);
        if compare(&square, &(&bound.0 * &bound.0 * &sum * &sum)).is_gt() {
            let root = crate::number::root::sqrt_bounds(&(square / (&sum * &sum)), 53);
            let found = root.map_or_else(String::new, |(_, r)| Number(r).approximately());
            let claimed = bound.approximately();
            return Err(LayerCellError::TooLarge { found, claimed }.into());
        }
        Ok(())
    }

    /// `μτ` by sample and unit.
    fn signs(
        &self,
        problem: &Problem,
        pieces: &mut Pieces<'_>,
        first: usize,
    ) -> Result<BTreeMap<usize, BTreeMap<Unit, Rational>>, LayerCellError> {
        let mut signs: BTreeMap<usize, BTreeMap<Unit, Rational>> = BTreeMap::new();
        let mut previous = None;
        for (sample, layer, unit, mu) in &self.mu {
            let (sample, layer, unit) = (*sample, *layer, *unit);
            let refused = LayerCellError::NoSuchSign { sample, layer, unit };
            let key = (sample, layer, unit);
            let exists = sample < problem.data().len()
                && (first..problem.network().depth()).contains(&layer);
            if !exists || previous.is_some_and(|p| p >= key) {
                return Err(refused);
            }
            previous = Some(key);
            if mu.0.is_negative() {
                return Err(LayerCellError::Negative { sample, layer, unit });
            }
            pieces.evaluate(sample);
            let Some(sign) = pieces.sign(sample, (layer - 1, unit)) else { return Err(refused) };
            let signed = if sign == Ordering::Greater { mu.0.clone() } else { -mu.0.clone() };
            signs.entry(sample).or_default().insert((layer - 1, unit), signed);
        }
        Ok(signs)
    }
}
