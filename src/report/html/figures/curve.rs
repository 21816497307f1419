//! Margin, norm and normalised margin along a curve of better points.
use super::{Area, BLUE, Drawn, GREEN, INK, RED, WIDE, drawing, mesh, text, tick};
use plotters::element::DashedPathElement;
use plotters::prelude::*;

const STEPS: usize = 120;

/// `at(ε) = (γ(θ(ε))/γ, |θ(ε)|/|θ|)`, for a network of degree `m`. The axis ends where the curve stops
/// being better, or at 1.
pub(in crate::report::html) fn curve(at: &dyn Fn(f64) -> (f64, f64), m: i32) -> Option<String> {
    let better = |e: f64| {
        let (margin, norm) = at(e);
        margin >= 1.0 - 1e-13 && norm < 1.0
    };
    let end = (0..40).map(|k| 0.8f64.powi(k)).find(|e| better(*e))?;
    let sample = |k: usize| {
        let e = end * k as f64 / STEPS as f64;
        let (margin, norm) = at(e);
        (e, margin - 1.0, norm - 1.0, margin / norm.powi(m) - 1.0)
    };
    let rows: Vec<_> = (0..=STEPS).map(sample).collect();
    drawing((WIDE, 560), |area| draw(area, &rows, end))
}

fn draw(area: &Area, rows: &[(f64, f64, f64, f64)], end: f64) -> Drawn {
    let all = rows.iter().flat_map(|r| [r.1, r.2, r.3]);
    let (low, high) = all.fold((0.0f64, 0.0f64), |(l, h), v| (l.min(v), h.max(v)));
    let room = 0.08 * (high - low);
    let mut chart = ChartBuilder::on(area)
        .margin(16)
        .margin_right(40)
        .x_label_area_size(84)
        .y_label_area_size(150)
        .build_cartesian_2d(0.0..end, low - room..high + room)?;
    mesh(&mut chart)
        .x_labels(6)
        .y_labels(6)
        .x_label_formatter(&|x| tick(*x))
        .y_label_formatter(&|y| format!("{} %", tick(100.0 * y)))
        .x_desc("ε")
        .y_desc("change")
        .axis_desc_style(text(INK))
        .draw()?;
    chart.draw_series(LineSeries::new(vec![(0.0, 0.0), (end, 0.0)], INK.stroke_width(2)))?;
    let line = |f: fn(&(f64, f64, f64, f64)) -> f64| rows.iter().map(move |r| (r.0, f(r)));
    chart
        .draw_series(LineSeries::new(line(|r| r.3), GREEN.stroke_width(6)))?
        .label("normalised margin ν")
        .legend(|(x, y)| PathElement::new(vec![(x, y), (x + 36, y)], GREEN.stroke_width(6)));
    chart
        .draw_series(DashedLineSeries::new(line(|r| r.1), 16, 8, BLUE.stroke_width(5)))?
        .label("smallest margin")
        .legend(|(x, y)| {
            DashedPathElement::new(vec![(x, y), (x + 36, y)], 12, 6, BLUE.stroke_width(5))
        });
    chart
        .draw_series(DashedLineSeries::new(line(|r| r.2), 5, 7, RED.stroke_width(5)))?
        .label("norm")
        .legend(|(x, y)| {
            DashedPathElement::new(vec![(x, y), (x + 36, y)], 4, 5, RED.stroke_width(5))
        });
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .legend_area_size(44)
        .margin(16)
        .label_font(text(INK))
        .draw()
}
