//! Rationals as text.
//!
//! The grammar, used in every file the kernel reads:
//!
//! ```text
//! number   = ["-"] digits [ "/" digits            -- a fraction, 3/4
//!                         | "." digits [exponent] -- a decimal, 0.1 means 1/10
//!                         | exponent
//!                         | "p" ["-"|"+"] digits ]-- m·2^e, 5p-3 means 5/8
//! exponent = ("e"|"E") ["-"|"+"] digits
//! ```
use super::Rational;
use num_bigint::BigInt;
use num_traits::{One, Pow, Zero};
use std::cmp::Ordering;

/// Longest accepted text of one number, in bytes.
pub const MAX_NUMBER_LENGTH: usize = 4096;
/// Largest accepted absolute exponent, binary or decimal: enough for every `f64`, exactly.
pub const MAX_EXPONENT: u32 = 2200;

/// Why a text is not a number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseNumberError {
    /// The text does not follow the grammar.
    #[error("`{0}` is not a number (write 3, -3/4, 0.1, 1e-3 or 5p-3)")]
    Syntax(String),
    /// A fraction with denominator 0.
    #[error("`{0}` has denominator 0")]
    ZeroDenominator(String),
    /// The text is longer than [`MAX_NUMBER_LENGTH`].
    #[error("a number of {0} characters exceeds the limit of {MAX_NUMBER_LENGTH}")]
    TooLong(usize),
    /// The exponent exceeds [`MAX_EXPONENT`].
    #[error("the exponent of `{0}` exceeds the limit of {MAX_EXPONENT}")]
    Exponent(String),
}

impl ParseNumberError {
    /// Whether the text is past a limit, rather than wrong.
    pub fn is_limit(&self) -> bool {
        matches!(self, Self::TooLong(_) | Self::Exponent(_))
    }
}

/// Parses one number of the grammar above, exactly.
///
/// # Errors
/// [`ParseNumberError`] names the text and what is wrong with it.
///
/// ```
/// use maxmargin_kernel::number::{format_rational, parse_rational};
/// assert_eq!(format_rational(&parse_rational("0.1").unwrap()), "1/10");
/// assert_eq!(format_rational(&parse_rational("-6p-3").unwrap()), "-3/4");
/// ```
pub fn parse_rational(text: &str) -> Result<Rational, ParseNumberError> {
    if text.len() > MAX_NUMBER_LENGTH {
        return Err(ParseNumberError::TooLong(text.len()));
    }
    let syntax = || ParseNumberError::Syntax(text.to_string());
    let (negative, body) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let magnitude = if let Some((numerator, denominator)) = body.split_once('/') {
        let d = digits(denominator).ok_or_else(syntax)?;
        if d.is_zero() {
            return Err(ParseNumberError::ZeroDenominator(text.to_string()));
        }
        Rational::new(digits(numerator).ok_or_else(syntax)?, d)
    } else if let Some((mantissa, exponent)) = body.split_once('p') {
        let m = digits(mantissa).ok_or_else(syntax)?;
        scale(m, 2, exponent, text)?
    } else {
        let (mantissa, exponent) = match body.split_once(['e', 'E']) {
            Some((m, e)) => (m, Some(e)),
            None => (body, None),
        };
        let m = match mantissa.split_once('.') {
            Some((whole, fraction)) => {
                let (w, f) = (digits(whole), digits(fraction));
                let places = u32::try_from(fraction.len()).map_err(|_| syntax())?;
                let unit = BigInt::from(10).pow(places);
                Rational::new(w.ok_or_else(syntax)? * &unit + f.ok_or_else(syntax)?, unit)
            }
            None => Rational::from_integer(digits(mantissa).ok_or_else(syntax)?),
        };
        match exponent {
            Some(e) => m * scale(BigInt::one(), 10, e, text)?,
            None => m,
        }
    };
    Ok(if negative { -magnitude } else { magnitude })
}

fn digits(text: &str) -> Option<BigInt> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn scale(m: BigInt, base: u32, exponent: &str, text: &str) -> Result<Rational, ParseNumberError> {
    let syntax = || ParseNumberError::Syntax(text.to_string());
    let (down, size) = match exponent.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, exponent.strip_prefix('+').unwrap_or(exponent)),
    };
    if digits(size).is_none() {
        return Err(syntax());
    }
    let e = size.parse::<u32>().ok().filter(|e| *e <= MAX_EXPONENT);
    let e = e.ok_or_else(|| ParseNumberError::Exponent(text.to_string()))?;
    let power = BigInt::from(base).pow(e);
    Ok(if down { Rational::new(m, power) } else { Rational::from_integer(m * power) })
}

/// Compares by cross-multiplication.
///
/// `Ord`, `PartialEq` and `Hash` of [`Rational`] recurse once per term of the continued fraction,
/// which numbers from a file can make long enough to overflow the stack; the kernel compares with
/// this instead.
pub fn compare(a: &Rational, b: &Rational) -> Ordering {
    (a.numer() * b.denom()).cmp(&(b.numer() * a.denom()))
}

/// Writes a rational in lowest terms, `p` or `p/q`: the canonical text that digests use.
pub fn format_rational(value: &Rational) -> String {
    value.to_string()
}

/// The shortest of `p`, `p/q` and `m`p`e` that denotes the value: what certificates contain.
pub fn format_short(value: &Rational) -> String {
    let (n, d) = (value.numer(), value.denom());
    let twos = d.trailing_zeros().unwrap_or(0);
    if twos > 6 && (d >> twos).is_one() {
        return format!("{n}p-{twos}");
    }
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_every_form() {
        let value = |t: &str| format_rational(&parse_rational(t).unwrap());
        for (text, expected) in [
            ("3", "3"),
            ("-3/4", "-3/4"),
            ("6/8", "3/4"),
            ("0.1", "1/10"),
            ("-1.50", "-3/2"),
            ("1e-3", "1/1000"),
            ("2.5E+2", "250"),
            ("5p-3", "5/8"),
            ("-5p3", "-40"),
            ("0", "0"),
            ("-0", "0"),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn compare_does_not_recurse() {
        // Neighbours of Fibonacci numbers have the longest continued fractions: as many terms as
        // fit. Test threads have small stacks.
        let (mut a, mut b) = (BigInt::one(), BigInt::one());
        while a.bits() < 40_000 {
            (a, b) = (b.clone(), a + b);
        }
        let low = Rational::new(b.clone(), a.clone());
        let high = Rational::new(&a + &b, b);
        assert_ne!(compare(&low, &high), Ordering::Equal);
        assert_eq!(compare(&low, &low), Ordering::Equal);
        assert_eq!(compare(&low, &high), compare(&high, &low).reverse());
    }

    #[test]
    fn refuses_with_the_reason() {
        for text in [
            "", "-", "+1", "1/", "/2", "1/-2", "1.", ".5", "1e", "nan", "inf", " 1", "1_0", "5p",
            "1.5p3", "0x1",
        ] {
            assert_eq!(parse_rational(text), Err(ParseNumberError::Syntax(text.into())), "{text}");
        }
        assert_eq!(parse_rational("1/0"), Err(ParseNumberError::ZeroDenominator("1/0".into())));
        assert_eq!(
            parse_rational("1e9999999999"),
            Err(ParseNumberError::Exponent("1e9999999999".into()))
        );
        assert_eq!(parse_rational("1p2201"), Err(ParseNumberError::Exponent("1p2201".into())));
        let long = "1".repeat(MAX_NUMBER_LENGTH + 1);
        assert_eq!(parse_rational(&long), Err(ParseNumberError::TooLong(long.len())));
    }

    proptest! {
        #[test]
        fn text_and_back(n in any::<i64>(), d in 1..i64::MAX, twos in 0usize..200) {
            let value = Rational::new(n.into(), BigInt::from(d) << twos);
            prop_assert_eq!(parse_rational(&format_rational(&value)).unwrap(), value.clone());
            prop_assert_eq!(parse_rational(&format_short(&value)).unwrap(), value);
        }
    }
}
