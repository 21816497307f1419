//! What can be counted about a point: active constraints, kinks, dead units, repeated samples.
use super::Problem;
use crate::network::Network;
use crate::number::{Rational, root::sqrt_bounds};
use num_traits::Zero;

/// Exact counts about a network and its training set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Number of samples.
    pub samples: usize,
    /// Samples that repeat an earlier one, label included.
    pub duplicates: usize,
    /// Number of constraints.
    pub constraints: usize,
    /// Constraints that attain γ.
    pub active: usize,
    /// Hidden preactivations that are 0 and not identically 0 near θ.
    pub kinks: usize,
    /// Hidden units all of whose incoming and outgoing weights are 0.
    pub dead: usize,
}

impl Problem {
    /// Counts them.
    pub fn facts(&self) -> Facts {
        Facts {
            samples: self.data.len(),
            duplicates: self.data.duplicates(),
            constraints: self.margins.constraints().len(),
            active: self.margins.active(&Rational::zero()).len(),
            kinks: self.kinks,
            dead: dead_units(&self.network),
        }
    }

    /// A lower and an upper bound of `ν(θ) = γ/|θ|^m`, equal for even depth; `None` if the point
    /// does not classify its data.
    pub fn normalised_margin(&self) -> Option<(Rational, Rational)> {
        let gamma = self.gamma().ok()?;
        let (norm, m) = (self.network.norm_squared(), self.network.depth());
        let even = super::power(&norm, m / 2);
        if m.is_multiple_of(2) {
            let nu = gamma / even;
            return Some((nu.clone(), nu));
        }
        let (low, high) = sqrt_bounds(&norm, 80)?;
        Some((gamma / (&even * high), gamma / (even * low)))
    }
}

/// Hidden units with no non-zero weight on either side.
fn dead_units(network: &Network) -> usize {
    let mut count = 0;
    for pair in network.layers().windows(2) {
        let [before, after] = pair else { continue };
        let mut used = vec![false; before.rows()];
        for r in 0..after.rows() {
            for (slot, w) in used.iter_mut().zip(after.row(r).numerators().to_vec()) {
                *slot |= !w.is_zero();
            }
        }
        let silent = |r: usize| before.row(r).is_zero();
        count += used.iter().enumerate().filter(|(r, used)| !**used && silent(*r)).count();
    }
    count
}
