use crate::auth::Actor;
use crate::convert::time_text;
use crate::etag::{IfMatch, Revision};
use crate::extract::{Json, Path, Query};
use crate::routes::Routes;
use crate::{Admin, ApiError, paging};
use axum::extract::State;
use cofre_admin_types as api;
use cofre_admin_types::{Page, PageQuery, RollbackSettings, Scope, Settings, SettingsDiff, SettingsRevision};
use cofre_settings::{Patch, Revised};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::routes;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .scoped(Scope::Read, routes!(get))
        .scoped(Scope::Admin, routes!(patch))
        .scoped(Scope::Read, routes!(history))
        .scoped(Scope::Read, routes!(at))
        .scoped(Scope::Read, routes!(diff))
        .scoped(Scope::Admin, routes!(rollback))
}

type Answer = (Revision, axum::Json<Settings>);

fn settings(revised: &Revised) -> Result<Settings, ApiError> {
    let damaged = |error: serde_json::Error| ApiError::Internal(error.to_string());
    let document = serde_json::to_value(revised.settings.as_ref()).map_err(damaged)?;
    Ok(Settings { revision: revised.revision, document: serde_json::from_value(document).map_err(damaged)? })
}

fn answer(revised: &Revised) -> Result<Answer, ApiError> {
    Ok((Revision(revised.revision), axum::Json(settings(revised)?)))
}

/// The settings in force.
#[utoipa::path(get, path = "/v1/settings", operation_id = "get_settings", tag = "settings", responses(
    (status = 200, description = "The settings; ETag is their revision.", body = Settings,
     headers(("ETag" = String, description = "The revision, in quotes."))),
))]
async fn get(State(admin): State<Arc<Admin>>) -> Result<Answer, ApiError> {
    answer(&admin.settings.revised())
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PatchQuery {
    /// Why, in the author's words; at most 1,024 bytes.
    #[serde(default)]
    note: String,
}

/// Change settings.
///
/// The body is a merge patch (RFC 7396): only the fields to change, and null brings a default back.
/// It is in force when the answer comes.
#[utoipa::path(patch, path = "/v1/settings", operation_id = "patch_settings", tag = "settings",
    params(PatchQuery, ("If-Match" = String, Header, description = "ETag of the revision that you read; `*` for any.")),
    request_body(content = Object, description = "A merge patch of the document.", content_type = "application/json"),
    responses(
        (status = 200, description = "The settings as they are now.", body = Settings,
         headers(("ETag" = String, description = "The revision, in quotes."))),
        (status = 400, description = "A field is unknown or out of its bounds, or there are too few failure domains for a redundancy.", body = api::Problem, content_type = "application/problem+json"),
        (status = 412, description = "Someone changed the settings since.", body = api::Problem, content_type = "application/problem+json"),
        (status = 428, description = "If-Match is missing.", body = api::Problem, content_type = "application/problem+json"),
    ))]
async fn patch(
    State(admin): State<Arc<Admin>>,
    Actor(author): Actor,
    if_match: IfMatch,
    Query(query): Query<PatchQuery>,
    Json(merge): Json<Value>,
) -> Result<Answer, ApiError> {
    let expected = if_match.required()?.unwrap_or_else(|| admin.settings.revised().revision);
    check_reach(&admin, &admin.settings.revised().settings.patched(merge.clone())?).await?;
    let patch = Patch { expected, merge, author, note: query.note };
    answer(&admin.settings.patch(patch).await?)
}

/// Refuses another redundancy than is in force for which there are too few failure domains: no write under it would
/// succeed.
pub(crate) async fn check_reach(admin: &Admin, wanted: &cofre_settings::Settings) -> Result<(), ApiError> {
    let now = admin.settings.current();
    if let Some(scheme) = wanted.redundancy.filter(|scheme| now.redundancy != Some(*scheme)) {
        admin.topology.check_reach("redundancy", scheme).await?;
    }
    for (name, class) in &wanted.storage_classes {
        if let Some(scheme) = class.scheme().filter(|_| now.storage_classes.get(name) != Some(class)) {
            admin.topology.check_reach(&format!("storage_classes.{name}"), scheme).await?;
        }
    }
    Ok(())
}

/// The revisions, newest first.
#[utoipa::path(get, path = "/v1/settings/history", operation_id = "list_settings_revisions", tag = "settings",
    params(PageQuery), responses((status = 200, description = "A page of revisions.", body = Page<SettingsRevision>)))]
async fn history(
    State(admin): State<Arc<Admin>>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<SettingsRevision>>, ApiError> {
    let limit = paging::limit(query.limit)?;
    let before = query.after.map(|after| after.parse::<u64>()).transpose();
    let before = before.map_err(|_| ApiError::invalid("after", "must be `next` of the page before"))?;
    let page = admin.settings.history(before, limit).await?;
    let revision = |info: cofre_settings::RevisionInfo| SettingsRevision {
        revision: info.revision,
        author: info.author,
        at: time_text(info.at),
        note: info.note,
    };
    let items = page.revisions.into_iter().map(revision).collect();
    Ok(axum::Json(Page { items, next: page.next.map(|next| next.to_string()) }))
}

/// The settings as they were at a revision; 0 has the defaults.
#[utoipa::path(get, path = "/v1/settings/history/{revision}", operation_id = "get_settings_revision", tag = "settings",
    params(("revision" = u64, Path, description = "Number of the revision.")),
    responses((status = 200, description = "The settings of that revision.", body = Settings)))]
async fn at(State(admin): State<Arc<Admin>>, Path(revision): Path<u64>) -> Result<axum::Json<Settings>, ApiError> {
    Ok(axum::Json(settings(&admin.settings.at(revision).await?)?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DiffQuery {
    /// The revision to compare.
    from: u64,
    /// The revision to compare it with; the one in force if absent.
    to: Option<u64>,
}

/// What differs between two revisions.
#[utoipa::path(get, path = "/v1/settings/diff", operation_id = "diff_settings", tag = "settings",
    params(DiffQuery), responses((status = 200, description = "The fields that differ.", body = SettingsDiff)))]
async fn diff(
    State(admin): State<Arc<Admin>>,
    Query(query): Query<DiffQuery>,
) -> Result<axum::Json<SettingsDiff>, ApiError> {
    let to = query.to.unwrap_or_else(|| admin.settings.revised().revision);
    let changes = admin.settings.diff(query.from, to).await?;
    let change =
        |change: cofre_settings::Change| api::Change { field: change.path, before: change.from, after: change.to };
    Ok(axum::Json(SettingsDiff { from: query.from, to, changes: changes.into_iter().map(change).collect() }))
}

/// Bring an earlier document back, as a new revision.
#[utoipa::path(post, path = "/v1/settings/rollback", operation_id = "rollback_settings", tag = "settings",
    params(("If-Match" = String, Header, description = "ETag of the revision that you read; `*` for any.")),
    request_body = RollbackSettings,
    responses(
        (status = 200, description = "The settings as they are now.", body = Settings,
         headers(("ETag" = String, description = "The revision, in quotes."))),
        (status = 400, description = "There are too few failure domains for a redundancy.", body = api::Problem, content_type = "application/problem+json"),
        (status = 404, description = "The history has no such revision.", body = api::Problem, content_type = "application/problem+json"),
        (status = 412, description = "Someone changed the settings since.", body = api::Problem, content_type = "application/problem+json"),
        (status = 428, description = "If-Match is missing.", body = api::Problem, content_type = "application/problem+json"),
    ))]
async fn rollback(
    State(admin): State<Arc<Admin>>,
    Actor(author): Actor,
    if_match: IfMatch,
    Json(request): Json<RollbackSettings>,
) -> Result<Answer, ApiError> {
    let expected = if_match.required()?.unwrap_or_else(|| admin.settings.revised().revision);
    check_reach(&admin, &admin.settings.at(request.to).await?.settings).await?;
    answer(&admin.settings.rollback(request.to, expected, &author, &request.note).await?)
}
