//! From float relaxations to integers that the kernel accepts.
//!
//! The search continues from what comes out here, not from the floats that went in: a range at a
//! node is the range that the kernel will hold there.
use super::items::{EPS, Items, Rounded, State};
use crate::numeric::box_ls::{BoxLs, dot};
use maxmargin_kernel::proof::cover::Tighten;

/// Fraction of the gap `|vec| + K − T` that rounding may add to it when ranges are tightened.
const LOSS: f64 = 0.05;
/// A range update must narrow an open range by this fraction, unless it fixes a sign.
const WORTHWHILE: f64 = 5e-2;
/// A node of range updates must lower the constants of the secants by this fraction of the gap.
const GAIN: f64 = 0.3;
/// Range ends are rounded outwards to this fraction of the range, to a round number.
const END_GRID: f64 = 1e-2;
/// Multipliers τ keep this many decimal digits.
const TAU_DIGITS: i32 = 2;
/// Coefficients beyond this are not representable.
const MAX_COEFFICIENT: f64 = (1u64 << 62) as f64;

/// Space for one rounded relaxation.
#[derive(Default)]
pub(super) struct Grid {
    pub(super) a: Vec<i64>,
    pub(super) vec: Vec<f64>,
    upper: Vec<(usize, i64, i64)>,
    lower: Vec<(usize, i64, i64)>,
}

impl Grid {
    fn updates(&self) -> usize {
        self.upper.len() + self.lower.len()
    }
}

/// What came of an attempt to tighten ranges.
pub(super) enum Tightened {
    /// The rounded coefficients (in the grid) close the node.
    Closed,
    /// The range of this item is empty after the update.
    Empty(Tighten, usize),
    /// An update, applied.
    Narrower(Tighten),
    /// Nothing worthwhile.
    Nothing,
}

impl Items<'_> {
    /// Largest step such that rounding to its multiples adds about `loss` to `|vec| + K`.
    pub(super) fn step(&self, loss: f64) -> i64 {
        let finest = self.grid_a.iter().fold(0.0f64, |m, g| m.max(*g));
        let per_unit = finest * 0.5 * (self.len() as f64).sqrt();
        let step = loss / per_unit;
        if step >= 1.0 { 10i64.pow(step.log10().min(17.0) as u32) } else { 1 }
    }

    /// Rounds `β` to multiples of `step` in the integer form of the box of [`Items::relax`].
    pub(super) fn round(&self, state: &State, beta: &[f64], step: i64, a: &mut Vec<i64>) {
        a.clear();
        for i in 0..self.len() {
            let b = self.b[i];
            let down = (self.alpha * b as f64).floor() as i64;
            let (lo, hi) = if state.low[i] >= 0 && state.high[i] <= 0 {
                (i64::MIN, i64::MAX)
            } else if state.low[i] >= 0 {
                (b, i64::MAX)
            } else if state.high[i] <= 0 {
                (i64::MIN, down)
            } else if b <= 0 {
                (b, down)
            } else {
                (i64::MIN, i64::MAX)
            };
            let exact = (beta[i] / self.grid_a[i]).clamp(-MAX_COEFFICIENT, MAX_COEFFICIENT);
            let mut value = (exact / step as f64).round() as i64 * step;
            if value < lo {
                value = lo.div_euclid(step).saturating_add(1).saturating_mul(step);
            }
            if value > hi {
                value = hi.div_euclid(step) * step;
            }
            if value < lo || value > hi {
                value = (exact.round() as i64).max(lo).min(hi);
            }
            a.push(value);
        }
    }

    /// Rounds a relaxation with `|vec| + K ≤ T − slack` to the coarsest grid on which it still
    /// closes the node; false if there is none.
    pub(super) fn close(&self, state: &State, beta: &[f64], slack: f64, grid: &mut Grid) -> bool {
        let mut step = self.step(slack);
        loop {
            self.round(state, beta, step, &mut grid.a);
            let r = self.evaluate(state, &grid.a, &mut grid.vec);
            if self.closes(&r) {
                return true;
            }
            if step == 1 {
                return false;
            }
            step /= 10;
        }
    }

    /// The kernel rounds `T` down to one unit of a times one of z.
    fn closes(&self, r: &Rounded) -> bool {
        r.length + r.error <= self.t - self.unit_k - r.constant
    }

    /// Narrows the ranges to the cap `vec·w > H` that a violator must lie in.
    pub(super) fn tighten(
        &self,
        state: &mut State,
        ls: &BoxLs,
        excess: f64,
        grid: &mut Grid,
    ) -> Tightened {
        self.round(state, &ls.beta, self.step(LOSS * excess), &mut grid.a);
        let r = self.evaluate(state, &grid.a, &mut grid.vec);
        if self.closes(&r) {
            return Tightened::Closed;
        }
        let cap = Cap::new(r, self.t - self.unit_k);
        if cap.cos <= -1.0 || cap.sin <= 0.0 {
            return Tightened::Nothing;
        }
        grid.upper.clear();
        grid.lower.clear();
        let (mut gain, mut empty) = (0.0, None);
        for i in 0..self.len() {
            let z = (dot(self.unit(i), &grid.vec) / cap.length).clamp(-1.0, 1.0);
            let (low, high) = (state.low[i], state.high[i]);
            let (mut new_low, mut new_high) = (low, high);
            let (worthwhile, open) = (self.worthwhile(state, i), self.is_open(state, i));
            let width = (high - low) as f64;
            if let Some((tau, end)) = self.end(i, z, high, width, &cap)
                && (high - end >= worthwhile || (open && end <= 0))
            {
                grid.upper.push((i, tau, end));
                new_high = end;
            }
            // A lower end is the mirror image of an upper end.
            if let Some((tau, end)) = self.end(i, -z, -low, width, &cap)
                && (-end - low >= worthwhile || (open && -end >= 0))
            {
                grid.lower.push((i, tau, -end));
                new_low = -end;
            }
            if new_low > new_high {
                empty = Some(i);
            }
            if self.can_split(state, i) {
                let after = if new_low < 0 && new_high > 0 {
                    self.secant(i, new_low, new_high).1
                } else {
                    0.0
                };
                gain += self.secant(i, low, high).1 - after;
            } else if open && (new_low >= 0 || new_high <= 0) {
                // A sign that becomes known lifts a bound on a coefficient.
                gain += GAIN * excess;
            }
        }
        if empty.is_none() && (gain < GAIN * excess || grid.updates() == 0) {
            return Tightened::Nothing;
        }
        for &(i, _, end) in &grid.upper {
            state.high[i] = end;
        }
        for &(i, _, end) in &grid.lower {
            state.low[i] = end;
        }
        let named = |&(i, tau, end): &(usize, i64, i64)| (self.index[i], tau, end);
        let (tighten, times) = self.expand(&grid.a);
        let node = Tighten {
            tighten,
            times,
            upper: grid.upper.iter().map(named).collect(),
            lower: grid.lower.iter().map(named).collect(),
        };
        match empty {
            Some(i) => Tightened::Empty(node, self.index[i]),
            None => Tightened::Narrower(node),
        }
    }

    /// By how many units an update of item `i` must narrow its range. Where `σ` cannot bend or
    /// `b_i ≤ 0` only the sign matters, where the sign is known only emptiness.
    fn worthwhile(&self, state: &State, i: usize) -> i64 {
        let width = state.high[i] - state.low[i];
        if self.can_split(state, i) {
            ((width as f64 * WORTHWHILE) as i64).max(1)
        } else if self.is_open(state, i) {
            i64::MAX
        } else {
            width.saturating_add(1)
        }
    }

    /// The best `τ` and upper end for an item at `z = w·x̂_i` from the axis of the cap, rounded;
    /// `None` if it would not be below `high`.
    fn end(&self, i: usize, z: f64, high: i64, width: f64, cap: &Cap) -> Option<(i64, i64)> {
        let side = (1.0 - z * z).max(0.0).sqrt();
        if z >= cap.cos || z * cap.cos + side * cap.sin >= high as f64 * self.grid_z[i] {
            return None;
        }
        let tau = (side * cap.cos / cap.sin - z) / cap.length;
        let per_unit = self.unit_tau / self.length[i];
        let units = (tau / per_unit).clamp(0.0, MAX_COEFFICIENT);
        let keep = 10f64.powi(((units.max(1.0)).log10() as i32 - TAU_DIGITS).max(0));
        let units = (units / keep).round() * keep;
        if units < 1.0 {
            return None;
        }
        let tau = units * per_unit;
        let reach = side.hypot(z + tau * cap.length);
        let error =
            64.0 * EPS * (1.0 + tau * cap.length) + tau * cap.error * (1.0 + 1.0 / reach.max(1e-6));
        let end = (reach - tau * cap.height + error) / self.grid_z[i];
        let coarse = 10f64.powi((width * END_GRID).max(1.0).log10() as i32);
        let end = (end / coarse).ceil() * coarse;
        (end < high as f64).then_some((units as i64, end as i64))
    }

    /// Coefficients of all of the instance's items, 0 for zero vectors, without their largest
    /// common power of ten, and that power.
    pub(super) fn expand(&self, a: &[i64]) -> (Vec<i64>, i64) {
        let mut times = 1i64;
        while times < 10i64.pow(17)
            && a.iter().any(|a| *a != 0)
            && a.iter().all(|a| a % (10 * times) == 0)
        {
            times *= 10;
        }
        let mut all = vec![0; self.instance.x.len()];
        for (&i, &a) in self.index.iter().zip(a) {
            all[i] = a / times;
        }
        (all, times)
    }
}

/// The unit `w` with `vec·w > height`.
struct Cap {
    length: f64,
    height: f64,
    /// Of the angle between axis and rim.
    cos: f64,
    sin: f64,
    error: f64,
}

impl Cap {
    fn new(r: Rounded, t: f64) -> Self {
        let height = t - r.constant;
        let length = r.length;
        let sin = ((length - height) * (length + height)).max(0.0).sqrt() / length;
        Self { length, height, cos: height / length, sin, error: r.error }
    }
}
