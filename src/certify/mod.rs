//! The whole report about a point: which claims to prove, in which order.

mod brackets;
mod seal;

pub use brackets::{Bracket, global_stage};
pub use seal::{Sealed, bytes, open, seal, stored};

use crate::budget::Budget;
use crate::import::Source;
use crate::prove::decide::{Decision, Question, decide};
use crate::prove::global::{Saving, Workers};
use crate::prove::kkt_residual;
use maxmargin_kernel::certificate::Entry;
use maxmargin_kernel::claim::{Number, Region, Scope};
use maxmargin_kernel::network::TwoLayer;
use maxmargin_kernel::number::{Rational, parse_rational};
use maxmargin_kernel::problem::Problem;
use std::path::Path;
use std::sync::Arc;

/// What to prove.
#[derive(Clone, Debug)]
pub struct Request {
    /// Questions for an exact verdict.
    pub decide: Vec<Question>,
    /// The scopes in which they are asked.
    pub scopes: Vec<Scope>,
    /// Regions for two-sided brackets.
    pub brackets: Vec<Region>,
    /// δ and ε of the KKT residual.
    pub residual: Option<(Rational, Rational)>,
    /// Whether a missing residual counts as undecided.
    pub residual_asked: bool,
    /// Relative width at which a bracket is good enough.
    pub gap: f64,
    /// Threads of the cover search.
    pub threads: usize,
    /// When to stop.
    pub budget: Budget,
    /// Where the search for a bound of any width keeps its state.
    pub saving: Option<Saving>,
    /// Who searches the covers for a bound of any width, if not this process.
    pub workers: Option<Arc<dyn Workers>>,
}

impl Default for Request {
    /// Nothing asked for, all layers, gap 1e-6, one thread, no limit.
    fn default() -> Self {
        Self {
            decide: Vec::new(),
            scopes: vec![Scope::All],
            brackets: Vec::new(),
            residual: None,
            residual_asked: false,
            gap: 1e-6,
            threads: 1,
            budget: Budget::default(),
            saving: None,
            workers: None,
        }
    }
}

/// What a user asked for, before defaults.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Questions for an exact verdict.
    pub decide: Vec<Question>,
    /// Their scopes.
    pub scopes: Vec<Scope>,
    /// Regions for brackets.
    pub brackets: Vec<Region>,
    /// δ of the KKT residual.
    pub active: Option<Rational>,
    /// ε of the KKT residual.
    pub kinks: Option<Rational>,
}

impl Request {
    /// The request with defaults for what was not asked: exact verdicts for exact points, the residual
    /// and brackets for trained ones.
    ///
    /// # Errors
    /// Options that do not go together.
    pub fn asked(asked: Asked, source: Source) -> Result<Self, &'static str> {
        let unasked = asked.brackets.is_empty() && asked.decide.is_empty();
        let exact = unasked && source == Source::Exact;
        let decide = if exact { Question::ALL.to_vec() } else { asked.decide };
        let all_scopes = matches!(asked.scopes.as_slice(), [] | [Scope::All]);
        if !all_scopes && decide.is_empty() {
            return Err("--scope goes with --decide: brackets are of all layers");
        }
        let constant = |text| parse_rational(text).unwrap_or_default();
        let residual_asked = asked.active.is_some() || asked.kinks.is_some();
        let residual = (
            asked.active.unwrap_or_else(|| constant("0.01")),
            asked.kinks.unwrap_or_else(|| constant("1e-4")),
        );
        // All regions; where the rules do not apply, the report says so.
        let regions = || {
            let delta = Number(constant("1e-4"));
            vec![Region::Cell, Region::Near(delta), Region::Everywhere]
        };
        Ok(Self {
            // An exact verdict says more than a residual.
            residual: (decide.is_empty() || residual_asked).then_some(residual),
            // Who asks for brackets alone is not told that the residual is missing.
            residual_asked: asked.brackets.is_empty() || residual_asked,
            brackets: if unasked && !exact { regions() } else { asked.brackets },
            scopes: if all_scopes { vec![Scope::All] } else { asked.scopes },
            decide,
            ..Self::default()
        })
    }
}

/// Most numbers of a problem that is embedded in its certificate unless asked otherwise.
const EMBED_LIMIT: usize = 100_000;

/// Whether the problem is small enough to be embedded by default.
pub fn is_small(problem: &Problem) -> bool {
    let parameters: usize = problem.network().layers().iter().map(|l| l.rows() * l.cols()).sum();
    problem.data().len() * problem.network().inputs() + parameters <= EMBED_LIMIT
}

/// Refuses points of which nothing can be said: contradictory data, a sample that is not classified.
/// `data` names the data set in the message.
///
/// # Errors
/// A message for the user.
pub fn usable(problem: &Problem, data: &Path) -> Result<(), String> {
    if let Some((i, j)) = problem.data().contradiction() {
        return Err(format!(
            "{}: samples {i} and {j} have the same features and different labels; no network classifies both",
            data.display()
        ));
    }
    problem.gamma().map(|_| ()).map_err(|error| {
        let exact = error.margin.to_string();
        let exact = if exact.len() <= 60 { format!("{exact} = ") } else { String::new() };
        format!(
            "the network does not classify its data: sample {} of {} has margin {exact}{}. Max-margin optimality is defined \
             only for points with positive margin on every sample: train further, or remove the sample",
            error.sample,
            data.display(),
            Number(error.margin.clone()).approximately(),
        )
    })
}

/// What was proved, and what was not.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The claims with their proofs, each accepted by the kernel.
    pub entries: Vec<Entry>,
    /// The exact verdicts asked for.
    pub decisions: Vec<Decision>,
    /// The brackets, one or two per region asked for.
    pub brackets: Vec<Bracket>,
    /// Exact verdicts that are undecided.
    pub open_questions: usize,
    /// What else was asked for and neither proved nor refuted, with the reason.
    pub undecided: Vec<String>,
    /// Whether a limit ended the search.
    pub limit: bool,
    /// Why the state of the search could not be saved.
    pub not_saved: Option<String>,
}

impl Outcome {
    /// Whether something asked for is neither proved nor refuted.
    pub fn is_undecided(&self) -> bool {
        self.open_questions > 0 || !self.undecided.is_empty()
    }
}

/// Proves what can be proved. `stage` is told what is being done, from any thread.
///
/// The point must classify its data.
pub fn certify(problem: &Problem, request: &Request, stage: &(dyn Fn(&str) + Sync)) -> Outcome {
    let mut outcome = Outcome::default();
    for scope in &request.scopes {
        if request.decide.is_empty() {
            break;
        }
        stage(&format!("exact verdicts, scope {scope}"));
        for decision in decide(problem, *scope, &request.decide, &request.budget) {
            match &decision.answer {
                Ok(entry) => outcome.entries.push(entry.clone()),
                Err(_) => outcome.open_questions += 1,
            }
            outcome.decisions.push(decision);
        }
    }
    if let Some((delta, epsilon)) = &request.residual {
        stage("KKT residual");
        let asked = request.residual_asked;
        match TwoLayer::new(problem.network()) {
            Err(reason) if asked => {
                outcome.undecided.push(format!("the KKT residual: the rule {reason}"));
            }
            Err(_) => {}
            Ok(_) => match kkt_residual::prove(problem, delta, epsilon) {
                Some(entry) => outcome.entries.push(entry),
                None if asked => {
                    outcome.undecided.push("the KKT residual: no multipliers were found".into());
                }
                None => {}
            },
        }
    }
    brackets::prove(problem, request, &mut outcome, stage);
    outcome.limit |= request.budget.expired();
    outcome
}
