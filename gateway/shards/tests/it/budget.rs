use crate::samples::*;
use cofre_shards::{Backend, BackendError, Budget, InUse, MemoryBackend};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

struct Told(AtomicU64);

#[async_trait::async_trait]
impl InUse for Told {
    async fn in_use_bytes(&self) -> Result<u64, BackendError> {
        Ok(self.0.load(Relaxed))
    }
}

#[tokio::test]
async fn what_is_told_to_stand_on_a_shard_is_taken_off_its_room() {
    let told = Arc::new(Told(AtomicU64::new(10 * MIB)));
    let shard = Budget::new(Arc::new(MemoryBackend::new(64 * MIB)), told.clone());
    let capacity = shard.capacity().await.unwrap();
    assert_eq!((capacity.total_bytes, capacity.free_bytes), (64 * MIB, 54 * MIB));
    told.0.store(65 * MIB, Relaxed);
    assert_eq!(shard.capacity().await.unwrap().free_bytes, 0, "a size that was lowered is no underflow");
}
