//! Floats as their bits, so that files and messages hold them exactly.

/// The bits of every entry.
pub fn to_bits(v: &[f64]) -> Vec<u64> {
    v.iter().map(|e| e.to_bits()).collect()
}

/// The floats with these bits.
pub fn from_bits(bits: &[u64]) -> Vec<f64> {
    bits.iter().map(|b| f64::from_bits(*b)).collect()
}
