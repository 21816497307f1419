//! Arithmetic of the searches: views of exact problems in floats, convex programs, least squares, and
//! exact linear algebra. Everything here may be wrong; the kernel decides.

pub mod bits;
pub mod box_ls;
pub mod exact;
pub mod flow;
pub mod lazy;
pub mod least_squares;
pub mod program;
pub mod pythagorean;
pub mod two_layer;
