//! What the search does at one node.
use super::Direction;
use super::items::{CONE, Items, State};
use super::quadratic::Parabolas;
use super::rounding::{Grid, Tightened};
use crate::numeric::box_ls::{BoxLs, Effort, dot};
use maxmargin_kernel::proof::cover::{Close, Empty, Node};
use maxmargin_kernel::proof::tree::Tree;

/// Effort of an ordinary solve: the next round or the children start from its result.
const EFFORT: Effort = Effort { sweeps: 40, tolerance: 1e-6, newton_every: 6 };
/// Rounds for a node that cannot be split.
const LAST_ROUNDS: usize = 8;
/// Space of one thread.
pub(super) struct Scratch {
    pub(super) ls: BoxLs,
    pub(super) grid: Grid,
    parabolas: Parabolas,
}

impl Scratch {
    pub(super) fn new(n: usize) -> Self {
        Self { ls: BoxLs::new(n), grid: Grid::default(), parabolas: Parabolas::default() }
    }
}

/// How a node ends.
pub(super) enum Step {
    /// Closed by this leaf.
    Leaf(Node),
    /// Split on this item (its position among [`Items`]).
    Split(usize),
    /// This direction of the cone has a value above `T`.
    Violated(Direction),
    /// No item left to split, and the bound is still above `T`.
    Stuck,
}

impl Items<'_> {
    /// Works on a node: bounds it, narrows its ranges (the updates go to `out`), and decides.
    ///
    /// `margin` is how far below `T` a bound must be before it is rounded to integers.
    pub(super) fn process(
        &self,
        state: &mut State,
        rounds: usize,
        margin: f64,
        scratch: &mut Scratch,
        out: &mut Tree,
    ) -> Step {
        if let Some(step) = self.rounds(state, rounds, EFFORT, margin, scratch, out) {
            return step;
        }
        if let Some(i) = self.branch(state) {
            return Step::Split(i);
        }
        let accurate = Effort::ACCURATE;
        let last = self.rounds(state, LAST_ROUNDS, accurate, margin, scratch, out);
        last.or_else(|| self.branch(state).map(Step::Split)).unwrap_or(Step::Stuck)
    }

    /// A leaf for a node as it is, and the `T/S` for which it closes.
    pub(super) fn surrender(&self, state: &State, scratch: &mut Scratch) -> (Node, f64) {
        let Scratch { ls, grid, .. } = scratch;
        self.relax(state, ls);
        ls.solve(&self.gram, Effort::ACCURATE, 0.0);
        self.round(state, &ls.beta, self.step(1e-9 * self.t), &mut grid.a);
        let r = self.evaluate(state, &grid.a, &mut grid.vec);
        let needed = (r.length + r.constant + r.error + 2.0 * self.unit_k) * (1.0 + 1e-14);
        let (close, times) = self.expand(&grid.a);
        (Node::Close(Close { close, times }), needed)
    }

    /// Rounds of bounding and narrowing; `None` if they do not decide the node.
    fn rounds(
        &self,
        state: &mut State,
        rounds: usize,
        effort: Effort,
        margin: f64,
        Scratch { ls, grid, parabolas }: &mut Scratch,
        out: &mut Tree,
    ) -> Option<Step> {
        let leaf = |grid: &Grid| {
            let (close, times) = self.expand(&grid.a);
            Step::Leaf(Node::Close(Close { close, times }))
        };
        let aim = self.t - margin;
        let last = effort.tolerance <= Effort::ACCURATE.tolerance;
        for _ in 0..rounds {
            let constant = self.relax(state, ls);
            let length = ls.solve(&self.gram, effort, if last { 0.0 } else { aim - constant });
            state.beta.copy_from_slice(&ls.beta);
            let slack = self.t - length - constant;
            // With large multipliers a length from the Gram matrix is not the last word.
            if (slack >= margin || last) && self.close(state, &ls.beta, slack.max(0.0), grid) {
                return Some(leaf(grid));
            }
            if let Some(node) = self.quadratic(state, ls, constant, margin, grid, parabolas) {
                return Some(Step::Leaf(node));
            }
            if let Some(violator) = self.violator(ls, constant) {
                return Some(Step::Violated(violator));
            }
            let excess = (-slack).max(margin);
            match self.tighten(state, ls, excess, grid) {
                Tightened::Closed => return Some(leaf(grid)),
                Tightened::Empty(node, item) => {
                    out.push(&Node::Tighten(node));
                    return Some(Step::Leaf(Node::Empty(Empty { empty: item })));
                }
                Tightened::Narrower(node) => out.push(&Node::Tighten(node)),
                Tightened::Nothing => return None,
            }
        }
        None
    }

    /// The direction of `vec` if its value is above `T`.
    fn violator(&self, ls: &mut BoxLs, constant: f64) -> Option<Direction> {
        let length = dot(&ls.beta, &ls.gradient).max(0.0).sqrt();
        if length.is_nan()
            || length == 0.0
            || self.value(ls.gradient.iter().map(|g| g / length)) <= self.t
        {
            return None;
        }
        let within = |d: &Direction, beta: &[f64], most| {
            d.value - self.scale * self.trespass(beta, &d.w, most) > self.scale * self.t
        };
        let direction = self.direction(&ls.beta);
        if within(&direction, &ls.beta, 0.0) {
            return Some(direction);
        }
        // Outside the cone, where a value means nothing, until the coefficients are optimal.
        ls.solve(&self.gram, Effort::ACCURATE, self.t - constant);
        let direction = self.direction(&ls.beta);
        within(&direction, &ls.beta, CONE).then_some(direction)
    }

    /// The open item whose secant may lie furthest above `σ`: `c·min(h, −l)` bounds that gap.
    fn branch(&self, state: &State) -> Option<usize> {
        let gap = |i: usize| {
            let reach = state.high[i].min(-state.low[i]) as f64 * self.grid_z[i];
            self.c[i] * reach
        };
        let open = (0..self.len()).filter(|&i| self.can_split(state, i));
        open.map(|i| (gap(i), i))
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
            .map(|(_, i)| i)
    }
}
