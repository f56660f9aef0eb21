use crate::Client;
use crate::error::Error;
use bytes::{Buf, BytesMut};
use cofre_admin_types::{Event, EventsQuery};
use http_body_util::BodyExt;
use hyper::Method;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, HeaderName};
use std::time::Duration;

/// Longest line of a stream, in bytes.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// Silence after which a stream counts as dropped: the server sends a comment every 15 seconds.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Events as they happen. It ends with an error when the connection drops: go on from
/// [`EventStream::cursor`].
pub struct EventStream {
    client: Client,
    body: Incoming,
    buffered: BytesMut,
    data: String,
    cursor: Option<String>,
}

impl Client {
    /// Follows events, from after `query.after` or from now on if `after` is absent.
    ///
    /// # Errors
    /// [`Error`] if the stream does not begin.
    pub async fn follow_events(&self, query: &EventsQuery) -> Result<EventStream, Error> {
        let mut query = query.clone();
        let after = query.after.take();
        let mut call = self.call(Method::GET, "/events/stream").query(&query)?.header(ACCEPT, "text/event-stream");
        if let Some(after) = &after {
            call = call.header(HeaderName::from_static("last-event-id"), after);
        }
        let body = call.answer().await?.into_body();
        Ok(EventStream { client: self.clone(), body, buffered: BytesMut::new(), data: String::new(), cursor: after })
    }
}

impl EventStream {
    /// Where the stream stands: what to follow after once it has dropped.
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// The next event; waits for one. `None` when the server ends the stream, as it does at shutdown.
    ///
    /// # Errors
    /// [`Error::Unreachable`] if the connection drops, [`Error::Answer`] if what comes is no event.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            while let Some(line) = self.line()? {
                if let Some(event) = self.take(&line)? {
                    return Ok(Some(event));
                }
            }
            let frame = tokio::time::timeout(SILENCE_MAX, self.body.frame());
            match frame.await.map_err(|_| self.client.endpoint.unreachable("the stream fell silent"))? {
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

    fn line(&mut self) -> Result<Option<String>, Error> {
        let Some(end) = self.buffered.iter().position(|byte| *byte == b'\n') else {
            let long = self.buffered.len() > LINE_BYTES_MAX;
            return if long { Err(self.client.endpoint.nonsense("a line has no end")) } else { Ok(None) };
        };
        let line = self.buffered.split_to(end);
        self.buffered.advance(1);
        Ok(Some(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned()))
    }

    /// Takes a line in; an empty one ends an event (WHATWG HTML, "Interpreting an event stream").
    fn take(&mut self, line: &str) -> Result<Option<Event>, Error> {
        if let Some(data) = line.strip_prefix("data:") {
            self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
        }
        if !line.is_empty() || self.data.is_empty() {
            return Ok(None);
        }
        let event: Event = serde_json::from_str(&std::mem::take(&mut self.data))
            .map_err(|error| self.client.endpoint.nonsense(error.to_string()))?;
        self.cursor = Some(event.cursor.clone());
        Ok(Some(event))
    }
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventStream").field("cursor", &self.cursor).finish_non_exhaustive()
    }
}
