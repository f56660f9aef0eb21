//! What S3 takes from a client and s3s does not, put right before s3s sees it. Nothing here is signed.

use crate::gate::Share;
use crate::gate::documents::Documents;
use crate::translate::times;
use cofre_types::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use http_body::Body as _;
use s3s::{Body, HttpRequest, S3Error, S3ErrorCode, S3Result};

/// Most bytes of a body that comes in chunks without its length: it is held until it is known, before
/// its signature is.
const UNDECLARED_BYTES_MAX: usize = 1024 * 1024;

const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const DECODED_LENGTH: HeaderName = HeaderName::from_static("x-amz-decoded-content-length");

/// A request may be dated by `Date` alone (AWS, "Create a signed AWS API request"); s3s looks only at
/// `x-amz-date`.
pub(crate) fn date(headers: &mut HeaderMap) {
    let is_v4 = headers.get(header::AUTHORIZATION).is_some_and(|value| value.as_bytes().starts_with(b"AWS4-"));
    if !is_v4 || headers.contains_key(AMZ_DATE) {
        return;
    }
    let date = headers.get(header::DATE).and_then(|value| value.to_str().ok());
    // botocore names the zone as mail does (RFC 5322, section 3.3), not as HTTP does.
    let date = date.map(|date| date.trim().trim_end_matches(" -0000").trim_end_matches(" GMT"));
    let date = date.and_then(|date| times::parse_http(&format!("{date} GMT")));
    if let Some(value) = date.and_then(|date| HeaderValue::try_from(basic(date)).ok()) {
        headers.insert(AMZ_DATE, value);
    }
}

/// ISO 8601 in its basic form, as signatures have it.
fn basic(at: Timestamp) -> String {
    let at = times::to_iso(at);
    at.chars().filter(|c| !matches!(c, '-' | ':')).collect::<String>().replace(".000", "")
}

/// Learns the length of a PUT's body that declares none, as `Transfer-Encoding: chunked` allows. What this gives is held
/// for as long as the body is.
pub(crate) async fn declare_length(request: &mut HttpRequest, documents: &Documents) -> S3Result<Option<Share>> {
    let headers = request.headers();
    let is_declared = headers.contains_key(header::CONTENT_LENGTH) || headers.contains_key(DECODED_LENGTH);
    if *request.method() != Method::PUT || is_declared || request.body().size_hint().exact().is_some() {
        return Ok(None);
    }
    let gathered = documents.unproven(request.body_mut(), UNDECLARED_BYTES_MAX).await?;
    let (bytes, share) = gathered.ok_or_else(|| S3Error::new(S3ErrorCode::MissingContentLength))?;
    request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    *request.body_mut() = Body::from(bytes);
    Ok(Some(share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_stands_in_for_the_one_that_s3s_wants() {
        for text in ["Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00 -0000"] {
            let mut headers = HeaderMap::new();
            headers.insert(header::DATE, HeaderValue::from_static(text));
            date(&mut headers);
            assert!(!headers.contains_key(AMZ_DATE), "nobody signed it");
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static("AWS4-HMAC-SHA256 Credential=x"));
            date(&mut headers);
            assert_eq!(headers.get(AMZ_DATE).map(HeaderValue::as_bytes), Some(&b"20151021T072800Z"[..]), "{text}");
        }
    }

    #[test]
    fn no_date_is_made_up() {
        for text in ["yesterday", "Wed, 21 Oct 2015 07:28:00 +0200"] {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static("AWS4-HMAC-SHA256 Credential=x"));
            headers.insert(header::DATE, HeaderValue::from_static(text));
            date(&mut headers);
            assert!(!headers.contains_key(AMZ_DATE), "{text}");
        }
    }
}
