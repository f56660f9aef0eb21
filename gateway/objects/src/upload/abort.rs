use super::{Found, UploadRef};
use crate::change::Change;
use crate::domain::{Objects, Tried};
use crate::error::Error;
use cofre_catalog::keys;
use cofre_iam::{Action, Caller};
use cofre_types::Timestamp;

impl Objects {
    /// Aborts an upload, if it was begun in the second that is named. Its parts become garbage; the space comes back by
    /// reclaiming.
    ///
    /// # Errors
    /// [`Error::PreconditionFailed`] if it was begun at another time.
    /// [`Error::NoSuchUpload`] if it is not under way: an object that it became is out of reach here.
    pub async fn abort_upload(
        &self,
        caller: &Caller,
        at: UploadRef,
        if_initiated_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        let mut found = self.upload_for(caller, Action::AbortMultipartUpload, &at, None).await?;
        if if_initiated_at.is_some_and(|at| at.secs() != found.record.initiated.secs()) {
            return Err(Error::PreconditionFailed { condition: "x-amz-if-match-initiated-time" });
        }
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
        let mut change = Change::default();
        change.batch.unchanged(key.clone(), Some(found.revision));
        change.batch.delete(key);
        let bytes = self.uncount_parts(at, &mut change).await?;
        change.release_parts(at.upload, bytes);
        change.usage.uploads -= 1;
        Ok(change)
    }
}
