//! Tests of the catalog through its public seams.

mod backup;
mod crash;
mod damage;
mod differential;
mod embedded;
mod full;
mod golden;
mod guarded;
mod memory;
mod salvage;

use cofre_catalog::{Batch, Embedded, EmbeddedOptions, Revision, Store, StoreError};
use cofre_runtime::Clock;
use std::path::Path;

async fn open(path: &Path) -> Result<Embedded, StoreError> {
    Embedded::open(path, EmbeddedOptions::default(), Clock::system()).await
}

async fn put(store: &dyn Store, key: &str, value: &str) -> Revision {
    let mut batch = Batch::new();
    batch.put(key.as_bytes().to_vec(), value.as_bytes().to_vec());
    store.commit(batch).await.expect("commits")
}
