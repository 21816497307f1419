//! Limits of size, each checked before the memory it bounds is allocated.
use super::error::ImportError;
use maxmargin_kernel::number::ScaledVec;
use maxmargin_kernel::number::rational::MAX_NUMBER_LENGTH;
use std::path::Path;

/// Largest accepted binary file, in bytes.
pub const MAX_FILE_BYTES: u64 = 2 << 30;
/// Largest accepted ONNX file, in bytes: decoded, its many small parts can take tens of times that.
pub const MAX_ONNX_BYTES: u64 = 128 << 20;
/// Largest accepted text file (csv, JSON), in bytes.
pub const MAX_TEXT_BYTES: u64 = 256 << 20;
/// Largest accepted number of elements of one tensor or array: the kernel's own limit.
pub const MAX_ELEMENTS: usize = maxmargin_kernel::network::MAX_ENTRIES;
/// Largest accepted number of elements of all tensors of one file.
pub const MAX_TOTAL_ELEMENTS: usize = 2 * MAX_ELEMENTS;
/// Largest accepted header of a safetensors file, in bytes.
pub const MAX_SAFETENSORS_HEADER: usize = 16 << 20;
/// Largest accepted header of an array in an npz file, in bytes; NumPy's own limit.
pub const MAX_NPY_HEADER: usize = 10_000;
/// Most memory for the exact integers of one file, in bytes: floats or decimals of very
/// different sizes take hundreds of bytes each over their common denominator.
pub const MAX_EXACT_BYTES: u128 = 2 << 30;

/// Refuses a number that could be read but, as the fraction that certificates embed, not written:
/// thousands of decimal places double in length there.
pub(super) fn check_fractions(
    file: &Path,
    vector: &ScaledVec,
    what: impl Fn(usize) -> String,
) -> Result<(), ImportError> {
    // A decimal digit holds more than three bits.
    let bits = vector.numerators().bits() + vector.denominator().bits();
    if bits + 16 <= 3 * MAX_NUMBER_LENGTH as u64 {
        return Ok(());
    }
    for (index, value) in vector.to_rationals().iter().enumerate() {
        let length = value.to_string().len();
        if length > MAX_NUMBER_LENGTH {
            return Err(ImportError::TooLarge {
                file: file.into(),
                what: format!("{}, written as a fraction,", what(index)),
                size: length as u128,
                unit: "characters",
                limit: MAX_NUMBER_LENGTH as u128,
            });
        }
    }
    Ok(())
}
