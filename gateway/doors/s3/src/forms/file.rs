//! The file of a form, as it passes.

use crate::exchange::Exchange;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use memchr::memmem::Finder;
use memchr::memrchr;
use s3s::{S3Error, S3ErrorCode, StdError, s3_error};
use std::fmt;
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Most bytes behind the file that are read for the sake of the connection; they mean nothing.
const BEHIND_BYTES_MAX: usize = 64 * 1024;

/// Why a file was given up.
#[derive(Debug)]
pub(crate) enum FileError {
    /// The form ends without an end of its file.
    Malformed,
    /// It has more bytes than its policy allows.
    TooLarge,
    /// It has fewer bytes than its policy asks for.
    TooSmall,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the form ends without an end of its file",
            Self::TooLarge => "the file is larger than its policy allows",
            Self::TooSmall => "the file is smaller than its policy allows",
        })
    }
}

impl std::error::Error for FileError {}

impl FileError {
    /// What the client is told.
    pub(crate) fn refuse(&self) -> S3Error {
        match self {
            Self::Malformed => super::multipart::malformed(),
            Self::TooLarge => s3_error!(EntityTooLarge, "Your proposed upload exceeds the maximum allowed size"),
            Self::TooSmall => S3Error::with_message(
                S3ErrorCode::EntityTooSmall,
                "Your proposed upload is smaller than the minimum allowed size",
            ),
        }
    }
}

/// The bytes of a file, up to the delimiter behind it.
pub(crate) struct FileStream<B> {
    body: B,
    /// What came and was not handed on: between two polls, what may be the beginning of the delimiter.
    held: Bytes,
    delimiter: Finder<'static>,
    place: Place,
}

/// Where in the body a file is.
#[derive(Debug, Clone, Copy)]
enum Place {
    Content,
    /// Behind the file, with so many bytes that may still be read.
    Behind(usize),
    End,
}

impl<B> FileStream<B> {
    /// A file of which `held` came already.
    pub(super) fn new(body: B, held: Bytes, delimiter: Finder<'static>) -> Self {
        Self { body, held, delimiter, place: Place::Content }
    }

    /// Content that is here, before more of the body is read.
    fn next_held(&mut self) -> Option<Bytes> {
        let content = match self.delimiter.find(&self.held) {
            Some(at) => {
                self.place = Place::Behind(BEHIND_BYTES_MAX);
                let content = self.held.split_to(at);
                self.held.clear();
                content
            }
            None => self.held.split_to(self.held.len() - beginning(&self.held, self.delimiter.needle())),
        };
        (!content.is_empty()).then_some(content)
    }
}

impl<B: Stream<Item = Result<Bytes, StdError>> + Unpin> Stream for FileStream<B> {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            match this.place {
                Place::Content => {
                    if let Some(content) = this.next_held() {
                        return Poll::Ready(Some(Ok(content)));
                    }
                }
                Place::Behind(_) => {}
                Place::End => return Poll::Ready(None),
            }
            let more = ready!(this.body.poll_next_unpin(cx));
            match (this.place, more) {
                (_, Some(Err(error))) => {
                    this.place = Place::End;
                    return Poll::Ready(Some(Err(error)));
                }
                (Place::Content, Some(Ok(more))) => this.held = join(&this.held, more),
                (Place::Content, None) => {
                    this.place = Place::End;
                    return Poll::Ready(Some(Err(FileError::Malformed.into())));
                }
                (Place::Behind(left), Some(Ok(more))) => {
                    this.place = left.checked_sub(more.len()).map_or(Place::End, Place::Behind);
                }
                (Place::Behind(_) | Place::End, None) | (Place::End, Some(Ok(_))) => this.place = Place::End,
            }
        }
    }
}

/// How many bytes at the end may be the beginning of the delimiter. Its only carriage return is its
/// first byte, so only the last one here can begin it.
fn beginning(held: &[u8], delimiter: &[u8]) -> usize {
    let tail = &held[(held.len() + 1).saturating_sub(delimiter.len())..];
    match memrchr(b'\r', tail) {
        Some(at) if delimiter.starts_with(&tail[at..]) => tail.len() - at,
        _ => 0,
    }
}

fn join(held: &Bytes, more: Bytes) -> Bytes {
    if held.is_empty() {
        return more;
    }
    let mut both = BytesMut::with_capacity(held.len() + more.len());
    both.extend_from_slice(held);
    both.extend_from_slice(&more);
    both.freeze()
}

/// A file that is held to the sizes that its policy allows.
pub(crate) struct Measured<S> {
    pub(crate) inner: S,
    pub(crate) allowed: RangeInclusive<u64>,
    pub(crate) size: u64,
    /// Is told the details of a refusal.
    pub(crate) exchange: Exchange,
}

impl<S: Stream<Item = Result<Bytes, StdError>> + Unpin> Stream for Measured<S> {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = ready!(self.inner.poll_next_unpin(cx));
        let (min, max) = (*self.allowed.start(), *self.allowed.end());
        Poll::Ready(match piece {
            Some(Ok(piece)) => {
                self.size += piece.len() as u64;
                if self.size <= max {
                    return Poll::Ready(Some(Ok(piece)));
                }
                self.exchange.detail("MaxSizeAllowed", max.to_string());
                Some(Err(FileError::TooLarge.into()))
            }
            None if self.size < min => {
                self.exchange.detail("ProposedSize", self.size.to_string());
                self.exchange.detail("MinSizeAllowed", min.to_string());
                // Told once: what is polled again has ended.
                self.allowed = 0..=max;
                Some(Err(FileError::TooSmall.into()))
            }
            other => other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forms::multipart::{Delimiter, read};
    use futures_util::stream;
    use proptest::prelude::*;

    type Parsed = Result<(Vec<(String, String)>, Vec<u8>), String>;

    /// Reads a form that comes in pieces of these sizes.
    fn parse(body: &[u8], mut sizes: impl Iterator<Item = usize>) -> Parsed {
        let mut pieces = Vec::new();
        let mut rest = body;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(sizes.next().unwrap_or(rest.len()).clamp(1, rest.len()));
            pieces.push(Ok::<_, StdError>(Bytes::copy_from_slice(piece)));
            rest = after;
        }
        let told = |error: S3Error| error.code().as_str().to_owned();
        let read = async {
            let form = read(stream::iter(pieces), &Delimiter::new("b").map_err(told)?).await.map_err(told)?;
            let fields = form.fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let mut content = Vec::new();
            let mut file = form.file;
            while let Some(piece) = file.next().await {
                content.extend_from_slice(&piece.map_err(|error| error.to_string())?);
            }
            Ok((fields, content))
        };
        futures_util::FutureExt::now_or_never(read).expect("nothing to wait for")
    }

    fn form(fields: &[(String, String)], file: &[u8], behind: &[u8]) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend(format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
        }
        body.extend(b"--b\r\nContent-Disposition: form-data; name=\"file\"\r\nContent-Type: text/plain\r\n\r\n");
        body.extend(file);
        body.extend(b"\r\n--b");
        body.extend(behind);
        body
    }

    #[test]
    fn a_form_has_an_end_and_a_file() {
        let whole = form(&[], b"x", b"--\r\n");
        assert_eq!(parse(&whole, std::iter::empty()), Ok((vec![], b"x".to_vec())));
        for (body, told) in [
            (&whole[..whole.len() - 6], "the form ends without an end of its file"),
            (b"--b--\r\n", "InvalidArgument"),
            (b"", "MalformedPOSTRequest"),
            (b"--bad\r\n", "MalformedPOSTRequest"),
            (b"--b\r\n\r\n\r\n--b--", "MalformedPOSTRequest"),
        ] {
            let text = String::from_utf8_lossy(body).into_owned();
            assert_eq!(parse(body, std::iter::empty()), Err(told.to_owned()), "{text}");
        }
    }

    #[test]
    fn fields_are_bounded_and_the_file_is_not() {
        let field = |bytes: usize| vec![("a".to_owned(), "v".repeat(bytes))];
        let large = vec![b'x'; 1 << 20];
        assert!(parse(&form(&field(20_000), &large, b"--"), std::iter::empty()).is_ok());
        let told = Err("MaxPostPreDataLengthExceededError".to_owned());
        assert_eq!(parse(&form(&field(20_480), b"", b"--"), std::iter::empty()), told);
        assert_eq!(parse(&form(&field(1 << 20), b"", b"--"), std::iter::repeat(1000)), told);
        let many = |count: usize| (0..count).map(|i| (format!("x-ignore-{i}"), String::new())).collect::<Vec<_>>();
        assert!(parse(&form(&many(100), b"", b"--"), std::iter::empty()).is_ok());
        assert_eq!(parse(&form(&many(101), b"", b"--"), std::iter::empty()), told);
    }

    proptest! {
        #[test]
        fn what_was_sent_is_read_however_it_comes(
            values in proptest::collection::vec("[^\r]{0,20}", 0..4),
            file in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), any::<u8>()], 0..200),
            behind in prop_oneof![Just(&b"--\r\n"[..]), Just(&b"\r\nContent-Disposition: form-data; name=\"late\"\r\n\r\n"[..])],
            sizes in proptest::collection::vec(1_usize..40, 1..8),
        ) {
            prop_assume!(!file.windows(5).any(|run| run == b"\r\n--b"));
            let fields: Vec<_> = values.into_iter().enumerate().map(|(i, value)| (format!("f{i}"), value)).collect();
            let body = form(&fields, &file, behind);
            let parsed = parse(&body, sizes.into_iter().cycle());
            prop_assert_eq!(parsed, Ok((fields, file)));
        }
    }
}
