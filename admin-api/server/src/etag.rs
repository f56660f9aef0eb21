//! Revisions as entity tags: a change that must not overwrite another's says what it read.

use crate::ApiError;
use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use axum::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use std::convert::Infallible;

/// The ETag of a revision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Revision(pub(crate) u64);

impl IntoResponseParts for Revision {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", self.0)) {
            parts.headers_mut().insert(axum::http::header::ETAG, value);
        }
        Ok(parts)
    }
}

impl IntoResponse for Revision {
    fn into_response(self) -> Response {
        (self, ()).into_response()
    }
}

/// What If-Match asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfMatch {
    /// Exactly this revision.
    Revision(u64),
    /// Whatever is there: the client means to overwrite.
    Any,
    /// The header is missing.
    Missing,
}

impl IfMatch {
    /// The revision that the change is for; `None` if any will do.
    ///
    /// # Errors
    /// 428 if the header is missing.
    pub(crate) fn required(self) -> Result<Option<u64>, ApiError> {
        match self {
            Self::Revision(revision) => Ok(Some(revision)),
            Self::Any => Ok(None),
            Self::Missing => Err(ApiError::PreconditionRequired),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get(IF_MATCH) else {
            return Ok(Self::Missing);
        };
        let text = value.to_str().unwrap_or("").trim();
        if text == "*" {
            return Ok(Self::Any);
        }
        let digits = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        match digits.and_then(|digits| digits.parse().ok()) {
            Some(revision) => Ok(Self::Revision(revision)),
            // An entity tag that this server never gave matches nothing (RFC 9110, section 13.1.1).
            None => Err(ApiError::PreconditionFailed(format!("If-Match: {text} is no ETag of this resource"))),
        }
    }
}
