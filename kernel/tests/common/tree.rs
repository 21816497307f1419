//! Covers by naive recursion, in floats: branch on every open item with `b > 0`, close every leaf
//! with the shortest `vec` that coordinate descent finds. A prover for small tests, to be distrusted.
#![allow(dead_code, unreachable_pub, reason = "shared by unit and integration tests")]

use maxmargin_kernel::number::Rational;
use maxmargin_kernel::proof::cover::{Close, Item, Node, Split, Tighten, Units};
use num_traits::ToPrimitive;
use std::cmp::Ordering;

/// Unit of range ends and multipliers τ, as the power of two.
const FINE: i32 = 30;

/// A function `Σ b_i σ(w·x_i)` and a cone, in floats; `b` in the unit of coefficients.
pub struct Naive {
    pub x: Vec<Vec<f64>>,
    pub b: Vec<i64>,
    pub fixed: Vec<Option<Ordering>>,
    pub slope: f64,
    /// The unit of coefficients.
    pub unit: f64,
}

fn float(value: &Rational) -> f64 {
    value.to_f64().unwrap()
}

pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// The units that go with a [`Naive`] whose coefficients have this unit.
pub fn fine_units(a: &Rational) -> Units {
    let fine = || Rational::new(1.into(), num_bigint::BigInt::from(1) << FINE).into();
    Units { a: a.clone().into(), z: fine(), tau: fine(), x: None }
}

impl Naive {
    pub fn new(items: &[Item], slope: &Rational, unit: &Rational) -> Self {
        Self {
            x: items.iter().map(|i| i.x.to_rationals().iter().map(float).collect()).collect(),
            b: items.iter().map(|i| i.b).collect(),
            fixed: items.iter().map(|i| i.fixed).collect(),
            slope: float(slope),
            unit: float(unit),
        }
    }

    /// `Σ b_i σ(w·x_i)`.
    pub fn value(&self, w: &[f64]) -> f64 {
        let term = |(x, b): (&Vec<f64>, &i64)| {
            let z = dot(w, x);
            *b as f64 * self.unit * z.max(self.slope * z)
        };
        self.x.iter().zip(&self.b).map(term).sum()
    }

    /// Whether `w` is strictly inside the cone, as far as floats tell.
    pub fn contains(&self, w: &[f64]) -> bool {
        let keeps = |(x, fixed): (&Vec<f64>, &Option<Ordering>)| match fixed {
            Some(Ordering::Greater) => dot(w, x) >= 0.0,
            Some(Ordering::Less) => dot(w, x) <= 0.0,
            _ => true,
        };
        self.x.iter().zip(&self.fixed).all(keeps)
    }

    /// A tree, and the smallest T (rounded up a little) with which all its leaves close.
    pub fn cover(&self) -> (Vec<Node>, f64) {
        let mut nodes = Vec::new();
        let longest = self.grow(&mut self.fixed.clone(), 0, &mut nodes);
        (nodes, longest + 4.0 / f64::from(1 << FINE))
    }

    /// Coefficients that keep every constant 0: `a ≥ b` where `w·x ≥ 0`, `a ≤ αb` where `≤ 0`,
    /// both where open.
    fn box_of(&self, i: usize, sign: Option<Ordering>) -> (f64, f64) {
        let b = self.b[i] as f64;
        let low = (self.slope * b).floor();
        match sign {
            Some(Ordering::Greater) => (b, f64::INFINITY),
            Some(Ordering::Less) => (f64::NEG_INFINITY, low),
            _ => (b, low.max(b)),
        }
    }

    fn grow(&self, signs: &mut Vec<Option<Ordering>>, from: usize, nodes: &mut Vec<Node>) -> f64 {
        let open = |i: &usize| signs[*i].is_none() && self.b[*i] > 0 && self.slope < 1.0;
        if let Some(i) = (from..self.b.len()).find(open) {
            nodes.push(Node::Split(Split { split: i }));
            let mut longest = 0f64;
            for sign in [Ordering::Greater, Ordering::Less] {
                signs[i] = Some(sign);
                longest = longest.max(self.grow(signs, i + 1, nodes));
            }
            signs[i] = None;
            return longest;
        }
        let a = self.shortest(signs);
        let length = self.vec(&a).1;
        nodes.push(Node::Close(Close { close: a, times: 1 }));
        length
    }

    /// `Σ a_i x_i` and its length.
    pub fn vec(&self, a: &[i64]) -> (Vec<f64>, f64) {
        let mut sum = vec![0.0; self.x.first().map_or(0, Vec::len)];
        for (a, x) in a.iter().zip(&self.x) {
            sum.iter_mut().zip(x).for_each(|(s, x)| *s += *a as f64 * self.unit * x);
        }
        let length = dot(&sum, &sum).sqrt();
        (sum, length)
    }

    fn shortest(&self, signs: &[Option<Ordering>]) -> Vec<i64> {
        let boxes: Vec<_> = (0..self.b.len()).map(|i| self.box_of(i, signs[i])).collect();
        let mut a: Vec<f64> =
            boxes.iter().map(|(l, h)| if l.is_finite() { *l } else { *h }).collect();
        for _ in 0..200 {
            for i in 0..a.len() {
                let square = dot(&self.x[i], &self.x[i]);
                if square == 0.0 {
                    continue;
                }
                let along: f64 = a.iter().zip(&self.x).map(|(a, x)| a * dot(x, &self.x[i])).sum();
                a[i] = (a[i] - along / square).clamp(boxes[i].0, boxes[i].1);
            }
        }
        let grid = |(a, (l, h)): (&f64, &(f64, f64))| a.round().clamp(*l, *h) as i64;
        a.iter().zip(&boxes).map(grid).collect()
    }

    /// A round at the root with coefficients `a` and multiplier `tau`: for every item the ends that
    /// the inequality gives, rounded outwards.
    pub fn round(&self, a: &[i64], tau: f64, t: f64) -> Tighten {
        let fine = f64::from(1 << FINE);
        let (vec, _) = self.vec(a);
        let constant: f64 = (0..a.len()).map(|i| self.constant(i, a[i])).sum();
        let h = t - constant - 1e-6;
        let end = |x: &Vec<f64>, sign: f64| {
            let moved: Vec<f64> = x.iter().zip(&vec).map(|(x, v)| sign * x + tau * v).collect();
            dot(&moved, &moved).sqrt() - tau * h + 1e-6
        };
        let step = (tau * fine) as i64;
        let upper = |(i, x)| (i, step, (end(x, 1.0) * fine).ceil() as i64);
        let lower = |(i, x)| (i, step, (-end(x, -1.0) * fine).floor() as i64);
        Tighten {
            tighten: a.to_vec(),
            times: 1,
            upper: self.x.iter().enumerate().map(upper).collect(),
            lower: self.x.iter().enumerate().map(lower).collect(),
        }
    }

    /// `max { b σ(z) − a z }` over the root's range of item `i`.
    fn constant(&self, i: usize, a: i64) -> f64 {
        let length = dot(&self.x[i], &self.x[i]).sqrt();
        let (b, a) = (self.b[i] as f64 * self.unit, a as f64 * self.unit);
        let value = |z: f64| b * z.max(self.slope * z) - a * z;
        match self.fixed[i] {
            Some(Ordering::Greater) => value(length).max(0.0),
            Some(Ordering::Less) => value(-length).max(0.0),
            _ => value(length).max(value(-length)).max(0.0),
        }
    }
}
