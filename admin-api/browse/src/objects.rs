//! Objects: put in one piece, and deleted.

use crate::edge::Browser;
use crate::extract::{self, Path, Query, Sent};
use crate::{Door, Refusal};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use cofre_admin_types::{DeleteQuery, Deleted, ObjectQuery, Problem, Put};
use cofre_objects::{
    Body, DeclaredChecksum, DeleteConditions, DeleteObject, EncryptAs, Header, Headers, NewObject, PutContent,
    PutObject, PutOutcome, TagMatch, Upload, WantedLock, WriteConditions,
};
use cofre_types::{BucketName, Checksum, ChecksumAlgorithm, ObjectKey, Tags};
use std::sync::Arc;

/// Longest media type that is kept, in bytes (RFC 6838, section 4.2: twice 127, and parameters).
const MEDIA_TYPE_BYTES_MAX: usize = 512;

/// Put an object in one piece, of at most 5 GiB.
///
/// With `If-None-Match: *` only where nothing of that key is there.
#[utoipa::path(put, path = "/console/v1/buckets/{bucket}/object", operation_id = "console_put_object", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket."), ObjectQuery,
        ("If-None-Match" = Option<String>, Header, description = "`*`: only where nothing of that key is there."),
        ("X-Cofre-CRC64NVME" = Option<String>, Header, description = "CRC-64/NVME of the bytes, in base64: others are refused.")),
    request_body(content = String, content_type = "application/octet-stream", description = "The bytes."),
    responses(
        (status = 201, description = "The object is durable.", body = Put),
        (status = 412, description = "An object of that key is there.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn put(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path(bucket): Path<String>,
    Query(query): Query<ObjectQuery>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<(StatusCode, axum::Json<Put>), Refusal> {
    if query.version.is_some() {
        return Err(Refusal::invalid("version", "a version is never written anew"));
    }
    let new = NewObject {
        bucket: extract::bucket(&bucket)?,
        key: extract::key(query.key)?,
        tags: Tags::default(),
        lock: WantedLock::default(),
        acl: None,
    };
    // Before the body: who may not send it learns that at once.
    let mut ticket = door.objects.begin_put(&browser.caller, new).await?;
    ticket.reserve(sent.length).await?;
    let conditions = if_none_match(&headers)?;
    let content = PutContent {
        upload: declared(&headers, sent.into_domain().await?)?,
        headers: kept(media_type(&headers)),
        storage_class: String::new(),
        encryption: EncryptAs::default(),
        conditions,
    };
    let put = ticket.store(content).await?;
    Ok((StatusCode::CREATED, axum::Json(shown(put))))
}

/// Delete an object, or a version of it.
#[utoipa::path(delete, path = "/console/v1/buckets/{bucket}/object", operation_id = "console_delete_object", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket."), DeleteQuery),
    responses((status = 200, description = "It is gone, or was not there.", body = Deleted)))]
pub(crate) async fn delete(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path(bucket): Path<String>,
    Query(query): Query<DeleteQuery>,
) -> Result<axum::Json<Deleted>, Refusal> {
    let request = DeleteObject {
        version: extract::version(query.version.as_deref())?,
        key: extract::key(query.key)?,
        conditions: DeleteConditions::default(),
        bypass_governance: false,
    };
    let done = door.objects.delete_object(&browser.caller, &extract::bucket(&bucket)?, request).await?;
    let version = done.version.map(|version| version.to_string());
    Ok(axum::Json(Deleted { version, delete_marker: done.delete_marker }))
}

/// A plain object: what the bucket says decides its lock and its encryption.
pub(crate) fn put_of(bucket: BucketName, key: ObjectKey, body: Body, conditions: WriteConditions) -> PutObject {
    PutObject {
        bucket,
        key,
        upload: unchecked(body),
        headers: Headers::default(),
        tags: Tags::default(),
        storage_class: String::new(),
        lock: WantedLock::default(),
        acl: None,
        encryption: EncryptAs::default(),
        conditions,
    }
}

/// Names the checksum of the bytes of a request, in base64.
const CHECKSUM: &str = "x-cofre-crc64nvme";

/// A body of which nothing is declared but its length.
fn unchecked(body: Body) -> Upload {
    Upload { body, content_md5: None, checksum: DeclaredChecksum::None }
}

/// A body and the checksum that the browser declares of it, if it does.
pub(crate) fn declared(headers: &HeaderMap, body: Body) -> Result<Upload, Refusal> {
    let Some(value) = headers.get(CHECKSUM) else { return Ok(unchecked(body)) };
    let text = value.to_str().unwrap_or_default();
    let checksum = Checksum::parse(ChecksumAlgorithm::Crc64Nvme, text);
    let checksum = checksum.map_err(|invalid| Refusal::invalid("X-Cofre-CRC64NVME", invalid.reason))?;
    Ok(Upload { checksum: DeclaredChecksum::Value(checksum), ..unchecked(body) })
}

/// What the browser calls the content; none that is no plain text.
pub(crate) fn media_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Headers to keep with an object of this media type.
pub(crate) fn kept(media_type: &str) -> Headers {
    let is_plain = media_type.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    let is_kept = is_plain && !media_type.is_empty() && media_type.len() <= MEDIA_TYPE_BYTES_MAX;
    let system = is_kept.then(|| (Header::ContentType, media_type.to_owned()));
    Headers { system: system.into_iter().collect(), user: Vec::new() }
}

/// `If-None-Match: *`, the one form that a write knows here.
pub(crate) fn if_none_match(headers: &HeaderMap) -> Result<WriteConditions, Refusal> {
    match headers.get(header::IF_NONE_MATCH) {
        None => Ok(WriteConditions::default()),
        Some(value) if value == "*" => {
            Ok(WriteConditions { if_none_match: Some(TagMatch::Any), ..WriteConditions::default() })
        }
        Some(_) => Err(Refusal::invalid("If-None-Match", "may only be *")),
    }
}

pub(crate) fn shown(put: PutOutcome) -> Put {
    Put { etag: put.etag.to_string(), version: put.version.map(|version| version.to_string()), bytes: put.size }
}
