use crate::Client;
use crate::error::Error;
use bytes::{Buf, BytesMut};
use cofre_admin_types::VerifyLine;
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// Longest line of a stream, in bytes.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// What a verify tells, as it comes. It was whole only if it ends with [`VerifyLine::End`].
pub struct VerifyStream {
    client: Client,
    body: Incoming,
    buffered: BytesMut,
}

impl VerifyStream {
    pub(crate) fn new(client: &Client, body: Incoming) -> Self {
        Self { client: client.clone(), body, buffered: BytesMut::new() }
    }

    /// The next line; waits for one. `None` when the server ends the stream.
    ///
    /// # Errors
    /// [`Error::Unreachable`] if the connection drops, [`Error::Answer`] if what comes is no line.
    pub async fn next(&mut self) -> Result<Option<VerifyLine>, Error> {
        loop {
            if let Some(end) = self.buffered.iter().position(|byte| *byte == b'\n') {
                let line = self.buffered.split_to(end);
                self.buffered.advance(1);
                let line = serde_json::from_slice(&line);
                return line.map(Some).map_err(|error| self.client.endpoint.nonsense(error.to_string()));
            }
            if self.buffered.len() > LINE_BYTES_MAX {
                return Err(self.client.endpoint.nonsense("a line has no end"));
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(self.client.endpoint.unreachable(&error.to_string())),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffered.extend_from_slice(&data);
                    }
                }
            }
        }
    }
}

impl std::fmt::Debug for VerifyStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifyStream").finish_non_exhaustive()
    }
}
