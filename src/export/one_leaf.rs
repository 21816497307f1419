//! Rules that are covers of one leaf each: at depth 2 with one output and no sharing (a constraint is then a sample), a convex cell (rule
//! 3.5a) and the bound for linear networks (rule 3.6). The proved checker has them as covers.
//!
//! With slopes `p_ij` for the activation of neuron j at sample i, `vec = Σ_i b_i p_ij x_i` and all constants are 0:
//! `b_i σ(z) ≤ b_i p_ij z` where the sign of z is fixed and `p_ij` is its slope, where σ is linear, and
//! at a free sign if `b_i < 0`. Units are chosen such that `T` and the coefficients are on the grid.
use super::cells::balanced;
use super::{bounded, write_all};
use maxmargin_kernel::claim::Claim;
use maxmargin_kernel::network::{Neuron, TwoLayer};
use maxmargin_kernel::number::{BigInt, Rational, root::ceil_sqrt};
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::{convex_cell::ConvexCell, linear::Linear};
use num_integer::Integer;
use num_traits::{One, Signed, Zero};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// `local_optimum` by a convex cell.
pub(super) fn convex_cell(
    problem: &Problem,
    claim: &Claim,
    witness: &ConvexCell,
) -> Option<String> {
    let (head, bound) = bounded(problem, claim)?;
    let lambda = multipliers(problem.data().len(), witness.lambda.iter().map(|(k, l)| (*k, &l.0)))?;
    // The rule asks for more than the covers need; what it would refuse is left to it.
    let active = problem.margins().active(&Rational::zero());
    let slopes: BTreeMap<(usize, usize), &Rational> =
        witness.slopes.iter().map(|(i, j, p)| ((*i, *j), &p.0)).collect();
    let at_kinks = slopes.keys().all(|(i, j)| problem.sign(*i, *j).is_eq())
        && (slopes.is_empty() || !problem.activation().is_linear());
    if !balanced(problem, lambda.iter().map(|(k, l)| (*k, l)))
        || !lambda.iter().all(|(k, _)| active.binary_search(k).is_ok())
        || slopes.len() != witness.slopes.len()
        || !at_kinks
    {
        return None;
    }
    Leaves { problem, lambda, slopes }.text(&head, &bound)
}

/// Bounds and optima of a linear network: of two layers by covers, of more by the proved rule 3.6.
pub(super) fn linear(problem: &Problem, claim: &Claim, witness: &Linear) -> Option<String> {
    if !problem.activation().is_linear() {
        return None;
    }
    let network = problem.network();
    let lambda = multipliers(problem.data().len(), witness.lambda.iter().map(|(k, l)| (*k, &l.0)))?;
    let (head, bound) = bounded(problem, claim)?;
    if network.depth() >= 3 && network.outputs() == 1 && !network.has_sharing() {
        if matches!(claim, Claim::LocalOptimum { .. }) {
            return None;
        }
        let mut text = format!("{head} linear {}", lambda.len());
        for (i, l) in &lambda {
            let _ = write!(text, " {i} {l}");
        }
        return Some(text);
    }
    Leaves { problem, lambda, slopes: BTreeMap::new() }.text(&head, &bound)
}

/// Ascending, not negative, not all 0; those that are 0 are left out.
pub(super) fn multipliers<'n>(
    count: usize,
    list: impl Iterator<Item = (usize, &'n Rational)>,
) -> Option<Vec<(usize, Rational)>> {
    let list: Vec<_> = list.map(|(k, l)| (k, l.clone())).collect();
    let ordered = list.is_sorted_by(|a, b| a.0 < b.0)
        && list.iter().all(|(k, l)| *k < count && !l.is_negative());
    let positive: Vec<_> = list.into_iter().filter(|(_, l)| l.is_positive()).collect();
    (ordered && !positive.is_empty()).then_some(positive)
}

struct Leaves<'a> {
    problem: &'a Problem,
    lambda: Vec<(usize, Rational)>,
    /// By sample and row, at kinks.
    slopes: BTreeMap<(usize, usize), &'a Rational>,
}

impl Leaves<'_> {
    fn text(&self, head: &str, bound: &Rational) -> Option<String> {
        let two_layer = TwoLayer::with_one_output(self.problem.network()).ok()?;
        if bound.is_negative() {
            return None;
        }
        let denominators = self.lambda.iter().map(|(_, l)| l.denom());
        let lcm = |d: BigInt, other: &BigInt| d.lcm(other);
        let of_slopes = self.slopes.values().map(|p| p.denom()).fold(BigInt::one(), lcm);
        // A coefficient is a multiple of λ times a slope.
        let unit = Rational::new(BigInt::one(), denominators.fold(BigInt::one(), lcm) * of_slopes);
        let q = self.problem.activation().slope().denom();
        let sum: Rational = self.lambda.iter().map(|(_, l)| l).sum();
        // In units: what T must be a multiple of.
        let t = bound * sum * BigInt::from(2) * q / &unit;
        let samples = self.lambda.iter().map(|(i, _)| *i);
        let of_data =
            samples.fold(BigInt::one(), |d, i| d.lcm(self.problem.data().sample(i).denominator()));
        let grid = if t.is_zero() {
            Rational::new(BigInt::one(), of_data)
        } else {
            // gcd(1/a, n/d) = gcd(d, n·a)/(a·d)
            Rational::new(t.denom().gcd(&(t.numer() * &of_data)), &of_data * t.denom())
        };
        let t = (t / &grid).to_integer();
        let mut text =
            format!("{head} covers\n  unit {unit} grid {grid} fine 1 den 1 factor 1 ends 1 tau 1");
        let _ = write!(text, "\n  lambda {}", self.lambda.len());
        for (i, l) in &self.lambda {
            let _ = write!(text, " {i} {}", l / &unit);
        }
        let mut covers = String::new();
        let mut count = 0;
        for neuron in &two_layer.neurons {
            for sign in ['+', '-'] {
                let v = neuron.v1();
                let linear = self.problem.activation().is_linear();
                let needed = if sign == '+' { !v.is_negative() } else { !v.is_positive() };
                if linear || needed {
                    self.cover(&mut covers, neuron, sign, &unit, &grid, &t)?;
                    count += 1;
                }
            }
        }
        let _ = write!(text, "\n  covers {count}{covers}");
        Some(text)
    }

    fn cover(
        &self,
        text: &mut String,
        neuron: &Neuron,
        sign: char,
        unit: &Rational,
        grid: &Rational,
        t: &BigInt,
    ) -> Option<()> {
        let (data, alpha) = (self.problem.data(), self.problem.activation().slope());
        let q = alpha.denom();
        let _ = write!(text, "\n  cover {sign} columns {}", neuron.inputs.len());
        write_all(text, &neuron.inputs);
        let _ = write!(text, " bound {t} entries {}", self.lambda.len());
        let mut node = String::from("c 1");
        for (i, l) in &self.lambda {
            let x = data.sample(*i);
            let mut rounded = vec![BigInt::zero(); x.len()];
            for &c in &neuron.inputs {
                *rounded.get_mut(c)? = (x.get(c) / grid).to_integer();
            }
            let radius = ceil_sqrt(&rounded.iter().map(|e| e * e).sum());
            let reads = rounded.iter().any(|e| !e.is_zero());
            let (fixed, slope) = match self.problem.sign(*i, neuron.index) {
                _ if self.problem.activation().is_linear() || !reads => ('.', Rational::one()),
                Ordering::Greater => ('+', Rational::one()),
                Ordering::Less => ('-', alpha.clone()),
                Ordering::Equal => ('.', (*self.slopes.get(&(*i, neuron.index))?).clone()),
            };
            let _ = write!(text, "\n    {i} {fixed} {radius} 0 0  {}", rounded.len());
            write_all(text, rounded);
            let agrees = (data.label(*i) > 0) == (sign == '+');
            let b = if agrees { l / unit } else { -(l / unit) };
            let _ = write!(node, " {}", b * slope * q);
        }
        node.push('\n');
        let _ = write!(text, "\n    nodes 1 {}\n{node}", node.len());
        Some(())
    }
}
