//! Covers divided over machines: open subtrees as files, and the parts joined into a certificate.
//!
//! `split` writes a folder: `run.json` (the problem, the multipliers and what is already proved) and
//! `items/K.json`, one open subtree each with all that its search needs. `prove` turns an item into
//! `parts/K.json`. `join` puts the parts where they belong. Nothing of this is trusted: the
//! certificate is checked like any other. Digests only tell runs apart.
use crate::budget::Budget;
use crate::numeric::two_layer::{View, to_f64};
use crate::prove::cover::{self, Outcome, Piece, Pieces, Statement};
use crate::prove::global::{self, Covers, Global, Ran};
use crate::solve::{Request, SolveError, none, prepare};
use crate::target::Pending;
use maxmargin_kernel::network::NetworkJson;
use maxmargin_kernel::problem::{DataJson, Problem};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Why covers cannot be divided or joined.
#[derive(Debug, thiserror::Error)]
pub enum DivideError {
    /// A file cannot be read or written.
    #[error("{path}: {1}", path = .0.display())]
    Io(PathBuf, std::io::Error),
    /// A file is not what it should be.
    #[error("{path} is not a {1}: {2}", path = .0.display())]
    Malformed(PathBuf, &'static str, String),
    /// The digest in a file is not that of its content.
    #[error("{path} was changed: its digest is not that of its content", path = .0.display())]
    Changed(PathBuf),
    /// A part of another run.
    #[error("{path} belongs to run {found}, not to run {run}: items of different runs cannot be mixed", path = .path.display())]
    OtherRun {
        /// The part.
        path: PathBuf,
        /// Its run.
        found: String,
        /// The run that is joined.
        run: String,
    },
    /// An item without a part.
    #[error("item {item} is missing: no part in {folder} is its result; run `maxmargin cover prove {path}`",
        folder = .folder.display(), path = .path.display())]
    Missing {
        /// The item.
        item: usize,
        /// Where parts are looked for.
        folder: PathBuf,
        /// The file of the item.
        path: PathBuf,
    },
    /// `T` is too small for these multipliers.
    #[error(
        "item {0} has a neuron above the bound: these multipliers prove no such gap. Split again with a larger --gap"
    )]
    Violated(usize),
    /// No network or no multipliers to start from.
    #[error(transparent)]
    Solve(#[from] SolveError),
}

/// What all items of a run share.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    format: String,
    digest: String,
    network: NetworkJson,
    data: DataJson,
    covers: Covers,
}

/// One open subtree, by itself.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    format: String,
    digest: String,
    run: String,
    item: usize,
    statement: Statement,
    pieces: Pieces,
}

/// What came of an item.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    format: String,
    digest: String,
    run: String,
    item: usize,
    violated: bool,
    pieces: Pieces,
}

/// A file with a digest of itself.
trait Sealed: Serialize + DeserializeOwned {
    const FORMAT: &'static str;
    fn format(&self) -> &str;
    fn digest(&mut self) -> &mut String;

    /// The digest of the content with the digest left empty.
    fn seal(&mut self) -> String {
        self.digest().clear();
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        let hex: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
        self.digest().clone_from(&hex);
        hex
    }

    fn write(&mut self, path: &Path) -> Result<(), DivideError> {
        self.seal();
        let io = |e: std::io::Error| DivideError::Io(path.into(), e);
        let mut pending = Pending::beside(path).map_err(io)?;
        let mut out = BufWriter::new(pending.file());
        serde_json::to_writer(&mut out, self).map_err(|e| io(e.into()))?;
        out.flush().map_err(io)?;
        drop(out);
        pending.commit().map_err(io)
    }

    fn read(path: &Path) -> Result<Self, DivideError> {
        let file = File::open(path).map_err(|e| DivideError::Io(path.into(), e))?;
        let malformed = |e: String| DivideError::Malformed(path.into(), Self::FORMAT, e);
        let mut found: Self =
            serde_json::from_reader(BufReader::new(file)).map_err(|e| malformed(e.to_string()))?;
        if found.format() != Self::FORMAT {
            return Err(malformed(format!("its format is `{}`", found.format())));
        }
        let stated = found.digest().clone();
        if stated != found.seal() { Err(DivideError::Changed(path.into())) } else { Ok(found) }
    }
}

macro_rules! sealed {
    ($name:ident, $format:literal) => {
        impl Sealed for $name {
            const FORMAT: &'static str = $format;
            fn format(&self) -> &str {
                &self.format
            }
            fn digest(&mut self) -> &mut String {
                &mut self.digest
            }
        }
    };
}
sealed!(Run, "maxmargin-cover-run");
sealed!(Item, "maxmargin-cover-item");
sealed!(Part, "maxmargin-cover-part");

/// Subtrees per sign in which [`split`] looks for violators, whatever the number of items.
const WIDE: usize = 1024;

/// What [`split`] wrote.
#[derive(Clone, Copy, Debug)]
pub struct Division {
    /// Number of items.
    pub items: usize,
    /// The gap to the best network that the bound will have.
    pub gap: f64,
}

fn folder(dir: &Path, name: &str) -> Result<PathBuf, DivideError> {
    let path = dir.join(name);
    std::fs::create_dir_all(&path).map_err(|e| DivideError::Io(path.clone(), e))?;
    Ok(path)
}

/// Finds multipliers for `data` without any cover, or takes those of a checkpoint's unfinished
/// covers, splits the covers into at least about `count` subtrees, and writes them to `dir`.
///
/// # Errors
/// [`DivideError`].
pub fn split(
    data: &maxmargin_kernel::problem::Data,
    request: &Request,
    count: usize,
    dir: &Path,
    report: &(dyn Fn(global::Status) + Sync),
) -> Result<Division, DivideError> {
    let (data, view, mut options) = prepare(data, request)?;
    options.covers = false;
    let limits = cover::Options {
        deadline: request.budget.deadline,
        cancel: Some(&request.budget.cancel),
        parallel: request.threads > 1,
        ..Default::default()
    };
    // Violators that come up in the first levels go back into the search.
    let mut seeds: Vec<(f64, Vec<f64>)> = Vec::new();
    let (found, network, covers) = loop {
        let mut found: Global = global::search(&view, &seeds, &options, report);
        let network = global::network(&view, &request.activation, &found.network);
        let (Some(network), Some(mut covers)) = (network, found.pending.take()) else {
            return Err(none(&found).into());
        };
        // Most levels of the covers are cheap: so many as find what depth first would find late.
        let wide = count.div_ceil(2).max(WIDE);
        let mut probe = covers.clone();
        let ran = match probe.expand(&view, &limits, wide, &mut found.nodes) {
            Ran::Violated(violators) => Ran::Violated(violators),
            _ => covers.expand(&view, &limits, count.div_ceil(2), &mut found.nodes),
        };
        match ran {
            Ran::Violated(violators) => {
                if request.budget.expired() {
                    return Err(DivideError::Violated(0));
                }
                seeds.extend(found.network);
                seeds.extend(violators);
            }
            _ => break (found, network, covers),
        }
    };
    let gap = found.upper / (covers.sum() / covers.target()) - 1.0;
    let format = Run::FORMAT.to_string();
    let (network, data) = (NetworkJson::from_network(&network), DataJson::from_data(&data));
    let mut run = Run { format, digest: String::new(), network, data, covers };
    let (items_at, digest) = (folder(dir, "items")?, run.seal());
    folder(dir, "parts")?;
    run.write(&dir.join("run.json"))?;
    let mut items = 0;
    for (sign, pieces) in run.covers.sides() {
        let (instance, t) = run.covers.instance(&view, sign);
        let statement = Statement::new(&instance, t, run.covers.units());
        for open in pieces.open() {
            let mut alone = Pieces::default();
            alone.push(Piece::Open(open.clone()));
            let mut item = Item {
                format: Item::FORMAT.into(),
                digest: String::new(),
                run: digest.clone(),
                item: items,
                statement: statement.clone(),
                pieces: alone,
            };
            item.write(&items_at.join(name(items)))?;
            items += 1;
        }
    }
    Ok(Division { items, gap })
}

fn name(item: usize) -> String {
    format!("{item:05}.json")
}

/// How an item ended.
#[derive(Clone, Debug)]
pub struct Proved {
    /// The part's file.
    pub path: PathBuf,
    /// Nodes of the search, now.
    pub nodes: u64,
    /// Whether all is closed.
    pub closed: bool,
    /// Whether `T` is too small.
    pub violated: bool,
}

/// Searches one item and writes its part, by default to the folder `parts` beside the item's; goes
/// on from a part that a limit cut short.
///
/// # Errors
/// [`DivideError`].
pub fn prove(
    path: &Path,
    output: Option<&Path>,
    budget: &Budget,
    parallel: bool,
) -> Result<Proved, DivideError> {
    let item = Item::read(path)?;
    let part_at = match output {
        Some(path) => path.to_path_buf(),
        None => {
            let here = path.parent().unwrap_or(Path::new(""));
            folder(&here.join(".."), "parts")?.join(name(item.item))
        }
    };
    let shapes = || {
        let reason = "its shapes do not fit".to_string();
        DivideError::Malformed(path.into(), Item::FORMAT, reason)
    };
    let instance = item.statement.instance().ok_or_else(shapes)?;
    let earlier = Part::read(&part_at).ok();
    let earlier = earlier.filter(|p| p.run == item.run && p.item == item.item && !p.violated);
    let pieces = earlier.map_or(item.pieces, |part| part.pieces);
    let options = cover::Options {
        deadline: budget.deadline,
        cancel: Some(&budget.cancel),
        parallel,
        ..Default::default()
    };
    let (t, units) = (item.statement.t(), item.statement.units());
    let outcome = cover::resume(&instance, t, units, &options, pieces);
    let nodes = outcome.statistics().nodes;
    let (closed, violated, pieces) = match outcome {
        Outcome::Closed { nodes, .. } => (true, false, Pieces::from(nodes)),
        Outcome::Violated { .. } => (false, true, Pieces::default()),
        Outcome::Limit { pieces, .. } => (false, false, pieces),
    };
    let (format, digest) = (Part::FORMAT.into(), String::new());
    Part { format, digest, run: item.run, item: item.item, violated, pieces }.write(&part_at)?;
    Ok(Proved { path: part_at, nodes, closed, violated })
}

/// Puts the parts of a run together: the problem of its network, the network's claims, and whether
/// all parts were closed. Subtrees that a limit left open are closed for a larger bound.
///
/// # Errors
/// [`DivideError`].
pub fn join(dir: &Path) -> Result<(Problem, Global, bool), DivideError> {
    let run_at = dir.join("run.json");
    let mut run = Run::read(&run_at)?;
    let parts_at = dir.join("parts");
    let mut parts: std::collections::BTreeMap<usize, Part> = Default::default();
    let io = |e| DivideError::Io(parts_at.clone(), e);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(&parts_at).map_err(io)? {
        paths.push(entry.map_err(io)?.path());
    }
    paths.sort();
    for path in paths.into_iter().filter(|p| p.extension().is_some_and(|e| e == "json")) {
        let part = Part::read(&path)?;
        if part.run != run.digest {
            return Err(DivideError::OtherRun { path, found: part.run, run: run.digest });
        }
        if part.violated {
            return Err(DivideError::Violated(part.item));
        }
        parts.insert(part.item, part);
    }
    let (mut item, mut closed) = (0, true);
    for pieces in run.covers.pieces_mut() {
        let mut whole = Pieces::default();
        for piece in std::mem::take(pieces).list() {
            match piece {
                Piece::Done(_) => whole.push(piece.clone()),
                Piece::Open(_) => {
                    let path = dir.join("items").join(name(item));
                    let folder = parts_at.clone();
                    let missing = DivideError::Missing { item, folder, path };
                    let part = parts.remove(&item).ok_or(missing)?;
                    closed &= part.pieces.open().next().is_none();
                    whole.append(part.pieces);
                    item += 1;
                }
            }
        }
        *pieces = whole;
    }
    let malformed = |e: String| DivideError::Malformed(run_at.clone(), Run::FORMAT, e);
    let network = run.network.to_network().map_err(|e| malformed(e.to_string()))?;
    let data = run.data.to_data().map_err(|e| malformed(e.to_string()))?;
    let problem = Problem::new(network, data).map_err(|e| malformed(e.to_string()))?;
    let view = View::of_data(problem.data(), to_f64(problem.activation().slope()));
    if !run.covers.fits(view.len()) {
        return Err(malformed("its covers do not fit the data".into()));
    }
    let nothing = || malformed("its covers prove nothing".into());
    let (lower, bound, proof) = run.covers.certified(&view, 0.0).ok_or_else(nothing)?;
    let result = Global { lower, bound: Some((bound, proof)), ..Global::default() };
    Ok((problem, result, closed))
}
