//! Covers searched by workers elsewhere: whatever they do, the proof is the same.
use maxmargin::budget::Budget;
use maxmargin::import::{DataOptions, parse_data};
use maxmargin::prove::global::{Gone, Standing, Workers, serve};
use maxmargin::solve::{Request, Solved, solve};
use maxmargin_kernel::network::Activation;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Workers in this process, which take their time in some way or other.
#[derive(Debug, Default)]
struct Here {
    state: Mutex<State>,
    /// The last task that came is answered first.
    backwards: bool,
    /// Every so many tasks one is forgotten until the others are done, as if its worker had been lost.
    lose: Option<usize>,
    /// After so many answers there are none any more.
    until: Option<usize>,
    cancel: Arc<AtomicBool>,
}

/// Number, statement, bytes and seconds of a task.
type Task = (usize, usize, Vec<u8>, f64);

#[derive(Debug, Default)]
struct State {
    statements: Vec<Vec<u8>>,
    tasks: Vec<Task>,
    lost: Vec<Task>,
    answers: usize,
    largest: usize,
}

impl Workers for Here {
    fn capacity(&self) -> Result<usize, Gone> {
        Ok(3)
    }

    fn begin(&self, statements: Vec<Vec<u8>>) -> Result<(), Gone> {
        let mut state = self.state.lock().unwrap();
        assert_eq!(statements.len(), 2);
        (state.statements, state.tasks, state.lost) = (statements, Vec::new(), Vec::new());
        Ok(())
    }

    fn submit(&self, id: usize, statement: usize, task: Vec<u8>, seconds: f64) -> Result<(), Gone> {
        let mut state = self.state.lock().unwrap();
        assert!((0.1..=20.0).contains(&seconds), "{seconds}");
        let lost = self.lose.is_some_and(|every| id.is_multiple_of(every));
        let list = if lost { &mut state.lost } else { &mut state.tasks };
        list.push((id, statement, task, seconds));
        Ok(())
    }

    fn collect(&self, standing: Standing) -> Result<Vec<(usize, Vec<u8>)>, Gone> {
        let mut state = self.state.lock().unwrap();
        assert!(standing.away > 0 && standing.away <= 6, "{standing:?}");
        state.largest = state.largest.max(standing.away + standing.waiting);
        if self.until == Some(state.answers) {
            self.cancel.store(true, Ordering::Relaxed);
            return Err(Gone);
        }
        if state.tasks.is_empty() {
            state.tasks = std::mem::take(&mut state.lost);
        }
        let at = if self.backwards { state.tasks.len() - 1 } else { 0 };
        let (id, statement, task, seconds) = state.tasks.remove(at);
        let answer = serve(&state.statements[statement], &task, seconds, &AtomicBool::new(false));
        state.answers += 1;
        Ok(vec![(id, answer.unwrap())])
    }

    fn cancel(&self, ids: Vec<usize>) -> Result<(), Gone> {
        let mut state = self.state.lock().unwrap();
        let wanted = |task: &Task| !ids.contains(&task.0);
        state.tasks.retain(wanted);
        state.lost.retain(wanted);
        Ok(())
    }
}

/// Points in eight dimensions, labelled by a product of the first two coordinates.
fn data() -> String {
    let mut seed = 7u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as f64 / f64::from(1u32 << 31) * 2.0 - 1.0
    };
    let mut out = String::new();
    for _ in 0..100 {
        let mut x = [0.0; 8];
        while f64::abs(x[0] * x[1]) <= 0.1 {
            x = std::array::from_fn(|_| next());
        }
        let label = if x[0] * x[1] > 0.0 { 1 } else { -1 };
        x.iter().for_each(|v| out.push_str(&format!("{v:.3},")));
        out.push_str(&format!("{label}\n"));
    }
    out
}

fn run(workers: Option<Arc<Here>>) -> Solved {
    let data = parse_data(Path::new("d.csv"), data().as_bytes(), &DataOptions::default()).unwrap();
    let cancel = workers.as_ref().map(|w| w.cancel.clone()).unwrap_or_default();
    let request = Request {
        activation: Activation::relu(),
        gap: 1e-4,
        threads: 1,
        budget: Budget { deadline: None, cancel },
        checkpoint: None,
        workers: workers.map(|w| w as Arc<dyn Workers>),
    };
    solve(&data.data, &request, &|_| ()).unwrap()
}

/// Everything that is proved.
fn proof(solved: &Solved) -> String {
    serde_json::to_string(&solved.entries).unwrap()
}

#[test]
fn the_proof_does_not_depend_on_who_searched_what() {
    let alone = run(None);
    assert!(alone.gap() <= 1e-4 && alone.nodes > 300, "{} {}", alone.gap(), alone.nodes);
    let in_order = Arc::new(Here::default());
    let first = run(Some(in_order.clone()));
    assert!(first.gap() <= 1e-4 && !first.limit);
    {
        let state = in_order.state.lock().unwrap();
        assert!(state.answers > 60 && state.largest > 60, "{} {}", state.answers, state.largest);
    }
    let backwards = Here { backwards: true, ..Here::default() };
    let losing = Here { lose: Some(4), ..Here::default() };
    for workers in [backwards, losing] {
        assert_eq!(proof(&run(Some(Arc::new(workers)))), proof(&first));
    }
}

#[test]
fn workers_that_are_gone_leave_a_bound() {
    let workers = Here { until: Some(10), ..Here::default() };
    let solved = run(Some(Arc::new(workers)));
    assert!(solved.limit && solved.gap() > 1e-4 && solved.lower > 0.0, "{}", solved.gap());
}

#[test]
fn what_is_not_a_task_is_refused() {
    let refused = |statement: &[u8], task: &[u8]| {
        serve(statement, task, 1.0, &AtomicBool::new(false)).unwrap_err()
    };
    assert!(refused(b"", b"").starts_with("this is not a task of maxmargin: "));
    let old = r#"{"format":"maxmargin-cover-task","version":"0.0.1","statement":{"x":[],"b":[],"alpha":0,"t":0,
        "units":{"a":0,"z":0,"tau":0,"x":null}}}"#;
    let words = refused(old.as_bytes(), b"[]");
    assert!(words.contains("the client 0.0.1: install the same on all"), "{words}");
    let shapes = old.replace("0.0.1", env!("CARGO_PKG_VERSION")).replace("\"b\":[]", "\"b\":[1]");
    let words = refused(shapes.as_bytes(), b"[]");
    assert!(words.ends_with("its shapes do not fit"), "{words}");
}
