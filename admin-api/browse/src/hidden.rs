//! Objects that delete markers hide.

use crate::edge::Browser;
use crate::extract::{self, Path, Query};
use crate::facts::Facts;
use crate::session::time_text;
use crate::{Door, Refusal};
use axum::extract::State;
use axum::http::HeaderMap;
use cofre_admin_types::{DeletedQuery, HiddenObject, Page};
use cofre_objects::{ListVersions, ListedVersion, PAGE_ENTRIES_MAX};
use cofre_types::VersionId;
use std::sync::Arc;

/// Pages of versions that one call looks at.
const PAGES_MAX: usize = 10;

/// Objects that one call tells of, about.
const HIDDEN_AT_ONCE: usize = 200;

/// The objects below a prefix that are deleted and can be brought back, in byte order of their keys.
///
/// A call looks at 10,000 versions at the most: a page may be empty and not the last.
#[utoipa::path(get, path = "/console/v1/buckets/{bucket}/deleted", operation_id = "console_list_deleted", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket."), DeletedQuery),
    responses((status = 200, description = "A page of deleted objects.", body = Page<HiddenObject>)))]
pub(crate) async fn list(
    State(door): State<Arc<Door>>,
    browser: Browser,
    headers: HeaderMap,
    Path(bucket): Path<String>,
    Query(query): Query<DeletedQuery>,
) -> Result<axum::Json<Page<HiddenObject>>, Refusal> {
    let caller = Facts::listing(&browser.caller, &headers, &query.prefix, "", PAGE_ENTRIES_MAX);
    let (key_after, version_after) = query.after.as_deref().map(mark).transpose()?.unwrap_or_default();
    let mut list = ListVersions {
        bucket: extract::bucket(&bucket)?,
        prefix: query.prefix,
        delimiter: String::new(),
        key_after,
        version_after,
        max: PAGE_ENTRIES_MAX,
    };
    let mut hidden = Hidden::default();
    for _ in 0..PAGES_MAX {
        let page = door.objects.list_versions(&caller, list.clone()).await?;
        page.versions.into_iter().for_each(|version| hidden.see(version));
        let Some((key, version)) = page.next else {
            return Ok(axum::Json(Page { items: hidden.items, next: None }));
        };
        (list.key_after, list.version_after) = (Some(key), version);
        if hidden.items.len() >= HIDDEN_AT_ONCE {
            break;
        }
    }
    let version = list.version_after.map(|version| version.to_string()).unwrap_or_default();
    let next = list.key_after.map(|key| format!("{version}/{key}"));
    Ok(axum::Json(Page { items: hidden.items, next }))
}

/// What was seen so far.
#[derive(Default)]
struct Hidden {
    items: Vec<HiddenObject>,
}

impl Hidden {
    /// Sees the next version: those of a key come newest first.
    fn see(&mut self, version: ListedVersion) {
        if version.latest && version.delete_marker {
            self.items.push(HiddenObject {
                marker: version.version.to_string(),
                deleted: time_text(version.object.modified),
                key: version.object.key,
                bytes: None,
            });
        } else if !version.delete_marker
            && let Some(last) = self.items.last_mut().filter(|last| last.key == version.object.key)
        {
            last.bytes.get_or_insert(version.object.size);
        }
    }
}

/// Where a call goes on: `VERSION/KEY`, the version empty where there is none.
fn mark(after: &str) -> Result<(Option<String>, Option<VersionId>), Refusal> {
    let (version, key) = after.split_once('/').ok_or_else(|| Refusal::invalid("after", "is no next of a page"))?;
    let version = (!version.is_empty()).then(|| VersionId::parse(version)).transpose()?;
    Ok((Some(key.to_owned()), version))
}
