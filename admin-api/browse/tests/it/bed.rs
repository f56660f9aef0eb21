//! A door over memory, two accounts, and a browser that keeps a cookie.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use cofre_blobs::{Blobs, BlobsParts, NewShard, OpenBackend, Topology, TopologyError};
use cofre_browse::{Door, DoorParts, Limits, LinksTo};
use cofre_catalog::records::ShardPlace;
use cofre_catalog::{Memory, Store};
use cofre_iam::{CreatedAccount, Iam, MasterKey, NewAccount, Origin};
use cofre_keys::{DEFAULT_KEY, KeyRing, MemoryKeys};
use cofre_objects::{Objects, Parts, Upkeep};
use cofre_runtime::{ManualClock, Random};
use cofre_settings::DynamicSettings;
use cofre_shards::{Backend, BackendError, MemoryBackend, Shards, ShardsOptions};
use cofre_types::{Scheme, Timestamp};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;
use tower::ServiceExt;
use utoipa_axum::router::OpenApiRouter;

pub struct Bed {
    pub router: Router,
    pub iam: Iam,
    pub objects: Objects,
    pub clock: ManualClock,
    pub alice: CreatedAccount,
    pub bob: CreatedAccount,
}

struct Opener(Arc<MemoryBackend>);

#[async_trait::async_trait]
impl OpenBackend for Opener {
    async fn create(&self, _place: &ShardPlace, identity: [u8; 16]) -> Result<[u8; 16], BackendError> {
        Ok(identity)
    }

    async fn open(&self, _place: &ShardPlace, _identity: [u8; 16]) -> Result<Arc<dyn Backend>, BackendError> {
        Ok(self.0.clone())
    }

    async fn leads_back(
        &self,
        _place: &ShardPlace,
        _identity: [u8; 16],
        _began: Timestamp,
    ) -> Result<bool, TopologyError> {
        Ok(false)
    }
}

/// Where the console is, as its pages say.
pub const OURS: [(&str, &str); 4] = [
    ("host", "cofre.example:9001"),
    ("origin", "http://cofre.example:9001"),
    ("sec-fetch-site", "same-origin"),
    ("x-cofre", "1"),
];

impl Bed {
    pub async fn new() -> Self {
        Self::with(Limits { requests_max: 16, requests_per_address_max: 16, requests_per_account_max: 16 }).await
    }

    pub async fn with(limits: Limits) -> Self {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let manual = ManualClock::at(Timestamp::from_secs(1_000_000).0);
        let (clock, random) = (manual.clock(), Random::seeded(1));
        let shards = Shards::new(clock.clone(), random.clone(), ShardsOptions::default());
        let opener = Arc::new(Opener(Arc::new(MemoryBackend::new(64 << 20))));
        let topology = Topology::new(store.clone(), shards.clone(), opener, clock.clone(), random.clone());
        topology.register(NewShard::at_path("/memory".to_owned()), "test").await.unwrap();
        let settings = DynamicSettings::open(store.clone(), clock.clone()).await.unwrap();
        let blobs =
            Blobs::new(BlobsParts { store: store.clone(), shards, settings: settings.clone(), clock: clock.clone() });
        let upkeep = Upkeep::new(Parts {
            store: store.clone(),
            blobs,
            keys: KeyRing::new(Arc::new(MemoryKeys::new(&[DEFAULT_KEY], random.clone())), Vec::new()),
            settings,
            clock: clock.clone(),
            random: random.clone(),
            region: "us-east-1".to_owned(),
            scheme: Scheme::replicas(1).unwrap(),
        });
        let objects = upkeep.objects().clone();
        let master = MasterKey::from_bytes([7; 32]).unwrap();
        let iam = Iam::new(store, master, clock.clone(), Random::system());
        let account = async |name: &str| {
            iam.create_account(NewAccount { name: name.to_owned(), ..NewAccount::default() }, "test").await.unwrap()
        };
        let (alice, bob) = (account("alice").await, account("bob").await);
        let door = Door::new(DoorParts {
            objects: objects.clone(),
            iam: iam.clone(),
            clock,
            random,
            limits,
            links: LinksTo { url: None, port: 9000, tls: false, region: "us-east-1".to_owned() },
            version: "1.2.3",
        });
        let router: OpenApiRouter = cofre_browse::router(door);
        Self { router: router.split_for_parts().0, iam, objects, clock: manual, alice, bob }
    }

    /// A browser in which an account is signed in.
    pub async fn browser(&self, account: &CreatedAccount) -> Browser<'_> {
        let (id, secret) = (account.key.id.as_str(), account.key.secret.expose());
        let answer = self.sign_in(id, secret).await;
        answer.is(201);
        Browser { bed: self, cookie: answer.cookie(), session: answer.json()["session"].as_str().unwrap().to_owned() }
    }

    /// A browser in which alice is signed in, and her bucket `bucket`.
    pub async fn with_bucket(&self) -> Browser<'_> {
        let browser = self.browser(&self.alice).await;
        browser.post("/buckets", json!({"name": "bucket"})).await.is(201);
        browser
    }

    pub async fn sign_in(&self, id: &str, secret: &str) -> Answer {
        let body = json!({"access_key_id": id, "secret_access_key": secret}).to_string();
        self.send(Method::POST, "/session", &[&OURS[..], &[("content-type", "application/json")]].concat(), body).await
    }

    /// Sends a request with these headers and no others.
    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        self.send_from(
            Origin { ip: Some(IpAddr::from([192, 0, 2, 1])), secure: false, tls: None },
            method,
            path,
            headers,
            body,
        )
        .await
    }

    pub async fn send_from(
        &self,
        from: Origin,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let body = body.into();
        let mut request =
            Request::builder().method(method).uri(format!("{}{path}", cofre_browse::PREFIX)).extension(from);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header("content-length", body.len()).body(Body::from(body)).unwrap();
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

/// A browser: it sends its cookie, and says whose page asks, and which session that means.
pub struct Browser<'a> {
    pub bed: &'a Bed,
    pub cookie: String,
    pub session: String,
}

impl Browser<'_> {
    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let own = [("cookie", self.cookie.as_str()), ("x-cofre", self.session.as_str())];
        self.bed.send(method, path, &[&OURS[..3], &own, headers].concat(), body).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], "").await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, &[("content-type", "application/json")], body.to_string()).await
    }

    pub async fn put_json(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, &[("content-type", "application/json")], body.to_string()).await
    }

    pub async fn put(&self, key: &str, content: &'static [u8]) -> Answer {
        let path = format!("/buckets/bucket/object?{}", query(&[("key", key)]));
        self.send(Method::PUT, &path, &[("content-type", "text/html")], content).await
    }
}

/// A query, escaped as a browser does.
pub fn query(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Name and value of the cookie that is set.
    pub fn cookie(&self) -> String {
        self.header("set-cookie").split(';').next().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str) -> &Self {
        self.is(status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!((problem["code"].as_str(), problem["status"].as_u64()), (Some(code), Some(status.into())));
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        self
    }
}
