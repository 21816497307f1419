//! Covers (rules 3.7 and 3.5b) in the words of the proved checker.
//!
//! There everything in a tree is an integer: range ends times `grid`, samples times `fine·grid` = `unit_x`,
//! coefficients times `unit_a/q` (the slope of σ being `p/q`). So the ends of the file, in parts of
//! `unit_z`, are to be multiplied by `unit_z/grid`; the file's coefficients by `q`; and τ becomes a
//! fraction over `den`. These factors stand in the text, the program applies them.
//! First ranges, rounded samples, `η` and `T` are computed as the certificate's format says they are;
//! the proved checker accepts any that are large (or, for `T`, small) enough, and checks that they are.
use super::{bounded, write_all, write_vector};
use maxmargin_kernel::claim::{Claim, Region};
use maxmargin_kernel::number::{
    BigInt, Rational, ScaledVec,
    root::{ceil_sqrt, sqrt_bounds},
};
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::cover::{Node, Units};
use maxmargin_kernel::proof::dual_bound::{Cover, DualBound, merge};
use num_integer::Integer;
use num_traits::{One, Signed, Zero};
use std::fmt::Write as _;

/// The claim with its witness; `None` if the proved checker has no rule for it, or the witness is
/// not well formed.
pub(super) fn covered(problem: &Problem, claim: &Claim, witness: &DualBound) -> Option<String> {
    let (head, bound) = bounded(problem, claim)?;
    if let Claim::MarginAtMost { region: Region::Near(delta), .. } = claim
        && delta.0.is_negative()
    {
        return None;
    }
    let layout = Layout::new(problem, witness, &bound)?;
    let mut text = head + " covers";
    let lambda = &witness.multipliers.lambda;
    let _ = write!(text, "\n  unit {} grid {}", layout.unit_a, layout.grid);
    let _ = write!(text, " fine {} den {}", layout.fine, layout.tau.denom());
    let _ = write!(text, " factor {}", layout.q);
    let _ = write!(text, " ends {} tau {}", layout.ends, layout.tau.numer());
    let _ = write!(text, "\n  lambda {}", lambda.len());
    lambda.iter().for_each(|(i, n)| {
        let _ = write!(text, " {i} {n}");
    });
    let _ = write!(text, "\n  covers {}", witness.covers.len());
    for cover in &witness.covers {
        layout.cover(&mut text, cover)?;
    }
    Some(text)
}

struct Layout<'a> {
    problem: &'a Problem,
    lambda: &'a [(usize, i64)],
    units: &'a Units,
    unit_a: Rational,
    unit_x: Rational,
    /// `unit_x` and `unit_z` are multiples of it.
    grid: Rational,
    /// `unit_x/grid`, `unit_z/grid`.
    fine: BigInt,
    ends: BigInt,
    /// `unit_tau·unit_a/q`.
    tau: Rational,
    q: BigInt,
    /// `2BΣλ`.
    t: Rational,
}

impl<'a> Layout<'a> {
    fn new(problem: &'a Problem, witness: &'a DualBound, bound: &Rational) -> Option<Self> {
        let (units, lambda) = (&witness.multipliers.units, &witness.multipliers.lambda[..]);
        let all = [&units.a, &units.z, &units.tau].into_iter().chain(&units.x);
        let positive = all.into_iter().all(|unit| unit.0.is_positive());
        let count = problem.data().len();
        let ascending = ascending(lambda.iter().map(|(i, _)| *i), count);
        if !positive || !ascending || lambda.iter().any(|(_, n)| *n <= 0) {
            return None;
        }
        let unit_x = match &units.x {
            Some(unit) => unit.0.clone(),
            None => {
                let fixed = witness.covers.iter().flat_map(|c| c.cone.fixed.iter().map(|(i, _)| i));
                let samples = lambda.iter().map(|(i, _)| i).chain(fixed);
                let lcm = |d: BigInt, i: &usize| d.lcm(problem.data().sample(*i).denominator());
                Rational::new(BigInt::one(), samples.fold(BigInt::one(), lcm))
            }
        };
        let (z, q) = (&units.z.0, problem.activation().slope().denom());
        let common = unit_x.denom() * z.denom();
        let part = (unit_x.numer() * z.denom()).gcd(&(z.numer() * unit_x.denom()));
        let grid = Rational::new(part, common);
        let sum: BigInt = lambda.iter().map(|(_, n)| BigInt::from(*n)).sum();
        Some(Self {
            problem,
            lambda,
            units,
            unit_a: units.a.0.clone(),
            fine: (&unit_x / &grid).to_integer(),
            ends: (z / &grid).to_integer(),
            tau: &units.tau.0 * &units.a.0 / q,
            q: q.clone(),
            t: bound * Rational::from_integer(sum * 2) * &units.a.0,
            unit_x,
            grid,
        })
    }

    fn cover(&self, text: &mut String, cover: &Cover) -> Option<()> {
        let (count, width) = (self.problem.data().len(), self.problem.network().inputs());
        let cone = &cover.cone;
        let is_sign = |s: i8| matches!(s, 1 | -1);
        let inputs: Vec<usize> = cone.inputs.clone().unwrap_or_else(|| (0..width).collect());
        if !is_sign(cone.sign)
            || !cone.fixed.iter().all(|(_, tau)| is_sign(*tau))
            || !ascending(cone.fixed.iter().map(|(i, _)| *i), count)
            || !ascending(inputs.iter().copied(), width)
        {
            return None;
        }
        let items = merge(self.lambda, &cone.fixed);
        let mut entries = String::new();
        let mut loss = Rational::zero();
        for (i, n, fixed) in &items {
            let x = self.problem.data().sample(*i);
            let (rounded, eta) = self.rounded(&x, &inputs)?;
            loss += &eta * Rational::from_integer(BigInt::from(*n));
            let square = rounded.iter().map(|e| e * e).sum::<BigInt>() * &self.fine * &self.fine;
            let radius = ceil_sqrt(&square).div_ceil(&self.ends) * &self.ends;
            let cut = (&eta / &self.units.z.0).ceil().to_integer() * &self.ends;
            let sign = fixed.map_or('.', |tau| if tau > 0 { '+' } else { '-' });
            let _ = write!(entries, "\n    {i} {sign} {radius} {cut} {eta}  ");
            let rounded: Vec<_> = rounded.into_iter().map(Rational::from_integer).collect();
            write_vector(&mut entries, &rounded);
        }
        let t = &self.t - loss * &self.unit_a;
        let parts = t * Rational::from_integer(self.q.clone()) / (&self.unit_a * &self.units.z.0);
        let parts = parts.floor().to_integer();
        let bound = &parts * &self.ends;
        let nodes = self.nodes(cover, items.len(), &parts)?;
        let sign = if cone.sign > 0 { '+' } else { '-' };
        let _ = write!(text, "\n  cover {sign} columns {}", inputs.len());
        write_all(text, &inputs);
        let _ = write!(text, " bound {bound} entries {}{entries}", items.len());
        let _ = write!(text, "\n    nodes {} {}\n{nodes}", cover.nodes.len(), nodes.len());
        Some(())
    }

    /// The rounded sample in parts of `unit_x`, 0 outside the inputs, and `η` as the format has it.
    fn rounded(&self, x: &ScaledVec, inputs: &[usize]) -> Option<(Vec<BigInt>, Rational)> {
        let half = Rational::new(1.into(), 2.into());
        let mut rounded = vec![BigInt::zero(); x.len()];
        let mut square = Rational::zero();
        for &c in inputs {
            let entry = x.get(c);
            let steps = (&entry / &self.unit_x + &half).floor().to_integer();
            let difference = entry - &self.unit_x * Rational::from_integer(steps.clone());
            square += &difference * &difference;
            *rounded.get_mut(c)? = steps;
        }
        Some((rounded, sqrt_bounds(&square, 40)?.1))
    }

    /// One node a line, in the file's integers but for `κ`; `None` if one is not well formed.
    /// `t` is the tree's `T` in parts of `unit_a·unit_z/q`.
    fn nodes(&self, cover: &Cover, items: usize, t: &BigInt) -> Option<String> {
        let mut text = String::new();
        for node in &cover.nodes {
            match node {
                Node::Split(node) => {
                    let _ = write!(text, "s {}", node.split);
                }
                Node::Empty(node) => {
                    let _ = write!(text, "e {}", node.empty);
                }
                Node::Close(node) => list(&mut text, 'c', &node.close, node.times, items)?,
                Node::Tighten(node) => {
                    list(&mut text, 't', &node.tighten, node.times, items)?;
                    for ends in [&node.upper, &node.lower] {
                        let _ = write!(text, "  {}", ends.len());
                        for (item, tau, end) in ends {
                            let _ = write!(text, " {item} {tau} {end}");
                        }
                    }
                }
                Node::Quadratic(node) => {
                    list(&mut text, 'q', &node.quadratic, node.times, items)?;
                    let well_formed = ascending(node.roots.iter().map(|(i, _)| *i), items)
                        && node.roots.iter().all(|(_, d)| *d >= 1);
                    if !well_formed {
                        return None;
                    }
                    let _ = write!(text, "  {}", node.roots.len());
                    for (item, root) in &node.roots {
                        let _ = write!(text, " {item} {root}");
                    }
                    // On the grid of unit_a·unit_z, then in parts of the tree's grid.
                    let kappa = (t * BigInt::from(node.kappa)).div_floor(&(&self.q << KAPPA));
                    let _ = write!(text, "  {}", kappa * &self.q * &self.ends);
                }
            }
            text.push('\n');
        }
        Some(text)
    }
}

/// log₂ of the parts of `T` in which a file gives `κ`.
const KAPPA: usize = 20;

/// A tag, the common factor and the coefficients.
fn list(text: &mut String, tag: char, a: &[i64], times: i64, items: usize) -> Option<()> {
    let _ = write!(text, "{tag} {times}");
    write_all(text, a);
    let fits = a.iter().all(|a| a.checked_mul(times).is_some());
    (times >= 1 && fits && a.len() == items).then_some(())
}

/// Strictly ascending and below `count`.
fn ascending(indices: impl Iterator<Item = usize>, count: usize) -> bool {
    let mut next = 0;
    for i in indices {
        if i < next || i >= count {
            return false;
        }
        next = i + 1;
    }
    true
}
