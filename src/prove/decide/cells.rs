//! Local optimality at depth 2 where one λ does not serve all sides of the kinks: a λ for every choice
//! of sides (rule `width_tree` near θ).
//!
//! With every neuron alive, one output and no sharing, the problem in each adjacent activation cell
//! is convex in `u_j = |v_j|w_j`, so θ is optimal there iff it has multipliers there: a linear program,
//! exact. Either every cell has them, or Farkas' vector of one that has none descends in it, and the
//! search for curves finds it. So small points are always decided.
use super::setting::Setting;
use crate::budget::Budget;
use crate::numeric::exact::lp::feasible;
use maxmargin_kernel::certificate::{Entry, Proof};
use maxmargin_kernel::claim::{Claim, Number, Scope};
use maxmargin_kernel::network::{Neuron, TwoLayer};
use maxmargin_kernel::number::{BigInt, Rational};
use maxmargin_kernel::proof::cover::{Close, Node, Units};
use maxmargin_kernel::proof::dual_bound::{Cone, Cover, Multipliers, merge};
use maxmargin_kernel::proof::width_tree::{Leaf, WidthNode, WidthTree};
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Most nodes of a tree.
const MAX_NODES: usize = 1 << 14;

/// A proof of `local_optimum`, or `None`: some cell descends, or a limit was reached.
pub fn local(setting: &Setting, budget: &Budget) -> Option<Entry> {
    if setting.scope != Scope::All {
        return None;
    }
    let neurons = TwoLayer::with_one_output(setting.problem.network()).ok()?.neurons;
    // KKT points are balanced: then w/|v| is a unit vector with rational entries.
    let alive = |n: &Neuron| !n.w.is_zero() && n.w.norm_squared() == n.v1() * n.v1();
    if !neurons.iter().all(alive) {
        return None;
    }
    let cells = Cells { setting, neurons };
    let mut nodes = Vec::new();
    let mut pending = vec![Sides::new()];
    while let Some(sides) = pending.pop() {
        if budget.expired() || nodes.len() > MAX_NODES {
            return None;
        }
        if let Some(leaf) = cells.leaf(&sides) {
            nodes.push(WidthNode::Leaf(Box::new(leaf)));
            continue;
        }
        // No multipliers for these sides: divide further, convex kinks first.
        let (neuron, sample) = cells.undecided(&sides)?;
        nodes.push(WidthNode::Split(cells.neurons[neuron].index, sample));
        for side in [Ordering::Less, Ordering::Greater] {
            let mut next = sides.clone();
            next.insert((neuron, sample), side);
            pending.push(next);
        }
    }
    let claim = Claim::LocalOptimum { scope: setting.scope };
    let proof = WidthTree { nodes };
    proof.check(setting.problem, &claim).ok()?;
    Some(Entry { claim, proof: Proof::WidthTree(proof) })
}

/// Sides chosen at kinks, by neuron (in the list) and sample.
type Sides = BTreeMap<(usize, usize), Ordering>;

struct Cells<'s, 'a> {
    setting: &'s Setting<'a>,
    neurons: Vec<Neuron>,
}

impl Cells<'_, '_> {
    /// `s_j y_i`.
    fn agreement(&self, j: usize, i: usize) -> i64 {
        let sign = if self.neurons[j].v1().is_negative() { -1 } else { 1 };
        sign * self.setting.problem.data().label(i)
    }

    fn is_kink(&self, j: usize, i: usize) -> bool {
        let neuron = &self.neurons[j];
        self.setting.problem.sign(i, neuron.index).is_eq()
            && !self.setting.problem.data().restricted(i, &neuron.inputs).is_zero()
            && self.setting.alpha < Rational::one()
    }

    /// The next kink of an active sample without a side; convex ones first.
    fn undecided(&self, sides: &Sides) -> Option<(usize, usize)> {
        let all = (0..self.neurons.len())
            .flat_map(|j| self.setting.active.iter().map(move |k| (j, *k)))
            .filter(|(j, i)| self.is_kink(*j, *i) && !sides.contains_key(&(*j, *i)));
        let mut all: Vec<(usize, usize)> = all.collect();
        all.sort_by_key(|(j, i)| self.agreement(*j, *i) < 0);
        all.first().copied()
    }

    /// Multipliers for all competitors on these sides, as a leaf. With one output constraints are
    /// samples.
    fn leaf(&self, sides: &Sides) -> Option<Leaf> {
        let active = &self.setting.active;
        // Columns: λ_i, then (j, i, what) terms of neuron j's equation.
        let mut extra: Vec<(usize, usize, Term)> = Vec::new();
        for j in 0..self.neurons.len() {
            for &i in active.iter().filter(|i| self.is_kink(j, **i)) {
                match sides.get(&(j, i)) {
                    Some(_) => extra.push((j, i, Term::Sign)),
                    None if self.agreement(j, i) < 0 => extra.push((j, i, Term::Slope)),
                    // An open convex kink has no valid coefficient.
                    None => return None,
                }
            }
        }
        let caps: Vec<usize> = (0..extra.len()).filter(|e| extra[*e].2 == Term::Slope).collect();
        let total = active.len() + extra.len() + caps.len();
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for (j, neuron) in self.neurons.iter().enumerate() {
            let x: Vec<Vec<Rational>> = (active.iter())
                .map(|i| self.setting.problem.data().restricted(*i, &neuron.inputs).to_rationals())
                .collect();
            let size = neuron.v1().abs();
            for c in 0..neuron.inputs.len() {
                let mut row = vec![Rational::zero(); total];
                for (k, &i) in active.iter().enumerate() {
                    row[k] =
                        self.slope(j, i, sides) * self.integer(self.agreement(j, i)) * &x[k][c];
                }
                for (e, (owner, i, term)) in extra.iter().enumerate() {
                    if *owner != j {
                        continue;
                    }
                    let k = active.binary_search(i).ok()?;
                    row[active.len() + e] = match term {
                        Term::Sign if sides[&(j, *i)].is_gt() => x[k][c].clone(),
                        Term::Sign => -x[k][c].clone(),
                        // ν = μ − αλ adds to the coefficient −αλ.
                        Term::Slope => -x[k][c].clone(),
                    };
                }
                a.push(row);
                b.push(neuron.w.get(c) / &size);
            }
        }
        for (slack, &e) in caps.iter().enumerate() {
            let k = active.binary_search(&extra[e].1).ok()?;
            let mut row = vec![Rational::zero(); total];
            row[active.len() + e] = Rational::one();
            row[active.len() + extra.len() + slack] = Rational::one();
            row[k] = &self.setting.alpha - Rational::one();
            a.push(row);
            b.push(Rational::zero());
        }
        let x = feasible(a, b, vec![false; total]).ok()?;
        self.written(sides, &x, &extra)
    }

    /// σ' of the side: 1 or α; at an open concave kink α, to which the variable adds.
    fn slope(&self, j: usize, i: usize, sides: &Sides) -> Rational {
        let sign = match sides.get(&(j, i)) {
            Some(side) => *side,
            None => self.setting.problem.sign(i, self.neurons[j].index),
        };
        if sign.is_gt() { Rational::one() } else { self.setting.alpha.clone() }
    }

    fn integer(&self, value: i64) -> Rational {
        Rational::from_integer(value.into())
    }

    /// The leaf with one closing node per neuron.
    fn written(
        &self,
        sides: &Sides,
        x: &[Rational],
        extra: &[(usize, usize, Term)],
    ) -> Option<Leaf> {
        let active = &self.setting.active;
        let common =
            x.iter().fold(BigInt::one(), |d, v| d.lcm(v.denom())) * self.setting.alpha.denom();
        let unit = Rational::new(BigInt::one(), common);
        let whole = |v: &Rational| (v / &unit).to_integer().to_i64();
        let mut lambda = Vec::new();
        for (k, &i) in active.iter().enumerate().filter(|(k, _)| x[*k].is_positive()) {
            lambda.push((i, whole(&x[k])?));
        }
        let one = Number(Rational::one());
        let units = Units { a: Number(unit.clone()), z: one.clone(), tau: one, x: None };
        let mut covers = Vec::new();
        for (j, neuron) in self.neurons.iter().enumerate() {
            let relevant = |i: usize| {
                lambda.binary_search_by_key(&i, |l| l.0).is_ok() || sides.contains_key(&(j, i))
            };
            let fixed: Vec<(usize, i8)> = (active.iter())
                .filter(|i| relevant(**i))
                .filter_map(|&i| {
                    let sign = match sides.get(&(j, i)) {
                        Some(side) => *side,
                        None => self.setting.problem.sign(i, neuron.index),
                    };
                    (!sign.is_eq()).then_some((i, if sign.is_gt() { 1 } else { -1 }))
                })
                .collect();
            let coefficient = |i: usize| -> Option<i64> {
                let k = active.binary_search(&i).ok()?;
                let mut a = &x[k] * self.slope(j, i, sides) * self.integer(self.agreement(j, i));
                for (e, (_, _, term)) in
                    extra.iter().enumerate().filter(|(_, (owner, at, _))| *owner == j && *at == i)
                {
                    let value = &x[active.len() + e];
                    let positive = *term == Term::Sign && sides[&(j, i)].is_gt();
                    a = if positive { a + value } else { a - value };
                }
                whole(&a)
            };
            let close = merge(&lambda, &fixed)
                .into_iter()
                .map(|(i, _, _)| coefficient(i))
                .collect::<Option<Vec<_>>>()?;
            let full = neuron.inputs.len() == self.setting.problem.network().inputs();
            let sign = if neuron.v1().is_negative() { -1 } else { 1 };
            let cone = Cone { sign, inputs: (!full).then(|| neuron.inputs.clone()), fixed };
            let nodes = [Node::Close(Close { close, times: 1 })].into_iter().collect();
            let cover = Cover { cone, nodes };
            if !covers.contains(&cover) {
                covers.push(cover);
            }
        }
        Some(Leaf { multipliers: Multipliers { units, lambda }, covers })
    }
}

/// A variable of one neuron's equation beside λ.
#[derive(Clone, Copy, PartialEq)]
enum Term {
    /// A multiplier of `τ(w·x_i) ≥ 0` on a chosen side.
    Sign,
    /// What the slope at an open concave kink adds to αλ.
    Slope,
}
