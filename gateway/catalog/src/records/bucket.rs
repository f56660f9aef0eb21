use super::{AclRecord, DefaultEncryption, EncryptionBlock, LockConfig, Ownership, PublicAccessBlock, Record};
use cofre_types::{AccountId, BucketId, Scheme, Tags, Timestamp};
use serde::{Deserialize, Serialize};

/// Whether a bucket keeps old versions (AWS, "Using versioning in S3 buckets").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Versioning {
    /// Never enabled: every version is the null version.
    Unversioned,
    /// Each write makes a version.
    Enabled,
    /// Writes replace the null version; others stay.
    Suspended,
}

/// When a write to a bucket is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Durability {
    /// Once a power cut cannot undo it.
    Durable,
    /// Once the operating system has it: a power cut may undo the last seconds.
    Relaxed,
}

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketRecord {
    /// Identity for as long as it lives.
    pub id: BucketId,
    /// Who owns it.
    pub owner: AccountId,
    /// When it was made.
    pub created: Timestamp,
    /// Region that the maker asked for.
    pub region: String,
    /// Whether it keeps old versions.
    pub versioning: Versioning,
    /// When a write is acknowledged.
    pub durability: Durability,
    /// Redundancy of new blobs; the default of the settings if absent.
    pub scheme: Option<Scheme>,
    /// Most bytes, over all versions; the default of the settings if absent.
    pub bytes_max: Option<u64>,
    /// Most objects, over all versions; the default of the settings if absent.
    pub objects_max: Option<u64>,
    /// Tags.
    pub tags: Tags,
    /// Sub-resources that are kept as their validated documents.
    pub config: Vec<BucketConfig>,
}

impl Record for BucketRecord {
    const NAME: &'static str = "bucket";
}

/// One sub-resource of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BucketConfig {
    /// CORS rules, as JSON.
    Cors(String),
    /// Lifecycle rules, as JSON.
    Lifecycle(String),
    /// Bucket policy, as JSON.
    Policy(String),
    /// Access control list.
    Acl(AclRecord),
    /// Who owns what others put in it.
    Ownership(Ownership),
    /// What it refuses to make public.
    PublicAccess(PublicAccessBlock),
    /// Encryption of objects that ask for none.
    Encryption(DefaultEncryption),
    /// Object lock is enabled, which nothing undoes.
    ObjectLock(LockConfig),
    /// Website, as JSON.
    Website(String),
    /// Server access logging, as JSON.
    Logging(String),
    /// Who pays for requests.
    RequestPayment(Payer),
    /// Whether transfers are accelerated.
    Accelerate(bool),
    /// How new objects may not be encrypted, if its owner ever said so.
    EncryptionBlock(EncryptionBlock),
    /// Whether its tags count in conditions of policies.
    Abac(bool),
}

/// Who pays for requests to a bucket (AWS, "Using Requester Pays buckets").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Payer {
    /// Its owner.
    BucketOwner,
    /// Who asks.
    Requester,
}
