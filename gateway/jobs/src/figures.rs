use cofre_runtime::WorkerStatus;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most problems that a job keeps to show.
const PROBLEMS_MAX: usize = 100;

/// What a job did since the start of the process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Objects, blobs or copies that it dealt with.
    pub done: u64,
    /// Their bytes.
    pub done_bytes: u64,
    /// Those that could not be dealt with in the last pass and wait.
    pub waiting: u64,
    /// Problems of the last pass by object, the first hundred.
    pub problems: Vec<(String, String)>,
    /// Whole passes that ended.
    pub passes: u64,
    /// What it did by action, of a job that does several things.
    pub actions: BTreeMap<&'static str, u64>,
}

/// What a job is doing and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobStatus {
    /// Its name.
    pub name: &'static str,
    /// Its steps.
    pub worker: WorkerStatus,
    /// Its figures.
    pub figures: Figures,
}

/// Figures that a job writes and the status reads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<Figures>>);

impl Shared {
    pub(crate) fn get(&self) -> Figures {
        self.0.lock().clone()
    }

    pub(crate) fn done(&self, count: u64, bytes: u64) {
        let mut figures = self.0.lock();
        figures.done += count;
        figures.done_bytes += bytes;
    }

    /// Counts actions by name.
    pub(crate) fn acted(&self, actions: impl IntoIterator<Item = (&'static str, u64)>) {
        let mut figures = self.0.lock();
        for (action, count) in actions {
            *figures.actions.entry(action).or_default() += count;
        }
    }

    /// A pass ended with these left over.
    pub(crate) fn end_pass(&self, left: Left) {
        let mut figures = self.0.lock();
        figures.passes += 1;
        figures.waiting = left.waiting;
        figures.problems = left.problems;
    }
}

/// What a pass under way has left over.
#[derive(Debug, Default)]
pub(crate) struct Left {
    pub waiting: u64,
    pub problems: Vec<(String, String)>,
}

impl Left {
    pub(crate) fn problem(&mut self, subject: impl ToString, why: impl ToString) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push((subject.to_string(), why.to_string()));
        }
    }
}
