//! Errors as S3 tells them: code, status, message, details, headers.
//!
//! The domain's errors are mapped here, every one by name: a new one does not compile until someone
//! decides what clients are told. What only the operator may know goes to the log with the request
//! id, never into the answer.

mod body;
mod encryption;

pub(crate) use body::{body, digest_mismatch, request_timeout};

use crate::exchange::Exchange;
use crate::translate::{names, times};
use cofre_objects::{ChecksumError, ConfigKind, Error, Excess, QuotaOf, RulesError, Unset};
use cofre_types::{Invalid, Timestamp, VersionId};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use s3s::{S3Error, S3ErrorCode, s3_error};
use std::borrow::Cow;

const DELETE_MARKER: HeaderName = HeaderName::from_static("x-amz-delete-marker");
const VERSION_ID: HeaderName = HeaderName::from_static("x-amz-version-id");

/// What a request was about, for the details of its error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    /// The request.
    pub(crate) exchange: &'a Exchange,
    /// Bucket, as the client wrote it.
    pub(crate) bucket: &'a str,
    /// Key, if it was about an object.
    pub(crate) key: Option<&'a str>,
    /// Upload id, if it was about one.
    pub(crate) upload: Option<&'a str>,
}

/// An error whose code s3s does not know.
pub(crate) fn custom(code: &'static str, status: StatusCode, message: impl Into<Cow<'static, str>>) -> S3Error {
    // A custom code is a 500 to s3s unless the status is set.
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(status);
    error
}

/// An operation, header or configuration that the gateway does not have.
pub(crate) fn not_implemented(what: &str) -> S3Error {
    s3_error!(NotImplemented, "{what} is not implemented by this gateway.")
}

/// Tells a client of a domain error.
pub(crate) fn refuse(error: Error, about: About<'_>) -> S3Error {
    let exchange = about.exchange;
    match error {
        Error::AccessDenied => S3Error::with_message(S3ErrorCode::AccessDenied, "Access Denied"),
        Error::OwnerOnly => S3Error::new(S3ErrorCode::MethodNotAllowed),
        Error::NeedsCredentials => S3Error::with_message(
            S3ErrorCode::AccessDenied,
            "Anonymous users cannot invoke this API. Please authenticate.",
        ),
        Error::Locked => {
            S3Error::with_message(S3ErrorCode::AccessDenied, "Access Denied because object protected by object lock.")
        }
        Error::NotArchived => {
            s3_error!(InvalidObjectState, "Restore is not allowed for the object's current storage class")
        }
        Error::InvalidBucketState(why) => {
            let mut error = S3Error::with_message(S3ErrorCode::InvalidBucketState, why);
            error.set_status_code(StatusCode::CONFLICT);
            error
        }
        Error::InvalidRetentionPeriod(why) => custom("InvalidRetentionPeriod", StatusCode::BAD_REQUEST, why),
        Error::AclNotSupported => about_bucket(about, S3ErrorCode::AccessControlListNotSupported),
        Error::AclWithOwnership => about_bucket(about, S3ErrorCode::InvalidBucketAclWithObjectOwnership),
        Error::AclWithPublicAccessBlock => custom(
            "InvalidBucketAclWithBlockPublicAccessError",
            StatusCode::BAD_REQUEST,
            "Bucket cannot have public ACLs set with BlockPublicAccess enabled",
        ),
        Error::LogTarget(why) => custom("InvalidTargetBucketForLogging", StatusCode::BAD_REQUEST, why),
        Error::MalformedPolicy(malformed) => {
            let message = malformed.message();
            exchange.detail("Detail", malformed.element);
            S3Error::with_message(S3ErrorCode::MalformedPolicy, message)
        }
        Error::InvalidStorageClass => S3Error::new(S3ErrorCode::InvalidStorageClass),
        Error::Rules(RulesError::Malformed(why)) => S3Error::with_message(S3ErrorCode::MalformedXML, why),
        Error::Rules(RulesError::Argument(why)) => S3Error::with_message(S3ErrorCode::InvalidArgument, why),
        Error::Rules(RulesError::Request(why)) => S3Error::with_message(S3ErrorCode::InvalidRequest, why),
        Error::Invalid(invalid) => invalid_value(&invalid),
        Error::InvalidRequest(why) => S3Error::with_message(S3ErrorCode::InvalidRequest, why),
        Error::Body(error) => body(error.0),
        Error::IncompleteBody { declared, got } => {
            exchange.detail("NumberBytesExpected", declared.to_string());
            exchange.detail("NumberBytesProvided", got.to_string());
            S3Error::new(S3ErrorCode::IncompleteBody)
        }
        Error::BadDigest => S3Error::new(S3ErrorCode::BadDigest),
        Error::ChecksumMismatch(algorithm) => {
            s3_error!(BadDigest, "The {} you specified did not match the calculated checksum.", algorithm.name())
        }
        Error::Checksum(error) => checksum(error),
        Error::ObjectSizeMismatch { declared, computed } => s3_error!(
            InvalidRequest,
            "The provided 'x-amz-mp-object-size' header value {declared} does not match what was computed: {computed}"
        ),
        Error::EntityTooLarge { max } => {
            exchange.detail("MaxSizeAllowed", max.to_string());
            S3Error::new(S3ErrorCode::EntityTooLarge)
        }
        Error::EntityTooSmall { number, etag, size } => {
            exchange.detail("PartNumber", number.to_string());
            exchange.detail("ETag", etag.to_string());
            exchange.detail("ProposedSize", size.to_string());
            exchange.detail("MinSizeAllowed", (5 * 1024 * 1024).to_string());
            S3Error::new(S3ErrorCode::EntityTooSmall)
        }
        Error::InvalidPart { number } => {
            exchange.detail("PartNumber", number.to_string());
            detail_upload(about);
            S3Error::new(S3ErrorCode::InvalidPart)
        }
        Error::InvalidPartOrder => {
            detail_upload(about);
            S3Error::new(S3ErrorCode::InvalidPartOrder)
        }
        Error::InvalidRange { size } => range_not_satisfiable(exchange, size),
        Error::InvalidPartNumber => custom(
            "InvalidPartNumber",
            StatusCode::RANGE_NOT_SATISFIABLE,
            "The requested partnumber is not satisfiable",
        ),
        Error::PreconditionFailed { condition } => {
            exchange.detail("Condition", condition);
            S3Error::new(S3ErrorCode::PreconditionFailed)
        }
        Error::NotModified { etag, modified } => not_modified(&names::etag(&etag), modified),
        Error::NoSuchBucket => {
            exchange.detail("BucketName", about.bucket);
            S3Error::new(S3ErrorCode::NoSuchBucket)
        }
        Error::BucketAlreadyExists => about_bucket(about, S3ErrorCode::BucketAlreadyExists),
        Error::BucketAlreadyOwnedByYou => about_bucket(about, S3ErrorCode::BucketAlreadyOwnedByYou),
        Error::BucketNotEmpty => about_bucket(about, S3ErrorCode::BucketNotEmpty),
        Error::TooManyBuckets => S3Error::new(S3ErrorCode::TooManyBuckets),
        Error::Encryption(error) => encryption::refused(error),
        Error::NoSuchEncryptionKey(name) => encryption::no_such_key(&name),
        Error::EncryptionKeyRefused(why) => {
            tracing::warn!(request_id = %exchange.request_id(), why, "the key service refuses a key");
            encryption::disabled_key()
        }
        Error::NoSuchConfiguration(unset) => {
            exchange.detail("BucketName", about.bucket);
            no_such_configuration(unset)
        }
        Error::NoSuchKey { delete_marker } => {
            exchange.detail("Key", about.key.unwrap_or_default());
            let mut error = S3Error::new(S3ErrorCode::NoSuchKey);
            if let Some(marker) = delete_marker {
                error.set_headers(marker_headers(marker));
            }
            error
        }
        Error::NoSuchVersion => {
            exchange.detail("Key", about.key.unwrap_or_default());
            S3Error::new(S3ErrorCode::NoSuchVersion)
        }
        Error::IsDeleteMarker { version, modified } => {
            exchange.detail("ResourceType", "DeleteMarker");
            let mut headers = marker_headers(version);
            insert(&mut headers, header::LAST_MODIFIED, &times::to_http(modified));
            headers.insert(header::ALLOW, HeaderValue::from_static("DELETE"));
            let mut error = S3Error::new(S3ErrorCode::MethodNotAllowed);
            error.set_headers(headers);
            error
        }
        Error::NoSuchUpload => {
            detail_upload(about);
            S3Error::new(S3ErrorCode::NoSuchUpload)
        }
        Error::Conflict => s3_error!(
            OperationAborted,
            "A conflicting conditional operation is currently in progress against this resource. Please try again."
        ),
        Error::QuotaExceeded(excess) => {
            detail_excess(exchange, &excess);
            let mut error = S3Error::with_message(S3ErrorCode::Custom("QuotaExceeded".into()), in_a_sentence(&excess));
            error.set_status_code(StatusCode::FORBIDDEN);
            error
        }
        Error::GraceExceeded(excess) => {
            detail_excess(exchange, &excess);
            s3_error!(
                SlowDown,
                "{} Bytes that were overwritten or deleted are reclaimed after a while: please reduce your request rate.",
                in_a_sentence(&excess)
            )
        }
        Error::NoRoom => custom(
            "InsufficientStorage",
            StatusCode::INSUFFICIENT_STORAGE,
            "There is no room for this content. Please try again once space was freed or added.",
        ),
        Error::Unavailable(why) | Error::Refused(why) => {
            tracing::warn!(request_id = %exchange.request_id(), why, "a request was turned away");
            exchange.note(|noted| noted.cause = Some(why));
            s3_error!(ServiceUnavailable, "Service is unable to handle request.")
        }
        Error::Lost(why) => {
            tracing::error!(request_id = %exchange.request_id(), why, "content could not be read, and is lost");
            s3_error!(
                InternalError,
                "The content is damaged or lost on every shard that held it. It cannot be read again."
            )
        }
        Error::Unreadable(why) => {
            tracing::error!(request_id = %exchange.request_id(), why, "content could not be read");
            exchange.note(|noted| noted.cause = Some(why));
            s3_error!(ServiceUnavailable, "The content cannot be read now. Please try again.")
        }
        Error::Internal(why) => {
            tracing::error!(request_id = %exchange.request_id(), why, "a request failed");
            exchange.note(|noted| noted.cause = Some(why));
            internal()
        }
    }
}

/// The answer to checksums that are not what they must be.
pub(crate) fn checksum(error: ChecksumError) -> S3Error {
    match error {
        ChecksumError::Missing => malformed_trailer(),
        ChecksumError::PartMismatch { .. } => s3_error!(BadDigest, "{error}"),
        ChecksumError::Invalid(_)
        | ChecksumError::OtherAlgorithm { .. }
        | ChecksumError::PartMissing { .. }
        | ChecksumError::OtherKind(_)
        | ChecksumError::NoSuchKind(..) => s3_error!(InvalidRequest, "{error}"),
    }
}

/// Whose quota would be passed, and by how much.
fn detail_excess(exchange: &Exchange, excess: &Excess) {
    let whose = match excess.of {
        QuotaOf::Bucket => "Bucket",
        QuotaOf::Account => "Account",
    };
    exchange.detail("QuotaOf", whose);
    exchange.detail("Bounded", excess.bounded.as_str());
    if let Some(amounts) = excess.amounts {
        exchange.detail("Limit", amounts.limit.to_string());
        exchange.detail("Used", amounts.used.to_string());
        exchange.detail("Proposed", amounts.proposed.to_string());
    }
}

fn in_a_sentence(excess: &Excess) -> String {
    let text = excess.to_string();
    let (first, rest) = text.split_at(1);
    format!("{}{rest}.", first.to_uppercase())
}

/// The answer to a failure of the server, in S3's words.
pub(crate) fn internal() -> S3Error {
    s3_error!(InternalError, "We encountered an internal error. Please try again.")
}

/// The answer to a trailer that is not what was declared.
pub(crate) fn malformed_trailer() -> S3Error {
    custom(
        "MalformedTrailerError",
        StatusCode::BAD_REQUEST,
        "The request contained trailing data that was not well-formed or did not conform to our published schema.",
    )
}

fn invalid_value(invalid: &Invalid) -> S3Error {
    match invalid.field {
        "bucket" => s3_error!(InvalidBucketName, "The specified bucket is not valid: {}.", invalid.reason),
        "tag count" | "tag key" | "tag value" => S3Error::with_message(S3ErrorCode::InvalidTag, invalid.reason),
        field => s3_error!(InvalidArgument, "{field}: {}", invalid.reason),
    }
}

fn about_bucket(about: About<'_>, code: S3ErrorCode) -> S3Error {
    about.exchange.detail("BucketName", about.bucket);
    S3Error::new(code)
}

fn detail_upload(about: About<'_>) {
    if let Some(upload) = about.upload {
        about.exchange.detail("UploadId", upload);
    }
}

fn no_such_configuration(unset: Unset) -> S3Error {
    let not_found = |code| custom(code, StatusCode::NOT_FOUND, "The configuration is not set on this bucket.");
    match unset {
        Unset::Tagging => S3Error::new(S3ErrorCode::NoSuchTagSet),
        Unset::Retention | Unset::LegalHold => S3Error::new(S3ErrorCode::NoSuchObjectLockConfiguration),
        Unset::Config(ConfigKind::Cors) => S3Error::new(S3ErrorCode::NoSuchCORSConfiguration),
        Unset::Config(ConfigKind::Lifecycle) => S3Error::new(S3ErrorCode::NoSuchLifecycleConfiguration),
        Unset::Config(ConfigKind::Policy) => S3Error::new(S3ErrorCode::NoSuchBucketPolicy),
        Unset::Config(ConfigKind::Ownership) => S3Error::new(S3ErrorCode::OwnershipControlsNotFoundError),
        Unset::Config(ConfigKind::PublicAccess) => not_found("NoSuchPublicAccessBlockConfiguration"),
        // s3s has 400 for it; S3 answers 404.
        Unset::Config(ConfigKind::Encryption | ConfigKind::EncryptionBlock) => {
            not_found("ServerSideEncryptionConfigurationNotFoundError")
        }
        Unset::Config(ConfigKind::ObjectLock) => S3Error::new(S3ErrorCode::ObjectLockConfigurationNotFoundError),
        Unset::Config(ConfigKind::Website) => S3Error::new(S3ErrorCode::NoSuchWebsiteConfiguration),
        Unset::Config(
            ConfigKind::Acl
            | ConfigKind::Logging
            | ConfigKind::RequestPayment
            | ConfigKind::Accelerate
            | ConfigKind::Abac,
        ) => not_found("NoSuchConfiguration"),
    }
}

fn range_not_satisfiable(exchange: &Exchange, size: u64) -> S3Error {
    exchange.detail("ActualObjectSize", size.to_string());
    let mut headers = HeaderMap::new();
    insert(&mut headers, header::CONTENT_RANGE, &format!("bytes */{size}"));
    let mut error = S3Error::new(S3ErrorCode::InvalidRange);
    error.set_headers(headers);
    error
}

fn not_modified(etag: &s3s::dto::ETag, modified: Timestamp) -> S3Error {
    let mut headers = HeaderMap::new();
    if let Ok(etag) = etag.to_http_header() {
        headers.insert(header::ETAG, etag);
    }
    insert(&mut headers, header::LAST_MODIFIED, &times::to_http(modified));
    let mut error = S3Error::new(S3ErrorCode::NotModified);
    error.set_headers(headers);
    error
}

fn marker_headers(marker: VersionId) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(DELETE_MARKER, HeaderValue::from_static("true"));
    insert(&mut headers, VERSION_ID, &marker.to_string());
    headers
}

/// Headers made here are plain ASCII, which a header value always takes.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
