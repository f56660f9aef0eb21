//! The bytes of a ZIP archive that is written as it goes (PKWARE, "APPNOTE.TXT", version 6.3.10): nothing is compressed, and
//! what is only known behind an entry stands there.

use cofre_types::Timestamp;
use time::OffsetDateTime;

/// Bytes from which on a number does not fit into 32 bits; all ones stands for "see the ZIP64 field".
const WIDE: u64 = u32::MAX as u64;

/// Entries from which on their number does not fit into 16 bits.
const MANY: u64 = u16::MAX as u64;

/// CRC and sizes stand behind the bytes, and names are UTF-8.
const FLAGS: u16 = 1 << 3 | 1 << 11;

/// Version that a reader needs for what is wide, and without it.
const VERSION_WIDE: u16 = 45;
const VERSION: u16 = 20;

/// Made on Unix.
const MADE_BY: u16 = 3 << 8 | VERSION_WIDE;

/// A file or a folder of an archive.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its path, with `/` at its end if it is a folder.
    pub(super) name: String,
    pub(super) modified: Timestamp,
    /// Whether its size does not fit into 32 bits, as far as one knows before.
    pub(super) wide: bool,
    /// Where its header stands.
    pub(super) at: u64,
}

/// CRC and size of the bytes of an entry.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Content {
    pub(super) crc: u32,
    pub(super) bytes: u64,
}

/// What stands at the end of an archive: each entry once more.
#[derive(Debug, Default)]
pub(super) struct Directory {
    bytes: Vec<u8>,
    entries: u64,
}

/// Numbers in little-endian order.
struct Out<'a>(&'a mut Vec<u8>);

impl Out<'_> {
    fn u16(&mut self, number: u16) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn u32(&mut self, number: u32) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn u64(&mut self, number: u64) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    /// A number that is narrow, or all ones.
    fn narrow(&mut self, number: u64) -> &mut Self {
        self.u32(u32::try_from(number).unwrap_or(u32::MAX))
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.0.extend_from_slice(text.as_bytes());
        self
    }
}

const fn version(wide: bool) -> u16 {
    if wide { VERSION_WIDE } else { VERSION }
}

/// The length of a name. Names are far shorter than what fits.
fn length(name: &str) -> u16 {
    u16::try_from(name.len()).unwrap_or(u16::MAX)
}

/// Date and time as MS-DOS wrote them, in UTC, from 1980 to 2107.
fn dos_time(at: Timestamp) -> (u16, u16) {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let year = u16::try_from(at.year().clamp(1980, 2107) - 1980).unwrap_or(0);
    let date = year << 9 | u16::from(u8::from(at.month())) << 5 | u16::from(at.day());
    let time = u16::from(at.hour()) << 11 | u16::from(at.minute()) << 5 | u16::from(at.second() / 2);
    (date, time)
}

impl Entry {
    /// What stands before its bytes.
    pub(super) fn header(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64 + self.name.len());
        let (date, time) = dos_time(self.modified);
        let size = if self.wide { u32::MAX } else { 0 };
        let mut out = Out(&mut bytes);
        out.u32(0x0403_4b50).u16(version(self.wide)).u16(FLAGS).u16(0).u16(time).u16(date);
        out.u32(0).u32(size).u32(size).u16(length(&self.name)).u16(if self.wide { 20 } else { 0 }).text(&self.name);
        if self.wide {
            out.u16(1).u16(16).u64(0).u64(0);
        }
        bytes
    }

    /// What stands behind its bytes.
    pub(super) fn descriptor(&self, content: Content) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(24);
        let mut out = Out(&mut bytes);
        out.u32(0x0807_4b50).u32(content.crc);
        if self.wide {
            out.u64(content.bytes).u64(content.bytes);
        } else {
            out.narrow(content.bytes).narrow(content.bytes);
        }
        bytes
    }
}

impl Directory {
    /// Adds an entry.
    pub(super) fn add(&mut self, entry: &Entry, content: Content) {
        let wide = entry.wide || content.bytes >= WIDE || entry.at >= WIDE;
        let (date, time) = dos_time(entry.modified);
        let is_folder = entry.name.ends_with('/');
        let mode: u32 = if is_folder { 0o040_755 } else { 0o100_644 };
        let (size, at) = if wide { (WIDE, WIDE) } else { (content.bytes, entry.at) };
        let mut out = Out(&mut self.bytes);
        out.u32(0x0201_4b50).u16(MADE_BY).u16(version(wide)).u16(FLAGS).u16(0).u16(time).u16(date);
        out.u32(content.crc).narrow(size).narrow(size).u16(length(&entry.name)).u16(if wide { 28 } else { 0 });
        out.u16(0).u16(0).u16(0).u32(mode << 16 | u32::from(is_folder) << 4).narrow(at).text(&entry.name);
        if wide {
            out.u16(1).u16(24).u64(content.bytes).u64(content.bytes).u64(entry.at);
        }
        self.entries += 1;
    }

    /// The end of an archive whose entries have this many bytes.
    pub(super) fn end(&mut self, at: u64) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.bytes);
        let length = bytes.len() as u64;
        let wide = self.entries >= MANY || length >= WIDE || at >= WIDE;
        let mut out = Out(&mut bytes);
        if wide {
            out.u32(0x0606_4b50).u64(44).u16(MADE_BY).u16(VERSION_WIDE).u32(0).u32(0);
            out.u64(self.entries).u64(self.entries).u64(length).u64(at);
            out.u32(0x0706_4b50).u32(0).u64(at + length).u32(1);
        }
        let (entries, length, at) = if wide { (MANY, WIDE, WIDE) } else { (self.entries, length, at) };
        let entries = u16::try_from(entries).unwrap_or(u16::MAX);
        out.u32(0x0605_4b50).u16(0).u16(0).u16(entries).u16(entries).narrow(length).narrow(at).u16(0);
        bytes
    }
}
