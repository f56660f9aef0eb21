use super::shard_places;
use crate::auth::{Actor, Granted};
use crate::convert::time_text;
use crate::etag::{IfMatch, Revision};
use crate::extract::{Json, Path, Query};
use crate::routes::Routes;
use crate::{Admin, ApiError, paging};
use axum::extract::State;
use axum::http::StatusCode;
use cofre_admin_types::{
    Page, PageQuery, PatchShard, ProbeResult, Problem, RegisterShard, Scope, Shard, ShardHealth, ShardState,
};
use cofre_blobs::{NewShard, ShardChange, ShardSight, ShardView};
use cofre_settings::JobName;
use cofre_types::ShardId;
use std::fmt::Write;
use std::sync::Arc;
use utoipa_axum::routes;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .scoped(Scope::Read, routes!(list))
        .scoped(Scope::Admin, routes!(register))
        .scoped(Scope::Read, routes!(get))
        .scoped(Scope::Operate, routes!(patch))
        .scoped(Scope::Operate, routes!(remove))
        .scoped(Scope::Operate, routes!(probe))
}

type Answer = (Revision, axum::Json<Shard>);

fn answer(view: ShardView) -> Answer {
    (Revision(view.revision), axum::Json(shard(view)))
}

/// Every shard, by number.
#[utoipa::path(get, path = "/v1/shards", operation_id = "list_shards", tag = "shards", params(PageQuery),
    responses((status = 200, description = "A page of shards.", body = Page<Shard>)))]
async fn list(
    State(admin): State<Arc<Admin>>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<Shard>>, ApiError> {
    let shards: Vec<_> = admin.topology.list().await?.into_iter().map(shard).collect();
    let limit = paging::limit(query.limit)?;
    paging::page(shards, query.after.as_deref(), limit, |shard| shard.id.to_string()).map(axum::Json)
}

/// Register a shard.
///
/// It gets an identity, and takes new blobs at once. A prefix of a bucket of a remote S3 endpoint must be empty, and the
/// bucket must be there.
#[utoipa::path(post, path = "/v1/shards", operation_id = "register_shard", tag = "shards",
    request_body = RegisterShard, responses(
        (status = 201, description = "The shard.", body = Shard, headers(("ETag" = String, description = "Its revision, in quotes."))),
        (status = 400, description = "The place cannot be used, or a field is not valid.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The place is a shard already.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn register(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Json(request): Json<RegisterShard>,
) -> Result<(StatusCode, Answer), ApiError> {
    let new = NewShard {
        failure_domain: request.failure_domain,
        weight_percent: request.weight_percent.unwrap_or(100),
        labels: request.labels.into_iter().collect(),
        ..NewShard::at(shard_places::new_place(request.place))
    };
    let registered = admin.topology.register(new, &actor).await;
    let view = registered.map_err(|error| shard_places::within("place", error))?;
    // What waits for room, and what stands too close.
    admin.jobs.wake(JobName::Heal);
    admin.jobs.wake(JobName::Rebalance);
    Ok((StatusCode::CREATED, answer(view)))
}

/// One shard.
#[utoipa::path(get, path = "/v1/shards/{id}", operation_id = "get_shard", tag = "shards",
    params(("id" = u32, Path, description = "Number of the shard.")),
    responses(
        (status = 200, description = "The shard.", body = Shard, headers(("ETag" = String, description = "Its revision, in quotes."))),
        (status = 404, description = "There is no such shard.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn get(State(admin): State<Arc<Admin>>, Path(id): Path<u32>) -> Result<Answer, ApiError> {
    Ok(answer(admin.topology.get(ShardId(id)).await?))
}

/// Change a shard: labels, weight, failure domain, read-only, the key of a remote one.
///
/// Another failure domain is for new blobs; those that exist move when a job next looks at them. Where the shard is, and
/// who Cofre is there, is for tokens of the scope `admin`.
#[utoipa::path(patch, path = "/v1/shards/{id}", operation_id = "patch_shard", tag = "shards",
    params(
        ("id" = u32, Path, description = "Number of the shard."),
        ("If-Match" = String, Header, description = "ETag of the revision that you read; `*` for any."),
    ),
    request_body = PatchShard, responses(
        (status = 200, description = "The shard as it is now.", body = Shard, headers(("ETag" = String, description = "Its revision, in quotes."))),
        (status = 400, description = "A field is not valid.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such shard.", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "Someone changed the shard since.", body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "If-Match is missing.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn patch(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    granted: Granted,
    Path(id): Path<u32>,
    if_match: IfMatch,
    Json(request): Json<PatchShard>,
) -> Result<Answer, ApiError> {
    if request.path.is_some() || request.s3.as_ref().is_some_and(shard_places::points_elsewhere) {
        granted.reaches(Scope::Admin)?;
    }
    let expected = if_match.required()?;
    let change = ShardChange {
        read_only: request.read_only,
        draining: None,
        failure_domain: request.failure_domain.map(|domain| Some(domain).filter(|domain| !domain.is_empty())),
        weight_percent: request.weight_percent,
        labels: request.labels.map(|labels| labels.into_iter().collect()),
        s3: request.s3.map(shard_places::change).transpose()?,
        path: request.path,
    };
    let changed = admin.topology.change(ShardId(id), &change, expected, &actor).await;
    Ok(answer(changed.map_err(|error| shard_places::within("s3", error))?))
}

/// Remove a shard that has drained or was given up, once no record names a copy on it.
///
/// What is on its disk is not touched. It takes some seconds, to be sure that no write is under way.
#[utoipa::path(delete, path = "/v1/shards/{id}", operation_id = "remove_shard", tag = "shards",
    params(("id" = u32, Path, description = "Number of the shard.")),
    responses(
        (status = 204, description = "It is no shard any more."),
        (status = 404, description = "There is no such shard.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is not draining, or still holds copies: the detail says how many.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn remove(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Path(id): Path<u32>,
) -> Result<StatusCode, ApiError> {
    admin.topology.remove(ShardId(id), &actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Prove that a shard is the one it should be, and takes, gives and deletes a blob.
#[utoipa::path(post, path = "/v1/shards/{id}/probe", operation_id = "probe_shard", tag = "shards",
    params(("id" = u32, Path, description = "Number of the shard.")),
    responses(
        (status = 200, description = "What the probe saw, good or bad.", body = ProbeResult),
        (status = 404, description = "There is no such shard.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn probe(State(admin): State<Arc<Admin>>, Path(id): Path<u32>) -> Result<axum::Json<ProbeResult>, ApiError> {
    let seen = admin.topology.probe(ShardId(id)).await?;
    Ok(axum::Json(ProbeResult {
        ok: seen.is_ok(),
        round_trip_us: seen.as_ref().ok().map(|probe| u64::try_from(probe.round_trip.as_micros()).unwrap_or(u64::MAX)),
        error: seen.err().map(|error| error.to_string()),
    }))
}

/// A shard as the API shows it.
pub(super) fn shard(view: ShardView) -> Shard {
    let health = health(&view);
    let record = view.record;
    let mut identity = String::with_capacity(32);
    for byte in record.identity {
        // Writing to a string cannot fail.
        let _ = write!(identity, "{byte:02x}");
    }
    Shard {
        id: record.id.0,
        identity,
        place: shard_places::shown(record.place),
        mode: super::inspect::mode(record.mode),
        failure_domain: record.failure_domain,
        weight_percent: record.weight_percent,
        labels: record.labels.into_iter().collect(),
        registered: time_text(record.registered),
        health,
    }
}

pub(super) const fn state(state: cofre_blobs::ShardState) -> ShardState {
    match state {
        cofre_blobs::ShardState::Healthy => ShardState::Online,
        cofre_blobs::ShardState::Suspect => ShardState::Suspect,
        cofre_blobs::ShardState::Full => ShardState::Full,
        cofre_blobs::ShardState::Unreachable => ShardState::Unreachable,
    }
}

fn health(view: &ShardView) -> ShardHealth {
    let status = match &view.sight {
        ShardSight::Attached(status) => status,
        ShardSight::Unopened(reason) => {
            return ShardHealth {
                state: ShardState::Unreachable,
                total_bytes: None,
                free_bytes: None,
                calls: 0,
                errors: 0,
                written_bytes: 0,
                read_bytes: 0,
                latency_us: None,
                last_error: Some(reason.clone()),
            };
        }
    };
    let figures = &status.figures;
    let timed = figures.writes + figures.reads;
    let micros = figures.write_latency.sum_micros + figures.read_latency.sum_micros;
    ShardHealth {
        state: state(status.state),
        total_bytes: status.capacity.map(|capacity| capacity.total_bytes),
        free_bytes: status.capacity.map(|capacity| capacity.free_bytes),
        calls: timed + figures.deletes,
        errors: figures.errors,
        written_bytes: figures.written_bytes,
        read_bytes: figures.read_bytes,
        latency_us: micros.checked_div(timed),
        last_error: status.last_error.clone(),
    }
}
