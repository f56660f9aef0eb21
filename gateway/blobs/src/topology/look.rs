use super::{ATTACH_AT_ONCE, ShardSight, ShardView, Topology, TopologyError, place_text};
use cofre_catalog::Batch;
use cofre_shards::ShardState;
use cofre_types::ShardId;
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use std::time::Duration;
use tokio::time::timeout;

/// How long a look at one shard may take: a disk that hangs must not hold the others up.
const LOOK_MAX: Duration = Duration::from_millis(500);

/// Who events name for what a look saw.
const ACTOR: &str = "internal:shards";

/// Longest reason of an event, in characters.
const REASON_CHARS_MAX: usize = 512;

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
        let views = self.list().await?;
        self.tell_changes(&views).await;
        self.tell_damage(&views).await;
        Ok(views.iter().filter(|view| !view.readable()).count())
    }

    /// Commits an event for each shard that went away or is back since the last look. One that cannot be committed is
    /// tried again at the next look.
    async fn tell_changes(&self, views: &[ShardView]) {
        self.0.told_away.lock().retain(|id| views.iter().any(|view| view.record.id == *id));
        for view in views {
            let (id, away) = (view.record.id, !view.readable());
            if !self.note_told(id, away) {
                continue;
            }
            let kind = if away { "shard.away" } else { "shard.back" };
            if !self.tell(view, kind, why_away(view)).await {
                self.note_told(id, !away);
            }
        }
    }

    /// Commits an event for each shard of which something could not be read since the last look, or can be again.
    async fn tell_damage(&self, views: &[ShardView]) {
        self.0.told_damaged.lock().retain(|id| views.iter().any(|view| view.record.id == *id));
        for view in views {
            let ShardSight::Attached(status) = &view.sight else { continue };
            let (id, damage) = (view.record.id, status.damage.clone());
            let told = self.0.told_damaged.lock().contains(&id);
            let kind = match (told, &damage) {
                (false, Some(_)) => "shard.damaged",
                (true, None) => "shard.mended",
                (true, Some(_)) | (false, None) => continue,
            };
            if self.tell(view, kind, damage).await {
                let mut damaged = self.0.told_damaged.lock();
                _ = if told { damaged.remove(&id) } else { damaged.insert(id) };
            }
        }
    }

    /// Commits an event of a shard; whether it is recorded.
    async fn tell(&self, view: &ShardView, kind: &str, reason: Option<String>) -> bool {
        let mut details = vec![("place".to_owned(), place_text(&view.record.place))];
        let reason = reason.map(|reason| reason.chars().take(REASON_CHARS_MAX).collect());
        details.extend(reason.map(|reason| ("reason".to_owned(), reason)));
        let mut batch = Batch::new();
        batch.writes.push(self.event(kind, view.record.id, ACTOR, details).append(0));
        match self.0.store.commit(batch).await {
            Ok(_) => true,
            Err(error) => {
                tracing::warn!(shard = %view.record.id, %error, kind, "an event was not recorded");
                false
            }
        }
    }

    /// Notes what events say of a shard; whether they said otherwise before.
    fn note_told(&self, id: ShardId, away: bool) -> bool {
        let mut told = self.0.told_away.lock();
        if away { told.insert(id) } else { told.remove(&id) }
    }
}

/// Why a shard is away, as far as is known.
fn why_away(view: &ShardView) -> Option<String> {
    let why = match &view.sight {
        ShardSight::Unopened(why) => Some(why),
        ShardSight::Attached(status) => status.last_error.as_ref().filter(|_| !view.readable()),
    };
    why.cloned()
}
