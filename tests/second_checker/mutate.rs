//! Systematic edits of certificates.
use crate::json::{Json, problem};
use maxmargin_kernel::problem::{data_digest, network_digest};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

/// An edited certificate.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// The rule of the claim that was edited, `(file)`, `(problem)` with stale digests, or
    /// `(another problem)` with fresh ones.
    pub rule: String,
    /// The kind of edit.
    pub kind: &'static str,
    /// What was done, and where.
    pub edit: String,
    pub text: Vec<u8>,
}

/// One edit at one place.
#[derive(Clone, Debug)]
struct Edit {
    path: Vec<usize>,
    kind: &'static str,
    change: Change,
}

#[derive(Clone, Debug)]
enum Change {
    /// Another atom.
    Atom(String),
    /// The entry or member is left out.
    Drop(usize),
    /// It comes twice.
    Twice(usize),
    /// It changes places with the next.
    Swap(usize),
    /// Nothing is left.
    Clear,
    /// A key that no one knows.
    Unknown,
}

const KINDS: [&str; 9] = [
    "kkt",
    "not_kkt",
    "local_optimum",
    "not_local_optimum",
    "global_optimum",
    "not_global_optimum",
    "kkt_residual",
    "margin_at_most",
    "margin_at_least",
];

/// At most `most` mutants of a certificate, those that this seed picks.
pub fn mutants(text: &[u8], most: usize, seed: u64) -> Vec<Mutant> {
    let mut rng = Pcg64::seed_from_u64(seed);
    let text = String::from_utf8(text.to_vec()).unwrap();
    let original = Json::parse(&text);
    let mut edits = Vec::new();
    edits_below(&original, "", &mut Vec::new(), &mut edits);
    edits.shuffle(&mut rng);
    // Kinds of edits that are possible in few places are not to be lost among the many.
    let mut taken: std::collections::BTreeMap<&str, usize> = Default::default();
    let mut rank: Vec<(usize, Edit)> = edits
        .into_iter()
        .map(|edit| {
            let n = taken.entry(edit.kind).or_default();
            *n += 1;
            (*n, edit)
        })
        .collect();
    rank.sort_by_key(|(n, _)| *n);
    let mut mutants = Vec::new();
    for (_, edit) in rank.into_iter().take(most.saturating_sub(2).max(1)) {
        let mut mutant = original.clone();
        apply(mutant.at(&edit.path), &edit.change);
        let rule = rule_of(&original, &edit.path);
        let whole = format!("{} at {:?}: {:?}", edit.kind, edit.path, edit.change);
        if rule == "(problem)"
            && let Some(fresh) = with_fresh_digests(&mutant)
        {
            let rule = "(another problem)".into();
            mutants.push(Mutant { rule, kind: edit.kind, edit: whole.clone(), text: fresh });
        }
        mutants.push(Mutant { rule, kind: edit.kind, edit: whole, text: mutant.text().into() });
    }
    if most > 2 {
        for _ in 0..2 {
            let at = rng.random_range(1..text.trim_end().len());
            let kind = "truncated";
            let (rule, edit) = ("(file)".into(), format!("{kind} at {at}"));
            mutants.push(Mutant { rule, kind, edit, text: text.as_bytes()[..at].to_vec() });
        }
    }
    mutants.retain(|m| m.text != original.text().as_bytes());
    mutants
}

/// Whose edit this is.
fn rule_of(original: &Json, path: &[usize]) -> String {
    let mut whole = original.clone();
    let Json::Object(members) = &mut whole else { return "(file)".into() };
    match path.first().map(|n| members[*n].0.as_str()) {
        // Members 0 and 1 of the problem are the digests.
        Some("\"problem\"") if path.get(1).is_some_and(|n| *n > 1) => "(problem)".into(),
        Some("\"claims\"") if path.len() > 1 => {
            let entry = whole.at(&path[..2]);
            let rule = entry.member("proof").and_then(|p| p.member("rule")).unwrap().text();
            rule.trim_matches('"').to_string()
        }
        _ => "(file)".into(),
    }
}

/// The same with the digests of the network and data that it now embeds.
fn with_fresh_digests(mutant: &Json) -> Option<Vec<u8>> {
    let value = serde_json::from_str(&mutant.text()).ok()?;
    let problem = problem(&value)?;
    let mut fresh = mutant.clone();
    let entry = fresh.member("problem")?;
    let digests = [
        ("network_digest", network_digest(problem.network())),
        ("data_digest", data_digest(problem.data())),
    ];
    for (name, digest) in digests {
        *entry.member(name)? = Json::Atom(format!("\"{digest}\""));
    }
    Some(fresh.text().into_bytes())
}

fn apply(value: &mut Json, change: &Change) {
    match (value, change) {
        (value, Change::Atom(text)) => *value = Json::Atom(text.clone()),
        (Json::List(list), Change::Drop(n)) => drop(list.remove(*n)),
        (Json::List(list), Change::Twice(n)) => list.insert(*n, list[*n].clone()),
        (Json::List(list), Change::Swap(n)) => list.swap(*n, *n + 1),
        (Json::List(list), Change::Clear) => list.clear(),
        (Json::Object(members), Change::Drop(n)) => drop(members.remove(*n)),
        (Json::Object(members), Change::Twice(n)) => members.insert(*n, members[*n].clone()),
        (Json::Object(members), Change::Swap(n)) => members.swap(*n, *n + 1),
        (Json::Object(members), Change::Unknown) => {
            members.push(("\"note\"".into(), Json::Atom("0".into())));
        }
        (value, change) => unreachable!("{change:?} of {value:?}"),
    }
}

fn edits_below(value: &Json, key: &str, path: &mut Vec<usize>, edits: &mut Vec<Edit>) {
    let mut add = |kind, change| edits.push(Edit { path: path.clone(), kind, change });
    match value {
        Json::Atom(text) => {
            for (kind, new) in atoms(text, key) {
                add(kind, Change::Atom(new));
            }
        }
        Json::List(list) => {
            for n in 0..list.len() {
                add("drop", Change::Drop(n));
                add("twice", Change::Twice(n));
                if n + 1 < list.len() {
                    add("swap", Change::Swap(n));
                }
            }
            if list.len() > 1 {
                add("clear", Change::Clear);
            }
        }
        Json::Object(members) => {
            add("unknown key", Change::Unknown);
            for n in 0..members.len() {
                add("drop key", Change::Drop(n));
                add("key twice", Change::Twice(n));
                if n + 1 < members.len() {
                    add("swap keys", Change::Swap(n));
                }
            }
        }
    }
    let below: Vec<(&str, &Json)> = match value {
        Json::Object(members) => members.iter().map(|(k, v)| (k.as_str(), v)).collect(),
        Json::List(list) => list.iter().map(|v| (key, v)).collect(),
        Json::Atom(_) => Vec::new(),
    };
    for (n, (key, value)) in below.into_iter().enumerate() {
        path.push(n);
        edits_below(value, key, path, edits);
        path.pop();
    }
}

/// Other texts for an atom, by its key.
fn atoms(text: &str, key: &str) -> Vec<(&'static str, String)> {
    let quoted = |t: &str| format!("\"{t}\"");
    let all = |kind: &'static str, list: &[&str]| {
        list.iter().map(|t| (kind, quoted(t))).filter(|(_, t)| t != text).collect::<Vec<_>>()
    };
    match key {
        "\"kind\"" => return all("kind", &KINDS),
        "\"rule\"" => return all("rule", &crate::RULES),
        "\"scope\"" => return all("scope", &["all", "layer:1", "layer:2", "layer:0", "layer:9"]),
        "\"region\"" => {
            let list = ["cell", "near:0", "near:1/10", "near:1", "everywhere", "any_width"];
            return all("region", &list);
        }
        "\"activation\"" => {
            let mut list = all("activation", &["relu", "linear"]);
            list.push(("activation", "{\"leaky_relu\":\"1/2\"}".into()));
            return list;
        }
        "\"network_digest\"" | "\"data_digest\"" => {
            let other = if text.as_bytes()[1] == b'0' { '1' } else { '0' };
            return vec![("digest", format!("\"{other}{}", &text[2..]))];
        }
        _ => {}
    }
    let (inner, is_string) = match text.strip_prefix('"') {
        Some(inner) => (inner.trim_end_matches('"'), true),
        None => (text, false),
    };
    // The numerator, and what follows it.
    let digits = inner.trim_start_matches('-');
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (number, rest) = inner.split_at(inner.len() - digits.len() + end);
    let Ok(value) = number.parse::<i128>() else { return Vec::new() };
    let write = |n: i128| {
        let new = format!("{n}{rest}");
        if is_string { quoted(&new) } else { new }
    };
    let mut list = vec![
        ("one unit up", write(value + 1)),
        ("one unit down", write(value - 1)),
        ("sign", write(-value)),
        ("zero", write(0)),
        ("inflated", write(value.saturating_mul(1_000))),
        ("inflated", write(i128::from(i64::MAX))),
    ];
    if is_string {
        // Less by the smallest step that a decimal of fifty digits can make.
        let tiny = format!("{number}.{}1", "0".repeat(49));
        list.push(("smallest step", quoted(&tiny)));
        list.push(("a float", number.to_string()));
    }
    list.retain(|(_, new)| new != text);
    list
}
