//! The sections of words and tables.
use super::{Page, figure, figures, meaning, neurons};
use crate::certify::Bracket;
use crate::numeric::two_layer::to_f64;
use crate::report::layout::quoted;
use crate::report::standing::{self, Tone, price_of_width, upper_proof};
use crate::report::words::{Side, factor, measure, percent, region, shape, small};
use maud::{Markup, html};
use maxmargin_kernel::claim::{Claim, Number};
use std::collections::BTreeMap;

/// Most rows of a table; what is left out is said.
const MAX_ROWS: usize = 60;

pub(super) use standing::place;

impl Page<'_> {
    fn brackets(&self) -> Vec<Bracket> {
        standing::brackets(self.report, !self.problem.network().has_sharing())
    }

    pub(super) fn heading(&self) -> Markup {
        let network = self.problem.network();
        let facts = &self.report.facts;
        let features = match network.inputs() {
            1 => "1 feature".to_string(),
            n => format!("{n} features"),
        };
        html! {
            header {
                p.kind { "maxmargin certificate · verified in exact arithmetic" }
                h1 { (self.file.file_name().unwrap_or(self.file.as_os_str()).to_string_lossy()) }
                p { (network.activation()) " network " (shape(network)) " on " (facts.samples) " samples of " (features) }
            }
        }
    }

    /// The verdict: exact claims, then one sentence per region.
    pub(super) fn verdict(&self) -> Markup {
        let tone = |tone| match tone {
            Tone::Yes => "yes",
            Tone::No => "no",
            Tone::Note => "note",
        };
        let lines: Vec<(&str, String)> = standing::sentences(self.report, self.problem.network())
            .into_iter()
            .map(|(t, line)| (tone(t), line))
            .collect();
        html! {
            section #verdict {
                h2 { "Verdict" }
                ul.verdict {
                    @for (kind, line) in &lines {
                        li class=(kind) {
                            span.mark aria-hidden="true" { @match *kind { "yes" => "✓", "no" => "✗", _ => "·" } }
                            span { (line) "." }
                        }
                    }
                    @if lines.is_empty() { li.note { span.mark { "·" } span { "See the claims below." } } }
                }
                @if !self.report.tied {
                    p.small { "About the network and data embedded in the certificate; compare their digests with yours, below." }
                }
            }
        }
    }

    /// Brackets: chart and table; margin and residual as numbers.
    pub(super) fn bounds(&self) -> Markup {
        let brackets = self.brackets();
        let report = self.report;
        let depth = self.problem.network().depth();
        html! {
            section #bounds {
                h2 { "Margin" }
                dl.numbers {
                    @if let Some(gamma) = &report.gamma {
                        div { dt { "margin γ" } dd { (measure(to_f64(gamma), 6)) } }
                    }
                    @if let Some((nu, _)) = &report.nu {
                        div { dt { "normalised ν = γ/|θ|" sup { (depth) } } dd { (measure(to_f64(nu), 9)) } }
                        @if depth == 2 {
                            div { dt { "cost 1/(2ν)" } dd { (measure(0.5 / to_f64(nu), 9)) } }
                        }
                    }
                    div { dt { "active" } dd { (report.facts.active) " of " (report.facts.constraints) } }
                    @for (lo, hi, delta, epsilon) in report.claims.iter().filter_map(residual) {
                        div {
                            dt { "KKT residual (δ = " (small(delta)) ", ε = " (small(epsilon)) ")" }
                            dd { (short(lo, Side::Down)) " to " (short(hi, Side::Up)) }
                        }
                    }
                }
                @if !brackets.is_empty() {
                    h3 { "Best normalised margin of each region, as a multiple of this network's" }
                    (figure("Intervals that contain the best normalised margin of each region", figures::intervals(&brackets), &html! {
                        "Each bar contains the best possible normalised margin of its region. A ring at its left end: \
                         nothing better than this network is known. A short bar far to the left: this network is \
                         optimal there but for the distance shown."
                    }))
                    div.scroll { table {
                        thead { tr { th { "region" } th.n { "at least" } th.n { "at most" } th { "proof of the upper bound" } } }
                        tbody { @for b in &brackets { tr {
                            td { (region(&b.region)) }
                            td.n { (factor(&b.at_least, Side::Down)) }
                            td.n { @match &b.at_most { Some(high) => (factor(high, Side::Up)), None => "?" } }
                            td { (upper_proof(b)) }
                        } } }
                    } }
                    @if let Some(wider) = standing::wider(&brackets) { p { (price_of_width(wider)) } }
                }
            }
        }
    }

    /// The margins of all constraints.
    pub(super) fn margins(&self) -> Markup {
        let Some(gamma) = &self.report.gamma else { return html! {} };
        let gamma = to_f64(gamma);
        let witness = self.main_witness();
        let multiplied: Vec<usize> =
            witness.map_or_else(Vec::new, |w| w.lambda.iter().map(|l| l.0).collect());
        let values = self.problem.margins().values().iter().enumerate();
        let points: Vec<(f64, bool)> =
            values.map(|(k, q)| (to_f64(q) / gamma, multiplied.contains(&k))).collect();
        html! {
            section #margins {
                h2 { "Margins of all samples" }
                (figure("Margins of all constraints in ascending order", figures::margins(&points), &html! {
                    (points.len()) " constraints; the line is the smallest margin, γ. "
                    @match witness {
                        Some(w) => {
                            "Orange stems: the " (multiplied.len()) " with a positive multiplier in the proof of "
                            b { (w.claim.kind().replace('_', " ")) } ", the support vectors."
                        }
                        None => "No proof of this certificate has multipliers.",
                    }
                }))
            }
        }
    }

    /// λ, proof by proof.
    pub(super) fn multipliers(&self) -> Markup {
        let gamma = self.report.gamma.as_ref().map_or(f64::NAN, to_f64);
        let margins = self.problem.margins();
        let with: Vec<_> =
            self.contents.witnesses.iter().filter(|w| !w.lambda.is_empty()).collect();
        let main = self.main_witness().map(std::ptr::from_ref);
        html! {
            @if !with.is_empty() {
                section #multipliers {
                    h2 { "Multipliers" }
                    p.small { "Samples are counted from 0. Shares are of Σλ; the exact numbers are in the certificate." }
                    @for w in with {
                        @let sum: f64 = w.lambda.iter().map(|l| l.1).sum();
                        @let rows = largest(&w.lambda);
                        details open[Some(std::ptr::from_ref(w)) == main] {
                            summary { (w.claim.kind().replace('_', " ")) ", " (place(&w.claim)) ": " (w.lambda.len()) " positive" }
                            div.scroll { table {
                                thead { tr { th.n { "sample" } th { "label" } th.n { "margin / γ" } th.n { "λ / Σλ" } th.bar {} } }
                                tbody { @for (k, l) in rows.iter().take(MAX_ROWS) {
                                    @let c = margins.constraints().get(*k);
                                    @let q = margins.values().get(*k).map_or(f64::NAN, to_f64);
                                    tr {
                                        td.n { @match c { Some(c) => (c.sample), None => (k) } }
                                        td { @if let Some(c) = c { (label(self.problem.data().label(c.sample), c.minus)) } }
                                        td.n { (format!("{:.6}", q / gamma)) }
                                        td.n { (format!("{:.4}", l / sum)) }
                                        td.bar { span style=(format!("width:{:.1}%", 100.0 * l / rows[0].1)) {} }
                                    }
                                } }
                            } }
                            @if rows.len() > MAX_ROWS { p.small { "and " (rows.len() - MAX_ROWS) " smaller ones" } }
                        }
                    }
                }
            }
        }
    }

    /// The neurons of a two-layer network; counts for others.
    pub(super) fn neurons(&self) -> Markup {
        let facts = &self.report.facts;
        let rows = neurons::rows(self.problem);
        html! {
            section #neurons {
                h2 { "Neurons" }
                @match &rows {
                    None => p { (facts.dead) " dead units, " (facts.kinks) " preactivations exactly at a kink." },
                    Some(rows) => {
                        @let dead = rows.iter().filter(|r| r.dead).count();
                        @let groups: BTreeMap<&String, usize> = rows.iter().filter_map(|r| r.group.as_ref()).fold(BTreeMap::new(), |mut m, g| { *m.entry(g).or_default() += 1; m });
                        p {
                            (rows.len() - dead) " alive, " (dead) " dead; "
                            @match (rows.len() > neurons::MAX_COMPARED, groups.len()) {
                                (true, _) => "too many to look for parallel ones",
                                (false, 0) => "no two parallel",
                                (false, 1) => "1 group of parallel neurons:",
                                (false, n) => { (n) " groups of parallel neurons:" }
                            }
                            @for (name, size) in &groups { " " b { (name) } " (" (size) ")" }
                            "; " (facts.kinks) " preactivations exactly at a kink."
                        }
                        details open[rows.len() <= 12] {
                            summary { "Every neuron, heaviest first" }
                            div.scroll { table {
                                thead { tr {
                                    th.n { "neuron" } th.n { "|w|" } th.n { "v" } th.n { "share of cost" }
                                    th.n { "active on" } th.n { "at a kink" } th.n { "within 1e-4" } th { "group" }
                                } }
                                tbody { @for r in rows.iter().take(MAX_ROWS) { tr {
                                    td.n { (r.index) }
                                    @if r.dead { td colspan="7" { "dead: all its weights are 0" } }
                                    @else {
                                        td.n { (format!("{:.4}", r.w)) }
                                        td.n { (format!("{:+.4}", r.v)) }
                                        td.n { (percent((r.share * 1e4).round() / 1e4)) }
                                        td.n { (r.active) }
                                        td.n { (r.kinks) }
                                        td.n { (r.near) }
                                        td { (r.group.as_deref().unwrap_or("")) }
                                    }
                                } } }
                            } }
                            @if rows.len() > MAX_ROWS { p.small { "and " (rows.len() - MAX_ROWS) " lighter ones" } }
                        }
                        p.small { "Active on: samples with w·x > 0. Parallel neurons of one output sign act as one." }
                    }
                }
            }
        }
    }

    /// Every claim with its meaning and rule.
    pub(super) fn claims(&self) -> Markup {
        html! {
            section #claims {
                h2 { "What is proved, claim by claim" }
                @for verified in &self.report.claims {
                    @let (number, idea) = meaning::rule(verified.rule);
                    div.claim {
                        p { b { (verified.claim.to_string()) } }
                        p { (meaning::claim(&verified.claim)) }
                        p.small {
                            "Rule " code { (verified.rule) } @if !number.is_empty() { " (theory " (number) "): " (idea) }
                            @if verified.nodes > 0 { "; " (verified.nodes) " cover nodes" }
                        }
                    }
                }
            }
        }
    }

    /// Digests, and how to check again.
    pub(super) fn identity(&self) -> Markup {
        let file = quoted(self.file);
        let entry = &self.contents.entry;
        let files = match self.given {
            Some((model, data)) => {
                format!(" --model {} --data {}", quoted(model), quoted(data))
            }
            None => " --model YOUR_MODEL --data YOUR_DATA".into(),
        };
        html! {
            section #identity {
                h2 { "Identity, and how to check again" }
                dl.digests {
                    dt { "network, SHA-256" } dd { code { (entry.network_digest) } }
                    dt { "data set, SHA-256" } dd { code { (entry.data_digest) } }
                }
                p {
                    @if entry.network.is_some() { "The certificate contains network and data. " }
                    @else { "The certificate contains digests only: network and data must be given. " }
                    "This page shows numbers rounded; the certificate has them exactly, and the checker takes nothing \
                     from it that it can recompute:"
                }
                pre { code { "maxmargin check " (file) (files) } }
                @if entry.network.is_some() {
                    p { "With the trusted kernel alone, about the embedded network and data:" }
                    pre { code { "maxmargin-check " (file) } }
                }
                p.small { "Written by maxmargin " (env!("CARGO_PKG_VERSION")) ", certificate format version " (maxmargin_kernel::certificate::VERSION) "." }
            }
        }
    }
}

fn residual(
    verified: &maxmargin_kernel::check::Verified,
) -> Option<(&Number, &Number, &Number, &Number)> {
    match &verified.claim {
        Claim::KktResidual { lo, hi, delta, epsilon, .. } => Some((lo, hi, delta, epsilon)),
        _ => None,
    }
}

fn short(value: &Number, side: Side) -> String {
    if value.to_f64() == 0.0 {
        "0".into()
    } else {
        crate::report::words::power_of_ten(&value.0, side)
    }
}

/// By descending size.
fn largest(lambda: &[(usize, f64)]) -> Vec<(usize, f64)> {
    let mut rows = lambda.to_vec();
    rows.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    rows
}

/// `+1`, or `2 against 0` for a constraint between classes.
fn label(label: i64, against: Option<usize>) -> String {
    match against {
        Some(other) => format!("{label} against {other}"),
        None => format!("{label:+}"),
    }
}
