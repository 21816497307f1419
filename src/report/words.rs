//! Numbers and regions in words.
use crate::certify::Bracket;
use crate::numeric::two_layer::to_f64;
use maxmargin_kernel::claim::{Number, Region};
use maxmargin_kernel::network::Network;
use maxmargin_kernel::number::{BigInt, Rational};
use num_traits::{One, Pow, Signed, Zero};

/// Which way a bound may be rounded without becoming stronger than what was proved.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A lower bound.
    Down,
    /// An upper bound.
    Up,
}

/// A factor near 1 with enough digits to tell it from 1: `1.00021`, `1 + 3.2e-9`.
pub fn factor(value: &Rational, side: Side) -> String {
    let excess = value - Rational::one();
    let size = excess.abs();
    if excess.is_zero() {
        "1".into()
    } else if to_f64(&size) < 5e-7 {
        match (excess.is_negative(), side) {
            (false, _) => format!("1 + {}", power_of_ten(&size, side)),
            (true, Side::Down) => format!("1 - {}", power_of_ten(&size, Side::Up)),
            (true, Side::Up) => format!("1 - {}", power_of_ten(&size, Side::Down)),
        }
    } else if to_f64(value) >= 10.0 {
        fixed(value, 1, side)
    } else {
        fixed(value, 9, side)
    }
}

/// `value ≥ 0` with so many decimal places.
fn fixed(value: &Rational, places: usize, side: Side) -> String {
    let digits = rounded(&(value * power(places)), side).to_string();
    let digits = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    format!("{whole}.{fraction}")
}

/// `value > 0` with two digits: `3.2e-9`.
pub fn power_of_ten(value: &Rational, side: Side) -> String {
    let size = to_f64(value);
    if !(1e-300..1e300).contains(&size) {
        return match side {
            Side::Down => Number(value.clone()).rounded_down(),
            Side::Up => Number(value.clone()).rounded_up(),
        };
    }
    let exponent = size.log10().floor() as i32;
    let shift = power((1 - exponent).unsigned_abs() as usize);
    let scaled = if exponent <= 1 { value * shift } else { value / shift };
    let digits = rounded(&scaled, side).to_string();
    // Rounding up may have carried into a further digit, which then is 0.
    let carried = digits.len() as i32 - 2;
    let (first, rest) = digits.split_at(1);
    format!("{first}.{}e{}", rest.get(..1).unwrap_or("0"), exponent + carried)
}

fn power(places: usize) -> Rational {
    Rational::from_integer(Pow::pow(BigInt::from(10), places))
}

fn rounded(value: &Rational, side: Side) -> BigInt {
    match side {
        Side::Down => value.floor().to_integer(),
        Side::Up => value.ceil().to_integer(),
    }
}

/// The largest `f64 ≤ value`.
pub fn f64_below(value: &Rational) -> f64 {
    let nearest = to_f64(value);
    match Rational::from_float(nearest) {
        Some(exact) if exact > *value => nearest.next_down(),
        _ => nearest,
    }
}

/// The smallest `f64 ≥ value`.
pub fn f64_above(value: &Rational) -> f64 {
    let nearest = to_f64(value);
    match Rational::from_float(nearest) {
        Some(exact) if exact < *value => nearest.next_up(),
        _ => nearest,
    }
}

/// A relative excess in per cent or as a power of ten: `0.021 %`, `3.2e-9`.
pub fn percent(excess: f64) -> String {
    if excess != 0.0 && excess.abs() < 5e-6 {
        return format!("{excess:.1e}");
    }
    let text = format!("{:.4}", 100.0 * excess);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A number of any size: so many decimals where they say enough, a power of ten where not.
pub fn measure(value: f64, decimals: usize) -> String {
    if value == 0.0 || (1e-3..1e6).contains(&value.abs()) {
        format!("{value:.decimals$}")
    } else {
        format!("{value:.decimals$e}")
    }
}

/// A small decimal for δ and ε.
pub fn small(number: &Number) -> String {
    let value = number.to_f64();
    if value == 0.0 || (1e-3..1e3).contains(&value) {
        format!("{value}")
    } else {
        format!("{value:e}")
    }
}

/// The region for a table.
pub fn region(region: &Region) -> String {
    match region {
        Region::Cell => "this activation cell".into(),
        Region::Near(delta) => format!("near this point, δ = {}", small(delta)),
        Region::Everywhere => "everywhere, this architecture".into(),
        Region::AnyWidth => "everywhere, any width".into(),
    }
}

/// `64-10-1`.
pub fn shape(network: &Network) -> String {
    let mut widths = vec![network.inputs().to_string()];
    widths.extend(network.layers().iter().map(|l| l.rows().to_string()));
    widths.join("-")
}

/// The sentence that a bracket amounts to.
pub fn verdict(bracket: &Bracket) -> String {
    let place = match &bracket.region {
        Region::Cell => "In its activation cell".to_string(),
        Region::Near(delta) => format!("Near it (δ = {})", small(delta)),
        Region::Everywhere => "Among networks of this architecture".into(),
        Region::AnyWidth => "Among networks of any width".into(),
    };
    let low = factor(&bracket.at_least, Side::Down);
    let beaten = bracket.at_least > Rational::one();
    match &bracket.at_most {
        None if beaten => format!("{place}: not optimal, {low} times its margin is possible"),
        None => format!("{place}: no bound"),
        Some(high) if *high <= Rational::one() => format!("{place}: optimal"),
        Some(high) if to_f64(high) <= 1.0 + 1e-6 => {
            let slack = power_of_ten(&(high - Rational::one()), Side::Up);
            format!("{place}: optimal to within {slack}")
        }
        Some(high) if beaten => {
            format!(
                "{place}: not optimal, the best has\n    {low} to {} times its margin",
                factor(high, Side::Up)
            )
        }
        Some(high) => {
            format!("{place}: at most {} times its margin is possible", factor(high, Side::Up))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use maxmargin_kernel::number::parse_rational;

    #[test]
    fn factors_are_rounded_to_the_weaker_side() {
        for (value, down, up) in [
            ("1", "1", "1"),
            ("1.0000000000321", "1 + 3.2e-11", "1 + 3.3e-11"),
            ("1.000000000999", "1 + 9.9e-10", "1 + 1.0e-9"),
            ("0.9999999999", "1 - 1.0e-10", "1 - 1.0e-10"),
            ("0.99999999985", "1 - 1.5e-10", "1 - 1.5e-10"),
            ("0.999999999857", "1 - 1.5e-10", "1 - 1.4e-10"),
            ("1.00024438951", "1.000244389", "1.000244390"),
            ("4/3", "1.333333333", "1.333333334"),
            ("123.456", "123.4", "123.5"),
            ("1/3", "0.333333333", "0.333333334"),
        ] {
            let value = parse_rational(value).unwrap();
            assert_eq!(factor(&value, Side::Down), down);
            assert_eq!(factor(&value, Side::Up), up);
        }
    }

    #[test]
    fn floats_enclose() {
        let third = parse_rational("1/3").unwrap();
        assert_eq!(f64_below(&third).next_up(), f64_above(&third));
        let half = parse_rational("1/2").unwrap();
        assert_eq!((f64_below(&half), f64_above(&half)), (0.5, 0.5));
    }

    #[test]
    fn per_cent() {
        for (value, text) in [(0.01, "1 %"), (0.0, "0 %"), (1e-7, "1.0e-7"), (0.00021, "0.021 %")] {
            assert_eq!(percent(value), text);
        }
    }
}
