//! What S3 takes from a client and s3s does not, put right before s3s sees it.

use crate::gate::Share;
use crate::gate::documents::Documents;
use http::{HeaderMap, HeaderValue, Method, header};
use http_body::Body as _;
use s3s::{Body, S3Error, S3ErrorCode, S3Result};

/// Most bytes of a body that comes in chunks without its length: it is held until it is known.
const UNDECLARED_BYTES_MAX: usize = 1024 * 1024;

/// Learns the length of a PUT's body that declares none, as `Transfer-Encoding: chunked` allows. The share is held for as
/// long as the body is.
pub(crate) async fn declare_length(
    method: &Method,
    headers: &mut HeaderMap,
    mut body: Body,
    documents: &Documents,
) -> S3Result<(Body, Option<Share>)> {
    let is_declared = headers.contains_key(header::CONTENT_LENGTH);
    if *method != Method::PUT || is_declared || body.size_hint().exact().is_some() {
        return Ok((body, None));
    }
    let gathered = documents.unproven(&mut body, UNDECLARED_BYTES_MAX).await?;
    let (bytes, share) = gathered.ok_or_else(|| S3Error::new(S3ErrorCode::MissingContentLength))?;
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Ok((Body::from(bytes), Some(share)))
}
