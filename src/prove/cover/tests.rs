//! Trees against the kernel, and values against enumeration.
use super::*;
use crate::numeric::box_ls::{self, BoxLs, Gram};
use maxmargin_kernel::number::{BigInt, Rational, ScaledVec};
use maxmargin_kernel::proof::cover::{CoverChecker, Item};
use proptest::prelude::*;
use std::cmp::Ordering;

/// `b` rounded to the grid.
fn on_grid(mut instance: Instance, units: FloatUnits) -> Instance {
    let unit = units.unit_a();
    instance.b.iter_mut().for_each(|b| *b = (*b / unit).round() * unit);
    instance
}

/// The kernel's verdict on a tree, with `α = p/q`.
fn verify(
    instance: &Instance,
    (p, q): (i64, i64),
    t: f64,
    units: FloatUnits,
    nodes: &Tree,
) -> Result<usize, String> {
    let item = |i: usize| Item {
        x: ScaledVec::from_f64s(&instance.x[i]).unwrap(),
        b: (instance.b[i] / units.unit_a()) as i64,
        fixed: instance.fixed[i].map(|up| if up { Ordering::Greater } else { Ordering::Less }),
    };
    let items: Vec<Item> = (0..instance.x.len()).map(item).collect();
    let alpha = Rational::new(BigInt::from(p), BigInt::from(q));
    let t = Rational::from_float(t).unwrap();
    let mut checker =
        CoverChecker::new(&items, &units.to_kernel(), &alpha, &t).map_err(|e| e.to_string())?;
    for node in nodes {
        checker.node(&node).map_err(|e| e.to_string())?;
    }
    checker.finish().map_err(|e| e.to_string())
}

/// The largest value over the cone, by solving every sign pattern of the convex items, and the
/// largest `Σ |a_i||x_i|` of their coefficients.
fn enumerate(instance: &Instance) -> (f64, f64) {
    let (n, dim) = (instance.x.len(), instance.x[0].len());
    let gram = Gram::new(&instance.x.concat(), n, dim);
    let (mut best, mut spread) = (0.0f64, 0.0f64);
    for pattern in 0..1u32 << n {
        let mut ls = BoxLs::new(n);
        for i in 0..n {
            let (b, up) = (instance.b[i], pattern >> i & 1 == 1);
            // The slopes that leave no constant on the allowed side, or the tangent.
            (ls.lo[i], ls.hi[i]) = match instance.fixed[i] {
                Some(true) => (b, f64::INFINITY),
                Some(false) => (f64::NEG_INFINITY, instance.alpha * b),
                None if b <= 0.0 => (b, instance.alpha * b),
                None if up => (b, b),
                None => (instance.alpha * b, instance.alpha * b),
            };
        }
        best = best.max(ls.solve(&gram, box_ls::Effort::ACCURATE, 0.0));
        let size = |(x, a): (&Vec<f64>, &f64)| items::norm(x) * a.abs();
        spread = spread.max(instance.x.iter().zip(&ls.beta).map(size).sum());
    }
    (best, spread)
}

fn longest(instance: &Instance) -> f64 {
    instance.x.iter().map(|x| items::norm(x)).fold(0.0, f64::max)
}

/// Covers just above the maximum, and violators just below.
fn covers_and_violators(instance: &Instance, slope: (i64, i64), gap: f64) {
    let size: f64 = instance.x.iter().zip(&instance.b).map(|(x, b)| items::norm(x) * b.abs()).sum();
    let (best, spread) = enumerate(instance);
    // Squared lengths from a Gram matrix are good to rounding errors of the squared terms, which
    // are much larger than `best` where the cone is thin.
    let clear = 1e-14 * spread * spread < gap * best * best;
    let t = if clear { best * (1.0 + gap) } else { (best + 0.1 * size).max(1e-3) };
    let units = FloatUnits::choose(longest(instance).max(1e-3), t);
    let instance = on_grid(instance.clone(), units);
    let mut trees = Vec::new();
    for parallel in [false, true] {
        let options = Options { parallel, ..Options::default() };
        match search(&instance, t, units, &options) {
            Outcome::Closed { nodes, .. } => {
                verify(&instance, slope, t, units, &nodes).unwrap();
                trees.push(nodes);
            }
            other => panic!("maximum {best}, T {t}: {other:?}"),
        }
    }
    assert_eq!(trees[0], trees[1]);
    if clear {
        let t = best * (1.0 - 1e-6);
        match search(&instance, t, units, &Options::default()) {
            Outcome::Violated { violators, .. } => {
                for v in &violators {
                    assert!(v.value > t && (items::norm(&v.w) - 1.0).abs() < 1e-14);
                    assert!((instance.value(&v.w) - v.value).abs() <= 1e-12 * size);
                    // A direction may leave the cone by 1e-8.
                    assert!(v.value <= best * (1.0 + 1e-9) + 1e-7 * size);
                    for (x, fixed) in instance.x.iter().zip(&instance.fixed) {
                        let z = dot(x, &v.w) / items::norm(x).max(1e-300);
                        assert!(*fixed != Some(true) || z > -2e-8, "{z}");
                        assert!(*fixed != Some(false) || z < 2e-8, "{z}");
                    }
                }
            }
            other => panic!("maximum {best}, T {t}: {other:?}"),
        }
    }
}

fn instances() -> impl Strategy<Value = (Instance, (i64, i64))> {
    let slope = prop::sample::select(vec![(0i64, 1i64), (1, 3), (1, 1)]);
    let sample = (0u8..8, prop::collection::vec(-4i8..=4, 4), -1.0..1.0f64);
    let samples = prop::collection::vec(sample, 1..=7);
    (samples, 1usize..=4, slope, any::<bool>()).prop_map(|(samples, dim, slope, round)| {
        let mut instance = Instance {
            x: Vec::new(),
            b: Vec::new(),
            fixed: Vec::new(),
            alpha: slope.0 as f64 / slope.1 as f64,
        };
        for (i, (kind, entries, b)) in samples.into_iter().enumerate() {
            let tilt = if round { 0.0 } else { b * 0.37 };
            let mut x: Vec<f64> = entries[..dim].iter().map(|&e| f64::from(e) + tilt).collect();
            if kind == 1 && i > 0 {
                x = instance.x[i - 1].iter().map(|v| -2.0 * v).collect();
            } else if kind == 2 && i > 0 {
                x = instance.x[0].clone();
            } else if kind == 3 {
                x = vec![0.0; dim];
            }
            instance.x.push(x);
            instance.b.push(if kind == 4 { 0.0 } else { b });
            let fixed = match kind {
                4 | 5 => Some(b > 0.3),
                _ => None,
            };
            instance.fixed.push(fixed);
        }
        (instance, slope)
    })
}

proptest! {
    #[test]
    fn agrees_with_enumeration((instance, slope) in instances()) {
        covers_and_violators(&instance, slope, 1e-6);
        covers_and_violators(&instance, slope, 1e-9);
    }
}

/// The global optimum of two samples at an angle: `T = 1` is attained.
#[test]
fn two_samples() {
    let x = vec![vec![12.0 / 13.0, 5.0 / 13.0], vec![-12.0 / 13.0, 5.0 / 13.0]];
    let plus = Instance { x, b: vec![1.0; 2], fixed: vec![None; 2], alpha: 0.0 };
    covers_and_violators(&plus, (0, 1), 1e-9);
    let minus = Instance { b: vec![-1.0; 2], ..plus };
    covers_and_violators(&minus, (0, 1), 1e-9);
}

/// The same cover at any scale of the data.
#[test]
fn scales() {
    for size in [1e-100, 1e-7, 1.0, 1e100] {
        let x = [[3.0, 1.0, 0.5], [-2.0, 2.0, 0.1], [0.3, -1.0, 2.0], [1.0, 1.0, 1.0]];
        let x = x.map(|x| x.map(|v| v * size).to_vec()).to_vec();
        let b = [0.4, 0.3, 0.5, -0.6].map(|b| b / (size * size)).to_vec();
        let instance = Instance { x, b, fixed: vec![None; 4], alpha: 0.0 };
        let starts: Vec<Vec<f64>> = instance.x.clone();
        let best = local_maximise(&instance, &starts, Effort::QUIET)[0].value;
        let t = best * (1.0 + 1e-6);
        let units = FloatUnits::choose(longest(&instance), t);
        let instance = on_grid(instance, units);
        match search(&instance, t, units, &Options::default()) {
            Outcome::Closed { nodes, .. } => verify(&instance, (0, 1), t, units, &nodes).unwrap(),
            other => panic!("{size}: {other:?}"),
        };
    }
}

/// Limits end a search without a verdict.
#[test]
fn limits() {
    let x = (0..12).map(|i| vec![f64::from(i).sin(), f64::from(i).cos(), 1.0 / f64::from(i + 1)]);
    let instance = Instance {
        x: x.collect(),
        b: (0..12).map(|i| 0.5 + f64::from(i % 5)).collect(),
        fixed: vec![None; 12],
        alpha: 0.0,
    };
    let t = 1.0001 * enumerate(&instance).0;
    let units = FloatUnits::choose(longest(&instance), t);
    let instance = on_grid(instance, units);
    let closed = search(&instance, t, units, &Options::default());
    assert!(
        matches!(closed, Outcome::Closed { .. }) && closed.statistics().nodes >= 3,
        "{closed:?}"
    );
    let cancel = AtomicBool::new(true);
    for options in [
        Options { max_nodes: 2, ..Options::default() },
        Options { deadline: Some(Instant::now()), ..Options::default() },
        Options { cancel: Some(&cancel), ..Options::default() },
    ] {
        let outcome = search(&instance, t, units, &options);
        assert!(
            matches!(outcome, Outcome::Limit { statistics: s, .. } if s.open > 0),
            "{outcome:?}"
        );
    }
    // In small steps, the same tree; at every step, a cover for a larger T.
    let Outcome::Closed { nodes, .. } = closed else { panic!() };
    let mut pieces = start(&instance, t, units);
    let few = Options { max_nodes: 1, parallel: false, ..Options::default() };
    let (mut steps, mut last) = (0, f64::INFINITY);
    let stepwise = loop {
        let (tree, loose) = loosen(&instance, t, units, &pieces, f64::INFINITY).unwrap();
        verify(&instance, (0, 1), loose, units, &tree).unwrap();
        assert!(loose > t && loose <= last * (1.0 + 1e-9), "{loose} after {last}");
        last = loose;
        match resume(&instance, t, units, &few, pieces) {
            Outcome::Closed { nodes, .. } => break nodes,
            Outcome::Limit { pieces: rest, .. } => pieces = rest,
            other => panic!("{other:?}"),
        }
        steps += 1;
    };
    assert!(steps > 1);
    assert_eq!(stepwise, nodes);
}
