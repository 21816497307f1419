//! The map as text.
use super::fixtures::{Cell, Table, map};
use super::{Proved, Walk};

/// Widths of the three columns.
const CLASS: usize = 30;
const COLUMN: usize = 25;

/// The two tables: verdict, mark and fixtures of every cell.
pub fn tables(walk: &Walk) -> String {
    let mut out = wrap(&map().about, CLASS + 2 * COLUMN).join("\n");
    out.push('\n');
    for (number, table) in map().tables.iter().enumerate() {
        out.push_str(&format!("\nTable {}. {}\n\n", number + 1, table.title));
        out.push_str(&body(walk, table));
    }
    let (certified, all) = walk.count();
    out.push_str(&format!("\n{certified} of {all} cells are certified (✓); ? is undecided.\n"));
    let note = "A mark speaks of the points named below it. That a whole class is like its point \
                where the cell says `global` is the theorem of the paper; where the cell says `not`, \
                the point is the proof.";
    out.push_str(&wrap(note, CLASS + 2 * COLUMN).join("\n"));
    out.push('\n');
    out
}

/// One fixture: its sentences, and every claim with its mark.
pub fn point(proved: &Proved) -> String {
    let f = proved.fixture;
    let mut out = format!("{}: {}\n", f.name, f.title);
    out.push_str(&format!("  γ = {}, |θ|² = {}\n", f.gamma, f.norm_squared));
    for text in [&f.shows, &f.why, &f.better] {
        wrap(text, CLASS + 2 * COLUMN - 2)
            .iter()
            .for_each(|line| out.push_str(&format!("  {line}\n")));
    }
    let missing = proved.missing();
    for claim in &f.claims {
        let mark = if missing.contains(&claim) { '?' } else { '✓' };
        out.push_str(&format!("  {mark} {claim}\n"));
    }
    out
}

fn body(walk: &Walk, table: &Table) -> String {
    let mut out = line(["", "linear", "ReLU"]);
    out.push_str(&line(
        ["─".repeat(CLASS - 2), "─".repeat(COLUMN - 2), "─".repeat(COLUMN - 2)]
            .each_ref()
            .map(String::as_str),
    ));
    for row in &table.rows {
        let columns = [wrap(&row.class, CLASS - 2), cell(walk, &row.linear), cell(walk, &row.relu)];
        let height = columns.iter().map(Vec::len).max().unwrap_or(0);
        for k in 0..height {
            let part = |c: usize| columns[c].get(k).map_or("", String::as_str);
            out.push_str(&line([part(0), part(1), part(2)]));
        }
    }
    out
}

fn cell(walk: &Walk, cell: &Cell) -> Vec<String> {
    let mark = if walk.certifies(cell) { '✓' } else { '?' };
    let mut lines = wrap(&format!("{mark} {}", cell.verdict), COLUMN - 2);
    lines.iter_mut().skip(1).for_each(|line| line.insert_str(0, "  "));
    for evidence in &cell.certified_by {
        let open = if walk.shows(evidence) { "" } else { " (?)" };
        lines.push(format!("  {}{open}", evidence.fixture));
    }
    lines
}

fn line(columns: [&str; 3]) -> String {
    let text = format!("{:<CLASS$}{:<COLUMN$}{}", columns[0], columns[1], columns[2]);
    format!("{}\n", text.trim_end())
}

/// Words in lines of at most `width` characters.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last().map_or(0, |l| l.chars().count());
        if last > 0 && last + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper::run;
    use maxmargin_kernel::certificate::{Entry, Proof};
    use maxmargin_kernel::claim::{Claim, Scope};
    use maxmargin_kernel::proof::norm_bound::NormBound;

    /// Proves whatever it is asked, but nothing of single layers and no local optimality.
    fn half(_: &maxmargin_kernel::problem::Problem, claims: &[Claim]) -> Vec<Entry> {
        let can = |c: &&Claim| c.scope() == Scope::All && c.kind() != "local_optimum";
        let entry = |claim: &Claim| Entry {
            claim: claim.clone(),
            proof: Proof::NormBound(NormBound { samples: Vec::new() }),
        };
        claims.iter().filter(can).map(entry).collect()
    }

    #[test]
    fn tables_read_as_in_the_paper() {
        insta::assert_snapshot!(tables(&run(&half)));
    }

    #[test]
    fn a_point_reads_with_what_is_open() {
        insta::assert_snapshot!(point(run(&half).point("far_cell").unwrap()));
    }

    #[test]
    fn without_proofs_nothing_is_certified() {
        let walk = run(&|_, _| Vec::new());
        assert_eq!(walk.count(), (0, 18));
        assert!(!tables(&walk).contains("✓ "));
    }
}
