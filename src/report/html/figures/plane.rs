//! Data with two features, the neurons and the decision regions.
use super::{Area, BLUE, CLASSES, Drawn, INK, MUTED, RED, drawing};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use std::f64::consts::PI;

const SIZE: u32 = 1000;
const STEPS: usize = 1440;

/// What is drawn.
pub(in crate::report::html) struct Plane<'a> {
    /// Samples, their classes (0 for label −1 is `1`, so that +1 is blue) and whether λ > 0.
    pub samples: Vec<([f64; 2], usize, bool)>,
    /// The first layer.
    pub neurons: Vec<Neuron>,
    /// The predicted class at a point; `None` where the outputs tie, such as all 0.
    pub predicted: &'a dyn Fn([f64; 2]) -> Option<usize>,
    /// The output, if there is one.
    pub level: Option<&'a dyn Fn([f64; 2]) -> f64>,
}

/// A neuron of the first layer: active where `w·x + offset > 0`.
#[derive(Clone, Copy, Debug)]
pub(in crate::report::html) struct Neuron {
    pub w: [f64; 2],
    pub offset: f64,
    /// The output weight where there is one output; only its sign is drawn.
    pub v: f64,
}

impl Neuron {
    /// `|w|`.
    pub(in crate::report::html) fn size(&self) -> f64 {
        self.w[0].hypot(self.w[1])
    }

    pub(super) fn color(&self) -> RGBColor {
        if self.v >= 0.0 { BLUE } else { RED }
    }
}

pub(super) type Chart<'a, 'b> =
    ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Draws the plane. A network without biases decides by direction alone, so its decision regions are
/// sectors.
pub(in crate::report::html) fn plane(plane: &Plane) -> Option<String> {
    let reach = plane.samples.iter().flat_map(|s| s.0).map(f64::abs).fold(0.0, f64::max) * 1.25;
    if !(reach > 0.0 && reach.is_finite()) {
        return None;
    }
    drawing((SIZE, SIZE), |area| draw(area, plane, reach))
}

fn draw(area: &Area, plane: &Plane, reach: f64) -> Drawn {
    let mut chart =
        ChartBuilder::on(area).margin(4).build_cartesian_2d(-reach..reach, -reach..reach)?;
    sectors(&mut chart, plane, reach)?;
    let frame = |x: f64, y: f64| vec![(-x, -y), (x, y)];
    for axis in [frame(reach, 0.0), frame(0.0, reach)] {
        chart.draw_series([PathElement::new(axis, MUTED.stroke_width(1))])?;
    }
    let longest = plane.neurons.iter().map(Neuron::size).fold(0.0, f64::max);
    for each in plane.neurons.iter().filter(|_| longest > 0.0) {
        neuron(&mut chart, each, longest, reach)?;
    }
    marks(&mut chart, plane)
}

/// The samples.
pub(super) fn marks(chart: &mut Chart, plane: &Plane) -> Drawn {
    for (x, class, support) in &plane.samples {
        let (x, y, color) = (x[0], x[1], CLASSES[class % CLASSES.len()].0);
        if *support {
            chart.draw_series([Circle::new((x, y), 24, INK.stroke_width(4))])?;
        }
        match class {
            1 => chart
                .draw_series([EmptyElement::at((x, y))
                    + Rectangle::new([(-11, -11), (11, 11)], color.filled())])?,
            _ => chart.draw_series([
                EmptyElement::at((x, y)) + Circle::new((0, 0), 13, color.filled())
            ])?,
        };
    }
    Ok(())
}

/// Decision regions as sectors of a circle around the frame.
fn sectors(chart: &mut Chart, plane: &Plane, reach: f64) -> Drawn {
    let angle = |k: usize| 2.0 * PI * (k as f64 + 0.5) / STEPS as f64;
    let class = |k: usize| {
        let (sin, cos) = angle(k).sin_cos();
        (plane.predicted)([cos, sin])
    };
    let classes: Vec<_> = (0..STEPS).map(class).collect();
    let far = 1.5 * reach;
    let mut start = 0;
    while start < STEPS {
        let end = (start..STEPS).find(|k| classes[*k] != classes[start]).unwrap_or(STEPS);
        if let Some(class) = classes[start] {
            let tint = CLASSES[class % CLASSES.len()].1;
            let mut corners = vec![(0.0, 0.0)];
            for k in start..=end {
                let (sin, cos) = (2.0 * PI * k as f64 / STEPS as f64).sin_cos();
                corners.push((far * cos, far * sin));
            }
            chart.draw_series([Polygon::new(corners, tint.filled())])?;
        }
        let before = classes[(start + STEPS - 1) % STEPS];
        if before != classes[start] {
            let (sin, cos) = (2.0 * PI * start as f64 / STEPS as f64).sin_cos();
            let ray = vec![(0.0, 0.0), (far * cos, far * sin)];
            chart.draw_series([PathElement::new(ray, INK.stroke_width(4))])?;
        }
        start = end;
    }
    Ok(())
}

/// The edge of the neuron's half-plane, dashed, and its direction as an arrow into the half-plane
/// where it is active.
fn neuron(chart: &mut Chart, neuron: &Neuron, longest: f64, reach: f64) -> Drawn {
    let size = neuron.size();
    if size == 0.0 {
        return Ok(());
    }
    let direction = neuron.w.map(|w| w / size);
    let [x, y] = direction;
    let far = 1.5 * reach;
    let edge = vec![(-far * y, far * x), (far * y, -far * x)];
    chart.draw_series(DashedLineSeries::new(edge, 10, 10, MUTED.stroke_width(2)))?;
    arrow(chart, [0.0, 0.0], direction, reach * (0.2 + 0.6 * size / longest), reach, neuron.color())
}

/// An arrow of this length, in a picture that reaches so far.
pub(super) fn arrow(
    chart: &mut Chart,
    from: [f64; 2],
    [x, y]: [f64; 2],
    length: f64,
    reach: f64,
    color: RGBColor,
) -> Drawn {
    let at =
        |along: f64, aside: f64| (from[0] + along * x - aside * y, from[1] + along * y + aside * x);
    let shaft = vec![at(0.0, 0.0), at(length, 0.0)];
    chart.draw_series([PathElement::new(shaft, color.stroke_width(7))])?;
    let (back, wide) = (length - 0.06 * reach, 0.028 * reach);
    let head = vec![at(length * 1.01, 0.0), at(back, wide), at(back, -wide)];
    chart.draw_series([Polygon::new(head, color.filled())])?;
    Ok(())
}
