//! Numbers and regions in words.
use crate::certify::Bracket;
use crate::numeric::two_layer::to_f64;
use maxmargin_kernel::claim::{Number, Region};
use maxmargin_kernel::network::{Layer, Network};
use maxmargin_kernel::number::{BigInt, Rational, parse_rational};
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
    } else if to_f64(value) >= 1e6 {
        power_of_ten(value, side)
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

/// δ or ε: a small decimal if that is exactly its value, else as certificates write it. Neither may be
/// rounded: a claim about a larger cone says less on one side and more on the other.
pub fn small(number: &Number) -> String {
    let value = number.to_f64();
    let text = match (1e-3..1e3).contains(&value) {
        true => format!("{value}"),
        false => format!("{value:e}"),
    };
    let exact = parse_rational(&text).is_ok_and(|read| Number(read) == *number);
    if number.0.is_zero() {
        "0".into()
    } else if exact {
        text
    } else {
        number.to_string()
    }
}

/// Which networks a bound for any width speaks of.
pub const ANY_WIDTH: &str = "Any width: networks of this depth without shared weights, each neuron of which reads only inputs that one \
                             neuron here may read.";

/// Whether nothing is shared and every neuron may read every input: then any width means that alone.
pub fn is_dense(network: &Network) -> bool {
    network.layers().iter().all(Layer::is_dense)
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

/// The sentence that a bracket amounts to; `dense` as by [`is_dense`].
pub fn verdict(bracket: &Bracket, dense: bool) -> String {
    let place = match &bracket.region {
        Region::Cell => "In its activation cell".to_string(),
        Region::Near(delta) => format!("Near it (δ = {})", small(delta)),
        Region::Everywhere => "Among networks of this architecture".into(),
        Region::AnyWidth if dense => "Among networks of any width".into(),
        Region::AnyWidth => "Among networks of any width (nothing shared, inputs as here)".into(),
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
            ("123456789", "1.2e8", "1.3e8"),
        ] {
            let value = parse_rational(value).unwrap();
            assert_eq!(factor(&value, Side::Down), down);
            assert_eq!(factor(&value, Side::Up), up);
        }
    }

    #[test]
    fn kinks_and_slack_are_never_rounded() {
        for (value, text) in [
            ("0", "0"),
            ("1/10000", "1e-4"),
            ("0.01", "0.01"),
            ("1e-6", "1e-6"),
            ("1/3", "1/3"),
            ("1e-399", "1e-399"),
        ] {
            let number = Number(parse_rational(value).unwrap());
            let shown = small(&number);
            assert_eq!(Number(parse_rational(&shown).unwrap()), number, "{shown}");
            if value != "1e-399" {
                assert_eq!(shown, text);
            }
        }
        let near = parse_rational("0.1000000000000000000000000000001").unwrap();
        assert_ne!(small(&Number(near)), "0.1");
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
