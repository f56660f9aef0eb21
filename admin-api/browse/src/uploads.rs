//! Uploads in parts: the parts that are kept stay, so that an upload goes on where it was cut off.

use crate::edge::Browser;
use crate::extract::{self, Json, PARTS_BYTES_MAX, Path, Query, Sent};
use crate::session::time_text;
use crate::{Door, Refusal, objects};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use cofre_admin_types::{
    FinishUpload, Page, Problem, Put, StartUpload, StartedUpload, UnfinishedUpload, UploadQuery, UploadedPart,
    UploadsQuery,
};
use cofre_objects::{
    CompleteUpload, CompletedPart, EncryptAs, ListUploads, ListedPart, ListedUpload, NewObject, NewUpload, PARTS_MAX,
    UploadRef, WantedLock,
};
use cofre_types::{Checksum, ChecksumAlgorithm, Tags, UploadId};
use std::sync::Arc;

/// Smallest part that pages are told to send, in bytes. S3 takes none below 5 MiB but the last.
const PART_BYTES_MIN: u64 = 8 * 1024 * 1024;

/// Uploads that are looked up at once.
const UPLOADS_AT_ONCE: usize = 100;

/// Parts that are looked up at once.
const PARTS_AT_ONCE: usize = 1_000;

/// Begin an upload in parts.
#[utoipa::path(post, path = "/console/v1/buckets/{bucket}/uploads", operation_id = "console_begin_upload", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket.")), request_body = StartUpload,
    responses((status = 201, description = "The upload, and how large its parts are.", body = StartedUpload)))]
pub(crate) async fn begin(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path(bucket): Path<String>,
    Json(request): Json<StartUpload>,
) -> Result<(StatusCode, axum::Json<StartedUpload>), Refusal> {
    let (bucket, key) = (extract::bucket(&bucket)?, extract::key(request.key)?);
    let (tags, lock) = (Tags::default(), WantedLock::default());
    let ticket = door.objects.begin_upload(&browser.caller, NewObject { bucket, key, tags, lock, acl: None }).await?;
    let new = NewUpload {
        headers: objects::kept(&request.media_type),
        storage_class: String::new(),
        // Named, so that the parts tell theirs: so a page finds out whether a file is the one that was begun.
        checksum: Some(ChecksumAlgorithm::Crc64Nvme),
        checksum_kind: None,
        encryption: EncryptAs::default(),
    };
    let begun = ticket.create(new).await?;
    let part_bytes = Some(request.bytes.div_ceil(PARTS_MAX.into()).max(PART_BYTES_MIN));
    let started = StartedUpload { id: begun.id.to_string(), part_bytes, parts: Vec::new(), more: false };
    Ok((StatusCode::CREATED, axum::Json(started)))
}

/// Uploads under way that this account began.
#[utoipa::path(get, path = "/console/v1/buckets/{bucket}/uploads", operation_id = "console_list_uploads", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket."), UploadsQuery),
    responses((status = 200, description = "A page of uploads, by key; it may be empty and not the last.", body = Page<UnfinishedUpload>)))]
pub(crate) async fn list(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path(bucket): Path<String>,
    Query(query): Query<UploadsQuery>,
) -> Result<axum::Json<Page<UnfinishedUpload>>, Refusal> {
    let after = query.after.as_deref().map(|after| after.split_once('/').unwrap_or((after, "")));
    let request = ListUploads {
        bucket: extract::bucket(&bucket)?,
        prefix: query.prefix,
        delimiter: String::new(),
        key_after: after.map(|(_, key)| key.to_owned()),
        upload_after: after.map(|(id, _)| id.to_owned()),
        max: UPLOADS_AT_ONCE,
    };
    let page = door.objects.list_uploads(&browser.caller, request).await?;
    let account = browser.signed_in.session.account;
    let ours = page.uploads.into_iter().filter(|listed| listed.upload.initiator == account);
    let shown = |listed: ListedUpload| UnfinishedUpload {
        id: listed.upload.id.to_string(),
        key: listed.key.as_str().to_owned(),
        begun: time_text(listed.upload.initiated),
    };
    let next = page.next.map(|(key, id)| format!("{}/{key}", id.unwrap_or_default()));
    Ok(axum::Json(Page { items: ours.map(shown).collect(), next }))
}

/// The parts of an upload that are kept.
#[utoipa::path(get, path = "/console/v1/buckets/{bucket}/uploads/{id}", operation_id = "console_upload", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket."), ("id" = String, Path, description = "The upload."), UploadQuery),
    responses(
        (status = 200, description = "The upload.", body = StartedUpload),
        (status = 404, description = "There is no such upload.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn look(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path((bucket, id)): Path<(String, String)>,
    Query(query): Query<UploadQuery>,
) -> Result<axum::Json<StartedUpload>, Refusal> {
    let after = query.after.unwrap_or(0);
    let at = reference(&bucket, query.key, &id)?;
    let page = door.objects.list_parts(&browser.caller, at, after, PARTS_AT_ONCE).await?;
    let part = |part: ListedPart| UploadedPart {
        number: part.number,
        bytes: part.size,
        etag: part.etag.to_string(),
        crc64nvme: crc(part.checksum.as_ref()),
    };
    let parts = page.parts.into_iter().map(part).collect();
    Ok(axum::Json(StartedUpload { id, part_bytes: None, parts, more: page.truncated }))
}

/// Put a part of an upload; a part put again replaces the one before.
#[utoipa::path(put, path = "/console/v1/buckets/{bucket}/uploads/{id}/parts/{number}", operation_id = "console_put_part", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket."), ("id" = String, Path, description = "The upload."),
        ("number" = u16, Path, description = "Number of the part, 1 to 10,000."), UploadQuery,
        ("X-Cofre-CRC64NVME" = Option<String>, Header, description = "CRC-64/NVME of the bytes, in base64: others are refused.")),
    request_body(content = String, content_type = "application/octet-stream", description = "The bytes."),
    responses((status = 200, description = "The part is durable.", body = UploadedPart)))]
pub(crate) async fn put_part(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path((bucket, id, number)): Path<(String, String, u16)>,
    Query(query): Query<UploadQuery>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<axum::Json<UploadedPart>, Refusal> {
    if !(1..=PARTS_MAX).contains(&number) {
        return Err(Refusal::invalid("number", "must be 1 to 10,000"));
    }
    let upload = reference(&bucket, query.key, &id)?;
    let mut ticket = door.objects.begin_part(&browser.caller, upload, number).await?;
    ticket.reserve(sent.length).await?;
    let bytes = sent.length;
    let content = objects::declared(&headers, sent.into_domain().await?)?;
    let put = ticket.store(content, EncryptAs::default()).await?;
    let crc64nvme = crc(put.checksum.as_ref());
    Ok(axum::Json(UploadedPart { number, bytes, etag: put.etag.to_string(), crc64nvme }))
}

/// Make the object of its parts. Doing it twice answers alike.
///
/// The bytes that the object must have are sent along: a part that is missing is found out.
#[utoipa::path(post, path = "/console/v1/buckets/{bucket}/uploads/{id}/finish", operation_id = "console_finish_upload", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket."), ("id" = String, Path, description = "The upload."), UploadQuery,
        ("If-None-Match" = Option<String>, Header, description = "`*`: only where nothing of that key is there.")),
    request_body = FinishUpload, responses(
        (status = 201, description = "The object is durable.", body = Put),
        (status = 400, description = "Parts are missing.", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "An object of that key is there.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn finish(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path((bucket, id)): Path<(String, String)>,
    Query(query): Query<UploadQuery>,
    headers: HeaderMap,
    Json(request): Json<FinishUpload, PARTS_BYTES_MAX>,
) -> Result<(StatusCode, axum::Json<Put>), Refusal> {
    let upload = reference(&bucket, query.key, &id)?;
    let conditions = objects::if_none_match(&headers)?;
    let mut parts = Vec::new();
    for part in request.parts {
        parts.push(CompletedPart {
            number: part.number,
            etag: Some(cofre_types::ETag::parse(&part.etag)?),
            checksum: None,
        });
    }
    let complete = CompleteUpload {
        upload,
        parts,
        checksum: None,
        checksum_kind: None,
        size: Some(request.bytes),
        conditions,
        encryption: EncryptAs::default(),
    };
    let made = door.objects.complete_upload(&browser.caller, complete).await?;
    Ok((StatusCode::CREATED, axum::Json(objects::shown(made))))
}

/// Give an upload up. Its parts go.
#[utoipa::path(delete, path = "/console/v1/buckets/{bucket}/uploads/{id}", operation_id = "console_cancel_upload", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket."), ("id" = String, Path, description = "The upload."), UploadQuery),
    responses(
        (status = 204, description = "It is given up."),
        (status = 404, description = "There is no such upload.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn cancel(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path((bucket, id)): Path<(String, String)>,
    Query(query): Query<UploadQuery>,
) -> Result<StatusCode, Refusal> {
    door.objects.abort_upload(&browser.caller, reference(&bucket, query.key, &id)?, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A checksum as pages compare it.
fn crc(checksum: Option<&Checksum>) -> Option<String> {
    checksum.filter(|checksum| checksum.algorithm() == ChecksumAlgorithm::Crc64Nvme).map(Checksum::base64)
}

fn reference(bucket: &str, key: String, id: &str) -> Result<UploadRef, Refusal> {
    Ok(UploadRef { bucket: extract::bucket(bucket)?, key: extract::key(key)?, upload: UploadId::parse(id)? })
}
