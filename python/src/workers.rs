//! Covers searched by other processes, through an object of Python that knows them.
use crate::job::Limits;
use crate::{Outcome, raise};
use maxmargin::prove::global::{self, Gone, Standing, Workers};
use pyo3::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

/// An exception raised in another thread, to be raised where the call was made.
#[derive(Clone, Default)]
pub(crate) struct Failed(Arc<Mutex<Option<PyErr>>>);

impl Failed {
    /// The exception, if there was one; otherwise what the call found.
    pub(crate) fn raise_or<T>(&self, found: PyResult<T>) -> PyResult<T> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => found,
        }
    }
}

/// An object of Python before the call has limits.
pub(crate) struct Engine {
    object: Py<PyAny>,
    failed: Failed,
}

/// The object, if there is one, and where its exceptions go.
pub(crate) fn engine(object: Option<Py<PyAny>>) -> (Failed, Option<Engine>) {
    let failed = Failed::default();
    let engine = object.map(|object| Engine { object, failed: failed.clone() });
    (failed, engine)
}

impl Engine {
    pub(crate) fn start(self, limits: &Limits) -> Arc<dyn Workers> {
        let stages = Mutex::new(limits.stages.clone());
        let cancel = limits.budget.cancel.clone();
        Arc::new(PyWorkers { object: self.object, failed: self.failed, stages, cancel })
    }
}

/// The object at work: `capacity`, `begin`, `submit`, `collect` and `cancel` are its methods.
pub(crate) struct PyWorkers {
    object: Py<PyAny>,
    failed: Failed,
    stages: Mutex<Sender<String>>,
    cancel: Arc<AtomicBool>,
}

impl std::fmt::Debug for PyWorkers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PyWorkers")
    }
}

impl PyWorkers {
    /// Calls the object; an exception ends the search.
    fn call<T>(&self, work: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>) -> Result<T, Gone> {
        Python::attach(|py| work(self.object.bind(py))).map_err(|error| {
            *self.failed.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            self.cancel.store(true, Ordering::Relaxed);
            Gone
        })
    }
}

impl Workers for PyWorkers {
    fn capacity(&self) -> Result<usize, Gone> {
        self.call(|object| object.call_method0("capacity")?.extract())
    }

    fn begin(&self, statements: Vec<Vec<u8>>) -> Result<(), Gone> {
        self.call(|object| object.call_method1("begin", (statements,)).map(drop))
    }

    fn submit(&self, id: usize, statement: usize, task: Vec<u8>, seconds: f64) -> Result<(), Gone> {
        self.call(|object| object.call_method1("submit", (id, statement, task, seconds)).map(drop))
    }

    fn collect(&self, standing: Standing) -> Result<Vec<(usize, Vec<u8>)>, Gone> {
        let Standing { done, away, waiting } = standing;
        let stage = format!("any width, on workers: {done} subtrees done, {} open", away + waiting);
        // The receiver may be gone if the call was interrupted.
        drop(self.stages.lock().unwrap_or_else(PoisonError::into_inner).send(stage));
        self.call(|object| object.call_method0("collect")?.extract())
    }

    fn cancel(&self, ids: Vec<usize>) -> Result<(), Gone> {
        self.call(|object| object.call_method1("cancel", (ids,)).map(drop))
    }
}

/// What a worker does with a task: searches for so many seconds, without the interpreter lock.
#[pyfunction]
pub(crate) fn serve(
    py: Python<'_>,
    statement: Vec<u8>,
    task: Vec<u8>,
    seconds: f64,
) -> PyResult<Vec<u8>> {
    let never = AtomicBool::new(false);
    let answer: Outcome<Vec<u8>> =
        py.detach(|| global::serve(&statement, &task, seconds, &never)).map_err(|e| (2, e));
    answer.map_err(raise)
}
