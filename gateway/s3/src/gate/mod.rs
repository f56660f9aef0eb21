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

mod budget;
pub(crate) mod documents;
mod payload;
pub(crate) mod payment;
pub(crate) mod refusals;
pub(crate) mod target;

pub(crate) use budget::Share;
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
use bytes::Bytes;
use cofre_iam::{Action, Caller};
use cofre_objects::Objects;
use documents::Documents;
use http::{Extensions, HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use http_body::Body as _;
use payment::Charge;
use s3s::route::S3Route;
use s3s::service::S3Service;
use s3s::{Body, HttpError, HttpRequest, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use std::sync::Arc;

const EXPECTED_BUCKET_OWNER: HeaderName = HeaderName::from_static("x-amz-expected-bucket-owner");

/// The gate.
pub(crate) struct Gate {
    pub(crate) objects: Objects,
    pub(crate) credentials: Credentials,
    pub(crate) domains: Domains,
    pub(crate) rate_limit: Arc<RateLimit>,
    pub(crate) documents: Documents,
    /// Whether customers' keys may come over plain HTTP.
    pub(crate) allow_insecure_sse_c: bool,
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
        let (request, charge, share) = self.admit(request).await?;
        let answer = self.parser.call(request).await;
        // The document is gone by now.
        drop(share);
        let failed = |error: HttpError| S3Error::with_source(S3ErrorCode::InternalError, error.into_std_error());
        let (mut parts, output) = answer.map_err(failed)?.into_parts();
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
    async fn admit(&self, request: S3Request<Body>) -> S3Result<(HttpRequest, Option<Charge>, Option<Share>)> {
        let S3Request { input: mut body, method, uri, mut headers, extensions, credentials, trailing_headers, .. } =
            request;
        let exchange = extensions.get::<Exchange>().cloned().ok_or_else(errors::internal)?;
        let access_key = credentials.as_ref().map(|credentials| credentials.access_key.as_str());
        let mut caller = admit_caller(&self.credentials, &self.rate_limit, access_key, &exchange).await?;
        caller.pays = payment::pays(&headers, &uri);
        refusals::check(&headers)?;

        let target = Target::of(&self.domains, &uri, &headers);
        check_expected_owner(&self.objects, &caller, &exchange, target.bucket, &headers).await?;
        let charge = caller.pays.then(|| Charge::of(&caller, target.bucket, &headers));
        let mut share = None;
        if !target.streams(&method) && !body.is_end_stream() {
            let document = documents::of(&method, &target);
            let may = self.may_send(&caller, &exchange, target.bucket, document.actions);
            let gathered = self.documents.gather(&mut body, document, access_key.is_some(), may).await?;
            let (bytes, held) = gathered;
            share = Some(held);
            body = payload::checked(bytes, &headers, trailing_headers.as_ref(), target.digest_of(&method))?;
        } else if !target.streams(&method) {
            body = payload::checked(Bytes::new(), &headers, trailing_headers.as_ref(), target.digest_of(&method))?;
        }
        checksums::strip_aws_chunked(&mut headers);
        let conditionals = Conditionals::take(&mut headers);
        let signed = Signed::of(access_key.is_some(), &headers, &uri);
        let safe = self.allow_insecure_sse_c || caller.origin.secure;
        let customer_keys = CustomerKeys::take(&mut headers, safe);
        headers.remove(header::AUTHORIZATION);

        let mut request = HttpRequest::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = target::without_signature(uri)?;
        *request.headers_mut() = headers;
        let trailers = trailing_headers;
        let admitted = Admitted { caller, exchange, conditionals, trailers, signed, customer_keys };
        request.extensions_mut().insert(admitted);
        Ok((request, charge, share))
    }

    /// Refuses a large document of a caller that nothing may let. What it may the operation asks, who knows all of it.
    async fn may_send(
        &self,
        caller: &Caller,
        exchange: &Exchange,
        bucket: Option<&str>,
        actions: &[Action],
    ) -> S3Result<()> {
        let Some(bucket) = bucket.filter(|_| !actions.is_empty()) else { return Ok(()) };
        let could = self.objects.could_be_allowed(caller, actions, &names::bucket(bucket)?).await;
        could.map_err(|error| errors::refuse(error, About { exchange, bucket, key: None, upload: None }))
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

/// Makes the caller, holds its key to its rate, and counts the request among those of its account.
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
    let account = caller.principal.account_id();
    exchange.note(|noted| noted.requester = account);
    rate_limit.admit(access_key.unwrap_or_default())?;
    if let Some(account) = account {
        let in_flight = rate_limit.requests.enter_account(account)?;
        exchange.note(|noted| noted.in_flight = Some(in_flight));
    }
    Ok(caller)
}
