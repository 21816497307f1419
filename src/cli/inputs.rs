//! A model and its training set, as every command needs them.
use super::arguments::Inputs;
use super::error::Stop;
use crate::certify::usable;
use crate::import::{Source, load_problem};
use maxmargin_kernel::problem::Problem;

/// Reads both and refuses points of which nothing can be said.
pub(super) fn load(inputs: &Inputs) -> Result<(Problem, Source), Stop> {
    let (model_options, data_options) = inputs.reading.options();
    let (problem, source) =
        load_problem(&inputs.model, &inputs.data, &model_options, &data_options)?;
    usable(&problem, &inputs.data).map_err(Stop::input)?;
    Ok((problem, source))
}
