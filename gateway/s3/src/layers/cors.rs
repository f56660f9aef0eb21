//! Cross-origin requests of browsers (the Fetch standard, "CORS protocol"), by the default of the
//! settings. Preflight requests carry no signature, so they are answered before s3s.

use crate::errors::custom;
use crate::options::Traffic;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use s3s::{Body, HttpResponse, S3Error, s3_error};

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, PUT, POST, DELETE");

/// Headers of answers that a script may read.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "ETag, Content-Length, Content-Range, Content-Type, Last-Modified, Accept-Ranges, x-amz-request-id, x-amz-id-2, \
     x-amz-version-id, x-amz-delete-marker, x-amz-checksum-crc32, x-amz-checksum-crc32c, x-amz-checksum-crc64nvme, \
     x-amz-checksum-sha1, x-amz-checksum-sha256, x-amz-checksum-type",
);

const VARY: HeaderValue =
    HeaderValue::from_static("Origin, Access-Control-Request-Headers, Access-Control-Request-Method");

/// Answers a preflight request.
pub(crate) fn preflight(request: &HeaderMap, traffic: &Traffic) -> Result<HttpResponse, S3Error> {
    let Some(origin) = request.get(header::ORIGIN) else {
        return Err(custom(
            "BadRequest",
            StatusCode::BAD_REQUEST,
            "Insufficient information. Origin request header needed.",
        ));
    };
    let Some(method) = request.get(header::ACCESS_CONTROL_REQUEST_METHOD) else {
        return Err(custom("BadRequest", StatusCode::BAD_REQUEST, "Invalid Access-Control-Request-Method: null"));
    };
    if traffic.cors_origins.is_empty() {
        return Err(s3_error!(AccessDenied, "CORSResponse: CORS is not enabled for this bucket."));
    }
    let mut response = HttpResponse::new(Body::empty());
    let is_known = ["GET", "HEAD", "PUT", "POST", "DELETE"].iter().any(|known| method.as_bytes() == known.as_bytes());
    if !is_known || !allow(response.headers_mut(), origin, traffic) {
        return Err(custom(
            "AccessForbidden",
            StatusCode::FORBIDDEN,
            "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
        ));
    }
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    if let Some(asked) = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(traffic.cors_max_age_secs));
    Ok(response)
}

/// Adds to an answer what lets the browser hand it to its script.
pub(crate) fn expose(response: &mut HeaderMap, origin: Option<&HeaderValue>, traffic: &Traffic) {
    if let Some(origin) = origin {
        allow(response, origin, traffic);
    }
}

fn allow(response: &mut HeaderMap, origin: &HeaderValue, traffic: &Traffic) -> bool {
    let any = traffic.cors_origins.iter().any(|allowed| allowed == "*");
    if !any && !traffic.cors_origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()) {
        return false;
    }
    let allowed = if any { HeaderValue::from_static("*") } else { origin.clone() };
    response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    response.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    response.insert(header::VARY, VARY);
    true
}
