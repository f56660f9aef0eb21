//! What is asked when a right is asked for.

use crate::access::{BucketAccess, ObjectAccess};
use crate::action::Action;
use crate::caller::Caller;
use crate::key_access::KeyAccess;
use crate::policy::{DecisionMemo, arn};
use cofre_catalog::records::Retention;
use cofre_types::{AccountId, BucketName, ObjectKey, Tags, Timestamp, VersionId};

/// What an action is asked of.
#[derive(Debug, Clone, Copy)]
pub enum Resource<'a> {
    /// The service itself: listing one's buckets.
    Service,
    /// A bucket that is to be made.
    NewBucket {
        /// Its name.
        bucket: &'a BucketName,
    },
    /// A bucket.
    Bucket {
        /// Its name.
        bucket: &'a BucketName,
        /// What it says about who may reach it.
        access: &'a BucketAccess,
    },
    /// An object, there or not, of a bucket.
    Object {
        /// Name of the bucket.
        bucket: &'a BucketName,
        /// What the bucket says about who may reach it.
        access: &'a BucketAccess,
        /// Key of the object.
        key: &'a ObjectKey,
        /// What the object says, where it is there and at hand. Reading, tagging and granting are asked
        /// with it.
        object: Option<ObjectAccess<'a>>,
    },
    /// A named key, of which an object's own key is sealed.
    Key {
        /// Its name.
        name: &'a str,
        /// What is said about who may use it.
        access: &'a KeyAccess,
        /// Region of the bucket that it is used for.
        region: &'a str,
        /// Name of that bucket.
        bucket: &'a BucketName,
        /// Key of the object that it is used for; none where it is for all of the bucket.
        key: Option<&'a ObjectKey>,
    },
}

/// What the domain knows of a request, for conditions of policies.
#[derive(Debug, Clone, Copy, Default)]
pub struct Details<'a> {
    /// The version that is named.
    pub version: Option<VersionId>,
    /// The prefix that is listed, where the request does not name it: the key of an object that is
    /// looked for.
    pub prefix: Option<&'a str>,
    /// Tags that an object is to have.
    pub request_tags: Option<&'a Tags>,
    /// Tags that a bucket is to be given (`aws:RequestTag`).
    pub bucket_tags: Option<&'a Tags>,
    /// Keys of the tags that a bucket is to be given, or to lose (`aws:TagKeys`).
    pub tag_keys: Option<&'a [String]>,
    /// Whether an object comes of it (`s3:ObjectCreationOperation`).
    pub creates: Option<bool>,
    /// The lock that a version is to have, where the body says it: headers say nothing of it then.
    pub lock: Option<AskedLock>,
    /// How the object that an upload is to be is encrypted, for its parts and its completion: headers say nothing of it
    /// then.
    pub encryption: Option<AskedEncryption<'a>>,
    /// Whether the caller began the upload that this is about.
    pub initiated: bool,
    /// Whether an upload is to begin.
    pub begins_upload: bool,
    /// What is copied.
    pub copy_source: Option<(&'a BucketName, &'a ObjectKey)>,
    /// What other keys of the same request left.
    pub memo: Option<&'a DecisionMemo>,
    /// Whose steps it takes, where what other keys left does not count for it.
    pub budget: Option<&'a DecisionMemo>,
    /// The bucket that a service acts for, and who owned it (`aws:SourceArn`, `aws:SourceAccount`).
    pub source: Option<(&'a BucketName, AccountId)>,
}

/// What a request asks of the lock of a version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AskedLock {
    /// How strictly and until when it is to be kept.
    pub retention: Option<Retention>,
    /// Whether it is to be held.
    pub legal_hold: Option<bool>,
}

/// How an object is to be encrypted, as headers name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedEncryption<'a> {
    /// `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub method: &'a str,
    /// The name of the key, where it has one.
    pub key: Option<&'a str>,
}

/// Whether someone may do something.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// What for.
    pub action: Action,
    /// Of what.
    pub resource: Resource<'a>,
    /// What else conditions may look at.
    pub details: Details<'a>,
    /// When.
    pub now: Timestamp,
}

impl Resource<'_> {
    pub(crate) fn arn(&self) -> String {
        match self {
            Self::Service => "arn:aws:s3:::*".to_owned(),
            Self::NewBucket { bucket } | Self::Bucket { bucket, .. } => format!("arn:aws:s3:::{bucket}"),
            Self::Object { bucket, key, .. } => format!("arn:aws:s3:::{bucket}/{key}"),
            Self::Key { name, .. } => arn::of_key(name),
        }
    }
}
