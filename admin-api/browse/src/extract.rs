//! Extractors whose rejections are problems that name the field.

use crate::{Door, Refusal};
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use cofre_iam::SignedIn;
use cofre_objects::{Body as DomainBody, BodyError};
use cofre_types::{BucketName, Invalid, ObjectKey, VersionId};
use futures_util::TryStreamExt;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use sync_wrapper::SyncStream;

/// Longest body of JSON, in bytes.
pub const JSON_BYTES_MAX: usize = 64 * 1024;

/// Longest body of JSON that names the parts of an upload, in bytes: 10,000 of them.
pub(crate) const PARTS_BYTES_MAX: usize = 2 * 1024 * 1024;

/// How long a body of JSON may take to come.
const JSON_TIMEOUT: Duration = Duration::from_secs(30);

/// Bodies up to this many bytes are gathered, so that a small object is one buffer and one append.
const WHOLE_BYTES_MAX: u64 = 128 * 1024;

/// A body of JSON. A form cannot send one (HTML Standard, "Form submission").
#[derive(Debug)]
pub(crate) struct Json<T, const BYTES_MAX: usize = JSON_BYTES_MAX>(pub(crate) T);

impl<T: DeserializeOwned, const BYTES_MAX: usize> FromRequest<Arc<Door>> for Json<T, BYTES_MAX> {
    type Rejection = Refusal;

    async fn from_request(request: Request, door: &Arc<Door>) -> Result<Self, Refusal> {
        let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        if !media_type.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/json") {
            return Err(Refusal::media_type());
        }
        // Long ones are few at a time.
        let is_long = content_length(request.headers()).is_none_or(|length| length > JSON_BYTES_MAX as u64);
        let account = request.extensions().get::<SignedIn>().map(|found| found.session.account);
        let _held = match account {
            Some(account) if is_long && BYTES_MAX > JSON_BYTES_MAX => Some(door.in_flight.enter_walk(account)?),
            _ => None,
        };
        let reading = axum::body::to_bytes(request.into_body(), BYTES_MAX);
        let bytes = tokio::time::timeout(JSON_TIMEOUT, reading).await;
        let bytes = bytes.map_err(|_| Refusal::invalid("body", "did not come in time"))?;
        let bytes =
            bytes.map_err(|_| Refusal::invalid("body", format!("has more than {BYTES_MAX} bytes, or ended early")))?;
        // A list would be taken for an object, field by field in their order.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(Refusal::invalid("body", "must be a JSON object"));
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|error| Refusal::invalid("body", error.to_string()))
    }
}

/// The query of the URL.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let query = parts.uri.query().unwrap_or("");
        let from = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        T::deserialize(from).map(Self).map_err(|error| Refusal::invalid("query", error.to_string()))
    }
}

/// Variables of the path.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|rejection| Refusal::invalid("path", rejection.body_text()))
    }
}

/// The bytes of an upload, with the length that the browser declares.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) length: u64,
    body: Body,
}

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let length = content_length(request.headers());
        Ok(Self { length: length.ok_or_else(Refusal::length_required)?, body: request.into_body() })
    }
}

impl Sent {
    /// The body as the domain takes it; asked for once the caller may send it.
    pub(crate) async fn into_domain(self) -> Result<DomainBody, Refusal> {
        if self.length > WHOLE_BYTES_MAX {
            let stream = self.body.into_data_stream().map_err(|error| BodyError(error.into()));
            return Ok(DomainBody::Stream { stream: Box::pin(SyncStream::new(stream)), size: Some(self.length) });
        }
        let whole = axum::body::to_bytes(self.body, WHOLE_BYTES_MAX as usize).await;
        let whole = whole.map_err(|_| Refusal::incomplete())?;
        if whole.len() as u64 == self.length { Ok(DomainBody::Whole(whole)) } else { Err(Refusal::incomplete()) }
    }
}

/// The length that a request declares of its body.
fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The name of a bucket.
pub(crate) fn bucket(name: &str) -> Result<BucketName, Invalid> {
    BucketName::parse(name)
}

/// The key of an object.
pub(crate) fn key(key: String) -> Result<ObjectKey, Invalid> {
    ObjectKey::try_from(key)
}

/// A version, where one is named.
pub(crate) fn version(version: Option<&str>) -> Result<Option<VersionId>, Invalid> {
    version.map(VersionId::parse).transpose()
}
