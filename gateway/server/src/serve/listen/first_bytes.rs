//! What a client speaks, by the first bytes that it sends.

use bytes::Bytes;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// What an HTTP/2 connection begins with (RFC 9113, section 3.4); no HTTP/1 method is like it.
const HTTP2_PREFACE: &[u8] = b"PRI ";

/// What a TLS connection begins with: a record of a handshake (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// Bytes that are read to tell.
const READ_BYTES: usize = 1024;

/// A protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoken {
    Http1,
    Http2,
    Tls,
}

/// Reads until it is clear what a client speaks; none if it says nothing and hangs up.
pub(super) async fn read<T: AsyncRead + Unpin>(mut io: T) -> io::Result<Option<(Spoken, Begun<T>)>> {
    let mut bytes = [0; READ_BYTES];
    let mut filled = 0;
    loop {
        let read = io.read(&mut bytes[filled..]).await?;
        filled += read;
        let begun = &bytes[..filled];
        let spoken = match begun.first() {
            None => return Ok(None),
            Some(&TLS_HANDSHAKE) => Spoken::Tls,
            Some(_) if begun.starts_with(HTTP2_PREFACE) => Spoken::Http2,
            Some(_) if read > 0 && HTTP2_PREFACE.starts_with(begun) => continue,
            Some(_) => Spoken::Http1,
        };
        return Ok(Some((spoken, Begun { bytes: Bytes::copy_from_slice(begun), io })));
    }
}

/// A stream whose first bytes were read already, and are read again.
#[derive(Debug)]
pub(super) struct Begun<T> {
    bytes: Bytes,
    io: T,
}

impl<T: AsyncRead + Unpin> AsyncRead for Begun<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.bytes.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, buf);
        }
        let length = self.bytes.len().min(buf.remaining());
        buf.put_slice(&self.bytes.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Begun<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    async fn told(pieces: &[&[u8]]) -> Option<(Spoken, Vec<u8>)> {
        let (mut client, server) = tokio::io::duplex(4096);
        let reading = read(server);
        let writing = async {
            for piece in pieces {
                client.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            drop(client);
        };
        let (read, ()) = tokio::join!(reading, writing);
        let (spoken, mut begun) = read.unwrap()?;
        let mut all = Vec::new();
        begun.read_to_end(&mut all).await.unwrap();
        Some((spoken, all))
    }

    #[tokio::test]
    async fn knows_what_comes_however_it_comes() {
        for (pieces, spoken) in [
            (&[&b"GET / HTTP/1.1\r\n"[..], b"\r\n"][..], Spoken::Http1),
            (&[b"P", b"UT / HTTP/1.1\r\n\r\n"], Spoken::Http1),
            (&[b"PR", b"I * HTTP/2.0\r\n\r\nSM\r\n\r\n"], Spoken::Http2),
            (&[b"PRI * HTTP/2.0\r\n"], Spoken::Http2),
            (&[b"\x16\x03\x01\x00"], Spoken::Tls),
            (&[b"P"], Spoken::Http1),
        ] {
            assert_eq!(told(pieces).await, Some((spoken, pieces.concat())), "{pieces:?}");
        }
        assert_eq!(told(&[]).await, None);
    }
}
