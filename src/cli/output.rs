//! Files, progress and interruption.
use super::arguments::Limits;
use crate::budget::Budget;
use crate::report::layout::{coloured, wrapped};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// `--quiet`.
static QUIET: AtomicBool = AtomicBool::new(false);

/// From now on neither reports nor progress.
pub(super) fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Writes a report to standard output: 80 columns, in colour where standard output is a terminal
/// and `NO_COLOR` is not set. `print!` panics when the reader has gone; the exit code is the verdict
/// and must survive that.
pub(super) fn say(text: impl std::fmt::Display) {
    say_unbroken(wrapped(&text.to_string()));
}

/// The same without breaking lines, for reasons that scripts may look for.
pub(super) fn say_unbroken(text: impl std::fmt::Display) {
    if !is_quiet() {
        let _ = write!(anstream::stdout(), "{}", coloured(&text.to_string()));
    }
}

/// Writes one JSON object, a line, to standard output.
pub(super) fn say_json(value: &serde_json::Value) {
    let _ = writeln!(std::io::stdout(), "{value}");
}

/// Writes bytes to standard output as they are.
pub(super) fn say_raw(bytes: &[u8]) {
    let _ = std::io::stdout().write_all(bytes);
}

/// Writes a line to standard error, likewise.
pub(super) fn complain(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "maxmargin: {text}");
}

/// A spinner on a terminal, nothing elsewhere.
pub(super) fn spinner() -> ProgressBar {
    if is_quiet() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// The budget of the command line. The first Ctrl-C asks the search to stop, the second ends the
/// program.
pub(super) fn budget(limits: &Limits) -> Budget {
    let budget = Budget::seconds(limits.time_limit);
    let cancel: Arc<AtomicBool> = budget.cancel.clone();
    // Failure to install a handler leaves the default: Ctrl-C ends the program.
    let _ = ctrlc::set_handler(move || {
        if cancel.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        complain("stopping; what is proved so far will be written (Ctrl-C again to quit at once)");
    });
    budget
}

/// Number of threads asked for, and the pool they run in.
pub(super) fn threads(limits: &Limits) -> usize {
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = limits.threads.map_or(available, usize::from);
    // Fails only if a pool exists already; the search then uses that one.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    threads
}
