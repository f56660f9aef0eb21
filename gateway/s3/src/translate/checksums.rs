//! Checksums: what a request declares, and how an answer shows them.

use crate::auth::Trailers;
use base64::{Engine, prelude::BASE64_STANDARD};
use cofre_objects::DeclaredChecksum;
use cofre_types::{Checksum, ChecksumAlgorithm, ChecksumKind};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use s3s::{S3Error, S3ErrorCode, dto, s3_error};

/// The header of each algorithm, in the order of [`ChecksumAlgorithm::ALL`].
static HEADERS: [HeaderName; 5] = [
    HeaderName::from_static("x-amz-checksum-crc32"),
    HeaderName::from_static("x-amz-checksum-crc32c"),
    HeaderName::from_static("x-amz-checksum-crc64nvme"),
    HeaderName::from_static("x-amz-checksum-sha1"),
    HeaderName::from_static("x-amz-checksum-sha256"),
];

/// Algorithms that S3 has and this gateway has not: a body must not go unchecked in silence.
const UNKNOWN: [&str; 5] = [
    "x-amz-checksum-md5",
    "x-amz-checksum-sha512",
    "x-amz-checksum-xxhash3",
    "x-amz-checksum-xxhash64",
    "x-amz-checksum-xxhash128",
];

const TRAILER: HeaderName = HeaderName::from_static("x-amz-trailer");
const SDK_ALGORITHM: HeaderName = HeaderName::from_static("x-amz-sdk-checksum-algorithm");
const TYPE: HeaderName = HeaderName::from_static("x-amz-checksum-type");
const ALGORITHM: HeaderName = HeaderName::from_static("x-amz-checksum-algorithm");

/// The header of an algorithm.
fn header_of(algorithm: ChecksumAlgorithm) -> &'static HeaderName {
    match algorithm {
        ChecksumAlgorithm::Crc32 => &HEADERS[0],
        ChecksumAlgorithm::Crc32c => &HEADERS[1],
        ChecksumAlgorithm::Crc64Nvme => &HEADERS[2],
        ChecksumAlgorithm::Sha1 => &HEADERS[3],
        ChecksumAlgorithm::Sha256 => &HEADERS[4],
    }
}

/// What the headers of an upload declare of its body: a value before it, a value behind it, only an
/// algorithm, or nothing.
pub(crate) fn declared(headers: &HeaderMap, trailers: Option<&Trailers>) -> Result<DeclaredChecksum, S3Error> {
    if let Some(value) = value(headers)? {
        return Ok(DeclaredChecksum::Value(value));
    }
    if let Some(algorithm) = trailer(headers)? {
        let trailers = trailers.cloned();
        let read = move || {
            let trailers = trailers?;
            trailers.read(|trailers| parse(algorithm, trailers.get(header_of(algorithm))?).ok()).flatten()
        };
        return Ok(DeclaredChecksum::Trailer(algorithm, Box::new(read)));
    }
    let named = headers.get(SDK_ALGORITHM).or_else(|| headers.get(ALGORITHM));
    match named {
        Some(name) => Ok(DeclaredChecksum::Compute(algorithm(name.to_str().unwrap_or_default())?)),
        None => Ok(DeclaredChecksum::None),
    }
}

/// The one checksum value in the headers.
pub(crate) fn value(headers: &HeaderMap) -> Result<Option<Checksum>, S3Error> {
    if let Some(name) = UNKNOWN.iter().find(|name| headers.contains_key(**name)) {
        return Err(s3_error!(InvalidRequest, "The checksum of {name} is of an algorithm that is not supported."));
    }
    let mut found = None;
    for algorithm in ChecksumAlgorithm::ALL {
        let Some(text) = headers.get(header_of(algorithm)) else { continue };
        if found.replace(parse(algorithm, text)?).is_some() {
            return Err(s3_error!(
                InvalidRequest,
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
            ));
        }
    }
    Ok(found)
}

fn parse(algorithm: ChecksumAlgorithm, text: &HeaderValue) -> Result<Checksum, S3Error> {
    let text = text.to_str().unwrap_or_default().trim();
    Checksum::parse(algorithm, text)
        .map_err(|_| s3_error!(BadDigest, "Value for {} header is invalid.", header_of(algorithm)))
}

/// The algorithm whose value `x-amz-trailer` promises.
fn trailer(headers: &HeaderMap) -> Result<Option<ChecksumAlgorithm>, S3Error> {
    let Some(names) = headers.get(TRAILER) else { return Ok(None) };
    let mut found = None;
    for name in names.to_str().unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let known =
            ChecksumAlgorithm::ALL.into_iter().find(|known| header_of(*known).as_str().eq_ignore_ascii_case(name));
        let Some(known) = known else {
            return Err(s3_error!(InvalidRequest, "The value specified in the x-amz-trailer header is not supported"));
        };
        if found.replace(known).is_some() {
            return Err(s3_error!(InvalidRequest, "Expecting a single x-amz-checksum- header"));
        }
    }
    Ok(found)
}

/// Parses an algorithm's name.
pub(crate) fn algorithm(name: &str) -> Result<ChecksumAlgorithm, S3Error> {
    ChecksumAlgorithm::parse(name).map_err(|_| {
        s3_error!(InvalidRequest, "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
    })
}

/// Parses `COMPOSITE` or `FULL_OBJECT`.
pub(crate) fn kind(kind: &dto::ChecksumType) -> Result<ChecksumKind, S3Error> {
    match kind.as_str() {
        dto::ChecksumType::COMPOSITE => Ok(ChecksumKind::Composite),
        dto::ChecksumType::FULL_OBJECT => Ok(ChecksumKind::FullObject),
        _ => Err(s3_error!(InvalidRequest, "Value for x-amz-checksum-type header is invalid.")),
    }
}

/// `COMPOSITE` or `FULL_OBJECT`.
pub(crate) fn kind_to_dto(kind: ChecksumKind) -> dto::ChecksumType {
    dto::ChecksumType::from_static(match kind {
        ChecksumKind::Composite => dto::ChecksumType::COMPOSITE,
        ChecksumKind::FullObject => dto::ChecksumType::FULL_OBJECT,
    })
}

/// An algorithm's name.
pub(crate) fn algorithm_to_dto(algorithm: ChecksumAlgorithm) -> dto::ChecksumAlgorithm {
    dto::ChecksumAlgorithm::from_static(algorithm.name())
}

/// Reads `Content-MD5`.
pub(crate) fn content_md5(headers: &HeaderMap) -> Result<Option<[u8; 16]>, S3Error> {
    let Some(value) = headers.get(HeaderName::from_static("content-md5")) else { return Ok(None) };
    let decoded = BASE64_STANDARD.decode(value.as_bytes()).ok().and_then(|md5| md5.try_into().ok());
    decoded.map(Some).ok_or_else(|| S3Error::new(S3ErrorCode::InvalidDigest))
}

/// A checksum as the five optional fields that most DTOs have, in the order of
/// [`ChecksumAlgorithm::ALL`], and its kind. A composite one carries the number of parts.
#[derive(Default)]
pub(crate) struct Shown {
    pub(crate) crc32: Option<String>,
    pub(crate) crc32c: Option<String>,
    pub(crate) crc64nvme: Option<String>,
    pub(crate) sha1: Option<String>,
    pub(crate) sha256: Option<String>,
    pub(crate) kind: Option<dto::ChecksumType>,
}

impl Shown {
    /// Shows a checksum; `parts` is behind a composite one where it is known.
    pub(crate) fn new(checksum: Option<&Checksum>, parts: Option<u16>) -> Self {
        let Some(checksum) = checksum else { return Self::default() };
        let text = match (checksum.kind(), parts) {
            (ChecksumKind::Composite, Some(parts)) => format!("{}-{parts}", checksum.base64()),
            (ChecksumKind::Composite, None) | (ChecksumKind::FullObject, _) => checksum.base64(),
        };
        let mut shown = Self { kind: Some(kind_to_dto(checksum.kind())), ..Self::default() };
        *shown.field(checksum.algorithm()) = Some(text);
        shown
    }

    fn field(&mut self, algorithm: ChecksumAlgorithm) -> &mut Option<String> {
        match algorithm {
            ChecksumAlgorithm::Crc32 => &mut self.crc32,
            ChecksumAlgorithm::Crc32c => &mut self.crc32c,
            ChecksumAlgorithm::Crc64Nvme => &mut self.crc64nvme,
            ChecksumAlgorithm::Sha1 => &mut self.sha1,
            ChecksumAlgorithm::Sha256 => &mut self.sha256,
        }
    }
}

/// Shows a checksum as headers.
pub(crate) fn to_headers(checksum: Option<&Checksum>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(checksum) = checksum
        && let Ok(value) = HeaderValue::try_from(checksum.base64())
    {
        headers.insert(header_of(checksum.algorithm()), value);
        let kind = match checksum.kind() {
            ChecksumKind::Composite => dto::ChecksumType::COMPOSITE,
            ChecksumKind::FullObject => dto::ChecksumType::FULL_OBJECT,
        };
        headers.insert(TYPE, HeaderValue::from_static(kind));
    }
    headers
}

/// Reads the checksum of a part that completing names.
pub(crate) fn of_part(part: &dto::CompletedPart) -> Result<Option<Checksum>, S3Error> {
    let given = [
        &part.checksum_crc32,
        &part.checksum_crc32c,
        &part.checksum_crc64nvme,
        &part.checksum_sha1,
        &part.checksum_sha256,
    ];
    let mut named =
        ChecksumAlgorithm::ALL.into_iter().zip(given).filter_map(|(algorithm, text)| Some((algorithm, text.as_ref()?)));
    let Some((algorithm, text)) = named.next() else { return Ok(None) };
    Checksum::parse(algorithm, text).map(Some).map_err(|_| S3Error::new(S3ErrorCode::InvalidPart))
}

/// Takes `aws-chunked` out of `Content-Encoding`: it describes the transfer, not the object.
pub(crate) fn strip_aws_chunked(headers: &mut HeaderMap) {
    let Some(value) = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok()) else { return };
    if !value.to_ascii_lowercase().contains("aws-chunked") {
        return;
    }
    let others: Vec<&str> = value
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("aws-chunked"))
        .collect();
    let others = others.join(", ");
    match HeaderValue::from_str(&others) {
        Ok(value) if !others.is_empty() => {
            headers.insert(header::CONTENT_ENCODING, value);
        }
        _ => {
            headers.remove(header::CONTENT_ENCODING);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn reads_what_is_declared() {
        assert!(matches!(declared(&headers(&[]), None), Ok(DeclaredChecksum::None)));
        let value = declared(&headers(&[("x-amz-checksum-crc32", "AAAAAA==")]), None).unwrap();
        assert!(matches!(value, DeclaredChecksum::Value(sum) if sum.algorithm() == ChecksumAlgorithm::Crc32));
        let named = declared(&headers(&[("x-amz-sdk-checksum-algorithm", "sha256")]), None).unwrap();
        assert!(matches!(named, DeclaredChecksum::Compute(ChecksumAlgorithm::Sha256)));
        let behind = declared(&headers(&[("x-amz-trailer", "x-amz-checksum-crc64nvme")]), None).unwrap();
        let DeclaredChecksum::Trailer(ChecksumAlgorithm::Crc64Nvme, read) = behind else { panic!("a trailer") };
        assert_eq!(read(), None, "a body without trailers brings none");
    }

    #[test]
    fn refuses_two_values_bad_values_and_unknown_algorithms() {
        for pairs in [
            &[("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-checksum-crc32c", "AAAAAA==")][..],
            &[("x-amz-checksum-xxhash64", "AAAAAAAAAAA=")],
            &[("x-amz-trailer", "x-amz-checksum-sha512")],
            &[("x-amz-sdk-checksum-algorithm", "MD5")],
        ] {
            let refused = declared(&headers(pairs), None).err().map(|error| error.code().as_str().to_owned());
            assert_eq!(refused.as_deref(), Some("InvalidRequest"), "{pairs:?}");
        }
    }

    #[test]
    fn a_value_that_is_none_matches_nothing() {
        let refused = declared(&headers(&[("x-amz-checksum-sha256", "sailorjerry")]), None).err();
        assert_eq!(refused.map(|error| error.code().as_str().to_owned()).as_deref(), Some("BadDigest"));
    }

    #[test]
    fn reads_content_md5() {
        assert_eq!(content_md5(&headers(&[])).unwrap(), None);
        assert_eq!(content_md5(&headers(&[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")])).unwrap(), Some([0; 16]));
        for bad in ["", "YWJyYWNhZGFicmE=", "no base64"] {
            assert_eq!(content_md5(&headers(&[("content-md5", bad)])).unwrap_err().code(), &S3ErrorCode::InvalidDigest);
        }
    }

    #[test]
    fn strips_only_aws_chunked() {
        for (before, after) in [
            ("gzip", Some("gzip")),
            ("aws-chunked", None),
            ("aws-chunked, aws-chunked", None),
            ("gzip, aws-chunked", Some("gzip")),
            ("aws-chunked,gzip", Some("gzip")),
            ("deflate, gzip", Some("deflate, gzip")),
        ] {
            let mut map = headers(&[("content-encoding", before)]);
            strip_aws_chunked(&mut map);
            assert_eq!(map.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap()), after, "{before}");
        }
    }
}
