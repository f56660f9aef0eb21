//! Many deletions in one call: objects that are named, or what is in a folder, step by step.

use crate::edge::Browser;
use crate::extract::{self, Json, PARTS_BYTES_MAX, Path};
use crate::facts::Facts;
use crate::{Door, Refusal};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use cofre_admin_types::{DeleteObjects, Deleted, DeletedObject, DeletedObjects, ObjectName};
use cofre_objects::{DeleteConditions, DeleteObject, DeleteOutcome, Error, ListObjects};
use std::sync::Arc;

/// Most deletions of one call.
const DELETIONS_MAX: usize = 1_000;

/// Delete objects that are named, or the next of a folder.
///
/// Each stands or falls for itself. A folder is deleted in steps, by its keys as each step finds them.
#[utoipa::path(post, path = "/console/v1/buckets/{bucket}/delete", operation_id = "console_delete_objects", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket.")), request_body = DeleteObjects,
    responses((status = 200, description = "What came of each.", body = DeletedObjects)))]
pub(crate) async fn delete(
    State(door): State<Arc<Door>>,
    browser: Browser,
    headers: HeaderMap,
    Path(bucket): Path<String>,
    Json(request): Json<DeleteObjects, PARTS_BYTES_MAX>,
) -> Result<axum::Json<DeletedObjects>, Refusal> {
    let bucket = extract::bucket(&bucket)?;
    if request.items.len() > DELETIONS_MAX {
        return Err(Refusal::invalid("items", "may be 1,000 at the most"));
    }
    if request.items.is_empty() == request.prefix.is_none() {
        return Err(Refusal::invalid("items", "name objects, or the prefix of a folder"));
    }
    let (items, next) = match request.prefix {
        None => (request.items, None),
        Some(prefix) if prefix.ends_with('/') => {
            let caller = Facts::listing(&browser.caller, &headers, &prefix, "", DELETIONS_MAX);
            let list = ListObjects {
                bucket: bucket.clone(),
                prefix,
                delimiter: String::new(),
                after: request.after,
                max: DELETIONS_MAX,
            };
            let page = door.objects.list_objects(&caller, list).await?;
            let named = page.objects.into_iter().map(|object| ObjectName { key: object.key, version: None });
            (named.collect(), page.next)
        }
        Some(_) => return Err(Refusal::invalid("prefix", "must end with /")),
    };
    let mut wanted = Vec::with_capacity(items.len());
    for ObjectName { key, version } in &items {
        wanted.push(DeleteObject {
            key: extract::key(key.clone())?,
            version: extract::version(version.as_deref())?,
            conditions: DeleteConditions::default(),
            bypass_governance: false,
        });
    }
    let outcomes = door.objects.delete_objects(&browser.caller, &bucket, wanted).await?;
    let items = items.into_iter().zip(outcomes).map(|(name, outcome)| shown(name.key, outcome)).collect();
    Ok(axum::Json(DeletedObjects { items, next }))
}

fn shown(key: String, outcome: Result<DeleteOutcome, Error>) -> DeletedObject {
    match outcome {
        Ok(outcome) => DeletedObject { key, deleted: Some(deleted(outcome)), code: None },
        Err(error) => DeletedObject { key, deleted: None, code: Some(Refusal::from(error).code().to_owned()) },
    }
}

/// What came of a deletion, as pages see it.
pub(crate) fn deleted(outcome: DeleteOutcome) -> Deleted {
    Deleted { version: outcome.version.map(|version| version.to_string()), delete_marker: outcome.delete_marker }
}

/// Delete a bucket that holds nothing: no object, no version, no delete marker.
#[utoipa::path(delete, path = "/console/v1/buckets/{bucket}", operation_id = "console_delete_bucket", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 409, description = "It holds something.", body = cofre_admin_types::Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn bucket(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path(bucket): Path<String>,
) -> Result<StatusCode, Refusal> {
    door.objects.delete_bucket(&browser.caller, &extract::bucket(&bucket)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
