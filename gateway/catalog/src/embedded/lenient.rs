//! Files on disks that fail in places.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// What a disk fails to give at once.
const PAGE_BYTES: u64 = 4096;

/// A file whose bytes that its disk does not give are ones: nothing fits its checksum there.
pub(super) struct Lenient(pub(super) File);

impl Read for Lenient {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into) {
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
                let at = self.0.stream_position()?;
                let lost = (PAGE_BYTES - at % PAGE_BYTES).min(into.len() as u64);
                into[..lost as usize].fill(0xff);
                self.0.seek(SeekFrom::Start(at + lost))?;
                Ok(lost as usize)
            }
            read => read,
        }
    }
}

impl Seek for Lenient {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}
