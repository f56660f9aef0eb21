//! An admin API over a catalog and shards in memory.

use crate::engine::Engine;
use async_trait::async_trait;
use axum::Router;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use bytes::Bytes;
use cofre_admin_server::{Admin, AdminParts, BrowseLimits, LinksTo};
use cofre_admin_types::Problem;
use cofre_blobs::{Blobs, BlobsParts, NewShard, OpenBackend, S3Place, ShardPlace, Topology, TopologyError};
use cofre_catalog::{Memory, Store};
use cofre_events::EventLog;
use cofre_iam::{Caller, Iam, Lookup, MasterKey, NewAccount, NewToken, Scope, Secret};
use cofre_jobs::{Ground, Jobs};
use cofre_objects::{
    Body, CreateBucket, DeclaredChecksum, Headers, Objects, Parts, PutObject, Upkeep, Upload, WriteConditions,
};
use cofre_runtime::{Clock, Random, Shutdown};
use cofre_settings::DynamicSettings;
use cofre_shards::{
    Backend, BackendError, Faulty, MemoryBackend, Shards, ShardsOptions, StreamTrouble, Trouble, Troubles,
};
use cofre_types::{BucketName, ObjectKey, Scheme, Tags, Timestamp};
use http_body_util::BodyExt;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::ServiceExt;

/// An admin API, and a token of each scope.
pub struct Bed {
    pub router: Router,
    pub admin: Arc<Admin>,
    pub iam: Iam,
    pub objects: Objects,
    pub topology: Topology,
    pub draining: Shutdown,
    pub engine: Arc<Engine>,
    pub reports: cofre_iam::Reports,
    pub clock: Clock,
    opener: Arc<Opener>,
    read: String,
    operate: String,
    all: String,
}

/// An answer that has been read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The problem, which must be one in every respect.
    pub fn problem(&self) -> Problem {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.text);
        let problem: Problem =
            serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text));
        assert_eq!(problem.status, self.status.as_u16());
        assert_eq!(self.headers["x-request-id"], problem.request_id.as_str());
        problem
    }

    pub fn etag(&self) -> String {
        self.headers["etag"].to_str().expect("an ETag is text").to_owned()
    }
}

impl Bed {
    pub async fn new() -> Self {
        let (clock, random) = (Clock::system(), Random::seeded(7));
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let settings = DynamicSettings::open(store.clone(), clock.clone()).await.unwrap();
        let master = MasterKey::from_bytes([1; 32]).unwrap();
        let iam = Iam::new(store.clone(), master, clock.clone(), random.clone());
        let shards = Shards::new(clock.clone(), random.clone(), ShardsOptions::default());
        let opener = Arc::new(Opener::default());
        let topology = Topology::new(store.clone(), shards.clone(), opener.clone(), clock.clone(), random.clone());
        let blobs =
            Blobs::new(BlobsParts { store: store.clone(), shards, settings: settings.clone(), clock: clock.clone() });
        let upkeep = Upkeep::new(Parts {
            store: store.clone(),
            blobs: blobs.clone(),
            keys: cofre_keys::KeyRing::new(Arc::new(cofre_keys::MemoryKeys::new(&[], random.clone())), Vec::new()),
            settings: settings.clone(),
            clock: clock.clone(),
            random: random.clone(),
            region: "us-east-1".to_owned(),
            scheme: Scheme::Replicas { count: 1 },
        });
        let objects = upkeep.objects().clone();
        let events = EventLog::new(store.clone());
        let draining = Shutdown::default();
        let ground = Ground {
            upkeep: upkeep.clone(),
            blobs,
            topology: topology.clone(),
            store,
            events: events.clone(),
            settings: settings.clone(),
            clock: clock.clone(),
        };
        let jobs = Jobs::start(&ground, &draining);
        let engine = Arc::new(Engine::new(events.clone(), clock.clone()));
        let reports = cofre_iam::Reports::default();
        let admin = Admin::new(AdminParts {
            iam: iam.clone(),
            settings,
            events: events.clone(),
            upkeep,
            topology: topology.clone(),
            jobs: jobs.control(),
            catalog: engine.clone(),
            reports: reports.clone(),
            registry: Default::default(),
            clock: clock.clone(),
            random,
            draining: draining.clone(),
            redundancy: Scheme::Replicas { count: 1 },
            browse_limits: BrowseLimits {
                requests_max: 64,
                requests_per_address_max: 64,
                requests_per_account_max: 64,
            },
            links: LinksTo { url: None, port: 9000, tls: false, region: "us-east-1".to_owned() },
            concerns: Arc::new(Vec::new),
        });
        let token = async |scope| {
            let new = NewToken { scope, expires: None, note: String::new() };
            iam.create_token(new, "test").await.unwrap().text.expose().to_owned()
        };
        let (read, operate, all) = (token(Scope::Read).await, token(Scope::Operate).await, token(Scope::Admin).await);
        let router = cofre_admin_server::router(admin.clone());
        Self { router, admin, iam, objects, topology, draining, engine, clock, opener, reports, read, operate, all }
    }

    /// The console without the admin API.
    pub fn console_alone(self) -> Self {
        Self { router: cofre_admin_server::console_router(self.admin.clone()), ..self }
    }

    /// With one shard, `/one`.
    pub async fn with_shard() -> Self {
        Self::with_shards(&["/one"]).await
    }

    /// With shards at these paths, numbered from 1.
    pub async fn with_shards(paths: &[&str]) -> Self {
        let bed = Self::new().await;
        for path in paths {
            bed.topology.register(NewShard::at_path((*path).to_owned()), "test").await.unwrap();
        }
        bed
    }

    /// Takes a shard away, or brings it back.
    pub fn set_away(&self, path: &str, away: bool) {
        let trouble = away.then_some(Trouble::Unreachable);
        let troubles = Troubles { put: trouble, get: trouble, other: trouble, ..Troubles::default() };
        self.opener.made(path).set(troubles);
    }

    /// Has every byte on a shard fail its checksum.
    pub fn spoil(&self, path: &str) {
        let troubles = Troubles { stream: Some((0, StreamTrouble::Corrupt)), ..Troubles::default() };
        self.opener.made(path).set(troubles);
    }

    /// The message of the verdict of a severity that contains a text, once health has one.
    pub async fn verdict(&self, severity: &str, text: &str) -> String {
        until(text, async || {
            let health = self.get("/v1/health").await.json();
            let mut verdicts = health["verdicts"].as_array().unwrap().iter();
            let is = |verdict: &&Value| {
                verdict["severity"] == severity && verdict["message"].as_str().unwrap().contains(text)
            };
            verdicts.find(is).map(|verdict| verdict["message"].as_str().unwrap().to_owned())
        })
        .await
    }

    pub fn token(&self, scope: Scope) -> &str {
        match scope {
            Scope::Read => &self.read,
            Scope::Operate => &self.operate,
            Scope::Admin => &self.all,
        }
    }

    /// Sends a request with the admin token.
    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        let bearer = format!("Bearer {}", self.all);
        let mut headers = headers.to_vec();
        headers.push(("authorization", &bearer));
        self.send_raw(method, path, &headers, body.map(|body| body.to_string())).await
    }

    /// Sends a request as it is.
    pub async fn send_raw(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<String>) -> Answer {
        let response = self.router.clone().oneshot(request(method, path, headers, body)).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    /// Makes the bucket `bucket`.
    pub async fn make_bucket(&self) {
        let bucket =
            CreateBucket { name: bucket_name(), region: String::new(), object_lock: false, acl: None, ownership: None };
        // A bucket has an owner, so a part of Cofre itself makes none.
        let new = NewAccount { name: "owner".to_owned(), ..NewAccount::default() };
        let key = self.iam.create_account(new, "test").await.unwrap().key.id;
        let Lookup::Active(credential) = self.iam.lookup(&key).await.unwrap() else { panic!("the key is good") };
        let caller = Caller { principal: credential.principal.clone(), ..self.caller() };
        self.objects.create_bucket(&caller, bucket).await.unwrap();
    }

    /// Puts an object into the bucket `bucket`.
    pub async fn put(&self, key: &str, content: &'static [u8]) -> Result<(), cofre_objects::Error> {
        let request = PutObject {
            bucket: bucket_name(),
            key: ObjectKey::parse(key).unwrap(),
            upload: Upload {
                body: Body::Whole(Bytes::from_static(content)),
                content_md5: None,
                checksum: DeclaredChecksum::None,
            },
            headers: Headers::default(),
            tags: Tags::default(),
            storage_class: String::new(),
            lock: Default::default(),
            acl: None,
            encryption: Default::default(),
            conditions: WriteConditions::default(),
        };
        self.objects.put_object(&self.caller(), request).await.map(|_| ())
    }

    fn caller(&self) -> Caller {
        Caller::internal("test", &Random::seeded(1))
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, &[], Some(body)).await
    }

    /// Sends a GET and hands the body out as it comes.
    pub async fn open(&self, path: &str, headers: &[(&str, &str)]) -> axum::body::Body {
        let bearer = format!("Bearer {}", self.read);
        let mut headers = headers.to_vec();
        headers.push(("authorization", &bearer));
        let response = self.router.clone().oneshot(request(Method::GET, path, &headers, None)).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body()
    }
}

fn bucket_name() -> BucketName {
    BucketName::parse("bucket").unwrap()
}

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: Option<String>) -> Request<axum::body::Body> {
    let mut request = Request::builder().method(method).uri(path);
    if body.is_some() && !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.map_or_else(axum::body::Body::empty, axum::body::Body::from)).unwrap()
}

/// Shards in memory, by path. A path that begins with `/broken` cannot be used.
#[derive(Default)]
struct Opener(Mutex<HashMap<String, Made>>);

/// A shard that was made: its identity and what is in it.
type Made = ([u8; 16], Arc<Faulty>);

impl Opener {
    fn made(&self, path: &str) -> Arc<Faulty> {
        self.0.lock().unwrap()[path].1.clone()
    }
}

#[async_trait]
impl OpenBackend for Opener {
    async fn create(&self, place: &ShardPlace, identity: [u8; 16]) -> Result<[u8; 16], BackendError> {
        let path = &path_of(place)?;
        if path.starts_with("/broken") {
            return Err(BackendError::Unreachable("the directory is not empty".to_owned()));
        }
        let fresh = || (identity, Arc::new(Faulty::new(Arc::new(MemoryBackend::new(1 << 30)))));
        Ok(self.0.lock().unwrap().entry(path.clone()).or_insert_with(fresh).0)
    }

    async fn leads_back(
        &self,
        _place: &ShardPlace,
        _identity: [u8; 16],
        _began: Timestamp,
    ) -> Result<bool, TopologyError> {
        Ok(false)
    }

    async fn open(&self, place: &ShardPlace, identity: [u8; 16]) -> Result<Arc<dyn Backend>, BackendError> {
        let path = &path_of(place)?;
        match self.0.lock().unwrap().get(path) {
            Some((found, backend)) if *found == identity => Ok(backend.clone()),
            _ => Err(BackendError::Unreachable("it is not there".to_owned())),
        }
    }

    fn seal(&self, place: &S3Place, secret: &Secret) -> Result<Vec<u8>, TopologyError> {
        if !place.endpoint.starts_with("http") {
            return Err(TopologyError::Invalid { field: "endpoint", reason: "must be a URL".to_owned() });
        }
        Ok(secret.expose().bytes().map(|byte| byte ^ 0x55).collect())
    }
}

/// Where the opener keeps a place. The one good key of remote ones is `good-secret`.
fn path_of(place: &ShardPlace) -> Result<String, BackendError> {
    match place {
        ShardPlace::Filesystem { path } => Ok(path.clone()),
        ShardPlace::S3(place) if place.sealed_secret.iter().map(|byte| byte ^ 0x55).eq(*b"good-secret") => {
            Ok(format!("{}/{}", place.bucket, place.prefix))
        }
        ShardPlace::S3(_) => Err(BackendError::Unreachable("403 SignatureDoesNotMatch".to_owned())),
    }
}

/// Waits for something that a task does, at most ten seconds.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..1000 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what} did not happen");
}
