//! Deleting in bulk.
//!
//! # Failure and retry
//! A blob that cannot be deleted is set aside and the others go on: a locator that means nothing, or a place of the disk
//! that cannot be written. Only if nothing was deleted and the disk is to blame is the shard unreachable.

use super::locator::Place;
use super::pack::{self, Grave};
use super::{Disk, FsBackend, large};
use crate::backend::{BackendError, Locator, NotDeleted};
use cofre_runtime::blocking;
use cofre_types::BlobId;
use std::collections::BTreeMap;

/// Files that are removed in one go; others may use the disk in between.
const REMOVE_FILES_MAX: usize = 64;

/// Marks records as dead and removes files. Answers with those that stand.
pub(super) async fn delete(shard: &FsBackend, blobs: Vec<(BlobId, Locator)>) -> Result<Vec<NotDeleted>, BackendError> {
    let count = blobs.len();
    let mut graves: BTreeMap<u64, Vec<Grave>> = BTreeMap::new();
    let (mut files, mut foreign) = (Vec::new(), Vec::new());
    for (blob, locator) in blobs {
        match Place::parse(&locator) {
            Ok(Place::Pack { pack, offset, len }) => graves.entry(pack).or_default().push(Grave { offset, len, blob }),
            Ok(Place::File { nonce, .. }) => files.push((blob, nonce)),
            Err(error) => foreign.push(NotDeleted { blob, why: error.to_string() }),
        }
    }
    let _one_at_a_time = shard.removing.lock().await;
    let disk = shard.disk.clone();
    let mut failed = blocking(move || bury(&disk, graves)).await;
    for some in files.chunks(REMOVE_FILES_MAX) {
        let (disk, some) = (shard.disk.clone(), some.to_vec());
        failed.extend(blocking(move || remove(&disk, &some)).await);
    }
    if let Some(NotDeleted { why, .. }) = failed.first()
        && failed.len() + foreign.len() == count
    {
        return Err(BackendError::Unreachable(why.clone()));
    }
    failed.extend(foreign);
    Ok(failed)
}

/// Buries records, pack by pack. Blocks.
fn bury(disk: &Disk, graves: BTreeMap<u64, Vec<Grave>>) -> Vec<NotDeleted> {
    let mut failed = Vec::new();
    for (pack, dead) in graves {
        if let Err(error) = pack::bury(disk, pack, &dead) {
            let why = format!("burying records: {error}");
            failed.extend(dead.iter().map(|grave| NotDeleted { blob: grave.blob, why: why.clone() }));
        }
    }
    failed
}

/// Removes files. Blocks.
fn remove(disk: &Disk, files: &[(BlobId, u64)]) -> Vec<NotDeleted> {
    let failure = |(blob, nonce): &(BlobId, u64)| {
        let error = large::remove(disk, *blob, *nonce).err()?;
        Some(NotDeleted { blob: *blob, why: format!("removing a file: {error}") })
    };
    files.iter().filter_map(failure).collect()
}
