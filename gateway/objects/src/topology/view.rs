use super::{Found, Topology, TopologyError};
use cofre_catalog::records::ShardRecord;
use cofre_shards::{ShardState, ShardStatus};
use cofre_types::ShardId;

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
    /// Whether blobs on it can be read now, as far as is known.
    pub fn readable(&self) -> bool {
        match &self.sight {
            ShardSight::Attached(status) => status.state != ShardState::Unreachable,
            ShardSight::Unopened(_) => false,
        }
    }
}

impl Topology {
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
