//! The native part of the Python package: bytes and JSON in, bytes and JSON out. What users see is
//! written in Python around it.
mod job;
mod workers;

use job::run;
use maxmargin::certify::{self, Asked, Request, certify, is_small, usable};
use maxmargin::import::{self, DataOptions, ModelOptions, Source, parse_problem};
use maxmargin::numeric::two_layer::{View, to_f64};
use maxmargin::polish::polish;
use maxmargin::report::html::{Contents, Page};
use maxmargin::{report, solve};
use maxmargin_kernel::check::{self, Limits, check, report_json};
use maxmargin_kernel::network::{Activation, Network, NetworkJson, TwoLayer};
use maxmargin_kernel::number::parse_rational;
use maxmargin_kernel::problem::Problem;
use pyo3::prelude::*;
use serde_json::{Value, json};
use std::path::Path;

/// An exit code of the command line with its message.
pub(crate) type Outcome<T> = Result<T, (u8, String)>;

pyo3::create_exception!(
    _native,
    Failure,
    pyo3::exceptions::PyException,
    "`(exit code, message)`, as of the command line."
);

fn raise((code, message): (u8, String)) -> PyErr {
    Failure::new_err((code, message))
}

/// A file: its name, which tells the format, and its contents.
type File = (String, Vec<u8>);

fn options(
    activation: Option<&str>,
    label: Option<String>,
) -> Outcome<(ModelOptions, DataOptions)> {
    let slope = |text: &str| {
        let slope = parse_rational(text).map_err(|e| e.to_string())?;
        Activation::leaky(slope).map_err(|e| e.to_string())
    };
    let activation = match activation {
        None => None,
        Some("relu") => Some(Activation::relu()),
        Some("linear") => Some(Activation::linear()),
        Some(name) => {
            let text =
                name.strip_prefix("leaky:").ok_or("write relu, linear or leaky:SLOPE".to_string());
            Some(text.and_then(slope).map_err(|e| (64, format!("activation `{name}`: {e}")))?)
        }
    };
    Ok((ModelOptions { activation }, DataOptions { label }))
}

fn problem(model: &File, data: &File, options: &Value) -> Outcome<(Problem, Source)> {
    let text = |key: &str| options[key].as_str();
    let (mo, do_) = self::options(text("activation"), text("label").map(str::to_string))?;
    let files =
        ((Path::new(&model.0), model.1.as_slice()), (Path::new(&data.0), data.1.as_slice()));
    parse_problem(files.0, files.1, &mo, &do_).map_err(|e| (e.exit_code(), e.to_string()))
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(list: &Value) -> Outcome<Vec<T>> {
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .map(|v| v.as_str().unwrap_or("").parse().map_err(|e: T::Err| (64, e.to_string())))
        .collect()
}

fn question(name: &Value) -> Outcome<maxmargin::prove::decide::Question> {
    use maxmargin::prove::decide::Question;
    match name.as_str() {
        Some("kkt") => Ok(Question::Kkt),
        Some("local") => Ok(Question::Local),
        Some("global") => Ok(Question::Global),
        _ => Err((64, format!("{name} is not a question (write kkt, local or global)"))),
    }
}

fn asked(options: &Value) -> Outcome<Asked> {
    let number = |key: &str| match options[key].as_str() {
        None => Ok(None),
        Some(text) => parse_rational(text).map(Some).map_err(|e| (64, format!("{key}: {e}"))),
    };
    let decide = options["decide"].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(Asked {
        decide: decide.iter().map(question).collect::<Result<_, _>>()?,
        scopes: parsed(&options["scope"])?,
        brackets: parsed(&options["brackets"])?,
        active: number("active")?,
        kinks: number("kinks")?,
    })
}

fn json_of(text: &str) -> Outcome<Value> {
    serde_json::from_str(text).map_err(|e| (64, e.to_string()))
}

fn refused(failure: &check::Failure) -> (u8, String) {
    (failure.exit_code(), failure.to_string())
}

/// The kernel refused, or could not read, what this program wrote itself.
fn internal(failure: &check::Failure) -> (u8, String) {
    (70, format!("internal error: {failure}"))
}

/// A problem whose network classifies its data.
fn classified(model: &File, data: &File, options: &Value) -> Outcome<(Problem, Source)> {
    let found = problem(model, data, options)?;
    usable(&found.0, Path::new(&data.0)).map_err(|e| (2, e))?;
    Ok(found)
}

/// `(certificate, report)`; an empty certificate if nothing was proved.
#[pyfunction(name = "certify")]
fn certify_py(
    py: Python<'_>,
    model: File,
    data: File,
    options: &str,
    progress: Option<Py<PyAny>>,
    workers: Option<Py<PyAny>>,
) -> PyResult<(Vec<u8>, String)> {
    let options = json_of(options).map_err(raise)?;
    let (failure, engine) = workers::engine(workers);
    let found = run(py, &options.clone(), progress, move |limits, stage| {
        let (problem, source) = classified(&model, &data, &options)?;
        let request = Request::asked(asked(&options)?, source).map_err(|e| (64, e.to_string()))?;
        let request = Request {
            gap: options["gap"].as_f64().unwrap_or(1e-6),
            threads: limits.threads,
            workers: engine.map(|engine| engine.start(&limits)),
            budget: limits.budget,
            ..request
        };
        let outcome = certify(&problem, &request, stage);
        stage("checking the certificate");
        let embed = options["embed"].as_bool().unwrap_or_else(|| is_small(&problem));
        let (bytes, verified) = match outcome.entries.is_empty() {
            true => (Vec::new(), None),
            false => {
                let (bytes, report) = certify::bytes(&problem, outcome.entries.clone(), embed)
                    .map_err(|e| internal(&e))?;
                (bytes, Some(report))
            }
        };
        Ok((bytes, report::json(&problem, &outcome, verified.as_ref()).to_string()))
    });
    failure.raise_or(found)
}

/// `(certificate, report, network)`, the network as exact JSON.
#[pyfunction(name = "solve")]
fn solve_py(
    py: Python<'_>,
    data: File,
    options: &str,
    progress: Option<Py<PyAny>>,
    workers: Option<Py<PyAny>>,
) -> PyResult<(Vec<u8>, String, String)> {
    let options = json_of(options).map_err(raise)?;
    let (failure, engine) = workers::engine(workers);
    let found = run(py, &options.clone(), progress, move |limits, stage| {
        let (mo, do_) = self::options(
            options["activation"].as_str(),
            options["label"].as_str().map(str::to_string),
        )?;
        let dataset = import::parse_data(Path::new(&data.0), &data.1, &do_)
            .map_err(|e| (e.exit_code(), e.to_string()))?;
        let gap = options["gap"].as_f64().unwrap_or(1e-6);
        let request = solve::Request {
            activation: mo.activation.unwrap_or_else(Activation::relu),
            gap,
            threads: limits.threads,
            workers: engine.map(|engine| engine.start(&limits)),
            budget: limits.budget,
            checkpoint: None,
        };
        let mut solved =
            solve::solve(&dataset.data, &request, &|status| stage(&certify::global_stage(&status)))
                .map_err(|e| (2, format!("{}: {e}", data.0)))?;
        let entries = std::mem::take(&mut solved.entries);
        let (bytes, _) =
            certify::bytes(&solved.problem, entries, true).map_err(|e| internal(&e))?;
        let lower = (solved.lower > 0.0).then_some(solved.lower);
        let done = solved.gap() <= gap;
        let verdict = if done {
            "certified"
        } else if solved.limit {
            "limit"
        } else {
            "undecided"
        };
        let report = json!({
            "verdict": verdict, "gap": lower.map(|_| solved.gap()), "cost_upper": solved.upper,
            "cost_lower": lower, "nodes": solved.nodes, "rounds": solved.rounds,
        });
        Ok((bytes, report.to_string(), network_json(solved.problem.network())))
    });
    failure.raise_or(found)
}

/// `(network, report)`; no network if there was no improvement.
#[pyfunction(name = "polish")]
fn polish_py(
    py: Python<'_>,
    model: File,
    data: File,
    options: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<(Option<String>, String)> {
    let options = json_of(options).map_err(raise)?;
    run(py, &options.clone(), progress, move |limits, stage| {
        stage("polishing");
        let (problem, _) = classified(&model, &data, &options)?;
        if let Err(reason) = TwoLayer::with_one_output(problem.network()) {
            return Err((5, format!("{}: polish {reason}", model.0)));
        }
        let view = View::new(&problem).ok_or((70, "internal error: no float view".to_string()))?;
        let options = maxmargin::polish::Options {
            jump: options["jump"].as_bool().unwrap_or(false),
            budget: limits.budget,
            ..Default::default()
        };
        let nu = |p: &Problem| p.normalised_margin().map(|(low, _)| to_f64(&low));
        let Some(better) = polish(&problem, &view, &options) else {
            return Ok((None, json!({"nu_before": nu(&problem)}).to_string()));
        };
        let there = Problem::new(better.network.clone(), problem.data().clone())
            .map_err(|e| (70, format!("internal error: {e}")))?;
        let report = json!({
            "nu_before": nu(&problem), "nu_after": nu(&there), "rounds": better.rounds,
            "crossings": better.crossings, "jumps": better.jumps,
        });
        Ok((Some(network_json(&better.network)), report.to_string()))
    })
}

fn network_json(network: &Network) -> String {
    serde_json::to_value(NetworkJson::from_network(network)).unwrap_or_default().to_string()
}

/// Verifies a certificate; the report with verdict, brackets and digests.
#[pyfunction(name = "check", signature = (certificate, model=None, data=None, options="{}"))]
fn check_py(
    py: Python<'_>,
    certificate: Vec<u8>,
    model: Option<File>,
    data: Option<File>,
    options: &str,
) -> PyResult<String> {
    let options = json_of(options).map_err(raise)?;
    run(py, &options.clone(), None, move |_, _| {
        let opened = Opened::new(&certificate, model.as_ref().zip(data.as_ref()), &options)?;
        Ok(opened.describe().to_string())
    })
}

/// A certificate as a page, or as a part of one.
#[pyfunction]
#[pyo3(signature = (certificate, name, fragment, model=None, data=None, options="{}"))]
fn page(
    py: Python<'_>,
    certificate: Vec<u8>,
    name: String,
    fragment: bool,
    model: Option<File>,
    data: Option<File>,
    options: &str,
) -> PyResult<String> {
    let options = json_of(options).map_err(raise)?;
    run(py, &options.clone(), None, move |_, _| {
        let opened = Opened::new(&certificate, model.as_ref().zip(data.as_ref()), &options)?;
        let page = Page {
            file: Path::new(&name),
            problem: &opened.problem,
            report: &opened.report,
            contents: &opened.contents,
            given: None,
        };
        Ok(if fragment { page.fragment() } else { page.document() })
    })
}

/// A verified certificate.
struct Opened {
    problem: Problem,
    report: maxmargin_kernel::check::Report,
    contents: Contents,
}

impl Opened {
    fn new(certificate: &[u8], given: Option<(&File, &File)>, options: &Value) -> Outcome<Self> {
        let given =
            given.map(|(model, data)| problem(model, data, options)).transpose()?.map(|p| p.0);
        let report =
            check(certificate, given.as_ref(), Limits::default()).map_err(|e| refused(&e))?;
        let contents = Contents::read(certificate).map_err(|e| (2, e.to_string()))?;
        let problem = given
            .or_else(|| contents.problem())
            .ok_or_else(|| refused(&check::Failure::NoProblem))?;
        Ok(Self { problem, report, contents })
    }

    fn describe(&self) -> Value {
        let nests = !self.problem.network().has_sharing();
        let bracket = |b: &certify::Bracket| {
            json!({
                "region": b.region.to_string(), "at_least": b.at_least.to_string(),
                "at_most": b.at_most.as_ref().map(ToString::to_string), "rule": b.upper_rule, "nodes": b.nodes,
            })
        };
        let brackets = report::brackets(&self.report, nests);
        let sentences: Vec<String> = report::sentences(&self.report, self.problem.network())
            .into_iter()
            .map(|s| s.1)
            .collect();
        let texts: Vec<String> = self.report.claims.iter().map(|v| v.claim.to_string()).collect();
        let mut value = report_json(&self.report);
        if let Some(map) = value.as_object_mut() {
            map.insert("brackets".into(), brackets.iter().map(bracket).collect());
            map.insert("sentences".into(), json!(sentences));
            map.insert("texts".into(), json!(texts));
            map.insert("network_digest".into(), json!(self.contents.entry.network_digest));
            map.insert("data_digest".into(), json!(self.contents.entry.data_digest));
            map.insert("embedded".into(), json!(self.contents.entry.network.is_some()));
        }
        value
    }
}

/// The native part of `maxmargin`.
#[pymodule]
fn _native(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("Failure", m.py().get_type::<Failure>())?;
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add_function(wrap_pyfunction!(certify_py, m)?)?;
    m.add_function(wrap_pyfunction!(solve_py, m)?)?;
    m.add_function(wrap_pyfunction!(polish_py, m)?)?;
    m.add_function(wrap_pyfunction!(check_py, m)?)?;
    m.add_function(wrap_pyfunction!(page, m)?)?;
    m.add_function(wrap_pyfunction!(workers::serve, m)?)?;
    Ok(())
}
