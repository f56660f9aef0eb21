use crate::samples::*;
use cofre_shards::conformance;
use cofre_shards::{Durability, MemoryBackend};

#[tokio::test]
async fn memory() {
    conformance::run(&MemoryBackend::new(256 * MIB), Durability::Durable).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filesystem_durable() {
    let root = Root::new();
    conformance::run(&root.create(), Durability::Durable).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filesystem_relaxed() {
    let root = Root::new();
    conformance::run(&root.create(), Durability::Relaxed).await;
}
