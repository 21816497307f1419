//! Multipliers whose bound holds on every demand, by cutting planes.
//!
//! A linear program describes the multipliers that are not excluded yet; of these it takes the ones
//! with most slack, so that what remains between cuts does not matter. Their covers are tried. A leaf
//! that does not close names a direction that excludes them (a *cut*), or, if it contains a direction
//! at which the bound is attained, the equations under which it closes (a *block*). Both hold for
//! every λ that serves, so the answer does not depend on which λ came first.
use super::program::{Block, Cut, Excluded, Rows, Solution, upper};
use super::tree::{Demand, Stuck, tree};
use super::{cover, exact_root};
use crate::budget::Budget;
use crate::numeric::exact::{dot, linear};
use crate::numeric::least_squares;
use crate::numeric::two_layer::{dot as float_dot, length, to_f64};
use crate::prove::exact;
use maxmargin_kernel::claim::Number;
use maxmargin_kernel::number::{BigInt, Rational};
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::cover::Units;
use maxmargin_kernel::proof::dual_bound::{Cover, Multipliers};
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};
use std::collections::BTreeMap;

/// Most refinements of the program.
const ROUNDS: usize = 120;
/// Bits of the grids below the units that the exact numbers need.
const SPARE_BITS: u64 = 24;
/// Bits of the largest coefficient.
const MAX_BITS: u64 = 58;
/// A relative excess below this is taken for equality.
const TIGHT: f64 = 1e-7;
/// How far from the direction of such a leaf that of equality may be: an excess is of second order.
const CLOSE: f64 = 1e-3;
/// The same while cuts are still closing in, after so many rounds.
const NEARBY: f64 = 0.1;
const PATIENCE: usize = 8;

/// A direction at which `s·g(w) = T|w|` must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Tight {
    /// `s`.
    pub sign: i8,
    /// `T w/|w|` on all inputs.
    pub target: Vec<Rational>,
    /// `T`.
    pub t: Rational,
}

/// What λ must serve.
pub struct Task<'p> {
    /// The data and the slope.
    pub problem: &'p Problem,
    /// Every one of these.
    pub demands: Vec<Demand>,
    /// The samples that may have `λ_i > 0`.
    pub samples: Vec<usize>,
    /// Where the bound is attained for every λ that serves.
    pub tight: Vec<Tight>,
    /// Where it may be.
    pub hints: Vec<Tight>,
    /// `Σλ`, where the tight directions do not fix it.
    pub sum: Option<Rational>,
    /// Directions `(s, w)` with which to begin.
    pub seeds: Vec<(i8, Vec<Rational>)>,
}

/// Multipliers with their covers, in the order of the demands.
pub struct Found {
    /// Units and `λ`.
    pub multipliers: Multipliers,
    /// One per demand.
    pub covers: Vec<Cover>,
}

/// The end of the search.
pub enum Outcome {
    /// These serve.
    Found(Box<Found>),
    /// None serve, by these directions together.
    Impossible(Vec<Excluding>),
    /// A limit, or a direction that rational numbers do not reach.
    Stuck,
}

/// A direction in a combination that excludes every λ: a neuron of a network that is better than
/// the bound.
pub struct Excluding {
    /// Whose cone it is from.
    pub demand: usize,
    /// The direction.
    pub w: Vec<f64>,
    /// Its weight.
    pub weight: f64,
    /// The exact direction, if it is that of a cut.
    pub cut: Option<Vec<Rational>>,
}

impl Task<'_> {
    /// `s y_i`.
    pub(super) fn agreement(&self, demand: &Demand, i: usize) -> Rational {
        let label = self.problem.data().label(i) * i64::from(demand.cone.sign);
        Rational::from_integer(label.into())
    }

    /// `x_i` on all inputs, 0 on those that the demand does not read.
    pub(super) fn on(&self, demand: &Demand, i: usize) -> Vec<Rational> {
        let x = self.problem.data().restricted(i, &demand.inputs);
        let mut all = vec![Rational::zero(); self.problem.network().inputs()];
        for (at, &c) in demand.inputs.iter().enumerate() {
            all[c] = x.get(at);
        }
        all
    }

    /// `s y_i σ(w·x_i)`: what `λ_i` multiplies in `s·g(w)`.
    pub(super) fn share(&self, demand: &Demand, i: usize, w: &[Rational]) -> Rational {
        let z = dot(&self.on(demand, i), w);
        let slope = self.problem.activation().slope();
        let value = if z.is_positive() { z } else { z * slope };
        value * self.agreement(demand, i)
    }

    /// Whether the demand's cone contains `w`.
    fn contains(&self, demand: &Demand, w: &[Rational]) -> bool {
        let off = |c: &usize| !demand.inputs.contains(c) && !w[*c].is_zero();
        let agrees = |(i, tau): &(usize, i8)| {
            let z = dot(&self.on(demand, *i), w);
            if *tau > 0 { !z.is_negative() } else { !z.is_positive() }
        };
        !(0..w.len()).any(|c| off(&c)) && demand.cone.fixed.iter().all(agrees)
    }
}

/// Looks for multipliers that serve every demand of the task.
pub fn choose(task: &Task, budget: &Budget) -> Outcome {
    let mut search = Search {
        task,
        rows: Rows::new(task),
        tight: task.tight.clone(),
        blocks: Vec::new(),
        cuts: Vec::new(),
    };
    for demand in 0..task.demands.len() {
        let sides: BTreeMap<usize, bool> =
            task.demands[demand].cone.fixed.iter().map(|(i, tau)| (*i, *tau > 0)).collect();
        search.blocks_at(demand, &sides);
        let wanted = &task.demands[demand];
        for (_, w) in task.seeds.iter().filter(|(sign, _)| *sign == wanted.cone.sign) {
            if task.contains(wanted, w) {
                search.cut(demand, w.clone());
            }
        }
    }
    for round in 0..ROUNDS {
        if budget.expired() {
            return Outcome::Stuck;
        }
        let solution = match search.rows.solve(&search.blocks) {
            Ok(solution) => solution,
            Err(excluded) => return Outcome::Impossible(search.excluding(&excluded)),
        };
        let Some(multipliers) = search.multipliers(&solution) else { return Outcome::Stuck };
        let (mut covers, mut learnt) = (Vec::new(), false);
        for (k, demand) in task.demands.iter().enumerate() {
            let exact = search.exact(k, &solution, &multipliers);
            match tree(task.problem, &multipliers, demand, &exact) {
                Ok(nodes) => covers.push(cover(demand, nodes)),
                Err(None) => return Outcome::Stuck,
                Err(Some(leaf)) => learnt |= search.learn(k, &leaf, &solution, round),
            }
        }
        if covers.len() == task.demands.len() {
            return Outcome::Found(Box::new(Found { multipliers, covers }));
        }
        if !learnt {
            return Outcome::Stuck;
        }
    }
    Outcome::Stuck
}

struct Search<'t, 'p> {
    task: &'t Task<'p>,
    rows: Rows<'t, 'p>,
    /// Those of the task, and those that were discovered.
    tight: Vec<Tight>,
    blocks: Vec<Block>,
    cuts: Vec<Cut>,
}

impl Search<'_, '_> {
    /// Adds the blocks of the tight directions in the leaf with these sides; whether any are new.
    fn blocks_at(&mut self, demand: usize, sides: &BTreeMap<usize, bool>) -> bool {
        let known = self.blocks.len();
        let wanted = &self.task.demands[demand];
        for (at, direction) in self.tight.iter().enumerate() {
            let mine = direction.sign == wanted.cone.sign && direction.t == wanted.t;
            if !mine || !self.task.contains(wanted, &direction.target) {
                continue;
            }
            let mut kinks = BTreeMap::new();
            let inside = sides.iter().all(|(i, side)| {
                let x = self.task.on(wanted, *i);
                let z = dot(&x, &direction.target);
                if z.is_zero() && x.iter().any(|e| !e.is_zero()) {
                    kinks.insert(*i, *side);
                }
                if *side { !z.is_negative() } else { !z.is_positive() }
            });
            let block = Block { demand, tight: at, sides: kinks };
            if inside && !self.blocks.contains(&block) {
                self.rows.block(&block, direction);
                self.blocks.push(block);
            }
        }
        self.blocks.len() > known
    }

    /// Refines the program by a leaf that did not close; false if that leads nowhere.
    fn learn(&mut self, demand: usize, leaf: &Stuck, solution: &Solution, round: usize) -> bool {
        if self.blocks_at(demand, &leaf.sides) {
            return true;
        }
        let wanted = &self.task.demands[demand];
        if round >= PATIENCE
            && let Some(w) = self.attained(wanted, leaf, NEARBY)
        {
            // Cuts close in on a direction where the bound must be attained only in the limit.
            let demanded = solution.is_tight && self.cuts.iter().any(|c| c.w == w);
            if self.cut(demand, w.clone()) || (demanded && self.tighten(demand, leaf, &w)) {
                return true;
            }
        }
        let (size, t) = (length(&leaf.w), to_f64(&wanted.t));
        let excess = size - t;
        if size > 0.0 && excess > TIGHT * t {
            let candidates = self.rounded(wanted, leaf);
            let violates = |w: &Vec<Rational>, share: f64| {
                let shares = self.task.samples.iter().map(|i| self.task.share(wanted, *i, w));
                let g: Rational = shares.zip(&solution.lambda).map(|(s, l)| s * l).sum();
                let bound = upper(wanted, w);
                let floats: Vec<f64> = w.iter().map(to_f64).collect();
                g > bound && to_f64(&(g - bound)) >= share * excess * length(&floats)
            };
            let best = candidates.iter().find(|w| violates(w, 0.5));
            if let Some(w) = best.or_else(|| candidates.iter().find(|w| violates(w, 0.0))) {
                return self.cut(demand, w.clone());
            }
        }
        // Equality, as far as floats can tell.
        let Some(w) = self.attained(wanted, leaf, CLOSE) else { return false };
        self.cut(demand, w.clone()) || self.tighten(demand, leaf, &w)
    }

    /// Takes the bound to be attained in this direction; false if that is known, or its length is
    /// not rational.
    fn tighten(&mut self, demand: usize, leaf: &Stuck, w: &[Rational]) -> bool {
        let wanted = &self.task.demands[demand];
        let Some(norm) = exact_root(&dot(w, w)) else { return false };
        let target = w.iter().map(|e| e * &wanted.t / &norm).collect();
        let direction = Tight { sign: wanted.cone.sign, target, t: wanted.t.clone() };
        if self.tight.contains(&direction) {
            return false;
        }
        self.tight.push(direction);
        self.blocks_at(demand, &leaf.sides)
    }

    /// Adds a cut, unless it is there.
    fn cut(&mut self, demand: usize, w: Vec<Rational>) -> bool {
        if self.cuts.iter().any(|c| c.demand == demand && c.w == w) {
            return false;
        }
        // No slack can be had near directions where the bound is attained.
        let floats: Vec<f64> = w.iter().map(to_f64).collect();
        let size = length(&floats);
        let sign = self.task.demands[demand].cone.sign;
        let near = self.tight.iter().filter(|t| t.sign == sign).map(|t| {
            let target: Vec<f64> = t.target.iter().map(to_f64).collect();
            let product = length(&target) * size;
            if product > 0.0 { float_dot(&target, &floats) / product } else { 0.0 }
        });
        let room = 1.0 - near.fold(0.0, f64::max);
        let weight = exact((room * size * 1024.0).floor().max(1.0) / 1024.0);
        let cut = Cut { demand, w, weight };
        self.rows.cut(&cut);
        self.cuts.push(cut);
        true
    }

    /// Near the direction of the leaf, on the same hyperplanes `w·x_i = 0`, in simple numbers: the
    /// coarsest first.
    fn rounded(&self, demand: &Demand, leaf: &Stuck) -> Vec<Vec<Rational>> {
        let grids = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 64, 256, 1024, 1 << 14, 1 << 20];
        self.on_grids(demand, leaf, &grids)
    }

    fn on_grids(&self, demand: &Demand, leaf: &Stuck, grids: &[u32]) -> Vec<Vec<Rational>> {
        let size = length(&leaf.w);
        let n = leaf.w.len();
        let mut rows: Vec<Vec<Rational>> = Vec::new();
        for &i in leaf.sides.keys() {
            let x = self.task.on(demand, i);
            let floats: Vec<f64> = x.iter().map(to_f64).collect();
            if float_dot(&floats, &leaf.w).abs() <= 1e-7 * size * length(&floats) {
                rows.push(x);
            }
        }
        for c in (0..n).filter(|c| !demand.inputs.contains(c)) {
            rows.push((0..n).map(|e| Rational::from_integer(i64::from(e == c).into())).collect());
        }
        let zero = vec![Rational::zero(); rows.len()];
        let Some(basis) = linear::solve(&rows, &zero, n).map(|s| s.directions) else {
            return Vec::new();
        };
        let floats: Vec<Vec<f64>> = basis.iter().map(|d| d.iter().map(to_f64).collect()).collect();
        let Some(y) = least_squares::solve(&floats, &leaf.w) else { return Vec::new() };
        let largest = y.iter().fold(0.0f64, |m, y| m.max(y.abs()));
        if largest == 0.0 {
            return Vec::new();
        }
        let one = |grid: &u32| {
            let grid = f64::from(*grid);
            let mut w = vec![Rational::zero(); n];
            for (y, d) in y.iter().zip(&basis) {
                let y = Rational::from_integer(((y / largest * grid).round() as i64).into());
                w.iter_mut().zip(d).for_each(|(w, d)| *w += &y * d);
            }
            let scale = Rational::from_integer((grid as i64).into());
            w.into_iter().map(|e| e / &scale).collect::<Vec<_>>()
        };
        let inside =
            |w: &Vec<Rational>| w.iter().any(|e| !e.is_zero()) && self.task.contains(demand, w);
        grids.iter().map(one).filter(inside).collect()
    }

    /// The simple direction at which a leaf seems to attain its bound.
    fn attained(&self, demand: &Demand, leaf: &Stuck, tolerance: f64) -> Option<Vec<Rational>> {
        let size = length(&leaf.w);
        let close = |w: &[Rational]| {
            let floats: Vec<f64> = w.iter().map(to_f64).collect();
            let norm = length(&floats);
            let apart = floats.iter().zip(&leaf.w).map(|(a, b)| (a / norm - b / size).abs());
            norm > 0.0 && size > 0.0 && apart.fold(0.0, f64::max) < tolerance
        };
        let known = self.task.hints.iter().chain(&self.tight);
        let hint = known
            .filter(|h| h.sign == demand.cone.sign && close(&h.target))
            .map(|h| h.target.clone())
            .find(|w| self.task.contains(demand, w));
        hint.or_else(|| {
            let grids: Vec<u32> = (1..=128).collect();
            let simple = self.on_grids(demand, leaf, &grids);
            simple.into_iter().find(|w| close(w) && exact_root(&dot(w, w)).is_some())
        })
    }

    /// λ on a grid that holds every exact number.
    fn multipliers(&self, solution: &Solution) -> Option<Multipliers> {
        let coefficients = solution.coefficients.iter().flat_map(BTreeMap::values);
        let bounds = self.task.demands.iter().map(|d| &d.t);
        let numbers = solution.lambda.iter().chain(coefficients.clone()).chain(bounds);
        let alpha = self.task.problem.activation().slope();
        let common = numbers.fold(BigInt::one(), |d, v| d.lcm(v.denom())) * alpha.denom();
        let largest = (solution.lambda.iter().chain(coefficients))
            .map(|v| (v.abs() * Rational::from_integer(common.clone())).to_integer().bits())
            .max()?;
        let spare = MAX_BITS.checked_sub(largest)?.min(SPARE_BITS);
        let fine = Rational::new(BigInt::one(), common << spare);
        let coarse = Number(Rational::new(BigInt::one(), BigInt::one() << SPARE_BITS));
        let mut lambda = Vec::new();
        for (i, l) in
            self.task.samples.iter().zip(&solution.lambda).filter(|(_, l)| l.is_positive())
        {
            lambda.push((*i, (l / &fine).to_integer().to_i64()?));
        }
        let units = Units { a: Number(fine), z: coarse.clone(), tau: coarse, x: None };
        Some(Multipliers { units, lambda })
    }

    /// The coefficients of this demand's blocks.
    fn exact(
        &self,
        demand: usize,
        solution: &Solution,
        multipliers: &Multipliers,
    ) -> Vec<BTreeMap<usize, i64>> {
        let unit = &multipliers.units.a.0;
        let whole = |(i, v): (&usize, &Rational)| Some((*i, (v / unit).to_integer().to_i64()?));
        let own =
            self.blocks.iter().zip(&solution.coefficients).filter(|(b, _)| b.demand == demand);
        own.filter_map(|(_, list)| list.iter().map(whole).collect()).collect()
    }

    fn excluding(&self, excluded: &Excluded) -> Vec<Excluding> {
        let float = |w: &[Rational]| w.iter().map(to_f64).collect::<Vec<f64>>();
        let mut all = Vec::new();
        for (cut, &weight) in self.cuts.iter().zip(&excluded.cuts).filter(|(_, w)| **w > 0.0) {
            let (demand, w) = (cut.demand, float(&cut.w));
            all.push(Excluding { demand, w, weight, cut: Some(cut.w.clone()) });
        }
        for (block, turn) in self.blocks.iter().zip(&excluded.blocks) {
            let size = length(turn);
            if size > 0.0 {
                // A little way from the tight direction: on the same side of all but its kinks.
                let mut w = float(&self.tight[block.tight].target);
                for (&c, d) in self.task.demands[block.demand].inputs.iter().zip(turn) {
                    w[c] += 1e-4 * d / size;
                }
                all.push(Excluding { demand: block.demand, w, weight: size, cut: None });
            }
        }
        all
    }
}
