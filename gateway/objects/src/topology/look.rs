use super::{ATTACH_AT_ONCE, ShardSight, Topology, TopologyError};
use cofre_shards::ShardState;
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use std::time::Duration;
use tokio::time::timeout;

/// How long a look at one shard may take: a disk that hangs must not hold the others up.
const LOOK_MAX: Duration = Duration::from_millis(500);

impl Topology {
    /// Looks whether every shard still answers and is the one it should be, so that what is known of it is no older
    /// than a second. Cheap: a shard that answers is not written to.
    pub async fn look(&self) {
        let statuses = self.0.shards.status();
        join_all(statuses.iter().map(|status| async {
            if timeout(LOOK_MAX, self.0.shards.look(status.id)).await.is_err() {
                self.0.shards.look_hung(status.id);
            }
        }))
        .await;
    }

    /// Opens shards that are not in the pool, and puts those that do not answer to the proof; one that was mounted
    /// anew is opened anew. Tells how many are still away.
    ///
    /// # Errors
    /// [`TopologyError`] if the catalog cannot be read.
    pub async fn attach_missing(&self) -> Result<usize, TopologyError> {
        self.look().await;
        let views = self.list().await?;
        let unopened = views.iter().filter(|view| matches!(view.sight, ShardSight::Unopened(_)));
        // Side by side, so that nodes which hang cost their time-out once.
        stream::iter(unopened).for_each_concurrent(ATTACH_AT_ONCE, |view| self.attach(&view.record)).await;
        for view in &views {
            let ShardSight::Attached(status) = &view.sight else { continue };
            let fails = matches!(status.state, ShardState::Unreachable | ShardState::Suspect)
                && self.0.shards.probe(view.record.id).await.is_err();
            if fails && status.state == ShardState::Unreachable {
                self.attach_anew(&view.record).await;
            }
        }
        Ok(self.list().await?.iter().filter(|view| !view.readable()).count())
    }
}
