//! The section with the data, the neurons and the decision of a network of two features.
use super::figures::{self, Neuron, Plane};
use super::floats::Floats;
use super::{Page, figure};
use maud::{Markup, html};

/// Most neurons that are drawn.
const MAX_NEURONS: usize = 40;

/// The two features of a plane, and the third if it is constant: a bias.
struct Axes {
    features: [usize; 2],
    constant: Option<(usize, f64)>,
}

impl Axes {
    fn of(inputs: usize, x: &[Vec<f64>]) -> Option<Self> {
        match inputs {
            2 => Some(Self { features: [0, 1], constant: None }),
            3 => {
                let first = x.first().filter(|_| x.len() > 1)?;
                let same = |f: &usize| first[*f] != 0.0 && x.iter().all(|x| x[*f] == first[*f]);
                // The last, where biases are appended.
                let bias = (0..3).rev().find(same)?;
                let features = [[1, 2], [0, 2], [0, 1]][bias];
                Some(Self { features, constant: Some((bias, first[bias])) })
            }
            _ => None,
        }
    }

    fn point(&self, x: &[f64]) -> [f64; 2] {
        self.features.map(|f| x[f])
    }

    /// The inputs of a point of the plane.
    fn inputs(&self, at: [f64; 2]) -> Vec<f64> {
        let mut x = vec![0.0; 2 + usize::from(self.constant.is_some())];
        for (f, v) in self.features.into_iter().zip(at) {
            x[f] = v;
        }
        if let Some((f, v)) = self.constant {
            x[f] = v;
        }
        x
    }
}

impl Page<'_> {
    /// Two input features, with or without a bias: the data, the neurons, the decision.
    pub(super) fn plane(&self) -> Markup {
        let network = self.problem.network();
        let floats = Floats::new(self.problem);
        let Some(axes) = Axes::of(network.inputs(), &floats.x) else { return html! {} };
        let binary = network.outputs() == 1;
        let support = self.support();
        let sample = |(i, x): (usize, &Vec<f64>)| {
            let label = self.problem.data().label(i);
            let class =
                if binary { usize::from(label < 0) } else { usize::try_from(label).unwrap_or(0) };
            (axes.point(x), class, support.contains(&i))
        };
        let samples = floats.x.iter().enumerate().map(sample).collect();
        let rows = network.layers()[0].rows();
        let depth_two = network.depth() == 2 && binary;
        let neuron = |r: usize| {
            let w = floats.row(0, r);
            let v = if depth_two { floats.row(1, 0)[r] } else { 1.0 };
            let offset = axes.constant.map_or(0.0, |(f, c)| w[f] * c);
            Neuron { w: axes.point(&w), offset, v }
        };
        let all = (0..rows).map(neuron);
        let mut neurons: Vec<Neuron> = all.filter(|n| n.w != [0.0, 0.0]).collect();
        neurons.sort_by(|a, b| b.size().total_cmp(&a.size()));
        neurons.truncate(MAX_NEURONS);
        let drawn = neurons.len();
        let outputs = |at: [f64; 2]| floats.outputs(&floats.parameters, &axes.inputs(at));
        let predicted = |at: [f64; 2]| {
            let out = outputs(at);
            let scale = out.iter().fold(0.0f64, |m, o| m.max(o.abs()));
            let first = out.first().filter(|_| scale > 0.0)?;
            if binary {
                return Some(usize::from(*first < 0.0));
            }
            let best = (0..out.len()).fold(0, |b, k| if out[k] > out[b] { k } else { b });
            Some(best)
        };
        let first = |at: [f64; 2]| outputs(at).first().copied().unwrap_or(0.0);
        let level = binary.then_some(&first as &dyn Fn([f64; 2]) -> f64);
        let plane = Plane { samples, neurons, predicted: &predicted, level };
        let svg = match axes.constant {
            None => figures::plane(&plane),
            Some(_) => figures::affine(&plane),
        };
        let [across, up] = axes.features.map(|f| f + 1);
        let caption = html! {
            @if let Some((feature, value)) = axes.constant {
                "Feature " (across) " to the right, feature " (up) " upwards; feature " (feature + 1)
                " is constantly " (value) ", a bias. "
            }
            @if binary { "Circles are samples of label +1, squares of label −1" }
            @else { "Samples by class" }
            "; rings mark the support (λ > 0). The tint is the network's prediction, white where its \
             output is 0"
            @if axes.constant.is_none() {
                "; without biases it depends on the direction only. Arrows are first-layer neurons and point \
                 into the half-plane where they are active; dashed lines are its edges"
            } @else {
                @if binary { "; the thick line is the decision boundary" }
                ". Dashed lines are the edges of the first-layer neurons' half-planes, and the arrows on them \
                 point to where the neuron is active"
            }
            @if depth_two { "; blue arrows add to the output, orange ones subtract" }
            "."
            @if drawn < rows {
                " Not drawn: " (rows - drawn) " of " (rows) " neurons, without an edge or the smallest."
            }
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
}
