//! Versions of an object: told, and made current again.

use crate::copies::plain_copy;
use crate::edge::Browser;
use crate::extract::{self, Json, Path, Query};
use crate::facts::Facts;
use crate::session::time_text;
use crate::{Door, Refusal};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use cofre_admin_types::{BrowsedVersion, Page, Problem, RestoreVersion, Restored, VersionsQuery};
use cofre_objects::ListVersions;
use cofre_types::VersionId;
use std::sync::Arc;

/// Versions on a page.
const PAGE_VERSIONS: usize = 100;

/// The versions of an object, newest first.
#[utoipa::path(get, path = "/console/v1/buckets/{bucket}/versions", operation_id = "console_list_versions", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket."), VersionsQuery),
    responses((status = 200, description = "A page of versions; none of an object that never was.", body = Page<BrowsedVersion>)))]
pub(crate) async fn list(
    State(door): State<Arc<Door>>,
    browser: Browser,
    headers: HeaderMap,
    Path(bucket): Path<String>,
    Query(query): Query<VersionsQuery>,
) -> Result<axum::Json<Page<BrowsedVersion>>, Refusal> {
    let key = extract::key(query.key)?.as_str().to_owned();
    let version_after = query.after.as_deref().map(VersionId::parse).transpose()?;
    let caller = Facts::listing(&browser.caller, &headers, &key, "", PAGE_VERSIONS);
    let request = ListVersions {
        bucket: extract::bucket(&bucket)?,
        prefix: key.clone(),
        delimiter: String::new(),
        key_after: version_after.map(|_| key.clone()),
        version_after,
        max: PAGE_VERSIONS,
    };
    let page = door.objects.list_versions(&caller, request).await?;
    let next = page.next.filter(|(next, _)| *next == key).and_then(|(_, version)| version);
    // Keys that only begin with this one come behind it.
    let ours = page.versions.into_iter().take_while(|version| version.object.key == key);
    let items = ours.map(|version| BrowsedVersion {
        version: version.version.to_string(),
        current: version.latest,
        delete_marker: version.delete_marker,
        bytes: version.object.size,
        modified: time_text(version.object.modified),
    });
    Ok(axum::Json(Page { items: items.collect(), next: next.map(|version| version.to_string()) }))
}

/// Make a version the current one again: a copy of it, which moves no bytes. What is current now stays as a version.
#[utoipa::path(post, path = "/console/v1/buckets/{bucket}/restore", operation_id = "console_restore_version", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket.")), request_body = RestoreVersion,
    responses(
        (status = 201, description = "The new version.", body = Restored),
        (status = 404, description = "There is no such version.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn restore(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path(bucket): Path<String>,
    Json(request): Json<RestoreVersion>,
) -> Result<(StatusCode, axum::Json<Restored>), Refusal> {
    let (bucket, key) = (extract::bucket(&bucket)?, extract::key(request.key)?);
    let version = extract::version(Some(&request.version))?;
    let copy = plain_copy((bucket.clone(), key.clone(), version), (bucket, key));
    let made = door.objects.copy_object(&browser.caller, copy).await?;
    let version = made.version.map(|version| version.to_string());
    Ok((StatusCode::CREATED, axum::Json(Restored { etag: made.etag.to_string(), version })))
}
