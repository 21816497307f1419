//! `maxmargin paper`.
use super::arguments::PaperArguments;
use super::error::Stop;
use super::output::{budget, complain, say, spinner};
use crate::certify::seal;
use crate::export::{export, name};
use crate::paper::fixtures::{Evidence, map};
use crate::paper::{Walk, point, run as walk, tables};
use crate::prove::decide;
use crate::target;
use maxmargin_kernel::certificate::{Certificate, ProblemEntry};
use maxmargin_kernel::claim::Claim;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

pub(super) fn run(arguments: &PaperArguments) -> Result<u8, Stop> {
    if let Some(folder) = &arguments.out {
        target::check_folder(folder)?;
        fs::create_dir_all(folder)
            .map_err(|e| Stop::input(format!("cannot create {}: {e}", folder.display())))?;
    }
    let budget = budget(&arguments.limits);
    let bar = spinner();
    bar.set_message("proving every cell");
    let walked = walk(&|problem, claims| decide::prove(problem, claims, &budget));
    bar.finish_and_clear();
    for proved in &walked.points {
        if proved.entries.is_empty() {
            complain(format_args!("nothing was proved of {}", proved.fixture.name));
            continue;
        }
        // Whatever the searches say, only what the kernel reads back counts.
        let name = format!("{}.cert.json", proved.fixture.name);
        let path = arguments.out.as_ref().map(|folder| folder.join(name));
        seal(&proved.problem, proved.entries.clone(), true, path.as_deref()).map_err(Stop::seal)?;
    }
    let text = tables(&walked);
    if let Some(folder) = &arguments.out {
        let points: Vec<String> = walked.points.iter().map(point).collect();
        let whole = format!("{text}\n{}", points.join("\n"));
        target::write(&folder.join("map.txt"), whole.as_bytes())?;
    }
    say(&text);
    if let Some(program) = &arguments.also_verified {
        say(proved_cells(&walked, program)?);
    }
    let (certified, all) = walked.count();
    let complete = certified == all && walked.points.iter().all(|p| p.missing().is_empty());
    if !complete {
        for proved in walked.points.iter().filter(|p| !p.missing().is_empty()) {
            say(format_args!("\n{}", point(proved)));
        }
    }
    Ok(if complete { 0 } else { 5 })
}

/// What the proved checker confirms of every cell: the whole evidence, or all of it but that the
/// point is a KKT point.
fn proved_cells(walked: &Walk, program: &Path) -> Result<String, Stop> {
    let mut accepted = BTreeMap::new();
    for point in walked.points.iter().filter(|p| !p.entries.is_empty()) {
        let entry = ProblemEntry::new(&point.problem, true);
        let certificate = Certificate::new(entry, point.entries.clone());
        let text = serde_json::to_vec(&certificate).map_err(|e| Stop::internal(e.to_string()))?;
        let exported = export(&text[..], None).map_err(|e| Stop::internal(e.to_string()))?;
        let verified = crate::export::run(program, &exported)
            .map_err(|e| Stop { code: 7, message: format!("{}: {e}", point.fixture.name) })?;
        accepted.insert(point.fixture.name.clone(), verified.accepted);
    }
    let has = |fixture: &str, claim: &Claim| {
        accepted.get(fixture).is_some_and(|list| list.contains(&name(claim)))
    };
    let mut out = String::from("\nProved by maxmargin-verified\n\n");
    let (mut whole, mut verdicts, mut all) = (0, 0, 0);
    for (row, activation, cell) in map().cells() {
        let is_kkt = |claim: &Claim| matches!(claim, Claim::Kkt { .. });
        let proved = |e: &Evidence, but_kkt: bool| {
            let mut rest = e.claims.iter().filter(|c| !(but_kkt && is_kkt(c))).peekable();
            rest.peek().is_some() && rest.all(|claim| has(&e.fixture, claim))
        };
        let by = |but_kkt: bool| {
            let by = cell.certified_by.iter().filter(|e| proved(e, but_kkt));
            by.map(|e| e.fixture.as_str()).collect::<Vec<_>>().join(", ")
        };
        all += 1;
        whole += usize::from(!by(false).is_empty());
        verdicts += usize::from(!by(true).is_empty());
        let mark = match (by(false), by(true)) {
            (whole, _) if !whole.is_empty() => format!("proved ({whole})"),
            (_, verdict) if !verdict.is_empty() => {
                format!("proved ({verdict}), but for its being a KKT point: not covered yet")
            }
            _ => "not covered yet".to_string(),
        };
        out.push_str(&format!("  {}, {activation}: {}\n      {mark}\n", row.class, cell.verdict));
    }
    out.push_str(&format!(
        "\nOf {all} cells, {whole} are proved down to Coq in full, {verdicts} but for the KKT property \
         (proofs/README.md).\n"
    ));
    Ok(out)
}
