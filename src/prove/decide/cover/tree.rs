//! The tree of one cover, for given multipliers.
//!
//! Leaves that contain a direction where `s·g(w) = T|w|` close with exact coefficients; the others have
//! slack and close by rounded least squares. The kernel's own checker says of every node at once
//! whether it is right.
use crate::numeric::box_ls::{BoxLs, Effort, Gram};
use crate::numeric::two_layer::{to_f64, to_f64s};
use maxmargin_kernel::number::{Rational, ScaledVec};
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::cover::{Close, CoverChecker, Item, Node, Split};
use maxmargin_kernel::proof::dual_bound::{Cone, Multipliers, merge};
use std::collections::BTreeMap;

/// Most nodes of one tree.
const MAX_NODES: usize = 20_000;

/// What has to be covered: `s·g(w) ≤ T|w|` on a cone.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// `s`, inputs and fixed signs.
    pub cone: Cone,
    /// The inputs, also if these are all.
    pub inputs: Vec<usize>,
    /// `T ≥ 0`.
    pub t: Rational,
}

/// A leaf that does not close although all its convex items are decided.
#[derive(Clone, Debug)]
pub struct Stuck {
    /// The decided side of `w·x_i`, by sample.
    pub sides: BTreeMap<usize, bool>,
    /// The direction, on all inputs, in which `s·g` is largest on the leaf; that value is its length.
    pub w: Vec<f64>,
}

/// A tree that covers the demand. `exact` holds coefficients by sample, to be tried first.
///
/// # Errors
/// The first leaf that does not close; `None` if a limit was reached.
pub fn tree(
    problem: &Problem,
    multipliers: &Multipliers,
    demand: &Demand,
    exact: &[BTreeMap<usize, i64>],
) -> Result<Vec<Node>, Option<Stuck>> {
    let data = problem.data();
    let alpha = problem.activation().slope();
    let samples = merge(&multipliers.lambda, &demand.cone.fixed);
    let item = |(i, l, fixed): &(usize, i64, Option<i8>)| {
        let agrees = data.label(*i).signum() == i64::from(demand.cone.sign);
        let b = if agrees { *l } else { -*l };
        Item { x: data.restricted(*i, &demand.inputs), b, fixed: fixed.map(|tau| tau.cmp(&0)) }
    };
    let items: Vec<Item> = samples.iter().map(item).collect();
    let mut checker =
        CoverChecker::new(&items, &multipliers.units, alpha, &demand.t).map_err(|_| None)?;
    let list = |known: &BTreeMap<usize, i64>| {
        samples.iter().map(|(i, _, _)| known.get(i).copied().unwrap_or(0)).collect()
    };
    let mut leaf = Leaf::new(&items, alpha, exact.iter().map(list).collect());
    let sides = items.iter().map(|i| i.fixed.map(|f| f.is_gt())).collect();
    let mut nodes = Vec::new();
    // Depth first, `≥ 0` first, as the kernel reads them.
    let mut pending: Vec<Vec<Option<bool>>> = vec![sides];
    while let Some(sides) = pending.pop() {
        if nodes.len() > MAX_NODES {
            return Err(None);
        }
        let closing = leaf.candidates(&sides).into_iter().map(close).find(|node| {
            let mut trial = checker.clone();
            let closes = trial.node(node).is_ok();
            if closes {
                checker = trial;
            }
            closes
        });
        if let Some(node) = closing {
            nodes.push(node);
            continue;
        }
        let Some(item) = leaf.branch(&sides) else {
            let unit = to_f64(&multipliers.units.a.0);
            let decided = samples.iter().zip(&sides).filter_map(|(s, side)| Some((s.0, (*side)?)));
            let mut w = vec![0.0; problem.network().inputs()];
            for (&c, value) in demand.inputs.iter().zip(leaf.vector(&items, &sides)) {
                w[c] = value * unit;
            }
            return Err(Some(Stuck { sides: decided.collect(), w }));
        };
        let node = Node::Split(Split { split: item });
        checker.node(&node).map_err(|_| None)?;
        nodes.push(node);
        let child = |side: bool| {
            let mut next = sides.clone();
            next[item] = Some(side);
            next
        };
        pending.push(child(false));
        pending.push(child(true));
    }
    checker.finish().map_err(|_| None)?;
    Ok(nodes)
}

fn close(a: Vec<i64>) -> Node {
    Node::Close(Close { close: a, times: 1 })
}

/// Least squares for closing coefficients.
struct Leaf {
    gram: Gram,
    solver: BoxLs,
    /// `b` in units of `a`.
    b: Vec<f64>,
    alpha: f64,
    exact: Vec<Vec<i64>>,
}

impl Leaf {
    fn new(items: &[Item], alpha: &Rational, exact: Vec<Vec<i64>>) -> Self {
        let rows: Vec<f64> = items.iter().flat_map(|i| to_f64s(&i.x)).collect();
        let dimension = items.first().map_or(0, |i| i.x.len());
        Self {
            gram: Gram::new(&rows, items.len(), dimension),
            solver: BoxLs::new(items.len()),
            b: items.iter().map(|i| i.b as f64).collect(),
            alpha: to_f64(alpha),
            exact,
        }
    }

    /// Coefficient lists worth trying, the exact ones first.
    fn candidates(&mut self, sides: &[Option<bool>]) -> Vec<Vec<i64>> {
        let mut list = self.exact.clone();
        // An undecided convex item has no constant-free coefficient: only splitting helps.
        if self.branch(sides).is_none() {
            let (a, ranges) = self.least(sides);
            // Rounded into the range: b is an integer, α b need not be.
            let inside =
                |(v, (l, h)): (f64, (f64, f64))| v.round().clamp(l.ceil(), h.floor()) as i64;
            list.push(a.into_iter().zip(ranges).map(inside).collect());
        }
        list
    }

    /// The first undecided convex item.
    fn branch(&self, sides: &[Option<bool>]) -> Option<usize> {
        (0..sides.len()).find(|i| sides[*i].is_none() && self.b[*i] > 0.0 && self.alpha < 1.0)
    }

    /// The shortest combination with coefficients that need no constant, and their ranges.
    fn least(&mut self, sides: &[Option<bool>]) -> (Vec<f64>, Vec<(f64, f64)>) {
        let range = |i: usize| {
            let (one, low) = (self.b[i], self.alpha * self.b[i]);
            match sides[i] {
                Some(true) => (one, f64::INFINITY),
                Some(false) => (f64::NEG_INFINITY, low),
                None => (one.min(low), one.max(low)),
            }
        };
        let ranges: Vec<(f64, f64)> = (0..self.b.len()).map(range).collect();
        for (i, (low, high)) in ranges.iter().enumerate() {
            (self.solver.lo[i], self.solver.hi[i], self.solver.beta[i]) = (*low, *high, 0.0);
        }
        self.solver.solve(&self.gram, Effort::ACCURATE, 0.0);
        (self.solver.beta.clone(), ranges)
    }

    /// That combination.
    fn vector(&mut self, items: &[Item], sides: &[Option<bool>]) -> Vec<f64> {
        let (a, _) = self.least(sides);
        let mut sum = vec![0.0; items.first().map_or(0, |i| i.x.len())];
        for (item, a) in items.iter().zip(a) {
            add(&mut sum, a, &item.x);
        }
        sum
    }
}

fn add(sum: &mut [f64], a: f64, x: &ScaledVec) {
    sum.iter_mut().zip(to_f64s(x)).for_each(|(s, x)| *s += a * x);
}
