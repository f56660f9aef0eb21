//! Boot and dynamic settings through the public face, over the memory engine.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod boot;
mod boot_file;
mod changes;
mod history;
mod watching;

use cofre_catalog::{Memory, Store};
use cofre_runtime::ManualClock;
use cofre_settings::{DynamicSettings, Patch, Revised, SettingsError};
use cofre_types::Timestamp;
use serde_json::Value;
use std::sync::Arc;

struct Bench {
    store: Arc<dyn Store>,
    clock: ManualClock,
    settings: DynamicSettings,
}

impl Bench {
    async fn new() -> Self {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let clock = ManualClock::at(Timestamp::from_secs(1_000).0);
        let settings = DynamicSettings::open(Arc::clone(&store), clock.clock()).await.unwrap();
        Self { store, clock, settings }
    }

    /// The settings as another process sees them.
    async fn other(&self) -> DynamicSettings {
        DynamicSettings::open(Arc::clone(&self.store), self.clock.clock()).await.unwrap()
    }

    /// Patches on top of the revision in force.
    async fn patch(&self, merge: Value) -> Result<Revised, SettingsError> {
        self.settings.patch(patch(self.settings.revised().revision, merge)).await
    }
}

fn patch(expected: u64, merge: Value) -> Patch {
    Patch { expected, merge, author: "token:ann".to_owned(), note: "a test".to_owned() }
}
