//! Small blobs, appended to packs.
//!
//! # Layout
//! A pack begins with 24 bytes: magic `cofp`, version u8, three zeros, pack id u64, CRC-32C u32, four zeros. Records
//! follow without gaps; zeros to the end are room that was preallocated. Ids rise and are never used
//! twice, so that a locator never means another blob later.
//!
//! # Ordering
//! One thread writes: it gathers what waits, writes it in one call and syncs it once, then answers. Only
//! the newest pack is written, and a new one is begun at every open; so whatever was acknowledged stands before
//! whatever was torn.
//!
//! # Crash recovery
//! At open the newest pack is scanned and cut behind its last whole record, if all of it can be read. All others are left
//! alone: a locator is enough to read a record.

mod compact;
mod graves;
mod read;
mod scan;
mod writer;

pub(super) use compact::{Compaction, step};
pub(super) use graves::{Grave, Graves, bury, is_buried};
pub(super) use read::{Handles, header, read};
pub(super) use scan::{Item, Scan};
pub(super) use writer::{Append, Appended, Writer};

use super::Disk;
use super::crc;
use super::root::{self, names};
use std::fs::File;
use std::io;

/// Bytes of a pack before its first record.
pub(super) const PACK_HEAD_BYTES: u32 = 24;
const MAGIC: [u8; 4] = *b"cofp";
const VERSION: u8 = 1;

/// How the name of a pack's file ends.
pub(super) const FILE_ENDING: &str = ".pack";

/// Name of the file of a pack.
pub(super) fn file_name(pack: u64) -> String {
    format!("{pack:016x}{FILE_ENDING}")
}

fn encode_pack_head(pack: u64) -> [u8; PACK_HEAD_BYTES as usize] {
    let mut head = [0; PACK_HEAD_BYTES as usize];
    head[..4].copy_from_slice(&MAGIC);
    head[4] = VERSION;
    head[8..16].copy_from_slice(&pack.to_le_bytes());
    let checksum = crc::of(&head[..16]);
    head[16..20].copy_from_slice(&checksum.to_le_bytes());
    head
}

/// Opens a pack to read.
pub(super) fn open(disk: &Disk, pack: u64) -> io::Result<File> {
    root::open_file(&disk.root.packs, &file_name(pack))
}

/// Every pack of the shard, the oldest first.
pub(super) fn all(disk: &Disk) -> io::Result<Vec<u64>> {
    ids(disk, FILE_ENDING)
}

/// Ids of the files under `packs/` that end so, ascending.
fn ids(disk: &Disk, suffix: &str) -> io::Result<Vec<u64>> {
    let mut ids: Vec<u64> = names(&disk.root.packs, ".")?
        .iter()
        .filter_map(|name| u64::from_str_radix(name.strip_suffix(suffix)?, 16).ok())
        .collect();
    ids.sort_unstable();
    Ok(ids)
}

/// Cuts the newest pack behind its last whole record, and removes it if it has none. Returns the highest
/// id in use.
pub(super) fn recover(disk: &Disk) -> io::Result<u64> {
    let Some(newest) = all(disk)?.pop() else { return Ok(0) };
    let file = root::open_or_create(&disk.root.packs, &file_name(newest))?;
    let len = file.metadata()?.len();
    let mut scan = Scan::new(file.try_clone()?, PACK_HEAD_BYTES, &Graves::default())?.lenient();
    let mut end = u64::from(PACK_HEAD_BYTES);
    while let Some(item) = scan.next()? {
        if let Item::Record(record) = item
            && record.whole
        {
            end = u64::from(record.offset) + u64::from(record.len);
        }
    }
    if let Some(what) = scan.unreadable() {
        // What stands there may be whole: it stays as it is, and the next pack is begun behind it.
        disk.damage.note(&file_name(newest), what);
    } else if end == u64::from(PACK_HEAD_BYTES) {
        root::remove_file(&disk.root.packs, &file_name(newest))?;
    } else if end < len {
        tracing::debug!(pack = newest, cut_bytes = len - end, "cut the end of the newest pack");
        file.set_len(end)?;
        file.sync_all()?;
    }
    Ok(newest)
}
