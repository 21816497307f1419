//! Explicit points in the words of the proved checker; a better one is scaled to a margin of at least γ(θ).
use super::{rationals, write_network, write_vectors};
use maxmargin_kernel::claim::{Region, Scope};
use maxmargin_kernel::network::{Network, TwoLayer};
use maxmargin_kernel::number::{BigInt, Rational, ScaledVec};
use maxmargin_kernel::problem::Problem;
use maxmargin_kernel::proof::point::Point;
use num_traits::{One, Pow, Zero};

/// An explicit network in a region.
pub(super) fn at_least(
    problem: &Problem,
    region: &Region,
    bound: &Rational,
    witness: &Point,
) -> Option<String> {
    let two_layer = TwoLayer::with_one_output(problem.network());
    if matches!(region, Region::Cell | Region::Near(_)) && two_layer.is_err() {
        return None;
    }
    let mut text = format!("margin_at_least {region} {bound} ");
    match (&witness.parameters, &witness.network) {
        (None, Some(network)) if *region == Region::AnyWidth => {
            let other = network.to_network().ok()?;
            if other.activation() != problem.activation() {
                return None;
            }
            text.push_str("network ");
            write_network(&mut text, &other);
        }
        // No vectors stand for the network itself.
        (Some(vectors), None) if vectors.len() != problem.network().depth() => return None,
        (vectors, None) => {
            text.push_str("point");
            write_vectors(&mut text, &rationals(vectors.as_deref().unwrap_or_default()));
        }
        _ => return None,
    }
    Some(text)
}

/// A better point, scaled to a margin of at least γ(θ).
pub(super) fn better(problem: &Problem, scope: Scope, witness: &Point) -> Option<String> {
    let network = problem.network();
    let values = rationals(witness.parameters.as_ref()?);
    let moving = match scope {
        Scope::All => 0..network.depth(),
        Scope::Layer(l) => l.checked_sub(1)?..l,
    };
    let point = with_parameters(network, &values)?;
    let point = Problem::new(point, problem.data().clone()).ok()?;
    let ratio = problem.gamma().ok()? / point.gamma().ok()?;
    let degree = u32::try_from(moving.len()).ok()?;
    let norm = |u: &Vec<Rational>| -> Rational { u.iter().map(|v| v * v).sum() };
    let own: Vec<_> = network.layers().iter().map(|l| l.parameters().to_rationals()).collect();
    let length: Rational = own.get(moving.clone())?.iter().map(norm).sum();
    let theirs = values.get(moving.clone())?;
    let fixed = |l: usize| moving.contains(&l) || values.get(l) == own.get(l);
    if !(0..own.len()).all(fixed) {
        // No witness for this scope, and the checker is to say so: it takes one vector only.
        let mut text = format!("not_global_optimum {scope} point");
        write_vectors(&mut text, &values);
        return Some(text);
    }
    let longer: Rational = theirs.iter().map(norm).sum();
    // The smallest grid on which the root rounds up to a point that is still shorter.
    let scale = (0..=12).map(|p| root_above(&ratio, degree, p * 16));
    let scale = scale.into_iter().find(|s| s * s * &longer < length)?;
    let scaled: Vec<Vec<Rational>> =
        theirs.iter().map(|u| u.iter().map(|v| v * &scale).collect()).collect();
    let mut text = format!("not_global_optimum {scope} point");
    write_vectors(&mut text, &scaled);
    Some(text)
}

fn with_parameters(network: &Network, values: &[Vec<Rational>]) -> Option<Network> {
    if values.len() != network.depth() {
        return None;
    }
    let layers = network.layers().iter().zip(values);
    let layers: Option<Vec<_>> =
        layers.map(|(layer, u)| layer.with_parameters(ScaledVec::from_rationals(u))).collect();
    Network::new(network.activation().clone(), layers?).ok()
}

/// The smallest multiple of 2^−bits whose `degree`-th power is at least `value > 0`.
fn root_above(value: &Rational, degree: u32, bits: u32) -> Rational {
    let unit = BigInt::one() << bits;
    let power = |base: &BigInt| -> BigInt { Pow::pow(base, degree) };
    let target = (value * power(&unit)).ceil().to_integer();
    let mut root = if target.is_zero() { BigInt::zero() } else { target.nth_root(degree.max(1)) };
    if power(&root) < target {
        root += 1;
    }
    Rational::new(root, unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_rounded_up() {
        let two = Rational::from_integer(2.into());
        for (degree, bits) in [(1, 0), (2, 0), (2, 16), (3, 32)] {
            let root = root_above(&two, degree, bits);
            let step = Rational::new(1.into(), BigInt::one() << bits);
            assert!(Pow::pow(&root, degree) >= two);
            assert!(Pow::pow(&(root - step), degree) < two);
        }
    }
}
