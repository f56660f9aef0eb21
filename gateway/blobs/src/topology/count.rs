use super::{Topology, TopologyError};
use cofre_catalog::records::ShardUsage;
use cofre_catalog::{ReadExt, Store, StoreError, keys};
use cofre_types::ShardId;

/// What stands on a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holdings {
    /// Copies that a record names.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Topology {
    /// What stands on a shard: the copies that records name, which every commit keeps count of. Copies
    /// that wait to be deleted are not in it.
    ///
    /// # Errors
    /// [`TopologyError`] if the catalog cannot be read.
    pub async fn holdings(&self, shard: ShardId) -> Result<Holdings, TopologyError> {
        Ok(holdings(&*self.0.store, shard).await?)
    }
}

/// What the records name on a shard.
pub(super) async fn holdings(store: &dyn Store, shard: ShardId) -> Result<Holdings, StoreError> {
    let row = store.get(keys::shard_usage(shard)).await?;
    let named = row.map_or_else(ShardUsage::default, |entry| ShardUsage::from_value(&entry.value));
    Ok(Holdings { blobs: named.copies.unsigned_abs(), bytes: named.bytes.unsigned_abs() })
}
