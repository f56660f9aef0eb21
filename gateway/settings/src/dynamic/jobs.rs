//! Pause and pace of each background job.

use super::document::invalid;
use crate::error::SettingsError;
use serde::{Deserialize, Serialize};

/// Pause and pace of one background job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JobSettings {
    /// Whether it rests until this is false again. The step under way ends first, which takes seconds at the most.
    /// What the job is for waits meanwhile: nothing is healed, given back or moved.
    pub paused: bool,
    /// Share of the time that it may be busy, 0.01 to 1. If absent `timers.job_busy_share`; scrubbing, which reads
    /// everything and is never urgent, then takes no more than 0.05.
    pub busy_share: Option<f64>,
}

macro_rules! jobs {
    ($($(#[$doc:meta])* $name:ident = $field:ident $text:literal),+ $(,)?) => {
        /// Name of a background job.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum JobName {
            $($(#[$doc])* $name,)+
        }

        /// Pause and pace of each background job.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Jobs {
            $($(#[$doc])* pub $field: JobSettings,)+
        }

        impl JobName {
            /// Every job.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name in status, logs and metrics.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// The name of its section of the settings.
            pub const fn section(self) -> &'static str {
                match self { $(Self::$name => stringify!($field)),+ }
            }
        }

        impl Jobs {
            /// The settings of a job.
            pub const fn of(&self, name: JobName) -> &JobSettings {
                match name { $(JobName::$name => &self.$field),+ }
            }
        }
    };
}

jobs! {
    /// Makes objects of the lines of server access logs.
    AccessLogs = access_logs "access-logs",
    /// Opens shards that were away, looks whether shards answer, and gives up those that are away too long.
    AttachShards = attach_shards "attach-shards",
    /// Takes backups of the catalog onto the shards' disks.
    CatalogBackup = catalog_backup "catalog-backup",
    /// Lets shards move what is left in packs together, so that the space of deleted blobs comes back.
    Compact = compact "compact",
    /// Writes objects anew that stand under another redundancy than they should.
    Convert = convert "convert",
    /// Moves copies off shards that drain.
    Drain = drain "drain",
    /// Makes blobs whole that are below their redundancy.
    Heal = heal "heal",
    /// Does what lifecycle rules ask for.
    Lifecycle = lifecycle "lifecycle",
    /// Finds copies that no record names.
    Orphans = orphans "orphans",
    /// Moves copies from fuller shards to emptier ones.
    Rebalance = rebalance "rebalance",
    /// Queues blobs to be healed that have copies on shards that were given up.
    Rebuild = rebuild "rebuild",
    /// Drops references whose grace is over, and deletes copies that nothing names.
    Reclaim = reclaim "reclaim",
    /// Holds shards that came back against the catalog.
    Reconcile = reconcile "reconcile",
    /// Reads every copy of every blob.
    Scrub = scrub "scrub",
    /// Aborts uploads that were abandoned.
    StaleUploads = stale_uploads "stale-uploads",
    /// Trims the event log.
    TrimEvents = trim_events "trim-events",
}

impl Jobs {
    pub(super) fn validate(&self) -> Result<(), SettingsError> {
        for name in JobName::ALL {
            if self.of(*name).busy_share.is_some_and(|share| !(0.01..=1.0).contains(&share)) {
                return Err(invalid(&format!("jobs.{}.busy_share", name.section()), "must be 0.01 to 1"));
            }
        }
        Ok(())
    }
}

impl JobName {
    /// The job with this name, as status writes it.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|name| name.as_str() == text)
    }
}
