//! A rational that files write as a string.
use crate::number::{Rational, compare, parse_rational, rational::format_short};
use num_traits::ToPrimitive;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::cmp::Ordering;

/// A rational; in a file, a string of the grammar of [`crate::number::rational`].
#[derive(Clone, Debug)]
pub struct Number(pub Rational);

impl Number {
    /// The nearest `f64`, for display only.
    pub fn to_f64(&self) -> f64 {
        self.0.to_f64().unwrap_or(f64::NAN)
    }

    /// Ten significant digits, for reading only.
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
        parse_rational(&text).map(Self).map_err(D::Error::custom)
    }
}
