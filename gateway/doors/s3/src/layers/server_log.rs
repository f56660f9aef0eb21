//! Server access logs of buckets (AWS, "Logging requests with server access logging"): what a request
//! and its answer put into the log of the bucket, and of the one that a copy reads.
//!
//! # Ordering
//! The line of a request that writes is durable before its answer goes. That of a request that reads is
//! written when its last byte went, and follows within a moment.
//!
//! # Limits
//! A request to a bucket that is not logged costs one look at the bucket's cached record.

use super::log_line;
use crate::exchange::{Exchange, Noted};
use crate::host::{Domains, host};
use crate::translate::names;
use cofre_objects::{BucketLog, LinePlace, LogFields, LogRequester, ObjectRef, Objects};
use cofre_runtime::Clock;
use cofre_types::Timestamp;
use http::{HeaderMap, HeaderName, Method, Request, StatusCode, header};
use percent_encoding::percent_decode_str;
use s3s::dto;
use std::time::Duration;

const COPY_SOURCE: HeaderName = HeaderName::from_static("x-amz-copy-source");
const DECODED_LENGTH: HeaderName = HeaderName::from_static("x-amz-decoded-content-length");
const VERSION_ID: HeaderName = HeaderName::from_static("x-amz-version-id");

/// A request that is to stand in a log.
pub(crate) struct ServerLog {
    clock: Clock,
    host_id: String,
    came: Timestamp,
    began: Duration,
    method: Method,
    request_uri: String,
    operation: String,
    headers: Headers,
    /// The log of the bucket that was asked, and the key.
    asked: Option<(BucketLog, Option<String>)>,
    /// The log of the bucket that a copy reads, with key and version.
    copied: Option<(BucketLog, String, Option<String>)>,
    version: Option<String>,
    /// Version of the signature, and where it stands.
    authentication: Option<(&'static str, &'static str)>,
    answer: Answer,
}

struct Headers {
    referer: Option<Vec<u8>>,
    user_agent: Option<Vec<u8>>,
    host: Option<Vec<u8>>,
    /// Declared length of the content.
    length: Option<u64>,
}

/// What is known once the answer begins.
#[derive(Default)]
struct Answer {
    status: Option<StatusCode>,
    error_code: Option<String>,
    object_size: Option<u64>,
    version: Option<String>,
    first_byte: Option<Duration>,
}

impl ServerLog {
    /// What is to be logged of a request; none if no bucket that it is about is logged.
    pub(crate) async fn begin<B: Sync>(
        objects: &Objects,
        domains: &Domains,
        site: Option<&str>,
        clock: &Clock,
        host_id: &str,
        request: &Request<B>,
    ) -> Option<Box<Self>> {
        let (headers, uri) = (request.headers(), request.uri());
        let (bucket, key) = target(domains, site, uri.path(), host(uri, headers));
        let asked = objects.logged_bucket(&bucket).await;
        let source = source(headers);
        let copied = match &source {
            Some(source) => objects.logged_bucket(source.bucket.as_str()).await,
            None => None,
        };
        if asked.is_none() && copied.is_none() {
            return None;
        }
        let query = uri.query().unwrap_or_default();
        let parameter = |wanted: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let (_, value) = pairs.find(|(name, _)| *name == wanted)?;
            Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
        };
        let bytes = |name: HeaderName| headers.get(name).map(|value| value.as_bytes().to_vec());
        let number = |name: HeaderName| headers.get(name)?.to_str().ok()?.parse().ok();
        let has = |name| parameter(name).is_some();
        let authentication = match headers.get(header::AUTHORIZATION) {
            Some(_) => Some(("SigV4", "AuthHeader")),
            None if has("X-Amz-Algorithm") => Some(("SigV4", "QueryString")),
            None if has("Signature") => Some(("SigV2", "QueryString")),
            None => None,
        };
        Some(Box::new(Self {
            clock: clock.clone(),
            host_id: host_id.to_owned(),
            came: Timestamp(clock.now_nanos()),
            began: clock.elapsed(),
            method: request.method().clone(),
            request_uri: log_line::request_uri(request.method(), uri, request.version()),
            operation: match site {
                Some(_) => format!("WEBSITE.{}.OBJECT", request.method()),
                None => log_line::operation(request.method(), key.is_some(), query, source.is_some()),
            },
            headers: Headers {
                referer: bytes(header::REFERER),
                user_agent: bytes(header::USER_AGENT),
                host: host(uri, headers).map(|host| host.as_bytes().to_vec()),
                length: number(DECODED_LENGTH).or_else(|| number(header::CONTENT_LENGTH)),
            },
            asked: asked.map(|asked| (asked, key)),
            copied: copied
                .zip(source)
                .map(|(to, source)| (to, source.key.to_string(), source.version.map(|version| version.to_string()))),
            version: parameter("versionId"),
            authentication,
            answer: Answer::default(),
        }))
    }

    /// Looks at an answer that is about to go. `error` is its XML, if it is one.
    pub(crate) fn answered(&mut self, status: StatusCode, headers: &HeaderMap, error: Option<&str>) {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let code = error.and_then(|xml| Some(xml.split_once("<Code>")?.1.split_once("</Code>")?.0.to_owned()));
        let writes = matches!(self.operation.as_str(), "REST.PUT.OBJECT" | "REST.PUT.PART");
        let reads = matches!(self.operation.as_str(), "REST.GET.OBJECT" | "REST.HEAD.OBJECT" | "WEBSITE.GET.OBJECT");
        let object_size = match status.is_success() {
            true if writes => self.headers.length,
            true if reads => whole_size(text(header::CONTENT_RANGE), text(header::CONTENT_LENGTH)),
            _ => None,
        };
        self.answer = Answer {
            status: Some(status),
            error_code: code,
            object_size,
            version: text(VERSION_ID),
            first_byte: Some(self.clock.elapsed()),
        };
    }

    /// Whether the line must be durable before the answer goes.
    pub(crate) fn waits(&self) -> bool {
        !matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }

    /// Queues the lines. Gives the place of the last: what to wait for until they are durable.
    pub(crate) fn write(self, exchange: &Exchange, sent_bytes: u64) -> Option<LinePlace> {
        exchange.noted(|noted| {
            let mut place = None;
            let request_id = exchange.request_id().to_string();
            if let Some((to, key)) = &self.asked {
                let fields = self.fields(exchange, noted, to, &request_id, sent_bytes);
                let version = self.version.as_deref().or(self.answer.version.as_deref());
                let fields = LogFields { key: key.as_deref(), version_id: version, ..fields };
                place = to.push(fields.line());
                for deleted in &noted.deleted {
                    let fields = LogFields {
                        operation: "BATCH.DELETE.OBJECT",
                        key: Some(&deleted.key),
                        version_id: deleted.version.as_deref(),
                        status: Some(if deleted.error.is_none() { 204 } else { 403 }),
                        error_code: deleted.error.as_deref(),
                        bytes_sent: 0,
                        ..fields
                    };
                    place = to.push(fields.line()).or(place);
                }
            }
            if let Some((to, key, version)) = &self.copied {
                let fields = self.fields(exchange, noted, to, &request_id, 0);
                let operation = format!("{}_GET", self.operation);
                let fields =
                    LogFields { operation: &operation, key: Some(key), version_id: version.as_deref(), ..fields };
                place = to.push(fields.line()).or(place);
            }
            place
        })
    }

    fn fields<'a>(
        &'a self,
        exchange: &Exchange,
        noted: &Noted,
        to: &'a BucketLog,
        request_id: &'a str,
        bytes_sent: u64,
    ) -> LogFields<'a> {
        let came_whole = self.began.max(exchange.received_at());
        let origin = exchange.origin();
        LogFields {
            bucket_owner: to.bucket().owner,
            bucket: to.bucket().name.as_str(),
            time: self.came,
            remote_ip: origin.ip,
            requester: noted.requester.map(LogRequester::Account),
            request_id,
            operation: &self.operation,
            key: None,
            request_uri: Some(&self.request_uri),
            status: self.answer.status.map(|status| status.as_u16()),
            error_code: self.answer.error_code.as_deref(),
            bytes_sent,
            object_size: self.answer.object_size,
            total_time: Some(self.clock.elapsed().saturating_sub(self.began)),
            turn_around_time: self.answer.first_byte.map(|first| first.saturating_sub(came_whole)),
            referer: self.headers.referer.as_deref(),
            user_agent: self.headers.user_agent.as_deref(),
            version_id: None,
            host_id: Some(&self.host_id),
            cipher_suite: origin.tls.map(|tls| tls.cipher_suite),
            signature_version: self.authentication.map(|(version, _)| version),
            authentication: self.authentication.map(|(_, place)| place),
            host: self.headers.host.as_deref(),
            tls_version: origin.tls.map(|tls| tls.version),
            acl_required: noted.list_used,
        }
    }
}

/// Bucket and key of a request, decoded as s3s decodes them.
fn target(domains: &Domains, site: Option<&str>, path: &str, host: Option<&str>) -> (String, Option<String>) {
    let path = percent_decode_str(path.strip_prefix('/').unwrap_or(path)).decode_utf8_lossy();
    let (bucket, key) = match site.or_else(|| host.and_then(|host| domains.bucket(host))) {
        Some(bucket) => (bucket.to_owned(), path.as_ref()),
        None => path.split_once('/').map_or((path.to_string(), ""), |(bucket, key)| (bucket.to_owned(), key)),
    };
    (bucket, (!key.is_empty()).then(|| key.to_owned()))
}

fn source(headers: &HeaderMap) -> Option<ObjectRef> {
    let source = headers.get(COPY_SOURCE)?.to_str().ok()?;
    names::copy_source(dto::CopySource::parse(source).ok()?).ok()
}

/// Size of the whole object that an answer is a part of.
fn whole_size(range: Option<String>, length: Option<String>) -> Option<u64> {
    let whole = range.as_deref().and_then(|range| range.rsplit_once('/')).map(|(_, whole)| whole.to_owned());
    whole.or(length)?.parse().ok()
}
