//! A model and its training set, as every command needs them.
use super::arguments::Inputs;
use super::error::{Stop, not_classified};
use crate::import::{Source, load_problem};
use maxmargin_kernel::problem::Problem;

/// Reads both and refuses points of which nothing can be said.
pub(super) fn load(inputs: &Inputs) -> Result<(Problem, Source), Stop> {
    let (model_options, data_options) = inputs.reading.options();
    let (problem, source) =
        load_problem(&inputs.model, &inputs.data, &model_options, &data_options)?;
    if let Some((i, j)) = problem.data().contradiction() {
        return Err(Stop::input(format!(
            "{}: samples {i} and {j} have the same features and different labels; no network classifies both",
            inputs.data.display()
        )));
    }
    problem.gamma().map_err(|e| not_classified(&inputs.data, &e))?;
    Ok((problem, source))
}
