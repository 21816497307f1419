//! `maxmargin solve`.
use super::arguments::{SolveArguments, Sought};
use super::error::Stop;
use super::output::{budget, complain, say, say_json, spinner, threads};
use super::outputs;
use crate::certify::{Sealed, global_stage, seal};
use crate::import::{Biased, load_data, save_model};
use crate::report::measure;
use crate::solve::{Request, SolveError, Solved, solve};
use maxmargin_kernel::check::Failure;
use maxmargin_kernel::network::{Activation, TwoLayer};
use maxmargin_kernel::problem::Data;
use serde_json::json;
use std::path::Path;
use std::time::Instant;

pub(super) fn run(arguments: &SolveArguments) -> Result<u8, Stop> {
    let sought = &arguments.sought;
    outputs::check(
        &[
            ("-o", arguments.output.as_deref()),
            ("--certificate", arguments.certificate.as_deref()),
            ("--checkpoint", sought.checkpoint.as_deref()),
        ],
        &[("--data", &sought.data)],
    )?;
    let (data, request) = sought.request()?;
    let start = Instant::now();
    let bar = spinner();
    let solved = solve(&data, &request, &|status| bar.set_message(global_stage(&status)));
    let mut solved = solved.map_err(|e| failed(&sought.data, &e))?;
    if let Some(reason) = &solved.not_saved {
        complain(format_args!("the checkpoint could not be written: {reason}"));
    }
    let seconds = start.elapsed().as_secs_f64();
    bar.set_message("checking the certificate");
    let entries = std::mem::take(&mut solved.entries);
    let network_alone = entries.iter().take(1).cloned().collect();
    let path = arguments.certificate.as_deref();
    let mut sealed = seal(&solved.problem, entries, true, path);
    if let Err(failure) = &sealed
        && !matches!(failure, Failure::Io(_))
    {
        // Never seen; but the network is worth keeping if its bound turns out to be wrong.
        complain(format_args!("internal error: the kernel refuses the bound: {failure}"));
        (solved.lower, solved.nodes) = (0.0, 0);
        sealed = seal(&solved.problem, network_alone, true, path);
    }
    bar.finish_and_clear();
    // Before anything that may fail: the network is what the search was for.
    if let Some(path) = &arguments.output {
        save_model(path, solved.problem.network(), Biased::No)?;
    }
    let Sealed { bytes, report } = sealed.map_err(Stop::seal)?;
    let done = solved.gap() <= sought.gap;
    if arguments.json {
        let mut value = maxmargin_kernel::check::report_json(&report);
        if let Some(map) = value.as_object_mut() {
            map.insert("verdict".into(), if done { "certified" } else { "undecided" }.into());
            map.insert(
                "cost".into(),
                json!({"upper": solved.upper, "lower": solved.lower, "gap": solved.gap()}),
            );
            map.insert(
                "search".into(),
                json!({"seconds": seconds, "rounds": solved.rounds, "nodes": solved.nodes}),
            );
        }
        say_json(&value);
    } else {
        say(text(arguments, &solved, seconds, bytes));
    }
    Ok(match (done, solved.limit) {
        (true, _) => 0,
        (false, true) => 4,
        (false, false) => 5,
    })
}

impl Sought {
    /// The data, and what is asked of a search.
    pub(super) fn request(&self) -> Result<(Data, Request), Stop> {
        let (model_options, data_options) = self.reading.options();
        let budget = budget(&self.limits);
        let dataset = load_data(&self.data, &data_options)?;
        let request = Request {
            activation: model_options.activation.unwrap_or_else(Activation::relu),
            gap: self.gap,
            threads: threads(&self.limits),
            budget,
            checkpoint: self.checkpoint.clone(),
            workers: None,
        };
        Ok((dataset.data, request))
    }
}

/// Why there is no network to report.
pub(super) fn failed(data: &Path, error: &SolveError) -> Stop {
    let message = format!("{}: {error}", data.display());
    match error {
        SolveError::Limit => Stop { code: 4, message },
        SolveError::Checkpoint(error) => Stop::input(error.to_string()),
        _ => Stop::input(message),
    }
}

fn text(arguments: &SolveArguments, solved: &Solved, seconds: f64, bytes: u64) -> String {
    let problem = &solved.problem;
    let width = TwoLayer::new(problem.network()).map_or(0, |t| t.neurons.len());
    let verdict = match solved.gap() {
        gap if gap <= arguments.sought.gap => {
            format!(
                "OPTIMAL: no two-layer network of any width has a normalised margin more than {:.1e} (relative) larger.",
                gap.max(0.0)
            )
        }
        gap if gap.is_finite() => {
            format!(
                "BRACKETED: the best normalised margin of any width is at most {gap:.2e} (relative) larger."
            )
        }
        _ => "NO BOUND: a network was found, but no bound was proved in time.".to_string(),
    };
    let lower = if solved.lower > 0.0 { measure(solved.lower, 9) } else { "none".into() };
    let mut out = format!(
        "{verdict}\n\n  cost 1/(2ν) of this network   {}\n  certified bound on any cost   {lower}\n  \
         width                         {width} neurons\n  proof                         {} cover nodes, {} kB\n  \
         search                        {} rounds, {seconds:.2} s\n",
        measure(solved.upper, 9),
        solved.nodes,
        bytes.div_ceil(1000),
        solved.rounds,
    );
    for (what, path) in [("network", &arguments.output), ("certificate", &arguments.certificate)] {
        if let Some(path) = path {
            out.push_str(&format!("  {what:<29} {}\n", path.display()));
        }
    }
    out
}
