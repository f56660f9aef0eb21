//! The gate before s3s: everything that is decided of a request before its operation is known.
//!
//! The gate asks who sent a request (see [`crate::auth`]) and makes the [`Caller`] of it, holds the key to its rate,
//! refuses what does not belong to the operation, checks the digest of an XML body, and takes out what s3s reads more
//! strictly than S3 does. s3s, which checks no signature, parses the rest and calls the operation.
//!
//! # Invariants
//! s3s has no authentication of its own. Every operation takes its caller from what the gate puts into the request,
//! and fails without it.

mod budget;
pub(crate) mod documents;
mod elements;
mod own_requests;
mod parser;
mod payload;
pub(crate) mod payment;
pub(crate) mod refusals;
mod resource_tags;
mod spelling;
mod style;
mod table;
pub(crate) mod target;

pub(crate) use budget::Share;
pub(crate) use parser::Parser;
pub(crate) use payload::XML_BYTES_MAX;
pub(crate) use table::is_sub_resource;
pub(crate) use target::Target;

use crate::auth::query::Query;
use crate::auth::{Authenticated, Authenticator};
use crate::credentials::Credentials;
use crate::errors::{self, About};
use crate::exchange::Exchange;
use crate::host::Domains;
use crate::layers::before_s3s;
use crate::layers::slow_down;
use crate::ops::{Admitted, object_encryption};
use crate::translate::checksums;
use crate::translate::conditions::Conditionals;
use crate::translate::encryption::CustomerKeys;
use crate::translate::names;
use budget::Holder;
use cofre_iam::{Action, Admission, Caller, Overload, Reports};
use cofre_objects::Objects;
use cofre_types::BucketName;
use documents::{Documents, Sender};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body::Body as _;
use payment::Charge;
use s3s::{Body, HttpRequest, HttpResponse, S3Error, S3ErrorCode, S3Result, s3_error};
use style::ForeignHost;
use table::Resource;
use target::Content;

const MAX_PARTS: HeaderName = HeaderName::from_static("x-amz-max-parts");
const EXPECTED_BUCKET_OWNER: HeaderName = HeaderName::from_static("x-amz-expected-bucket-owner");

/// The gate.
pub(crate) struct Gate {
    pub(crate) authenticator: Authenticator,
    pub(crate) objects: Objects,
    pub(crate) credentials: Credentials,
    pub(crate) domains: Domains,
    pub(crate) admission: Admission,
    pub(crate) documents: Documents,
    /// Whether customers' keys may come over plain HTTP.
    pub(crate) allow_insecure_sse_c: bool,
    /// Why requests were refused.
    pub(crate) reports: Reports,
    /// Parses requests and calls operations; checks no signatures.
    pub(crate) parser: Parser,
}

/// A request as s3s parses it.
struct Parsable {
    request: HttpRequest,
    charge: Option<Charge>,
    /// The memory of what was gathered of its body.
    share: Option<Share>,
    /// How long its document is; zero if it has none.
    document_bytes: usize,
    holder: Holder,
}

impl Gate {
    /// Answers a request.
    pub(crate) async fn answer(&self, request: HttpRequest, exchange: &Exchange) -> S3Result<HttpResponse> {
        let asked = own_requests::asked(&self.domains, request.method(), request.uri(), request.headers());
        if let Some(id) = asked.map(str::to_owned) {
            return self.explain(request, &id, exchange).await;
        }
        let host = ForeignHost::of(&self.domains, request.uri(), request.headers());
        let mut answer = self.try_answer(request, host.as_ref(), exchange).await;
        if let Some(host) = host
            && is_no_such_bucket(&mut answer)
            && let Some(hint) = host.hint_of_bucket(&self.objects).await
        {
            exchange.note(|noted| noted.message = Some(format!("The specified bucket does not exist. {hint}")));
        }
        answer
    }

    async fn try_answer(
        &self,
        request: HttpRequest,
        host: Option<&ForeignHost>,
        exchange: &Exchange,
    ) -> S3Result<HttpResponse> {
        if resource_tags::is_asked(request.uri(), request.headers()) {
            return self.answer_tags(request, exchange).await;
        }
        let Parsable { request, charge, share, document_bytes, holder } = self.admit(request, host, exchange).await?;
        let answer = self.parser.call(request, document_bytes, holder).await;
        // What was gathered is gone by now.
        drop(share);
        let mut response = answer.map_err(|error| {
            let request_id = exchange.request_id();
            tracing::error!(%request_id, %error, "an answer could not be made");
            errors::internal()
        })?;
        if response.status().is_success() {
            let (document, status) = exchange.take_answer();
            if let Some(status) = status {
                *response.status_mut() = status;
            }
            if let Some(document) = document {
                *response.body_mut() = Body::from(document);
                response.headers_mut().remove(header::CONTENT_LENGTH);
                response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
            }
        }
        if response.status() == StatusCode::OK && response.headers().contains_key(header::CONTENT_RANGE) {
            // s3s sets it for a GET and not for a HEAD.
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        if let Some(charge) = charge
            && response.status().is_success()
        {
            charge.tell(&self.objects, response.headers_mut()).await;
        }
        Ok(response)
    }

    /// Makes of a request whose signature is good the one that s3s parses.
    async fn admit(&self, request: HttpRequest, host: Option<&ForeignHost>, exchange: &Exchange) -> S3Result<Parsable> {
        let (mut parts, body) = request.into_parts();
        let Authenticated { access_key, signed, body, trailers } =
            self.authenticator.authenticate(&mut parts, body, exchange).await?;
        let mut caller = admit_caller(&self.credentials, &self.admission, access_key.as_deref(), exchange).await?;
        let method = parts.method;
        let mut headers = parts.headers;
        let uri = target::without_signature(parts.uri, &signed)?;
        let target = Target::of(&self.domains, &uri, &headers);
        // No name has a `%`: s3s decodes a path before it takes it apart, and `/bucket%2Fkey` would be an object to it.
        let bucket = target.bucket.map(names::bucket).transpose()?;
        let query = Query::parse(uri.query().unwrap_or_default());
        let resource = target.resource();
        if let Some(host) = host {
            host.check_service(&method, resource, &query)?;
        }
        let sub_resource = table::check(&method, resource, &query, &headers, exchange)?;
        caller.pays = payment::pays(&headers);
        refusals::check(&headers)?;

        check_expected_owner(&self.objects, &caller, exchange, bucket.as_ref(), &headers).await?;
        let charge = caller.pays.then(|| Charge::of(&caller, target.bucket, &headers));
        match &bucket {
            Some(bucket) if table::asks_of_bucket_first(&method, sub_resource) => {
                self.check_bucket(bucket, exchange).await?;
            }
            Some(_) if creates_bucket(&method, resource, sub_resource) => {
                if let Some(host) = host
                    && let Some(hint) = host.hint_of_bucket(&self.objects).await
                {
                    return Err(s3_error!(InvalidRequest, "{hint}"));
                }
            }
            Some(_) | None => {}
        }
        table::check_numbers(&query, exchange)?;
        table::check_part_number(&query, exchange)?;
        if body.is_end_stream() && table::needs_body(&method, sub_resource) {
            return Err(S3Error::with_message(S3ErrorCode::MissingRequestBodyError, "Request Body is empty"));
        }
        let content = target.content(&method, sub_resource);
        let document = documents::of(&method, &target, sub_resource);
        let updates_encryption = target.is_of_object() && sub_resource == Some("encryption");
        translate_leniently(&mut headers);
        let may = self.may_send(&caller, exchange, bucket.as_ref(), document.actions);
        let holder = Holder::of(&caller);
        let sender = Sender { holder, may };
        let (body, share, document_bytes) = match content {
            Content::Object => {
                let content = before_s3s::declare_length(&mut headers, body, &self.documents, document, sender).await?;
                (content.0, content.1, 0)
            }
            Content::Xml(of) => {
                exchange.brings_document();
                let (bytes, share) = self.documents.document(body, document, sender).await?;
                if updates_encryption {
                    object_encryption::check_document(&bytes)?;
                }
                let (length, behind) = (bytes.len(), trailers.clone());
                let check = move || (payload::checked(bytes, &headers, behind.as_ref(), of), headers);
                let checked;
                (checked, headers) = self.parser.beside(length, holder, check).await;
                (checked?, share, length)
            }
        };
        checksums::strip_aws_chunked(&mut headers);
        spelling::settle(&mut headers, exchange)?;
        let conditionals = Conditionals::take(&mut headers);
        let (uri, response_expires) = target::without_response_expires(uri)?;
        let safe = self.allow_insecure_sse_c || caller.origin.secure;
        let customer_keys = CustomerKeys::take(&mut headers, safe);
        headers.remove(header::AUTHORIZATION);

        let mut request = HttpRequest::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let exchange = exchange.clone();
        let admitted = Admitted { caller, exchange, conditionals, response_expires, trailers, signed, customer_keys };
        request.extensions_mut().insert(admitted);
        Ok(Parsable { request, charge, share, document_bytes, holder })
    }

    /// Refuses a large document of a caller that nothing may let. What it may the operation asks, who knows all of it.
    async fn may_send(
        &self,
        caller: &Caller,
        exchange: &Exchange,
        bucket: Option<&BucketName>,
        actions: &[Action],
    ) -> S3Result<()> {
        let Some(bucket) = bucket.filter(|_| !actions.is_empty()) else { return Ok(()) };
        let could = self.objects.could_be_allowed(caller, actions, bucket).await;
        could.map_err(|error| {
            let names: Vec<String> = actions.iter().map(Action::to_string).collect();
            exchange.note(|noted| {
                let what = names.join(" or ");
                noted.cause = Some(format!("nothing lets the caller do {what} anywhere in the bucket"));
            });
            refused_about(bucket, exchange, error)
        })
    }

    /// Refuses a request to a bucket that is not there.
    async fn check_bucket(&self, bucket: &BucketName, exchange: &Exchange) -> S3Result<()> {
        let owner = self.objects.bucket_owner(bucket).await;
        owner.map(|_| ()).map_err(|error| refused_about(bucket, exchange, error))
    }
}

fn refused_about(bucket: &BucketName, exchange: &Exchange, error: cofre_objects::Error) -> S3Error {
    errors::refuse(error, About { exchange, bucket: bucket.as_str(), key: None, upload: None })
}

/// Whether an answer is that a bucket is not there.
fn is_no_such_bucket(answer: &mut S3Result<HttpResponse>) -> bool {
    match answer {
        Err(error) => *error.code() == S3ErrorCode::NoSuchBucket,
        Ok(response) if response.status() == StatusCode::NOT_FOUND => {
            let body = response.body().bytes().unwrap_or_default();
            memchr::memmem::find(&body, b"<Code>NoSuchBucket</Code>").is_some()
        }
        Ok(_) => false,
    }
}

fn creates_bucket(method: &Method, resource: Resource, sub_resource: Option<&str>) -> bool {
    *method == Method::PUT && resource == Resource::Bucket && sub_resource.is_none()
}

/// Takes out what AWS ignores where it is none, and s3s refuses.
fn translate_leniently(headers: &mut HeaderMap) {
    let is_number = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.trim().parse::<i32>().is_ok());
    if headers.get(MAX_PARTS).is_some_and(|value| !is_number(value)) {
        headers.remove(MAX_PARTS);
    }
}

/// `x-amz-expected-bucket-owner`: a guard against a bucket that changed hands. Without a bucket it is about
/// those of the caller.
pub(crate) async fn check_expected_owner(
    objects: &Objects,
    caller: &Caller,
    exchange: &Exchange,
    bucket: Option<&BucketName>,
    headers: &HeaderMap,
) -> S3Result<()> {
    let Some(expected) = headers.get(EXPECTED_BUCKET_OWNER) else { return Ok(()) };
    let owner = match bucket {
        Some(bucket) => {
            let owner = objects.bucket_owner(bucket).await;
            Some(owner.map_err(|error| refused_about(bucket, exchange, error))?)
        }
        None => caller.principal.account_id(),
    };
    if owner.is_some_and(|owner| owner.to_string().as_bytes() == expected.as_bytes()) {
        return Ok(());
    }
    exchange.note(|noted| {
        noted.cause = Some(format!("{EXPECTED_BUCKET_OWNER} names another account than the owner"));
    });
    Err(S3Error::with_message(S3ErrorCode::AccessDenied, "Access Denied"))
}

/// Makes the caller, holds its key to its rate, and counts the request among those of its account.
pub(crate) async fn admit_caller(
    credentials: &Credentials,
    admission: &Admission,
    access_key: Option<&str>,
    exchange: &Exchange,
) -> S3Result<Caller> {
    let now = exchange.now();
    exchange.note(|noted| {
        noted.admitted_at = now;
        noted.access_key = access_key.map(str::to_owned);
    });
    let caller = credentials.caller(access_key, exchange).await?;
    let account = caller.principal.account_id();
    exchange.note(|noted| noted.requester = account);
    let admitted = admission.admit(access_key.unwrap_or_default(), account);
    let in_flight = admitted.map_err(|overload| {
        if overload == Overload::Refused {
            exchange.turned_away();
        }
        slow_down(overload)
    })?;
    exchange.note(|noted| noted.in_flight = in_flight);
    Ok(caller)
}
