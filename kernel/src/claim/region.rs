//! Scopes and regions: which competitors a claim speaks of. The same texts in files and on the
//! command line.
use super::Number;
use super::number::refused;
use crate::number::{ParseNumberError, parse_rational};
use num_traits::Signed;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::str::FromStr;

/// Which parameters are variables; the others are fixed at θ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All layers: Problem (2).
    All,
    /// One layer, from 1: Problem (3).
    Layer(usize),
}

/// The competitors θ' of a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum Region {
    /// Depth 2: every neuron keeps its sign pattern on the samples weakly (`z = 0` counts as
    /// `≤ 0`), and its output weight keeps its sign weakly (either, if it is 0). In scope `layer l`,
    /// at any depth: every unit of the hidden layers `l` and above keeps the sign of its
    /// preactivation weakly on the samples (`z = 0` counts as `≤ 0`).
    Cell,
    /// Depth 2: the same, but the sign of `w'_j·x_i` is free where `|w_j·x_i| ≤ δ|w_j||x_i|`.
    Near(Number),
    /// Every θ' of this architecture.
    Everywhere,
    /// Every network without shared weights, of this depth, activation, number of inputs and
    /// outputs, and of any width; at depth 2, each of whose neurons reads only inputs that some
    /// one neuron of this network may read.
    AnyWidth,
}

/// A scope that is neither `all` nor `layer:L`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scope (write all, or layer:1)")]
pub struct ParseScopeError(String);

/// A text that is not a region.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseRegionError {
    /// None of the words.
    #[error("`{0}` is not a region (write cell, near:1e-4, everywhere or any_width)")]
    Word(String),
    /// `near:` with something that is no number.
    #[error("`{0}` is not a region: {1}")]
    Number(String, ParseNumberError),
    /// A negative δ.
    #[error("`{0}` is not a region: δ must not be negative")]
    Negative(String),
}

impl ParseRegionError {
    /// Whether δ is past a limit, rather than wrong.
    pub fn is_limit(&self) -> bool {
        matches!(self, Self::Number(_, error) if error.is_limit())
    }
}

impl Region {
    /// The region as a noun phrase.
    pub fn competitors(&self) -> String {
        match self {
            Self::Cell => "all networks in this activation cell".to_string(),
            Self::Near(delta) => {
                format!(
                    "all networks in this and the adjacent activation cells (kinks within δ = {delta} free)"
                )
            }
            Self::Everywhere => "all networks of this architecture".to_string(),
            Self::AnyWidth => {
                "all networks of this depth and any width without shared weights (at \
                               depth 2, each neuron reading only inputs that one neuron here may \
                               read)"
                    .to_string()
            }
        }
    }
}

impl FromStr for Scope {
    type Err = ParseScopeError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let layer = |t: &str| t.parse().ok().filter(|l: &usize| *l >= 1 && !t.starts_with('+'));
        match text {
            "all" => Ok(Self::All),
            _ => match text.strip_prefix("layer:").and_then(layer) {
                Some(l) => Ok(Self::Layer(l)),
                None => Err(ParseScopeError(text.to_string())),
            },
        }
    }
}

impl FromStr for Region {
    type Err = ParseRegionError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "cell" => Ok(Self::Cell),
            "everywhere" => Ok(Self::Everywhere),
            "any_width" => Ok(Self::AnyWidth),
            _ => {
                let word = || ParseRegionError::Word(text.to_string());
                let delta = text.strip_prefix("near:").ok_or_else(word)?;
                let delta = parse_rational(delta)
                    .map_err(|error| ParseRegionError::Number(text.to_string(), error))?;
                match delta.is_negative() {
                    false => Ok(Self::Near(Number(delta))),
                    true => Err(ParseRegionError::Negative(text.to_string())),
                }
            }
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Layer(l) => write!(f, "layer:{l}"),
        }
    }
}

impl std::fmt::Display for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cell => f.write_str("cell"),
            Self::Near(delta) => write!(f, "near:{delta}"),
            Self::Everywhere => f.write_str("everywhere"),
            Self::AnyWidth => f.write_str("any_width"),
        }
    }
}

macro_rules! as_text {
    ($type:ty, $is_limit:expr) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                let is_limit: fn(&<$type as FromStr>::Err) -> bool = $is_limit;
                text.parse().map_err(|error| refused(&error, is_limit(&error)))
            }
        }
    };
}
as_text!(Scope, |_| false);
as_text!(Region, ParseRegionError::is_limit);

#[cfg(test)]
mod tests {
    use super::super::LIMIT;
    use super::*;

    #[test]
    fn any_width_is_not_any_network() {
        let words = Region::AnyWidth.competitors();
        assert!(words.contains("without shared weights"), "{words}");
        assert!(words.contains("reading only inputs that one neuron here may read"), "{words}");
    }

    #[test]
    fn texts_and_back() {
        for text in ["cell", "near:0", "near:1/10000", "near:3p-20", "everywhere", "any_width"] {
            assert_eq!(text.parse::<Region>().unwrap().to_string(), text);
        }
        assert_eq!("near:1e-4".parse::<Region>().unwrap().to_string(), "near:1/10000");
        for text in ["", "near", "Cell", "ball:1"] {
            assert_eq!(text.parse::<Region>(), Err(ParseRegionError::Word(text.into())), "{text}");
        }
        for text in ["near:", "near:x", "near:nan", "near:1/0"] {
            let error = text.parse::<Region>().unwrap_err();
            assert!(matches!(error, ParseRegionError::Number(..)) && !error.is_limit(), "{text}");
        }
        let negative = "near:-1".parse::<Region>();
        assert_eq!(negative, Err(ParseRegionError::Negative("near:-1".into())));
        assert!("near:1e-3000".parse::<Region>().unwrap_err().is_limit());
        let text = serde_json::from_str::<Region>("\"near:1e-3000\"").unwrap_err().to_string();
        assert!(text.starts_with(LIMIT), "{text}");
        for text in ["all", "layer:1", "layer:12"] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        for text in ["", "layer:0", "layer:", "layer:-1", "layer:+1", "2"] {
            assert_eq!(text.parse::<Scope>(), Err(ParseScopeError(text.into())), "{text}");
        }
    }
}
