//! What is known of an object: headers, metadata, tags and lock; told, and set.

use crate::copies::{plain_copy, plain_get};
use crate::edge::Browser;
use crate::extract::{self, Json, Path, Query};
use crate::session::{time_of, time_text};
use crate::{Door, Refusal, objects};
use axum::extract::State;
use axum::http::StatusCode;
use cofre_admin_types::{
    AboutObject, BrowsedLockMode, BrowsedRetention, ObjectQuery, Problem, Put, SetAbout, SetMetadata,
};
use cofre_objects::{
    CopyObject, EncryptionMethod, Error, Header, Headers, LockMode, ObjectInfo, ReadConditions, Retention, TagMatch,
};
use cofre_types::{ETag, Tags, TagsLimit};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most bytes of user metadata, names and values (AWS, "Working with object metadata").
const METADATA_BYTES_MAX: usize = 2048;

/// Tell what is known of an object.
#[utoipa::path(get, path = "/console/v1/buckets/{bucket}/about", operation_id = "console_about_object", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket."), ObjectQuery),
    responses(
        (status = 200, description = "What is known of it.", body = AboutObject),
        (status = 404, description = "There is no such object.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path(bucket): Path<String>,
    Query(query): Query<ObjectQuery>,
) -> Result<axum::Json<AboutObject>, Refusal> {
    let (bucket, key) = (extract::bucket(&bucket)?, extract::key(query.key)?);
    let version = extract::version(query.version.as_deref())?;
    let head = door.objects.head_object(&browser.caller, plain_get(bucket.clone(), key.clone(), version)).await?;
    let tags = match door.objects.object_tags(&browser.caller, &bucket, &key, version).await {
        Ok((tags, _)) => Some(tags.pairs().iter().cloned().collect()),
        Err(Error::AccessDenied) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(axum::Json(shown(head.info, tags)))
}

fn shown(info: ObjectInfo, tags: Option<BTreeMap<String, String>>) -> AboutObject {
    AboutObject {
        version: info.version.map(|version| version.to_string()),
        etag: info.etag.to_string(),
        bytes: info.size,
        modified: time_text(info.modified),
        media_type: info.headers.get(Header::ContentType).unwrap_or_default().to_owned(),
        metadata: info.headers.user.into_iter().collect(),
        tags,
        storage_class: if info.storage_class.is_empty() { "STANDARD".to_owned() } else { info.storage_class },
        checksum: info.checksum.map(|checksum| format!("{} {}", checksum.algorithm().name(), checksum.base64())),
        encryption: info.encryption.map(|encrypted| method(&encrypted.method)),
        retention: info.retention.map(|retention| BrowsedRetention {
            mode: match retention.mode {
                LockMode::Governance => BrowsedLockMode::Governance,
                LockMode::Compliance => BrowsedLockMode::Compliance,
            },
            until: time_text(retention.until),
        }),
        legal_hold: info.legal_hold,
        ends: info.ending.map(|ending| time_text(ending.at)),
    }
}

fn method(method: &EncryptionMethod) -> String {
    match method {
        EncryptionMethod::S3 => "SSE-S3".to_owned(),
        EncryptionMethod::Kms { key, .. } => format!("SSE-KMS {key}"),
        EncryptionMethod::Customer => "SSE-C".to_owned(),
    }
}

/// Set tags, retention or legal hold of an object. Each is a change of its own: one that is refused leaves those before it.
#[utoipa::path(put, path = "/console/v1/buckets/{bucket}/about", operation_id = "console_set_about", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket.")), request_body = SetAbout,
    responses(
        (status = 204, description = "It is set."),
        (status = 400, description = "A value is not valid.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such object.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn set(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path(bucket): Path<String>,
    Json(request): Json<SetAbout>,
) -> Result<StatusCode, Refusal> {
    let (bucket, key) = (extract::bucket(&bucket)?, extract::key(request.key)?);
    let version = extract::version(request.version.as_deref())?;
    let tags = request.tags.map(|tags| Tags::new(tags.into_iter().collect(), TagsLimit::Object)).transpose();
    let tags = tags.map_err(|error| Refusal::invalid("tags", error.to_string()))?;
    let retention = request.retention.map(retention).transpose()?;
    let (objects, caller) = (&door.objects, &browser.caller);
    if let Some(tags) = tags {
        objects.put_object_tags(caller, &bucket, &key, version, tags).await?;
    }
    if retention.is_some() {
        objects.put_object_retention(caller, &bucket, &key, version, retention, false).await?;
    }
    if let Some(hold) = request.legal_hold {
        objects.put_object_legal_hold(caller, &bucket, &key, version, hold).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

fn retention(wanted: BrowsedRetention) -> Result<Retention, Refusal> {
    let mode = match wanted.mode {
        BrowsedLockMode::Governance => LockMode::Governance,
        BrowsedLockMode::Compliance => LockMode::Compliance,
    };
    let until = time_of(&wanted.until);
    let until = until.ok_or_else(|| Refusal::invalid("retention.until", "must be a time as of RFC 3339"))?;
    Ok(Retention { mode, until })
}

/// Set media type and metadata of an object: a copy onto itself, which moves no bytes. Other headers and tags stay.
#[utoipa::path(put, path = "/console/v1/buckets/{bucket}/metadata", operation_id = "console_set_metadata", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket.")), request_body = SetMetadata,
    responses(
        (status = 200, description = "The object as it is now.", body = Put),
        (status = 412, description = "It is another object by now.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn set_metadata(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path(bucket): Path<String>,
    Json(request): Json<SetMetadata>,
) -> Result<axum::Json<Put>, Refusal> {
    let (bucket, key) = (extract::bucket(&bucket)?, extract::key(request.key)?);
    let user = metadata(request.metadata)?;
    let media_type = objects::kept(&request.media_type).system;
    if media_type.is_empty() && !request.media_type.is_empty() {
        return Err(Refusal::invalid("media_type", "must be plain text of at most 512 characters"));
    }
    let tag = ETag::parse(&request.etag)?;
    let head = door.objects.head_object(&browser.caller, plain_get(bucket.clone(), key.clone(), None)).await?.info;
    let others = head.headers.system.into_iter().filter(|(name, _)| *name != Header::ContentType);
    let place = (bucket, key);
    let copy = CopyObject {
        source_conditions: ReadConditions { if_match: Some(TagMatch::OneOf(vec![tag])), ..ReadConditions::default() },
        headers: Some(Headers { system: media_type.into_iter().chain(others).collect(), user }),
        storage_class: head.storage_class,
        ..plain_copy((place.0.clone(), place.1.clone(), None), place)
    };
    let made = door.objects.copy_object(&browser.caller, copy).await?;
    let version = made.version.map(|version| version.to_string());
    Ok(axum::Json(Put { etag: made.etag.to_string(), version, bytes: head.size }))
}

/// User metadata as S3 takes it in headers: names of tokens in lower case, values of plain text.
fn metadata(wanted: BTreeMap<String, String>) -> Result<Vec<(String, String)>, Refusal> {
    let bytes: usize = wanted.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > METADATA_BYTES_MAX {
        return Err(Refusal::invalid("metadata", "may have 2 KiB at the most"));
    }
    let is_name = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"-_.".contains(&c);
    for (name, value) in &wanted {
        if name.is_empty() || !name.bytes().all(is_name) {
            return Err(Refusal::invalid("metadata", "names have lower-case letters, digits and - _ . only"));
        }
        if !value.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) || value.trim() != value {
            return Err(Refusal::invalid("metadata", "values have plain letters, digits and signs only"));
        }
    }
    Ok(wanted.into_iter().collect())
}
