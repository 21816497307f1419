//! The whole report about a point: which claims to prove, in which order.

mod brackets;
mod seal;

pub use brackets::{Bracket, global_stage};
pub use seal::{Sealed, bytes, open, seal};

use crate::budget::Budget;
use crate::prove::decide::{Decision, Question, decide};
use crate::prove::global::Saving;
use crate::prove::kkt_residual;
use maxmargin_kernel::certificate::Entry;
use maxmargin_kernel::claim::{Region, Scope};
use maxmargin_kernel::network::TwoLayer;
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::Problem;

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
        }
    }
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

/// Proves what can be proved. `stage` is told what is being done.
///
/// The point must classify its data.
pub fn certify(problem: &Problem, request: &Request, mut stage: impl FnMut(&str)) -> Outcome {
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
    brackets::prove(problem, request, &mut outcome, &mut stage);
    outcome.limit |= request.budget.expired();
    outcome
}
