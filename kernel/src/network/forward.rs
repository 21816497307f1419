//! The one forward pass, generic over the number type.
use crate::number::{BigInt, IntVec, Rational};
use num_traits::{Signed, Zero};

/// Numbers a network can be evaluated over: an ordered ring with its own vectors.
pub trait Scalar: Clone {
    /// Vectors of these numbers, in the form that makes [`Scalar::dot`] fast.
    type Vector: Clone;
    /// 0.
    fn zero() -> Self;
    /// Whether the number is `> 0`.
    fn is_positive(&self) -> bool;
    /// Whether the number is 0.
    fn vanishes(&self) -> bool;
    /// The sum.
    fn plus(&self, other: &Self) -> Self;
    /// The product.
    fn times(&self, other: &Self) -> Self;
    /// A vector from its entries.
    fn pack(entries: Vec<Self>) -> Self::Vector;
    /// The entries of a vector.
    fn unpack(vector: &Self::Vector) -> Vec<Self>;
    /// The inner product.
    fn dot(a: &Self::Vector, b: &Self::Vector) -> Self;
}

impl Scalar for BigInt {
    type Vector = IntVec;
    fn zero() -> Self {
        Self::ZERO
    }
    fn is_positive(&self) -> bool {
        Signed::is_positive(self)
    }
    fn vanishes(&self) -> bool {
        self.is_zero()
    }
    fn plus(&self, other: &Self) -> Self {
        self + other
    }
    fn times(&self, other: &Self) -> Self {
        self * other
    }
    fn pack(entries: Vec<Self>) -> IntVec {
        IntVec::new(entries)
    }
    fn unpack(vector: &IntVec) -> Vec<Self> {
        vector.to_vec()
    }
    fn dot(a: &IntVec, b: &IntVec) -> Self {
        a.dot(b)
    }
}

impl Scalar for Rational {
    type Vector = Vec<Self>;
    fn zero() -> Self {
        Zero::zero()
    }
    fn is_positive(&self) -> bool {
        Signed::is_positive(self)
    }
    fn vanishes(&self) -> bool {
        self.is_zero()
    }
    fn plus(&self, other: &Self) -> Self {
        self + other
    }
    fn times(&self, other: &Self) -> Self {
        self * other
    }
    fn pack(entries: Vec<Self>) -> Vec<Self> {
        entries
    }
    fn unpack(vector: &Vec<Self>) -> Vec<Self> {
        vector.clone()
    }
    fn dot(a: &Vec<Self>, b: &Vec<Self>) -> Self {
        a.iter().zip(b).map(|(x, y)| x * y).sum()
    }
}

/// A network's weights over one number type. `σ(z) = positive·z` for `z > 0`, `negative·z` else.
#[derive(Clone, Debug)]
pub struct Model<S: Scalar> {
    /// The rows of every weight matrix, first layer first.
    pub layers: Vec<Vec<S::Vector>>,
    /// Slope of σ on positive inputs.
    pub positive: S,
    /// Slope of σ on inputs `≤ 0`.
    pub negative: S,
}

/// What one forward pass computed.
#[derive(Clone, Debug)]
pub struct Trace<S: Scalar> {
    /// Preactivations `z⁽ˡ⁾ = W⁽ˡ⁾ a⁽ˡ⁻¹⁾` of every layer; the last are the outputs.
    pub preactivations: Vec<S::Vector>,
}

impl<S: Scalar> Model<S> {
    /// Evaluates the network at the sample `x` (as many entries as the network has inputs).
    pub fn forward(&self, x: &S::Vector) -> Trace<S> {
        let mut preactivations: Vec<S::Vector> = Vec::with_capacity(self.layers.len());
        for rows in &self.layers {
            let z = match preactivations.last() {
                None => rows.iter().map(|row| S::dot(row, x)).collect(),
                Some(before) => {
                    let a = self.activate(before);
                    rows.iter().map(|row| S::dot(row, &a)).collect()
                }
            };
            preactivations.push(S::pack(z));
        }
        Trace { preactivations }
    }

    /// `σ` of every entry.
    pub fn activate(&self, z: &S::Vector) -> S::Vector {
        S::pack(S::unpack(z).iter().map(|z| z.times(self.slope(z))).collect())
    }

    /// The slope of σ at `z`; at 0 the one for negative inputs.
    pub fn slope(&self, z: &S) -> &S {
        if z.is_positive() { &self.positive } else { &self.negative }
    }
}

impl<S: Scalar> Trace<S> {
    /// The outputs `F(θ;x)`.
    pub fn outputs(&self) -> Vec<S> {
        self.preactivations.last().map(S::unpack).unwrap_or_default()
    }
}
