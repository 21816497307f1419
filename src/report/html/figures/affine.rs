//! Data with two features and a bias: the decision regions are no longer sectors.
use super::plane::{Chart, Neuron, Plane, arrow, marks};
use super::{Area, CLASSES, Drawn, INK, MUTED, drawing, mesh, tick};
use plotters::prelude::*;

const SIZE: u32 = 1000;
/// Cells of the decision regions in each direction.
const CELLS: usize = 200;

/// The square that is drawn.
#[derive(Clone, Copy)]
struct Frame {
    middle: [f64; 2],
    reach: f64,
}

impl Frame {
    /// A square around the samples, the same units in both directions.
    fn of(plane: &Plane) -> Option<Self> {
        let ends = |axis: usize| {
            let values = plane.samples.iter().map(|s| s.0[axis]);
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)))
        };
        let (x, y) = (ends(0), ends(1));
        let reach = 0.625 * (x.1 - x.0).max(y.1 - y.0);
        let middle = [x, y].map(|(low, high)| 0.5 * low + 0.5 * high);
        (reach > 0.0 && reach.is_finite()).then_some(Self { middle, reach })
    }

    fn low(&self, axis: usize) -> f64 {
        self.middle[axis] - self.reach
    }

    fn high(&self, axis: usize) -> f64 {
        self.middle[axis] + self.reach
    }

    /// The corner of a cell.
    fn corner(&self, i: usize, j: usize) -> [f64; 2] {
        let step = 2.0 * self.reach / CELLS as f64;
        [self.low(0) + i as f64 * step, self.low(1) + j as f64 * step]
    }

    /// The part of the line `w·x + offset = 0` within the frame.
    fn clip(&self, neuron: &Neuron) -> Option<([f64; 2], [f64; 2])> {
        let size = neuron.size();
        let [x, y] = neuron.w.map(|w| w / size);
        // The foot of the perpendicular from the middle, then along the line as far as both axes allow.
        let away = neuron.offset / size + x * self.middle[0] + y * self.middle[1];
        let foot = [self.middle[0] - away * x, self.middle[1] - away * y];
        let (mut from, mut to) = (f64::NEG_INFINITY, f64::INFINITY);
        for (axis, along) in [-y, x].into_iter().enumerate() {
            let (low, high) = (self.low(axis) - foot[axis], self.high(axis) - foot[axis]);
            if along == 0.0 {
                if low > 0.0 || high < 0.0 {
                    return None;
                }
                continue;
            }
            let (a, b) = (low / along, high / along);
            (from, to) = (from.max(a.min(b)), to.min(a.max(b)));
        }
        let at = |t: f64| [foot[0] - t * y, foot[1] + t * x];
        (from < to).then(|| (at(from), at(to)))
    }
}

/// Draws the plane with axes, since the origin means nothing here.
pub(in crate::report::html) fn affine(plane: &Plane) -> Option<String> {
    let frame = Frame::of(plane)?;
    drawing((SIZE, SIZE), |area| draw(area, plane, frame))
}

fn draw(area: &Area, plane: &Plane, frame: Frame) -> Drawn {
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(50)
        .y_label_area_size(90)
        .margin_right(50)
        .margin_top(40)
        .build_cartesian_2d(frame.low(0)..frame.high(0), frame.low(1)..frame.high(1))?;
    regions(&mut chart, plane, frame)?;
    mesh(&mut chart)
        .x_labels(5)
        .y_labels(5)
        .x_label_formatter(&|x| tick(*x))
        .y_label_formatter(&|y| tick(*y))
        .draw()?;
    if let Some(level) = plane.level {
        boundary(&mut chart, level, frame)?;
    }
    for neuron in &plane.neurons {
        let Some((a, b)) = frame.clip(neuron) else { continue };
        let edge = vec![(a[0], a[1]), (b[0], b[1])];
        chart.draw_series(DashedLineSeries::new(edge, 10, 10, MUTED.stroke_width(2)))?;
        let direction = neuron.w.map(|w| w / neuron.size());
        let middle = [0.5 * (a[0] + b[0]), 0.5 * (a[1] + b[1])];
        arrow(&mut chart, middle, direction, 0.16 * frame.reach, frame.reach, neuron.color())?;
    }
    marks(&mut chart, plane)
}

/// The predicted class in every cell, cells of a row that agree as one rectangle.
fn regions(chart: &mut Chart, plane: &Plane, frame: Frame) -> Drawn {
    for j in 0..CELLS {
        let class = |i: usize| {
            let ([x, y], [u, v]) = (frame.corner(i, j), frame.corner(i + 1, j + 1));
            (plane.predicted)([0.5 * (x + u), 0.5 * (y + v)])
        };
        let classes: Vec<_> = (0..CELLS).map(class).collect();
        let mut start = 0;
        while start < CELLS {
            let end = (start..CELLS).find(|k| classes[*k] != classes[start]).unwrap_or(CELLS);
            if let Some(class) = classes[start] {
                let (a, b) = (frame.corner(start, j), frame.corner(end, j + 1));
                let tint = CLASSES[class % CLASSES.len()].1;
                let corners = [(a[0], a[1]), (b[0], b[1])];
                chart.draw_series([Rectangle::new(corners, tint.filled())])?;
            }
            start = end;
        }
    }
    Ok(())
}

/// Where the output is 0: in every cell between the edges on which its sign changes, which is exact
/// where the output is linear.
fn boundary(chart: &mut Chart, level: &dyn Fn([f64; 2]) -> f64, frame: Frame) -> Drawn {
    let row = |j: usize| (0..=CELLS).map(|i| level(frame.corner(i, j))).collect::<Vec<f64>>();
    let mut below = row(0);
    for j in 0..CELLS {
        let above = row(j + 1);
        for i in 0..CELLS {
            let ends = [
                (frame.corner(i, j), below[i]),
                (frame.corner(i + 1, j), below[i + 1]),
                (frame.corner(i + 1, j + 1), above[i + 1]),
                (frame.corner(i, j + 1), above[i]),
            ];
            let mut crossings = Vec::new();
            for k in 0..4 {
                let ((p, f), (q, g)) = (ends[k], ends[(k + 1) % 4]);
                if (f >= 0.0) != (g >= 0.0) {
                    let t = f / (f - g);
                    crossings.push((p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])));
                }
            }
            for pair in crossings.chunks_exact(2) {
                chart.draw_series([PathElement::new(pair.to_vec(), INK.stroke_width(5))])?;
            }
        }
        below = above;
    }
    Ok(())
}
