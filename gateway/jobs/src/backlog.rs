use crate::figures::{Figures, Remaining};
use crate::{Ground, JobError};
use cofre_catalog::records::ShardMode;
use cofre_objects::Holdings;
use cofre_settings::JobName;

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
        JobName::Rebalance => Remaining { objects: None, bytes: Some(ground.objects.imbalance().await?.bytes_to_move) },
        JobName::AccessLogs => {
            let backlog = ground.objects.access_log_backlog().await?;
            Remaining { objects: None, bytes: u64::try_from(backlog.bytes).ok() }
        }
        JobName::Compact
        | JobName::Convert
        | JobName::Lifecycle
        | JobName::Orphans
        | JobName::StaleUploads
        | JobName::TrimEvents => Remaining::default(),
    })
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
