//! Convex–concave local search for directions of large value.
//!
//! `s·g` is a convex function (the items with `b_i > 0`) plus a concave one. With the convex part
//! replaced by its tangent at `w`, the maximum over the unit ball and the cone is a least-squares
//! problem over a box, and its solution has at least the value of `w`.
use super::items::{CONE, Items, State};
use super::{Direction, FloatUnits, Instance};
use crate::numeric::box_ls::{self, BoxLs, dot};
use rayon::prelude::*;

/// Tangents at most; patterns repeat long before.
const STEPS: usize = 60;

/// Generations of [`explore`] at most.
const GENERATIONS: usize = 8;

/// How a local search is done.
#[derive(Clone, Copy)]
pub struct Effort<'a> {
    /// Whether to use the current rayon pool.
    pub parallel: bool,
    /// Says when to end with what there is; called often, from any thread.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

impl Effort<'_> {
    /// One thread, to the end.
    pub const QUIET: Self = Self { parallel: false, stop: &|| false };
}

/// Local maxima of `s·g` over unit `w` of the cone, one search per start (any vectors; their
/// length does not matter). Best first, without repetitions; only positive values.
pub fn local_maximise(instance: &Instance, starts: &[Vec<f64>], effort: Effort) -> Vec<Direction> {
    // Only the scale matters here, not the grids.
    let items = Items::new(instance, 0.0, FloatUnits { a: 0, z: 0, tau: 0, x: None });
    let root = items.free_root();
    let search = |ls: &mut BoxLs, start: &Vec<f64>| {
        // Only the signs matter.
        let z = || items.projections(start);
        if (effort.stop)() { None } else { items.ascend(&root, z(), ls) }
    };
    let new = || BoxLs::new(items.len());
    let mut found: Vec<Direction> = if effort.parallel {
        starts.par_iter().map_init(new, search).flatten().collect()
    } else {
        let mut ls = new();
        starts.iter().filter_map(|start| search(&mut ls, start)).collect()
    };
    distinct(&mut found);
    found
}

/// Goes on from local maxima (best first): from each of the `beam` best, one search per convex item
/// with the sign of its projection turned, and so on from what that finds. Ends when a value is
/// above `enough`, or nothing new comes of the best.
pub fn explore(
    instance: &Instance,
    mut found: Vec<Direction>,
    beam: usize,
    enough: f64,
    effort: Effort,
) -> Vec<Direction> {
    let items = Items::new(instance, 0.0, FloatUnits { a: 0, z: 0, tau: 0, x: None });
    let root = items.free_root();
    let convex: Vec<usize> = (0..items.len()).filter(|&i| items.can_split(&root, i)).collect();
    let around = |ls: &mut BoxLs, from: &Direction| -> Vec<Direction> {
        let z = items.projections(&from.w);
        let turned = convex.iter().map_while(|&i| {
            let mut z = z.clone();
            z[i] = -z[i];
            (!(effort.stop)()).then_some(z)
        });
        turned.filter_map(|z| items.ascend(&root, z, ls)).collect()
    };
    let new = || BoxLs::new(items.len());
    let mut done: Vec<Direction> = Vec::new();
    for _ in 0..GENERATIONS {
        if found.first().is_some_and(|best| best.value > enough) || (effort.stop)() {
            break;
        }
        let known = |d: &&Direction| done.iter().any(|k| is_same(k, d));
        let best = found.iter().take(beam);
        let next: Vec<Direction> = best.filter(|d| !known(d)).cloned().collect();
        if next.is_empty() {
            break;
        }
        let more: Vec<Vec<Direction>> = if effort.parallel {
            next.par_iter().map_init(new, around).collect()
        } else {
            let mut ls = new();
            next.iter().map(|from| around(&mut ls, from)).collect()
        };
        done.extend(next);
        found.extend(more.into_iter().flatten());
        distinct(&mut found);
    }
    found
}

fn is_same(a: &Direction, b: &Direction) -> bool {
    1.0 - dot(&a.w, &b.w) < 1e-12
}

/// Sorts by descending value and drops directions that equal a better one.
pub(super) fn distinct(found: &mut Vec<Direction>) {
    found.sort_by(|u, v| v.value.total_cmp(&u.value).then_with(|| lexicographic(&u.w, &v.w)));
    let mut kept: Vec<Direction> = Vec::new();
    for direction in found.drain(..) {
        let near = |k: &&Direction| k.value * (1.0 - 1e-6) <= direction.value;
        if !kept.iter().rev().take_while(near).any(|k| is_same(k, &direction)) {
            kept.push(direction);
        }
    }
    *found = kept;
}

fn lexicographic(u: &[f64], v: &[f64]) -> std::cmp::Ordering {
    let pairs = u.iter().zip(v);
    pairs.map(|(a, b)| a.total_cmp(b)).find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
}

impl Items<'_> {
    /// A root of which only the signs of the ranges mean anything.
    fn free_root(&self) -> State {
        let fixed = |i: &usize| self.instance.fixed[*i];
        let low = self.index.iter().map(|i| if fixed(i) == Some(true) { 0 } else { -1 }).collect();
        let high = self.index.iter().map(|i| if fixed(i) == Some(false) { 0 } else { 1 }).collect();
        State { low, high, beta: vec![0.0; self.len()] }
    }

    /// Climbs from the projections `z_i = w·x̂_i` within the ranges' signs.
    pub(super) fn ascend(
        &self,
        root: &State,
        mut z: Vec<f64>,
        ls: &mut BoxLs,
    ) -> Option<Direction> {
        let mut pattern: Vec<bool> = Vec::new();
        self.relax(root, ls);
        for _ in 0..STEPS {
            let same =
                pattern.len() == z.len() && pattern.iter().zip(&z).all(|(p, z)| *p == (*z > 0.0));
            if same {
                break;
            }
            pattern.clear();
            pattern.extend(z.iter().map(|z| *z > 0.0));
            for i in 0..self.len() {
                if self.can_split(root, i) {
                    let slope = if pattern[i] { self.c[i] } else { self.alpha * self.c[i] };
                    (ls.lo[i], ls.hi[i]) = (slope, slope);
                }
            }
            let length = ls.solve(&self.gram, box_ls::Effort::ACCURATE, 0.0);
            if length.is_nan() || length <= 1e-9 {
                return None;
            }
            for (z, g) in z.iter_mut().zip(&ls.gradient) {
                *z = g / length;
            }
        }
        let direction = self.direction(&ls.beta);
        if self.trespass(&ls.beta, &direction.w, CONE) > CONE {
            return None;
        }
        (direction.value > 0.0).then_some(direction)
    }
}
