//! Reads what still reads of a catalog that does not open, or not in full.
//!
//! # How
//! Every table is read block by block, without its index, and every journal batch by batch; what does not fit its
//! checksum is left out and told. Of each key the newest value counts that was found. The directory is not changed.
//!
//! # Limits
//! Where a block is lost, keys between its neighbours may be missing, or be as they were before: an older table may hold
//! an older value, or one that was deleted. The good blocks of the tables are copied beside the new catalog meanwhile;
//! memory holds the journals, and one block of each table.

use super::blocks::{Blocks, Found, Kind};
use super::journal;
use super::lock::DirectoryLock;
use super::place::Place;
use super::read_only::is_read_only;
use super::tree::{PLACE_KEY, parse};
use crate::{Revision, StoreError};
use lsm_tree::CompressionType;
use lsm_tree::table::Scanner;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use twox_hash::XxHash3_128;

/// Most losses that are told one by one.
const LOSSES_MAX: usize = 10_000;

/// A run of bytes that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The file.
    pub file: PathBuf,
    /// Where the run begins, in bytes.
    pub at: u64,
    /// How long it is, in bytes.
    pub length: u64,
    /// The last key before it in the file, which is in the order of keys; absent if there is none, or the file has no
    /// such order.
    pub after: Option<Vec<u8>>,
    /// The first key behind it.
    pub before: Option<Vec<u8>>,
}

/// Key, the engine's number, value, and which source it is of: of one key the newest is the greatest.
type Candidate = (Reverse<Vec<u8>>, u64, Option<Vec<u8>>, usize);

/// What was found in a catalog.
pub(crate) struct Salvage {
    tables: Vec<Table>,
    journals: BTreeMap<Vec<u8>, (u64, Option<Vec<u8>>)>,
    /// What could not be read.
    pub(crate) losses: Vec<Loss>,
    /// Losses beyond those.
    pub(crate) more_losses: u64,
    _lock: DirectoryLock,
}

/// The good blocks of a table.
struct Table {
    path: PathBuf,
    blocks: usize,
    compression: CompressionType,
}

impl Salvage {
    /// Reads the catalog in a directory, and keeps what it copies in `work`.
    pub(crate) fn read(catalog: &Path, work: &Path) -> Result<Self, StoreError> {
        let failed =
            |error: io::Error| StoreError::Engine(format!("{} cannot be salvaged: {error}", catalog.display()));
        let mut salvage = Self {
            tables: Vec::new(),
            journals: BTreeMap::new(),
            losses: Vec::new(),
            more_losses: 0,
            _lock: match is_read_only(catalog) {
                true => DirectoryLock::take_for_reading(catalog)?,
                false => DirectoryLock::take(catalog)?,
            },
        };
        let engine = catalog.join("engine");
        salvage.read_tables(&engine, work).map_err(failed)?;
        salvage.read_journals(&engine);
        Ok(salvage)
    }

    /// Notes a loss.
    pub(crate) fn lose(&mut self, loss: Loss) {
        if self.losses.len() < LOSSES_MAX {
            self.losses.push(loss);
        } else {
            self.more_losses += 1;
        }
    }

    /// Notes that nothing of a file or a folder could be read.
    fn lose_whole(&mut self, file: PathBuf) {
        self.lose(Loss { file, at: 0, length: 0, after: None, before: None });
    }

    fn read_tables(&mut self, engine: &Path, work: &Path) -> io::Result<()> {
        for tree in folders(&engine.join("keyspaces"))? {
            // The first tree holds the names of the others.
            if tree.file_name().is_some_and(|name| name == "0") {
                continue;
            }
            let listed = listed(&tree)?;
            if listed.is_none() {
                self.lose_whole(tree.join("current"));
            }
            let mut present = HashSet::new();
            let folder = tree.join("tables");
            let found = std::fs::read_dir(&folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
            let found = found.unwrap_or_else(|_| {
                self.lose_whole(folder);
                Vec::new()
            });
            for entry in found {
                let path = entry.path();
                let number = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<u64>().ok());
                let Some(number) = number else { continue };
                if listed.as_ref().is_none_or(|listed| listed.contains(&number)) {
                    present.insert(number);
                    self.read_table(&path, &work.join(format!("table-{}", self.tables.len())))?;
                }
            }
            for missing in listed.unwrap_or_default().difference(&present) {
                self.lose_whole(tree.join("tables").join(missing.to_string()));
            }
        }
        Ok(())
    }

    /// Copies the good blocks of a table, and notes between which keys others stood.
    fn read_table(&mut self, path: &Path, to: &Path) -> io::Result<()> {
        let mut out = io::BufWriter::new(File::create(to)?);
        let (mut count, mut compressed, mut last) = (0, false, None::<Vec<u8>>);
        let mut lost: Vec<Loss> = Vec::new();
        let mut waiting: Option<Loss> = None;
        let mut of_data = true;
        let Ok(mut blocks) = Blocks::open(path) else {
            self.lose_whole(path.to_owned());
            return Ok(());
        };
        let beside = to.with_extension("block");
        while let Some(found) = blocks.next()? {
            match found {
                Found::Block { kind: Kind::Data, compressed: is, bytes, .. } => {
                    if let Some(mut loss) = waiting.take() {
                        loss.after = last
                            .take()
                            .map(|block| ends(&beside, &block, compressed))
                            .transpose()?
                            .and_then(|ends| ends.last);
                        loss.before = ends(&beside, &bytes, compressed || is)?.first;
                        lost.push(loss);
                    }
                    out.write_all(&bytes)?;
                    count += 1;
                    compressed |= is;
                    last = Some(bytes);
                }
                Found::Block { kind: Kind::Other, .. } => of_data = false,
                Found::Damaged { at, length, kind } if of_data && kind != Some(Kind::Other) => {
                    let loss = Loss { file: path.to_owned(), at, length, after: None, before: None };
                    waiting = Some(match waiting.take() {
                        Some(first) => Loss { length: at + length - first.at, ..first },
                        None => loss,
                    });
                }
                Found::Damaged { .. } => {}
            }
        }
        if let Some(mut loss) = waiting {
            loss.after = last.map(|block| ends(&beside, &block, compressed)).transpose()?.and_then(|ends| ends.last);
            lost.push(loss);
        }
        out.flush()?;
        lost.into_iter().for_each(|loss| self.lose(loss));
        if count > 0 {
            let compression = if compressed { CompressionType::Lz4 } else { CompressionType::None };
            self.tables.push(Table { path: to.to_owned(), blocks: count, compression });
        }
        Ok(())
    }

    fn read_journals(&mut self, engine: &Path) {
        let mut broken = Vec::new();
        let journals = &mut self.journals;
        let each = |items: Vec<journal::Item>| {
            for item in items {
                let known = journals.get(&item.key).is_some_and(|(number, _)| *number > item.sequence_number);
                if !known {
                    journals.insert(item.key, (item.sequence_number, item.value));
                }
            }
        };
        let read = journal::salvage(engine, each, |run| broken.push(run));
        for journal::Broken { path, at, length } in broken {
            self.lose(Loss { file: path, at, length, after: None, before: None });
        }
        if read.is_err() {
            self.lose_whole(engine.to_owned());
        }
    }

    /// Hands on every record in the order of its key.
    pub(crate) fn records(
        &self,
        mut each: impl FnMut(&[u8], Revision, &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.merged(|key, value| match parse(value) {
            Some((revision, value)) if !matches!(key, [] | [0, ..]) => each(key, revision, value),
            _ => Ok(()),
        })
    }

    /// The last commit that anything was found of.
    pub(crate) fn revision(&self) -> Result<Revision, StoreError> {
        let mut last = Revision(0);
        self.merged(|key, value| {
            let place = Place::decode(value).filter(|_| key == PLACE_KEY).map(|(_, place)| Revision(place.revision));
            let found = place.or_else(|| parse(value).filter(|_| key != PLACE_KEY).map(|(revision, _)| revision));
            last = last.max(found.unwrap_or_default());
            Ok(())
        })?;
        Ok(last)
    }

    /// The newest value of each key that has one.
    fn merged(&self, mut each: impl FnMut(&[u8], &[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let unreadable =
            |error: lsm_tree::Error| StoreError::Damaged(format!("a copy of a table does not read: {error}"));
        let mut scanners = Vec::with_capacity(self.tables.len());
        for table in &self.tables {
            scanners.push(Scanner::new(&table.path, table.blocks, table.compression, 0).map_err(unreadable)?);
        }
        let mut journals = self.journals.iter();
        let mut next = |source: usize| -> Result<Option<Candidate>, StoreError> {
            match scanners.get_mut(source) {
                Some(scanner) => scanner.next().transpose().map_err(unreadable).map(|item| {
                    item.map(|item| {
                        let value = (!item.key.is_tombstone()).then(|| item.value.to_vec());
                        (Reverse(item.key.user_key.to_vec()), item.key.seqno, value, source)
                    })
                }),
                None => Ok(journals
                    .next()
                    .map(|(key, (number, value))| (Reverse(key.clone()), *number, value.clone(), source))),
            }
        };
        let mut heap = BinaryHeap::new();
        for source in 0..=self.tables.len() {
            heap.extend(next(source)?);
        }
        let mut told: Option<Vec<u8>> = None;
        while let Some((Reverse(key), _, value, source)) = heap.pop() {
            heap.extend(next(source)?);
            if told.as_ref() != Some(&key) {
                if let Some(value) = value {
                    each(&key, &value)?;
                }
                told = Some(key);
            }
        }
        Ok(())
    }
}

/// First and last key of a block.
#[derive(Default)]
struct Ends {
    first: Option<Vec<u8>>,
    last: Option<Vec<u8>>,
}

fn ends(beside: &Path, block: &[u8], compressed: bool) -> io::Result<Ends> {
    std::fs::write(beside, block)?;
    let compression = if compressed { CompressionType::Lz4 } else { CompressionType::None };
    let scanner = Scanner::new(beside, 1, compression, 0).map_err(io::Error::other)?;
    let mut ends = Ends::default();
    for item in scanner {
        let key = item.map_err(io::Error::other)?.key.user_key.to_vec();
        ends.first.get_or_insert_with(|| key.clone());
        ends.last = Some(key);
    }
    Ok(ends)
}

/// Numbers of the tables that a tree has, as its list says; `None` if that does not read.
///
/// The list (lsm-tree 3's `Version::encode_into`) begins with a byte, the version of the engine as text, three bytes, and
/// the levels: how many, in each how many runs, in each how many tables, and each one's number, kind of checksum,
/// checksum and offset.
fn listed(tree: &Path) -> io::Result<Option<HashSet<u64>>> {
    let Ok(current) = std::fs::read(tree.join("current")) else { return Ok(None) };
    let (Some(number), Some(sum)) = (current.first_chunk(), current.get(8..24)) else { return Ok(None) };
    let Ok(list) = std::fs::read(tree.join(format!("v{}", u64::from_le_bytes(*number)))) else { return Ok(None) };
    if XxHash3_128::oneshot(&list).to_le_bytes() != *sum {
        return Ok(None);
    }
    let text = list.iter().skip(1).take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    Ok(levels(&mut list.get(1 + text + 3..).unwrap_or_default()).ok())
}

fn levels(list: &mut &[u8]) -> io::Result<HashSet<u64>> {
    let mut tables = HashSet::new();
    let mut byte = [0; 1];
    list.read_exact(&mut byte)?;
    for _ in 0..byte[0] {
        let mut runs = [0; 1];
        list.read_exact(&mut runs)?;
        for _ in 0..runs[0] {
            let mut count = [0; 4];
            list.read_exact(&mut count)?;
            for _ in 0..u32::from_le_bytes(count) {
                let mut table = [0; 8 + 1 + 16 + 8];
                list.read_exact(&mut table)?;
                let mut number = [0; 8];
                number.copy_from_slice(&table[..8]);
                tables.insert(u64::from_le_bytes(number));
            }
        }
    }
    Ok(tables)
}

fn folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}
