//! What every answer carries: ids, the server's name, complete error XML, and the access line that is
//! written when its body is done.

use super::access_log::AccessLine;
use super::{error_xml, report};
use crate::translate::text;
use bytes::Bytes;
use cofre_objects::LinePlace;
use http::{HeaderName, HeaderValue, Method, header};
use http_body::{Body, Frame, SizeHint};
use s3s::{HttpResponse, StdError};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const ID_2: HeaderName = HeaderName::from_static("x-amz-id-2");

/// What is the same on every answer.
#[derive(Debug, Clone)]
pub(crate) struct Fixed {
    pub(crate) server: HeaderValue,
    pub(crate) host_id: HeaderValue,
}

/// Completes an answer.
pub(crate) fn finish(response: HttpResponse, fixed: &Fixed, mut line: AccessLine) -> http::Response<AnswerBody> {
    let (mut parts, mut body) = response.into_parts();
    let is_error = parts.status.is_client_error() || parts.status.is_server_error();
    if is_error {
        // Before HEAD loses it.
        let bytes = body.bytes();
        line.code = bytes.as_deref().and_then(|xml| error_xml::code(std::str::from_utf8(xml).ok()?)).map(str::to_owned);
        line.code = line.code.take().or_else(|| line.exchange.noted(|noted| noted.code.clone()));
    }
    if let Some(log) = &mut line.server_log {
        let bytes = body.bytes();
        log.answered(parts.status, &parts.headers, bytes.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok()));
    }
    if line.method == Method::HEAD {
        // RFC 9110, section 9.3.2. s3s forgets it where an operation returns an error.
        body = s3s::Body::empty();
    }
    let request_id = line.exchange.request_id().to_string();
    let completed = line.exchange.noted(|noted| {
        let bytes = if is_error || noted.escaped { body.bytes() } else { None };
        let bytes = bytes.filter(|bytes| !bytes.is_empty())?;
        let xml = std::str::from_utf8(&bytes).ok()?;
        let xml = if noted.escaped { text::unescape(xml) } else { xml.to_owned() };
        let host_id = fixed.host_id.to_str().unwrap_or_default();
        Some(error_xml::complete(&xml, noted, line.uri.path(), &request_id, host_id))
    });
    report::keep(&line, parts.status, completed.as_deref());
    if let Some(xml) = completed {
        body = s3s::Body::from(xml);
        parts.headers.remove(header::CONTENT_LENGTH);
    }
    if let Ok(request_id) = HeaderValue::try_from(request_id) {
        parts.headers.insert(REQUEST_ID, request_id);
    }
    parts.headers.insert(ID_2, fixed.host_id.clone());
    parts.headers.insert(header::SERVER, fixed.server.clone());
    line.status = parts.status;
    http::Response::from_parts(parts, AnswerBody { inner: body, line })
}

pin_project_lite::pin_project! {
    /// The body of an answer. The access line is written when it is dropped.
    pub struct AnswerBody {
        #[pin]
        inner: s3s::Body,
        line: AccessLine,
    }
}

impl AnswerBody {
    /// Notes how long the answer had to wait.
    pub(crate) fn waited(&mut self, time: Duration) {
        self.line.waited = time;
    }

    /// Queues what is to be durable in the log of a bucket before the answer goes, and gives what to wait for.
    pub(crate) fn log_before(&mut self) -> Option<LinePlace> {
        let sent_bytes = self.inner.size_hint().exact()?;
        let log = self.line.server_log.take_if(|log| log.waits())?;
        log.write(&self.line.exchange, sent_bytes)
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => this.line.sent_bytes += frame.data_ref().map_or(0, |data| data.len() as u64),
            Some(Err(error)) => {
                let request_id = this.line.exchange.request_id();
                tracing::error!(%request_id, %error, "an answer broke off: its content could not be read");
            }
            None => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
