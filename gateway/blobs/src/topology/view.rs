use super::{Found, Topology, TopologyError};
use cofre_catalog::records::{ShardMode, ShardPlace, ShardRecord};
use cofre_shards::{ShardState, ShardStatus};
use cofre_types::{Scheme, ShardId};
use std::collections::{BTreeMap, BTreeSet};

/// A shard as the catalog and the pool know it.
#[derive(Debug, Clone)]
pub struct ShardView {
    /// Its record.
    pub record: ShardRecord,
    /// Revision of the record: what a change is made on top of.
    pub revision: u64,
    /// What the pool sees.
    pub sight: ShardSight,
}

/// What the pool sees of a shard.
#[derive(Debug, Clone)]
pub enum ShardSight {
    /// It is in the pool.
    Attached(Box<ShardStatus>),
    /// It could not be opened, for this reason.
    Unopened(String),
}

impl ShardView {
    /// What it shares with no copy of a blob elsewhere: its failure domain, or itself.
    pub fn domain(&self) -> String {
        match &self.record.failure_domain {
            Some(domain) => domain.clone(),
            // A NUL byte keeps the shard's own domain apart from every name.
            None => format!("\0{}", self.record.id),
        }
    }

    /// Whether blobs on it can be read now, as far as is known.
    pub fn readable(&self) -> bool {
        match &self.sight {
            ShardSight::Attached(status) => status.state != ShardState::Unreachable,
            ShardSight::Unopened(_) => false,
        }
    }
}

/// How many failure domains some shards are on.
pub fn domains<'a>(shards: impl IntoIterator<Item = &'a ShardView>) -> usize {
    shards.into_iter().map(ShardView::domain).collect::<BTreeSet<_>>().len()
}

/// What to do about backups where all shards are remote.
pub const BACKUPS_OF_REMOTE: &str = "all shards are remote, and Cofre puts backups of its own on disks of shards of this \
                                     machine only: take them with `cofre catalog backup` onto another disk, by a timer of \
                                     yours, and say so with `cofre admin settings set timers.catalog_backup_secs=0`";

/// Whether there are shards, and none is on a disk of this machine.
pub fn all_remote(shards: &[ShardView]) -> bool {
    !shards.is_empty() && shards.iter().all(|view| matches!(view.record.place, ShardPlace::S3(_)))
}

/// Shards that stand on one device of this machine and carry no failure domain that says what they fail with: for each
/// such device a text that names them. Those that drain or were given up do not count.
pub fn shared_devices<'a>(shards: impl IntoIterator<Item = &'a ShardView>) -> Vec<String> {
    let mut devices: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for view in shards {
        let stays = view.record.mode != ShardMode::Draining && !view.record.mode.is_given_up();
        let ShardSight::Attached(status) = &view.sight else { continue };
        if let Some(device) = status.device.filter(|_| stays && view.record.failure_domain.is_none()) {
            devices.entry(device).or_default().push(view.record.id.to_string());
        }
    }
    let shared = devices.into_values().filter(|shards| shards.len() > 1);
    shared.map(|shards| format!("shards {}", shards.join(", "))).collect()
}

/// What keeps a redundancy from being reached on some shards; `None` if nothing does.
pub fn out_of_reach<'a>(scheme: Scheme, shards: impl IntoIterator<Item = &'a ShardView>) -> Option<String> {
    let (wants, domains) = (scheme.width(), domains(shards));
    let are = if domains == 1 { "is" } else { "are" };
    (domains < wants).then(|| format!("{scheme} wants {wants} failure domains, and there {are} {domains}"))
}

impl Topology {
    /// Refuses a redundancy for which there are too few failure domains. Shards that drain or were given up do not
    /// count; those that are away for now do.
    ///
    /// # Errors
    /// [`TopologyError::OutOfReach`] names the field that asks for it.
    pub async fn check_reach(&self, field: &str, scheme: Scheme) -> Result<(), TopologyError> {
        let shards = self.list().await?;
        let stays = |view: &&ShardView| view.record.mode != ShardMode::Draining && !view.record.mode.is_given_up();
        match out_of_reach(scheme, shards.iter().filter(stays)) {
            None => Ok(()),
            Some(why) => Err(TopologyError::OutOfReach { field: field.to_owned(), why }),
        }
    }

    /// Every shard, by number.
    ///
    /// # Errors
    /// [`TopologyError`] if the catalog cannot be read.
    pub async fn list(&self) -> Result<Vec<ShardView>, TopologyError> {
        let records = self.records().await?;
        let statuses = self.0.shards.status();
        Ok(records.into_iter().map(|found| self.view(found, &statuses)).collect())
    }

    /// One shard.
    ///
    /// # Errors
    /// [`TopologyError::NoSuchShard`].
    pub async fn get(&self, id: ShardId) -> Result<ShardView, TopologyError> {
        let found = self.found(id).await?;
        Ok(self.view(found, &self.0.shards.status()))
    }

    /// What the pool sees of each shard in it, without asking the catalog: for metrics.
    pub fn statuses(&self) -> Vec<ShardStatus> {
        self.0.shards.status()
    }

    fn view(&self, found: Found, statuses: &[ShardStatus]) -> ShardView {
        let Found { record, entry } = found;
        let sight = match statuses.iter().find(|status| status.id == record.id) {
            Some(status) => ShardSight::Attached(Box::new(status.clone())),
            None => {
                let reason = self.0.unopened.lock().get(&record.id).cloned();
                ShardSight::Unopened(reason.unwrap_or_else(|| "it has not been opened yet".to_owned()))
            }
        };
        ShardView { record, revision: entry.revision.0, sight }
    }
}
