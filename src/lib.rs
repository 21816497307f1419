//! `maxmargin`: is the point a network's training converged to a local or a global optimum of
//! the max-margin problem? This crate searches; [`maxmargin_kernel`] proves.

pub mod import;
pub mod numeric;
pub mod prove;
