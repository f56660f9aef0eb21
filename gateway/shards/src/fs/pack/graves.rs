//! Tombstones: which records of a pack are dead.
//!
//! # Layout
//! Beside a pack, `<id>.dead`: 8 bytes of head (magic `cofd`, version u8, three zeros), then 20 bytes a tombstone: offset u32, length
//! u32, first half of the blob id, CRC-32C over pack id and the rest, u32. Little-endian.
//!
//! # Crash recovery
//! Not synced: a tombstone that a power cut takes leaves an orphan, which reclaim finds. One that is torn or damaged
//! fails its checksum and means nothing, so a live record never looks dead.
//!
//! # Invariants
//! A tombstone hides a record from listings. It never decides that a record goes: compaction asks the owner about
//! records that have one as well.

use super::{file_name, ids};
use crate::fs::{Disk, crc, root};
use cofre_types::BlobId;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

const HEAD: [u8; 8] = *b"cofd\x01\0\0\0";
const GRAVE_BYTES: usize = 20;

/// A record that is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::fs) struct Grave {
    pub(in crate::fs) offset: u32,
    pub(in crate::fs) len: u32,
    pub(in crate::fs) blob: BlobId,
}

/// The tombstones of one pack: 16 bytes of memory each, for as long as a scan runs.
#[derive(Debug, Clone, Default)]
pub(in crate::fs) struct Graves(Arc<Vec<(u32, u32, u64)>>);

/// First half of a blob id: a tombstone kills only the blob that it was meant for.
fn prefix(blob: BlobId) -> u64 {
    blob.as_bytes().first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
}

impl Graves {
    pub(in crate::fs) fn load(disk: &Disk, pack: u64) -> io::Result<Self> {
        let bytes = match read(disk, pack) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        let graves = bytes.strip_prefix(&HEAD).unwrap_or_default();
        let mut graves: Vec<_> = graves.as_chunks().0.iter().filter_map(|grave| decode(pack, grave)).collect();
        graves.sort_unstable();
        graves.dedup();
        Ok(Self(Arc::new(graves)))
    }

    /// Whether the record there, which holds this blob, is dead.
    pub(in crate::fs) fn has(&self, offset: u32, blob: BlobId) -> bool {
        self.from(offset).any(|(_, _, half)| *half == prefix(blob))
    }

    /// Length of the dead record there, whatever it held.
    pub(super) fn at(&self, offset: u32) -> Option<u32> {
        self.from(offset).map(|(_, len, _)| *len).next().filter(|len| *len > 0)
    }

    fn from(&self, offset: u32) -> impl Iterator<Item = &(u32, u32, u64)> {
        let first = self.0.partition_point(|(other, ..)| *other < offset);
        self.0[first..].iter().take_while(move |(other, ..)| *other == offset)
    }

    /// Bytes of the pack that are dead.
    pub(super) fn dead_bytes(&self) -> u64 {
        self.0.iter().map(|(_, len, _)| u64::from(*len)).sum()
    }
}

/// Whether one record of a pack is dead. Blocks.
pub(in crate::fs) fn is_buried(disk: &Disk, pack: u64, offset: u32, blob: BlobId) -> io::Result<bool> {
    let bytes = match read(disk, pack) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let graves = bytes.strip_prefix(&HEAD).unwrap_or_default();
    // Most are of other records: their checksums need no look.
    let there = |grave: &&[u8; GRAVE_BYTES]| grave[..4] == offset.to_le_bytes();
    let ours = |grave| decode(pack, grave).is_some_and(|(_, _, half)| half == prefix(blob));
    Ok(graves.as_chunks().0.iter().filter(there).any(ours))
}

fn read(disk: &Disk, pack: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    root::open_file(&disk.root.packs, &dead_name(pack))?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Marks records of a pack as dead; nothing if the pack is gone.
pub(in crate::fs) fn bury(disk: &Disk, pack: u64, dead: &[Grave]) -> io::Result<()> {
    let mut dead_bytes = disk.dead_bytes.lock();
    let packs = &disk.root.packs;
    match rustix::fs::statat(packs, file_name(pack), rustix::fs::AtFlags::empty()) {
        Ok(_) => {}
        Err(rustix::io::Errno::NOENT) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let file = root::open_or_create(packs, &dead_name(pack))?;
    let len = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    // A crash may have torn the last one: the next is written over it.
    let end = len.checked_sub(HEAD.len()).map(|graves| len - graves % GRAVE_BYTES);
    let mut bytes = if end.is_none() { HEAD.to_vec() } else { Vec::new() };
    bytes.extend(dead.iter().flat_map(|grave| encode(pack, grave)));
    file.write_all_at(&bytes, end.unwrap_or(0) as u64)?;
    if let Some(known) = dead_bytes.as_mut() {
        *known.entry(pack).or_default() += dead.iter().map(|grave| u64::from(grave.len)).sum::<u64>();
    }
    Ok(())
}

/// Bytes that are dead in each pack that has any: one entry a pack.
pub(super) fn survey(disk: &Disk) -> io::Result<Vec<(u64, u64)>> {
    let mut known = disk.dead_bytes.lock();
    if known.is_none() {
        let mut found = std::collections::BTreeMap::new();
        for pack in ids(disk, ".dead")? {
            found.insert(pack, Graves::load(disk, pack)?.dead_bytes());
        }
        *known = Some(found);
    }
    Ok(known.iter().flatten().map(|(pack, bytes)| (*pack, *bytes)).collect())
}

/// Removes a pack in which nothing lives, and its tombstones.
pub(super) fn remove(disk: &Disk, pack: u64) -> io::Result<()> {
    let mut known = disk.dead_bytes.lock();
    root::remove_file(&disk.root.packs, &file_name(pack))?;
    // After the removal, see Handles::put.
    disk.handles.forget(pack);
    root::remove_file(&disk.root.packs, &dead_name(pack))?;
    if let Some(known) = known.as_mut() {
        known.remove(&pack);
    }
    Ok(())
}

fn dead_name(pack: u64) -> String {
    format!("{pack:016x}.dead")
}

fn checksum(pack: u64, grave: &[u8]) -> [u8; 4] {
    let mut covered = [0; 24];
    covered[..8].copy_from_slice(&pack.to_le_bytes());
    covered[8..].copy_from_slice(&grave[..16]);
    crc::of(&covered).to_le_bytes()
}

fn encode(pack: u64, grave: &Grave) -> [u8; GRAVE_BYTES] {
    let mut bytes = [0; GRAVE_BYTES];
    bytes[..4].copy_from_slice(&grave.offset.to_le_bytes());
    bytes[4..8].copy_from_slice(&grave.len.to_le_bytes());
    bytes[8..16].copy_from_slice(&prefix(grave.blob).to_le_bytes());
    let checksum = checksum(pack, &bytes);
    bytes[16..].copy_from_slice(&checksum);
    bytes
}

fn decode(pack: u64, bytes: &[u8; GRAVE_BYTES]) -> Option<(u32, u32, u64)> {
    if checksum(pack, bytes) != bytes[16..] {
        return None;
    }
    let (offset, rest) = bytes.split_first_chunk()?;
    let (len, rest) = rest.split_first_chunk()?;
    let prefix = rest.first_chunk()?;
    Some((u32::from_le_bytes(*offset), u32::from_le_bytes(*len), u64::from_le_bytes(*prefix)))
}
