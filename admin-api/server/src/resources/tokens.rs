use super::keys::in_seconds;
use crate::auth::Actor;
use crate::extract::{Json, Path, Query};
use crate::routes::Routes;
use crate::{Admin, ApiError, convert, paging};
use axum::extract::State;
use axum::http::StatusCode;
use cofre_admin_types::{CreateToken, Page, PageQuery, Problem, RevokeQuery, Scope, Token, TokenCreated};
use cofre_iam::NewToken;
use std::sync::Arc;
use utoipa_axum::routes;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .scoped(Scope::Admin, routes!(list))
        .scoped(Scope::Admin, routes!(create))
        .scoped(Scope::Admin, routes!(revoke))
}

/// Every admin token, by id.
#[utoipa::path(get, path = "/v1/tokens", operation_id = "list_tokens", tag = "tokens", params(PageQuery),
    responses((status = 200, description = "A page of tokens, without secrets.", body = Page<Token>)))]
async fn list(
    State(admin): State<Arc<Admin>>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<Token>>, ApiError> {
    let page = admin.iam.list_tokens(query.after.as_deref(), paging::limit(query.limit)?).await?;
    Ok(axum::Json(Page { items: page.items.into_iter().map(convert::token).collect(), next: page.next }))
}

/// Make an admin token.
#[utoipa::path(post, path = "/v1/tokens", operation_id = "create_token", tag = "tokens",
    request_body = CreateToken, responses(
        (status = 201, description = "The token; the secret is not shown again.", body = TokenCreated),
        (status = 400, description = "A field is not valid.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn create(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Json(request): Json<CreateToken>,
) -> Result<(StatusCode, axum::Json<TokenCreated>), ApiError> {
    let new = NewToken {
        scope: convert::domain_scope(request.scope),
        expires: request.expires_in_seconds.map(|seconds| in_seconds(&admin, seconds)),
        note: request.note,
    };
    let issued = admin.iam.create_token(new, &actor).await?;
    let answer = TokenCreated { token: convert::token(issued.token), secret: issued.text.expose().to_owned() };
    Ok((StatusCode::CREATED, axum::Json(answer)))
}

/// Revoke an admin token, for good.
///
/// The last token of the scope `admin` stays, unless forced.
#[utoipa::path(delete, path = "/v1/tokens/{id}", operation_id = "revoke_token", tag = "tokens",
    params(("id" = String, Path, description = "Public id of the token."), RevokeQuery),
    responses(
        (status = 204, description = "It is refused from now on."),
        (status = 409, description = "It is the last one of the scope admin.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such token.", body = Problem, content_type = "application/problem+json"),
    ))]
async fn revoke(
    State(admin): State<Arc<Admin>>,
    Actor(actor): Actor,
    Path(id): Path<String>,
    Query(query): Query<RevokeQuery>,
) -> Result<StatusCode, ApiError> {
    admin.iam.revoke_token(&id, query.force, &actor).await?;
    Ok(StatusCode::NO_CONTENT)
}
