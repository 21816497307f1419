//! The linear program over the multipliers λ that [`super::choose`] refines.
use super::tree::Demand;
use super::{Task, Tight};
use crate::numeric::exact::linear;
use crate::numeric::exact::simplex::{Outcome, Program};
use crate::numeric::exact::{dot, lp};
use crate::numeric::least_squares;
use crate::numeric::two_layer::to_f64;
use crate::prove::exact;
use maxmargin_kernel::number::{Rational, root};
use num_traits::{One, Signed, Zero};
use std::collections::BTreeMap;

/// Bits of the bounds on irrational lengths.
const BITS: u64 = 40;

/// A leaf that contains a tight direction has to close there with equality: with a combination of
/// the samples, coefficients valid on these sides, that is the target of the direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Which demand.
    pub demand: usize,
    /// Which tight direction.
    pub tight: usize,
    /// The decided sides of the samples on which the direction is a kink.
    pub sides: BTreeMap<usize, bool>,
}

/// `s·g(w) ≤ T|w|` at one direction of a demand's cone.
#[derive(Clone, Debug, PartialEq)]
pub struct Cut {
    /// Which demand.
    pub demand: usize,
    /// `w` on all inputs.
    pub w: Vec<Rational>,
    /// The slack asked for, per unit of the common slack.
    pub weight: Rational,
}

/// Multipliers that satisfy all blocks and cuts.
pub struct Solution {
    /// `λ` of the task's samples.
    pub lambda: Vec<Rational>,
    /// The coefficients of every block, by sample.
    pub coefficients: Vec<BTreeMap<usize, Rational>>,
    /// Whether the cuts leave no slack.
    pub is_tight: bool,
}

/// Farkas' combination of blocks and cuts that excludes every λ. It reads as a network that is better
/// than the bound: a weight per cut, and per block the direction in which its neuron turns.
pub struct Excluded {
    /// One weight `≥ 0` per cut.
    pub cuts: Vec<f64>,
    /// One vector on the inputs of its demand per block.
    pub blocks: Vec<Vec<f64>>,
}

/// A row `a·z = b` in sparse form.
type Row = (Vec<(usize, Rational)>, Rational);
/// A coefficient of a block: `factor·λ_i + sign·variable`.
type Term = (Rational, Option<(usize, Rational)>);

/// The program under construction.
pub struct Rows<'t, 'p> {
    task: &'t Task<'p>,
    /// λ, then what blocks add; the common slack and the slacks of cuts come after these.
    columns: usize,
    /// The equations of λ and blocks.
    core: Vec<Row>,
    /// Per block and sample.
    terms: Vec<Vec<Term>>,
    /// Per block its first row of `vec = target` in `core`, one row per input that it reads.
    starts: Vec<usize>,
    /// `(row over λ, weight, right-hand side)`.
    cuts: Vec<(Vec<Rational>, Rational, Rational)>,
}

impl<'t, 'p> Rows<'t, 'p> {
    /// With the equation of the sum, if the task has one.
    pub fn new(task: &'t Task<'p>) -> Self {
        let count = task.samples.len();
        let ones = (0..count).map(|k| (k, Rational::one())).collect();
        let core = task.sum.iter().map(|sum| (Vec::clone(&ones), sum.clone())).collect();
        Self { task, columns: count, core, terms: Vec::new(), starts: Vec::new(), cuts: Vec::new() }
    }

    /// Adds a block.
    pub fn block(&mut self, block: &Block, direction: &Tight) {
        let demand = &self.task.demands[block.demand];
        let alpha = self.task.problem.activation().slope().clone();
        let x: Vec<Vec<Rational>> =
            self.task.samples.iter().map(|i| self.task.on(demand, *i)).collect();
        let mut terms: Vec<Term> = Vec::new();
        for (k, &i) in self.task.samples.iter().enumerate() {
            let beta = self.task.agreement(demand, i);
            let z = dot(&x[k], &direction.target);
            if z.is_positive() || alpha.is_one() {
                terms.push((beta, None));
                continue;
            }
            let low = &alpha * &beta;
            if z.is_negative() || x[k].iter().all(Zero::is_zero) {
                terms.push((low, None));
                continue;
            }
            let variable = self.columns;
            self.columns += 1;
            terms.push(match block.sides.get(&i) {
                Some(true) => (beta, Some((variable, Rational::one()))),
                Some(false) => (low, Some((variable, -Rational::one()))),
                None => {
                    // A slope between α and 1: the variable is at most (1−α)λ.
                    let cap = self.columns;
                    self.columns += 1;
                    let one = Rational::one();
                    let row = vec![(variable, one.clone()), (cap, one.clone()), (k, &alpha - one)];
                    self.core.push((row, Rational::zero()));
                    (low, Some((variable, beta)))
                }
            });
        }
        self.starts.push(self.core.len());
        for &c in &demand.inputs {
            let mut row: Vec<(usize, Rational)> = Vec::new();
            for (k, (factor, extra)) in
                terms.iter().enumerate().filter(|(k, _)| !x[*k][c].is_zero())
            {
                row.push((k, factor * &x[k][c]));
                row.extend(extra.iter().map(|(v, sign)| (*v, sign * &x[k][c])));
            }
            self.core.push((row, direction.target[c].clone()));
        }
        self.terms.push(terms);
    }

    /// Adds a cut.
    pub fn cut(&mut self, cut: &Cut) {
        let demand = &self.task.demands[cut.demand];
        let row = self.task.samples.iter().map(|i| self.task.share(demand, *i, &cut.w)).collect();
        self.cuts.push((row, cut.weight.clone(), upper(demand, &cut.w)));
    }

    /// λ with the largest common slack, in simple numbers where there is room.
    ///
    /// # Errors
    /// There are no such λ.
    pub fn solve(&self, blocks: &[Block]) -> Result<Solution, Excluded> {
        let (slack, total) = (self.columns, self.columns + 2 + self.cuts.len());
        let dense = |row: &[(usize, Rational)]| {
            let mut dense = vec![Rational::zero(); total];
            row.iter().for_each(|(c, v)| dense[*c] += v);
            dense
        };
        let mut a: Vec<Vec<Rational>> = self.core.iter().map(|(row, _)| dense(row)).collect();
        let mut b: Vec<Rational> = self.core.iter().map(|(_, b)| b.clone()).collect();
        for (k, (row, weight, right)) in self.cuts.iter().enumerate() {
            let mut whole = vec![Rational::zero(); total];
            whole[..row.len()].clone_from_slice(row);
            whole[slack] = weight.clone();
            whole[slack + 2 + k] = Rational::one();
            a.push(whole);
            b.push(right.clone());
        }
        a.push(dense(&[(slack, Rational::one()), (slack + 1, Rational::one())]));
        b.push(Rational::one());
        let mut c = vec![Rational::zero(); total];
        c[slack] = -Rational::one();
        let program = Program { a, b, c, free: vec![false; total] };
        match lp::minimise(&program) {
            Outcome::Optimal { x, .. } | Outcome::Unbounded { x, .. } => {
                let half = &x[slack] / Rational::from_integer(2.into());
                Ok(self.read(&self.simpler(&x[..slack], &half), half.is_zero()))
            }
            Outcome::Infeasible { y } => {
                let float = |y: &[Rational]| y.iter().map(|y| -to_f64(y)).collect::<Vec<f64>>();
                let own = |(start, block): (&usize, &Block)| {
                    let count = self.task.demands[block.demand].inputs.len();
                    float(&y[*start..start + count])
                };
                let count = self.core.len();
                Err(Excluded {
                    cuts: float(&y[count..count + self.cuts.len()]),
                    blocks: self.starts.iter().zip(blocks).map(own).collect(),
                })
            }
        }
    }

    /// Near `z` a solution in small numbers with at least this slack; `z` itself if there is none.
    fn simpler(&self, z: &[Rational], slack: &Rational) -> Vec<Rational> {
        if self.cuts.is_empty() {
            return z.to_vec();
        }
        let n = z.len();
        let mut rows: Vec<Vec<Rational>> = Vec::new();
        let mut right = Vec::new();
        for (row, b) in &self.core {
            let mut dense = vec![Rational::zero(); n];
            row.iter().for_each(|(c, v)| dense[*c] += v);
            rows.push(dense);
            right.push(b.clone());
        }
        for c in (0..n).filter(|c| z[*c].is_zero()) {
            let mut unit = vec![Rational::zero(); n];
            unit[c] = Rational::one();
            rows.push(unit);
            right.push(Rational::zero());
        }
        let Some(all) = linear::solve(&rows, &right, n) else { return z.to_vec() };
        let floats: Vec<Vec<f64>> =
            all.directions.iter().map(|d| d.iter().map(to_f64).collect()).collect();
        let offset: Vec<f64> = z.iter().zip(&all.point).map(|(z, p)| to_f64(&(z - p))).collect();
        let Some(y) = least_squares::solve(&floats, &offset) else { return z.to_vec() };
        for bits in 0..24 {
            let grid = f64::from(1u32 << bits);
            let mut near = all.point.clone();
            for (y, d) in y.iter().zip(&all.directions) {
                let y = exact((y * grid).round() / grid);
                near.iter_mut().zip(d).for_each(|(n, d)| *n += &y * d);
            }
            if near.iter().all(|v| !v.is_negative()) && self.has_slack(&near, slack) {
                return near;
            }
        }
        z.to_vec()
    }

    fn has_slack(&self, z: &[Rational], slack: &Rational) -> bool {
        self.cuts
            .iter()
            .all(|(row, weight, right)| dot(row, &z[..row.len()]) + weight * slack <= *right)
    }

    fn read(&self, z: &[Rational], is_tight: bool) -> Solution {
        let value = |(k, (factor, extra)): (usize, &Term)| {
            let own = factor * &z[k];
            let value = extra.iter().fold(own, |sum, (v, sign)| sum + sign * &z[*v]);
            (self.task.samples[k], value)
        };
        Solution {
            lambda: z[..self.task.samples.len()].to_vec(),
            is_tight,
            coefficients: (self.terms.iter())
                .map(|block| block.iter().enumerate().map(value).collect())
                .collect(),
        }
    }
}

/// An upper bound of `T|w|`, exact if the length is rational.
pub fn upper(demand: &Demand, w: &[Rational]) -> Rational {
    let square = dot(w, w);
    let bounds = root::sqrt_bounds(&square, BITS);
    bounds.map_or_else(Rational::zero, |(_, high)| high) * &demand.t
}
