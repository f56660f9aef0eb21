//! The same random batches on every engine and on a model of some lines: all must agree, also after a restart.

mod model;

use cofre_catalog::{
    Batch, Check, CommitError, Direction, Embedded, EmbeddedOptions, Entry, Failed, Memory, Read, ReadExt, Revision,
    Scan, Snapshot, Store, StoreError, Visit, VisitStep, Write,
};
use cofre_runtime::{Clock, Random};
use futures_util::future::join_all;
use model::Model;
use std::ops::Bound;
use std::path::Path;
use tempfile::TempDir;

/// Rounds for each seed: in each some batches are committed at once, then everything is compared.
const ROUNDS: u64 = 60;

/// Seeds that are tried.
const SEEDS: u64 = 12;

/// Most batches that are committed at once, so that some share a group.
const BATCHES_MAX: u64 = 8;

/// Rounds between two restarts of the engine on disk.
const RESTART_EVERY: u64 = 13;

/// Snapshots that are held while commits go on.
const HELD_MAX: usize = 3;

/// Draws what a round does. Keys are few, so that batches meet.
struct Draw(Random);

impl Draw {
    fn below(&self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    fn key(&self) -> Vec<u8> {
        const LETTERS: &[u8] = &[b'a', b'b', 0, 0xff];
        let letter = || LETTERS[usize::try_from(self.below(4)).expect("it is small")];
        let mut key = vec![if self.below(2) == 0 { b'a' } else { 0xff }];
        key.extend((0..self.below(4)).map(|_| letter()));
        key
    }

    fn counters(&self) -> Vec<u8> {
        vec![b'n', b'0' + u8::try_from(self.below(3)).expect("it is small")]
    }

    fn number(&self) -> i64 {
        match self.below(12) {
            0 => i64::MAX,
            1 => i64::MIN,
            number => i64::try_from(number).expect("it is small") - 6,
        }
    }

    fn revision(&self, last: Revision) -> Revision {
        Revision(self.below(last.0 + 2))
    }

    fn check(&self, model: &Model) -> Check {
        let known = |key: Vec<u8>| match model.get(&key) {
            Some(entry) => Check::At(key, entry.revision),
            None => Check::Absent(key),
        };
        match self.below(9) {
            // Mostly what holds, or no batch would ever get through.
            0..4 => known(self.key()),
            4 => Check::At(self.key(), self.revision(model.last())),
            5 => Check::Absent(self.key()),
            6 => Check::Present(self.key()),
            7 => Check::NoneWithPrefix(self.key()),
            _ => {
                let index = usize::try_from(self.below(3)).expect("it is small");
                Check::CounterAtMost { key: self.counters(), index, adding: self.number(), max: self.number() }
            }
        }
    }

    fn write(&self) -> Write {
        let value = || self.0.u64().to_be_bytes()[..usize::try_from(self.below(9)).expect("it is small")].to_vec();
        match self.below(10) {
            0..4 => Write::Put(self.key(), value()),
            4..6 => Write::Delete(self.key()),
            6..8 => Write::Add(self.counters(), (0..self.below(4)).map(|_| self.number()).collect()),
            8 if self.below(6) == 0 => Write::Delete(self.counters()),
            _ => {
                let suffix = vec![u8::try_from(self.below(2)).expect("it is small")];
                Write::Append { prefix: vec![b'l'], suffix, value: value() }
            }
        }
    }

    fn batch(&self, model: &Model) -> Batch {
        let checks = (0..self.below(3)).map(|_| self.check(model)).collect();
        let writes = (0..self.below(5)).map(|_| self.write()).collect();
        Batch { checks, writes, frees: self.below(2) == 0 }
    }

    fn scan(&self) -> Scan {
        let bound = || match self.below(3) {
            0 => Bound::Unbounded,
            1 => Bound::Included(self.key()),
            _ => Bound::Excluded(self.key()),
        };
        let direction = if self.below(2) == 0 { Direction::Forward } else { Direction::Reverse };
        let keys_max = (self.below(2) == 0).then(|| usize::try_from(self.below(12)).expect("it is small"));
        Scan { from: bound(), to: bound(), direction, keys_max, keys_only: self.below(3) == 0 }
    }

    /// Where a visitor seeks to from the keys that it sees, one in three.
    fn seeks(&self) -> Vec<Option<Vec<u8>>> {
        (0..20).map(|_| (self.below(3) == 0).then(|| self.key())).collect()
    }
}

/// What a visitor was shown.
type Shown = Vec<(Vec<u8>, Entry)>;

/// Notes what it is shown, and seeks as it was drawn.
struct Told {
    seeks: Vec<Option<Vec<u8>>>,
    shown: Shown,
}

impl Visit for Told {
    fn visit(&mut self, key: &[u8], revision: Revision, value: &[u8]) -> VisitStep {
        let seek = self.seeks.get(self.shown.len()).cloned().flatten();
        self.shown.push((key.to_vec(), Entry { revision, value: value.to_vec() }));
        seek.map_or(VisitStep::Continue, VisitStep::Seek)
    }
}

/// What a commit came to, where it can be compared.
fn plain(outcome: Result<Revision, CommitError>) -> Result<Revision, usize> {
    match outcome {
        Ok(revision) => Ok(revision),
        Err(CommitError::Failed(Failed(index))) => Err(index),
        Err(CommitError::Store(error)) => panic!("{error}"),
    }
}

async fn open(path: &Path) -> Result<Embedded, StoreError> {
    // So small that the cache of single records turns over.
    let options = EmbeddedOptions { cache_bytes: 8 * 1024, ..EmbeddedOptions::default() };
    Embedded::open(path, options, Clock::system()).await
}

/// Compares one read of some keys and one walk.
async fn compare<R: Read + ?Sized>(draw: &Draw, read: &R, model: &Model, about: &str) {
    let keys: Vec<_> = (0..draw.below(5)).map(|_| draw.key()).chain([draw.counters()]).collect();
    let found = read.get_many(keys.clone()).await.expect("reads");
    let expected: Vec<_> = keys.iter().map(|key| model.get(key)).collect();
    assert_eq!(found, expected, "{about}: {keys:?}");
    let (scan, seeks) = (draw.scan(), draw.seeks());
    let told = read.scan(scan.clone(), Told { seeks: seeks.clone(), shown: Vec::new() }).await.expect("scans");
    assert_eq!(told.shown, model.scan(&scan, &seeks), "{about}: {scan:?} {seeks:?}");
    assert_eq!(read.page(Scan::everything(), usize::MAX).await.expect("scans"), model.everything(), "{about}");
}

/// A state that is held, by an engine and by the model.
type Held = (&'static str, Box<dyn Snapshot>, Model);

async fn hold(held: &mut Vec<Held>, name: &'static str, store: &dyn Store, model: &Model) {
    if held.len() < HELD_MAX {
        let snapshot = store.snapshot().await.expect("a snapshot");
        assert_eq!(snapshot.revision(), model.last());
        held.push((name, snapshot, model.clone()));
    }
}

async fn differ(seed: u64) {
    let directory = TempDir::new().expect("a directory");
    let draw = Draw(Random::seeded(seed));
    let (mut model, memory) = (Model::default(), Memory::new());
    let mut embedded = open(directory.path()).await.expect("the catalog opens");
    let mut held: Vec<Held> = Vec::new();
    for round in 0..ROUNDS {
        let about = format!("seed {seed}, round {round}");
        let batches: Vec<_> = (0..draw.below(BATCHES_MAX + 1)).map(|_| draw.batch(&model)).collect();
        let expected: Vec<_> = batches.iter().map(|batch| model.commit(batch)).collect();
        for (name, store) in [("memory", &memory as &dyn Store), ("embedded", &embedded as &dyn Store)] {
            let outcomes = join_all(batches.iter().map(|batch| store.commit(batch.clone()))).await;
            let outcomes: Vec<_> = outcomes.into_iter().map(plain).collect();
            assert_eq!(outcomes, expected, "{about}, {name}: {batches:?}");
            compare(&draw, store, &model, &format!("{about}, {name}")).await;
            if draw.below(4) == 0 {
                hold(&mut held, name, store, &model).await;
            }
        }
        for (name, snapshot, model) in &held {
            compare(&draw, snapshot.as_ref(), model, &format!("{about}, held by {name}")).await;
        }
        if draw.below(6) == 0 && !held.is_empty() {
            held.remove(0);
        }
        if round % RESTART_EVERY == RESTART_EVERY - 1 {
            held.retain(|(name, ..)| *name != "embedded");
            embedded.close().await.expect("closes");
            drop(embedded);
            embedded = open(directory.path()).await.expect("the catalog opens");
            compare(&draw, &embedded, &model, &format!("{about}, restarted")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_engine_comes_to_the_same() {
    for seed in 0..SEEDS {
        differ(seed).await;
    }
}
