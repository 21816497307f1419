//! Long calls: in a thread of their own, without the interpreter lock, stopped by Ctrl-C.
use crate::{Outcome, raise};
use maxmargin::budget::Budget;
use pyo3::prelude::*;
use serde_json::Value;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// What a job may use.
pub(crate) struct Limits {
    /// When to stop.
    pub budget: Budget,
    /// Threads.
    pub threads: usize,
    /// Where to say what is being done, from other threads.
    pub stages: Sender<String>,
}

/// How long an interrupted job is waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often signals are looked at.
const TICK: Duration = Duration::from_millis(50);

/// Runs `job` with the limits that `options` name. `progress` is called with what is being done.
/// Ctrl-C, or an exception of `progress`, asks the job to stop, waits for it a moment, and is raised; a
/// job in the middle of a long step then ends by itself, unseen.
pub(crate) fn run<T: Send + 'static>(
    py: Python<'_>,
    options: &Value,
    progress: Option<Py<PyAny>>,
    job: impl FnOnce(Limits, &(dyn Fn(&str) + Sync)) -> Outcome<T> + Send + 'static,
) -> PyResult<T> {
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    let asked = options["threads"].as_u64().and_then(|n| usize::try_from(n).ok());
    let threads = asked.unwrap_or(available).clamp(1, 1024);
    let budget = Budget::seconds(options["time_limit"].as_f64());
    let cancel = budget.cancel.clone();
    let (sender, stages) = channel::<String>();
    // Waiting happens without the interpreter lock, in a closure that must be `Send`.
    let stages = Mutex::new(stages);
    let worker = std::thread::spawn(move || {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|e| (70, format!("internal error: {e}")))?;
        let stages = sender.clone();
        pool.install(move || job(Limits { budget, threads, stages }, &send(sender)))
    });
    let mut interrupted = None;
    let mut deadline = None;
    loop {
        let wait =
            || stages.lock().map_or(Err(RecvTimeoutError::Disconnected), |s| s.recv_timeout(TICK));
        match py.detach(wait) {
            Ok(stage) => {
                if let Some(call) = progress.as_ref().filter(|_| interrupted.is_none())
                    && let Err(error) = call.call1(py, (stage,))
                {
                    cancel.store(true, Ordering::Relaxed);
                    interrupted = Some(error);
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if interrupted.is_none()
            && let Err(signal) = py.check_signals()
        {
            cancel.store(true, Ordering::Relaxed);
            interrupted = Some(signal);
        }
        if interrupted.is_some()
            && Instant::now() > *deadline.get_or_insert_with(|| Instant::now() + PATIENCE)
        {
            break;
        }
    }
    if let Some(signal) = interrupted {
        return Err(signal);
    }
    match py.detach(|| worker.join()) {
        Ok(result) => result.map_err(raise),
        Err(_) => Err(raise((70, "internal error: please report the lines above".into()))),
    }
}

fn send(sender: Sender<String>) -> impl Fn(&str) + Sync {
    // The receiver outlives the job.
    move |stage| drop(sender.send(stage.to_string()))
}
