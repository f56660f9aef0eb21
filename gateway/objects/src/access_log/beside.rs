//! Lines of what the store itself did: part of the commit that does it.

use super::outbox::{Line, group_of};
use crate::bucket::cached::Bucket;
use crate::change::{Change, Refusal};
use crate::domain::Tried;
use crate::{Error, Objects};
use cofre_catalog::Committed;
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
        let group = group_of(&lines, self.log_backlog().await?);
        let mut logged = change.clone();
        logged.batch.append(group, |_| Refusal::Backlog);
        match self.commit_change(bucket, logged).await? {
            Committed::Done(_) => {
                self.0.outbox.note_written(count);
                Ok(Tried::Done)
            }
            Committed::Refused(Refusal::Backlog) => {
                let tried = self.try_commit(bucket, change).await?;
                if matches!(tried, Tried::Done) {
                    self.0.outbox.drop_lines(Some(to), count);
                    self.tell_dropped().await;
                }
                Ok(tried)
            }
            Committed::Refused(refusal) => Err(self.refused(bucket, refusal).await?),
            Committed::Changed => Ok(Tried::Again),
        }
    }
}
