use crate::{Error, Objects};
use cofre_catalog::keys;
use cofre_catalog::records::{JobRecord, Record};
use cofre_catalog::{Batch, SnapshotExt};

impl Objects {
    /// How far a job is in its pass; the beginning of the first if it never ran.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn job_progress(&self, job: &str) -> Result<JobRecord, Error> {
        let entry = self.store().snapshot().await?.get(keys::job(job)).await?;
        Ok(entry.map(|entry| JobRecord::decode(&entry.value)).transpose()?.unwrap_or_default())
    }

    /// Notes how far a job is. Only the job itself writes it, so there is nothing to check.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn note_job_progress(&self, job: &str, progress: &JobRecord) -> Result<(), Error> {
        let mut batch = Batch::new();
        batch.put(keys::job(job), progress.encode());
        self.maintain(batch).await?;
        Ok(())
    }
}
