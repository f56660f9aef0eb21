use crate::backend::BackendError;
use crate::pool::BlobRef;
use cofre_types::Scheme;

/// How a copy ends, as it is read to its end.
#[derive(Default)]
pub(crate) struct Ending {
    seen: u64,
    /// The last bytes that were seen: the trailer of a piece.
    last: [u8; 8],
}

impl Ending {
    /// Passes the next bytes.
    pub(crate) fn pass(&mut self, bytes: &[u8]) {
        self.seen += bytes.len() as u64;
        match bytes.last_chunk() {
            Some(last) => self.last = *last,
            None => {
                self.last.rotate_left(bytes.len());
                let from = self.last.len() - bytes.len();
                self.last[from..].copy_from_slice(bytes);
            }
        }
    }

    /// Says whether the copy, of `size` bytes, ended as one of the blob does.
    pub(crate) fn check(&self, blob: &BlobRef, size: u64) -> Result<(), BackendError> {
        if self.seen != size {
            return Err(BackendError::Corrupt(format!("{} of {size} bytes are there", self.seen)));
        }
        match blob.scheme {
            Scheme::Erasure { .. } if u64::from_le_bytes(self.last) != blob.size => {
                Err(BackendError::Corrupt("the piece is one of a blob of another size".into()))
            }
            Scheme::Erasure { .. } | Scheme::Replicas { .. } => Ok(()),
        }
    }
}
