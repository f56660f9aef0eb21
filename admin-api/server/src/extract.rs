//! Extractors whose rejections are problems that name the field.

use crate::ApiError;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// Longest body that a request may have, in bytes.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// Longest body that holds all that a Cofre should have, in bytes: some 800 for each bucket of the largest document.
pub const DOCUMENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How long a body may take to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A body of JSON, of so many bytes at the most.
#[derive(Debug)]
pub(crate) struct Json<T, const BYTES_MAX: usize = BODY_BYTES_MAX>(pub(crate) T);

impl<T: DeserializeOwned + Serialize, S: Send + Sync, const BYTES_MAX: usize> FromRequest<S> for Json<T, BYTES_MAX> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let essence = content_type.split(';').next().unwrap_or("").trim();
        if !["application/json", "application/merge-patch+json"].iter().any(|json| essence.eq_ignore_ascii_case(json)) {
            return Err(ApiError::UnsupportedMediaType("application/json"));
        }
        let too_large = ApiError::TooLarge { max_bytes: BYTES_MAX };
        let declared = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        if declared.and_then(|text| text.parse::<u64>().ok()).is_some_and(|bytes| bytes > BYTES_MAX as u64) {
            return Err(too_large);
        }
        let reading = axum::body::to_bytes(request.into_body(), BYTES_MAX);
        let bytes = tokio::time::timeout(BODY_TIMEOUT, reading)
            .await
            .map_err(|_| ApiError::invalid("body", "did not come in time"))?
            .map_err(|_| too_large)?;
        let mut from = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut from)
            .map_err(|error| invalid_in("body", &error.path().to_string(), &error.inner().to_string()))?;
        from.end().map_err(|error| ApiError::invalid("body", error.to_string()))?;
        refuse_lists(&bytes, &value)?;
        Ok(Self(value))
    }
}

/// Refuses a list where an object belongs: serde takes one for the other, field by field in their order.
fn refuse_lists(bytes: &[u8], value: &impl Serialize) -> Result<(), ApiError> {
    let internal = |error: serde_json::Error| ApiError::Internal(error.to_string());
    let (came, meant) =
        (serde_json::from_slice(bytes).map_err(internal)?, serde_json::to_value(value).map_err(internal)?);
    match list_for_object(&came, &meant) {
        None => Ok(()),
        Some(path) if path.is_empty() => Err(ApiError::invalid("body", "must be a JSON object, not a list")),
        Some(path) => Err(ApiError::invalid(path, "must be a JSON object, not a list")),
    }
}

/// Where a list came that means an object.
fn list_for_object(came: &Value, meant: &Value) -> Option<String> {
    let below = |name: &str, inner: String| if inner.is_empty() { name.to_owned() } else { format!("{name}.{inner}") };
    match (came, meant) {
        (Value::Array(_), Value::Object(_)) => Some(String::new()),
        (Value::Array(came), Value::Array(meant)) => came
            .iter()
            .zip(meant)
            .enumerate()
            .find_map(|(index, (came, meant))| Some(below(&index.to_string(), list_for_object(came, meant)?))),
        (Value::Object(came), Value::Object(meant)) => {
            came.iter().find_map(|(name, came)| Some(below(name, list_for_object(came, meant.get(name)?)?)))
        }
        _ => None,
    }
}

/// The query of the URL.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or("");
        let from = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(from)
            .map(Self)
            .map_err(|error| invalid_in("query", &error.path().to_string(), &error.inner().to_string()))
    }
}

/// Variables of the path.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) => {
                let variables = RawPathParams::from_request_parts(parts, state).await.ok();
                Err(path_error(rejection, variables.as_ref()))
            }
        }
    }
}

fn path_error(rejection: PathRejection, variables: Option<&RawPathParams>) -> ApiError {
    let text = rejection.body_text();
    let PathRejection::FailedToDeserializePathParams(failure) = rejection else {
        return ApiError::Internal(text);
    };
    match failure.into_kind() {
        ErrorKind::ParseErrorAtKey { key, value, expected_type } => {
            ApiError::invalid(key, format!("'{value}' is no {expected_type}"))
        }
        // A path with one variable does not say which.
        ErrorKind::ParseError { value, expected_type } => {
            let name = variables.and_then(|all| all.iter().find(|(_, text)| *text == value)).map(|(name, _)| name);
            ApiError::invalid(name.unwrap_or("path"), format!("'{value}' is no {expected_type}"))
        }
        ErrorKind::InvalidUtf8InPathParam { key } => ApiError::invalid(key, "is no UTF-8"),
        _ => ApiError::invalid("path", text),
    }
}

/// Names the field that a deserializer stumbled over. For a missing field the path ends at the object
/// around it, and the field's name stands in the message alone; for an unknown one that depends on
/// the format.
fn invalid_in(whole: &str, path: &str, message: &str) -> ApiError {
    let named = ["unknown field `", "missing field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start))
        .and_then(|rest| rest.split('`').next());
    let field = match (path, named) {
        ("." | "", None) => whole.to_owned(),
        ("." | "", Some(name)) => name.to_owned(),
        (path, None) => path.to_owned(),
        (path, Some(name)) if path.rsplit('.').next() == Some(name) => path.to_owned(),
        (path, Some(name)) => format!("{path}.{name}"),
    };
    ApiError::Invalid { field, reason: message.to_owned() }
}
