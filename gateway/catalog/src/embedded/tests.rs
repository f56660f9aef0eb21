//! Faults between the writer and its log, which no public seam can cause.

use super::Embedded;
use super::log::{JournalBase, JournalLog};
use super::open::open_with;
use super::options::EmbeddedOptions;
use crate::group::{AppendError, Group, Log, Wanted};
use crate::{Batch, COMMIT_SLOW_AFTER, CommitError, CommitState, Read, ReadExt, Revision, Slot, Store, StoreError};
use cofre_runtime::{Clock, ManualClock, blocking, spawn};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use tempfile::TempDir;

/// What happens to one group.
enum Fate {
    Durable,
    /// The sync fails, and what was written is durable or not.
    Fails {
        written: bool,
    },
}

/// A log that waits to be told the fate of each group.
struct ToldLog {
    log: JournalLog,
    began: Sender<usize>,
    fates: Receiver<Fate>,
}

impl Log for ToldLog {
    type Base = JournalBase;

    fn take_room(&mut self, bytes: u64, frees: bool) -> Result<(), StoreError> {
        self.log.take_room(bytes, frees)
    }

    fn read(&mut self, wanted: Wanted<'_>) -> Result<JournalBase, StoreError> {
        self.log.read(wanted)
    }

    fn append(&mut self, base: JournalBase, group: Group, revision: Revision) -> Result<(), AppendError> {
        self.began.send(group.len()).expect("the test listens");
        let failed = || AppendError::Poisoned(StoreError::Engine("fdatasync: input/output error".to_owned()));
        match self.fates.recv().expect("the test tells") {
            Fate::Durable => self.log.append(base, group, revision),
            Fate::Fails { written: true } => {
                self.log.write_only(&group, revision)?;
                Err(failed())
            }
            Fate::Fails { written: false } => Err(failed()),
        }
    }

    fn look(&mut self) -> Result<(), StoreError> {
        self.log.look()
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        self.log.settle()
    }
}

struct Told {
    store: Arc<Embedded>,
    began: Receiver<usize>,
    fates: Sender<Fate>,
}

fn told(path: &Path) -> Told {
    told_at(path, Clock::system())
}

fn told_at(path: &Path, clock: Clock) -> Told {
    let (began_sender, began) = channel();
    let (fates, fates_receiver) = channel();
    let wrap = |log| ToldLog { log, began: began_sender, fates: fates_receiver };
    let free = Box::new(|| Ok(u64::MAX));
    let store = open_with(path, &EmbeddedOptions::default(), clock, free, wrap).expect("the catalog opens");
    Told { store: Arc::new(store), began, fates }
}

async fn put(store: &Embedded, key: &str) -> Result<Revision, CommitError> {
    let mut batch = Batch::new();
    batch.put(key.as_bytes().to_vec(), b"value".to_vec());
    store.commit(batch).await
}

async fn has(store: &Embedded, key: &str) -> bool {
    store.snapshot().await.expect("a snapshot").get(key.as_bytes().to_vec()).await.expect("reads").is_some()
}

async fn reopened(path: &Path) -> Embedded {
    Embedded::open(path, EmbeddedOptions::default(), Clock::system()).await.expect("the catalog opens")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_shown_or_answered_before_it_is_durable() {
    let directory = TempDir::new().expect("a directory");
    let Told { store, began, fates } = told(directory.path());
    let fresh = store.freshness(Slot::of_key(b"a"));
    let first = spawn({
        let store = Arc::clone(&store);
        async move { put(&store, "a").await }
    });
    let began = blocking(move || {
        began.recv().expect("a group begins");
        began
    })
    .await;
    assert!(!has(&store, "a").await, "a reader saw what is not durable");
    assert_eq!(store.freshness(Slot::of_key(b"a")), fresh);
    assert!(!first.is_finished());
    // What queues up meanwhile becomes one group.
    let later: Vec<_> = (0..20)
        .map(|index| {
            let store = Arc::clone(&store);
            spawn(async move { put(&store, &format!("b{index}")).await })
        })
        .collect();
    while store.commits.callers() < 21 {
        tokio::task::yield_now().await;
    }
    fates.send(Fate::Durable).expect("the log listens");
    fates.send(Fate::Durable).expect("the log listens");
    first.await.expect("the task ends").expect("commits");
    for task in later {
        task.await.expect("the task ends").expect("commits");
    }
    assert_eq!(began.recv().expect("a group began"), 20);
    assert!(has(&store, "b19").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failed_sync_nothing_is_acknowledged_until_a_restart() {
    for written in [false, true] {
        let directory = TempDir::new().expect("a directory");
        let Told { store, fates, began: _began } = told(directory.path());
        fates.send(Fate::Durable).expect("the log listens");
        put(&store, "before").await.expect("commits");
        fates.send(Fate::Fails { written }).expect("the log listens");
        assert!(matches!(put(&store, "failed").await, Err(CommitError::Store(StoreError::Engine(_)))));
        for _ in 0..3 {
            // No fate is told: the log must not even be asked.
            match put(&store, "after").await {
                Err(CommitError::Store(StoreError::Refused(text))) => {
                    assert!(text.contains("input/output error") && text.contains("start cofre again"), "{text}");
                }
                other => panic!("expected a refusal, got {other:?}"),
            }
        }
        assert!(matches!(store.state().commits, CommitState::Refused(why) if why.contains("input/output error")));
        assert!(has(&store, "before").await, "reads go on");
        assert!(!has(&store, "failed").await, "what was not acknowledged is not shown");
        store.close().await.expect("closes");
        drop(store);
        let store = reopened(directory.path()).await;
        assert!(has(&store, "before").await);
        assert_eq!(has(&store, "failed").await, written);
        assert!(!has(&store, "after").await);
        put(&store, "after").await.expect("a restart takes commits again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_read_is_never_older_than_what_was_seen_before() {
    const KEYS: u64 = 3;
    const ROUNDS: u64 = 400;
    let directory = TempDir::new().expect("a directory");
    let options = EmbeddedOptions { cache_bytes: 4 * 1024, ..EmbeddedOptions::default() };
    let store = Embedded::open(directory.path(), options, Clock::system()).await.expect("the catalog opens");
    let store = Arc::new(store);
    let keys = || (0..KEYS).map(|key| vec![b'k', u8::try_from(key).expect("it is small")]).collect::<Vec<_>>();
    let number = |entry: &Option<crate::Entry>| {
        let value = entry.as_ref().map_or([0; 8], |entry| entry.value[..].try_into().expect("8 bytes"));
        u64::from_be_bytes(value)
    };
    let ended = Arc::new(AtomicU64::new(0));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (store, ended) = (Arc::clone(&store), Arc::clone(&ended));
            spawn(async move {
                let mut seen = 0;
                while ended.load(Ordering::SeqCst) == 0 {
                    for snapshot in [false, true] {
                        let found = match snapshot {
                            false => store.get_many(keys()).await,
                            true => store.snapshot().await.expect("a snapshot").get_many(keys()).await,
                        };
                        let numbers: Vec<_> = found.expect("reads").iter().map(number).collect();
                        assert!(numbers.iter().all(|n| *n == numbers[0]), "one question, two states: {numbers:?}");
                        assert!(numbers[0] >= seen, "{} after {seen}", numbers[0]);
                        seen = numbers[0];
                    }
                }
            })
        })
        .collect();
    for round in 1..=ROUNDS {
        let mut batch = Batch::new();
        for key in keys() {
            batch.put(key, round.to_be_bytes().to_vec());
        }
        store.commit(batch).await.expect("commits");
        let found = store.get_many(keys()).await.expect("reads");
        assert_eq!(found.iter().map(number).collect::<Vec<_>>(), vec![round; 3], "read after its own commit");
    }
    ended.store(1, Ordering::SeqCst);
    for reader in readers {
        reader.await.expect("it saw nothing strange");
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_goes_on_when_there_is_room() {
    let directory = TempDir::new().expect("a directory");
    let free = Arc::new(AtomicU64::new(u64::MAX));
    let clock = ManualClock::at(1);
    let told = Arc::clone(&free);
    let told: super::space::FreeBytes = Box::new(move || Ok(told.load(Ordering::SeqCst)));
    let options = EmbeddedOptions::default();
    let store = open_with(directory.path(), &options, clock.clock(), told, |log| log).expect("the catalog opens");
    put(&store, "before").await.expect("commits");
    free.store(options.reserve_bytes + 10, Ordering::SeqCst);
    clock.advance(Duration::from_secs(1));
    for _ in 0..3 {
        assert!(matches!(put(&store, "refused").await, Err(CommitError::Store(StoreError::Full))));
        clock.advance(Duration::from_secs(1));
    }
    assert!(has(&store, "before").await && !has(&store, "refused").await);
    free.store(u64::MAX, Ordering::SeqCst);
    clock.advance(Duration::from_secs(1));
    put(&store, "after").await.expect("there is room again");
    store.close().await.expect("closes");
    drop(store);
    let store = reopened(directory.path()).await;
    assert!(has(&store, "before").await && has(&store, "after").await && !has(&store, "refused").await);
}

#[tokio::test]
async fn a_full_disk_still_takes_what_frees_room_down_to_a_quarter_of_the_reserve() {
    let directory = TempDir::new().expect("a directory");
    let free = Arc::new(AtomicU64::new(u64::MAX));
    let clock = ManualClock::at(1);
    let told = Arc::clone(&free);
    let told: super::space::FreeBytes = Box::new(move || Ok(told.load(Ordering::SeqCst)));
    let options = EmbeddedOptions::default();
    let store = open_with(directory.path(), &options, clock.clock(), told, |log| log).expect("the catalog opens");
    let delete = |key: &str| {
        let mut batch = Batch { frees: true, ..Batch::new() };
        batch.delete(key.as_bytes().to_vec());
        store.commit(batch)
    };
    for key in ["a", "b"] {
        put(&store, key).await.expect("commits");
    }
    let full = |outcome| matches!(outcome, Err(CommitError::Store(StoreError::Full)));
    for free_bytes in [options.reserve_bytes, options.reserve_bytes / 4 + 10_000] {
        free.store(free_bytes, Ordering::SeqCst);
        clock.advance(Duration::from_secs(1));
        // Side by side, so that they may well meet in one group.
        let (refused, freed) = tokio::join!(put(&store, "c"), delete("a"));
        assert!(full(refused), "{free_bytes} bytes");
        freed.expect("a deletion goes on");
    }
    free.store(options.reserve_bytes / 4, Ordering::SeqCst);
    clock.advance(Duration::from_secs(1));
    assert!(full(delete("b").await));
    assert!(!has(&store, "a").await && has(&store, "b").await && !has(&store, "c").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_hangs_is_told_while_it_does() {
    let directory = TempDir::new().expect("a directory");
    let clock = ManualClock::at(1);
    let Told { store, began, fates } = told_at(directory.path(), clock.clock());
    let commit = spawn({
        let store = Arc::clone(&store);
        async move { put(&store, "a").await }
    });
    blocking(move || began.recv().expect("a group begins")).await;
    assert!(store.state().is_good());
    clock.advance(COMMIT_SLOW_AFTER);
    assert_eq!(store.state().commits, CommitState::Slow(COMMIT_SLOW_AFTER));
    assert!(matches!(store.state().refusal(), Some(StoreError::Refused(_))));
    fates.send(Fate::Durable).expect("the log listens");
    commit.await.expect("the task ends").expect("commits");
    while !store.state().is_good() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_read_only_disk_is_told_and_nothing_is_tried_on_it() {
    let directory = TempDir::new().expect("a directory");
    let read_only = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&read_only);
    let told: super::space::FreeBytes = Box::new(move || match told.load(Ordering::SeqCst) {
        0 => Ok(u64::MAX),
        _ => Err(std::io::ErrorKind::ReadOnlyFilesystem.into()),
    });
    let clock = ManualClock::at(1);
    let options = EmbeddedOptions::default();
    let store = open_with(directory.path(), &options, clock.clock(), told, |log| log).expect("the catalog opens");
    put(&store, "before").await.expect("commits");
    read_only.store(1, Ordering::SeqCst);
    clock.advance(Duration::from_secs(1));
    let refused = put(&store, "refused").await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Refused(why))) if why.contains("read-only")));
    assert!(matches!(store.state().commits, CommitState::Refused(_)));
    read_only.store(0, Ordering::SeqCst);
    clock.advance(Duration::from_secs(1));
    put(&store, "after").await.expect("it takes writes again");
    assert!(store.state().is_good());
}
