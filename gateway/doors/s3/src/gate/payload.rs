//! XML bodies, held against the digests that the request declares.

use crate::auth::Trailers;
use crate::errors;
use crate::translate::checksums::{self, ChecksumOf};
use crate::translate::document;
use bytes::Bytes;
use cofre_objects::DeclaredChecksum;
use cofre_types::{Checksum, ChecksumAlgorithm, ChecksumKind};
use http::HeaderMap;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256, Sha512, XxHash3, XxHash64, XxHash128};
use s3s::{Body, S3Error, S3ErrorCode, S3Result, s3_error};

/// Most bytes of an XML body that the parser takes. Each operation has a smaller bound of its own.
pub(crate) const XML_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What the checksum in a request's headers is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DigestOf {
    /// Of the body.
    Body,
    /// Of the object that CompleteMultipartUpload makes: nothing to check here.
    Object,
}

/// Checks a document against `Content-MD5` and its checksum, before or behind it, and gives it as the parser takes it.
pub(super) fn checked(bytes: Bytes, headers: &HeaderMap, trailers: Option<&Trailers>, of: DigestOf) -> S3Result<Body> {
    check(&bytes, headers, trailers, of)?;
    Ok(Body::from(document::plain(bytes)))
}

fn check(bytes: &Bytes, headers: &HeaderMap, trailers: Option<&Trailers>, of: DigestOf) -> S3Result<()> {
    if let Some(declared) = checksums::content_md5(headers)?
        && Md5::checksum(bytes).as_slice() != declared
    {
        return Err(S3Error::new(S3ErrorCode::BadDigest));
    }
    if of == DigestOf::Object {
        return Ok(());
    }
    if bytes.is_empty() {
        // Requests without a body name algorithms of what they are about, not of themselves.
        return Ok(());
    }
    let declared = match checksums::declared(headers, trailers, ChecksumOf::Other)? {
        DeclaredChecksum::Trailer(_, read) => read().map_err(errors::checksum)?,
        DeclaredChecksum::None | DeclaredChecksum::Compute(_) => return Ok(()),
        DeclaredChecksum::Value(declared) => declared,
    };
    let algorithm = declared.algorithm();
    if digest(algorithm, bytes)? == declared {
        return Ok(());
    }
    Err(s3_error!(BadDigest, "The {} you specified did not match the calculated checksum.", algorithm.name()))
}

fn digest(algorithm: ChecksumAlgorithm, bytes: &[u8]) -> S3Result<Checksum> {
    let value = match algorithm {
        ChecksumAlgorithm::Crc32 => Crc32::checksum(bytes).to_vec(),
        ChecksumAlgorithm::Crc32c => Crc32c::checksum(bytes).to_vec(),
        ChecksumAlgorithm::Crc64Nvme => Crc64Nvme::checksum(bytes).to_vec(),
        ChecksumAlgorithm::Sha1 => Sha1::checksum(bytes).to_vec(),
        ChecksumAlgorithm::Sha256 => Sha256::checksum(bytes).to_vec(),
        ChecksumAlgorithm::Md5 => Md5::checksum(bytes).to_vec(),
        ChecksumAlgorithm::Sha512 => Sha512::checksum(bytes).to_vec(),
        ChecksumAlgorithm::XxHash64 => XxHash64::checksum(bytes).to_vec(),
        ChecksumAlgorithm::XxHash3 => XxHash3::checksum(bytes).to_vec(),
        ChecksumAlgorithm::XxHash128 => XxHash128::checksum(bytes).to_vec(),
    };
    Checksum::new(algorithm, ChecksumKind::FullObject, value).map_err(|_| errors::internal())
}
