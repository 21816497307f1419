//! Float arithmetic: views of exact problems, convex programs, least squares. Everything here may
//! be wrong; the kernel decides.

pub mod box_ls;
pub mod lazy;
pub mod least_squares;
pub mod program;
pub mod two_layer;
