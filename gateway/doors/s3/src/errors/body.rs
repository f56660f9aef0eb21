//! Errors of bodies: what the layers around s3s and the listener end a body with.

use super::{custom, malformed_trailer};
use crate::auth::{ChunkedError, PayloadError};
use crate::forms::file::FileError;
use http::StatusCode;
use s3s::{BodySizeLimitExceeded, S3Error, S3ErrorCode, StdError, s3_error};
use std::io;

/// Tells a client why its body was given up: the errors that s3s' streams end with, and the
/// listener's own.
pub(crate) fn body(error: StdError) -> S3Error {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error.as_ref());
    while let Some(error) = source {
        if let Some(refused) = known_body_error(error) {
            return refused;
        }
        source = error.source();
    }
    // The client went away or broke the framing; it will hardly read this.
    S3Error::new(S3ErrorCode::IncompleteBody)
}

fn known_body_error(error: &(dyn std::error::Error + 'static)) -> Option<S3Error> {
    if let Some(chunked) = error.downcast_ref::<ChunkedError>() {
        return match chunked {
            // What is beneath it says more.
            ChunkedError::Underlying(_) => None,
            ChunkedError::SignatureMismatch => Some(S3Error::new(S3ErrorCode::SignatureDoesNotMatch)),
            ChunkedError::Malformed | ChunkedError::Incomplete => Some(S3Error::new(S3ErrorCode::IncompleteBody)),
            ChunkedError::MalformedTrailer => Some(malformed_trailer()),
            ChunkedError::ChunkTooLarge => Some(S3Error::new(S3ErrorCode::EntityTooLarge)),
        };
    }
    if let Some(payload) = error.downcast_ref::<PayloadError>() {
        return match payload {
            PayloadError::Underlying(_) => None,
            PayloadError::DigestMismatch => Some(digest_mismatch()),
        };
    }
    if let Some(file) = error.downcast_ref::<FileError>() {
        return Some(file.refuse());
    }
    if error.is::<BodySizeLimitExceeded>() {
        return Some(S3Error::new(S3ErrorCode::EntityTooLarge));
    }
    let timed_out = error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut);
    timed_out.then(request_timeout)
}

/// The answer to what comes too slowly.
pub(crate) fn request_timeout() -> S3Error {
    s3_error!(
        RequestTimeout,
        "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed."
    )
}

/// The answer to a body of another digest.
pub(crate) fn digest_mismatch() -> S3Error {
    custom(
        "XAmzContentSHA256Mismatch",
        StatusCode::BAD_REQUEST,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    )
}
