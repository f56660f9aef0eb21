use crate::auth::Actor;
use crate::extract::{Path, Query};
use crate::routes::Routes;
use crate::{Admin, ApiError};
use axum::extract::State;
use cofre_admin_types::{Drain, DrainQuery, DrainState, Problem, Scope};
use cofre_blobs::{DrainProgress, ShardChange, ShardMode};
use cofre_objects::{InUse, RedundancyOf};
use cofre_settings::JobName;
use cofre_types::ShardId;
use std::sync::Arc;
use utoipa_axum::routes;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .scoped(Scope::Read, routes!(get))
        .scoped(Scope::Operate, routes!(start))
        .scoped(Scope::Operate, routes!(cancel))
}

/// How far a drain is.
#[utoipa::path(get, path = "/v1/shards/{id}/drain", operation_id = "get_drain", tag = "shards",
    params(("id" = u32, Path, description = "Number of the shard.")),
    responses(
        (status = 200, description = "The progress.", body = Drain),
        (status = 404, description = "There is no such shard.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn get(State(admin): State<Arc<Admin>>, Path(id): Path<u32>) -> Result<axum::Json<Drain>, ApiError> {
    progress(&admin, ShardId(id)).await
}

/// Drain a shard: it takes no new blobs, and its copies move to other shards.
///
/// Asking again is fine. Refused where too few others take blobs for the redundancies in use, unless it is forced: its
/// copies could go nowhere, and writes might fail at once.
#[utoipa::path(put, path = "/v1/shards/{id}/drain", operation_id = "start_drain", tag = "shards",
    params(("id" = u32, Path, description = "Number of the shard."), DrainQuery),
    responses(
        (status = 200, description = "The progress.", body = Drain),
        (status = 404, description = "There is no such shard.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Too few other shards take blobs; the detail says how many are wanted.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn start(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Path(id): Path<u32>,
    Query(query): Query<DrainQuery>,
) -> Result<axum::Json<Drain>, ApiError> {
    if !query.force {
        check_others(&admin, ShardId(id)).await?;
    }
    let change = ShardChange { draining: Some(true), ..ShardChange::default() };
    admin.topology.change(ShardId(id), &change, None, &actor).await?;
    admin.jobs.wake(JobName::Drain);
    progress(&admin, ShardId(id)).await
}

/// Refuses a drain where the other shards cannot take what is on the shard.
async fn check_others(admin: &Admin, id: ShardId) -> Result<(), ApiError> {
    admin.topology.look().await;
    let mut others = admin.topology.list().await?;
    let drains = others.iter().any(|view| view.record.id == id && view.record.mode == ShardMode::Draining);
    others.retain(|view| view.record.id != id);
    let left = crate::verdicts::writable_domains(&others);
    let in_use = admin.upkeep.redundancies_in_use().await?;
    // A class may have no objects.
    let counts = |in_use: &&InUse| !matches!(in_use.of, RedundancyOf::Class(_));
    let short = in_use.iter().filter(counts).find(|in_use| in_use.scheme.width() > left);
    match short.filter(|_| !drains) {
        None => Ok(()),
        Some(in_use) => Err(ApiError::Conflict(format!(
            "{} wants {} failure domains, and {left} would be left that take blobs: what is on the shard could go nowhere; \
             add a shard first, or free room, or force the drain",
            in_use.scheme,
            in_use.scheme.width()
        ))),
    }
}

/// Stop a drain: the shard takes new blobs again. What has moved stays where it is.
#[utoipa::path(delete, path = "/v1/shards/{id}/drain", operation_id = "cancel_drain", tag = "shards",
    params(("id" = u32, Path, description = "Number of the shard.")),
    responses(
        (status = 200, description = "The progress.", body = Drain),
        (status = 404, description = "There is no such shard.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn cancel(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Path(id): Path<u32>,
) -> Result<axum::Json<Drain>, ApiError> {
    let change = ShardChange { draining: Some(false), ..ShardChange::default() };
    admin.topology.change(ShardId(id), &change, None, &actor).await?;
    progress(&admin, ShardId(id)).await
}

async fn progress(admin: &Admin, id: ShardId) -> Result<axum::Json<Drain>, ApiError> {
    let progress = admin.topology.drain_progress(id).await?;
    let obstacle = match progress.state {
        cofre_blobs::DrainState::Stuck => Some(obstacle(admin)),
        _ => None,
    };
    Ok(axum::Json(drain(progress, obstacle)))
}

fn obstacle(admin: &Admin) -> String {
    let job = admin.jobs.status().into_iter().find(|job| job.name == JobName::Drain.as_str());
    let problem = job.and_then(|job| {
        let problem = job.figures.problems.into_iter().next();
        let problem = problem.map(|problem| format!("{}: {}", problem.subject, problem.why));
        job.worker.last_error.or(problem)
    });
    match problem {
        Some(problem) => format!("nothing has moved for a minute; the job says: {problem}"),
        None => "nothing has moved for a minute; is there room on as many other failure domains as there are copies?"
            .to_owned(),
    }
}

fn drain(progress: DrainProgress, obstacle: Option<String>) -> Drain {
    Drain {
        state: match progress.state {
            cofre_blobs::DrainState::NotDraining => DrainState::NotDraining,
            cofre_blobs::DrainState::Moving => DrainState::Moving,
            cofre_blobs::DrainState::Stuck => DrainState::Stuck,
            cofre_blobs::DrainState::Emptied => DrainState::Emptied,
            cofre_blobs::DrainState::Drained => DrainState::Drained,
        },
        remaining_blobs: progress.remaining.blobs,
        remaining_bytes: progress.remaining.bytes,
        moved_blobs: progress.moved.blobs,
        moved_bytes: progress.moved.bytes,
        bytes_per_second: progress.bytes_per_second,
        seconds_left: progress.time_left.map(|left| left.as_secs()),
        obstacle,
    }
}
