//! `maxmargin flow`.
use super::arguments::{FlowArguments, Limits};
use super::error::Stop;
use super::inputs::{Loaded, read};
use super::output::{budget, say, say_json, spinner};
use super::outputs;
use crate::import::{check_target, save_model};
use crate::numeric::flow::snap::{MAX_DENOMINATOR, NotSimple, Snapped, snap};
use crate::numeric::flow::{Flow, Options, Stopped, flow};
use crate::numeric::two_layer::to_f64;
use crate::report::layout::quoted;
use maxmargin_kernel::claim::Number;
use maxmargin_kernel::network::Network;
use maxmargin_kernel::problem::Problem;
use serde_json::json;

pub(super) fn run(arguments: &FlowArguments) -> Result<u8, Stop> {
    let inputs = &arguments.inputs;
    outputs::check(&[("-o", Some(&arguments.output))], &inputs.files())?;
    let Loaded { problem, biased, .. } = read(inputs)?;
    check_target(&arguments.output, problem.network(), biased)?;
    let limits = Limits { time_limit: arguments.time_limit, threads: None };
    let options = Options {
        time: arguments.time.unwrap_or(f64::INFINITY),
        log_inverse_loss: arguments.log_loss,
        budget: budget(&limits),
        ..Options::default()
    };
    let bar = spinner();
    bar.set_message("following the gradient flow");
    let end = flow(&problem, &options);
    bar.finish_and_clear();
    let snapped = arguments.snap.map(|tolerance| snap(&end.theta, tolerance));
    let network = match &snapped {
        Some(Ok(s)) => end.exact_network(problem.network(), &s.parameters),
        _ => end.network(problem.network(), &scaled(&end.theta)),
    };
    let network = network
        .ok_or_else(|| Stop::internal("the parameters of the flow do not make a network"))?;
    save_model(&arguments.output, &network, biased)?;
    if arguments.json {
        say_json(&report_json(&problem, &end, &network, snapped.as_ref()));
    } else {
        say(text(arguments, &problem, &end, &network, snapped.as_ref()));
    }
    Ok(match (end.stopped, snapped) {
        (Stopped::Limit | Stopped::Overflow, _) => 4,
        (_, Some(Err(_))) => 5,
        _ => 0,
    })
}

/// θ times the power of two that brings its largest coordinate into [1/2, 1): exactly its direction.
fn scaled(theta: &[f64]) -> Vec<f64> {
    let largest = theta.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    let factor = if largest > 0.0 { (-largest.log2().floor() - 1.0).exp2() } else { 1.0 };
    theta.iter().map(|x| x * factor).collect()
}

/// The exact margin of what was written, if it classifies its data.
fn margin(problem: &Problem, network: &Network) -> Option<(Number, f64)> {
    let there = Problem::new(network.clone(), problem.data().clone()).ok()?;
    let gamma = there.gamma().ok()?.clone();
    Some((Number(gamma), there.normalised_margin().map_or(f64::NAN, |(low, _)| to_f64(&low))))
}

fn why(stopped: Stopped) -> &'static str {
    match stopped {
        Stopped::Time => "the time asked for",
        Stopped::Loss => "the loss asked for; the direction still turned",
        Stopped::Converged => "the direction stands still",
        Stopped::Stationary => "the gradient is 0: nothing moves",
        Stopped::Limit => "a limit on time or steps",
        Stopped::Overflow => "no step is small enough, or numbers left the range of floats",
    }
}

fn report_json(
    problem: &Problem,
    end: &Flow,
    network: &Network,
    snapped: Option<&Result<Snapped, NotSimple>>,
) -> serde_json::Value {
    let written = margin(problem, network);
    let snapped = snapped.map(|s| match s {
        Ok(s) => json!({"moved": s.moved, "turned": s.turned}),
        Err(e) => json!({"not_simple": {"index": e.index, "value": e.value}}),
    });
    json!({
        "stopped": format!("{:?}", end.stopped).to_lowercase(),
        "time": end.time,
        "log_loss": end.log_loss,
        "steps": end.steps,
        "misalignment": end.misalignment,
        "direction": end.direction(),
        "snapped": snapped,
        "gamma": written.as_ref().map(|(gamma, _)| gamma),
        "nu_f64": written.as_ref().map(|(_, nu)| nu),
    })
}

fn text(
    arguments: &FlowArguments,
    problem: &Problem,
    end: &Flow,
    network: &Network,
    snapped: Option<&Result<Snapped, NotSimple>>,
) -> String {
    let mut out = format!("Stopped: {}.\n\n", why(end.stopped));
    out.push_str(&format!("  log L                  {:.6e}\n", end.log_loss));
    out.push_str(&format!("  normalised time        {:.6e} ({} steps)\n", end.time, end.steps));
    out.push_str(&format!("  angle to the velocity  {:.1e} (0 at the limit)\n", end.misalignment));
    match snapped {
        None => {}
        Some(Ok(s)) => out.push_str(&format!(
            "  snapped to rationals   a coordinate moved by up to {:.1e} of the largest, the direction by {:.1e}\n",
            s.moved, s.turned
        )),
        Some(Err(e)) => out.push_str(&format!(
            "  not snapped            parameter {} is {:.9} of the largest: no fraction with denominator up to \
             {MAX_DENOMINATOR} is near (a larger tolerance, or a smaller loss, may help)\n",
            e.index, e.value
        )),
    }
    match margin(problem, network) {
        Some((_, nu)) => out.push_str(&format!("  ν of what is written   {nu:.12}\n")),
        None => out.push_str("  What is written does not classify its data.\n"),
    }
    let output = quoted(&arguments.output);
    out.push_str(&format!(
        "\nWritten to {}. What is provable about it:\n",
        arguments.output.display()
    ));
    let data = arguments.inputs.data_again();
    out.push_str(&format!("  maxmargin certify --model {output} {data}\n"));
    out
}
