//! Folders that hold nothing yet.

use crate::edge::Browser;
use crate::extract::{self, Json, Path};
use crate::{Door, Refusal, objects};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use cofre_admin_types::{MakeFolder, Problem, Put};
use cofre_objects::{Body, TagMatch, WriteConditions};
use std::sync::Arc;

/// Make a folder: an empty object whose key ends with `/`.
#[utoipa::path(post, path = "/console/v1/buckets/{bucket}/folders", operation_id = "console_make_folder", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket.")), request_body = MakeFolder,
    responses(
        (status = 201, description = "The object that stands for the folder.", body = Put),
        (status = 400, description = "The name is not valid.", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "The folder is there already.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn make(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path(bucket): Path<String>,
    Json(request): Json<MakeFolder>,
) -> Result<(StatusCode, axum::Json<Put>), Refusal> {
    if !request.prefix.ends_with('/') {
        return Err(Refusal::invalid("prefix", "must end with /"));
    }
    let (bucket, key) = (extract::bucket(&bucket)?, extract::key(request.prefix)?);
    let conditions = WriteConditions { if_none_match: Some(TagMatch::Any), ..WriteConditions::default() };
    let put = objects::put_of(bucket, key, Body::Whole(Bytes::new()), conditions);
    let put = door.objects.put_object(&browser.caller, put).await?;
    Ok((StatusCode::CREATED, axum::Json(objects::shown(put))))
}
