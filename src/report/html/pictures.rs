//! The sections that show pictures.
use super::figures;
use super::floats::Floats;
use super::{Page, Witness, figure};
use crate::numeric::two_layer::to_f64;
use crate::report::words::percent;
use maud::{Markup, html};
use maxmargin_kernel::claim::{Claim, Region, Scope};
use maxmargin_kernel::network::TwoLayer;

/// Most pictures of dual functions, and of curves.
const MAX_PICTURES: usize = 3;

impl Page<'_> {
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
