//! Exact arithmetic against big rationals, and certificates of small problems made from bytes.
use crate::budget::Budget;
use crate::certify::{Request, bytes as sealed, certify};
use crate::prove::decide::Question;
use maxmargin_kernel::claim::{Claim, Number, Region, Scope};
use maxmargin_kernel::network::{Activation, Layer, Network, Scalar};
use maxmargin_kernel::number::{BigInt, Germ, IntVec, Rational, ScaledVec, compare};
use maxmargin_kernel::problem::{Data, Problem};
use num_traits::Signed;
use std::cmp::Ordering;

/// A supply of small numbers; zeros past its end.
struct Bytes<'b>(std::slice::Iter<'b, u8>);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    /// An integer of up to 200 bits, often near a power of two.
    fn integer(&mut self) -> BigInt {
        let (shift, small) = (self.byte(), i64::from(self.byte()) - 128);
        ((BigInt::from(self.byte() % 5) - 2) << (usize::from(shift) % 200)) + small
    }

    /// A multiple of ½ from −2 to 2.
    fn half(&mut self) -> Rational {
        Rational::new((i64::from(self.byte() % 9) - 4).into(), 2.into())
    }
}

/// Integer vectors and germs against the same sums over ℚ.
pub fn arithmetic(bytes: &[u8]) {
    let mut bytes = Bytes(bytes.iter());
    let length = usize::from(bytes.byte() % 40);
    let mut vector = || -> Vec<BigInt> { (0..length).map(|_| bytes.integer()).collect() };
    let (a, b) = (vector(), vector());
    let sum: BigInt = a.iter().zip(&b).map(|(x, y)| x * y).sum();
    let (u, v) = (IntVec::new(a.clone()), IntVec::new(b.clone()));
    assert_eq!(u.dot(&v), sum, "{a:?} {b:?}");
    assert_eq!(v.dot(&u), sum, "{a:?} {b:?}");
    assert_eq!(u.to_vec(), a);
    let over = |a: &[BigInt]| {
        let entries: Vec<_> = a.iter().map(|n| Rational::new(n.clone(), 12.into())).collect();
        ScaledVec::from_rationals(&entries)
    };
    assert!(compare(&over(&a).dot(&over(&b)), &Rational::new(sum, 144.into())).is_eq());
    // For ε = 1/D below 1/(2·largest) a polynomial with integer coefficients has its germ's sign; so
    // has D^degree times it, an integer.
    let largest = a.iter().chain(&b).map(BigInt::magnitude).max().cloned().unwrap_or_default();
    let square = BigInt::from(largest.clone() * &largest * (length + 1)) + BigInt::from(largest);
    let d = square * 4 + 4;
    let value = |germ: &Germ, degree: usize| {
        let coefficients = germ.coefficients();
        assert!(coefficients.len() <= degree + 1);
        (0..=degree).fold(BigInt::ZERO, |sum, k| {
            let c = coefficients.get(k).cloned().unwrap_or_default();
            sum * &d + c
        })
    };
    let (p, q) = (Germ::new(a.clone()), Germ::new(b.clone()));
    let (x, y) = (value(&p, length), value(&q, length));
    let dot = Germ::dot(&vec![p.clone(), q.clone()], &vec![q.clone(), p.clone()]);
    for (germ, degree, number) in [
        (p.plus(&q), length, &x + &y),
        (p.minus(&q), length, &x - &y),
        (p.times(&q), 2 * length, &x * &y),
        (dot, 2 * length, &x * &y * 2),
    ] {
        assert_eq!(value(&germ, degree), number, "{a:?} {b:?}");
        assert_eq!(germ.sign(), number.cmp(&BigInt::ZERO), "{a:?} {b:?}");
    }
    assert_eq!(p.cmp(&q), x.cmp(&y), "{a:?} {b:?}");
}

/// A two-layer network with samples that it classifies.
fn problem(bytes: &mut Bytes<'_>) -> Option<Problem> {
    let (d, width, n) = (1 + bytes.byte() % 3, 1 + bytes.byte() % 3, 1 + bytes.byte() % 4);
    let (d, width) = (usize::from(d), usize::from(width));
    let slope = [(0, 1), (1, 3), (1, 1)][usize::from(bytes.byte() % 3)];
    let mut halves =
        |n: usize| ScaledVec::from_rationals(&(0..n).map(|_| bytes.half()).collect::<Vec<_>>());
    let layers = vec![
        Layer::dense(1, width, d, halves(width * d)).ok()?,
        Layer::dense(2, 1, width, halves(width)).ok()?,
    ];
    let activation = Activation::leaky(Rational::new(slope.0.into(), slope.1.into())).ok()?;
    let network = Network::new(activation, layers).ok()?;
    let (mut samples, mut labels) = (Vec::new(), Vec::new());
    for x in (0..n).map(|_| halves(d)) {
        for y in [1, -1] {
            let one = Data::new(vec![x.clone()], vec![y]).ok()?;
            if Problem::new(network.clone(), one).is_ok_and(|p| p.gamma().is_ok()) {
                samples.push(x.clone());
                labels.push(y);
            }
        }
    }
    Problem::new(network, Data::new(samples, labels).ok()?).ok()
}

/// A small problem: what is proved about it verifies, and networks made from the remaining bytes
/// do not beat a bound of every network, nor an optimum.
pub fn problems(bytes: &[u8]) {
    let mut bytes = Bytes(bytes.iter());
    let Some(problem) = problem(&mut bytes) else { return };
    let near = Region::Near(Number(Rational::default()));
    let request = Request {
        decide: Question::ALL.to_vec(),
        brackets: vec![Region::Cell, near, Region::Everywhere, Region::AnyWidth],
        residual: Some((Rational::default(), Rational::default())),
        budget: Budget::seconds(Some(5.0)),
        ..Request::default()
    };
    let outcome = certify(&problem, &request, &|_| ());
    if outcome.entries.is_empty() {
        return;
    }
    let (_, report) = sealed(&problem, outcome.entries, true).expect("what is proved verifies");
    super::assert_sound(&report);
    let nu = problem.normalised_margin().expect("classified").0;
    let highest = report.claims.iter().filter_map(|verified| match &verified.claim {
        Claim::MarginAtMost { region: Region::Everywhere | Region::AnyWidth, bound, .. } => {
            Some(bound.0.clone())
        }
        Claim::GlobalOptimum { scope: Scope::All } => Some(nu.clone()),
        _ => None,
    });
    let Some(highest) = highest.min_by(compare) else { return };
    for _ in 0..8 {
        let network = problem.network();
        let layers = network.layers().iter().map(|layer| {
            let values: Vec<_> = (0..layer.parameters().len()).map(|_| bytes.half()).collect();
            layer.with_parameters(ScaledVec::from_rationals(&values))
        });
        let Some(layers) = layers.collect::<Option<Vec<_>>>() else { return };
        let other = Network::new(network.activation().clone(), layers);
        let Some(there) = other.ok().and_then(|n| Problem::new(n, problem.data().clone()).ok())
        else {
            continue;
        };
        let found = there.compare_normalised_margin(&highest);
        assert_ne!(found, Some(Ordering::Greater), "{:?} beats a bound", there.network());
    }
    assert!(!highest.is_negative());
}
