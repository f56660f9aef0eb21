//! The website endpoint: requests to the host of a bucket below a website domain (AWS, "Website endpoints").
//!
//! A request is a GET or HEAD of anyone: credentials are not looked at, so a policy or a list must let the
//! public read. Objects are read through the domain as by every other caller. What goes wrong is a page for
//! people, not XML.
//!
//! # Ordering
//! Redirects of the configuration that depend on the key alone; the object, or the index of a folder; the
//! redirect to a folder that lacks its slash; redirects that depend on the failure; the error document; a
//! page of our own.

mod location;
mod object;
mod page;

use crate::body::SizedStream;
use crate::credentials::Credentials;
use crate::errors::{self, About};
use crate::exchange::Exchange;
use crate::facts::{Facts, Signed};
use crate::gate::admit_caller;
use crate::host::{Domains, host};
use crate::translate::conditions::Conditionals;
use crate::translate::names;
use cofre_iam::{Admission, Caller};
use cofre_objects::{GetObject, Header, Moved, Objects, RangeOf, ReadConditions, WebProtocol, Website};
use cofre_types::{BucketName, ByteRange};
use http::request::Parts;
use http::{HeaderValue, Method, Request, StatusCode, header};
use page::Page;
use percent_encoding::percent_decode_str;
use s3s::dto::StreamingBlob;
use s3s::{Body, HttpResponse, S3Error, S3ErrorCode, S3Result};
use std::sync::Arc;

/// Serves the websites of buckets.
pub(crate) struct Websites {
    pub(crate) objects: Objects,
    pub(crate) credentials: Credentials,
    pub(crate) admission: Admission,
    pub(crate) domains: Domains,
    /// Which node answers, for pages of errors.
    pub(crate) host_id: String,
}

/// One request for a page.
struct Visit {
    caller: Caller,
    exchange: Exchange,
    bucket: BucketName,
    /// Decoded; empty for the root.
    key: String,
    /// As the browser named it, which is a bucket's below one of the domains.
    host: String,
    query: Option<String>,
    is_head: bool,
    conditions: ReadConditions,
    range: Option<ByteRange>,
    range_of: RangeOf,
}

impl Websites {
    /// The bucket whose website a request is for; none if it is not for a website.
    pub(crate) fn bucket<B>(&self, request: &Request<B>) -> Option<String> {
        if self.domains.is_empty() {
            return None;
        }
        self.domains.bucket(host(request.uri(), request.headers())?).map(str::to_owned)
    }

    /// Answers a request for a page of the website of a bucket.
    pub(crate) async fn answer(&self, bucket: &str, request: Parts, exchange: &Exchange) -> HttpResponse {
        match self.try_answer(bucket, request, exchange).await {
            Ok(response) => response,
            Err(error) => self.page(exchange, &error).into_response(),
        }
    }

    async fn try_answer(&self, bucket: &str, request: Parts, exchange: &Exchange) -> S3Result<HttpResponse> {
        let operation = match request.method {
            Method::GET => "WebsiteGetObject",
            Method::HEAD => "WebsiteHeadObject",
            method => return Err(not_allowed(exchange, &method)),
        };
        exchange.note(|noted| noted.operation = operation);
        let caller = admit_caller(&self.credentials, &self.admission, None, exchange).await?;
        let name = names::bucket(bucket)?;
        let website = self
            .objects
            .website_to_serve(&name)
            .await
            .map_err(|error| errors::refuse(error, About { exchange, bucket, key: None, upload: None }))?;
        let visit = Visit::new(caller, exchange, name, request)?;
        if let Some(moved) = website.moved(&visit.key) {
            return visit.send_to(moved);
        }
        match self.show(&visit, visit.asked(website.page_of(&visit.key))?).await {
            Ok(response) => Ok(response),
            Err(error) => self.recover(&visit, &website, error).await,
        }
    }

    /// What is shown instead of a page that cannot be.
    async fn recover(&self, visit: &Visit, website: &Website, error: S3Error) -> S3Result<HttpResponse> {
        let status = error.status_code().unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status == StatusCode::NOT_MODIFIED {
            return Ok(not_modified(&error));
        }
        if is_missing(&error)
            && let Some(index) = website.index_below(&visit.key)
            && self.is_there(visit, index).await
        {
            return location::answer(StatusCode::FOUND, &location::of_folder(&visit.key));
        }
        if let Some(moved) = website.moved_after(&visit.key, status.as_u16()) {
            return visit.send_to(moved);
        }
        let Some(document) = website.error_page().filter(|_| status.is_client_error()) else { return Err(error) };
        let mut page = self.page(&visit.exchange, &error);
        match self.show(visit, visit.whole(document.to_owned())?).await {
            Ok(mut response) if response.status() == StatusCode::OK => {
                *response.status_mut() = status;
                Ok(response)
            }
            Ok(redirect) => Ok(redirect),
            Err(nested) => {
                page.nest(&nested, document);
                Ok(page.into_response())
            }
        }
    }

    /// Shows an object, or sends the browser where it says.
    async fn show(&self, visit: &Visit, request: GetObject) -> S3Result<HttpResponse> {
        let (bucket, key) = (request.bucket.clone(), request.key.clone());
        let refuse = |error| {
            let about =
                About { exchange: &visit.exchange, bucket: bucket.as_str(), key: Some(key.as_str()), upload: None };
            errors::refuse(error, about)
        };
        let (head, body) = if visit.is_head {
            (self.objects.head_object(&visit.caller, request).await.map_err(refuse)?, None)
        } else {
            let outcome = self.objects.get_object(&visit.caller, request).await.map_err(refuse)?;
            (outcome.head, Some(outcome.body))
        };
        let redirect = head.info.headers.system.iter().find(|(header, _)| *header == Header::WebsiteRedirectLocation);
        if let Some((_, to)) = redirect {
            return location::answer(StatusCode::MOVED_PERMANENTLY, &location::as_given(to));
        }
        let (headers, size) = object::headers(&head);
        let body = body.map(|body| StreamingBlob::new(SizedStream::new(body, size)));
        let mut response = HttpResponse::new(body.map_or_else(Body::empty, Body::from));
        if headers.contains_key(header::CONTENT_RANGE) {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        *response.headers_mut() = headers;
        Ok(response)
    }

    /// Whether an object is there that the visitor may read.
    async fn is_there(&self, visit: &Visit, key: String) -> bool {
        let Ok(request) = visit.whole(key) else { return false };
        self.objects.head_object(&visit.caller, request).await.is_ok()
    }

    fn page(&self, exchange: &Exchange, error: &S3Error) -> Page {
        exchange.note(|noted| noted.code = Some(error.code().as_str().to_owned()));
        let details = exchange.noted(|noted| noted.details.clone());
        Page::of(error, details, &exchange.request_id().to_string(), &self.host_id)
    }
}

impl Visit {
    fn new(caller: Caller, exchange: &Exchange, bucket: BucketName, request: Parts) -> S3Result<Self> {
        let Parts { method, uri, mut headers, .. } = request;
        let path = uri.path().strip_prefix('/').unwrap_or_default();
        let key = percent_decode_str(path).decode_utf8();
        let key = key.map_err(|_| S3Error::new(S3ErrorCode::InvalidURI))?.into_owned();
        let host = host(&uri, &headers).unwrap_or_default().to_owned();
        let query = uri.query().map(str::to_owned);
        let conditionals = Conditionals::take(&mut headers);
        headers.remove(header::AUTHORIZATION);
        let conditions = conditionals.read();
        let (range, range_of) = (conditionals.range(), conditionals.range_of());
        let exchange = exchange.clone();
        let (operation, signed) = ("GetObject", Signed::Not);
        let facts = Facts { headers, conditionals, uri, operation, signed, exchange: exchange.clone() };
        Ok(Self {
            caller: Caller { facts: Some(Arc::new(facts)), ..caller },
            exchange,
            bucket,
            key,
            host,
            query,
            is_head: method == Method::HEAD,
            conditions,
            range,
            range_of,
        })
    }

    /// Reads what the visit asks for of an object.
    fn asked(&self, key: String) -> S3Result<GetObject> {
        let conditions = self.conditions.clone();
        Ok(GetObject { range: self.range, range_of: self.range_of, conditions, ..self.whole(key)? })
    }

    /// Reads all of an object, whatever the browser has of another one.
    fn whole(&self, key: String) -> S3Result<GetObject> {
        Ok(GetObject {
            bucket: self.bucket.clone(),
            key: names::key(key)?,
            version: None,
            range: None,
            range_of: RangeOf::Any,
            part: None,
            customer_key: None,
            conditions: ReadConditions::default(),
        })
    }

    fn send_to(&self, moved: Moved<'_>) -> S3Result<HttpResponse> {
        let own = if self.caller.origin.secure { "https" } else { "http" };
        let protocol = moved.protocol.map_or(own, WebProtocol::as_str);
        let host = moved.host.unwrap_or(&self.host);
        let status = StatusCode::from_u16(moved.status).map_err(|_| errors::internal())?;
        location::answer(status, &location::of(protocol, host, moved, self.query.as_deref()))
    }
}

/// Whether an object is not there, or not to be told of.
fn is_missing(error: &S3Error) -> bool {
    matches!(error.code(), S3ErrorCode::NoSuchKey | S3ErrorCode::AccessDenied)
}

fn not_modified(error: &S3Error) -> HttpResponse {
    let mut response = HttpResponse::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    *response.headers_mut() = error.headers().cloned().unwrap_or_default();
    response
}

fn not_allowed(exchange: &Exchange, method: &Method) -> S3Error {
    exchange.detail("Method", method.as_str());
    exchange.detail("ResourceType", "OBJECT");
    let mut error = S3Error::new(S3ErrorCode::MethodNotAllowed);
    error.set_headers([(header::ALLOW, HeaderValue::from_static("GET, HEAD"))].into_iter().collect());
    error
}
