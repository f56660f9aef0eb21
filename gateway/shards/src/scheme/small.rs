use crate::body::{Body, BodyError};
use crate::pool::WriteError;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};

/// A body, once it is known whether it is small.
pub(super) enum Sorted {
    /// Of at most as many bytes as were asked about.
    Small(Body),
    /// Of more.
    Large(Body),
}

/// Tells whether a body has at most `bytes_max` bytes. One of unknown size is read until that is decided.
pub(super) async fn sort(body: Body, bytes_max: u64) -> Result<Sorted, WriteError> {
    let mut stream = match body {
        body if body.size().is_some_and(|size| size <= bytes_max) => return Ok(Sorted::Small(body)),
        Body::Whole(_) | Body::Stream { size: Some(_), .. } => return Ok(Sorted::Large(body)),
        Body::Stream { stream, size: None } => stream,
    };
    let mut begun: Vec<Bytes> = Vec::new();
    let mut received = 0;
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(WriteError::Body)?;
        received += piece.len() as u64;
        begun.push(piece);
        if received > bytes_max {
            let begun = stream::iter(begun.into_iter().map(Ok::<_, BodyError>));
            return Ok(Sorted::Large(Body::Stream { stream: Box::pin(begun.chain(stream)), size: None }));
        }
    }
    let mut whole = BytesMut::with_capacity(received as usize);
    begun.iter().for_each(|piece| whole.extend_from_slice(piece));
    Ok(Sorted::Small(Body::Whole(whole.freeze())))
}
