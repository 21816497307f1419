//! `maxmargin`: is the point a network's training converged to a local or a global optimum of
//! the max-margin problem? This crate searches; [`maxmargin_kernel`] proves.

pub mod budget;
pub mod certify;
pub mod cli;
pub mod divide;
pub mod export;
#[doc(hidden)]
pub mod fuzzing;
pub mod import;
pub mod numeric;
pub mod paper;
pub mod polish;
pub mod prove;
pub mod report;
pub mod solve;
mod target;
