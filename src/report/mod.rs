//! What people read: the verdict first, then the numbers with what they mean, then how to
//! reproduce them.

mod decisions;
pub mod diff;
pub mod html;
mod json;
pub mod layout;
mod standing;
mod text;
mod words;

pub use json::json;
pub use standing::{brackets, sentences};
pub use text::{checked, row, show, summary, text};
pub use words::measure;

use std::path::Path;

/// Where inputs came from and where the certificate went.
pub struct Context<'a> {
    /// The model file.
    pub model: &'a Path,
    /// The data file.
    pub data: &'a Path,
    /// The certificate, if one was written.
    pub output: Option<&'a Path>,
    /// Its size.
    pub bytes: u64,
    /// The options with which the two were read, to be read so again: empty, or beginning with a space.
    pub options: &'a str,
}
