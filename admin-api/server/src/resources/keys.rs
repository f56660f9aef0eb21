use super::accounts::{given, parse_id};
use crate::auth::Actor;
use crate::extract::{Json, Path, Query};
use crate::routes::Routes;
use crate::{Admin, ApiError, convert, paging};
use axum::extract::State;
use axum::http::StatusCode;
use cofre_admin_types::{CreateKey, Key, KeyCreated, Page, PageQuery, PatchKey, Problem, RotateKey, Scope};
use cofre_iam::{AccessKey, IssuedKey, NewKey};
use cofre_types::{AccessKeyId, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use utoipa_axum::routes;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .scoped(Scope::Read, routes!(list))
        .scoped(Scope::Admin, routes!(create))
        .scoped(Scope::Admin, routes!(rotate))
        .scoped(Scope::Admin, routes!(patch))
        .scoped(Scope::Admin, routes!(delete))
}

/// Every key of an account, by id.
#[utoipa::path(get, path = "/v1/accounts/{id}/keys", operation_id = "list_keys", tag = "keys",
    params(("id" = String, Path, description = "Canonical id of the account."), PageQuery),
    responses(
        (status = 200, description = "A page of keys, without secrets.", body = Page<Key>),
        (status = 404, description = "There is no such account.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(admin): State<Arc<Admin>>,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<Key>>, ApiError> {
    let after = query.after.as_deref().map(AccessKeyId::parse).transpose();
    let after = after.map_err(|invalid| ApiError::invalid("after", invalid.reason))?;
    let account = admin.iam.account(parse_id(&id)?).await?;
    let page = admin.iam.list_keys(account.id, after.as_ref(), paging::limit(query.limit)?).await?;
    let items = page.items.into_iter().map(|key| convert::key(key, account.name.clone())).collect();
    Ok(axum::Json(Page { items, next: page.next }))
}

/// Make an access key, or take one that is brought from elsewhere.
#[utoipa::path(post, path = "/v1/accounts/{id}/keys", operation_id = "create_key", tag = "keys",
    params(("id" = String, Path, description = "Canonical id of the account.")),
    request_body = CreateKey, responses(
        (status = 201, description = "The key; the secret is not shown again.", body = KeyCreated),
        (status = 400, description = "A field is not valid.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such account.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The id of an imported key is taken.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn create(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Path(id): Path<String>,
    Json(request): Json<CreateKey>,
) -> Result<(StatusCode, axum::Json<KeyCreated>), ApiError> {
    let expires = request.expires_in_seconds.map(|seconds| in_seconds(&admin, seconds));
    let given = request.import.map(|key| given("import", &key)).transpose()?;
    let new = NewKey { given, expires, note: request.note };
    let issued = admin.iam.create_key(parse_id(&id)?, new, &actor).await?;
    created(&admin, issued).await
}

/// Make a new key in the place of an old one.
///
/// The new key has the note and the expiry of the old one, which stays good for a while if asked.
#[utoipa::path(post, path = "/v1/keys/{id}/rotate", operation_id = "rotate_key", tag = "keys",
    params(("id" = String, Path, description = "Access key id.")),
    request_body = RotateKey, responses(
        (status = 201, description = "The new key; the secret is not shown again.", body = KeyCreated),
        (status = 404, description = "There is no such key.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The key is disabled or has expired.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn rotate(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Path(id): Path<String>,
    Json(request): Json<RotateKey>,
) -> Result<(StatusCode, axum::Json<KeyCreated>), ApiError> {
    let overlap = Duration::from_secs(request.keep_old_seconds);
    if overlap > cofre_iam::OVERLAP_MAX {
        return Err(ApiError::invalid("keep_old_seconds", "must be at most 7,776,000, which is 90 days"));
    }
    let issued = admin.iam.rotate_key(&parse_key(&id)?, overlap, &actor).await?;
    created(&admin, issued).await
}

/// Disable or enable an access key.
#[utoipa::path(patch, path = "/v1/keys/{id}", operation_id = "patch_key", tag = "keys",
    params(("id" = String, Path, description = "Access key id.")),
    request_body = PatchKey, responses(
        (status = 200, description = "The key as it is now.", body = Key),
        (status = 404, description = "There is no such key.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn patch(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Path(id): Path<String>,
    Json(request): Json<PatchKey>,
) -> Result<axum::Json<Key>, ApiError> {
    let id = parse_key(&id)?;
    let key = match request.disabled {
        Some(disabled) => admin.iam.set_key_disabled(&id, disabled, &actor).await?,
        None => admin.iam.key(&id).await?,
    };
    shown(&admin, key).await.map(axum::Json)
}

/// Delete an access key.
#[utoipa::path(delete, path = "/v1/keys/{id}", operation_id = "delete_key", tag = "keys",
    params(("id" = String, Path, description = "Access key id.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such key.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn delete(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    admin.iam.delete_key(&parse_key(&id)?, &actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A key with the name of its account.
async fn shown(admin: &Admin, key: AccessKey) -> Result<Key, ApiError> {
    let names = admin.iam.account_names(vec![key.account]).await?;
    Ok(convert::key(key, names.into_iter().next().map(|(_, name)| name).unwrap_or_default()))
}

async fn created(admin: &Admin, issued: IssuedKey) -> Result<(StatusCode, axum::Json<KeyCreated>), ApiError> {
    let key = shown(admin, admin.iam.key(&issued.id).await?).await?;
    let answer = KeyCreated { key, secret_access_key: issued.secret.expose().to_owned() };
    Ok((StatusCode::CREATED, axum::Json(answer)))
}

pub(super) fn in_seconds(admin: &Admin, seconds: u64) -> Timestamp {
    Timestamp(admin.clock.now_nanos()).after(Duration::from_secs(seconds))
}

fn parse_key(text: &str) -> Result<AccessKeyId, ApiError> {
    AccessKeyId::parse(text).map_err(|invalid| ApiError::invalid("id", invalid.reason))
}
