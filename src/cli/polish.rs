//! `maxmargin polish`.
use super::arguments::PolishArguments;
use super::error::Stop;
use super::inputs::{Loaded, load};
use super::output::{budget, say, say_json, spinner, threads};
use super::outputs;
use crate::import::{check_target, save_model};
use crate::numeric::two_layer::{View, to_f64};
use crate::polish::{Options, polish};
use crate::report::{layout::quoted, measure};
use maxmargin_kernel::network::TwoLayer;
use maxmargin_kernel::problem::Problem;
use serde_json::json;

pub(super) fn run(arguments: &PolishArguments) -> Result<u8, Stop> {
    let inputs = &arguments.inputs;
    outputs::check(&[("-o", Some(&arguments.output))], &inputs.files())?;
    let Loaded { problem, biased, .. } = load(inputs)?;
    check_target(&arguments.output, problem.network(), biased)?;
    if let Err(reason) = TwoLayer::with_one_output(problem.network()) {
        return Err(Stop {
            code: 5,
            message: format!("{}: polish {reason}", inputs.model.display()),
        });
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
            true => {
                let value = json!({"verdict": "not improved", "nu_before_f64": before});
                say_json(&value);
            }
            false => say(format_args!(
                "NOT IMPROVED: no better point was found across adjacent cells; nothing is written.\n  ν = {}   cost 1/(2ν) = {}\n",
                measure(before, 12),
                measure(0.5 / before, 9)
            )),
        }
        return Ok(if options.budget.expired() { 4 } else { 5 });
    };
    let there = Problem::new(polished.network.clone(), problem.data().clone())
        .map_err(|e| Stop::internal(e.to_string()))?;
    let after = nu(&there);
    save_model(&arguments.output, &polished.network, biased)?;
    let output = arguments.output.display();
    if arguments.json {
        let value = json!({
            "verdict": "improved", "nu_before_f64": before, "nu_after_f64": after,
            "rounds": polished.rounds, "crossings": polished.crossings, "jumps": polished.jumps,
            "output": output.to_string(),
        });
        say_json(&value);
    } else {
        say(format_args!(
            "IMPROVED: the normalised margin is {} times what it was.\n\n\
             \x20                before           after\n\
             \x20 ν              {:<16} {}\n\
             \x20 cost 1/(2ν)    {:<16} {}\n\n\
             {} convex programs; neurons crossed kinks {} times and restarted elsewhere {} times.\n\
             Written to {output}. How good it is, with proof:\n\
             \x20 maxmargin certify --model {} {} --bracket near:1e-6\n",
            measure(after / before, 9),
            measure(before, 12),
            measure(after, 12),
            measure(0.5 / before, 9),
            measure(0.5 / after, 9),
            polished.rounds,
            polished.crossings,
            polished.jumps,
            quoted(&arguments.output),
            inputs.data_again(),
        ));
    }
    Ok(if options.budget.expired() { 4 } else { 0 })
}
