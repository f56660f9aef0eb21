//! The gate between s3s' authentication and s3s' parsing.
//!
//! s3s runs twice for a request. The first instance only checks the signature and hands everything
//! to this gate, as if it were a custom route. The gate makes the [`Caller`](cofre_iam::Caller),
//! holds the key to its rate, checks the digest of an XML body, takes out what s3s reads more
//! strictly than S3 does, and hands the request to the second instance, which parses it and calls the
//! operation. Signed headers can be changed only here: before, the signature would break; after, s3s
//! has already refused.
//!
//! # Invariants
//! The second instance has no authentication of its own. Every operation takes its caller from what
//! the gate puts into the request, and fails without it.

mod payload;
pub(crate) mod payment;
pub(crate) mod refusals;
mod spelling;
pub(crate) mod target;

pub(crate) use payload::XML_BYTES_MAX;
pub(crate) use target::Target;

use crate::credentials::Credentials;
use crate::errors::{self, About};
use crate::exchange::Exchange;
use crate::facts::Signed;
use crate::host::Domains;
use crate::layers::rate_limit::RateLimit;
use crate::ops::Admitted;
use crate::translate::checksums;
use crate::translate::conditions::Conditionals;
use crate::translate::encryption::CustomerKeys;
use crate::translate::names;
use cofre_iam::Caller;
use cofre_objects::Objects;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use payment::Charge;
use s3s::route::S3Route;
use s3s::service::S3Service;
use s3s::{Body, HttpError, HttpRequest, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use std::sync::Arc;

const EXPECTED_BUCKET_OWNER: HeaderName = HeaderName::from_static("x-amz-expected-bucket-owner");

/// The gate.
pub(crate) struct Gate {
    pub(crate) objects: Objects,
    pub(crate) credentials: Credentials,
    pub(crate) domains: Domains,
    pub(crate) rate_limit: Arc<RateLimit>,
    /// Whether customers' keys may come over plain HTTP.
    pub(crate) allow_insecure_sse_c: bool,
    /// The regions that requests may be signed for.
    pub(crate) regions: Arc<[String]>,
    /// Parses requests and calls operations; checks no signatures.
    pub(crate) parser: S3Service,
}

#[async_trait::async_trait]
impl S3Route for Gate {
    fn is_match(&self, _: &Method, _: &Uri, _: &HeaderMap, _: &mut Extensions) -> bool {
        true
    }

    /// Whether the caller may is for the domain to say, anonymous callers included.
    async fn check_access(&self, _: &mut S3Request<Body>) -> S3Result<()> {
        Ok(())
    }

    async fn call(&self, request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let exchange = request.extensions.get::<Exchange>().cloned().ok_or_else(errors::internal)?;
        let (request, charge) = self.admit(request, &exchange).await?;
        let answer = self.parser.call(request).await;
        let failed = |error: HttpError| S3Error::with_source(S3ErrorCode::InternalError, error.into_std_error());
        let (mut parts, mut output) = answer.map_err(failed)?.into_parts();
        if parts.status.is_success() {
            let (document, status) = exchange.take_answer();
            parts.status = status.unwrap_or(parts.status);
            if let Some(document) = document {
                output = Body::from(document);
                parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
            }
        }
        if parts.status == StatusCode::OK && parts.headers.contains_key(header::CONTENT_RANGE) {
            // s3s sets it for a GET and not for a HEAD.
            parts.status = StatusCode::PARTIAL_CONTENT;
        }
        if let Some(charge) = charge
            && parts.status.is_success()
        {
            charge.tell(&self.objects, &mut parts.headers).await;
        }
        let mut response = S3Response::with_status(output, parts.status);
        response.headers = parts.headers;
        Ok(response)
    }
}

impl Gate {
    /// Makes of a request whose signature is good the one that s3s parses.
    async fn admit(&self, request: S3Request<Body>, exchange: &Exchange) -> S3Result<(HttpRequest, Option<Charge>)> {
        let S3Request { input: body, method, uri, mut headers, credentials, region, trailing_headers, .. } = request;
        if let Some(region) = region
            && !self.regions.iter().any(|own| own == region.as_str())
        {
            return Err(s3_error!(
                AuthorizationHeaderMalformed,
                "The authorization header is malformed; the region is wrong; expecting '{}'.",
                self.regions.join("' or '")
            ));
        }
        let access_key = credentials.as_ref().map(|credentials| credentials.access_key.as_str());
        let mut caller = admit_caller(&self.credentials, &self.rate_limit, access_key, exchange).await?;
        caller.pays = payment::pays(&headers, &uri);
        refusals::check(&headers)?;

        let target = Target::of(&self.domains, &uri, &headers);
        check_expected_owner(&self.objects, &caller, exchange, target.bucket, &headers).await?;
        let charge = caller.pays.then(|| Charge::of(&caller, target.bucket, &headers));
        let body = if target.streams(&method) {
            body
        } else {
            payload::gather(body, &headers, trailing_headers.as_ref(), target.digest_of(&method)).await?
        };
        checksums::strip_aws_chunked(&mut headers);
        spelling::settle(&mut headers, exchange)?;
        let conditionals = Conditionals::take(&mut headers);
        let (uri, response_expires) = target::without_response_expires(uri)?;
        let signed = Signed::of(access_key.is_some(), &headers, &uri);
        let safe = self.allow_insecure_sse_c || caller.origin.secure;
        let customer_keys = CustomerKeys::take(&mut headers, safe);
        headers.remove(header::AUTHORIZATION);

        let mut request = HttpRequest::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = target::without_signature(uri)?;
        *request.headers_mut() = headers;
        let trailers = trailing_headers;
        let exchange = exchange.clone();
        let admitted = Admitted { caller, exchange, conditionals, response_expires, trailers, signed, customer_keys };
        request.extensions_mut().insert(admitted);
        Ok((request, charge))
    }
}

/// `x-amz-expected-bucket-owner`: a guard against a bucket that changed hands. Without a bucket it is about
/// those of the caller.
pub(crate) async fn check_expected_owner(
    objects: &Objects,
    caller: &Caller,
    exchange: &Exchange,
    bucket: Option<&str>,
    headers: &HeaderMap,
) -> S3Result<()> {
    let Some(expected) = headers.get(EXPECTED_BUCKET_OWNER) else { return Ok(()) };
    let owner = match bucket {
        Some(bucket) => {
            let about = About { exchange, bucket, key: None, upload: None };
            let owner = objects.bucket_owner(&names::bucket(bucket)?).await;
            Some(owner.map_err(|error| errors::refuse(error, about))?)
        }
        None => caller.principal.account_id(),
    };
    if owner.is_some_and(|owner| owner.to_string().as_bytes() == expected.as_bytes()) {
        return Ok(());
    }
    Err(S3Error::with_message(S3ErrorCode::AccessDenied, "Access Denied"))
}

/// Makes the caller and holds its key to its rate.
pub(crate) async fn admit_caller(
    credentials: &Credentials,
    rate_limit: &RateLimit,
    access_key: Option<&str>,
    exchange: &Exchange,
) -> S3Result<Caller> {
    if let Some(access_key) = access_key {
        exchange.note(|noted| noted.access_key = Some(access_key.to_owned()));
    }
    let caller = credentials.caller(access_key, exchange).await?;
    exchange.note(|noted| noted.requester = caller.principal.account_id());
    rate_limit.admit(access_key.unwrap_or_default())?;
    Ok(caller)
}
