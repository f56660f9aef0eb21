//! Which incarnation of the catalog a shard was last served under.
//!
//! A catalog that was restored from a backup may name what was deleted since. Tombstones speak for the catalog that had
//! them written, so those of another incarnation are dropped before anything asks for them: what they hid counts as
//! standing again, until this catalog has it deleted.
//!
//! # Layout
//! `cofre-incarnation`, beside the identity: three lines of text, the last a checksum of the others. A shard without it
//! was served under the first incarnation only, whose id is all zeros.
//!
//! # Crash recovery
//! Tombstones go first, and the new file is renamed to its place after that is durable: an open that is cut does it again.

use super::root::{self, Root};
use crate::crc;
use std::io::{self, Read};

/// Name of the file.
const FILE: &str = "cofre-incarnation";
/// Where it is written before it is renamed.
const NEW_FILE: &str = "cofre-incarnation.new";
/// Longest file.
const BYTES_MAX: u64 = 4096;
/// First line, with the version of the layout.
const TITLE: &str = "cofre incarnation 1";

/// Drops the tombstones of a shard that are of another incarnation. Tells how many packs had some. Blocks.
pub(super) fn enter(root: &Root, incarnation: [u8; 16]) -> io::Result<u64> {
    if last(root)? == Some(incarnation) {
        return Ok(0);
    }
    let mut dropped = 0;
    for name in root::names(&root.packs, ".")?.iter().filter(|name| name.ends_with(".dead")) {
        root::remove_file(&root.packs, name)?;
        dropped += 1;
    }
    root::sync(&root.packs)?;
    root::replace_file(&root.directory, NEW_FILE, FILE, encode(incarnation).as_bytes())?;
    Ok(dropped)
}

/// The incarnation that the shard was last served under; `None` if that cannot be told.
fn last(root: &Root) -> io::Result<Option<[u8; 16]>> {
    let file = match root::open_file(&root.directory, FILE) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some([0; 16])),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(String::from_utf8(bytes).ok().and_then(|text| parse(&text)))
}

fn encode(incarnation: [u8; 16]) -> String {
    let body = format!("{TITLE}\nincarnation {}\n", hex::encode(incarnation));
    let checksum = crc::of(body.as_bytes());
    format!("{body}crc32c {checksum:08x}\n")
}

fn parse(text: &str) -> Option<[u8; 16]> {
    let value = text.strip_prefix(TITLE)?.strip_prefix("\nincarnation ")?.lines().next()?;
    let mut incarnation = [0; 16];
    hex::decode_to_slice(value, &mut incarnation).ok()?;
    (encode(incarnation) == text).then_some(incarnation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incarnation_comes_back_and_nothing_else_does() {
        let text = encode([7; 16]);
        assert_eq!(text, format!("cofre incarnation 1\nincarnation {}\ncrc32c 0ffb6a2a\n", "07".repeat(16)));
        assert_eq!(parse(&text), Some([7; 16]));
        for at in 0..text.len() {
            assert_eq!(parse(&text[..at]), None);
            let mut flipped = text.clone().into_bytes();
            flipped[at] ^= 1;
            assert_eq!(parse(&String::from_utf8(flipped).unwrap_or_default()), None);
        }
    }
}
