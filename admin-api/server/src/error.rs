use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cofre_admin_types::{PROBLEM_MEDIA_TYPE, Problem, Scope};
use std::collections::BTreeMap;

/// Why a request was not carried out. Handlers return it; `edge` writes it out as a
/// [`Problem`] with the request id.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// A field of the request is not valid: mend it.
    #[error("{field}: {reason}")]
    Invalid {
        /// The field, as a path with dots.
        field: String,
        /// Why, for a person to read.
        reason: String,
    },
    /// No token, or none that is good.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The token's scope does not reach.
    #[error("this needs a token with the scope {}", .0.name())]
    Forbidden(Scope),
    /// There is no such thing.
    #[error("there is no {0}")]
    NotFound(String),
    /// The path is there; the method is not.
    #[error("this path does not take that method; see Allow")]
    MethodNotAllowed,
    /// The state of the thing does not allow it now; the text says what to do first.
    #[error("{0}")]
    Conflict(String),
    /// Someone changed the thing since it was read: read again.
    #[error("{0}")]
    PreconditionFailed(String),
    /// The change must say which revision it is meant for.
    #[error("send If-Match with the ETag of the revision that you read")]
    PreconditionRequired,
    /// The body is too long.
    #[error("the body has more than {max_bytes} bytes")]
    TooLarge {
        /// The bound.
        max_bytes: usize,
    },
    /// The body is not JSON.
    #[error("send a body of the type {0}")]
    UnsupportedMediaType(&'static str),
    /// Try again later.
    #[error("{0}")]
    Unavailable(String),
    /// The server failed. The text goes to the log, not to the client.
    #[error("{0}")]
    Internal(String),
}

impl ApiError {
    /// A field that is not valid.
    pub fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), reason: reason.into() }
    }

    /// Status, kind and title.
    fn describe(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Invalid { .. } => (StatusCode::BAD_REQUEST, "invalid-field", "A field is not valid"),
            Self::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "unauthenticated", "No good token"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden", "The token may not do this"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not-found", "Not found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "conflict", "Not possible in this state"),
            Self::PreconditionFailed(_) => {
                (StatusCode::PRECONDITION_FAILED, "precondition-failed", "Changed since it was read")
            }
            Self::PreconditionRequired => {
                (StatusCode::PRECONDITION_REQUIRED, "precondition-required", "If-Match is missing")
            }
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too long"),
            Self::UnsupportedMediaType(_) => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type")
            }
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available now"),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server failed"),
        }
    }

    /// The answer to a client, under a request id.
    pub(crate) fn to_response(&self, request_id: &str) -> Response {
        let (status, kind, title) = self.describe();
        let field = if let Self::Invalid { field, .. } = self { Some(field.clone()) } else { None };
        let detail = if let Self::Internal(detail) = self {
            tracing::error!(request_id, detail, "an admin request failed");
            format!("the server's log has more under the request id {request_id}")
        } else {
            self.to_string()
        };
        let problem = Problem {
            kind: format!("urn:cofre:problem:{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail,
            field,
            code: None,
            args: BTreeMap::new(),
            request_id: request_id.to_owned(),
        };
        let mut response = (status, axum::Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"cofre admin\""));
        }
        response
    }
}

/// Carries the error to the edge, which knows the request id.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.describe().0.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<cofre_types::Invalid> for ApiError {
    fn from(invalid: cofre_types::Invalid) -> Self {
        Self::invalid(invalid.field, invalid.reason)
    }
}
