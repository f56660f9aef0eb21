//! A small HTTP/1.1 client over a plain socket. It sends exactly what it is told, also what no
//! proper client would, and adds as little to a measurement as can be.

use anyhow::{Context, Result, bail, ensure};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// The longest that a test waits for a server to say anything.
const SILENCE_MAX: Duration = Duration::from_secs(120);
/// The longest head of a response.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// Bytes that are read at a time.
const READ_BYTES: usize = 256 << 10;

/// A request. Names of headers are in lower case, as signatures want them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Method.
    pub method: String,
    /// Path and query, encoded.
    pub target: String,
    /// Headers in the order in which they are sent.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The value of a header.
    pub fn header_value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The head as it goes over the wire. The length of the body is said unless the headers say
    /// something else of it.
    pub fn head(&self) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        let framed = |name: &str| self.header_value(name).is_some();
        if !framed("content-length") && !framed("transfer-encoding") {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        head
    }
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Status.
    pub status: u16,
    /// Headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The text of the first XML element of this name in the body.
    pub fn element(&self, name: &str) -> Option<String> {
        let text = self.text();
        let from = text.find(&format!("<{name}>"))? + name.len() + 2;
        let to = from + text[from..].find(&format!("</{name}>"))?;
        Some(text[from..to].to_owned())
    }

    /// The code of an S3 error; empty if the body is no error.
    pub fn code(&self) -> String {
        self.element("Code").unwrap_or_default()
    }
}

/// One connection, kept alive between requests.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    /// What was read, and where what is not used yet begins.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Connection {
    /// Connects.
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
    pub fn over(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        stream.set_write_timeout(Some(SILENCE_MAX))?;
        Ok(Self { stream, buffer: vec![0; READ_BYTES], start: 0, end: 0 })
    }

    /// Sends a request and reads its response. A server may refuse and hang up before the body is
    /// through; its answer counts.
    ///
    /// # Errors
    /// If the connection breaks, or the response is no HTTP.
    pub fn exchange(&mut self, request: &Request) -> Result<Response> {
        let sent = self.send(request);
        match (self.response(request.method == "HEAD"), sent) {
            (Ok(response), _) => Ok(response),
            (Err(_), Err(error)) | (Err(error), Ok(())) => Err(error),
        }
    }

    /// Sends a request whole.
    ///
    /// # Errors
    /// If the connection breaks.
    pub fn send(&mut self, request: &Request) -> Result<()> {
        let mut bytes = request.head().into_bytes();
        // Small bodies share a packet with their head.
        if request.body.len() <= READ_BYTES {
            bytes.extend_from_slice(&request.body);
            self.write(&bytes)
        } else {
            self.write(&bytes)?;
            self.write(&request.body)
        }
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// If the connection breaks.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).context("send")
    }

    /// Says that nothing more will be sent.
    ///
    /// # Errors
    /// If the connection is broken.
    pub fn finish(&self) -> Result<()> {
        self.stream.shutdown(Shutdown::Write).context("finish")
    }

    /// Bounds how long [`Self::response`] waits for a server that says nothing.
    ///
    /// # Errors
    /// If the socket refuses.
    pub fn wait_at_most(&self, silence: Duration) -> Result<()> {
        self.stream.set_read_timeout(Some(silence)).context("read time-out")
    }

    /// Reads a response. `bodiless` says that it answers a HEAD.
    ///
    /// # Errors
    /// If the connection breaks before the response is whole, or it is no HTTP.
    pub fn response(&mut self, bodiless: bool) -> Result<Response> {
        let mut body = Vec::new();
        let mut response = self.stream_response(bodiless, |bytes| body.extend_from_slice(bytes))?;
        response.body = body;
        Ok(response)
    }

    /// Reads the status of the next head, which may be an interim one, and leaves what follows it.
    ///
    /// # Errors
    /// As [`Self::response`].
    pub fn interim(&mut self) -> Result<u16> {
        Ok(self.read_head()?.status)
    }

    /// Reads a response and hands its body on as it comes.
    ///
    /// # Errors
    /// As [`Self::response`].
    pub fn stream_response(&mut self, bodiless: bool, mut sink: impl FnMut(&[u8])) -> Result<Response> {
        let mut response = self.read_head()?;
        while (100..200).contains(&response.status) {
            response = self.read_head()?;
        }
        if bodiless || response.status == 204 || response.status == 304 {
            return Ok(response);
        }
        if response.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            self.read_chunks(&mut sink)?;
        } else if let Some(length) = response.header("content-length") {
            let length = length.parse().context("the content length is a number")?;
            self.read_exact(length, &mut sink)?;
        } else {
            while self.fill()? {
                sink(&self.buffer[self.start..self.end]);
                self.start = self.end;
            }
        }
        Ok(response)
    }

    /// Waits until the server says something, or hangs up; whether it did within `time`.
    ///
    /// # Errors
    /// If the socket refuses.
    pub fn has_news(&self, time: Duration) -> Result<bool> {
        if self.start < self.end {
            return Ok(true);
        }
        let patience = self.stream.read_timeout().context("read time-out")?;
        self.stream.set_read_timeout(Some(time)).context("read time-out")?;
        let news = self.stream.peek(&mut [0]);
        self.stream.set_read_timeout(patience).context("read time-out")?;
        let silent = |error: &std::io::Error| {
            matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
        };
        Ok(!news.as_ref().is_err_and(silent))
    }

    /// Whether the server has closed the connection, after whatever it still sends.
    pub fn is_closed(&mut self) -> bool {
        loop {
            match self.stream.read(&mut self.buffer) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
            }
        }
    }

    fn read_head(&mut self) -> Result<Response> {
        loop {
            let unused = &self.buffer[self.start..self.end];
            if let Some(length) = unused.windows(4).position(|four| four == b"\r\n\r\n") {
                let response = parse_head(&unused[..length])?;
                self.start += length + 4;
                return Ok(response);
            }
            ensure!(unused.len() < HEAD_BYTES_MAX, "the head of the response is too long");
            ensure!(self.fill()?, "the connection ended before a response");
        }
    }

    fn read_chunks(&mut self, sink: &mut impl FnMut(&[u8])) -> Result<()> {
        loop {
            let line = self.read_line()?;
            let size = u64::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16).context("chunk")?;
            if size == 0 {
                while !self.read_line()?.is_empty() {}
                return Ok(());
            }
            self.read_exact(size, sink)?;
            ensure!(self.read_line()?.is_empty(), "a chunk does not end where it should");
        }
    }

    fn read_line(&mut self) -> Result<String> {
        loop {
            let unused = &self.buffer[self.start..self.end];
            if let Some(length) = unused.windows(2).position(|two| two == b"\r\n") {
                let line = String::from_utf8_lossy(&unused[..length]).into_owned();
                self.start += length + 2;
                return Ok(line);
            }
            ensure!(self.fill()?, "the connection ended within a chunk");
        }
    }

    fn read_exact(&mut self, length: u64, sink: &mut impl FnMut(&[u8])) -> Result<()> {
        let mut missing = length;
        while missing > 0 {
            if self.start == self.end && !self.fill()? {
                bail!("the body is short by {missing} of {length} bytes");
            }
            let take = usize::try_from(missing).map_or(self.end - self.start, |most| most.min(self.end - self.start));
            sink(&self.buffer[self.start..self.start + take]);
            self.start += take;
            missing -= take as u64;
        }
        Ok(())
    }

    /// Reads more; `false` at the end.
    fn fill(&mut self) -> Result<bool> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let read = self.stream.read(&mut self.buffer[self.end..]).context("read")?;
        self.end += read;
        Ok(read > 0)
    }
}

fn parse_head(head: &[u8]) -> Result<Response> {
    let head = std::str::from_utf8(head).context("the head of the response is text")?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("a status line")?;
    let split = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    Ok(Response {
        status: status.parse().context("a status")?,
        headers: lines.map(|line| split(line).context("a header")).collect::<Result<_>>()?,
        body: Vec::new(),
    })
}
