//! A rational that files write as a string.
use crate::number::{Rational, compare, parse_rational, rational::format_short};
use num_bigint::BigInt;
use num_traits::{Pow, Signed, ToPrimitive, Zero};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;

/// A rational; in a file, a string of the grammar of [`crate::number::rational`].
#[derive(Clone, Debug)]
pub struct Number(pub Rational);

impl Number {
    /// The nearest `f64`, for display only.
    pub fn to_f64(&self) -> f64 {
        self.0.to_f64().unwrap_or(f64::NAN)
    }

    /// Nine to eleven significant digits, rounded towards −∞: what a lower bound reads as.
    pub fn rounded_down(&self) -> String {
        decimal(&self.0, Rational::floor)
    }

    /// Nine to eleven significant digits, rounded towards +∞: what an upper bound reads as.
    pub fn rounded_up(&self) -> String {
        decimal(&self.0, Rational::ceil)
    }

    /// Ten significant digits to nearest, for messages only.
    pub fn approximately(&self) -> String {
        let value = self.to_f64();
        let size = value.abs();
        if value == 0.0 || (1e-3..1e6).contains(&size) {
            format!("{value:.9}")
        } else {
            format!("{value:.9e}")
        }
    }
}

/// `value` in decimal, its last digit rounded as told.
fn decimal(value: &Rational, round: fn(&Rational) -> Rational) -> String {
    if value.is_zero() {
        return "0".to_string();
    }
    let bits = |x: &BigInt| i64::try_from(x.bits()).unwrap_or(i64::MAX / 2);
    // |value| is within a factor 2 of 2^size, so |value|·10^places has 9 to 11 digits before the point.
    let size = bits(value.numer()) - bits(value.denom());
    let places = 9 - size.saturating_mul(30_103).div_euclid(100_000);
    let power = BigInt::from(10).pow(u32::try_from(places.unsigned_abs()).unwrap_or(u32::MAX));
    let scaled = if places < 0 { value / power } else { value * power };
    let rounded = round(&scaled).to_integer();
    let sign = if rounded.is_negative() { "-" } else { "" };
    let digits = rounded.magnitude().to_string();
    let trimmed = digits.trim_end_matches('0');
    // The value is 0.digits·10^point.
    let point = i64::try_from(digits.len()).unwrap_or(i64::MAX).saturating_sub(places);
    match usize::try_from(point) {
        Ok(whole @ 1..=7) => match (digits.get(..whole), trimmed.get(whole..)) {
            (Some(whole), Some(fraction)) if !fraction.is_empty() => {
                format!("{sign}{whole}.{fraction}")
            }
            _ => format!("{sign}{}", digits.get(..whole).unwrap_or(&digits)),
        },
        _ if (-2..=0).contains(&point) => {
            let zeros = "0".repeat(usize::try_from(-point).unwrap_or(0));
            format!("{sign}0.{zeros}{trimmed}")
        }
        _ => {
            let (first, rest) = trimmed.split_at_checked(1).unwrap_or((trimmed, ""));
            let dot = if rest.is_empty() { "" } else { "." };
            format!("{sign}{first}{dot}{rest}e{}", point - 1)
        }
    }
}

/// How a parse error that is a limit begins.
pub(crate) const LIMIT: &str = "limit: ";

/// An error of serde. Those are texts: the reader knows limits by their first words.
pub(super) fn refused<E: serde::de::Error>(error: &impl std::fmt::Display, is_limit: bool) -> E {
    match is_limit {
        true => E::custom(format_args!("{LIMIT}{error}")),
        false => E::custom(error),
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&self.0, &other.0)
    }
}

impl From<Rational> for Number {
    fn from(value: Rational) -> Self {
        Self(value)
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&format_short(&self.0))
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format_short(&self.0))
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        parse_rational(&text).map(Self).map_err(|error| refused(&error, error.is_limit()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        Number(parse_rational(text).unwrap())
    }

    #[test]
    fn bounds_read_as_what_they_are_or_weaker() {
        for (text, down, up) in [
            ("1/3", "0.3333333333", "0.3333333334"),
            ("-1/3", "-0.3333333334", "-0.3333333333"),
            ("1/4", "0.25", "0.25"),
            ("2", "2", "2"),
            ("40", "40", "40"),
            ("1234567.5", "1234567.5", "1234567.5"),
            ("0", "0", "0"),
            ("1/1000", "0.001", "0.001"),
            ("1e-4", "1e-4", "1e-4"),
            ("12345678", "1.2345678e7", "1.2345678e7"),
            // Below the smallest float, and never to be read as 0.
            ("1e-400", "1e-400", "1e-400"),
            ("1e400", "1e400", "1e400"),
            ("0.99999999999999", "0.999999999", "1"),
        ] {
            assert_eq!(number(text).rounded_down(), down, "{text}");
            assert_eq!(number(text).rounded_up(), up, "{text}");
        }
    }

    proptest! {
        #[test]
        fn decimals_enclose_the_value(n in any::<i64>(), d in 1i64.., shift in 0usize..90) {
            let value = Number(Rational::new(n.into(), BigInt::from(d) << shift));
            let (down, up) = (number(&value.rounded_down()), number(&value.rounded_up()));
            prop_assert!(down <= value && value <= up);
            let gap = (&up.0 - &down.0) * BigInt::from(100_000_000);
            prop_assert!(gap <= value.0.abs());
        }
    }
}
