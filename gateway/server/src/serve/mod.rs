//! A whole Cofre in one process.
//!
//! # Ordering
//! A first start is looked at before anything is written. The catalog opens first: its lock keeps a
//! second process off everything else. Then the addresses are bound, so that nothing is made for a
//! process that cannot serve. The secrets of a first start are handed out once nothing else can fail,
//! and reach their files before the catalog knows them. Doors open last.
//!
//! At the end it goes the other way: readiness turns first, the S3 door drains once balancers had time to see that, jobs
//! end, the admin API closes, and the catalog last.

mod acme;
mod beside;
mod boot;
mod catalog;
mod follow;
mod health;
mod history;
mod key_ring;
mod listen;
pub(crate) mod log;
mod log_lines;
mod metrics;
mod opener;
mod owners;
mod redundancy;
mod untouched;
mod watch;
mod wrong_door;

use acme::Acme;
pub(crate) use boot::catalog_directory;
pub(crate) use health::{LIVE, READY};
pub use log::LogControl;

use anyhow::{Context, Result};
use beside::Beside;
use cofre_admin_server::{Admin, AdminParts};
use cofre_blobs::{Blobs, BlobsParts, Topology};
use cofre_catalog::{Embedded, Store, keys};
use cofre_events::EventLog;
use cofre_iam::{Iam, Reports};
use cofre_jobs::{Ground, Jobs};
use cofre_objects::{Error, Parts, Upkeep};
use cofre_runtime::{Clock, Random, Shutdown, Task, spawn};
use cofre_s3::{RequestLimits, S3Door, S3Options, S3Parts};
use cofre_settings::{BootSettings, DynamicSettings, TlsFiles};
use cofre_shards::{Shards, ShardsOptions};
use cofre_shards_s3::Forbidden;
use health::{Health, WithHealth};
use listen::{Certificates, Door, InTheClear, Limits, Listener, Only, Serving, TrustedProxies, certificates_in};
use prometheus_client::registry::Registry;
use redundancy::DefaultRedundancy;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use wrong_door::Guarded;

/// How long jobs and the admin API may take to end once the S3 door is closed.
const END_GRACE: Duration = Duration::from_secs(10);

/// What a first start made: where the secrets are, and the id of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstStart {
    /// AWS shared-credentials file with the root account's key.
    pub credentials: PathBuf,
    /// File with the admin token.
    pub admin_token: PathBuf,
    /// Id of the root account's key.
    pub access_key_id: String,
}

/// A question to the catalog that is on its way.
type Pulse = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A Cofre that serves.
pub struct Running {
    /// Where S3 listens.
    pub s3: SocketAddr,
    /// Where the admin API listens.
    pub admin: SocketAddr,
    /// What was made if this is the first start.
    pub first: Option<FirstStart>,
    /// Readiness turns.
    leaving: Shutdown,
    draining: Shutdown,
    closing: Shutdown,
    s3_task: Task<()>,
    admin_task: Task<()>,
    beside: Beside,
    jobs: Jobs,
    upkeep: Upkeep,
    store: Arc<Embedded>,
    shutdown_delay: Duration,
    shards: Shards,
    shutdown_grace: Duration,
    clock: Clock,
}

/// Starts a Cofre. It serves when this returns.
///
/// # Errors
/// What is wrong and what to do about it; nothing serves then.
pub async fn start(settings: BootSettings, log: Option<LogControl>) -> Result<Running> {
    let (clock, random) = (clock(), Random::system());
    owners::check(&settings).await?;
    untouched::check(&settings).await?;
    let base = boot::open(&settings, &clock, &random).await?;
    let (leaving, draining, closing) = (Shutdown::default(), Shutdown::default(), Shutdown::default());
    let acme = match &settings.acme {
        Some(acme) => Some(Acme::open(acme, &settings.data, clock.clone()).await?),
        None => None,
    };
    let certificates = match &acme {
        Some(acme) => Some(Arc::clone(acme.certificates())),
        None => certificates_of(settings.tls.as_ref(), "tls_cert, tls_key", &closing).await?,
    };
    let s3 = Listener::bind(Door::S3, settings.listen, certificates, &random).await?;
    let certificates = certificates_of(settings.admin_tls.as_ref(), "admin_tls_cert, admin_tls_key", &closing).await?;
    let admin = Listener::bind(Door::Admin, settings.admin_listen, certificates, &random).await?;
    let challenges = match settings.acme.as_ref().and_then(|acme| acme.http_listen) {
        Some(address) => Some(Listener::bind(Door::Challenges, address, None, &random).await?),
        None => None,
    };

    let store: Arc<dyn Store> = base.store.clone();
    let dynamic = DynamicSettings::open(Arc::clone(&store), clock.clone()).await?;
    let iam = Iam::new(Arc::clone(&store), base.master.clone(), clock.clone(), random.clone());
    let first = boot::first_secrets(&settings, &iam).await?;
    let shards = Shards::new(clock.clone(), random.clone(), ShardsOptions::default());
    let opener = Arc::new(opener::Opener {
        store: Arc::clone(&store),
        cluster: base.cluster,
        history: parking_lot::Mutex::new(base.history),
        catalog: catalog_directory(&settings.data),
        home: base.home,
        forbidden: Forbidden::with_listeners(&[s3.address(), admin.address()]),
        master: base.master.clone(),
        clock: clock.clone(),
        random: random.clone(),
    });
    let topology = Topology::new(Arc::clone(&store), shards.clone(), opener.clone(), clock.clone(), random.clone());
    let redundancy = DefaultRedundancy::choose(settings.redundancy, store.as_ref()).await?;
    boot::attach_shards(&settings, &topology, &redundancy, (&*opener, &*store), (&clock, &random)).await?;

    let keys = key_ring::open(&settings, store.as_ref(), &clock, &random).await?;
    redundancy.keep(store.as_ref(), &dynamic, &clock).await?;
    let first = match first {
        Some(secrets) => Some(secrets.hand_out(&settings).await?),
        None => None,
    };
    let pool = shards.clone();
    let blobs =
        Blobs::new(BlobsParts { store: Arc::clone(&store), shards, settings: dynamic.clone(), clock: clock.clone() });
    let upkeep = Upkeep::new(Parts {
        store: Arc::clone(&store),
        blobs: blobs.clone(),
        keys,
        settings: dynamic.clone(),
        clock: clock.clone(),
        random: random.clone(),
        region: settings.region.clone(),
        scheme: redundancy.scheme,
    });
    // Before anything can change what is counted.
    let counted = match upkeep.count_account_usage().await {
        // What is counted is recorded; a later start does both.
        Err(error @ (Error::Refused(_) | Error::NoRoom)) => {
            boot::warn_unrecorded("what accounts own", &error);
            0
        }
        counted => counted.context("counting what accounts own")?,
    };
    if counted > 0 {
        tracing::info!(accounts = counted, "counted what accounts own: the catalog is of a version that did not");
    }
    let ours = upkeep.clone();
    let events = EventLog::new(Arc::clone(&store));
    if let Err(error) = events.record(&boot::started(&clock)).await {
        boot::warn_unrecorded("the start", &error);
    }
    let ground = Ground {
        upkeep: upkeep.clone(),
        blobs,
        topology: topology.clone(),
        store: Arc::clone(&store),
        events: events.clone(),
        settings: dynamic.clone(),
        clock: clock.clone(),
    };
    let jobs = Jobs::start(&ground, &draining);

    let mut registry = Registry::with_prefix("cofre");
    let listeners = metrics::ListenerMetrics::register(&mut registry);
    for (name, listener) in [("s3", &s3), ("admin", &admin)] {
        if let Some(ends) = listener.certificate_ends() {
            ends.tell(listeners.certificate_end(name));
        }
    }
    if let Some(acme) = &acme {
        metrics::ListenerMetrics::register_acme(&mut registry, acme.failing_since().clone());
    }
    let reports = Reports::default();
    let door = S3Door::new(S3Parts {
        objects: upkeep.objects().clone(),
        iam: iam.clone(),
        clock: clock.clone(),
        random: random.clone(),
        options: S3Options {
            domains: settings.domains.clone(),
            website_domains: settings.website_domains.clone(),
            region: settings.region.clone(),
            other_regions: settings.other_regions.clone(),
            allow_insecure_sse_c: settings.allow_insecure_sse_c,
            limits: request_limits(&settings),
            takes_version_2: settings.signature_version_2,
            ..S3Options::default()
        },
        observe: Arc::new(metrics::S3Metrics::register(&mut registry)),
        reports: reports.clone(),
    });
    watch::start(Arc::clone(&store), clock.clone(), closing.clone());
    history::keep(Arc::clone(&store), pool.clone(), clock.clone(), closing.clone());
    follow::start(&dynamic, &door, log, settings.log_level, &closing);
    let api = Admin::new(AdminParts {
        iam,
        settings: dynamic,
        events,
        upkeep,
        topology,
        jobs: jobs.control(),
        catalog: Arc::new(catalog::EmbeddedCatalog::new(&settings, base.store.clone(), &clock)),
        reports,
        registry,
        clock: clock.clone(),
        random: random.clone(),
        draining: leaving.clone(),
        redundancy: redundancy.scheme,
        concerns: Arc::new({
            let acme = acme.clone();
            move || acme.as_ref().map_or_else(Vec::new, |acme| acme.verdicts())
        }),
    });
    let (limits, proxies) = (Limits::of(&settings), TrustedProxies::new(&settings.trusted_proxies));
    let health = Health::new(Arc::clone(&api), leaving.clone(), clock.clone());
    let serving = |name, shutdown: &Shutdown, grace, in_the_clear| Serving {
        limits,
        proxies: proxies.clone(),
        connections: listeners.connections(name),
        in_the_clear,
        shutdown: shutdown.clone(),
        grace,
    };
    let tokens = acme.as_ref().map(|acme| acme.tokens().clone());
    let open: Arc<dyn InTheClear> = Arc::new((health.clone(), tokens.clone()));
    let s3_serving = serving("s3", &draining, settings.shutdown_grace, Some(open));
    let admin_serving = serving("admin", &closing, END_GRACE, None);
    let (s3_address, admin_address) = (s3.address(), admin.address());
    let s3_port = s3_address.port();
    let service = {
        let random = random.clone();
        move |origin| {
            let guarded = Guarded { service: door.connection(origin), door: Door::S3, s3_port, random: random.clone() };
            WithHealth { service: guarded, door: door.clone(), health: health.clone() }
        }
    };
    let s3_task = spawn(s3.serve(s3_serving, clock.clone(), service));
    let router = cofre_admin_server::router(api);
    let service = move |_| {
        let service = hyper_util::service::TowerToHyperService::new(router.clone());
        Guarded { service, door: Door::Admin, s3_port, random: random.clone() }
    };
    let beside = Beside::start()?;
    let admin_task = beside.serve(admin, admin_serving, clock.clone(), service);
    if let (Some(challenges), Some(tokens)) = (challenges, tokens) {
        let serving = serving("acme", &closing, END_GRACE, None);
        drop(spawn(challenges.serve(serving, clock.clone(), move |_| Only(tokens.clone()))));
    }
    if let Some(acme) = &acme {
        acme.start(closing.clone());
    }
    Ok(Running {
        s3: s3_address,
        admin: admin_address,
        first,
        leaving,
        draining,
        closing,
        s3_task,
        admin_task,
        beside,
        jobs,
        upkeep: ours,
        store: base.store,
        shutdown_delay: settings.shutdown_delay,
        shards: pool,
        shutdown_grace: settings.shutdown_grace,
        clock,
    })
}

/// The certificate of a listener, if there are files of it.
async fn certificates_of(
    files: Option<&TlsFiles>,
    setting: &'static str,
    closing: &Shutdown,
) -> Result<Option<Arc<Certificates>>> {
    match files {
        Some(files) => Ok(Some(certificates_in(files, closing.clone()).await.context(setting)?)),
        None => Ok(None),
    }
}

fn request_limits(settings: &BootSettings) -> RequestLimits {
    RequestLimits {
        requests_max: settings.requests_max,
        requests_per_account_max: settings.requests_per_account_max,
        requests_per_address_max: settings.requests_per_address_max,
        anonymous_per_second: settings.anonymous_requests_per_second,
        documents_bytes_max: usize::try_from(settings.documents_bytes_max).unwrap_or(usize::MAX),
        refused_per_second: settings.refused_requests_per_second,
    }
}

/// Name of the variable that sets the wall clock ahead, in seconds, where the program was built with debug assertions.
const CLOCK_AHEAD_VARIABLE: &str = "COFRE_DEBUG_CLOCK_AHEAD_SECS";

/// The machine's clocks. A program for debugging may be set ahead, to see what takes hours.
fn clock() -> Clock {
    let ahead = std::env::var(CLOCK_AHEAD_VARIABLE).ok().filter(|_| cfg!(debug_assertions));
    Clock::system_ahead(Duration::from_secs(ahead.and_then(|secs| secs.parse().ok()).unwrap_or(0)))
}

impl Running {
    /// Comes to an end once the catalog has answered, well or not.
    pub(crate) fn pulse(&self) -> impl Fn() -> Pulse + Send + Sync + 'static {
        let store = Arc::clone(&self.store);
        move || {
            let store = Arc::clone(&store);
            Box::pin(async move { drop(store.get_many(vec![keys::cluster()]).await) })
        }
    }

    /// The clock of this Cofre.
    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// How long [`Self::drain`] takes at the most.
    pub(crate) fn drain_max(&self) -> Duration {
        self.shutdown_delay + self.shutdown_grace + 3 * END_GRACE
    }

    /// Ends: readiness turns at once, the port closes after the delay, requests under way finish within the grace, then
    /// all closes.
    ///
    /// # Errors
    /// If the catalog could not be closed in order. What was acknowledged is durable even so.
    pub async fn drain(self) -> Result<()> {
        self.leaving.begin();
        if !self.shutdown_delay.is_zero() {
            tracing::info!(delay_secs = self.shutdown_delay.as_secs(), "leaving: not ready any more, and serving on");
            self.clock.sleep(self.shutdown_delay).await;
        }
        tracing::info!(grace_secs = self.shutdown_grace.as_secs(), "draining: no new connections");
        self.draining.begin();
        self.s3_task.await.context("the S3 listener panicked")?;
        self.jobs.ended(END_GRACE).await;
        // Lines of the last requests.
        self.upkeep.write_access_lines().await;
        self.closing.begin();
        self.admin_task.await.context("the admin listener panicked")?;
        drop(self.beside);
        history::note(&*self.store, &self.shards, 0).await;
        self.store.close().await.context("closing the catalog")?;
        tracing::info!("closed");
        Ok(())
    }
}
