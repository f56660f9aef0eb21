use super::{BEGINNING, CHUNK_BYTES, HEAD_BYTES, SALT_BYTES, SEALED_CHUNK_BYTES, StreamError, chunk_key, nonce};
use crate::data_key::DataKey;
use aws_lc_rs::aead::{Aad, LessSafeKey};
use bytes::{Buf, Bytes, BytesMut};

/// Encrypts a stream, chunk by chunk. It holds one chunk at the most.
pub struct Sealer {
    key: LessSafeKey,
    chunk: u32,
    filling: BytesMut,
}

impl Sealer {
    /// Begins a stream. `identity` is where it will stand; `salt` is random.
    pub fn new(key: &DataKey, identity: &[u8], salt: [u8; SALT_BYTES]) -> (Self, Bytes) {
        let mut head = [0; HEAD_BYTES];
        head[..BEGINNING.len()].copy_from_slice(&BEGINNING);
        head[BEGINNING.len()..].copy_from_slice(&salt);
        let key = chunk_key(key, &head, identity);
        (Self { key, chunk: 0, filling: BytesMut::new() }, Bytes::copy_from_slice(&head))
    }

    /// Takes plaintext from the front of `plain`, and gives a chunk once it is known not to be the last.
    /// `None` means that `plain` is used up.
    ///
    /// # Errors
    /// [`StreamError::TooLong`].
    pub fn push(&mut self, plain: &mut Bytes) -> Result<Option<Bytes>, StreamError> {
        while !plain.is_empty() {
            if self.filling.len() == CHUNK_BYTES {
                return self.seal(false).map(Some);
            }
            if self.filling.capacity() == 0 {
                self.filling.reserve(SEALED_CHUNK_BYTES);
            }
            let taken = plain.len().min(CHUNK_BYTES - self.filling.len());
            self.filling.extend_from_slice(&plain[..taken]);
            plain.advance(taken);
        }
        Ok(None)
    }

    /// Ends the stream: the last chunk.
    ///
    /// # Errors
    /// [`StreamError::TooLong`].
    pub fn finish(mut self) -> Result<Bytes, StreamError> {
        self.seal(true)
    }

    fn seal(&mut self, last: bool) -> Result<Bytes, StreamError> {
        let number = self.chunk;
        self.chunk = number.checked_add(1).ok_or(StreamError::TooLong)?;
        let mut chunk = std::mem::take(&mut self.filling);
        self.key
            .seal_in_place_append_tag(nonce(number, last), Aad::empty(), &mut chunk)
            .expect("a chunk is below the cipher's bound");
        Ok(chunk.freeze())
    }
}
