use crate::figures::{Figures, Remaining};
use crate::{Ground, JobError, compact};
use cofre_blobs::Holdings;
use cofre_catalog::records::ShardMode;
use cofre_settings::JobName;
use cofre_types::Timestamp;
use std::time::Duration;

/// What is left for a job to do, read from what the catalog counts. What it does not count is not known.
pub(crate) async fn remaining(name: JobName, ground: &Ground, figures: &Figures) -> Result<Remaining, JobError> {
    let topology = &ground.topology;
    Ok(match name {
        JobName::Heal => {
            let waiting = topology.waiting_for_heal().await?;
            Remaining { objects: Some(waiting.blobs).filter(|_| !waiting.more), bytes: None }
        }
        JobName::Drain => known(on_shards(ground, |mode| mode == ShardMode::Draining).await?),
        JobName::Rebuild => known(on_shards(ground, ShardMode::is_given_up).await?),
        JobName::Reconcile => {
            let held = on_shards(ground, |mode| mode == ShardMode::Returning).await?;
            if held == Holdings::default() { known(held) } else { less(held, figures) }
        }
        JobName::Scrub if figures.pass_began > figures.pass_ended => less(on_shards(ground, |_| true).await?, figures),
        JobName::Scrub => known(Holdings::default()),
        JobName::Reclaim => {
            let doomed = topology.waiting_to_be_deleted().await?;
            Remaining {
                objects: Some(doomed.copies).filter(|_| !doomed.more),
                bytes: Some(doomed.bytes).filter(|_| !doomed.more),
            }
        }
        JobName::AttachShards => {
            let shards = topology.list().await?;
            let away = shards.iter().filter(|shard| !shard.record.mode.is_given_up() && !shard.readable()).count();
            Remaining { objects: Some(away as u64), bytes: None }
        }
        JobName::Rebalance => Remaining { objects: None, bytes: Some(ground.blobs.imbalance().await?.bytes_to_move) },
        JobName::AccessLogs => {
            let backlog = ground.upkeep.access_log_backlog().await?;
            Remaining { objects: None, bytes: u64::try_from(backlog.bytes).ok() }
        }
        JobName::Convert => objects(left_to_convert(ground, figures).await?),
        JobName::StaleUploads => {
            let age = ground.settings.current().timers.stale_upload_secs;
            let age = Some(Duration::from_secs(age)).filter(|age| !age.is_zero());
            objects(match age {
                Some(age) => ground.upkeep.stale_uploads_left(age).await?,
                None => Some(0),
            })
        }
        // What a shard lists is known once it was listed.
        JobName::Orphans => {
            let ended = figures.pass_ended.is_some() && figures.pass_ended >= figures.pass_began;
            objects((ended && figures.waiting == 0).then_some(0))
        }
        // How much of a pack lives is known once it was gone through; the oldest look that counts is younger than this.
        JobName::Compact => {
            let now = Timestamp(ground.clock.now_nanos());
            let proved = figures.finished.is_some_and(|at| now.since(at) < 2 * compact::LOOK_EVERY);
            objects(proved.then_some(0))
        }
        // To count what is too much is to walk over all that is kept, as the job does now and then.
        JobName::TrimEvents => Remaining::default(),
        JobName::Lifecycle | JobName::CatalogBackup => Remaining::default(),
    })
}

/// Versions that the pass under way has not looked at, or those that it left over.
async fn left_to_convert(ground: &Ground, figures: &Figures) -> Result<Option<u64>, JobError> {
    let begun = figures.goal == ground.upkeep.redundancy_goal().await?;
    Ok(match begun {
        true if figures.pass_began > figures.pass_ended => ground.upkeep.left_to_convert(&figures.cursor).await?,
        true => Some(figures.waiting),
        false => ground.upkeep.left_to_convert(&[]).await?,
    })
}

const fn objects(objects: Option<u64>) -> Remaining {
    Remaining { objects, bytes: None }
}

/// What records name on the shards of some modes.
async fn on_shards(ground: &Ground, wanted: impl Fn(ShardMode) -> bool) -> Result<Holdings, JobError> {
    let mut sum = Holdings::default();
    for shard in ground.topology.list().await? {
        if wanted(shard.record.mode) {
            let held = ground.topology.holdings(shard.record.id).await?;
            sum.blobs += held.blobs;
            sum.bytes += held.bytes;
        }
    }
    Ok(sum)
}

const fn known(held: Holdings) -> Remaining {
    Remaining { objects: Some(held.blobs), bytes: Some(held.bytes) }
}

/// What is held, less what the pass has looked at.
fn less(held: Holdings, figures: &Figures) -> Remaining {
    let seen: u64 = figures.shards.iter().map(|pass| pass.copies + pass.bad + pass.unreachable).sum();
    let bytes: u64 = figures.shards.iter().map(|pass| pass.bytes).sum();
    known(Holdings { blobs: held.blobs.saturating_sub(seen), bytes: held.bytes.saturating_sub(bytes) })
}
