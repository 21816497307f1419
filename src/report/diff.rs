//! What changed between two verified certificates.
use super::standing::brackets;
use super::words::{Side as Round, factor, percent, region, small};
use crate::numeric::two_layer::to_f64;
use maxmargin_kernel::certificate::ProblemEntry;
use maxmargin_kernel::check::Report;
use maxmargin_kernel::claim::{Claim, Number};
use maxmargin_kernel::number::Rational;
use num_traits::One;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// One of the two certificates.
pub struct Side<'a> {
    /// What the kernel verified.
    pub report: &'a Report,
    /// Its digests.
    pub entry: &'a ProblemEntry,
    /// Whether its network shares weights.
    pub sharing: bool,
}

/// How a statement changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The old certificate says it, the new one does not.
    Lost,
    /// The new one says less.
    Weaker,
    /// The new one says more.
    Stronger,
    /// Only the new one says it.
    Gained,
    /// Neither better nor worse.
    Other,
}

/// One change in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its kind.
    pub kind: Kind,
    /// The sentence.
    pub text: String,
}

impl Change {
    /// Whether the new certificate says less here.
    pub fn is_loss(&self) -> bool {
        matches!(self.kind, Kind::Lost | Kind::Weaker)
    }
}

/// The changes from `old` to `new`. Numbers that differ by less than `tolerance`, relative, count as
/// equal.
pub fn compare(old: &Side, new: &Side, tolerance: f64) -> Vec<Change> {
    let mut changes = Changes { list: Vec::new(), tolerance };
    let same_network = old.entry.network_digest == new.entry.network_digest;
    let same_data = old.entry.data_digest == new.entry.data_digest;
    if !same_network {
        changes.add(Kind::Other, "the network is another one".into());
    }
    if !same_data {
        changes.add(Kind::Other, "the data set is another one".into());
    }
    changes.margin(old.report, new.report);
    changes.brackets(old, new, same_network && same_data);
    changes.exact(old.report, new.report);
    changes.residuals(old.report, new.report, same_network && same_data);
    changes.list
}

struct Changes {
    list: Vec<Change>,
    tolerance: f64,
}

impl Changes {
    fn add(&mut self, kind: Kind, text: String) {
        self.list.push(Change { kind, text });
    }

    /// Whether `b` is larger than `a` beyond the tolerance.
    fn above(&self, a: f64, b: f64) -> bool {
        b > a * (1.0 + self.tolerance)
    }

    fn margin(&mut self, old: &Report, new: &Report) {
        let (Some((a, _)), Some((b, _))) = (&old.nu, &new.nu) else { return };
        let (a, b) = (to_f64(a), to_f64(b));
        let words = |verb| {
            format!("normalised margin ν {verb} from {a:.9} to {b:.9} ({})", signed(b / a - 1.0))
        };
        if self.above(a, b) {
            self.add(Kind::Stronger, words("rose"));
        } else if self.above(b, a) {
            self.add(Kind::Weaker, words("fell"));
        }
    }

    fn brackets(&mut self, old: &Side, new: &Side, same: bool) {
        let (before, after) =
            (brackets(old.report, !old.sharing), brackets(new.report, !new.sharing));
        for a in &before {
            let place = region(&a.region);
            let Some(b) = after.iter().find(|b| b.region == a.region) else {
                self.add(Kind::Lost, format!("{place}: no bracket any more"));
                continue;
            };
            match (&a.at_most, &b.at_most) {
                (Some(_), None) => {
                    self.add(Kind::Lost, format!("{place}: no upper bound any more"))
                }
                (None, Some(high)) => {
                    let high = factor(high, Round::Up);
                    self.add(Kind::Gained, format!("{place}: at most {high} times ν"));
                }
                (Some(x), Some(y)) => {
                    let words = format!(
                        "{place}: at most {} times ν, before {}",
                        factor(y, Round::Up),
                        factor(x, Round::Up)
                    );
                    if self.above(to_f64(x), to_f64(y)) {
                        self.add(Kind::Weaker, words);
                    } else if self.above(to_f64(y), to_f64(x)) {
                        self.add(Kind::Stronger, words);
                    }
                }
                (None, None) => {}
            }
            self.lower(&place, &a.at_least, &b.at_least, same);
        }
        for b in after.iter().filter(|b| before.iter().all(|a| a.region != b.region)) {
            let high = b.at_most.as_ref().map_or("no bound".into(), |h| factor(h, Round::Up));
            let text = format!(
                "{}: between {} and {high} times ν",
                region(&b.region),
                factor(&b.at_least, Round::Down)
            );
            self.add(Kind::Gained, text);
        }
    }

    /// What is known to be reachable. It is a statement about the same problem only if that is the
    /// same; a better network naturally leaves less to gain.
    fn lower(&mut self, place: &str, a: &Rational, b: &Rational, same: bool) {
        let (x, y) = (to_f64(a), to_f64(b));
        let rose = self.above(x, y);
        if !rose && !self.above(y, x) {
            return;
        }
        let kind = match (same, rose) {
            (false, _) => Kind::Other,
            (true, true) => Kind::Stronger,
            (true, false) => Kind::Weaker,
        };
        let words = |v: &Rational| match v.is_one() {
            true => "nothing better".to_string(),
            false => format!("{} times ν", factor(v, Round::Down)),
        };
        self.add(
            kind,
            format!("{place}: {} is known to be possible, before {}", words(b), words(a)),
        );
    }

    fn exact(&mut self, old: &Report, new: &Report) {
        let exact = |report: &Report| -> Vec<Claim> {
            let claims = report.claims.iter().map(|v| v.claim.clone());
            claims
                .filter(|c| {
                    !matches!(
                        c,
                        Claim::MarginAtMost { .. }
                            | Claim::MarginAtLeast { .. }
                            | Claim::KktResidual { .. }
                    )
                })
                .collect()
        };
        let (before, after) = (exact(old), exact(new));
        for claim in before.iter().filter(|c| !after.contains(c)) {
            self.add(Kind::Lost, claim.to_string());
        }
        for claim in after.iter().filter(|c| !before.contains(c)) {
            self.add(Kind::Gained, claim.to_string());
        }
    }

    fn residuals(&mut self, old: &Report, new: &Report, same: bool) {
        let (before, after) = (residuals(old), residuals(new));
        for (setting, a) in &before {
            let name =
                format!("KKT residual with δ = {}, ε = {}", small(&setting.0), small(&setting.1));
            let Some((_, b)) = after.iter().find(|(s, _)| s == setting) else {
                self.add(Kind::Lost, name);
                continue;
            };
            let words = format!(
                "{name}: {} to {}, before {} to {}",
                b.0.rounded_down(),
                b.1.rounded_up(),
                a.0.rounded_down(),
                a.1.rounded_up()
            );
            let wider =
                self.above(a.1.to_f64(), b.1.to_f64()) || self.above(b.0.to_f64(), a.0.to_f64());
            let narrower =
                self.above(b.1.to_f64(), a.1.to_f64()) || self.above(a.0.to_f64(), b.0.to_f64());
            match (same, wider, narrower) {
                (_, false, false) => {}
                (true, true, _) => self.add(Kind::Weaker, words),
                (true, false, true) => self.add(Kind::Stronger, words),
                (false, ..) => self.add(Kind::Other, words),
            }
        }
        for ((delta, epsilon), b) in &after {
            if before.iter().all(|((d, e), _)| (d, e) != (delta, epsilon)) {
                let (delta, epsilon) = (small(delta), small(epsilon));
                let (lo, hi) = (b.0.rounded_down(), b.1.rounded_up());
                let text = format!("KKT residual with δ = {delta}, ε = {epsilon}: {lo} to {hi}");
                self.add(Kind::Gained, text);
            }
        }
    }
}

type Residual = ((Number, Number), (Number, Number));

/// `((δ, ε), (lo, hi))` of every residual about all layers.
fn residuals(report: &Report) -> Vec<Residual> {
    let one = |claim: &Claim| match claim {
        Claim::KktResidual { lo, hi, delta, epsilon, .. } => {
            Some(((delta.clone(), epsilon.clone()), (lo.clone(), hi.clone())))
        }
        _ => None,
    };
    report.claims.iter().filter_map(|v| one(&v.claim)).collect()
}

fn signed(change: f64) -> String {
    let text = percent(change);
    if change > 0.0 { format!("+{text}") } else { text }
}

/// The verdict in one word: `same`, `changed` or `weaker`.
fn verdict(changes: &[Change]) -> &'static str {
    match (changes.iter().any(Change::is_loss), changes.is_empty()) {
        (true, _) => "weaker",
        (false, true) => "same",
        (false, false) => "changed",
    }
}

/// The changes as text.
pub fn text(changes: &[Change]) -> String {
    let losses = changes.iter().filter(|c| c.is_loss()).count();
    let mut out = match verdict(changes) {
        "same" => "SAME: both certificates say the same.\n".to_string(),
        "changed" => "CHANGED: the new certificate says nothing less than the old.\n".into(),
        _ => format!("WEAKER: the new certificate says less than the old, {losses} times.\n"),
    };
    for (kind, title) in [
        (Kind::Lost, "LOST"),
        (Kind::Weaker, "WEAKER"),
        (Kind::Stronger, "STRONGER"),
        (Kind::Gained, "GAINED"),
        (Kind::Other, "ALSO"),
    ] {
        let mut lines = changes.iter().filter(|c| c.kind == kind).peekable();
        if lines.peek().is_some() {
            let _ = writeln!(out, "\n{title}");
        }
        for change in lines {
            let _ = writeln!(out, "  {}", change.text);
        }
    }
    out
}

/// The changes as JSON.
pub fn json(changes: &[Change]) -> Value {
    let one = |c: &Change| json!({"kind": format!("{:?}", c.kind).to_lowercase(), "text": c.text});
    json!({"verdict": verdict(changes), "changes": changes.iter().map(one).collect::<Vec<_>>()})
}
