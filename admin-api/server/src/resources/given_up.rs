use crate::auth::Actor;
use crate::extract::Path;
use crate::routes::Routes;
use crate::{Admin, ApiError, resources};
use axum::extract::State;
use cofre_admin_types::{Problem, Scope, Shard};
use cofre_settings::JobName;
use cofre_types::ShardId;
use std::sync::Arc;
use utoipa_axum::routes;

pub(super) fn add(routes: Routes) -> Routes {
    routes.scoped(Scope::Operate, routes!(declare_dead)).scoped(Scope::Operate, routes!(take_back))
}

/// Declare a shard dead: no copy on it counts any more, and what it held is made anew elsewhere.
///
/// Nothing on it is deleted, and no record of it is lost. The job `rebuild` tells how far it is. Asking again is fine.
#[utoipa::path(put, path = "/v1/shards/{id}/dead", operation_id = "declare_shard_dead", tag = "shards",
    params(("id" = u32, Path, description = "Number of the shard.")),
    responses(
        (status = 200, description = "The shard as it is now.", body = Shard),
        (status = 404, description = "There is no such shard.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn declare_dead(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Path(id): Path<u32>,
) -> Result<axum::Json<Shard>, ApiError> {
    admin.topology.give_up(ShardId(id), false, &actor).await?;
    admin.jobs.wake(JobName::Rebuild);
    Ok(axum::Json(resources::shards::shard(admin.topology.get(ShardId(id)).await?)))
}

/// Take a shard back that was given up and answers again.
///
/// It is held against the catalog first (the job `reconcile`): what its blobs lack is read and counts again, what they do
/// not is deleted after that, and only then does it take new blobs.
#[utoipa::path(delete, path = "/v1/shards/{id}/dead", operation_id = "take_shard_back", tag = "shards",
    params(("id" = u32, Path, description = "Number of the shard.")),
    responses(
        (status = 200, description = "The shard as it is now.", body = Shard),
        (status = 404, description = "There is no such shard.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It was not given up, or does not answer.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn take_back(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Path(id): Path<u32>,
) -> Result<axum::Json<Shard>, ApiError> {
    admin.topology.take_back(ShardId(id), &actor).await?;
    admin.jobs.wake(JobName::Reconcile);
    Ok(axum::Json(resources::shards::shard(admin.topology.get(ShardId(id)).await?)))
}
