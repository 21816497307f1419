//! Exact multipliers: `λ ≥ 0` on constraints, and stationarity `θ = Σ_k λ_k g_k` (rule 3.1).
//!
//! Since `⟨θ, g_k⟩ = m q_k(θ)` (Euler; `m = 1` for one layer), stationarity with λ on active
//! constraints only gives `|θ|² = mγΣλ`, so λ is not all zero.
use crate::claim::Number;
use crate::number::{BigInt, Rational, ScaledVec, compare};
use crate::problem::{Constraint, Problem};
use num_integer::Integer;
use num_traits::{One, Signed, Zero};

/// Most bits of a list's common denominator, and of each numerator: what sums of multiples grow to.
pub const MAX_MULTIPLIER_BITS: u64 = 1 << 13;

/// Why multipliers are refused. Layers and coordinates as in the network's files: layers from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MultiplierError {
    /// Constraints not ascending, or past the end.
    #[error("the constraints of λ must be ascending and below {count}; found {found}")]
    Order {
        /// Number of constraints.
        count: usize,
        /// The offending index.
        found: usize,
    },
    /// A multiplier on a constraint that does not attain γ.
    #[error("constraint {0} has a multiplier, but its margin is above γ")]
    NotActive(usize),
    /// A negative multiplier.
    #[error("λ of constraint {0} is negative")]
    Negative(usize),
    /// Every multiplier is 0, or there is none.
    #[error("all multipliers λ are zero")]
    AllZero,
    /// Past [`MAX_MULTIPLIER_BITS`].
    #[error(
        "a numerator or the common denominator has {0} bits, past the limit of {MAX_MULTIPLIER_BITS}"
    )]
    TooLong(u64),
    /// `θ ≠ Σ λ_k g_k`.
    #[error(
        "not stationary: θ − Σλ∇q is about {difference} at coordinate {coordinate} of layer {layer}"
    )]
    NotStationary {
        /// The layer, from 1.
        layer: usize,
        /// The coordinate of its parameter vector, from 0.
        coordinate: usize,
        /// The difference there.
        difference: String,
    },
}

/// Positive multipliers by ascending constraint.
pub(super) type Lambda = Vec<(Constraint, Rational)>;

/// Reads `(k, λ_k)`: ascending, `λ_k ≥ 0`, some `λ_k > 0`. Zeros are dropped.
pub(super) fn read(
    problem: &Problem,
    list: &[(usize, Number)],
    active_only: bool,
) -> Result<Lambda, MultiplierError> {
    let constraints = problem.margins().constraints();
    let active = problem.margins().active(&Rational::zero());
    check_bits(list.iter().map(|(_, l)| l))?;
    let mut lambda = Vec::with_capacity(list.len().min(constraints.len()));
    let mut previous = None;
    for (k, value) in list {
        let order = MultiplierError::Order { count: constraints.len(), found: *k };
        let Some(constraint) = constraints.get(*k) else { return Err(order) };
        if previous.is_some_and(|p| p >= *k) {
            return Err(order);
        }
        previous = Some(*k);
        if value.0.is_negative() {
            return Err(MultiplierError::Negative(*k));
        }
        if value.0.is_zero() {
            continue;
        }
        if active_only && active.binary_search(k).is_err() {
            return Err(MultiplierError::NotActive(*k));
        }
        lambda.push((*constraint, value.0.clone()));
    }
    if lambda.is_empty() { Err(MultiplierError::AllZero) } else { Ok(lambda) }
}

/// Bounds the length of a list of numbers.
pub(super) fn check_bits<'n>(
    numbers: impl Iterator<Item = &'n Number>,
) -> Result<(), MultiplierError> {
    let mut denominator = BigInt::one();
    for number in numbers {
        let own = number.0.denom();
        let longest = number.0.numer().bits().max(own.bits());
        if longest > MAX_MULTIPLIER_BITS {
            return Err(MultiplierError::TooLong(longest));
        }
        if !denominator.is_multiple_of(own) {
            denominator = denominator.lcm(own);
        }
        if denominator.bits() > MAX_MULTIPLIER_BITS {
            return Err(MultiplierError::TooLong(denominator.bits()));
        }
    }
    Ok(())
}

/// `Σλ`.
pub(super) fn sum(lambda: &Lambda) -> Rational {
    lambda.iter().map(|(_, l)| l).sum()
}

/// Checks `u⁽ˡ⁾ = Σ_k λ_k g_k` exactly, `gradients` holding layer `l`'s part of `g_k` for every
/// multiplier in order; `layer` counts from 1.
pub(super) fn stationary(
    problem: &Problem,
    layer: usize,
    lambda: &Lambda,
    gradients: &[Vec<Rational>],
) -> Result<(), MultiplierError> {
    let Some(parameters) = layer.checked_sub(1).and_then(|l| problem.network().layers().get(l))
    else {
        let difference = String::new();
        return Err(MultiplierError::NotStationary { layer, coordinate: 0, difference });
    };
    let parameters = parameters.parameters();
    let weighted = combination(parameters.len(), lambda, gradients);
    for coordinate in 0..parameters.len() {
        let (have, want) = (parameters.get(coordinate), weighted.get(coordinate));
        if compare(&have, &want).is_ne() {
            let difference = Number(have - want).approximately();
            return Err(MultiplierError::NotStationary { layer, coordinate, difference });
        }
    }
    Ok(())
}

/// `Σ_k λ_k g_k`, `len` coordinates.
pub(super) fn combination(len: usize, lambda: &Lambda, gradients: &[Vec<Rational>]) -> ScaledVec {
    let coefficients: Vec<Rational> = lambda.iter().map(|(_, l)| l.clone()).collect();
    let vectors: Vec<_> = gradients.iter().map(|g| ScaledVec::from_rationals(g)).collect();
    ScaledVec::combination(len, &coefficients, &vectors)
}
