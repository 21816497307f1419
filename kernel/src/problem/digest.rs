//! Digests that tie a certificate to one network and one data set.
//!
//! SHA-256 of the canonical exact JSON: keys in the order of the format, no white space, every
//! number as `str(fractions.Fraction(…))` writes it. In Python, for a data set:
//! `hashlib.sha256(json.dumps({"x": [[str(Fraction(v)) for v in row] for row in X], "y": y},
//! separators=(",", ":")).encode()).hexdigest()`.
use super::{Data, DataJson};
use crate::network::{Network, NetworkJson};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Digest of a network, 64 hexadecimal digits.
pub fn network_digest(network: &Network) -> String {
    hash(&NetworkJson::from_network(network))
}

/// Digest of a data set with normalised labels, 64 hexadecimal digits.
pub fn data_digest(data: &Data) -> String {
    hash(&DataJson::from_data(data))
}

fn hash(value: &impl Serialize) -> String {
    struct Sink(Sha256);
    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut sink = Sink(Sha256::new());
    // Strings, integers and lists always serialise, and the sink always accepts.
    if serde_json::to_writer(&mut sink, value).is_err() {
        return String::new();
    }
    sink.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_canonical_text() {
        // python3 -c 'import hashlib; print(hashlib.sha256(TEXT).hexdigest())'
        let data: DataJson =
            serde_json::from_str(r#"{"x":[["1","0.25"],["-1","2/8"]],"y":[1,1]}"#).unwrap();
        assert_eq!(
            data_digest(&data.to_data().unwrap()),
            "2aec75f58a90c051a8259e512ac2a06c55c631fb7fd06d90775da256e8236c2a"
        );
        let net: NetworkJson =
            serde_json::from_str(r#"{"activation":"relu","layers":[{"weights":[["0","2"],[null,"0"]]},{"weights":[["2","0"]]}]}"#).unwrap();
        assert_eq!(
            network_digest(&net.to_network().unwrap()),
            "9d92ec5418764140b5a868ac189b4d7d4a86e644d832eadaebbb8e0e4abf1903"
        );
    }
}
