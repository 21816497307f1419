//! Constraints and their margins.
use crate::number::{Rational, compare};
use num_traits::Signed;

/// Constraint `k`: a sample and an output covector `c`, `q_k(θ) = c·F(θ;x_i)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// The sample `i`.
    pub sample: usize,
    /// The output with coefficient `sign`.
    pub plus: usize,
    /// `+1` or `−1`; always `+1` with several outputs.
    pub sign: i8,
    /// The output with coefficient −1, with several outputs.
    pub minus: Option<usize>,
}

impl Constraint {
    /// `c·values` for one value per output.
    pub fn apply(&self, values: &[Rational]) -> Rational {
        let value = |o: usize| values.get(o).cloned().unwrap_or_default();
        let plus = if self.sign < 0 { -value(self.plus) } else { value(self.plus) };
        self.minus.map_or(plus.clone(), |o| plus - value(o))
    }

    /// The covector `c`, one integer per output.
    pub fn covector(&self, outputs: usize) -> Vec<Rational> {
        let coefficient = |o| {
            let plus = if o == self.plus { i64::from(self.sign) } else { 0 };
            let minus = i64::from(self.minus == Some(o));
            Rational::from_integer((plus - minus).into())
        };
        (0..outputs).map(coefficient).collect()
    }
}

/// The point does not classify its data: some margin is not positive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "sample {sample} is not classified: its margin is {margin}, and nothing can be said of a point with γ ≤ 0"
)]
pub struct NotClassified {
    /// The sample with the smallest margin.
    pub sample: usize,
    /// That margin, exactly.
    pub margin: Rational,
}

/// All constraints, by sample and then by class, with their values.
#[derive(Clone, Debug)]
pub struct Margins {
    constraints: Vec<Constraint>,
    values: Vec<Rational>,
    smallest: usize,
}

impl Margins {
    pub(super) fn new(outputs: &[Vec<Rational>], labels: &[i64]) -> Self {
        let mut constraints = Vec::new();
        let mut values = Vec::new();
        for (sample, (out, &label)) in outputs.iter().zip(labels).enumerate() {
            let mut push = |constraint: Constraint| {
                values.push(constraint.apply(out));
                constraints.push(constraint);
            };
            if out.len() == 1 {
                let sign = if label < 0 { -1 } else { 1 };
                push(Constraint { sample, plus: 0, sign, minus: None });
            } else {
                let plus = usize::try_from(label).unwrap_or(0);
                for other in (0..out.len()).filter(|o| *o != plus) {
                    push(Constraint { sample, plus, sign: 1, minus: Some(other) });
                }
            }
        }
        let smallest =
            (1..values.len()).fold(0, |best, k| match (values.get(k), values.get(best)) {
                (Some(a), Some(b)) if compare(a, b).is_lt() => k,
                _ => best,
            });
        Self { constraints, values, smallest }
    }

    /// The constraints.
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// `q_k(θ)`.
    pub fn values(&self) -> &[Rational] {
        &self.values
    }

    /// `γ(θ) = min_k q_k(θ)`, if positive.
    ///
    /// # Errors
    /// [`NotClassified`].
    pub fn gamma(&self) -> Result<&Rational, NotClassified> {
        let worst = self.constraints.get(self.smallest).zip(self.values.get(self.smallest));
        match worst {
            Some((_, value)) if value.is_positive() => Ok(value),
            Some((c, value)) => Err(NotClassified { sample: c.sample, margin: value.clone() }),
            None => Err(NotClassified { sample: 0, margin: Rational::default() }),
        }
    }

    /// Constraints with `q_k ≤ (1+δ)·γ`; those with δ = 0 are the active ones.
    pub fn active(&self, delta: &Rational) -> Vec<usize> {
        let Ok(gamma) = self.gamma() else { return Vec::new() };
        let limit = gamma + gamma * delta;
        let near = |(k, q): (usize, &Rational)| compare(q, &limit).is_le().then_some(k);
        self.values.iter().enumerate().filter_map(near).collect()
    }
}
