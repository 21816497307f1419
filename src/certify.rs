//! The whole report about a point: which claims to prove, in which order.
use crate::budget::Budget;
use crate::numeric::two_layer::{View, to_f64};
use crate::prove::{dual_bound, global, kkt_residual, norm_bound, point};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use maxmargin_kernel::certificate::{Certificate, Entry, ProblemEntry};
use maxmargin_kernel::check::{Failure, Limits, Report, check};
use maxmargin_kernel::claim::{Claim, Region};
use maxmargin_kernel::network::TwoLayer;
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::Problem;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;
use tempfile::NamedTempFile;

/// What to prove.
#[derive(Clone, Debug)]
pub struct Request {
    /// Regions for two-sided brackets.
    pub brackets: Vec<Region>,
    /// δ and ε of the KKT residual.
    pub residual: Option<(Rational, Rational)>,
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
    /// Best `ν` attained, as a multiple of this network's: 1 for θ itself.
    pub at_least: f64,
    /// Bound on `ν`, as a multiple of this network's; `None` if none was proved.
    pub at_most: Option<f64>,
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
    let nu = problem.normalised_margin().map_or(f64::NAN, |(low, _)| to_f64(&low));
    if let Some((delta, epsilon)) = &request.residual {
        stage("KKT residual");
        match TwoLayer::new(problem.network()) {
            Err(reason) => outcome.undecided.push(format!("the KKT residual: the rule {reason}")),
            Ok(_) => match kkt_residual::prove(problem, delta, epsilon) {
                Some(entry) => outcome.entries.push(entry),
                None => {
                    outcome.undecided.push("the KKT residual: no multipliers were found".into())
                }
            },
        }
    }
    let view = View::new(problem);
    let mut found_better = Vec::new();
    let mut ordered = request.brackets.clone();
    // Local regions first: what they find also bounds the larger ones from below.
    ordered.sort_by_key(|r| matches!(r, Region::Everywhere | Region::AnyWidth));
    for region in ordered {
        stage(&format!("bracket {region}"));
        let local = matches!(region, Region::Cell | Region::Near(_));
        let mut bracket = Bracket {
            region: region.clone(),
            at_least: 1.0,
            at_most: None,
            upper_rule: "",
            nodes: 0,
            attained_here: true,
        };
        let mut lower = None;
        let mut wide = None;
        if local {
            match (&view, TwoLayer::with_one_output(problem.network())) {
                (Some(view), _) => {
                    let found = dual_bound::prove(problem, view, &region, request);
                    outcome.limit |= found.limit;
                    if let Some((entry, nodes)) = found.upper {
                        bracket.at_most = bound(&entry).map(|b| b / nu);
                        bracket.upper_rule = "dual bound";
                        bracket.nodes = nodes;
                        outcome.entries.push(entry);
                    }
                    if let Some(network) = found.better {
                        lower = point::prove(problem, Some(&network), region.clone());
                        found_better.push(network);
                    }
                }
                (None, Err(reason)) => {
                    outcome.undecided.push(format!("the bracket of `{region}`: the rule {reason}"));
                }
                (None, Ok(_)) => {}
            }
        } else {
            let global = view.as_ref().filter(|_| !request.budget.expired()).map(|view| {
                let seeds: Vec<(f64, Vec<f64>)> = view
                    .units
                    .iter()
                    .map(|u| (if u.v < 0.0 { -1.0 } else { 1.0 }, u.w.clone()))
                    .collect();
                let options = global::Options {
                    gap: request.gap,
                    starts: 200,
                    budget: request.budget.clone(),
                    parallel: request.threads > 1,
                };
                let found = global::search(view, &seeds, &options, |s| stage(&global_stage(&s)));
                outcome.limit |= found.limit;
                (view, found)
            });
            let dual = global.as_ref().and_then(|(_, found)| global::upper_entry(problem, found));
            let crude = norm_bound::prove(problem);
            // The crude bound costs nothing and covers networks the dual bound does not; the
            // bracket takes the better one.
            for (rule, entry, nodes) in (dual.map(|(e, n)| ("dual bound", e, n)).into_iter())
                .chain(crude.map(|e| ("norm bound", e, 0)))
            {
                let times = bound(&entry).map(|b| b / nu);
                if bracket.at_most.is_none_or(|old| times.is_some_and(|t| t < old)) {
                    (bracket.at_most, bracket.upper_rule, bracket.nodes) = (times, rule, nodes);
                    outcome.entries.push(entry);
                }
            }
            if let Some((view, found)) = &global {
                if let Some(entry) = global::lower_entry(problem, view, found) {
                    wide = Some(Bracket {
                        region: Region::AnyWidth,
                        at_least: bound(&entry).map_or(1.0, |b| b / nu),
                        attained_here: false,
                        ..bracket.clone()
                    });
                    outcome.entries.push(entry);
                }
                found_better.extend(global::in_architecture(problem, view, found));
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
            bracket.at_least = bound(&entry).map_or(1.0, |b| b / nu);
            outcome.entries.push(entry);
        }
        if bracket.at_most.is_none()
            && outcome.undecided.iter().all(|u| !u.contains(&region.to_string()))
        {
            let why = if request.budget.expired() { "time ran out" } else { "no cover was found" };
            outcome.undecided.push(format!("an upper bound in `{region}`: {why}"));
        }
        outcome.brackets.push(bracket);
        outcome.brackets.extend(wide);
    }
    outcome.limit |= request.budget.expired();
    outcome
}

/// The state of the global search in one line.
pub fn global_stage(s: &global::Status) -> String {
    let gap = if s.lower > 0.0 { format!("{:.1e}", s.upper / s.lower - 1.0) } else { "?".into() };
    format!(
        "any width: round {}, cost ≤ {:.6}, ≥ {:.6}, gap {gap}, {} nodes",
        s.round, s.upper, s.lower, s.nodes
    )
}

/// The best of these networks as a point of the region, if it beats θ.
fn best(
    problem: &Problem,
    networks: &[maxmargin_kernel::network::Network],
    region: &Region,
) -> Option<Entry> {
    let mut champion = problem.clone();
    let mut winner = None;
    for network in networks {
        let Ok(candidate) = Problem::new(network.clone(), problem.data().clone()) else { continue };
        if point::better(&candidate, &champion) {
            champion = candidate;
            winner = Some(network);
        }
    }
    point::prove(problem, Some(winner?), region.clone())
}

/// The bound of a margin claim.
fn bound(entry: &Entry) -> Option<f64> {
    match &entry.claim {
        Claim::MarginAtMost { bound, .. } | Claim::MarginAtLeast { bound, .. } => {
            Some(bound.to_f64())
        }
        _ => None,
    }
}

/// A certificate that the kernel verified from the bytes of its file.
#[derive(Debug)]
pub struct Sealed {
    /// The kernel's report.
    pub report: Report,
    /// Length of the file.
    pub bytes: u64,
}

/// Writes the certificate and has the kernel verify what was written; only then the file gets
/// its name. Without a path it is verified all the same. A name ending in `.gz` means gzip.
///
/// # Errors
/// [`Failure::Io`], or the kernel refuses: an internal error, since every entry was checked when it
/// was found.
pub fn seal(
    problem: &Problem,
    entries: Vec<Entry>,
    embed: bool,
    path: Option<&Path>,
) -> Result<Sealed, Failure> {
    let certificate = Certificate::new(ProblemEntry::new(problem, embed), entries);
    let named = |e: &dyn std::fmt::Display| match path {
        Some(path) => Failure::Io(format!("cannot write {}: {e}", path.display())),
        None => Failure::Io(format!("cannot write a temporary file: {e}")),
    };
    let fail = |e: std::io::Error| named(&e);
    let file = match path {
        Some(path) => {
            let folder = path.parent().filter(|f| !f.as_os_str().is_empty());
            NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
        }
        None => NamedTempFile::new(),
    };
    let mut file = file.map_err(fail)?;
    let zipped = path.is_some_and(is_gzip);
    let mut out = BufWriter::new(file.as_file_mut());
    if zipped {
        let mut zip = GzEncoder::new(&mut out, Compression::default());
        serde_json::to_writer(BufWriter::new(&mut zip), &certificate).map_err(|e| named(&e))?;
        zip.write_all(b"\n").and_then(|()| zip.finish().map(|_| ())).map_err(fail)?;
    } else {
        serde_json::to_writer(&mut out, &certificate).map_err(|e| named(&e))?;
        out.write_all(b"\n").map_err(fail)?;
    }
    out.flush().map_err(fail)?;
    drop(out);
    file.as_file().sync_all().map_err(fail)?;
    let bytes = file.as_file_mut().stream_position().map_err(fail)?;
    file.as_file_mut().rewind().map_err(fail)?;
    let report = check(reader(file.as_file_mut(), zipped), Some(problem), Limits::default())?;
    if let Some(path) = path {
        file.persist(path).map_err(|e| fail(e.error))?;
    }
    Ok(Sealed { report, bytes })
}

/// A certificate file, unzipped if its name ends in `.gz`.
///
/// # Errors
/// The file cannot be opened.
pub fn open(path: &Path) -> std::io::Result<Box<dyn Read>> {
    Ok(reader(File::open(path)?, is_gzip(path)))
}

fn reader<'a>(source: impl Read + 'a, zipped: bool) -> Box<dyn Read + 'a> {
    let source = BufReader::new(source);
    if zipped { Box::new(BufReader::new(MultiGzDecoder::new(source))) } else { Box::new(source) }
}

fn is_gzip(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"))
}
