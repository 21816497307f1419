//! Second-order sufficiency (rules 3.5c and 3.5d): any depth, sharing, several outputs, all layers
//! or one.
//!
//! Witness: `λ` on active constraints, `c ≥ 0`, and slopes `p` at kinks. Let `q̃_k` be the polynomial that
//! `q_k` becomes with slopes σ' where there is no kink and the witness's where there is one
//! (`super::piece`, which also defines kinks within the scope). Checked, for every `λ_k > 0`:
//!
//! - every kink has a slope `p ∈ [α, 1]`, of its own for every constraint, and *backward weight*
//!   `∂q̃_k/∂(activation) < 0` at θ;
//! - `θ = Σ_k λ_k ∇q̃_k(θ)`, `λ ≥ 0`, zero off the active set (of the scope's coordinates);
//! - `A = I − Σ_k λ_k ∇²q̃_k(θ) + c Σ_{λ_k>0} ∇q̃_k(θ) ∇q̃_k(θ)ᵀ ≻ 0`, exactly, on these coordinates.
//!
//! Then θ is a *strict* local optimum.
//!
//! *Proof, first `q_k ≤ q̃_k` near θ, with equality at θ, if `λ_k > 0`.* Replace σ at kinks by `z ↦ pz`, the
//! kinks of the last hidden layer first, then those of the layer below, and so on. Nothing changes
//! at θ, where their `z` is 0; so in each of these finitely many networks units that have no kink
//! keep the sign they have at θ on a neighbourhood, and the part above the unit being replaced is
//! already the part of `q̃_k` above it: linear in the unit's activation, with a factor that is
//! continuous in θ' and equal to the backward weight of `q̃_k` at θ. It stays negative, and
//! `σ(z) ≥ pz` (as `σ(z) = max(z, αz)`), so no replacement lowers the value. (Kinks that share a
//! layer do not feed each other.) After the last one the network is `q̃_k` (`super::piece`).
//!
//! *Then*, with `t_k = q̃_k(θ') − γ`, let
//! `L(θ') = ½|θ'|² − Σ_{λ_k>0} (λ_k t_k − (c/2) t_k²)`. As `t_k = 0` at θ, `∇L(θ) = 0` and `∇²L(θ) = A ≻ 0`:
//! `L(θ') > L(θ) = ½|θ|²` for all θ' ≠ θ near θ. If moreover `q_k(θ') ≥ γ`, then `t_k ≥ 0`, and
//! `λ_k t_k − (c/2)t_k² ≥ 0` as soon as `t_k ≤ 2λ_k/c`, which holds near θ because `λ_k > 0`: constraints
//! with `λ_k = 0` must not enter the penalty. So `½|θ'|² ≥ L(θ') > ½|θ|²`. (J. Nocedal, S. Wright,
//! *Numerical Optimization*, 2nd ed. 2006, theorems 12.6 and 17.5, with equality constraints
//! `t_k = 0` and the inequalities' multipliers positive.)
//!
//! Without kinks this is 3.5c, with them 3.5d. In scope `layer l` the Hessian is 0. Where a curve of
//! equally good points passes through θ (two parallel neurons in one cell, or a scaling between two
//! coordinates that λ does not see) `A` is singular and the rule does not apply.
use super::elimination::{Definiteness, MAX_DIMENSION, MAX_MATRIX_BITS, TooLarge, definiteness};
use super::multipliers;
use super::piece::{Piece, Pieces, Unit};
use super::{Refusal, wrong_claim};
use crate::claim::{Claim, Number, Scope};
use crate::number::{Rational, compare, work::exceeds};
use crate::problem::Problem;
use num_traits::{One, Signed, Zero};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const RULE: &str = "second_order";

/// Largest accepted coordinates × matrix entries × multipliers: the work of the Hessians.
pub const MAX_WORK: usize = 1 << 24;

/// Multipliers, penalty and slopes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondOrder {
    /// `(k, λ_k)` by ascending constraint; the others are 0.
    pub lambda: Vec<(usize, Number)>,
    /// `c ≥ 0`.
    pub penalty: Number,
    /// `(k, l, j, p)` at the kinks of constraints with `λ_k > 0`, by ascending constraint, hidden layer
    /// (from 1) and unit (from 0).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slopes: Vec<(usize, usize, usize, Number)>,
}

/// Why the second-order condition does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecondOrderError {
    /// `c < 0`.
    #[error("the penalty c is negative")]
    NegativePenalty,
    /// A kink without a slope.
    #[error(
        "constraint {constraint} has a kink at unit {unit} of layer {layer} and no slope for it"
    )]
    NoSlope {
        /// The constraint.
        constraint: usize,
        /// The layer, from 1.
        layer: usize,
        /// The unit, from 0.
        unit: usize,
    },
    /// A slope out of order, or not at a kink of a constraint with `λ > 0`.
    #[error(
        "the slope of constraint {constraint}, layer {layer}, unit {unit} is out of order or not at a kink"
    )]
    NotKink {
        /// The constraint.
        constraint: usize,
        /// The layer, from 1.
        layer: usize,
        /// The unit, from 0.
        unit: usize,
    },
    /// A slope outside `[α, 1]`.
    #[error("the slope of constraint {constraint}, layer {layer}, unit {unit} is outside [α, 1]")]
    SlopeRange {
        /// The constraint.
        constraint: usize,
        /// The layer, from 1.
        layer: usize,
        /// The unit, from 0.
        unit: usize,
    },
    /// A kink whose backward weight is not negative.
    #[error(
        "constraint {constraint}: the backward weight of the kink at unit {unit} of layer {layer} is not negative"
    )]
    NotConcave {
        /// The constraint.
        constraint: usize,
        /// The layer, from 1.
        layer: usize,
        /// The unit, from 0.
        unit: usize,
    },
    /// The matrix is not positive definite.
    #[error("I − Σλ∇²q + cΣ∇q∇qᵀ is {0}")]
    NotDefinite(&'static str),
    /// The matrix cannot be tested.
    #[error("the Hessian: {0}")]
    TooLarge(#[from] TooLarge),
    /// Past [`MAX_WORK`].
    #[error(
        "coordinates × weights × multipliers is {0}, past the limit of {MAX_WORK}, lower for long numbers"
    )]
    Work(usize),
}

type Slopes = BTreeMap<Unit, Rational>;

impl SecondOrder {
    /// Checks a `local_optimum`.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, problem: &Problem, claim: &Claim) -> Result<(), Refusal> {
        let Claim::LocalOptimum { scope } = *claim else { return Err(wrong_claim(RULE, claim)) };
        let network = problem.network();
        let depth = network.depth();
        let layers = match scope {
            Scope::All => 1..=depth,
            Scope::Layer(l) if (1..=depth).contains(&l) => l..=l,
            Scope::Layer(_) => return Err(Refusal::Scope { rule: RULE, scope }),
        };
        problem.gamma()?;
        let lambda = multipliers::read(problem, &self.lambda, true)?;
        if self.penalty.0.is_negative() {
            return Err(SecondOrderError::NegativePenalty.into());
        }
        let size = |l: usize| network.layers().get(l - 1).map_or(0, |l| l.parameters().len());
        let coordinates: Vec<(usize, usize)> =
            layers.clone().flat_map(|l| (0..size(l)).map(move |i| (l - 1, i))).collect();
        let dimension = coordinates.len();
        if dimension > MAX_DIMENSION {
            return Err(SecondOrderError::from(TooLarge::Dimension(dimension)).into());
        }
        // A long c makes every entry long: refused before the matrix is formed, which costs a gcd per
        // entry, and not after.
        let long = self.penalty.0.numer().bits().max(self.penalty.0.denom().bits());
        let bits = u64::try_from(dimension).unwrap_or(u64::MAX).saturating_mul(long);
        if bits > MAX_MATRIX_BITS {
            return Err(SecondOrderError::from(TooLarge::Bits(bits)).into());
        }
        let entries: usize = network.layers().iter().map(|l| l.rows() * l.cols()).sum();
        let work = dimension.saturating_mul(entries).saturating_mul(lambda.len());
        if work > MAX_WORK || exceeds(&[work], network.bits() + longest(problem)).is_some() {
            return Err(SecondOrderError::Work(work).into());
        }
        let mut pieces = Pieces::new(problem);
        lambda.iter().for_each(|(constraint, _)| pieces.evaluate(constraint.sample));
        let mut slopes = self.slopes()?;
        let positive = self.lambda.iter().filter(|(_, l)| l.0.is_positive()).map(|(k, _)| *k);
        let mut polynomials = Vec::with_capacity(lambda.len());
        for (k, (constraint, _)) in positive.zip(&lambda) {
            let kinks = pieces.kinks(constraint.sample, scope);
            let own = slopes.remove(&k).unwrap_or_default();
            check_kinks(problem, k, &kinks, &own)?;
            let piece = pieces.constraint(constraint, &own);
            let weight = |kink: &&Unit| !piece.backward_weight(**kink).is_negative();
            if let Some(&(layer, unit)) = kinks.iter().find(weight) {
                let (constraint, layer) = (k, layer + 1);
                return Err(SecondOrderError::NotConcave { constraint, layer, unit }.into());
            }
            polynomials.push(piece);
        }
        if let Some((constraint, own)) = slopes.first_key_value() {
            let (layer, unit) = own.keys().next().map_or((0, 0), |(l, j)| (l + 1, *j));
            let constraint = *constraint;
            return Err(SecondOrderError::NotKink { constraint, layer, unit }.into());
        }
        for layer in layers {
            let gradients = polynomials.iter().map(|piece| piece.gradient(layer - 1));
            multipliers::stationary(problem, layer, &lambda, gradients)?;
        }
        let weights: Vec<Rational> = lambda.into_iter().map(|(_, l)| l).collect();
        let matrix = augmented_hessian(&coordinates, &polynomials, &weights, &self.penalty.0);
        match definiteness(&matrix).map_err(SecondOrderError::from)? {
            Definiteness::Positive => Ok(()),
            Definiteness::Semidefinite => Err(SecondOrderError::NotDefinite("singular").into()),
            Definiteness::No => Err(SecondOrderError::NotDefinite("indefinite").into()),
        }
    }

    /// Slopes by constraint, layers from 0.
    fn slopes(&self) -> Result<BTreeMap<usize, Slopes>, Refusal> {
        multipliers::check_bits(self.slopes.iter().map(|(_, _, _, p)| p))?;
        let mut slopes: BTreeMap<usize, Slopes> = BTreeMap::new();
        let mut previous = None;
        for (constraint, layer, unit, p) in &self.slopes {
            let (constraint, layer, unit) = (*constraint, *layer, *unit);
            let key = (constraint, layer, unit);
            if layer == 0 || previous.is_some_and(|last| last >= key) {
                return Err(SecondOrderError::NotKink { constraint, layer, unit }.into());
            }
            previous = Some(key);
            slopes.entry(constraint).or_default().insert((layer - 1, unit), p.0.clone());
        }
        Ok(slopes)
    }
}

/// Bits of the longest numerator of a sample.
fn longest(problem: &Problem) -> u64 {
    problem.data().samples().iter().map(|x| x.numerators().bits()).max().unwrap_or(0)
}

/// Slopes at exactly the kinks, in range.
fn check_kinks(
    problem: &Problem,
    constraint: usize,
    kinks: &[Unit],
    slopes: &Slopes,
) -> Result<(), SecondOrderError> {
    for (&(layer, unit), p) in slopes {
        let kink = kinks.contains(&(layer, unit));
        let layer = layer + 1;
        if !kink {
            return Err(SecondOrderError::NotKink { constraint, layer, unit });
        }
        let low = compare(p, problem.activation().slope()).is_lt();
        if low || compare(p, &Rational::one()).is_gt() {
            return Err(SecondOrderError::SlopeRange { constraint, layer, unit });
        }
    }
    match kinks.iter().find(|kink| !slopes.contains_key(*kink)) {
        None => Ok(()),
        Some(&(layer, unit)) => {
            Err(SecondOrderError::NoSlope { constraint, layer: layer + 1, unit })
        }
    }
}

/// `I − Σλ∇²q̃ + cΣ∇q̃∇q̃ᵀ` on these coordinates, by rows.
fn augmented_hessian(
    coordinates: &[(usize, usize)],
    polynomials: &[Piece<'_>],
    lambda: &[Rational],
    penalty: &Rational,
) -> Vec<Vec<Rational>> {
    let size = coordinates.len();
    let mut matrix = vec![vec![Rational::zero(); size]; size];
    for (i, row) in matrix.iter_mut().enumerate() {
        if let Some(diagonal) = row.get_mut(i) {
            *diagonal = Rational::one();
        }
    }
    let entry = |parts: &[Vec<Rational>], (l, i): &(usize, usize)| {
        parts.get(*l).and_then(|part| part.get(*i)).cloned().unwrap_or_default()
    };
    for (piece, l) in polynomials.iter().zip(lambda) {
        let depth = coordinates.last().map_or(0, |(l, _)| l + 1);
        let parts: Vec<_> = (0..depth).map(|l| piece.gradient(l)).collect();
        let gradient: Vec<Rational> = coordinates.iter().map(|at| entry(&parts, at)).collect();
        for ((row, at), g) in matrix.iter_mut().zip(coordinates).zip(&gradient) {
            let column = piece.hessian_column(at.0, at.1);
            for ((slot, other), h) in row.iter_mut().zip(coordinates).zip(&gradient) {
                *slot += penalty * g * h - l * entry(&column, other);
            }
        }
    }
    matrix
}
