//! Models and data sets in npz files.
use super::error::{ImportError, Shape};
use super::labels;
use super::layers::{assemble, check_rank};
use super::npy::{Accepted, Info, Npz};
use super::tensors::{Tensor, require_finite};
use super::{Dataset, Model, ModelOptions, Source};
use maxmargin_kernel::number::{BigInt, IntVec, ScaledVec};
use maxmargin_kernel::problem::Data;
use std::path::Path;

const WEIGHTS: Accepted = Accepted { floats_only: true, text: "float16, float32, float64" };
const NUMBERS: Accepted = Accepted {
    floats_only: false,
    text: "float16, float32, float64, integers of up to 64 bits, and bool",
};

pub(super) fn load_model(
    file: &Path,
    bytes: &[u8],
    options: &ModelOptions,
) -> Result<Model, ImportError> {
    let mut npz = Npz::open(file, bytes)?;
    let mut tensors = Vec::new();
    for (entry, name) in npz.names().into_iter().enumerate() {
        let info = npz.info(entry, &name, &WEIGHTS, |shape| check_rank(file, &name, shape))?;
        let values = npz.floats(&info)?;
        require_finite(file, &name, &info.shape, &values)?;
        tensors.push(Tensor { name, shape: info.shape, values });
    }
    let activation = options.activation_or(file, None)?;
    let (network, has_input_bias) = assemble(file, tensors, activation, &mut npz.into_budget())?;
    Ok(Model { network, has_input_bias, source: Source::Floats })
}

pub(super) fn load_data(file: &Path, bytes: &[u8]) -> Result<Dataset, ImportError> {
    let mut npz = Npz::open(file, bytes)?;
    let is_matrix = |s: &Shape| s.0.len() == 2 && s.dim(1) > 0;
    let x = find(file, &mut npz, "X", "(samples, features)", is_matrix)?;
    let is_column = |s: &Shape| matches!(s.0.as_slice(), [_] | [_, 1]);
    let y = find(file, &mut npz, "y", "(samples,), a label for each", is_column)?;
    let labels = read_labels(file, &mut npz, &y)?;
    let samples = read_samples(file, npz, &x)?;
    let data = Data::new(samples, labels);
    let data = data.map_err(|error| ImportError::Data { file: file.into(), error })?;
    Ok(Dataset { data, source: Source::Floats })
}

fn find(
    file: &Path,
    npz: &mut Npz<'_>,
    array: &'static str,
    expected: &'static str,
    fits: impl Fn(&Shape) -> bool,
) -> Result<Info, ImportError> {
    let present = npz.names();
    let Some(entry) = present.iter().position(|n| n == array) else {
        return Err(ImportError::MissingArray { file: file.into(), missing: array, present });
    };
    npz.info(entry, array, &NUMBERS, |shape| match fits(shape) {
        true => Ok(()),
        false => Err(ImportError::ArrayShape {
            file: file.into(),
            array: array.into(),
            shape: shape.clone(),
            expected,
        }),
    })
}

fn read_labels(file: &Path, npz: &mut Npz<'_>, y: &Info) -> Result<Vec<i64>, ImportError> {
    let bad =
        |sample: usize, value: String| ImportError::Label { file: file.into(), sample, value };
    if y.format.is_float() {
        let values = npz.floats(y)?;
        let label =
            |(i, v): (usize, &f64)| labels::integer(*v).ok_or_else(|| bad(i, format!("{v:?}")));
        return values.iter().enumerate().map(label).collect();
    }
    let values = npz.integers(y)?;
    let label = |(i, v): (usize, &i128)| i64::try_from(*v).map_err(|_| bad(i, v.to_string()));
    values.iter().enumerate().map(label).collect()
}

fn read_samples(file: &Path, mut npz: Npz<'_>, x: &Info) -> Result<Vec<ScaledVec>, ImportError> {
    let features = x.shape.dim(1);
    if x.format.is_float() {
        let values = npz.floats(x)?;
        require_finite(file, &x.name, &x.shape, &values)?;
        let mut budget = npz.into_budget();
        return values.chunks(features).map(|row| budget.exact(file, "`X`", row)).collect();
    }
    let values = npz.integers(x)?;
    let row = |row: &[i128]| {
        let entries = IntVec::new(row.iter().copied().map(BigInt::from).collect());
        ScaledVec::new(entries, 1.into()).expect("1 is positive")
    };
    Ok(values.chunks(features).map(row).collect())
}
