//! Keeps apart that copies which stand on a shard come to be named again, and that compaction removes what was dead.
//!
//! Compaction asks about the records of a pack step by step, and removes the pack at the end. A copy that comes to be named
//! in between would go with it. So whoever is about to name one takes its turn here, and a pack goes only if nobody did
//! since the first of its records was asked about.

use crate::backend::{BackendError, Liveness, Locator, Moved, Relocate, RemovalTurn};
use async_trait::async_trait;
use cofre_types::BlobId;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

/// The turns on one shard.
#[derive(Debug, Default)]
pub(crate) struct Naming {
    turns: Arc<RwLock<()>>,
    begun: AtomicU64,
}

/// While it is held nothing is removed from the shard that was dead. To be held from before a copy is looked at until the
/// record that names it is committed.
#[derive(Debug)]
pub struct NamingTurn(#[allow(dead_code, reason = "it is held")] OwnedRwLockReadGuard<()>);

impl Naming {
    /// Waits for a turn to name copies.
    pub(crate) async fn turn(&self) -> NamingTurn {
        let turn = Arc::clone(&self.turns).read_owned().await;
        self.begun.fetch_add(1, Ordering::AcqRel);
        NamingTurn(turn)
    }
}

/// The owner of the locators, and the turns of those who name copies.
pub(crate) struct InTurn<'a> {
    pub(crate) owner: &'a dyn Relocate,
    pub(crate) naming: &'a Naming,
}

#[async_trait]
impl Relocate for InTurn<'_> {
    async fn live(&self, copies: &[(BlobId, Locator)]) -> Result<Vec<Liveness>, BackendError> {
        self.owner.live(copies).await
    }

    async fn moved(&self, moves: &[Moved]) -> Result<(), BackendError> {
        self.owner.moved(moves).await
    }

    fn named(&self) -> u64 {
        self.naming.begun.load(Ordering::Acquire)
    }

    async fn removal(&self, since: u64) -> Option<RemovalTurn> {
        let turn = Arc::clone(&self.naming.turns).write_owned().await;
        (self.named() == since).then(|| RemovalTurn::holding(turn))
    }
}
