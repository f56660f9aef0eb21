//! Settings that operators change while the process runs.
//!
//! # Invariants
//! Revisions are numbered 1, 2, 3 without a gap; 0 stands for the defaults, before any change. A
//! revision is committed with its event, and only on top of the revision its author had read, so
//! that no change is lost. Every document in the catalog has passed validation.
//!
//! # Ordering
//! [`DynamicSettings::current`] never goes back to an older revision. A change that was made through
//! this handle is in force when the call returns; one by another process soon after its commit.
//!
//! # Limits
//! A document has at most [`DOCUMENT_BYTES_MAX`] bytes and the history at most
//! [`HISTORY_REVISIONS_MAX`] revisions: 64 MiB of catalog at the very most, and 1 MiB as a rule. The
//! oldest revision is deleted by the change that goes beyond.

mod change;
mod classes;
mod diff;
mod document;
mod history;
mod jobs;
mod new_buckets;
mod stored;
mod writes;

pub use change::{AUTHOR_BYTES_MAX, NOTE_BYTES_MAX, Patch};
pub use classes::ClassScheme;
pub use diff::Change;
pub use document::{CORS_ORIGINS_MAX, CorsDefault, LogLevel, Quotas, RateLimits, Repair, Settings, Timers};
pub use history::{HISTORY_PAGE_MAX, History, RevisionInfo};
pub use jobs::{JobName, JobSettings, Jobs};
pub use new_buckets::{DefaultOwnership, NewBuckets};
pub use stored::DOCUMENT_BYTES_MAX;
pub use writes::{REPLICATE_BYTES_MAX, Writes};

use crate::error::SettingsError;
use arc_swap::ArcSwap;
use cofre_catalog::keys::family;
use cofre_catalog::{ReadExt, Scan, Slot, Store};
use cofre_runtime::{Clock, Shutdown};
use std::sync::Arc;
use std::time::Duration;
use stored::Latest;
use tokio::sync::watch;

/// Most revisions that the history keeps.
pub const HISTORY_REVISIONS_MAX: u64 = 1_000;

/// Rest after a failure to read another process' change.
const FOLLOW_RETRY: Duration = Duration::from_secs(5);

/// Settings and the revision that they are.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Revised {
    /// The revision; 0 for the defaults. An ETag of the document.
    pub revision: u64,
    /// The settings.
    pub settings: Arc<Settings>,
}

/// The dynamic settings of a Cofre. Cloning is cheap; all clones share one state.
#[derive(Clone)]
pub struct DynamicSettings(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    clock: Clock,
    current: ArcSwap<Revised>,
    announced: watch::Sender<Revised>,
}

impl DynamicSettings {
    /// Reads the settings in force.
    ///
    /// # Errors
    /// [`SettingsError::Store`] or [`SettingsError::Damaged`].
    pub async fn open(store: Arc<dyn Store>, clock: Clock) -> Result<Self, SettingsError> {
        let settings = Self(Arc::new(Inner {
            store,
            clock,
            current: ArcSwap::default(),
            announced: watch::Sender::new(Revised::default()),
        }));
        settings.refresh().await?;
        Ok(settings)
    }

    /// The settings in force. Takes no lock and does no input or output: fit for every request.
    pub fn current(&self) -> Arc<Settings> {
        Arc::clone(&self.0.current.load().settings)
    }

    /// The settings in force and their revision.
    pub fn revised(&self) -> Revised {
        Revised::clone(&self.0.current.load())
    }

    /// Hears of each change. A slow reader sees the newest and may miss those between.
    pub fn subscribe(&self) -> watch::Receiver<Revised> {
        self.0.announced.subscribe()
    }

    /// Follows changes of other processes until shutdown begins. Run it as a task.
    pub async fn follow(&self, shutdown: Shutdown) {
        let slot = Slot::of_family(family::SETTINGS);
        let mut seen = self.0.store.freshness(slot);
        loop {
            // It is asked for before the settings are read, so a change in between is seen next time.
            if let Err(error) = self.refresh().await {
                tracing::warn!(%error, "cannot read the dynamic settings; the last ones stay in force");
                tokio::select! {
                    () = self.0.clock.sleep(FOLLOW_RETRY) => continue,
                    () = shutdown.begun() => return,
                }
            }
            tokio::select! {
                // A store that hears nothing of others' changes has this read them again and again.
                fresh = self.0.store.wait_changed(slot, seen) => seen = fresh,
                () = shutdown.begun() => return,
            }
        }
    }

    /// Reads the newest revision and puts it in force.
    async fn refresh(&self) -> Result<(), SettingsError> {
        let latest = self.latest().await?;
        self.apply(latest.revised);
        Ok(())
    }

    async fn latest(&self) -> Result<Latest, SettingsError> {
        let newest = self.0.store.page(Scan::prefix(&[family::SETTINGS]).reversed(), 1).await?.pop();
        newest.map_or_else(|| Ok(Latest::default()), |(key, entry)| Latest::read(&key, &entry))
    }

    /// Puts a revision in force, unless a later one is.
    fn apply(&self, revised: Revised) {
        // The sender's lock orders the two: what is announced last is what is in force.
        self.0.announced.send_if_modified(|announced| {
            let newer = revised.revision > announced.revision;
            if newer {
                self.0.current.store(Arc::new(revised.clone()));
                *announced = revised;
            }
            newer
        });
    }
}

impl std::fmt::Debug for DynamicSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DynamicSettings").field(&self.0.current.load()).finish()
    }
}
