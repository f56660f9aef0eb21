use crate::work::Work;
use cofre_catalog::records::{JobRecord, ShardPass};
use cofre_runtime::{Amount, Clock, WorkerStatus};
use cofre_types::{BlobId, Timestamp};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// Most problems that a job keeps to show.
const PROBLEMS_MAX: usize = 100;

/// After so long with something left and nothing done, a job counts as stuck.
pub(crate) const STUCK_AFTER: Duration = Duration::from_secs(60);

/// What a job did since the start of the process, and how far its pass is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Objects, blobs or copies that it dealt with.
    pub done: u64,
    /// Their bytes.
    pub done_bytes: u64,
    /// Those that could not be dealt with in the last pass and wait.
    pub waiting: u64,
    /// Blobs of the last pass that cannot be read, because too few whole copies are left.
    pub unreadable: u64,
    /// Problems of the last pass, each once, the first hundred.
    pub problems: Vec<JobProblem>,
    /// Whole passes that ended.
    pub passes: u64,
    /// When the pass under way, or else the last one, began.
    pub pass_began: Option<Timestamp>,
    /// When the last whole pass ended, also before this process.
    pub pass_ended: Option<Timestamp>,
    /// When it was last proved that nothing is left to do; absent while something is, or nothing is known.
    pub finished: Option<Timestamp>,
    /// What it did by action, of a job that does several things.
    pub actions: BTreeMap<&'static str, u64>,
    /// What the pass did on each shard, of a job that counts by shard.
    pub shards: Vec<ShardPass>,
    /// Where the pass under way is, in the job's own bytes; empty between two passes.
    pub cursor: Vec<u8>,
    /// What the last pass that began was to reach, in the job's own bytes.
    pub goal: Vec<u8>,
}

/// Something that went wrong in a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobProblem {
    /// What it is about.
    pub subject: String,
    /// What is wrong.
    pub why: String,
    /// How often it was met in the pass.
    pub times: u64,
}

/// What is left to do. What is not known is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Remaining {
    /// Objects, blobs or copies.
    pub objects: Option<u64>,
    /// Their bytes.
    pub bytes: Option<u64>,
}

impl Remaining {
    /// Whether something is known to be left.
    const fn is_some(self) -> bool {
        matches!(self.objects, Some(1..)) || matches!(self.bytes, Some(1..))
    }
}

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// It has nothing to do now.
    Idle,
    /// It has something to do and gets on with it.
    Running,
    /// The settings hold it.
    Paused,
    /// It has something to do, and nothing was done for a minute; of a job that rests longer between two looks, for a
    /// minute more than that.
    Stuck,
}

/// How fast a job goes, and when it will have ended.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Speed {
    /// Objects dealt with or found to need nothing, a second in the last minute of work, rests within a pass included and those between passes not; absent
    /// while nothing runs, and until it has worked for a second.
    pub objects_per_second: Option<f64>,
    /// Bytes a second in the same time.
    pub bytes_per_second: Option<f64>,
    /// How long what remains takes at that rate; absent while unknown.
    pub time_left: Option<Duration>,
}

/// What a job is doing and did.
#[derive(Debug, Clone, PartialEq)]
pub struct JobStatus {
    /// Its name.
    pub name: &'static str,
    /// What it is doing.
    pub state: JobState,
    /// What is left to do.
    pub remaining: Remaining,
    /// How fast it goes.
    pub speed: Speed,
    /// Its steps.
    pub worker: WorkerStatus,
    /// Its figures.
    pub figures: Figures,
}

/// Figures that a job writes and the status reads.
#[derive(Clone)]
pub(crate) struct JobFigures {
    kept: Arc<Mutex<Kept>>,
    clock: Clock,
    /// After so long with something left and nothing done, the job counts as stuck.
    stuck_after: Duration,
}

#[derive(Default)]
struct Kept {
    figures: Figures,
    /// Objects that were looked at and needed nothing.
    passed: u64,
    remaining: Remaining,
    paused: bool,
    /// Whether someone asked for a pass now.
    asked: bool,
    /// When its step under way, or else the last one, began.
    step_began: Duration,
    /// Whether that step found something to do.
    busy: bool,
    /// Whether its last step failed.
    failed: bool,
    /// When something was last done, or the work began.
    moved_at: Duration,
    work: Work,
}

impl Kept {
    const fn total(&self) -> Amount {
        Amount { objects: self.figures.done + self.passed, bytes: self.figures.done_bytes }
    }

    /// Whether it has something to do.
    const fn has_work(&self) -> bool {
        self.busy || self.failed || self.remaining.is_some()
    }

    /// Notes whether it works, which began or ended then.
    fn settle(&mut self, at: Duration) {
        let total = self.total();
        if self.work.turn(!self.paused && self.has_work(), at, total) {
            self.moved_at = at;
        }
    }
}

impl JobFigures {
    /// The figures of a job that rests at most `rest` while it has something to do.
    pub(crate) fn new(clock: Clock, rest: Duration) -> Self {
        Self { kept: Arc::default(), clock, stuck_after: rest + STUCK_AFTER }
    }

    pub(crate) fn get(&self) -> Figures {
        self.kept.lock().figures.clone()
    }

    pub(crate) fn done(&self, objects: u64, bytes: u64) {
        self.dealt_with(objects, bytes, 0);
    }

    /// Objects were looked at and need nothing: that is getting on, too.
    pub(crate) fn passed(&self, objects: u64) {
        self.dealt_with(0, 0, objects);
    }

    fn dealt_with(&self, objects: u64, bytes: u64, passed: u64) {
        if (objects, bytes, passed) == (0, 0, 0) {
            return;
        }
        let now = self.clock.elapsed();
        let mut kept = self.kept.lock();
        // The step that did it is what it began to work with.
        kept.busy = true;
        let began = kept.step_began;
        kept.settle(began);
        kept.figures.done += objects;
        kept.figures.done_bytes += bytes;
        kept.passed += passed;
        kept.moved_at = now;
        let total = kept.total();
        kept.work.note(now, total);
    }

    /// A step begins.
    pub(crate) fn begin_step(&self) {
        self.kept.lock().step_began = self.clock.elapsed();
    }

    /// The step has ended: it found something to do, or failed, or neither.
    pub(crate) fn end_step(&self, busy: bool, failed: bool) {
        let now = self.clock.elapsed();
        let mut kept = self.kept.lock();
        (kept.busy, kept.failed) = (busy, failed);
        let began = kept.step_began;
        kept.settle(if busy { began } else { now });
    }

    /// It got on, though it did nothing that is counted.
    pub(crate) fn got_on(&self) {
        self.kept.lock().moved_at = self.clock.elapsed();
    }

    /// Counts actions by name.
    pub(crate) fn acted(&self, actions: impl IntoIterator<Item = (&'static str, u64)>) {
        let mut kept = self.kept.lock();
        for (action, count) in actions {
            *kept.figures.actions.entry(action).or_default() += count;
        }
    }

    /// A pass began now.
    pub(crate) fn begin_pass(&self) {
        self.kept.lock().figures.pass_began = Some(self.now());
    }

    /// A pass ended with these left over.
    pub(crate) fn end_pass(&self, left: Left) {
        let now = self.now();
        let mut kept = self.kept.lock();
        kept.figures.passes += 1;
        kept.figures.pass_ended = Some(now);
        kept.figures.waiting = left.waiting;
        kept.figures.unreadable = left.unreadable.len() as u64;
        kept.figures.problems = left.problems;
    }

    /// What a pass under way has found unreadable by now. That fewer are, only a whole pass can tell.
    pub(crate) fn note_unreadable(&self, left: &Left) {
        let mut kept = self.kept.lock();
        kept.figures.unreadable = kept.figures.unreadable.max(left.unreadable.len() as u64);
    }

    /// Shows how far a pass is that outlives the process.
    pub(crate) fn show(&self, record: &JobRecord) {
        let known = |at: Timestamp| Some(at).filter(|at| *at != Timestamp::default());
        let mut kept = self.kept.lock();
        kept.figures.pass_began = known(record.began);
        kept.figures.pass_ended = known(record.ended);
        kept.figures.shards.clone_from(&record.shards);
        kept.figures.cursor.clone_from(&record.cursor);
        kept.figures.goal.clone_from(&record.goal);
    }

    /// Nothing is left, which was just proved; or something is.
    pub(crate) fn finish(&self, nothing_left: bool) {
        let now = self.now();
        self.kept.lock().figures.finished = nothing_left.then_some(now);
    }

    pub(crate) fn set_paused(&self, paused: bool) {
        let now = self.clock.elapsed();
        let mut kept = self.kept.lock();
        kept.paused = paused;
        kept.settle(now);
    }

    pub(crate) fn ask(&self) {
        self.kept.lock().asked = true;
    }

    /// Whether someone asked for a pass since this was last called.
    pub(crate) fn take_asked(&self) -> bool {
        std::mem::take(&mut self.kept.lock().asked)
    }

    /// Notes what is left, as it was just read.
    pub(crate) fn note_remaining(&self, remaining: Remaining) {
        let now = self.clock.elapsed();
        let mut kept = self.kept.lock();
        kept.remaining = remaining;
        kept.settle(now);
        if remaining.is_some() {
            kept.figures.finished = None;
        }
    }

    /// What the job is doing, by what is known of it now.
    pub(crate) fn status(&self, name: &'static str, worker: WorkerStatus) -> JobStatus {
        let now = self.clock.elapsed();
        let kept = self.kept.lock();
        let state = match (kept.paused, kept.has_work()) {
            (true, _) => JobState::Paused,
            (false, false) => JobState::Idle,
            (false, true) if now.saturating_sub(kept.moved_at) >= self.stuck_after => JobState::Stuck,
            (false, true) => JobState::Running,
        };
        let rate = kept.work.per_second(now);
        let rate = rate.filter(|_| matches!(state, JobState::Running | JobState::Stuck));
        let Remaining { objects, bytes } = kept.remaining;
        let speed = Speed {
            objects_per_second: rate.map(|rate| rate.objects),
            bytes_per_second: rate.map(|rate| rate.bytes),
            time_left: rate.filter(|_| state == JobState::Running).and_then(|rate| rate.time_for(objects, bytes)),
        };
        JobStatus { name, state, remaining: kept.remaining, speed, worker, figures: kept.figures.clone() }
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.clock.now_nanos())
    }
}

/// What a pass under way has left over.
#[derive(Debug, Default)]
pub(crate) struct Left {
    pub waiting: u64,
    pub unreadable: HashSet<BlobId>,
    pub problems: Vec<JobProblem>,
}

impl Left {
    pub(crate) fn problem(&mut self, subject: impl ToString, why: impl ToString) {
        let (subject, why) = (subject.to_string(), why.to_string());
        let room = self.problems.len() < PROBLEMS_MAX;
        match self.problems.iter_mut().find(|problem| problem.subject == subject && problem.why == why) {
            Some(problem) => problem.times += 1,
            None if room => self.problems.push(JobProblem { subject, why, times: 1 }),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests;
