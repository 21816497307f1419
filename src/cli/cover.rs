//! `maxmargin cover`.
use super::arguments::{
    CoverArguments, CoverCommand, JoinArguments, ProveArguments, SplitArguments,
};
use super::error::Stop;
use super::output::{budget, complain, say, spinner, threads};
use super::outputs;
use super::solve::failed;
use crate::certify::{global_stage, seal};
use crate::divide::{DivideError, join, prove, split};
use crate::import::{Biased, save_model};
use crate::numeric::two_layer::to_f64;
use crate::prove::global;
use crate::prove::point;
use maxmargin_kernel::claim::Region;

pub(super) fn run(arguments: &CoverArguments) -> Result<u8, Stop> {
    match &arguments.command {
        CoverCommand::Split(a) => run_split(a),
        CoverCommand::Prove(a) => run_prove(a),
        CoverCommand::Join(a) => run_join(a),
    }
}

fn stop(error: DivideError) -> Stop {
    let message = error.to_string();
    match error {
        DivideError::Violated(_) => Stop { code: 5, message },
        _ => Stop::input(message),
    }
}

fn run_split(arguments: &SplitArguments) -> Result<u8, Stop> {
    let sought = &arguments.sought;
    outputs::check(&[("--checkpoint", sought.checkpoint.as_deref())], &[("--data", &sought.data)])?;
    let (data, request) = sought.request()?;
    let bar = spinner();
    let report = |s: global::Status| bar.set_message(global_stage(&s));
    let count = arguments.items.into();
    let division = split(&data, &request, count, &arguments.output, &report);
    bar.finish_and_clear();
    let division = division.map_err(|e| match e {
        DivideError::Solve(e) => failed(&arguments.sought.data, &e),
        other => stop(other),
    })?;
    say(format_args!(
        "{} items in {}; together they prove a relative gap of {:.1e}\n",
        division.items,
        arguments.output.join("items").display(),
        division.gap
    ));
    Ok(0)
}

fn run_prove(arguments: &ProveArguments) -> Result<u8, Stop> {
    let parallel = threads(&arguments.limits) > 1;
    let budget = budget(&arguments.limits);
    let output = arguments.output.as_deref();
    let proved = prove(&arguments.item, output, &budget, parallel).map_err(stop)?;
    let verdict = match (proved.closed, proved.violated) {
        (true, _) => "closed",
        (_, true) => "violated: these multipliers do not prove the gap that was asked for",
        _ => "open: run it again to go on, or join it as it is for a larger gap",
    };
    let (item, path) = (arguments.item.display(), proved.path.display());
    say(format_args!("{item}: {verdict}, {} nodes, written to {path}\n", proved.nodes));
    Ok(match (proved.closed, proved.violated) {
        (true, _) => 0,
        (_, true) => 5,
        _ => 4,
    })
}

fn run_join(arguments: &JoinArguments) -> Result<u8, Stop> {
    outputs::check(
        &[("-o", Some(&arguments.output)), ("--network", arguments.network.as_deref())],
        &[],
    )?;
    let (problem, mut found, closed) = join(&arguments.folder).map_err(stop)?;
    let refused = || Stop::internal("the joined covers prove nothing");
    let (bound, nodes) = global::upper_entry(&mut found).ok_or_else(refused)?;
    let point = point::prove(&problem, None, Region::AnyWidth).ok_or_else(refused)?;
    let sealed = seal(&problem, vec![point, bound], true, Some(&arguments.output));
    let sealed = sealed.map_err(Stop::seal)?;
    if let Some(path) = &arguments.network {
        save_model(path, problem.network(), Biased::No)?;
    }
    if !closed {
        complain("some parts were not finished: the gap is larger than the one split for");
    }
    let nu = problem.normalised_margin().map_or(f64::NAN, |(low, _)| to_f64(&low));
    let upper = 0.5 / nu;
    say(format_args!(
        "cost 1/(2ν) of the network   {upper:.9}\ncertified bound on any cost  {:.9}\nrelative gap                 {:.2e}\n\
         proof                        {nodes} cover nodes, {} kB, {}\n",
        found.lower,
        upper / found.lower - 1.0,
        sealed.bytes.div_ceil(1000),
        arguments.output.display(),
    ));
    Ok(if closed { 0 } else { 4 })
}
