use crate::StoreError;
use cofre_runtime::Clock;
use std::io;
use std::path::Path;
use std::time::Duration;

/// How old a look at the free space may be.
const LOOK_AGE_MAX: Duration = Duration::from_millis(200);

/// Tells the free bytes of the catalog's disk.
pub(super) type FreeBytes = Box<dyn Fn() -> io::Result<u64> + Send>;

/// Keeps a reserve of disk free. A journal that cannot be written poisons the engine until it is
/// opened again, so commits stop before that, and go on by themselves once there is room.
pub(super) struct Space {
    free: FreeBytes,
    reserve_bytes: u64,
    clock: Clock,
    looked: Option<Duration>,
    /// What may be written before the next look.
    allowance_bytes: u64,
}

impl Space {
    pub(super) fn new(free: FreeBytes, reserve_bytes: u64, clock: Clock) -> Self {
        Self { free, reserve_bytes, clock, looked: None, allowance_bytes: 0 }
    }

    /// Asks the operating system about the disk of a directory.
    pub(super) fn of_disk(directory: &Path) -> FreeBytes {
        let directory = directory.to_owned();
        Box::new(move || {
            let disk = rustix::fs::statvfs(&directory)?;
            Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
        })
    }

    /// Takes room for `bytes`.
    pub(super) fn take(&mut self, bytes: u64) -> Result<(), StoreError> {
        let now = self.clock.elapsed();
        let fresh = self.looked.is_some_and(|looked| now.saturating_sub(looked) < LOOK_AGE_MAX);
        if !fresh || self.allowance_bytes < bytes {
            let free = (self.free)()
                .map_err(|error| StoreError::Engine(format!("the disk does not tell its room: {error}")))?;
            self.looked = Some(now);
            self.allowance_bytes = free.saturating_sub(self.reserve_bytes);
        }
        self.allowance_bytes = self.allowance_bytes.checked_sub(bytes).ok_or(StoreError::Full)?;
        Ok(())
    }
}
