//! What is told of a signature that is not taken, in AWS's words.

use crate::exchange::Exchange;
use s3s::{S3Error, S3ErrorCode, s3_error};

/// An argument that is none, named with its value.
pub(super) fn invalid_argument(
    exchange: &Exchange,
    name: &str,
    value: impl Into<String>,
    message: impl Into<String>,
) -> S3Error {
    exchange.detail("ArgumentName", name);
    exchange.detail("ArgumentValue", value);
    S3Error::with_message(S3ErrorCode::InvalidArgument, message.into())
}

/// `Authorization` is not of its form.
pub(super) fn header_malformed(why: &str) -> S3Error {
    s3_error!(AuthorizationHeaderMalformed, "The authorization header is malformed; {why}")
}

/// The parameters of a presigned address are not of their form.
pub(super) fn parameters_malformed(why: &str) -> S3Error {
    s3_error!(AuthorizationQueryParametersError, "{why}")
}

/// A request without rights, or too late for them.
pub(super) fn access_denied(message: impl Into<String>) -> S3Error {
    S3Error::with_message(S3ErrorCode::AccessDenied, message.into())
}

/// A way to sign that is not taken.
pub(super) fn mechanism_refused() -> S3Error {
    s3_error!(
        InvalidRequest,
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
    )
}

/// Version 2 is not taken, and how to sign instead.
pub(crate) fn version_2_refused() -> S3Error {
    s3_error!(
        InvalidRequest,
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256: sign with \
         version 4, which is Config(signature_version='s3v4') for boto3, s3.signature_version = s3v4 in the \
         configuration of the AWS CLI, and signature_v2 = False for s3cmd."
    )
}
