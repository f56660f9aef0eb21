//! Objects that go elsewhere: copied, which moves no bytes, or moved, which is a copy and a deletion.

use crate::deletions::deleted;
use crate::edge::Browser;
use crate::extract::{self, Json, Path};
use crate::{Door, Refusal};
use axum::extract::State;
use axum::http::StatusCode;
use cofre_admin_types::{CopyTo, Moved, Problem, Put};
use cofre_objects::{
    CopyObject, DeleteConditions, DeleteObject, EncryptAs, GetObject, Headers, RangeOf, ReadConditions, TagMatch,
    WantedLock, WriteConditions,
};
use cofre_types::{BucketName, ETag, ObjectKey, VersionId};
use std::sync::Arc;

/// Where an object stands.
type Place = (BucketName, ObjectKey);

/// An object that is copied from, as it stood when it was looked at.
struct Source {
    bucket: BucketName,
    key: ObjectKey,
    etag: ETag,
    bytes: u64,
    storage_class: String,
}

impl Source {
    async fn look(door: &Door, browser: &Browser, bucket: BucketName, key: ObjectKey) -> Result<Self, Refusal> {
        let head = door.objects.head_object(&browser.caller, plain_get(bucket.clone(), key.clone(), None)).await?;
        let info = head.info;
        Ok(Self { bucket, key, etag: info.etag, bytes: info.size, storage_class: info.storage_class })
    }

    /// Copies it to another place, if it is still the one that was looked at.
    async fn copy(&self, door: &Door, browser: &Browser, to: Place, replace: bool) -> Result<Put, Refusal> {
        let there = (!replace).then_some(TagMatch::Any);
        let copy = CopyObject {
            source_conditions: ReadConditions { if_match: Some(self.tag()), ..ReadConditions::default() },
            storage_class: self.storage_class.clone(),
            conditions: WriteConditions { if_none_match: there, ..WriteConditions::default() },
            ..plain_copy((self.bucket.clone(), self.key.clone(), None), to)
        };
        let made = door.objects.copy_object(&browser.caller, copy).await?;
        let version = made.version.map(|version| version.to_string());
        Ok(Put { etag: made.etag.to_string(), version, bytes: self.bytes })
    }

    fn tag(&self) -> TagMatch {
        TagMatch::OneOf(vec![self.etag])
    }
}

/// Where a call wants an object to be.
fn wanted(from: &str, to: &CopyTo) -> Result<(Place, Place), Refusal> {
    let source = (extract::bucket(from)?, extract::key(to.key.clone())?);
    let goal = (extract::bucket(to.to_bucket.as_deref().unwrap_or(from))?, extract::key(to.to_key.clone())?);
    if source == goal {
        return Err(Refusal::invalid("to_key", "must be another place than that of the object"));
    }
    Ok((source, goal))
}

/// Copy an object, with its metadata, tags and storage class. No bytes move unless the copy is encrypted in another way.
#[utoipa::path(post, path = "/console/v1/buckets/{bucket}/copy", operation_id = "console_copy_object", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket.")), request_body = CopyTo,
    responses(
        (status = 201, description = "The copy.", body = Put),
        (status = 404, description = "There is no such object or bucket.", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "An object of that key is there.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn copy(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path(bucket): Path<String>,
    Json(request): Json<CopyTo>,
) -> Result<(StatusCode, axum::Json<Put>), Refusal> {
    let ((bucket, key), to) = wanted(&bucket, &request)?;
    let from = Source::look(&door, &browser, bucket, key).await?;
    Ok((StatusCode::CREATED, axum::Json(from.copy(&door, &browser, to, request.replace).await?)))
}

/// Move or rename an object: a copy, and then the deletion of what it was copied from.
///
/// Two commits: between them both are there, and never none. If the object changed meanwhile it stays.
#[utoipa::path(post, path = "/console/v1/buckets/{bucket}/move", operation_id = "console_move_object", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket.")), request_body = CopyTo,
    responses(
        (status = 201, description = "The copy, and what became of the source.", body = Moved),
        (status = 404, description = "There is no such object or bucket.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The copy is made, and the source stays.", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "An object of that key is there.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn shift(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path(bucket): Path<String>,
    Json(request): Json<CopyTo>,
) -> Result<(StatusCode, axum::Json<Moved>), Refusal> {
    let ((bucket, key), to) = wanted(&bucket, &request)?;
    let from = Source::look(&door, &browser, bucket, key).await?;
    let put = from.copy(&door, &browser, to, request.replace).await?;
    let delete = DeleteObject {
        key: from.key.clone(),
        version: None,
        conditions: DeleteConditions { if_match: Some(from.tag()), ..DeleteConditions::default() },
        bypass_governance: false,
    };
    match door.objects.delete_object(&browser.caller, &from.bucket, delete).await {
        Ok(outcome) => Ok((StatusCode::CREATED, axum::Json(Moved { put, source: deleted(outcome) }))),
        Err(error) => {
            let why = Refusal::from(error);
            let detail = format!("the copy is made, and the object stays where it was: {}", why.detail());
            Err(Refusal::conflict("SourceStays", detail).with("why", why.code()))
        }
    }
}

/// A read of a whole object.
pub(crate) fn plain_get(bucket: BucketName, key: ObjectKey, version: Option<VersionId>) -> GetObject {
    GetObject {
        bucket,
        key,
        version,
        range: None,
        range_of: RangeOf::Any,
        part: None,
        customer_key: None,
        conditions: ReadConditions::default(),
    }
}

/// A copy that keeps headers and tags; what the bucket says decides its lock and its encryption.
pub(crate) fn plain_copy(
    (source_bucket, source_key, source_version): (BucketName, ObjectKey, Option<VersionId>),
    (bucket, key): Place,
) -> CopyObject {
    CopyObject {
        source_bucket,
        source_key,
        source_version,
        source_conditions: ReadConditions::default(),
        source_customer_key: None,
        bucket,
        key,
        headers: None::<Headers>,
        website_redirect: None,
        tags: None,
        storage_class: String::new(),
        checksum: None,
        lock: WantedLock::default(),
        acl: None,
        encryption: EncryptAs::default(),
        conditions: WriteConditions::default(),
    }
}
