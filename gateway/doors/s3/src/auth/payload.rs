//! What `x-amz-content-sha256` says of a body, and bodies that are held against it.

use super::body_errors::PayloadError;
use super::chunked::{Chunked, Trailers};
use super::promoted::Promoted;
use super::verified::Sender;
use super::words::invalid_argument;
use crate::errors::digest_mismatch;
use crate::exchange::Exchange;
use aws_lc_rs::digest::{Context, SHA256, digest};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use http_body::{Body as _, Frame, SizeHint};
use s3s::{Body, S3Error, S3ErrorCode, S3Result, s3_error};
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

pub(super) const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const DECODED_LENGTH: HeaderName = HeaderName::from_static("x-amz-decoded-content-length");
const TRAILER: HeaderName = HeaderName::from_static("x-amz-trailer");

/// What is said of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payload {
    /// Nothing.
    Unsigned,
    /// Its digest.
    Digest([u8; 32]),
    /// It comes in chunks of the encoding `aws-chunked`.
    Chunks {
        /// Each of which is signed.
        signed: bool,
        /// Which trailers may follow.
        trailers: bool,
    },
    /// It comes in chunks that are signed by a key pair.
    ChunksOfPairs,
}

/// Who answers for what is said of a body.
#[derive(Clone, Copy)]
pub(super) enum SignedBy<'a> {
    /// The sender, with each request.
    Header(&'a Sender),
    /// Whoever signed the address, before the body was known.
    Address,
    Nobody,
}

impl Payload {
    /// Reads the header, or the parameter that stands for it.
    pub(super) fn of(headers: &HeaderMap, promoted: &Promoted, exchange: &Exchange) -> S3Result<Self> {
        let Some(value) = headers.get(&CONTENT_SHA256).or_else(|| promoted.get(&CONTENT_SHA256)) else {
            // Of clients that sign nothing botocore frames bodies without saying so here.
            let framed = is_framed(headers) && (headers.contains_key(DECODED_LENGTH) || headers.contains_key(TRAILER));
            return Ok(if framed { Self::Chunks { signed: false, trailers: true } } else { Self::Unsigned });
        };
        let is_one = headers.get_all(&CONTENT_SHA256).iter().count() <= 1;
        Self::parse(value.as_bytes()).filter(|_| is_one).ok_or_else(|| {
            let why = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
                       STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, \
                       STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or \
                       a valid sha256 value.";
            let value = String::from_utf8_lossy(value.as_bytes());
            invalid_argument(exchange, CONTENT_SHA256.as_str(), value, why)
        })
    }

    fn parse(value: &[u8]) -> Option<Self> {
        Some(match value {
            b"UNSIGNED-PAYLOAD" => Self::Unsigned,
            b"STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Self::Chunks { signed: false, trailers: true },
            b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Self::Chunks { signed: true, trailers: false },
            b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Self::Chunks { signed: true, trailers: true },
            b"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD" | b"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER" => {
                Self::ChunksOfPairs
            }
            hex => {
                let mut bytes = [0; 32];
                hex::decode_to_slice(hex, &mut bytes).ok()?;
                Self::Digest(bytes)
            }
        })
    }

    /// Holds a body against it; where it is framed, the body is what is within the frames, and so is the length that
    /// the headers declare.
    pub(super) fn guard(
        self,
        body: Body,
        headers: &mut HeaderMap,
        by: SignedBy<'_>,
        exchange: &Exchange,
    ) -> S3Result<(Body, Option<Trailers>)> {
        match (self, by) {
            (Self::Chunks { signed: true, .. } | Self::ChunksOfPairs, SignedBy::Nobody) => Err(s3_error!(
                InvalidRequest,
                "Anonymous requests don't support this x-amz-content-sha256 value. Please use UNSIGNED-PAYLOAD or \
                 STREAMING-UNSIGNED-PAYLOAD-TRAILER."
            )),
            (Self::ChunksOfPairs, _) => Err(super::words::mechanism_refused()),
            (Self::Unsigned, _) => {
                refuse_frames(headers)?;
                Ok((body, None))
            }
            (Self::Digest(expected), _) => {
                refuse_frames(headers)?;
                Ok((Digested::guard(body, expected, exchange)?, None))
            }
            (Self::Chunks { signed, trailers }, by) => {
                let chain = match by {
                    SignedBy::Header(sender) if signed => sender.chain.clone(),
                    _ if signed => {
                        return Err(s3_error!(InvalidRequest, "The value of x-amz-content-sha256 header is invalid."));
                    }
                    _ => None,
                };
                let length = decoded_length(headers)?;
                let chunked = Chunked::new(body, length, chain, trailers.then(|| declared(headers)));
                let found = chunked.trailers();
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
                Ok((Body::http_body(chunked), Some(found)))
            }
        }
    }
}

/// Whether `Content-Encoding` says that a body is framed.
fn is_framed(headers: &HeaderMap) -> bool {
    let encodings = headers.get_all(header::CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    encodings.flat_map(|value| value.split(',')).any(|name| name.trim().eq_ignore_ascii_case("aws-chunked"))
}

/// A body that says how long it is without its frames has frames: they must not be stored.
fn refuse_frames(headers: &HeaderMap) -> S3Result<()> {
    if is_framed(headers) && headers.contains_key(DECODED_LENGTH) {
        return Err(s3_error!(
            InvalidRequest,
            "A body of the encoding aws-chunked needs the x-amz-content-sha256 value \
             STREAMING-UNSIGNED-PAYLOAD-TRAILER or one that says how its chunks are signed."
        ));
    }
    Ok(())
}

fn decoded_length(headers: &HeaderMap) -> S3Result<u64> {
    let length = headers.get(DECODED_LENGTH).and_then(|value| value.to_str().ok());
    let length = length.filter(|text| text.bytes().all(|b| b.is_ascii_digit())).and_then(|text| text.parse().ok());
    length.ok_or_else(|| S3Error::new(S3ErrorCode::MissingContentLength))
}

/// Names of trailers that a request promises.
fn declared(headers: &HeaderMap) -> Vec<String> {
    let names = headers.get_all(TRAILER).iter().filter_map(|value| value.to_str().ok());
    names.flat_map(|names| names.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect()
}

pin_project_lite::pin_project! {
    /// A body that fails before its last byte is out if its digest is not what was said.
    struct Digested {
        #[pin]
        inner: Body,
        // None once it was compared.
        context: Option<Context>,
        expected: [u8; 32],
        exchange: Exchange,
    }
}

impl Digested {
    fn guard(body: Body, expected: [u8; 32], exchange: &Exchange) -> S3Result<Body> {
        if body.is_end_stream() {
            let is_good = compare(digest(&SHA256, &[]).as_ref(), &expected, exchange);
            return if is_good { Ok(body) } else { Err(digest_mismatch()) };
        }
        let context = Some(Context::new(&SHA256));
        Ok(Body::http_body(Self { inner: body, context, expected, exchange: exchange.clone() }))
    }
}

fn compare(computed: &[u8], expected: &[u8; 32], exchange: &Exchange) -> bool {
    if computed == expected {
        return true;
    }
    exchange.detail("ClientComputedContentSHA256", hex::encode(expected));
    exchange.detail("S3ComputedContentSHA256", hex::encode(computed));
    false
}

impl http_body::Body for Digested {
    type Data = Bytes;
    type Error = PayloadError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Option<Result<Frame<Bytes>, PayloadError>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx)).transpose().map_err(PayloadError::Underlying)?;
        let data = frame.as_ref().and_then(Frame::data_ref);
        if let (Some(context), Some(data)) = (this.context.as_mut(), data) {
            context.update(data);
        }
        let is_last = frame.is_none() || this.inner.is_end_stream();
        if let Some(context) = this.context.take_if(|_| is_last)
            && !compare(context.finish().as_ref(), this.expected, this.exchange)
        {
            return Poll::Ready(Some(Err(PayloadError::DigestMismatch)));
        }
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.context.is_none() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_digests_are_taken() {
        for word in ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", &"0a".repeat(32), &"0A".repeat(32)] {
            assert!(Payload::parse(word.as_bytes()).is_some(), "{word}");
        }
        for word in ["", "unsigned-payload", "GIBBERISH", "0a", &"0g".repeat(32), &"0a".repeat(33)] {
            assert_eq!(Payload::parse(word.as_bytes()), None, "{word}");
        }
    }
}
