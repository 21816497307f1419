//! What the verified claims of a certificate amount to, region by region.
use super::words::{Side, factor, is_dense, region as region_words, verdict};
use crate::certify::Bracket;
use crate::numeric::two_layer::to_f64;
use maxmargin_kernel::check::{Report, Verified};
use maxmargin_kernel::claim::{Claim, Region, Scope};
use maxmargin_kernel::network::Network;
use maxmargin_kernel::number::Rational;
use num_traits::One;

/// The best brackets that the claims of scope `all` give, as multiples of this network's `ν`, smallest
/// region first; one for every region that a claim names.
///
/// A bound for a region holds in every region inside it, a better point in every region around it;
/// `nests_in_any_width` says whether this architecture is itself one of `any_width` (no shared weights).
pub fn brackets(report: &Report, nests_in_any_width: bool) -> Vec<Bracket> {
    let Some((low, high)) = &report.nu else { return Vec::new() };
    let mut regions: Vec<Region> = Vec::new();
    for (_, region) in report.claims.iter().filter_map(bound_of) {
        if !regions.contains(region) {
            regions.push(region.clone());
        }
    }
    regions.sort_by(|a, b| order(a).partial_cmp(&order(b)).unwrap_or(std::cmp::Ordering::Equal));
    let inside = |a: &Region, b: &Region| contains(b, a, nests_in_any_width);
    let one = |region: Region| {
        let mut bracket = Bracket {
            at_least: Rational::one(),
            at_most: None,
            upper_rule: "",
            nodes: 0,
            attained_here: true,
            region,
        };
        for verified in &report.claims {
            let Some((bound, of)) = bound_of(verified) else { continue };
            if matches!(verified.claim, Claim::MarginAtMost { .. }) {
                let times = bound / low;
                let better = bracket.at_most.as_ref().is_none_or(|old| times < *old);
                if inside(&bracket.region, of) && better {
                    bracket.at_most = Some(times);
                    (bracket.upper_rule, bracket.nodes) = (verified.rule, verified.nodes);
                }
            } else {
                let times = bound / high;
                if inside(of, &bracket.region) && times > bracket.at_least {
                    (bracket.at_least, bracket.attained_here) = (times, false);
                }
            }
        }
        bracket
    };
    regions.into_iter().map(one).collect()
}

/// Bound and region of a margin claim about all layers.
fn bound_of(verified: &Verified) -> Option<(&Rational, &Region)> {
    match &verified.claim {
        Claim::MarginAtMost { scope: Scope::All, region, bound }
        | Claim::MarginAtLeast { scope: Scope::All, region, bound } => Some((&bound.0, region)),
        _ => None,
    }
}

fn order(region: &Region) -> (u8, f64) {
    match region {
        Region::Cell => (0, 0.0),
        Region::Near(delta) => (1, delta.to_f64()),
        Region::Everywhere => (2, 0.0),
        Region::AnyWidth => (3, 0.0),
    }
}

/// Whether every network of `inner` is one of `outer`.
fn contains(outer: &Region, inner: &Region, nests_in_any_width: bool) -> bool {
    match (outer, inner) {
        (Region::Near(a), Region::Near(b)) => a >= b,
        (Region::AnyWidth, Region::AnyWidth) => true,
        (Region::AnyWidth, _) => nests_in_any_width,
        _ => order(outer).0 >= order(inner).0,
    }
}

/// The rule of an upper bound with its size: `dual bound, 57 nodes`.
pub fn upper_proof(bracket: &Bracket) -> String {
    let rule = bracket.upper_rule.replace('_', " ");
    match (rule.as_str(), bracket.nodes) {
        ("", _) => "none".into(),
        (rule, 0) => rule.into(),
        (rule, nodes) => format!("{rule}, {nodes} nodes"),
    }
}

/// By which factor a wider network must be better for the bound of any width to be called loose.
const WIDER: (u64, u64) = (100_001, 100_000);

/// Whether the bound `everywhere` is known to be loose for networks of this architecture: it holds for
/// any width, and a wider network in the certificate is better than the best one known of this
/// architecture. Then how good that one is, as a multiple of this network's `ν`.
pub fn wider(brackets: &[Bracket]) -> Option<&Rational> {
    let of = |region: &Region| brackets.iter().find(|b| b.region == *region);
    let (here, any) = (of(&Region::Everywhere)?, of(&Region::AnyWidth)?);
    let room = &here.at_least * Rational::new(WIDER.0.into(), WIDER.1.into());
    let dual_bound = here.upper_rule.replace('_', " ") == "dual bound";
    (dual_bound && any.at_least > room).then_some(&any.at_least)
}

/// What [`wider`] means.
pub fn price_of_width(wider: &Rational) -> String {
    format!(
        "For this architecture the bound is loose: it holds for any width, and a wider network, in the \
         certificate, is at {}. Up to there a gap may be the price of the width, and no sign that \
         training failed.",
        factor(wider, Side::Down)
    )
}

/// The region of a margin claim.
pub fn region_of(claim: &Claim) -> Option<&Region> {
    match claim {
        Claim::MarginAtMost { region, .. } | Claim::MarginAtLeast { region, .. } => Some(region),
        _ => None,
    }
}

/// Where a claim is about, for tables: the region, and the layer if it is about one.
pub fn place(claim: &Claim) -> String {
    match (region_of(claim).map(region_words), claim.scope()) {
        (None, Scope::All) => "all layers".into(),
        (None, Scope::Layer(l)) => format!("layer {l} alone"),
        (Some(region), Scope::All) => region,
        (Some(region), Scope::Layer(l)) => format!("{region}, layer {l} alone"),
    }
}

/// How a sentence of the verdict sounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something is optimal.
    Yes,
    /// Something is not.
    No,
    /// Neither.
    Note,
}

/// The verdict of a certificate about this network in sentences: exact claims, then one for every
/// bracket.
pub fn sentences(report: &Report, network: &Network) -> Vec<(Tone, String)> {
    let mut lines = Vec::new();
    for claim in report.claims.iter().map(|v| &v.claim) {
        let (tone, what) = match claim {
            Claim::Kkt { .. } => (Tone::Note, "A KKT point"),
            Claim::NotKkt { .. } => (Tone::No, "Not a KKT point"),
            Claim::LocalOptimum { .. } => (Tone::Yes, "A local optimum"),
            Claim::NotLocalOptimum { .. } => (Tone::No, "Not a local optimum"),
            Claim::GlobalOptimum { .. } => (Tone::Yes, "A global optimum"),
            Claim::NotGlobalOptimum { .. } => (Tone::No, "Not a global optimum"),
            _ => continue,
        };
        lines.push((
            tone,
            match claim.scope() {
                Scope::All => what.to_string(),
                Scope::Layer(l) => format!("{what} in layer {l} alone"),
            },
        ));
    }
    for bracket in brackets(report, !network.has_sharing()) {
        let optimal = bracket.at_most.as_ref().is_some_and(|high| to_f64(high) <= 1.0 + 1e-6);
        let tone = match (optimal, bracket.attained_here) {
            (true, _) => Tone::Yes,
            (false, false) => Tone::No,
            (false, true) => Tone::Note,
        };
        lines.push((tone, verdict(&bracket, is_dense(network)).replace("\n   ", "")));
    }
    lines
}
