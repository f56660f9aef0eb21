use super::{Found, UploadRef};
use crate::change::Change;
use crate::domain::Tried;
use crate::{Error, Objects};
use cofre_catalog::keys;
use cofre_catalog::records::{GarbageRecord, Record};
use cofre_iam::{Action, Caller};

impl Objects {
    /// Aborts an upload. Its parts become garbage; the space comes back by reclaiming.
    ///
    /// # Errors
    /// [`Error::NoSuchUpload`] if it is not under way: an object that it became is out of reach here.
    pub async fn abort_upload(&self, caller: &Caller, at: UploadRef) -> Result<(), Error> {
        let mut found = self.upload_for(caller, Action::AbortMultipartUpload, &at, None).await?;
        for _ in Self::tries() {
            if matches!(self.try_abort(&found, &at).await?, Tried::Done) {
                return Ok(());
            }
            let bucket = self.same_bucket(&found.bucket).await?;
            found = self.upload_for_in(caller, Action::AbortMultipartUpload, bucket, &at, None).await?;
        }
        Err(Error::Conflict)
    }

    async fn try_abort(&self, found: &Found, at: &UploadRef) -> Result<Tried, Error> {
        let change = self.abort(found, at).await?;
        self.try_commit(&found.bucket, change).await
    }

    /// The change that aborts an upload as it was found.
    pub(crate) async fn abort(&self, found: &Found, at: &UploadRef) -> Result<Change, Error> {
        let key = keys::upload(found.bucket.record.id, &at.key, at.upload);
        let due = self.now().after(self.garbage_grace());
        let mut change = Change::default();
        change.batch.unchanged(key.clone(), Some(found.revision));
        change.batch.delete(key);
        change.batch.put(keys::garbage(due.0, self.random().bytes()), GarbageRecord::Parts(at.upload).encode());
        self.uncount_parts(at, &mut change).await?;
        change.usage.uploads -= 1;
        Ok(change)
    }
}
