//! Problem + certificate → verdict.

mod limits;
mod report;

pub(crate) use limits::Meter;
pub use limits::{Limit, Limits};
pub use report::{Report, margin_json, report_json};

use crate::certificate::{ProblemEntry, read};
use crate::claim::Claim;
use crate::network::NetworkError;
use crate::problem::{DataError, Problem, data_digest, network_digest};
use crate::proof::Refusal;
use std::cell::OnceCell;
use std::io::Read;

/// Why a certificate is not verified. [`Failure::exit_code`] sorts the cases.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The file could not be read.
    #[error("{0}")]
    Io(String),
    /// Not the JSON this format is.
    #[error("not a certificate: {0}")]
    Malformed(String),
    /// The file ends in the middle.
    #[error("the certificate is truncated: the file ends in the middle")]
    Truncated,
    /// `end` does not count the claims.
    #[error("the certificate is incomplete: it holds {count} claims, but its end says {end}")]
    End {
        /// Claims found.
        count: usize,
        /// The value of `end`.
        end: usize,
    },
    /// A certificate that claims nothing.
    #[error("the certificate claims nothing")]
    NoClaims,
    /// Another format.
    #[error("the format is `{0}`, not `maxmargin-certificate`")]
    Format(String),
    /// A version this kernel does not know.
    #[error("version {0} is not supported; this checker reads version {version}", version = crate::certificate::VERSION)]
    Version(u32),
    /// The embedded network cannot be used.
    #[error("the embedded network: {0}")]
    Network(NetworkError),
    /// The embedded data cannot be used.
    #[error("the embedded data: {0}")]
    Data(DataError),
    /// Network and data are neither embedded nor given.
    #[error("the certificate does not embed its problem: give the model and the data")]
    NoProblem,
    /// The file's digest is not that of its own embedded problem.
    #[error("the {what} digest {stated} is not that of the embedded {what}, {found}")]
    Digest {
        /// `network` or `data`.
        what: &'static str,
        /// The digest in the file.
        stated: String,
        /// The digest of what is embedded.
        found: String,
    },
    /// The certificate is about something else.
    #[error(
        "the certificate speaks of another {what}: its digest is {stated}, that of the given {what} is {given}"
    )]
    OtherProblem {
        /// `model` or `data set`.
        what: &'static str,
        /// The digest in the file.
        stated: String,
        /// The digest of what was given.
        given: String,
    },
    /// A proof was refused.
    #[error("claim {index} ({kind}, rule {rule}) is rejected: {refusal}")]
    Rejected {
        /// The claim, from 0.
        index: usize,
        /// Its kind.
        kind: &'static str,
        /// The rule of its proof.
        rule: &'static str,
        /// What is wrong.
        refusal: Box<Refusal>,
    },
    /// A proof is past a limit of its rule: it may be right or wrong.
    #[error(
        "claim {index} ({kind}, rule {rule}) is not decided, the proof is past a limit: {refusal}"
    )]
    ProofLimit {
        /// The claim, from 0.
        index: usize,
        /// Its kind.
        kind: &'static str,
        /// The rule of its proof.
        rule: &'static str,
        /// Which limit.
        refusal: Box<Refusal>,
    },
    /// The file is past a limit.
    #[error("not decided, {0}")]
    Limit(Limit),
}

impl Failure {
    /// The exit code of a checker that stops here: 1 rejected, 2 malformed or unsupported,
    /// 3 another problem, 4 a limit.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Rejected { .. } | Self::Digest { .. } => 1,
            Self::OtherProblem { .. } => 3,
            Self::Limit(_) | Self::ProofLimit { .. } => 4,
            Self::Network(error) if error.is_limit() => 4,
            Self::Data(error) if error.is_limit() => 4,
            _ => 2,
        }
    }
}

/// A claim that was verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// The statement.
    pub claim: Claim,
    /// The rule that proved it.
    pub rule: &'static str,
    /// Cover nodes of its proof.
    pub nodes: usize,
}

/// A check in progress.
pub struct Session<'p> {
    given: Option<&'p Problem>,
    /// The problem of the certificate: the given one, or the embedded one.
    problem: Option<&'p Problem>,
    slot: &'p OnceCell<Problem>,
    meter: &'p Meter,
    nodes: usize,
    verified: Vec<Verified>,
    current: (&'static str, &'static str),
    failure: Option<Failure>,
}

impl<'p> Session<'p> {
    fn new(given: Option<&'p Problem>, slot: &'p OnceCell<Problem>, meter: &'p Meter) -> Self {
        let (problem, current, verified) = (given, ("", ""), Vec::new());
        Self { given, problem, slot, meter, nodes: 0, verified, current, failure: None }
    }

    /// Settles which problem the certificate speaks of.
    pub(crate) fn set_problem(&mut self, entry: &ProblemEntry) -> Result<(), Failure> {
        let embedded = match (&entry.network, &entry.data) {
            (Some(network), Some(data)) => {
                let network = network.to_network().map_err(Failure::Network)?;
                let data = data.to_data().map_err(Failure::Data)?;
                Some(Problem::new(network, data).map_err(Failure::Data)?)
            }
            (None, None) => None,
            _ => {
                return Err(Failure::Malformed(
                    "network and data are embedded together or not at all".into(),
                ));
            }
        };
        let digests = |p: &Problem| (network_digest(p.network()), data_digest(p.data()));
        let stated = |what| match what {
            "network" => entry.network_digest.clone(),
            _ => entry.data_digest.clone(),
        };
        if let Some(problem) = &embedded {
            let (network, data) = digests(problem);
            for (what, found) in [("network", network), ("data", data)] {
                if stated(what) != found {
                    return Err(Failure::Digest { what, stated: stated(what), found });
                }
            }
        }
        if let Some(problem) = self.given {
            let (network, data) = digests(problem);
            for (what, name, given) in [("network", "model", network), ("data", "data set", data)] {
                if stated(what) != given {
                    return Err(Failure::OtherProblem { what: name, stated: stated(what), given });
                }
            }
            return Ok(());
        }
        let problem = embedded.ok_or(Failure::NoProblem)?;
        self.problem = Some(self.slot.get_or_init(|| problem));
        Ok(())
    }

    /// The problem, once settled.
    pub(crate) fn problem(&self) -> Option<&'p Problem> {
        self.problem
    }

    /// Names the claim that is being checked.
    pub(crate) fn begin(&mut self, claim: &Claim, rule: &'static str) {
        self.current = (claim.kind(), rule);
    }

    /// The failure of the current claim.
    pub(crate) fn rejection(&self, refusal: Refusal) -> Failure {
        let (index, (kind, rule)) = (self.verified.len(), self.current);
        let limit = refusal.is_limit();
        let refusal = Box::new(refusal);
        match limit {
            true => Failure::ProofLimit { index, kind, rule, refusal },
            false => Failure::Rejected { index, kind, rule, refusal },
        }
    }

    /// Records the current claim as verified.
    pub(crate) fn accept(&mut self, claim: Claim, rule: &'static str, nodes: usize) {
        self.verified.push(Verified { claim, rule, nodes });
    }

    /// Counts a cover node against the limit.
    pub(crate) fn count_node(&mut self) -> Result<(), Failure> {
        self.nodes += 1;
        if self.nodes > self.meter.limits.nodes {
            return Err(Failure::Limit(Limit::Nodes(self.meter.limits.nodes)));
        }
        self.in_time()
    }

    /// What counts bytes and time.
    pub(crate) fn meter(&self) -> &'p Meter {
        self.meter
    }

    /// Whether there is time left.
    pub(crate) fn in_time(&self) -> Result<(), Failure> {
        self.meter.in_time().map_err(Failure::Limit)
    }

    pub(crate) fn keep_failure(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }

    pub(crate) fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }
}

/// Checks a certificate, against the given problem if there is one, else against the one it embeds.
///
/// # Errors
/// [`Failure`]: the first thing that is wrong. Nothing is verified then.
pub fn check(
    source: impl Read,
    given: Option<&Problem>,
    limits: Limits,
) -> Result<Report, Failure> {
    let (slot, meter) = (OnceCell::new(), Meter::new(limits, given.is_some()));
    let mut session = Session::new(given, &slot, &meter);
    read(source, &mut session)?;
    let problem = session.problem().ok_or(Failure::NoProblem)?;
    Ok(Report::new(problem, session.verified, given.is_some()))
}
