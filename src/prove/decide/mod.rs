//! Exact verdicts about an exact point: KKT, local optimum, global optimum.
//!
//! Every question is attacked from both sides, and the kernel accepts every answer before it is
//! given. The searches know the point and the data alone.

mod better;
mod cells;
mod choice;
mod cover;
mod curve;
mod hessian;
mod optimum;
mod setting;
mod stationarity;
mod width;

pub use setting::Setting;

use crate::budget::Budget;
use choice::Choice;
use maxmargin_kernel::certificate::Entry;
use maxmargin_kernel::claim::{Claim, Scope};
use maxmargin_kernel::network::TwoLayer;
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::one_layer::two_layer_form;
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
    multipliers: Result<Multipliers, Vec<Rational>>,
    choice: Option<Choice<'s, 'a>>,
    local: Option<Result<Entry, String>>,
}

impl<'s, 'a> Decider<'s, 'a> {
    fn new(setting: &'s Setting<'a>, budget: &'s Budget) -> Self {
        let multipliers = match stationarity::solve(setting) {
            Answer::Stationary(found) => Ok(found),
            Answer::Descends(direction) => Err(direction),
        };
        let choice = multipliers.as_ref().ok().and_then(|found| Choice::new(setting, found));
        Self { setting, budget, multipliers, choice, local: None }
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
                "θ is not a combination of the gradients tried, but no direction was found that descends for every \
                 choice of slopes at the kinks"
                    .into()
            }),
        }
    }

    fn local(&mut self) -> Result<Entry, String> {
        if let Some(answer) = &self.local {
            return answer.clone();
        }
        let answer = self.search_local();
        self.local = Some(answer.clone());
        answer
    }

    fn search_local(&self) -> Result<Entry, String> {
        let setting = self.setting;
        let mut failed = optimum::Failed::default();
        let mut choices = Vec::new();
        if let Ok(found) = &self.multipliers {
            match optimum::local(setting, found, self.choice.as_ref(), self.budget) {
                Ok(entry) => return Ok(entry),
                Err(learnt) => failed = learnt,
            }
            if let Some(entry) = cells::local(setting, self.budget) {
                return Ok(entry);
            }
            choices.push(found.clone());
            choices.extend(self.choice.as_ref().map(Choice::middle));
        }
        curve::search(setting, &choices, &failed, self.budget)
            .ok_or_else(|| self.why_local_is_open(&failed.lacks))
    }

    /// Which hypothesis of the sufficient conditions fails, and what is proved instead. `lacks`: what the
    /// kernel says of the second-order condition.
    fn why_local_is_open(&self, lacks: &str) -> String {
        let setting = self.setting;
        let network = setting.problem.network();
        let kinks: usize = setting.active.iter().map(|k| setting.kinks(*k).len()).sum();
        let kkt = self.kkt();
        if self.multipliers.is_err() {
            return "no KKT multipliers were found, nor a curve of better points".into();
        }
        let reason = match (kinks, network.depth()) {
            _ if self.budget.expired() => "the time limit ended the search".to_string(),
            (0, _) => format!(
                "no active kinks, but the curvature is degenerate ({lacks}: a flat direction, such as \
                 parallel neurons in one cell)"
            ),
            (_, 0..=2) if setting.scope == Scope::All => {
                format!("{kinks} active kinks, and no λ were found that serve all their sides")
            }
            (_, depth) => format!("{kinks} active kinks at depth {depth}, and {lacks}"),
        };
        let instead = match kkt {
            Ok(Entry { claim: Claim::Kkt { .. }, .. }) => "proved instead: it is a KKT point",
            _ => "that it is a KKT point is not proved either",
        };
        format!("{reason}; no curve of better points was found; {instead}")
    }

    fn global(&mut self) -> Result<Entry, String> {
        let setting = self.setting;
        if let Ok(found) = &self.multipliers
            && let Some(entry) = optimum::global(setting, found, self.choice.as_ref(), self.budget)
        {
            return Ok(entry);
        }
        let local = self.local().ok();
        if let Some(entry) = better::search(setting, local.as_ref(), self.budget) {
            return Ok(entry);
        }
        let width = match setting.scope {
            Scope::All => match width::global(setting, self.budget) {
                width::Verdict::Decided(entry) => return Ok(*entry),
                width::Verdict::Open(why) => format!("{why}; "),
            },
            Scope::Layer(_) => String::new(),
        };
        let instead = match local.map(|entry| entry.claim) {
            Some(Claim::LocalOptimum { .. }) => "; proved instead: it is a local optimum",
            Some(Claim::NotLocalOptimum { .. }) => {
                "; proved instead: it is not a local optimum, and so not a global one"
            }
            _ if matches!(self.kkt(), Ok(Entry { claim: Claim::Kkt { .. }, .. })) => {
                "; proved instead: it is a KKT point"
            }
            _ => "",
        };
        Err(format!(
            "{}; {width}no better point was found{instead}",
            self.why_no_bound_is_attained()
        ))
    }

    /// Which hypothesis of the rules for global optima fails.
    fn why_no_bound_is_attained(&self) -> String {
        let problem = self.setting.problem;
        let network = problem.network();
        match self.setting.scope {
            Scope::Layer(l) if l < network.depth() => match two_layer_form(problem, l) {
                Err(why) => format!("the bound for one layer does not apply: {why}"),
                Ok(_) => "no bound for this layer meets the point".into(),
            },
            Scope::All if network.activation().is_linear() && network.has_sharing() => {
                "the bounds for linear networks need weights that are not shared".into()
            }
            Scope::All if network.activation().is_linear() => {
                "no bound for linear networks meets the point".into()
            }
            Scope::All => match TwoLayer::with_one_output(network) {
                Err(why) => format!("the bound for every width {why}"),
                Ok(_) => "no bound for every width meets the point".into(),
            },
            Scope::Layer(_) => "no multipliers prove the last layer optimal".into(),
        }
    }
}

#[cfg(test)]
mod tests;
