//! The dual function around the circle.
use super::{Area, BLUE, Drawn, INK, RED, WIDE, drawing, mesh, text, tick};
use plotters::prelude::*;
use std::f64::consts::PI;

const STEPS: usize = 720;

/// Largest `|g|/T` over unit vectors, on the grid that is drawn; for the caption only.
pub(in crate::report::html) fn peak(ratio: &dyn Fn(f64) -> f64) -> f64 {
    (0..STEPS).map(|k| ratio(angle(k)).abs()).fold(0.0, f64::max)
}

fn angle(k: usize) -> f64 {
    -PI + 2.0 * PI * k as f64 / STEPS as f64
}

/// `ratio(φ) = g(cos φ, sin φ)/T` against ±1, and the neurons as `(φ_j, sign of v_j)`.
pub(in crate::report::html) fn dual(
    ratio: &dyn Fn(f64) -> f64,
    neurons: &[(f64, f64)],
) -> Option<String> {
    drawing((WIDE, 580), |area| draw(area, ratio, neurons))
}

fn draw(area: &Area, ratio: &dyn Fn(f64) -> f64, neurons: &[(f64, f64)]) -> Drawn {
    let values: Vec<(f64, f64)> =
        (0..=STEPS).map(|k| (angle(k).to_degrees(), ratio(angle(k)))).collect();
    let reach = values.iter().map(|v| v.1.abs()).fold(1.0, f64::max) * 1.15;
    let mut chart = ChartBuilder::on(area)
        .margin(16)
        .margin_right(40)
        .x_label_area_size(84)
        .y_label_area_size(120)
        .build_cartesian_2d(-180.0..180.0, -reach..reach)?;
    // Where the function leaves the band, what it gains there is filled.
    for side in [1.0, -1.0] {
        let over = values.iter().map(|(x, y)| (*x, side * (side * y).max(1.0)));
        chart.draw_series(
            AreaSeries::new(over, side, RGBColor(0xf3, 0xc9, 0xa8)).border_style(TRANSPARENT),
        )?;
    }
    mesh(&mut chart)
        .x_labels(9)
        .y_labels(5)
        .x_label_formatter(&|x| format!("{x:.0}°"))
        .y_label_formatter(&|y| tick(*y))
        .x_desc("direction of w")
        .y_desc("g(w) / T")
        .axis_desc_style(text(INK))
        .draw()?;
    for level in [-1.0, 1.0] {
        let line = vec![(-180.0, level), (180.0, level)];
        chart.draw_series(DashedLineSeries::new(line, 14, 8, INK.stroke_width(3)))?;
    }
    chart.draw_series(LineSeries::new(values, GREEN_LINE.stroke_width(5)))?;
    for (phi, sign) in neurons {
        let at = (phi.to_degrees(), ratio(*phi));
        if *sign >= 0.0 {
            chart.draw_series([Circle::new(at, 13, BLUE.filled())])?;
        } else {
            chart.draw_series([TriangleMarker::new(at, 17, RED.filled())])?;
        }
    }
    Ok(())
}

const GREEN_LINE: RGBColor = super::GREEN;
