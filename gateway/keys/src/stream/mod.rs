//! The form of encrypted bytes, pure.
//!
//! A stream is a head and then chunks. The head has 40 bytes: `CFRE`, format 1, the binary logarithm
//! of the chunk size, two zero bytes, and 32 random bytes of salt. A chunk has 64 KiB of plaintext, the
//! last one what is left (only the chunk of an empty stream is empty), encrypted by AES-256-GCM with
//! its tag of 16 bytes behind it.
//!
//! The key of the chunks is derived by HKDF-SHA256 from the data key, the salt, the whole head and the
//! identity of the stream, which is the blob that it stands in. So no key is used for two streams, and
//! a stream does not open in another's place. The nonce is the number of the chunk and whether it is
//! the last (STREAM: Hoang, Reyhanitabar, Rogaway and Vizár, 2015): chunks that are left out, doubled,
//! swapped or cut off at the end do not open.
//!
//! # Limits
//! The number of a chunk has 32 bits: 256 TiB, where an object or part that is put has 5 GiB.

mod open;
mod seal;

pub use open::{Opener, Span};
pub use seal::Sealer;

use crate::data_key::DataKey;
use crate::derive::derive;
use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// Plaintext of a chunk that is not the last, in bytes.
pub const CHUNK_BYTES: usize = 1 << CHUNK_LOG2;

/// Length of the head, in bytes.
pub const HEAD_BYTES: usize = 40;

const CHUNK_LOG2: u8 = 16;
const TAG_BYTES: usize = 16;
const SALT_BYTES: usize = 32;
const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + TAG_BYTES;

/// Magic, format, chunk size and what is kept for later formats.
const BEGINNING: [u8; HEAD_BYTES - SALT_BYTES] = [b'C', b'F', b'R', b'E', 1, CHUNK_LOG2, 0, 0];

/// What sets these keys apart from all others that are derived from a data key.
const PURPOSE: &[u8] = b"cofre stream 1";

/// Why a stream does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// It does not begin as streams do, or in a format of a later Cofre.
    #[error("the encrypted bytes do not begin with a head that this build knows")]
    Head,
    /// No stream has this length.
    #[error("no encrypted stream has this length")]
    Length,
    /// A chunk is not what was sealed there under this key.
    #[error("chunk {0} of the encrypted bytes is not what was written")]
    Chunk(u32),
    /// It has more chunks than can be numbered.
    #[error("the stream has more chunks than can be numbered")]
    TooLong,
}

/// Length of the stream of so many bytes of plaintext.
pub const fn sealed_len(plain: u64) -> u64 {
    let chunks = plain.div_ceil(CHUNK_BYTES as u64);
    HEAD_BYTES as u64 + plain + TAG_BYTES as u64 * if chunks == 0 { 1 } else { chunks }
}

/// Length of the plaintext of a stream.
///
/// # Errors
/// [`StreamError::Length`].
pub fn plain_len(sealed: u64) -> Result<u64, StreamError> {
    let chunks = sealed.checked_sub(HEAD_BYTES as u64).ok_or(StreamError::Length)?;
    let tags = chunks.div_ceil(SEALED_CHUNK_BYTES as u64) * TAG_BYTES as u64;
    let plain = chunks.checked_sub(tags).ok_or(StreamError::Length)?;
    if sealed_len(plain) == sealed { Ok(plain) } else { Err(StreamError::Length) }
}

/// The key of a stream's chunks.
fn chunk_key(key: &DataKey, head: &[u8; HEAD_BYTES], identity: &[u8]) -> LessSafeKey {
    let salt = &head[BEGINNING.len()..];
    let bytes = derive::<32>(key.expose(), salt, &[PURPOSE, head, identity]);
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*bytes).expect("the key has the cipher's length"))
}

/// The nonce of a chunk: unique, since no other stream has the same key.
fn nonce(chunk: u32, last: bool) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[NONCE_LEN - 5..NONCE_LEN - 1].copy_from_slice(&chunk.to_be_bytes());
    bytes[NONCE_LEN - 1] = u8::from(last);
    Nonce::assume_unique_for_key(bytes)
}
