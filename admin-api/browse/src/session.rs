//! Signing in and out, and the sessions of an account.

use crate::edge::{Asked, Browser};
use crate::extract::{Json, Path};
use crate::{Door, Refusal, cookie, session_text};
use axum::extract::State;
use axum::http::header::{SET_COOKIE, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use cofre_admin_types::{BrowsedSession, Page, Problem, SignIn, SignedIn, SignedInAccount};
use cofre_iam::{IamError, Network, NewSession, Secret, SessionLength};
use cofre_types::Timestamp;
use std::sync::Arc;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment as the API writes it: RFC 3339, UTC, milliseconds.
pub(crate) fn time_text(at: Timestamp) -> String {
    let nanos = i128::from(at.millis()) * 1_000_000;
    let text = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok().and_then(|at| at.format(&Rfc3339).ok());
    text.unwrap_or_default()
}

/// A moment as pages write it; none if it is not RFC 3339.
pub(crate) fn time_of(text: &str) -> Option<Timestamp> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(at.unix_timestamp_nanos()).ok().map(Timestamp)
}

/// Sign in with an access key.
///
/// A new session each time; the one that the browser had before ends. The answer sets a cookie that scripts cannot read. A
/// wrong secret and an unknown key are answered alike.
#[utoipa::path(post, path = "/console/v1/session", operation_id = "console_sign_in", tag = "console",
    request_body = SignIn, responses(
        (status = 201, description = "The session.", body = SignedIn),
        (status = 401, description = "Key or secret is not right.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many tries: wait as Retry-After says.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn sign_in(
    State(door): State<Arc<Door>>,
    asked: Asked,
    headers: HeaderMap,
    Json(request): Json<SignIn>,
) -> Result<Response, Refusal> {
    let SignIn { access_key_id, secret_access_key, keep } = request;
    let secret = Secret::new(secret_access_key);
    let address = asked.from.ip.map(Network::of);
    let left = door.attempts.take(address, &access_key_id).map_err(|rest| Refusal::too_many_tries(rest.0))?;
    let length = if keep { SessionLength::Month } else { SessionLength::Day };
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let new = NewSession { key: &access_key_id, secret: &secret, length, address: asked.from.ip, agent };
    let Some(issued) = door.iam.sign_in(new).await? else {
        tracing::info!(target: "cofre::console", request_id = %asked.id, ip = ?asked.from.ip, "a sign-in was refused");
        return Err(Refusal::sign_in_failed(left.0));
    };
    door.attempts.give_back(address, &access_key_id);
    if let Some(text) = session_text(&headers, asked.from)
        && let Some(before) = door.iam.verify_session(text).await?
    {
        end_quietly(&door, &before).await?;
    }
    let body = told(&door, &issued.signed_in, &asked)?;
    let mut response = (StatusCode::CREATED, axum::Json(body)).into_response();
    let cookie = cookie::of(&issued, length, asked.from);
    let cookie = cookie.ok_or_else(|| Refusal::internal("a session is no header value".to_owned()))?;
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

/// Who is signed in, if anyone is.
#[utoipa::path(get, path = "/console/v1/session", operation_id = "console_session", tag = "console",
    responses(
        (status = 200, description = "The session.", body = SignedIn),
        (status = 204, description = "Nobody is signed in."),
    ))]
pub(crate) async fn current(
    State(door): State<Arc<Door>>,
    asked: Asked,
    browser: Option<Browser>,
) -> Result<Response, Refusal> {
    let Some(browser) = browser else { return Ok(StatusCode::NO_CONTENT.into_response()) };
    told(&door, &browser.signed_in, &asked).map(|told| axum::Json(told).into_response())
}

/// Sign out: the session ends, and its cookie goes. Fine without one.
#[utoipa::path(delete, path = "/console/v1/session", operation_id = "console_sign_out", tag = "console",
    responses((status = 204, description = "Nobody is signed in any more.")))]
pub(crate) async fn sign_out(
    State(door): State<Arc<Door>>,
    asked: Asked,
    browser: Option<Browser>,
) -> Result<Response, Refusal> {
    if let Some(browser) = browser {
        end_quietly(&door, &browser.signed_in).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = cookie::none(asked.from) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The sessions of the account that are in force, those used last first: at most 64.
#[utoipa::path(get, path = "/console/v1/sessions", operation_id = "console_list_sessions", tag = "console",
    responses((status = 200, description = "The sessions; there is one page.", body = Page<BrowsedSession>)))]
pub(crate) async fn list(
    State(door): State<Arc<Door>>,
    browser: Browser,
) -> Result<axum::Json<Page<BrowsedSession>>, Refusal> {
    let ours = browser.signed_in.session;
    let sessions = door.iam.list_sessions(ours.account).await?;
    let items = sessions.into_iter().map(|session| BrowsedSession {
        this: session.id == ours.id,
        access_key_id: session.key.to_string(),
        created: time_text(session.created),
        seen: time_text(session.seen),
        expires: time_text(session.expires),
        id: session.id,
        address: session.address,
        agent: session.agent,
    });
    Ok(axum::Json(Page { items: items.collect(), next: None }))
}

/// End a session of the account.
#[utoipa::path(delete, path = "/console/v1/sessions/{id}", operation_id = "console_end_session", tag = "console",
    params(("id" = String, Path, description = "Public id of the session.")),
    responses(
        (status = 204, description = "It is refused from now on."),
        (status = 404, description = "The account has no such session.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn end(
    State(door): State<Arc<Door>>,
    browser: Browser,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let actor = browser.caller.principal.to_string();
    door.iam.end_session(browser.signed_in.session.account, &id, &actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a session that another request may have ended at the same time.
async fn end_quietly(door: &Door, found: &cofre_iam::SignedIn) -> Result<(), Refusal> {
    let actor = found.credential.principal.to_string();
    match door.iam.end_session(found.session.account, &found.session.id, &actor).await {
        Ok(()) | Err(IamError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn told(door: &Door, signed_in: &cofre_iam::SignedIn, asked: &Asked) -> Result<SignedIn, Refusal> {
    let account = signed_in.credential.principal.account();
    let account = account.ok_or_else(|| Refusal::internal("a session of no account".to_owned()))?;
    Ok(SignedIn {
        account: SignedInAccount { id: account.id.to_string(), name: account.name.clone(), root: account.root },
        session: signed_in.session.id.clone(),
        access_key_id: signed_in.session.key.to_string(),
        expires: time_text(signed_in.session.expires),
        secure: asked.from.secure,
        operations: account.root && asked.with_operations,
        version: door.version.to_owned(),
    })
}
