//! The blocks of a table of the engine, read without the index that finds them: each says how long it is, and has a
//! checksum over its head and one over its content (lsm-tree 3's `table::block`).

use super::lenient::Lenient;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use twox_hash::XxHash3_128;

/// What every block begins with.
const MAGIC: [u8; 4] = *b"LSM\x03";

/// Magic, kind, checksum of the content, its length on disk, its length in memory, checksum of these.
const HEAD_BYTES: usize = 4 + 1 + 16 + 4 + 4 + 4;

/// Longest content that is believed: a block ends after 4 KiB, and a value may be as long as a batch.
const CONTENT_BYTES_MAX: u32 = 64 * 1024 * 1024;

const BUFFER_BYTES: usize = 256 * 1024;

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    Other,
}

/// A run of bytes of a table.
#[derive(Debug)]
pub(super) enum Found {
    /// A block that is as it was written.
    Block {
        kind: Kind,
        /// Whether its content is compressed.
        compressed: bool,
        /// Head and content.
        bytes: Vec<u8>,
    },
    /// Bytes that are no whole block.
    Damaged {
        at: u64,
        length: u64,
        /// What stood there; absent if that is not known either.
        kind: Option<Kind>,
    },
}

/// Reads a table block by block.
pub(super) struct Blocks {
    reader: BufReader<Lenient>,
    at: u64,
    length: u64,
}

struct Head {
    bytes: [u8; HEAD_BYTES],
    kind: Kind,
    sum: u128,
    content: u32,
    in_memory: u32,
}

impl Head {
    fn parse(bytes: [u8; HEAD_BYTES]) -> Option<Self> {
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let sum = XxHash3_128::oneshot(&bytes[..HEAD_BYTES - 4]);
        // The engine keeps the lower four bytes.
        let whole = bytes[..4] == MAGIC && u128::from(number(HEAD_BYTES - 4)) == sum & u128::from(u32::MAX);
        let content = number(21);
        (whole && content <= CONTENT_BYTES_MAX).then(|| {
            let mut sum = [0; 16];
            sum.copy_from_slice(&bytes[5..21]);
            let kind = if bytes[4] == 0 { Kind::Data } else { Kind::Other };
            Self { bytes, kind, sum: u128::from_le_bytes(sum), content, in_memory: number(25) }
        })
    }
}

impl Blocks {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { reader: BufReader::with_capacity(BUFFER_BYTES, Lenient(file)), at: 0, length })
    }

    /// What comes next; `None` at the end of the file. What else the engine writes into a table, a byte before its last
    /// block and the list of its parts behind that, counts as damaged: only the caller knows that it is none.
    pub(super) fn next(&mut self) -> io::Result<Option<Found>> {
        if self.at >= self.length {
            return Ok(None);
        }
        let at = self.at;
        let Some(head) = self.head()? else { return self.skip(at).map(Some) };
        let mut bytes = Vec::with_capacity(HEAD_BYTES + head.content as usize);
        bytes.extend_from_slice(&head.bytes);
        (&mut self.reader).take(head.content.into()).read_to_end(&mut bytes)?;
        self.at += bytes.len() as u64;
        let content = &bytes[HEAD_BYTES..];
        if content.len() as u64 != u64::from(head.content) || XxHash3_128::oneshot(content) != head.sum {
            return Ok(Some(Found::Damaged { at, length: bytes.len() as u64, kind: Some(head.kind) }));
        }
        let compressed = head.content != head.in_memory;
        Ok(Some(Found::Block { kind: head.kind, compressed, bytes }))
    }

    /// The head of the block that begins here; where none does nothing is read.
    fn head(&mut self) -> io::Result<Option<Head>> {
        let mut bytes = [0; HEAD_BYTES];
        match self.reader.read_exact(&mut bytes) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                self.reader.seek(SeekFrom::Start(self.at))?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
        let head = Head::parse(bytes);
        if head.is_none() {
            self.reader.seek(SeekFrom::Start(self.at))?;
        }
        Ok(head)
    }

    /// Goes to the next head, or the end.
    fn skip(&mut self, from: u64) -> io::Result<Found> {
        loop {
            let piece = self.reader.fill_buf()?;
            if piece.is_empty() {
                self.at = self.length;
                return Ok(Found::Damaged { at: from, length: self.length - from, kind: None });
            }
            // The first byte is where this began, or no head.
            let next = piece.iter().skip(1).position(|byte| *byte == MAGIC[0]).map_or(piece.len(), |found| found + 1);
            self.reader.consume(next);
            self.at += next as u64;
            if self.head()?.is_some() {
                self.reader.seek(SeekFrom::Start(self.at))?;
                return Ok(Found::Damaged { at: from, length: self.at - from, kind: None });
            }
        }
    }
}
