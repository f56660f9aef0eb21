//! Giving the space of dead records back.
//!
//! # Ordering
//! One bounded step at a time: copies that their owner names are appended to the newest pack, durably; then the owner
//! of the locators is told; then the old ones are buried. A pack in which nothing lives is removed, but
//! only `reader_grace` after a record moved out of it, since a reader may still hold the old locator.
//!
//! # Invariants
//! - A record younger than `unclaimed_grace` is never asked for: its owner may not have recorded it yet. A
//!   record that moves is written as of now, so that a search for orphans spares it as long.
//! - A record that its owner names moves, also if it has a tombstone: the owner may have come to name it again.
//! - A record of which its owner does not know whether it is live stays where it is, and its pack with it.
//! - A pack whose records were all dead goes only if no copy on the shard came to be named since the first of them was
//!   asked about.
//! - A pack with a gap, or with a live record that fails its checksum, is never removed: what stands there
//!   may be the last copy of something.
//!
//! # Crash recovery
//! Whatever step a crash takes back, both copies are there and the locator in use leads to one.

use super::graves::{remove, survey};
use super::scan::Record;
use super::{Append, Appended, Grave, Graves, Item, PACK_HEAD_BYTES, Scan, bury, file_name};
use crate::backend::{BackendError, Compacted, Liveness, Locator, Moved, Relocate};
use crate::fs::chores::Unclaimed;
use crate::fs::locator::Place;
use crate::fs::{Disk, record, root};
use cofre_runtime::blocking;
use cofre_types::BlobId;
use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Records that one step looks at.
const STEP_RECORDS_MAX: usize = 1024;
/// Bytes of records that one step looks at, but for one record more.
const STEP_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// What is remembered between steps, at most one entry a pack.
#[derive(Default)]
pub(in crate::fs) struct Compaction {
    /// Packs that cannot be removed now, and when to look again.
    shunned: BTreeMap<u64, Duration>,
    /// The pack that is under way, where the next step begins, and whether it can be removed at the end.
    under_way: Option<UnderWay>,
}

#[derive(Clone, Copy)]
struct UnderWay {
    pack: u64,
    offset: u32,
    removable: bool,
    /// Whether a record moved out of it on this way.
    moved: bool,
    /// What [`Relocate::named`] said when it was begun: what was dead then may have come to live if it says more.
    named: u64,
}

/// A record that moves: its old place, if that has no tombstone yet, its bytes, and the copy that it is.
type Moving = (Option<Grave>, Vec<u8>, (BlobId, Locator));

/// What a step found in a pack.
struct Found {
    records: Vec<(Record, Vec<u8>)>,
    next: u32,
    at_end: bool,
    gaps: bool,
}

/// Does one step.
pub(in crate::fs) async fn step(
    disk: &Arc<Disk>,
    queue: &mpsc::Sender<Append>,
    relocate: &dyn Relocate,
    memory: &mut Compaction,
) -> Result<Option<Compacted>, BackendError> {
    let Some(mut now) = pick(disk, relocate, memory).await? else { return Ok(None) };
    memory.under_way = Some(now);
    let outcome = go_on(disk, queue, relocate, &mut now, memory).await;
    if outcome.is_err() {
        // The other packs get their turn before this one is tried again.
        memory.under_way = None;
        memory.shunned.insert(now.pack, disk.clock.elapsed() + disk.options.reader_grace);
    }
    outcome.map(Some)
}

/// Does one step with the pack under way.
async fn go_on(
    disk: &Arc<Disk>,
    queue: &mpsc::Sender<Append>,
    relocate: &dyn Relocate,
    now: &mut UnderWay,
    memory: &mut Compaction,
) -> Result<Compacted, BackendError> {
    let (ours, begin) = (disk.clone(), *now);
    let found = blocking(move || look(&ours, begin.pack, begin.offset))
        .await
        .map_err(|error| root::failure("scanning a pack", &error))?;
    now.removable &= !found.gaps;
    let moved_blobs = empty(disk, queue, relocate, now, found.records).await?;
    now.offset = found.next;
    let mut freed_bytes = 0;
    memory.under_way = (!found.at_end).then_some(*now);
    if found.at_end {
        freed_bytes = finish(disk, relocate, memory, *now).await?;
    }
    Ok(Compacted { freed_bytes, moved_blobs })
}

/// The pack under way, or else the one with the largest dead share, if that is large enough.
async fn pick(
    disk: &Arc<Disk>,
    relocate: &dyn Relocate,
    memory: &mut Compaction,
) -> Result<Option<UnderWay>, BackendError> {
    if memory.under_way.is_some() {
        return Ok(memory.under_way);
    }
    let (now, named) = (disk.clock.elapsed(), relocate.named());
    memory.shunned.retain(|_, until| *until > now);
    let shunned: Vec<u64> = memory.shunned.keys().copied().collect();
    let ours = disk.clone();
    let picked = blocking(move || choose(&ours, &shunned)).await;
    let picked = picked.map_err(|error| root::failure("looking for a pack to compact", &error))?;
    Ok(picked.map(|pack| UnderWay { pack, offset: PACK_HEAD_BYTES, removable: true, moved: false, named }))
}

fn choose(disk: &Disk, shunned: &[u64]) -> io::Result<Option<u64>> {
    let newest = disk.newest_pack.load(SeqCst);
    let mut best = None;
    for (pack, dead_bytes) in survey(disk)? {
        if pack == newest || shunned.contains(&pack) {
            continue;
        }
        let len = match rustix::fs::statat(&disk.root.packs, file_name(pack), rustix::fs::AtFlags::empty()) {
            Ok(stat) => u64::try_from(stat.st_size).unwrap_or(0).max(1),
            Err(rustix::io::Errno::NOENT) => {
                remove(disk, pack)?;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let percent = dead_bytes.saturating_mul(100) / len;
        if percent >= u64::from(disk.options.compact_dead_percent) && best.is_none_or(|(most, _)| most < percent) {
            best = Some((percent, pack));
        }
    }
    Ok(best.map(|(_, pack)| pack))
}

fn look(disk: &Disk, pack: u64, offset: u32) -> io::Result<Found> {
    let file = root::open_file(&disk.root.packs, &file_name(pack))?;
    let mut scan = Scan::new(file.try_clone()?, offset, &Graves::load(disk, pack)?)?.with_dead();
    let mut found = Found { records: Vec::new(), next: offset, at_end: false, gaps: false };
    let mut bytes = 0;
    while found.records.len() < STEP_RECORDS_MAX && bytes < STEP_BYTES_MAX {
        match scan.next()? {
            None => {
                found.at_end = true;
                break;
            }
            Some(Item::Gap) => found.gaps = true,
            Some(Item::Record(record)) => {
                let mut raw = vec![0; record.len as usize];
                file.read_exact_at(&mut raw, u64::from(record.offset))?;
                bytes += raw.len() as u64;
                found.records.push((record, raw));
            }
        }
    }
    found.next = scan.offset();
    Ok(found)
}

/// Moves what lives and buries the rest. Returns how many blobs moved.
async fn empty(
    disk: &Arc<Disk>,
    queue: &mpsc::Sender<Append>,
    relocate: &dyn Relocate,
    now: &mut UnderWay,
    records: Vec<(Record, Vec<u8>)>,
) -> Result<u64, BackendError> {
    let old_enough = disk.clock.now_nanos().saturating_sub(disk.options.unclaimed_grace.as_nanos() as u64);
    let (records, young): (Vec<_>, Vec<_>) =
        records.into_iter().partition(|(record, _)| record.buried || record.written_nanos <= old_enough);
    now.removable &= young.is_empty();
    if records.is_empty() {
        return Ok(0);
    }
    let place = |record: &Record| Place::Pack { pack: now.pack, offset: record.offset, len: record.len }.locator();
    let copies: Vec<_> = records.iter().map(|(record, _)| (record.blob, place(record))).collect();
    let live = relocate.live(&copies).await?;
    let (mut dead, mut moving) = (Vec::new(), Vec::new());
    let written_nanos = disk.clock.now_nanos();
    for (i, ((record, raw), copy)) in records.into_iter().zip(copies).enumerate() {
        let grave = Grave { offset: record.offset, len: record.len, blob: record.blob };
        // No record refers to the new place yet: it is young again.
        let again = || record::rewritten(&raw, written_nanos).filter(|_| record.whole);
        match live.get(i) {
            Some(Liveness::Live) => match again() {
                Some(raw) => moving.push((Some(grave).filter(|_| !record.buried), raw, copy)),
                None => now.removable = false,
            },
            // Its owner had it deleted, and names it no more.
            Some(Liveness::Dead | Liveness::Unknown) if record.buried => {}
            Some(Liveness::Dead) => dead.push(grave),
            // The pack stays until its owner knows; the rest of it moves all the same.
            Some(Liveness::Unknown) | None => now.removable = false,
        }
    }
    let (moves, unclaimed) = append(queue, &mut dead, moving).await?;
    if !moves.is_empty() {
        // Whether the owner records all of the moves, some or none, they are no garbage from here on.
        unclaimed.into_iter().for_each(Unclaimed::claim);
        relocate.moved(&moves).await?;
        now.moved = true;
    }
    let (ours, pack) = (disk.clone(), now.pack);
    blocking(move || bury(&ours, pack, &dead)).await.map_err(|error| root::failure("burying records", &error))?;
    Ok(moves.len() as u64)
}

/// Appends live records to the newest pack, and lists their old places as dead that are not yet.
async fn append(
    queue: &mpsc::Sender<Append>,
    dead: &mut Vec<Grave>,
    moving: Vec<Moving>,
) -> Result<(Vec<Moved>, Vec<Unclaimed>), BackendError> {
    let mut waiting = Vec::with_capacity(moving.len());
    for (grave, record, (blob, from)) in moving {
        let (reply, appended) = oneshot::channel();
        let append = Append { blob, record, reply };
        queue.send(append).await.map_err(|_| writer_gone())?;
        waiting.push((grave, blob, from, appended));
    }
    let (mut moves, mut all_unclaimed) = (Vec::with_capacity(waiting.len()), Vec::with_capacity(waiting.len()));
    for (grave, blob, from, appended) in waiting {
        let Appended { place, unclaimed } = appended.await.map_err(|_| writer_gone())??;
        all_unclaimed.push(unclaimed);
        moves.push(Moved { blob, from, to: place.locator() });
        dead.extend(grave);
    }
    Ok((moves, all_unclaimed))
}

fn writer_gone() -> BackendError {
    BackendError::Unreachable("the pack writer is gone".into())
}

/// Removes a pack that was gone through to its end, if that is right, or says when to look again.
async fn finish(
    disk: &Arc<Disk>,
    relocate: &dyn Relocate,
    memory: &mut Compaction,
    now: UnderWay,
) -> Result<u64, BackendError> {
    let mut shun = |grace| _ = memory.shunned.insert(now.pack, disk.clock.elapsed() + grace);
    if !now.removable || now.moved {
        shun(if now.removable { disk.options.reader_grace } else { disk.options.unclaimed_grace });
        return Ok(0);
    }
    let Some(_turn) = relocate.removal(now.named).await else {
        shun(disk.options.reader_grace);
        return Ok(0);
    };
    // The owner may have come to forbid it since the last record.
    relocate.live(&[]).await?;
    let ours = disk.clone();
    let removed = blocking(move || {
        let stat = rustix::fs::statat(&ours.root.packs, file_name(now.pack), rustix::fs::AtFlags::empty())?;
        remove(&ours, now.pack)?;
        Ok::<_, io::Error>(u64::try_from(stat.st_blocks).unwrap_or(0) * 512)
    });
    removed.await.map_err(|error| root::failure("removing a pack", &error))
}
