//! Reading models and data sets: safetensors, npz, ONNX, csv, exact JSON.
//!
//! Nothing here is trusted by a certificate, but a certificate speaks of what is read here, so
//! numbers are taken exactly: a float is the dyadic rational it denotes, a decimal in a csv file
//! is that decimal (`0.1` is 1/10), and whatever would need a guess is an error that says where.
//!
//! | ending | model | data |
//! |---|---|---|
//! | `.safetensors` | 2-D tensors in natural order of their names | |
//! | `.npz` | likewise | arrays `X` (n × d) and `y` (n) |
//! | `.onnx` | a chain of Gemm or MatMul, Relu or LeakyRelu, Flatten | |
//! | `.csv` | | one sample a line, optional header, label last or by option |
//! | `.json` | exact, [`NetworkJson`](maxmargin_kernel::network::NetworkJson) | exact, [`DataJson`](maxmargin_kernel::problem::DataJson) |

mod csv;
mod error;
mod json;
mod labels;
mod layers;
pub mod limits;
mod names;
mod npy;
mod npz;
mod onnx;
mod safetensors;
mod save;
mod tensors;

pub use error::{CsvError, ImportError, Index, Shape};
pub use save::{Biased, check_target, save_model};

use maxmargin_kernel::network::{Activation, Network};
use maxmargin_kernel::number::{IntVec, ScaledVec};
use maxmargin_kernel::problem::{Data, Problem};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// How to read a model.
#[derive(Clone, Debug, Default)]
pub struct ModelOptions {
    /// The activation; ReLU where neither this nor the file says. One that contradicts the file
    /// is an error.
    pub activation: Option<Activation>,
}

/// How to read a data set.
#[derive(Clone, Debug, Default)]
pub struct DataOptions {
    /// The label column of a csv file, by its name in the header or its index from 0; the last
    /// column by default.
    pub label: Option<String>,
}

/// What the numbers of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Trained or measured: read exactly, but no exact truth is to be expected of them.
    Floats,
    /// Written down exactly.
    Exact,
}

/// A network read from a file.
#[derive(Clone, Debug)]
pub struct Model {
    /// The network; a bias of the first layer is the last column of layer 1.
    pub network: Network,
    /// Whether it has that column: every sample then needs a last feature 1.
    pub has_input_bias: bool,
    /// Where its parameters come from.
    pub source: Source,
}

/// A data set read from a file.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The samples and labels as they stand in the file.
    pub data: Data,
    /// Where they come from.
    pub source: Source,
}

/// Reads a network.
///
/// # Errors
/// [`ImportError`] names the file, the tensor, the index and the value.
pub fn load_model(path: &Path, options: &ModelOptions) -> Result<Model, ImportError> {
    let format = ModelFormat::of(path)?;
    let limit = match format {
        ModelFormat::Safetensors | ModelFormat::Npz => limits::MAX_FILE_BYTES,
        ModelFormat::Onnx => limits::MAX_ONNX_BYTES,
        ModelFormat::Json => limits::MAX_TEXT_BYTES,
    };
    format.parse(path, &read(path, limit)?, options)
}

/// A network from the contents of a file; `path` tells the format and stands in errors.
///
/// # Errors
/// As [`load_model`].
pub fn parse_model(
    path: &Path,
    bytes: &[u8],
    options: &ModelOptions,
) -> Result<Model, ImportError> {
    ModelFormat::of(path)?.parse(path, bytes, options)
}

#[derive(Clone, Copy)]
enum ModelFormat {
    Safetensors,
    Npz,
    Onnx,
    Json,
}

impl ModelFormat {
    fn of(path: &Path) -> Result<Self, ImportError> {
        match ending(path).as_str() {
            "safetensors" => Ok(Self::Safetensors),
            "npz" => Ok(Self::Npz),
            "onnx" => Ok(Self::Onnx),
            "json" => Ok(Self::Json),
            "pt" | "pth" | "pkl" | "pickle" => Err(ImportError::Pickle { file: path.into() }),
            _ => Err(ImportError::UnknownEnding {
                file: path.into(),
                supported: ".safetensors, .npz, .onnx and .json for models",
            }),
        }
    }

    fn parse(
        self,
        path: &Path,
        bytes: &[u8],
        options: &ModelOptions,
    ) -> Result<Model, ImportError> {
        match self {
            Self::Safetensors => safetensors::load(path, bytes, options),
            Self::Npz => npz::load_model(path, bytes, options),
            Self::Onnx => onnx::load(path, bytes, options),
            Self::Json => json::load_model(path, bytes, options),
        }
    }
}

/// Reads a data set. Shapes and labels are checked against a network by [`load_problem`].
///
/// # Errors
/// [`ImportError`] names the file and the sample, or line and column.
pub fn load_data(path: &Path, options: &DataOptions) -> Result<Dataset, ImportError> {
    let format = DataFormat::of(path, options)?;
    let limit = match format {
        DataFormat::Npz => limits::MAX_FILE_BYTES,
        DataFormat::Csv | DataFormat::Json => limits::MAX_TEXT_BYTES,
    };
    format.parse(path, &read(path, limit)?, options)
}

/// A data set from the contents of a file; `path` tells the format and stands in errors.
///
/// # Errors
/// As [`load_data`].
pub fn parse_data(
    path: &Path,
    bytes: &[u8],
    options: &DataOptions,
) -> Result<Dataset, ImportError> {
    DataFormat::of(path, options)?.parse(path, bytes, options)
}

#[derive(Clone, Copy)]
enum DataFormat {
    Csv,
    Npz,
    Json,
}

impl DataFormat {
    fn of(path: &Path, options: &DataOptions) -> Result<Self, ImportError> {
        let format = match ending(path).as_str() {
            "csv" => return Ok(Self::Csv),
            "npz" => Self::Npz,
            "json" => Self::Json,
            _ => {
                return Err(ImportError::UnknownEnding {
                    file: path.into(),
                    supported: ".npz, .csv and .json for data",
                });
            }
        };
        match options.label.clone() {
            Some(asked) => Err(ImportError::LabelOption { file: path.into(), asked }),
            None => Ok(format),
        }
    }

    fn parse(
        self,
        path: &Path,
        bytes: &[u8],
        options: &DataOptions,
    ) -> Result<Dataset, ImportError> {
        let dataset = match self {
            Self::Csv => csv::load(path, bytes, options.label.as_deref())?,
            Self::Npz => npz::load_data(path, bytes)?,
            Self::Json => json::load_data(path, bytes)?,
        };
        labels::check(path, &dataset)?;
        Ok(dataset)
    }
}

/// Reads a network and its training set; appends the constant feature 1 to every sample if the
/// network has an input bias. The source is that of the network: it is the point of which exact
/// truth may be asked.
///
/// # Errors
/// [`ImportError`] as for the two files, and where they do not fit.
pub fn load_problem(
    model: &Path,
    data: &Path,
    mo: &ModelOptions,
    do_: &DataOptions,
) -> Result<(Problem, Source), ImportError> {
    let network = load_model(model, mo)?;
    combine(model, network, data, load_data(data, do_)?)
}

/// The same from the contents of the two files; the paths tell the formats and stand in errors.
///
/// # Errors
/// As [`load_problem`].
pub fn parse_problem(
    (model, model_bytes): (&Path, &[u8]),
    (data, data_bytes): (&Path, &[u8]),
    mo: &ModelOptions,
    do_: &DataOptions,
) -> Result<(Problem, Source), ImportError> {
    let network = parse_model(model, model_bytes, mo)?;
    combine(model, network, data, parse_data(data, data_bytes, do_)?)
}

/// The problem of a network and a training set that were read from these files, and its source, as by
/// [`load_problem`].
///
/// # Errors
/// Where they do not fit.
pub fn combine(
    model: &Path,
    Model { network, has_input_bias, source }: Model,
    data: &Path,
    dataset: Dataset,
) -> Result<(Problem, Source), ImportError> {
    let mut samples = dataset.data;
    let takes = network.inputs() - usize::from(has_input_bias);
    let features = samples.sample(0).len();
    if features != takes && samples.samples().iter().all(|x| x.len() == features) {
        return Err(ImportError::Mismatch {
            data: data.into(),
            model: model.into(),
            samples: samples.len(),
            features,
            rows: network.layers().first().map_or(0, |l| l.rows()),
            takes,
            bias: has_input_bias,
        });
    }
    let data_error = |error| ImportError::Data { file: data.into(), error };
    if has_input_bias {
        let appended = samples.samples().iter().map(append_one).collect();
        samples = Data::new(appended, samples.labels().to_vec()).map_err(data_error)?;
    }
    Ok((Problem::new(network, samples).map_err(data_error)?, source))
}

/// The vector with a last entry 1.
fn append_one(x: &ScaledVec) -> ScaledVec {
    let mut numerators = x.numerators().to_vec();
    numerators.push(x.denominator().clone());
    ScaledVec::new(IntVec::new(numerators), x.denominator().clone())
        .expect("the denominator of a ScaledVec is positive")
}

impl ModelOptions {
    /// The activation of a file that may state one.
    fn activation_or(
        &self,
        file: &Path,
        stated: Option<Activation>,
    ) -> Result<Activation, ImportError> {
        match (&self.activation, stated) {
            (Some(asked), Some(stated)) if *asked != stated => Err(ImportError::Activation {
                file: file.into(),
                stated: stated.to_string(),
                asked: asked.to_string(),
            }),
            (Some(asked), _) => Ok(asked.clone()),
            (None, stated) => Ok(stated.unwrap_or_else(Activation::relu)),
        }
    }
}

fn ending(path: &Path) -> String {
    path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default()
}

/// The whole file, if it is no larger than `limit` when opened and while it is read.
fn read(path: &Path, limit: u64) -> Result<Vec<u8>, ImportError> {
    let io = |error| ImportError::Io { file: path.into(), error };
    let file = File::open(path).map_err(io)?;
    let mut size = file.metadata().map_err(io)?.len();
    let mut bytes = Vec::new();
    if size <= limit {
        file.take(limit + 1).read_to_end(&mut bytes).map_err(io)?;
        size = bytes.len() as u64;
    }
    if size > limit {
        return Err(ImportError::TooLarge {
            file: path.into(),
            what: "the file".into(),
            size: size.into(),
            unit: "bytes",
            limit: limit.into(),
        });
    }
    Ok(bytes)
}
