//! Tells the log what changes in how the catalog does.

use cofre_catalog::{CommitState, Store};
use cofre_runtime::{Clock, Shutdown, spawn};
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;
use std::time::Duration;

/// How often it looks. Asking costs a few atomic loads.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Watches until shutdown begins.
pub(super) fn start(store: Arc<dyn Store>, clock: Clock, shutdown: Shutdown) {
    drop(spawn(async move {
        let mut told = discriminant(&CommitState::Taken);
        loop {
            told = tell(&store.state().commits, told);
            tokio::select! {
                () = clock.sleep(LOOK_EVERY) => {}
                () = shutdown.begun() => return,
            }
        }
    }));
}

/// Tells what is another than was told last.
fn tell(now: &CommitState, told: Discriminant<CommitState>) -> Discriminant<CommitState> {
    if discriminant(now) == told {
        return told;
    }
    match now {
        CommitState::Taken => tracing::info!("the catalog takes commits again"),
        CommitState::Slow(waiting) => {
            tracing::warn!(waiting_secs = waiting.as_secs(), "the catalog's disk does not answer: writes are refused");
        }
        CommitState::Full => tracing::warn!("the catalog's disk is full: writes are refused, deletions are taken"),
        CommitState::Refused(why) => tracing::error!(why, "the catalog takes no commits: writes are refused"),
    }
    discriminant(now)
}
