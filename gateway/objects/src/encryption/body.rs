//! Bodies that are encrypted or decrypted while they pass. A chunk takes some 20 microseconds, far less
//! than handing it to another thread and back.

use crate::error::Error;
use bytes::{Buf, Bytes, BytesMut};
use cofre_keys::DataKey;
use cofre_keys::stream::{HEAD_BYTES, Opener, Sealer, Span, StreamError, sealed_len};
use cofre_shards::{Body, BodyError, ByteStream};
use cofre_types::BlobId;
use futures_util::{Stream, StreamExt};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Encrypts what is to be written as a blob. `salt` is random.
pub(crate) fn seal_body(body: Body, key: &DataKey, blob: BlobId, salt: [u8; 32]) -> Result<Body, Error> {
    let (mut sealer, head) = Sealer::new(key, blob.as_bytes(), salt);
    match body {
        Body::Whole(mut plain) => {
            let mut sealed = BytesMut::with_capacity(sealed_len(plain.len() as u64) as usize);
            sealed.extend_from_slice(&head);
            while let Some(chunk) = sealer.push(&mut plain).map_err(failed)? {
                sealed.extend_from_slice(&chunk);
            }
            sealed.extend_from_slice(&sealer.finish().map_err(failed)?);
            Ok(Body::Whole(sealed.freeze()))
        }
        Body::Stream { stream, size } => {
            let sealing = Sealing { inner: stream, head: Some(head), sealer: Some(sealer), piece: Bytes::new() };
            Ok(Body::Stream { stream: Box::pin(sealing), size: size.map(sealed_len) })
        }
    }
}

fn failed(error: StreamError) -> Error {
    Error::Internal(error.to_string())
}

/// A body on its way to the shards. Its last chunk comes only after the body's own good end.
struct Sealing {
    inner: ByteStream,
    head: Option<Bytes>,
    sealer: Option<Sealer>,
    piece: Bytes,
}

impl Stream for Sealing {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Some(head) = this.head.take() {
            return Poll::Ready(Some(Ok(head)));
        }
        loop {
            let Some(sealer) = this.sealer.as_mut() else { return Poll::Ready(None) };
            match sealer.push(&mut this.piece) {
                Ok(None) => {}
                Ok(Some(chunk)) => return Poll::Ready(Some(Ok(chunk))),
                Err(error) => {
                    this.sealer = None;
                    return Poll::Ready(Some(Err(BodyError(Box::new(failed(error))))));
                }
            }
            match ready!(this.inner.poll_next_unpin(cx)) {
                Some(Ok(piece)) => this.piece = piece,
                Some(Err(error)) => {
                    this.sealer = None;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    let last = this.sealer.take().map(Sealer::finish);
                    return Poll::Ready(last.map(|last| last.map_err(|error| BodyError(Box::new(failed(error))))));
                }
            }
        }
    }
}

/// Decrypts a span. `stream` begins with the head, if `head` does not have it already.
pub(crate) async fn open_stream(
    mut stream: ByteStream,
    head: Option<[u8; HEAD_BYTES]>,
    key: &DataKey,
    blob: BlobId,
    span: Span,
) -> Result<ByteStream, Error> {
    let (head, piece) = match head {
        Some(head) => (head, Bytes::new()),
        None => take_head(&mut stream).await?,
    };
    let opener = Opener::new(key, blob.as_bytes(), &head, span).map_err(|error| unreadable(blob, &error))?;
    Ok(Box::pin(Opening { inner: stream, opener, blob, piece }))
}

/// Reads the head of a stream, and gives what came with it.
pub(crate) async fn take_head(stream: &mut ByteStream) -> Result<([u8; HEAD_BYTES], Bytes), Error> {
    let mut head = [0; HEAD_BYTES];
    let mut filled = 0;
    while let Some(piece) = stream.next().await {
        let mut piece = piece.map_err(|error| Error::Unreadable(error.to_string()))?;
        let taken = piece.len().min(HEAD_BYTES - filled);
        head[filled..filled + taken].copy_from_slice(&piece[..taken]);
        piece.advance(taken);
        filled += taken;
        if filled == HEAD_BYTES {
            return Ok((head, piece));
        }
    }
    Err(Error::Unreadable(StreamError::Length.to_string()))
}

fn unreadable(blob: BlobId, error: &StreamError) -> Error {
    Error::Unreadable(format!("blob {blob}: {error}"))
}

/// A span on its way to the client.
struct Opening {
    inner: ByteStream,
    opener: Opener,
    blob: BlobId,
    piece: Bytes,
}

impl Stream for Opening {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if this.opener.is_done() {
                return Poll::Ready(None);
            }
            match this.opener.push(&mut this.piece) {
                Ok(None) => {}
                Ok(Some(chunk)) => return Poll::Ready(Some(Ok(chunk))),
                Err(error) => return Poll::Ready(Some(Err(BodyError(Box::new(unreadable(this.blob, &error)))))),
            }
            match ready!(this.inner.poll_next_unpin(cx)) {
                Some(Ok(piece)) => this.piece = piece,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    let short = unreadable(this.blob, &StreamError::Length);
                    return Poll::Ready(Some(Err(BodyError(Box::new(short)))));
                }
            }
        }
    }
}
