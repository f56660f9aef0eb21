//! A check of the engine's journal before the engine opens it.
//!
//! # Purpose
//! The engine replays its journal up to the first batch that it cannot parse, cuts the rest off and
//! says nothing (fjall's issue 311): right for a write that a crash cut short, a silent loss when
//! the batch was damaged later. This check tells the two apart, before anything is cut off.
//!
//! # How
//! Every batch begins with the place of its group. Groups are made durable one after the other, so a
//! crash can cut short only the one after the last whole batch. The rest of a journal that does not
//! parse is therefore damage
//! - if it is not the newest journal, since a journal is synced before the next one is begun;
//! - if it shows the place of a group beyond the next one;
//! - if the durable mark (see `mark`) is beyond the last whole batch.
//!
//! Otherwise it is a write that was never acknowledged, and is cut off here, also where the engine
//! would refuse to start because the batch's pages reached the disk out of order.
//!
//! # Limits
//! A mark that a power cut left behind (by a second at most) does not show the loss of the newest
//! groups, if all of them are gone. Memory is bounded by the read buffer, time by the journals' size.

mod batches;
mod salvage;

pub(super) use batches::Item;
pub(super) use salvage::{Broken, salvage};

use super::place::{CatalogId, Place};
use crate::StoreError;
use batches::{Batches, End};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// What a journal holds where it was never written to: it is made longer than it is, 64 MiB.
static ZEROES: [u8; BUFFER_BYTES] = [0; BUFFER_BYTES];

/// What the journals hold.
#[derive(Debug, Default)]
pub(super) struct Journaled {
    /// The place of the last whole batch, if there is one.
    pub(super) place: Option<Place>,
    /// Each journal, and where its last whole batch ends.
    pub(super) ends: Vec<(PathBuf, u64)>,
}

/// Checks the journals in `directory` and repairs a write that a crash cut short.
pub(super) fn check(directory: &Path, catalog: CatalogId, mark: Place) -> Result<Journaled, StoreError> {
    let journals = list(directory).map_err(|error| failed(directory, &error))?;
    let mut last: Option<Place> = None;
    let mut ends = Vec::with_capacity(journals.len());
    let mut broken: Option<(&Path, u64)> = None;
    for (index, path) in journals.iter().enumerate() {
        let newest = index + 1 == journals.len();
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (length, file) = opened.map_err(|error| failed(path, &error))?;
        let mut batches = Batches::new(file, length, catalog);
        let before = last;
        while let Some(place) = batches.next().map_err(|error| failed(path, &error))? {
            if let Some((path, at)) = broken {
                return Err(damaged(path, at));
            }
            match last {
                Some(last) if place.group != last.group + 1 => return Err(gap(path, last, place)),
                _ => last = Some(place),
            }
        }
        ends.push((path.clone(), batches.good()));
        match batches.end().map_err(|error| failed(path, &error))? {
            End::Clean if newest || last != before => {}
            // The engine may begin a journal behind a write that failed: nothing is in that one then.
            End::Broken { at } if broken.is_none() => broken = Some((path, at)),
            End::Clean => return Err(damaged(path, 0)),
            End::Broken { at } => return Err(damaged(path, at)),
        }
    }
    if let Some((path, at)) = broken {
        repair(path, at, catalog, last, mark)?;
    }
    match last {
        Some(last) if last < mark => Err(behind(last, mark)),
        place => Ok(Journaled { place, ends }),
    }
}

/// Paths of the journals, oldest first.
fn list(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut journals = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jnl") {
            let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u64>().ok());
            journals.push((number.ok_or_else(|| io::Error::other("a journal has no number"))?, path));
        }
    }
    journals.sort();
    Ok(journals.into_iter().map(|(_, path)| path).collect())
}

/// Cuts a write off that was never acknowledged; refuses if it may have been.
fn repair(path: &Path, at: u64, catalog: CatalogId, last: Option<Place>, mark: Place) -> Result<(), StoreError> {
    let behind = behind_break(path, at, catalog).map_err(|error| failed(path, &error))?;
    let many = behind.iter().min() != behind.iter().max();
    let acknowledged = |group: &u64| *group <= mark.group || last.is_some_and(|last| *group > last.group + 1);
    if many || behind.iter().any(acknowledged) || last.is_some_and(|last| last < mark) {
        return Err(damaged(path, at));
    }
    tracing::warn!(journal = %path.display(), at, "a write that was cut short, and never acknowledged, is removed");
    let cut = || {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(at)?;
        file.sync_all()
    };
    cut().map_err(|error| failed(path, &error))
}

/// The least and the greatest group whose place stands beyond `at`, whatever is around it.
fn behind_break(path: &Path, at: u64, catalog: CatalogId) -> io::Result<Vec<u64>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(at))?;
    let mut found: Vec<u64> = Vec::new();
    let mut window = Vec::with_capacity(BUFFER_BYTES + Place::BYTES);
    while file.by_ref().take(BUFFER_BYTES as u64).read_to_end(&mut window)? > 0 {
        if is_zero(&window) {
            window.truncate(Place::BYTES - 1);
            continue;
        }
        for candidate in window.windows(Place::BYTES).filter(|bytes| bytes.starts_with(&catalog)) {
            if let Some((_, place)) = Place::decode(candidate) {
                found.push(place.group);
            }
        }
        found = found.iter().min().into_iter().chain(found.iter().max()).copied().collect();
        let overlap = window.len().saturating_sub(Place::BYTES - 1);
        window.drain(..overlap);
    }
    Ok(found)
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.chunks(BUFFER_BYTES).all(|piece| *piece == ZEROES[..piece.len()])
}

fn failed(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Engine(format!("{} cannot be read: {error}", path.display()))
}

fn damaged(path: &Path, at: u64) -> StoreError {
    let path = path.display();
    StoreError::Damaged(format!(
        "{path} is broken at byte {at}, and commits that were acknowledged stand there or behind; restore a backup"
    ))
}

fn gap(path: &Path, last: Place, next: Place) -> StoreError {
    StoreError::Damaged(format!(
        "the commits between {} and {} are missing before {}; restore a backup",
        last.revision,
        next.revision,
        path.display()
    ))
}

/// The catalog ends before its mark.
pub(super) fn behind(found: Place, mark: Place) -> StoreError {
    StoreError::Damaged(format!(
        "it ends at commit {}, but commit {} was acknowledged; restore a backup",
        found.revision, mark.revision
    ))
}
