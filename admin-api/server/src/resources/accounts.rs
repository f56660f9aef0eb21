use crate::auth::Actor;
use crate::extract::{Json, Path, Query};
use crate::routes::Routes;
use crate::{Admin, ApiError, convert, paging};
use axum::extract::State;
use axum::http::StatusCode;
use cofre_admin_types::{
    Account, AccountCreated, CreateAccount, ImportKey, Page, PageQuery, PatchAccount, Problem, Quota, Scope,
};
use cofre_iam::{Account as Record, GivenKey, IamError, NewAccount};
use cofre_objects::AccountUsage;
use cofre_types::AccountId;
use std::sync::Arc;
use utoipa_axum::routes;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .scoped(Scope::Read, routes!(list))
        .scoped(Scope::Admin, routes!(create))
        .scoped(Scope::Read, routes!(get))
        .scoped(Scope::Admin, routes!(patch))
        .scoped(Scope::Operate, routes!(set_quota))
        .scoped(Scope::Admin, routes!(delete))
}

/// Every account, by name.
#[utoipa::path(get, path = "/v1/accounts", operation_id = "list_accounts", tag = "accounts", params(PageQuery),
    responses((status = 200, description = "A page of accounts.", body = Page<Account>)))]
async fn list(
    State(admin): State<Arc<Admin>>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<Account>>, ApiError> {
    let page = admin.iam.list_accounts(query.after.as_deref(), paging::limit(query.limit)?).await?;
    let ids: Vec<_> = page.items.iter().map(|account| account.id).collect();
    let usages = admin.upkeep.account_usage(&ids).await?;
    let items = page.items.into_iter().zip(usages).map(|(account, usage)| convert::account(account, usage));
    Ok(axum::Json(Page { items: items.collect(), next: page.next }))
}

/// Make an account and its first access key.
#[utoipa::path(post, path = "/v1/accounts", operation_id = "create_account", tag = "accounts",
    request_body = CreateAccount, responses(
        (status = 201, description = "The account and its key; the secret is not shown again.", body = AccountCreated),
        (status = 400, description = "A field is not valid.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Name or e-mail address is taken.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn create(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Json(request): Json<CreateAccount>,
) -> Result<(StatusCode, axum::Json<AccountCreated>), ApiError> {
    let new = NewAccount {
        name: request.display_name,
        email: request.email,
        buckets_max: request.buckets_max,
        key: request.key.map(|key| given("key", &key)).transpose()?,
        ..NewAccount::default()
    };
    let created = admin.iam.create_account(new, &actor).await?;
    let answer = AccountCreated {
        account: convert::account(created.account, AccountUsage::default()),
        access_key_id: created.key.id.to_string(),
        secret_access_key: created.key.secret.expose().to_owned(),
    };
    Ok((StatusCode::CREATED, axum::Json(answer)))
}

/// One account.
#[utoipa::path(get, path = "/v1/accounts/{id}", operation_id = "get_account", tag = "accounts",
    params(("id" = String, Path, description = "Canonical id: 64 hexadecimal digits.")),
    responses(
        (status = 200, description = "The account.", body = Account),
        (status = 404, description = "There is no such account.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn get(State(admin): State<Arc<Admin>>, Path(id): Path<String>) -> Result<axum::Json<Account>, ApiError> {
    shown(&admin, admin.iam.account(parse_id(&id)?).await?).await
}

/// Disable or enable an account.
///
/// All keys of a disabled account are refused, within the moment.
#[utoipa::path(patch, path = "/v1/accounts/{id}", operation_id = "patch_account", tag = "accounts",
    params(("id" = String, Path, description = "Canonical id: 64 hexadecimal digits.")),
    request_body = PatchAccount, responses(
        (status = 200, description = "The account as it is now.", body = Account),
        (status = 404, description = "There is no such account.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The root account cannot be disabled.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn patch(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Path(id): Path<String>,
    Json(request): Json<PatchAccount>,
) -> Result<axum::Json<Account>, ApiError> {
    let id = parse_id(&id)?;
    let account = match request.disabled {
        Some(disabled) => admin.iam.set_account_disabled(id, disabled, &actor).await?,
        None => admin.iam.account(id).await?,
    };
    shown(&admin, account).await
}

/// Set what all buckets of an account together may hold.
///
/// A limit that is absent is that of the settings. A limit below what is there stops further writes and
/// deletes nothing.
#[utoipa::path(put, path = "/v1/accounts/{id}/quota", operation_id = "set_account_quota", tag = "accounts",
    params(("id" = String, Path, description = "Canonical id: 64 hexadecimal digits.")),
    request_body = Quota, responses(
        (status = 200, description = "The account as it is now.", body = Account),
        (status = 400, description = "A limit is out of its bounds.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such account.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn set_quota(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Path(id): Path<String>,
    Json(quota): Json<Quota>,
) -> Result<axum::Json<Account>, ApiError> {
    let id = parse_id(&id)?;
    shown(&admin, admin.iam.set_account_quota(id, quota.bytes_max, quota.objects_max, &actor).await?).await
}

/// An account with what it owns.
async fn shown(admin: &Admin, account: Record) -> Result<axum::Json<Account>, ApiError> {
    let usage = admin.upkeep.account_usage(&[account.id]).await?.pop().unwrap_or_default();
    Ok(axum::Json(convert::account(account, usage)))
}

/// Delete an account and its keys.
#[utoipa::path(delete, path = "/v1/accounts/{id}", operation_id = "delete_account", tag = "accounts",
    params(("id" = String, Path, description = "Canonical id: 64 hexadecimal digits.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such account.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It owns buckets, or is the root account.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn delete(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    admin.iam.delete_account(parse_id(&id)?, &actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A key that is brought from elsewhere, in this field of a request.
pub(super) fn given(field: &str, key: &ImportKey) -> Result<GivenKey, ApiError> {
    GivenKey::import(&key.access_key_id, &key.secret_access_key).map_err(|invalid| {
        let name = if invalid.field == "access key id" { "access_key_id" } else { "secret_access_key" };
        ApiError::invalid(format!("{field}.{name}"), invalid.reason)
    })
}

/// The account that has this name or canonical id.
pub(super) async fn named(admin: &Admin, field: &str, text: &str) -> Result<Record, ApiError> {
    let found = match AccountId::parse(text) {
        Ok(id) => admin.iam.account(id).await,
        Err(_) => admin.iam.account_by_name(text).await,
    };
    found.map_err(|error| match error {
        IamError::NotFound { .. } => ApiError::invalid(field, format!("there is no account {text}")),
        error => error.into(),
    })
}

pub(super) fn parse_id(text: &str) -> Result<AccountId, ApiError> {
    AccountId::parse(text).map_err(|invalid| ApiError::invalid("id", invalid.reason))
}
