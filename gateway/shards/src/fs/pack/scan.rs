use super::Graves;
use crate::fs::damage::{PAGE_BYTES, Unreadable, is_unreadable};
use crate::fs::record::{self, HEAD_BYTES_MAX, Kind, MAGIC, RECORD_BYTES_MAX, SMALL_BYTES_MAX};
use bytes::Bytes;
use cofre_types::{BlobId, ResolvedRange};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes that are read at once; at least one record.
const WINDOW_BYTES: usize = 1024 * 1024;

const _: () = assert!(WINDOW_BYTES > 2 * RECORD_BYTES_MAX);

/// A record that a scan came by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::fs) struct Record {
    pub(in crate::fs) blob: BlobId,
    pub(in crate::fs) offset: u32,
    pub(in crate::fs) len: u32,
    pub(in crate::fs) size: u64,
    pub(in crate::fs) written_nanos: u64,
    /// Whether its content passed its checksums; its head did.
    pub(in crate::fs) whole: bool,
    /// Whether it has a tombstone.
    pub(in crate::fs) buried: bool,
}

/// What a scan came by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::fs) enum Item {
    /// A record.
    Record(Record),
    /// Bytes that are no record, and were not dead when they last were one.
    Gap,
}

/// Goes through a pack from record to record, past those that are dead unless they are asked for. Where a head is damaged it looks
/// for the next one that is whole.
pub(in crate::fs) struct Scan {
    file: File,
    len: u64,
    at: u64,
    graves: Graves,
    /// Whether records that are dead are passed.
    past_dead: bool,
    /// Whether places that cannot be read are passed.
    lenient: bool,
    /// What of the pack could not be read so far, up to which byte.
    unreadable: Option<(Unreadable, u64)>,
    window: Vec<u8>,
    window_at: u64,
}

impl Scan {
    /// Begins at `offset`, where a record begins or the pack ends.
    pub(in crate::fs) fn new(file: File, offset: u32, graves: &Graves) -> io::Result<Self> {
        let len = file.metadata()?.len();
        let (graves, window) = (graves.clone(), Vec::new());
        let at = u64::from(offset);
        Ok(Self { file, len, at, graves, past_dead: true, lenient: false, unreadable: None, window, window_at: 0 })
    }

    /// Passes places that cannot be read: they are no record, and a gap.
    pub(in crate::fs) fn lenient(self) -> Self {
        Self { lenient: true, ..self }
    }

    /// What could not be read so far.
    pub(in crate::fs) fn unreadable(&self) -> Option<Unreadable> {
        self.unreadable.map(|(what, _)| what)
    }

    /// Comes by records that are dead as well.
    pub(in crate::fs) fn with_dead(self) -> Self {
        Self { past_dead: false, ..self }
    }

    /// Where the next record would begin.
    pub(in crate::fs) fn offset(&self) -> u32 {
        u32::try_from(self.at).unwrap_or(u32::MAX)
    }

    /// The next item; `None` at the end of the pack.
    pub(in crate::fs) fn next(&mut self) -> io::Result<Option<Item>> {
        while self.at < self.len {
            if let Some(mut record) = self.record_here()? {
                self.at += u64::from(record.len);
                record.buried = self.graves.has(record.offset, record.blob);
                if !(record.buried && self.past_dead) {
                    return Ok(Some(Item::Record(record)));
                }
            } else if let Some(len) = self.graves.at(self.offset()) {
                self.at += u64::from(len);
            } else {
                let zeros = self.skip_to_magic()?;
                if !zeros {
                    return Ok(Some(Item::Gap));
                }
            }
        }
        Ok(None)
    }

    fn record_here(&mut self) -> io::Result<Option<Record>> {
        self.fill(HEAD_BYTES_MAX)?;
        let Some(head) = record::parse_head(self.ahead(), Kind::Pack).filter(|h| h.size <= SMALL_BYTES_MAX as u64)
        else {
            return Ok(None);
        };
        let len = head.len + record::content_len(head.size) as usize;
        self.fill(len)?;
        let whole = self.ahead().get(..len).is_some_and(|bytes| {
            let all = ResolvedRange { start: 0, end: head.size };
            record::read(&Bytes::copy_from_slice(bytes), head.blob, all).is_ok()
        });
        let len = len.min(self.ahead().len());
        Ok(Some(Record {
            blob: head.blob,
            offset: self.offset(),
            len: len as u32,
            size: head.size,
            written_nanos: head.header.written_nanos,
            whole,
            buried: false,
        }))
    }

    /// Moves on to the next place that may be a head. Whether all that was passed is zeros.
    fn skip_to_magic(&mut self) -> io::Result<bool> {
        let mut zeros = true;
        let mut first = true;
        while self.at < self.len {
            self.fill(WINDOW_BYTES / 2)?;
            let from = usize::from(first);
            let ahead = self.ahead();
            if let Some(found) = ahead.get(from..).and_then(|rest| rest.windows(MAGIC.len()).position(|w| w == MAGIC)) {
                zeros &= ahead[..from + found].iter().all(|byte| *byte == 0);
                self.at += (from + found) as u64;
                if self.record_here()?.is_some() {
                    return Ok(zeros);
                }
                zeros = false;
                first = true;
                continue;
            }
            // The magic may straddle the end of the window.
            let passed = if self.at + ahead.len() as u64 >= self.len { ahead.len() } else { ahead.len() - MAGIC.len() };
            zeros &= ahead[..passed].iter().all(|byte| *byte == 0);
            self.at += passed as u64;
            first = false;
        }
        Ok(zeros)
    }

    fn ahead(&self) -> &[u8] {
        self.window.get((self.at - self.window_at) as usize..).unwrap_or_default()
    }

    /// Sees to it that the next `want` bytes, or all that are left, are in the window.
    fn fill(&mut self, want: usize) -> io::Result<()> {
        let want = (want as u64).min(self.len - self.at) as usize;
        if self.at >= self.window_at && self.ahead().len() >= want {
            return Ok(());
        }
        let len = (WINDOW_BYTES as u64).min(self.len - self.at) as usize;
        self.window.resize(len, 0);
        match self.file.read_exact_at(&mut self.window, self.at) {
            Err(error) if self.lenient && is_unreadable(&error) => self.fill_around()?,
            read => read?,
        }
        self.window_at = self.at;
        Ok(())
    }

    /// Reads the window page by page. Where one cannot be read it has ones, which are no record, nor room.
    fn fill_around(&mut self) -> io::Result<()> {
        let mut from = 0;
        while from < self.window.len() {
            let at = self.at + from as u64;
            let to = (from + PAGE_BYTES - at as usize % PAGE_BYTES).min(self.window.len());
            match self.file.read_exact_at(&mut self.window[from..to], at) {
                Err(error) if is_unreadable(&error) => {
                    self.window[from..to].fill(u8::MAX);
                    self.note(at, (to - from) as u64);
                }
                read => read?,
            }
            from = to;
        }
        Ok(())
    }

    /// Notes what cannot be read. Windows overlap: what is behind the last place that was noted counts.
    fn note(&mut self, at: u64, bytes: u64) {
        let (mut what, passed) = self.unreadable.unwrap_or((Unreadable { at, bytes: 0 }, at));
        what.bytes += (at + bytes).saturating_sub(passed.max(at));
        self.unreadable = Some((what, passed.max(at + bytes)));
    }
}
