//! Directions of simple rationals near a float direction.
use super::angle;
use crate::numeric::two_layer::to_f64;
use maxmargin_kernel::number::Rational;

/// Largest denominator of a snapped coordinate.
pub const MAX_DENOMINATOR: u32 = 1000;

/// A direction whose coordinates are simple rationals.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapped {
    /// The coordinates; the largest is ±1.
    pub parameters: Vec<Rational>,
    /// How far the coordinate moved that moved most, where the largest coordinate is 1.
    pub moved: f64,
    /// The angle by which the direction turned.
    pub turned: f64,
}

/// A coordinate with no simple rational near it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NotSimple {
    /// Its position in θ.
    pub index: usize,
    /// Its value, where the largest coordinate is 1 in absolute value.
    pub value: f64,
}

/// Replaces every coordinate of `θ/max|θ_i|` by the rational of smallest denominator that is within
/// `tolerance`.
///
/// # Errors
/// [`NotSimple`] if a coordinate would need a denominator past [`MAX_DENOMINATOR`].
pub fn snap(theta: &[f64], tolerance: f64) -> Result<Snapped, NotSimple> {
    let largest = theta.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    let mut parameters = Vec::with_capacity(theta.len());
    let mut moved = 0.0f64;
    for (index, x) in theta.iter().enumerate() {
        let value = if largest > 0.0 { x / largest } else { 0.0 };
        let simple = simplest(value, tolerance).ok_or(NotSimple { index, value })?;
        moved = moved.max((to_f64(&simple) - value).abs());
        parameters.push(simple);
    }
    let there: Vec<f64> = parameters.iter().map(to_f64).collect();
    let turned = if largest > 0.0 { angle(theta, &there) } else { 0.0 };
    Ok(Snapped { parameters, moved, turned })
}

/// The rational of smallest denominator within `tolerance` of `value`.
fn simplest(value: f64, tolerance: f64) -> Option<Rational> {
    (1..=MAX_DENOMINATOR).find_map(|q| {
        let q = f64::from(q);
        let p = (value * q).round();
        let near = (p / q - value).abs() <= tolerance;
        near.then(|| Some(Rational::from_float(p)? / Rational::from_float(q)?))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(theta: &[f64], tolerance: f64) -> Result<String, NotSimple> {
        let list = |s: Snapped| s.parameters.iter().map(ToString::to_string).collect::<Vec<_>>();
        snap(theta, tolerance).map(|s| list(s).join(" "))
    }

    #[test]
    fn finds_the_simplest_rationals_nearby() {
        assert_eq!(text(&[0.0, -6.0, 4.0 + 1e-7, 2.4], 1e-6).unwrap(), "0 -1 2/3 2/5");
        assert_eq!(text(&[0.0, 0.0], 1e-6).unwrap(), "0 0");
        assert_eq!(text(&[1.0, 0.3333], 1e-3).unwrap(), "1 1/3");
        assert_eq!(text(&[1.0, 1e-4], 1e-3).unwrap(), "1 0");
    }

    #[test]
    fn says_what_is_not_near_any_and_how_far_it_moved() {
        let e = snap(&[2.0, 2.0f64.sqrt()], 1e-9).unwrap_err();
        assert!(e.index == 1 && (e.value - 0.5f64.sqrt()).abs() < 1e-15);
        let s = snap(&[1.0, 1e-4], 1e-3).unwrap();
        assert!((s.moved - 1e-4).abs() < 1e-12 && (s.turned - 1e-4).abs() < 1e-9);
    }
}
