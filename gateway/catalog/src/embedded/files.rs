//! A look at every file of the catalog: damage is found while a backup is young, and not by who needs the record.
//!
//! # How
//! Every table is held against the checksum that the engine wrote down for the whole of it, those that name trees and
//! tables against their own. Journals are checked at a start, and gone once what is in them stands in tables.

use super::blocks::{Blocks, Found};
use super::tree::Tree;
use crate::{FilesChecked, StoreError};
use fjall::AbstractTree;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use twox_hash::XxHash3_128;

/// Bytes that are read at once.
const PIECE_BYTES: usize = 256 * 1024;

/// How far a look at every file is: the cursor that its callers keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Looked {
    /// The last table.
    pub(super) table: u64,
    /// How often damage had been found when it began.
    pub(super) began: u64,
}

impl Looked {
    pub(super) fn encode(self) -> Vec<u8> {
        [self.table.to_be_bytes(), self.began.to_be_bytes()].concat()
    }

    /// Undoes [`Looked::encode`]; `None` for one that begins.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (table, began) = bytes.split_first_chunk()?;
        Some(Self { table: u64::from_be_bytes(*table), began: u64::from_be_bytes(began.try_into().ok()?) })
    }
}

/// Checks the table with the least number behind the last one, and gives its number, or, where there is none, what names
/// the tables.
pub(super) fn check(tree: &Tree, last: Option<u64>) -> Result<(FilesChecked, Option<u64>), StoreError> {
    // It keeps its tables on disk while they are read.
    let version = tree.keyspace.tree.current_version();
    let tables = version.iter_tables().filter(|table| last.is_none_or(|last| table.id() > last));
    let Some(table) = tables.min_by_key(|table| table.id()) else { return Ok((names(tree)?, None)) };
    let checked = match sum(&table.path) {
        Ok((sum, bytes)) => {
            let whole = sum == table.checksum().into_u128();
            let damage = (!whole).then(|| format!("the table {} is not as it was written", table.path.display()));
            FilesChecked { bytes, damage, next: None }
        }
        Err(error) => FilesChecked { bytes: 0, damage: Some(unreadable(&table.path, &error)), next: None },
    };
    Ok((checked, Some(table.id())))
}

/// Checks the lists of tables, and the tree of the trees' names.
fn names(tree: &Tree) -> Result<FilesChecked, StoreError> {
    let mut checked = FilesChecked::default();
    let ours = tree.keyspace.path();
    let names = ours.parent().map(|trees| trees.join("0"));
    for folder in [Some(ours), names.as_deref()].into_iter().flatten() {
        let found = list(folder, &mut checked.bytes).unwrap_or_else(|error| Some(unreadable(folder, &error)));
        checked.damage = checked.damage.take().or(found);
    }
    if let Some(names) = names {
        let found = small_tables(&names, &mut checked.bytes).unwrap_or_else(|error| Some(unreadable(&names, &error)));
        checked.damage = checked.damage.take().or(found);
    }
    Ok(checked)
}

/// What is wrong with the list of a tree's tables.
fn list(folder: &Path, bytes: &mut u64) -> io::Result<Option<String>> {
    for _ in 0..LIST_TRIES_MAX {
        let current = std::fs::read(folder.join("current"))?;
        let (Some(number), Some(expected)) = (current.first_chunk(), current.get(8..24)) else {
            return Ok(Some(format!("{} is too short", folder.join("current").display())));
        };
        let mut wanted = [0; 16];
        wanted.copy_from_slice(expected);
        let path = folder.join(format!("v{}", u64::from_le_bytes(*number)));
        match sum(&path) {
            Ok((sum, read)) => {
                *bytes += read;
                let whole = sum == u128::from_le_bytes(wanted);
                return Ok((!whole).then(|| format!("{} is not as it was written", path.display())));
            }
            // A newer one took its place meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Some(format!("{} names a list that is not there", folder.join("current").display())))
}

/// How often a list is looked for that is replaced all the while.
const LIST_TRIES_MAX: usize = 16;

/// What is wrong with the tables of a tree that has few: each block is held against its own checksum.
fn small_tables(tree: &Path, bytes: &mut u64) -> io::Result<Option<String>> {
    for entry in std::fs::read_dir(tree.join("tables"))? {
        let path = entry?.path();
        let file = File::open(&path)?;
        let mut blocks = Blocks::open(&path)?;
        while let Some(found) = blocks.next()? {
            match found {
                Found::Block { bytes: block, .. } => *bytes += block.len() as u64,
                Found::Damaged { at, length, .. } if is_version(&file, at, length)? || is_parts(&file, at)? => {}
                Found::Damaged { at, .. } => {
                    return Ok(Some(format!("the table {} is broken at byte {at}", path.display())));
                }
            }
        }
    }
    Ok(None)
}

/// Whether what stands there is the version of the table's form: a byte between two blocks.
fn is_version(file: &File, at: u64, length: u64) -> io::Result<bool> {
    let mut byte = [0];
    file.read_exact_at(&mut byte, at)?;
    Ok(length == 1 && byte == [TABLE_VERSION])
}

/// Whether the list of the table's parts begins there, as the end of the file says (sfa 1's `trailer`): magic, version,
/// kind of checksum, checksum of the list, its place and its length.
fn is_parts(file: &File, at: u64) -> io::Result<bool> {
    let length = file.metadata()?.len();
    let mut end = [0; END_BYTES];
    let Some(end_at) = length.checked_sub(END_BYTES as u64).filter(|end_at| at <= *end_at) else { return Ok(false) };
    file.read_exact_at(&mut end, end_at)?;
    let mut parts = vec![0; usize::try_from(end_at - at).unwrap_or(usize::MAX).min(PARTS_BYTES_MAX)];
    file.read_exact_at(&mut parts, at)?;
    let (magic, sum, place) = (&end[..6], &end[6..22], &end[22..30]);
    Ok(magic == END_MAGIC && place == at.to_le_bytes() && sum == XxHash3_128::oneshot(&parts).to_le_bytes())
}

/// Version of the form of tables.
const TABLE_VERSION: u8 = 3;

/// What the end of a table begins with: magic, version, kind of checksum.
const END_MAGIC: &[u8] = b"SFA!\x01\x00";

const END_BYTES: usize = 4 + 1 + 1 + 16 + 8 + 8;

/// Longest list of the parts of a table.
const PARTS_BYTES_MAX: usize = 64 * 1024;

/// The checksum of a whole file, and its bytes.
fn sum(path: &Path) -> io::Result<(u128, u64)> {
    let mut file = File::open(path)?;
    let mut sum = XxHash3_128::new();
    let mut piece = vec![0; PIECE_BYTES];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok((sum.finish_128(), bytes));
        }
        sum.write(&piece[..read]);
        bytes += read as u64;
    }
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be read: {error}", path.display())
}
