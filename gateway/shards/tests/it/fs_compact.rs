//! Giving space back: what lives stays readable throughout.

use crate::samples::*;
use async_trait::async_trait;
use cofre_runtime::{Clock, ManualClock, Random, spawn};
use cofre_shards::{Backend, BackendError, BlobHeader, Body, FsBackend, FsOptions, Liveness, Locator, Moved, Relocate};
use cofre_types::BlobId;
use std::collections::HashMap;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SIZE: usize = 3000;

/// The owner of the locators: what the catalog is to a shard.
#[derive(Default)]
pub struct Ledger {
    pub live: Mutex<HashMap<BlobId, Locator>>,
    refuse: AtomicBool,
    /// Neither live nor dead, as far as anybody knows.
    unsure_of: Mutex<Option<BlobId>>,
    /// Nothing can be said while this one is asked about.
    fails_at: Mutex<Option<BlobId>>,
    /// What is named again right after it was asked about for the first time, where it stands.
    named_late: Mutex<Option<(BlobId, Locator)>>,
    named: AtomicU64,
}

#[async_trait]
impl Relocate for Ledger {
    async fn live(&self, copies: &[(BlobId, Locator)]) -> Result<Vec<Liveness>, BackendError> {
        let (fails_at, unsure_of) = (*self.fails_at.lock().unwrap(), *self.unsure_of.lock().unwrap());
        if copies.iter().any(|(blob, _)| Some(*blob) == fails_at) {
            return Err(BackendError::Unreachable("told to fail".into()));
        }
        let live = self.live.lock().unwrap();
        let ask = |(blob, locator): &(BlobId, Locator)| match live.get(blob) == Some(locator) {
            _ if Some(*blob) == unsure_of => Liveness::Unknown,
            true => Liveness::Live,
            false => Liveness::Dead,
        };
        let told = copies.iter().map(ask).collect();
        drop(live);
        let late = &mut *self.named_late.lock().unwrap();
        if let Some((blob, locator)) = late.take_if(|late| copies.contains(late)) {
            self.live.lock().unwrap().insert(blob, locator);
            self.named.fetch_add(1, SeqCst);
        }
        Ok(told)
    }

    fn named(&self) -> u64 {
        self.named.load(SeqCst)
    }

    async fn moved(&self, moves: &[Moved]) -> Result<(), BackendError> {
        let mut live = self.live.lock().unwrap();
        for (i, moved) in moves.iter().enumerate() {
            if self.refuse.load(SeqCst) && i >= moves.len() / 2 {
                return Err(BackendError::Unreachable("told to fail".into()));
            }
            if live.get(&moved.blob) == Some(&moved.from) {
                live.insert(moved.blob, moved.to.clone());
            }
        }
        Ok(())
    }
}

impl Ledger {
    fn place(&self, blob: BlobId) -> Locator {
        self.live.lock().unwrap()[&blob].clone()
    }
}

pub(crate) fn options() -> FsOptions {
    FsOptions {
        pack_bytes_max: 256 * 1024,
        unclaimed_grace: Duration::ZERO,
        reader_grace: Duration::ZERO,
        ..FsOptions::default()
    }
}

pub(crate) async fn fill(shard: &FsBackend, ledger: &Ledger, count: u32) {
    for number in 0..count {
        let body = Body::Whole(content(u64::from(number), SIZE));
        let stored = shard.put(blob(number), &header("k"), body).await.unwrap();
        ledger.live.lock().unwrap().insert(blob(number), stored.locator);
    }
}

/// Deletes all but every `keep`th blob.
pub(crate) async fn thin_out(shard: &FsBackend, ledger: &Ledger, count: u32, keep: u32) {
    let doomed: Vec<_> = (0..count)
        .filter(|number| number % keep != 0)
        .map(|number| (blob(number), ledger.live.lock().unwrap().remove(&blob(number)).unwrap()))
        .collect();
    shard.delete(doomed).await.unwrap();
}

async fn compact_all(shard: &FsBackend, ledger: &Ledger) -> (u64, u64) {
    let (mut freed, mut moved) = (0, 0);
    while let Some(step) = shard.compact(ledger).await.unwrap() {
        freed += step.freed_bytes;
        moved += step.moved_blobs;
    }
    (freed, moved)
}

async fn assert_all_there(shard: &FsBackend, ledger: &Ledger, count: u32, keep: u32) {
    for number in (0..count).step_by(keep as usize) {
        let read = read(shard, blob(number), &ledger.place(blob(number)), whole(SIZE)).await.unwrap();
        assert!(read == content(u64::from(number), SIZE));
    }
    let mut listed: Vec<_> = list_all(shard).await.into_iter().map(|l| (l.blob, l.locator.0)).collect();
    let mut live: Vec<_> =
        ledger.live.lock().unwrap().iter().map(|(blob, locator)| (*blob, locator.0.clone())).collect();
    listed.sort();
    live.sort();
    assert_eq!(listed, live);
}

fn packs(root: &Root) -> usize {
    root.files().iter().filter(|path| path.extension().is_some_and(|e| e == "pack")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn live_blobs_move_together_and_the_space_of_dead_ones_comes_back() {
    let (root, ledger) = (Root::new(), Ledger::default());
    let shard = root.create_with(options());
    fill(&shard, &ledger, 1000).await;
    let before = packs(&root);
    assert_eq!(compact_all(&shard, &ledger).await, (0, 0), "nothing is worth moving yet");
    thin_out(&shard, &ledger, 1000, 10).await;
    let (freed, moved) = compact_all(&shard, &ledger).await;
    assert!(freed > 2_000_000 && (80..=150).contains(&moved), "{freed} bytes, {moved} blobs");
    assert!(packs(&root) * 4 < before, "{} packs of {before}", packs(&root));
    assert_all_there(&shard, &ledger, 1000, 10).await;
    drop(shard);
    assert_all_there(&root.open_with(options()), &ledger, 1000, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_to_be_named_while_its_pack_is_gone_through_is_kept() {
    let (root, ledger) = (Root::new(), Ledger::default());
    let shard = root.create_with(options());
    fill(&shard, &ledger, 200).await;
    let late = (blob(3), ledger.place(blob(3)));
    let dead = ledger.live.lock().unwrap().drain().collect();
    shard.delete(dead).await.unwrap();
    *ledger.named_late.lock().unwrap() = Some(late.clone());
    compact_all(&shard, &ledger).await;
    assert!(ledger.named_late.lock().unwrap().is_none(), "it was asked about");
    let read = read(&shard, late.0, &ledger.place(late.0), whole(SIZE)).await.unwrap();
    assert!(read == content(3, SIZE));
    assert_ne!(ledger.place(late.0), late.1, "the next pass moves it, and only then its pack goes");
    assert!(packs(&root) <= 2, "{} packs are left", packs(&root));
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_go_on_while_blobs_move() {
    let (root, ledger) = (Root::new(), Arc::new(Ledger::default()));
    let shard = Arc::new(root.create_with(FsOptions { reader_grace: Duration::from_secs(60), ..options() }));
    fill(&shard, &ledger, 600).await;
    thin_out(&shard, &ledger, 600, 4).await;
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..3)
        .map(|first| {
            let (shard, ledger, done) = (shard.clone(), ledger.clone(), done.clone());
            spawn(async move {
                let mut reads = 0;
                while !done.load(SeqCst) || reads == 0 {
                    for number in (first * 4..600).step_by(12) {
                        let place = ledger.place(blob(number));
                        let read = read(&*shard, blob(number), &place, whole(SIZE)).await.unwrap();
                        assert!(read == content(u64::from(number), SIZE));
                        reads += 1;
                    }
                }
            })
        })
        .collect();
    let (_, moved) = compact_all(&shard, &ledger).await;
    done.store(true, SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
    assert!(moved > 100);
    assert_all_there(&shard, &ledger, 600, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_stays_for_readers_until_their_grace_is_over() {
    let (root, ledger) = (Root::new(), Ledger::default());
    let clock = ManualClock::at(1_800_000_000_000_000_000);
    let options = FsOptions { reader_grace: Duration::from_secs(60), ..options() };
    let shard = FsBackend::create(&root.path(), IDENTITY, options, clock.clock(), Random::system()).unwrap();
    fill(&shard, &ledger, 200).await;
    thin_out(&shard, &ledger, 200, 10).await;
    let old = ledger.place(blob(0));
    let (freed, moved) = compact_all(&shard, &ledger).await;
    assert!(freed == 0 && moved > 0);
    assert_ne!(ledger.place(blob(0)), old);
    assert_eq!(read(&shard, blob(0), &old, whole(SIZE)).await.unwrap(), content(0, SIZE));
    clock.advance(Duration::from_secs(61));
    assert!(compact_all(&shard, &ledger).await.0 > 0);
    assert_all_there(&shard, &ledger, 200, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_its_owner_may_not_have_recorded_yet_is_kept() {
    let (root, ledger) = (Root::new(), Ledger::default());
    let shard = root.create_with(FsOptions { unclaimed_grace: Duration::from_secs(3600), ..options() });
    let mut young = header("young");
    young.written_nanos = Clock::system().now_nanos();
    let body = Body::Whole(content(7, SIZE));
    let unrecorded = shard.put(blob(9999), &young, body).await.unwrap();
    fill(&shard, &ledger, 400).await;
    thin_out(&shard, &ledger, 400, 400).await;
    compact_all(&shard, &ledger).await;
    let read = read(&shard, blob(9999), &unrecorded.locator, whole(SIZE)).await.unwrap();
    assert_eq!(read, content(7, SIZE));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_moved_is_as_young_as_one_that_was_just_put() {
    let (root, ledger) = (Root::new(), Ledger::default());
    let clock = ManualClock::at(1_800_000_000_000_000_000);
    let options = FsOptions { unclaimed_grace: Duration::from_secs(3600), ..options() };
    let shard = FsBackend::create(&root.path(), IDENTITY, options, clock.clock(), Random::system()).unwrap();
    fill(&shard, &ledger, 300).await;
    let before = ledger.live.lock().unwrap().clone();
    thin_out(&shard, &ledger, 300, 5).await;
    let (_, moved) = compact_all(&shard, &ledger).await;
    assert!(moved > 0);
    for listed in list_all(&shard).await {
        let stayed = before[&listed.blob] == listed.locator;
        let written_nanos = if stayed { header("k").written_nanos } else { 1_800_000_000_000_000_000 };
        assert_eq!(listed.written_nanos, written_nanos);
        let said = BlobHeader { written_nanos, ..header("k") };
        assert_eq!(shard.header(listed.blob, &listed.locator).await.unwrap(), said);
    }
    assert_all_there(&shard, &ledger, 300, 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_is_recorded_in_part_loses_nothing() {
    let (root, ledger) = (Root::new(), Ledger::default());
    let shard = root.create_with(options());
    fill(&shard, &ledger, 300).await;
    thin_out(&shard, &ledger, 300, 5).await;
    ledger.refuse.store(true, SeqCst);
    for _ in 0..3 {
        shard.compact(&ledger).await.unwrap_err();
        for number in (0..300).step_by(5) {
            let read = read(&shard, blob(number), &ledger.place(blob(number)), whole(SIZE)).await.unwrap();
            assert!(read == content(u64::from(number), SIZE));
        }
    }
    ledger.refuse.store(false, SeqCst);
    compact_all(&shard, &ledger).await;
    for number in (0..300).step_by(5) {
        let read = read(&shard, blob(number), &ledger.place(blob(number)), whole(SIZE)).await.unwrap();
        assert!(read == content(u64::from(number), SIZE));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_with_damage_is_not_removed() {
    for at in [30, 500] {
        let (root, ledger) = (Root::new(), Ledger::default());
        let shard = root.create_with(options());
        fill(&shard, &ledger, 200).await;
        thin_out(&shard, &ledger, 200, 5).await;
        drop(shard);
        let pack = root.files().into_iter().find(|path| path.extension().is_some_and(|e| e == "pack")).unwrap();
        let mut bytes = fs::read(&pack).unwrap();
        bytes[at] ^= 1;
        fs::write(&pack, bytes).unwrap();
        let shard = root.open_with(options());
        for _ in 0..50 {
            shard.compact(&ledger).await.unwrap();
        }
        assert!(pack.exists(), "blob 0 may have no other copy");
        for number in (5..200).step_by(5) {
            let read = read(&shard, blob(number), &ledger.place(blob(number)), whole(SIZE)).await.unwrap();
            assert!(read == content(u64::from(number), SIZE));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_that_fails_does_not_hold_up_the_others() {
    let (root, ledger) = (Root::new(), Ledger::default());
    let clock = ManualClock::at(1_800_000_000_000_000_000);
    let options = FsOptions { reader_grace: Duration::from_secs(60), ..options() };
    let shard = FsBackend::create(&root.path(), IDENTITY, options, clock.clock(), Random::system()).unwrap();
    fill(&shard, &ledger, 600).await;
    thin_out(&shard, &ledger, 600, 5).await;
    *ledger.fails_at.lock().unwrap() = Some(blob(0));
    let first = ledger.place(blob(0));
    let (mut moved, mut errors) = (0, 0);
    loop {
        match shard.compact(&ledger).await {
            Ok(None) => break,
            Ok(Some(step)) => moved += step.moved_blobs,
            Err(_) => errors += 1,
        }
    }
    assert!(errors == 1 && moved > 50, "{errors} errors, {moved} moved");
    assert_eq!(ledger.place(blob(0)), first);
    *ledger.fails_at.lock().unwrap() = None;
    clock.advance(Duration::from_secs(61));
    compact_all(&shard, &ledger).await;
    assert_ne!(ledger.place(blob(0)), first);
    assert_all_there(&shard, &ledger, 600, 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_its_owner_does_not_know_stays_with_its_pack_and_the_rest_moves() {
    let (root, ledger) = (Root::new(), Ledger::default());
    let shard = root.create_with(options());
    fill(&shard, &ledger, 300).await;
    thin_out(&shard, &ledger, 300, 5).await;
    *ledger.unsure_of.lock().unwrap() = Some(blob(0));
    let (first, second) = (ledger.place(blob(0)), ledger.place(blob(5)));
    for _ in 0..20 {
        shard.compact(&ledger).await.unwrap();
    }
    assert_eq!(ledger.place(blob(0)), first);
    assert_ne!(ledger.place(blob(5)), second, "they stand in one pack");
    assert_eq!(read(&shard, blob(0), &first, whole(SIZE)).await.unwrap(), content(0, SIZE));
    *ledger.unsure_of.lock().unwrap() = None;
    compact_all(&shard, &ledger).await;
    assert_ne!(ledger.place(blob(0)), first);
    assert_all_there(&shard, &ledger, 300, 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_that_cannot_be_read_does_not_hold_up_the_others() {
    let (root, ledger) = (Root::new(), Ledger::default());
    let shard = root.create_with(options());
    fill(&shard, &ledger, 600).await;
    thin_out(&shard, &ledger, 600, 5).await;
    drop(shard);
    let pack = root.files().into_iter().find(|path| path.extension().is_some_and(|e| e == "pack")).unwrap();
    fs::remove_file(&pack).unwrap();
    fs::create_dir(&pack).unwrap();
    let shard = root.open_with(FsOptions { reader_grace: Duration::from_secs(3600), ..options() });
    let (mut moved, mut errors) = (0, 0);
    loop {
        match shard.compact(&ledger).await {
            Ok(None) => break,
            Ok(Some(step)) => moved += step.moved_blobs,
            Err(_) => errors += 1,
        }
    }
    assert!(errors == 1 && moved > 50, "{errors} errors, {moved} moved");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_owner_names_moves_though_it_was_deleted() {
    let (root, ledger) = (Root::new(), Ledger::default());
    let shard = root.create_with(options());
    fill(&shard, &ledger, 200).await;
    let before = ledger.live.lock().unwrap().clone();
    thin_out(&shard, &ledger, 200, 200).await;
    let (deleted, at) = (blob(7), before[&blob(7)].clone());
    assert!(shard.is_deleted(deleted, &at).await.unwrap());
    assert!(!shard.is_deleted(blob(0), &ledger.place(blob(0))).await.unwrap());
    assert!(!shard.is_deleted(blob(8), &at).await.unwrap(), "a tombstone is of one blob");
    // A catalog from a backup names it still.
    ledger.live.lock().unwrap().insert(deleted, at.clone());
    compact_all(&shard, &ledger).await;
    assert_ne!(ledger.place(deleted), at, "its pack went");
    assert!(!shard.is_deleted(deleted, &ledger.place(deleted)).await.unwrap());
    assert_eq!(read(&shard, deleted, &ledger.place(deleted), whole(SIZE)).await.unwrap(), content(7, SIZE));
    assert_eq!(ledger.live.lock().unwrap().len(), 2);
    assert_all_there(&shard, &ledger, 1, 1).await;
    assert!(packs(&root) <= 2, "{} packs", packs(&root));
}
