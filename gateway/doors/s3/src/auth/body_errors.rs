//! Why a body is not what its sender said. A body ends with it, and the answer tells it.

use s3s::StdError;
use std::fmt;

/// Why a framed body is not good.
#[derive(Debug)]
pub(crate) enum ChunkedError {
    /// A chunk or the trailers are not what was signed.
    SignatureMismatch,
    /// It is not framed.
    Malformed,
    /// The trailers are none, or not those that were declared.
    MalformedTrailer,
    /// It ended early, or is not as long as declared.
    Incomplete,
    /// A signed chunk is larger than is held.
    ChunkTooLarge,
    /// It broke off.
    Underlying(StdError),
}

impl fmt::Display for ChunkedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SignatureMismatch => "a chunk is not what was signed",
            Self::Malformed => "the body is not in chunks",
            Self::MalformedTrailer => "the trailers of a body are not of their form",
            Self::Incomplete => "the chunks are not as long as declared",
            Self::ChunkTooLarge => "a signed chunk is too large",
            Self::Underlying(_) => "the body broke off",
        })
    }
}

impl std::error::Error for ChunkedError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Underlying(error) => Some(error.as_ref()),
            _ => None,
        }
    }
}

/// Why a body is not what was said of it.
#[derive(Debug)]
pub(crate) enum PayloadError {
    /// Its digest is another one.
    DigestMismatch,
    /// It broke off.
    Underlying(StdError),
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DigestMismatch => f.write_str("the body is not what x-amz-content-sha256 says"),
            Self::Underlying(_) => f.write_str("the body broke off"),
        }
    }
}

impl std::error::Error for PayloadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::DigestMismatch => None,
            Self::Underlying(error) => Some(error.as_ref()),
        }
    }
}
