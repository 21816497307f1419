//! The report as text, at most 80 columns where the file names allow it.
use super::layout::quoted;
use super::words::{
    ANY_WIDTH, Side, factor, is_dense, measure, percent, region, shape, small, verdict,
};
use super::{Context, decisions, standing};
use crate::certify::{Outcome, Request};
use crate::numeric::two_layer::{near_kinks, to_f64};
use maxmargin_kernel::check::{Failure, Report};
use maxmargin_kernel::claim::{Claim, Number, Region, Scope};
use maxmargin_kernel::network::TwoLayer;
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::{Facts, Problem};
use std::fmt::Write as _;
use std::path::Path;

/// The report of `certify`.
pub fn text(problem: &Problem, request: &Request, outcome: &Outcome, context: &Context) -> String {
    let mut out = String::new();
    let network = problem.network();
    let facts = problem.facts();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "{}: {} network {}, {} samples\n",
        context.model.display(),
        network.activation(),
        shape(network),
        facts.samples
    );
    let _ = writeln!(out, "VERDICT");
    for line in decisions::lines(&outcome.decisions) {
        let _ = writeln!(out, "  {line}");
    }
    for bracket in &outcome.brackets {
        let _ = writeln!(out, "  {}", verdict(bracket, is_dense(network)));
    }
    for line in &outcome.undecided {
        let _ = writeln!(out, "  UNDECIDED: {line}");
    }
    if outcome.limit {
        let _ = writeln!(out, "  A limit was reached: brackets may be wider than necessary.");
    }
    margin(&mut out, problem, &facts);
    out.push_str(&decisions::witnesses(&outcome.decisions));
    brackets(&mut out, outcome, is_dense(network));
    residual(&mut out, outcome);
    counts(&mut out, problem, &facts, request);
    reproduce(&mut out, context);
    out
}

fn margin(out: &mut String, problem: &Problem, facts: &Facts) {
    let _ = writeln!(out, "\nMARGIN (exact, shown rounded)");
    if let Ok(gamma) = problem.gamma() {
        let _ = writeln!(out, "  margin             γ = {}", measure(to_f64(gamma), 9));
    }
    if let Some((nu, _)) = problem.normalised_margin() {
        let nu = to_f64(&nu);
        let m = problem.network().depth();
        let _ = writeln!(out, "  normalised margin  ν = γ/|θ|^{m} = {}", measure(nu, 12));
        if m == 2 {
            let _ = writeln!(out, "  cost at margin 1   1/(2ν) = {}", measure(0.5 / nu, 9));
        }
    }
    let _ =
        writeln!(out, "  active             {} of {} constraints", facts.active, facts.constraints);
}

fn brackets(out: &mut String, outcome: &Outcome, dense: bool) {
    if outcome.brackets.is_empty() {
        return;
    }
    let _ = writeln!(out, "\nBEST NORMALISED MARGIN, as a multiple of this network's (certified)");
    let _ = writeln!(out, "  {:<30}{:>11} {:>11}  upper bound by", "region", "at least", "at most");
    for b in &outcome.brackets {
        let high = b.at_most.as_ref().map_or("?".into(), |high| factor(high, Side::Up));
        let proof = match (b.upper_rule, b.nodes) {
            ("", _) => "none".to_string(),
            (rule, 0) => rule.to_string(),
            (rule, nodes) => format!("{rule}, {nodes} nodes"),
        };
        let _ = writeln!(
            out,
            "  {:<30}{:>11} {high:>11}  {proof}",
            region(&b.region),
            factor(&b.at_least, Side::Down)
        );
    }
    if outcome
        .brackets
        .iter()
        .any(|b| b.region == Region::Everywhere && b.upper_rule == "norm bound")
    {
        let _ = writeln!(
            out,
            "  The norm bound holds for every network but is crude: it uses only the shortest\n  \
             sample and the closest two of different label."
        );
    }
    if !dense && outcome.brackets.iter().any(|b| b.region == Region::AnyWidth) {
        let _ = writeln!(out, "  {ANY_WIDTH}");
    }
    if let Some(wide) = standing::wider(&outcome.brackets) {
        let _ = writeln!(out, "  {}", standing::price_of_width(wide));
    }
}

fn residual(out: &mut String, outcome: &Outcome) {
    for entry in &outcome.entries {
        if let Claim::KktResidual { lo, hi, delta, epsilon, .. } = &entry.claim {
            let _ = writeln!(out, "\nKKT RESIDUAL (certified)");
            let _ = writeln!(
                out,
                "  distance of θ from the cone of its active gradients, relative to |θ|:\n  \
                 between {} and {}",
                lo.rounded_down(),
                hi.rounded_up()
            );
            let _ = writeln!(
                out,
                "  active: margins within {} of γ (δ = {});\n  \
                 slopes are free within ε = {} of a kink",
                percent(delta.to_f64()),
                small(delta),
                small(epsilon)
            );
        }
    }
}

fn counts(out: &mut String, problem: &Problem, facts: &Facts, request: &Request) {
    let mut notes = Vec::new();
    if let (Ok(list), Some((_, epsilon))) = (TwoLayer::new(problem.network()), &request.residual) {
        let near = near_kinks(problem, &list.neurons, epsilon);
        let near = near.iter().flatten().filter(|near| **near).count();
        notes.push(format!(
            "{near} near-kinks (preactivations within ε = {} of 0)",
            small(&Number(epsilon.clone()))
        ));
    }
    notes.push(format!("{} exact kinks", facts.kinks));
    notes.push(format!("{} dead units (no weights)", facts.dead));
    notes.push(format!("{} repeated samples", facts.duplicates));
    let _ = writeln!(out, "\nALSO COUNTED\n  {}", notes.join("\n  "));
}

fn reproduce(out: &mut String, context: &Context) {
    let (model, data) = (quoted(context.model), quoted(context.data));
    match context.output {
        Some(path) => {
            let _ = writeln!(
                out,
                "\nCERTIFICATE\n  {} ({} kB), checked. To check it again:\n  \
                 maxmargin check {} \\\n    --model {model} \\\n    --data {data}{}",
                path.display(),
                context.bytes.div_ceil(1000),
                quoted(path),
                context.options,
            );
        }
        None => {
            let _ = writeln!(
                out,
                "\nAll of it was checked in exact arithmetic; -o FILE writes the certificate."
            );
        }
    }
}

/// The outcome of `check` for one file.
pub fn checked(file: &Path, outcome: &Result<Report, Failure>) -> String {
    match outcome {
        Ok(report) => {
            let mut out = format!("VERIFIED  {}\n", file.display());
            claims(&mut out, report);
            out
        }
        Err(failure) => format!("NOT VERIFIED  {}\n  {failure}\n", file.display()),
    }
}

/// The outcome of `check` for one of many files, in one line.
pub fn row(file: &Path, report: &Report) -> String {
    format!("VERIFIED  {:>3} claims  {}\n", report.claims.len(), file.display())
}

/// The last lines of `check` for several files; `others` were in the folders, but no certificates.
pub fn summary(verified: usize, refused: usize, others: usize) -> String {
    let mut out = format!("\n{} certificates: {verified} verified", verified + refused);
    match refused {
        0 => {}
        n => out.push_str(&format!(", {n} NOT verified")),
    }
    match others {
        0 => {}
        1 => out.push_str("; 1 other .json file is no certificate"),
        n => out.push_str(&format!("; {n} other .json files are no certificates")),
    }
    out + ".\n"
}

/// A certificate in words.
pub fn show(file: &Path, report: &Report) -> String {
    let mut out = checked(file, &Ok(report.clone()));
    let facts = &report.facts;
    let _ = writeln!(
        out,
        "\n{} samples ({} repeated), {} constraints, {} active, {} exact kinks, {} dead units.",
        facts.samples, facts.duplicates, facts.constraints, facts.active, facts.kinks, facts.dead
    );
    for verified in &report.claims {
        let nodes = if verified.nodes > 0 {
            format!(", {} cover nodes", verified.nodes)
        } else {
            String::new()
        };
        let _ = writeln!(
            out,
            "\n{} ({}{nodes})\n  {}",
            verified.claim.kind(),
            verified.rule,
            verified.claim
        );
    }
    out
}

fn claims(out: &mut String, report: &Report) {
    let nu = report.nu.as_ref();
    if let (Some(gamma), Some((low, _))) = (&report.gamma, nu) {
        let _ = writeln!(out, "  γ = {:.9e}, ν = {:.12}", to_f64(gamma), to_f64(low));
    }
    for verified in &report.claims {
        let _ = writeln!(out, "  {}", line(&verified.claim, nu));
    }
    let mut regions = report.claims.iter().filter_map(|v| standing::region_of(&v.claim));
    if regions.any(|region| *region == Region::AnyWidth) {
        let _ = writeln!(out, "  {ANY_WIDTH}");
    }
    if !report.tied {
        let _ = writeln!(
            out,
            "  About the network and data embedded in the file; --model and --data tie it to yours."
        );
    }
}

/// One claim in one line; bounds for all layers relative to this network's ν. (Of one layer alone they bound
/// another ratio.)
fn line(claim: &Claim, nu: Option<&(Rational, Rational)>) -> String {
    let times = |bound: &Number, nu: Option<&Rational>, side| match nu {
        Some(nu) => format!("{} times ν", factor(&(&bound.0 / nu), side)),
        None => bound.to_string(),
    };
    let (nu_low, nu_high) = (nu.map(|n| &n.0), nu.map(|n| &n.1));
    match claim {
        Claim::KktResidual { lo, hi, delta, epsilon, .. } => format!(
            "KKT residual {} to {} of |θ| (δ = {}, ε = {})",
            lo.rounded_down(),
            hi.rounded_up(),
            small(delta),
            small(epsilon)
        ),
        Claim::MarginAtMost { scope: Scope::All, region: r, bound } => {
            format!("best margin, {}: at most {}", region(r), times(bound, nu_low, Side::Up))
        }
        Claim::MarginAtLeast { scope: Scope::All, region: r, bound } => {
            format!("best margin, {}: at least {}", region(r), times(bound, nu_high, Side::Down))
        }
        exact => exact.to_string(),
    }
}
