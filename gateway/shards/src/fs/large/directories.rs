use crate::fs::root;
use parking_lot::Mutex;
use rustix::fs::{Mode, OFlags};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Syncs of the 256 directories of blobs: renames into one directory that come together share a sync.
pub(in crate::fs) struct Directories(Vec<Directory>);

#[derive(Default)]
struct Directory {
    /// Renames that were made.
    made: AtomicU64,
    /// Renames that are known to be durable.
    durable: Mutex<u64>,
}

impl Default for Directories {
    fn default() -> Self {
        Self((0..=u8::MAX).map(|_| Directory::default()).collect())
    }
}

impl Directories {
    /// Makes a rename durable that was made in directory `first` of `blobs`. Blocks.
    pub(super) fn sync(&self, blobs: &OwnedFd, first: u8) -> io::Result<()> {
        let directory = &self.0[usize::from(first)];
        let mine = directory.made.fetch_add(1, SeqCst) + 1;
        let mut durable = directory.durable.lock();
        if *durable >= mine {
            return Ok(());
        }
        let upto = directory.made.load(SeqCst);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        root::sync(rustix::fs::openat(blobs, format!("{first:02x}"), flags, Mode::empty())?)?;
        *durable = upto;
        Ok(())
    }
}
