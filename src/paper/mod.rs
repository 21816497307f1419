//! The paper's map of what gradient flow can converge to (G. Vardi, O. Shamir, N. Srebro, *On Margin
//! Maximization in Linear and ReLU Networks*, arXiv 2110.02732, Tables 1 and 2), cell by cell: for
//! every cell a point, and claims about it that a prover has to find the proofs of by itself.

pub mod fixtures;
mod render;

pub use render::{point, tables};

use fixtures::{Cell, Evidence, Fixture, map};
use maxmargin_kernel::certificate::Entry;
use maxmargin_kernel::claim::Claim;
use maxmargin_kernel::problem::Problem;

/// What was proved of every fixture.
#[derive(Debug)]
pub struct Walk {
    /// One per fixture, in the order of the map.
    pub points: Vec<Proved>,
}

/// What was proved of one fixture.
#[derive(Debug)]
pub struct Proved {
    /// The fixture.
    pub fixture: &'static Fixture,
    /// Its network and data.
    pub problem: Problem,
    /// The claims with their proofs, as the prover gave them.
    pub entries: Vec<Entry>,
}

/// Asks `prover` for a proof of every claim of every fixture. It is told the claims, and nothing of
/// why they are true; it answers with those it proved.
pub fn run(prover: &dyn Fn(&Problem, &[Claim]) -> Vec<Entry>) -> Walk {
    let prove = |fixture: &'static Fixture| {
        let problem = fixture.problem();
        let entries = prover(&problem, &fixture.claims);
        Proved { fixture, problem, entries }
    };
    Walk { points: map().fixtures.iter().map(prove).collect() }
}

impl Proved {
    /// The claims of the fixture that were not proved.
    pub fn missing(&self) -> Vec<&'static Claim> {
        self.fixture.claims.iter().filter(|c| !self.has(c)).collect()
    }

    fn has(&self, claim: &Claim) -> bool {
        self.entries.iter().any(|entry| entry.claim == *claim)
    }
}

impl Walk {
    /// What was proved of the fixture of this name.
    pub fn point(&self, name: &str) -> Option<&Proved> {
        self.points.iter().find(|p| p.fixture.name == name)
    }

    /// Whether everything that a piece of evidence consists of was proved.
    pub fn shows(&self, evidence: &Evidence) -> bool {
        let point = self.point(&evidence.fixture);
        point.is_some_and(|p| evidence.claims.iter().all(|c| p.has(c)))
    }

    /// Whether some piece of evidence for the cell is complete.
    pub fn certifies(&self, cell: &Cell) -> bool {
        cell.certified_by.iter().any(|e| self.shows(e))
    }

    /// Number of cells that are certified, and of all cells.
    pub fn count(&self) -> (usize, usize) {
        let cells: Vec<bool> = map().cells().map(|(_, _, cell)| self.certifies(cell)).collect();
        (cells.iter().filter(|c| **c).count(), cells.len())
    }
}
