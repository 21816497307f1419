//! The commands.

mod arguments;
mod certify;
mod check;
mod error;
mod output;
mod polish;
mod show;
mod solve;

use arguments::{Cli, Command};
use clap::Parser;
use error::Stop;
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
    let outcome = match &cli.command {
        Command::Certify(a) => certify::run(a),
        Command::Polish(a) => polish::run(a),
        Command::Solve(a) => solve::run(a),
        Command::Check(a) => check::run(a),
        Command::Show(a) => show::run(a),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(Stop { code, message }) => {
            eprintln!("maxmargin: {message}");
            ExitCode::from(code)
        }
    }
}
