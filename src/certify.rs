//! The whole report about a point: which claims to prove, in which order.
use crate::budget::Budget;
use crate::numeric::two_layer::View;
use crate::prove::{dual_bound, kkt_residual, norm_bound, point};
use maxmargin_kernel::certificate::{Certificate, Entry, ProblemEntry};
use maxmargin_kernel::check::{Failure, Limits, Report, check};
use maxmargin_kernel::claim::{Claim, Number, Region};
use maxmargin_kernel::network::TwoLayer;
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::Problem;
use num_traits::One;

/// What to prove.
#[derive(Clone, Debug)]
pub struct Request {
    /// Regions for two-sided brackets.
    pub brackets: Vec<Region>,
    /// δ and ε of the KKT residual.
    pub residual: Option<(Rational, Rational)>,
    /// Whether a residual that cannot be bracketed is undecided, or merely left out.
    pub residual_asked: bool,
    /// Relative width at which a bracket is good enough.
    pub gap: f64,
    /// Threads of the cover search.
    pub threads: usize,
    /// When to stop.
    pub budget: Budget,
}

/// A bracket of the best normalised margin in a region, relative to this network's.
#[derive(Clone, Debug)]
pub struct Bracket {
    /// The region asked for.
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

/// What was proved, and what was not.
#[derive(Debug)]
pub struct Outcome {
    /// The claims with their proofs, each accepted by the kernel.
    pub entries: Vec<Entry>,
    /// One bracket per region asked for.
    pub brackets: Vec<Bracket>,
    /// What was asked for and neither proved nor refuted, with the reason.
    pub undecided: Vec<String>,
    /// Whether a limit ended the search.
    pub limit: bool,
}

/// Proves what can be proved. `stage` is told what is being done.
///
/// The point must classify its data.
pub fn certify(problem: &Problem, request: &Request, mut stage: impl FnMut(&str)) -> Outcome {
    let mut outcome =
        Outcome { entries: Vec::new(), brackets: Vec::new(), undecided: Vec::new(), limit: false };
    // Callers give points that classify their data.
    let Some((nu_low, nu_high)) = problem.normalised_margin() else { return outcome };
    if let Some((delta, epsilon)) = &request.residual {
        stage("KKT residual");
        match TwoLayer::new(problem.network()) {
            Err(reason) if request.residual_asked => {
                outcome.undecided.push(format!("the KKT residual: the rule {reason}"));
            }
            Err(_) => {}
            Ok(_) => match kkt_residual::prove(problem, delta, epsilon) {
                Some(entry) => outcome.entries.push(entry),
                None if request.residual_asked => {
                    outcome.undecided.push("the KKT residual: no multipliers were found".into());
                }
                None => {}
            },
        }
    }
    let view = View::new(problem);
    let mut found_better = Vec::new();
    let mut ordered = request.brackets.clone();
    // Local regions first: what they find also bounds the larger ones from below.
    ordered.sort_by(|a, b| size(a).cmp(&size(b)));
    ordered.dedup();
    let one_output = TwoLayer::with_one_output(problem.network());
    let mut left = ordered.len();
    for region in ordered {
        // What is left of the time, in equal parts.
        let share = Request { budget: request.budget.share(left), ..request.clone() };
        left -= 1;
        stage(&format!("bracket {region}"));
        let local = matches!(region, Region::Cell | Region::Near(_));
        if let (true, Err(reason)) = (local, &one_output) {
            outcome.undecided.push(format!("the bracket of `{region}`: the rule {reason}"));
            continue;
        }
        let mut bracket = Bracket {
            region: region.clone(),
            at_least: Rational::one(),
            at_most: None,
            upper_rule: "",
            nodes: 0,
            attained_here: true,
        };
        let mut lower = None;
        if let (true, Some(view)) = (local, &view) {
            let found = dual_bound::prove(problem, view, &region, &share);
            outcome.limit |= found.limit;
            if let Some((entry, nodes)) = found.upper {
                bracket.at_most = bound(&entry).map(|b| &b.0 / &nu_low);
                bracket.upper_rule = "dual bound";
                bracket.nodes = nodes;
                outcome.entries.push(entry);
            }
            found_better.extend(found.better);
            // Regions are nested: points of the smaller ones count here too.
            lower = best(problem, &found_better, &region);
        } else if !local {
            if let Some(entry) = norm_bound::prove(problem) {
                bracket.at_most = bound(&entry).map(|b| &b.0 / &nu_low);
                bracket.upper_rule = "norm bound";
                outcome.entries.push(entry);
            }
            if let Some(view) = &view
                && !request.budget.expired()
            {
                let options =
                    crate::polish::Options { budget: request.budget.clone(), ..Default::default() };
                found_better
                    .extend(crate::polish::polish(problem, view, &options).map(|p| p.network));
            }
            lower = best(problem, &found_better, &region);
        }
        bracket.attained_here = lower.is_none();
        let lower = lower.or_else(|| point::prove(problem, None, region.clone()));
        if let Some(entry) = lower {
            // θ itself is in every region; its bound may have been rounded down.
            let times = bound(&entry).map(|b| &b.0 / &nu_high);
            bracket.at_least = times.map_or_else(Rational::one, |t| t.max(Rational::one()));
            outcome.entries.push(entry);
        }
        if bracket.at_most.is_none()
            && outcome.undecided.iter().all(|u| !u.contains(&region.to_string()))
        {
            let why = if request.budget.expired() { "time ran out" } else { "no cover was found" };
            outcome.undecided.push(format!("an upper bound in `{region}`: {why}"));
        }
        outcome.brackets.push(bracket);
    }
    outcome.limit |= request.budget.expired();
    outcome
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
fn best(
    problem: &Problem,
    networks: &[maxmargin_kernel::network::Network],
    region: &Region,
) -> Option<Entry> {
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

/// The certificate as bytes, verified by the kernel from those bytes; with the kernel's report.
///
/// # Errors
/// The kernel refuses: an internal error, since every entry was checked when it was found.
pub fn seal(
    problem: &Problem,
    entries: Vec<Entry>,
    embed: bool,
) -> Result<(Vec<u8>, Report), Failure> {
    let certificate = Certificate::new(ProblemEntry::new(problem, embed), entries);
    let mut bytes = serde_json::to_vec(&certificate).map_err(|e| Failure::Io(e.to_string()))?;
    bytes.push(b'\n');
    let report = check(bytes.as_slice(), Some(problem), Limits::default())?;
    Ok((bytes, report))
}
