//! Exact verdicts about an exact point: KKT, local optimum, global optimum.
//!
//! Every question is attacked from both sides, and the kernel accepts every answer before it is
//! given. The searches know the point and the data alone.

mod better;
mod cells;
mod cover;
mod curve;
mod optimum;
mod setting;
mod stationarity;
mod width;

pub use setting::Setting;

use crate::budget::Budget;
use maxmargin_kernel::certificate::Entry;
use maxmargin_kernel::claim::{Claim, Scope};
use maxmargin_kernel::problem::Problem;
use stationarity::{Answer, Multipliers, kkt_entry, not_kkt_entry};

/// What to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Question {
    /// Is θ a KKT point?
    Kkt,
    /// Is θ a local optimum?
    Local,
    /// Is θ a global optimum?
    Global,
}

impl Question {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Kkt, Self::Local, Self::Global];
}

/// The answer to one question.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The question.
    pub question: Question,
    /// The scope.
    pub scope: Scope,
    /// The claim with its proof, or why there is none.
    pub answer: Result<Entry, String>,
}

impl Decision {
    /// `Some(true)` for yes, `Some(false)` for no, `None` if undecided.
    pub fn verdict(&self) -> Option<bool> {
        let yes = |entry: &Entry| {
            matches!(
                entry.claim,
                Claim::Kkt { .. } | Claim::LocalOptimum { .. } | Claim::GlobalOptimum { .. }
            )
        };
        self.answer.as_ref().ok().map(yes)
    }
}

/// Decides the questions in one scope. The point must classify its data.
pub fn decide(
    problem: &Problem,
    scope: Scope,
    questions: &[Question],
    budget: &Budget,
) -> Vec<Decision> {
    let Some(setting) = Setting::new(problem, scope) else {
        let none = |question: &Question| Decision {
            question: *question,
            scope,
            answer: Err(format!("the network has no {scope}")),
        };
        return questions.iter().map(none).collect();
    };
    let mut decider = Decider::new(&setting, budget);
    let one = |question: &Question| Decision {
        question: *question,
        scope,
        answer: decider.answer(*question),
    };
    questions.iter().map(one).collect()
}

/// Looks for proofs of exactly these claims, scope by scope; returns those found.
pub fn prove(problem: &Problem, claims: &[Claim], budget: &Budget) -> Vec<Entry> {
    let question = |claim: &Claim| match claim {
        Claim::Kkt { .. } | Claim::NotKkt { .. } => Some(Question::Kkt),
        Claim::LocalOptimum { .. } | Claim::NotLocalOptimum { .. } => Some(Question::Local),
        Claim::GlobalOptimum { .. } | Claim::NotGlobalOptimum { .. } => Some(Question::Global),
        _ => None,
    };
    let mut scopes: Vec<Scope> = Vec::new();
    for claim in claims {
        if !scopes.contains(&claim.scope()) {
            scopes.push(claim.scope());
        }
    }
    let mut found = Vec::new();
    for scope in scopes {
        let mut questions: Vec<Question> = Vec::new();
        for asked in claims.iter().filter(|c| c.scope() == scope).filter_map(question) {
            if !questions.contains(&asked) {
                questions.push(asked);
            }
        }
        let decisions = decide(problem, scope, &questions, budget);
        found.extend(
            decisions
                .into_iter()
                .filter_map(|d| d.answer.ok())
                .filter(|e| claims.contains(&e.claim)),
        );
    }
    found
}

/// The state of one scope: what one answer finds serves the next.
struct Decider<'s, 'a> {
    setting: &'s Setting<'a>,
    budget: &'s Budget,
    multipliers: Result<Multipliers, Vec<maxmargin_kernel::number::Rational>>,
    local: Option<Result<Entry, String>>,
}

impl<'s, 'a> Decider<'s, 'a> {
    fn new(setting: &'s Setting<'a>, budget: &'s Budget) -> Self {
        let multipliers = match stationarity::solve(setting) {
            Answer::Stationary(found) => Ok(found),
            Answer::Descends(direction) => Err(direction),
        };
        Self { setting, budget, multipliers, local: None }
    }

    fn answer(&mut self, question: Question) -> Result<Entry, String> {
        match question {
            Question::Kkt => self.kkt(),
            Question::Local => self.local(),
            Question::Global => self.global(),
        }
    }

    fn kkt(&self) -> Result<Entry, String> {
        match &self.multipliers {
            Ok(found) => kkt_entry(self.setting, found)
                .ok_or_else(|| "multipliers were found, but no limiting gradients that the rule accepts".into()),
            Err(direction) => not_kkt_entry(self.setting, direction).ok_or_else(|| {
                "θ is not a combination of the gradients tried, but their Farkas vector does not descend \
                 for every choice of slopes at the kinks"
                    .into()
            }),
        }
    }

    fn local(&mut self) -> Result<Entry, String> {
        if let Some(answer) = &self.local {
            return answer.clone();
        }
        let setting = self.setting;
        let mut answer = Err(String::new());
        if let Ok(found) = &self.multipliers {
            answer = optimum::local(setting, found, self.budget)
                .or_else(|why| cells::local(setting, self.budget).ok_or(why));
        }
        if answer.is_err()
            && let Some(entry) = curve::search(setting, self.multipliers.as_ref().ok(), self.budget)
        {
            answer = Ok(entry);
        }
        let answer = answer.map_err(|_| self.why_undecided());
        self.local = Some(answer.clone());
        answer
    }

    /// Which hypothesis of the sufficient conditions fails.
    fn why_undecided(&self) -> String {
        let setting = self.setting;
        let kinks: usize = setting.active.iter().map(|k| setting.kinks(*k).len()).sum();
        let depth = setting.problem.network().depth();
        let stationary = if self.multipliers.is_ok() {
            "it is a KKT point"
        } else {
            "no KKT multipliers were found"
        };
        let reason = match (kinks, depth) {
            (0, _) => "the curvature is degenerate (a flat direction, such as parallel neurons in one cell)".to_string(),
            (_, 0..=2) => format!("{kinks} active kinks, and no single λ was found that serves all their sides"),
            _ => format!("{kinks} active kinks at depth {depth} whose backward weights are not all negative, or degenerate curvature"),
        };
        format!("{stationary}; {reason}; and no curve of better points was found")
    }

    fn global(&mut self) -> Result<Entry, String> {
        let setting = self.setting;
        if let Ok(found) = &self.multipliers
            && let Some(entry) = optimum::global(setting, found, self.budget)
        {
            return Ok(entry);
        }
        let curve = self.local().ok();
        let better = better::search(setting, curve.as_ref(), self.budget);
        better.or_else(|| width::global(setting, self.budget)).ok_or_else(|| {
            let width = match width::applies(setting) {
                true => "nor a tree of bounds for this width",
                false => "bounds for one width are searched only at depth 2 with one output, without shared \
                          weights, for at most 8 samples and 4 neurons",
            };
            format!(
                "no bound of any width meets this point, {width}; and no better network of this \
                 architecture was found"
            )
        })
    }
}

#[cfg(test)]
mod tests;
