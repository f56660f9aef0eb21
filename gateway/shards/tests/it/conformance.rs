use crate::samples::*;
use cofre_shards::MemoryBackend;
use cofre_shards::conformance;

#[tokio::test]
async fn memory() {
    conformance::run(&MemoryBackend::new(256 * MIB)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filesystem() {
    let root = Root::new();
    conformance::run(&root.create()).await;
}
