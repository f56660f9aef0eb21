use crate::StoreError;
use cofre_runtime::Clock;
use std::io;
use std::path::Path;
use std::time::Duration;

/// How old a look at the free space may be.
const LOOK_AGE_MAX: Duration = Duration::from_millis(200);

/// Tells the free bytes of the catalog's disk.
pub(super) type FreeBytes = Box<dyn Fn() -> io::Result<u64> + Send>;

/// Part of the reserve that even commits that free something leave alone: 1 / this.
const LAST_RESERVE_DIVISOR: u64 = 4;

/// Keeps a reserve of disk free. A journal that cannot be written poisons the engine until it is
/// opened again, so commits stop before that, and go on by themselves once there is room. Commits that
/// free something may take most of the reserve: on a full disk they are the way out.
pub(super) struct Space {
    free: FreeBytes,
    reserve_bytes: u64,
    clock: Clock,
    looked: Option<Duration>,
    /// What was free at the last look, less what was taken since.
    left_bytes: u64,
}

impl Space {
    pub(super) fn new(free: FreeBytes, reserve_bytes: u64, clock: Clock) -> Self {
        Self { free, reserve_bytes, clock, looked: None, left_bytes: 0 }
    }

    /// Asks the operating system about the disk of a directory. One that takes no writes is an error.
    pub(super) fn of_disk(directory: &Path) -> FreeBytes {
        let directory = directory.to_owned();
        Box::new(move || {
            let disk = rustix::fs::statvfs(&directory)?;
            if disk.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY) {
                return Err(io::ErrorKind::ReadOnlyFilesystem.into());
            }
            Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
        })
    }

    /// Takes room for `bytes`, off the reserve if they lead to more.
    pub(super) fn take(&mut self, bytes: u64, frees: bool) -> Result<(), StoreError> {
        let floor_bytes = if frees { self.reserve_bytes / LAST_RESERVE_DIVISOR } else { self.reserve_bytes };
        let needed_bytes = floor_bytes.saturating_add(bytes);
        let now = self.clock.elapsed();
        let fresh = self.looked.is_some_and(|looked| now.saturating_sub(looked) < LOOK_AGE_MAX);
        if !fresh || self.left_bytes < needed_bytes {
            self.look()?;
        }
        if self.left_bytes < needed_bytes {
            return Err(StoreError::Full);
        }
        self.left_bytes -= bytes;
        Ok(())
    }

    /// Looks whether a commit that frees nothing would find room.
    pub(super) fn check(&mut self) -> Result<(), StoreError> {
        self.look()?;
        if self.left_bytes < self.reserve_bytes { Err(StoreError::Full) } else { Ok(()) }
    }

    fn look(&mut self) -> Result<(), StoreError> {
        self.left_bytes = (self.free)().map_err(|error| match error.kind() {
            io::ErrorKind::ReadOnlyFilesystem => StoreError::Refused(
                "its file system is read-only; look at the disk, then mount it for writing".to_owned(),
            ),
            _ => StoreError::Refused(format!("its disk does not tell its room: {error}")),
        })?;
        self.looked = Some(self.clock.elapsed());
        Ok(())
    }
}
