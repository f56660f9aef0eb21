use super::{encode_pack_head, file_name};
use crate::backend::BackendError;
use crate::fs::chores::{Chore, Chores, Unclaimed};
use crate::fs::locator::Place;
use crate::fs::{Disk, root};
use cofre_types::BlobId;
use rustix::fs::FallocateFlags;
use std::fs::File;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use tokio::sync::{mpsc, oneshot};

/// Records that wait for the writer; their callers wait with them.
const QUEUE_RECORDS_MAX: usize = 512;
/// Records that are written and synced together. Below IOV_MAX, 1024.
const GROUP_RECORDS_MAX: usize = 512;
/// Bytes that are written and synced together, but for one record more.
const GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Room that is allocated ahead of the records: a sync then changes no length.
const PREALLOCATE_BYTES: u64 = 32 * 1024 * 1024;

/// Zeros that are written behind a group that reaches new ground. Syncing bytes that were written before
/// is about three times as fast as syncing bytes that were only allocated, since no extent changes;
/// so small groups mostly find zeros to write over.
static ZEROS: [u8; 256 * 1024] = [0; 256 * 1024];

/// A record to be appended.
pub(in crate::fs) struct Append {
    pub(in crate::fs) blob: BlobId,
    pub(in crate::fs) record: Vec<u8>,
    /// Answered once the record is as durable as was asked.
    pub(in crate::fs) reply: oneshot::Sender<Result<Appended, BackendError>>,
}

/// A record that was appended; dropped unclaimed it is buried.
pub(in crate::fs) struct Appended {
    pub(in crate::fs) place: Place,
    pub(in crate::fs) unclaimed: Unclaimed,
}

/// The one thread that writes packs.
pub(in crate::fs) struct Writer {
    disk: Arc<Disk>,
    chores: Chores,
    queue: mpsc::Receiver<Append>,
    last_pack: u64,
    open: Option<Pack>,
}

struct Pack {
    id: u64,
    file: File,
    end: u64,
    /// Up to here bytes were written, zeros included.
    touched: u64,
    allocated: u64,
}

/// Why a whole group failed.
enum Failure {
    Full,
    Io(String),
}

impl Writer {
    /// A writer whose packs come after `last_pack`, and the way to it.
    pub(in crate::fs) fn new(disk: Arc<Disk>, chores: Chores, last_pack: u64) -> (Self, mpsc::Sender<Append>) {
        let (sender, queue) = mpsc::channel(QUEUE_RECORDS_MAX);
        (Self { disk, chores, queue, last_pack, open: None }, sender)
    }

    /// Writes until the last sender is gone.
    pub(in crate::fs) fn run(mut self) {
        while let Some(first) = self.queue.blocking_recv() {
            let group = self.gather(first);
            self.write(group);
        }
        self.seal();
    }

    fn gather(&mut self, first: Append) -> Vec<Append> {
        let mut bytes = first.record.len();
        let mut group = vec![first];
        while group.len() < GROUP_RECORDS_MAX && bytes < GROUP_BYTES_MAX {
            let Ok(next) = self.queue.try_recv() else { break };
            bytes += next.record.len();
            group.push(next);
        }
        group
    }

    fn write(&mut self, group: Vec<Append>) {
        match self.append(&group) {
            Ok((pack, mut offset)) => {
                for Append { blob, record, reply, .. } in group {
                    let len = record.len() as u32;
                    let place = Place::Pack { pack, offset, len };
                    let unclaimed = self.chores.unclaimed(Chore::Copy(blob, place));
                    offset += len;
                    // A caller that is gone does not claim it.
                    let _ = reply.send(Ok(Appended { place, unclaimed }));
                }
            }
            Err(failure) => {
                for append in group {
                    let _ = append.reply.send(Err(match &failure {
                        Failure::Full => BackendError::Full,
                        Failure::Io(why) => BackendError::Unreachable(why.clone()),
                    }));
                }
            }
        }
    }

    /// Appends the group and syncs it. Returns where it begins.
    fn append(&mut self, group: &[Append]) -> Result<(u64, u32), Failure> {
        let bytes: u64 = group.iter().map(|append| append.record.len() as u64).sum();
        let mut pack = self.pack_for(bytes)?;
        let begins = pack.end;
        let ends = begins + bytes;
        let zeros = if ends > pack.touched { pack.allocated.saturating_sub(ends).min(ZEROS.len() as u64) } else { 0 };
        let written = write_all(&pack.file, group, zeros as usize, begins)
            .and_then(|()| pack.file.sync_data())
            .and_then(|()| stands(&pack.file));
        if let Err(error) = written {
            // A failed sync may have thrown dirty pages away: syncing again would succeed and prove nothing. What was
            // acknowledged before is durable; the rest is cut off, and the next group goes to a new pack. So does what
            // was written to a pack that somebody removed.
            tracing::error!(pack = pack.id, %error, "writing to a pack failed; it is given up");
            let _ = pack.file.set_len(begins);
            return Err(Failure::of(&error));
        }
        pack.end = ends;
        pack.touched = pack.touched.max(ends + zeros);
        let id = pack.id;
        self.open = Some(pack);
        // Offsets stay below 4 GiB: a pack is at most 1 GiB and one group.
        Ok((id, begins as u32))
    }

    /// The open pack if the group fits, else a new one; with room allocated for the group. It is put back
    /// once the group is written.
    fn pack_for(&mut self, bytes: u64) -> Result<Pack, Failure> {
        let fits = |pack: &Pack| {
            pack.end + bytes <= self.disk.options.pack_bytes_max || pack.end == u64::from(super::PACK_HEAD_BYTES)
        };
        if !self.open.as_ref().is_some_and(fits) {
            self.seal();
        }
        let mut pack = match self.open.take() {
            Some(pack) => pack,
            None => self.begin_pack()?,
        };
        if let Err(failure) = self.allocate(&mut pack, bytes) {
            self.open = Some(pack);
            return Err(failure);
        }
        Ok(pack)
    }

    fn allocate(&self, pack: &mut Pack, bytes: u64) -> Result<(), Failure> {
        let needed = pack.end + bytes;
        if needed <= pack.allocated {
            return Ok(());
        }
        let free_bytes = self.disk.look_at_capacity()?.free_bytes;
        let shortest = needed - pack.allocated;
        if free_bytes < shortest {
            return Err(Failure::Full);
        }
        let most = self.disk.options.pack_bytes_max.saturating_sub(pack.allocated).max(shortest);
        let step = PREALLOCATE_BYTES.min(most).min(free_bytes).max(shortest);
        match rustix::fs::fallocate(&pack.file, FallocateFlags::empty(), pack.allocated, step) {
            Ok(()) => pack.allocated += step,
            // This file system cannot: it grows with each write instead.
            Err(rustix::io::Errno::OPNOTSUPP) => {}
            Err(error) => return Err(Failure::of(&error.into())),
        }
        Ok(())
    }

    fn begin_pack(&mut self) -> Result<Pack, Failure> {
        if self.disk.look_at_capacity()?.free_bytes == 0 {
            return Err(Failure::Full);
        }
        // The clock keeps an id from coming back after its pack was removed and the process restarted.
        let id = (self.last_pack + 1).max(self.disk.clock.now_nanos() / 1000);
        let end = u64::from(super::PACK_HEAD_BYTES);
        let begin = || -> io::Result<File> {
            let file = root::create_file(&self.disk.root.packs, &file_name(id))?;
            std::os::unix::fs::FileExt::write_all_at(&file, &encode_pack_head(id), 0)?;
            file.sync_all()?;
            root::sync(&self.disk.root.packs)?;
            Ok(file)
        };
        // An id is used up even if the file could not be made whole.
        self.last_pack = id;
        let file = begin().map_err(|error| {
            let _ = root::remove_file(&self.disk.root.packs, &file_name(id));
            Failure::of(&error)
        })?;
        self.disk.newest_pack.store(id, SeqCst);
        Ok(Pack { id, file, end, touched: end, allocated: end })
    }

    /// Gives back what was allocated and not used. Nothing is appended to the pack any more.
    fn seal(&mut self) {
        if let Some(pack) = self.open.take()
            && let Err(error) = pack.file.set_len(pack.end)
        {
            tracing::warn!(pack = pack.id, %error, "the unused end of a pack was not given back");
        }
    }
}

impl Failure {
    fn of(error: &io::Error) -> Self {
        root::failure("writing a pack", error).into()
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::Full => Self::Full,
            error => Self::Io(error.to_string()),
        }
    }
}

/// Fails if the pack was removed while it was open: what is in it is lost once it is closed.
fn stands(pack: &File) -> io::Result<()> {
    if root::has_name(pack)? { Ok(()) } else { Err(io::Error::new(io::ErrorKind::NotFound, "the pack was removed")) }
}

fn write_all(file: &File, group: &[Append], zeros: usize, mut offset: u64) -> io::Result<()> {
    let mut slices: Vec<_> = group.iter().map(|append| IoSlice::new(&append.record)).collect();
    if zeros > 0 {
        slices.push(IoSlice::new(&ZEROS[..zeros]));
    }
    let mut slices = slices.as_mut_slice();
    while !slices.is_empty() {
        let written = match rustix::io::pwritev(file, slices, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => written,
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        };
        offset += written as u64;
        IoSlice::advance_slices(&mut slices, written);
    }
    Ok(())
}
