use crate::auth::Actor;
use crate::catalog::{BACKUP_FINISHED, Backups, Catalog};
use cofre_blobs::Topology;
use cofre_browse::{Door, DoorParts, Limits as BrowseLimits};
use cofre_events::{EventLog, Order, PageRequest};
use cofre_iam::{Caller, Iam, Reports};
use cofre_jobs::JobsControl;
use cofre_objects::{Objects, Upkeep};
use cofre_runtime::{Clock, Random, Shutdown};
use cofre_settings::DynamicSettings;
use cofre_types::{Scheme, Timestamp};
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

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
}

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
    /// When the last whole backup ended, once it was looked for.
    last_backup: Mutex<Option<Option<Timestamp>>>,
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
            reports: parts.reports,
            registry: parts.registry,
            clock: parts.clock,
            random: parts.random,
            draining: parts.draining,
            redundancy: parts.redundancy,
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
