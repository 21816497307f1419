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

    /// One of `parts` equal parts of the time that is left.
    pub fn share(&self, parts: usize) -> Self {
        let part = |at: Instant| {
            let left = at.saturating_duration_since(Instant::now());
            Instant::now() + left / u32::try_from(parts.max(1)).unwrap_or(u32::MAX)
        };
        Self { deadline: self.deadline.map(part), cancel: self.cancel.clone() }
    }

    /// This budget; if it has no deadline, one in so many seconds. For searches that may go on for
    /// ever without result, so that who sets no limit gets an answer.
    pub fn or_seconds(&self, seconds: f64) -> Self {
        let own = Self::seconds(Some(seconds)).deadline;
        Self { deadline: self.deadline.or(own), cancel: self.cancel.clone() }
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
