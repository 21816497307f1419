//! Exact JSON networks, also the canonical text that digests hash.
use super::{Activation, Layer, Network, NetworkError};
use crate::number::{Rational, format_rational, parse_rational};
use crate::object::AsObject;
use serde::{Deserialize, Serialize};

/// `{"activation": …, "layers": […]}`; numbers are strings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkJson {
    /// `"relu"`, `"linear"` or `{"leaky_relu": "1/10"}`.
    pub activation: ActivationJson,
    /// First layer first.
    pub layers: Vec<LayerJson>,
}

/// The activation in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "RawActivation")]
pub enum ActivationJson {
    /// Slope 0 on negative inputs.
    Relu,
    /// Slope 1.
    Linear,
    /// Any slope in [0, 1].
    LeakyRelu(String),
}

/// As written: serde's derived code would take `{"relu": null}` as well.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawActivation {
    Word(String),
    Leaky(#[serde(deserialize_with = "crate::object::object")] RawLeaky),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLeaky {
    leaky_relu: String,
}

impl TryFrom<RawActivation> for ActivationJson {
    type Error = String;
    fn try_from(raw: RawActivation) -> Result<Self, String> {
        match raw {
            RawActivation::Leaky(RawLeaky { leaky_relu }) => Ok(Self::LeakyRelu(leaky_relu)),
            RawActivation::Word(word) => match word.as_str() {
                "relu" => Ok(Self::Relu),
                "linear" => Ok(Self::Linear),
                other => Err(format!(
                    "unknown activation `{other}`, expected `relu`, `linear` or {{\"leaky_relu\": slope}}"
                )),
            },
        }
    }
}

/// One layer in a file: canonical is `weights` iff no coordinate is shared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a layer is {\"weights\": rows} or {\"parameters\": list, \"pattern\": rows}, with numbers as strings (\"3\", \"-3/4\")"
)]
pub enum LayerJson {
    /// A matrix by rows; `null` is a structural zero.
    Weights(#[serde(deserialize_with = "crate::object::object")] WeightsJson),
    /// Shared coordinates.
    Shared(#[serde(deserialize_with = "crate::object::object")] SharedJson),
}

/// A matrix by rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightsJson {
    /// Numbers, or `null` for structural zeros.
    pub weights: Vec<Vec<Option<String>>>,
}

/// A parameter vector and the entries that use it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedJson {
    /// The parameter vector.
    pub parameters: Vec<String>,
    /// Indices into `parameters`, or `null` for structural zeros.
    pub pattern: Vec<Vec<Option<usize>>>,
}

impl NetworkJson {
    /// Reads the description: one object and nothing else.
    ///
    /// # Errors
    /// Not JSON, or not of this form.
    pub fn read(text: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(text).map(|AsObject(json)| json)
    }

    /// The network this describes.
    ///
    /// # Errors
    /// [`NetworkError`] names the layer.
    pub fn to_network(&self) -> Result<Network, NetworkError> {
        let activation = match &self.activation {
            ActivationJson::Relu => Activation::relu(),
            ActivationJson::Linear => Activation::linear(),
            ActivationJson::LeakyRelu(slope) => {
                let slope = parse_rational(slope);
                Activation::leaky(slope.map_err(|error| NetworkError::Number { layer: 1, error })?)?
            }
        };
        let layers = self.layers.iter().enumerate().map(|(l, json)| json.to_layer(l + 1));
        Network::new(activation, layers.collect::<Result<_, _>>()?)
    }

    /// The canonical description: numbers in lowest terms, `weights` wherever nothing is shared.
    pub fn from_network(network: &Network) -> Self {
        let slope = network.activation().slope();
        let activation = match format_rational(slope).as_str() {
            "0" => ActivationJson::Relu,
            "1" => ActivationJson::Linear,
            other => ActivationJson::LeakyRelu(other.to_string()),
        };
        Self { activation, layers: network.layers().iter().map(LayerJson::from_layer).collect() }
    }
}

impl LayerJson {
    /// The layer this describes; `layer` counts from 1.
    ///
    /// # Errors
    /// [`NetworkError`] names the layer.
    pub fn to_layer(&self, layer: usize) -> Result<Layer, NetworkError> {
        let number = |text: &String| {
            parse_rational(text).map_err(|error| NetworkError::Number { layer, error })
        };
        match self {
            Self::Weights(WeightsJson { weights }) => {
                let mut parameters: Vec<Rational> = Vec::new();
                let mut pattern = Vec::with_capacity(weights.len());
                for row in weights {
                    let mut indices = Vec::with_capacity(row.len());
                    for entry in row {
                        indices.push(entry.as_ref().map(|_| parameters.len()));
                        parameters.extend(entry.as_ref().map(number).transpose()?);
                    }
                    pattern.push(indices);
                }
                Layer::new(layer, &pattern, &parameters)
            }
            Self::Shared(SharedJson { parameters, pattern }) => {
                let parameters = parameters.iter().map(number).collect::<Result<Vec<_>, _>>()?;
                Layer::new(layer, pattern, &parameters)
            }
        }
    }

    /// The canonical description of a layer.
    pub fn from_layer(layer: &Layer) -> Self {
        let columns = 0..layer.cols();
        if layer.max_uses() > 1 {
            let row = |r| columns.clone().map(|c| layer.coordinate(r, c)).collect();
            let parameters = layer.parameters().to_rationals();
            return Self::Shared(SharedJson {
                parameters: parameters.iter().map(format_rational).collect(),
                pattern: (0..layer.rows()).map(row).collect(),
            });
        }
        let value = |i| format_rational(&layer.parameters().get(i));
        let row = |r| columns.clone().map(|c| layer.coordinate(r, c).map(value)).collect();
        Self::Weights(WeightsJson { weights: (0..layer.rows()).map(row).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Network, NetworkError> {
        serde_json::from_str::<NetworkJson>(text).unwrap().to_network()
    }

    #[test]
    fn reads_and_writes_the_canonical_form() {
        let text = r#"{"activation":{"leaky_relu":"0.1"},"layers":[{"parameters":["1","2/2","7"],"pattern":[[2,0,null,null],[null,null,2,1]]},{"weights":[["1","-0.50"]]}]}"#;
        let canonical = r#"{"activation":{"leaky_relu":"1/10"},"layers":[{"parameters":["7","1","1"],"pattern":[[0,1,null,null],[null,null,0,2]]},{"weights":[["1","-1/2"]]}]}"#;
        let net = read(text).unwrap();
        assert!(net.has_sharing());
        assert_eq!(serde_json::to_string(&NetworkJson::from_network(&net)).unwrap(), canonical);
        assert_eq!(read(canonical).unwrap(), net);
    }

    #[test]
    fn a_pattern_without_sharing_is_written_as_weights() {
        let net = read(r#"{"activation":"linear","layers":[{"parameters":["1","2"],"pattern":[[1,null],[null,0]]}]}"#).unwrap();
        let text = serde_json::to_string(&NetworkJson::from_network(&net)).unwrap();
        assert_eq!(
            text,
            r#"{"activation":"linear","layers":[{"weights":[["2",null],[null,"1"]]}]}"#
        );
    }

    #[test]
    fn names_what_is_wrong() {
        let case = |layers: &str| {
            read(&format!(r#"{{"activation":"relu","layers":[{layers}]}}"#)).unwrap_err()
        };
        assert_eq!(case(""), NetworkError::Depth(0));
        assert_eq!(case(r#"{"weights":[]}"#), NetworkError::Empty { layer: 1, rows: 0, cols: 0 });
        assert_eq!(
            case(r#"{"weights":[["1"],["1","2"]]}"#),
            NetworkError::Ragged { layer: 1, row: 1, found: 2, expected: 1 }
        );
        assert_eq!(
            case(r#"{"weights":[["1"]]},{"weights":[["1","2"]]}"#),
            NetworkError::Chain { layer: 2, cols: 2, rows: 1 }
        );
        assert_eq!(
            case(r#"{"parameters":["1"],"pattern":[[0,1]]}"#),
            NetworkError::NoSuchParameter { layer: 1, index: 1, count: 1 }
        );
        assert_eq!(
            case(r#"{"parameters":["1","2"],"pattern":[[0,0]]}"#),
            NetworkError::Unused { layer: 1, index: 1 }
        );
        let fine = r#"{"weights":[["1e-2200"]]}"#;
        assert_eq!(case(&[fine; 5].join(",")), NetworkError::TooLong(5 * (7309 + 2)));
        let slope = r#"{"activation":{"leaky_relu":"3/2"},"layers":[{"weights":[["1"]]}]}"#;
        assert_eq!(read(slope), Err(NetworkError::Slope("3/2".into())));
    }
}
