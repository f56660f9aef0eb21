//! Takes the frames of `aws-chunked` off, and holds chunks and trailers against their signatures.

use super::Trailers;
use crate::auth::body_errors::ChunkedError;
use crate::auth::verified::Chain;
use aws_lc_rs::digest::{Context, SHA256, digest};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::collections::VecDeque;

/// Most bytes of a signed chunk: SDKs send 64 KiB to 1 MiB.
pub(super) const SIGNED_CHUNK_BYTES_MAX: u64 = 1024 * 1024;

/// Most bytes of the line before a chunk.
pub(super) const LINE_BYTES_MAX: usize = 1024;

/// Most bytes of all trailers.
const TRAILER_BYTES_MAX: usize = 16 * 1024;

/// The digest of nothing, in hexadecimal.
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

/// What is expected next.
#[derive(Debug)]
enum State {
    /// The line before a chunk.
    Size,
    /// This many bytes of a chunk.
    Data(u64),
    /// The end of a chunk's line.
    DataEnd,
    /// Trailers, to the end.
    Trailers,
    Ended,
}

/// A signed chunk on its way.
struct Held {
    signature: String,
    context: Context,
    /// One buffer: pieces may be of a byte each.
    bytes: BytesMut,
}

/// Takes frames off.
pub(super) struct Decoder {
    state: State,
    /// The line that is read, as far as it came.
    line: Vec<u8>,
    chain: Option<Chain>,
    declared: Option<Vec<String>>,
    /// Bytes within frames that are still to come.
    left: u64,
    /// Bytes that have not gone on.
    undelivered: u64,
    held: Option<Held>,
    good: VecDeque<Bytes>,
    trailer_lines: Vec<String>,
    trailer_bytes: usize,
    trailers: Trailers,
}

impl Decoder {
    /// For a body of this many bytes. With a chain its chunks are signed. With names it may have trailers, which are
    /// among them.
    pub(super) fn new(length: u64, chain: Option<Chain>, declared: Option<Vec<String>>) -> Self {
        Self {
            state: State::Size,
            line: Vec::new(),
            chain,
            declared,
            left: length,
            undelivered: length,
            held: None,
            good: VecDeque::new(),
            trailer_lines: Vec::new(),
            trailer_bytes: 0,
            trailers: Trailers::default(),
        }
    }

    /// Where the trailers will be.
    pub(super) fn trailers(&self) -> Trailers {
        self.trailers.clone()
    }

    /// Whether all has come, and was good.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Bytes that have not gone on.
    pub(super) const fn undelivered(&self) -> u64 {
        self.undelivered
    }

    /// The next bytes within the frames; none if more input is needed.
    pub(super) fn decode(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, ChunkedError> {
        loop {
            if let Some(data) = self.good.pop_front() {
                self.undelivered -= data.len() as u64;
                return Ok(Some(data));
            }
            if input.is_empty() {
                return Ok(None);
            }
            match self.state {
                State::Size => {
                    if let Some(line) = self.read_line(input, LINE_BYTES_MAX, ChunkedError::Malformed)? {
                        self.begin_chunk(&line)?;
                    }
                }
                State::Data(left) => self.take_data(left, input)?,
                State::DataEnd => match self.read_line(input, LINE_BYTES_MAX, ChunkedError::Malformed)? {
                    Some(line) if line.is_empty() => self.state = State::Size,
                    Some(_) => return Err(ChunkedError::Malformed),
                    None => {}
                },
                State::Trailers => {
                    if let Some(line) = self.read_line(input, TRAILER_BYTES_MAX, ChunkedError::MalformedTrailer)? {
                        self.take_trailer(line)?;
                    }
                }
                State::Ended => return Err(ChunkedError::Malformed),
            }
        }
    }

    /// A line without its end; none if its end has not come.
    fn read_line(
        &mut self,
        input: &mut Bytes,
        most: usize,
        too_long: ChunkedError,
    ) -> Result<Option<String>, ChunkedError> {
        let end = memchr::memchr(b'\n', input);
        let taken = input.split_to(end.map_or(input.len(), |at| at + 1));
        if self.line.len() + taken.len() > most {
            return Err(too_long);
        }
        self.line.extend_from_slice(&taken);
        if end.is_none() {
            return Ok(None);
        }
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        std::str::from_utf8(line).map(|line| Some(line.to_owned())).map_err(|_| too_long)
    }

    fn begin_chunk(&mut self, line: &str) -> Result<(), ChunkedError> {
        let (size, extension) = line.split_once(';').unwrap_or((line, ""));
        let is_hex = !size.is_empty() && size.bytes().all(|b| b.is_ascii_hexdigit());
        let size = u64::from_str_radix(size, 16).ok().filter(|_| is_hex).ok_or(ChunkedError::Malformed)?;
        if self.chain.is_some() {
            let signature = extension.strip_prefix("chunk-signature=").ok_or(ChunkedError::Malformed)?;
            if size > SIGNED_CHUNK_BYTES_MAX {
                return Err(ChunkedError::ChunkTooLarge);
            }
            let signature = signature.to_owned();
            self.held = Some(Held { signature, context: Context::new(&SHA256), bytes: BytesMut::new() });
        }
        self.left = self.left.checked_sub(size).ok_or(ChunkedError::Incomplete)?;
        if size == 0 {
            self.end_chunk()?;
            self.state = State::Trailers;
        } else {
            self.state = State::Data(size);
        }
        Ok(())
    }

    fn take_data(&mut self, left: u64, input: &mut Bytes) -> Result<(), ChunkedError> {
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        let data = input.split_to(size);
        match &mut self.held {
            Some(held) => {
                held.context.update(&data);
                held.bytes.extend_from_slice(&data);
            }
            None => self.good.push_back(data),
        }
        let left = left - size as u64;
        self.state = State::Data(left);
        if left == 0 {
            self.end_chunk()?;
            self.state = State::DataEnd;
        }
        Ok(())
    }

    /// Holds a signed chunk against its signature, from which the next one goes on.
    fn end_chunk(&mut self) -> Result<(), ChunkedError> {
        let (Some(chain), Some(held)) = (&mut self.chain, self.held.take()) else { return Ok(()) };
        let text = format!(
            "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{EMPTY_SHA256}\n{}",
            chain.date_and_scope,
            chain.previous,
            hex::encode(held.context.finish())
        );
        if !chain.key.verify(text.as_bytes(), &held.signature) {
            return Err(ChunkedError::SignatureMismatch);
        }
        chain.previous = held.signature;
        if !held.bytes.is_empty() {
            self.good.push_back(held.bytes.freeze());
        }
        Ok(())
    }

    /// An empty line may stand before, between and behind trailers: clients differ.
    fn take_trailer(&mut self, line: String) -> Result<(), ChunkedError> {
        self.trailer_bytes += line.len();
        if self.trailer_bytes > TRAILER_BYTES_MAX {
            return Err(ChunkedError::MalformedTrailer);
        }
        if !line.is_empty() {
            self.trailer_lines.push(line);
        }
        Ok(())
    }

    /// The input has ended.
    pub(super) fn end(&mut self) -> Result<(), ChunkedError> {
        if !matches!(self.state, State::Trailers) || self.left > 0 {
            return Err(ChunkedError::Incomplete);
        }
        if !self.line.is_empty() {
            // The last line may lack its end.
            let line = std::mem::take(&mut self.line);
            let line = String::from_utf8(line).map_err(|_| ChunkedError::MalformedTrailer)?;
            self.take_trailer(line.trim_end().to_owned())?;
        }
        let trailers = self.read_trailers()?;
        *self.trailers.0.lock() = Some(trailers);
        self.state = State::Ended;
        Ok(())
    }

    fn read_trailers(&self) -> Result<HeaderMap, ChunkedError> {
        let (mut trailers, mut signature) = (HeaderMap::new(), None);
        for line in &self.trailer_lines {
            let (name, value) = line.split_once(':').ok_or(ChunkedError::MalformedTrailer)?;
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            if name == TRAILER_SIGNATURE {
                signature = Some(value);
                continue;
            }
            let is_declared = self.declared.as_ref().is_some_and(|declared| declared.contains(&name));
            let header = HeaderName::try_from(name).ok().zip(HeaderValue::from_str(value).ok());
            let (name, value) = header.filter(|_| is_declared).ok_or(ChunkedError::MalformedTrailer)?;
            trailers.append(name, value);
        }
        if let Some(chain) = &self.chain
            && (signature.is_some() || !trailers.is_empty())
        {
            let signature = signature.ok_or(ChunkedError::SignatureMismatch)?;
            verify_trailers(chain, &trailers, signature)?;
        }
        Ok(trailers)
    }
}

fn verify_trailers(chain: &Chain, trailers: &HeaderMap, signature: &str) -> Result<(), ChunkedError> {
    let mut pairs: Vec<_> = trailers.iter().collect();
    pairs.sort_by_key(|(name, _)| name.as_str());
    let mut canonical = Vec::new();
    for (name, value) in pairs {
        canonical.extend_from_slice(name.as_str().as_bytes());
        canonical.push(b':');
        canonical.extend_from_slice(value.as_bytes());
        canonical.push(b'\n');
    }
    let text = format!(
        "AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{}",
        chain.date_and_scope,
        chain.previous,
        hex::encode(digest(&SHA256, &canonical))
    );
    if chain.key.verify(text.as_bytes(), signature) { Ok(()) } else { Err(ChunkedError::SignatureMismatch) }
}
