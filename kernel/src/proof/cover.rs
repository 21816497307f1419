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
//! - **quadratic** (`a`, per item an optional parabola, `κ`): see [`quadratic`].
//!
//! Every choice of `a` is sound. The coefficients of theory's `(p, μ)` witnesses are
//! `a_i = b_i·slope + μ_i τ_i`; the constants above are never larger than theirs.
//!
//! # Rounded samples
//! With a unit `x` every sample is replaced by `x̂_i = round(x_i/unit_x)·unit_x`, entry by entry, and
//! the tree speaks of `x̂_i` throughout: `w·x_i` above is `w·x̂_i`. Let `η_i ≥ |x_i − x̂_i|`. For a unit
//! `w`, `|w·x_i − w·x̂_i| ≤ η_i`, and `σ` is 1-Lipschitz as its slopes are in `[0, 1]`, so
//! `s·g(w) ≤ Σ b_i σ(w·x̂_i) + Σ |b_i|η_i`: a violator of the statement violates the one about the
//! `x̂_i` with `T − Σ |b_i|η_i` in the place of `T`, which is what the tree then refutes. A fixed sign
//! `τ(w·x_i) ≥ 0` gives `τ(w·x̂_i) ≥ −η_i`: the first range is cut there, rounded outwards, and not
//! at 0. The other first ranges are `±|x̂_i|`. Nothing else in the rules refers to the samples.
//!
//! # Arithmetic
//! Coefficients and `λ` are integers times `unit_a`, range ends times `unit_z`, multipliers times
//! `unit_tau`; the Gram matrix of the items (as rounded) is exact. `T` is rounded down to the grid, the first
//! ranges outwards; everything else is exact. A list of coefficients may have a common factor
//! `times`, since two to four digits of each are usually enough.
use crate::claim::Number;
use crate::number::{
    BigInt, IntVec, Rational, ScaledVec,
    root::{ceil_sqrt, sqrt_bounds},
    work::{MAX_WORK, exceeds_when_long},
};
use num_integer::Integer;
use num_traits::{CheckedAdd, CheckedMul, CheckedSub, One, Signed, ToPrimitive, Zero};
use serde::{Deserialize, Serialize};
use std::cell::OnceCell;
use std::cmp::Ordering;

mod node;
pub mod quadratic;

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
    /// Unit to which the samples are rounded; they are exact if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<Number>,
}

/// One node, in depth-first order: after a `split` come its `≥ 0` subtree and its `≤ 0` subtree,
/// after a `tighten` its one subtree; `close`, `empty` and `quadratic` are
/// leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Node {
    /// Two subtrees by the sign of `w·x_i`.
    Split(Split),
    /// Narrower ranges.
    Tighten(Tighten),
    /// The leaf closes by Cauchy–Schwarz.
    Close(Close),
    /// The leaf closes because a range is empty.
    Empty(Empty),
    /// The leaf closes by the largest value of a quadratic on the sphere.
    Quadratic(Quadratic),
}

/// See [`Node::Split`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Split {
    /// The item.
    pub split: usize,
}

/// See [`Node::Tighten`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tighten {
    /// Coefficients `a`, one per item.
    pub tighten: Vec<i64>,
    /// Common factor of the coefficients, at least 1.
    #[serde(skip_serializing_if = "is_one")]
    pub times: i64,
    /// `(item, τ, h)`: new upper ends.
    pub upper: Vec<(usize, i64, i64)>,
    /// `(item, τ, l)`: new lower ends.
    pub lower: Vec<(usize, i64, i64)>,
}

/// See [`Node::Close`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Close {
    /// Coefficients `a`, one per item.
    pub close: Vec<i64>,
    /// Common factor of the coefficients, at least 1.
    #[serde(skip_serializing_if = "is_one")]
    pub times: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_one(times: &i64) -> bool {
    *times == 1
}

/// See [`Node::Empty`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Empty {
    /// The item whose range is empty.
    pub empty: usize,
}

/// See [`quadratic`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quadratic {
    /// Coefficients `a`, one per item.
    pub quadratic: Vec<i64>,
    /// Common factor of the coefficients, at least 1.
    #[serde(skip_serializing_if = "is_one")]
    pub times: i64,
    /// `(item, d)` by ascending item, `d ≥ 1`: the parabola `d²·unit_a/unit_z·z²`.
    pub roots: Vec<(usize, i64)>,
    /// `κ` in parts of `T`, of which there are 2^20.
    pub kappa: i64,
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
    /// Long numbers in many places.
    #[error("the inner products of the items take {0} steps, past the limit of {MAX_WORK}")]
    Work(u64),
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
    /// A common factor below 1, or one that takes a coefficient out of range.
    #[error(
        "node {node}: coefficients times {times} are not integers of 64 bits, or the factor is below 1"
    )]
    Times {
        /// The node.
        node: usize,
        /// The factor.
        times: i64,
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
    /// Parabolas out of order, or one that is not positive.
    #[error("node {node}: the parabola of item {item} is out of order or not positive")]
    Root {
        /// The node.
        node: usize,
        /// The item.
        item: usize,
    },
    /// `κ` is not positive.
    #[error("node {node}: κ is not positive")]
    Kappa {
        /// The node.
        node: usize,
    },
    /// The matrix of a quadratic leaf is not, or only just, positive semidefinite.
    #[error("node {node}: the quadratic leaf does not close")]
    NotDefinite {
        /// The node.
        node: usize,
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
    /// Gram matrix of the items' integer vectors: item `i` is its vector times `xn/xd`.
    gram: Vec<IntVec>,
    /// For quadratic leaves, once there is one.
    rounded: OnceCell<quadratic::Rounded>,
    b: Vec<i64>,
    /// Slope of σ on negative inputs, `p/q`.
    p: BigInt,
    q: BigInt,
    /// `T` in units of `unit_a·unit_z/q`, rounded down.
    t: BigInt,
    /// `(q·zd·xn)²` and `(xd·zn)²`: `|vec| ≤ H` is `AᵀGA·scale_vec ≤ H²·scale_h`.
    scale_vec: BigInt,
    scale_h: BigInt,
    /// `xn·zd`.
    finer: BigInt,
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
        let named = [("a", &units.a), ("z", &units.z), ("tau", &units.tau)];
        for (name, unit) in named.into_iter().chain(units.x.as_ref().map(|x| ("x", x))) {
            if !unit.0.is_positive() {
                return Err(CoverError::Unit(name));
            }
        }
        if items.len() > MAX_ITEMS {
            return Err(CoverError::TooManyItems(items.len()));
        }
        let unit_x = match &units.x {
            Some(unit) => unit.0.clone(),
            None => {
                let lcm = |d: BigInt, item: &Item| d.lcm(item.x.denominator());
                Rational::new(BigInt::one(), items.iter().fold(BigInt::one(), lcm))
            }
        };
        let (xn, xd) = (unit_x.numer(), unit_x.denom());
        let x: Vec<IntVec> = items.iter().map(|item| on_grid(&item.x, &unit_x)).collect();
        let longest = x.iter().map(IntVec::bits).max().unwrap_or(0);
        let width = x.first().map_or(0, IntVec::len);
        let entries = items.iter().map(|item| item.x.numerators().bits()).max().unwrap_or(0);
        let grid = [entries, unit_x.numer().bits(), unit_x.denom().bits()];
        let gram = exceeds_when_long(&[items.len(), items.len(), width], longest);
        let rounding = exceeds_when_long(&[items.len(), width], grid.iter().sum());
        if let Some(work) = gram.or(rounding) {
            return Err(CoverError::Work(work));
        }
        let gram_row = |u: &IntVec| IntVec::new(x.iter().map(|v| u.dot(v)).collect());
        let gram: Vec<IntVec> = x.iter().map(gram_row).collect();
        let (zn, zd) = (units.z.0.numer(), units.z.0.denom());
        let (finer, grid) = (xn * zd, xd * zn);
        let mut root = Vec::with_capacity(items.len());
        let mut loss = Rational::zero();
        for (i, ((item, row), x)) in items.iter().zip(&gram).zip(&x).enumerate() {
            // |x_i| = √gram_ii xn/xd, so |x_i|/unit_z ≤ ⌈⌈√(gram_ii (xn zd)²)⌉ / (xd zn)⌉.
            let length = ceil_sqrt(&(row.get(i) * &finer * &finer)).div_ceil(&grid);
            let length = length.to_i64().ok_or(CoverError::Range(i))?;
            let eta = match &units.x {
                Some(_) => distance(&item.x, x, &unit_x).ok_or(CoverError::Range(i))?,
                None => Rational::zero(),
            };
            let cut = (&eta / &units.z.0).ceil().to_integer();
            let cut = cut.to_i64().ok_or(CoverError::Range(i))?;
            loss += eta * Rational::from_integer(BigInt::from(item.b).abs());
            root.push(match item.fixed {
                Some(Ordering::Greater) => (-cut.min(length), length),
                Some(Ordering::Less) => (-length, cut.min(length)),
                _ => (-length, length),
            });
        }
        let t = t - loss * &units.a.0;
        let (p, q) = (slope.numer().clone(), slope.denom().clone());
        let per_unit = &t * Rational::from_integer(q.clone()) / (&units.a.0 * &units.z.0);
        let step = &units.tau.0 * &units.a.0;
        Ok(Self {
            gram,
            rounded: OnceCell::new(),
            b: items.iter().map(|item| item.b).collect(),
            scale_vec: (&q * &finer) * (&q * &finer),
            scale_h: &grid * &grid,
            finer,
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
                let relaxation = self.relax(index, &t.tighten, t.times, &[], &ranges)?;
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
            Node::Close(Close { close, times }) => {
                let r = self.relax(index, close, *times, &[], &ranges)?;
                if r.h.is_negative() || &r.square * &self.scale_vec > &r.h * &r.h * &self.scale_h {
                    return Err(CoverError::Open { node: index, excess: self.excess(&r) });
                }
            }
            Node::Quadratic(leaf) => self.quadratic(index, leaf, &ranges)?,
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

    /// `vec` and `H` for the coefficients `times·a` on these ranges, with the parabolas `roots²`;
    /// none where that list ends.
    fn relax(
        &self,
        node: usize,
        a: &[i64],
        times: i64,
        roots: &[i64],
        ranges: &Ranges,
    ) -> Result<Relaxation, CoverError> {
        let expected = self.b.len();
        if a.len() != expected {
            return Err(CoverError::Coefficients { node, found: a.len(), expected });
        }
        // Products with the short integers first; the factor comes in at the end.
        let short = IntVec::from_i64(a.to_vec());
        let mut products: Vec<BigInt> = self.gram.iter().map(|row| row.dot(&short)).collect();
        let mut square = IntVec::new(products.clone()).dot(&short);
        let full: Option<Vec<i64>> = a.iter().map(|&a| i64::checked_mul(a, times)).collect();
        let a = full.filter(|_| times >= 1).ok_or(CoverError::Times { node, times })?;
        if times > 1 {
            products.iter_mut().for_each(|product| *product *= times);
            square = square * times * times;
        }
        let constant = match self.constant::<i128>(&a, roots, ranges) {
            Some(k) => BigInt::from(k),
            // Never out of range: `NotDefinite` is not reached.
            None => self
                .constant::<BigInt>(&a, roots, ranges)
                .ok_or(CoverError::NotDefinite { node })?,
        };
        Ok(Relaxation { products, square, h: &self.t - constant })
    }

    /// `K` in units of `unit_a·unit_z/q`; `None` if a number does not fit an `N`.
    fn constant<N: Exact>(&self, a: &[i64], roots: &[i64], ranges: &Ranges) -> Option<N> {
        let (p, q) = (N::of(&self.p)?, N::of(&self.q)?);
        let mut sum = N::from(0);
        let roots = roots.iter().copied().chain(std::iter::repeat(0));
        for (((&a, &b), &range), root) in a.iter().zip(&self.b).zip(ranges).zip(roots) {
            sum = sum.checked_add(&largest(&p, &q, a, b, root, range)?)?;
        }
        Some(sum)
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
        // |cd x ± cn N V|² (xn/xd)² against unit_z² (±cd end + cn N H/q)².
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

/// Integers whose operations are exact or refused.
trait Exact: From<i64> + Ord + Integer + CheckedAdd + CheckedSub + CheckedMul {
    fn of(value: &BigInt) -> Option<Self>;
}

impl Exact for i128 {
    fn of(value: &BigInt) -> Option<Self> {
        value.to_i128()
    }
}

impl Exact for BigInt {
    fn of(value: &BigInt) -> Option<Self> {
        Some(value.clone())
    }
}

/// At least `max { b σ(z) − a z − d² z² : l ≤ z ≤ h }`, in units of `unit_a·unit_z/q`, for `σ` with the
/// slope `p/q` on negative inputs; for `d = 0` exactly that.
///
/// On either side of 0 the function is `c z − q d² z²`, concave. Its largest value there is at an
/// end, or where `2 q d² z = c` if that lies between them: `c²/(4 q d²)`, rounded up.
fn largest<N: Exact>(p: &N, q: &N, a: i64, b: i64, d: i64, (l, h): (i64, i64)) -> Option<N> {
    let (a, b, d) = (N::from(a), N::from(b), N::from(d));
    let shift = q.checked_mul(&a)?;
    let side = |slope: &N| b.checked_mul(slope)?.checked_sub(&shift);
    let (up, down) = (side(q)?, side(p)?);
    let curve = q.checked_mul(&d.checked_mul(&d)?)?;
    let value = |z: i64| {
        let z_ = N::from(z);
        let c = if z > 0 { &up } else { &down };
        c.checked_sub(&curve.checked_mul(&z_)?)?.checked_mul(&z_)
    };
    let mut best = value(l)?.max(value(h)?);
    if l < 0 && h > 0 {
        best = best.max(N::from(0));
    }
    if !curve.is_zero() {
        let twice = curve.checked_add(&curve)?;
        let four = twice.checked_add(&twice)?;
        for (c, from, to) in [(&up, l.max(0), h), (&down, l, h.min(0))] {
            let inside =
                twice.checked_mul(&N::from(from))? < *c && *c < twice.checked_mul(&N::from(to))?;
            if inside {
                let square = c.checked_mul(c)?;
                let (quotient, rest) = square.div_mod_floor(&four);
                let up = if rest.is_zero() { 0 } else { 1 };
                best = best.max(quotient.checked_add(&N::from(up))?);
            }
        }
    }
    Some(best)
}

/// The integer vector nearest to `x/unit`.
fn on_grid(x: &ScaledVec, unit: &Rational) -> IntVec {
    let factor = (unit * Rational::from_integer(x.denominator().clone())).recip();
    let (n, d) = (factor.numer(), factor.denom());
    // ⌊v + ½⌋ for v = entry·n/d.
    let twice = d * BigInt::from(2);
    let nearest = |entry: BigInt| -> BigInt { (entry * n * 2i32 + d).div_floor(&twice) };
    IntVec::new(x.numerators().to_vec().into_iter().map(nearest).collect())
}

/// At least `|x − rounded·unit|`; 0 if they are equal.
fn distance(x: &ScaledVec, rounded: &IntVec, unit: &Rational) -> Option<Rational> {
    // Over one denominator: reducing every difference would take most of the time.
    let (p, q) = (unit.numer() * x.denominator(), unit.denom());
    let mut square = BigInt::zero();
    for c in 0..x.len() {
        let difference = x.numerators().get(c) * q - rounded.get(c) * &p;
        square += &difference * &difference;
    }
    let denominator = x.denominator() * q;
    let square = Rational::new(square, &denominator * &denominator);
    sqrt_bounds(&square, 40).map(|(_, high)| high)
}

#[cfg(test)]
#[path = "cover_tests.rs"]
mod tests;
