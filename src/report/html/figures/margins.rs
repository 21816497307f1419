//! Margins of all constraints, sorted.
use super::{Area, Drawn, INK, MUTED, RED, WIDE, drawing, mesh, text, tick};
use plotters::prelude::*;

/// About the most marks that are drawn.
const MOST: usize = 4000;

/// `(margin over γ, whether the multiplier is positive)`, in any order: drawn by ascending margin,
/// those with positive multipliers larger and on a stem.
pub(in crate::report::html) fn margins(points: &[(f64, bool)]) -> Option<String> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let largest = sorted.last()?.0;
    drawing((WIDE, 520), |area| draw(area, &sorted, largest))
}

fn draw(area: &Area, sorted: &[(f64, bool)], largest: f64) -> Drawn {
    let count = sorted.len() as f64;
    let top = if largest > 1.0 { 1.06 * largest } else { 2.0 };
    let mut chart = ChartBuilder::on(area)
        .margin(16)
        .margin_right(40)
        .x_label_area_size(84)
        .y_label_area_size(120)
        .build_cartesian_2d(0.0..count + 1.0, 0.0..top)?;
    mesh(&mut chart)
        .disable_x_mesh()
        .x_labels(sorted.len().min(6) + 2)
        .y_labels(6)
        .x_label_formatter(&|x| {
            if x.fract() == 0.0 && *x > 0.0 { format!("{x}") } else { String::new() }
        })
        .y_label_formatter(&|y| tick(*y))
        .x_desc("constraints by ascending margin")
        .y_desc("margin / γ")
        .axis_desc_style(text(INK))
        .draw()?;
    let line = vec![(0.0, 1.0), (count + 1.0, 1.0)];
    chart.draw_series(LineSeries::new(line, INK.stroke_width(2)))?;
    let radius = if sorted.len() > 200 { 4 } else { 6 };
    // Thousands of marks on one another show no more than a part of them.
    let step = sorted.len() / MOST + 1;
    let place = |(rank, (q, support)): (usize, &(f64, bool))| (rank as f64 + 1.0, *q, *support);
    let marks: Vec<_> = sorted.iter().enumerate().map(place).collect();
    let others = marks.iter().filter(|m| !m.2).step_by(step);
    chart.draw_series(others.map(|(x, q, _)| Circle::new((*x, *q), radius, MUTED.filled())))?;
    for (x, q, _) in marks.iter().filter(|m| m.2) {
        let stem = vec![(*x, 0.0), (*x, *q)];
        chart.draw_series(LineSeries::new(stem, RED.stroke_width(3)))?;
        chart.draw_series([Circle::new((*x, *q), radius + 5, RED.filled())])?;
    }
    Ok(())
}
