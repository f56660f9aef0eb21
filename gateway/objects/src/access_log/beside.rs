//! Lines of what the store itself did: part of the commit that does it.

use super::outbox::{Group, Line};
use crate::change::Change;
use crate::domain::{Bucket, Tried};
use crate::{Error, Objects};
use cofre_catalog::{Check, keys};
use std::sync::Arc;

impl Objects {
    /// Commits a change to a bucket as [`Objects::try_commit`] does, and lines of its access log with it. Where the
    /// outbox has no room for them they are dropped, counted and told, and the change is made without them. Without
    /// lines, or where the bucket is not logged, it costs nothing more.
    pub(crate) async fn try_commit_logged(
        &self,
        bucket: &Bucket,
        change: Change,
        lines: Vec<String>,
    ) -> Result<Tried, Error> {
        let Some(to) = bucket.logging.as_ref().filter(|_| !lines.is_empty()) else {
            return self.try_commit(bucket, change).await;
        };
        let (at, count) = (self.now(), lines.len() as u64);
        let lines: Vec<_> = lines.into_iter().map(|text| Line { to: Arc::clone(to), at, text }).collect();
        let group = Group::of(&lines, self.access_log_backlog().await?).batch;
        let mut logged = change.clone();
        logged.batch.checks.extend(group.checks);
        logged.batch.writes.extend(group.writes);
        match self.commit_change(bucket, logged).await? {
            None => {
                self.0.outbox.note_written(count);
                Ok(Tried::Done)
            }
            Some(failed) if bounds_backlog(&failed) => {
                let tried = self.try_commit(bucket, change).await?;
                if matches!(tried, Tried::Done) {
                    self.0.outbox.drop_lines(Some(to), count);
                    self.tell_dropped().await;
                }
                Ok(tried)
            }
            Some(failed) => self.again_unless_refused(bucket, &failed).await,
        }
    }
}

/// Whether a check holds the lines that wait to their bound.
fn bounds_backlog(check: &Check) -> bool {
    matches!(check, Check::CounterAtMost { key, .. } if key.first() == Some(&keys::family::ACCESS_LOG_BACKLOG))
}
