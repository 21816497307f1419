//! The polynomial that a network is near θ once the slopes of its activations are fixed.
//!
//! With slopes `s⁽ˡ⁾_j` a constraint is `q̃(θ') = cᵀ W'⁽ᵐ⁾ D⁽ᵐ⁻¹⁾ W'⁽ᵐ⁻¹⁾ ⋯ D⁽¹⁾ W'⁽¹⁾ x`, `D⁽ˡ⁾ = diag s⁽ˡ⁾`: a
//! polynomial, of degree 1 in each layer. Its gradient is reverse accumulation, its Hessian the
//! derivative of that in every coordinate direction (dual numbers `a + bε`, `ε² = 0`, by hand).
//! Where all slopes are σ' (any value at a zero preactivation), `q̃(θ) = q(θ)`.
//!
//! # Kinks
//! In a scope, some layers are variables (all, or one) and the others constants; everything below
//! the first variable layer is a constant. A unit is *off* if its activation is 0 for all
//! parameters near θ: an input that is 0; a constant unit with value 0; a unit with `α = 0` and a
//! negative preactivation; a unit all of whose inputs are off, or reach it by structural zeros or by
//! constant weights 0. A unit *matters* if, by entries that are neither, it feeds an output or a unit
//! that matters and is not off. A **kink** is a zero preactivation of a unit that matters and is not
//! off, σ not being linear.
//!
//! *Without kinks, `q = q̃` near θ.* Units that matter and are not off have a non-zero
//! preactivation, whose sign nearby parameters keep (continuity), so σ is there multiplication by
//! its slope. Off units have activation 0 in both, by induction over the layers: a negative
//! preactivation has slope 0, and the sum of off inputs is 0. Units that do not matter reach no
//! output but by zero weights or through units that are off: either such a unit has slope 0 in `q̃`
//! too, or all its inputs are off and then so is the unit in question.
use crate::claim::Scope;
use crate::network::{Layer, Model, Trace};
use crate::number::Rational;
use crate::problem::{Constraint, Problem};
use num_traits::{Signed, Zero};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A problem's network over ℚ with the forward passes that have been asked for.
pub(super) struct Pieces<'a> {
    problem: &'a Problem,
    model: Model<Rational>,
    traces: BTreeMap<usize, Trace<Rational>>,
}

/// One constraint, or another combination of outputs and preactivations, with fixed slopes, at θ.
pub(super) struct Piece<'a> {
    layers: &'a [Layer],
    /// Rows of the weight matrices.
    weights: &'a [Vec<Vec<Rational>>],
    /// `a⁽⁰⁾ = x`, …, `a⁽ᵐ⁻¹⁾`: inputs of every layer.
    inputs: Vec<Vec<Rational>>,
    /// Slopes of the hidden layers' units.
    slopes: Vec<Vec<Rational>>,
    /// Derivatives with respect to the preactivations of every layer.
    backward: Vec<Vec<Rational>>,
    /// Derivatives with respect to the activations of every hidden layer.
    weight_of: Vec<Vec<Rational>>,
}

/// `(layer, unit)`, both from 0.
pub(super) type Unit = (usize, usize);

impl<'a> Pieces<'a> {
    pub(super) fn new(problem: &'a Problem) -> Self {
        Self { problem, model: problem.network().rational_model(), traces: BTreeMap::new() }
    }

    /// Makes sure that sample `i` has been evaluated.
    pub(super) fn evaluate(&mut self, sample: usize) {
        if !self.traces.contains_key(&sample) {
            let x = self.problem.data().sample(sample).to_rationals();
            self.traces.insert(sample, self.model.forward(&x));
        }
    }

    fn preactivations(&self, sample: usize) -> &[Vec<Rational>] {
        self.traces.get(&sample).map_or(&[], |trace| &trace.preactivations)
    }

    /// The constraint with slopes σ'(z), α at 0, or those of `slopes` where it has one.
    pub(super) fn constraint(
        &self,
        constraint: &Constraint,
        slopes: &BTreeMap<Unit, Rational>,
    ) -> Piece<'_> {
        let covector = constraint.covector(self.problem.network().outputs());
        self.piece(constraint.sample, covector, slopes, &BTreeMap::new())
    }

    /// `covector·F + Σ added_u z_u` over preactivations `z_u` of hidden units, with slopes σ', α at 0.
    pub(super) fn combination(
        &self,
        sample: usize,
        covector: Vec<Rational>,
        added: &BTreeMap<Unit, Rational>,
    ) -> Piece<'_> {
        self.piece(sample, covector, &BTreeMap::new(), added)
    }

    fn piece(
        &self,
        sample: usize,
        covector: Vec<Rational>,
        slopes: &BTreeMap<Unit, Rational>,
        added: &BTreeMap<Unit, Rational>,
    ) -> Piece<'_> {
        let depth = self.model.layers.len();
        let hidden = self.preactivations(sample).get(..depth.saturating_sub(1)).unwrap_or(&[]);
        let slope = |l: usize, (j, z): (usize, &Rational)| {
            slopes.get(&(l, j)).unwrap_or_else(|| self.model.slope(z)).clone()
        };
        let layer_slopes = |(l, z): (usize, &Vec<Rational>)| {
            z.iter().enumerate().map(|unit| slope(l, unit)).collect()
        };
        let mut inputs = vec![self.problem.data().sample(sample).to_rationals()];
        inputs.extend(hidden.iter().map(|z| self.model.activate(z)));
        let mut piece = Piece {
            layers: self.problem.network().layers(),
            weights: &self.model.layers,
            inputs,
            slopes: hidden.iter().enumerate().map(layer_slopes).collect(),
            backward: Vec::new(),
            weight_of: Vec::new(),
        };
        (piece.backward, piece.weight_of) = piece.accumulate(covector, added);
        piece
    }

    /// The sign of a unit's preactivation.
    pub(super) fn sign(&self, sample: usize, (layer, unit): Unit) -> Option<Ordering> {
        let z = self.preactivations(sample).get(layer)?.get(unit)?;
        Some(z.numer().cmp(&Zero::zero()))
    }

    /// The kinks of a sample within a scope, as the module's text defines them.
    pub(super) fn kinks(&self, sample: usize, scope: Scope) -> Vec<Unit> {
        let network = self.problem.network();
        if network.activation().is_linear() {
            return Vec::new();
        }
        let first = match scope {
            Scope::All => 0,
            Scope::Layer(l) => l.saturating_sub(1),
        };
        let z = self.preactivations(sample);
        let hidden = network.depth() - 1;
        // An entry that nearby parameters may make non-zero.
        let live = |l: usize, r: usize, c: usize| {
            let layer = network.layers().get(l);
            if scope == Scope::All || l == first {
                layer.is_some_and(|layer| layer.coordinate(r, c).is_some())
            } else {
                let row = self.model.layers.get(l).and_then(|rows| rows.get(r));
                row.and_then(|row| row.get(c)).is_some_and(|w| !w.is_zero())
            }
        };
        let constant = match first.checked_sub(1).and_then(|below| z.get(below)) {
            Some(below) => self.model.activate(below),
            None => self.problem.data().sample(sample).to_rationals(),
        };
        let mut input_off: Vec<bool> = constant.iter().map(Zero::is_zero).collect();
        let mut off: Vec<Vec<bool>> = Vec::with_capacity(hidden);
        let relu = network.activation().slope().is_zero();
        for (l, z) in z.iter().enumerate().take(hidden).skip(first) {
            let is_off = |(r, z): (usize, &Rational)| {
                let fed = || input_off.iter().enumerate().any(|(c, off)| !off && live(l, r, c));
                if z.is_zero() { !fed() } else { relu && z.is_negative() }
            };
            let next: Vec<bool> = z.iter().enumerate().map(is_off).collect();
            off.push(next.clone());
            input_off = next;
        }
        let mut matters = vec![true; network.outputs()];
        let mut kinks = Vec::new();
        for l in (first..hidden).rev() {
            let (Some(z), Some(off)) = (z.get(l), off.get(l - first)) else { continue };
            let feeds = |j| matters.iter().enumerate().any(|(r, m)| *m && live(l + 1, r, j));
            let mut next = Vec::with_capacity(z.len());
            for (j, (z, off)) in z.iter().zip(off).enumerate() {
                let counts = !off && feeds(j);
                if counts && z.is_zero() {
                    kinks.push((l, j));
                }
                next.push(counts);
            }
            matters = next;
        }
        kinks.sort_unstable();
        kinks
    }
}

impl Piece<'_> {
    /// The derivative with respect to a hidden unit's activation.
    pub(super) fn backward_weight(&self, (layer, unit): Unit) -> Rational {
        self.weight_of.get(layer).and_then(|b| b.get(unit)).cloned().unwrap_or_default()
    }

    /// Derivatives with respect to preactivations and hidden activations, from the top down.
    fn accumulate(
        &self,
        covector: Vec<Rational>,
        added: &BTreeMap<Unit, Rational>,
    ) -> (Vec<Vec<Rational>>, Vec<Vec<Rational>>) {
        let mut backward = vec![covector];
        let mut weight_of = Vec::with_capacity(self.slopes.len());
        let above = self.weights.iter().skip(1).zip(&self.slopes);
        for (l, (rows, slopes)) in above.enumerate().rev() {
            let delta = backward.last().map_or(&[][..], Vec::as_slice);
            let weight = transposed(rows, delta, slopes.len());
            let mut below = scaled(&weight, slopes);
            for ((_, unit), value) in added.range((l, 0)..=(l, usize::MAX)) {
                if let Some(slot) = below.get_mut(*unit) {
                    *slot += value;
                }
            }
            backward.push(below);
            weight_of.push(weight);
        }
        backward.reverse();
        weight_of.reverse();
        (backward, weight_of)
    }

    /// The gradient in layer `l` (from 0), one entry per coordinate.
    pub(super) fn gradient(&self, l: usize) -> Vec<Rational> {
        let (Some(layer), Some(delta), Some(input)) =
            (self.layers.get(l), self.backward.get(l), self.inputs.get(l))
        else {
            return Vec::new();
        };
        let mut gradient = vec![Rational::zero(); layer.parameters().len()];
        add_outer(&mut gradient, layer, delta, input);
        gradient
    }

    /// The derivative of the whole gradient in the direction of coordinate `i` of layer `l`, by
    /// layers.
    pub(super) fn hessian_column(&self, l: usize, i: usize) -> Vec<Vec<Rational>> {
        let Some(layer) = self.layers.get(l) else { return Vec::new() };
        let uses = |r: usize, c: usize| layer.coordinate(r, c) == Some(i);
        // Upwards: derivatives of the layers' inputs.
        let mut moved: Vec<Vec<Rational>> = Vec::with_capacity(self.inputs.len());
        for (h, input) in self.inputs.iter().enumerate() {
            let mut next = vec![Rational::zero(); input.len()];
            if let Some(below) = h.checked_sub(1).filter(|below| *below >= l) {
                let rows = self.weights.get(below).map_or(&[][..], Vec::as_slice);
                for (r, (slot, row)) in next.iter_mut().zip(rows).enumerate() {
                    if let Some(before) = moved.get(below).filter(|_| below > l) {
                        *slot = dot(row, before);
                    } else if let Some(before) = self.inputs.get(below) {
                        let used = before.iter().enumerate().filter(|(c, _)| uses(r, *c));
                        *slot = used.map(|(_, a)| a).sum();
                    }
                }
                next = scaled(&next, self.slopes.get(below).map_or(&[][..], Vec::as_slice));
            }
            moved.push(next);
        }
        // Downwards: derivatives of the backward weights, and the gradient's.
        let mut column = Vec::with_capacity(self.layers.len());
        let mut delta = vec![Rational::zero(); self.backward.last().map_or(0, Vec::len)];
        for (h, layer) in self.layers.iter().enumerate().rev() {
            let mut gradient = vec![Rational::zero(); layer.parameters().len()];
            let (backward, input) = (self.backward.get(h), self.inputs.get(h));
            if let (Some(backward), Some(input), Some(moved)) = (backward, input, moved.get(h)) {
                add_outer(&mut gradient, layer, &delta, input);
                add_outer(&mut gradient, layer, backward, moved);
                let rows = self.weights.get(h).map_or(&[][..], Vec::as_slice);
                let mut next = transposed(rows, &delta, input.len());
                if h == l {
                    for (r, b) in backward.iter().enumerate() {
                        for (_, slot) in next.iter_mut().enumerate().filter(|(c, _)| uses(r, *c)) {
                            *slot += b;
                        }
                    }
                }
                if let Some(slopes) = h.checked_sub(1).and_then(|below| self.slopes.get(below)) {
                    delta = scaled(&next, slopes);
                }
            }
            column.push(gradient);
        }
        column.reverse();
        column
    }
}

/// Adds `delta·inputᵀ`, coordinate by coordinate.
fn add_outer(gradient: &mut [Rational], layer: &Layer, delta: &[Rational], input: &[Rational]) {
    for (r, d) in delta.iter().enumerate().filter(|(_, d)| !d.is_zero()) {
        for (c, a) in input.iter().enumerate().filter(|(_, a)| !a.is_zero()) {
            if let Some(slot) = layer.coordinate(r, c).and_then(|i| gradient.get_mut(i)) {
                *slot += d * a;
            }
        }
    }
}

/// `Wᵀ delta`.
fn transposed(rows: &[Vec<Rational>], delta: &[Rational], len: usize) -> Vec<Rational> {
    let mut product = vec![Rational::zero(); len];
    for (row, d) in rows.iter().zip(delta).filter(|(_, d)| !d.is_zero()) {
        for (slot, w) in product.iter_mut().zip(row).filter(|(_, w)| !w.is_zero()) {
            *slot += d * w;
        }
    }
    product
}

fn scaled(vector: &[Rational], factors: &[Rational]) -> Vec<Rational> {
    vector.iter().zip(factors).map(|(v, f)| v * f).collect()
}

fn dot(a: &[Rational], b: &[Rational]) -> Rational {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
#[path = "piece_tests.rs"]
mod tests;
