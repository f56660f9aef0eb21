use super::BackupSummary;
use crate::{BATCH_BYTES_MAX, KEY_BYTES_MAX};
use crate::{Entry, Revision};
use cofre_types::Timestamp;
use crc_fast::{CrcAlgorithm, Digest, checksum};
use std::io::{self, Read, Write};

const MAGIC: &[u8; 8] = b"COFRECAT";
const VERSION: u8 = 2;
/// The version whose header does not tell when the backup was taken.
const VERSION_1: u8 = 1;
const HEADER_BYTES: usize = 8 + 1 + 8 + 8;
const HEADER_BYTES_1: usize = 8 + 1 + 8;
const FOOTER_BYTES: usize = 4 + 8 + 8 + 8 + 8;
const RECORD_HEAD_BYTES: usize = 4 + 4 + 8;

/// Payload bytes after which a block ends.
const BLOCK_BYTES: usize = 256 * 1024;

/// Longest payload: a block that its last record just did not end, and the longest record.
const PAYLOAD_BYTES_MAX: usize = BLOCK_BYTES + RECORD_HEAD_BYTES + KEY_BYTES_MAX + BATCH_BYTES_MAX;

fn crc32c(bytes: &[u8]) -> [u8; 4] {
    // The algorithm has 32 bits, so nothing is cut off.
    u32::try_from(checksum(CrcAlgorithm::Crc32Iscsi, bytes)).unwrap_or_default().to_be_bytes()
}

/// What moment a backup is of: the last commit in it, and when it was taken.
#[derive(Debug, Clone, Copy)]
struct Moment {
    revision: Revision,
    taken: Option<Timestamp>,
}

/// What has gone through so far; the same on both sides.
struct Totals {
    records: u64,
    bytes: u64,
    payload_bytes: u64,
    sum: Digest,
}

impl Totals {
    fn new() -> Self {
        Self { records: 0, bytes: 0, payload_bytes: 0, sum: Digest::new(CrcAlgorithm::Crc64Nvme) }
    }

    fn block(&mut self, payload: &[u8]) {
        self.payload_bytes += payload.len() as u64;
        self.sum.update(payload);
    }

    fn record(&mut self, key: &[u8], value: &[u8]) {
        self.records += 1;
        self.bytes += (key.len() + value.len()) as u64;
    }

    fn footer(&self, revision: Revision) -> [u8; FOOTER_BYTES] {
        let mut footer = [0; FOOTER_BYTES];
        footer[4..12].copy_from_slice(&self.records.to_be_bytes());
        footer[12..20].copy_from_slice(&self.payload_bytes.to_be_bytes());
        footer[20..28].copy_from_slice(&revision.0.to_be_bytes());
        footer[28..36].copy_from_slice(&self.sum.finalize().to_be_bytes());
        footer
    }

    const fn summary(&self, Moment { revision, taken }: Moment) -> BackupSummary {
        BackupSummary { revision, taken, records: self.records, bytes: self.bytes }
    }
}

/// Writes a backup.
pub(super) struct Encoder<W> {
    out: W,
    moment: Moment,
    payload: Vec<u8>,
    totals: Totals,
}

impl<W: Write> Encoder<W> {
    pub(super) fn begin(mut out: W, revision: Revision, taken: Timestamp) -> io::Result<Self> {
        let mut header = MAGIC.to_vec();
        header.push(VERSION);
        header.extend_from_slice(&revision.0.to_be_bytes());
        header.extend_from_slice(&taken.0.to_be_bytes());
        out.write_all(&header)?;
        out.write_all(&crc32c(&header))?;
        let moment = Moment { revision, taken: Some(taken) };
        Ok(Self { out, moment, payload: Vec::with_capacity(BLOCK_BYTES), totals: Totals::new() })
    }

    /// Writes a record. Returns what has gone through if a block ended with it.
    pub(super) fn record(&mut self, key: &[u8], revision: Revision, value: &[u8]) -> io::Result<Option<BackupSummary>> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(io::Error::other);
        self.payload.extend_from_slice(&length(key)?.to_be_bytes());
        self.payload.extend_from_slice(&length(value)?.to_be_bytes());
        self.payload.extend_from_slice(&revision.0.to_be_bytes());
        self.payload.extend_from_slice(key);
        self.payload.extend_from_slice(value);
        self.totals.record(key, value);
        if self.payload.len() < BLOCK_BYTES {
            return Ok(None);
        }
        self.end_block()?;
        Ok(Some(self.totals.summary(self.moment)))
    }

    fn end_block(&mut self) -> io::Result<()> {
        if !self.payload.is_empty() {
            let length = u32::try_from(self.payload.len()).map_err(io::Error::other)?;
            self.out.write_all(&length.to_be_bytes())?;
            self.out.write_all(&crc32c(&self.payload))?;
            self.out.write_all(&self.payload)?;
            self.totals.block(&self.payload);
            self.payload.clear();
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<(W, BackupSummary)> {
        self.end_block()?;
        let footer = self.totals.footer(self.moment.revision);
        self.out.write_all(&footer)?;
        self.out.write_all(&crc32c(&footer))?;
        self.out.flush()?;
        Ok((self.out, self.totals.summary(self.moment)))
    }
}

/// Why a backup cannot be read on.
pub(super) enum Unreadable {
    Io(io::Error),
    Damaged(String),
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Damaged("it ends early".to_owned()),
            _ => Self::Io(error),
        }
    }
}

fn damaged<T>(reason: &str) -> Result<T, Unreadable> {
    Err(Unreadable::Damaged(reason.to_owned()))
}

/// Records of one block, in order.
pub(super) type Records = Vec<(Vec<u8>, Entry)>;

/// Reads a backup and verifies all of it.
pub(super) struct Decoder<R> {
    input: R,
    moment: Moment,
    last_key: Vec<u8>,
    totals: Totals,
}

impl<R: Read> Decoder<R> {
    pub(super) fn begin(mut input: R) -> Result<Self, Unreadable> {
        let mut header = read::<HEADER_BYTES_1>(&mut input)?.to_vec();
        if header[..8] != *MAGIC {
            return damaged("it does not begin as a backup does");
        }
        let version = header[8];
        match version {
            VERSION => header.extend(read::<{ HEADER_BYTES - HEADER_BYTES_1 }>(&mut input)?),
            VERSION_1 => {}
            other => {
                return Err(Unreadable::Damaged(format!("its format is {other}, this build reads up to {VERSION}")));
            }
        }
        let sum: [u8; 4] = read(&mut input)?;
        if sum != crc32c(&header) {
            return damaged("its header does not fit its checksum");
        }
        let taken = (version == VERSION).then(|| Timestamp(u64_at(&header, HEADER_BYTES_1)));
        let moment = Moment { revision: Revision(u64_at(&header, 9)), taken };
        Ok(Self { input, moment, last_key: Vec::new(), totals: Totals::new() })
    }

    pub(super) const fn progress(&self) -> BackupSummary {
        self.totals.summary(self.moment)
    }

    /// The next block; `None` at the footer, which has fitted then.
    pub(super) fn block(&mut self) -> Result<Option<Records>, Unreadable> {
        let length: [u8; 4] = read(&mut self.input)?;
        let length = u32::from_be_bytes(length) as usize;
        if length == 0 {
            self.footer()?;
            return Ok(None);
        }
        if length > PAYLOAD_BYTES_MAX {
            return damaged("a block is too long");
        }
        let sum: [u8; 4] = read(&mut self.input)?;
        let mut payload = Vec::new();
        (&mut self.input).take(length as u64).read_to_end(&mut payload)?;
        if payload.len() < length {
            return damaged("it ends early");
        }
        if sum != crc32c(&payload) {
            return damaged("a block does not fit its checksum");
        }
        self.totals.block(&payload);
        let mut records = Records::new();
        let mut rest = &payload[..];
        while !rest.is_empty() {
            rest = self.parse(rest, &mut records)?;
        }
        Ok(Some(records))
    }

    fn parse<'a>(&mut self, bytes: &'a [u8], records: &mut Records) -> Result<&'a [u8], Unreadable> {
        let Some((head, rest)) = bytes.split_at_checked(RECORD_HEAD_BYTES) else {
            return damaged("a record is cut short");
        };
        let key = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let value = u32::from_be_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let revision = Revision(u64_at(head, 8));
        let cut = rest.split_at_checked(key).and_then(|(key, rest)| Some((key, rest.split_at_checked(value)?)));
        let Some((key, (value, rest))) = cut else { return damaged("a record is cut short") };
        if key <= &self.last_key[..] {
            return damaged("its keys are out of order");
        }
        if revision > self.moment.revision {
            return damaged("a record is newer than the backup");
        }
        self.last_key = key.to_vec();
        self.totals.record(key, value);
        records.push((key.to_vec(), Entry { revision, value: value.to_vec() }));
        Ok(rest)
    }

    fn footer(&mut self) -> Result<(), Unreadable> {
        // The length of zero has been read.
        let mut footer = [0; FOOTER_BYTES];
        self.input.read_exact(&mut footer[4..])?;
        let sum: [u8; 4] = read(&mut self.input)?;
        if sum != crc32c(&footer) {
            return damaged("its footer does not fit its checksum");
        }
        if footer != self.totals.footer(self.moment.revision) {
            return damaged("its blocks do not fit its footer");
        }
        match self.input.read(&mut [0])? {
            0 => Ok(()),
            _ => damaged("something follows its footer"),
        }
    }
}

fn read<const N: usize>(input: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_be_bytes(number)
}
