//! Cross-origin requests of browsers (the Fetch standard, "CORS protocol"), by the rules of their bucket, and
//! where it has none by the default of the settings. Preflight requests carry no signature, so they are
//! answered before s3s: a bucket that is not there is one without rules.

use crate::errors::{self, About, custom};
use crate::exchange::Exchange;
use crate::gate::Target;
use crate::host::Domains;
use crate::options::Traffic;
use arc_swap::ArcSwap;
use cofre_objects::{Cors, CorsMethod, Error, Objects};
use cofre_types::BucketName;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use s3s::{Body, HttpResponse, S3Error};
use std::sync::Arc;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, PUT, POST, DELETE");

/// Headers of answers that a script may read by the default.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "ETag, Content-Length, Content-Range, Content-Type, Last-Modified, Accept-Ranges, x-amz-request-id, x-amz-id-2, \
     x-amz-version-id, x-amz-delete-marker, x-amz-checksum-crc32, x-amz-checksum-crc32c, x-amz-checksum-crc64nvme, \
     x-amz-checksum-sha1, x-amz-checksum-sha256, x-amz-checksum-md5, x-amz-checksum-sha512, x-amz-checksum-xxhash64, \
     x-amz-checksum-xxhash3, x-amz-checksum-xxhash128, x-amz-checksum-type",
);

const ANY: HeaderValue = HeaderValue::from_static("*");

const VARY: HeaderValue =
    HeaderValue::from_static("Origin, Access-Control-Request-Headers, Access-Control-Request-Method");

/// What a request of a page of another origin says of itself. Requests without `Origin` have none.
#[derive(Debug)]
pub(crate) struct CrossOrigin {
    origin: HeaderValue,
    method: Method,
    asked_method: Option<HeaderValue>,
    asked_headers: Option<HeaderValue>,
    bucket: Option<BucketName>,
    is_of_object: bool,
}

impl CrossOrigin {
    /// Tells it from a request, which is for a page of a website if `site` is there.
    pub(crate) fn of<B>(request: &Request<B>, site: Option<&str>, domains: &Domains) -> Option<Self> {
        let headers = request.headers();
        let origin = headers.get(header::ORIGIN)?.clone();
        let target = Target::of(domains, request.uri(), headers);
        Some(Self {
            origin,
            method: request.method().clone(),
            asked_method: headers.get(header::ACCESS_CONTROL_REQUEST_METHOD).cloned(),
            asked_headers: headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned(),
            bucket: site.or(target.bucket).and_then(|name| BucketName::parse(name).ok()),
            is_of_object: site.is_some() || target.is_of_object(),
        })
    }

    /// The method that rules are held against: the one that is asked for, also by a request that is no
    /// preflight, as on S3.
    fn wanted_method(&self) -> &str {
        match &self.asked_method {
            Some(asked) => asked.to_str().unwrap_or_default(),
            None => self.method.as_str(),
        }
    }

    /// A header that is asked for and whose name cannot be one.
    fn bad_header(&self) -> Option<String> {
        let asked = String::from_utf8_lossy(self.asked_headers.as_ref()?.as_bytes());
        let is_name = |name: &&str| name.trim_matches(' ').is_empty() || is_token(name.trim_matches(' '));
        asked.split(',').find(|name| !is_name(name)).map(str::to_owned)
    }

    fn wanted_headers(&self) -> Vec<&str> {
        let asked = self.asked_headers.as_ref().and_then(|asked| asked.to_str().ok()).unwrap_or_default();
        asked.split(',').map(str::trim).filter(|name| !name.is_empty()).collect()
    }
}

/// Answers browsers.
pub(crate) struct CorsLayer {
    pub(crate) objects: Objects,
    pub(crate) traffic: Arc<ArcSwap<Traffic>>,
}

impl CorsLayer {
    /// Answers a preflight request.
    pub(crate) async fn preflight(
        &self,
        request: Option<&CrossOrigin>,
        exchange: &Exchange,
    ) -> Result<HttpResponse, S3Error> {
        let bad = |why: String| Err(custom("BadRequest", StatusCode::BAD_REQUEST, why));
        let Some(request) = request else {
            return bad("Insufficient information. Origin request header needed.".to_owned());
        };
        let method =
            request.asked_method.as_ref().map_or("null".into(), |method| String::from_utf8_lossy(method.as_bytes()));
        if CorsMethod::parse(&method).is_none() {
            return bad(format!("Invalid Access-Control-Request-Method: {method}"));
        }
        if let Some(name) = request.bad_header() {
            return bad(format!("Access-Control-Request-Headers \"{name}\" contains invalid character."));
        }
        let rules = self.rules(request).await.map_err(|error| {
            let bucket = request.bucket.as_ref().map_or("", BucketName::as_str);
            errors::refuse(error, About { exchange, bucket, key: None, upload: None })
        })?;
        let traffic = self.traffic.load();
        let mut response = HttpResponse::new(Body::empty());
        let headers = response.headers_mut();
        let allowed = match &rules {
            Some(rules) => allow(headers, request, rules),
            None => allow_by_default(headers, request, &traffic) && explain_default(headers, request, &traffic),
        };
        if allowed {
            return Ok(response);
        }
        exchange.detail("Method", request.wanted_method());
        exchange.detail("ResourceType", if request.is_of_object { "OBJECT" } else { "BUCKET" });
        let why = match rules.is_none() && traffic.cors_origins.is_empty() {
            true => "CORSResponse: CORS is not enabled for this bucket.",
            false => {
                "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."
            }
        };
        Err(custom("AccessForbidden", StatusCode::FORBIDDEN, why))
    }

    /// Adds to an answer, good or bad, what lets the browser hand it to its page.
    pub(crate) async fn expose(&self, request: &CrossOrigin, response: &mut HeaderMap) {
        match self.rules(request).await {
            Ok(Some(rules)) => {
                allow(response, request, &rules);
            }
            Ok(None) => {
                allow_by_default(response, request, &self.traffic.load());
            }
            // The answer stands for itself; the page just does not get it.
            Err(error) => tracing::warn!(%error, "the CORS rules of a bucket could not be read"),
        }
    }

    async fn rules(&self, request: &CrossOrigin) -> Result<Option<Arc<Cors>>, Error> {
        match &request.bucket {
            Some(bucket) => self.objects.cors_for_browsers(bucket).await,
            None => Ok(None),
        }
    }
}

/// Whether a text can be the name of a header (RFC 9110, section 5.6.2).
fn is_token(text: &str) -> bool {
    http::HeaderName::from_bytes(text.as_bytes()).is_ok()
}

/// Says in an answer what the rules of a bucket allow; false if they do not allow the request.
fn allow(response: &mut HeaderMap, request: &CrossOrigin, rules: &Cors) -> bool {
    // Also where nothing is allowed: for another origin the answer may be another one.
    response.insert(header::VARY, VARY);
    let wanted = request.wanted_headers();
    let origin = request.origin.to_str().unwrap_or_default();
    let Some(rule) = rules.matching(origin, request.wanted_method(), &wanted) else { return false };
    let any = rule.allows_any_origin();
    response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, if any { ANY } else { request.origin.clone() });
    if !any {
        response.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    let methods: Vec<_> = rule.methods.iter().copied().map(CorsMethod::as_str).collect();
    set(response, header::ACCESS_CONTROL_ALLOW_METHODS, &methods.join(", "));
    set(response, header::ACCESS_CONTROL_ALLOW_HEADERS, &wanted.join(", ").to_ascii_lowercase());
    set(response, header::ACCESS_CONTROL_EXPOSE_HEADERS, &rule.exposed.join(", "));
    if let Some(secs) = rule.max_age_secs {
        response.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(secs));
    }
    true
}

/// Sets a header, unless it would be empty.
fn set(response: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value)
        && !value.is_empty()
    {
        response.insert(name, value);
    }
}

/// Says in an answer what the default of the settings allows; false if it does not allow the origin.
fn allow_by_default(response: &mut HeaderMap, request: &CrossOrigin, traffic: &Traffic) -> bool {
    let allowed = &traffic.cors_origins;
    let any = allowed.iter().any(|allowed| allowed == "*");
    if !any && !allowed.iter().any(|allowed| allowed.as_bytes() == request.origin.as_bytes()) {
        return false;
    }
    response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, if any { ANY } else { request.origin.clone() });
    response.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    response.insert(header::VARY, VARY);
    true
}

/// Says in the answer to a preflight request what else the default allows; false if not the method.
fn explain_default(response: &mut HeaderMap, request: &CrossOrigin, traffic: &Traffic) -> bool {
    response.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    if let Some(asked) = &request.asked_headers {
        response.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    response.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(traffic.cors_max_age_secs));
    CorsMethod::parse(request.wanted_method()).is_some()
}
