//! What a client is told that came to the wrong door, or to one that is full: in the form that its door speaks.

use cofre_admin_types::Problem;
use cofre_iam::RequestId;
use cofre_runtime::Random;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
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
    /// The console alone: errors are as those of the admin API.
    Console,
    /// Challenges of an authority: errors are as those of S3.
    Challenges,
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
    /// The answer to a request, in the form of a door.
    pub(crate) fn response(&self, refuser: &Refuser) -> Response<String> {
        let (id, media_type, text) = refuser.document(self);
        let mut response = Response::new(text);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, media_type);
        if let Ok(id) = HeaderValue::try_from(id) {
            headers.insert(refuser.door.id_header(), id);
        }
        response
    }

    fn xml(&self, id: &str) -> String {
        let advice = self.advice.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let code = self.code;
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{advice}</Message>\
             <RequestId>{id}</RequestId></Error>"
        )
    }

    fn problem(&self, id: String) -> String {
        let problem = Problem {
            kind: "urn:cofre:problem:wrong-door".to_owned(),
            title: self.status.canonical_reason().unwrap_or_default().to_owned(),
            status: self.status.as_u16(),
            detail: self.advice.clone().into_owned(),
            field: None,
            code: None,
            args: BTreeMap::new(),
            request_id: id,
        };
        // A problem of plain strings is always JSON.
        serde_json::to_string(&problem).unwrap_or_default()
    }
}

impl Door {
    /// Its name in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Admin => "admin",
            Self::Console => "console",
            Self::Challenges => "acme",
        }
    }

    /// The header of an answer by which an operator finds it in the log.
    const fn id_header(self) -> HeaderName {
        HeaderName::from_static(match self {
            Self::S3 | Self::Challenges => "x-amz-request-id",
            Self::Admin | Self::Console => "x-request-id",
        })
    }
}

/// How a door tells a client why it is turned away: in its form, and under an id that stands in the log.
#[derive(Debug, Clone)]
pub(crate) struct Refuser {
    pub(crate) door: Door,
    /// Makes ids.
    pub(crate) random: Random,
}

impl Refuser {
    /// A new id, and the media type and the text of the error.
    fn document(&self, refusal: &Refusal) -> (String, HeaderValue, String) {
        let id = RequestId::new(&self.random).to_string();
        let (status, code) = (refusal.status.as_u16(), refusal.code);
        if refusal.status == StatusCode::SERVICE_UNAVAILABLE {
            // There may be any number of them.
            tracing::debug!(request_id = id, status, code, "a client was turned away");
        } else {
            tracing::info!(request_id = id, status, code, "a request was turned away before it was looked at");
        }
        match self.door {
            Door::S3 | Door::Challenges => {
                let xml = refusal.xml(&id);
                (id, HeaderValue::from_static("application/xml"), xml)
            }
            Door::Admin | Door::Console => {
                let problem = refusal.problem(id.clone());
                (id, HeaderValue::from_static("application/problem+json"), problem)
            }
        }
    }

    /// The bytes of an answer on HTTP/1, for a connection that is served no further.
    pub(super) fn bytes(&self, refusal: &Refusal) -> Vec<u8> {
        let (id, media_type, text) = self.document(refusal);
        let mut bytes = String::new();
        // Writing to a string cannot fail.
        let _ = write!(
            bytes,
            "HTTP/1.1 {}\r\n{}: {id}\r\ncontent-type: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
            refusal.status,
            self.door.id_header(),
            media_type.to_str().unwrap_or_default(),
            text.len()
        );
        bytes.into_bytes()
    }
}
