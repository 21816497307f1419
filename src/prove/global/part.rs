//! Bounds from a part of the data: without some of the constraints the optimal cost is no larger, so a
//! bound for some samples is one for all. Covers become hard with the number of samples that have
//! multipliers, and the few with the largest ones often give most of the cost.
use super::{Covers, Global, Options, Search, Status, search, support};
use crate::budget::Budget;
use crate::numeric::two_layer::{View, length};
use maxmargin_kernel::claim::Number;
use maxmargin_kernel::proof::dual_bound::DualBound;
use std::time::Instant;

/// Samples of the first part, and how many times as many the next one has.
const FIRST: f64 = 10.0;
const GROWTH: f64 = 1.15;
/// The gap to which a part is solved: more samples are worth more than the last percent.
const GAP: f64 = 0.01;

/// A part that is being solved.
pub(super) struct Part {
    /// Its samples, ascending.
    samples: Vec<usize>,
    /// The cells of its network so far.
    seeds: Vec<(f64, Vec<f64>)>,
    /// Its covers, as far as they are.
    covers: Option<Covers>,
}

impl View {
    /// The view of some of the samples, in the same scale.
    fn part(&self, samples: &[usize]) -> Self {
        let x = samples.iter().filter_map(|i| self.x.get(*i).cloned()).collect();
        let y = samples.iter().filter_map(|i| self.y.get(*i).copied()).collect();
        Self { x, y, units: Vec::new(), ..self.clone() }
    }
}

impl Search<'_> {
    /// The next part to solve, by the latest multipliers: `None` if it would have all of them.
    fn next_part(&mut self) -> Option<Part> {
        let mut samples = support(&self.lambda);
        let size = (FIRST * GROWTH.powi(self.parts)).round() as usize;
        if size >= samples.len() {
            return None;
        }
        samples.sort_by(|a, b| self.lambda[*b].total_cmp(&self.lambda[*a]));
        samples.truncate(size);
        samples.sort_unstable();
        let seeds = std::mem::take(&mut self.part_seeds);
        Some(Part { samples, seeds, covers: None })
    }

    /// Works on a part until the given time; whether there was one to work on.
    pub(super) fn solve_part(&mut self, end: Instant) -> bool {
        let part = self.part.take();
        let Some(mut part) = part.or_else(|| self.next_part()) else { return false };
        let view = self.view.part(&part.samples);
        let budget = Budget { deadline: Some(end), cancel: self.until.cancel.clone() };
        let options = Options {
            gap: GAP,
            budget,
            parallel: self.options.parallel,
            anytime: false,
            pending: part.covers.take(),
            ..Options::default()
        };
        let (before, report) = (self.now(), self.report);
        let told = |s: Status| {
            report(Status { nodes: before.nodes + s.nodes, covers: s.covers, ..before });
        };
        let found = search(&view, &part.seeds, &options, &told);
        self.result.nodes += found.nodes;
        let Global { network, bound, lower, pending, limit, .. } = found;
        let used = network.into_iter().filter(|(_, u)| length(u) > 0.0).collect();
        if limit && bound.is_none() {
            self.part = Some(Part { samples: part.samples, seeds: used, covers: pending });
            return true;
        }
        (self.parts, self.part_seeds) = (self.parts + 1, used);
        if let Some(bound) = bound.filter(|_| lower > self.result.lower) {
            self.result.lower = lower;
            self.result.bound = Some(of_all(bound, &part.samples));
        }
        true
    }
}

/// The bound with the samples' numbers among all samples.
fn of_all((bound, mut proof): (Number, DualBound), samples: &[usize]) -> (Number, DualBound) {
    for (i, _) in &mut proof.multipliers.lambda {
        *i = samples.get(*i).copied().unwrap_or(usize::MAX);
    }
    (bound, proof)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{DataOptions, parse_data};
    use crate::prove::global::network;
    use maxmargin_kernel::claim::{Claim, Region, Scope};
    use maxmargin_kernel::network::Activation;
    use maxmargin_kernel::problem::{Data, Problem};
    use std::path::Path;
    use std::time::Duration;

    /// Points in five dimensions, labelled by a product of the first two coordinates.
    fn data() -> Data {
        let mut seed = 3u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
            (seed >> 33) as f64 / f64::from(1u32 << 31) * 2.0 - 1.0
        };
        let mut text = String::new();
        for _ in 0..80 {
            let x: [f64; 5] = std::array::from_fn(|_| next());
            let label = if x[0] * x[1] > 0.0 { 1 } else { -1 };
            x.iter().for_each(|v| text.push_str(&format!("{v:.3},")));
            text.push_str(&format!("{label}\n"));
        }
        let data = parse_data(Path::new("d.csv"), text.as_bytes(), &DataOptions::default());
        data.unwrap().data
    }

    /// A bound for some of the samples is accepted for all of them, and bounds rise with their number.
    #[test]
    fn bounds_of_parts_hold_for_all_samples() {
        let data = data();
        let view = View::of_data(&data, 0.0);
        let options = Options { gap: 1e-3, ..Options::default() };
        let whole = search(&view, &[], &options, &|_| ());
        assert!(whole.gap() <= 1e-3, "{}", whole.gap());
        let best = network(&view, &Activation::relu(), &whole.network).unwrap();
        let problem = Problem::new(best, data).unwrap();

        let mut search = Search::new(&view, &options, &|_| ());
        search.start(&whole.network);
        let optimum = loop {
            let optimum = search.solve().unwrap();
            if !optimum.capped {
                break optimum;
            }
        };
        search.lambda = optimum.lambda;
        let mut lowers = vec![0.0];
        let mut moved = false;
        while search.solve_part(Instant::now() + Duration::from_secs(60)) {
            assert!(search.part.is_none());
            let (bound, proof) = search.result.bound.clone().unwrap();
            let lambda = &proof.multipliers.lambda;
            moved |= lambda.iter().enumerate().any(|(k, (i, _))| k != *i);
            let claim = Claim::MarginAtMost { scope: Scope::All, region: Region::AnyWidth, bound };
            proof.check(&problem, &claim).unwrap();
            lowers.push(search.result.lower);
        }
        assert!(lowers.len() > 3 && moved, "{lowers:?}");
        assert!(lowers.is_sorted() && lowers[2] > lowers[1], "{lowers:?}");
        assert!(lowers[lowers.len() - 1] <= whole.upper, "{lowers:?} {}", whole.upper);
        assert!(lowers[lowers.len() - 1] >= 0.3 * whole.lower, "{lowers:?} {}", whole.lower);
    }
}
