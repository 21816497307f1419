//! `maxmargin certify`.
use super::arguments::{CertifyArguments, Embed};
use super::error::{Stop, not_classified};
use super::output::{budget, spinner, threads};
use crate::certify::{Request, certify, seal};
use crate::import::load_problem;
use crate::report;
use maxmargin_kernel::claim::{Number, Region};
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::Problem;

/// Most numbers of a problem that `--embed auto` puts into the file.
const EMBED_LIMIT: usize = 100_000;

pub(super) fn run(arguments: &CertifyArguments) -> Result<u8, Stop> {
    let inputs = &arguments.inputs;
    let (model_options, data_options) = inputs.reading.options();
    let (problem, _) = load_problem(&inputs.model, &inputs.data, &model_options, &data_options)?;
    if let Some((i, j)) = problem.data().contradiction() {
        return Err(Stop::input(format!(
            "{}: samples {i} and {j} have the same features and different labels; no network classifies both",
            inputs.data.display()
        )));
    }
    problem.gamma().map_err(|e| not_classified(&inputs.data, &e))?;
    let threads = threads(&arguments.limits);
    let brackets = match arguments.bracket.as_slice() {
        [] => default_brackets(&problem),
        asked => asked.to_vec(),
    };
    let request = Request {
        brackets,
        residual: Some((arguments.active.clone(), arguments.kinks.clone())),
        gap: arguments.gap,
        threads,
        budget: budget(&arguments.limits),
    };
    let bar = spinner();
    let outcome = certify(&problem, &request, |stage| bar.set_message(stage.to_string()));
    bar.set_message("checking the certificate");
    let embed = match arguments.embed {
        Embed::Always => true,
        Embed::Never => false,
        Embed::Auto => size(&problem) <= EMBED_LIMIT,
    };
    let sealed = match outcome.entries.is_empty() {
        true => None,
        false => {
            let path = arguments.output.as_deref();
            Some(seal(&problem, outcome.entries.clone(), embed, path).map_err(Stop::seal)?)
        }
    };
    bar.finish_and_clear();
    let context = report::Context {
        model: &inputs.model,
        data: &inputs.data,
        output: arguments.output.as_deref().filter(|_| sealed.is_some()),
        bytes: sealed.as_ref().map_or(0, |s| s.bytes),
    };
    if arguments.json {
        println!("{}", report::json(&problem, &outcome, sealed.as_ref().map(|s| &s.report)));
    } else {
        print!("{}", report::text(&problem, &request, &outcome, &context));
    }
    Ok(match (outcome.limit, outcome.undecided.is_empty()) {
        (true, _) => 4,
        (false, false) => 5,
        (false, true) => 0,
    })
}

/// All regions where the rules apply, else only the global one.
fn default_brackets(problem: &Problem) -> Vec<Region> {
    let delta = Number(Rational::new(1.into(), 10_000.into()));
    match maxmargin_kernel::network::TwoLayer::with_one_output(problem.network()) {
        Ok(_) => vec![Region::Cell, Region::Near(delta), Region::Everywhere],
        Err(_) => vec![Region::Everywhere],
    }
}

fn size(problem: &Problem) -> usize {
    let parameters: usize = problem.network().layers().iter().map(|l| l.rows() * l.cols()).sum();
    problem.data().len() * problem.network().inputs() + parameters
}
