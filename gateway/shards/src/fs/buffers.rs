use super::record::{BLOCK_BYTES, STRIDE_BYTES};
use parking_lot::Mutex;
use std::sync::Arc;

/// Strides in a buffer.
pub(super) const BUFFER_STRIDES: usize = 8;
/// Bytes of a buffer.
pub(super) const BUFFER_BYTES: usize = BUFFER_STRIDES * STRIDE_BYTES;
/// Bytes of content that a buffer holds beside the checksums.
pub(super) const BUFFER_CONTENT_BYTES: usize = BUFFER_STRIDES * BLOCK_BYTES;
/// Idle buffers that are kept for the next reader or writer.
const IDLE_MAX: usize = 16;

/// Buffers of 1 MiB, used again. There are as many as readers and writers hold; only idle ones are bounded.
#[derive(Clone, Default)]
pub(super) struct Buffers(Arc<Mutex<Vec<Box<[u8]>>>>);

impl Buffers {
    pub(super) fn take(&self) -> Buffer {
        let idle = self.0.lock().pop();
        let bytes = idle.unwrap_or_else(|| vec![0; BUFFER_BYTES].into_boxed_slice());
        Buffer { bytes, len: BUFFER_BYTES, home: self.clone() }
    }
}

/// A buffer that goes back when it is dropped, which may be in a slice of it at the far end of a response.
pub(super) struct Buffer {
    bytes: Box<[u8]>,
    len: usize,
    home: Buffers,
}

impl Buffer {
    /// Shows only the first `len` bytes from now on.
    pub(super) fn truncate(&mut self, len: usize) {
        self.len = len.min(BUFFER_BYTES);
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
        let bytes = std::mem::take(&mut self.bytes);
        let mut idle = self.home.0.lock();
        if idle.len() < IDLE_MAX {
            idle.push(bytes);
        }
    }
}
