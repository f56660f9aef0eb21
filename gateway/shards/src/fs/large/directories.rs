use crate::fs::root;
use parking_lot::Mutex;
use rustix::fs::{Mode, OFlags};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Syncs of the 256 directories of blobs: renames into one directory that come together share a sync.
///
/// After a sync that failed, a later one may succeed without what the first one lost. So the directory takes no
/// durable blob any more until the shard is opened again.
pub(in crate::fs) struct Directories(Vec<Directory>);

#[derive(Default)]
struct Directory {
    /// Renames that were made.
    made: AtomicU64,
    synced: Mutex<Synced>,
}

#[derive(Default)]
struct Synced {
    /// Renames that are known to be durable.
    upto: u64,
    failed: bool,
}

impl Default for Directories {
    fn default() -> Self {
        Self((0..=u8::MAX).map(|_| Directory::default()).collect())
    }
}

impl Directories {
    /// Makes a rename durable that was made in directory `first` of `blobs`. Blocks.
    pub(super) fn sync(&self, blobs: &OwnedFd, first: u8) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = || Ok(rustix::fs::openat(blobs, format!("{first:02x}"), flags, Mode::empty())?);
        self.0[usize::from(first)].sync(open, root::sync)
    }
}

impl Directory {
    fn sync<D>(&self, open: impl FnOnce() -> io::Result<D>, sync: impl FnOnce(D) -> io::Result<()>) -> io::Result<()> {
        let mine = self.made.fetch_add(1, SeqCst) + 1;
        let mut synced = self.synced.lock();
        if synced.upto >= mine {
            return Ok(());
        }
        if synced.failed {
            return Err(io::Error::other("an earlier sync of the directory failed; open the shard again"));
        }
        let upto = self.made.load(SeqCst);
        // A directory that cannot be opened has lost nothing.
        let directory = open()?;
        if let Err(error) = sync(directory) {
            tracing::error!(%error, "a directory of blobs could not be synced; it takes no more until the shard is opened again");
            synced.failed = true;
            return Err(error);
        }
        synced.upto = upto;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_failed_sync_no_rename_counts_as_durable() {
        let directory = Directory::default();
        let open = || Ok(());
        let failure = || io::Error::from(rustix::io::Errno::IO);
        directory.sync(|| Err::<(), _>(failure()), |()| Ok(())).expect_err("it cannot be opened");
        directory.sync(open, |()| Ok(())).expect("nothing was lost yet");
        directory.sync(open, |()| Err(failure())).expect_err("the sync fails");
        directory.sync(open, |()| Ok(())).expect_err("a later sync proves nothing");
    }
}
