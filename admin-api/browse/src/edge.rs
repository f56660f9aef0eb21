//! What stands around every call: whose it is, whether there is room for it, and problems written out.

use crate::in_flight::{Held, Of, until_sent};
use crate::same_origin::is_named;
use crate::{Door, Refusal, check_same_origin, session_text};
use axum::extract::{FromRequestParts, OptionalFromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use cofre_iam::{Caller, Network, Origin, RequestId, SignedIn};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How long a session may take to verify: a disk that hangs must not keep who asks waiting.
const VERIFY_MAX: Duration = Duration::from_secs(5);

/// What every answer carries, unless its route says otherwise.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Where a request came from, and what it is called.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) from: Origin,
    pub(crate) id: RequestId,
    pub(crate) with_operations: bool,
}

/// Stands in the extensions of requests that come where the admin API answers too.
#[derive(Debug, Clone, Copy)]
pub struct WithOperations;

/// Runs a call.
pub(crate) async fn edge(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let from = extensions.get::<Origin>().copied().unwrap_or_default();
    let id = extensions.get::<RequestId>().copied().unwrap_or_else(|| RequestId::new(&door.random));
    let with_operations = extensions.get::<WithOperations>().is_some();
    request.extensions_mut().insert(Asked { from, id, with_operations });
    let (mut response, held) = match enter(&door, &mut request, from).await {
        Ok(held) => (next.run(request).await, held),
        Err(refusal) => (refusal.into_response(), Vec::new()),
    };
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        response = refusal.to_response(id);
    }
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    until_sent(response, held)
}

/// Lets a request in, with the session that it brings, if it brings a good one.
async fn enter(door: &Door, request: &mut Request, from: Origin) -> Result<Vec<Held>, Refusal> {
    check_same_origin(request.method(), request.uri(), request.headers(), from)?;
    let mut held = Vec::with_capacity(3);
    let mut take = |of| door.in_flight.enter(of).map(|one| held.push(one)).ok_or_else(Refusal::busy);
    take(Of::All)?;
    take(Of::Address(from.ip.map(Network::of)))?;
    if let Some(signed_in) = signed_in(door, request.headers(), from).await? {
        take(Of::Account(signed_in.session.account))?;
        request.extensions_mut().insert(signed_in);
    }
    Ok(held)
}

async fn signed_in(door: &Door, headers: &HeaderMap, from: Origin) -> Result<Option<SignedIn>, Refusal> {
    let Some(text) = session_text(headers, from) else { return Ok(None) };
    let verified = timeout(VERIFY_MAX, door.iam.verify_session(text)).await;
    let found = verified.map_err(|_| Refusal::unavailable("the catalog's disk does not answer"))?;
    Ok(found?.filter(|found| is_named(headers, &found.session.id)))
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts
            .extensions
            .get()
            .copied()
            .ok_or_else(|| Refusal::internal("a route stands outside of the edge".to_owned()))
    }
}

/// Who is signed in, as the domain's caller.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    pub(crate) signed_in: SignedIn,
    pub(crate) caller: Caller,
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Browser {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Refusal> {
        if parts.extensions.get::<SignedIn>().is_none() {
            return Ok(None);
        }
        <Self as FromRequestParts<S>>::from_request_parts(parts, state).await.map(Some)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Browser {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Asked { from, id, .. } = Asked::from_request_parts(parts, state).await?;
        let signed_in = parts.extensions.get::<SignedIn>().cloned().ok_or_else(Refusal::signed_out)?;
        let mut caller = Caller::new(signed_in.credential.principal.clone(), from, id);
        caller.facts = Some(Arc::new(crate::facts::Facts::of(&parts.headers)));
        Ok(Self { signed_in, caller })
    }
}
