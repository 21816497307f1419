//! Numbers and regions in words.
use crate::certify::Bracket;
use maxmargin_kernel::claim::{Number, Region};
use maxmargin_kernel::network::Network;

/// A factor near 1 with enough digits to tell it from 1: `1.00021`, `1 + 3.2e-9`.
pub fn factor(value: f64) -> String {
    let excess = value - 1.0;
    // Below that the float shown is rounding, not information.
    if excess.abs() < 1e-14 {
        "1".into()
    } else if excess.abs() < 5e-7 {
        format!("1 {} {:.1e}", if excess < 0.0 { '-' } else { '+' }, excess.abs())
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.9}")
    }
}

/// A relative excess in per cent or as a power of ten: `0.021 %`, `3.2e-9`.
pub fn percent(excess: f64) -> String {
    if excess.abs() < 5e-6 { format!("{excess:.1e}") } else { format!("{:.4} %", 100.0 * excess) }
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
        Region::Cell => "in this activation cell".to_string(),
        Region::Near(delta) => format!("near this point (δ = {})", small(delta)),
        Region::Everywhere => "among all networks of this architecture".into(),
        Region::AnyWidth => "among all networks of this depth, of any width".into(),
    };
    let low = bracket.at_least;
    match bracket.at_most {
        None => {
            format!("best margin {place}: at least {}× this network's; no upper bound", factor(low))
        }
        Some(high) if high <= 1.0 + 1e-6 => {
            let slack = (high - 1.0).max(0.0);
            format!("optimal {place} to within {slack:.1e} (relative)")
        }
        Some(high) => format!(
            "best margin {place}: at least {}×, at most {}× this network's",
            factor(low),
            factor(high)
        ),
    }
}
