//! From data alone: a network with the largest normalised margin of any width, with proof.
use crate::budget::Budget;
use crate::numeric::two_layer::{View, to_f64};
use crate::prove::global::{self, CheckpointError, Options, Saving, Status, Workers};
use crate::prove::point;
use maxmargin_kernel::certificate::Entry;
use maxmargin_kernel::claim::Region;
use maxmargin_kernel::network::{Activation, Layer, Network};
use maxmargin_kernel::number::ScaledVec;
use maxmargin_kernel::problem::{Data, DataError, Problem};
use std::path::PathBuf;
use std::sync::Arc;

/// What to reach.
#[derive(Clone, Debug)]
pub struct Request {
    /// σ.
    pub activation: Activation,
    /// Relative gap between the network and the bound.
    pub gap: f64,
    /// Threads.
    pub threads: usize,
    /// When to stop.
    pub budget: Budget,
    /// Where to keep the state of the search, and to go on from.
    pub checkpoint: Option<PathBuf>,
    /// Who searches covers, if not this process.
    pub workers: Option<Arc<dyn Workers>>,
}

/// The best network found, with the claims about it.
#[derive(Debug)]
pub struct Solved {
    /// The network and the data.
    pub problem: Problem,
    /// `margin_at_least` and, if one was found, `margin_at_most`, for any width. The kernel sees the
    /// latter when the certificate is sealed, once.
    pub entries: Vec<Entry>,
    /// Cost `1/(2ν)` of the network.
    pub upper: f64,
    /// Certified lower bound of every cost; 0 if there is none.
    pub lower: f64,
    /// Nodes of the covers in the proof.
    pub nodes: usize,
    /// Rounds of column generation.
    pub rounds: usize,
    /// Whether a limit ended the search.
    pub limit: bool,
    /// Why the state could not be saved.
    pub not_saved: Option<String>,
}

impl Solved {
    /// `upper/lower − 1`.
    pub fn gap(&self) -> f64 {
        if self.lower > 0.0 { self.upper / self.lower - 1.0 } else { f64::INFINITY }
    }
}

/// Why there is no network.
#[derive(Debug, thiserror::Error)]
pub enum SolveError {
    /// The data cannot be used with a network of one output.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Two samples no network separates.
    #[error(
        "samples {0} and {1} have the same features and different labels; no network classifies both"
    )]
    Contradiction(usize, usize),
    /// The search ended before any network classified the data.
    #[error("no network that classifies the data was found")]
    NoNetwork,
    /// The same, because of a limit.
    #[error("the limit was reached before a network that classifies the data was found")]
    Limit,
    /// The checkpoint cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// Solves. `report` is told about every round.
///
/// # Errors
/// [`SolveError`].
pub fn solve(
    data: &Data,
    request: &Request,
    report: &(dyn Fn(Status) + Sync),
) -> Result<Solved, SolveError> {
    let (data, view, options) = prepare(data, request)?;
    let mut found = global::search(&view, &[], &options, report);
    let network =
        global::network(&view, &request.activation, &found.network).ok_or(none(&found))?;
    let problem = Problem::new(network, data)?;
    let mut entries = Vec::new();
    let lower = point::prove(&problem, None, Region::AnyWidth).ok_or(SolveError::NoNetwork)?;
    entries.push(lower);
    let mut nodes = 0;
    let bound = global::upper_entry(&mut found);
    let proved = bound.is_some();
    if let Some((entry, count)) = bound {
        nodes = count;
        entries.push(entry);
    }
    let nu = problem.normalised_margin().map_or(f64::NAN, |(low, _)| to_f64(&low));
    Ok(Solved {
        problem,
        entries,
        upper: 0.5 / nu,
        lower: if proved { found.lower } else { 0.0 },
        nodes,
        rounds: found.rounds,
        limit: found.limit,
        not_saved: found.not_saved,
    })
}

/// Why a search has no network.
pub(crate) fn none(found: &global::Global) -> SolveError {
    if found.limit { SolveError::Limit } else { SolveError::NoNetwork }
}

/// The data as networks see them, and how to search.
pub(crate) fn prepare(data: &Data, request: &Request) -> Result<(Data, View, Options), SolveError> {
    if let Some((i, j)) = data.contradiction() {
        return Err(SolveError::Contradiction(i, j));
    }
    // A throw-away network: it normalises the labels and names what is wrong with the data.
    let inputs = data.sample(0).len();
    let blank = blank(&request.activation, inputs).ok_or(SolveError::NoNetwork)?;
    let data = Problem::new(blank, data.clone())?.data().clone();
    let slope = request.activation.slope();
    let open = |path: &PathBuf| Saving::open(path, &data, slope);
    let options = Options {
        gap: request.gap,
        budget: request.budget.clone(),
        parallel: request.threads > 1,
        saving: request.checkpoint.as_ref().map(open).transpose()?,
        workers: request.workers.clone(),
        ..Options::default()
    };
    let view = View::of_data(&data, to_f64(slope));
    Ok((data, view, options))
}

/// One neuron with zero weights.
fn blank(activation: &Activation, inputs: usize) -> Option<Network> {
    let zeros = |n: usize| ScaledVec::from_f64s(&vec![0.0; n]).ok();
    let layers = vec![
        Layer::dense(1, 1, inputs, zeros(inputs)?).ok()?,
        Layer::dense(2, 1, 1, zeros(1)?).ok()?,
    ];
    Network::new(activation.clone(), layers).ok()
}
