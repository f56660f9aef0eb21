use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use parking_lot::Mutex;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Bytes in order. An error ends the stream, and whoever reads it gives up what it was writing.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>> + Send + Sync>>;

/// What is to be written.
pub enum Body {
    /// All of it at once: a small blob.
    Whole(Bytes),
    /// In pieces. The stream vouches for its own content: it ends with an error if the bytes do not
    /// match what the client declared, and the blob must then never be.
    Stream {
        /// The pieces, of any size.
        stream: ByteStream,
        /// Bytes in all, where known.
        size: Option<u64>,
    },
}

impl Body {
    /// Bytes in all, where known.
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::Whole(bytes) => Some(bytes.len() as u64),
            Self::Stream { size, .. } => *size,
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "Body::Whole({} bytes)", bytes.len()),
            Self::Stream { size, .. } => write!(f, "Body::Stream({size:?})"),
        }
    }
}

/// Why a body ended early: the source's own error, handed through unchanged.
#[derive(Debug)]
pub struct BodyError(pub Box<dyn Error + Send + Sync>);

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for BodyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.as_ref())
    }
}

impl BodyError {
    /// The body did not have the size that was declared.
    pub fn wrong_size(declared: u64, received: u64) -> Self {
        Self(format!("{declared} bytes were declared and {received} came").into())
    }
}

/// Makes a stream `Sync`: whoever polls it has it to himself.
pub fn exclusive(stream: impl Stream<Item = Result<Bytes, BodyError>> + Send + 'static) -> ByteStream {
    Box::pin(Exclusive(Mutex::new(stream.boxed())))
}

/// The lock is never taken: whoever polls has the stream to himself.
struct Exclusive<S>(Mutex<S>);

impl<S: Stream + Unpin> Stream for Exclusive<S> {
    type Item = S::Item;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.0.get_mut().poll_next_unpin(cx)
    }
}
