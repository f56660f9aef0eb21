//! The durable mark: how far the catalog has come, kept apart from the engine's own files.
//!
//! # Format
//! A file of two slots, 4 KiB apart so that no torn sector takes both. A slot is a version byte and
//! a [`Place`] with its checksum. Writes alternate between the slots; the greater valid one counts.
//!
//! # Ordering
//! A place is written once its group is durable, never before: a mark that is ahead of the journal
//! therefore proves a loss. It is written for each group, but synced only once a second and at the
//! end, since a sync for each group would halve the rate of commits.
//!
//! # Crash recovery
//! After a crash of the process the mark is exact: the operating system has it. After a power cut it
//! may be up to a second behind, which never raises a false alarm. What a mark that is behind
//! cannot show is the loss of the journal's very last groups; a hole in its middle is seen without
//! the mark, by the numbers of the groups behind it.

use super::place::{CatalogId, Place};
use crate::StoreError;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

const FILE: &str = "durable";
const VERSION: u8 = 1;
const SLOT_BYTES: usize = 4096;

/// The mark of an open catalog.
#[derive(Debug)]
pub(super) struct DurableMark {
    file: File,
    catalog: CatalogId,
    place: Place,
    next_slot: u64,
    unsynced: bool,
}

impl DurableMark {
    /// Whether a directory has one.
    pub(super) fn exists(directory: &Path) -> Result<bool, StoreError> {
        directory.join(FILE).try_exists().map_err(|error| failed(&error))
    }

    /// Makes the mark of a new catalog. It is durable before the engine's first file is made.
    pub(super) fn create(directory: &Path, catalog: CatalogId) -> Result<Self, StoreError> {
        let temporary = directory.join("durable.new");
        let path = directory.join(FILE);
        let create = || {
            let mut file = OpenOptions::new().create(true).truncate(true).write(true).read(true).open(&temporary)?;
            let mut bytes = slot(catalog, Place::default());
            bytes.extend(slot(catalog, Place::default()));
            file.write_all(&bytes)?;
            file.sync_all()?;
            std::fs::rename(&temporary, &path)?;
            File::open(directory)?.sync_all()?;
            Ok(file)
        };
        let file = create().map_err(|error| failed(&error))?;
        Ok(Self { file, catalog, place: Place::default(), next_slot: 0, unsynced: false })
    }

    /// Opens the mark of a catalog that was made before.
    pub(super) fn open(directory: &Path) -> Result<Self, StoreError> {
        Self::open_as(directory, OpenOptions::new().read(true).write(true), true)
    }

    /// As [`DurableMark::open`], where nothing can be written.
    pub(super) fn open_for_reading(directory: &Path) -> Result<Self, StoreError> {
        Self::open_as(directory, OpenOptions::new().read(true), false)
    }

    fn open_as(directory: &Path, options: &OpenOptions, unsynced: bool) -> Result<Self, StoreError> {
        let path = directory.join(FILE);
        let open = || {
            let mut file = options.open(&path)?;
            let mut bytes = Vec::new();
            Read::by_ref(&mut file).take(2 * SLOT_BYTES as u64).read_to_end(&mut bytes)?;
            Ok((file, bytes))
        };
        let (file, bytes) = open().map_err(|error| failed(&error))?;
        let slots = bytes.chunks(SLOT_BYTES).map(parse).enumerate();
        let newest = slots.filter_map(|(slot, place)| Some((place?, slot))).max_by_key(|((_, place), _)| *place);
        let Some(((catalog, place), slot)) = newest else {
            return Err(StoreError::Damaged(format!("{} has no valid slot; restore a backup", path.display())));
        };
        Ok(Self { file, catalog, place, next_slot: 1 - slot as u64, unsynced })
    }

    pub(super) const fn catalog(&self) -> CatalogId {
        self.catalog
    }

    pub(super) const fn place(&self) -> Place {
        self.place
    }

    /// Writes a place that is durable in the journal.
    pub(super) fn advance(&mut self, place: Place) -> std::io::Result<()> {
        let bytes = place.encode(self.catalog);
        self.file.write_all_at(&bytes, self.next_slot * SLOT_BYTES as u64 + 1)?;
        self.next_slot = 1 - self.next_slot;
        self.place = place;
        self.unsynced = true;
        Ok(())
    }

    /// Syncs what was written since the last sync.
    pub(super) fn sync(&mut self) -> std::io::Result<()> {
        if self.unsynced {
            self.file.sync_data()?;
            self.unsynced = false;
        }
        Ok(())
    }
}

fn slot(catalog: CatalogId, place: Place) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&place.encode(catalog));
    bytes.resize(SLOT_BYTES, 0);
    bytes
}

fn parse(slot: &[u8]) -> Option<(CatalogId, Place)> {
    let (version, rest) = slot.split_first()?;
    (*version == VERSION).then_some(())?;
    Place::decode(rest.get(..Place::BYTES)?)
}

fn failed(error: &std::io::Error) -> StoreError {
    StoreError::Engine(format!("the catalog's durable mark cannot be used: {error}"))
}
