use super::{CorsRule, LifecycleRule, PROVISION_PARTS_MAX, Website, some_at_most};
use crate::buckets::Quota;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A bucket that should be there. A field that is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvisionBucket {
    /// Name: 3 to 63 lower-case letters, digits, dots and hyphens.
    pub name: String,
    /// Name or canonical id of the account that is to own it; of a bucket that is made the root account if absent. One
    /// that another account owns is handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Region of a bucket that is made; that of the server if absent. The region of one that is there does not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Names of settings that it is not to have: `policy`, `cors`, `lifecycle` and so on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
    /// What it may hold. A limit that is absent is that of the settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
    /// Its own redundancy, as `replicas:2` or `ec:4+2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redundancy: Option<String>,
    /// Whether it keeps old versions. What was enabled once can only be suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versioning: Option<Versioning>,
    /// Object lock, which nothing disables once it is enabled. It wants versioning, and brings it to a bucket that is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_lock: Option<ObjectLock>,
    /// Encryption of objects that ask for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<DefaultEncryption>,
    /// How new objects may not be encrypted; an empty list says that all ways are allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_encryption_types: Option<Vec<BlockedEncryption>>,
    /// Who owns what others put in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ownership: Option<Ownership>,
    /// Access control list. The owner has only what it says.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_at_most::<_, _, PROVISION_PARTS_MAX>"
    )]
    pub acl: Option<Vec<Grant>>,
    /// Bucket policy, as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What it refuses to make public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_access_block: Option<PublicAccessBlock>,
    /// Tags, at most 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// Whether its tags count in conditions of policies (attribute-based access control).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abac: Option<bool>,
    /// CORS rules, at most 100.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_at_most::<_, _, PROVISION_PARTS_MAX>"
    )]
    pub cors: Option<Vec<CorsRule>>,
    /// Lifecycle rules, at most 1,000.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_at_most::<_, _, PROVISION_PARTS_MAX>"
    )]
    pub lifecycle: Option<Vec<LifecycleRule>>,
    /// Which objects its lifecycle rules do not move to another storage class unless they name sizes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition_default_minimum_object_size: Option<TransitionMinimum>,
    /// Static website.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<Website>,
    /// Server access logging.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logging: Option<Logging>,
    /// Who pays for requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_payer: Option<Payer>,
    /// Whether transfers are accelerated. It is told and changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceleration: Option<bool>,
}

/// Whether a bucket keeps old versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Versioning {
    /// Each write makes a version.
    #[serde(alias = "Enabled")]
    Enabled,
    /// Writes replace the null version; others stay.
    #[serde(alias = "Suspended")]
    Suspended,
}

/// Object lock of a bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectLock {
    /// The retention of new versions that ask for none; none if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_retention: Option<DefaultRetention>,
}

/// The retention of new versions: days or years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DefaultRetention {
    /// How strictly.
    pub mode: LockMode,
    /// Days, 1 to 36,500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// Years, 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub years: Option<u32>,
}

/// How strictly a version is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LockMode {
    /// Until one with the right to bypass it says otherwise.
    #[serde(alias = "GOVERNANCE")]
    Governance,
    /// Whoever asks.
    #[serde(alias = "COMPLIANCE")]
    Compliance,
}

/// Encryption of objects that ask for none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DefaultEncryption {
    /// How.
    pub algorithm: EncryptionAlgorithm,
    /// Name of the key, for `aws:kms` and `aws:kms:dsse`; the default one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether a bucket key is asked for. It is told and changes nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bucket_key: bool,
}

/// Who holds the key that an object's own key is sealed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum EncryptionAlgorithm {
    /// Cofre: SSE-S3.
    #[serde(rename = "AES256")]
    Aes256,
    /// A named key: SSE-KMS.
    #[serde(rename = "aws:kms")]
    Kms,
    /// A named key, in two layers: DSSE-KMS.
    #[serde(rename = "aws:kms:dsse")]
    KmsDualLayer,
}

/// A way of encryption that new objects may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum BlockedEncryption {
    /// Under clients' keys.
    #[serde(rename = "SSE-C")]
    CustomerKeys,
}

/// Who owns what others put in a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ownership {
    /// The bucket's owner owns everything; access control lists are disabled.
    #[serde(alias = "BucketOwnerEnforced")]
    BucketOwnerEnforced,
    /// The bucket's owner owns what is put with `bucket-owner-full-control`, and the writer the rest.
    #[serde(alias = "BucketOwnerPreferred")]
    BucketOwnerPreferred,
    /// The writer owns it.
    #[serde(alias = "ObjectWriter")]
    ObjectWriter,
}

/// One right of one grantee: an account or a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Name or canonical id of an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// A group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<AclGroup>,
    /// What is granted.
    pub permission: AclPermission,
}

/// A group of access control lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AclGroup {
    /// Everyone, with credentials or without.
    AllUsers,
    /// Everyone with credentials.
    AuthenticatedUsers,
    /// The delivery of access logs.
    LogDelivery,
}

/// What an access control list of a bucket gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AclPermission {
    /// List it.
    #[serde(alias = "READ")]
    Read,
    /// Put, replace and delete objects.
    #[serde(alias = "WRITE")]
    Write,
    /// Read the list itself.
    #[serde(alias = "READ_ACP")]
    ReadAcp,
    /// Replace the list itself.
    #[serde(alias = "WRITE_ACP")]
    WriteAcp,
    /// All of them.
    #[serde(alias = "FULL_CONTROL")]
    FullControl,
}

/// What a bucket refuses to make public.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicAccessBlock {
    /// Refuses new public access control lists.
    #[serde(default)]
    pub block_public_acls: bool,
    /// Takes public lists for private ones.
    #[serde(default)]
    pub ignore_public_acls: bool,
    /// Refuses new public policies.
    #[serde(default)]
    pub block_public_policy: bool,
    /// Lets only the owner's account in under a public policy.
    #[serde(default)]
    pub restrict_public_buckets: bool,
}

/// Where server access logs go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Logging {
    /// The bucket that gets them, of the same owner. It must let logs in.
    pub target_bucket: String,
    /// What the keys of their objects begin with, at most 800 bytes.
    #[serde(default)]
    pub target_prefix: String,
    /// How their keys go on.
    #[serde(default)]
    pub key_format: LogKeyFormat,
    /// Whom each object is granted to beside the owner of the bucket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target_grants: Vec<Grant>,
}

/// How the keys of log objects go on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogKeyFormat {
    /// The time of the delivery.
    #[default]
    Simple,
    /// Account, region, bucket and date of the delivery.
    PartitionedByDeliveryTime,
    /// Account, region, bucket and date of the requests.
    PartitionedByEventTime,
}

/// Which objects lifecycle rules do not move to another storage class unless they name sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum TransitionMinimum {
    /// Those below 128 KiB.
    #[serde(rename = "all_storage_classes_128K")]
    Below128KiB,
    /// As each class says, which here is none.
    #[serde(rename = "varies_by_storage_class")]
    ByClass,
}

/// Who pays for requests to a bucket. Nobody is billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Payer {
    /// Its owner.
    #[serde(alias = "BucketOwner")]
    BucketOwner,
    /// Who asks.
    #[serde(alias = "Requester")]
    Requester,
}
