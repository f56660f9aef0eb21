//! Lines of what the store itself did: part of the commit that does it.

use crate::bucket::cached::Bucket;
use crate::change::{Change, Refusal};
use crate::domain::{Objects, Tried};
use crate::error::Error;
use cofre_catalog::Committed;

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
        let (log, count) = (&self.0.access_log, lines.len() as u64);
        let group = log.batch(to, lines).await?;
        let mut logged = change.clone();
        logged.batch.append(group, |_| Refusal::Backlog);
        match self.commit_change(bucket, logged).await? {
            Committed::Done(_) => {
                log.note_written(count);
                Ok(Tried::Done)
            }
            Committed::Refused(Refusal::Backlog) => {
                let tried = self.try_commit(bucket, change).await?;
                if matches!(tried, Tried::Done) {
                    log.note_dropped(to, count).await;
                }
                Ok(tried)
            }
            Committed::Refused(refusal) => Err(self.refused(bucket, refusal).await?),
            Committed::Changed => Ok(Tried::Again),
        }
    }
}
