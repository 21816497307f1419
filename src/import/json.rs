//! Exact JSON: the kernel's own descriptions.
use super::error::ImportError;
use super::limits::check_fractions;
use super::{Dataset, Model, ModelOptions, Source};
use maxmargin_kernel::network::NetworkJson;
use maxmargin_kernel::number::ScaledVec;
use maxmargin_kernel::problem::DataJson;
use std::path::Path;

pub(super) fn load_model(
    file: &Path,
    bytes: &[u8],
    options: &ModelOptions,
) -> Result<Model, ImportError> {
    let json = read(file, NetworkJson::read(bare(bytes)))?;
    let network = json.to_network();
    let network = network.map_err(|error| ImportError::Network { file: file.into(), error })?;
    let slope = ScaledVec::from_rationals(std::slice::from_ref(network.activation().slope()));
    check_fractions(file, &slope, |_| "the slope of the activation".into())?;
    for (l, layer) in network.layers().iter().enumerate() {
        let what = |i| format!("parameter {i} of layer {}", l + 1);
        check_fractions(file, layer.parameters(), what)?;
    }
    options.activation_or(file, Some(network.activation().clone()))?;
    Ok(Model { network, has_input_bias: false, source: Source::Exact })
}

pub(super) fn load_data(file: &Path, bytes: &[u8]) -> Result<Dataset, ImportError> {
    let json = read(file, DataJson::read(bare(bytes)))?;
    let data = json.to_data().map_err(|error| ImportError::Data { file: file.into(), error })?;
    for (sample, x) in data.samples().iter().enumerate() {
        check_fractions(file, x, |feature| format!("feature {feature} of sample {sample}"))?;
    }
    Ok(Dataset { data, source: Source::Exact })
}

/// Without a byte order mark.
fn bare(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

fn read<T>(file: &Path, result: serde_json::Result<T>) -> Result<T, ImportError> {
    result.map_err(|error| ImportError::Json { file: file.into(), error })
}
