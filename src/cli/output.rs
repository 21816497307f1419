//! Files, progress and interruption.
use super::arguments::Limits;
use crate::budget::Budget;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A spinner on a terminal, nothing elsewhere.
pub(super) fn spinner() -> ProgressBar {
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
        eprintln!(
            "\nmaxmargin: stopping; what is proved so far will be written (Ctrl-C again to quit at once)"
        );
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
