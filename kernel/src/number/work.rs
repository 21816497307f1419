//! How much arithmetic a step may cost, estimated before it is done.
//!
//! A short file can describe long work: exponents make long numbers, shared weights large matrices,
//! curves products of polynomials. A product of numbers of `w` words costs about `w²` products of
//! words; with what every operation costs besides, it is counted as `32 + w²`.

/// Most word products of one step: some seconds.
pub const MAX_WORK: u64 = 1 << 32;

/// The cost of a step: so many products (the product of the list) of numbers of so many bits.
pub(crate) fn cost(counts: &[usize], bits: u64) -> u64 {
    let words = bits / 64 + 1;
    let one = words.saturating_mul(words).saturating_add(32);
    let count = |n: &usize| u64::try_from(*n).unwrap_or(u64::MAX);
    counts.iter().map(count).fold(one, u64::saturating_mul)
}

/// The cost, if it is past [`MAX_WORK`].
pub(crate) fn exceeds(counts: &[usize], bits: u64) -> Option<u64> {
    Some(cost(counts, bits)).filter(|cost| *cost > MAX_WORK)
}

/// The same for steps whose count is at most quadratic in what was read, such as an evaluation of a
/// network on a data set: with numbers of up to eight words they are never too much.
pub(crate) fn exceeds_when_long(counts: &[usize], bits: u64) -> Option<u64> {
    if bits < 8 * 64 { None } else { exceeds(counts, bits) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_saturate() {
        assert_eq!(cost(&[2, 3], 0), 6 * 33);
        assert_eq!(cost(&[10], 640), 10 * (121 + 32));
        assert_eq!(cost(&[usize::MAX, 3], u64::MAX), u64::MAX);
        assert_eq!(cost(&[usize::MAX, 0], 1), 0);
        let at_limit = usize::try_from(MAX_WORK / 33).unwrap();
        assert_eq!(exceeds(&[at_limit], 0), None);
        assert_eq!(exceeds(&[at_limit + 1], 0), Some(33 * (MAX_WORK / 33 + 1)));
        assert_eq!(exceeds_when_long(&[usize::MAX], 511), None);
        assert!(exceeds_when_long(&[usize::MAX], 512).is_some());
    }
}
