//! A bound for every network of every depth (rule 3.10).
//!
//! `|F(θ;x)| ≤ |x| Π_l |W⁽ˡ⁾|_F ≤ |x| (|θ|²/m)^{m/2}` by AM–GM, and `F(θ;·)` is Lipschitz with the same
//! constant, since σ is 1-Lipschitz and σ(0) = 0. Hence for any sample `i`, and any two samples `i, j`
//! of different label,
//!
//! ```text
//! ν ≤ |c| m^{-m/2} |x_i|      and      ν ≤ |c| m^{-m/2} ½|x_i − x_j|,
//! ```
//!
//! `|c|` = 1 with one output, √2 with classes. With shared weights `|W⁽ˡ⁾|_F` counts a coordinate
//! once per use, so the bound is multiplied by `Π_l √(largest number of uses in layer l)`.
//! For `any_width` the competitors have no sharing, and width does not enter.
use super::{Refusal, only_all, wrong_claim};
use crate::claim::{Claim, Region};
use crate::number::{Rational, ScaledVec, compare};
use crate::problem::{Problem, power};
use num_traits::Signed;
use serde::{Deserialize, Serialize};

const RULE: &str = "norm_bound";

/// The sample, or the two samples, whose length or distance gives the bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormBound {
    /// One sample, or two of different label.
    pub samples: Vec<usize>,
}

/// Why the bound does not follow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NormBoundError {
    /// Neither one sample nor two.
    #[error("a norm bound names one sample or two, not {0}")]
    Count(usize),
    /// A sample that does not exist.
    #[error("there is no sample {0}")]
    NoSuchSample(usize),
    /// Two samples with one label.
    #[error("samples {0} and {1} have the same label")]
    SameLabel(usize, usize),
    /// A region of which the rule says nothing.
    #[error("the norm bound with shared weights says nothing about `any_width`")]
    Sharing,
    /// The bound of the claim is smaller than the one that follows.
    #[error("the claimed bound {claimed} is below the norm bound, about {follows}")]
    TooSmall {
        /// The claim's bound.
        claimed: String,
        /// What the rule gives.
        follows: String,
    },
}

impl NormBound {
    /// Checks the bound.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, problem: &Problem, claim: &Claim) -> Result<(), Refusal> {
        let Claim::MarginAtMost { region, bound, .. } = claim else {
            return Err(wrong_claim(RULE, claim));
        };
        only_all(RULE, claim)?;
        problem.gamma()?;
        if bound.0.is_negative() {
            return Err(Refusal::Negative("the bound"));
        }
        if *region == Region::AnyWidth && problem.network().has_sharing() {
            return Err(NormBoundError::Sharing.into());
        }
        let follows = self.square(problem)?;
        if compare(&(&bound.0 * &bound.0), &follows).is_lt() {
            let root = crate::number::root::sqrt_bounds(&follows, 53);
            let follows =
                root.map_or_else(String::new, |(_, r)| crate::claim::Number(r).approximately());
            let claimed = bound.approximately();
            return Err(NormBoundError::TooSmall { claimed, follows }.into());
        }
        Ok(())
    }

    /// The square of the bound on ν that the witness gives.
    ///
    /// # Errors
    /// [`NormBoundError`]: samples that do not exist or share their label.
    pub fn square(&self, problem: &Problem) -> Result<Rational, NormBoundError> {
        let (data, network) = (problem.data(), problem.network());
        let exists = |i: usize| match data.samples().get(i) {
            Some(x) => Ok(x),
            None => Err(NormBoundError::NoSuchSample(i)),
        };
        let length = match *self.samples.as_slice() {
            [i] => exists(i)?.norm_squared(),
            [i, j] => {
                let (a, b) = (exists(i)?, exists(j)?);
                if data.label(i) == data.label(j) {
                    return Err(NormBoundError::SameLabel(i, j));
                }
                distance_squared(a, b) / Rational::from_integer(4.into())
            }
            _ => return Err(NormBoundError::Count(self.samples.len())),
        };
        let count = |n: usize| Rational::from_integer(n.into());
        let classes = if network.outputs() == 1 { 1 } else { 2 };
        let uses: Rational = network.layers().iter().map(|l| count(l.max_uses())).product();
        Ok(length * count(classes) * uses / power(&count(network.depth()), network.depth()))
    }
}

/// `|a − b|²`.
fn distance_squared(a: &ScaledVec, b: &ScaledVec) -> Rational {
    let two = Rational::from_integer(2.into());
    (a.norm_squared() - a.dot(b) * two + b.norm_squared()).abs()
}
