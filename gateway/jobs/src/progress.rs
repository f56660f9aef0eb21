use crate::{Ground, JobError};
use cofre_catalog::records::{JobRecord, Record};
use cofre_catalog::{Batch, CommitError, ReadExt, keys};

impl Ground {
    /// How far a job is in its pass; the beginning of the first if it never ran.
    pub(crate) async fn job_progress(&self, job: &str) -> Result<JobRecord, JobError> {
        let entry = self.store.get(keys::job(job)).await?;
        Ok(entry.map(|entry| JobRecord::decode(&entry.value)).transpose()?.unwrap_or_default())
    }

    /// Notes how far a job is. Only the job itself writes it, so there is nothing to check.
    pub(crate) async fn note_job_progress(&self, job: &str, progress: &JobRecord) -> Result<(), JobError> {
        let mut batch = Batch::new();
        batch.put(keys::job(job), progress.encode());
        // It must go on while the disk is full.
        batch.frees = true;
        match self.store.commit(batch).await {
            Ok(_) => Ok(()),
            // There is no check that could.
            Err(CommitError::Failed(_)) => Ok(()),
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }
}
