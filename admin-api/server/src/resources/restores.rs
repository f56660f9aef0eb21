use crate::auth::Actor;
use crate::convert::time_text;
use crate::routes::Routes;
use crate::{Admin, ApiError};
use axum::extract::State;
use cofre_admin_types::{CatalogRestore, Problem, Scope, UnknownContent};
use cofre_blobs::{Restore, Unknown};
use cofre_settings::JobName;
use std::sync::Arc;
use utoipa_axum::routes;

pub(super) fn add(routes: Routes) -> Routes {
    routes.scoped(Scope::Read, routes!(show)).scoped(Scope::Admin, routes!(discard))
}

/// Whether the catalog was restored from a backup, and how far the shards are compared with it.
#[utoipa::path(get, path = "/v1/catalog/restore", operation_id = "catalog_restore", tag = "backups", responses(
    (status = 200, description = "It was restored.", body = CatalogRestore),
    (status = 404, description = "It was never restored.", body = Problem, content_type = "application/problem+json"),
))]
async fn show(State(admin): State<Arc<Admin>>) -> Result<axum::Json<CatalogRestore>, ApiError> {
    let restore = admin.topology.restore().await?;
    restore
        .map(shown)
        .map(axum::Json)
        .ok_or_else(|| ApiError::NotFound("restore: the catalog was never restored".to_owned()))
}

/// Discard what stands on the shards and is in no record of the restored catalog.
///
/// It cannot be taken back: objects that are newer than the backup are deleted, as what a crash left is, after its grace.
/// Only once every shard was compared.
#[utoipa::path(post, path = "/v1/catalog/restore/discard", operation_id = "discard_unknown", tag = "backups", responses(
    (status = 200, description = "What is discarded.", body = CatalogRestore),
    (status = 409, description = "The catalog was never restored, or shards have yet to be compared.", body = Problem, content_type = "application/problem+json"),
))]
async fn discard(State(admin): State<Arc<Admin>>, Actor(actor): Actor) -> Result<axum::Json<CatalogRestore>, ApiError> {
    let restore = admin.topology.discard_unknown(&actor).await?;
    admin.jobs.run(JobName::Orphans);
    Ok(axum::Json(shown(restore)))
}

fn shown(restore: Restore) -> CatalogRestore {
    let content =
        |unknown: Unknown| UnknownContent { objects: unknown.objects, copies: unknown.copies, bytes: unknown.bytes };
    CatalogRestore {
        restored: time_text(restore.at),
        backup_taken: restore.backup_taken.map(time_text),
        found_behind: restore.found_behind,
        shards: restore.shards,
        shards_compared: restore.compared,
        shards_unreadable: restore.unreadable,
        named_copies: restore.named,
        newer: content(restore.newer),
        older: content(restore.older),
        waiting: restore.waiting,
    }
}
