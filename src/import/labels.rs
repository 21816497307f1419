//! Labels as they stand in files.
use super::error::ImportError;
use super::{Dataset, Source};
use std::path::Path;

/// The integer that a float denotes.
pub(super) fn integer(value: f64) -> Option<i64> {
    // Up to 2^53 every integer is an f64, and no label is larger.
    (value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0).then_some(value as i64)
}

/// Checks that the labels are ±1, 0/1 or class indices, and, of measured data, that there are
/// two of them. Whether they fit a network's outputs is for the kernel to say.
pub(super) fn check(file: &Path, dataset: &Dataset) -> Result<(), ImportError> {
    let labels = dataset.data.labels();
    let signs = labels.contains(&-1);
    let bad = labels.iter().position(|y| if signs { y.abs() != 1 } else { *y < 0 });
    // With −1 about, 0 or 2 is the odd one out; without, any other negative label is.
    if let Some(sample) = bad {
        let value = labels[sample].to_string();
        return Err(ImportError::Label { file: file.into(), sample, value });
    }
    match labels {
        [label, rest @ ..]
            if dataset.source == Source::Floats && rest.iter().all(|y| y == label) =>
        {
            let (samples, label) = (labels.len(), *label);
            Err(ImportError::OneClass { file: file.into(), samples, label })
        }
        _ => Ok(()),
    }
}
