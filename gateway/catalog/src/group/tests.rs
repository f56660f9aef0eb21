//! The writer over a log that is told what to do.

use super::{AppendError, Base, Condition, Group, GroupCommits, GroupState, Log, Wanted};
use crate::keys::{self, family};
use crate::records::QueueTally;
use crate::{Batch, Check, CommitError, CommitState, Entry, Revision, Slot, StoreError, Write};
use cofre_runtime::{Clock, spawn};
use cofre_types::BlobId;
use futures_util::future::join_all;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What happens to a group.
enum Fate {
    /// It cannot be read.
    Unreadable(StoreError),
    /// It fails, and was written or not.
    Fails { error: AppendError, written: bool },
}

/// What stands behind a log, and what it did.
#[derive(Default)]
struct Disk {
    last: Revision,
    records: BTreeMap<Vec<u8>, Entry>,
    /// Fates of the next groups; those after them become durable.
    fates: VecDeque<Fate>,
    /// Commits in each group that was appended or tried.
    groups: Vec<u64>,
    /// What was looked for.
    read: BTreeSet<Vec<u8>>,
}

/// A log that reads ahead what is wanted, as one on the far side of a network does.
struct FarLog(Arc<Far>);

#[derive(Default)]
struct Far {
    disk: Mutex<Disk>,
    /// Groups that began to be read.
    begun: AtomicUsize,
    /// Whether reads wait.
    held: AtomicBool,
}

/// Only what was wanted is at hand.
struct FarBase {
    revision: Revision,
    entries: BTreeMap<Vec<u8>, Option<Entry>>,
    prefixes: BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
}

impl Base for FarBase {
    fn revision(&self) -> Revision {
        self.revision
    }

    fn get(&self, key: &[u8]) -> Result<Option<Entry>, StoreError> {
        Ok(self.entries.get(key).expect("a key was not wanted, and is asked for").clone())
    }

    fn any_with_prefix(&self, prefix: &[u8], hidden: &dyn Fn(&[u8]) -> bool) -> Result<bool, StoreError> {
        let keys = self.prefixes.get(prefix).expect("a prefix was not wanted, and is asked for");
        Ok(keys.iter().any(|key| !hidden(key)))
    }
}

impl Log for FarLog {
    type Base = FarBase;

    fn read(&mut self, wanted: Wanted<'_>) -> Result<FarBase, StoreError> {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        while self.0.held.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        let mut disk = self.0.disk.lock();
        if matches!(disk.fates.front(), Some(Fate::Unreadable(_)))
            && let Some(Fate::Unreadable(error)) = disk.fates.pop_front()
        {
            return Err(error);
        }
        disk.read = wanted.keys().map(<[u8]>::to_vec).collect();
        let entries = wanted.keys().map(|key| (key.to_vec(), disk.records.get(key).cloned())).collect();
        let with = |prefix: &[u8]| disk.records.keys().filter(|key| key.starts_with(prefix)).cloned().collect();
        let prefixes = wanted.prefixes().map(|prefix| (prefix.to_vec(), with(prefix))).collect();
        Ok(FarBase { revision: disk.last, entries, prefixes })
    }

    fn append(&mut self, base: FarBase, group: Group, revision: Revision) -> Result<(), AppendError> {
        let mut disk = self.0.disk.lock();
        disk.groups.push(revision.0 - base.revision.0);
        let fate = disk.fates.pop_front();
        if !matches!(fate, Some(Fate::Fails { written: false, .. })) {
            disk.last = revision;
            for (key, (revision, value)) in group {
                match value {
                    Some(value) => disk.records.insert(key, Entry { revision, value }),
                    None => disk.records.remove(&key),
                };
            }
        }
        match fate {
            Some(Fate::Fails { error, .. }) => Err(error),
            Some(Fate::Unreadable(_)) | None => Ok(()),
        }
    }
}

struct Writer {
    commits: Arc<GroupCommits>,
    far: Arc<Far>,
}

fn writer() -> Writer {
    let far = Arc::new(Far::default());
    let state = Arc::new(GroupState::new(Arc::new(Condition::new(Clock::system()))));
    let commits = GroupCommits::start(FarLog(Arc::clone(&far)), state, Clock::system()).expect("it starts");
    Writer { commits: Arc::new(commits), far }
}

impl Writer {
    async fn put(&self, key: &str) -> Result<Revision, CommitError> {
        let mut batch = Batch::new();
        batch.put(key.as_bytes().to_vec(), b"value".to_vec());
        self.commits.commit(batch).await
    }

    fn has(&self, key: &str) -> bool {
        self.far.disk.lock().records.contains_key(key.as_bytes())
    }

    fn fail(&self, error: AppendError, written: bool) {
        self.far.disk.lock().fates.push_back(Fate::Fails { error, written });
    }

    fn count(&self, key: &str) -> i64 {
        let disk = self.far.disk.lock();
        let value = &disk.records.get(key.as_bytes()).expect("it was counted").value;
        i64::from_le_bytes(value[..8].try_into().expect("8 bytes"))
    }

    fn takes_commits(&self) -> bool {
        self.commits.state().condition.state().commits == CommitState::Taken
    }
}

#[tokio::test]
async fn a_group_that_was_refused_says_so_and_the_next_goes_on() {
    let writer = writer();
    for error in [StoreError::Full, StoreError::Refused("a standby takes no writes".to_owned())] {
        writer.fail(AppendError::Refused(error.again()), false);
        let outcome = writer.put("a").await;
        let Err(CommitError::Store(told)) = outcome else { panic!("expected a refusal, got {outcome:?}") };
        assert_eq!(told.to_string(), error.to_string());
    }
    assert!(!writer.has("a") && writer.takes_commits());
    assert_eq!(writer.put("b").await.expect("it goes on"), Revision(1), "no revision was used up");
}

#[tokio::test]
async fn a_group_of_which_nobody_knows_promises_nothing_and_the_next_reads_what_became_of_it() {
    for (round, written) in [false, true].into_iter().enumerate() {
        for error in [StoreError::Full, StoreError::Refused("no".to_owned()), StoreError::Engine("cut".to_owned())] {
            let writer = writer();
            writer.put("before").await.expect("commits");
            writer.fail(AppendError::Unknown(error), written);
            // Full and Refused would say that nothing was written.
            assert!(matches!(writer.put("a").await, Err(CommitError::Store(StoreError::Engine(_)))));
            assert!(writer.takes_commits());
            let mut batch = Batch::new();
            batch.checks.push(Check::Absent(b"a".to_vec()));
            assert_eq!(writer.commits.commit(batch).await.is_ok(), !written, "round {round}");
            let next = writer.put("b").await.expect("it goes on");
            assert_eq!(next, Revision(3), "an empty commit or the one that was written has the second");
        }
    }
}

#[tokio::test]
async fn a_log_that_is_poisoned_is_not_asked_again() {
    for written in [false, true] {
        let writer = writer();
        let fresh = writer.commits.state().touched.freshness(Slot::of_key(b"a"));
        writer.fail(AppendError::Poisoned(StoreError::Full), written);
        assert!(matches!(writer.put("a").await, Err(CommitError::Store(StoreError::Engine(_)))));
        let Err(CommitError::Store(StoreError::Refused(why))) = writer.put("b").await else {
            panic!("expected a refusal");
        };
        assert!(why.contains("start cofre again"), "{why}");
        assert_eq!(writer.far.disk.lock().groups.len(), 1, "the second was not tried");
        assert!(matches!(writer.commits.state().condition.state().commits, CommitState::Refused(_)));
        assert_eq!(writer.commits.state().touched.freshness(Slot::of_key(b"a")), fresh, "nothing new is shown");
    }
}

#[tokio::test]
async fn a_group_that_cannot_be_read_is_a_definite_no() {
    let writer = writer();
    writer.far.disk.lock().fates.push_back(Fate::Unreadable(StoreError::Refused("no connection".to_owned())));
    assert!(matches!(writer.put("a").await, Err(CommitError::Store(StoreError::Refused(_)))));
    assert!(writer.far.disk.lock().groups.is_empty() && writer.takes_commits());
    writer.put("a").await.expect("it goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_of_a_group_see_each_other_and_share_their_counters() {
    const COMMITS: usize = 20;
    let writer = writer();
    writer.put("x/old").await.expect("commits");
    writer.far.held.store(true, Ordering::SeqCst);
    let first = spawn({
        let commits = Arc::clone(&writer.commits);
        async move { commits.commit(Batch::new()).await }
    });
    while writer.far.begun.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    // What is committed meanwhile gathers, in this order.
    let batches = (0..COMMITS).map(|index| {
        let mut batch = Batch::new();
        batch.add(b"n".to_vec(), vec![1]);
        batch.checks.push(Check::CounterAtMost { key: b"n".to_vec(), index: 0, adding: 1, max: 15 });
        match index {
            // The first of the group takes the last key below a prefix away, and the second sees that it is gone.
            0 => _ = batch.delete(b"x/old".to_vec()),
            1 => batch.checks.push(Check::NoneWithPrefix(b"x/".to_vec())),
            _ => batch.writes.push(Write::Append { prefix: b"l".to_vec(), suffix: Vec::new(), value: Vec::new() }),
        }
        writer.commits.commit(batch)
    });
    let release = async { writer.far.held.store(false, Ordering::SeqCst) };
    let (outcomes, ()) = tokio::join!(join_all(batches), release);
    first.await.expect("the task ends").expect("commits");
    let revisions: Vec<_> = outcomes.into_iter().map(Result::ok).collect();
    let committed: Vec<_> = (0..COMMITS).map(|index| (index < 15).then_some(Revision(index as u64 + 3))).collect();
    assert_eq!(revisions, committed, "in the order of the queue, up to the bound, without a gap");
    assert_eq!(writer.count("n"), 15);
    assert_eq!(writer.far.disk.lock().groups, [1, 1, 15], "one group, once the first was durable");
    let wanted = BTreeSet::from([b"n".to_vec()]);
    assert_eq!(writer.far.disk.lock().read, wanted, "keys that are only written are not read");
}

#[tokio::test]
async fn what_counting_a_queue_asks_for_is_wanted() {
    let writer = writer();
    let row = keys::waiting(family::HEAL);
    let mut batch = Batch::new();
    batch.add(row.clone(), vec![0, 0]);
    writer.commits.commit(batch).await.expect("commits");
    let place = keys::heal(0, BlobId::from_bytes([1; 16]));
    let mut batch = Batch::new();
    batch.put(place.clone(), Vec::new());
    writer.commits.commit(batch).await.expect("commits");
    assert_eq!(writer.far.disk.lock().read, BTreeSet::from([place, row]));
    let counted = |row: &Entry| QueueTally::from_value(&row.value);
    let row = writer.far.disk.lock().records.get(&keys::waiting(family::HEAL)).map(counted);
    assert_eq!(row, Some(QueueTally { records: 1, weight: 1 }));
}
