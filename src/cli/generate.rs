//! `maxmargin completions` and `maxmargin man`.
use super::arguments::Cli;
use super::error::Stop;
use super::output::say_raw;
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::path::PathBuf;

/// `maxmargin completions`.
#[derive(Debug, Args)]
pub(super) struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

pub(super) const COMPLETIONS: &str = "\
Example:
  maxmargin completions bash > maxmargin.bash
  maxmargin completions zsh > _maxmargin";

/// `maxmargin man`.
#[derive(Debug, Args)]
pub(super) struct ManArguments {
    /// Write a page for every command into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

pub(super) const MAN: &str = "\
Examples:
  maxmargin man | man -l -
  maxmargin man --out ~/.local/share/man/man1";

pub(super) fn completions(arguments: &CompletionsArguments) -> Result<u8, Stop> {
    let mut bytes = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "maxmargin", &mut bytes);
    say_raw(&bytes);
    Ok(0)
}

pub(super) fn man(arguments: &ManArguments) -> Result<u8, Stop> {
    let fail = |e: std::io::Error| Stop::input(format!("cannot write the manual: {e}"));
    if let Some(folder) = &arguments.out {
        std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
            .map_err(fail)?;
    } else {
        let mut bytes = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut bytes).map_err(fail)?;
        say_raw(&bytes);
    }
    Ok(0)
}
