//! A model and its training set, as every command needs them.
use super::arguments::Inputs;
use super::error::Stop;
use crate::certify::usable;
use crate::import::{Biased, Source, combine, load_data, load_model};
use maxmargin_kernel::problem::Problem;

/// What was read.
pub(super) struct Loaded {
    pub problem: Problem,
    pub source: Source,
    /// Whether the last input of the network stands for a bias of the first layer.
    pub biased: Biased,
}

/// Reads both.
pub(super) fn read(inputs: &Inputs) -> Result<Loaded, Stop> {
    let (model_options, data_options) = inputs.reading.options();
    let model = load_model(&inputs.model, &model_options)?;
    let biased = if model.has_input_bias { Biased::Yes } else { Biased::No };
    let data = load_data(&inputs.data, &data_options)?;
    let (problem, source) = combine(&inputs.model, model, &inputs.data, data)?;
    Ok(Loaded { problem, source, biased })
}

/// Reads both and refuses points of which nothing can be said.
pub(super) fn load(inputs: &Inputs) -> Result<Loaded, Stop> {
    let loaded = read(inputs)?;
    usable(&loaded.problem, &inputs.data).map_err(Stop::input)?;
    Ok(loaded)
}
