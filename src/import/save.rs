//! Writing networks.
use super::error::ImportError;
use super::safetensors::SLOPE_KEY;
use crate::target;
use maxmargin_kernel::network::{Activation, Layer, LayerJson, Network, NetworkJson};
use maxmargin_kernel::number::{Rational, format_rational};
use num_traits::ToPrimitive;
use safetensors::tensor::{Dtype, TensorView, serialize};
use std::collections::HashMap;
use std::path::Path;

/// Whether the last input of a network is the constant feature 1, and its weights in layer 1 so a bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Biased {
    /// It is.
    Yes,
    /// It is an input like the others.
    No,
}

/// Writes a network by the ending of the path.
///
/// `.safetensors` holds float64 tensors `0.weight`, `2.weight`, `4.weight`, … as PyTorch names
/// those of `Linear, ReLU, Linear, …`; only a fully connected network whose parameters are all
/// exactly floats can be written so; a bias of the first layer is `0.bias`. `.json` is exact, one row
/// of a matrix per line. An existing file is replaced only once the new one is complete.
///
/// # Errors
/// [`ImportError::NotDense`] and [`ImportError::NotAFloat`] for what safetensors cannot hold,
/// [`ImportError::Bias`] for what JSON cannot.
pub fn save_model(path: &Path, network: &Network, biased: Biased) -> Result<(), ImportError> {
    match super::ending(path).as_str() {
        "safetensors" => target::write(path, &to_safetensors(path, network, biased)?),
        "json" if biased == Biased::Yes => Err(ImportError::Bias { file: path.into() }),
        "json" => target::write(path, to_json(path, network)?.as_bytes()),
        _ => Err(unknown_ending(path)),
    }
}

/// Finds out before a long computation what [`save_model`] would refuse at its end: the ending, a
/// folder that does not exist, structural zeros, sharing or a bias in a format that has none.
///
/// # Errors
/// Those of [`save_model`].
pub fn check_target(path: &Path, network: &Network, biased: Biased) -> Result<(), ImportError> {
    target::check(path)?;
    match super::ending(path).as_str() {
        "json" if biased == Biased::Yes => Err(ImportError::Bias { file: path.into() }),
        "json" => Ok(()),
        "safetensors" => match network.layers().iter().position(|l| !l.is_dense()) {
            Some(l) => Err(ImportError::NotDense { file: path.into(), layer: l + 1 }),
            None => Ok(()),
        },
        _ => Err(unknown_ending(path)),
    }
}

fn unknown_ending(path: &Path) -> ImportError {
    ImportError::UnknownEnding {
        file: path.into(),
        supported: ".safetensors and .json for writing models",
    }
}

fn to_safetensors(path: &Path, network: &Network, biased: Biased) -> Result<Vec<u8>, ImportError> {
    let mut tensors = Vec::with_capacity(network.depth());
    let bytes =
        |floats: Vec<f64>| -> Vec<u8> { floats.into_iter().flat_map(f64::to_le_bytes).collect() };
    for (l, layer) in network.layers().iter().enumerate() {
        let mut floats = layer_floats(path, l + 1, layer)?;
        let mut cols = layer.cols();
        if l == 0 && biased == Biased::Yes && cols > 1 {
            let bias = floats.chunks(cols).filter_map(|row| row.last().copied()).collect();
            floats = floats.chunks(cols).flat_map(|row| &row[..cols - 1]).copied().collect();
            cols -= 1;
            tensors.push(("0.bias".to_string(), vec![layer.rows()], bytes(bias)));
        }
        tensors.push((format!("{}.weight", 2 * l), vec![layer.rows(), cols], bytes(floats)));
    }
    let slope = network.activation().slope();
    let metadata = (*network.activation() != Activation::relu())
        .then(|| HashMap::from([(SLOPE_KEY.to_string(), format_rational(slope))]));
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F64, shape.clone(), bytes)?)));
    let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
    views.and_then(|views| serialize(views, metadata)).map_err(|e| ImportError::Malformed {
        file: path.into(),
        format: "safetensors",
        reason: e.to_string(),
    })
}

fn layer_floats(path: &Path, l: usize, layer: &Layer) -> Result<Vec<f64>, ImportError> {
    if !layer.is_dense() {
        return Err(ImportError::NotDense { file: path.into(), layer: l });
    }
    let parameters = layer.parameters().to_rationals();
    let float = |(i, value): (usize, &Rational)| {
        exact_float(value).ok_or_else(|| ImportError::NotAFloat {
            file: path.into(),
            layer: l,
            row: i / layer.cols(),
            column: i % layer.cols(),
            value: format_rational(value),
        })
    };
    parameters.iter().enumerate().map(float).collect()
}

/// The finite `f64` equal to `value`, if there is one.
fn exact_float(value: &Rational) -> Option<f64> {
    let nearest = value.to_f64()?;
    (Rational::from_float(nearest)? == *value).then_some(nearest)
}

fn to_json(path: &Path, network: &Network) -> Result<String, ImportError> {
    let json = NetworkJson::from_network(network);
    let failed = |error| ImportError::Json { file: path.into(), error };
    let activation = serde_json::to_string(&json.activation).map_err(failed)?;
    let mut layers = Vec::with_capacity(json.layers.len());
    for layer in &json.layers {
        layers.push(layer_text(layer).map_err(failed)?);
    }
    let layers = layers.join(",\n");
    Ok(format!("{{\"activation\": {activation}, \"layers\": [\n{layers}\n]}}\n"))
}

fn layer_text(layer: &LayerJson) -> serde_json::Result<String> {
    Ok(match layer {
        LayerJson::Weights(dense) => format!("{{\"weights\": [\n{}\n]}}", rows(&dense.weights)?),
        LayerJson::Shared(shared) => format!(
            "{{\"parameters\": {},\n\"pattern\": [\n{}\n]}}",
            serde_json::to_string(&shared.parameters)?,
            rows(&shared.pattern)?
        ),
    })
}

fn rows<T: serde::Serialize>(rows: &[T]) -> serde_json::Result<String> {
    let lines = rows.iter().map(|row| serde_json::to_string(row).map(|text| format!("  {text}")));
    Ok(lines.collect::<Result<Vec<_>, _>>()?.join(",\n"))
}
