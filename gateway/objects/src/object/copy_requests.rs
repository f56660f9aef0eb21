//! What callers ask of copies, and what they get.

use crate::encryption::{EncryptAs, Encrypted};
use crate::object::{Ending, NewObject, ObjectRef};
use cofre_catalog::records::Headers;
use cofre_iam::GivenAcl;
use cofre_keys::CustomerKey;
use cofre_rules::{ReadConditions, WantedLock, WriteConditions};
use cofre_types::{BucketName, Checksum, ChecksumAlgorithm, ETag, ObjectKey, Tags, Timestamp, VersionId};

/// A copy that is to be made, as much of it as rights look at.
#[derive(Debug, Clone)]
pub struct NewCopy {
    /// The copy; its tags count only if they replace the source's.
    pub to: NewObject,
    /// Whether the copy gets the source's tags.
    pub copies_tags: bool,
    /// What is copied.
    pub from: ObjectRef,
}

/// The rest of a copy that is to be made.
#[derive(Debug, Clone)]
pub struct CopyContent {
    /// Conditions on the source.
    pub source_conditions: ReadConditions,
    /// The customer's key that the source is encrypted under, if it is one.
    pub source_customer_key: Option<CustomerKey>,
    /// New headers and metadata (`REPLACE`); the source's if absent (`COPY`).
    pub headers: Option<Headers>,
    /// Where a website sends who asks for the copy (`x-amz-website-redirect-location`), beside headers that
    /// are the source's. The source's own is never copied.
    pub website_redirect: Option<String>,
    /// Storage class; the default, not the source's, if empty.
    pub storage_class: String,
    /// Checksum to have; the source's if absent.
    pub checksum: Option<ChecksumAlgorithm>,
    /// Encryption; not the source's if none is asked for, but the bucket's.
    pub encryption: EncryptAs,
    /// Conditions on what stands at the destination.
    pub conditions: WriteConditions,
}

/// Copies an object. No bytes move unless they are to be encrypted in another way.
#[derive(Debug, Clone)]
pub struct CopyObject {
    /// Bucket to copy from.
    pub source_bucket: BucketName,
    /// Key to copy from.
    pub source_key: ObjectKey,
    /// Version to copy; the current one if absent.
    pub source_version: Option<VersionId>,
    /// Conditions on the source.
    pub source_conditions: ReadConditions,
    /// The customer's key that the source is encrypted under, if it is one.
    pub source_customer_key: Option<CustomerKey>,
    /// Bucket to copy to.
    pub bucket: BucketName,
    /// Key to copy to.
    pub key: ObjectKey,
    /// New headers and metadata (`REPLACE`); the source's if absent (`COPY`).
    pub headers: Option<Headers>,
    /// Where a website sends who asks for the copy (`x-amz-website-redirect-location`), beside headers that
    /// are the source's. The source's own is never copied.
    pub website_redirect: Option<String>,
    /// New tags (`REPLACE`); the source's if absent (`COPY`).
    pub tags: Option<Tags>,
    /// Storage class; the default, not the source's, if empty.
    pub storage_class: String,
    /// Checksum to have; the source's if absent.
    pub checksum: Option<ChecksumAlgorithm>,
    /// Object lock; that of the source is not copied.
    pub lock: WantedLock,
    /// Access control list of the copy, which is never the source's; the owner alone may if absent.
    pub acl: Option<GivenAcl>,
    /// Encryption; not the source's if none is asked for, but the bucket's.
    pub encryption: EncryptAs,
    /// Conditions on what stands at the destination.
    pub conditions: WriteConditions,
}

impl CopyObject {
    /// What rights look at, and the rest.
    pub(crate) fn split(self) -> (NewCopy, CopyContent) {
        let copies_tags = self.tags.is_none();
        let (bucket, key, tags) = (self.bucket, self.key, self.tags.unwrap_or_default());
        let to = NewObject { bucket, key, tags, lock: self.lock, acl: self.acl };
        let from = ObjectRef { bucket: self.source_bucket, key: self.source_key, version: self.source_version };
        let content = CopyContent {
            source_conditions: self.source_conditions,
            source_customer_key: self.source_customer_key,
            headers: self.headers,
            website_redirect: self.website_redirect,
            storage_class: self.storage_class,
            checksum: self.checksum,
            encryption: self.encryption,
            conditions: self.conditions,
        };
        (NewCopy { to, copies_tags, from }, content)
    }
}

/// A copy that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyOutcome {
    /// Entity tag.
    pub etag: ETag,
    /// When the copy was made.
    pub modified: Timestamp,
    /// The copy's version, if its bucket has versioning.
    pub version: Option<VersionId>,
    /// The version that was copied, if its bucket has versioning.
    pub source_version: Option<VersionId>,
    /// Checksum.
    pub checksum: Option<Checksum>,
    /// How the copy is encrypted.
    pub encryption: Option<Encrypted>,
    /// When the bucket's rules end the copy.
    pub ending: Option<Ending>,
}
