//! A small HTTP/2 client over a plain socket, for what no proper client does: it takes frames when it is told to, and
//! gives no credit for them.

use crate::http::Request;
use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What a connection begins with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Longest frame that is taken or sent, in bytes (RFC 9113, section 4.2).
const FRAME_BYTES_MAX: usize = 16_384;

/// The longest that a server may say nothing.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Kinds of frames (RFC 9113, section 6).
pub mod kind {
    /// Bytes of a body.
    pub const DATA: u8 = 0;
    /// The head of a message.
    pub const HEADERS: u8 = 1;
    /// The end of a stream, before its time.
    pub const RST_STREAM: u8 = 3;
    /// What one end asks of the other.
    pub const SETTINGS: u8 = 4;
    /// The end of a connection.
    pub const GOAWAY: u8 = 7;
    /// More of a head.
    pub const CONTINUATION: u8 = 9;
}

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is, see [`kind`].
    pub kind: u8,
    /// Flags.
    pub flags: u8,
    /// The stream that it is of; 0 for the connection.
    pub stream: u32,
    /// What it holds.
    pub payload: Vec<u8>,
}

impl Frame {
    /// Whether it is the last of its stream, of those that have a place for saying so.
    pub const fn ends_stream(&self) -> bool {
        self.flags & END_STREAM != 0
    }

    /// The status of a response's head, if this is one of those that have a place in HPACK's static table (RFC 7541,
    /// appendix A).
    pub fn status(&self) -> Option<u16> {
        const INDEXED: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
        if self.kind != kind::HEADERS {
            return None;
        }
        // The encoder may say first how large its table is.
        let field = self.payload.iter().find(|byte| **byte >> 5 != 1)?;
        match field {
            0x88..=0x8e => INDEXED.get(usize::from(field - 0x88)).copied(),
            _ => None,
        }
    }
}

/// One connection.
#[derive(Debug)]
pub struct Http2 {
    stream: TcpStream,
    next: u32,
}

impl Http2 {
    /// Connects, with prior knowledge of HTTP/2 (RFC 9113, section 3.3).
    ///
    /// # Errors
    /// If nobody listens.
    pub fn open(address: SocketAddr) -> Result<Self> {
        Self::over(TcpStream::connect(address).with_context(|| format!("connect to {address}"))?)
    }

    /// Speaks over a socket that is connected.
    ///
    /// # Errors
    /// If the socket refuses.
    pub fn over(mut stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        stream.write_all(PREFACE)?;
        let mut http2 = Self { stream, next: 1 };
        http2.write(kind::SETTINGS, 0, 0, &[])?;
        Ok(http2)
    }

    /// Sends the head of a request on a stream of its own, and gives the stream's number. The body comes behind it, with
    /// [`Self::data`], unless `ends`.
    ///
    /// # Errors
    /// If the connection breaks.
    pub fn request(&mut self, request: &Request, ends: bool) -> Result<u32> {
        let stream = self.next;
        self.next += 2;
        let mut block = Vec::new();
        let authority = request.header_value("host").unwrap_or_default();
        let pseudo = [(":method", request.method.as_str()), (":scheme", "http"), (":path", &request.target)];
        for (name, value) in pseudo.into_iter().chain([(":authority", authority)]) {
            literal(&mut block, name, value);
        }
        for (name, value) in request.headers.iter().filter(|(name, _)| name != "host") {
            literal(&mut block, name, value);
        }
        let mut pieces = block.chunks(FRAME_BYTES_MAX).peekable();
        let mut kind = kind::HEADERS;
        while let Some(piece) = pieces.next() {
            let mut flags = if pieces.peek().is_none() { END_HEADERS } else { 0 };
            if kind == kind::HEADERS && ends {
                flags |= END_STREAM;
            }
            self.write(kind, flags, stream, piece)?;
            kind = kind::CONTINUATION;
        }
        Ok(stream)
    }

    /// Sends bytes of a body.
    ///
    /// # Errors
    /// If the connection breaks.
    pub fn data(&mut self, stream: u32, bytes: &[u8], ends: bool) -> Result<()> {
        let mut pieces = bytes.chunks(FRAME_BYTES_MAX).peekable();
        while let Some(piece) = pieces.next() {
            let flags = if ends && pieces.peek().is_none() { END_STREAM } else { 0 };
            self.write(kind::DATA, flags, stream, piece)?;
        }
        Ok(())
    }

    /// Takes the next frame that is not about settings.
    ///
    /// # Errors
    /// If the connection breaks.
    pub fn frame(&mut self) -> Result<Frame> {
        loop {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head).context("the head of a frame")?;
            let [a, b, c, kind, flags, stream @ ..] = head;
            let length = u32::from_be_bytes([0, a, b, c]) as usize;
            ensure!(length <= FRAME_BYTES_MAX, "a frame of {length} bytes");
            let mut payload = vec![0; length];
            self.stream.read_exact(&mut payload).context("a frame")?;
            if kind == kind::SETTINGS {
                if flags & ACK == 0 {
                    self.write(kind::SETTINGS, ACK, 0, &[])?;
                }
                continue;
            }
            return Ok(Frame { kind, flags, stream: u32::from_be_bytes(stream) & (u32::MAX >> 1), payload });
        }
    }

    fn write(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Result<()> {
        let length = u32::try_from(payload.len()).context("a frame")?.to_be_bytes();
        let mut frame = vec![length[1], length[2], length[3], kind, flags];
        frame.extend_from_slice(&stream.to_be_bytes());
        frame.extend_from_slice(payload);
        self.stream.write_all(&frame).context("send")
    }
}

/// A header that is not indexed (RFC 7541, section 6.2.2), without Huffman's code.
fn literal(block: &mut Vec<u8>, name: &str, value: &str) {
    block.push(0);
    for text in [name, value] {
        length(block, text.len());
        block.extend_from_slice(text.as_bytes());
    }
}

/// An integer with a prefix of seven bits (RFC 7541, section 5.1).
fn length(block: &mut Vec<u8>, length: usize) {
    const MOST: usize = 127;
    if length < MOST {
        block.push(length as u8);
        return;
    }
    block.push(MOST as u8);
    let mut rest = length - MOST;
    while rest >= 128 {
        block.push((rest % 128) as u8 | 128);
        rest /= 128;
    }
    block.push(rest as u8);
}
