use crate::auth::Actor;
use crate::catalog::{BACKUP_FAILED, BACKUP_FINISHED};
use crate::convert::time_text;
use crate::extract::{Json, Path, Query};
use crate::routes::Routes;
use crate::{Admin, ApiError, paging};
use axum::extract::State;
use axum::http::StatusCode;
use cofre_admin_types::{Backup, Page, PageQuery, Problem, Scope, StartBackup};
use cofre_runtime::spawn;
use cofre_types::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use utoipa_axum::routes;

pub(super) fn add(routes: Routes) -> Routes {
    routes.scoped(Scope::Read, routes!(list)).scoped(Scope::Admin, routes!(start)).scoped(Scope::Read, routes!(get))
}

/// Every backup that this process took since it started.
#[utoipa::path(get, path = "/v1/backups", operation_id = "list_backups", tag = "backups", params(PageQuery),
    responses((status = 200, description = "A page of backups.", body = Page<Backup>)))]
async fn list(
    State(admin): State<Arc<Admin>>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<Backup>>, ApiError> {
    let backups = admin.backups.lock().list();
    let limit = paging::limit(query.limit)?;
    paging::page(backups, query.after.as_deref(), limit, |backup| backup.id.to_string()).map(axum::Json)
}

/// Start a backup of the catalog while it serves.
///
/// It holds one state of the catalog. Poll it for its progress. Copy it off this machine when it is
/// done; blobs are not in it.
#[utoipa::path(post, path = "/v1/backups", operation_id = "start_backup", tag = "backups",
    request_body = StartBackup, responses(
        (status = 202, description = "It runs.", body = Backup),
        (status = 400, description = "The directory cannot be used.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another backup runs.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn start(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Json(request): Json<StartBackup>,
) -> Result<(StatusCode, axum::Json<Backup>), ApiError> {
    let directory = PathBuf::from(&request.directory);
    if !directory.is_absolute() {
        return Err(ApiError::invalid("directory", "must be an absolute path of the server"));
    }
    let now = |admin: &Admin| time_text(Timestamp(admin.clock.now_nanos()));
    let begun = admin.backups.lock().begin(request.directory.clone(), now(&admin));
    let (backup, progress) =
        begun.map_err(|running| ApiError::Conflict(format!("backup {running} runs; wait for its end")))?;
    let id = backup.id;
    // The task outlives the request, and a client that goes away.
    drop(spawn(async move {
        let tell = |kind, details| admin.catalog.record_event(kind, &request.directory, &actor, details);
        let outcome = match tell("backup.started", Vec::new()).await {
            Ok(()) => admin.catalog.backup(&directory, Arc::clone(&progress)).await,
            Err(error) => Err(error),
        };
        let outcome = outcome.map_err(|error| error.to_string());
        let (kind, detail) = match &outcome {
            Ok(()) => {
                admin.note_backup(Timestamp(admin.clock.now_nanos()));
                let count = |number: &AtomicU64| number.load(Ordering::Relaxed).to_string();
                let entries = ("entries".to_owned(), count(&progress.done_entries));
                (BACKUP_FINISHED, vec![entries, ("bytes".to_owned(), count(&progress.done_bytes))])
            }
            Err(error) => {
                tracing::warn!(directory = %directory.display(), error, "a backup of the catalog failed");
                (BACKUP_FAILED, vec![("why".to_owned(), error.clone())])
            }
        };
        if let Err(error) = tell(kind, detail).await {
            tracing::warn!(%error, "that a backup ended could not be told");
        }
        admin.backups.lock().end(id, outcome, now(&admin));
    }));
    Ok((StatusCode::ACCEPTED, axum::Json(backup)))
}

/// How far a backup is.
#[utoipa::path(get, path = "/v1/backups/{id}", operation_id = "get_backup", tag = "backups",
    params(("id" = u64, Path, description = "Number of the backup.")),
    responses(
        (status = 200, description = "The backup.", body = Backup),
        (status = 404, description = "There is no such backup.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn get(State(admin): State<Arc<Admin>>, Path(id): Path<u64>) -> Result<axum::Json<Backup>, ApiError> {
    let backup = admin.backups.lock().get(id);
    backup.map(axum::Json).ok_or_else(|| ApiError::NotFound(format!("backup {id}")))
}
