use crate::convert::api_scope;
use crate::{Admin, ApiError};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use cofre_admin_types::Scope;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long a token may take to verify: a disk that hangs must not keep who asks waiting.
const VERIFY_MAX: Duration = Duration::from_secs(5);

/// What stands before a route.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) admin: Arc<Admin>,
    pub(crate) scope: Scope,
}

/// Who sent the request, as events name actors: `token:<id>`.
#[derive(Debug, Clone)]
pub(crate) struct Actor(pub(crate) String);

/// The scope of the token that the request came with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Granted(pub(crate) Scope);

impl Granted {
    /// Refuses what asks for a larger scope than the route does.
    pub(crate) fn reaches(self, scope: Scope) -> Result<(), ApiError> {
        if self.0 < scope { Err(ApiError::Forbidden(scope)) } else { Ok(()) }
    }
}

/// Lets a request through whose token has the scope.
pub(crate) async fn guard(State(guard): State<Guard>, mut request: Request, next: Next) -> Result<Response, ApiError> {
    let header = request.headers().get(AUTHORIZATION);
    let header = header.ok_or(ApiError::Unauthenticated("send an admin token as 'Authorization: Bearer TOKEN'"))?;
    let text = header.to_str().unwrap_or_default();
    let token = text
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or(ApiError::Unauthenticated("the Authorization header is not 'Bearer TOKEN'"))?;
    let verified = timeout(VERIFY_MAX, guard.admin.iam.verify_token(token)).await;
    let token = verified.map_err(|_| ApiError::Unavailable("the catalog's disk does not answer".to_owned()))??;
    let token = token.ok_or(ApiError::Unauthenticated("the token is unknown, revoked or expired"))?;
    let granted = Granted(api_scope(token.scope));
    granted.reaches(guard.scope)?;
    request.extensions_mut().insert(granted);
    request.extensions_mut().insert(Actor(format!("token:{}", token.id)));
    Ok(next.run(request).await)
}

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        guarded(parts)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Granted {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        guarded(parts)
    }
}

/// What the guard left for a handler.
fn guarded<T: Clone + Send + Sync + 'static>(parts: &Parts) -> Result<T, ApiError> {
    let left = parts.extensions.get::<T>().cloned();
    left.ok_or_else(|| ApiError::Internal("a handler asks who calls on a route without a guard".to_owned()))
}
