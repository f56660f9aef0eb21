//! What S3 takes from a client and s3s does not, put right before s3s sees it.

use crate::errors;
use http::{HeaderMap, HeaderValue, Method, header};
use http_body::Body as _;
use http_body_util::LengthLimitError;
use s3s::{Body, BodySizeLimitExceeded, S3Error, S3ErrorCode, S3Result};

/// Most bytes of a body that comes in chunks without its length: it is held until it is known.
const UNDECLARED_BYTES_MAX: usize = 1024 * 1024;

/// Learns the length of a PUT's body that declares none, as `Transfer-Encoding: chunked` allows.
pub(crate) async fn declare_length(method: &Method, headers: &mut HeaderMap, mut body: Body) -> S3Result<Body> {
    let is_declared = headers.contains_key(header::CONTENT_LENGTH);
    if *method != Method::PUT || is_declared || body.size_hint().exact().is_some() {
        return Ok(body);
    }
    let bytes = body.store_all_limited(UNDECLARED_BYTES_MAX).await.map_err(|error| {
        let too_long = error.is::<BodySizeLimitExceeded>() || error.is::<LengthLimitError>();
        if too_long { S3Error::new(S3ErrorCode::MissingContentLength) } else { errors::body(error) }
    })?;
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Ok(Body::from(bytes))
}
