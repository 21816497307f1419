//! What a certificate holds besides its claims, as far as pictures need it: multipliers, curves.
//!
//! The kernel has verified the file; this reads it a second time and keeps only small parts, so
//! that a proof of millions of nodes does not have to fit in memory.
use maxmargin_kernel::certificate::ProblemEntry;
use maxmargin_kernel::claim::{Claim, Number};
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::cover::Units;
use maxmargin_kernel::proof::moves::Moves;
use num_traits::ToPrimitive;
use serde::Deserialize;
use std::io::Read;

/// The parts of a certificate that a page shows.
#[derive(Debug)]
pub struct Contents {
    /// Digests, and the problem if it is embedded.
    pub entry: ProblemEntry,
    /// One per claim, in file order.
    pub witnesses: Vec<Witness>,
}

/// What is shown of one proof.
#[derive(Clone, Debug)]
pub struct Witness {
    /// The claim it proves.
    pub claim: Claim,
    /// Its rule.
    pub rule: String,
    /// `(constraint, λ)`, for rules with one list of multipliers; samples are constraints where
    /// there is one output.
    pub lambda: Vec<(usize, f64)>,
    /// The curve of an escape.
    pub moves: Option<Moves>,
}

#[derive(Deserialize)]
struct Document {
    problem: ProblemEntry,
    claims: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    claim: Claim,
    proof: Proof,
}

#[derive(Deserialize)]
struct Proof {
    rule: String,
    #[serde(default)]
    lambda: Vec<(usize, Number)>,
    multipliers: Option<Multipliers>,
    moves: Option<Moves>,
}

#[derive(Deserialize)]
struct Multipliers {
    units: Units,
    #[serde(default)]
    lambda: Vec<(usize, i64)>,
}

impl Contents {
    /// Reads them from the text of a certificate.
    ///
    /// # Errors
    /// Not the JSON this format is.
    pub fn read(source: impl Read) -> Result<Self, serde_json::Error> {
        let document: Document = serde_json::from_reader(source)?;
        let witness = |entry: Entry| {
            let Proof { rule, lambda, multipliers, moves } = entry.proof;
            let mut values: Vec<_> = lambda.iter().map(|(k, l)| (*k, l.to_f64())).collect();
            if let Some(m) = multipliers {
                let unit = m.units.a.to_f64();
                values.extend(m.lambda.iter().map(|(i, n)| (*i, n.to_f64().unwrap_or(0.0) * unit)));
            }
            values.retain(|(_, l)| *l > 0.0);
            Witness { claim: entry.claim, rule, lambda: values, moves }
        };
        let witnesses = document.claims.into_iter().map(witness).collect();
        Ok(Self { entry: document.problem, witnesses })
    }

    /// The embedded problem, if there is one.
    pub fn problem(&self) -> Option<Problem> {
        let network = self.entry.network.as_ref()?.to_network().ok()?;
        let data = self.entry.data.as_ref()?.to_data().ok()?;
        Problem::new(network, data).ok()
    }
}
