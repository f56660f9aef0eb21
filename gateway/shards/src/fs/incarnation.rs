//! What a shard has seen of the catalog: its incarnation, and how far it was.
//!
//! A catalog that was restored from a backup may name what was deleted since. Tombstones speak for the catalog that had
//! them written, so those of another incarnation are dropped before anything asks for them: what they hid counts as
//! standing again, until this catalog has it deleted.
//!
//! A catalog that is behind what a shard has seen is an older copy of itself that somebody put back. What is noted is
//! never ahead of the catalog: only commits that are durable are noted, and late.
//!
//! # Layout
//! `cofre-incarnation`, beside the identity: four lines of text, the last a checksum of the others. Version 1 of it has no
//! line for the commit. A shard without it was served under the first incarnation only, whose id is all zeros.
//!
//! # Crash recovery
//! Tombstones go first, and the new file is renamed to its place after that is durable: an open that is cut does it again.

use super::root::{self, Root};
use crate::crc;
use std::io::{self, Read};
use std::os::fd::OwnedFd;

/// Name of the file.
const FILE: &str = "cofre-incarnation";
/// Where it is written before it is renamed.
const NEW_FILE: &str = "cofre-incarnation.new";
/// Longest file.
const BYTES_MAX: u64 = 4096;
/// First line, with the version of the layout.
const TITLE: &str = "cofre incarnation 2";
const TITLE_1: &str = "cofre incarnation 1";

/// How far a catalog was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CatalogMark {
    /// Its incarnation: all zeros until it is restored from a backup.
    pub incarnation: [u8; 16],
    /// Revision of a commit that was durable; zero if none was noted.
    pub revision: u64,
}

/// Drops the tombstones of a shard that are of another incarnation, and notes the catalog that it is served under from now
/// on. Tells what is noted, and how many packs had tombstones that were dropped. Blocks.
pub(super) fn enter(root: &Root, now: CatalogMark) -> io::Result<(CatalogMark, u64)> {
    let last = last(&root.directory)?;
    if let Some(last) = last.filter(|last| last.incarnation == now.incarnation) {
        if now.revision <= last.revision {
            return Ok((last, 0));
        }
        return match note(root, now) {
            Ok(()) => Ok((now, 0)),
            // A disk that is full still serves, and what is noted late is no harm.
            Err(error) => {
                tracing::debug!(%error, "how far the catalog is could not be noted on a shard");
                Ok((last, 0))
            }
        };
    }
    let dropped = drop_tombstones(root)?;
    note(root, now)?;
    Ok((now, dropped))
}

fn drop_tombstones(root: &Root) -> io::Result<u64> {
    let mut dropped = 0;
    for name in root::names(&root.packs, ".")?.iter().filter(|name| name.ends_with(".dead")) {
        root::remove_file(&root.packs, name)?;
        dropped += 1;
    }
    root::sync(&root.packs)?;
    Ok(dropped)
}

/// Notes how far the catalog is. Blocks.
pub(super) fn note(root: &Root, mark: CatalogMark) -> io::Result<()> {
    root::replace_file(&root.directory, NEW_FILE, FILE, encode(mark).as_bytes())
}

/// What a shard has seen; `None` if that cannot be told.
pub(super) fn last(directory: &OwnedFd) -> io::Result<Option<CatalogMark>> {
    let file = match root::open_file(directory, FILE) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(CatalogMark::default())),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(String::from_utf8(bytes).ok().and_then(|text| parse(&text)))
}

fn encode(mark: CatalogMark) -> String {
    let CatalogMark { incarnation, revision } = mark;
    summed(format!("{TITLE}\nincarnation {}\nrevision {revision}\n", hex::encode(incarnation)))
}

fn encode_1(incarnation: [u8; 16]) -> String {
    summed(format!("{TITLE_1}\nincarnation {}\n", hex::encode(incarnation)))
}

fn summed(body: String) -> String {
    let checksum = crc::of(body.as_bytes());
    format!("{body}crc32c {checksum:08x}\n")
}

fn parse(text: &str) -> Option<CatalogMark> {
    let rest = text.strip_prefix(TITLE).or_else(|| text.strip_prefix(TITLE_1))?;
    let mut lines = rest.strip_prefix("\nincarnation ")?.lines();
    let mut mark = CatalogMark::default();
    hex::decode_to_slice(lines.next()?, &mut mark.incarnation).ok()?;
    if text.starts_with(TITLE_1) {
        return (encode_1(mark.incarnation) == text).then_some(mark);
    }
    mark.revision = lines.next()?.strip_prefix("revision ")?.parse().ok()?;
    (encode(mark) == text).then_some(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a text is read as this and nothing else.
    fn holds(text: &str, mark: CatalogMark) {
        assert_eq!(parse(text), Some(mark));
        for at in 0..text.len() {
            assert_eq!(parse(&text[..at]), None);
            let mut flipped = text.to_owned().into_bytes();
            flipped[at] ^= 1;
            assert_eq!(parse(&String::from_utf8(flipped).unwrap_or_default()), None);
        }
    }

    #[test]
    fn a_mark_comes_back_and_nothing_else_does() {
        let mark = CatalogMark { incarnation: [7; 16], revision: 1_234 };
        let text = encode(mark);
        let body = format!("cofre incarnation 2\nincarnation {}\nrevision 1234\n", "07".repeat(16));
        assert_eq!(text, summed(body));
        holds(&text, mark);
    }

    #[test]
    fn what_had_no_commit_is_read() {
        let text = format!("cofre incarnation 1\nincarnation {}\ncrc32c 0ffb6a2a\n", "07".repeat(16));
        holds(&text, CatalogMark { incarnation: [7; 16], revision: 0 });
    }
}
