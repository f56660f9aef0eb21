use super::record::{BLOCK_BYTES, STRIDE_BYTES};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Strides in a long buffer.
pub(super) const BUFFER_STRIDES: usize = 8;
/// Bytes of a long buffer.
const BUFFER_BYTES: usize = BUFFER_STRIDES * STRIDE_BYTES;
/// Long buffers that readers and writers of a shard may hold; further ones get short ones. A client that is slow holds
/// its buffer, and many that are must not take the memory of the machine.
const LONG_MAX: usize = 32;
/// Idle long buffers that are kept for the next reader or writer.
const IDLE_MAX: usize = 16;

/// Buffers of 1 MiB, used again, or of one stride while too many of them are in use.
#[derive(Clone, Default)]
pub(super) struct Buffers(Arc<Pool>);

#[derive(Default)]
struct Pool {
    idle: Mutex<Vec<Box<[u8]>>>,
    /// Long buffers in use.
    long: AtomicUsize,
}

impl Buffers {
    /// A buffer for up to this many strides, which may be shorter.
    pub(super) fn take(&self, strides: usize) -> Buffer {
        let home = &self.0;
        if strides > 1 && home.long.fetch_add(1, Ordering::Relaxed) < LONG_MAX {
            let idle = home.idle.lock().pop();
            let bytes = idle.unwrap_or_else(|| vec![0; BUFFER_BYTES].into_boxed_slice());
            return Buffer { bytes, len: BUFFER_BYTES, home: Some(Arc::clone(home)) };
        }
        if strides > 1 {
            home.long.fetch_sub(1, Ordering::Relaxed);
        }
        Buffer { bytes: vec![0; STRIDE_BYTES].into_boxed_slice(), len: STRIDE_BYTES, home: None }
    }

    /// Whether there are enough for some to be filled before anyone asks.
    pub(super) fn has_spare(&self) -> bool {
        self.0.long.load(Ordering::Relaxed) < LONG_MAX / 2
    }
}

/// A buffer. A long one goes back when it is dropped, which may be in a slice of it at the far end of a response.
pub(super) struct Buffer {
    bytes: Box<[u8]>,
    len: usize,
    home: Option<Arc<Pool>>,
}

impl Buffer {
    /// How many strides it has room for.
    pub(super) fn strides(&self) -> usize {
        self.bytes.len() / STRIDE_BYTES
    }

    /// Bytes of content that it holds beside the checksums.
    pub(super) fn content_bytes(&self) -> usize {
        self.strides() * BLOCK_BYTES
    }

    /// Shows only the first `len` bytes from now on.
    pub(super) fn truncate(&mut self, len: usize) {
        self.len = len.min(self.bytes.len());
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl AsMut<[u8]> for Buffer {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let Some(home) = self.home.take() else { return };
        home.long.fetch_sub(1, Ordering::Relaxed);
        let bytes = std::mem::take(&mut self.bytes);
        let mut idle = home.idle.lock();
        if idle.len() < IDLE_MAX {
            idle.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_short_while_many_are_in_use() {
        let buffers = Buffers::default();
        let mut long: Vec<_> = (0..LONG_MAX).map(|_| buffers.take(BUFFER_STRIDES)).collect();
        assert!(long.iter().all(|buffer| buffer.strides() == BUFFER_STRIDES));
        assert!(!buffers.has_spare());
        let short = buffers.take(BUFFER_STRIDES);
        assert_eq!((short.strides(), short.content_bytes()), (1, BLOCK_BYTES));
        drop(short);
        long.pop();
        assert_eq!(buffers.take(1).strides(), 1, "who needs one stride takes no long one");
        assert_eq!(buffers.take(2).strides(), BUFFER_STRIDES);
        drop(long);
        assert!(buffers.has_spare());
        assert_eq!(buffers.0.idle.lock().len(), IDLE_MAX);
    }
}
