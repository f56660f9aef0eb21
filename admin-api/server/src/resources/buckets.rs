use crate::auth::Actor;
use crate::extract::{Json, Path, Query};
use crate::routes::Routes;
use crate::{Admin, ApiError, convert, paging};
use axum::extract::State;
use cofre_admin_types::{Bucket, BucketRedundancy, BucketUsage, Page, PageQuery, Problem, Quota, Scope};
use cofre_objects::{BucketInfo, ListBuckets, Usage};
use cofre_settings::JobName;
use cofre_types::{BucketName, Scheme};
use std::sync::Arc;
use utoipa_axum::routes;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .scoped(Scope::Read, routes!(list))
        .scoped(Scope::Read, routes!(get))
        .scoped(Scope::Operate, routes!(set_quota))
        .scoped(Scope::Operate, routes!(set_redundancy))
}

/// Every bucket of every account, by name, with what it holds.
#[utoipa::path(get, path = "/v1/buckets", operation_id = "list_buckets", tag = "buckets", params(PageQuery),
    responses((status = 200, description = "A page of buckets.", body = Page<Bucket>)))]
async fn list(
    State(admin): State<Arc<Admin>>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<Bucket>>, ApiError> {
    let request = ListBuckets { prefix: String::new(), after: query.after, max: paging::limit(query.limit)? };
    let page = admin.objects.list_buckets(&admin.caller(), request).await?;
    let mut items = Vec::with_capacity(page.buckets.len());
    for info in page.buckets {
        match bucket(&admin, info).await {
            Ok(bucket) => items.push(bucket),
            // It was deleted since the page was read.
            Err(ApiError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(axum::Json(Page { items, next: page.next }))
}

/// One bucket.
#[utoipa::path(get, path = "/v1/buckets/{name}", operation_id = "get_bucket", tag = "buckets",
    params(("name" = String, Path, description = "Name of the bucket.")),
    responses(
        (status = 200, description = "The bucket.", body = Bucket),
        (status = 404, description = "There is no such bucket.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn get(State(admin): State<Arc<Admin>>, Path(name): Path<String>) -> Result<axum::Json<Bucket>, ApiError> {
    named(&admin, &parse(&name)?).await.map(axum::Json)
}

/// Set what a bucket may hold.
///
/// A limit below what is there stops further writes and deletes nothing.
#[utoipa::path(put, path = "/v1/buckets/{name}/quota", operation_id = "set_bucket_quota", tag = "buckets",
    params(("name" = String, Path, description = "Name of the bucket.")),
    request_body = Quota, responses(
        (status = 200, description = "The bucket as it is now.", body = Bucket),
        (status = 400, description = "A limit is out of its bounds.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such bucket.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn set_quota(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Path(name): Path<String>,
    Json(quota): Json<Quota>,
) -> Result<axum::Json<Bucket>, ApiError> {
    let name = parse(&name)?;
    admin.objects.set_bucket_quota(&admin.caller(), &name, quota.bytes_max, quota.objects_max, &actor).await?;
    named(&admin, &name).await.map(axum::Json)
}

/// Set a bucket's own redundancy.
///
/// New objects are written under it at once. Those that exist are written anew in the background (the job `convert`),
/// which reads and writes every byte of them; until its turn each stands as it did. One that wants more failure domains
/// than there are is refused; shards that drain or were given up do not count.
#[utoipa::path(put, path = "/v1/buckets/{name}/redundancy", operation_id = "set_bucket_redundancy", tag = "buckets",
    params(("name" = String, Path, description = "Name of the bucket.")),
    request_body = BucketRedundancy, responses(
        (status = 200, description = "The bucket as it is now.", body = Bucket),
        (status = 400, description = "It is no redundancy, or there are too few failure domains for it.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such bucket.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn set_redundancy(
    State(admin): State<Arc<Admin>>,
    Path(name): Path<String>,
    Json(request): Json<BucketRedundancy>,
) -> Result<axum::Json<Bucket>, ApiError> {
    let name = parse(&name)?;
    let scheme = request.redundancy.map(|text| text.parse::<Scheme>()).transpose()?;
    if let Some(scheme) = scheme {
        admin.objects.head_bucket(&admin.caller(), &name).await?;
        admin.topology.check_reach("redundancy", scheme).await?;
    }
    admin.objects.set_bucket_redundancy(&admin.caller(), &name, scheme).await?;
    admin.jobs.wake(JobName::Convert);
    named(&admin, &name).await.map(axum::Json)
}

fn parse(name: &str) -> Result<BucketName, ApiError> {
    BucketName::parse(name).map_err(|invalid| ApiError::invalid("name", invalid.reason))
}

async fn named(admin: &Admin, name: &BucketName) -> Result<Bucket, ApiError> {
    let info = admin.objects.head_bucket(&admin.caller(), name).await?;
    bucket(admin, info).await
}

async fn bucket(admin: &Admin, info: BucketInfo) -> Result<Bucket, ApiError> {
    let caller = admin.caller();
    let usage = admin.objects.bucket_usage(&caller, &info.name).await?;
    let (bytes_max, objects_max) = admin.objects.bucket_quota(&caller, &info.name).await?;
    let (own, in_force) = admin.objects.bucket_redundancy(&caller, &info.name).await?;
    Ok(Bucket {
        name: info.name.to_string(),
        owner: info.owner.to_string(),
        created: convert::time_text(info.created),
        usage: usage_of(usage),
        quota: Quota { bytes_max, objects_max },
        redundancy: own.map(|scheme| scheme.to_string()),
        redundancy_in_force: in_force.to_string(),
    })
}

fn usage_of(usage: Usage) -> BucketUsage {
    let count = |counter: i64| u64::try_from(counter).unwrap_or(0);
    BucketUsage {
        objects: count(usage.objects),
        bytes: count(usage.bytes),
        noncurrent_versions: count(usage.noncurrent_versions),
        noncurrent_bytes: count(usage.noncurrent_bytes),
        delete_markers: count(usage.delete_markers),
        uploads: count(usage.uploads),
        upload_bytes: count(usage.upload_bytes),
    }
}
