//! The commands.

mod arguments;
mod certify;
mod check;
mod cover;
mod diff;
mod error;
mod export;
mod files;
mod flow;
mod generate;
mod inputs;
mod output;
mod outputs;
mod paper;
mod polish;
mod show;
mod solve;

use arguments::{Cli, Command};
use clap::Parser;
use error::Stop;
use output::{be_quiet, complain, say_json};
use serde_json::json;
use std::panic::catch_unwind;
use std::process::ExitCode;

/// Runs the command line; the exit codes are listed in the help text.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 64 } else { 0 });
        }
    };
    if cli.quiet {
        be_quiet();
    }
    // The panic hook has printed what happened; what remains is a code that scripts can tell apart.
    let outcome = catch_unwind(|| dispatch(&cli.command))
        .unwrap_or_else(|_| Err(Stop::internal("please report the lines above")));
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(Stop { code, message }) => {
            if wants_json(&cli.command) {
                say_json(&json!({"verdict": "error", "exit": code, "reason": message}));
            }
            complain(message);
            ExitCode::from(code)
        }
    }
}

/// Whether the answer is to be read by a program.
fn wants_json(command: &Command) -> bool {
    match command {
        Command::Certify(a) => a.json,
        Command::Polish(a) => a.json,
        Command::Flow(a) => a.json,
        Command::Solve(a) => a.json,
        Command::Check(a) => a.json,
        Command::Diff(a) => a.json,
        _ => false,
    }
}

fn dispatch(command: &Command) -> Result<u8, Stop> {
    match command {
        Command::Certify(a) => certify::run(a),
        Command::Polish(a) => polish::run(a),
        Command::Flow(a) => flow::run(a),
        Command::Solve(a) => solve::run(a),
        Command::Cover(a) => cover::run(a),
        Command::Paper(a) => paper::run(a),
        Command::Check(a) => check::run(a),
        Command::Show(a) => show::run(a),
        Command::Export(a) => export::run(a),
        Command::Diff(a) => diff::run(a),
        Command::Completions(a) => generate::completions(a),
        Command::Man(a) => generate::man(a),
    }
}
