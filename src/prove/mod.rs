//! How the witnesses of the proof rules are found, one module per rule of
//! [`maxmargin_kernel::proof`]. Nothing here is trusted: the kernel checks what comes out.

pub mod cover;
