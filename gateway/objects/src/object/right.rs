//! The right to make an object or an upload, before the rest of the request is at hand.

use crate::bucket::cached::Bucket;
use crate::domain::Objects;
use crate::error::Error;
use crate::object::NewObject;
use crate::rights::{Makes, Writer};
use cofre_catalog::records::Guards;
use cofre_iam::{Caller, GivenAcl};
use cofre_types::{AccountId, BucketName, ObjectKey, Tags};
use std::sync::Arc;

/// The right to make an object or an upload, as the bucket gives it now. A bucket that changes before the commit is asked
/// again.
pub(crate) struct WriteRight {
    pub objects: Objects,
    pub bucket: Arc<Bucket>,
    pub key: ObjectKey,
    pub tags: Tags,
    pub writer: Writer,
    /// Who will own what is made.
    pub owner: AccountId,
    pub guards: Guards,
}

impl WriteRight {
    /// Asks for it.
    pub(crate) async fn ask(
        objects: &Objects,
        caller: &Caller,
        new: NewObject,
        makes: Makes,
        source: Option<(BucketName, ObjectKey)>,
    ) -> Result<Self, Error> {
        let NewObject { bucket, key, tags, lock, acl } = new;
        let bucket = objects.bucket(&bucket).await?;
        let writer = Writer { caller: caller.clone(), acl, lock, source };
        let (owner, guards) = objects.authorise_write(&writer, &bucket, &key, &tags, makes)?;
        Ok(Self { objects: objects.clone(), bucket, key, tags, writer, owner, guards })
    }

    /// Puts another list in the place of the one that the right was asked for.
    pub(crate) fn give_acl(&mut self, given: GivenAcl) -> Result<(), Error> {
        let Self { objects, bucket, key, writer, .. } = self;
        (self.owner, self.guards.acl) = objects.written_by(&writer.caller, bucket, key, Some(&given))?;
        self.writer.acl = Some(given);
        Ok(())
    }

    /// Asks for it anew, of the bucket as it is now.
    pub(crate) async fn ask_again(&mut self, makes: Makes) -> Result<(), Error> {
        let Self { objects, bucket, key, tags, writer, .. } = self;
        let now = objects.same_bucket(bucket).await?;
        let (owner, guards) = objects.authorise_write(writer, &now, key, tags, makes)?;
        (self.bucket, self.owner, self.guards) = (now, owner, guards);
        Ok(())
    }

    /// An error as the caller may know it.
    pub(crate) fn told(&self, error: Error) -> Error {
        error.for_caller(&self.writer.caller, &self.bucket)
    }
}
