//! What a client is told that came to the wrong door, or to one that is full: in the form that its door speaks.

use cofre_admin_types::Problem;
use http::{HeaderValue, Response, StatusCode, header};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

/// A door, by what is spoken behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// S3: errors are XML.
    S3,
    /// The admin API: errors are problem documents.
    Admin,
}

/// Why a client is turned away before its request is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// S3's code.
    pub(crate) code: &'static str,
    /// What to do about it.
    pub(crate) advice: Cow<'static, str>,
}

impl Refusal {
    /// The media type and the text of the error, as clients of `door` read it.
    fn document(&self, door: Door) -> (HeaderValue, String) {
        match door {
            Door::S3 => (HeaderValue::from_static("application/xml"), self.xml()),
            Door::Admin => (HeaderValue::from_static("application/problem+json"), self.problem()),
        }
    }

    fn xml(&self) -> String {
        let advice = self.advice.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let code = self.code;
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{advice}</Message></Error>"
        )
    }

    fn problem(&self) -> String {
        let problem = Problem {
            kind: "urn:cofre:problem:wrong-door".to_owned(),
            title: self.status.canonical_reason().unwrap_or_default().to_owned(),
            status: self.status.as_u16(),
            detail: self.advice.clone().into_owned(),
            field: None,
            code: None,
            args: BTreeMap::new(),
            request_id: String::new(),
        };
        // A problem of plain strings is always JSON.
        serde_json::to_string(&problem).unwrap_or_default()
    }

    /// The answer to a request.
    pub(crate) fn response(&self, door: Door) -> Response<String> {
        let (media_type, text) = self.document(door);
        let mut response = Response::new(text);
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, media_type);
        response
    }

    /// The bytes of an answer on HTTP/1, for a connection that is served no further.
    pub(super) fn bytes(&self, door: Door) -> Vec<u8> {
        let (media_type, text) = self.document(door);
        let mut bytes = String::new();
        // Writing to a string cannot fail.
        let _ = write!(
            bytes,
            "HTTP/1.1 {}\r\ncontent-type: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
            self.status,
            media_type.to_str().unwrap_or_default(),
            text.len()
        );
        bytes.into_bytes()
    }
}
