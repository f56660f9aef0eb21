//! What S3 takes from a client and s3s does not, put right before s3s sees it.

use crate::gate::Share;
use crate::gate::documents::{Document, Documents, Sender};
use http::{HeaderMap, HeaderValue, header};
use http_body::Body as _;
use s3s::{Body, S3Error, S3ErrorCode, S3Result};

/// Learns the length of a PUT's body that declares none, as `Transfer-Encoding: chunked` allows. The share is held for as
/// long as the body is.
pub(crate) async fn declare_length(
    headers: &mut HeaderMap,
    mut body: Body,
    documents: &Documents,
    content: Document,
    sender: Sender<impl Future<Output = S3Result<()>>>,
) -> S3Result<(Body, Option<Share>)> {
    let is_declared = headers.contains_key(header::CONTENT_LENGTH);
    if is_declared || body.size_hint().exact().is_some() {
        return Ok((body, None));
    }
    let gathered = documents.whole(&mut body, content.bytes_max, sender).await?;
    let (bytes, share) = gathered.ok_or_else(|| S3Error::new(S3ErrorCode::MissingContentLength))?;
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Ok((Body::from(bytes), Some(share)))
}
