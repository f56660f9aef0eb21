use cofre_catalog::{Memory, Store, conformance};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn conformance() {
    conformance::run_all(|_| async { Arc::new(Memory::new()) as Arc<dyn Store> }).await;
}
