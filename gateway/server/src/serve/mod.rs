//! A whole Cofre in one process.
//!
//! # Ordering
//! A first start is looked at before anything is written. The catalog opens first: its lock keeps a
//! second process off everything else. Then the addresses are bound, so that nothing is made for a
//! process that cannot serve. The secrets of a first start are handed out once nothing else can fail,
//! and reach their files before the catalog knows them. What there should be is made before doors open, which is last.
//!
//! At the end it goes the other way: readiness turns first, the S3 door drains once balancers had time to see that, jobs
//! end, the admin API closes, and the catalog last.

mod acme;
mod beside;
mod boot;
mod catalog;
mod clock;
mod console_hint;
mod doors;
mod follow;
mod health;
mod history;
mod key_ring;
mod listen;
pub(crate) mod log;
mod log_lines;
mod metrics;
mod opener;
mod origin;
mod owners;
mod provision;
mod redundancy;
mod untouched;
mod watch;
mod wrong_door;

use acme::Acme;
pub(crate) use boot::catalog_directory;
pub(crate) use health::{LIVE, READY};
pub use log::LogControl;

use anyhow::{Context, Result};
use cofre_admin_server::{Admin, AdminParts, LinksTo};
use cofre_blobs::{Blobs, BlobsParts, Topology};
use cofre_catalog::{Embedded, ReadExt, Store, keys};
use cofre_events::EventLog;
use cofre_iam::{Admission, Iam, Reports};
use cofre_jobs::{Ground, Jobs};
use cofre_objects::{Error, Parts, Upkeep};
use cofre_runtime::{Clock, Random, Shutdown};
use cofre_s3::{S3Door, S3Options, S3Parts};
use cofre_settings::{BootSettings, DynamicSettings};
use cofre_shards::{Shards, ShardsOptions};
use cofre_shards_s3::Forbidden;
use console_hint::ConsoleAt;
use doors::{Closes, Doors};
use health::{Health, WithHealth};
use listen::{Door, InTheClear, Limits, Listener, Only, TrustedProxies, certificates_of};
use origin::router_of;
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
    /// Where the console listens alone, if it does.
    pub console: Option<SocketAddr>,
    /// What was made if this is the first start.
    pub first: Option<FirstStart>,
    /// Readiness turns.
    leaving: Shutdown,
    doors: Doors,
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
    let (clock, random) = (clock::of_machine(), Random::system());
    owners::check(&settings).await?;
    untouched::check(&settings).await?;
    let wanted = provision::read(&settings).await?;
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
    let s3 = Listener::bind(Door::S3, settings.listen, certificates.clone(), &random).await?;
    let of_admin = certificates_of(settings.admin_tls.as_ref(), "admin_tls_cert, admin_tls_key", &closing).await?;
    let of_console = certificates.or_else(|| of_admin.clone());
    let admin = Listener::bind(Door::Admin, settings.admin_listen, of_admin, &random).await?;
    let console = match settings.console_listen {
        Some(address) => Some(Listener::bind(Door::Console, address, of_console, &random).await?),
        None => None,
    };
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
        forbidden: Forbidden::with_listeners(
            &[&s3, &admin].into_iter().chain(&console).map(Listener::address).collect::<Vec<_>>(),
        ),
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
    boot::count_waiting(&topology).await?;
    let ours = upkeep.clone();
    let events = EventLog::new(Arc::clone(&store));
    let log_of_events = events.clone();
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
    if let Some(acme) = &acme {
        metrics::ListenerMetrics::register_acme(&mut registry, acme.failing_since().clone());
    }
    let reports = Reports::default();
    let admission = Admission::new(clock.clone(), &boot::request_limits(&settings));
    let door = S3Door::new(S3Parts {
        objects: upkeep.objects().clone(),
        iam: iam.clone(),
        admission: admission.clone(),
        clock: clock.clone(),
        random: random.clone(),
        options: S3Options {
            domains: settings.domains.clone(),
            website_domains: settings.website_domains.clone(),
            region: settings.region.clone(),
            other_regions: settings.other_regions.clone(),
            allow_insecure_sse_c: settings.allow_insecure_sse_c,
            documents_bytes_max: usize::try_from(settings.documents_bytes_max).unwrap_or(usize::MAX),
            takes_version_2: settings.signature_version_2,
            ..S3Options::default()
        },
        observe: Arc::new(metrics::S3Metrics::register(&mut registry)),
        reports: reports.clone(),
    });
    watch::start(Arc::clone(&store), clock.clone(), closing.clone());
    history::keep(Arc::clone(&store), pool.clone(), clock.clone(), closing.clone());
    follow::start(&dynamic, (&door, &admission), log, settings.log_level, &closing);
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
        browse_limits: cofre_admin_server::BrowseLimits {
            requests_max: settings.requests_max,
            requests_per_account_max: settings.requests_per_account_max,
            requests_per_address_max: settings.requests_per_address_max,
        },
        links: LinksTo {
            url: settings.s3_url.clone(),
            port: s3.address().port(),
            tls: s3.certificate_ends().is_some(),
            region: settings.region.clone(),
        },
        concerns: Arc::new({
            let acme = acme.clone();
            move || acme.as_ref().map_or_else(Vec::new, |acme| acme.verdicts())
        }),
    });
    let outlook = (&log_of_events, &clock, &random);
    if let Err(error) = provision::carry_out(&settings, &api, wanted, first.is_some(), outlook).await {
        // Nothing serves; what began ends in order.
        draining.begin();
        closing.begin();
        jobs.ended(END_GRACE).await;
        base.store.close().await.context("closing the catalog")?;
        return Err(error);
    }
    let bounds = (Limits::of(&settings), TrustedProxies::new(&settings.trusted_proxies));
    let mut doors = Doors::new(bounds, listeners, clock.clone(), (draining, closing.clone()))?;
    let health = Health::new(Arc::clone(&api), leaving.clone(), clock.clone());
    let tokens = acme.as_ref().map(|acme| acme.tokens().clone());
    let open: Arc<dyn InTheClear> = Arc::new((health.clone(), tokens.clone()));
    let (s3_address, admin_address) = (s3.address(), admin.address());
    let s3_port = s3_address.port();
    let console_address = console.as_ref().map(Listener::address);
    let shown = console.as_ref().unwrap_or(&admin);
    let console_at = Some(ConsoleAt { address: shown.address(), tls: shown.certificate_ends().is_some() });
    let service = {
        let random = random.clone();
        move |origin| {
            let guarded = Guarded {
                service: door.connection(origin),
                door: Door::S3,
                s3_port,
                console: console_at,
                random: random.clone(),
            };
            WithHealth { service: guarded, door: door.clone(), health: health.clone() }
        }
    };
    let (closes_first, closes_last) = (Closes::First(settings.shutdown_grace), Closes::Last(END_GRACE));
    doors.open(s3, closes_first, Some(open), service);
    let whole = cofre_admin_server::router(Arc::clone(&api));
    let pages = if settings.console_admin { whole.clone() } else { cofre_admin_server::console_router(api) };
    let routed = |door| (door, s3_port, random.clone());
    doors.open_beside(admin, closes_last, router_of(whole, routed(Door::Admin)));
    if let Some(console) = console {
        doors.open(console, closes_last, None, router_of(pages, routed(Door::Console)));
    }
    if let (Some(challenges), Some(tokens)) = (challenges, tokens) {
        doors.open(challenges, closes_last, None, move |_| Only(tokens.clone()));
    }
    if let Some(acme) = &acme {
        acme.start(closing.clone());
    }
    Ok(Running {
        s3: s3_address,
        admin: admin_address,
        console: console_address,
        first,
        leaving,
        doors,
        jobs,
        upkeep: ours,
        store: base.store,
        shutdown_delay: settings.shutdown_delay,
        shards: pool,
        shutdown_grace: settings.shutdown_grace,
        clock,
    })
}

impl Running {
    /// Comes to an end once the catalog has answered, well or not.
    pub(crate) fn pulse(&self) -> impl Fn() -> Pulse + Send + Sync + 'static {
        let store = Arc::clone(&self.store);
        move || {
            let store = Arc::clone(&store);
            Box::pin(async move { drop(store.get(keys::cluster()).await) })
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
    pub async fn drain(mut self) -> Result<()> {
        self.leaving.begin();
        if !self.shutdown_delay.is_zero() {
            tracing::info!(delay_secs = self.shutdown_delay.as_secs(), "leaving: not ready any more, and serving on");
            self.clock.sleep(self.shutdown_delay).await;
        }
        tracing::info!(grace_secs = self.shutdown_grace.as_secs(), "draining: no new connections");
        self.doors.close_first().await?;
        self.jobs.ended(END_GRACE).await;
        // Lines of the last requests.
        self.upkeep.access_log().write().await;
        self.doors.close().await?;
        history::note(&*self.store, &self.shards, 0).await;
        self.store.close().await.context("closing the catalog")?;
        tracing::info!("closed");
        Ok(())
    }
}
