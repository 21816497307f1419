//! The figures of a page, as inline SVG.
//!
//! Colours are those of M. Okabe and K. Ito's palette for colour-blind readers; the page's style
//! sheet replaces them one by one on dark screens. Nothing is told by colour alone. Figures are drawn
//! with two units to a pixel, since the backend rounds coordinates to integers.

mod affine;
mod curve;
mod dual;
mod intervals;
mod margins;
mod plane;

pub(super) use affine::affine;
pub(super) use curve::curve;
pub(super) use dual::{dual, peak};
pub(super) use intervals::intervals;
pub(super) use margins::margins;
pub(super) use plane::{Neuron, Plane, plane};

use plotters::chart::MeshStyle;
use plotters::coord::Shift;
use plotters::coord::ranged1d::ValueFormatter;
use plotters::prelude::*;

/// Text and axes.
const INK: RGBColor = RGBColor(0x1a, 0x1a, 0x1a);
/// Lesser marks.
const MUTED: RGBColor = RGBColor(0x76, 0x76, 0x76);
/// Grid lines.
const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
/// The first series, positive samples.
const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xb2);
/// The second series, negative samples.
const RED: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
/// The third.
const GREEN: RGBColor = RGBColor(0x00, 0x9e, 0x73);
/// Where positive samples are predicted.
const BLUE_TINT: RGBColor = RGBColor(0xe4, 0xf0, 0xf8);
/// Where negative samples are predicted.
const RED_TINT: RGBColor = RGBColor(0xfb, 0xeb, 0xdd);
/// Classes, in order.
const CLASSES: [(RGBColor, RGBColor); 6] = [
    (BLUE, BLUE_TINT),
    (RED, RED_TINT),
    (GREEN, RGBColor(0xe0, 0xf3, 0xed)),
    (RGBColor(0xcc, 0x79, 0xa7), RGBColor(0xf8, 0xec, 0xf2)),
    (RGBColor(0xe6, 0x9f, 0x00), RGBColor(0xfc, 0xf3, 0xdd)),
    (RGBColor(0x56, 0xb4, 0xe9), RGBColor(0xe9, 0xf5, 0xfd)),
];

/// Text height in drawing units, 24 of which are the size of a letter: 9 pixels on the narrowest
/// screens, 15 on wide ones.
const TEXT: i32 = 30;
/// Width of the wide figures.
const WIDE: u32 = 1000;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// Axes and grid as all figures have them.
fn mesh<'a, 'b, X, Y, DB: DrawingBackend>(
    chart: &'b mut ChartContext<'a, DB, Cartesian2d<X, Y>>,
) -> MeshStyle<'a, 'b, X, Y, DB>
where
    X: Ranged + ValueFormatter<X::ValueType>,
    Y: Ranged + ValueFormatter<Y::ValueType>,
{
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(MUTED)
        .label_style(text(INK));
    mesh
}

/// An SVG image of this size; `None` if drawing failed, which text output cannot.
fn drawing(size: (u32, u32), draw: impl FnOnce(&Area) -> Drawn) -> Option<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(&area).ok()?;
        area.present().ok()?;
    }
    Some(svg)
}

fn text(color: RGBColor) -> TextStyle<'static> {
    ("sans-serif", TEXT).into_font().color(&color)
}

/// A label of a tick: few digits, no trailing zeros.
fn tick(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    if !(1e-3..1e5).contains(&value.abs()) {
        return format!("{value:.0e}");
    }
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').into()
}
