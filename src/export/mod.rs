//! From a certificate to the text that the proved checker `maxmargin-verified` reads (`proofs/`).
//!
//! The text holds the problem (network, samples and labels as exact fractions), every claim and, where
//! the proved checker has the rule, its witness; a claim without one is handed over as `uncovered` and
//! comes back as such. The grammar stands at the head of `proofs/ocaml/main.ml`. Witnesses are copied,
//! with one exception: a point that shows `not_global_optimum` is scaled so that its margin is at
//! least that of the network, which is how the proved statement (a shorter feasible point) has it.

mod cells;
mod covers;
mod kkt;
mod layer;
mod one_leaf;
mod point;
mod residual;
mod verified;

pub use verified::{Disagreement, Verified, run};

use maxmargin_kernel::certificate::ProblemEntry;
use maxmargin_kernel::claim::{Claim, Number, Region, Scope};
use maxmargin_kernel::network::Network;
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::{
    convex_cell::ConvexCell, curve::Curve, descent::Descent, dual_bound::DualBound,
    kkt_residual::KktResidual, linear::Linear, moves::Moves, norm_bound::NormBound, point::Point,
    second_order::SecondOrder, stationarity::Stationarity,
};
use serde::Deserialize;
use serde_json::Value;
use std::fmt::{Display, Write as _};
use std::io::Read;

/// A text for the proved checker, and what its answer must say of every claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The input.
    pub text: String,
    /// Per claim, in order: whether it is handed over for checking, and how the checker names it.
    pub claims: Vec<(bool, String)>,
}

/// Why a certificate cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Not a certificate.
    #[error("not a certificate: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Neither embedded nor given.
    #[error("the certificate does not embed its problem: give --model and --data")]
    NoProblem,
    /// What it embeds is not a problem.
    #[error("the embedded problem: {0}")]
    Problem(String),
}

#[derive(Deserialize)]
struct File {
    problem: ProblemEntry,
    claims: Vec<FileEntry>,
}

#[derive(Deserialize)]
struct FileEntry {
    claim: Claim,
    proof: Value,
}

/// Exports a certificate; `given` is its problem, if the file does not embed it.
///
/// Nothing is verified here: a wrong certificate becomes a text that the proved checker refuses.
///
/// # Errors
/// [`ExportError`].
pub fn export(source: impl Read, given: Option<&Problem>) -> Result<Export, ExportError> {
    let file: File = serde_json::from_reader(source)?;
    let embedded;
    let problem = match (given, &file.problem.network, &file.problem.data) {
        (Some(problem), ..) => problem,
        (None, Some(network), Some(data)) => {
            let wrong = |e: &dyn std::fmt::Display| ExportError::Problem(e.to_string());
            let network = network.to_network().map_err(|e| wrong(&e))?;
            let data = data.to_data().map_err(|e| wrong(&e))?;
            embedded = Problem::new(network, data).map_err(|e| wrong(&e))?;
            &embedded
        }
        _ => return Err(ExportError::NoProblem),
    };
    let mut text = String::from("maxmargin-verified 1\n");
    write_problem(&mut text, problem);
    let _ = writeln!(text, "claims {}", file.claims.len());
    let mut claims = Vec::with_capacity(file.claims.len());
    for FileEntry { claim, mut proof } in file.claims {
        let rule = proof.as_object_mut().and_then(|map| map.remove("rule"));
        let rule = rule.as_ref().and_then(Value::as_str).unwrap_or("").to_string();
        match covered(problem, &claim, &rule, proof) {
            Some(witness) => {
                let _ = writeln!(text, "claim {witness}");
                claims.push((true, name(&claim)));
            }
            None => {
                let _ = writeln!(text, "claim uncovered {} ;", name(&claim));
                claims.push((false, name(&claim)));
            }
        }
    }
    text.push_str("end\n");
    Ok(Export { text, claims })
}

/// How the proved checker prints a claim: kind, scope, region and bounds as fractions.
pub fn name(claim: &Claim) -> String {
    let (kind, scope) = (claim.kind(), claim.scope());
    match claim {
        Claim::MarginAtMost { region, bound, .. } | Claim::MarginAtLeast { region, bound, .. } => {
            format!("{kind} {scope} {region} {}", bound.0)
        }
        Claim::KktResidual { lo, hi, delta, epsilon, .. } => {
            format!("{kind} {scope} {} {} {} {}", lo.0, hi.0, delta.0, epsilon.0)
        }
        _ => format!("{kind} {scope}"),
    }
}

fn write_problem(text: &mut String, problem: &Problem) {
    let (network, data) = (problem.network(), problem.data());
    let _ = writeln!(text, "alpha {}", network.activation().slope());
    text.push_str("layers ");
    write_network(text, network);
    let _ = writeln!(text, "samples {} {}", data.len(), network.inputs());
    for (i, label) in data.labels().iter().enumerate() {
        match (network.outputs(), label) {
            (1, label) if *label > 0 => text.push('+'),
            (1, _) => text.push('-'),
            (_, class) => {
                let _ = write!(text, "{class}");
            }
        }
        write_all(text, data.sample(i).to_rationals());
        text.push('\n');
    }
}

/// Depth and layers.
fn write_network(text: &mut String, network: &Network) {
    let _ = writeln!(text, "{}", network.depth());
    for layer in network.layers() {
        write_vector(text, &layer.parameters().to_rationals());
        let _ = write!(text, "\n{} {}", layer.rows(), layer.cols());
        for r in 0..layer.rows() {
            for c in 0..layer.cols() {
                match layer.coordinate(r, c) {
                    Some(index) => write!(text, " {index}"),
                    None => write!(text, " ."),
                }
                .unwrap_or_default();
            }
        }
        text.push('\n');
    }
}

/// Length and entries.
fn write_vector(text: &mut String, entries: &[Rational]) {
    let _ = write!(text, "{}", entries.len());
    write_all(text, entries);
}

/// A blank and an entry, for each.
fn write_all(text: &mut String, entries: impl IntoIterator<Item = impl Display>) {
    for entry in entries {
        let _ = write!(text, " {entry}");
    }
}

/// The words for a bound, or an optimum as one, in scope `all`, and the bound: for optima `ν(θ)`.
fn bounded(problem: &Problem, claim: &Claim) -> Option<(String, Rational)> {
    let bound = match claim {
        Claim::MarginAtMost { scope: Scope::All, region, bound } => {
            return Some((format!("margin_at_most {region} {}", bound.0), bound.0.clone()));
        }
        Claim::LocalOptimum { scope: Scope::All } | Claim::GlobalOptimum { scope: Scope::All } => {
            problem.gamma().ok()? / problem.network().norm_squared()
        }
        _ => return None,
    };
    Some((format!("{} all", claim.kind()), bound))
}

/// The claim with its witness in the checker's words; `None` if it has no rule for it.
fn covered(problem: &Problem, claim: &Claim, rule: &str, proof: Value) -> Option<String> {
    match (claim, rule) {
        (Claim::NotLocalOptimum { scope }, "curve") => {
            let witness: Curve = serde_json::from_value(proof).ok()?;
            curve(problem, *scope, &witness)
        }
        (Claim::NotGlobalOptimum { scope }, "point") => {
            let witness: Point = serde_json::from_value(proof).ok()?;
            point::better(problem, *scope, &witness)
        }
        (Claim::MarginAtLeast { region, bound, scope: Scope::All }, "point") => {
            let witness: Point = serde_json::from_value(proof).ok()?;
            point::at_least(problem, region, &bound.0, &witness)
        }
        (Claim::MarginAtMost { region, bound, scope: Scope::All }, "norm_bound") => {
            let witness: NormBound = serde_json::from_value(proof).ok()?;
            let constraints = norm_constraints(problem, region, &witness)?;
            let mut text = format!("margin_at_most {region} {} constraints", bound.0);
            let _ = write!(text, " {}", constraints.len());
            write_all(&mut text, constraints);
            Some(text)
        }
        (Claim::MarginAtMost { .. }, "dual_bound")
        | (Claim::LocalOptimum { .. } | Claim::GlobalOptimum { .. }, "local_cover") => {
            let witness: DualBound = serde_json::from_value(proof).ok()?;
            covers::covered(problem, claim, &witness)
        }
        (Claim::Kkt { scope }, "stationarity") => {
            let witness: Stationarity = serde_json::from_value(proof).ok()?;
            kkt::covered(problem, *scope, &witness)
        }
        (Claim::NotKkt { scope }, "descent") => {
            let witness: Descent = serde_json::from_value(proof).ok()?;
            let mut text = format!("not_kkt {scope} direction");
            write_vectors(&mut text, &rationals(&witness.direction));
            Some(text)
        }
        (Claim::KktResidual { scope: Scope::All, .. }, "kkt_residual") => {
            let witness: KktResidual = serde_json::from_value(proof).ok()?;
            residual::covered(problem, claim, &witness)
        }
        (
            Claim::LocalOptimum { scope: Scope::All } | Claim::GlobalOptimum { scope: Scope::All },
            "convex_cell",
        ) => {
            let witness: ConvexCell = serde_json::from_value(proof).ok()?;
            match (problem.network().outputs(), problem.network().depth(), claim) {
                (1, 2, Claim::LocalOptimum { .. }) => {
                    one_leaf::convex_cell(problem, claim, &witness)
                }
                _ => cells::convex_cell(problem, claim, &witness),
            }
        }
        (Claim::LocalOptimum { .. }, "second_order") => {
            let witness: SecondOrder = serde_json::from_value(proof).ok()?;
            layer::second_order(problem, claim, &witness)
        }
        (Claim::LocalOptimum { .. } | Claim::GlobalOptimum { .. }, "convex_cell") => {
            let witness: ConvexCell = serde_json::from_value(proof).ok()?;
            layer::covered(problem, claim, &witness)
        }
        (_, "linear") => {
            let witness: Linear = serde_json::from_value(proof).ok()?;
            match (problem.network().outputs(), problem.network().depth(), claim) {
                (1, 2, _) => one_leaf::linear(problem, claim, &witness),
                (1, 3.., Claim::MarginAtMost { .. } | Claim::GlobalOptimum { .. }) => {
                    one_leaf::linear(problem, claim, &witness)
                }
                _ => cells::linear(problem, claim, &witness),
            }
        }
        _ => None,
    }
}

/// The vectors of a witness as rationals.
fn rationals(vectors: &[Vec<Number>]) -> Vec<Vec<Rational>> {
    vectors.iter().map(|u| u.iter().map(|v| v.0.clone()).collect()).collect()
}

fn write_vectors(text: &mut String, vectors: &[Vec<Rational>]) {
    let _ = write!(text, " {}", vectors.len());
    for vector in vectors {
        text.push_str("\n  ");
        write_vector(text, vector);
    }
}

/// A curve.
fn curve(problem: &Problem, scope: Scope, witness: &Curve) -> Option<String> {
    let mut text = format!("not_local_optimum {scope} curve");
    write_moves(&mut text, problem, &witness.moves)?;
    Some(text)
}

/// Coefficients of every coordinate up to the last that moves.
fn write_moves(text: &mut String, problem: &Problem, moves: &Moves) -> Option<()> {
    let layers = problem.network().layers();
    if moves.len() != layers.len() {
        return None;
    }
    for (layer, list) in layers.iter().zip(moves) {
        let count = list.iter().map(|(i, _)| i + 1).max().unwrap_or(0);
        if count > layer.parameters().len() {
            return None;
        }
        let _ = write!(text, "\n  {count}");
        for coordinate in 0..count {
            let moves = list.iter().find(|(i, _)| *i == coordinate);
            let coefficients = moves.map_or(&[][..], |(_, c)| c);
            text.push_str("  ");
            let coefficients: Vec<_> = coefficients.iter().map(|c| c.0.clone()).collect();
            write_vector(text, &coefficients);
        }
    }
    Some(())
}

/// Indices of constraints: one of the sample, or two opposite ones of two samples.
fn norm_constraints(problem: &Problem, region: &Region, witness: &NormBound) -> Option<Vec<usize>> {
    let network = problem.network();
    if *region == Region::AnyWidth && network.has_sharing() {
        return None;
    }
    let all = problem.margins().constraints();
    let of = |sample: usize| all.iter().enumerate().filter(move |(_, c)| c.sample == sample);
    match *witness.samples.as_slice() {
        [i] => Some(vec![of(i).next()?.0]),
        [i, j] => of(i).find_map(|(k, c)| {
            let opposite: Vec<_> = c.covector(network.outputs()).into_iter().map(|e| -e).collect();
            let other = of(j).find(|(_, d)| d.covector(network.outputs()) == opposite)?;
            Some(vec![k, other.0])
        }),
        _ => None,
    }
}
