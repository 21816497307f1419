//! Training sets.
use crate::number::{
    BigInt, ParseNumberError, Rational, ScaledVec, format_rational, parse_rational, work::MAX_WORK,
};
use crate::object::AsObject;
use num_traits::Zero;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Largest accepted bits of a sample's common denominator and longest numerator together.
pub const MAX_SAMPLE_BITS: u64 = 1 << 14;
/// Most constraints of a problem: samples, times the other classes.
pub const MAX_CONSTRAINTS: usize = 1 << 23;
/// Most preactivations: samples, times the units of all layers.
pub const MAX_PREACTIVATIONS: usize = 1 << 27;

/// Samples `x_i` and labels: ±1 for one output, classes 0…K−1 for K outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    samples: Vec<ScaledVec>,
    labels: Vec<i64>,
}

/// Why data cannot be used, or not with this network. Samples are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    /// No samples.
    #[error("the data set has no samples")]
    Empty,
    /// Lengths of `x` and `y` differ.
    #[error("{samples} samples but {labels} labels")]
    Counts {
        /// Number of samples.
        samples: usize,
        /// Number of labels.
        labels: usize,
    },
    /// A sample with another number of features than the network has inputs.
    #[error("sample {sample} has {found} features, the network takes {expected}")]
    Features {
        /// The sample.
        sample: usize,
        /// Its features.
        found: usize,
        /// The network's inputs.
        expected: usize,
    },
    /// All features are 0: every homogeneous network has margin 0 there.
    #[error(
        "sample {0} is zero in every feature; a network without hidden biases has output 0 there"
    )]
    ZeroSample(usize),
    /// A label that does not fit the outputs.
    #[error("sample {sample} has label {label}; {expected}")]
    Label {
        /// The sample.
        sample: usize,
        /// Its label.
        label: i64,
        /// What the labels must be.
        expected: String,
    },
    /// A sample past [`MAX_SAMPLE_BITS`].
    #[error(
        "sample {sample}: the common denominator and the longest numerator have {bits} bits, past the limit of {MAX_SAMPLE_BITS}"
    )]
    TooLong {
        /// The sample.
        sample: usize,
        /// Bits of the two together.
        bits: u64,
    },
    /// Long numbers in many places.
    #[error("evaluating the network on the data takes {0} steps, past the limit of {MAX_WORK}")]
    Work(u64),
    /// Past [`MAX_CONSTRAINTS`].
    #[error("the problem has {0} constraints, past the limit of {MAX_CONSTRAINTS}")]
    Constraints(usize),
    /// Past [`MAX_PREACTIVATIONS`].
    #[error(
        "the network has {0} preactivations on the data, past the limit of {MAX_PREACTIVATIONS}"
    )]
    Preactivations(usize),
    /// A number could not be read.
    #[error("sample {sample}, feature {feature}: {error}")]
    Number {
        /// The sample.
        sample: usize,
        /// The feature, from 0.
        feature: usize,
        /// What is wrong with it.
        error: ParseNumberError,
    },
}

/// `{"x": [["1","1/4"],…], "y": [1,…]}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataJson {
    /// Samples by rows; numbers are strings.
    pub x: Vec<Vec<String>>,
    /// Labels.
    pub y: Vec<i64>,
}

impl DataError {
    /// Whether the data are past a limit, rather than wrong.
    pub fn is_limit(&self) -> bool {
        match self {
            Self::TooLong { .. }
            | Self::Work(_)
            | Self::Constraints(_)
            | Self::Preactivations(_) => true,
            Self::Number { error, .. } => error.is_limit(),
            _ => false,
        }
    }
}

impl Data {
    /// A data set; shapes and labels are checked against a network later.
    ///
    /// # Errors
    /// [`DataError::Empty`] and [`DataError::Counts`].
    pub fn new(samples: Vec<ScaledVec>, labels: Vec<i64>) -> Result<Self, DataError> {
        if samples.is_empty() {
            return Err(DataError::Empty);
        }
        if samples.len() != labels.len() {
            return Err(DataError::Counts { samples: samples.len(), labels: labels.len() });
        }
        Ok(Self { samples, labels })
    }

    /// Checks features and labels against a network's inputs and outputs; normalises 0/1 labels.
    pub(super) fn fit_to(mut self, inputs: usize, outputs: usize) -> Result<Self, DataError> {
        for (sample, x) in self.samples.iter().enumerate() {
            if x.len() != inputs {
                return Err(DataError::Features { sample, found: x.len(), expected: inputs });
            }
            if x.is_zero() {
                return Err(DataError::ZeroSample(sample));
            }
            let bits = length(x);
            if bits > MAX_SAMPLE_BITS {
                return Err(DataError::TooLong { sample, bits });
            }
        }
        let (low, high, expected) = if outputs == 1 {
            let zero_one = self.labels.iter().all(|y| *y == 0 || *y == 1);
            if zero_one && self.labels.contains(&0) {
                self.labels.iter_mut().for_each(|y| *y = 2 * *y - 1);
            }
            (-1, 1, "with one output labels are -1 and 1, or 0 and 1".to_string())
        } else {
            let last = i64::try_from(outputs).unwrap_or(i64::MAX) - 1;
            (0, last, format!("with {outputs} outputs labels are the classes 0 to {last}"))
        };
        // Of labels 0, 1, 2 with one output the 2 is the odd one out, not the 0.
        let outside = self.labels.iter().position(|y| *y < low || *y > high);
        let zero = || self.labels.iter().position(|y| outputs == 1 && *y == 0);
        if let Some(sample) = outside.or_else(zero) {
            let label = self.labels.get(sample).copied().unwrap_or(0);
            return Err(DataError::Label { sample, label, expected });
        }
        Ok(self)
    }

    /// The samples.
    pub fn samples(&self) -> &[ScaledVec] {
        &self.samples
    }

    /// The labels.
    pub fn labels(&self) -> &[i64] {
        &self.labels
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there are no samples (never true of a value made by [`Data::new`]).
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Sample `i`; an empty vector past the end.
    pub fn sample(&self, i: usize) -> ScaledVec {
        self.samples.get(i).cloned().unwrap_or_else(|| ScaledVec::from_rationals(&[]))
    }

    /// Label of sample `i`, 0 past the end.
    pub fn label(&self, i: usize) -> i64 {
        self.labels.get(i).copied().unwrap_or(0)
    }

    /// Sample `i` on the given columns.
    pub fn restricted(&self, i: usize, columns: &[usize]) -> ScaledVec {
        match self.samples.get(i) {
            // Columns are ascending and distinct, so all of them means the identity.
            Some(x) if columns.len() == x.len() => x.clone(),
            Some(x) => x.select(columns),
            None => ScaledVec::from_rationals(&[]),
        }
    }

    /// Number of samples that repeat an earlier one, label included.
    pub fn duplicates(&self) -> usize {
        let mut seen: HashMap<(Vec<Fraction>, i64), ()> = HashMap::new();
        let pairs = self.samples.iter().zip(&self.labels);
        pairs.filter(|(x, y)| seen.insert((fractions(x), **y), ()).is_some()).count()
    }

    /// Two samples with equal features and different labels, if there are any: no network
    /// classifies both.
    pub fn contradiction(&self) -> Option<(usize, usize)> {
        let mut first: HashMap<Vec<Fraction>, usize> = HashMap::new();
        for (i, x) in self.samples.iter().enumerate() {
            let earlier = *first.entry(fractions(x)).or_insert(i);
            if self.label(earlier) != self.label(i) {
                return Some((earlier, i));
            }
        }
        None
    }
}

/// Bits of the common denominator and of the longest numerator.
pub(super) fn length(x: &ScaledVec) -> u64 {
    x.numerators().bits() + x.denominator().bits()
}

/// Numerator and denominator in lowest terms.
type Fraction = (BigInt, BigInt);

/// The entries of a sample as keys of a map.
fn fractions(x: &ScaledVec) -> Vec<Fraction> {
    x.to_rationals().into_iter().map(Rational::into_raw).collect()
}

impl DataJson {
    /// Reads the description: one object and nothing else.
    ///
    /// # Errors
    /// Not JSON, or not of this form.
    pub fn read(text: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(text).map(|AsObject(json)| json)
    }

    /// The data this describes.
    ///
    /// # Errors
    /// [`DataError`] names sample and feature.
    pub fn to_data(&self) -> Result<Data, DataError> {
        let mut samples = Vec::with_capacity(self.x.len());
        for (sample, row) in self.x.iter().enumerate() {
            let mut entries = vec![Rational::zero(); row.len()];
            for (feature, (slot, text)) in entries.iter_mut().zip(row).enumerate() {
                *slot = parse_rational(text).map_err(|error| DataError::Number {
                    sample,
                    feature,
                    error,
                })?;
            }
            let x = ScaledVec::from_rationals_within(&entries, MAX_SAMPLE_BITS);
            samples.push(x.map_err(|bits| DataError::TooLong { sample, bits })?);
        }
        Data::new(samples, self.y.clone())
    }

    /// The canonical description: numbers in lowest terms.
    pub fn from_data(data: &Data) -> Self {
        let row = |x: &ScaledVec| x.to_rationals().iter().map(format_rational).collect();
        Self { x: data.samples.iter().map(row).collect(), y: data.labels.clone() }
    }
}
