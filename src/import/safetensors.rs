//! Models in safetensors files.
use super::error::{ImportError, Shape};
use super::layers::{assemble, check_rank};
use super::limits::MAX_SAFETENSORS_HEADER;
use super::tensors::{Budget, Format, Tensor, require_finite};
use super::{Model, ModelOptions, Source};
use maxmargin_kernel::network::Activation;
use maxmargin_kernel::number::parse_rational;
use safetensors::tensor::{Dtype, Metadata};
use std::path::Path;

/// Metadata key under which [`super::save_model`] keeps the slope of an activation that is not
/// ReLU: safetensors has no other place for it, and a linear network must not come back as ReLU.
pub(super) const SLOPE_KEY: &str = "maxmargin.slope";

pub(super) fn load(
    file: &Path,
    bytes: &[u8],
    options: &ModelOptions,
) -> Result<Model, ImportError> {
    let malformed = |reason: String| ImportError::Malformed {
        file: file.into(),
        format: "safetensors",
        reason,
    };
    let (metadata, data) = split(file, bytes, &malformed)?;
    let stated = stated_activation(&metadata).map_err(&malformed)?;
    let mut budget = Budget::default();
    let mut tensors = Vec::new();
    let mut names = metadata.offset_keys();
    names.sort();
    for name in names {
        let Some(info) = metadata.info(&name) else { continue };
        let shape = Shape(info.shape.clone());
        check_rank(file, &name, &shape)?;
        let format = format_of(info.dtype).ok_or_else(|| ImportError::Dtype {
            file: file.into(),
            tensor: name.clone(),
            dtype: info.dtype.to_string(),
            supported: "F16, BF16, F32, F64",
        })?;
        budget.admit(file, &name, &shape)?;
        let (start, end) = info.data_offsets;
        let raw = data.get(start..end);
        let raw = raw.ok_or_else(|| malformed(format!("no data for tensor `{name}`")))?;
        let values = format.floats(raw, false);
        require_finite(file, &name, &shape, &values)?;
        tensors.push(Tensor { name, shape, values });
    }
    let activation = options.activation_or(file, stated)?;
    let (network, has_input_bias) = assemble(file, tensors, activation, &mut budget)?;
    Ok(Model { network, has_input_bias, source: Source::Floats })
}

/// Header and data. The sizes are compared here, not by the `safetensors` crate, to tell a
/// truncated file from a damaged one, and because its own sum of them may overflow.
fn split<'a>(
    file: &Path,
    bytes: &'a [u8],
    malformed: &impl Fn(String) -> ImportError,
) -> Result<(Metadata, &'a [u8]), ImportError> {
    let Some((size, rest)) = bytes.split_first_chunk::<8>() else {
        return Err(malformed(format!("{} bytes cannot hold its header", bytes.len())));
    };
    let size = u64::from_le_bytes(*size);
    if size > rest.len() as u64 {
        let found = rest.len();
        return Err(malformed(format!(
            "truncated, or not safetensors at all: its first 8 bytes announce a header of {size} bytes, {found} follow"
        )));
    }
    let header = size as usize;
    if header > MAX_SAFETENSORS_HEADER {
        return Err(ImportError::TooLarge {
            file: file.into(),
            what: "the header".into(),
            size: size.into(),
            unit: "bytes",
            limit: MAX_SAFETENSORS_HEADER as u128,
        });
    }
    let (header, data) = rest.split_at(header);
    let metadata: Metadata =
        serde_json::from_slice(header).map_err(|e| malformed(format!("header: {e}")))?;
    let (expected, found) = (metadata.data_len(), data.len());
    if expected > found {
        return Err(malformed(format!(
            "truncated: the header announces {expected} bytes of tensors, {found} follow"
        )));
    }
    if expected < found {
        return Err(malformed(format!("{} bytes follow its last tensor", found - expected)));
    }
    Ok((metadata, data))
}

fn stated_activation(metadata: &Metadata) -> Result<Option<Activation>, String> {
    let slope = metadata.metadata().as_ref().and_then(|m| m.get(SLOPE_KEY));
    let read = |text: &String| {
        let slope = parse_rational(text).map_err(|e| format!("metadata {SLOPE_KEY}: {e}"))?;
        Activation::leaky(slope).map_err(|e| format!("metadata {SLOPE_KEY}: {e}"))
    };
    slope.map(read).transpose()
}

fn format_of(dtype: Dtype) -> Option<Format> {
    match dtype {
        Dtype::F16 => Some(Format::F16),
        Dtype::BF16 => Some(Format::Bf16),
        Dtype::F32 => Some(Format::F32),
        Dtype::F64 => Some(Format::F64),
        _ => None,
    }
}
