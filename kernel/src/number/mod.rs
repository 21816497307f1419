//! Exact numbers: rationals at the edges, integers with a common denominator in the loops.
//!
//! Nothing here rounds except [`root`], whose results are bounds in a stated direction.

pub mod germ;
pub(crate) mod gershgorin;
pub mod integers;
pub mod rational;
pub mod root;
pub mod scaled;
pub mod work;

pub use germ::Germ;
pub use integers::IntVec;
pub use num_bigint::BigInt;
pub use num_rational::BigRational as Rational;
pub use rational::{ParseNumberError, compare, format_rational, parse_rational};
pub use scaled::ScaledVec;
pub(crate) use scaled::lcm_within;
