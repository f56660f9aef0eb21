use super::{
    BEGINNING, CHUNK_BYTES, HEAD_BYTES, SEALED_CHUNK_BYTES, StreamError, TAG_BYTES, chunk_key, nonce, plain_len,
};
use crate::data_key::DataKey;
use aws_lc_rs::aead::{Aad, LessSafeKey};
use bytes::{Buf, Bytes, BytesMut};
use cofre_types::ResolvedRange;
use std::collections::VecDeque;

/// What of a stream must be read for a range of its plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    plain: u64,
    wanted: ResolvedRange,
    first: u64,
    end: u64,
}

impl Span {
    /// The span of `wanted`, which is not empty and lies in the plaintext, in a stream of `sealed` bytes.
    ///
    /// # Errors
    /// [`StreamError::Length`] if no stream has this length, or the range is not in it.
    pub fn new(sealed: u64, wanted: ResolvedRange) -> Result<Self, StreamError> {
        let plain = plain_len(sealed)?;
        if wanted.is_empty() || wanted.end > plain {
            return Err(StreamError::Length);
        }
        let chunk = CHUNK_BYTES as u64;
        Ok(Self { plain, wanted, first: wanted.start / chunk, end: wanted.end.div_ceil(chunk) })
    }

    /// The bytes of its chunks within the stream.
    pub fn chunks(&self) -> ResolvedRange {
        let start = HEAD_BYTES as u64 + self.first * SEALED_CHUNK_BYTES as u64;
        let whole = HEAD_BYTES as u64 + self.end * SEALED_CHUNK_BYTES as u64;
        ResolvedRange { start, end: whole.min(super::sealed_len(self.plain)) }
    }
}

/// Most plaintexts that are kept to be used again: what a connection has on its way at once.
const OUTPUTS_MAX: usize = 8;

/// Decrypts a span of a stream, chunk by chunk. It holds one chunk at the most, and gives no byte that
/// it has not authenticated.
///
/// A chunk that comes whole is decrypted from where it stands; only one that comes in two pieces is put together
/// first. What it is decrypted to is a buffer that was given before, once its reader has let it go.
pub struct Opener {
    key: LessSafeKey,
    span: Span,
    /// The chunk that is due, and its length.
    chunk: u64,
    chunk_bytes: usize,
    /// What came of it so far.
    filling: BytesMut,
    /// Plaintexts that were given, the oldest first.
    given: VecDeque<Bytes>,
}

impl Opener {
    /// Begins to open a span of the stream with this head, which stands at `identity`.
    ///
    /// # Errors
    /// [`StreamError::Head`].
    pub fn new(key: &DataKey, identity: &[u8], head: &[u8; HEAD_BYTES], span: Span) -> Result<Self, StreamError> {
        if !head.starts_with(&BEGINNING) {
            return Err(StreamError::Head);
        }
        let key = chunk_key(key, head, identity);
        let (chunk, filling, given) = (span.first, BytesMut::new(), VecDeque::new());
        let mut opener = Self { key, span, chunk, chunk_bytes: 0, filling, given };
        opener.chunk_bytes = opener.length();
        Ok(opener)
    }

    /// Length of the chunk that is due.
    fn length(&self) -> usize {
        let left = self.span.plain - (self.chunk * CHUNK_BYTES as u64).min(self.span.plain);
        // What is more than a chunk is a chunk, so this fits.
        left.min(CHUNK_BYTES as u64) as usize + TAG_BYTES
    }

    /// Whether all of the span was given.
    pub fn is_done(&self) -> bool {
        self.chunk == self.span.end
    }

    /// Takes bytes of the span's chunks from the front of `sealed`, and gives what of a whole chunk is
    /// wanted. `None` means that `sealed` is used up, or more than the span.
    ///
    /// # Errors
    /// [`StreamError::Chunk`]; what was given before is good.
    pub fn push(&mut self, sealed: &mut Bytes) -> Result<Option<Bytes>, StreamError> {
        if self.is_done() {
            return Ok(None);
        }
        if self.filling.is_empty() && sealed.len() >= self.chunk_bytes {
            let chunk = sealed.split_to(self.chunk_bytes);
            return self.open(&chunk).map(Some);
        }
        self.filling.reserve(self.chunk_bytes - self.filling.len());
        let taken = sealed.len().min(self.chunk_bytes - self.filling.len());
        self.filling.extend_from_slice(&sealed[..taken]);
        sealed.advance(taken);
        if self.filling.len() < self.chunk_bytes {
            return Ok(None);
        }
        let mut chunk = std::mem::take(&mut self.filling);
        let opened = self.open(&chunk);
        chunk.clear();
        self.filling = chunk;
        opened.map(Some)
    }

    /// Opens the chunk that is due.
    fn open(&mut self, chunk: &[u8]) -> Result<Bytes, StreamError> {
        let number = u32::try_from(self.chunk).map_err(|_| StreamError::TooLong)?;
        let (sealed, tag) = chunk.split_at(chunk.len() - TAG_BYTES);
        let begins = self.chunk * CHUNK_BYTES as u64;
        let last = begins + sealed.len() as u64 == self.span.plain;
        let mut plain = self.output(sealed.len());
        let opened = self.key.open_separate_gather(nonce(number, last), Aad::empty(), sealed, tag, &mut plain);
        opened.map_err(|_| StreamError::Chunk(number))?;
        self.chunk += 1;
        self.chunk_bytes = self.length();
        let plain = plain.freeze();
        let from = self.span.wanted.start.saturating_sub(begins).min(plain.len() as u64) as usize;
        let to = (self.span.wanted.end - begins).min(plain.len() as u64) as usize;
        if !self.is_done() {
            self.given.push_back(plain.clone());
        }
        Ok(plain.slice(from..to))
    }

    /// A buffer of `len` bytes, one that was given before if its reader has let it go.
    fn output(&mut self, len: usize) -> BytesMut {
        let free = self.given.front().is_some_and(Bytes::is_unique) || self.given.len() == OUTPUTS_MAX;
        let used = if free { self.given.pop_front() } else { None };
        let used = used.and_then(|given| given.try_into_mut().ok());
        let mut output = used.unwrap_or_else(|| BytesMut::zeroed(len));
        output.resize(len, 0);
        output
    }
}
