//! The points of the paper's map, and its two tables, as data.
//!
//! A fixture is a network, a training set, and what is true of them; how it is proved is not part of
//! it. Files: `certificates/paper/points/`, compiled in.
use maxmargin_kernel::claim::{Claim, Number};
use maxmargin_kernel::network::NetworkJson;
use maxmargin_kernel::problem::{DataJson, Problem};
use serde::Deserialize;
use std::sync::OnceLock;

/// The fixtures and the two tables that they certify.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// Where the tables come from, and what the points are.
    pub about: String,
    /// The points, in the order of the tables.
    pub fixtures: Vec<Fixture>,
    /// Table 1 and Table 2 of the paper.
    pub tables: Vec<Table>,
}

/// A point with its training set.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    /// Name of the files `NAME.model.json` and `NAME.data.json`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// What it shows.
    pub shows: String,
    /// Why that is so.
    pub why: String,
    /// The curve to better points, or the better network, written out.
    pub better: String,
    /// `γ(θ)`.
    pub gamma: Number,
    /// `|θ|²`.
    pub norm_squared: Number,
    /// What is true of the point.
    pub claims: Vec<Claim>,
}

/// A table of the paper: classes of networks by activations.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its title.
    pub title: String,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// A class of networks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The class, in words.
    pub class: String,
    /// Linear activation.
    pub linear: Cell,
    /// ReLU.
    pub relu: Cell,
}

/// What a KKT point that gradient flow reaches is, in one class with one activation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// `global`: always a global optimum; `not local`: not even a local one, in general; and so on.
    pub verdict: String,
    /// The fixtures that show it, with the claims that have to be proved of each.
    pub certified_by: Vec<Evidence>,
}

/// Claims about one fixture.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Name of the fixture.
    pub fixture: String,
    /// What has to be proved of it.
    pub claims: Vec<Claim>,
}

macro_rules! points {
    ($($name:literal),* $(,)?) => {
        &[$((
            $name,
            include_str!(concat!("../../certificates/paper/points/", $name, ".model.json")),
            include_str!(concat!("../../certificates/paper/points/", $name, ".data.json")),
        )),*]
    };
}

/// Name, network and data of every fixture.
const POINTS: &[(&str, &str, &str)] = points![
    "balanced_paths_linear",
    "balanced_paths_relu",
    "concave_kinks",
    "dead_neuron",
    "dead_path_linear",
    "dead_path_relu",
    "dead_unit_deep",
    "deep_linear",
    "escape_at_kinks",
    "escape_at_kinks_deep",
    "far_cell",
    "far_cell_deep",
    "live_paths",
    "one_neuron_each",
    "shallow_linear",
    "shared_filter_linear",
    "shared_filter_relu",
];

/// The map.
///
/// # Panics
/// If the file that is compiled in is malformed.
pub fn map() -> &'static Map {
    static MAP: OnceLock<Map> = OnceLock::new();
    let text = include_str!("../../certificates/paper/points/index.json");
    MAP.get_or_init(|| serde_json::from_str(text).expect("the index compiled in is well-formed"))
}

impl Map {
    /// The fixture of this name.
    pub fn fixture(&self, name: &str) -> Option<&Fixture> {
        self.fixtures.iter().find(|f| f.name == name)
    }

    /// All cells with their row and the name of their column.
    pub fn cells(&self) -> impl Iterator<Item = (&Row, &'static str, &Cell)> {
        let rows = self.tables.iter().flat_map(|t| &t.rows);
        rows.flat_map(|r| [(r, "linear", &r.linear), (r, "ReLU", &r.relu)])
    }
}

impl Fixture {
    /// The network and its training set.
    ///
    /// # Panics
    /// If the files that are compiled in are malformed.
    pub fn problem(&self) -> Problem {
        let (_, model, data) =
            POINTS.iter().find(|p| p.0 == self.name).expect("every fixture is compiled in");
        let model: NetworkJson = serde_json::from_str(model).expect("the network is well-formed");
        let data: DataJson = serde_json::from_str(data).expect("the data are well-formed");
        let network = model.to_network().expect("the network is a network");
        Problem::new(network, data.to_data().expect("the data are data")).expect("the two fit")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_fixture_loads_and_is_what_it_says() {
        assert_eq!(map().fixtures.len(), POINTS.len());
        let names: BTreeSet<_> = map().fixtures.iter().map(|f| &f.name).collect();
        assert_eq!(names.len(), POINTS.len());
        for f in &map().fixtures {
            let problem = f.problem();
            assert_eq!(problem.gamma().unwrap(), &f.gamma.0, "{}", f.name);
            assert_eq!(problem.network().norm_squared(), f.norm_squared.0, "{}", f.name);
            assert!(!f.claims.is_empty() && f.claims[0].kind() == "kkt", "{}", f.name);
            for text in [&f.title, &f.shows, &f.why, &f.better] {
                assert!(!text.is_empty(), "{}", f.name);
            }
        }
    }

    #[test]
    fn every_cell_names_true_claims_that_amount_to_its_verdict() {
        let mut cells = 0;
        for (row, column, cell) in map().cells() {
            cells += 1;
            let place = format!("{}, {column}", row.class);
            assert!(!cell.certified_by.is_empty(), "{place}");
            let expected: &[&str] = match cell.verdict.as_str() {
                "global" | "global per layer" => &["global_optimum"],
                "not local" | "not local per layer" => &["not_local_optimum"],
                "local, not global" | "local, not global per layer" => {
                    &["local_optimum", "not_global_optimum"]
                }
                other => panic!("{place}: {other}"),
            };
            for evidence in &cell.certified_by {
                let fixture = map().fixture(&evidence.fixture).expect(&place);
                assert!(evidence.claims.iter().all(|c| fixture.claims.contains(c)), "{place}");
                let kinds: Vec<_> = evidence.claims.iter().map(Claim::kind).collect();
                assert!(kinds.contains(&"kkt"), "{place}");
                assert!(expected.iter().all(|k| kinds.contains(k)), "{place}: {kinds:?}");
                let linear = fixture.problem().activation().is_linear();
                assert_eq!(linear, column == "linear", "{place}");
            }
        }
        assert_eq!(cells, 18);
    }

    #[test]
    fn networks_belong_to_the_classes_they_stand_for() {
        for (row, column, cell) in map().cells() {
            for evidence in &cell.certified_by {
                let problem = map().fixture(&evidence.fixture).unwrap().problem();
                let (network, facts) = (problem.network(), problem.facts());
                let place = format!("{}, {column}: {}", row.class, evidence.fixture);
                if row.class.contains("fully connected") {
                    assert!(network.layers().iter().all(|l| l.is_dense()), "{place}");
                }
                if row.class.contains("no shared weights") {
                    assert!(!network.has_sharing(), "{place}");
                }
                if row.class.contains("non-zero weight vectors") {
                    let rows = |l: &maxmargin_kernel::network::Layer| {
                        (0..l.rows()).all(|r| !l.row(r).is_zero())
                    };
                    assert!(network.layers().iter().all(rows), "{place}");
                }
                if row.class.contains("non-zero inputs") {
                    assert!(facts.kinks == 0 && facts.dead == 0, "{place}");
                }
            }
        }
    }
}
