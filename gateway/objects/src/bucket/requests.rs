//! What callers ask of buckets, and what they get.

use cofre_catalog::records::{Ownership, Versioning};
use cofre_iam::GivenAcl;
use cofre_types::{AccountId, BucketId, BucketName, Timestamp};

/// Makes a bucket.
#[derive(Debug, Clone)]
pub struct CreateBucket {
    /// Name, unique over all accounts.
    pub name: BucketName,
    /// Region; the gateway's own if empty.
    pub region: String,
    /// Whether object lock is enabled, and versioning with it.
    pub object_lock: bool,
    /// Access control list; the owner alone may if absent.
    pub acl: Option<GivenAcl>,
    /// Who owns what others put in it; as the settings for new buckets say if absent.
    pub ownership: Option<Ownership>,
}

/// What is known of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketInfo {
    /// Name.
    pub name: BucketName,
    /// Identity for as long as it lives.
    pub id: BucketId,
    /// Who owns it.
    pub owner: AccountId,
    /// When it was made.
    pub created: Timestamp,
    /// Region.
    pub region: String,
    /// Whether it keeps old versions.
    pub versioning: Versioning,
    /// Whether object lock is enabled.
    pub object_lock: bool,
}

/// Lists the caller's buckets by name.
#[derive(Debug, Clone, Default)]
pub struct ListBuckets {
    /// Only names that begin with this.
    pub prefix: String,
    /// Only names after this one.
    pub after: Option<String>,
    /// Most buckets; 1 to 10,000.
    pub max: usize,
}

/// A page of buckets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BucketsPage {
    /// Buckets by name.
    pub buckets: Vec<BucketInfo>,
    /// What to list after to go on; absent on the last page.
    pub next: Option<String>,
}

/// What a bucket does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unset {
    /// Tags.
    Tagging,
    /// Retention of an object.
    Retention,
    /// A word on the legal hold of an object.
    LegalHold,
    /// A sub-resource.
    Config(ConfigKind),
}

impl std::fmt::Display for Unset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tagging => "tagging",
            Self::Retention => "retention",
            Self::LegalHold => "legal hold",
            Self::Config(ConfigKind::Cors) => "CORS",
            Self::Config(ConfigKind::Lifecycle) => "lifecycle",
            Self::Config(ConfigKind::Policy) => "policy",
            Self::Config(ConfigKind::Acl) => "access control list",
            Self::Config(ConfigKind::Ownership) => "ownership controls",
            Self::Config(ConfigKind::PublicAccess) => "public access block",
            Self::Config(ConfigKind::Encryption) => "encryption",
            Self::Config(ConfigKind::ObjectLock) => "object lock",
            Self::Config(ConfigKind::Website) => "website",
            Self::Config(ConfigKind::Logging) => "logging",
            Self::Config(ConfigKind::RequestPayment) => "request payment",
            Self::Config(ConfigKind::Accelerate) => "acceleration",
            Self::Config(ConfigKind::EncryptionBlock) => "blocked encryption types",
            Self::Config(ConfigKind::Abac) => "ABAC",
        })
    }
}

/// Which sub-resource of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigKind {
    /// CORS rules.
    Cors,
    /// Lifecycle rules.
    Lifecycle,
    /// Bucket policy.
    Policy,
    /// Access control list.
    Acl,
    /// Who owns what others put in it.
    Ownership,
    /// What it refuses to make public.
    PublicAccess,
    /// Encryption of objects that ask for none.
    Encryption,
    /// Object lock.
    ObjectLock,
    /// Website.
    Website,
    /// Server access logging.
    Logging,
    /// Who pays for requests.
    RequestPayment,
    /// Whether transfers are accelerated.
    Accelerate,
    /// How new objects may not be encrypted.
    EncryptionBlock,
    /// Whether its tags count in conditions of policies.
    Abac,
}

impl ConfigKind {
    /// Every sub-resource.
    pub const ALL: [Self; 14] = [
        Self::Cors,
        Self::Lifecycle,
        Self::Policy,
        Self::Acl,
        Self::Ownership,
        Self::PublicAccess,
        Self::Encryption,
        Self::ObjectLock,
        Self::Website,
        Self::Logging,
        Self::RequestPayment,
        Self::Accelerate,
        Self::EncryptionBlock,
        Self::Abac,
    ];
}
