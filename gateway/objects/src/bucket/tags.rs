//! Tags of a bucket.
//!
//! Where they count in conditions of policies they are set by TagResource and UntagResource alone, whose rights they are
//! then (AWS, "Enabling ABAC in general purpose buckets").

use crate::bucket::Unset;
use crate::bucket::cached::Bucket;
use crate::domain::Objects;
use crate::error::Error;
use cofre_catalog::records::BucketRecord;
use cofre_iam::{Action, Caller, Details};
use cofre_types::{BucketName, Invalid, Tags, TagsLimit};

/// Each of the tags was held to the rules of tags before: only their number can be wrong.
const TOO_MANY: Error =
    Error::Invalid(Invalid { field: "tag count", reason: "Bucket tag count cannot be greater than 50" });

const BY_RESOURCE: Error = Error::InvalidBucketState(
    "Attribute-based access control (ABAC) is enabled for this bucket: set its tags by TagResource and UntagResource of \
     the S3 Control API, or disable ABAC first.",
);

impl Objects {
    /// A bucket's tags.
    ///
    /// # Errors
    /// [`Error::NoSuchConfiguration`] if it has none.
    pub async fn bucket_tags(&self, caller: &Caller, name: &BucketName) -> Result<Tags, Error> {
        let bucket = self.bucket_for(caller, Action::GetBucketTagging, name, None).await?;
        let tags = bucket.record.tags.clone();
        if tags.is_empty() { Err(Error::NoSuchConfiguration(Unset::Tagging)) } else { Ok(tags) }
    }

    /// Replaces a bucket's tags; an empty set deletes them.
    ///
    /// # Errors
    /// [`Error::InvalidBucketState`] where the tags count in conditions of policies.
    pub async fn put_bucket_tags(&self, caller: &Caller, name: &BucketName, tags: Tags) -> Result<(), Error> {
        let set = |bucket: &Bucket, record: &mut BucketRecord| {
            if bucket.access.tags.is_some() {
                return Err(BY_RESOURCE);
            }
            record.tags = tags.clone();
            Ok(())
        };
        self.try_change_bucket(caller, Action::PutBucketTagging, name, "bucket.tagged", set).await
    }

    /// A bucket's tags, which may be none (AWS, "ListTagsForResource").
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`] or [`Error::AccessDenied`].
    pub async fn resource_tags(&self, caller: &Caller, name: &BucketName) -> Result<Tags, Error> {
        Ok(self.bucket_for(caller, Action::ListTagsForResource, name, None).await?.record.tags.clone())
    }

    /// Adds tags to a bucket; one whose key it has replaces that one (AWS, "TagResource").
    ///
    /// # Errors
    /// [`Error::Invalid`] if it would have too many.
    pub async fn tag_bucket(&self, caller: &Caller, name: &BucketName, tags: Tags) -> Result<(), Error> {
        let tag_keys: Vec<_> = tags.pairs().iter().map(|(key, _)| key.clone()).collect();
        let details = Details { bucket_tags: Some(&tags), tag_keys: Some(&tag_keys), ..Details::default() };
        let set = |_: &Bucket, record: &mut BucketRecord| {
            let kept = record.tags.pairs().iter().filter(|(key, _)| !tag_keys.contains(key));
            record.tags =
                Tags::new(kept.chain(tags.pairs()).cloned().collect(), TagsLimit::Bucket).map_err(|_| TOO_MANY)?;
            Ok(())
        };
        self.commit_bucket_with(caller, Some(Action::TagResource), name, details, "bucket.tagged", set).await
    }

    /// Takes the tags with these keys from a bucket; those that it does not have are passed over (AWS, "UntagResource").
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`] or [`Error::AccessDenied`].
    pub async fn untag_bucket(&self, caller: &Caller, name: &BucketName, tag_keys: &[String]) -> Result<(), Error> {
        let details = Details { tag_keys: Some(tag_keys), ..Details::default() };
        let set = |_: &Bucket, record: &mut BucketRecord| {
            let kept = record.tags.pairs().iter().filter(|(key, _)| !tag_keys.contains(key));
            record.tags = Tags::new(kept.cloned().collect(), TagsLimit::Bucket).map_err(|_| TOO_MANY)?;
            Ok(())
        };
        self.commit_bucket_with(caller, Some(Action::UntagResource), name, details, "bucket.tagged", set).await
    }
}
