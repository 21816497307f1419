//! Exact multipliers: `λ ≥ 0` on constraints, and stationarity `θ = Σ_k λ_k g_k` (rule 3.1).
//!
//! Since `⟨θ, g_k⟩ = m q_k(θ)` (Euler; `m = 1` for one layer), stationarity with λ on active
//! constraints only gives `|θ|² = mγΣλ`, so λ is not all zero.
use crate::claim::Number;
use crate::number::{BigInt, Rational, ScaledVec, compare, lcm_within};
use crate::problem::{Constraint, Problem};
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
        denominator =
            lcm_within(denominator, own, MAX_MULTIPLIER_BITS).map_err(MultiplierError::TooLong)?;
    }
    Ok(())
}

/// `Σλ`.
pub(super) fn sum(lambda: &Lambda) -> Rational {
    lambda.iter().map(|(_, l)| l).sum()
}

/// Checks `u⁽ˡ⁾ = Σ_k λ_k g_k` exactly, `gradients` giving layer `l`'s part of `g_k` for every
/// multiplier in order; `layer` counts from 1.
pub(super) fn stationary(
    problem: &Problem,
    layer: usize,
    lambda: &Lambda,
    gradients: impl Iterator<Item = Vec<Rational>>,
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

/// Vectors kept at a time: a layer may have as many parameters as there are multipliers.
const AT_ONCE: usize = 64;

/// `Σ_k λ_k g_k`, `len` coordinates; the gradients, one for every multiplier, are taken as they come.
pub(super) fn combination(
    len: usize,
    lambda: &Lambda,
    gradients: impl Iterator<Item = Vec<Rational>>,
) -> ScaledVec {
    let (mut coefficients, mut vectors) = (Vec::new(), Vec::new());
    for ((_, l), gradient) in lambda.iter().zip(gradients) {
        if vectors.len() == AT_ONCE {
            let total = ScaledVec::combination(len, &coefficients, &vectors);
            (coefficients, vectors) = (vec![Rational::one()], vec![total]);
        }
        coefficients.push(l.clone());
        vectors.push(ScaledVec::from_rationals(&gradient));
    }
    ScaledVec::combination(len, &coefficients, &vectors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_many_is_that_of_all_at_once() {
        let rational = |n: usize, d: usize| Rational::new(n.into(), (d + 1).into());
        for count in [0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE + 5] {
            let lambda: Vec<_> = (0..count).map(|k| rational(k, k % 7)).collect();
            let gradient = |k: usize| -> Vec<_> {
                (0..3).map(|c| rational(k * c, c) - rational(1, k % 5)).collect()
            };
            let constraint = Constraint { sample: 0, plus: 0, sign: 1, minus: None };
            let list: Lambda = lambda.iter().map(|l| (constraint, l.clone())).collect();
            let sum = combination(3, &list, (0..count).map(gradient));
            let vectors: Vec<_> =
                (0..count).map(|k| ScaledVec::from_rationals(&gradient(k))).collect();
            let all = ScaledVec::combination(3, &lambda, &vectors);
            assert_eq!(sum.to_rationals(), all.to_rationals(), "{count}");
        }
    }
}
