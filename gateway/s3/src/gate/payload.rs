//! XML bodies: gathered within a bound, and held against the digests that the request declares.

use crate::auth::Trailers;
use crate::errors;
use crate::translate::checksums;
use bytes::Bytes;
use cofre_objects::DeclaredChecksum;
use cofre_types::{Checksum, ChecksumAlgorithm, ChecksumKind};
use http::HeaderMap;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::{Body, BodySizeLimitExceeded, S3Error, S3ErrorCode, S3Result, s3_error};

/// Most bytes of an XML body. A thousand keys of 1,024 bytes, every one of them escaped, are below
/// it, and so are ten thousand parts with their checksums.
pub(crate) const XML_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What the checksum in a request's headers is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DigestOf {
    /// Of the body.
    Body,
    /// Of the object that CompleteMultipartUpload makes: nothing to check here.
    Object,
}

/// Gathers a body and checks it against `Content-MD5` and its checksum, before or behind it.
pub(super) async fn gather(
    mut body: Body,
    headers: &HeaderMap,
    trailers: Option<&Trailers>,
    of: DigestOf,
) -> S3Result<Body> {
    let bytes = body.store_all_limited(XML_BYTES_MAX).await.map_err(|error| {
        let too_long = error.is::<BodySizeLimitExceeded>() || error.is::<http_body_util::LengthLimitError>();
        if too_long { S3Error::new(S3ErrorCode::MaxMessageLengthExceeded) } else { errors::body(error) }
    })?;
    check(&bytes, headers, trailers, of)?;
    Ok(Body::from(resolve_control_references(bytes)))
}

/// Puts control characters where references to them stand. XML 1.0 has neither, but S3's clients name
/// keys so, and s3s' parser takes the characters and not the references. Those that XML 1.0 has are
/// left to the parser.
fn resolve_control_references(xml: Bytes) -> Bytes {
    let mut resolved: Option<Vec<u8>> = None;
    let mut rest = xml.as_ref();
    while let Some(at) = rest.windows(2).position(|window| window == b"&#") {
        let (before, reference) = rest.split_at(at);
        match control_reference(reference) {
            Some((byte, length)) => {
                let done = xml.len() - rest.len();
                let resolved = resolved.get_or_insert_with(|| xml[..done].to_vec());
                resolved.extend_from_slice(before);
                resolved.push(byte);
                rest = &reference[length..];
            }
            None => {
                if let Some(resolved) = &mut resolved {
                    resolved.extend_from_slice(&rest[..at + 2]);
                }
                rest = &reference[2..];
            }
        }
    }
    match resolved {
        Some(mut resolved) => {
            resolved.extend_from_slice(rest);
            resolved.into()
        }
        None => xml,
    }
}

/// The control character that a reference at the beginning of `text` names, and the reference's
/// length.
fn control_reference(text: &[u8]) -> Option<(u8, usize)> {
    // Leading zeros aside, `&#x1f;` is the longest.
    let end = text.iter().take(16).position(|&b| b == b';')?;
    let digits = std::str::from_utf8(text.get(2..end)?).ok()?;
    let byte = match digits.strip_prefix('x') {
        Some(digits) => u8::from_str_radix(digits, 16).ok()?,
        None => digits.parse().ok()?,
    };
    let is_control = matches!(byte, 1..=8 | 0xb | 0xc | 0xe..=0x1f);
    is_control.then_some((byte, end + 1))
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
    let declared = match checksums::declared(headers, trailers)? {
        DeclaredChecksum::None | DeclaredChecksum::Compute(_) => return Ok(()),
        DeclaredChecksum::Value(declared) => declared,
        DeclaredChecksum::Trailer(_, read) => read().ok_or_else(errors::malformed_trailer)?,
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
    };
    Checksum::new(algorithm, ChecksumKind::FullObject, value).map_err(|_| errors::internal())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn resolved(xml: &str) -> String {
        String::from_utf8(resolve_control_references(Bytes::copy_from_slice(xml.as_bytes())).to_vec()).unwrap()
    }

    #[test]
    fn only_references_to_control_characters_are_resolved() {
        assert_eq!(resolved("<a>&#x1;b&#31;&#x1F;</a>"), "<a>\u{1}b\u{1f}\u{1f}</a>");
        for same in ["", "<a>&amp;&#65;&#xd;&#x0;&#x;&#;&#", "&#1", "plain &# text; &#x110000;"] {
            assert_eq!(resolved(same), same);
        }
        assert_eq!(resolved("&#65;&#2;&#66;&#3;"), "&#65;\u{2}&#66;\u{3}");
    }

    proptest! {
        #[test]
        fn what_has_no_reference_stays(xml in "[^&]{0,200}") {
            prop_assert_eq!(resolved(&xml), xml);
        }

        #[test]
        fn any_bytes_are_taken(xml in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = resolve_control_references(xml.into());
        }
    }
}
