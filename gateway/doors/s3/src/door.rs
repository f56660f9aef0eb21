//! The door itself: s3s and what stands around it, as a hyper service.

use crate::auth::Authenticator;
use crate::auth::query::Query;
use crate::body::CountedBody;
use crate::credentials::Credentials;
use crate::errors;
use crate::exchange::Exchange;
use crate::forms::{self, Forms};
use crate::gate::documents::Documents;
use crate::gate::{Gate, Parser, XML_BYTES_MAX};
use crate::host::{Domains, host};
use crate::layers::access_log::AccessLine;
use crate::layers::admission::claims_signature;
use crate::layers::answer::{AnswerBody, Fixed, finish};
use crate::layers::bucket_region::BucketRegion;
use crate::layers::cors::{CorsLayer, CrossOrigin};
use crate::layers::outcome::{self, BodyLength};
use crate::layers::report::Forwarded;
use crate::layers::server_log::ServerLog;
use crate::layers::slow_down;
use crate::ops::Operations;
use crate::options::{Observe, S3Options, Traffic};
use crate::website::Websites;
use arc_swap::ArcSwap;
use bytes::Bytes;
use cofre_iam::{Admission, Connected, Iam, Origin, Overload, Reports, RequestId};
use cofre_objects::Objects;
use cofre_runtime::{Clock, Random};
use futures_util::FutureExt;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::S3ServiceBuilder;
use s3s::{Body, HttpResponse, S3Error, S3ErrorCode, StdError};
use std::any::Any;
use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// Largest body of a PUT or a part (AWS, "Amazon S3 multipart upload limits"): 5 GiB.
const PUT_BYTES_MAX: u64 = 5 << 30;

const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// What the door stands on.
pub struct S3Parts {
    /// The domain.
    pub objects: Objects,
    /// Access keys and accounts.
    pub iam: Iam,
    /// Lets clients in, at this door and at every other one.
    pub admission: Admission,
    /// The clock, for durations, rates and signatures.
    pub clock: Clock,
    /// Randomness for request ids.
    pub random: Random,
    /// What does not change.
    pub options: S3Options,
    /// Is told of every answered request.
    pub observe: Arc<dyn Observe>,
    /// Keeps why requests were refused.
    pub reports: Reports,
}

/// The S3 door. Cloning costs a reference count.
#[derive(Clone)]
pub struct S3Door(Arc<Inner>);

struct Inner {
    /// Takes all requests but forms.
    gate: Gate,
    /// Takes browsers' forms.
    forms: Forms,
    /// Serves websites.
    websites: Websites,
    objects: Objects,
    domains: Domains,
    admission: Admission,
    cors: CorsLayer,
    traffic: Arc<ArcSwap<Traffic>>,
    fixed: Fixed,
    clock: Clock,
    random: Random,
    observe: Arc<dyn Observe>,
    reports: Reports,
}

impl S3Door {
    /// The door over its parts.
    pub fn new(parts: S3Parts) -> Self {
        let S3Parts { objects, iam, admission, clock, random, options, observe, reports } = parts;
        let traffic = Arc::new(ArcSwap::from_pointee(Traffic::default()));
        let documents = Documents::new(options.documents_bytes_max, clock.clone());
        let ours = objects.clone();
        let regions: Arc<[String]> = options.regions().map(str::to_owned).collect();
        let operations = Operations {
            objects: objects.clone(),
            iam: iam.clone(),
            allow_insecure_sse_c: options.allow_insecure_sse_c,
            regions: Arc::clone(&regions),
        };
        let cors = CorsLayer { objects: objects.clone(), traffic: Arc::clone(&traffic) };
        let credentials = Credentials(iam);
        let websites = Websites {
            objects: objects.clone(),
            credentials: credentials.clone(),
            admission: admission.clone(),
            domains: Domains::new(&options.website_domains),
            host_id: options.host_id.clone(),
        };
        let domains = Domains::new(&options.domains);

        let mut parser = S3ServiceBuilder::new(operations.clone());
        parser.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config()))));
        parser.set_host(domains.clone());
        let gate = Gate {
            authenticator: Authenticator {
                credentials: credentials.clone(),
                clock: clock.clone(),
                domains: domains.clone(),
                regions: Arc::clone(&regions),
                takes_version_2: options.takes_version_2,
            },
            objects: objects.clone(),
            credentials: credentials.clone(),
            domains: domains.clone(),
            admission: admission.clone(),
            documents,
            allow_insecure_sse_c: options.allow_insecure_sse_c,
            reports: reports.clone(),
            parser: Parser::new(parser.build()),
        };
        let forms = Forms {
            operations,
            credentials,
            domains: domains.clone(),
            admission: admission.clone(),
            clock: clock.clone(),
            regions,
            takes_version_2: options.takes_version_2,
        };

        let value = |text: &str| HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("cofre"));
        Self(Arc::new(Inner {
            gate,
            forms,
            websites,
            objects: ours,
            domains,
            admission,
            cors,
            traffic,
            fixed: Fixed { server: value(&options.server_name), host_id: value(&options.host_id) },
            clock,
            random,
            observe,
            reports,
        }))
    }

    /// Changes CORS for the requests that come from now on.
    pub fn set_traffic(&self, traffic: Traffic) {
        self.0.traffic.store(Arc::new(traffic));
    }

    /// The service of one client on a connection, whose origin is what the socket tells, or a proxy that is trusted.
    pub fn connection(&self, origin: Origin) -> S3Connection {
        let connected = Arc::new(self.0.admission.connect(origin.ip));
        S3Connection { door: self.clone(), origin, connected }
    }

    /// Whether the host of a request names a bucket, so that its whole path is a key.
    pub fn has_bucket_in_host<B>(&self, request: &Request<B>) -> bool {
        let host = host(request.uri(), request.headers());
        host.is_some_and(|host| self.0.domains.bucket(host).is_some()) || self.0.websites.bucket(request).is_some()
    }

    /// Answers the one request of a connection. Never fails: what goes wrong is an answer too.
    pub async fn call<B>(&self, origin: Origin, request: Request<B>) -> Response<AnswerBody>
    where
        B: http_body::Body<Data = Bytes> + Send + Sync + 'static,
        StdError: From<B::Error>,
    {
        self.connection(origin).answer(request).await
    }
}

impl S3Connection {
    /// Answers a request. Never fails: what goes wrong is an answer too.
    pub async fn answer<B>(&self, request: Request<B>) -> Response<AnswerBody>
    where
        B: http_body::Body<Data = Bytes> + Send + Sync + 'static,
        StdError: From<B::Error>,
    {
        let Self { door, origin, connected } = self;
        let (inner, origin) = (&door.0, *origin);
        let (in_flight, claim) = inner.admission.enter(connected, claims_signature(&request));
        let is_charged = in_flight.is_some() && !matches!(claim, Err(Overload::Refused));
        let (claim, length) = (claim.map_err(slow_down), BodyLength::of(&request));
        let site = inner.websites.bucket(&request);
        let host_id = inner.fixed.host_id.to_str().unwrap_or_default();
        let server_log = match &claim {
            Ok(_) => {
                let (objects, domains, clock) = (&inner.objects, &inner.domains, &inner.clock);
                ServerLog::begin(objects, domains, site.as_deref(), clock, host_id, &request).await
            }
            // What there is no room for costs no more than its answer.
            Err(_) => None,
        };
        let logged = server_log.is_some();
        let (request_id, client) = (RequestId::new(&inner.random), connected.client());
        let exchange = Exchange::timed(request_id, origin, inner.clock.clone(), logged, client);
        let line = AccessLine {
            exchange: exchange.clone(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            host: request.headers().get(header::HOST).cloned(),
            user_agent: request.headers().get(header::USER_AGENT).cloned(),
            forwarded: Forwarded::of(request.headers()),
            code: None,
            status: StatusCode::INTERNAL_SERVER_ERROR,
            clock: inner.clock.clone(),
            began: inner.clock.elapsed(),
            sent_bytes: 0,
            waited: Duration::ZERO,
            observe: Arc::clone(&inner.observe),
            reports: inner.reports.clone(),
            server_log,
            _in_flight: in_flight,
        };
        inner.observe.began();
        let bucket_region = BucketRegion::of(&request);
        let cross = CrossOrigin::of(&request, site.as_deref(), &inner.domains);
        let answered = async {
            let claim = claim?;
            let answered = inner.dispatch(request, &exchange, site.as_deref(), cross.as_ref()).await;
            inner.admission.judge(connected, claim, exchange.noted(|noted| noted.access_key.is_some()));
            answered
        };
        let answered = AssertUnwindSafe(answered).catch_unwind().await;
        let mut response = match answered {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => refused(error),
            Err(panic) => {
                let request_id = exchange.request_id();
                tracing::error!(%request_id, panic = panic_text(panic.as_ref()), "a request panicked");
                refused(errors::internal())
            }
        };
        if let Some(cross) = cross
            && line.method != Method::OPTIONS
        {
            inner.cors.expose(&cross, response.headers_mut()).await;
        }
        let status = response.status();
        let (objects, domains, headers) = (&inner.objects, &inner.domains, response.headers_mut());
        bucket_region.tell(objects, domains, site.as_deref(), status, headers).await;
        let outcome = outcome::of(&line.method, length, &response, &exchange);
        let outcome = outcome.filter(|_| is_charged && !exchange.is_turned_away());
        let wait = outcome.map_or(Duration::ZERO, |outcome| inner.admission.charge(connected, &outcome));
        if !wait.is_zero() {
            // Of its account it is in flight no more.
            exchange.note(|noted| (noted.penalty, noted.in_flight) = (Some(wait), None));
        }
        let mut answer = finish(response, &inner.fixed, line);
        if !wait.is_zero() && inner.admission.wait(connected, wait).await {
            answer.body_mut().waited(wait);
        }
        if let Some(place) = answer.body_mut().log_before() {
            place.written().await;
        }
        answer
    }
}

impl Inner {
    async fn dispatch<B>(
        &self,
        request: Request<B>,
        exchange: &Exchange,
        site: Option<&str>,
        cross: Option<&CrossOrigin>,
    ) -> Result<HttpResponse, S3Error>
    where
        B: http_body::Body<Data = Bytes> + Send + Sync + 'static,
        StdError: From<B::Error>,
    {
        if *request.method() == Method::OPTIONS {
            return self.cors.preflight(cross, exchange).await;
        }
        if let Some(bucket) = site {
            return Ok(self.websites.answer(bucket, request.into_parts().0, exchange).await);
        }
        if has_session_token(&request) {
            // There are no sessions, so none of their tokens is any good.
            return Err(S3Error::new(S3ErrorCode::InvalidToken));
        }
        let is_form = forms::is_form(&request);
        let request = request.map(|body| match body.is_end_stream() {
            true => Body::empty(),
            false => Body::http_body(CountedBody::new(body, exchange.clone())),
        });
        if is_form {
            return self.forms.answer(request, exchange).await;
        }
        self.gate.answer(request, exchange).await
    }
}

/// How s3s is set.
fn config() -> S3Config {
    let mut config = S3Config::default();
    config.xml_max_body_size = XML_BYTES_MAX;
    config.put_object_max_size = Some(PUT_BYTES_MAX);
    // Requests are routed by what they are, not by what they say they are.
    config.operation_id_routing = false;
    config
}

fn has_session_token<B>(request: &Request<B>) -> bool {
    let in_query = |query| Query::parse(query).has(SECURITY_TOKEN.as_str());
    request.headers().contains_key(SECURITY_TOKEN) || request.uri().query().is_some_and(in_query)
}

/// An error as an answer.
fn refused(error: S3Error) -> HttpResponse {
    error.to_http_response().unwrap_or_else(|_| {
        let mut response = HttpResponse::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words")
}

/// The service of one connection.
#[derive(Clone)]
pub struct S3Connection {
    door: S3Door,
    origin: Origin,
    connected: Arc<Connected>,
}

impl<B> hyper::service::Service<Request<B>> for S3Connection
where
    B: http_body::Body<Data = Bytes> + Send + Sync + 'static,
    StdError: From<B::Error>,
{
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        let connection = self.clone();
        Box::pin(async move { Ok(connection.answer(request).await) })
    }
}
