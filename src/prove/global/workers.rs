//! Covers searched by workers elsewhere: open subtrees go out as bytes, what comes back is put in its
//! place.
//!
//! What happens at a node depends on its ancestors alone, so the cover that comes out is the one a
//! single process finds, whoever searched which part of it, how often, and in which order. Nothing
//! that workers send is trusted: the certificate is checked like any other.
use super::{Covers, Ran};
use crate::numeric::bits::{from_bits, to_bits};
use crate::numeric::two_layer::View;
use crate::prove::cover::{self, Outcome, Piece, Pieces, Statement};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Debug;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// The workers ended for good; why is for them to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// How far the workers are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Subtrees that came back.
    pub done: usize,
    /// Subtrees that were sent and have not come back.
    pub away: usize,
    /// Subtrees that are still here.
    pub waiting: usize,
}

/// Processes that run [`serve`], on this machine or others. Whoever implements this sends a task again
/// if the worker that had it is lost.
pub trait Workers: Debug + Send + Sync {
    /// How many tasks they work on at the same time, now.
    ///
    /// # Errors
    /// [`Gone`].
    fn capacity(&self) -> Result<usize, Gone>;

    /// What the tasks that follow refer to; earlier statements and tasks are of no interest any more.
    ///
    /// # Errors
    /// [`Gone`].
    fn begin(&self, statements: Vec<Vec<u8>>) -> Result<(), Gone>;

    /// A task on one of the statements, to be worked on for so many seconds.
    ///
    /// # Errors
    /// [`Gone`].
    fn submit(&self, id: usize, statement: usize, task: Vec<u8>, seconds: f64) -> Result<(), Gone>;

    /// Answers that arrived, with the numbers of their tasks; waits a moment if there are none.
    ///
    /// # Errors
    /// [`Gone`].
    fn collect(&self, standing: Standing) -> Result<Vec<(usize, Vec<u8>)>, Gone>;

    /// The answers to these are not needed.
    ///
    /// # Errors
    /// [`Gone`].
    fn cancel(&self, ids: Vec<usize>) -> Result<(), Gone>;
}

const FORMAT: &str = "maxmargin-cover-task";
/// Client and workers must be the same program.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Subtrees per sign to begin with. Not a function of the number of workers, so that every run goes
/// the same way.
const ITEMS: usize = 64;
/// A task ends after so many seconds, closed or not: so much is lost with a worker, and so often a large
/// subtree is divided again.
const SLICE: f64 = 20.0;
/// The least that makes sense.
const SHORT: f64 = 0.5;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shared {
    format: String,
    version: String,
    statement: Statement,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    nodes: u64,
    /// Bits of the directions with values above `T`.
    violators: Vec<Vec<u64>>,
    pieces: Pieces,
}

fn bytes(value: &impl Serialize) -> Vec<u8> {
    // Writing integers and strings to memory does not fail.
    serde_json::to_vec(value).unwrap_or_default()
}

/// What a worker does: searches a subtree for so many seconds, and answers with what it proved and
/// what is still open.
///
/// # Errors
/// Bytes of another program or version.
pub fn serve(
    statement: &[u8],
    task: &[u8],
    seconds: f64,
    cancel: &AtomicBool,
) -> Result<Vec<u8>, String> {
    let malformed = |e: &dyn std::fmt::Display| format!("this is not a task of maxmargin: {e}");
    let shared: Shared = serde_json::from_slice(statement).map_err(|e| malformed(&e))?;
    if shared.format != FORMAT {
        return Err(malformed(&shared.format));
    }
    if shared.version != VERSION {
        return Err(format!(
            "this worker has maxmargin {VERSION}, the client {}: install the same on all",
            shared.version
        ));
    }
    let pieces: Pieces = serde_json::from_slice(task).map_err(|e| malformed(&e))?;
    let statement = shared.statement;
    let instance = statement.instance().ok_or_else(|| malformed(&"its shapes do not fit"))?;
    let soon = Duration::try_from_secs_f64(seconds).ok();
    let options = cover::Options {
        deadline: soon.and_then(|d| Instant::now().checked_add(d)),
        cancel: Some(cancel),
        parallel: false,
        ..Default::default()
    };
    let outcome = cover::resume(&instance, statement.t(), statement.units(), &options, pieces);
    let nodes = outcome.statistics().nodes;
    let (violators, pieces) = match outcome {
        Outcome::Closed { nodes, .. } => (Vec::new(), Pieces::from(nodes)),
        Outcome::Violated { violators, .. } => (violators, Pieces::default()),
        Outcome::Limit { pieces, .. } => (Vec::new(), pieces),
    };
    let violators = violators.iter().map(|v| to_bits(&v.w)).collect();
    Ok(bytes(&Answer { nodes, violators, pieces }))
}

/// Where a stretch stands in the covers: the side, its number there, and, if it came from a subtree,
/// its number in that. Ordered as the covers are.
type Place = Vec<u32>;

/// Covers taken apart, and who has what.
struct Farm<'a> {
    workers: &'a dyn Workers,
    options: &'a cover::Options<'a>,
    pieces: BTreeMap<Place, Piece>,
    waiting: BTreeSet<Place>,
    away: HashMap<usize, Place>,
    standing: Standing,
    sent: usize,
    /// The first subtree with violators, and they.
    violated: Option<(Place, Vec<Vec<f64>>)>,
}

impl Covers {
    /// Goes on with what is open, as [`Covers::run`], by sending it to `workers`.
    pub fn farm(
        &mut self,
        view: &View,
        workers: &dyn Workers,
        options: &cover::Options,
        nodes: &mut u64,
    ) -> Ran {
        // Not in parallel: which violators are found first would depend on it.
        let options = &cover::Options { parallel: false, ..*options };
        let ran = self.expand(view, options, ITEMS, nodes);
        if matches!(ran, Ran::Violated(_) | Ran::Closed | Ran::Stuck) {
            return ran;
        }
        let mut farm = Farm {
            workers,
            options,
            pieces: BTreeMap::new(),
            waiting: BTreeSet::new(),
            away: HashMap::new(),
            standing: Standing::default(),
            sent: 0,
            violated: None,
        };
        let mut statements = Vec::new();
        for (sign, _) in self.sides() {
            let (instance, t) = self.instance(view, sign);
            let statement = Statement::new(&instance, t, self.units());
            let (format, version) = (FORMAT.to_string(), VERSION.to_string());
            statements.push(bytes(&Shared { format, version, statement }));
        }
        for (side, pieces) in (0..).zip(self.pieces_mut()) {
            farm.put(&[side], std::mem::take(pieces));
        }
        let ended = workers.begin(statements).and_then(|()| farm.run(nodes));
        for (side, pieces) in (0..).zip(self.pieces_mut()) {
            let here = std::mem::take(&mut farm.pieces);
            let (own, rest) = here.into_iter().partition(|(place, _)| place.first() == Some(&side));
            farm.pieces = rest;
            let own: BTreeMap<Place, Piece> = own;
            own.into_values().for_each(|piece| pieces.push(piece));
        }
        let signs: Vec<f64> = self.sides().map(|(sign, _)| f64::from(sign)).collect();
        if let (Ok(()), Some((place, list))) = (ended, farm.violated) {
            let sign = place.first().and_then(|side| signs.get(*side as usize));
            let sign = sign.copied().unwrap_or(1.0);
            return Ran::Violated(list.into_iter().map(|w| (sign, w)).collect());
        }
        self.ran()
    }
}

impl Farm<'_> {
    /// Puts stretches in place of the subtree at `place`.
    fn put(&mut self, place: &[u32], pieces: Pieces) {
        self.pieces.remove(place);
        for (k, piece) in (0..).zip(pieces.into_list()) {
            let below: Place = place.iter().copied().chain([k]).collect();
            if matches!(&piece, Piece::Open(open) if !open.stuck) {
                self.waiting.insert(below.clone());
            }
            self.pieces.insert(below, piece);
        }
    }

    /// Until nothing is open, something is violated, or a limit is reached.
    fn run(&mut self, nodes: &mut u64) -> Result<(), Gone> {
        while !self.stopped() {
            self.send()?;
            if self.away.is_empty() {
                return Ok(());
            }
            self.standing.away = self.away.len();
            self.standing.waiting = self.waiting.len();
            for (id, answer) in self.workers.collect(self.standing)? {
                let Some(place) = self.away.remove(&id) else { continue };
                // What `serve` of the same version wrote can be read.
                let answer: Answer = serde_json::from_slice(&answer).map_err(|_| Gone)?;
                self.standing.done += 1;
                *nodes += answer.nodes;
                if answer.violators.is_empty() {
                    self.put(&place, answer.pieces);
                } else {
                    self.violate(place, &answer.violators)?;
                }
            }
        }
        self.workers.cancel(self.away.drain().map(|(id, _)| id).collect())
    }

    fn stopped(&self) -> bool {
        let options = self.options;
        options.deadline.is_some_and(|deadline| Instant::now() >= deadline)
            || options.cancel.is_some_and(|c| c.load(std::sync::atomic::Ordering::Relaxed))
    }

    /// Sends subtrees, from the left, as many as keep all workers busy.
    fn send(&mut self) -> Result<(), Gone> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let room = (2 * self.workers.capacity()?).max(2);
        // Twice as many are sent as are worked on: a task may begin when another one has ended.
        let left = |at: Instant| 0.5 * at.saturating_duration_since(Instant::now()).as_secs_f64();
        let slice = self.options.deadline.map_or(SLICE, |at| left(at).clamp(SHORT, SLICE));
        while self.away.len() < room {
            let Some(place) = self.waiting.pop_first() else { break };
            let Some(Piece::Open(open)) = self.pieces.get(&place) else { continue };
            let mut alone = Pieces::default();
            alone.push(Piece::Open(open.clone()));
            let side = place.first().map_or(0, |side| *side as usize);
            self.workers.submit(self.sent, side, bytes(&alone), slice)?;
            self.away.insert(self.sent, place);
            self.sent += 1;
        }
        Ok(())
    }

    /// Of several subtrees with violators the leftmost counts, whichever came first: so every run
    /// goes the same way.
    fn violate(&mut self, place: Place, bits: &[Vec<u64>]) -> Result<(), Gone> {
        self.waiting.clear();
        if self.violated.as_ref().is_some_and(|(first, _)| *first < place) {
            return Ok(());
        }
        let late: Vec<usize> =
            self.away.iter().filter(|(_, p)| **p > place).map(|(id, _)| *id).collect();
        late.iter().for_each(|id| drop(self.away.remove(id)));
        self.violated = Some((place, bits.iter().map(|w| from_bits(w)).collect()));
        self.workers.cancel(late)
    }
}
