use crate::auth::Actor;
use crate::catalog::{BACKUP_FINISHED, Backups, Catalog};
use cofre_admin_types::Verdict;
use cofre_blobs::Topology;
use cofre_browse::{Door, DoorParts, Limits as BrowseLimits, LinksTo};
use cofre_events::{EventLog, Order, PageRequest};
use cofre_iam::{Caller, Iam, Reports};
use cofre_jobs::JobsControl;
use cofre_objects::{LargestBuckets, Objects, Upkeep};
use cofre_runtime::{Clock, Random, Shutdown};
use cofre_settings::DynamicSettings;
use cofre_types::{Scheme, Timestamp};
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// What the admin API stands on.
pub struct AdminParts {
    /// Accounts, keys and tokens.
    pub iam: Iam,
    /// The dynamic settings.
    pub settings: DynamicSettings,
    /// The event log.
    pub events: EventLog,
    /// The domain and its upkeep.
    pub upkeep: Upkeep,
    /// The shards.
    pub topology: Topology,
    /// The background jobs.
    pub jobs: JobsControl,
    /// What can be asked of the catalog's engine.
    pub catalog: Arc<dyn Catalog>,
    /// Why requests of the S3 door were refused.
    pub reports: Reports,
    /// Metrics of the doors; the API adds its own when asked for them.
    pub registry: Registry,
    /// The clock.
    pub clock: Clock,
    /// Randomness for request ids.
    pub random: Random,
    /// Begins when the process is about to end.
    pub draining: Shutdown,
    /// Redundancy of new blobs while neither bucket nor settings say another.
    pub redundancy: Scheme,
    /// Bounds on requests of the console that are in flight.
    pub browse_limits: BrowseLimits,
    /// Where links of the console lead.
    pub links: LinksTo,
    /// What else is in danger.
    pub concerns: Concerns,
}

/// What is in danger beside what the API sees for itself: asked whenever health is.
pub type Concerns = Arc<dyn Fn() -> Vec<Verdict> + Send + Sync>;

/// Most buckets with series of their own: the largest.
const BUCKETS_SHOWN_MAX: usize = 500;

/// How long to look for them at the most.
const BUCKETS_TIME_MAX: Duration = Duration::from_secs(2);

/// For how many times as long as they took to find they are told again, where that took long: looking takes a fiftieth of
/// the time at the most.
const BUCKETS_REST: u32 = 50;
const BUCKETS_QUICK: Duration = Duration::from_millis(5);

/// The largest buckets, and until when they are told without another look.
type Largest = Option<(Arc<LargestBuckets>, Duration)>;

/// State of the admin API.
pub struct Admin {
    pub(crate) iam: Iam,
    pub(crate) settings: DynamicSettings,
    pub(crate) events: EventLog,
    pub(crate) objects: Objects,
    pub(crate) upkeep: Upkeep,
    pub(crate) topology: Topology,
    pub(crate) jobs: JobsControl,
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) backups: Arc<Mutex<Backups>>,
    pub(crate) reports: Reports,
    pub(crate) registry: Registry,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) draining: Shutdown,
    pub(crate) redundancy: Scheme,
    /// The console's door.
    pub(crate) door: Arc<Door>,
    pub(crate) concerns: Concerns,
    /// When the last whole backup ended, once it was looked for.
    last_backup: Mutex<Option<Option<Timestamp>>>,
    /// One look at all buckets at a time.
    largest: tokio::sync::Mutex<Largest>,
    /// One looks whether the process is ready, and what it saw and when it began.
    pub(crate) looking: tokio::sync::Mutex<()>,
    pub(crate) seen: Mutex<Option<(Duration, Vec<String>)>>,
    /// One document is carried out at a time.
    pub(crate) provisioning: tokio::sync::Mutex<()>,
    /// One verify at a time.
    pub(crate) verifying: Arc<Semaphore>,
    started: Duration,
}

impl Admin {
    /// The state over its parts. The time of uptime begins now.
    pub fn new(parts: AdminParts) -> Arc<Self> {
        let door = Door::new(DoorParts {
            objects: parts.upkeep.objects().clone(),
            iam: parts.iam.clone(),
            clock: parts.clock.clone(),
            random: parts.random.clone(),
            limits: parts.browse_limits,
            links: parts.links,
            version: env!("CARGO_PKG_VERSION"),
        });
        Arc::new(Self {
            door,
            started: parts.clock.elapsed(),
            iam: parts.iam,
            settings: parts.settings,
            events: parts.events,
            objects: parts.upkeep.objects().clone(),
            upkeep: parts.upkeep,
            topology: parts.topology,
            jobs: parts.jobs,
            catalog: parts.catalog,
            backups: Arc::default(),
            last_backup: Mutex::default(),
            largest: tokio::sync::Mutex::default(),
            reports: parts.reports,
            registry: parts.registry,
            clock: parts.clock,
            random: parts.random,
            draining: parts.draining,
            redundancy: parts.redundancy,
            concerns: parts.concerns,
            looking: tokio::sync::Mutex::default(),
            seen: Mutex::default(),
            provisioning: tokio::sync::Mutex::default(),
            verifying: Arc::new(Semaphore::new(1)),
        })
    }

    /// Time since the API was made.
    pub(crate) fn uptime(&self) -> Duration {
        self.clock.elapsed().saturating_sub(self.started)
    }

    /// When the last backup of the catalog that is whole ended, as far as the event log goes back.
    pub(crate) async fn last_backup(&self) -> Option<Timestamp> {
        if let Some(known) = *self.last_backup.lock() {
            return known;
        }
        let kind_prefix = BACKUP_FINISHED.to_owned();
        let request = PageRequest { order: Order::NewestFirst, limit: 1, kind_prefix, after: None };
        let page = self.events.page(request).await.ok()?;
        let found = page.events.first().map(|event| event.record.at);
        *self.last_backup.lock().get_or_insert(found)
    }

    /// Notes that a backup is whole.
    pub(crate) fn note_backup(&self, ended: Timestamp) {
        *self.last_backup.lock() = Some(Some(ended));
    }

    /// The buckets that hold the most, as of a moment ago where there are many; none if they cannot be read.
    pub(crate) async fn largest_buckets(&self) -> Option<Arc<LargestBuckets>> {
        let mut largest = self.largest.lock().await;
        let began = self.clock.elapsed();
        if let Some((known, until)) = &*largest
            && began < *until
        {
            return Some(Arc::clone(known));
        }
        let caller = self.caller();
        let looking = self.objects.largest_buckets(&caller, BUCKETS_SHOWN_MAX);
        let found = Arc::new(timeout(BUCKETS_TIME_MAX, looking).await.ok()?.ok()?);
        let now = self.clock.elapsed();
        let took = now.saturating_sub(began);
        *largest = (took > BUCKETS_QUICK).then(|| (Arc::clone(&found), now + took * BUCKETS_REST));
        Some(found)
    }

    /// Redundancy of new blobs where no bucket says another.
    pub(crate) fn scheme(&self) -> Scheme {
        self.settings.current().redundancy.unwrap_or(self.redundancy)
    }

    /// Failure domains that a write of the default redundancy needs.
    pub(crate) fn write_quorum(&self) -> usize {
        self.scheme().write_quorum_with(self.settings.current().writes.spares_min)
    }

    /// The caller of domain operations: rights were decided by the token's scope.
    pub(crate) fn caller(&self) -> Caller {
        Caller::internal("admin", &self.random)
    }

    /// The same caller on behalf of who sent the request, whom events name.
    pub(crate) fn caller_for(&self, actor: &Actor) -> Caller {
        self.caller().on_behalf_of(&actor.0)
    }
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Admin")
    }
}
