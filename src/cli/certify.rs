//! `maxmargin certify`.
use super::arguments::{CertifyArguments, Embed};
use super::error::Stop;
use super::inputs::{Loaded, load};
use super::output::{budget, complain, say, say_json, spinner, threads};
use super::outputs;
use crate::certify::{Asked, Request, certify, is_small, seal};
use crate::prove::global::Saving;
use crate::report;
use maxmargin_kernel::claim::Scope;

pub(super) fn run(arguments: &CertifyArguments) -> Result<u8, Stop> {
    let inputs = &arguments.inputs;
    outputs::check(
        &[("-o", arguments.output.as_deref()), ("--checkpoint", arguments.checkpoint.as_deref())],
        &inputs.files(),
    )?;
    let Loaded { problem, source, .. } = load(inputs)?;
    let depth = problem.network().depth();
    let absent = |scope: &&Scope| matches!(scope, Scope::Layer(l) if *l > depth);
    if let Some(scope) = arguments.scope.iter().find(absent) {
        return Err(Stop::usage(format!("--scope {scope}: the network has {depth} layers")));
    }
    let threads = threads(&arguments.limits);
    let asked = Asked {
        decide: arguments.decide.clone(),
        scopes: arguments.scope.clone(),
        brackets: arguments.bracket.clone(),
        active: arguments.active.clone(),
        kinks: arguments.kinks.clone(),
    };
    let saving = match &arguments.checkpoint {
        Some(path) => {
            let slope = problem.activation().slope();
            let opened = Saving::open(path, problem.data(), slope);
            Some(opened.map_err(|e| Stop::input(e.to_string()))?)
        }
        None => None,
    };
    let request = Request {
        gap: arguments.gap,
        threads,
        budget: budget(&arguments.limits),
        saving,
        ..Request::asked(asked, source).map_err(Stop::usage)?
    };
    let bar = spinner();
    let outcome = certify(&problem, &request, &|stage| bar.set_message(stage.to_string()));
    if let Some(reason) = &outcome.not_saved {
        complain(format_args!("the checkpoint could not be written: {reason}"));
    }
    bar.set_message("checking the certificate");
    let embed = match arguments.embed {
        Embed::Always => true,
        Embed::Never => false,
        Embed::Auto => is_small(&problem),
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
        options: &inputs.reading.again(true),
        bytes: sealed.as_ref().map_or(0, |s| s.bytes),
    };
    if arguments.json {
        let value = report::json(&problem, &outcome, sealed.as_ref().map(|s| &s.report));
        say_json(&value);
    } else {
        say(report::text(&problem, &request, &outcome, &context));
    }
    Ok(match (outcome.limit, outcome.is_undecided()) {
        (true, _) => 4,
        (false, true) => 5,
        (false, false) => 0,
    })
}
