use super::super::place::{CatalogId, Place};
use super::super::tree::PLACE_KEY;
use std::hash::Hasher;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom};
use twox_hash::XxHash3_64;

/// Ends every batch (fjall's `file::MAGIC_BYTES`).
const TRAILER: [u8; 4] = *b"FJL\x03";

const TAG_START: u8 = 1;
const TAG_ITEM: u8 = 2;
const TAG_END: u8 = 3;
const TAG_CLEAR: u8 = 4;

/// The kind of an item that sets a value; the others remove one.
const KIND_VALUE: u8 = 0;

/// Kind, compression, keyspace, length of the key, length of the value, its length on disk.
const ITEM_HEAD_BYTES: usize = 1 + 1 + 8 + 2 + 4 + 4;

/// What [`may_begin`] looks at: the start of a batch, and the kind of its first item.
pub(super) const BEGIN_BYTES: usize = 1 + 4 + 8 + 1;

/// Whether a batch of ours may begin so: it has items, and not millions.
pub(super) fn may_begin(bytes: &[u8]) -> bool {
    bytes[0] == TAG_START && bytes[4] == 0 && bytes[BEGIN_BYTES - 1] == TAG_ITEM
}

/// How a journal ends.
pub(super) enum End {
    /// With its last batch; what follows was never written to.
    Clean,
    /// With bytes that are no batch.
    Broken {
        /// Where the last whole batch ends.
        at: u64,
    },
}

/// Reads the batches of a journal (fjall's `journal::entry`, its format 3) and verifies their
/// checksums.
pub(super) struct Batches<R> {
    reader: Counted<R>,
    catalog: CatalogId,
    good: u64,
    /// The engine's own number of the last batch. It is not under the batch's checksum, and a wrong
    /// one puts values out of order; but it always grows.
    sequence_number: Option<u64>,
    /// What the last batch changed, if it is kept.
    items: Vec<Item>,
    /// The engine's number of the batch that is being read.
    under_way: u64,
}

/// What a batch changed: the key, its new value if it has one, and the engine's number of the batch.
pub(in crate::embedded) struct Item {
    pub(in crate::embedded) key: Vec<u8>,
    pub(in crate::embedded) value: Option<Vec<u8>>,
    pub(in crate::embedded) sequence_number: u64,
}

struct Counted<R> {
    reader: BufReader<R>,
    read: u64,
    length: u64,
    sum: XxHash3_64,
    /// Whether long runs of bytes are given back too.
    keeps: bool,
}

/// Not an error: the bytes are no batch, which ends the journal.
struct NoBatch;

type Parsed<T> = io::Result<Result<T, NoBatch>>;

impl<R: Read> Counted<R> {
    /// Reads exactly `N` bytes, or none if the journal ends before.
    fn bytes<const N: usize>(&mut self) -> Parsed<[u8; N]> {
        let mut bytes = [0; N];
        match self.reader.read_exact(&mut bytes) {
            Ok(()) => {
                self.read += N as u64;
                Ok(Ok(bytes))
            }
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(Err(NoBatch)),
            Err(error) => Err(error),
        }
    }

    /// Adds `length` bytes to the checksum, and gives them back if there are few or all are kept.
    fn sum(&mut self, length: u64) -> Parsed<Vec<u8>> {
        if self.length.saturating_sub(self.read) < length {
            return Ok(Err(NoBatch));
        }
        let mut kept = Vec::new();
        let mut left = length;
        let mut piece = [0; 4096];
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
            self.reader.read_exact(&mut piece[..wanted])?;
            self.sum.write(&piece[..wanted]);
            if self.keeps || length <= piece.len() as u64 {
                kept.extend_from_slice(&piece[..wanted]);
            }
            left -= wanted as u64;
        }
        self.read += length;
        Ok(Ok(kept))
    }
}

/// Leaves with `NoBatch` as `?` leaves with an error.
macro_rules! parse {
    ($parsed:expr) => {
        match $parsed? {
            Ok(value) => value,
            Err(NoBatch) => return Ok(Err(NoBatch)),
        }
    };
}

impl<R: Read + Seek> Batches<R> {
    /// Reads a journal of so many bytes.
    pub(super) fn new(journal: R, length: u64, catalog: CatalogId) -> Self {
        let reader = BufReader::with_capacity(super::BUFFER_BYTES, journal);
        let reader = Counted { reader, read: 0, length, sum: XxHash3_64::new(), keeps: false };
        Self { reader, catalog, good: 0, sequence_number: None, items: Vec::new(), under_way: 0 }
    }

    /// The place of the next batch that has one; `None` where the batches end.
    pub(super) fn next(&mut self) -> io::Result<Option<Place>> {
        loop {
            match self.batch()? {
                Err(NoBatch) => return Ok(None),
                Ok(place) => {
                    self.good = self.reader.read;
                    if place.is_some() {
                        return Ok(place);
                    }
                }
            }
        }
    }

    /// Has [`Batches::items`] keep what each batch changes.
    pub(super) const fn keep(mut self) -> Self {
        self.reader.keeps = true;
        self
    }

    /// Goes on at this byte, as if nothing had stood before it.
    pub(super) fn seek(&mut self, at: u64) -> io::Result<()> {
        self.reader.reader.seek(SeekFrom::Start(at))?;
        (self.reader.read, self.good) = (at, at);
        Ok(())
    }

    /// The next whole batch, with what it changed, if one begins here.
    pub(super) fn items(&mut self) -> io::Result<Option<Vec<Item>>> {
        self.items.clear();
        match self.batch()? {
            Err(NoBatch) => Ok(None),
            Ok(_) => {
                self.good = self.reader.read;
                Ok(Some(std::mem::take(&mut self.items)))
            }
        }
    }

    /// Where the last whole batch so far ends.
    pub(super) const fn good(&self) -> u64 {
        self.good
    }

    /// What stands behind the last batch. To be asked once, after [`Batches::next`] gave `None`.
    pub(super) fn end(mut self) -> io::Result<End> {
        self.reader.reader.seek(SeekFrom::Start(self.good))?;
        loop {
            let piece = self.reader.reader.fill_buf()?;
            match piece.len() {
                0 => return Ok(End::Clean),
                read if super::is_zero(piece) => self.reader.reader.consume(read),
                _ => return Ok(End::Broken { at: self.good }),
            }
        }
    }

    fn batch(&mut self) -> Parsed<Option<Place>> {
        let [TAG_START] = parse!(self.reader.bytes()) else { return Ok(Err(NoBatch)) };
        let items = u32::from_le_bytes(parse!(self.reader.bytes()));
        let number = u64::from_le_bytes(parse!(self.reader.bytes()));
        let sequence_number = Some(number);
        self.reader.sum = XxHash3_64::new();
        self.under_way = number;
        let mut place = None;
        for _ in 0..items {
            let found = parse!(self.item());
            place = place.or(found);
        }
        let [TAG_END] = parse!(self.reader.bytes()) else { return Ok(Err(NoBatch)) };
        let sum = u64::from_le_bytes(parse!(self.reader.bytes()));
        let trailer = parse!(self.reader.bytes());
        if sum != self.reader.sum.finish() || trailer != TRAILER || sequence_number <= self.sequence_number {
            return Ok(Err(NoBatch));
        }
        self.sequence_number = sequence_number;
        Ok(Ok(place))
    }

    /// Reads an item, and the place if it is one.
    fn item(&mut self) -> Parsed<Option<Place>> {
        let tag @ [kind] = parse!(self.reader.bytes());
        self.reader.sum.write(&tag);
        match kind {
            TAG_ITEM => {
                let head: [u8; ITEM_HEAD_BYTES] = parse!(self.reader.bytes());
                self.reader.sum.write(&head);
                let key = u64::from(u16::from_le_bytes([head[10], head[11]]));
                let value = u64::from(u32::from_le_bytes([head[16], head[17], head[18], head[19]]));
                let key = parse!(self.reader.sum(key));
                let value = parse!(self.reader.sum(value));
                if self.reader.keeps {
                    let value = (head[0] == KIND_VALUE).then(|| value.clone());
                    let sequence_number = self.under_way;
                    self.items.push(Item { key: key.clone(), value, sequence_number });
                }
                let place = Place::decode(&value).filter(|(catalog, _)| key == PLACE_KEY && *catalog == self.catalog);
                Ok(Ok(place.map(|(_, place)| place)))
            }
            TAG_CLEAR => {
                parse!(self.reader.sum(size_of::<u64>() as u64));
                Ok(Ok(None))
            }
            _ => Ok(Err(NoBatch)),
        }
    }
}
