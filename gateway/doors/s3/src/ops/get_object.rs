//! GetObject and HeadObject.

use super::Operations;
use super::asked::{Asked, take};
use crate::auth::query::Query;
use crate::body::SizedStream;
use crate::translate::checksums::{self, Shown, with_checksum};
use crate::translate::{encryption, headers, lock, names, times};
use cofre_objects::{HeadOutcome, ReadObject};
use cofre_types::ResolvedRange;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use s3s::dto::{
    ChecksumMode, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, ObjectLockLegalHoldStatus,
    ObjectLockMode, StorageClass, StreamingBlob,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

/// Answers GetObject.
pub(super) async fn get(ops: &Operations, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
    let (input, asked) = take("GetObject", request)?;
    let wants_checksum = is_enabled(input.checksum_mode.as_ref());
    let part = input.part_number;
    refuse_overrides(&asked)?;
    let at = names::object(&input.bucket, input.key, input.version_id.as_deref())?;
    let key = at.key.clone();
    let refuse = |error| asked.refuse_object(&input.bucket, key.as_str(), error);
    let ticket = ops.objects.begin_get(&asked.caller, at).await;
    let (ticket, read) = asked.after_rights(ticket, wanted(&asked, part), refuse)?;
    let outcome = ticket.get(read).await.map_err(refuse)?;
    let size = sent(&outcome.head).len();
    let mut headers = encryption::shown(outcome.head.info.encryption.as_ref());
    expires(&asked, &mut headers)?;
    let mut output = tell(outcome.head, wants_checksum, part.is_some()).into_get();
    output.body = Some(StreamingBlob::new(SizedStream::new(outcome.body, size)));
    Ok(S3Response::with_headers(output, headers))
}

/// Answers HeadObject.
pub(super) async fn head(
    ops: &Operations,
    request: S3Request<HeadObjectInput>,
) -> S3Result<S3Response<HeadObjectOutput>> {
    let (input, asked) = take("HeadObject", request)?;
    let wants_checksum = is_enabled(input.checksum_mode.as_ref());
    let part = input.part_number;
    let mut overrides = overrides(&input)?;
    expires(&asked, &mut overrides)?;
    refuse_overrides(&asked)?;
    let at = names::object(&input.bucket, input.key, input.version_id.as_deref())?;
    let key = at.key.clone();
    let refuse = |error| asked.refuse_object(&input.bucket, key.as_str(), error);
    let ticket = ops.objects.begin_get(&asked.caller, at).await;
    let (ticket, read) = asked.after_rights(ticket, wanted(&asked, part), refuse)?;
    let outcome = ticket.head(read).await.map_err(refuse)?;
    let mut headers = encryption::shown(outcome.info.encryption.as_ref());
    headers.extend(overrides);
    Ok(S3Response::with_headers(tell(outcome, wants_checksum, part.is_some()).into_head(), headers))
}

/// What a request reads of its object.
fn wanted(asked: &Asked, part: Option<i32>) -> S3Result<ReadObject> {
    Ok(ReadObject {
        customer_key: asked.customer_key()?,
        range: asked.conditionals().range(),
        range_of: asked.conditionals().range_of(),
        part: part.map(names::part).transpose()?,
        conditions: asked.conditionals().read(),
    })
}

/// `response-*` parameters need a signature: else anyone could make a link that dresses a public object up
/// (AWS, "GetObject", "Overriding response header values").
fn refuse_overrides(asked: &Asked) -> S3Result<()> {
    let overrides = asked.response_expires.is_some()
        || Query::parse(asked.query()).pairs().any(|(name, _)| name.starts_with(b"response-"));
    if overrides && asked.is_anonymous() {
        return Err(s3_error!(
            InvalidRequest,
            "Request specific response headers cannot be used for anonymous GET requests."
        ));
    }
    Ok(())
}

fn is_enabled(mode: Option<&ChecksumMode>) -> bool {
    mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED)
}

fn sent(head: &HeadOutcome) -> ResolvedRange {
    head.range.unwrap_or(ResolvedRange { start: 0, end: head.info.size })
}

/// What both answers tell.
struct Told {
    given: headers::Given,
    checksum: Shown,
    content_length: i64,
    content_range: Option<String>,
    etag: s3s::dto::ETag,
    expiration: Option<String>,
    last_modified: s3s::dto::Timestamp,
    legal_hold: Option<ObjectLockLegalHoldStatus>,
    lock_mode: Option<ObjectLockMode>,
    lock_until: Option<s3s::dto::Timestamp>,
    parts_count: Option<i32>,
    storage_class: Option<StorageClass>,
    tag_count: Option<i32>,
    version_id: Option<String>,
}

fn tell(head: HeadOutcome, wants_checksum: bool, by_part: bool) -> Told {
    let sent = sent(&head);
    let HeadOutcome { info, range, part_checksum } = head;
    let checksum = match (wants_checksum, by_part, range) {
        // The kind is the object's: a part's own checksum is always of all its bytes.
        (true, true, _) => Shown {
            kind: info.checksum.as_ref().map(|checksum| checksums::kind_to_dto(checksum.kind())),
            ..Shown::new(part_checksum.as_ref(), None)
        },
        (true, false, None) => Shown::new(info.checksum.as_ref(), info.etag.parts()),
        // A checksum of the whole says nothing of a range.
        _ => Shown::default(),
    };
    // An empty part has no last byte, so no Content-Range can name it.
    let content_range = range
        .filter(|range| !range.is_empty())
        .map(|range| format!("bytes {}-{}/{}", range.start, range.end - 1, info.size));
    Told {
        given: headers::from_domain(info.headers),
        checksum,
        content_length: names::size(sent.len()),
        content_range,
        etag: names::etag(&info.etag),
        expiration: info.ending.map(times::to_expiration),
        last_modified: times::to_dto(info.modified),
        legal_hold: info.legal_hold.map(lock::hold_to_dto),
        lock_mode: info.retention.map(|kept| ObjectLockMode::from_static(lock::mode_name(kept.mode))),
        lock_until: info.retention.map(|kept| times::to_dto(kept.until)),
        parts_count: info.parts.filter(|_| by_part).map(i32::from),
        storage_class: (!info.storage_class.is_empty()).then(|| StorageClass::from(info.storage_class)),
        tag_count: (info.tag_count > 0).then(|| names::count(info.tag_count)),
        version_id: info.version.map(|version| version.to_string()),
    }
}

/// The two outputs have the same fields under the same names.
macro_rules! fill {
    ($output:ident, $told:ident) => {{
        let output = $output {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: $told.given.cache_control,
            checksum_type: $told.checksum.kind.clone(),
            content_disposition: $told.given.content_disposition,
            content_encoding: $told.given.content_encoding,
            content_language: $told.given.content_language,
            content_length: Some($told.content_length),
            content_range: $told.content_range,
            content_type: $told.given.content_type,
            e_tag: Some($told.etag),
            expiration: $told.expiration,
            expires: $told.given.expires,
            last_modified: Some($told.last_modified),
            metadata: $told.given.metadata,
            missing_meta: $told.given.missing,
            object_lock_legal_hold_status: $told.legal_hold,
            object_lock_mode: $told.lock_mode,
            object_lock_retain_until_date: $told.lock_until,
            parts_count: $told.parts_count,
            storage_class: $told.storage_class,
            tag_count: $told.tag_count,
            version_id: $told.version_id,
            website_redirect_location: $told.given.website_redirect_location,
            ..$output::default()
        };
        with_checksum!(output, $told.checksum)
    }};
}

impl Told {
    fn into_get(self) -> GetObjectOutput {
        fill!(GetObjectOutput, self)
    }

    fn into_head(self) -> HeadObjectOutput {
        fill!(HeadObjectOutput, self)
    }
}

/// The `response-*` parameters of a HEAD; s3s applies those of a GET itself.
fn overrides(input: &HeadObjectInput) -> S3Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    let mut set = |name: HeaderName, value: Option<&str>| -> S3Result<()> {
        let Some(value) = value else { return Ok(()) };
        let value = HeaderValue::from_str(value)
            .map_err(|_| s3_error!(InvalidArgument, "The value of response-{name} is not a header value."))?;
        headers.insert(name, value);
        Ok(())
    };
    set(header::CACHE_CONTROL, input.response_cache_control.as_deref())?;
    set(header::CONTENT_DISPOSITION, input.response_content_disposition.as_deref())?;
    set(header::CONTENT_ENCODING, input.response_content_encoding.as_deref())?;
    set(header::CONTENT_LANGUAGE, input.response_content_language.as_deref())?;
    set(header::CONTENT_TYPE, input.response_content_type.as_deref())?;
    Ok(headers)
}

/// `response-expires`, which need not be a date.
fn expires(asked: &Asked, headers: &mut HeaderMap) -> S3Result<()> {
    let Some(value) = &asked.response_expires else { return Ok(()) };
    let value = HeaderValue::from_str(value)
        .map_err(|_| s3_error!(InvalidArgument, "The value of response-expires is not a header value."))?;
    headers.insert(header::EXPIRES, value);
    Ok(())
}
