//! Statements as files and messages hold them: with the bits of every float.
use super::{FloatUnits, Instance};
use crate::numeric::bits::{from_bits, to_bits};
use serde::{Deserialize, Serialize};

/// All that the search of a subtree needs besides the subtree: samples, coefficients, slope, `T` and units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    x: Vec<Vec<u64>>,
    b: Vec<u64>,
    alpha: u64,
    t: u64,
    units: FloatUnits,
}

impl Statement {
    /// The statement `Σ_i b_i σ(w·x_i) ≤ t|w|` over all of space.
    pub fn new(instance: &Instance, t: f64, units: FloatUnits) -> Self {
        Self {
            x: instance.x.iter().map(|x| to_bits(x)).collect(),
            b: to_bits(&instance.b),
            alpha: instance.alpha.to_bits(),
            t: t.to_bits(),
            units,
        }
    }

    /// What is to be covered, if the shapes fit.
    pub fn instance(&self) -> Option<Instance> {
        let width = self.x.first().map_or(0, Vec::len);
        let fits = self.x.len() == self.b.len() && self.x.iter().all(|x| x.len() == width);
        fits.then(|| Instance {
            x: self.x.iter().map(|x| from_bits(x)).collect(),
            b: from_bits(&self.b),
            fixed: vec![None; self.x.len()],
            alpha: f64::from_bits(self.alpha),
        })
    }

    /// `T`.
    pub fn t(&self) -> f64 {
        f64::from_bits(self.t)
    }

    /// The units.
    pub fn units(&self) -> FloatUnits {
        self.units
    }
}
