use crate::auth::Actor;
use crate::extract::{Json, Path, Query};
use crate::routes::Routes;
use crate::{Admin, ApiError, convert, paging};
use axum::extract::State;
use axum::http::StatusCode;
use cofre_admin_types::{KeyPolicy, Page, PageQuery, Problem, Scope, SetKeyPolicy};
use std::sync::Arc;
use utoipa_axum::routes;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .scoped(Scope::Read, routes!(list))
        .scoped(Scope::Read, routes!(get))
        .scoped(Scope::Admin, routes!(set))
        .scoped(Scope::Admin, routes!(delete))
}

/// Every policy of a named encryption key, by the key's name.
#[utoipa::path(get, path = "/v1/key-policies", operation_id = "list_key_policies", tag = "key policies",
    params(PageQuery), responses((status = 200, description = "A page of policies.", body = Page<KeyPolicy>)))]
async fn list(
    State(admin): State<Arc<Admin>>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<KeyPolicy>>, ApiError> {
    let limit = paging::limit(query.limit)?;
    let policies = admin.objects.key_policies(&admin.caller()).await?;
    let items = policies.into_iter().map(shown).collect();
    paging::page(items, query.after.as_deref(), limit, |policy: &KeyPolicy| policy.key.clone()).map(axum::Json)
}

/// Who may use a named encryption key.
#[utoipa::path(get, path = "/v1/key-policies/{name}", operation_id = "get_key_policy", tag = "key policies",
    params(("name" = String, Path, description = "Name of the encryption key.")),
    responses(
        (status = 200, description = "The policy.", body = KeyPolicy),
        (status = 404, description = "The key has no policy: whoever may do what it is used for may use it.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn get(State(admin): State<Arc<Admin>>, Path(name): Path<String>) -> Result<axum::Json<KeyPolicy>, ApiError> {
    let found = admin.objects.key_policy(&admin.caller(), &name).await?;
    let found = found.ok_or_else(|| ApiError::NotFound(format!("policy of the encryption key {name:?}")))?;
    Ok(axum::Json(shown(found)))
}

/// Set who may use a named encryption key, and for what.
///
/// A key without a policy is used by whoever may do what it is used for. With one, only by whom that allows it, and by the
/// root account: `kms:GenerateDataKey` to put objects under it and to make it the default of a bucket, `kms:Decrypt` to get
/// and to copy them and to put their parts. What is encrypted already stays as it is. The key need not be there yet.
#[utoipa::path(put, path = "/v1/key-policies/{name}", operation_id = "set_key_policy", tag = "key policies",
    params(("name" = String, Path, description = "Name of the encryption key.")),
    request_body = SetKeyPolicy, responses(
        (status = 200, description = "The policy as it is now.", body = KeyPolicy),
        (status = 400, description = "It is no policy of a key, or the name none of one.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn set(
    State(admin): State<Arc<Admin>>,
    actor: Actor,
    Path(name): Path<String>,
    Json(request): Json<SetKeyPolicy>,
) -> Result<axum::Json<KeyPolicy>, ApiError> {
    let set = admin.objects.set_key_policy(&admin.caller_for(&actor), &name, request.policy).await?;
    Ok(axum::Json(shown(set)))
}

/// Take the policy of a named encryption key back: whoever may do what it is used for may use it again.
#[utoipa::path(delete, path = "/v1/key-policies/{name}", operation_id = "delete_key_policy", tag = "key policies",
    params(("name" = String, Path, description = "Name of the encryption key.")),
    responses((status = 204, description = "The key has no policy.")))]
async fn delete(
    State(admin): State<Arc<Admin>>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    admin.objects.delete_key_policy(&admin.caller_for(&actor), &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(policy: cofre_objects::KeyPolicy) -> KeyPolicy {
    KeyPolicy { key: policy.key, policy: policy.document, set: convert::time_text(policy.set) }
}
