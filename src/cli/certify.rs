//! `maxmargin certify`.
use super::arguments::{CertifyArguments, Embed};
use super::error::Stop;
use super::inputs::load;
use super::output::{budget, complain, say, spinner, threads};
use crate::certify::{Request, certify, seal};
use crate::import::{Source, check_folder};
use crate::prove::decide::Question;
use crate::prove::global::Saving;
use crate::report;
use maxmargin_kernel::claim::{Number, Region, Scope};
use maxmargin_kernel::number::{Rational, parse_rational};
use maxmargin_kernel::problem::Problem;

/// Most numbers of a problem that `--embed auto` puts into the file.
const EMBED_LIMIT: usize = 100_000;

pub(super) fn run(arguments: &CertifyArguments) -> Result<u8, Stop> {
    let inputs = &arguments.inputs;
    arguments.output.as_deref().map_or(Ok(()), check_folder)?;
    let (problem, source) = load(inputs)?;
    let threads = threads(&arguments.limits);
    // Exact points get exact verdicts, trained ones brackets, unless something else is asked.
    let unasked = arguments.bracket.is_empty() && arguments.decide.is_empty();
    let exact = unasked && source == Source::Exact;
    let decide = if exact { Question::ALL.to_vec() } else { arguments.decide.clone() };
    let brackets = match arguments.bracket.as_slice() {
        [] if unasked && !exact => default_brackets(),
        asked => asked.to_vec(),
    };
    let scopes = match arguments.scope.as_slice() {
        [] => vec![Scope::All],
        asked => asked.to_vec(),
    };
    if scopes != [Scope::All] && decide.is_empty() {
        return Err(Stop::usage("--scope goes with --decide: brackets are of all layers"));
    }
    let residual_asked = arguments.active.is_some() || arguments.kinks.is_some();
    let constant = |text| parse_rational(text).unwrap_or_default();
    let residual = (
        arguments.active.clone().unwrap_or_else(|| constant("0.01")),
        arguments.kinks.clone().unwrap_or_else(|| constant("1e-4")),
    );
    let saving = match &arguments.checkpoint {
        Some(path) => {
            check_folder(path)?;
            let slope = problem.activation().slope();
            let opened = Saving::open(path, problem.data(), slope);
            Some(opened.map_err(|e| Stop::input(e.to_string()))?)
        }
        None => None,
    };
    let request = Request {
        // An exact verdict says more than a residual.
        residual: (decide.is_empty() || residual_asked).then_some(residual),
        decide,
        scopes,
        brackets,
        // Who asks for brackets alone is not told that the residual is missing.
        residual_asked: arguments.bracket.is_empty() || residual_asked,
        gap: arguments.gap,
        threads,
        budget: budget(&arguments.limits),
        saving,
    };
    let bar = spinner();
    let outcome = certify(&problem, &request, |stage| bar.set_message(stage.to_string()));
    if let Some(reason) = &outcome.not_saved {
        complain(format_args!("the checkpoint could not be written: {reason}"));
    }
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
        let value = report::json(&problem, &outcome, sealed.as_ref().map(|s| &s.report));
        say(format_args!("{value}\n"));
    } else {
        say(report::text(&problem, &request, &outcome, &context));
    }
    Ok(match (outcome.limit, outcome.is_undecided()) {
        (true, _) => 4,
        (false, true) => 5,
        (false, false) => 0,
    })
}

/// All regions; where the rules do not apply, the report says so.
fn default_brackets() -> Vec<Region> {
    let delta = Number(Rational::new(1.into(), 10_000.into()));
    vec![Region::Cell, Region::Near(delta), Region::Everywhere]
}

fn size(problem: &Problem) -> usize {
    let parameters: usize = problem.network().layers().iter().map(|l| l.rows() * l.cols()).sum();
    problem.data().len() * problem.network().inputs() + parameters
}
