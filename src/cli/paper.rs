//! `maxmargin paper`.
use super::arguments::PaperArguments;
use super::error::Stop;
use super::output::{budget, complain, say, spinner};
use crate::certify::seal;
use crate::import::{check_folder, write_atomically};
use crate::paper::{point, run as walk, tables};
use crate::prove::decide;
use std::fs;

pub(super) fn run(arguments: &PaperArguments) -> Result<u8, Stop> {
    if let Some(folder) = &arguments.out {
        check_folder(folder)?;
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
        write_atomically(&folder.join("map.txt"), whole.as_bytes())?;
    }
    say(&text);
    let (certified, all) = walked.count();
    let complete = certified == all && walked.points.iter().all(|p| p.missing().is_empty());
    if !complete {
        for proved in walked.points.iter().filter(|p| !p.missing().is_empty()) {
            say(format_args!("\n{}", point(proved)));
        }
    }
    Ok(if complete { 0 } else { 5 })
}
