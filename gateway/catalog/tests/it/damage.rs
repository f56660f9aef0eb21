use crate::{open, put};
use cofre_catalog::{ReadExt, Scan, Store, StoreError};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const COMMITS: usize = 40;

/// A catalog of some commits, closed or left as a crash leaves it, and where its journal ends.
async fn made(path: &Path) -> (PathBuf, u64) {
    let store = open(path).await.expect("the catalog opens");
    for index in 0..COMMITS {
        put(&store, &format!("key {index:02}"), &"value ".repeat(20)).await;
    }
    store.close().await.expect("closes");
    let journal = path.join("engine/0.jnl");
    let bytes = std::fs::read(&journal).expect("the journal reads");
    let end = bytes.iter().rposition(|byte| *byte != 0).expect("it is not empty") + 1;
    (journal, end as u64)
}

async fn count(path: &Path) -> usize {
    let store = open(path).await.expect("the catalog opens");
    let page = store.snapshot().await.expect("a snapshot").page(Scan::prefix(b""), 1000).await.expect("scans");
    store.close().await.expect("closes");
    page.len()
}

fn flip(path: &Path, at: u64) {
    let file = OpenOptions::new().read(true).write(true).open(path).expect("it opens");
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("it reads");
    file.write_all_at(&[byte[0] ^ 0x55], at).expect("it writes");
}

/// Opening refuses, and goes on refusing.
async fn assert_damaged(path: &Path, what: &str) {
    for attempt in 0..2 {
        match open(path).await.err() {
            Some(StoreError::Damaged(text)) => assert!(text.contains("restore a backup"), "{text}"),
            other => panic!("{what}, attempt {attempt}: expected Damaged, got {other:?}"),
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("it lists") {
        let entry = entry.expect("it lists");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("it has a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            let length = entry.metadata().expect("it has a length").len();
            let bytes = std::fs::read(entry.path()).expect("it reads");
            let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            let file = File::create(&target).expect("it is made");
            file.write_all_at(&bytes[..end], 0).expect("it writes");
            file.set_len(length).expect("it grows");
        }
    }
}

#[tokio::test]
async fn a_flipped_byte_anywhere_in_the_journal_is_seen() {
    let directory = TempDir::new().expect("a directory");
    let original = directory.path().join("original");
    let (_, end) = made(&original).await;
    // A stride without common factors with a batch's length reaches every field of one.
    for at in (0..end).step_by(usize::try_from(end / 37).expect("it is small")) {
        let damaged = directory.path().join(format!("flipped at {at}"));
        copy(&original, &damaged);
        flip(&damaged.join("engine/0.jnl"), at);
        if let Ok(store) = open(&damaged).await {
            store.close().await.expect("closes");
            drop(store);
            // The engine's number of the last batch may be too great without harm.
            assert_eq!(count(&damaged).await, COMMITS, "a commit was lost to a byte flipped at {at}");
        } else {
            assert_damaged(&damaged, &format!("flipped at {at}")).await;
        }
        std::fs::remove_dir_all(&damaged).expect("it is removed");
    }
}

#[tokio::test]
async fn a_truncated_journal_is_seen() {
    let directory = TempDir::new().expect("a directory");
    let original = directory.path().join("original");
    let (_, end) = made(&original).await;
    for length in [0, 1, end / 3, end / 2, end - 200, end - 1] {
        let damaged = directory.path().join(format!("cut to {length}"));
        copy(&original, &damaged);
        let journal = OpenOptions::new().write(true).open(damaged.join("engine/0.jnl")).expect("it opens");
        journal.set_len(length).expect("it is cut");
        assert_damaged(&damaged, &format!("cut to {length}")).await;
    }
    assert_eq!(count(&original).await, COMMITS);
}

#[tokio::test]
async fn a_hole_is_seen_without_the_mark() {
    let directory = TempDir::new().expect("a directory");
    let early = directory.path().join("early");
    let store = open(&early).await.expect("the catalog opens");
    put(&store, "first", "1").await;
    store.close().await.expect("closes");
    let late = directory.path().join("late");
    copy(&early, &late);
    let store = open(&late).await.expect("the catalog opens");
    for index in 0..COMMITS {
        put(&store, &format!("key {index:02}"), "value").await;
    }
    store.close().await.expect("closes");
    // A power cut may leave the mark behind by a second: here it knows of the first commit only.
    std::fs::copy(early.join("durable"), late.join("durable")).expect("it is copied");
    let whole = directory.path().join("whole");
    copy(&late, &whole);
    assert_eq!(count(&whole).await, COMMITS + 1);
    let journal = late.join("engine/0.jnl");
    let bytes = std::fs::read(&journal).expect("it reads");
    let end = bytes.iter().rposition(|byte| *byte != 0).expect("it is not empty") as u64;
    flip(&journal, end / 2);
    assert_damaged(&late, "a hole behind a mark that is behind").await;
}

#[tokio::test]
async fn a_write_that_was_cut_short_is_removed() {
    let directory = TempDir::new().expect("a directory");
    let original = directory.path().join("original");
    let (_, whole) = made(&original).await;
    let longer = directory.path().join("longer");
    copy(&original, &longer);
    let store = open(&longer).await.expect("the catalog opens");
    put(&store, "cut short", &"value ".repeat(2000)).await;
    store.close().await.expect("closes");
    let bytes = std::fs::read(longer.join("engine/0.jnl")).expect("it reads");
    let end = bytes.iter().rposition(|byte| *byte != 0).expect("it is not empty") as u64 + 1;
    // What a crash can leave: the write's beginning, or its pages without one in the middle.
    let step = usize::try_from((end - whole) / 13).expect("it is small");
    for cut in (whole + 1..end).step_by(step) {
        for hole in [false, true] {
            let crashed = directory.path().join(format!("cut at {cut} {hole}"));
            copy(&original, &crashed);
            let mut left = bytes.clone();
            if hole {
                let from = usize::try_from(cut).expect("it is small");
                let to = (from + 4096).min(usize::try_from(end).expect("it is small"));
                left[from..to].fill(0);
            } else {
                left.truncate(usize::try_from(cut).expect("it is small"));
            }
            std::fs::write(crashed.join("engine/0.jnl"), left).expect("it is written");
            assert_eq!(count(&crashed).await, COMMITS, "cut at {cut}, hole {hole}");
            let store = open(&crashed).await.expect("the catalog opens");
            put(&store, "after", "1").await;
            store.close().await.expect("closes");
            assert_eq!(count(&crashed).await, COMMITS + 1);
            std::fs::remove_dir_all(&crashed).expect("it is removed");
        }
    }
}

#[tokio::test]
async fn a_lost_or_foreign_mark_is_seen() {
    let directory = TempDir::new().expect("a directory");
    let first = directory.path().join("first");
    let second = directory.path().join("second");
    made(&first).await;
    made(&second).await;
    let mark = std::fs::read(first.join("durable")).expect("it reads");
    std::fs::remove_file(first.join("durable")).expect("it is removed");
    assert_damaged(&first, "without its mark").await;
    std::fs::copy(second.join("durable"), first.join("durable")).expect("it is copied");
    assert_damaged(&first, "with another's mark").await;
    std::fs::write(first.join("durable"), vec![0; mark.len()]).expect("it is written");
    assert_damaged(&first, "with an empty mark").await;
    std::fs::write(first.join("durable"), &mark).expect("it is written");
    assert_eq!(count(&first).await, COMMITS);
}

#[tokio::test]
async fn one_torn_slot_of_the_mark_does_no_harm() {
    let directory = TempDir::new().expect("a directory");
    made(directory.path()).await;
    for at in [7, 4096 + 7] {
        flip(&directory.path().join("durable"), at);
        assert_eq!(count(directory.path()).await, COMMITS);
    }
}

#[tokio::test]
async fn a_lost_engine_is_seen_and_a_half_made_one_is_made_again() {
    let directory = TempDir::new().expect("a directory");
    let lost = directory.path().join("lost");
    made(&lost).await;
    std::fs::remove_dir_all(lost.join("engine")).expect("it is removed");
    assert_damaged(&lost, "without the engine").await;
    let half = directory.path().join("half");
    open(&half).await.expect("the catalog opens").close().await.expect("closes");
    std::fs::remove_file(half.join("engine/version")).expect("it is removed");
    assert_eq!(count(&half).await, 0);
}

#[tokio::test]
async fn a_first_start_that_a_power_cut_ended_begins_again() {
    let directory = TempDir::new().expect("a directory");
    let whole = directory.path().join("whole");
    open(&whole).await.expect("the catalog opens").close().await.expect("closes");
    let tree = "engine/keyspaces/1";
    type Cut<'a> = (&'a str, &'a dyn Fn(&Path));
    let cuts: [Cut<'_>; 5] = [
        ("an empty version", &|path| drop(File::create(path.join("engine/version")).expect("it is emptied"))),
        ("no names of trees", &|path| std::fs::remove_dir_all(path.join("engine/keyspaces/0")).expect("it is removed")),
        ("no trees at all", &|path| std::fs::remove_dir_all(path.join("engine/keyspaces")).expect("it is removed")),
        ("an empty list of tables", &|path| {
            drop(File::create(path.join(tree).join("current")).expect("it is emptied"))
        }),
        ("no journal", &|path| std::fs::remove_file(path.join("engine/0.jnl")).expect("it is removed")),
    ];
    for (what, cut) in cuts {
        let path = directory.path().join(what);
        copy(&whole, &path);
        cut(&path);
        assert_eq!(count(&path).await, 0, "{what}");
        let store = open(&path).await.expect("the catalog opens");
        put(&store, "first", "1").await;
        store.close().await.expect("closes");
        assert_eq!(count(&path).await, 1, "{what}");
        // From now on something was acknowledged, and the same is damage.
        cut(&path);
        assert_damaged(&path, what).await;
    }
}

#[tokio::test]
async fn a_start_writes_anew_what_it_believes() {
    use std::os::unix::fs::MetadataExt;
    let directory = TempDir::new().expect("a directory");
    let (journal, end) = made(directory.path()).await;
    let files = ["engine/0.jnl", "engine/keyspaces/0/current", "engine/keyspaces/1/current"];
    let inode = |file: &str| std::fs::metadata(directory.path().join(file)).expect("it is there").ino();
    // Held, so that no new file gets their numbers.
    let held: Vec<_> = files.iter().map(|file| File::open(directory.path().join(file)).expect("it opens")).collect();
    let before = files.map(inode);
    assert_eq!(count(directory.path()).await, COMMITS);
    let after = files.map(inode);
    assert!(before.iter().zip(after).all(|(before, after)| *before != after), "{before:?} {after:?}");
    let rest = std::fs::read(journal).expect("it reads");
    assert!(rest.len() as u64 >= end && !directory.path().join("engine/0.jnl.anew").exists());
    drop(held);
}
