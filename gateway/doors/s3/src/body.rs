//! Bodies between s3s and the domain.

use crate::errors;
use crate::exchange::Exchange;
use bytes::{Bytes, BytesMut};
use cofre_objects::{Body, BodyError, ByteStream};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http_body::{Frame, SizeHint};
use s3s::dto::StreamingBlob;
use s3s::stream::{ByteStream as S3sStream, RemainingLength};
use s3s::{S3Error, S3ErrorCode, S3Result, StdError};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Bodies up to this many bytes are gathered before the domain sees them, so that a small object is
/// one buffer and one append; the memory is bounded by it times the requests in flight.
const WHOLE_BYTES_MAX: u64 = 128 * 1024;

/// A request's body as the domain takes it, of a declared length.
pub(crate) async fn to_domain(body: Option<StreamingBlob>, length: u64) -> S3Result<Body> {
    let Some(mut body) = body else { return Ok(Body::Whole(Bytes::new())) };
    if length > WHOLE_BYTES_MAX {
        let stream: ByteStream = Box::pin(body.map_err(BodyError));
        return Ok(Body::Stream { stream, size: Some(length) });
    }
    let mut whole = Bytes::new();
    let mut gathered: Option<BytesMut> = None;
    let mut got = 0;
    // Polled to its end: only there does a stream say that its signature or checksum is good.
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(errors::body)?;
        got += piece.len() as u64;
        if got > length {
            return Err(S3Error::new(S3ErrorCode::IncompleteBody));
        }
        match &mut gathered {
            Some(gathered) => gathered.extend_from_slice(&piece),
            None if whole.is_empty() => whole = piece,
            None => {
                let mut pieces = BytesMut::with_capacity(usize::try_from(length).unwrap_or_default());
                pieces.extend_from_slice(&whole);
                pieces.extend_from_slice(&piece);
                gathered = Some(pieces);
            }
        }
    }
    if got < length {
        return Err(S3Error::new(S3ErrorCode::IncompleteBody));
    }
    Ok(Body::Whole(gathered.map_or(whole, BytesMut::freeze)))
}

/// A body as the domain takes it, whose length nobody declared.
pub(crate) async fn of_any_length<S>(body: S) -> S3Result<Body>
where
    S: Stream<Item = Result<Bytes, StdError>> + Send + Sync + 'static,
{
    let mut body: ByteStream = Box::pin(body.map_err(BodyError));
    let mut gathered = BytesMut::new();
    while let Some(piece) = body.next().await {
        gathered.extend_from_slice(&piece.map_err(|error| errors::body(error.0))?);
        if gathered.len() as u64 > WHOLE_BYTES_MAX {
            let first = stream::iter([Ok(gathered.freeze())]);
            return Ok(Body::Stream { stream: Box::pin(first.chain(body)), size: None });
        }
    }
    Ok(Body::Whole(gathered.freeze()))
}

/// Bytes of an object on their way out. A stream that ends before its size is an error, so that a
/// short body never looks like a good answer.
pub(crate) struct SizedStream {
    inner: ByteStream,
    remaining: u64,
}

impl SizedStream {
    pub(crate) fn new(inner: ByteStream, size: u64) -> Self {
        Self { inner, remaining: size }
    }
}

impl Stream for SizedStream {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.remaining == 0 {
            return Poll::Ready(None);
        }
        let wrong = |what| Poll::Ready(Some(Err(io::Error::other(what).into())));
        match ready!(self.inner.as_mut().poll_next(cx)) {
            Some(Ok(bytes)) => match self.remaining.checked_sub(bytes.len() as u64) {
                Some(remaining) => {
                    self.remaining = remaining;
                    Poll::Ready(Some(Ok(bytes)))
                }
                None => wrong("the content is longer than its record says"),
            },
            Some(Err(error)) => Poll::Ready(Some(Err(error.0))),
            None => wrong("the content is shorter than its record says"),
        }
    }
}

impl S3sStream for SizedStream {
    fn remaining_length(&self) -> RemainingLength {
        usize::try_from(self.remaining).map_or_else(|_| RemainingLength::unknown(), RemainingLength::new_exact)
    }
}

pin_project_lite::pin_project! {
    /// A request's body that counts what came.
    pub(crate) struct CountedBody<B> {
        #[pin]
        inner: B,
        exchange: Exchange,
    }
}

impl<B> CountedBody<B> {
    pub(crate) fn new(inner: B, exchange: Exchange) -> Self {
        Self { inner, exchange }
    }
}

impl<B: http_body::Body<Data = Bytes>> http_body::Body for CountedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            this.exchange.received(data.len() as u64);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
