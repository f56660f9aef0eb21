use crate::bucket::cached::Bucket;
use crate::change::Change;
use crate::domain::{Objects, Tried};
use crate::error::Error;
use crate::versions::Held;
use cofre_catalog::records::Record;
use cofre_iam::{Action, Caller, Details};
use cofre_runtime::uncancelled;
use cofre_types::{BucketName, ObjectKey, Tags, VersionId};
use std::sync::Arc;

impl Objects {
    /// The tags of an object, and its version where answers name it.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn object_tags(
        &self,
        caller: &Caller,
        bucket: &BucketName,
        key: &ObjectKey,
        version: Option<VersionId>,
    ) -> Result<(Tags, Option<VersionId>), Error> {
        let action = if version.is_some() { Action::GetObjectVersionTagging } else { Action::GetObjectTagging };
        let bucket = self.bucket(bucket).await?;
        let record = self.version_for(caller, action, &bucket, key, version).await?.record;
        Ok((record.tags, bucket.shown(record.version)))
    }

    /// Replaces the tags of an object; an empty set deletes them.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn put_object_tags(
        &self,
        caller: &Caller,
        name: &BucketName,
        key: &ObjectKey,
        version: Option<VersionId>,
        tags: Tags,
    ) -> Result<Option<VersionId>, Error> {
        let bucket = self.bucket(name).await?;
        let (objects, caller, key) = (self.clone(), caller.clone(), key.clone());
        uncancelled(async move { objects.commit_tags(&caller, bucket, &key, version, tags).await }).await
    }

    async fn commit_tags(
        &self,
        caller: &Caller,
        mut bucket: Arc<Bucket>,
        key: &ObjectKey,
        version: Option<VersionId>,
        tags: Tags,
    ) -> Result<Option<VersionId>, Error> {
        let action = match (version.is_some(), tags.is_empty()) {
            (false, false) => Action::PutObjectTagging,
            (true, false) => Action::PutObjectVersionTagging,
            (false, true) => Action::DeleteObjectTagging,
            (true, true) => Action::DeleteObjectVersionTagging,
        };
        let details = Details { version, request_tags: (!tags.is_empty()).then_some(&tags), ..Details::default() };
        for _ in Self::tries() {
            let _turn = self.lock_key(&bucket, key).await;
            let mut held = self.version_with(caller, action, &bucket, key, details).await?;
            held.record.tags = tags.clone();
            let shown = bucket.shown(held.record.version);
            if matches!(self.try_rewrite(&bucket, key, held).await?, Tried::Done) {
                return Ok(shown);
            }
            bucket = self.same_bucket(&bucket).await?;
        }
        Err(Error::Conflict)
    }

    /// Writes a version's record anew where it stands.
    pub(crate) async fn try_rewrite(&self, bucket: &Bucket, key: &ObjectKey, held: Held) -> Result<Tried, Error> {
        let at = held.place(bucket.record.id, key);
        let mut change = Change::default();
        change.batch.unchanged(at.clone(), Some(held.revision));
        change.batch.put(at, held.record.encode());
        self.try_commit(bucket, change).await
    }
}
