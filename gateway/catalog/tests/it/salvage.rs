//! What is left of a catalog with damaged files.

use crate::open;
use cofre_catalog::backup::{Salvaged, salvage};
use cofre_catalog::{Batch, Embedded, EmbeddedOptions, Entry, Scan, SnapshotExt, Store, keys};
use cofre_runtime::Clock;
use cofre_types::Timestamp;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

type Records = BTreeMap<Vec<u8>, Entry>;

async fn everything(store: &dyn Store) -> Records {
    let page = store.snapshot().await.expect("a snapshot").page(Scan::prefix(b""), usize::MAX).await;
    page.expect("scans").into_iter().collect()
}

/// A catalog of many small tables, with records that were written again and some that were deleted.
async fn made(path: &Path) -> Records {
    let options = EmbeddedOptions { memtable_bytes: 128 * 1024, ..EmbeddedOptions::default() };
    let store = Embedded::open(path, options, Clock::system()).await.expect("the catalog opens");
    for round in 0..24_u8 {
        let mut batch = Batch::new();
        for index in 0..200 {
            batch.put(format!("{:03} {:02}", index, round % 12).into_bytes(), vec![round; 100]);
        }
        batch.delete(format!("{round:03} 00").into_bytes());
        store.commit(batch).await.expect("commits");
    }
    let records = everything(&store).await;
    store.close().await.expect("closes");
    records
}

fn flip(path: &Path, at: u64) {
    let file = OpenOptions::new().read(true).write(true).open(path).expect("it opens");
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("it reads");
    file.write_all_at(&[byte[0] ^ 0x10], at).expect("it writes");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("it lists").map(|entry| entry.expect("it lists").path()).collect();
    files.sort();
    files
}

async fn salvaged(from: &Path, to: &Path) -> (Salvaged, Records) {
    let salvaged = salvage(from, to, EmbeddedOptions::default(), Timestamp(1), |_| {}).await.expect("it is salvaged");
    let store = open(to).await.expect("the salvaged catalog opens");
    let mut records = everything(&store).await;
    // What it lacks stands on the shards: they are compared with it as with a catalog of a backup.
    assert!(records.remove(&keys::incarnation()).is_some());
    assert_eq!(records.len() as u64, salvaged.summary.records);
    assert_eq!(store.snapshot().await.expect("a snapshot").revision(), salvaged.summary.revision);
    store.close().await.expect("closes");
    std::fs::remove_dir_all(to).expect("it is removed");
    (salvaged, records)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_catalog_comes_through_whole() {
    let directory = TempDir::new().expect("a directory");
    let (from, to) = (directory.path().join("from"), directory.path().join("to"));
    let records = made(&from).await;
    let (salvaged, found) = salvaged(&from, &to).await;
    assert!(salvaged.losses.is_empty(), "{:?}", salvaged.losses);
    assert!(found == records, "{} of {} records", found.len(), records.len());
    assert!(!directory.path().join("to.salvaging").exists());
    let store = open(&from).await.expect("what was salvaged from is as it was");
    assert!(everything(&store).await == records);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_in_any_table_loses_what_is_listed_and_nothing_else() {
    let directory = TempDir::new().expect("a directory");
    let (from, to) = (directory.path().join("from"), directory.path().join("to"));
    let records = made(&from).await;
    let tables = files(&from.join("engine/keyspaces/1/tables"));
    assert!(!tables.is_empty());
    for table in tables {
        let length = table.metadata().expect("it has a length").len();
        for at in [2, 20, 600, length / 2, length * 9 / 10, length - 3] {
            flip(&table, at);
            let (salvaged, found) = salvaged(&from, &to).await;
            flip(&table, at);
            let lost = |key: &Vec<u8>| {
                salvaged.losses.iter().any(|loss| {
                    let after = loss.after.as_ref().is_none_or(|after| key > after);
                    after && loss.before.as_ref().is_none_or(|before| key < before)
                })
            };
            for (key, entry) in &records {
                assert!(
                    lost(key) || found.get(key) == Some(entry),
                    "{} at {at}: {}",
                    table.display(),
                    key.escape_ascii()
                );
            }
            for (key, entry) in &found {
                assert!(
                    lost(key) || records.get(key) == Some(entry),
                    "{} at {at}: {}",
                    table.display(),
                    key.escape_ascii()
                );
            }
            assert!(
                found.len() * 2 > records.len(),
                "one bit costs {} of {}",
                records.len() - found.len(),
                records.len()
            );
        }
    }
}

#[tokio::test]
async fn batches_behind_a_break_in_a_journal_are_found() {
    let directory = TempDir::new().expect("a directory");
    let (from, to) = (directory.path().join("from"), directory.path().join("to"));
    let store = open(&from).await.expect("the catalog opens");
    for index in 0..40 {
        crate::put(&store, &format!("key {index:02}"), "value").await;
    }
    store.close().await.expect("closes");
    let journal = from.join("engine/0.jnl");
    let bytes = std::fs::read(&journal).expect("it reads");
    let end = bytes.iter().rposition(|byte| *byte != 0).expect("it is not empty") as u64;
    flip(&journal, end / 2);
    assert!(open(&from).await.is_err(), "a break in the middle does not open");
    let (salvaged, found) = salvaged(&from, &to).await;
    assert_eq!((salvaged.losses.len(), found.len()), (1, 39));
    assert!(found.contains_key(&b"key 39"[..]) && found.contains_key(&b"key 00"[..]));
}
