//! Float computations that searches build on. Nothing here is trusted.

pub mod box_ls;
