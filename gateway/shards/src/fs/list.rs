//! Listing: pack by pack, the oldest first, then the directories of large blobs by name.
//!
//! A cursor is a kind byte and where to go on: the pack and the offset of the next record, or the last
//! path. A record that moves goes to a pack that is newer than all others, so the listing still meets
//! it. A place that the disk does not give is passed and told: it must not keep all that stands behind it from being listed.

use super::damage::{Unreadable, is_unreadable};
use super::locator::Place;
use super::pack::{self, Graves, Item, Scan};
use super::record::{self, Kind};
use super::root::{self, failure, names};
use super::{Disk, large};
use crate::backend::{BackendError, ListPage, Listed};
use cofre_types::BlobId;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::UNIX_EPOCH;

/// Records of packs in one page.
const PAGE_RECORDS: usize = 1000;
/// Files in one page: each is opened for its head.
const PAGE_FILES: usize = 250;

type Page = (Vec<Listed>, Option<Vec<u8>>);

#[derive(Debug, PartialEq, Eq)]
enum Cursor {
    Pack {
        pack: u64,
        offset: u32,
    },
    /// After this path under `blobs/`; empty before the first.
    File {
        path: String,
    },
}

impl Cursor {
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Pack { pack, offset } => {
                [&[1], pack.to_be_bytes().as_slice(), offset.to_be_bytes().as_slice()].concat()
            }
            Self::File { path } => [&[2], path.as_bytes()].concat(),
        }
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        match kind {
            1 => {
                let (pack, offset) = rest.split_first_chunk()?;
                let offset = u32::from_be_bytes(offset.try_into().ok()?);
                Some(Self::Pack { pack: u64::from_be_bytes(*pack), offset })
            }
            2 => Some(Self::File { path: String::from_utf8(rest.to_vec()).ok()? }),
            _ => None,
        }
    }
}

/// One page. Blocks.
pub(super) fn page(disk: &Disk, after: Option<&[u8]>) -> Result<ListPage, BackendError> {
    let cursor = match after {
        None => Cursor::Pack { pack: 0, offset: pack::PACK_HEAD_BYTES },
        Some(bytes) => {
            Cursor::parse(bytes).ok_or_else(|| BackendError::Unreachable("not a cursor of this shard".into()))?
        }
    };
    let mut passed = 0;
    let page = match cursor {
        Cursor::Pack { pack, offset } => records(disk, pack, offset, &mut passed),
        Cursor::File { path } => files(disk, &path, &mut passed),
    };
    let (blobs, next) = page.map_err(|error| failure("listing", &error))?;
    Ok(ListPage { blobs, next, passed })
}

fn records(disk: &Disk, from: u64, offset: u32, passed: &mut u64) -> io::Result<Page> {
    let packs = pack::all(disk)?;
    if from == 0 {
        let is_there = |file: &str| packs.iter().any(|pack| pack::file_name(*pack) == file);
        disk.damage.keep(|file| !file.ends_with(pack::FILE_ENDING) || is_there(file));
    }
    let Some(pack) = packs.into_iter().find(|pack| *pack >= from) else {
        return Ok((Vec::new(), Some(Cursor::File { path: String::new() }.encode())));
    };
    let offset = if pack == from { offset } else { pack::PACK_HEAD_BYTES };
    let after_pack = Cursor::Pack { pack: pack + 1, offset: pack::PACK_HEAD_BYTES };
    let (name, whole) = (pack::file_name(pack), Unreadable { at: 0, bytes: 0 });
    if offset == pack::PACK_HEAD_BYTES {
        disk.damage.begin(&name);
    }
    let file = match pack::open(disk, pack) {
        Ok(file) => file,
        // Compaction removed it meanwhile: what lived there stands in a newer pack.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            disk.damage.end(&name);
            return Ok((Vec::new(), Some(after_pack.encode())));
        }
        Err(error) if is_unreadable(&error) => {
            disk.damage.note(&name, whole);
            *passed += 1;
            return Ok((Vec::new(), Some(after_pack.encode())));
        }
        Err(error) => return Err(error),
    };
    let graves = match Graves::load(disk, pack) {
        // What is dead is listed as if it stood: who asks looks at it once more.
        Err(error) if is_unreadable(&error) => {
            disk.damage.note(&name, whole);
            Graves::default()
        }
        loaded => loaded?,
    };
    let mut scan = Scan::new(file, offset, &graves)?.lenient();
    let mut listed = Vec::new();
    let mut ended = false;
    while listed.len() < PAGE_RECORDS && !ended {
        match scan.next()? {
            None => ended = true,
            Some(Item::Gap) => {}
            Some(Item::Record(record)) => listed.push(Listed {
                blob: record.blob,
                locator: Place::Pack { pack, offset: record.offset, len: record.len }.locator(),
                size: record.size,
                written_nanos: record.written_nanos,
            }),
        }
    }
    if let Some(what) = scan.unreadable() {
        disk.damage.note(&name, what);
        *passed += 1;
    }
    if ended {
        disk.damage.end(&name);
        return Ok((listed, Some(after_pack.encode())));
    }
    Ok((listed, Some(Cursor::Pack { pack, offset: scan.offset() }.encode())))
}

fn files(disk: &Disk, after: &str, passed: &mut u64) -> io::Result<Page> {
    let first = after.split_once('/').map_or(0, |(first, _)| u8::from_str_radix(first, 16).unwrap_or(0));
    for first in first..=u8::MAX {
        let folder = format!("{first:02x}");
        disk.damage.begin(&folder);
        let found = match names(&disk.root.blobs, &folder) {
            Err(error) if is_unreadable(&error) => {
                disk.damage.note(&folder, Unreadable { at: 0, bytes: 0 });
                *passed += 1;
                continue;
            }
            found => found?,
        };
        disk.damage.end(&folder);
        let here = |file: &str| file.split_once('/').filter(|(of, _)| *of == folder).map(|(_, name)| name.to_owned());
        disk.damage.keep(|file| here(file).is_none_or(|name| found.contains(&name)));
        let mut paths: Vec<String> = found.iter().map(|name| format!("{first:02x}/{name}")).collect();
        paths.retain(|path| path.as_str() > after);
        if paths.is_empty() {
            continue;
        }
        paths.sort_unstable();
        paths.truncate(PAGE_FILES);
        let next = paths.last().map(|path| Cursor::File { path: path.clone() }.encode());
        let mut listed = Vec::with_capacity(paths.len());
        for path in &paths {
            listed.extend(file(disk, path, passed)?);
        }
        return Ok((listed, next));
    }
    Ok((Vec::new(), None))
}

/// What stands in one file; nothing if it is not a blob's name or is gone. Where the head is damaged, the
/// size comes from the length and the time from the file, so that it can still be found and deleted.
fn file(disk: &Disk, path: &str, passed: &mut u64) -> io::Result<Option<Listed>> {
    let Some((blob, nonce)) = parse_path(path) else { return Ok(None) };
    let file = match root::open_file(&disk.root.blobs, path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if is_unreadable(&error) => {
            disk.damage.note(path, Unreadable { at: 0, bytes: 0 });
            *passed += 1;
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    disk.damage.begin(path);
    let metadata = file.metadata()?;
    let mut head = vec![0; metadata.len().min(large::HEAD_BYTES_USUAL) as usize];
    match file.read_exact_at(&mut head, 0) {
        Err(error) if is_unreadable(&error) => {
            disk.damage.note(path, Unreadable { at: 0, bytes: head.len() as u64 });
            head.fill(0);
        }
        read => read?,
    }
    disk.damage.end(path);
    let (head_bytes, size, written_nanos) = match record::parse_head(&head, Kind::File) {
        Some(head) => (head.len as u64, head.size, head.header.written_nanos),
        None => {
            let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
            let head_bytes = large::HEAD_BYTES_USUAL;
            let size = record::content_size(metadata.len().saturating_sub(head_bytes));
            (head_bytes, size, u64::try_from(modified.as_nanos()).unwrap_or(0))
        }
    };
    let locator = Place::File { nonce, head_bytes: head_bytes as u32, size }.locator();
    Ok(Some(Listed { blob, locator, size, written_nanos }))
}

fn parse_path(path: &str) -> Option<(BlobId, u64)> {
    let (blob, nonce) = path.split_once('/')?.1.split_once('-')?;
    Some((BlobId::parse(blob).ok()?, u64::from_str_radix(nonce, 16).ok()?))
}
