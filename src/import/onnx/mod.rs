//! Models in ONNX files: a chain of Gemm or MatMul (with Add for a bias), Relu or LeakyRelu, Flatten.
//!
//! The graph is followed from its one input to its one output; every node must be one of these and
//! take what the one before gives. Numbers are taken exactly, a LeakyRelu's slope too: it is the
//! float32 in the file, not the decimal it was written as.
mod messages;

use super::error::{ImportError, Shape};
use super::layers::{assemble, check_rank};
use super::tensors::{Budget, Format, Tensor, require_finite};
use super::{Model, ModelOptions, Source};
use maxmargin_kernel::network::Activation;
use maxmargin_kernel::number::Rational;
use prost::Message;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Slope of a LeakyRelu that does not state one.
const DEFAULT_SLOPE: f32 = 0.01;

pub(super) fn load(
    file: &Path,
    bytes: &[u8],
    options: &ModelOptions,
) -> Result<Model, ImportError> {
    let malformed =
        |reason: String| ImportError::Malformed { file: file.into(), format: "ONNX", reason };
    let model = messages::Model::decode(bytes).map_err(|e| malformed(e.to_string()))?;
    let graph = model.graph.ok_or_else(|| malformed("it has no graph".into()))?;
    let mut chain = Chain::new(file, &graph)?;
    for node in &graph.node {
        chain.take(node)?;
    }
    let [output] = graph.output.as_slice() else {
        return Err(chain.unsupported(format!("{} outputs; one is needed", graph.output.len())));
    };
    if output.name != chain.current {
        return Err(
            chain.unsupported(format!("the output `{}` is not the end of the chain", output.name))
        );
    }
    let activation = options.activation_or(file, chain.activation()?)?;
    let Chain { tensors, mut budget, .. } = chain;
    let (network, has_input_bias) = assemble(file, tensors, activation, &mut budget)?;
    Ok(Model { network, has_input_bias, source: Source::Floats })
}

/// The part of the graph that was followed.
struct Chain<'a> {
    file: &'a Path,
    constants: HashMap<&'a str, &'a messages::Tensor>,
    /// Name of the value that the next node must take.
    current: String,
    /// Weights and biases so far, named by their layers.
    tensors: Vec<Tensor>,
    /// Linear layers so far.
    layers: usize,
    /// σ between layers `l` and `l + 1`, from 0; `None` if there is nothing.
    activations: Vec<Option<Activation>>,
    budget: Budget,
}

impl<'a> Chain<'a> {
    fn new(file: &'a Path, graph: &'a messages::Graph) -> Result<Self, ImportError> {
        let mut constants: HashMap<&str, &messages::Tensor> =
            graph.initializer.iter().map(|t| (t.name.as_str(), t)).collect();
        for node in graph.node.iter().filter(|n| n.op_type == "Constant") {
            let value =
                node.attribute.iter().find(|a| a.name == "value").and_then(|a| a.t.as_ref());
            if let (Some(value), Some(name)) = (value, node.output.first()) {
                constants.insert(name, value);
            }
        }
        let mut chain = Self {
            file,
            constants,
            current: String::new(),
            tensors: Vec::new(),
            layers: 0,
            activations: Vec::new(),
            budget: Budget::default(),
        };
        let names: HashSet<&str> = graph.input.iter().map(|v| v.name.as_str()).collect();
        let mut free: Vec<&str> =
            names.into_iter().filter(|n| !chain.constants.contains_key(n)).collect();
        match (free.pop(), free.is_empty()) {
            (Some(name), true) => chain.current = name.into(),
            _ => return Err(chain.unsupported("not exactly one input".into())),
        }
        Ok(chain)
    }

    fn unsupported(&self, what: String) -> ImportError {
        ImportError::OnnxGraph { file: self.file.into(), what }
    }

    fn refuse(&self, node: &messages::Node, why: &str) -> ImportError {
        let name = if node.name.is_empty() { String::new() } else { format!(" `{}`", node.name) };
        self.unsupported(format!("node{name} ({}) {why}", node.op_type))
    }

    fn take(&mut self, node: &messages::Node) -> Result<(), ImportError> {
        let op = node.op_type.as_str();
        if op == "Constant" {
            return Ok(());
        }
        if !node.input.contains(&self.current) {
            return Err(self.refuse(node, "does not take the output of the node before it"));
        }
        let first = node.input.first() == Some(&self.current);
        match op {
            "Identity" | "Dropout" => {}
            "Flatten" => {
                // Axis 1 keeps samples apart; anything else would mix them.
                if integer(node, "axis", 1) != 1 || self.layers > 0 {
                    return Err(
                        self.refuse(node, "must have axis 1 and stand before the first layer")
                    );
                }
            }
            "Gemm" => {
                if !first || integer(node, "transA", 0) != 0 {
                    return Err(self.refuse(node, "multiplies the wrong way round"));
                }
                if float(node, "alpha", 1.0) != 1.0 || float(node, "beta", 1.0) != 1.0 {
                    return Err(self.refuse(node, "has factors alpha or beta other than 1"));
                }
                self.weight(node, 1, integer(node, "transB", 0) == 0)?;
                if node.input.get(2).is_some_and(|name| !name.is_empty()) {
                    self.bias(node, 2)?;
                }
            }
            "MatMul" if first => self.weight(node, 1, true)?,
            // W·x, for a single sample as a column.
            "MatMul" => {
                return Err(self.refuse(node, "multiplies from the left; write samples by rows"));
            }
            "Add" => {
                if self.layers == 0 || self.activations.len() >= self.layers || self.has_bias() {
                    return Err(self.refuse(node, "does not add a bias to a layer"));
                }
                self.bias(node, usize::from(first))?;
            }
            "Relu" => self.activate(node, Activation::relu())?,
            "LeakyRelu" => {
                let slope = Rational::from_float(float(node, "alpha", DEFAULT_SLOPE));
                let slope = slope.and_then(|s| Activation::leaky(s).ok());
                let slope = slope.ok_or_else(|| self.refuse(node, "has a slope outside [0, 1]"))?;
                self.activate(node, slope)?;
            }
            _ => {
                let why = "is not supported; Gemm, MatMul, Add, Relu, LeakyRelu, Flatten, Identity and Dropout are";
                return Err(self.refuse(node, why));
            }
        }
        self.current = node.output.first().cloned().unwrap_or_default();
        Ok(())
    }

    fn has_bias(&self) -> bool {
        self.tensors.last().is_some_and(|t| t.shape.0.len() == 1)
    }

    /// σ after the last layer; not before the first, and not twice.
    fn activate(
        &mut self,
        node: &messages::Node,
        activation: Activation,
    ) -> Result<(), ImportError> {
        if self.layers == 0 || self.activations.len() >= self.layers {
            return Err(self.refuse(node, "does not follow a layer"));
        }
        self.activations.push(Some(activation));
        Ok(())
    }

    fn weight(
        &mut self,
        node: &messages::Node,
        input: usize,
        transpose: bool,
    ) -> Result<(), ImportError> {
        let mut tensor = self.constant(node, input)?;
        let [rows, cols] = tensor.shape.0[..] else {
            return Err(self.refuse(node, "has weights that are not a matrix"));
        };
        if transpose {
            let old = std::mem::take(&mut tensor.values);
            tensor.values = (0..cols)
                .flat_map(|c| (0..rows).map(move |r| (r, c)))
                .map(|(r, c)| old[r * cols + c])
                .collect();
            tensor.shape = Shape(vec![cols, rows]);
        }
        if self.activations.len() < self.layers {
            self.activations.push(None);
        }
        self.layers += 1;
        tensor.name = format!("layer{}.weight", self.layers);
        self.tensors.push(tensor);
        Ok(())
    }

    fn bias(&mut self, node: &messages::Node, input: usize) -> Result<(), ImportError> {
        let mut tensor = self.constant(node, input)?;
        if tensor.shape.0.len() == 2 && tensor.shape.dim(0) == 1 {
            tensor.shape = Shape(vec![tensor.shape.dim(1)]);
        }
        if tensor.shape.0.len() != 1 {
            return Err(self.refuse(node, "adds something that is not a vector"));
        }
        tensor.name = format!("layer{}.bias", self.layers);
        self.tensors.push(tensor);
        Ok(())
    }

    /// A constant input of the node, decoded.
    fn constant(&mut self, node: &messages::Node, input: usize) -> Result<Tensor, ImportError> {
        let name = node.input.get(input).map_or("", String::as_str);
        let Some(tensor) = self.constants.get(name).copied() else {
            return Err(self.refuse(node, &format!("takes `{name}`, which is not a constant")));
        };
        if tensor.data_location != 0 {
            return Err(self.unsupported(format!(
                "tensor `{name}` is in another file; save with all data inside"
            )));
        }
        let dims = tensor.dims.iter().map(|d| usize::try_from(*d).unwrap_or(0)).collect();
        let shape = Shape(dims);
        check_rank(self.file, name, &shape)?;
        let count = self.budget.admit(self.file, name, &shape)?;
        let values = values(tensor).ok_or_else(|| ImportError::Dtype {
            file: self.file.into(),
            tensor: name.into(),
            dtype: format!("number {}", tensor.data_type),
            supported: "float16, bfloat16, float32, float64",
        })?;
        if values.len() != count {
            let reason = format!("tensor `{name}` of shape {shape} has {} numbers", values.len());
            return Err(ImportError::Malformed { file: self.file.into(), format: "ONNX", reason });
        }
        require_finite(self.file, name, &shape, &values)?;
        Ok(Tensor { name: name.into(), shape, values })
    }

    /// The one activation of all hidden layers.
    fn activation(&self) -> Result<Option<Activation>, ImportError> {
        if self.activations.len() >= self.layers && self.layers > 0 {
            return Err(self.unsupported(
                "an activation after the last layer; its output must be that of a layer".into(),
            ));
        }
        let mut found: Option<Activation> = None;
        for activation in &self.activations {
            let this = activation.clone().unwrap_or_else(Activation::linear);
            match &found {
                Some(other) if *other != this => {
                    return Err(self.unsupported(format!(
                        "different activations, {other} and {this}; all must be the same"
                    )));
                }
                _ => found = Some(this),
            }
        }
        Ok(found)
    }
}

/// The numbers of a tensor, by `TensorProto.DataType`; `None` for types that are no floats.
fn values(tensor: &messages::Tensor) -> Option<Vec<f64>> {
    let (format, typed): (Format, Vec<f64>) = match tensor.data_type {
        1 => (Format::F32, tensor.float_data.iter().map(|v| f64::from(*v)).collect()),
        11 => (Format::F64, tensor.double_data.clone()),
        10 => (Format::F16, halves(Format::F16, &tensor.int32_data)),
        16 => (Format::Bf16, halves(Format::Bf16, &tensor.int32_data)),
        _ => return None,
    };
    match tensor.raw_data.is_empty() {
        true => Some(typed),
        false => Some(format.floats(&tensor.raw_data, false)),
    }
}

/// Halves stored one to an int32.
fn halves(format: Format, bits: &[i32]) -> Vec<f64> {
    let bytes: Vec<u8> = bits.iter().flat_map(|b| (*b as u16).to_le_bytes()).collect();
    format.floats(&bytes, false)
}

fn integer(node: &messages::Node, name: &str, default: i64) -> i64 {
    node.attribute.iter().find(|a| a.name == name).map_or(default, |a| a.i)
}

fn float(node: &messages::Node, name: &str, default: f32) -> f32 {
    node.attribute.iter().find(|a| a.name == name).map_or(default, |a| a.f)
}
