//! Kinks: zero preactivations that are not identically zero nearby.
use crate::network::{Model, Network, Scalar, Trace};
use num_traits::Zero;
use std::collections::BTreeMap;
use std::ops::Range;

/// The kinks of one sample as (hidden layer, row), both from 0, when the parameters of the layers
/// `moving` vary near those of `model` and the others are fixed; `model` may be over any numbers,
/// `x` and `trace` are that sample and its pass. Linear networks have none.
///
/// A unit is *off* if its activation is constant 0 nearby. Nothing before the first moving layer
/// matters: what enters that layer is constant, and off if it is 0. In the layer itself a
/// preactivation is identically 0 iff for each coordinate the inputs of all its uses sum to 0.
/// Above, it is identically 0 if every input is off, is behind a structural zero, or is behind a
/// fixed weight 0; for α = 0 a unit with negative preactivation is off, and a unit with
/// identically zero preactivation always is. Where several live inputs cancel identically (equal
/// units behind fixed or shared weights 1 and −1) a kink is reported that is none: what is *not*
/// reported is non-zero or identically zero nearby.
pub(crate) fn kinks<S: Scalar>(
    network: &Network,
    model: &Model<S>,
    x: &S::Vector,
    trace: &Trace<S>,
    moving: &Range<usize>,
) -> Vec<(usize, usize)> {
    let first = moving.start;
    let mut found = Vec::new();
    if network.activation().is_linear() {
        return found;
    }
    let inputs = match first.checked_sub(1).and_then(|l| trace.preactivations.get(l)) {
        Some(z) => S::unpack(&model.activate(z)),
        None => S::unpack(x),
    };
    let mut off: Vec<bool> = inputs.iter().map(S::vanishes).collect();
    let relu = network.activation().slope().is_zero();
    let hidden = network.depth().saturating_sub(1);
    let layers = network.layers().iter().zip(&trace.preactivations).zip(&model.layers);
    for (l, ((layer, z), rows)) in layers.enumerate().take(hidden).skip(first) {
        let mut next = Vec::with_capacity(layer.rows());
        for (r, (z, row)) in S::unpack(z).into_iter().zip(rows).enumerate() {
            if !z.vanishes() {
                next.push(relu && !z.is_positive());
                continue;
            }
            let constant = if l == first {
                let mut sums: BTreeMap<usize, S> = BTreeMap::new();
                for (c, input) in inputs.iter().enumerate() {
                    if let Some(i) = layer.coordinate(r, c) {
                        let sum = sums.entry(i).or_insert_with(S::zero);
                        *sum = sum.plus(input);
                    }
                }
                sums.values().all(S::vanishes)
            } else {
                let fixed = !moving.contains(&l);
                let weights = S::unpack(row);
                let live = |(c, (off, w)): (usize, (&bool, &S))| {
                    !off && layer.coordinate(r, c).is_some() && !(fixed && w.vanishes())
                };
                !off.iter().zip(&weights).enumerate().any(live)
            };
            if !constant {
                found.push((l, r));
            }
            next.push(constant);
        }
        off = next;
    }
    found
}
