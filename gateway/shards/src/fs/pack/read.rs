use super::open;
use crate::backend::BackendError;
use crate::fs::record::{self, Kind, RECORD_BYTES_MAX};
use crate::fs::{Disk, root};
use bytes::Bytes;
use cofre_runtime::blocking;
use cofre_types::{BlobId, ResolvedRange};
use parking_lot::Mutex;
use rustix::io::ReadWriteFlags;
use std::fs::File;
use std::io::{self, IoSliceMut};
use std::sync::Arc;

/// Packs that are held open.
const HANDLES_MAX: usize = 128;

/// Packs that were read lately, held open; the one that was not used for the longest time makes room.
#[derive(Default)]
pub(in crate::fs) struct Handles(Mutex<Open>);

#[derive(Default)]
struct Open {
    uses: u64,
    files: std::collections::HashMap<u64, (Arc<File>, u64)>,
}

impl Handles {
    /// A pack that is held open, unless it was removed since: its bytes are gone once it is closed.
    fn get(&self, pack: u64) -> Option<Arc<File>> {
        let file = self.used(pack)?;
        if root::has_name(&file).unwrap_or(false) {
            return Some(file);
        }
        self.forget(pack);
        None
    }

    fn used(&self, pack: u64) -> Option<Arc<File>> {
        let mut open = self.0.lock();
        open.uses += 1;
        let now = open.uses;
        let (file, used) = open.files.get_mut(&pack)?;
        *used = now;
        Some(file.clone())
    }

    /// Keeps a pack open, unless it was removed since it was opened: that would pin its space.
    fn put(&self, pack: u64, file: Arc<File>) {
        self.insert(pack, file.clone());
        // Whoever removes a pack forgets it after that: one of the two sees the other.
        if !root::has_name(&file).unwrap_or(true) {
            self.forget(pack);
        }
    }

    fn insert(&self, pack: u64, file: Arc<File>) {
        let mut open = self.0.lock();
        if open.files.len() >= HANDLES_MAX
            && let Some(oldest) = open.files.iter().min_by_key(|(_, (_, used))| *used).map(|(pack, _)| *pack)
        {
            open.files.remove(&oldest);
        }
        let now = open.uses;
        open.files.insert(pack, (file, now));
    }

    pub(super) fn forget(&self, pack: u64) {
        self.0.lock().files.remove(&pack);
    }
}

/// Reads a range of a blob in a pack, checked.
pub(in crate::fs) async fn read(
    disk: &Arc<Disk>,
    blob: BlobId,
    (pack, offset, len): (u64, u32, u32),
    range: ResolvedRange,
) -> Result<Vec<Bytes>, BackendError> {
    record::read(&record_bytes(disk, pack, offset, len).await?, blob, range)
}

/// Reads what a blob in a pack says about itself.
pub(in crate::fs) async fn header(
    disk: &Arc<Disk>,
    blob: BlobId,
    (pack, offset, len): (u64, u32, u32),
) -> Result<crate::BlobHeader, BackendError> {
    Ok(record::check_head(&record_bytes(disk, pack, offset, len).await?, Kind::Pack, blob)?.header)
}

/// The record: at once if it is in memory, else from a blocking thread.
async fn record_bytes(disk: &Arc<Disk>, pack: u64, offset: u32, len: u32) -> Result<Bytes, BackendError> {
    if len as usize > RECORD_BYTES_MAX {
        return Err(BackendError::Corrupt("the locator is longer than any record".into()));
    }
    let open = disk.handles.get(pack);
    let mut bytes = vec![0; len as usize];
    if let Some(file) = &open {
        // NOWAIT never blocks: it answers EAGAIN when the page cache has not all of it.
        let got =
            rustix::io::preadv2(file, &mut [IoSliceMut::new(&mut bytes)], u64::from(offset), ReadWriteFlags::NOWAIT);
        if got == Ok(bytes.len()) {
            return Ok(bytes.into());
        }
    }
    let disk = disk.clone();
    blocking(move || {
        let file = match open {
            Some(file) => file,
            None => open_pack(&disk, pack)?,
        };
        root::read_exact(&file, &mut bytes, u64::from(offset))?;
        Ok(bytes.into())
    })
    .await
}

fn open_pack(disk: &Disk, pack: u64) -> Result<Arc<File>, BackendError> {
    match open(disk, pack) {
        Ok(file) => {
            let file = Arc::new(file);
            disk.handles.put(pack, file.clone());
            Ok(file)
        }
        // Missing is a proof only while this is the shard that it should be.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(disk.root.verify().err().unwrap_or(BackendError::Missing))
        }
        Err(error) => Err(root::failure("opening a pack", &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_that_was_removed_meanwhile_is_not_held_open() {
        let directory = tempfile::tempdir().expect("a directory");
        let handles = Handles::default();
        for (pack, removed) in [(1, false), (2, true)] {
            let path = directory.path().join(pack.to_string());
            let file = Arc::new(File::create(&path).expect("a file"));
            if removed {
                std::fs::remove_file(&path).expect("removes");
            }
            handles.put(pack, file);
            assert_eq!(handles.get(pack).is_none(), removed);
            let _ = std::fs::remove_file(&path);
            assert!(handles.get(pack).is_none(), "it was removed while it was held");
        }
    }
}
