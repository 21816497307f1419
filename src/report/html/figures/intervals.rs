//! Brackets as intervals.
use super::{BLUE, Drawn, GRID, INK, MUTED, TEXT, drawing, text};
use crate::certify::Bracket;
use crate::numeric::two_layer::to_f64;
use crate::report::words::region;
use num_traits::One;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Excesses below this are drawn at the left edge.
const LEAST: f64 = -13.0;
const WIDTH: i32 = super::WIDE as i32;
const ROW: i32 = 104;
const SIDE: i32 = 36;
const FOOT: i32 = 112;

/// For every region the interval in which its best normalised margin lies, as the excess over the
/// network's own on a logarithmic axis.
pub(in crate::report::html) fn intervals(brackets: &[Bracket]) -> Option<String> {
    let exponent = |value: &maxmargin_kernel::number::Rational| {
        let excess = to_f64(&(value - maxmargin_kernel::number::Rational::one()));
        if excess > 0.0 { excess.log10().max(LEAST) } else { LEAST }
    };
    let ends: Vec<(f64, Option<f64>)> = brackets
        .iter()
        .map(|b| (exponent(&b.at_least), b.at_most.as_ref().map(exponent)))
        .collect();
    let all = ends.iter().flat_map(|(low, high)| [Some(*low), *high]).flatten();
    let (mut first, mut last) = (0.0f64, f64::NEG_INFINITY);
    for e in all {
        if e > LEAST {
            first = first.min(e);
        }
        last = last.max(e);
    }
    // Room on both sides, and at least three powers of ten.
    let right = (last + 0.3).ceil().clamp(LEAST + 4.0, 12.0);
    let left = (first - 1.2).floor().min(right - 3.0).max(LEAST);
    let rows = i32::try_from(brackets.len()).ok()?;
    let size = (WIDTH as u32, (rows * ROW + FOOT) as u32);
    let at = |e: f64| {
        let part = ((e - left) / (right - left)).clamp(0.0, 1.0);
        SIDE + (part * f64::from(WIDTH - 2 * SIDE)) as i32
    };
    drawing(size, |area| {
        let bottom = rows * ROW + 8;
        let powers = (left.ceil() as i32)..=(right as i32);
        let step = (powers.clone().count() / 7 + 1) as i32;
        for power in powers {
            let x = at(f64::from(power));
            let own = f64::from(power) <= left;
            if !own && (power - right as i32) % step != 0 {
                continue;
            }
            let color = if own { MUTED } else { GRID };
            area.draw(&PathElement::new(vec![(x, 8), (x, bottom)], color.stroke_width(2)))?;
            let label = match (own, power) {
                (true, _) => "this network".to_string(),
                (_, 0) => "+100 %".into(),
                (_, 1) => "×11".into(),
                (_, -1) => "+10 %".into(),
                (_, -2) => "+1 %".into(),
                (_, -3) => "+0.1 %".into(),
                (_, -4) => "+0.01 %".into(),
                (_, -5) => "+0.001 %".into(),
                _ => format!("1e{power}"),
            };
            let h = if own {
                HPos::Left
            } else if f64::from(power) >= right {
                HPos::Right
            } else {
                HPos::Center
            };
            // The network's own label is long.
            if !own && x < SIDE + 230 {
                continue;
            }
            let x = if own { SIDE - 30 } else { x };
            area.draw(&Text::new(label, (x, bottom + 8), text(INK).pos(Pos::new(h, VPos::Top))))?;
        }
        for (row, (bracket, (low, high))) in (0..).zip(brackets.iter().zip(&ends)) {
            interval(area, row, bracket, at(*low), high.map(at))?;
        }
        let note = "how much more normalised margin is possible (log scale)";
        let style = text(MUTED).pos(Pos::new(HPos::Center, VPos::Top));
        area.draw(&Text::new(note, (WIDTH / 2, bottom + 8 + TEXT + 10), style))
    })
}

fn interval(area: &super::Area, row: i32, bracket: &Bracket, low: i32, high: Option<i32>) -> Drawn {
    let top = row * ROW + 14;
    let y = top + TEXT + 26;
    area.draw(&Text::new(region(&bracket.region), (SIDE + 10, top), text(INK)))?;
    let end = high.unwrap_or(WIDTH - 6).max(low + 1);
    area.draw(&PathElement::new(vec![(low, y), (end, y)], BLUE.stroke_width(10)))?;
    if bracket.attained_here {
        // A ring: nothing better is known than the network itself.
        area.draw(&Circle::new((low, y), 11, INK.stroke_width(4)))?;
    } else {
        area.draw(&PathElement::new(vec![(low, y - 18), (low, y + 18)], BLUE.stroke_width(6)))?;
    }
    match high {
        Some(x) => area.draw(&PathElement::new(
            vec![(x.max(low), y - 18), (x.max(low), y + 18)],
            BLUE.stroke_width(6),
        )),
        None => area.draw(&Text::new(
            "no bound",
            (WIDTH - SIDE, top),
            text(MUTED).pos(Pos::new(HPos::Right, VPos::Top)),
        )),
    }
}
