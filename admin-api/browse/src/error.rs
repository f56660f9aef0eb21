//! Why a call was not carried out: a problem with a code and arguments, so that pages say it in their own language.

use crate::same_origin::Strange;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cofre_admin_types::{PROBLEM_MEDIA_TYPE, Problem};
use cofre_iam::{IamError, RequestId};
use cofre_objects::{EncryptionError, Error, QuotaOf};
use cofre_types::Invalid;
use std::collections::BTreeMap;

/// Why a call was not carried out.
#[derive(Debug, Clone)]
pub struct Refusal {
    status: StatusCode,
    code: &'static str,
    /// What happened and what to do next, in English.
    detail: String,
    field: Option<&'static str>,
    args: BTreeMap<String, String>,
    /// Seconds after which to try again.
    retry_after: Option<u32>,
    /// What the log says beside, and not the answer.
    cause: Option<String>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let (detail, args) = (detail.into(), BTreeMap::new());
        Self { status, code, detail, field: None, args, retry_after: None, cause: None }
    }

    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.args.insert(name.to_owned(), value.to_string());
        self
    }

    pub(crate) fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        let detail = format!("{field}: {reason}");
        Self { field: Some(field), ..Self::new(StatusCode::BAD_REQUEST, "InvalidArgument", detail) }.with("why", reason)
    }

    pub(crate) fn signed_out() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "SignedOut", "nobody is signed in, or the session is over: sign in again")
    }

    pub(crate) fn sign_in_failed(left: u32) -> Self {
        let detail = format!("the access key or its secret is not right; {left} more tries this minute");
        Self::new(StatusCode::UNAUTHORIZED, "SignInFailed", detail).with("left", left)
    }

    pub(crate) fn too_many_tries(seconds: u32) -> Self {
        let detail = format!("too many tries to sign in: wait {seconds} seconds");
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyTries", detail).with("seconds", seconds);
        Self { retry_after: Some(seconds), ..refusal }
    }

    pub(crate) fn busy() -> Self {
        let detail = "as many requests are in flight as may be; try again";
        let refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, "SlowDown", detail);
        Self { retry_after: Some(1), ..refusal }.with("seconds", 1)
    }

    pub(crate) fn unavailable(why: &str) -> Self {
        Self { retry_after: Some(5), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", why) }
    }

    pub(crate) fn internal(why: String) -> Self {
        let refusal = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "the server failed");
        Self { cause: Some(why), ..refusal }
    }

    pub(crate) fn media_type() -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            "send a body of the type application/json",
        )
    }

    pub(crate) fn length_required() -> Self {
        Self::new(StatusCode::LENGTH_REQUIRED, "MissingContentLength", "send Content-Length with the bytes of the body")
    }

    pub(crate) fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    pub(crate) fn unsupported(code: &'static str, detail: &str) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code, detail)
    }

    pub(crate) fn too_many_files(max: usize) -> Self {
        let detail = format!("there are more than {max} files: take a folder of it");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "TooManyFiles", detail).with("max", max)
    }

    /// The code, as a part of an answer that tells of several things.
    pub(crate) const fn code(&self) -> &'static str {
        self.code
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn incomplete() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "IncompleteBody",
            "fewer or more bytes came than were declared; send it again",
        )
    }

    /// The answer, under the id of the request.
    pub(crate) fn to_response(&self, id: RequestId) -> Response {
        if let Some(cause) = &self.cause {
            if self.status == StatusCode::INTERNAL_SERVER_ERROR {
                tracing::error!(target: "cofre::console", request_id = %id, cause, "a call failed");
            } else {
                tracing::warn!(target: "cofre::console", request_id = %id, cause, "a call was turned away");
            }
        }
        let problem = Problem {
            kind: format!("urn:cofre:problem:{}", kebab(self.code)),
            title: self.status.canonical_reason().unwrap_or_default().to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            field: self.field.map(str::to_owned),
            code: Some(self.code.to_owned()),
            args: self.args.clone(),
            request_id: id.to_string(),
        };
        let mut response = (self.status, axum::Json(problem)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Carries the refusal to the edge, which knows the request id.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

fn kebab(code: &str) -> String {
    let mut text = String::new();
    for letter in code.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

impl From<Strange> for Refusal {
    fn from(strange: Strange) -> Self {
        let detail = match strange {
            Strange::Site => "a page of another site or port asks; the console answers its own pages only",
            Strange::Origin => "the Origin header is not that of the console",
            Strange::OwnHeader => "the header X-Cofre is missing",
        };
        Self::new(StatusCode::FORBIDDEN, "StrangeOrigin", detail)
    }
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        let code = match invalid.field {
            "bucket" => "InvalidBucketName",
            "key" => "InvalidKey",
            _ => "InvalidArgument",
        };
        Self { code, ..Self::invalid(invalid.field, invalid.reason) }
    }
}

impl From<IamError> for Refusal {
    fn from(error: IamError) -> Self {
        let text = error.to_string();
        match error {
            IamError::Invalid(invalid) => invalid.into(),
            IamError::NotFound { what } => Self::new(StatusCode::NOT_FOUND, "NotFound", text).with("what", what),
            IamError::Taken { .. } | IamError::Refused { .. } | IamError::Conflict => {
                Self::new(StatusCode::CONFLICT, "OperationAborted", text)
            }
            IamError::Store(error) => Error::from(error).into(),
            IamError::WrongMasterKey(_) | IamError::MasterKey(_) | IamError::File { .. } | IamError::Damaged(_) => {
                Self::internal(text)
            }
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        use StatusCode as S;
        let text = error.to_string();
        let plain = |status, code| Self::new(status, code, text.clone());
        match error {
            Error::AccessDenied | Error::OwnerOnly | Error::NeedsCredentials => plain(S::FORBIDDEN, "AccessDenied"),
            Error::Locked | Error::Encryption(EncryptionError::Locked) => plain(S::FORBIDDEN, "ObjectLocked"),
            Error::Encryption(EncryptionError::Blocked | EncryptionError::KeyAccess { .. }) => {
                plain(S::FORBIDDEN, "AccessDenied")
            }
            Error::InvalidBucketState(_) => plain(S::CONFLICT, "InvalidBucketState"),
            Error::InvalidRetentionPeriod(_) => plain(S::BAD_REQUEST, "InvalidRetentionPeriod"),
            Error::AclNotSupported
            | Error::AclWithOwnership
            | Error::AclWithPublicAccessBlock
            | Error::LogTarget(_) => plain(S::BAD_REQUEST, "InvalidRequest"),
            Error::MalformedPolicy(_) => plain(S::BAD_REQUEST, "MalformedPolicy"),
            Error::InvalidStorageClass => plain(S::BAD_REQUEST, "InvalidStorageClass"),
            Error::Rules(_) | Error::InvalidRequest(_) | Error::NotArchived => plain(S::BAD_REQUEST, "InvalidRequest"),
            Error::Invalid(invalid) => invalid.into(),
            Error::Body(_) | Error::IncompleteBody { .. } => Self::incomplete(),
            Error::BadDigest | Error::ChecksumMismatch(_) | Error::Checksum(_) => plain(S::BAD_REQUEST, "BadDigest"),
            Error::EntityTooLarge { max } => plain(S::PAYLOAD_TOO_LARGE, "EntityTooLarge").with("max", max),
            Error::EntityTooSmall { number, .. } => plain(S::BAD_REQUEST, "EntityTooSmall").with("number", number),
            Error::ObjectSizeMismatch { declared, computed } => {
                plain(S::BAD_REQUEST, "ObjectSizeMismatch").with("declared", declared).with("computed", computed)
            }
            Error::InvalidPart { number } => plain(S::BAD_REQUEST, "InvalidPart").with("number", number),
            Error::InvalidPartOrder => plain(S::BAD_REQUEST, "InvalidPartOrder"),
            Error::InvalidRange { size } => plain(S::RANGE_NOT_SATISFIABLE, "InvalidRange").with("size", size),
            Error::InvalidPartNumber => plain(S::RANGE_NOT_SATISFIABLE, "InvalidPartNumber"),
            Error::PreconditionFailed { .. } | Error::NotModified { .. } => {
                plain(S::PRECONDITION_FAILED, "PreconditionFailed")
            }
            Error::NoSuchBucket => plain(S::NOT_FOUND, "NoSuchBucket"),
            Error::BucketAlreadyExists => plain(S::CONFLICT, "BucketAlreadyExists"),
            Error::BucketAlreadyOwnedByYou => plain(S::CONFLICT, "BucketAlreadyOwnedByYou"),
            Error::BucketNotEmpty => plain(S::CONFLICT, "BucketNotEmpty"),
            Error::TooManyBuckets => plain(S::CONFLICT, "TooManyBuckets"),
            Error::NoSuchEncryptionKey(_) | Error::EncryptionKeyRefused(_) => plain(S::BAD_REQUEST, "EncryptionKey"),
            Error::NoSuchConfiguration(_) => plain(S::NOT_FOUND, "NoSuchConfiguration"),
            Error::NoSuchKey { .. } | Error::IsDeleteMarker { .. } => plain(S::NOT_FOUND, "NoSuchKey"),
            Error::NoSuchVersion => plain(S::NOT_FOUND, "NoSuchVersion"),
            Error::NoSuchUpload => plain(S::NOT_FOUND, "NoSuchUpload"),
            Error::Conflict => plain(S::CONFLICT, "OperationAborted"),
            Error::QuotaExceeded(excess) => {
                let of = match excess.of {
                    QuotaOf::Bucket => "bucket",
                    QuotaOf::Account => "account",
                };
                plain(S::FORBIDDEN, "QuotaExceeded").with("of", of).with("bucket", &excess.bucket)
            }
            Error::GraceExceeded(_) => Self { retry_after: Some(60), ..plain(S::SERVICE_UNAVAILABLE, "SlowDown") },
            Error::NoRoom => plain(S::INSUFFICIENT_STORAGE, "InsufficientStorage"),
            Error::Unavailable(why) | Error::Refused(why) => Self {
                cause: Some(why),
                ..Self::unavailable("it cannot be done now; nothing was half done, try again")
            },
            Error::Unreadable(why) => {
                let refusal =
                    Self::new(S::SERVICE_UNAVAILABLE, "Unreadable", "the content cannot be read now; try again");
                Self { cause: Some(why), ..refusal }
            }
            Error::Lost(why) => {
                let detail = "the content is damaged or lost on every shard that held it";
                Self { cause: Some(why), ..Self::new(S::INTERNAL_SERVER_ERROR, "ContentLost", detail) }
            }
            Error::Internal(why) => Self::internal(why),
        }
    }
}
