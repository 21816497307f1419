//! The neurons of a two-layer network, in numbers and groups.
use crate::numeric::two_layer::{dot, length, near_kinks, to_f64, to_f64s};
use maxmargin_kernel::network::{Neuron, TwoLayer};
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::Problem;
use std::cmp::Ordering;

/// Relative distance below which a preactivation counts as near its kink.
const NEAR: (i64, i64) = (1, 10_000);
/// Most neurons among which parallel ones are looked for: pairs are compared.
pub(super) const MAX_COMPARED: usize = 1000;
/// Cosines above 1 minus this count as parallel.
const PARALLEL: f64 = 1e-9;

/// One neuron.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// Its row in layer 1.
    pub index: usize,
    /// Whether `w = 0` and `v = 0`.
    pub dead: bool,
    /// `|w|`.
    pub w: f64,
    /// `v`, or `|v|` with several outputs.
    pub v: f64,
    /// Its part of `Σ|v_j||w_j|`.
    pub share: f64,
    /// Samples with `w·x > 0`.
    pub active: usize,
    /// Samples with `w·x = 0` that are not 0 on its inputs.
    pub kinks: usize,
    /// Samples within 1e-4 of the kink, exact ones included.
    pub near: usize,
    /// Letter of the group of neurons with the same direction and output sign, if it has several.
    pub group: Option<String>,
}

/// The neurons, the heaviest first; `None` for networks that are not lists of neurons.
pub(super) fn rows(problem: &Problem) -> Option<Vec<Row>> {
    let list = TwoLayer::new(problem.network()).ok()?;
    let near = near_kinks(problem, &list.neurons, &Rational::new(NEAR.0.into(), NEAR.1.into()));
    let samples = problem.data().len();
    let out = |n: &Neuron| n.v.iter().flatten().map(to_f64).collect::<Vec<_>>();
    let strength = |n: &Neuron| length(&to_f64s(&n.w)) * length(&out(n));
    let total: f64 = list.neurons.iter().map(strength).sum();
    let groups = groups(&list.neurons, list.outputs);
    let row = |(n, (near, group)): (&Neuron, (Vec<bool>, Option<String>))| {
        let sign = |i: &usize| problem.sign(*i, n.index);
        let zero = |i: &usize| problem.data().restricted(*i, &n.inputs).is_zero();
        let v = out(n);
        Row {
            index: n.index,
            dead: n.is_dead(),
            w: length(&to_f64s(&n.w)),
            v: if v.len() == 1 { v[0] } else { length(&v) },
            share: if total > 0.0 { strength(n) / total } else { 0.0 },
            active: (0..samples).filter(|i| sign(i) == Ordering::Greater).count(),
            kinks: (0..samples).filter(|i| sign(i) == Ordering::Equal && !zero(i)).count(),
            near: near.iter().filter(|n| **n).count(),
            group,
        }
    };
    let mut rows: Vec<Row> =
        list.neurons.iter().zip(near.into_iter().zip(groups)).map(row).collect();
    rows.sort_by(|a, b| b.share.total_cmp(&a.share).then(a.index.cmp(&b.index)));
    Some(rows)
}

/// A letter for each group of at least two neurons that could be one.
fn groups(neurons: &[Neuron], outputs: usize) -> Vec<Option<String>> {
    let directions: Vec<Vec<f64>> = neurons.iter().map(|n| to_f64s(&n.w)).collect();
    let alike = |i: usize, j: usize| {
        let (a, b) = (&directions[i], &directions[j]);
        let (la, lb) = (length(a), length(b));
        let sign = |k: usize| to_f64(&neurons[k].v1()).signum();
        let same_inputs = neurons[i].inputs == neurons[j].inputs;
        let same_sign = outputs == 1 && sign(i) == sign(j);
        same_inputs && same_sign && la > 0.0 && lb > 0.0 && dot(a, b) / (la * lb) > 1.0 - PARALLEL
    };
    let mut names: Vec<Option<String>> = vec![None; neurons.len()];
    if neurons.len() > MAX_COMPARED {
        return names;
    }
    let mut next = 0;
    for i in 0..neurons.len() {
        let rest: Vec<usize> =
            (i + 1..neurons.len()).filter(|j| names[*j].is_none() && alike(i, *j)).collect();
        if names[i].is_none() && !rest.is_empty() {
            let name = letter(next);
            next += 1;
            for j in std::iter::once(i).chain(rest) {
                names[j] = Some(name.clone());
            }
        }
    }
    names
}

/// A, B, …, Z, A1, B1, …
fn letter(number: usize) -> String {
    let letter = char::from(b'A' + (number % 26) as u8);
    match number / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{round}"),
    }
}
