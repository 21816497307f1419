//! The sections that show pictures.
use super::figures::{self, Plane};
use super::floats::Floats;
use super::{Page, Witness, figure};
use crate::numeric::two_layer::to_f64;
use crate::report::words::percent;
use maud::{Markup, html};
use maxmargin_kernel::claim::{Claim, Region, Scope};
use maxmargin_kernel::network::TwoLayer;

/// Most neurons whose directions are drawn.
const MAX_ARROWS: usize = 40;
/// Most pictures of dual functions, and of curves.
const MAX_PICTURES: usize = 3;

impl Page<'_> {
    /// Two input features: the data, the neurons, the decision.
    pub(super) fn plane(&self) -> Markup {
        let network = self.problem.network();
        if network.inputs() != 2 {
            return html! {};
        }
        let floats = Floats::new(self.problem);
        let binary = network.outputs() == 1;
        let support = self.support();
        let sample = |(i, x): (usize, &Vec<f64>)| {
            let label = self.problem.data().label(i);
            let class =
                if binary { usize::from(label < 0) } else { usize::try_from(label).unwrap_or(0) };
            ([x[0], x[1]], class, support.contains(&i))
        };
        let samples = floats.x.iter().enumerate().map(sample).collect();
        let rows = network.layers()[0].rows();
        let last = network.layers().last();
        let neuron = |r: usize| {
            let w = floats.row(0, r);
            let v = if network.depth() == 2 && binary { floats.row(1, 0)[r] } else { 1.0 };
            ([w[0], w[1]], v)
        };
        let all: Vec<_> = (0..rows).map(neuron).collect();
        let mut neurons: Vec<_> = all.iter().filter(|(w, _)| *w != [0.0, 0.0]).copied().collect();
        neurons.sort_by(|(a, _), (b, _)| b[0].hypot(b[1]).total_cmp(&a[0].hypot(a[1])));
        neurons.truncate(MAX_ARROWS);
        let drawn = neurons.len();
        let predicted = |x: [f64; 2]| {
            let out = floats.outputs(&floats.parameters, &x);
            let scale = out.iter().fold(0.0f64, |m, o| m.max(o.abs()));
            let first = out.first().filter(|_| scale > 0.0)?;
            if binary {
                return Some(usize::from(*first < 0.0));
            }
            let best = (0..out.len()).fold(0, |b, k| if out[k] > out[b] { k } else { b });
            Some(best)
        };
        let svg = figures::plane(&Plane { samples, neurons, predicted: &predicted });
        let depth_two = network.depth() == 2 && binary && last.is_some();
        let caption = html! {
            @if binary { "Circles are samples of label +1, squares of label −1" }
            @else { "Samples by class" }
            "; rings mark the support (λ > 0). The tint is the network's prediction, white where its \
             output is 0; without biases it depends on the direction only. "
            "Arrows are first-layer neurons and point into the half-plane where they are active; dashed lines \
             are its edges"
            @if depth_two { "; blue arrows add to the output, orange ones subtract" }
            "."
            @if drawn < rows { " Not drawn: " (rows - drawn) " of " (rows) " neurons, zero or the smallest." }
        };
        html! {
            section #plane {
                h2 { "The network in the plane" }
                (figure("Samples, neurons and decision regions in the plane", svg, &caption))
            }
        }
    }

    /// Samples with a positive multiplier in the first proof that has any.
    fn support(&self) -> Vec<usize> {
        let constraints = self.problem.margins().constraints();
        let sample = |(k, _): &(usize, f64)| constraints.get(*k).map(|c| c.sample);
        self.main_witness().map_or_else(Vec::new, |w| w.lambda.iter().filter_map(sample).collect())
    }

    /// The proof whose multipliers the pictures show: first KKT, then the residual, then the widest bound.
    pub(super) fn main_witness(&self) -> Option<&Witness> {
        let rank = |w: &&Witness| match (&w.claim, w.claim.scope()) {
            (Claim::Kkt { .. }, Scope::All) => 0,
            (Claim::GlobalOptimum { .. }, Scope::All) => 1,
            (Claim::LocalOptimum { .. }, Scope::All) => 2,
            (Claim::KktResidual { .. }, Scope::All) => 3,
            (Claim::MarginAtMost { region, .. }, Scope::All) => match region {
                Region::AnyWidth => 4,
                Region::Everywhere => 5,
                Region::Near(_) => 6,
                Region::Cell => 7,
            },
            _ => 8,
        };
        self.contents.witnesses.iter().filter(|w| !w.lambda.is_empty()).min_by_key(rank)
    }

    /// Two input features, depth 2, one output: `g` around the circle.
    pub(super) fn dual(&self) -> Markup {
        let network = self.problem.network();
        let (Ok(list), Some((nu, _))) = (TwoLayer::with_one_output(network), &self.report.nu)
        else {
            return html! {};
        };
        if network.inputs() != 2 || list.neurons.iter().any(|n| n.inputs.len() != 2) {
            return html! {};
        }
        let floats = Floats::new(self.problem);
        let neurons: Vec<(f64, f64)> = list
            .neurons
            .iter()
            .map(|n| (floats.row(0, n.index), to_f64(&n.v1())))
            .filter(|(w, v)| (w[0] != 0.0 || w[1] != 0.0) && *v != 0.0)
            .map(|(w, v)| (w[1].atan2(w[0]), v))
            .collect();
        let mut shown: Vec<Vec<(usize, f64)>> = Vec::new();
        let mut pictures = Vec::new();
        for w in &self.contents.witnesses {
            if w.claim.scope() != Scope::All
                || w.lambda.is_empty()
                || pictures.len() >= MAX_PICTURES
            {
                continue;
            }
            let bound = match &w.claim {
                Claim::MarginAtMost { bound, .. } => bound.to_f64(),
                _ => to_f64(nu),
            };
            let sum: f64 = w.lambda.iter().map(|l| l.1).sum();
            let scaled: Vec<_> =
                w.lambda.iter().map(|(k, l)| (*k, l / (2.0 * bound * sum))).collect();
            let same = |old: &Vec<(usize, f64)>| {
                old.len() == scaled.len()
                    && old
                        .iter()
                        .zip(&scaled)
                        .all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() <= 1e-9 * a.1)
            };
            if shown.iter().any(same) {
                continue;
            }
            let ratio = |phi: f64| {
                let (sin, cos) = phi.sin_cos();
                let term = |(k, l): &(usize, f64)| {
                    let x = &floats.x[*k];
                    l * self.problem.data().label(*k) as f64 * floats.sigma(cos * x[0] + sin * x[1])
                };
                scaled.iter().map(term).sum::<f64>()
            };
            let svg = figures::dual(&ratio, &neurons);
            let peak = figures::peak(&ratio);
            let caption = html! {
                "Multipliers of the proof of " b { (w.claim.kind().replace('_', " ")) } " (" (super::sections::place(&w.claim)) "). "
                "g(w) = Σ λᵢ yᵢ σ(w·xᵢ) is what a neuron of direction w can add to the margins, T what it costs. \
                 Circles (triangles) are the network's neurons with positive (negative) output weight. "
                @if peak <= 1.0 + 1e-9 {
                    "Here g stays within ±T all the way round: no neuron in any direction pays for more than its cost, \
                     and no network of any width beats the bound. The certificate proves this where it claims it."
                } @else {
                    "Where g leaves the band, by up to " (percent(((peak - 1.0) * 1e4).round() / 1e4)) ", a neuron in that direction would pay: \
                     with these multipliers nothing is proved beyond the region of the claim."
                }
            };
            pictures.push(figure("The dual function around the circle", svg, &caption));
            shown.push(scaled);
        }
        html! {
            @if !pictures.is_empty() {
                section #dual {
                    h2 { "The dual function" }
                    @for picture in &pictures { (picture) }
                }
            }
        }
    }

    /// Margin and norm along every curve of better points.
    pub(super) fn curves(&self) -> Markup {
        let escapes: Vec<(&Witness, _)> = self
            .contents
            .witnesses
            .iter()
            .filter_map(|w| w.moves.as_ref().map(|moves| (w, moves)))
            .take(MAX_PICTURES)
            .collect();
        if escapes.is_empty() {
            return html! {};
        }
        let floats = Floats::new(self.problem);
        let (gamma, norm) = floats.gamma_and_norm(self.problem, &floats.parameters);
        html! {
            section #escape {
                h2 { "The way out" }
                @for (w, moves) in escapes {
                    @let layers = match w.claim.scope() { Scope::All => 0, Scope::Layer(l) => l };
                    @let part = |p: &[Vec<f64>]| -> f64 { match layers { 0 => p.iter().flatten().map(|u| u * u).sum(), l => p[l - 1].iter().map(|u| u * u).sum() } };
                    @let start = part(&floats.parameters);
                    @let at = |epsilon: f64| {
                        let parameters = floats.along(moves, epsilon);
                        let (margin, _) = floats.gamma_and_norm(self.problem, &parameters);
                        (margin / gamma, (part(&parameters) / start).sqrt())
                    };
                    @let degree = if layers == 0 { i32::try_from(self.problem.network().depth()).unwrap_or(1) } else { 1 };
                    (figure("Margin, norm and normalised margin along the curve of better points", figures::curve(&at, degree).filter(|_| norm > 0.0), &html! {
                        "Along the certified curve θ(ε)"
                        @if layers > 0 { ", on which only layer " (layers) " moves," }
                        " no margin falls below γ while the norm falls: every point of it, \
                         arbitrarily close to the network at ε = 0, is better. The certificate has its coefficients."
                    }))
                }
            }
        }
    }
}
