//! From named tensors to layers: order, shapes, biases.
use super::error::{ImportError, Shape};
use super::names::{bias_stem, natural, weight_stem};
use super::tensors::{Budget, Tensor};
use maxmargin_kernel::network::{Activation, Layer, Network};
use std::path::Path;

/// Refuses what is neither a matrix nor a vector, and anything empty.
pub(super) fn check_rank(file: &Path, tensor: &str, shape: &Shape) -> Result<(), ImportError> {
    if matches!(shape.0.len(), 1 | 2) && shape.elements() > 0 {
        return Ok(());
    }
    Err(ImportError::Rank { file: file.into(), tensor: tensor.into(), shape: shape.clone() })
}

/// The network whose weights and biases are these finite tensors, and whether the first layer
/// has a bias. It becomes the last column of layer 1, to be met by a constant feature 1.
pub(super) fn assemble(
    file: &Path,
    mut tensors: Vec<Tensor>,
    activation: Activation,
    budget: &mut Budget,
) -> Result<(Network, bool), ImportError> {
    tensors.sort_by(|a, b| natural(&a.name, &b.name));
    let (weights, vectors): (Vec<_>, Vec<_>) =
        tensors.into_iter().partition(|t| t.shape.0.len() == 2);
    if weights.is_empty() {
        let present = vectors.into_iter().map(|t| t.name).collect();
        return Err(ImportError::NoLayers { file: file.into(), present });
    }
    let input_bias = match_biases(file, &weights, vectors)?;
    for pair in weights.windows(2) {
        if pair[0].shape.dim(0) != pair[1].shape.dim(1) {
            return Err(ImportError::Chain {
                file: file.into(),
                first: pair[0].name.clone(),
                first_shape: Box::new(pair[0].shape.clone()),
                second: pair[1].name.clone(),
                second_shape: Box::new(pair[1].shape.clone()),
            });
        }
    }
    let mut layers = Vec::with_capacity(weights.len());
    for (l, tensor) in weights.into_iter().enumerate() {
        let (rows, mut cols) = (tensor.shape.dim(0), tensor.shape.dim(1));
        let values = match &input_bias {
            Some(bias) if l == 0 => {
                let with_bias = tensor.values.chunks(cols).zip(&bias.values);
                cols += 1;
                with_bias.flat_map(|(row, b)| row.iter().chain([b])).copied().collect()
            }
            _ => tensor.values,
        };
        let what = format!("`{}`", tensor.name);
        let exact = budget.exact(file, &what, &values)?;
        layers.push(Layer::dense(l + 1, rows, cols, exact).map_err(|e| network(file, e))?);
    }
    let network = Network::new(activation, layers).map_err(|e| network(file, e))?;
    Ok((network, input_bias.is_some()))
}

fn network(file: &Path, error: maxmargin_kernel::network::NetworkError) -> ImportError {
    ImportError::Network { file: file.into(), error }
}

/// The bias of the first layer, unless all zero. Zero biases anywhere are no biases.
fn match_biases(
    file: &Path,
    weights: &[Tensor],
    vectors: Vec<Tensor>,
) -> Result<Option<Tensor>, ImportError> {
    let stems: Vec<_> = weights.iter().map(|w| weight_stem(&w.name)).collect();
    let mut taken = vec![false; weights.len()];
    let mut input_bias = None;
    for vector in vectors {
        let stem = bias_stem(&vector.name);
        let layer = stem.and_then(|s| stems.iter().position(|w| *w == s)).filter(|l| !taken[*l]);
        let Some(layer) = layer else {
            let (tensor, shape) = (vector.name, vector.shape);
            return Err(ImportError::Unmatched { file: file.into(), tensor, shape });
        };
        taken[layer] = true;
        let weight = &weights[layer];
        if vector.values.len() != weight.shape.dim(0) {
            return Err(ImportError::BiasLength {
                file: file.into(),
                bias: vector.name,
                bias_shape: Box::new(vector.shape),
                weight: weight.name.clone(),
                weight_shape: Box::new(weight.shape.clone()),
            });
        }
        let Some(index) = vector.values.iter().position(|v| *v != 0.0) else { continue };
        if layer > 0 {
            let value = vector.values[index];
            let (tensor, index) = (vector.name, vector.shape.index(index));
            return Err(ImportError::HiddenBias { file: file.into(), tensor, index, value });
        }
        input_bias = Some(vector);
    }
    Ok(input_bias)
}
