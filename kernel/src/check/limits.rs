//! Bytes, nodes and time of one check.
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// A limit of one check that was reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// [`Limits::nodes`].
    #[error("the certificate has more than {0} cover nodes, the limit of this check")]
    Nodes(usize),
    /// [`Limits::bytes`].
    #[error("the certificate has more than {0} bytes, the limit of this check")]
    Bytes(u64),
    /// [`Limits::time`].
    #[error("the check takes more than {0} seconds, its limit")]
    Time(u64),
    /// JSON nested too deeply.
    #[error("the JSON is nested too deeply")]
    Nesting,
    /// A number too long or with too large an exponent.
    #[error("a number is past a limit: {0}")]
    Number(String),
}

/// Limits of one check.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most cover nodes over all claims.
    pub nodes: usize,
    /// Most bytes of the file.
    pub bytes: u64,
    /// Most time, looked at between nodes, claims and reads. Without it, a file that brings its own
    /// problem has 30 seconds and one more for every 16 kB of it.
    pub time: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { nodes: 100_000_000, bytes: 1 << 36, time: None }
    }
}

/// Counts bytes and time against the limits.
pub(crate) struct Meter {
    pub(super) limits: Limits,
    /// Whether the problem was given from outside.
    tied: bool,
    started: Instant,
    bytes: Cell<u64>,
    reached: RefCell<Option<Limit>>,
}

impl Meter {
    pub(super) fn new(limits: Limits, tied: bool) -> Self {
        let (started, bytes, reached) = (Instant::now(), Cell::new(0), RefCell::new(None));
        Self { limits, tied, started, bytes, reached }
    }

    /// Counts bytes that were read.
    pub(crate) fn count_bytes(&self, read: usize) -> Result<(), Limit> {
        let bytes = self.bytes.get().saturating_add(read.try_into().unwrap_or(u64::MAX));
        self.bytes.set(bytes);
        let outcome = match bytes > self.limits.bytes {
            true => Err(Limit::Bytes(self.limits.bytes)),
            false => self.in_time(),
        };
        if let Err(limit) = &outcome {
            self.reached.replace(Some(limit.clone()));
        }
        outcome
    }

    /// The time allowed: the caller's limit, else 30 seconds and one more for every 16 kB of a file
    /// that brings its own problem.
    fn time(&self) -> Option<Duration> {
        let own = || (!self.tied).then(|| Duration::from_secs(30 + (self.bytes.get() >> 14)));
        self.limits.time.or_else(own)
    }

    /// Whether there is time left.
    pub(crate) fn in_time(&self) -> Result<(), Limit> {
        match self.time() {
            Some(limit) if self.started.elapsed() > limit => Err(Limit::Time(limit.as_secs())),
            _ => Ok(()),
        }
    }

    /// The limit at which reading stopped.
    pub(crate) fn reached(&self) -> Option<Limit> {
        self.reached.borrow().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_file_grows_with_its_bytes() {
        let seconds = Duration::from_secs;
        let after = |limits, tied, bytes| {
            let meter = Meter::new(limits, tied);
            meter.count_bytes(bytes).unwrap();
            meter.time()
        };
        let all = Limits::default();
        assert_eq!(after(all, false, 0), Some(seconds(30)));
        assert_eq!(after(all, false, (16 << 10) - 1), Some(seconds(30)));
        assert_eq!(after(all, false, 160 << 10), Some(seconds(40)));
        assert_eq!(after(all, true, 160 << 10), None);
        let own = Limits { time: Some(seconds(7)), ..all };
        assert_eq!(after(own, false, 160 << 10), Some(seconds(7)));
        assert_eq!(after(own, true, 160 << 10), Some(seconds(7)));
    }
}
