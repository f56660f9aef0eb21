//! The test bed: a door over memory, two accounts, and a client that signs.

use crate::sign::{Draft, Key};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use cofre_blobs::{Blobs, BlobsParts, NewShard, OpenBackend, Topology, TopologyError};
use cofre_catalog::records::ShardPlace;
use cofre_catalog::{Memory, Store};
use cofre_iam::{Admission, GivenKey, Iam, MasterKey, NewAccount, Origin, RequestLimits};
use cofre_keys::{DEFAULT_KEY, KeyRing, MemoryKeys};
use cofre_objects::{Objects, Parts, Upkeep};
use cofre_runtime::{Clock, Random};
use cofre_s3::{Answered, Observe, S3Door, S3Options, S3Parts};
use cofre_settings::DynamicSettings;
use cofre_shards::{Backend, BackendError, MemoryBackend, Shards, ShardsOptions};
use cofre_types::{Scheme, Timestamp};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use parking_lot::Mutex;
use std::net::IpAddr;
use std::sync::Arc;

pub struct Bed {
    pub door: S3Door,
    pub iam: Iam,
    pub admission: Admission,
    pub alice: Key,
    pub alice_id: String,
    pub bob: Key,
    pub bob_id: String,
    pub seen: Arc<Seen>,
    pub reports: cofre_iam::Reports,
    pub objects: Objects,
    pub upkeep: Upkeep,
    pub store: Arc<dyn Store>,
}

/// Room of the bed's one shard.
pub const SHARD_BYTES: u64 = 64 << 20;

/// Opens the bed's one shard.
struct Opener(Arc<MemoryBackend>);

#[async_trait::async_trait]
impl OpenBackend for Opener {
    async fn create(&self, _place: &ShardPlace, identity: [u8; 16]) -> Result<[u8; 16], BackendError> {
        Ok(identity)
    }

    async fn leads_back(
        &self,
        _place: &ShardPlace,
        _identity: [u8; 16],
        _began: Timestamp,
    ) -> Result<bool, TopologyError> {
        Ok(false)
    }

    async fn open(&self, _place: &ShardPlace, _identity: [u8; 16]) -> Result<Arc<dyn Backend>, BackendError> {
        Ok(self.0.clone())
    }
}

/// What the metrics hook was told.
#[derive(Default)]
pub struct Seen(pub Mutex<Vec<Answered>>);

impl Observe for Seen {
    fn answered(&self, answered: Answered) {
        self.0.lock().push(answered);
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The text of the first element of this name.
    pub fn element(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
    }

    /// The texts of all elements of this name.
    pub fn elements(&self, name: &str) -> Vec<String> {
        let text = self.text();
        let end = format!("</{name}>");
        text.split(&format!("<{name}>")).skip(1).filter_map(|rest| Some(rest.split_once(&end)?.0.to_owned())).collect()
    }

    /// Holds the answer to be this error, and to carry what every error carries.
    #[track_caller]
    pub fn is_error(&self, status: u16, code: &str) -> &Self {
        assert_eq!((self.status.as_u16(), self.element("Code").as_deref()), (status, Some(code)), "{}", self.text());
        assert_eq!(self.element("RequestId").as_deref(), self.header("x-amz-request-id"), "{}", self.text());
        assert!(self.element("Message").is_some_and(|message| !message.is_empty()));
        assert!(self.element("HostId").is_some() && self.element("Resource").is_some());
        self
    }

    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self
    }
}

impl Bed {
    pub async fn new() -> Self {
        Self::with(S3Options::default()).await
    }

    /// A bed with the bucket `bucket`, which alice owns.
    pub async fn with_bucket() -> Self {
        let bed = Self::new().await;
        bed.send(Draft::new(Method::PUT, "/bucket")).await.is(200);
        bed
    }

    pub async fn with(options: S3Options) -> Self {
        Self::within(options, &RequestLimits::default()).await
    }

    /// A bed whose requests are bounded so.
    pub async fn within(options: S3Options, limits: &RequestLimits) -> Self {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let (clock, random) = (Clock::system(), Random::seeded(1));
        let shards = Shards::new(clock.clone(), random.clone(), ShardsOptions::default());
        let opener = Arc::new(Opener(Arc::new(MemoryBackend::new(SHARD_BYTES))));
        let topology = Topology::new(store.clone(), shards.clone(), opener, clock.clone(), random.clone());
        topology.register(NewShard::at_path("/memory".to_owned()), "test").await.unwrap();
        let settings = DynamicSettings::open(store.clone(), clock.clone()).await.unwrap();
        let blobs =
            Blobs::new(BlobsParts { store: store.clone(), shards, settings: settings.clone(), clock: clock.clone() });
        let upkeep = Upkeep::new(Parts {
            store: store.clone(),
            blobs,
            keys: KeyRing::new(Arc::new(MemoryKeys::new(&[DEFAULT_KEY, "named"], random.clone())), Vec::new()),
            settings,
            clock: clock.clone(),
            random: random.clone(),
            region: "us-east-1".to_owned(),
            scheme: Scheme::replicas(1).unwrap(),
        });
        let iam = Iam::new(store.clone(), MasterKey::from_bytes([7; 32]).unwrap(), clock.clone(), random.clone());
        let seen = Arc::new(Seen::default());
        let reports = cofre_iam::Reports::default();
        let (objects, ours) = (upkeep.objects().clone(), upkeep.objects().clone());
        let admission = Admission::new(clock.clone(), limits);
        let parts = S3Parts {
            objects,
            iam: iam.clone(),
            admission: admission.clone(),
            clock,
            random,
            options,
            observe: seen.clone(),
            reports: reports.clone(),
        };
        let door = S3Door::new(parts);
        let (alice, alice_id) = account(&iam, "alice").await;
        let (bob, bob_id) = account(&iam, "bob").await;
        Self { door, iam, admission, alice, alice_id, bob, bob_id, seen, reports, objects: ours, upkeep, store }
    }

    /// Sends a request as it is.
    pub async fn raw(&self, request: Request<Full<Bytes>>) -> Answer {
        let origin = Origin { ip: Some(IpAddr::from([127, 0, 0, 1])), secure: false, tls: None };
        let (parts, body) = self.door.call(origin, request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Sends a request that bob signs.
    pub async fn by_bob(&self, draft: Draft) -> Answer {
        self.raw(draft.signed(&self.bob)).await
    }

    /// Sends a request that nobody signs.
    pub async fn by_anyone(&self, draft: Draft) -> Answer {
        self.raw(draft.anonymous()).await
    }

    /// Sends a request that alice signs.
    pub async fn send(&self, draft: Draft) -> Answer {
        self.raw(draft.signed(&self.alice)).await
    }

    pub async fn get(&self, address: &str) -> Answer {
        self.send(Draft::new(Method::GET, address)).await
    }

    pub async fn put(&self, address: &str, body: impl Into<Bytes>) -> Answer {
        self.send(Draft::new(Method::PUT, address).body(body)).await
    }

    pub async fn delete(&self, address: &str) -> Answer {
        self.send(Draft::new(Method::DELETE, address)).await
    }

    pub async fn post(&self, address: &str, body: impl Into<Bytes>) -> Answer {
        self.send(Draft::new(Method::POST, address).body(body)).await
    }
}

async fn account(iam: &Iam, name: &str) -> (Key, String) {
    let key = Key { id: format!("KEY{}", name.to_uppercase()), secret: format!("secret-of-{name}") };
    let new = NewAccount {
        name: name.to_owned(),
        email: format!("{name}@example.com"),
        key: Some(GivenKey::parse(&key.id, &key.secret).unwrap()),
        ..NewAccount::default()
    };
    let created = iam.create_account(new, "test").await.unwrap();
    (key, created.account.id.to_string())
}

/// Base64 of a digest's bytes.
pub fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}
