//! What clients get for a head that is none.
//!
//! hyper answers a head that it cannot read by itself, by a status alone, and asks nobody. On HTTP/1 that answer is known
//! by what it lacks, and another one goes in its place, with a code, advice and an id. On HTTP/2 it is a frame of the h2
//! crate's, compressed by the state of its connection, and stays as it is.

use super::refusal::{Refusal, Refuser};
use bytes::{Buf, Bytes};
use http::StatusCode;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;

/// Headers that hyper gives its own answers. All others have an id.
const OWN_HEADERS: [&[u8]; 3] = [b"connection", b"content-length", b"date"];

/// An answer that goes in the place of another one.
#[derive(Debug)]
pub(super) struct Substitute {
    left: Bytes,
    stands_for: usize,
}

impl Substitute {
    /// What goes in the place of these bytes; none if they are not hyper's own.
    pub(super) fn of(bytes: &[u8], refuser: &Refuser) -> Option<Self> {
        let refusal = refusal(bytes)?;
        Some(Self { left: refuser.bytes(&refusal).into(), stands_for: bytes.len() })
    }

    /// Writes it; the length of what it stands for, once all of it went.
    pub(super) fn poll_write<T>(&mut self, io: &mut T, cx: &mut Context<'_>) -> Poll<io::Result<usize>>
    where
        T: AsyncWrite + Unpin,
    {
        while self.left.has_remaining() {
            let written = ready!(Pin::new(&mut *io).poll_write(cx, &self.left))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.left.advance(written);
        }
        Poll::Ready(Ok(self.stands_for))
    }
}

/// What hyper means by an answer of its own.
fn refusal(head: &[u8]) -> Option<Refusal> {
    let rest = head.strip_prefix(b"HTTP/1.1 ").or_else(|| head.strip_prefix(b"HTTP/1.0 "))?;
    let (status, code, advice) = match rest.get(..3)? {
        b"400" => (StatusCode::BAD_REQUEST, "BadRequest", "An error occurred when parsing the HTTP request."),
        b"414" => {
            (StatusCode::URI_TOO_LONG, "RequestURITooLong", "The address of the request is longer than a key may be.")
        }
        b"431" => (
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "RequestHeaderSectionTooLarge",
            "Your request header and query parameters exceed the maximum allowed size: all of a head has 16 KiB.",
        ),
        _ => return None,
    };
    let mut lines = rest.strip_suffix(b"\r\n\r\n")?.split(|byte| *byte == b'\n').skip(1);
    let is_own = |line: &[u8]| {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        OWN_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name))
    };
    lines.all(is_own).then(|| Refusal { status, code, advice: advice.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hypers_own_answers_are_replaced() {
        let own = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\
            date: Sun, 29 Nov 2026 10:00:00 GMT\r\n\r\n";
        assert_eq!(refusal(own).map(|refusal| refusal.code), Some("RequestHeaderSectionTooLarge"));
        assert!(refusal(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").is_some());
        for other in [
            &b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"[..],
            b"HTTP/1.1 400 Bad Request\r\nx-amz-request-id: 1\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.1 400 Bad Request\r\ncontent-length: 5\r\n\r\n<Erro",
            b"HTTP/1.1 40",
            b"400",
            b"",
        ] {
            assert_eq!(refusal(other), None, "{}", String::from_utf8_lossy(other));
        }
    }
}
