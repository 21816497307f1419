//! Time limits and interruption.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// When to stop searching: at a deadline, or when asked to.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    /// The time to stop, if any.
    pub deadline: Option<Instant>,
    /// Set by Ctrl-C.
    pub cancel: Arc<AtomicBool>,
}

impl Budget {
    /// A budget of so many seconds from now; without a number, no limit.
    pub fn seconds(limit: Option<f64>) -> Self {
        let duration = limit.and_then(|s| Duration::try_from_secs_f64(s).ok());
        Self { deadline: duration.and_then(|d| Instant::now().checked_add(d)), ..Self::default() }
    }

    /// Whether to stop now.
    pub fn expired(&self) -> bool {
        self.cancel.load(Ordering::Relaxed) || self.deadline.is_some_and(|d| Instant::now() >= d)
    }

    /// Whether it was Ctrl-C.
    pub fn interrupted(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
}
