//! Checksums: what a request declares, and how an answer shows them.

use crate::auth::Trailers;
use crate::exchange::Exchange;
use base64::{Engine, prelude::BASE64_STANDARD};
use cofre_objects::{ChecksumError, DeclaredChecksum};
use cofre_types::{Checksum, ChecksumAlgorithm, ChecksumKind};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use s3s::{S3Error, S3ErrorCode, S3Result, dto, s3_error};

/// What the names of the headers of checksums begin with.
const VALUES: &str = "x-amz-checksum-";

const TRAILER: HeaderName = HeaderName::from_static("x-amz-trailer");
const SDK_ALGORITHM: HeaderName = HeaderName::from_static("x-amz-sdk-checksum-algorithm");
const TYPE: HeaderName = HeaderName::from_static("x-amz-checksum-type");
const ALGORITHM: HeaderName = HeaderName::from_static("x-amz-checksum-algorithm");
const MODE: HeaderName = HeaderName::from_static("x-amz-checksum-mode");

/// What a checksum in the headers of a request is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChecksumOf {
    /// Of an object: base64 without its padding is a wrong value, as s3-tests have it.
    Object,
    /// Of an object that completing makes: as of any, and it may have the number of parts behind it.
    Completion,
    /// Of a part, a form's file or a document: it is no value.
    Other,
}

/// The header of an algorithm.
fn header_of(algorithm: ChecksumAlgorithm) -> HeaderName {
    HeaderName::from_static(match algorithm {
        ChecksumAlgorithm::Crc32 => "x-amz-checksum-crc32",
        ChecksumAlgorithm::Crc32c => "x-amz-checksum-crc32c",
        ChecksumAlgorithm::Crc64Nvme => "x-amz-checksum-crc64nvme",
        ChecksumAlgorithm::Sha1 => "x-amz-checksum-sha1",
        ChecksumAlgorithm::Sha256 => "x-amz-checksum-sha256",
        ChecksumAlgorithm::Md5 => "x-amz-checksum-md5",
        ChecksumAlgorithm::Sha512 => "x-amz-checksum-sha512",
        ChecksumAlgorithm::XxHash64 => "x-amz-checksum-xxhash64",
        ChecksumAlgorithm::XxHash3 => "x-amz-checksum-xxhash3",
        ChecksumAlgorithm::XxHash128 => "x-amz-checksum-xxhash128",
    })
}

/// The algorithm whose value a header holds; none if it holds no checksum.
fn algorithm_of(header: &str) -> Option<ChecksumAlgorithm> {
    header.get(..VALUES.len()).filter(|start| start.eq_ignore_ascii_case(VALUES))?;
    ChecksumAlgorithm::parse(&header[VALUES.len()..]).ok()
}

/// What the headers of an upload declare of its body: a value before it, a value behind it, only an
/// algorithm, or nothing.
pub(crate) fn declared(headers: &HeaderMap, trailers: Option<&Trailers>, of: ChecksumOf) -> S3Result<DeclaredChecksum> {
    let declared = match (value(headers, of)?, trailer(headers)?) {
        (Some(_), Some(_)) => return Err(several()),
        (Some(value), None) => DeclaredChecksum::Value(value),
        (None, Some(algorithm)) => {
            let trailers = trailers.cloned();
            DeclaredChecksum::Trailer(algorithm, Box::new(move || trailing(trailers.as_ref(), algorithm)))
        }
        (None, None) => DeclaredChecksum::None,
    };
    let named = |name: &HeaderName| headers.get(name).map(|named| algorithm(named.to_str().unwrap_or_default()));
    // AWS, "PutObject": who names an algorithm to an SDK must send a value of it.
    if let Some(named) = named(&SDK_ALGORITHM).transpose()? {
        return match declared.algorithm() {
            Some(given) if given == named => Ok(declared),
            Some(_) => Err(invalid(&SDK_ALGORITHM)),
            None => Err(s3_error!(
                InvalidRequest,
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found."
            )),
        };
    }
    match (named(&ALGORITHM).transpose()?, declared.algorithm()) {
        (Some(named), None) => Ok(DeclaredChecksum::Compute(named)),
        (Some(named), Some(given)) if named != given => Err(invalid(&ALGORITHM)),
        _ => Ok(declared),
    }
}

/// The one checksum value in the headers.
pub(crate) fn value(headers: &HeaderMap, of: ChecksumOf) -> S3Result<Option<Checksum>> {
    let mut found = None;
    for (name, text) in headers.iter().filter(|(name, _)| name.as_str().starts_with(VALUES)) {
        if [TYPE, ALGORITHM, MODE].contains(name) {
            continue;
        }
        let Some(algorithm) = algorithm_of(name.as_str()) else {
            return Err(s3_error!(
                InvalidRequest,
                "The algorithm type you specified in x-amz-checksum- header is invalid."
            ));
        };
        if found.replace((algorithm, text)).is_some() {
            return Err(several());
        }
    }
    found.map(|(algorithm, text)| parse(algorithm, text, of)).transpose()
}

/// Parses a value. Only that of a completed object may have a number of parts behind it.
fn parse(algorithm: ChecksumAlgorithm, text: &HeaderValue, of: ChecksumOf) -> S3Result<Checksum> {
    let text = text.to_str().unwrap_or_default().trim();
    let parsed = Checksum::parse(algorithm, text).ok();
    if let Some(parsed) =
        parsed.filter(|parsed| of == ChecksumOf::Completion || parsed.kind() == ChecksumKind::FullObject)
    {
        return Ok(parsed);
    }
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
    let lacks_padding = !text.len().is_multiple_of(4) && text.bytes().all(is_base64);
    if of != ChecksumOf::Other && lacks_padding {
        return Err(s3_error!(BadDigest, "The {} you specified is not base64 with its padding.", algorithm.name()));
    }
    Err(invalid(&header_of(algorithm)))
}

fn invalid(header: &HeaderName) -> S3Error {
    s3_error!(InvalidRequest, "Value for {header} header is invalid.")
}

fn several() -> S3Error {
    s3_error!(InvalidRequest, "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
}

/// The value that came behind a body.
fn trailing(trailers: Option<&Trailers>, algorithm: ChecksumAlgorithm) -> Result<Checksum, ChecksumError> {
    let text = trailers.and_then(|trailers| trailers.read(|trailers| trailers.get(header_of(algorithm)).cloned()));
    let text = text.flatten().ok_or(ChecksumError::Missing)?;
    parse(algorithm, &text, ChecksumOf::Other).map_err(|_| ChecksumError::Invalid(algorithm))
}

/// The algorithm whose value `x-amz-trailer` promises.
fn trailer(headers: &HeaderMap) -> S3Result<Option<ChecksumAlgorithm>> {
    let names = headers.get_all(TRAILER).iter().map(|names| names.to_str().unwrap_or("?"));
    let mut found = None;
    for name in names.flat_map(|names| names.split(',')).map(str::trim).filter(|name| !name.is_empty()) {
        let Some(known) = algorithm_of(name) else {
            return Err(s3_error!(InvalidRequest, "The value specified in the x-amz-trailer header is not supported"));
        };
        if found.replace(known).is_some() {
            return Err(several());
        }
    }
    Ok(found)
}

/// Parses an algorithm's name.
pub(crate) fn algorithm(name: &str) -> S3Result<ChecksumAlgorithm> {
    ChecksumAlgorithm::parse(name).map_err(|_| {
        s3_error!(InvalidRequest, "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, MD5, SHA1, SHA256, SHA512, XXHASH128, XXHASH3, XXHASH64]")
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

/// A checksum as the optional fields that most DTOs have, and its kind. A composite one carries the number of parts.
#[derive(Default)]
pub(crate) struct Shown {
    pub(crate) value: Option<(ChecksumAlgorithm, String)>,
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
        Self { value: Some((checksum.algorithm(), text)), kind: Some(kind_to_dto(checksum.kind())) }
    }
}

/// Puts the value of a [`Shown`] into a DTO: all that show checksums have the same fields.
macro_rules! with_checksum {
    ($output:expr, $shown:expr) => {{
        let mut output = $output;
        if let Some((algorithm, text)) = $shown.value {
            *$crate::translate::checksums::field_of!(output, algorithm) = Some(text);
        }
        output
    }};
}

/// The field of a DTO that an algorithm's value stands in.
macro_rules! field_of {
    ($dto:expr, $algorithm:expr) => {
        match $algorithm {
            cofre_types::ChecksumAlgorithm::Crc32 => &mut $dto.checksum_crc32,
            cofre_types::ChecksumAlgorithm::Crc32c => &mut $dto.checksum_crc32c,
            cofre_types::ChecksumAlgorithm::Crc64Nvme => &mut $dto.checksum_crc64nvme,
            cofre_types::ChecksumAlgorithm::Sha1 => &mut $dto.checksum_sha1,
            cofre_types::ChecksumAlgorithm::Sha256 => &mut $dto.checksum_sha256,
            cofre_types::ChecksumAlgorithm::Md5 => &mut $dto.checksum_md5,
            cofre_types::ChecksumAlgorithm::Sha512 => &mut $dto.checksum_sha512,
            cofre_types::ChecksumAlgorithm::XxHash64 => &mut $dto.checksum_xxhash64,
            cofre_types::ChecksumAlgorithm::XxHash3 => &mut $dto.checksum_xxhash3,
            cofre_types::ChecksumAlgorithm::XxHash128 => &mut $dto.checksum_xxhash128,
        }
    };
}

pub(crate) use {field_of, with_checksum};

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

/// Reads the checksum of a part that completing names. `told` is told what is refused.
pub(crate) fn of_part(part: &mut dto::CompletedPart, told: &Exchange) -> S3Result<Option<Checksum>> {
    let all = ChecksumAlgorithm::ALL.into_iter();
    let given: Vec<_> = all.filter_map(|algorithm| Some((algorithm, field_of!(part, algorithm).take()?))).collect();
    let refused = |value: String| {
        told.argument("Checksum", value);
        s3_error!(InvalidArgument, "Invalid Base64 or multiple checksums present in request")
    };
    match given.as_slice() {
        [] => Ok(None),
        [(algorithm, text)] => {
            let parsed = Checksum::parse(*algorithm, text).ok();
            let parsed = parsed.filter(|parsed| parsed.kind() == ChecksumKind::FullObject);
            parsed.map(Some).ok_or_else(|| refused(text.clone()))
        }
        several => Err(refused(several.iter().map(|(one, text)| format!("{}:{text};", one.name())).collect())),
    }
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
        let read = |pairs| declared(&headers(pairs), None, ChecksumOf::Object).unwrap();
        assert!(matches!(read(&[]), DeclaredChecksum::None));
        assert!(matches!(read(&[("x-amz-checksum-mode", "ENABLED")]), DeclaredChecksum::None));
        let value = read(&[("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-sdk-checksum-algorithm", "crc32")]);
        assert!(matches!(value, DeclaredChecksum::Value(sum) if sum.algorithm() == ChecksumAlgorithm::Crc32));
        let named = read(&[("x-amz-checksum-algorithm", "sha256")]);
        assert!(matches!(named, DeclaredChecksum::Compute(ChecksumAlgorithm::Sha256)));
        let behind = read(&[("x-amz-trailer", "X-Amz-Checksum-XXHash128")]);
        let DeclaredChecksum::Trailer(ChecksumAlgorithm::XxHash128, read) = behind else { panic!("a trailer") };
        assert_eq!(read(), Err(ChecksumError::Missing), "a body without trailers brings none");
    }

    #[test]
    fn refuses_two_values_bad_values_and_unknown_algorithms() {
        for pairs in [
            &[("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-checksum-crc32c", "AAAAAA==")][..],
            &[("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-checksum-crc32", "AAAAAA==")],
            &[("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-trailer", "x-amz-checksum-crc32")],
            &[("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-sdk-checksum-algorithm", "CRC32C")],
            &[("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-checksum-algorithm", "CRC32C")],
            &[("x-amz-checksum-crc32", "AAAAAA==-1")],
            &[("x-amz-checksum-xxhash64", "AAAAAA==")],
            &[("x-amz-checksum-crc32", "")],
            &[("x-amz-checksum-crc32", "not base64!")],
            &[("x-amz-checksum-md4", "AAAAAAAAAAA=")],
            &[("x-amz-trailer", "x-amz-checksum-md4")],
            &[("x-amz-trailer", "x-amz-checksum-md5, x-amz-checksum-crc32")],
            &[("x-amz-sdk-checksum-algorithm", "MD5")],
            &[("x-amz-sdk-checksum-algorithm", "MD4")],
        ] {
            let refused =
                declared(&headers(pairs), None, ChecksumOf::Other).err().map(|error| error.code().as_str().to_owned());
            assert_eq!(refused.as_deref(), Some("InvalidRequest"), "{pairs:?}");
        }
    }

    #[test]
    fn base64_without_padding_is_a_wrong_value_of_an_object() {
        for (of, code) in [(ChecksumOf::Object, "BadDigest"), (ChecksumOf::Other, "InvalidRequest")] {
            let refused = declared(&headers(&[("x-amz-checksum-sha256", "bad")]), None, of).err();
            assert_eq!(refused.map(|error| error.code().as_str().to_owned()).as_deref(), Some(code));
        }
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
