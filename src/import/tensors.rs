//! Tensors of any accepted element type, decoded exactly, and their way into exact vectors.
use super::error::{ImportError, Shape};
use super::limits::{MAX_ELEMENTS, MAX_EXACT_BYTES, MAX_TOTAL_ELEMENTS};
use maxmargin_kernel::number::ScaledVec;
use std::path::Path;

/// A vector or a matrix, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tensor {
    pub(super) name: String,
    pub(super) shape: Shape,
    pub(super) values: Vec<f64>,
}

/// How one element is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    F16,
    Bf16,
    F32,
    F64,
    Int { bytes: usize, signed: bool },
    Bool,
}

impl Format {
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Int { bytes, .. } => bytes,
            Self::Bool => 1,
        }
    }

    pub(super) fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::Bf16 | Self::F32 | Self::F64)
    }

    /// The elements of a float format, widened: every narrower float is an `f64`.
    pub(super) fn floats(self, data: &[u8], big_endian: bool) -> Vec<f64> {
        let value = |bits: u64| match self {
            Self::F16 => half::f16::from_bits(bits as u16).to_f64(),
            Self::Bf16 => half::bf16::from_bits(bits as u16).to_f64(),
            Self::F32 => f64::from(f32::from_bits(bits as u32)),
            _ => f64::from_bits(bits),
        };
        self.words(data, big_endian).map(value).collect()
    }

    /// The elements of an integer format.
    pub(super) fn integers(self, data: &[u8], big_endian: bool) -> Vec<i128> {
        let unused = 64 - 8 * self.bytes();
        let value = |bits: u64| match self {
            Self::Int { signed: true, .. } => i128::from(((bits << unused) as i64) >> unused),
            _ => i128::from(bits),
        };
        self.words(data, big_endian).map(value).collect()
    }

    fn words(self, data: &[u8], big_endian: bool) -> impl Iterator<Item = u64> + '_ {
        let shift = move |bits: u64, byte: &u8| (bits << 8) | u64::from(*byte);
        data.chunks_exact(self.bytes()).map(move |chunk| match big_endian {
            true => chunk.iter().fold(0, shift),
            false => chunk.iter().rev().fold(0, shift),
        })
    }
}

/// Counts the elements of one file against the limits, before anything is allocated for them.
#[derive(Default)]
pub(super) struct Budget {
    elements: u128,
    bytes: u128,
}

impl Budget {
    /// Accounts for a tensor of this shape; its number of elements if it may be read.
    pub(super) fn admit(
        &mut self,
        file: &Path,
        tensor: &str,
        shape: &Shape,
    ) -> Result<usize, ImportError> {
        let size = shape.elements();
        self.elements = self.elements.saturating_add(size);
        let (what, size, limit) = if size > MAX_ELEMENTS as u128 {
            (format!("`{tensor}` of shape {shape}"), size, MAX_ELEMENTS as u128)
        } else if self.elements > MAX_TOTAL_ELEMENTS as u128 {
            ("the file".to_string(), self.elements, MAX_TOTAL_ELEMENTS as u128)
        } else {
            return Ok(size as usize);
        };
        Err(ImportError::TooLarge { file: file.into(), what, size, unit: "elements", limit })
    }

    /// Accounts for a vector of `len` integers of up to `bits` bits.
    pub(super) fn admit_exact(
        &mut self,
        file: &Path,
        what: &str,
        len: usize,
        bits: u64,
    ) -> Result<(), ImportError> {
        self.bytes = self.would_admit_exact(file, what, len, bits)?;
        Ok(())
    }

    /// The bytes counted so far with such a vector, without accounting for it.
    pub(super) fn would_admit_exact(
        &self,
        file: &Path,
        what: &str,
        len: usize,
        bits: u64,
    ) -> Result<u128, ImportError> {
        let size = self.bytes + len as u128 * u128::from(bits.div_ceil(8));
        if size <= MAX_EXACT_BYTES {
            return Ok(size);
        }
        let (what, limit) = (format!("the exact form of {what}"), MAX_EXACT_BYTES);
        Err(ImportError::TooLarge { file: file.into(), what, size, unit: "bytes", limit })
    }

    /// The exact vector of floats that are known to be finite. Floats of very different sizes
    /// need long integers over their common denominator.
    pub(super) fn exact(
        &mut self,
        file: &Path,
        what: &str,
        values: &[f64],
    ) -> Result<ScaledVec, ImportError> {
        let exponents = values.iter().filter(|v| **v != 0.0).map(|v| (v.to_bits() >> 52) & 0x7ff);
        let (low, high) = exponents.fold((u64::MAX, 0), |(l, h), e| (l.min(e), h.max(e)));
        let bits = high.saturating_sub(low) + 53;
        self.admit_exact(file, what, values.len(), bits)?;
        ScaledVec::from_f64s(values).map_err(|bad| {
            let shape = Shape(vec![values.len()]);
            not_finite(file, what, &shape, bad.index, bad.value)
        })
    }
}

/// Refuses NaN and infinities, with their place.
pub(super) fn require_finite(
    file: &Path,
    tensor: &str,
    shape: &Shape,
    values: &[f64],
) -> Result<(), ImportError> {
    match values.iter().position(|v| !v.is_finite()) {
        Some(flat) => Err(not_finite(file, tensor, shape, flat, values[flat])),
        None => Ok(()),
    }
}

fn not_finite(file: &Path, tensor: &str, shape: &Shape, flat: usize, value: f64) -> ImportError {
    let (file, tensor, index) = (file.into(), tensor.into(), shape.index(flat));
    ImportError::NotFinite { file, tensor, index, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `±mantissa·2^exponent` from the definition of an IEEE format.
    fn ieee(bits: u16, exponent_bits: u32) -> f64 {
        let fraction_bits = 15 - exponent_bits;
        let bias = (1i32 << (exponent_bits - 1)) - 1;
        let e = i32::from((bits & 0x7fff) >> fraction_bits);
        let fraction = f64::from(bits & ((1 << fraction_bits) - 1));
        let scale = 2f64.powi(-(fraction_bits as i32));
        let size = match e {
            0 => fraction * scale * 2f64.powi(1 - bias),
            _ if e == (1 << exponent_bits) - 1 && fraction == 0.0 => f64::INFINITY,
            _ if e == (1 << exponent_bits) - 1 => f64::NAN,
            _ => (1.0 + fraction * scale) * 2f64.powi(e - bias),
        };
        if bits >> 15 == 1 { -size } else { size }
    }

    #[test]
    fn every_half_and_bfloat_is_exact() {
        for bits in 0..=u16::MAX {
            for (format, exponent_bits) in [(Format::F16, 5), (Format::Bf16, 8)] {
                let expected = ieee(bits, exponent_bits);
                let found = format.floats(&bits.to_le_bytes(), false)[0];
                let swapped = format.floats(&bits.to_be_bytes(), true)[0];
                let same = |x: f64| x == expected || x.is_nan() && expected.is_nan();
                assert!(same(found) && same(swapped), "{format:?} {bits:#x}: {found} {expected}");
            }
        }
    }

    #[test]
    fn integers_of_every_width() {
        let int = |bytes, signed| Format::Int { bytes, signed };
        assert_eq!(int(1, true).integers(&[0xff, 0x7f], false), [-1, 127]);
        assert_eq!(int(1, false).integers(&[0xff], true), [255]);
        assert_eq!(int(2, true).integers(&[0x01, 0x80], false), [-32767]);
        assert_eq!(int(2, true).integers(&[0x80, 0x01], true), [-32767]);
        assert_eq!(int(8, true).integers(&i64::MIN.to_le_bytes(), false), [i128::from(i64::MIN)]);
        assert_eq!(int(8, false).integers(&[0xff; 8], false), [i128::from(u64::MAX)]);
        assert_eq!(Format::Bool.integers(&[1, 0], false), [1, 0]);
        assert_eq!(Format::F32.floats(&1e-45f32.to_be_bytes(), true), [f64::from(1e-45f32)]);
    }

    #[test]
    fn sizes_are_bounded_before_anything_is_read() {
        let mut budget = Budget::default();
        let file = Path::new("m.npz");
        assert_eq!(budget.admit(file, "X", &Shape(vec![3, 4])).unwrap(), 12);
        let huge = Shape(vec![usize::MAX, usize::MAX, usize::MAX]);
        let error = budget.admit(file, "X", &huge).unwrap_err();
        assert!(matches!(error, ImportError::TooLarge { .. }) && error.exit_code() == 4, "{error}");
        let mut budget = Budget::default();
        let largest = Shape(vec![1 << 13, 1 << 13]);
        assert!((0..2).all(|_| budget.admit(file, "X", &largest).is_ok()));
        let error = budget.admit(file, "X", &largest).unwrap_err();
        assert!(error.to_string().contains("the file has 201326592 elements"), "{error}");
        let mut budget = Budget::default();
        let spread = vec![5e-324, 1e308];
        assert!(budget.exact(file, "X", &spread).is_ok());
        assert!((500..540).contains(&budget.bytes), "{}", budget.bytes);
        let error = budget.admit_exact(file, "X", 1 << 26, 2100).unwrap_err();
        assert!(error.to_string().contains("exact form of X"), "{error}");
    }
}
