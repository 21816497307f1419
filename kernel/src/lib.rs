//! The trusted part of `maxmargin`: everything that must be right, and nothing else.
//!
//! A homogeneous network with parameters `θ` (linear, ReLU or leaky ReLU; no hidden biases)
//! classifies a data set with margins `q_k(θ)`. The max-margin problem is
//!
//! ```text
//! min ½|θ|²   subject to   q_k(θ) ≥ 1   for every constraint k,
//! ```
//!
//! and `ν(θ) = min_k q_k(θ) / |θ|^m` (depth `m`) is the normalised margin, whose maximisers are
//! its solutions up to scale (G. Vardi, O. Shamir, N. Srebro, *On Margin Maximization in Linear
//! and ReLU Networks*, NeurIPS 2022, arXiv 2110.02732). A certificate states claims about one
//! network and one data set; this crate re-derives every quantity from the two and checks the
//! witnesses in exact integer and rational arithmetic.
//!
//! | module | holds |
//! |---|---|
//! | [`number`] | rationals, integer vectors with a common denominator, square-root bounds, germs |
//! | [`network`] | architecture, parameters, one forward pass and one gradient for every number type |
//! | [`problem`] | data sets, constraints, margins, digests |
//! | [`claim`] | the statements, and how each reads in words |
//! | [`proof`] | one file per rule: its witness and its check |
//! | [`certificate`] | the file format |
//! | [`check`] | problem + certificate → verdict |
//!
//! There is no floating-point arithmetic, no `unsafe` code, no solver and no panic on any input.
#![deny(
    clippy::float_arithmetic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::todo,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::float_arithmetic,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss
    )
)]

// Unit tests include helpers of the integration tests, which name the crate from outside.
#[cfg(test)]
extern crate self as maxmargin_kernel;

pub mod certificate;
pub mod check;
pub mod claim;
pub mod network;
pub mod number;
mod object;
pub mod problem;
pub mod proof;
