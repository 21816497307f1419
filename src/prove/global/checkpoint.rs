//! The state of a search in a file, to go on from after an interruption.
use super::{Candidate, Covers, Search};
use crate::numeric::bits::{from_bits, to_bits};
use crate::numeric::two_layer::to_f64;
use crate::target::Pending;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use maxmargin_kernel::claim::Number;
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::{Data, data_digest};
use maxmargin_kernel::proof::dual_bound::DualBound;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const FORMAT: &str = "maxmargin-checkpoint";
const VERSION: u32 = 1;
/// Least time between two saves.
const EVERY: Duration = Duration::from_secs(5);

/// A sign (`true` for +) and the bits of a vector.
type Place = (bool, Vec<u64>);

/// What a search knows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    format: String,
    version: u32,
    /// Digest of the data set.
    data: String,
    /// Slope α.
    slope: Number,
    candidates: Vec<Place>,
    remembered: Vec<Place>,
    working: Vec<usize>,
    /// The best network, with the bits of its cost.
    network: Vec<Place>,
    upper: u64,
    /// Bits of the latest multipliers.
    lambda: Vec<u64>,
    bound: Option<(Number, DualBound)>,
    /// Bits of the bound on costs.
    lower: u64,
    /// Unfinished covers.
    covers: Option<Covers>,
    nodes: u64,
    rounds: usize,
}

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It cannot be read.
    #[error("{path}: {1}", path = .0.display())]
    Io(PathBuf, std::io::Error),
    /// It is not one.
    #[error("{path} is not a checkpoint of this version: {1}", path = .0.display())]
    Malformed(PathBuf, String),
    /// It belongs to something else.
    #[error("{path} is the checkpoint of another {1}: give that, or another file name", path = .0.display())]
    Other(PathBuf, &'static str),
}

/// Where a search keeps its state.
#[derive(Clone, Debug)]
pub struct Saving {
    path: PathBuf,
    data: String,
    slope: Rational,
    resume: Option<Box<Checkpoint>>,
}

impl Saving {
    /// For a data set; reads the file if there is one.
    ///
    /// # Errors
    /// A file that is no checkpoint, or that of other data or another activation.
    pub fn open(path: &Path, data: &Data, slope: &Rational) -> Result<Self, CheckpointError> {
        let digest = data_digest(data);
        let mut saving =
            Self { path: path.into(), data: digest, slope: slope.clone(), resume: None };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(saving),
            Err(e) => return Err(CheckpointError::Io(path.into(), e)),
        };
        let malformed = |e: String| CheckpointError::Malformed(path.into(), e);
        let source = BufReader::new(GzDecoder::new(BufReader::new(file)));
        let found: Checkpoint =
            serde_json::from_reader(source).map_err(|e| malformed(e.to_string()))?;
        if found.format != FORMAT || found.version != VERSION {
            return Err(malformed(format!("format {}, version {}", found.format, found.version)));
        }
        if found.data != saving.data {
            return Err(CheckpointError::Other(path.into(), "data set"));
        }
        if found.slope.0 != saving.slope {
            return Err(CheckpointError::Other(path.into(), "activation"));
        }
        let (samples, width) = (data.len(), data.sample(0).len());
        let places = [&found.candidates, &found.remembered, &found.network];
        let fits = places.iter().all(|list| list.iter().all(|p| p.1.len() == width))
            && found.working.iter().all(|i| *i < samples)
            && (found.lambda.is_empty() || found.lambda.len() == samples)
            && found.covers.as_ref().is_none_or(|c| c.fits(samples));
        if !fits {
            return Err(malformed("its numbers do not fit the data".into()));
        }
        saving.resume = Some(Box::new(found));
        Ok(saving)
    }
}

fn place((sign, w): &(f64, Vec<f64>)) -> Place {
    (*sign > 0.0, to_bits(w))
}

fn unplace((sign, w): &Place) -> (f64, Vec<f64>) {
    (if *sign { 1.0 } else { -1.0 }, from_bits(w))
}

impl Search<'_> {
    /// Takes over the state of an earlier search; whether there was one.
    pub(super) fn restore(&mut self) -> bool {
        let Some(saved) = self.options.saving.as_ref().and_then(|s| s.resume.as_deref()) else {
            return false;
        };
        let saved = saved.clone();
        for p in &saved.candidates {
            let (sign, w) = unplace(p);
            self.add(sign, w);
        }
        self.remembered = saved.remembered.iter().map(unplace).collect();
        self.program.working = saved.working;
        self.lambda = from_bits(&saved.lambda);
        let result = &mut self.result;
        result.network = saved.network.iter().map(unplace).collect();
        if !result.network.is_empty() {
            result.upper = f64::from_bits(saved.upper);
        }
        if let Some((bound, proof)) = saved.bound {
            // The kernel looks at the proof again before anything is claimed.
            result.lower = f64::from_bits(saved.lower).min(0.5 / to_f64(&bound.0) * (1.0 + 1e-12));
            result.bound = Some((bound, proof));
        }
        (result.nodes, result.rounds) = (saved.nodes, saved.rounds);
        let enough = 1.0 + self.options.gap;
        result.pending = saved.covers.filter(|covers| covers.target() <= enough);
        true
    }

    /// Writes the state, all or nothing: at the end, or if the last time is long enough ago.
    pub(super) fn save(&mut self, end: bool) {
        let Some(saving) = &self.options.saving else { return };
        // Before there is a network there is nothing worth keeping.
        if !end && (self.result.network.is_empty() || self.saved.elapsed() < EVERY) {
            return;
        }
        let start = Instant::now();
        let side = |c: &Candidate| place(&(c.sign, c.side.clone()));
        let result = &self.result;
        let state = Checkpoint {
            format: FORMAT.into(),
            version: VERSION,
            data: saving.data.clone(),
            slope: Number(saving.slope.clone()),
            candidates: self.program.candidates.iter().map(side).collect(),
            remembered: self.remembered.iter().map(place).collect(),
            working: self.program.working.clone(),
            network: result.network.iter().map(place).collect(),
            upper: result.upper.to_bits(),
            lambda: to_bits(&self.lambda),
            bound: result.bound.clone(),
            lower: result.lower.to_bits(),
            covers: result.pending.clone(),
            nodes: result.nodes,
            rounds: result.rounds,
        };
        let failure = write(&saving.path, &state).err();
        let named = |e: std::io::Error| format!("{}: {e}", saving.path.display());
        self.result.not_saved = failure.map(named);
        // Large states are saved less often: at most a twentieth of the time goes there.
        self.saved = Instant::now() + start.elapsed() * 20;
    }
}

fn write(path: &Path, state: &Checkpoint) -> std::io::Result<()> {
    let mut pending = Pending::beside(path)?;
    let mut out = GzEncoder::new(BufWriter::new(pending.file()), Compression::fast());
    serde_json::to_writer(BufWriter::new(&mut out), state)?;
    out.finish()?.flush()?;
    pending.commit()
}
