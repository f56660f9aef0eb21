use crate::{open, put};
use cofre_catalog::backup::{BACKUP_FILE, BackupError, BackupProgress, backup, restore, verify};
use cofre_catalog::keys;
use cofre_catalog::records::{IncarnationRecord, Record};
use cofre_catalog::{Batch, EmbeddedOptions, Entry, Memory, Read, ReadExt, Revision, Scan, Store, StoreError};
use cofre_runtime::spawn;
use cofre_types::Timestamp;
use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

const TAKEN: Timestamp = Timestamp(1_700_000_000_000_000_000);
const NOW: Timestamp = Timestamp(1_700_000_009_000_000_000);

/// Every record but that of the incarnation, which a restore adds.
async fn restored_records(store: &dyn Store) -> Vec<(Vec<u8>, Entry)> {
    let mut all = everything(store).await;
    all.retain(|(key, _)| *key != keys::incarnation());
    all
}

async fn incarnation(store: &dyn Store) -> Option<IncarnationRecord> {
    let entry = store.get_many(vec![keys::incarnation()]).await.expect("reads").pop().flatten();
    entry.map(|entry| IncarnationRecord::decode(&entry.value).expect("it decodes"))
}

async fn everything(store: &dyn Store) -> Vec<(Vec<u8>, Entry)> {
    store.snapshot().await.expect("a snapshot").page(Scan::prefix(b""), usize::MAX).await.expect("scans")
}

/// Several blocks of records, some written again and some deleted.
async fn fill(store: &dyn Store) {
    for round in 0..30 {
        let mut batch = Batch::new();
        for index in 0..200 {
            batch.put(format!("{round:02} {index:03}").into_bytes(), vec![round; 100 + usize::from(round)]);
        }
        batch.put(b"again".to_vec(), vec![round]).add(b"counter".to_vec(), vec![1, 2]);
        batch.delete(format!("{:02} 007", round / 2).into_bytes());
        batch.put(vec![0xff, 0, round], Vec::new());
        store.commit(batch).await.expect("commits");
    }
    put(store, "gone", "1").await;
    let mut batch = Batch::new();
    batch.delete(b"gone".to_vec());
    store.commit(batch).await.expect("commits");
}

fn quiet(_: BackupProgress) {}

async fn restored(from: &Path, to: &Path) -> Result<(), BackupError> {
    restore(from, to, EmbeddedOptions::default(), NOW, quiet).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_catalog_is_the_one_that_was_backed_up() {
    let directory = TempDir::new().expect("a directory");
    let (to, data) = (directory.path().join("backup"), directory.path().join("data"));
    let store = open(&directory.path().join("original")).await.expect("the catalog opens");
    fill(&store).await;
    let (sender, seen) = channel();
    let summary = backup(&store, &to, TAKEN, move |progress| sender.send(progress).expect("it is heard")).await;
    let summary = summary.expect("the backup is taken");
    let expected = everything(&store).await;
    assert_eq!(summary.records, expected.len() as u64);
    assert_eq!(summary.revision, store.snapshot().await.expect("a snapshot").revision());
    assert_eq!(verify(&to).await.expect("it is whole"), summary);
    let seen: Vec<BackupProgress> = seen.iter().collect();
    assert!(seen.len() > 2 && seen.windows(2).all(|pair| pair[0].records <= pair[1].records));
    let last = seen.last().expect("there is progress");
    assert_eq!((last.records, last.bytes), (last.records_total, last.bytes_total));
    assert_eq!(last.bytes, summary.bytes);

    assert_eq!(restore(&to, &data, EmbeddedOptions::default(), NOW, quiet).await.expect("it is restored"), summary);
    let store = open(&data).await.expect("the restored catalog opens");
    assert_eq!(restored_records(&store).await, expected);
    assert_eq!(store.snapshot().await.expect("a snapshot").revision(), summary.revision);
    // A revision that was read before the backup still checks; new ones are greater.
    let again = expected.iter().find(|(key, _)| key == b"again").expect("it is there").1.revision;
    let mut batch = Batch::new();
    batch.unchanged(b"again".to_vec(), Some(again)).put(b"again".to_vec(), b"new".to_vec());
    assert_eq!(store.commit(batch).await.expect("commits"), Revision(summary.revision.0 + 1));
    store.close().await.expect("closes");
    open(&data).await.expect("it opens once more");
    assert!(!directory.path().join("data.restoring").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_of_one_moment_while_the_store_serves() {
    let directory = TempDir::new().expect("a directory");
    let store = Arc::new(open(&directory.path().join("original")).await.expect("the catalog opens"));
    fill(&*store).await;
    let running = spawn({
        let store = Arc::clone(&store);
        async move {
            for index in 0_u64..200 {
                let mut batch = Batch::new();
                batch.put(b" first".to_vec(), index.to_be_bytes().to_vec());
                batch.put(b"~ last".to_vec(), index.to_be_bytes().to_vec());
                store.commit(batch).await.expect("commits");
            }
        }
    });
    let mut rounds = 0;
    while !running.is_finished() || rounds == 0 {
        let (to, data) = (directory.path().join(format!("b{rounds}")), directory.path().join(format!("d{rounds}")));
        let summary = backup(&*store, &to, TAKEN, quiet).await.expect("the backup is taken");
        restored(&to, &data).await.expect("it is restored");
        let copy = open(&data).await.expect("the restored catalog opens");
        let entries = copy.get_many(vec![b" first".to_vec(), b"~ last".to_vec()]).await.expect("reads");
        assert_eq!(entries[0], entries[1], "the backup is of two moments");
        assert!(everything(&copy).await.iter().all(|(_, entry)| entry.revision <= summary.revision));
        rounds += 1;
    }
    running.await.expect("the task ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_with_any_byte_flipped_or_missing_is_refused() {
    let directory = TempDir::new().expect("a directory");
    let (whole, broken, data) =
        (directory.path().join("whole"), directory.path().join("broken"), directory.path().join("data"));
    let store = Memory::new();
    for index in 0..10 {
        put(&store, &format!("key {index}"), &"value ".repeat(index)).await;
    }
    backup(&store, &whole, TAKEN, quiet).await.expect("the backup is taken");
    let bytes = std::fs::read(whole.join(BACKUP_FILE)).expect("it reads");
    std::fs::create_dir(&broken).expect("a directory");
    let mut damages: Vec<(String, Vec<u8>)> = Vec::new();
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        damages.push((format!("flipped at {at}"), flipped));
        damages.push((format!("cut at {at}"), bytes[..at].to_vec()));
    }
    damages.push(("longer".to_owned(), [&bytes[..], &[0]].concat()));
    for (what, bytes) in damages {
        std::fs::write(broken.join(BACKUP_FILE), bytes).expect("it is written");
        let outcome = restored(&broken, &data).await;
        assert!(matches!(outcome, Err(BackupError::Damaged { .. })), "{what}: {outcome:?}");
        assert!(!data.exists() && !directory.path().join("data.restoring").exists(), "{what}: something is there");
    }
    restored(&whole, &data).await.expect("the whole one is restored");
}

#[tokio::test]
async fn what_stands_in_the_way_is_kept() {
    let directory = TempDir::new().expect("a directory");
    let (to, data) = (directory.path().join("backup"), directory.path().join("data"));
    let store = Memory::new();
    put(&store, "a", "1").await;
    backup(&store, &to, TAKEN, quiet).await.expect("the backup is taken");
    let first = std::fs::read(to.join(BACKUP_FILE)).expect("it reads");
    put(&store, "b", "1").await;
    assert!(matches!(backup(&store, &to, TAKEN, quiet).await, Err(BackupError::Exists(_))));
    assert_eq!(std::fs::read(to.join(BACKUP_FILE)).expect("it reads"), first);

    std::fs::create_dir(&data).expect("a directory");
    std::fs::write(data.join("precious"), b"1").expect("it is written");
    assert!(matches!(restored(&to, &data).await, Err(BackupError::Exists(_))));
    std::fs::remove_file(data.join("precious")).expect("it is removed");
    // What a restore left that was killed.
    std::fs::create_dir(directory.path().join("data.restoring")).expect("a directory");
    std::fs::write(directory.path().join("data.restoring/durable"), b"half").expect("it is written");
    restored(&to, &data).await.expect("an empty directory is filled");
    assert!(matches!(restored(&to, &data).await, Err(BackupError::Exists(_))));
    assert_eq!(restored_records(&open(&data).await.expect("it opens")).await.len(), 1);
}

#[tokio::test]
async fn every_restore_begins_another_incarnation() {
    let directory = TempDir::new().expect("a directory");
    let store = Memory::new();
    put(&store, "a", "1").await;
    assert_eq!(incarnation(&store).await, None);
    let first = directory.path().join("b1");
    backup(&store, &first, TAKEN, quiet).await.expect("the backup is taken");
    assert_eq!(verify(&first).await.expect("it is whole").taken, Some(TAKEN));
    let (one, two, three) = (directory.path().join("1"), directory.path().join("2"), directory.path().join("3"));
    restored(&first, &one).await.expect("it is restored");
    restored(&first, &two).await.expect("it is restored once more");
    let one = open(&one).await.expect("it opens");
    let again = directory.path().join("b2");
    backup(&one, &again, NOW, quiet).await.expect("the backup is taken");
    restored(&again, &three).await.expect("it is restored");
    let mut all = vec![incarnation(&one).await.expect("it is told")];
    for data in [two, three] {
        all.push(incarnation(&open(&data).await.expect("it opens")).await.expect("it is told"));
    }
    assert!(all.iter().all(|incarnation| incarnation.begun == NOW));
    assert_eq!(
        all.iter().map(|incarnation| incarnation.backup_taken).collect::<Vec<_>>(),
        [Some(TAKEN), Some(TAKEN), Some(NOW)]
    );
    let ids: std::collections::BTreeSet<_> = all.iter().map(|incarnation| incarnation.id).collect();
    assert!(ids.len() == 3 && !ids.contains(&[0; 16]));
}

#[tokio::test]
async fn an_empty_catalog_keeps_its_revision() {
    let directory = TempDir::new().expect("a directory");
    let (to, data) = (directory.path().join("backup"), directory.path().join("data"));
    let store = Memory::new();
    let last = store.commit(Batch::new()).await.expect("commits");
    backup(&store, &to, TAKEN, quiet).await.expect("the backup is taken");
    restored(&to, &data).await.expect("it is restored");
    let store = open(&data).await.expect("it opens");
    assert!(put(&store, "a", "1").await > last);
}

#[tokio::test]
async fn a_backup_of_a_closed_store_leaves_nothing() {
    let directory = TempDir::new().expect("a directory");
    let to = directory.path().join("backup");
    let store = open(&directory.path().join("original")).await.expect("the catalog opens");
    store.close().await.expect("closes");
    let calls = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&calls);
    let outcome = backup(&store, &to, TAKEN, move |_| *counted.lock().expect("not poisoned") += 1).await;
    assert!(matches!(outcome, Err(BackupError::Store(StoreError::Closed))));
    assert!(!to.exists());
    assert_eq!(*calls.lock().expect("not poisoned"), 0);
    assert!(matches!(verify(&to).await, Err(BackupError::Io { .. })));
}
