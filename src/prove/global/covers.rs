//! The two covers of one dual bound, in whatever state they are.
use crate::numeric::two_layer::View;
use crate::prove::cover::{self, FloatUnits, Instance, Outcome, Pieces};
use crate::prove::{exact, round_up};
use maxmargin_kernel::claim::Number;
use maxmargin_kernel::proof::dual_bound::{Cone, Cover, DualBound, Multipliers};
use maxmargin_kernel::proof::tree::Tree;
use serde::{Deserialize, Serialize};

/// What rounding the samples may take from a bound, as a part of its distance from 1.
const ROUNDING: f64 = 1e-4;

/// Multipliers, a `T`, and covers of both signs over all of space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Covers {
    /// `(i, λ_i/unit_a)` by ascending sample.
    lambda: Vec<(usize, i64)>,
    units: FloatUnits,
    /// The bits of `T`.
    target: u64,
    sides: Vec<Side>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Side {
    sign: i8,
    pieces: Pieces,
}

/// How work on covers ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ran {
    /// Both are closed.
    Closed,
    /// `T` is too small: signs and directions that show it.
    Violated(Vec<(f64, Vec<f64>)>),
    /// A limit was reached.
    Open,
    /// What is left open does not close for this `T`, usually since it is within rounding of the maximum.
    Stuck,
}

impl Covers {
    /// Covers of which nothing is proved yet, for multipliers of the scaled samples and `T` in the
    /// same measure; `None` if all multipliers are 0.
    pub fn new(view: &View, lambda: &[f64], target: f64) -> Option<Self> {
        let mut units = FloatUnits::choose(1.0 / view.scale, 1.0);
        let largest = lambda.iter().fold(0.0f64, |m, l| m.max(*l));
        let grid = |l: f64| (l * view.scale / units.unit_a()).round();
        let keep =
            |i: &usize| lambda[*i] > 1e-9 * largest && (1.0..9e18).contains(&grid(lambda[*i]));
        let kept: Vec<(usize, i64)> =
            (0..lambda.len()).filter(keep).map(|i| (i, grid(lambda[i]) as i64)).collect();
        if kept.is_empty() {
            return None;
        }
        let mut covers = Self { lambda: kept, units, target: target.to_bits(), sides: Vec::new() };
        // The same for both signs: |b| is all that counts.
        let loss = ROUNDING * (target - 1.0).clamp(1e-12, 1e-2);
        units = units.rounding(&covers.exact(view, 1), loss, view.floats);
        covers.units = units;
        for sign in [1, -1] {
            let (instance, t) = covers.instance(view, sign);
            covers.sides.push(Side { sign, pieces: cover::start(&instance, t, units) });
        }
        Some(covers)
    }

    /// Whether these are covers for this many samples, with everything in its place.
    pub fn fits(&self, samples: usize) -> bool {
        let signs: Vec<i8> = self.sides.iter().map(|s| s.sign).collect();
        signs == [1, -1]
            && f64::from_bits(self.target).is_finite()
            && !self.lambda.is_empty()
            && self.lambda.iter().all(|(i, l)| *i < samples && *l > 0)
            && self.lambda.windows(2).all(|w| w[0].0 < w[1].0)
    }

    /// `T`.
    pub fn target(&self) -> f64 {
        f64::from_bits(self.target)
    }

    /// `Σλ`.
    pub fn sum(&self) -> f64 {
        self.lambda.iter().map(|(_, l)| *l as f64 * self.units.unit_a()).sum()
    }

    /// The units of all numbers.
    pub fn units(&self) -> FloatUnits {
        self.units
    }

    /// Signs with the state of their covers.
    pub fn sides(&self) -> impl Iterator<Item = (i8, &Pieces)> {
        self.sides.iter().map(|side| (side.sign, &side.pieces))
    }

    /// The state of the covers, to change.
    pub fn pieces_mut(&mut self) -> impl Iterator<Item = &mut Pieces> {
        self.sides.iter_mut().map(|side| &mut side.pieces)
    }

    fn exact(&self, view: &View, sign: i8) -> Instance {
        let x = |(i, _): &(usize, i64)| view.x[*i].iter().map(|e| e / view.scale).collect();
        let b =
            |(i, l): &(usize, i64)| f64::from(sign) * view.y[*i] * *l as f64 * self.units.unit_a();
        Instance {
            x: self.lambda.iter().map(x).collect(),
            b: self.lambda.iter().map(b).collect(),
            fixed: vec![None; self.lambda.len()],
            alpha: view.alpha,
        }
    }

    /// What is to be covered for a sign, and the `T` that rounding the samples leaves.
    pub fn instance(&self, view: &View, sign: i8) -> (Instance, f64) {
        let mut instance = self.exact(view, sign);
        let lost = instance.round(self.units);
        (instance, self.target() - lost)
    }

    /// Goes on with what is open.
    pub fn run(&mut self, view: &View, options: &cover::Options, nodes: &mut u64) -> Ran {
        // What is found quickly for either sign comes before the long search for one.
        let shallow = cover::Options { shallow: true, ..*options };
        for options in [&shallow, options] {
            let ran = self.each(view, nodes, |instance, t, units, pieces| {
                cover::resume(instance, t, units, options, pieces)
            });
            if !matches!(ran, Ran::Open) {
                return ran;
            }
        }
        Ran::Open
    }

    /// Splits open subtrees until each cover has at least `count`.
    pub fn expand(
        &mut self,
        view: &View,
        options: &cover::Options,
        count: usize,
        nodes: &mut u64,
    ) -> Ran {
        self.each(view, nodes, |instance, t, units, pieces| {
            cover::expand(instance, t, units, options, pieces, count)
        })
    }

    fn each(
        &mut self,
        view: &View,
        nodes: &mut u64,
        work: impl Fn(&Instance, f64, FloatUnits, Pieces) -> Outcome,
    ) -> Ran {
        let mut violators = Vec::new();
        for k in 0..self.sides.len() {
            if self.sides[k].pieces.open().next().is_none() {
                continue;
            }
            let sign = self.sides[k].sign;
            let (instance, t) = self.instance(view, sign);
            let pieces = std::mem::take(&mut self.sides[k].pieces);
            let outcome = work(&instance, t, self.units, pieces);
            *nodes += outcome.statistics().nodes;
            self.sides[k].pieces = match outcome {
                Outcome::Closed { nodes, .. } => Pieces::from(nodes),
                Outcome::Violated { violators: list, .. } => {
                    violators.extend(list.into_iter().map(|v| (f64::from(sign), v.w)));
                    cover::start(&instance, t, self.units)
                }
                Outcome::Limit { pieces, .. } => pieces,
            };
        }
        if violators.is_empty() { self.ran() } else { Ran::Violated(violators) }
    }

    /// How work without violators ended.
    pub(super) fn ran(&self) -> Ran {
        let mut open = self.sides.iter().flat_map(|side| side.pieces.open()).peekable();
        match (open.peek().is_some(), open.all(|open| open.stuck)) {
            (false, _) => Ran::Closed,
            (true, true) => Ran::Stuck,
            (true, false) => Ran::Open,
        }
    }

    /// The bound on costs that follows, with the claim's bound on ν and its proof. Open subtrees
    /// are closed for the `T` that this takes; `None` if the bound would not be above `least`.
    pub fn certified(&self, view: &View, least: f64) -> Option<(f64, Number, DualBound)> {
        let most = if least > 0.0 { self.sum() / least } else { f64::INFINITY };
        let mut list: Vec<(i8, Tree, f64, f64)> = Vec::new();
        for side in &self.sides {
            let (instance, t) = self.instance(view, side.sign);
            let (tree, loose) = match side.pieces.clone().closed() {
                Ok(tree) => (tree, t),
                Err(pieces) => cover::loosen(&instance, t, self.units, &pieces, most)?,
            };
            list.push((side.sign, tree, loose, self.target() - t));
        }
        // One T for both: each must be given at least its own, and more only by a margin.
        let mut t = list.iter().fold(self.target(), |m, (_, _, t, lost)| m.max(t + lost));
        let apart = |t: f64, own: f64, lost: f64| t - lost > own * (1.0 + 1e-12);
        for (_, _, own, lost) in &list {
            if apart(t, *own, *lost) {
                t = t.max(own * (1.0 + cover::RETARGET) + lost);
            }
        }
        let covers = list.into_iter().map(|(sign, tree, own, lost)| Cover {
            cone: Cone { sign, inputs: None, fixed: Vec::new() },
            nodes: match apart(t, own, lost) {
                true => cover::retarget(tree, own, t - lost),
                false => tree,
            },
        });
        let covers = covers.collect();
        let lower = self.sum() / t;
        let bound = round_up(&exact(0.5 / lower * (1.0 + 1e-14)), 50);
        let multipliers =
            Multipliers { units: self.units.to_kernel(), lambda: self.lambda.clone() };
        (lower > least).then_some((lower, bound, DualBound { multipliers, covers }))
    }
}
