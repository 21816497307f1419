//! What can be wrong with an input file, for the person who has to mend it.
use maxmargin_kernel::network::NetworkError;
use maxmargin_kernel::number::ParseNumberError;
use maxmargin_kernel::problem::DataError;
use std::fmt;
use std::path::PathBuf;

/// Why a model or a data set could not be read or written. Rows, columns, samples and indices
/// count from 0, lines and columns of a csv file from 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are what their names and the messages say")]
pub enum ImportError {
    /// The operating system refused.
    #[error("{}: {error}", file.display())]
    Io { file: PathBuf, error: std::io::Error },
    /// The ending names no format that is supported here.
    #[error("{}: cannot tell the format by the ending; supported are {supported}", file.display())]
    UnknownEnding { file: PathBuf, supported: &'static str },
    /// A pickle: reading one runs whatever code it contains.
    #[error(
        "{}: PyTorch's pickle format is never read, because reading it can run any code. Save the weights as safetensors instead: \
         from safetensors.torch import save_file; save_file(model.state_dict(), \"model.safetensors\")",
        file.display()
    )]
    Pickle { file: PathBuf },
    /// An ONNX graph that is not a plain chain of layers.
    #[error("{}: not a supported network: {what}", file.display())]
    OnnxGraph { file: PathBuf, what: String },
    /// The file, or something in it, exceeds a limit of size.
    #[error("{}: {what} has {size} {unit}, past the limit of {limit}", file.display())]
    TooLarge { file: PathBuf, what: String, size: u128, unit: &'static str, limit: u128 },
    /// The container is damaged, truncated, or not of this format.
    #[error("{}: not a readable {format} file: {reason}", file.display())]
    Malformed { file: PathBuf, format: &'static str, reason: String },
    /// A tensor's element type is not supported.
    #[error("{}: tensor `{tensor}` has dtype {dtype}; supported are {supported}{}", file.display(), text_hint(tensor, dtype))]
    Dtype { file: PathBuf, tensor: String, dtype: String, supported: &'static str },
    /// A tensor that is neither a weight matrix nor a bias.
    #[error(
        "{}: tensor `{tensor}` has shape {shape}; supported are fully connected layers (2-D weights) with a bias (1-D) on the first \
         layer alone, so no convolutions, normalisation layers or counters. Remove the tensor, or write the network as exact JSON",
        file.display()
    )]
    Rank { file: PathBuf, tensor: String, shape: Shape },
    /// A 1-D tensor that is not the bias of any layer.
    #[error(
        "{}: tensor `{tensor}` of shape {shape} is not the bias of any 2-D tensor by its name (`0.bias` belongs to `0.weight`, `b1` \
         to `W1`); normalisation layers and the like are not supported",
        file.display()
    )]
    Unmatched { file: PathBuf, tensor: String, shape: Shape },
    /// A NaN or an infinity.
    #[error("{}: `{tensor}` is {value} at {index}, not a finite number", file.display())]
    NotFinite { file: PathBuf, tensor: String, index: Index, value: f64 },
    /// Consecutive weight matrices do not fit.
    #[error(
        "{}: `{first}` has shape {first_shape}, so the next layer takes {} inputs, but `{second}` has shape {second_shape}. Layers \
         are the 2-D tensors in natural order of their names, each (outputs × inputs){}",
        file.display(), first_shape.dim(0), transposed_hint(first_shape, second_shape)
    )]
    Chain {
        file: PathBuf,
        first: String,
        first_shape: Box<Shape>,
        second: String,
        second_shape: Box<Shape>,
    },
    /// A bias whose length is not the number of outputs of its layer.
    #[error(
        "{}: bias `{bias}` has shape {bias_shape}, but `{weight}` has shape {weight_shape}",
        file.display()
    )]
    BiasLength {
        file: PathBuf,
        bias: String,
        bias_shape: Box<Shape>,
        weight: String,
        weight_shape: Box<Shape>,
    },
    /// A bias past the first layer that is not zero.
    #[error(
        "{}: bias `{tensor}` is {value:?} at {index}. A bias past the first layer breaks homogeneity, on which everything here \
         rests; train with bias=False there",
        file.display()
    )]
    HiddenBias { file: PathBuf, tensor: String, index: Index, value: f64 },
    /// No 2-D tensors.
    #[error("{}: no weight matrix (2-D tensor) in it; it contains {}", file.display(), list(present))]
    NoLayers { file: PathBuf, present: Vec<String> },
    /// The activation asked for is not the one the file states.
    #[error(
        "{}: the file states the activation {stated}, but {asked} was asked for",
        file.display()
    )]
    Activation { file: PathBuf, stated: String, asked: String },
    /// The kernel does not accept the network.
    #[error("{}: {error}", file.display())]
    Network { file: PathBuf, error: NetworkError },
    /// The kernel does not accept the data.
    #[error("{}: {error}", file.display())]
    Data { file: PathBuf, error: DataError },
    /// Not JSON, or not of the expected form; the message ends with line and column.
    #[error("{}: {error}", file.display())]
    Json { file: PathBuf, error: serde_json::Error },
    /// An npz data set without one of its arrays.
    #[error("{}: no array `{missing}`; the file contains {}", file.display(), list(present))]
    MissingArray { file: PathBuf, missing: &'static str, present: Vec<String> },
    /// An array of a data set has the wrong shape.
    #[error("{}: array `{array}` has shape {shape}; it must be {expected}", file.display())]
    ArrayShape { file: PathBuf, array: String, shape: Shape, expected: &'static str },
    /// One cell or line of a csv file.
    #[error("{}, line {line}, column {column}: {error}", file.display())]
    Csv { file: PathBuf, line: u64, column: usize, error: CsvError },
    /// No such label column.
    #[error("{}: no column `{asked}` for the labels; there are {}", file.display(), list(present))]
    LabelColumn { file: PathBuf, asked: String, present: Vec<String> },
    /// A label column was given for a file that is not csv.
    #[error(
        "{}: a label column (`{asked}`) can be chosen only in csv files; an npz file has the array `y`, JSON the key \"y\"",
        file.display()
    )]
    LabelOption { file: PathBuf, asked: String },
    /// A label that fits none of the conventions.
    #[error(
        "{}: sample {sample} has label {value}; labels are -1 and 1, or 0 and 1, or classes 0, 1, 2, …",
        file.display()
    )]
    Label { file: PathBuf, sample: usize, value: String },
    /// Measured data with a single class.
    #[error(
        "{}: all {samples} samples have label {label}: a network is trained to separate classes. Is the right column or array the \
         label? Give exact JSON if one class is meant",
        file.display()
    )]
    OneClass { file: PathBuf, samples: usize, label: i64 },
    /// Model and data do not fit.
    #[error(
        "{}: {samples} samples of {features} features each, but {} takes {takes} (first layer {rows}×{takes}{})",
        data.display(), model.display(), if *bias { ", and a bias" } else { "" }
    )]
    Mismatch {
        data: PathBuf,
        model: PathBuf,
        samples: usize,
        features: usize,
        rows: usize,
        takes: usize,
        bias: bool,
    },
    /// A parameter that safetensors cannot hold exactly.
    #[error(
        "{}: layer {layer}, row {row}, column {column} is {value}, which no float64 equals; save as .json",
        file.display()
    )]
    NotAFloat { file: PathBuf, layer: usize, row: usize, column: usize, value: String },
    /// A bias, which exact JSON cannot express.
    #[error(
        "{}: the first layer has a bias, which exact JSON cannot express; save as .safetensors",
        file.display()
    )]
    Bias { file: PathBuf },
    /// A structural zero or a shared weight, which safetensors cannot express.
    #[error(
        "{}: layer {layer} has structural zeros or shared weights, which safetensors cannot express; save as .json",
        file.display()
    )]
    NotDense { file: PathBuf, layer: usize },
}

/// What is wrong at one place of a csv file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are what their names and the messages say")]
pub enum CsvError {
    /// A line with another number of cells than the first.
    #[error("{found} cells, but the first line has {expected}")]
    Ragged { found: usize, expected: usize },
    /// Nothing between two commas.
    #[error("the cell is empty")]
    Empty,
    /// A column without a name.
    #[error(
        "the header has no name here; if the column numbers the rows, write the file without it (pandas: index=False)"
    )]
    Unnamed,
    /// The first line has both.
    #[error(
        "`{0}` is not a number, but other cells of the first line are, so it is neither a header nor a sample"
    )]
    MixedHeader(String),
    /// Not a number.
    #[error(transparent)]
    Number(ParseNumberError),
    /// Not an integer.
    #[error(
        "the label `{0}` is not an integer; labels are -1 and 1, 0 and 1, or classes 0, 1, 2, …"
    )]
    Label(String),
    /// A single column.
    #[error("one column only; at least one feature and a label, separated by a comma, are needed")]
    NoFeatures,
    /// Not UTF-8, or the csv reader's own complaint.
    #[error("{0}")]
    Text(String),
}

/// The shape of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape(pub Vec<usize>);

/// A position in a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Index {
    /// Of a vector.
    Vector(usize),
    /// Row and column of a matrix.
    Matrix(usize, usize),
}

impl ImportError {
    /// The exit code of a command that ends with this error: 4 for a limit of size, else 2.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::TooLarge { .. } => 4,
            Self::Network {
                error: NetworkError::TooLarge { .. } | NetworkError::Depth(1..),
                ..
            } => 4,
            _ => 2,
        }
    }
}

impl Shape {
    /// Size along `axis`, 1 past the last axis.
    pub fn dim(&self, axis: usize) -> usize {
        self.0.get(axis).copied().unwrap_or(1)
    }

    /// Number of elements; saturates.
    pub fn elements(&self) -> u128 {
        self.0.iter().fold(1, |n: u128, d| n.saturating_mul(*d as u128))
    }

    /// Where element `flat` is, row by row.
    pub(super) fn index(&self, flat: usize) -> Index {
        match self.0.as_slice() {
            [_, columns] => Index::Matrix(flat / columns.max(&1), flat % columns.max(&1)),
            _ => Index::Vector(flat),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dims: Vec<_> = self.0.iter().map(usize::to_string).collect();
        match dims.len() {
            0 => write!(f, "() (a single number)"),
            1 => write!(f, "({},)", dims[0]),
            _ => write!(f, "({})", dims.join(", ")),
        }
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vector(i) => write!(f, "index {i}"),
            Self::Matrix(r, c) => write!(f, "row {r}, column {c}"),
        }
    }
}

/// At most a dozen names; files with thousands exist.
fn list(names: &[String]) -> String {
    let mut shown: Vec<_> = names.iter().take(12).map(|n| format!("`{n}`")).collect();
    match names.len() {
        0 => shown.push("nothing".to_string()),
        n if n > 12 => shown.push(format!("… ({n} in all)")),
        _ => {}
    }
    shown.join(", ")
}

fn text_hint(tensor: &str, dtype: &str) -> &'static str {
    let text = dtype.contains(['U', 'S', 'O']) && tensor == "y";
    if text { ". Labels are numbers: -1 and 1, or 0 and 1, or classes 0, 1, 2, …" } else { "" }
}

fn transposed_hint(first: &Shape, second: &Shape) -> &'static str {
    let fits = first.dim(1) == second.dim(0);
    let hint = "; they would fit in the other order (then rename them, such that the first layer comes first) or as their \
                transposes (if they are inputs × outputs)";
    if fits { hint } else { "" }
}
