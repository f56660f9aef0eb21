//! Buckets of the account.

use crate::edge::Browser;
use crate::extract::{self, Json, Path, Query};
use crate::session::time_text;
use crate::{Door, Refusal};
use axum::extract::State;
use axum::http::StatusCode;
use cofre_admin_types::{BrowsedBucket, BrowsedVersioning, MakeBucket, Page, PageQuery, Problem};
use cofre_objects::{
    BucketInfo, CreateBucket, Criteria, Lifecycle, ListBuckets, NoncurrentExpiration, Rule, Scope, Versioning,
};
use std::sync::Arc;

/// Longest time that a version may be kept by the rule of a new bucket, in days.
const VERSION_DAYS_MAX: u32 = 36_500;

/// The buckets that the account owns, by name.
#[utoipa::path(get, path = "/console/v1/buckets", operation_id = "console_list_buckets", tag = "console",
    params(PageQuery),
    responses((status = 200, description = "A page of buckets.", body = Page<BrowsedBucket>)))]
pub(crate) async fn list(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<BrowsedBucket>>, Refusal> {
    let request = ListBuckets { prefix: String::new(), after: query.after, max: limit(query.limit)? };
    let page = door.objects.list_buckets(&browser.caller, request).await?;
    Ok(axum::Json(Page { items: page.buckets.into_iter().map(shown).collect(), next: page.next }))
}

/// Tell of a bucket that the account may list, whoever owns it.
#[utoipa::path(get, path = "/console/v1/buckets/{bucket}", operation_id = "console_bucket", tag = "console",
    params(("bucket" = String, Path, description = "Name of the bucket.")),
    responses(
        (status = 200, description = "The bucket.", body = BrowsedBucket),
        (status = 404, description = "There is no such bucket.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn get(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path(bucket): Path<String>,
) -> Result<axum::Json<BrowsedBucket>, Refusal> {
    let bucket = extract::bucket(&bucket)?;
    let shown = shown(door.objects.head_bucket(&browser.caller, &bucket).await?);
    let usage = door.objects.bucket_usage(&browser.caller, &bucket).await?;
    let count = |number: i64| Some(u64::try_from(number).unwrap_or(0));
    Ok(axum::Json(BrowsedBucket { objects: count(usage.objects), bytes: count(usage.bytes), ..shown }))
}

/// Make a bucket, which the account owns.
///
/// Versions and their rule are set once the bucket is there: if the answer is a problem that is not about the name, the
/// bucket may be there without them.
#[utoipa::path(post, path = "/console/v1/buckets", operation_id = "console_make_bucket", tag = "console",
    request_body = MakeBucket, responses(
        (status = 201, description = "The bucket.", body = BrowsedBucket),
        (status = 400, description = "The name is not valid.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The name is taken.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn make(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Json(request): Json<MakeBucket>,
) -> Result<(StatusCode, axum::Json<BrowsedBucket>), Refusal> {
    let name = extract::bucket(&request.name)?;
    let days = request.version_days;
    if days.is_some_and(|days| !request.versioning || !(1..=VERSION_DAYS_MAX).contains(&days)) {
        return Err(Refusal::invalid("version_days", "must be 1 to 36,500, and goes with versioning"));
    }
    let create =
        CreateBucket { name: name.clone(), region: String::new(), object_lock: false, acl: None, ownership: None };
    let mut made = door.objects.create_bucket(&browser.caller, create).await?;
    if request.versioning {
        door.objects.put_bucket_versioning(&browser.caller, &name, Versioning::Enabled).await?;
        made.versioning = Versioning::Enabled;
    }
    if let Some(days) = days {
        door.objects.put_lifecycle(&browser.caller, &name, Lifecycle::of(vec![ends_versions(days)])).await?;
    }
    Ok((StatusCode::CREATED, axum::Json(shown(made))))
}

/// The rule that removes versions which are not current any more.
fn ends_versions(days: u32) -> Rule {
    Rule {
        id: "old-versions".to_owned(),
        enabled: true,
        scope: Scope::Filter(Criteria::default()),
        expiration: None,
        noncurrent_expiration: Some(NoncurrentExpiration { days, keep: None }),
        transitions: Vec::new(),
        noncurrent_transitions: Vec::new(),
        abort_upload_days: None,
    }
}

fn shown(bucket: BucketInfo) -> BrowsedBucket {
    BrowsedBucket {
        name: bucket.name.to_string(),
        created: time_text(bucket.created),
        versioning: match bucket.versioning {
            Versioning::Unversioned => BrowsedVersioning::Off,
            Versioning::Enabled => BrowsedVersioning::On,
            Versioning::Suspended => BrowsedVersioning::Suspended,
        },
        object_lock: bucket.object_lock,
        objects: None,
        bytes: None,
    }
}

/// The number of items to answer with.
pub(crate) fn limit(asked: Option<usize>) -> Result<usize, Refusal> {
    match asked {
        None => Ok(cofre_admin_types::PAGE_ITEMS_DEFAULT),
        Some(limit) if (1..=cofre_admin_types::PAGE_ITEMS_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(Refusal::invalid("limit", "must be 1 to 1,000")),
    }
}
