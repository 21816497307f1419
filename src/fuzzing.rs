//! What the fuzz targets run. Nothing here may panic, whatever the bytes are; where an assertion
//! stands, it is a property that no input may break.
mod exact;

pub use exact::{arithmetic, problems};

use crate::certify::{Request, bytes, certify};
use crate::import::{DataOptions, ModelOptions, parse_data, parse_model};
use maxmargin_kernel::check::{Limits, Report, check};
use maxmargin_kernel::claim::{Claim, Number, Region};
use maxmargin_kernel::network::NetworkJson;
use maxmargin_kernel::number::Rational;
use maxmargin_kernel::problem::{DataJson, Problem};
use std::path::Path;
use std::sync::OnceLock;

/// Bytes that begin with `{` are a certificate as they stand; others are edits of a good one.
pub fn certificate(bytes: &[u8]) {
    let text = if bytes.first() == Some(&b'{') { bytes.to_vec() } else { edited(bytes) };
    for given in [None, Some(&good().0)] {
        if let Ok(report) =
            check(text.as_slice(), given, Limits { nodes: 10_000, ..Limits::default() })
        {
            assert_sound(&report);
        }
    }
}

/// A model in safetensors.
pub fn import_safetensors(bytes: &[u8]) {
    model("fuzz.safetensors", bytes);
}

/// A model or a data set in npz.
pub fn import_npz(bytes: &[u8]) {
    model("fuzz.npz", bytes);
    data("fuzz.npz", bytes, None);
}

/// A model in ONNX.
pub fn import_onnx(bytes: &[u8]) {
    model("fuzz.onnx", bytes);
}

/// A data set in csv.
pub fn import_csv(bytes: &[u8]) {
    data("fuzz.csv", bytes, None);
    data("fuzz.csv", bytes, Some("0"));
}

/// A model or a data set in exact JSON.
pub fn import_json(bytes: &[u8]) {
    model("fuzz.json", bytes);
    data("fuzz.json", bytes, None);
}

/// What is read survives the way through canonical JSON, and errors have something to say.
fn model(path: &str, bytes: &[u8]) {
    match parse_model(Path::new(path), bytes, &ModelOptions::default()) {
        Ok(model) => {
            let again = NetworkJson::from_network(&model.network).to_network();
            assert!(again.is_ok_and(|network| network == model.network));
        }
        Err(error) => assert!(error.to_string().starts_with(path)),
    }
}

fn data(path: &str, bytes: &[u8], label: Option<&str>) {
    let options = DataOptions { label: label.map(String::from) };
    match parse_data(Path::new(path), bytes, &options) {
        Ok(set) => {
            // Denominators may differ, numbers may not.
            let json = DataJson::from_data(&set.data);
            let again = json.to_data().map(|data| DataJson::from_data(&data));
            assert!(again.is_ok_and(|again| again == json));
        }
        Err(error) => assert!(error.to_string().starts_with(path)),
    }
}

/// Every region contains θ, and regions are nested: no verified upper bound is below ν(θ), nor
/// below a verified margin of a region within.
fn assert_sound(report: &Report) {
    let Some((nu, _)) = &report.nu else { return };
    for upper in &report.claims {
        let Claim::MarginAtMost { region, bound, .. } = &upper.claim else { continue };
        assert!(*nu <= bound.0, "an upper bound below ν(θ)");
        for lower in &report.claims {
            if let Claim::MarginAtLeast { region: inner, bound: low, .. } = &lower.claim {
                assert!(!within(inner, region) || low <= bound, "a margin above an upper bound");
            }
        }
    }
    for claim in &report.claims {
        if let Claim::KktResidual { lo, hi, .. } = &claim.claim {
            assert!(lo <= hi, "a residual with lo > hi");
        }
    }
}

fn within(inner: &Region, outer: &Region) -> bool {
    match (inner, outer) {
        (_, Region::AnyWidth) | (Region::Cell, _) => true,
        (Region::Near(a), Region::Near(b)) => a <= b,
        (Region::Near(_) | Region::Everywhere, Region::Everywhere) => true,
        _ => false,
    }
}

/// A small problem with kinks, a dead neuron and a repeated sample, and its certificate.
fn good() -> &'static (Problem, Vec<u8>) {
    static GOOD: OnceLock<(Problem, Vec<u8>)> = OnceLock::new();
    GOOD.get_or_init(|| {
        let network = r#"{"activation":{"leaky_relu":"1/4"},"layers":[{"weights":[["1","1/2"],["-1","1/3"],["0","0"]]},{"weights":[["1","1","0"]]}]}"#;
        let data = r#"{"x":[["1","1/4"],["-1","1/2"],["-1/3","-1"],["1","1/4"]],"y":[1,1,-1,1]}"#;
        let network: NetworkJson = serde_json::from_str(network).expect("written above");
        let data: DataJson = serde_json::from_str(data).expect("written above");
        let network = network.to_network().expect("written above");
        let problem = Problem::new(network, data.to_data().expect("written above"));
        let problem = problem.expect("written above");
        let fraction = |d: i64| Rational::new(1.into(), d.into());
        let near = Region::Near(Number(fraction(10)));
        let request = Request {
            brackets: vec![Region::Cell, near, Region::Everywhere],
            residual: Some((fraction(10), fraction(100))),
            residual_asked: true,
            ..Request::default()
        };
        let outcome = certify(&problem, &request, &|_| ());
        let (text, _) = bytes(&problem, outcome.entries, true).expect("a good certificate");
        (problem, text)
    })
}

/// The good certificate after a list of edits of its numbers, five bytes each: which number (two
/// bytes), what to do with it, and with what (two bytes).
fn edited(edits: &[u8]) -> Vec<u8> {
    let mut text = good().1.clone();
    for edit in edits.chunks_exact(5).take(8) {
        let places = numbers(&text);
        let which = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % places.len().max(1);
        let Some(place) = places.get(which).cloned() else { break };
        let value = u16::from_le_bytes([edit[3], edit[4]]);
        let old = String::from_utf8_lossy(&text[place.clone()]).into_owned();
        let new = match edit[2] % 8 {
            0 => value.to_string(),
            1 => format!("{old}{}", value % 10),
            2 => old.parse::<i128>().map_or(old, |n| n.wrapping_add(i128::from(value)).to_string()),
            3 => old.parse::<i128>().map_or(old, |n| n.wrapping_sub(i128::from(value)).to_string()),
            4 => old.strip_prefix('-').map_or(format!("-{old}"), String::from),
            5 => old.get(..old.len() / 2).filter(|t| !t.is_empty()).unwrap_or("0").into(),
            6 => i64::MIN.to_string(),
            _ => format!("{old}{value}{}", u64::MAX),
        };
        text.splice(place, new.into_bytes());
    }
    text
}

/// Where the integers of a text stand, those in words aside.
fn numbers(text: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut places = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let start = at;
        if text[at] == b'-' {
            at += 1;
        }
        while text.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        let in_word = start > 0 && text[start - 1].is_ascii_alphanumeric();
        if at > start && text[at - 1].is_ascii_digit() && !in_word {
            places.push(start..at);
        }
        at = at.max(start + 1);
    }
    places
}
