//! What clients are told where an object may not be encrypted as they ask, or its key not be used.

use super::custom;
use cofre_objects::EncryptionError;
use http::StatusCode;
use s3s::{S3Error, s3_error};

/// The answer to encryption that is refused.
pub(super) fn refused(error: EncryptionError) -> S3Error {
    match error {
        EncryptionError::Blocked => s3_error!(
            AccessDenied,
            "The bucket blocks server-side encryption with customer-provided keys (SSE-C). Use SSE-S3 or SSE-KMS; or its \
             owner allows SSE-C by PutBucketEncryption with the blocked encryption type NONE."
        ),
        EncryptionError::KeyAccess { key, action } => s3_error!(
            AccessDenied,
            "You are not authorized to perform {action} on the encryption key \"{key}\", since its key policy does not allow \
             it. An operator of this server sets it: cofre admin encryption-key set-policy."
        ),
        EncryptionError::Locked => s3_error!(
            AccessDenied,
            "The encryption type for the specified object can't be updated because that object is protected by S3 Object \
             Lock. If the object has a governance-mode retention period or a legal hold, you must first remove the Object \
             Lock status on the object before you issue your UpdateObjectEncryption request. You can't use the \
             UpdateObjectEncryption operation with objects that have an Object Lock compliance mode retention period \
             applied to them."
        ),
    }
}

/// The answer where there is no such key.
pub(super) fn no_such_key(name: &str) -> S3Error {
    custom("KMS.NotFoundException", StatusCode::BAD_REQUEST, format!("Invalid keyId '{name}'"))
}

/// The answer where the key service does not use a key.
pub(super) fn disabled_key() -> S3Error {
    custom("KMS.DisabledException", StatusCode::BAD_REQUEST, "The key service does not use this key.")
}
