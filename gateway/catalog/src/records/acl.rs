use cofre_types::AccountId;
use serde::{Deserialize, Serialize};

/// What an access control list gives (AWS, "Access control list (ACL) overview").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AclPermission {
    /// Of a bucket: list it. Of an object: read it.
    Read,
    /// Of a bucket: put, replace and delete objects. An object has no such right.
    Write,
    /// Read the list itself.
    ReadAcp,
    /// Replace the list itself.
    WriteAcp,
    /// All of them.
    FullControl,
}

/// Whom an access control list gives something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AclGrantee {
    /// An account.
    Account(AccountId),
    /// Everyone, with credentials or without.
    AllUsers,
    /// Everyone with credentials.
    AuthenticatedUsers,
    /// The delivery of access logs.
    LogDelivery,
}

/// One right of one grantee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AclGrant {
    /// Whom.
    pub grantee: AclGrantee,
    /// What.
    pub permission: AclPermission,
}

/// An access control list. Its owner is that of the bucket or version that it belongs to, and has
/// the right to read and replace it whatever it says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AclRecord {
    /// The grants, in the order that they were given.
    pub grants: Vec<AclGrant>,
}

/// Who owns what others put in a bucket (AWS, "Controlling ownership of objects").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ownership {
    /// The bucket's owner owns everything; lists are disabled.
    BucketOwnerEnforced,
    /// The bucket's owner owns what is put with `bucket-owner-full-control`, and the writer the rest.
    BucketOwnerPreferred,
    /// The writer owns it.
    ObjectWriter,
    /// As [`Ownership::BucketOwnerEnforced`], for good: the bucket was handed over, and its objects name their old owners.
    HandedOver,
}

impl Ownership {
    /// Whether access control lists are disabled, since the bucket's owner owns everything.
    pub const fn disables_lists(self) -> bool {
        matches!(self, Self::BucketOwnerEnforced | Self::HandedOver)
    }
}

/// What a bucket refuses to make public (AWS, "Blocking public access to your Amazon S3 storage").
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicAccessBlock {
    /// Refuses new public lists.
    pub block_acls: bool,
    /// Takes public lists for private ones.
    pub ignore_acls: bool,
    /// Refuses new public policies.
    pub block_policy: bool,
    /// Under a public policy, only the owner's account gets in.
    pub restrict_buckets: bool,
}
