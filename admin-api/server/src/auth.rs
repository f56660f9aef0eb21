use crate::convert::api_scope;
use crate::{Admin, ApiError};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::Next;
use axum::response::Response;
use cofre_admin_types::Scope;
use cofre_browse::{check_same_origin, is_named, session_text};
use cofre_iam::{Origin, Secret};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long a token may take to verify: a disk that hangs must not keep who asks waiting.
const VERIFY_MAX: Duration = Duration::from_secs(5);

/// How often what goes on asks again whether it still may.
const PROVED_EVERY: Duration = Duration::from_secs(1);

/// What stands before a route.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) admin: Arc<Admin>,
    pub(crate) scope: Scope,
}

/// Who sent the request, as events name actors: `token:<id>`, or `session:<id>` of a page that looks.
#[derive(Debug, Clone)]
pub(crate) struct Actor(pub(crate) String);

/// What the right to look was proved with, for what goes on after its request was let through.
#[derive(Clone)]
pub(crate) enum Proof {
    Token(Secret),
    Session(Secret),
}

impl Proof {
    /// Ends once the token or the session is refused: revoked, ended, expired, or its key not in force.
    pub(crate) async fn ended(self, admin: Arc<Admin>) {
        loop {
            admin.clock.sleep(PROVED_EVERY).await;
            // A catalog that does not answer says nothing of it.
            let is_over = match &self {
                Self::Token(text) => matches!(admin.iam.verify_token(text.expose()).await, Ok(None)),
                Self::Session(text) => matches!(admin.iam.verify_session(text.expose()).await, Ok(None)),
            };
            if is_over {
                return;
            }
        }
    }
}

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
    let Some(header) = request.headers().get(AUTHORIZATION) else {
        let from = request.extensions().get::<Origin>().copied().unwrap_or_default();
        let (method, uri, headers) = (request.method().clone(), request.uri().clone(), request.headers().clone());
        let (actor, proof) = look(&guard, &method, &uri, &headers, from).await?;
        request.extensions_mut().insert(Granted(Scope::Read));
        request.extensions_mut().insert(actor);
        request.extensions_mut().insert(proof);
        return Ok(next.run(request).await);
    };
    let text = header.to_str().unwrap_or_default();
    let token = text
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or(ApiError::Unauthenticated("the Authorization header is not 'Bearer TOKEN'"))?;
    let proof = Proof::Token(Secret::new(token.to_owned()));
    let verified = timeout(VERIFY_MAX, guard.admin.iam.verify_token(token)).await;
    let token = verified.map_err(|_| ApiError::Unavailable("the catalog's disk does not answer".to_owned()))??;
    let token = token.ok_or(ApiError::Unauthenticated("the token is unknown, revoked or expired"))?;
    let granted = Granted(api_scope(token.scope));
    granted.reaches(guard.scope)?;
    request.extensions_mut().insert(granted);
    request.extensions_mut().insert(proof);
    request.extensions_mut().insert(Actor(format!("token:{}", token.id)));
    Ok(next.run(request).await)
}

/// Lets a page of the console look, by the session of the root account.
async fn look(
    guard: &Guard,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    from: Origin,
) -> Result<(Actor, Proof), ApiError> {
    let nobody = || ApiError::Unauthenticated("send an admin token as 'Authorization: Bearer TOKEN'");
    let text = session_text(headers, from).ok_or_else(nobody)?;
    check_same_origin(method, uri, headers, from).map_err(|_| nobody())?;
    let verified = timeout(VERIFY_MAX, guard.admin.iam.verify_session(text)).await;
    let found = verified.map_err(|_| ApiError::Unavailable("the catalog's disk does not answer".to_owned()))??;
    let found = found.filter(|found| is_named(headers, &found.session.id));
    let found = found.ok_or(ApiError::Unauthenticated("the session is over; sign in again"))?;
    let is_root = found.credential.principal.account().is_some_and(|account| account.root);
    let looks = method == Method::GET || method == Method::HEAD;
    if is_root && looks && guard.scope == Scope::Read {
        return Ok((Actor(format!("session:{}", found.session.id)), Proof::Session(Secret::new(text.to_owned()))));
    }
    Err(ApiError::Forbidden(guard.scope))
}

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        guarded(parts)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Proof {
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
