//! `maxmargin polish`.
use super::arguments::PolishArguments;
use super::error::{Stop, not_classified};
use super::output::{budget, spinner, threads};
use crate::import::{load_problem, save_model};
use crate::numeric::two_layer::{View, to_f64};
use crate::polish::{Options, polish};
use maxmargin_kernel::network::TwoLayer;
use maxmargin_kernel::problem::Problem;
use serde_json::json;

pub(super) fn run(arguments: &PolishArguments) -> Result<u8, Stop> {
    let inputs = &arguments.inputs;
    let (model_options, data_options) = inputs.reading.options();
    let (problem, _) = load_problem(&inputs.model, &inputs.data, &model_options, &data_options)?;
    problem.gamma().map_err(|e| not_classified(&inputs.data, &e))?;
    if let Err(reason) = TwoLayer::with_one_output(problem.network()) {
        return Err(Stop { code: 5, message: format!("polish {reason}") });
    }
    let view = View::new(&problem).ok_or_else(|| Stop::internal("no float view"))?;
    threads(&arguments.limits);
    let options =
        Options { jump: arguments.jump, budget: budget(&arguments.limits), ..Options::default() };
    let bar = spinner();
    bar.set_message("polishing");
    let polished = polish(&problem, &view, &options);
    bar.finish_and_clear();
    let nu = |p: &Problem| p.normalised_margin().map_or(f64::NAN, |(low, _)| to_f64(&low));
    let before = nu(&problem);
    let Some(polished) = polished else {
        match arguments.json {
            true => println!("{}", json!({"verdict": "not improved", "nu_before_f64": before})),
            false => println!(
                "NOT IMPROVED: no better point was found across adjacent cells; nothing is written.\n  ν = {before:.12}   cost 1/(2ν) = {:.9}",
                0.5 / before
            ),
        }
        return Ok(if options.budget.expired() { 4 } else { 5 });
    };
    let there = Problem::new(polished.network.clone(), problem.data().clone())
        .map_err(|e| Stop::internal(e.to_string()))?;
    let after = nu(&there);
    save_model(&arguments.output, &polished.network)?;
    if arguments.json {
        println!(
            "{}",
            json!({"verdict": "improved", "nu_before_f64": before, "nu_after_f64": after,
                   "rounds": polished.rounds, "crossings": polished.crossings, "jumps": polished.jumps,
                   "output": arguments.output.display().to_string()})
        );
    } else {
        println!("IMPROVED: the normalised margin is {:.9} times what it was.\n", after / before);
        println!("                 before           after");
        println!("  ν              {before:<16.12} {after:.12}");
        println!("  cost 1/(2ν)    {:<16.9} {:.9}\n", 0.5 / before, 0.5 / after);
        println!(
            "{} convex programs; neurons crossed kinks {} times and restarted elsewhere {} times.",
            polished.rounds, polished.crossings, polished.jumps
        );
        println!("Written to {}. How good it is, with proof:", arguments.output.display());
        println!(
            "  maxmargin certify --model {} --data {} --bracket near:1e-6",
            arguments.output.display(),
            inputs.data.display()
        );
    }
    Ok(if options.budget.expired() { 4 } else { 0 })
}
