use super::accounts;
use crate::auth::Actor;
use crate::extract::{Json, Path, Query};
use crate::routes::Routes;
use crate::{Admin, ApiError, convert, paging};
use axum::extract::State;
use axum::http::StatusCode;
use cofre_admin_types::{
    self as api, Bucket, BucketOwner, BucketRedundancy, BucketUsage, Page, PageQuery, Problem, Quota, Scope,
};
use cofre_objects::{BucketInfo, CreateBucket, ListBuckets, Usage};
use cofre_settings::JobName;
use cofre_types::{BucketName, Region, Scheme};
use std::sync::Arc;
use utoipa_axum::routes;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .scoped(Scope::Read, routes!(list))
        .scoped(Scope::Operate, routes!(create))
        .scoped(Scope::Read, routes!(get))
        .scoped(Scope::Operate, routes!(delete))
        .scoped(Scope::Admin, routes!(hand_over))
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

/// Make a bucket for an account.
#[utoipa::path(post, path = "/v1/buckets", operation_id = "create_bucket", tag = "buckets",
    request_body = api::CreateBucket, responses(
        (status = 201, description = "The bucket.", body = Bucket),
        (status = 400, description = "A field is not valid.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The name is taken, or the account owns as many buckets as it may.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn create(
    State(admin): State<Arc<Admin>>,
    actor: Actor,
    Json(request): Json<api::CreateBucket>,
) -> Result<(StatusCode, axum::Json<Bucket>), ApiError> {
    let name = parse(&request.name)?;
    let region = request.region.map(Region::parse).transpose();
    let region = region.map_err(|error| ApiError::invalid("region", error.reason))?;
    let owner = accounts::named(&admin, "owner", &request.owner).await?;
    let new = CreateBucket {
        name,
        region: region.map(String::from).unwrap_or_default(),
        object_lock: request.object_lock,
        acl: None,
        ownership: None,
    };
    let info = admin.objects.create_bucket_for(&admin.caller_for(&actor), owner.id, new).await?;
    Ok((StatusCode::CREATED, axum::Json(bucket(&admin, info).await?)))
}

/// Delete a bucket that holds no object, version or delete marker.
#[utoipa::path(delete, path = "/v1/buckets/{name}", operation_id = "delete_bucket", tag = "buckets",
    params(("name" = String, Path, description = "Name of the bucket.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such bucket.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is not empty.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn delete(
    State(admin): State<Arc<Admin>>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    admin.objects.delete_bucket(&admin.caller_for(&actor), &parse(&name)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Hand a bucket over to another account, with every object in it.
///
/// Its ownership controls become `BucketOwnerEnforced`, so that the new owner owns every object whoever wrote it, and
/// access control lists grant nothing any more. Its policy and its other configurations stay: look whether they still
/// say what they should. What it holds counts for the new owner at once, whose quota does not stop this.
#[utoipa::path(put, path = "/v1/buckets/{name}/owner", operation_id = "set_bucket_owner", tag = "buckets",
    params(("name" = String, Path, description = "Name of the bucket.")),
    request_body = BucketOwner, responses(
        (status = 200, description = "The bucket as it is now.", body = Bucket),
        (status = 400, description = "There is no such account.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such bucket.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It was written to all the while; try again.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn hand_over(
    State(admin): State<Arc<Admin>>,
    actor: Actor,
    Path(name): Path<String>,
    Json(request): Json<BucketOwner>,
) -> Result<axum::Json<Bucket>, ApiError> {
    let owner = accounts::named(&admin, "owner", &request.owner).await?;
    let info = admin.objects.hand_bucket_over(&admin.caller_for(&actor), &parse(&name)?, owner.id).await?;
    bucket(&admin, info).await.map(axum::Json)
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
    actor: Actor,
    Path(name): Path<String>,
    Json(quota): Json<Quota>,
) -> Result<axum::Json<Bucket>, ApiError> {
    let name = parse(&name)?;
    admin.objects.set_bucket_quota(&admin.caller_for(&actor), &name, quota.bytes_max, quota.objects_max).await?;
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
    actor: Actor,
    Path(name): Path<String>,
    Json(request): Json<BucketRedundancy>,
) -> Result<axum::Json<Bucket>, ApiError> {
    let name = parse(&name)?;
    let scheme = request.redundancy.map(|text| text.parse::<Scheme>()).transpose()?;
    if let Some(scheme) = scheme {
        admin.objects.head_bucket(&admin.caller(), &name).await?;
        admin.topology.check_reach("redundancy", scheme).await?;
    }
    admin.objects.set_bucket_redundancy(&admin.caller_for(&actor), &name, scheme).await?;
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
    let names = admin.iam.account_names(vec![info.owner]).await?;
    let (own, in_force) = admin.objects.bucket_redundancy(&caller, &info.name).await?;
    Ok(Bucket {
        name: info.name.to_string(),
        owner: info.owner.to_string(),
        owner_name: names.into_iter().next().map(|(_, name)| name).unwrap_or_default(),
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
        grace_bytes: count(usage.grace_bytes),
    }
}
