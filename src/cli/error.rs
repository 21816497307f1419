//! How a command stops early.
use crate::import::ImportError;
use maxmargin_kernel::check::Failure;

/// An exit code with the message for standard error.
#[derive(Debug)]
pub(super) struct Stop {
    /// The exit code.
    pub code: u8,
    /// The message.
    pub message: String,
}

impl Stop {
    /// Malformed or unsupported input.
    pub fn input(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into() }
    }

    /// Options that do not go together.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { code: 64, message: message.into() }
    }

    /// A certificate of ours that could not be written, or that the kernel refused.
    pub(super) fn seal(failure: Failure) -> Self {
        match failure {
            Failure::Io(message) => Self::input(message),
            refused => Self::internal(refused.to_string()),
        }
    }

    /// A fault of this program.
    pub fn internal(message: impl Into<String>) -> Self {
        Self { code: 70, message: format!("internal error: {}", message.into()) }
    }
}

impl From<ImportError> for Stop {
    fn from(error: ImportError) -> Self {
        Self { code: error.exit_code(), message: error.to_string() }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self { code: failure.exit_code(), message: failure.to_string() }
    }
}
