//! Exact covers with `T = 1` for rules 3.5b and 3.5e, at small points.
//!
//! Leaves that contain a neuron's own direction close with equality, by the coefficients of the
//! KKT slopes; the others have slack and close by rounded least squares. The kernel's own checker
//! says of every node at once whether it is right.
use super::setting::Setting;
use super::stationarity::Multipliers;
use maxmargin_kernel::certificate::{Entry, Proof};
use maxmargin_kernel::claim::{Claim, Number, Scope};
use maxmargin_kernel::network::{Neuron, TwoLayer};
use maxmargin_kernel::number::{BigInt, Rational, ScaledVec};
use maxmargin_kernel::proof::cover::{Close, CoverChecker, Item, Node, Split, Units};
use maxmargin_kernel::proof::dual_bound::{Cone, Cover, Multipliers as Lambda};
use maxmargin_kernel::proof::layer_cover::{LayerCover, LayerMultipliers};
use maxmargin_kernel::proof::local_cover::LocalCover;
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};
use std::cmp::Ordering;

/// Most nodes of one tree.
const MAX_NODES: usize = 20_000;
/// Bits of the grids below the units that the exact numbers need.
const SPARE_BITS: usize = 24;

/// `local_optimum` by covers of the local cones.
pub fn local(setting: &Setting, found: &Multipliers, claim: &Claim) -> Option<Entry> {
    prove(setting, found, claim, true)
}

/// `global_optimum` by covers of all of space.
pub fn global(setting: &Setting, found: &Multipliers, claim: &Claim) -> Option<Entry> {
    prove(setting, found, claim, false)
}

fn prove(setting: &Setting, found: &Multipliers, claim: &Claim, local: bool) -> Option<Entry> {
    let neurons = TwoLayer::with_one_output(setting.problem.network()).ok()?.neurons;
    let layer_one = match setting.scope {
        Scope::All => false,
        Scope::Layer(1) => true,
        Scope::Layer(_) => return None,
    };
    let builder = Builder::new(setting, found, neurons)?;
    let mut covers: Vec<Cover> = Vec::new();
    let mut bounds = Vec::new();
    for j in 0..builder.neurons.len() {
        let neuron = &builder.neurons[j];
        let v = neuron.v1();
        let signs: &[i8] = match (layer_one, local, v.cmp(&Rational::zero())) {
            (true, _, Ordering::Equal) => &[],
            (true, _, Ordering::Greater) | (false, true, Ordering::Greater) => &[1],
            (true, _, Ordering::Less) | (false, true, Ordering::Less) => &[-1],
            _ => &[1, -1],
        };
        let t = if layer_one { ratio(neuron)? } else { Rational::one() };
        for &sign in signs {
            let cone = builder.cone(neuron, sign, local);
            let known = covers.iter().position(|c| c.cone == cone);
            if let Some(k) = known
                && (!layer_one || bounds.get(k) == Some(&Number(t.clone())))
            {
                continue;
            }
            let nodes = builder.tree(neuron, &cone, &t)?;
            covers.push(Cover { cone, nodes: nodes.into_iter().collect() });
            bounds.push(Number(t.clone()));
        }
    }
    let units = builder.units.clone();
    let lambda = builder.lambda.clone();
    let proof = match layer_one {
        false => {
            let proof = LocalCover { multipliers: Lambda { units, lambda }, covers };
            proof.check(setting.problem, claim).ok()?;
            Proof::LocalCover(proof)
        }
        true => {
            let multipliers = LayerMultipliers { units, lambda, bounds };
            let proof = LayerCover { multipliers, covers };
            proof.check(setting.problem, claim).ok()?;
            Proof::LayerCover(proof)
        }
    };
    Some(Entry { claim: claim.clone(), proof })
}

/// `|w|/|v|`, if it is rational.
fn ratio(neuron: &Neuron) -> Option<Rational> {
    let v = neuron.v1();
    let square = neuron.w.norm_squared() / (&v * &v);
    let (low, high) = maxmargin_kernel::number::root::sqrt_bounds(&square, 4)?;
    (low == high).then_some(low)
}

struct Builder<'s, 'a> {
    setting: &'s Setting<'a>,
    found: &'s Multipliers,
    neurons: Vec<Neuron>,
    units: Units,
    lambda: Vec<(usize, i64)>,
}

impl<'s, 'a> Builder<'s, 'a> {
    fn new(setting: &'s Setting<'a>, found: &'s Multipliers, neurons: Vec<Neuron>) -> Option<Self> {
        let numbers = found.lambda.values().chain(found.mu.values());
        let common = numbers.fold(BigInt::one(), |d, v| d.lcm(v.denom())) * setting.alpha.denom();
        let fine = Rational::new(BigInt::one(), common << SPARE_BITS);
        let coarse = Rational::new(BigInt::one(), BigInt::one() << SPARE_BITS);
        let whole = |v: &Rational| (v / &fine).to_integer().to_i64();
        // With one output constraints are samples.
        let lambda =
            found.lambda.iter().map(|(k, l)| Some((*k, whole(l)?))).collect::<Option<Vec<_>>>()?;
        let units =
            Units { a: Number(fine), z: Number(coarse.clone()), tau: Number(coarse), x: None };
        Some(Self { setting, found, neurons, units, lambda })
    }

    /// The cone of a neuron: its local cone, or all of space on its inputs.
    fn cone(&self, neuron: &Neuron, sign: i8, local: bool) -> Cone {
        let problem = self.setting.problem;
        let full = neuron.inputs.len() == problem.network().inputs();
        let fixed = |i: usize| match problem.sign(i, neuron.index) {
            Ordering::Greater => Some((i, 1)),
            Ordering::Less => Some((i, -1)),
            Ordering::Equal => None,
        };
        let samples = self.lambda.iter().map(|l| l.0);
        Cone {
            sign,
            inputs: (!full).then(|| neuron.inputs.clone()),
            fixed: if local { samples.filter_map(fixed).collect() } else { Vec::new() },
        }
    }

    /// A tree that covers the cone, or `None`.
    fn tree(&self, neuron: &Neuron, cone: &Cone, t: &Rational) -> Option<Vec<Node>> {
        let data = self.setting.problem.data();
        let inputs = &neuron.inputs;
        let fixed = |i: usize| cone.fixed.iter().find(|f| f.0 == i).map(|f| f.1.cmp(&0));
        let item = |(i, l): &(usize, i64)| {
            let agrees = data.label(*i).signum() == i64::from(cone.sign);
            let b = if agrees { *l } else { -*l };
            Item { x: data.restricted(*i, inputs), b, fixed: fixed(*i) }
        };
        let items: Vec<Item> = self.lambda.iter().map(item).collect();
        let checker = CoverChecker::new(&items, &self.units, &self.setting.alpha, t).ok()?;
        let mut leaf =
            Leaf::new(&items, &self.setting.alpha, self.exact_coefficients(cone.sign, inputs));
        let mut nodes = Vec::new();
        let sides: Vec<Option<bool>> = items.iter().map(|i| i.fixed.map(|f| f.is_gt())).collect();
        grow(checker, &mut leaf, sides, &mut nodes).then_some(nodes)
    }

    /// The coefficients of KKT slopes, one list per neuron of this sign on these inputs.
    fn exact_coefficients(&self, sign: i8, inputs: &[usize]) -> Vec<Vec<i64>> {
        let setting = self.setting;
        let wanted = |n: &&Neuron| n.inputs == inputs && n.v1().is_negative() == (sign < 0);
        let coefficient = |n: &Neuron, i: usize| -> Option<i64> {
            let lambda = &self.found.lambda[&i];
            let mu = match setting.problem.sign(i, n.index) {
                Ordering::Greater => lambda.clone(),
                Ordering::Less => lambda * &setting.alpha,
                Ordering::Equal => match self.found.mu.get(&(i, (0, n.index))) {
                    Some(mu) => mu.clone(),
                    None => lambda * &setting.alpha,
                },
            };
            let signed = mu
                * Rational::from_integer(
                    (setting.problem.data().label(i) * i64::from(sign)).into(),
                );
            (signed / &self.units.a.0).to_integer().to_i64()
        };
        let list = |n: &Neuron| {
            self.lambda.iter().map(|(i, _)| coefficient(n, *i)).collect::<Option<Vec<_>>>()
        };
        self.neurons.iter().filter(wanted).filter_map(list).collect()
    }
}

/// Closes the next subtree, splitting where it does not close by itself; false if that fails.
fn grow(
    mut checker: CoverChecker,
    leaf: &mut Leaf,
    sides: Vec<Option<bool>>,
    nodes: &mut Vec<Node>,
) -> bool {
    // Depth first, `≥ 0` first, as the kernel reads them.
    let mut pending = vec![sides];
    while let Some(sides) = pending.pop() {
        if nodes.len() > MAX_NODES {
            return false;
        }
        let closing = leaf.candidates(&sides).into_iter().map(close).find(|node| {
            let mut trial = checker.clone();
            let closes = trial.node(node).is_ok();
            if closes {
                checker = trial;
            }
            closes
        });
        if let Some(node) = closing {
            nodes.push(node);
            continue;
        }
        let Some(item) = leaf.branch(&sides) else { return false };
        let node = Node::Split(Split { split: item });
        if checker.node(&node).is_err() {
            return false;
        }
        nodes.push(node);
        let child = |side: bool| {
            let mut next = sides.clone();
            next[item] = Some(side);
            next
        };
        pending.push(child(false));
        pending.push(child(true));
    }
    checker.finish().is_ok()
}

fn close(a: Vec<i64>) -> Node {
    Node::Close(Close { close: a, times: 1 })
}

/// Least squares for closing coefficients.
struct Leaf {
    /// Gram matrix, in floats.
    gram: Vec<Vec<f64>>,
    /// `b` in units of `a`.
    b: Vec<f64>,
    alpha: f64,
    exact: Vec<Vec<i64>>,
}

impl Leaf {
    fn new(items: &[Item], alpha: &Rational, exact: Vec<Vec<i64>>) -> Self {
        let x: Vec<&ScaledVec> = items.iter().map(|i| &i.x).collect();
        let row = |u: &ScaledVec| x.iter().map(|v| u.dot(v).to_f64().unwrap_or(0.0)).collect();
        Self {
            gram: x.iter().map(|u| row(u)).collect(),
            b: items.iter().map(|i| i.b as f64).collect(),
            alpha: alpha.to_f64().unwrap_or(0.0),
            exact,
        }
    }

    /// Coefficient lists worth trying, the exact ones first.
    fn candidates(&self, sides: &[Option<bool>]) -> Vec<Vec<i64>> {
        let mut list = self.exact.clone();
        // An undecided convex item has no constant-free coefficient: only splitting helps.
        if (0..sides.len()).all(|i| sides[i].is_some() || self.b[i] <= 0.0 || self.alpha == 1.0) {
            list.push(self.least(sides));
        }
        list
    }

    /// The first undecided convex item.
    fn branch(&self, sides: &[Option<bool>]) -> Option<usize> {
        (0..sides.len()).find(|i| sides[*i].is_none() && self.b[*i] > 0.0 && self.alpha < 1.0)
    }

    /// The shortest combination with coefficients that need no constant, by coordinate descent.
    fn least(&self, sides: &[Option<bool>]) -> Vec<i64> {
        let n = self.b.len();
        let range = |i: usize| {
            let (one, low) = (self.b[i], self.alpha * self.b[i]);
            match sides[i] {
                Some(true) => (one, f64::INFINITY),
                Some(false) => (f64::NEG_INFINITY, low),
                None => (one.min(low), one.max(low)),
            }
        };
        let ranges: Vec<(f64, f64)> = (0..n).map(range).collect();
        let mut a: Vec<f64> = ranges.iter().map(|(l, h)| 0.0f64.clamp(*l, *h)).collect();
        for _ in 0..600 {
            for i in 0..n {
                if self.gram[i][i] > 0.0 {
                    let slope: f64 = (0..n).map(|j| self.gram[i][j] * a[j]).sum();
                    a[i] = (a[i] - slope / self.gram[i][i]).clamp(ranges[i].0, ranges[i].1);
                }
            }
        }
        // Rounded into the range: b is an integer, α b need not be.
        let inside = |(v, (l, h)): (&f64, &(f64, f64))| v.round().clamp(l.ceil(), h.floor()) as i64;
        a.iter().zip(&ranges).map(inside).collect()
    }
}
