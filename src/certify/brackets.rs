//! Two-sided bounds of the best normalised margin, region by region.
use super::{Outcome, Request};
use crate::numeric::two_layer::View;
use crate::polish::{Options, polish};
use crate::prove::{dual_bound, global, norm_bound, point};
use maxmargin_kernel::certificate::{Entry, Proof};
use maxmargin_kernel::claim::{Claim, Number, Region};
use maxmargin_kernel::network::{Network, TwoLayer};
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::Problem;
use num_traits::One;

/// A bracket of the best normalised margin in a region, relative to this network's.
#[derive(Clone, Debug)]
pub struct Bracket {
    /// The region.
    pub region: Region,
    /// A lower bound of the best `ν`, as a multiple of this network's: 1 for θ itself.
    pub at_least: Rational,
    /// An upper bound, likewise; `None` if none was proved.
    pub at_most: Option<Rational>,
    /// The rule of the upper bound.
    pub upper_rule: &'static str,
    /// Cover nodes of the upper bound.
    pub nodes: usize,
    /// Whether the lower bound is θ itself.
    pub attained_here: bool,
}

/// Proves the brackets that `request` asks for.
pub(super) fn prove(
    problem: &Problem,
    request: &Request,
    outcome: &mut Outcome,
    stage: &(dyn Fn(&str) + Sync),
) {
    // Callers give points that classify their data.
    let Some(nu) = problem.normalised_margin() else { return };
    let view = View::new(problem);
    let (share, better) = (request.clone(), Vec::new());
    let mut search = Search { problem, request, share, view: view.as_ref(), nu, better };
    let mut regions = request.brackets.clone();
    // Smaller regions first: what is found there also counts in the larger ones.
    regions.sort_by(|a, b| size(a).cmp(&size(b)));
    regions.dedup();
    let mut left = regions.len();
    let near_alone = matches!(regions.last(), Some(Region::Cell | Region::Near(_)));
    for region in regions {
        // What is left of the time, in equal parts.
        search.share = Request { budget: request.budget.share(left), ..request.clone() };
        left -= 1;
        stage(&format!("bracket {region}"));
        match region {
            Region::Cell | Region::Near(_) => search.local(&region, outcome),
            Region::Everywhere | Region::AnyWidth => search.global(&region, outcome, stage),
        }
    }
    // A report on what is near says at least crudely how much better networks far away may be.
    if near_alone {
        let mut bracket = search.bracket(&Region::Everywhere);
        if let Some(entry) = norm_bound::prove(problem) {
            search.upper(&mut bracket, outcome, "norm bound", entry, 0);
        }
        let lower = best(problem, &search.better, &Region::Everywhere);
        search.finish(bracket, lower, outcome);
    }
}

struct Search<'a> {
    problem: &'a Problem,
    request: &'a Request,
    /// The same with the time that one region may take.
    share: Request,
    view: Option<&'a View>,
    /// Bounds of this network's ν.
    nu: (Rational, Rational),
    /// Better networks found so far.
    better: Vec<Network>,
}

impl Search<'_> {
    fn bracket(&self, region: &Region) -> Bracket {
        Bracket {
            region: region.clone(),
            at_least: Rational::one(),
            at_most: None,
            upper_rule: "",
            nodes: 0,
            attained_here: true,
        }
    }

    fn local(&mut self, region: &Region, outcome: &mut Outcome) {
        let Some(view) = self.view else {
            if let Err(reason) = TwoLayer::with_one_output(self.problem.network()) {
                outcome.undecided.push(format!("the bracket of `{region}`: the rule {reason}"));
            }
            return;
        };
        let mut bracket = self.bracket(region);
        let found = dual_bound::prove(self.problem, view, region, &self.share);
        outcome.limit |= found.limit;
        if let Some((entry, nodes)) = found.upper {
            self.upper(&mut bracket, outcome, "dual bound", entry, nodes);
        }
        self.better.extend(found.better);
        let lower = best(self.problem, &self.better, region);
        self.finish(bracket, lower, outcome);
    }

    fn global(&mut self, region: &Region, outcome: &mut Outcome, stage: &(dyn Fn(&str) + Sync)) {
        let (problem, request) = (self.problem, self.request);
        let mut bracket = self.bracket(region);
        let mut wide = None;
        // The crude bound costs nothing and covers networks that the dual bound does not.
        if let Some(entry) = norm_bound::prove(problem) {
            self.upper(&mut bracket, outcome, "norm bound", entry, 0);
        }
        if let Some(view) = self.view.filter(|_| !request.budget.expired()) {
            let options = global::Options {
                gap: request.gap,
                budget: request.budget.clone(),
                parallel: request.threads > 1,
                saving: request.saving.clone(),
                workers: request.workers.clone(),
                ..Default::default()
            };
            let mut found =
                global::search(view, &view.seeds(), &options, &|s| stage(&global_stage(&s)));
            outcome.limit |= found.limit;
            outcome.not_saved = found.not_saved.clone();
            let proved = global::upper_entry(&mut found);
            if let Some((entry, nodes)) = proved.filter(|(entry, _)| holds(problem, entry)) {
                self.upper(&mut bracket, outcome, "dual bound", entry, nodes);
            }
            self.better.extend(global::in_architecture(problem, view, &found));
            if !request.budget.expired() {
                let options = Options { budget: request.budget.clone(), ..Options::default() };
                self.better.extend(polish(problem, view, &options).map(|p| p.network));
            }
            wide = global::lower_entry(problem, view, &found);
        }
        let lower = best(problem, &self.better, region);
        let any_width = Bracket { region: Region::AnyWidth, ..bracket.clone() };
        self.finish(bracket, lower, outcome);
        if *region == Region::Everywhere {
            // A network of this architecture is one of any width.
            let inside = best(problem, &self.better, &Region::AnyWidth);
            let nu = |entry: &Entry| bound(entry).map(|b| b.0.clone());
            let entry = inside.into_iter().chain(wide).max_by_key(nu);
            if entry.is_some() {
                self.finish(any_width, entry, outcome);
            }
        }
    }

    /// Keeps an upper bound if it is the better one.
    fn upper(
        &self,
        bracket: &mut Bracket,
        outcome: &mut Outcome,
        rule: &'static str,
        entry: Entry,
        nodes: usize,
    ) {
        let times = bound(&entry).map(|b| &b.0 / &self.nu.0);
        let better = match (&times, &bracket.at_most) {
            (Some(new), Some(old)) => new < old,
            (new, _) => new.is_some(),
        };
        if better {
            (bracket.at_most, bracket.upper_rule, bracket.nodes) = (times, rule, nodes);
            outcome.entries.push(entry);
        }
    }

    /// Adds the lower bound, θ itself if there is no better one, and notes what is missing.
    fn finish(&self, mut bracket: Bracket, lower: Option<Entry>, outcome: &mut Outcome) {
        bracket.attained_here = lower.is_none();
        let lower = lower.or_else(|| point::prove(self.problem, None, bracket.region.clone()));
        if let Some(entry) = lower {
            // θ itself is in every region; its bound may have been rounded down.
            let times = bound(&entry).map(|b| &b.0 / &self.nu.1);
            bracket.at_least = times.map_or_else(Rational::one, |t| t.max(Rational::one()));
            outcome.entries.push(entry);
        }
        if bracket.at_most.is_none() {
            let out_of_time = self.request.budget.expired();
            let why = if out_of_time { "time ran out" } else { "no cover was found" };
            outcome.undecided.push(format!("an upper bound in `{}`: {why}", bracket.region));
        }
        outcome.brackets.push(bracket);
    }
}

/// The state of the global search in one line.
pub fn global_stage(s: &global::Status) -> String {
    let gap = if s.lower > 0.0 { format!("{:.1e}", s.upper / s.lower - 1.0) } else { "?".into() };
    let covers = match s.covers {
        Some(now) => format!(", {} open, {:.0}/s", now.open, now.rate),
        None => String::new(),
    };
    let (lower, upper, nodes) = (s.lower, s.upper, s.nodes);
    format!("round {}: {lower:.6} ≤ cost ≤ {upper:.6}, gap {gap}; {nodes} nodes{covers}", s.round)
}

/// Whether the kernel accepts a dual bound.
fn holds(problem: &Problem, entry: &Entry) -> bool {
    matches!(&entry.proof, Proof::DualBound(proof) if proof.check(problem, &entry.claim).is_ok())
}

/// Orders the regions such that each contains the ones before it.
fn size(region: &Region) -> (u8, Option<&Number>) {
    match region {
        Region::Cell => (0, None),
        Region::Near(delta) => (1, Some(delta)),
        Region::Everywhere => (2, None),
        Region::AnyWidth => (3, None),
    }
}

/// The best of these networks as a point of the region, if one of them beats θ there.
fn best(problem: &Problem, networks: &[Network], region: &Region) -> Option<Entry> {
    let mut champion = problem.clone();
    let mut winner = None;
    for network in networks {
        let Ok(candidate) = Problem::new(network.clone(), problem.data().clone()) else { continue };
        if !point::better(&candidate, &champion) {
            continue;
        }
        if let Some(entry) = point::prove(problem, Some(network), region.clone()) {
            champion = candidate;
            winner = Some(entry);
        }
    }
    winner
}

/// The bound of a margin claim.
fn bound(entry: &Entry) -> Option<&Number> {
    match &entry.claim {
        Claim::MarginAtMost { bound, .. } | Claim::MarginAtLeast { bound, .. } => Some(bound),
        _ => None,
    }
}
