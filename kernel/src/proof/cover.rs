//! Covers (rule 3.7): a tree that proves `s·g(w) ≤ T|w|` for every `w` in a cone.
//!
//! # The statement
//! Items `i` are samples `x_i` with coefficients `b_i = s·y_i·λ_i` (0 for samples that only
//! describe the cone), and `s·g(w) = Σ_i b_i σ(w·x_i)`. The cone fixes the sign of `w·x_i` for some
//! items. Both sides are positively homogeneous, so only unit `w` matter. Call a unit `w` of the
//! cone with `s·g(w) > T` a *violator*; the tree shows that there is none.
//!
//! # The tree
//! A node holds a range `[l_i, h_i]` per item that contains `w·x_i` for every violator `w` it is
//! responsible for: at the root `±|x_i|` (rounded outwards), cut at 0 where the cone fixes the sign.
//! For any coefficients `a_i`, put
//!
//! ```text
//! k_i = max { b_i σ(z) − a_i z : l_i ≤ z ≤ h_i },   K = Σ k_i,   vec = Σ a_i x_i,   H = T − K.
//! ```
//!
//! Then `s·g(w) ≤ vec·w + K` on the node, since every term is. `b_i σ(z) − a_i z` is linear on either
//! side of 0, so `k_i` is its largest value at `l_i`, `h_i` and, if inside, 0. Therefore:
//!
//! - **close** (`a`): no violator if `H ≥ 0` and `|vec|² ≤ H²`, as then `s·g(w) ≤ |vec| + K ≤ T`.
//! - **tighten** (`a`, and per item a multiplier `τ ≥ 0` with a new bound): a violator has
//!   `vec·w > H`, so `w·x_i = w·(x_i + τ vec) − τ vec·w ≤ |x_i + τ vec| − τH`. The new upper end `h` is
//!   valid if `h + τH ≥ 0` and `|x_i + τ vec|² ≤ (h + τH)²`; a lower end `l` likewise with `−x_i, −l`.
//! - **split** (`i`): `w·x_i ≥ 0` or `w·x_i ≤ 0`; the first subtree has `l_i = max(l_i, 0)`, the
//!   second `h_i = min(h_i, 0)`.
//! - **empty** (`i`): no violator if `l_i > h_i`.
//!
//! Every choice of `a` is sound. The coefficients of theory's `(p, μ)` witnesses are
//! `a_i = b_i·slope + μ_i τ_i`; the constants above are never larger than theirs.
//!
//! # Arithmetic
//! Coefficients and `λ` are integers times `unit_a`, range ends times `unit_z`, multipliers times
//! `unit_tau`; the Gram matrix of the items is exact. `T` is rounded down to the grid, the first
//! ranges outwards; everything else is exact.
use crate::claim::Number;
use crate::number::{BigInt, IntVec, Rational, ScaledVec, root::ceil_sqrt};
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// Most items one cover may have.
pub const MAX_ITEMS: usize = 4096;
/// Most ranges that may be kept at once, over all open subtrees: 64 MB.
pub const MAX_RANGES: usize = 1 << 22;

/// The grids on which a cover's integers live; all positive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Units {
    /// Unit of coefficients `a` and of the multipliers `λ`.
    pub a: Number,
    /// Unit of range ends.
    pub z: Number,
    /// Unit of the multipliers τ of range updates.
    pub tau: Number,
}

/// One node, in depth-first order: after a `split` come its `≥ 0` subtree and its `≤ 0` subtree,
/// after a `tighten` its one subtree; `close` and `empty` are leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Node {
    /// Two subtrees by the sign of `w·x_i`.
    Split(#[serde(deserialize_with = "crate::object::object")] Split),
    /// Narrower ranges.
    Tighten(#[serde(deserialize_with = "crate::object::object")] Tighten),
    /// The leaf closes by Cauchy–Schwarz.
    Close(#[serde(deserialize_with = "crate::object::object")] Close),
    /// The leaf closes because a range is empty.
    Empty(#[serde(deserialize_with = "crate::object::object")] Empty),
}

/// See [`Node::Split`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// The item.
    pub split: usize,
}

/// See [`Node::Tighten`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tighten {
    /// Coefficients `a`, one per item.
    pub tighten: Vec<i64>,
    /// `(item, τ, h)`: new upper ends.
    pub upper: Vec<(usize, i64, i64)>,
    /// `(item, τ, l)`: new lower ends.
    pub lower: Vec<(usize, i64, i64)>,
}

/// See [`Node::Close`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// Coefficients `a`, one per item.
    pub close: Vec<i64>,
}

/// See [`Node::Empty`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Empty {
    /// The item whose range is empty.
    pub empty: usize,
}

/// One sample as a cover sees it.
#[derive(Clone, Debug)]
pub struct Item {
    /// The sample on the cone's inputs.
    pub x: ScaledVec,
    /// `b_i / unit_a`.
    pub b: i64,
    /// The sign of `w·x_i` on the cone, if fixed: `Greater` means `≥ 0`, `Less` means `≤ 0`.
    pub fixed: Option<Ordering>,
}

/// Why a tree is not a cover. Nodes are counted from 0 in file order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoverError {
    /// A unit that is not positive.
    #[error("unit {0} is not positive")]
    Unit(&'static str),
    /// More than [`MAX_ITEMS`].
    #[error("{0} items exceed the limit of {MAX_ITEMS}")]
    TooManyItems(usize),
    /// More than [`MAX_RANGES`] ranges of pending subtrees.
    #[error("node {0}: the open subtrees have more than {MAX_RANGES} ranges")]
    TooDeep(usize),
    /// A first range does not fit an integer of 63 bits: `unit_z` is too small for the data.
    #[error("the length of item {0} is out of range for unit z")]
    Range(usize),
    /// An item index past the end.
    #[error("node {node}: there is no item {item}")]
    NoSuchItem {
        /// The node.
        node: usize,
        /// The index.
        item: usize,
    },
    /// A coefficient list of the wrong length.
    #[error("node {node}: {found} coefficients for {expected} items")]
    Coefficients {
        /// The node.
        node: usize,
        /// Length of the list.
        found: usize,
        /// Number of items.
        expected: usize,
    },
    /// The inequality of a closing leaf fails.
    #[error("node {node}: the leaf does not close, |vec| + K > T by about {excess}")]
    Open {
        /// The node.
        node: usize,
        /// `|vec| + K − T`, roughly.
        excess: String,
    },
    /// A negative multiplier τ.
    #[error("node {node}: the multiplier of item {item} is negative")]
    NegativeMultiplier {
        /// The node.
        node: usize,
        /// The item.
        item: usize,
    },
    /// A new range end that the inequality does not give.
    #[error("node {node}: the new range of item {item} does not follow")]
    NotTighter {
        /// The node.
        node: usize,
        /// The item.
        item: usize,
    },
    /// `empty` on a range that is not.
    #[error("node {node}: the range of item {item} is not empty")]
    NotEmpty {
        /// The node.
        node: usize,
        /// The item.
        item: usize,
    },
    /// The tree ended with subtrees left open.
    #[error("the tree ends after node {0} with open subtrees")]
    Unfinished(usize),
    /// Nodes after the end of the tree.
    #[error("node {0} comes after the end of the tree")]
    Trailing(usize),
}

type Ranges = Vec<(i64, i64)>;

/// Checks one cover, node by node, in memory proportional to the number of open subtrees.
#[derive(Clone, Debug)]
pub struct CoverChecker {
    /// Gram matrix of the items' integer vectors, `gram_ij = dx²·x_i·x_j`.
    gram: Vec<IntVec>,
    b: Vec<i64>,
    /// Slope of σ on negative inputs, `p/q`.
    p: BigInt,
    q: BigInt,
    /// `T` in units of `unit_a·unit_z/q`, rounded down.
    t: BigInt,
    /// `(q·zd)²` and `(dx·zn)²`: `|vec| ≤ H` is `AᵀGA·scale_vec ≤ H²·scale_h`.
    scale_vec: BigInt,
    scale_h: BigInt,
    /// `unit_tau·unit_a = cn/cd`.
    cn: BigInt,
    cd: BigInt,
    /// Ranges of the subtrees still to come; the last is next.
    open: Vec<Ranges>,
    nodes: usize,
}

/// What a coefficient list says at a node.
struct Relaxation {
    /// `Σ_j gram_ij a_j` per item.
    products: Vec<BigInt>,
    /// `AᵀGA`.
    square: BigInt,
    /// `H` in units of `unit_a·unit_z/q`.
    h: BigInt,
}

impl CoverChecker {
    /// Starts the check of `Σ b_i σ(w·x_i) ≤ T|w|` on the cone that the items' fixed signs describe.
    ///
    /// # Errors
    /// Units that are not positive, too many items, ranges that do not fit.
    pub fn new(
        items: &[Item],
        units: &Units,
        slope: &Rational,
        t: &Rational,
    ) -> Result<Self, CoverError> {
        for (name, unit) in [("a", &units.a), ("z", &units.z), ("tau", &units.tau)] {
            if !unit.0.is_positive() {
                return Err(CoverError::Unit(name));
            }
        }
        if items.len() > MAX_ITEMS {
            return Err(CoverError::TooManyItems(items.len()));
        }
        let dx = items.iter().fold(BigInt::one(), |d, item| d.lcm(item.x.denominator()));
        let integer = |item: &Item| {
            let factor = &dx / item.x.denominator();
            IntVec::combination(item.x.len(), &[factor], &[item.x.numerators()])
        };
        let x: Vec<IntVec> = items.iter().map(integer).collect();
        let gram_row = |u: &IntVec| IntVec::new(x.iter().map(|v| u.dot(v)).collect());
        let gram: Vec<IntVec> = x.iter().map(gram_row).collect();
        let (zn, zd) = (units.z.0.numer(), units.z.0.denom());
        let grid = &dx * zn;
        let mut root = Vec::with_capacity(items.len());
        for (i, (item, row)) in items.iter().zip(&gram).enumerate() {
            // |x_i| = √gram_ii / dx, so |x_i|/unit_z ≤ ⌈⌈√(gram_ii zd²)⌉ / (dx zn)⌉.
            let length = ceil_sqrt(&(row.get(i) * zd * zd)).div_ceil(&grid);
            let length = length.to_i64().ok_or(CoverError::Range(i))?;
            root.push(match item.fixed {
                Some(Ordering::Greater) => (0, length),
                Some(Ordering::Less) => (-length, 0),
                _ => (-length, length),
            });
        }
        let (p, q) = (slope.numer().clone(), slope.denom().clone());
        let per_unit = t * Rational::from_integer(q.clone()) / (&units.a.0 * &units.z.0);
        let step = &units.tau.0 * &units.a.0;
        Ok(Self {
            gram,
            b: items.iter().map(|item| item.b).collect(),
            scale_vec: (&q * zd) * (&q * zd),
            scale_h: &grid * &grid,
            p,
            q,
            t: per_unit.floor().to_integer(),
            cn: step.numer().clone(),
            cd: step.denom().clone(),
            open: vec![root],
            nodes: 0,
        })
    }

    /// Checks the next node.
    ///
    /// # Errors
    /// [`CoverError`] names the node and what fails.
    pub fn node(&mut self, node: &Node) -> Result<(), CoverError> {
        let index = self.nodes;
        let mut ranges = self.open.pop().ok_or(CoverError::Trailing(index))?;
        self.nodes += 1;
        match node {
            Node::Split(Split { split: item }) => {
                let no_item = CoverError::NoSuchItem { node: index, item: *item };
                if (self.open.len() + 2).saturating_mul(ranges.len()) > MAX_RANGES {
                    return Err(CoverError::TooDeep(index));
                }
                let mut second = ranges.clone();
                match (ranges.get_mut(*item), second.get_mut(*item)) {
                    (Some(plus), Some(minus)) => {
                        plus.0 = plus.0.max(0);
                        minus.1 = minus.1.min(0);
                    }
                    _ => return Err(no_item),
                }
                self.open.push(second);
                self.open.push(ranges);
            }
            Node::Tighten(t) => {
                let relaxation = self.relax(index, &t.tighten, &ranges)?;
                for (updates, upper) in [(&t.upper, true), (&t.lower, false)] {
                    for &(item, tau, end) in updates {
                        self.check_end(index, &relaxation, item, tau, end, upper)?;
                        if let Some(range) = ranges.get_mut(item) {
                            match upper {
                                true => range.1 = range.1.min(end),
                                false => range.0 = range.0.max(end),
                            }
                        }
                    }
                }
                self.open.push(ranges);
            }
            Node::Close(Close { close }) => {
                let r = self.relax(index, close, &ranges)?;
                if r.h.is_negative() || &r.square * &self.scale_vec > &r.h * &r.h * &self.scale_h {
                    return Err(CoverError::Open { node: index, excess: self.excess(&r) });
                }
            }
            Node::Empty(Empty { empty: item }) => {
                let (node, item) = (index, *item);
                let range = ranges.get(item).ok_or(CoverError::NoSuchItem { node, item })?;
                if range.0 <= range.1 {
                    return Err(CoverError::NotEmpty { node, item });
                }
            }
        }
        Ok(())
    }

    /// Ends the check: every subtree must have been closed.
    ///
    /// # Errors
    /// [`CoverError::Unfinished`].
    pub fn finish(self) -> Result<usize, CoverError> {
        if self.open.is_empty() { Ok(self.nodes) } else { Err(CoverError::Unfinished(self.nodes)) }
    }

    /// `vec` and `H` for the coefficients `a` on these ranges.
    fn relax(&self, node: usize, a: &[i64], ranges: &Ranges) -> Result<Relaxation, CoverError> {
        let expected = self.b.len();
        if a.len() != expected {
            return Err(CoverError::Coefficients { node, found: a.len(), expected });
        }
        let a_vec = IntVec::from_i64(a.to_vec());
        let products: Vec<BigInt> = self.gram.iter().map(|row| row.dot(&a_vec)).collect();
        let square = IntVec::new(products.clone()).dot(&a_vec);
        let constant = match self.constant_i128(a, ranges) {
            Some(k) => BigInt::from(k),
            None => self.constant_big(a, ranges),
        };
        Ok(Relaxation { products, square, h: &self.t - constant })
    }

    /// `K` in units of `unit_a·unit_z/q`; `None` if an `i128` would overflow.
    fn constant_i128(&self, a: &[i64], ranges: &Ranges) -> Option<i128> {
        let (p, q) = (self.p.to_i128()?, self.q.to_i128()?);
        let mut sum = 0i128;
        for ((&a, &b), &(l, h)) in a.iter().zip(&self.b).zip(ranges) {
            let (a, b) = (i128::from(a), i128::from(b));
            let value = |z: i64| {
                let slope = if z > 0 { q } else { p };
                let coefficient = b.checked_mul(slope)?.checked_sub(q.checked_mul(a)?)?;
                coefficient.checked_mul(i128::from(z))
            };
            let mut k = value(l)?.max(value(h)?);
            if l < 0 && h > 0 {
                k = k.max(0);
            }
            sum = sum.checked_add(k)?;
        }
        Some(sum)
    }

    /// The same in arbitrary precision.
    fn constant_big(&self, a: &[i64], ranges: &Ranges) -> BigInt {
        let mut sum = BigInt::zero();
        for ((&a, &b), &(l, h)) in a.iter().zip(&self.b).zip(ranges) {
            let value = |z: i64| {
                let slope = if z > 0 { &self.q } else { &self.p };
                (slope * b - &self.q * a) * z
            };
            let mut k = value(l).max(value(h));
            if l < 0 && h > 0 {
                k = k.max(BigInt::zero());
            }
            sum += k;
        }
        sum
    }

    /// Checks `h + τH ≥ 0` and `|x_i + τ vec|² ≤ (h + τH)²`, or its mirror image for a lower end.
    fn check_end(
        &self,
        node: usize,
        r: &Relaxation,
        item: usize,
        tau: i64,
        end: i64,
        upper: bool,
    ) -> Result<(), CoverError> {
        let (Some(row), Some(product)) = (self.gram.get(item), r.products.get(item)) else {
            return Err(CoverError::NoSuchItem { node, item });
        };
        if tau < 0 {
            return Err(CoverError::NegativeMultiplier { node, item });
        }
        // With c = unit_tau·unit_a = cn/cd and N = τ/unit_tau, everything times cd:
        // |cd x ± cn N V|² dx⁻² against unit_z² (±cd end + cn N H/q)².
        let step = &self.cn * tau;
        let cross = (&self.cd * &step * product) * 2;
        let square = &self.cd * &self.cd * row.get(item) + &step * &step * &r.square;
        let square = if upper { square + cross } else { square - cross };
        let signed_end = if upper { BigInt::from(end) } else { -BigInt::from(end) };
        let bound = signed_end * &self.q * &self.cd + step * &r.h;
        if bound.is_negative() || square * &self.scale_vec > &bound * &bound * &self.scale_h {
            return Err(CoverError::NotTighter { node, item });
        }
        Ok(())
    }

    /// `(|vec| + K − T)/T`, roughly, for a message.
    fn excess(&self, r: &Relaxation) -> String {
        let length = (&r.square * &self.scale_vec).sqrt() / self.scale_h.sqrt();
        let excess = Rational::new(length - &r.h, self.t.clone().max(BigInt::one()));
        format!("{:.1e} of T", excess.to_f64().unwrap_or(f64::INFINITY))
    }
}

#[cfg(test)]
#[path = "cover_tests.rs"]
mod tests;
