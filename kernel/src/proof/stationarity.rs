//! KKT points, kinks included (rules 3.1 and 3.2). Any depth, sharing and several outputs allowed.
//!
//! θ is a KKT point of `min ½|θ|²` subject to `q_k ≥ γ(θ)` iff there are `λ ≥ 0`, zero off the active
//! constraints, with `θ ∈ Σ_k λ_k ∂°q_k(θ)`, where `∂°q` is Clarke's subdifferential: the convex hull of
//! all limits `lim ∇q(θ_n)` with `θ_n → θ` and q differentiable at `θ_n` (F. H. Clarke, *Optimization
//! and Nonsmooth Analysis*, 1983, theorem 2.5.1; K. Lyu, J. Li, ICLR 2020). In scope `layer:l` the
//! same of the problem in `u⁽ˡ⁾` alone: `∂°` of the *restriction* `u⁽ˡ⁾ ↦ q_k`. It is contained in the
//! projection of `∂°q_k(θ)` to that layer and can be smaller, so gradients are taken at points where
//! only layer l has moved.
//!
//! **Witness.** `λ`, and for constraints with kinks one of two things. **Check.** `λ_k ≥ 0`, k active,
//! and `u⁽ˡ⁾ = Σ_k λ_k g_k⁽ˡ⁾` exactly for every layer in scope; `g_k` by the first that applies:
//!
//! 1. *Germs* `θ(ε)` of k with weights: `w ≥ 0`, `Σw = 1`, and at each germ every preactivation of that
//!    sample, along the curve, is non-zero or identically zero near `θ(ε)`. `g_k` is the combination of
//!    the gradients backpropagated at θ with the slopes of the germs. *Why:* for all small ε > 0
//!    `q_k` is a polynomial near `θ(ε)`, its gradient the backpropagated one (a unit that is
//!    identically zero adds nothing, whatever its slope), and for `ε → 0` this tends to the formula at
//!    `θ(0) = θ` with the same slopes: a limiting gradient. Their convex combinations lie in `∂°q_k(θ)`.
//! 2. *Slopes* `μ_kj/λ_k ∈ [α,1]` at kinks of row j of the last hidden layer (where there is no μ, α),
//!    where those of different rows are independent: depth 2 without sharing; or scope `layer:m−1` at
//!    depth m if that layer does not share. *Why:* there `q_k = Σ_j h_j`, `h_j = (c·V_j) σ(w_j·a)`, where
//!    no two `h_j` have a variable in common and `a` is constant, so `∂°q_k = Π_j ∂°h_j`; and at a kink,
//!    where `w_j·a` takes both signs nearby, both slopes are attained in the limit. With sharing
//!    this is false: `σ(w·p) − σ(−w·p) = (1+α) w·p` is smooth.
//! 3. Otherwise the sample has no kink in scope, and `g_k = ∇q_k(θ)`.
//!
//! Only constraints with `λ_k > 0` are evaluated. `γ(θ) > 0` is checked and implies `u⁽ˡ⁾ ≠ 0` for every
//! layer, so `λ = 0` never passes. What a kink is: [`crate::problem`]; its test for *identically zero*
//! sees structural reasons and inactive units, so a cancellation of live units is treated as a kink.
use super::moves::{Moves, MovesError, Path, common_denominator};
use super::{Refusal, moving_layers, wrong_claim};
use crate::claim::{Claim, Number};
use crate::network::{MAX_BITS, Model, gradient};
use crate::number::{BigInt, Rational, compare};
use crate::problem::{Constraint, Problem, kinks};
use num_traits::{One, Signed, Zero};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

const RULE: &str = "stationarity";

/// Most germs of one witness.
pub const MAX_GERMS: usize = 10_000;

/// Multipliers, with slopes or germs at kinks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stationarity {
    /// `(k, λ_k)` by ascending constraint, `λ_k ≥ 0`, k active; the others are 0.
    pub lambda: Vec<(usize, Number)>,
    /// `(k, j, μ_kj)` at kinks, ascending, `αλ_k ≤ μ_kj ≤ λ_k`; at other kinks `μ_kj = αλ_k`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mu: Vec<(usize, usize, Number)>,
    /// Limiting gradients, by ascending constraint.
    #[serde(
        default,
        deserialize_with = "crate::object::objects",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub germs: Vec<WeightedGerm>,
}

/// A limiting gradient of one constraint, with its weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightedGerm {
    /// The constraint.
    pub constraint: usize,
    /// Its weight; those of a constraint sum to 1.
    pub weight: Number,
    /// `θ(ε) − θ`: where the gradient is read off.
    pub moves: Moves,
}

/// Why the witness does not prove stationarity. Layers are counted from 1, rows from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StationarityError {
    /// Numbers past [`MAX_BITS`].
    #[error("the common denominator of λ, μ and the weights has {0} bits, the limit is {MAX_BITS}")]
    TooLong(u64),
    /// A constraint that is not active, or not ascending.
    #[error("constraint {0} is out of order or not active")]
    NotActive(usize),
    /// A negative multiplier.
    #[error("λ of constraint {0} is negative")]
    NegativeMultiplier(usize),
    /// Slopes where those of different units are not independent.
    #[error(
        "slopes at kinks are independent only at depth 2 without sharing, or in the last hidden \
         layer alone if it does not share; give germs"
    )]
    CoupledSlopes,
    /// A slope that is not at a kink of a constraint with λ and without germs.
    #[error("μ of constraint {constraint}, neuron {neuron} is out of order or not at a kink")]
    NotAtKink {
        /// The constraint.
        constraint: usize,
        /// The row in the last hidden layer.
        neuron: usize,
    },
    /// `μ` outside `[αλ, λ]`.
    #[error("μ of constraint {constraint}, neuron {neuron} is outside [αλ, λ]")]
    SlopeRange {
        /// The constraint.
        constraint: usize,
        /// The row in the last hidden layer.
        neuron: usize,
    },
    /// More than [`MAX_GERMS`].
    #[error("{0} germs, past the limit of {MAX_GERMS}")]
    TooManyGerms(usize),
    /// A germ of a constraint without λ, or not ascending.
    #[error("germ {germ}: constraint {constraint} is out of order or has no λ")]
    GermOrder {
        /// The germ, from 0.
        germ: usize,
        /// Its constraint.
        constraint: usize,
    },
    /// Not a curve of this network in this scope.
    #[error("germ {germ}: {error}")]
    Germ {
        /// The germ, from 0.
        germ: usize,
        /// What is wrong.
        error: MovesError,
    },
    /// A negative weight.
    #[error("the weight of germ {0} is negative")]
    NegativeWeight(usize),
    /// Weights that do not sum to 1.
    #[error("the weights of the germs of constraint {constraint} sum to {sum}, not to 1")]
    Weights {
        /// The constraint.
        constraint: usize,
        /// Their sum.
        sum: String,
    },
    /// A germ that stays on a kink.
    #[error("germ {germ}: row {row} of layer {layer} is at a kink along the curve")]
    GermAtKink {
        /// The germ, from 0.
        germ: usize,
        /// The hidden layer.
        layer: usize,
        /// The row.
        row: usize,
    },
    /// A kink for which the witness has neither slopes nor germs.
    #[error("constraint {constraint} has a kink at row {row} of layer {layer}; give germs")]
    Kink {
        /// The constraint.
        constraint: usize,
        /// The hidden layer.
        layer: usize,
        /// The row.
        row: usize,
    },
    /// `θ ≠ Σ λ_k g_k`.
    #[error("θ and Σλg differ at coordinate {coordinate} of layer {layer}")]
    NotStationary {
        /// The layer.
        layer: usize,
        /// The coordinate.
        coordinate: usize,
    },
}

type Error = StationarityError;
/// By constraint, each with its place in the witness.
type Germs<'a> = BTreeMap<usize, Vec<(usize, &'a WeightedGerm)>>;
/// By layer and coordinate.
type Gradient = Vec<Vec<Rational>>;

impl Stationarity {
    /// Checks stationarity.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, problem: &Problem, claim: &Claim) -> Result<(), Refusal> {
        let Claim::Kkt { .. } = claim else {
            return Err(wrong_claim(RULE, claim));
        };
        let moving = moving_layers(problem, claim)?;
        problem.gamma()?;
        self.lengths()?;
        let lambda = self.multipliers(problem)?;
        let model = problem.network().rational_model();
        let setting = Setting { problem, moving, model, germs: self.germs.len() };
        let slopes = self.slopes(&setting, &lambda)?;
        let germs = self.germs(&lambda)?;
        let layers = problem.network().layers();
        let mut residual: Gradient = layers.iter().map(|l| l.parameters().to_rationals()).collect();
        for (k, l) in lambda.iter().filter(|(_, l)| l.is_positive()) {
            for (weight, gradient) in setting.gradients(*k, &slopes, germs.get(k))? {
                let factor = l * weight;
                for (slots, values) in residual.iter_mut().zip(gradient) {
                    for (slot, value) in slots.iter_mut().zip(values) {
                        *slot -= &factor * value;
                    }
                }
            }
        }
        for l in setting.moving {
            let differing = residual.get(l).and_then(|r| r.iter().position(|e| !e.is_zero()));
            if let Some(coordinate) = differing {
                return Err(Error::NotStationary { layer: l + 1, coordinate }.into());
            }
        }
        Ok(())
    }

    /// Bounds the denominators of the sums below, and the number of germs.
    fn lengths(&self) -> Result<(), Error> {
        if self.germs.len() > MAX_GERMS {
            return Err(Error::TooManyGerms(self.germs.len()));
        }
        let multipliers = self.lambda.iter().map(|(_, l)| l);
        let slopes = self.mu.iter().map(|(_, _, m)| m);
        let weights = self.germs.iter().map(|g| &g.weight);
        let all = multipliers.chain(slopes).chain(weights);
        common_denominator(&BigInt::one(), all, 1).map(|_| ()).map_err(Error::TooLong)
    }

    /// `λ`, validated.
    fn multipliers(&self, problem: &Problem) -> Result<BTreeMap<usize, Rational>, Error> {
        let active = problem.margins().active(&Rational::zero());
        let mut lambda: BTreeMap<usize, Rational> = BTreeMap::new();
        for (k, value) in &self.lambda {
            let ascending = lambda.last_key_value().is_none_or(|(last, _)| last < k);
            if !ascending || active.binary_search(k).is_err() {
                return Err(Error::NotActive(*k));
            }
            if value.0.is_negative() {
                return Err(Error::NegativeMultiplier(*k));
            }
            lambda.insert(*k, value.0.clone());
        }
        Ok(lambda)
    }

    /// Slopes `μ_kj/λ_k` by constraint and row, validated.
    fn slopes(
        &self,
        setting: &Setting<'_>,
        lambda: &BTreeMap<usize, Rational>,
    ) -> Result<BTreeMap<(usize, usize), Rational>, Error> {
        if !self.mu.is_empty() && !setting.slopes_are_independent() {
            return Err(Error::CoupledSlopes);
        }
        let by_germs: BTreeSet<usize> = self.germs.iter().map(|g| g.constraint).collect();
        let mut slopes: BTreeMap<(usize, usize), Rational> = BTreeMap::new();
        let mut known: Option<(usize, Vec<(usize, usize)>)> = None;
        for (k, j, mu) in &self.mu {
            let (constraint, neuron) = (*k, *j);
            let refused = Error::NotAtKink { constraint, neuron };
            let ascending = slopes.last_key_value().is_none_or(|(last, _)| *last < (*k, *j));
            let germs = by_germs.contains(k);
            let (true, false, Some(l)) = (ascending, germs, lambda.get(k)) else {
                return Err(refused);
            };
            let kinks = match known.take().filter(|(of, _)| of == k) {
                Some((_, kinks)) => kinks,
                None => setting.kinks(constraint),
            };
            if !l.is_positive() || !kinks.iter().any(|(_, row)| row == j) {
                return Err(refused);
            }
            known = Some((constraint, kinks));
            let slope = &mu.0 / l;
            let least = setting.problem.activation().slope();
            if compare(&slope, &Rational::one()).is_gt() || compare(&slope, least).is_lt() {
                return Err(Error::SlopeRange { constraint, neuron });
            }
            slopes.insert((constraint, neuron), slope);
        }
        Ok(slopes)
    }

    /// The germs by constraint, with weights that sum to 1.
    fn germs(&self, lambda: &BTreeMap<usize, Rational>) -> Result<Germs<'_>, Error> {
        let mut germs = Germs::new();
        for (germ, entry) in self.germs.iter().enumerate() {
            let constraint = entry.constraint;
            let ascending = germs.last_key_value().is_none_or(|(last, _)| *last <= constraint);
            if !ascending || !lambda.get(&constraint).is_some_and(Signed::is_positive) {
                return Err(Error::GermOrder { germ, constraint });
            }
            if entry.weight.0.is_negative() {
                return Err(Error::NegativeWeight(germ));
            }
            germs.entry(constraint).or_default().push((germ, entry));
        }
        for (&constraint, list) in &germs {
            let sum: Rational = list.iter().map(|(_, g)| &g.weight.0).sum();
            if !sum.is_one() {
                return Err(Error::Weights { constraint, sum: Number(sum).approximately() });
            }
        }
        Ok(germs)
    }
}

/// What every gradient needs.
struct Setting<'a> {
    problem: &'a Problem,
    /// The layers in scope, from 0.
    moving: Range<usize>,
    model: Model<Rational>,
    /// Number of germs.
    germs: usize,
}

impl Setting<'_> {
    fn constraint(&self, k: usize) -> Result<&Constraint, Error> {
        self.problem.margins().constraints().get(k).ok_or(Error::NotActive(k))
    }

    /// Whether kinks lie in one layer whose rows have no variables in common (see the module).
    fn slopes_are_independent(&self) -> bool {
        let network = self.problem.network();
        let Some(last_hidden) = network.depth().checked_sub(2) else { return true };
        let shares = network.layers().get(last_hidden).is_none_or(|l| l.max_uses() > 1);
        let whole = network.depth() == 2 && self.moving.len() == 2 && !network.has_sharing();
        whole || (self.moving == (last_hidden..last_hidden + 1) && !shares)
    }

    /// The kinks of a constraint at θ, when the layers in scope move.
    fn kinks(&self, k: usize) -> Vec<(usize, usize)> {
        let network = self.problem.network();
        let Ok(c) = self.constraint(k) else { return Vec::new() };
        let (x, model) = (self.problem.data().sample(c.sample), network.integer_model());
        let trace = model.forward(x.numerators());
        kinks(network, &model, x.numerators(), &trace, &self.moving)
    }

    /// `∇q_k` at θ with these slopes; where there is none, `σ'(z)`, α at 0.
    fn gradient(
        &self,
        c: &Constraint,
        slopes: impl Fn(usize, usize) -> Option<Rational>,
    ) -> Gradient {
        let network = self.problem.network();
        let x = self.problem.data().sample(c.sample).to_rationals();
        let trace = self.model.forward(&x);
        let covector = c.covector(network.outputs());
        gradient(&self.model, network.layers(), &x, &trace, &covector, slopes)
    }

    /// Elements of `∂°q_k` with weights that sum to 1.
    fn gradients(
        &self,
        k: usize,
        slopes: &BTreeMap<(usize, usize), Rational>,
        germs: Option<&Vec<(usize, &WeightedGerm)>>,
    ) -> Result<Vec<(Rational, Gradient)>, Error> {
        let c = self.constraint(k)?;
        let Some(germs) = germs else {
            if self.slopes_are_independent() {
                let last_hidden = self.problem.network().depth().saturating_sub(2);
                let slope = |l, row| slopes.get(&(k, row)).filter(|_| l == last_hidden).cloned();
                return Ok(vec![(Rational::one(), self.gradient(c, slope))]);
            }
            if let Some(&(l, row)) = self.kinks(k).first() {
                return Err(Error::Kink { constraint: k, layer: l + 1, row });
            }
            return Ok(vec![(Rational::one(), self.gradient(c, |_, _| None))]);
        };
        let mut gradients = Vec::with_capacity(germs.len());
        for (germ, entry) in germs {
            gradients.push((entry.weight.0.clone(), self.limit(c, *germ, &entry.moves)?));
        }
        Ok(gradients)
    }

    /// `lim ∇q_k(θ(ε))` for `ε → 0`.
    fn limit(&self, c: &Constraint, germ: usize, moves: &Moves) -> Result<Gradient, Error> {
        let network = self.problem.network();
        let path = Path::new(self.problem, &self.moving, moves, self.germs)
            .map_err(|error| Error::Germ { germ, error })?;
        let x = Path::sample(&self.problem.data().sample(c.sample));
        let trace = path.model().forward(&x);
        let at_kink = kinks(network, path.model(), &x, &trace, &self.moving);
        if let Some(&(l, row)) = at_kink.first() {
            return Err(Error::GermAtKink { germ, layer: l + 1, row });
        }
        let slope = |l: usize, row: usize| {
            let z = trace.preactivations.get(l).and_then(|z| z.get(row))?;
            let slope = if z.sign().is_gt() { &self.model.positive } else { &self.model.negative };
            Some(slope.clone())
        };
        Ok(self.gradient(c, slope))
    }
}
