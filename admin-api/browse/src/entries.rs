//! What is in a folder.

use crate::edge::Browser;
use crate::extract::{self, Path, Query};
use crate::facts::Facts;
use crate::session::time_text;
use crate::{Door, Refusal, buckets};
use axum::extract::State;
use axum::http::HeaderMap;
use cofre_admin_types::{EntriesQuery, Entry, Page, Problem};
use cofre_objects::{ListObjects, ListPage, ListedObject};
use std::sync::Arc;

/// What parts a key into folders.
const DELIMITER: &str = "/";

/// The objects and folders of a folder, in byte order of their keys.
///
/// Each page is one snapshot. A folder is whatever stands before the next `/` of a key; it is there as long as a key is.
#[utoipa::path(get, path = "/console/v1/buckets/{bucket}/entries", operation_id = "console_list_entries", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket."), EntriesQuery),
    responses(
        (status = 200, description = "A page of entries.", body = Page<Entry>),
        (status = 404, description = "There is no such bucket.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list(
    State(door): State<Arc<Door>>,
    browser: Browser,
    headers: HeaderMap,
    Path(bucket): Path<String>,
    Query(query): Query<EntriesQuery>,
) -> Result<axum::Json<Page<Entry>>, Refusal> {
    let max = buckets::limit(query.limit)?;
    let caller = Facts::listing(&browser.caller, &headers, &query.prefix, DELIMITER, max);
    let request = ListObjects {
        bucket: extract::bucket(&bucket)?,
        prefix: query.prefix,
        delimiter: DELIMITER.to_owned(),
        after: query.after,
        max,
    };
    let mut page = door.objects.list_objects(&caller, request).await?;
    let next = page.next.take();
    Ok(axum::Json(Page { items: in_order(page), next }))
}

/// An object as an entry.
pub(crate) fn object_entry(object: ListedObject) -> Entry {
    Entry {
        folder: false,
        bytes: Some(object.size),
        modified: Some(time_text(object.modified)),
        etag: Some(object.etag.to_string()),
        key: object.key,
    }
}

/// Objects and folders as one list in byte order.
fn in_order(page: ListPage) -> Vec<Entry> {
    let objects = page.objects.into_iter().map(object_entry);
    let folders = page.common_prefixes.into_iter();
    let folders = folders.map(|key| Entry { key, folder: true, bytes: None, modified: None, etag: None });
    let mut entries: Vec<_> = objects.chain(folders).collect();
    entries.sort_by(|one, other| one.key.cmp(&other.key));
    entries
}
