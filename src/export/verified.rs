//! Running the proved checker and comparing its answer with the kernel's.
use super::Export;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What the proved checker confirmed of a certificate that the kernel verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The claims it accepted, as it prints them.
    pub accepted: Vec<String>,
    /// The claims for which it has no proved rule.
    pub not_covered: Vec<String>,
    /// SHA-256 of the text it read.
    pub digest: String,
}

/// Why the proved checker does not confirm the kernel.
#[derive(Debug, thiserror::Error)]
pub enum Disagreement {
    /// It cannot be run.
    #[error(
        "cannot run the proved checker {0} ({1}): build it with `make -C proofs` and name it by --also-verified=PATH"
    )]
    Run(String, std::io::Error),
    /// It stopped.
    #[error("the proved checker could not read its input: {0}")]
    Stopped(String),
    /// It read something else.
    #[error("the proved checker read an input with digest {read}, not {sent}")]
    Digest {
        /// What it printed.
        read: String,
        /// Of the text sent.
        sent: String,
    },
    /// It understood another claim, or more or fewer claims.
    #[error("claim {number}: the proved checker answers `{answer}`, for `{claim}`")]
    Claim {
        /// From 1.
        number: usize,
        /// Its line.
        answer: String,
        /// The claim sent.
        claim: String,
    },
    /// It refuses what the kernel accepts.
    #[error("claim {number}, `{claim}`: the kernel accepts it, the proved checker REFUSES it")]
    Refused {
        /// From 1.
        number: usize,
        /// The claim.
        claim: String,
    },
}

/// Runs the proved checker on an export of a certificate that the kernel accepts.
///
/// # Errors
/// [`Disagreement`]: anything but an acceptance of every claim that is covered.
pub fn run(program: &Path, export: &Export) -> Result<Verified, Disagreement> {
    let name = program.display().to_string();
    let failed = |e| Disagreement::Run(name.clone(), e);
    let mut child = Command::new(program)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    // It reads all of its input before it answers, so writing first cannot block for ever; a
    // program that stops early breaks the pipe, and its exit code says why.
    if let Some(mut input) = child.stdin.take() {
        let _ = input.write_all(export.text.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    if !matches!(output.status.code(), Some(0 | 1)) {
        let message = String::from_utf8_lossy(&output.stderr).trim().to_string();
        return Err(Disagreement::Stopped(message));
    }
    compare(export, &String::from_utf8_lossy(&output.stdout))
}

fn compare(export: &Export, answer: &str) -> Result<Verified, Disagreement> {
    let mut lines = answer.lines();
    let bytes = Sha256::digest(export.text.as_bytes());
    let digest: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let read = lines.next().unwrap_or("").to_string();
    if read != format!("input sha256:{digest}") {
        return Err(Disagreement::Digest { read, sent: digest });
    }
    let mut verified = Verified { accepted: Vec::new(), not_covered: Vec::new(), digest };
    for (i, (covered, claim)) in export.claims.iter().enumerate() {
        let (number, claim) = (i + 1, claim.clone());
        let answer = lines.next().unwrap_or("nothing").to_string();
        if *covered && answer == format!("{number} ACCEPTED {claim}") {
            verified.accepted.push(claim);
        } else if !covered && answer == format!("{number} NOT-COVERED {claim}") {
            verified.not_covered.push(claim);
        } else if *covered && answer == format!("{number} REFUSED {claim}") {
            return Err(Disagreement::Refused { number, claim });
        } else {
            return Err(Disagreement::Claim { number, answer, claim });
        }
    }
    match lines.next() {
        None => Ok(verified),
        Some(answer) => {
            let (number, claim) = (export.claims.len() + 1, "nothing".to_string());
            Err(Disagreement::Claim { number, answer: answer.to_string(), claim })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn export() -> Export {
        let claims = vec![(true, "not_local_optimum all".into()), (false, "kkt all".into())];
        Export { text: "abc".into(), claims }
    }

    const DIGEST: &str =
        "input sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn only_the_expected_answer_confirms() {
        let good = format!("{DIGEST}\n1 ACCEPTED not_local_optimum all\n2 NOT-COVERED kkt all\n");
        let verified = compare(&export(), &good).unwrap();
        assert_eq!(verified.accepted, ["not_local_optimum all"]);
        assert_eq!(verified.not_covered, ["kkt all"]);
        let refused = compare(&export(), &good.replace("ACCEPTED", "REFUSED"));
        assert!(matches!(refused, Err(Disagreement::Refused { number: 1, .. })));
        let other = compare(&export(), &good.replace("optimum all", "optimum layer:1"));
        assert!(matches!(other, Err(Disagreement::Claim { number: 1, .. })));
        let green = compare(&export(), &good.replace("NOT-COVERED", "ACCEPTED"));
        assert!(matches!(green, Err(Disagreement::Claim { number: 2, .. })));
        let more = compare(&export(), &format!("{good}3 ACCEPTED kkt all\n"));
        assert!(matches!(more, Err(Disagreement::Claim { number: 3, .. })));
        let fewer = compare(&export(), good.rsplit_once("\n2").unwrap().0);
        assert!(matches!(fewer, Err(Disagreement::Claim { number: 2, .. })));
        let digest = compare(&export(), &good.replace("ba78", "ba79"));
        assert!(matches!(digest, Err(Disagreement::Digest { .. })));
    }
}
