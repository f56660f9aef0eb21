//! What stands around every route: request id, access log, panics, and problems written out.

use crate::{Admin, ApiError};
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use axum::middleware::Next;
use axum::response::Response;
use cofre_iam::RequestId;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What balancers and Prometheus ask every few seconds: lines of it would hide the others.
const PROBES: [&str; 2] = ["/health", "/metrics"];

/// Runs a request, and turns errors and panics into problems.
pub(crate) async fn edge(State(admin): State<Arc<Admin>>, mut request: Request, next: Next) -> Response {
    let id = RequestId::new(&admin.random);
    request.extensions_mut().insert(id);
    let id = id.to_string();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let began = admin.clock.elapsed();
    let mut response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => ApiError::Internal(format!("{method} {path} panicked")).to_response(&id),
    };
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        let headers = std::mem::take(response.headers_mut());
        response = error.to_response(&id);
        // A 405 carries the Allow header that the router wrote.
        if let Some(allow) = headers.get(axum::http::header::ALLOW) {
            response.headers_mut().insert(axum::http::header::ALLOW, allow.clone());
        }
    }
    let status = response.status().as_u16();
    let took_us = u64::try_from(admin.clock.elapsed().saturating_sub(began).as_micros()).unwrap_or(u64::MAX);
    let is_probe =
        PROBES.iter().any(|probe| path == *probe || path.strip_prefix(probe).is_some_and(|r| r.starts_with('/')));
    if is_probe && response.status().is_success() {
        tracing::debug!(target: "cofre::admin", %method, path, status, took_us, request_id = id, "admin request");
    } else {
        tracing::info!(target: "cofre::admin", %method, path, status, took_us, request_id = id, "admin request");
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    // Answers hold state, and some a secret: no cache keeps them.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}
