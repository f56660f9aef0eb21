//! What a client speaks, by the first bytes that it sends.

use super::proxy_header::{self, Malformed, ProxyHeader};
use bytes::{Buf, Bytes};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// What an HTTP/2 connection begins with (RFC 9113, section 3.4); no HTTP/1 method is like it.
const HTTP2_PREFACE: &[u8] = b"PRI ";

/// What a TLS connection begins with: a record of a handshake (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// Bytes that are read at a time to tell.
const READ_BYTES: usize = 1024;

/// A protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoken {
    Http1,
    Http2,
    Tls,
    /// A header of the PROXY protocol; what is behind it says what follows.
    Proxy,
}

impl Spoken {
    /// What these bytes are the beginning of; none if more of them are needed to tell.
    fn of(begun: &[u8]) -> Option<Self> {
        let openings =
            [(HTTP2_PREFACE, Self::Http2), (proxy_header::LINE, Self::Proxy), (proxy_header::SIGNATURE, Self::Proxy)];
        if begun.first() == Some(&TLS_HANDSHAKE) {
            return Some(Self::Tls);
        }
        if let Some((_, spoken)) = openings.iter().find(|(opening, _)| begun.starts_with(opening)) {
            return Some(*spoken);
        }
        let may_become = openings.iter().any(|(opening, _)| opening.starts_with(begun));
        (!may_become).then_some(Self::Http1)
    }
}

/// A stream whose first bytes were read already, and are read again.
#[derive(Debug)]
pub(super) struct Begun<T> {
    bytes: Bytes,
    io: T,
}

impl<T: AsyncRead + Unpin> Begun<T> {
    /// A stream of which nothing was read yet.
    pub(super) const fn new(io: T) -> Self {
        Self { bytes: Bytes::new(), io }
    }

    /// What was read.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads until it is clear what a client speaks; none if it says nothing and hangs up.
    pub(super) async fn spoken(&mut self) -> io::Result<Option<Spoken>> {
        loop {
            match Spoken::of(&self.bytes) {
                Some(spoken) => return Ok(Some(spoken)),
                None if self.read_more().await? => {}
                None if self.bytes.is_empty() => return Ok(None),
                None => return Ok(Some(Spoken::Http1)),
            }
        }
    }

    /// Reads a header of the PROXY protocol, and leaves what is behind it.
    pub(super) async fn proxy_header(&mut self) -> io::Result<Result<ProxyHeader, Malformed>> {
        loop {
            match ProxyHeader::parse(&self.bytes) {
                Ok(Some((header, length))) => {
                    self.bytes.advance(length);
                    return Ok(Ok(header));
                }
                Ok(None) if self.read_more().await? => {}
                Ok(None) => return Ok(Err(Malformed("it is cut off"))),
                Err(malformed) => return Ok(Err(malformed)),
            }
        }
    }

    /// Reads what comes; whether something did.
    async fn read_more(&mut self) -> io::Result<bool> {
        let mut bytes = [0; READ_BYTES];
        let read = self.io.read(&mut bytes).await?;
        self.bytes = match self.bytes.is_empty() {
            true => Bytes::copy_from_slice(&bytes[..read]),
            false => [&self.bytes, &bytes[..read]].concat().into(),
        };
        Ok(read > 0)
    }
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
        let mut begun = Begun::new(server);
        let reading = begun.spoken();
        let writing = async {
            for piece in pieces {
                client.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            drop(client);
        };
        let (read, ()) = tokio::join!(reading, writing);
        let spoken = read.unwrap()?;
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
            (&[b"PROX", b"Y TCP4"], Spoken::Proxy),
            (&[b"PROXIES / HTTP/1.1\r\n"], Spoken::Http1),
            (&[b"\r\n\r\n\0\r", b"\nQUIT\n\x20\0\0\0"], Spoken::Proxy),
            (&[b"\r\n", b"GET / HTTP/1.1\r\n"], Spoken::Http1),
        ] {
            assert_eq!(told(pieces).await, Some((spoken, pieces.concat())), "{pieces:?}");
        }
        assert_eq!(told(&[]).await, None);
    }

    #[tokio::test]
    async fn a_proxy_header_is_read_off() {
        let line = &b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n"[..];
        for pieces in [&[line, &b"GET /"[..]][..], &[&line[..9], &line[9..], b"GET /"], &[&[line, b"GET /"].concat()]] {
            let (mut client, server) = tokio::io::duplex(4096);
            let mut begun = Begun::new(server);
            let writing = async {
                for piece in pieces {
                    client.write_all(piece).await.unwrap();
                    tokio::task::yield_now().await;
                }
                drop(client);
            };
            let reading = async {
                assert_eq!(begun.spoken().await.unwrap(), Some(Spoken::Proxy));
                assert!(matches!(begun.proxy_header().await.unwrap(), Ok(ProxyHeader::Client(_))));
                assert_eq!(begun.spoken().await.unwrap(), Some(Spoken::Http1));
                let mut rest = Vec::new();
                begun.read_to_end(&mut rest).await.unwrap();
                assert_eq!(rest, b"GET /");
            };
            tokio::join!(reading, writing);
        }
        let mut cut = Begun::new(&line[..20]);
        assert!(cut.proxy_header().await.unwrap().is_err());
    }
}
