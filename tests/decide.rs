//! Exact verdicts: the paper's map, random exact points, symmetries.
use maxmargin::budget::Budget;
use maxmargin::certify::seal;
use maxmargin::numeric::pythagorean::orthogonal;
use maxmargin::paper::{fixtures::map, run};
use maxmargin::prove::decide::{Decision, Question, decide, prove};
use maxmargin_kernel::certificate::Proof;
use maxmargin_kernel::check::{Limits, check};
use maxmargin_kernel::claim::{Claim, Scope};
use maxmargin_kernel::network::{Activation, Layer, Network};
use maxmargin_kernel::number::{Rational, ScaledVec};
use maxmargin_kernel::problem::{Data, Problem};
use proptest::prelude::*;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

fn rational(n: i64, d: i64) -> Rational {
    Rational::new(n.into(), d.into())
}

/// A ReLU-like network of depth 2 by rows of `w` and `v`, all rational.
fn problem(
    alpha: &Rational,
    w: &[Vec<Rational>],
    v: &[Rational],
    x: &[Vec<Rational>],
    y: &[i64],
) -> Problem {
    let scaled = |rows: &[Vec<Rational>]| ScaledVec::from_rationals(&rows.concat());
    let layers = vec![
        Layer::dense(1, w.len(), w[0].len(), scaled(w)).unwrap(),
        Layer::dense(2, 1, v.len(), ScaledVec::from_rationals(v)).unwrap(),
    ];
    let network = Network::new(Activation::leaky(alpha.clone()).unwrap(), layers).unwrap();
    let samples = x.iter().map(|x| ScaledVec::from_rationals(x)).collect();
    Problem::new(network, Data::new(samples, y.to_vec()).unwrap()).unwrap()
}

/// Far away: so the limits that hold where none is set do not make answers depend on the machine.
fn long() -> Budget {
    Budget::seconds(Some(3600.0))
}

fn answers(problem: &Problem, scope: Scope, questions: &[Question]) -> Vec<Option<bool>> {
    decide(problem, scope, questions, &long()).iter().map(Decision::verdict).collect()
}

fn verdicts(problem: &Problem, scope: Scope) -> Vec<Option<bool>> {
    answers(problem, scope, &Question::ALL)
}

#[test]
fn every_cell_of_the_paper_is_certified() {
    let walk = run(&|problem, claims| prove(problem, claims, &Budget::default()));
    let (certified, all) = walk.count();
    assert_eq!((certified, all), (18, 18));
    for point in &walk.points {
        assert!(point.missing().is_empty(), "{}: {:?}", point.fixture.name, point.missing());
        seal(&point.problem, point.entries.clone(), true, None).unwrap();
    }
    assert_eq!(walk.points.len(), 17);
}

#[test]
fn the_stored_certificates_of_the_paper_prove_the_same_claims() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("certificates/paper");
    for fixture in &map().fixtures {
        let path = folder.join(format!("{}.cert.json", fixture.name));
        let file = BufReader::new(File::open(&path).unwrap());
        let report = check(file, Some(&fixture.problem()), Limits::default()).unwrap();
        let stored: Vec<Claim> = report.claims.into_iter().map(|v| v.claim).collect();
        for claim in &fixture.claims {
            assert!(stored.contains(claim), "{}: {claim}", fixture.name);
        }
        assert_eq!(stored.len(), fixture.claims.len(), "{}", fixture.name);
    }
}

#[test]
fn a_point_that_is_not_scaled_has_the_same_verdicts() {
    for fixture in &map().fixtures {
        let point = fixture.problem();
        let network = point.network();
        // Every layer by the same factor: margins by its power, direction unchanged.
        let scale = |l: &Layer| {
            let u: Vec<_> =
                l.parameters().to_rationals().iter().map(|u| u * rational(3, 7)).collect();
            l.with_parameters(ScaledVec::from_rationals(&u)).unwrap()
        };
        let layers = network.layers().iter().map(scale).collect();
        let scaled = Network::new(network.activation().clone(), layers).unwrap();
        let scaled = Problem::new(scaled, point.data().clone()).unwrap();
        assert_eq!(verdicts(&scaled, Scope::All), verdicts(&point, Scope::All), "{}", fixture.name);
    }
}

/// A point by its numbers.
#[derive(Clone, Debug)]
struct Point {
    alpha: Rational,
    w: Vec<Vec<Rational>>,
    v: Vec<Rational>,
    x: Vec<Vec<Rational>>,
    y: Vec<i64>,
}

impl Point {
    fn problem(&self) -> Problem {
        problem(&self.alpha, &self.w, &self.v, &self.x, &self.y)
    }

    /// With the labels that the network gives; samples where it is 0 are left out. `None` if none are left.
    fn labelled(
        alpha: Rational,
        w: Vec<Vec<Rational>>,
        v: Vec<Rational>,
        x: Vec<Vec<Rational>>,
    ) -> Option<Self> {
        let zero = rational(0, 1);
        let x: Vec<_> = x.into_iter().filter(|x| x.iter().any(|e| *e != zero)).collect();
        if x.is_empty() {
            return None;
        }
        let probe = problem(&alpha, &w, &v, &x, &vec![1; x.len()]);
        let values = probe.margins().values();
        let kept = x.into_iter().zip(values).filter(|(_, q)| **q != zero);
        let (x, y): (Vec<_>, Vec<_>) =
            kept.map(|(x, q)| (x, if *q < zero { -1 } else { 1 })).unzip();
        (!x.is_empty()).then_some(Self { alpha, w, v, x, y })
    }

    fn samples(&self, f: impl Fn(&[Rational]) -> Vec<Rational>) -> Self {
        Self { x: self.x.iter().map(|x| f(x)).collect(), ..self.clone() }
    }
}

prop_compose! {
    /// Anything.
    fn small(alphas: Vec<Rational>)(
        alpha in prop::sample::select(alphas),
        d in 1usize..4,
        m in 1usize..4,
        n in 1usize..4,
        numbers in prop::collection::vec(-3i64..=3, 40),
    ) -> Option<Point> {
        let mut next = numbers.into_iter().cycle();
        let mut vector = |k: usize| -> Vec<Rational> {
            (0..k).map(|_| rational(next.next().unwrap(), 2)).collect()
        };
        let w: Vec<_> = (0..m).map(|_| vector(d)).collect();
        let v = vector(m);
        let x: Vec<_> = (0..n).map(|_| vector(d)).collect();
        Point::labelled(alpha, w, v, x)
    }
}

prop_compose! {
    /// Neurons on the axes and samples on a lattice: many kinks, ties, dead neurons, and multipliers
    /// that are not unique.
    fn lattice(alphas: Vec<Rational>)(
        alpha in prop::sample::select(alphas),
        d in 1usize..4,
        m in 1usize..4,
        n in 1usize..6,
        axes in prop::collection::vec((0usize..4, prop::bool::ANY, prop::bool::ANY), 3),
        numbers in prop::collection::vec(-1i64..=1, 18),
    ) -> Option<Point> {
        let sign = |minus: bool| if minus { -1 } else { 1 };
        let unit = |axis: usize, s: i64| (0..d).map(|c| rational(if c == axis { s } else { 0 }, 1)).collect();
        // One axis too many: a dead neuron.
        let w = axes[..m].iter().map(|(k, s, _)| unit(k % (d + 1), sign(*s))).collect();
        let v = axes[..m].iter().map(|(k, _, s)| rational(if k % (d + 1) == d { 0 } else { sign(*s) }, 1)).collect();
        let x = numbers.chunks(d).take(n).map(|x| x.iter().map(|e| rational(*e, 1)).collect()).collect();
        Point::labelled(alpha, w, v, x)
    }
}

fn slopes() -> Vec<Rational> {
    vec![rational(0, 1), rational(1, 3), rational(1, 1)]
}

/// So many cases, or as many as the environment asks for.
fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(usual), ..ProptestConfig::default() }
}

/// The same point after the symmetries of the problem, by name.
fn images(point: &Point, seed: u64) -> Vec<(&'static str, Point)> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut images = Vec::new();
    let mut neurons: Vec<usize> = (0..point.w.len()).collect();
    neurons.shuffle(&mut rng);
    let (w, v) = neurons.iter().map(|j| (point.w[*j].clone(), point.v[*j].clone())).unzip();
    images.push(("neurons in another order", Point { w, v, ..point.clone() }));
    let mut samples: Vec<usize> = (0..point.x.len()).collect();
    samples.shuffle(&mut rng);
    let (x, y) = samples.iter().map(|i| (point.x[*i].clone(), point.y[*i])).unzip();
    images.push(("samples in another order", Point { x, y, ..point.clone() }));
    let mut twice = point.clone();
    let again = rng.random_range(0..point.x.len());
    let at = rng.random_range(0..=point.x.len());
    twice.x.insert(at, point.x[again].clone());
    twice.y.insert(at, point.y[again]);
    images.push(("a sample twice", twice));
    let larger = |x: &[Rational]| x.iter().map(|e| e * rational(5, 3)).collect();
    images.push(("data scaled", point.samples(larger)));
    images.push((
        "classes exchanged",
        Point {
            v: point.v.iter().map(|v| -v).collect(),
            y: point.y.iter().map(|y| -y).collect(),
            ..point.clone()
        },
    ));
    let frame = orthogonal(&mut rng, point.x[0].len(), 3);
    let turn = |x: &[Rational]| -> Vec<Rational> {
        frame.iter().map(|r| r.iter().zip(x).map(|(a, b)| a * b).sum()).collect()
    };
    let w = point.w.iter().map(|w| turn(w)).collect();
    images.push(("rotated", Point { w, ..point.samples(turn) }));
    images
}

proptest! {
    #![proptest_config(cases(400))]

    /// Points at depth 2 are decided as far as theory promises, and answers do not contradict
    /// each other: local implies KKT, global implies local.
    #[test]
    fn small_points_are_decided(point in prop_oneof![small(slopes()), lattice(slopes())]) {
        let Some(point) = point.map(|p| p.problem()) else { return Ok(()) };
        let [kkt, local, global] = verdicts(&point, Scope::All)[..] else { unreachable!() };
        prop_assert!(kkt.is_some(), "KKT undecided");
        prop_assert!(!(kkt == Some(false) && local == Some(true)), "local but not KKT");
        prop_assert!(!(local == Some(false) && global == Some(true)), "global but not local");
        let facts = point.facts();
        let alive = facts.dead == 0 && point.network().layers().iter().all(|l| {
            (0..l.rows()).all(|r| !l.row(r).is_zero())
        }) && point.network().layers()[1].parameters().to_rationals().iter().all(|v| *v != rational(0, 1));
        if alive && facts.kinks <= 12 {
            prop_assert!(local.is_some(), "local optimality undecided");
        }
    }

    /// Verdicts do not depend on the order of samples or neurons, on repeated samples, on the scale
    /// of the data, on the frame, or on the names of the two classes.
    #[test]
    fn verdicts_have_the_symmetries_of_the_problem(
        point in prop_oneof![small(slopes()), lattice(slopes())],
        seed in any::<u64>(),
    ) {
        let Some(point) = point else { return Ok(()) };
        let before = verdicts(&point.problem(), Scope::All);
        for (name, image) in images(&point, seed) {
            prop_assert_eq!(&verdicts(&image.problem(), Scope::All), &before, "{}", name);
        }
    }
}

/// One neuron per label in `labels` (each at most once), the samples of which it serves with equal
/// margins although they lie far apart: as good as one neuron can be, worse than two.
fn one_neuron_per_label(rng: &mut Pcg64Mcg, labels: &[i64]) -> Point {
    let d = 2 * labels.len();
    let frame = orthogonal(rng, d, 3);
    let mut point = Point { alpha: rational(0, 1), w: vec![], v: vec![], x: vec![], y: vec![] };
    for (g, label) in labels.iter().enumerate() {
        let r = rational(rng.random_range(1..=3), rng.random_range(1..=2));
        let (own, across) = (&frame[2 * g], &frame[2 * g + 1]);
        point.w.push(own.iter().map(|e| e * &r).collect());
        point.v.push(&r * rational(*label, 1));
        let third = rng.random_bool(0.5);
        let spread = [(true, 1), (true, -1), (third, if rng.random() { 1 } else { -1 })];
        for (_, side) in spread.iter().filter(|s| s.0) {
            // w·x = 1/r, and a distance from w at least twice as long.
            let t = rational(side * rng.random_range(4..=7), 2);
            let at = own.iter().zip(across).map(|(a, b)| (a + b * &t) / (&r * &r)).collect();
            point.x.push(at);
            point.y.push(*label);
        }
    }
    point
}

proptest! {
    #![proptest_config(cases(12))]

    /// Where the bound for every width is loose, a tree over this width decides; with spare neurons the
    /// point is no optimum.
    #[test]
    fn the_best_network_of_one_width_is_recognised(seed in any::<u64>(), both in any::<bool>()) {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let labels: &[i64] = if both { &[1, -1] } else { &[1] };
        let point = one_neuron_per_label(&mut rng, labels);
        let here = decide(&point.problem(), Scope::All, &Question::ALL, &long());
        let given: Vec<_> = here.iter().map(Decision::verdict).collect();
        prop_assert_eq!(given, vec![Some(true); 3]);
        let global = here[2].answer.as_ref().unwrap();
        prop_assert!(matches!(global.proof, Proof::WidthTree(_)), "{:?}", global.proof);
        // One spare neuron for one of the labels is enough.
        let mut wider = point.clone();
        for spare in 1..=labels.len() {
            wider.w.push(vec![rational(0, 1); point.x[0].len()]);
            wider.v.push(rational(0, 1));
            let wider = answers(&wider.problem(), Scope::All, &Question::ALL);
            prop_assert_eq!(&wider, &[Some(true), Some(false), Some(false)], "{} spare neurons", spare);
        }
    }
}

/// A network of any depth and number of outputs, rows by layers, with its samples.
#[derive(Clone, Debug)]
struct Deep {
    alpha: Rational,
    layers: Vec<Vec<Vec<Rational>>>,
    x: Vec<Vec<Rational>>,
    y: Vec<i64>,
}

impl Deep {
    fn problem(&self) -> Problem {
        let layer = |(l, rows): (usize, &Vec<Vec<Rational>>)| {
            let all = ScaledVec::from_rationals(&rows.concat());
            Layer::dense(l + 1, rows.len(), rows[0].len(), all).unwrap()
        };
        let layers = self.layers.iter().enumerate().map(layer).collect();
        let network = Network::new(Activation::leaky(self.alpha.clone()).unwrap(), layers).unwrap();
        let samples = self.x.iter().map(|x| ScaledVec::from_rationals(x)).collect();
        Problem::new(network, Data::new(samples, self.y.clone()).unwrap()).unwrap()
    }

    /// The samples with these numbers, in this order.
    fn with_samples(&self, order: &[usize]) -> Self {
        let x = order.iter().map(|i| self.x[*i].clone()).collect();
        let y = order.iter().map(|i| self.y[*i]).collect();
        Self { x, y, ..self.clone() }
    }

    /// The same point in another frame, with larger data, and with the classes under other names.
    fn images(&self, rng: &mut Pcg64Mcg) -> [(&'static str, Self); 3] {
        let frame = orthogonal(rng, self.x[0].len(), 3);
        let turn = |x: &Vec<Rational>| -> Vec<Rational> {
            frame.iter().map(|r| r.iter().zip(x).map(|(a, b)| a * b).sum()).collect()
        };
        let mut rotated = self.clone();
        rotated.x = self.x.iter().map(turn).collect();
        rotated.layers[0] = self.layers[0].iter().map(turn).collect();
        let mut scaled = self.clone();
        scaled.x.iter_mut().flatten().for_each(|e| *e *= rational(5, 3));
        let mut named = self.clone();
        let last = named.layers.last_mut().unwrap();
        if last.len() == 1 {
            last[0].iter_mut().for_each(|v| *v = -v.clone());
            named.y.iter_mut().for_each(|y| *y = -*y);
        } else {
            let classes = last.len() as i64;
            last.rotate_right(1);
            named.y.iter_mut().for_each(|y| *y = (*y + 1) % classes);
        }
        [("rotated", rotated), ("data scaled", scaled), ("classes renamed", named)]
    }

    /// The units of a hidden layer in another order.
    fn with_units(&self, layer: usize, order: &[usize]) -> Self {
        let mut image = self.clone();
        image.layers[layer] = order.iter().map(|j| self.layers[layer][*j].clone()).collect();
        image.layers[layer + 1] = (self.layers[layer + 1].iter())
            .map(|row| order.iter().map(|j| row[*j].clone()).collect())
            .collect();
        image
    }
}

/// A random point with rows on the axes and samples on a lattice, labelled by the network; ties and
/// equal gradients are frequent.
fn deep(seed: u64) -> Option<Deep> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let alpha = slopes()[rng.random_range(0..3)].clone();
    let hidden = rng.random_range(1..=2);
    let outputs = rng.random_range(1..=3);
    let mut widths: Vec<usize> = (0..=hidden).map(|_| rng.random_range(1..=3)).collect();
    widths.push(outputs);
    let row = |width: usize, rng: &mut Pcg64Mcg| -> Vec<Rational> {
        let axis = rng.random_range(0..width);
        let sign = if rng.random_bool(0.8) { 1 } else { -1 };
        (0..width).map(|c| rational(if c == axis { sign } else { 0 }, 1)).collect()
    };
    let mut layers: Vec<Vec<Vec<Rational>>> = Vec::new();
    for pair in widths.windows(2) {
        layers.push((0..pair[1]).map(|_| row(pair[0], &mut rng)).collect());
    }
    let x: Vec<Vec<Rational>> = (0..rng.random_range(1..=4))
        .map(|_| (0..widths[0]).map(|_| rational(rng.random_range(-1..=1), 1)).collect())
        .collect();
    let mut point = Deep { alpha, layers, x: vec![], y: vec![] };
    for x in x.into_iter().filter(|x| x.iter().any(|e| *e != rational(0, 1))) {
        let probe = Deep { x: vec![x.clone()], y: vec![i64::from(outputs == 1)], ..point.clone() };
        let out = probe.problem().network().rational_model().forward(&x).outputs();
        let best = (0..out.len()).max_by(|a, b| out[*a].cmp(&out[*b])).unwrap();
        let label =
            if outputs == 1 { if out[0] < rational(0, 1) { -1 } else { 1 } } else { best as i64 };
        let with = Deep { x: vec![x.clone()], y: vec![label], ..point.clone() };
        if with.problem().gamma().is_ok() {
            point.x.push(x);
            point.y.push(label);
        }
    }
    (!point.x.is_empty()).then_some(point)
}

const NEARBY: [Question; 2] = [Question::Kkt, Question::Local];

proptest! {
    #![proptest_config(cases(150))]

    /// Verdicts about deep points and points with several outputs, where multipliers are seldom
    /// unique, do not depend on the order of samples and units or on repeated samples.
    #[test]
    fn verdicts_about_deep_points_do_not_depend_on_the_order(seed in any::<u64>()) {
        let Some(point) = deep(seed) else { return Ok(()) };
        let mut rng = Pcg64Mcg::seed_from_u64(seed ^ 1);
        let before = answers(&point.problem(), Scope::All, &NEARBY);
        prop_assert!(!(before[0] == Some(false) && before[1] == Some(true)), "local but not KKT");
        let mut order: Vec<usize> = (0..point.x.len()).collect();
        order.shuffle(&mut rng);
        let image = point.with_samples(&order);
        prop_assert_eq!(&answers(&image.problem(), Scope::All, &NEARBY), &before, "samples in another order");
        order.push(order[0]);
        let image = point.with_samples(&order);
        prop_assert_eq!(&answers(&image.problem(), Scope::All, &NEARBY), &before, "a sample twice");
        let layer = rng.random_range(0..point.layers.len() - 1);
        let mut units: Vec<usize> = (0..point.layers[layer].len()).collect();
        units.shuffle(&mut rng);
        let image = point.with_units(layer, &units);
        prop_assert_eq!(&answers(&image.problem(), Scope::All, &NEARBY), &before, "units in another order");
    }

    /// Nor on the frame, the scale of the data, or the names of the classes.
    #[test]
    fn verdicts_about_deep_points_have_the_symmetries_of_the_problem(seed in any::<u64>()) {
        let Some(point) = deep(seed) else { return Ok(()) };
        let mut rng = Pcg64Mcg::seed_from_u64(seed ^ 2);
        let before = answers(&point.problem(), Scope::All, &NEARBY);
        for (name, image) in point.images(&mut rng) {
            prop_assert_eq!(&answers(&image.problem(), Scope::All, &NEARBY), &before, "{}", name);
        }
    }

    /// A hidden layer of a deep ReLU network called a global optimum by itself survives random
    /// competitors, on the lattice of the point and anywhere.
    #[test]
    fn layers_called_global_survive_competitors(seed in any::<u64>()) {
        let Some(mut point) = deep(seed) else { return Ok(()) };
        point.alpha = rational(0, 1);
        if point.layers.last().unwrap().len() > 1 {
            return Ok(());
        }
        let problem = point.problem();
        if problem.gamma().is_err() {
            return Ok(());
        }
        for layer in 1..point.layers.len() {
            let [global] = answers(&problem, Scope::Layer(layer), &[Question::Global])[..] else { unreachable!() };
            if global == Some(true) {
                let better = competitor(&point, layer, seed);
                prop_assert!(better.is_none(), "layer {}: {:?}", layer, better);
            }
        }
    }
}

/// A layer with a larger normalised margin, if random search finds one.
fn competitor(point: &Deep, layer: usize, seed: u64) -> Option<Vec<Vec<Rational>>> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed ^ 2);
    let square =
        |rows: &[Vec<Rational>]| -> Rational { rows.iter().flatten().map(|e| e * e).sum() };
    let problem = point.problem();
    let here = problem.gamma().unwrap();
    let norm = square(&point.layers[layer - 1]);
    (0..400).find_map(|round| {
        let mut other = point.clone();
        for entry in other.layers[layer - 1].iter_mut().flatten() {
            *entry = match round % 2 {
                0 => rational(rng.random_range(-1..=1), 1),
                _ => rational(rng.random_range(-64..=64), 64),
            };
        }
        let there = other.problem();
        let gamma = there.gamma().ok()?;
        let better = gamma * gamma * &norm > here * here * square(&other.layers[layer - 1]);
        better.then(|| other.layers[layer - 1].clone())
    })
}

/// Two equal neurons, three classes, two samples: λ = (a, b, c, d) with a + c = b + d = 1/6, a + b = c + d. At the
/// two vertices of these `‖M‖` is 10/3, in the middle it is 1; only there λ proves the point locally
/// optimal by convexity, whatever the order of the samples, and equal neurons leave no other way.
#[test]
fn multipliers_inside_their_polytope_are_found() {
    let row = |e: &[i64]| e.iter().map(|e| rational(*e, 1)).collect::<Vec<_>>();
    let point = Deep {
        alpha: rational(0, 1),
        layers: vec![
            vec![row(&[1, 1, 2]), row(&[1, 1, 2])],
            vec![row(&[2, 2]), row(&[-1, -1]), row(&[-1, -1])],
        ],
        x: vec![row(&[11, -9, 2]), row(&[-9, 11, 2])],
        y: vec![0, 0],
    };
    for order in [&[0, 1][..], &[1, 0], &[0, 0, 1], &[1, 0, 1, 0]] {
        let problem = point.with_samples(order).problem();
        let decisions = decide(&problem, Scope::All, &NEARBY, &long());
        let given: Vec<_> = decisions.iter().map(Decision::verdict).collect();
        assert_eq!(given, [Some(true), Some(true)], "{order:?}: {:?}", decisions[1].answer);
        let proof = &decisions[1].answer.as_ref().unwrap().proof;
        assert!(matches!(proof, Proof::ConvexCell(_)), "{proof:?}");
    }
}

/// Undecided points say which hypothesis fails and what is proved instead.
#[test]
fn undecided_points_name_the_hypothesis_that_fails() {
    let whole = |rows: &[&[i64]]| -> Vec<Vec<Rational>> {
        rows.iter().map(|r| r.iter().map(|e| rational(*e, 1)).collect()).collect()
    };
    let reason = |point: &Deep, question: Question| {
        let all = decide(&point.problem(), Scope::All, &[question], &long());
        all[0].answer.clone().map(|entry| entry.claim.to_string()).unwrap_err()
    };
    let relu = |layers: Vec<Vec<Vec<Rational>>>| Deep {
        alpha: rational(0, 1),
        layers,
        x: whole(&[&[1]]),
        y: vec![1],
    };
    // A spare unit at a kink, with a weight 0 above it.
    let kink = relu(vec![whole(&[&[4], &[0]]), whole(&[&[4, 0]]), whole(&[&[4]])]);
    let local = reason(&kink, Question::Local);
    assert!(
        local.starts_with("1 active kinks at depth 3, and constraint 0: the backward weight"),
        "{local}"
    );
    assert!(local.ends_with("proved instead: it is a KKT point"), "{local}");
    // Four equal units: turning their weights into each other costs nothing.
    let four =
        relu(vec![whole(&[&[1], &[1], &[1], &[1]]), whole(&[&[1, 1, 1, 1]]), whole(&[&[2]])]);
    let local = reason(&four, Question::Local);
    assert!(local.starts_with("no active kinks, but the curvature is degenerate"), "{local}");
    assert!(local.ends_with("proved instead: it is a KKT point"), "{local}");
    let global = reason(&four, Question::Global);
    assert!(global.starts_with("the bound for every width needs a network of depth 2"), "{global}");
    // A layer below one with a negative weight.
    let below = relu(vec![whole(&[&[1], &[0]]), whole(&[&[1, -2], &[0, 2]]), whole(&[&[1, 1]])]);
    let all = decide(&below.problem(), Scope::Layer(1), &[Question::Global], &long());
    let verdict = all[0].answer.clone().map(|entry| entry.claim.kind());
    assert_eq!(verdict, Ok("not_global_optimum"));
}
