//! Bodies of the encoding `aws-chunked` (AWS, "Signature Calculations for the Authorization Header: Transferring
//! Payload in Multiple Chunks" and "... Including trailing headers").
//!
//! # Limits
//! A signed chunk is held whole until its signature is good: nothing unsigned goes on. All other chunks pass through.

mod decoder;

use super::body_errors::ChunkedError;
use super::verified::Chain;
use bytes::Bytes;
use decoder::Decoder;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use parking_lot::Mutex;
use s3s::Body;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// What comes behind a body, once it came and is good.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trailers(Arc<Mutex<Option<HeaderMap>>>);

impl Trailers {
    /// Looks at the trailers; none if they have not come.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&HeaderMap) -> T) -> Option<T> {
        self.0.lock().as_ref().map(look)
    }
}

pin_project_lite::pin_project! {
    /// The body within the frames.
    pub(super) struct Chunked {
        #[pin]
        inner: Body,
        input: Bytes,
        decoder: Decoder,
    }
}

impl Chunked {
    /// The body of this many bytes within `inner`. With a chain its chunks are signed. With names it may have trailers,
    /// which are among them.
    pub(super) fn new(inner: Body, length: u64, chain: Option<Chain>, declared: Option<Vec<String>>) -> Self {
        let decoder = Decoder::new(length, chain, declared);
        Self { inner, input: Bytes::new(), decoder }
    }

    /// Where the trailers will be.
    pub(super) fn trailers(&self) -> Trailers {
        self.decoder.trailers()
    }
}

impl http_body::Body for Chunked {
    type Data = Bytes;
    type Error = ChunkedError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ChunkedError>>> {
        let mut this = self.project();
        loop {
            if let Some(data) = this.decoder.decode(this.input)? {
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
            if this.decoder.has_ended() {
                return Poll::Ready(None);
            }
            match ready!(http_body::Body::poll_frame(this.inner.as_mut(), cx)) {
                Some(frame) => {
                    // Trailers of HTTP are no part of the encoding.
                    if let Ok(data) = frame.map_err(ChunkedError::Underlying)?.into_data() {
                        *this.input = data;
                    }
                }
                None => this.decoder.end()?,
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.decoder.undelivered())
    }
}

#[cfg(test)]
mod tests {
    use super::decoder::{LINE_BYTES_MAX, SIGNED_CHUNK_BYTES_MAX};
    use super::*;
    use crate::auth::scope::Scope;
    use http_body_util::BodyExt;
    use proptest::prelude::*;
    use s3s::StdError;

    const DATE: &str = "20130524T000000Z";

    fn chain() -> Chain {
        let scope = Scope { access_key: "AKIAIOSFODNN7EXAMPLE", date: "20130524", region: "us-east-1" };
        Chain {
            key: scope.signing_key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            date_and_scope: format!("{DATE}\n{scope}"),
            previous: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9".to_owned(),
        }
    }

    /// What a body in pieces of this size is within its frames, and its trailers.
    fn decode(
        body: &[u8],
        size: usize,
        length: u64,
        chain: Option<Chain>,
        declared: Option<&[&str]>,
    ) -> Result<(Vec<u8>, Vec<String>), String> {
        let pieces: Vec<_> = body
            .chunks(size.max(1))
            .map(|piece| Ok::<_, StdError>(Frame::data(Bytes::copy_from_slice(piece))))
            .collect();
        let inner = Body::http_body(http_body_util::StreamBody::new(futures_util::stream::iter(pieces)));
        let declared = declared.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        let chunked = Chunked::new(inner, length, chain, declared);
        let trailers = chunked.trailers();
        let collected = futures_util::FutureExt::now_or_never(chunked.collect()).unwrap();
        let whole = collected.map_err(|error| format!("{error:?}"))?.to_bytes().to_vec();
        let shown =
            |map: &HeaderMap| map.iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect();
        Ok((whole, trailers.read(shown).unwrap_or_default()))
    }

    /// AWS, "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks".
    fn example() -> Vec<u8> {
        let mut body =
            b"10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n".to_vec();
        body.extend_from_slice(&[b'a'; 65536]);
        body.extend_from_slice(
            b"\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n",
        );
        body.extend_from_slice(&[b'a'; 1024]);
        body.extend_from_slice(
            b"\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n",
        );
        body
    }

    #[test]
    fn reads_the_example() {
        for size in [1_000, 1 << 20] {
            let (whole, trailers) = decode(&example(), size, 66_560, Some(chain()), None).unwrap();
            assert!(whole == [b'a'; 66_560] && trailers.is_empty());
        }
    }

    /// Each piece of its own would hold tens of bytes of memory for one of content.
    #[test]
    fn a_signed_chunk_in_pieces_of_a_byte_is_one_buffer() {
        let example = example();
        let pieces: Vec<_> =
            example.chunks(1).map(|byte| Ok::<_, StdError>(Frame::data(Bytes::copy_from_slice(byte)))).collect();
        let inner = Body::http_body(http_body_util::StreamBody::new(futures_util::stream::iter(pieces)));
        let mut chunked = Box::pin(Chunked::new(inner, 66_560, Some(chain()), None));
        let mut passed_on = Vec::new();
        while let Some(frame) = futures_util::FutureExt::now_or_never(chunked.frame()).unwrap() {
            passed_on.push(frame.unwrap().into_data().unwrap().len());
        }
        assert_eq!(passed_on, [65_536, 1_024]);
    }

    #[test]
    fn a_changed_chunk_is_not_passed_on() {
        for (at, told) in [(100, "SignatureMismatch"), (65_700, "SignatureMismatch"), (30, "SignatureMismatch")] {
            let mut body = example();
            body[at] = b'b';
            assert_eq!(decode(&body, 1_000, 66_560, Some(chain()), None).unwrap_err(), told, "{at}");
        }
    }

    #[test]
    fn frames_that_are_none_are_refused() {
        let names: &[&str] = &["x-amz-checksum-crc32"];
        for (body, length, told) in [
            ("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", 5, ""),
            ("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\n\r\n", 5, ""),
            ("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==", 5, ""),
            ("5\r\nhello\r\n0\r\n\r\n", 5, ""),
            ("5\r\nhello\r\n0\r\n", 5, ""),
            ("0\r\n\r\n", 0, ""),
            ("hello", 5, "Incomplete"),
            ("hello\r\n", 5, "Malformed"),
            ("5\r\nhello", 5, "Incomplete"),
            ("5\r\nhello\r\n", 5, "Incomplete"),
            ("5\r\nhello!\r\n0\r\n\r\n", 5, "Malformed"),
            ("5\r\nhello\r\n0\r\n\r\n", 6, "Incomplete"),
            ("5\r\nhello\r\n0\r\n\r\n", 4, "Incomplete"),
            ("+5\r\nhello\r\n0\r\n\r\n", 5, "Malformed"),
            ("-1\r\n", 5, "Malformed"),
            ("\r\n", 0, "Malformed"),
            ("ffffffffffffffffff\r\n", 5, "Malformed"),
            ("ffffffffffffffff\r\n", 5, "Incomplete"),
            ("0\r\nx-amz-meta-a:b\r\n\r\n", 0, "MalformedTrailer"),
            ("0\r\nno trailer\r\n\r\n", 0, "MalformedTrailer"),
        ] {
            for size in [1, 3, 100] {
                let outcome = decode(body.as_bytes(), size, length, None, Some(names));
                assert_eq!(outcome.err().unwrap_or_default(), told, "{body:?} of {length}");
            }
        }
        let long = "1".repeat(LINE_BYTES_MAX + 1);
        assert_eq!(decode(long.as_bytes(), 100, 5, None, None).unwrap_err(), "Malformed");
        let long = format!("0\r\n{}", "\r\nx-amz-checksum-crc32:NhCmhg==".repeat(1_000));
        assert_eq!(decode(long.as_bytes(), 100, 0, None, Some(names)).unwrap_err(), "MalformedTrailer");
        let large = format!("{:x};chunk-signature={}\r\n", SIGNED_CHUNK_BYTES_MAX + 1, "0".repeat(64));
        assert_eq!(decode(large.as_bytes(), 100, 1 << 40, Some(chain()), None).unwrap_err(), "ChunkTooLarge");
        assert_eq!(decode(b"5\r\nhello\r\n", 100, 5, Some(chain()), None).unwrap_err(), "Malformed", "unsigned");
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..50), 0..8), size in 1_usize..60) {
            let mut body = Vec::new();
            for chunk in &chunks {
                body.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
                body.extend_from_slice(chunk);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(b"0\r\nX-Amz-Checksum-Crc32: AAAAAA==\r\n\r\n");
            let whole = chunks.concat();
            let decoded = decode(&body, size, whole.len() as u64, None, Some(&["x-amz-checksum-crc32"]));
            prop_assert_eq!(decoded, Ok((whole, vec!["x-amz-checksum-crc32=AAAAAA==".to_owned()])));
        }

        #[test]
        fn any_bytes_are_taken(body in proptest::collection::vec(any::<u8>(), 0..200), size in 1_usize..60, length in 0_u64..300) {
            let whole = decode(&body, body.len(), length, None, Some(&[]));
            prop_assert_eq!(whole, decode(&body, size, length, None, Some(&[])));
        }
    }
}
