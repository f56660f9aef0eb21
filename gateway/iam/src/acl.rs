//! Access control lists as they are given and told (AWS, "Access control list (ACL) overview").

use cofre_catalog::records::{AclGrant, AclGrantee, AclPermission, AclRecord};
use cofre_types::AccountId;

/// A list that goes by a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CannedAcl {
    /// The owner alone. Also what `aws-exec-read` comes to, since there is no EC2 here.
    Private,
    /// Everyone may read.
    PublicRead,
    /// Everyone may read and write.
    PublicReadWrite,
    /// Everyone with credentials may read.
    AuthenticatedRead,
    /// The bucket's owner may read; of a bucket, nothing more than [`CannedAcl::Private`].
    BucketOwnerRead,
    /// The bucket's owner may do all; of a bucket, nothing more than [`CannedAcl::Private`].
    BucketOwnerFullControl,
    /// The delivery of access logs may write to the bucket and read its list.
    LogDeliveryWrite,
}

/// A list as a request gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenAcl {
    /// By name.
    Canned(CannedAcl),
    /// Grant by grant. The owner has only what these say, beside reading and replacing the list.
    Grants(Vec<AclGrant>),
}

/// A list as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acl {
    /// Who owns the bucket or object.
    pub owner: AccountId,
    /// The grants: those of groups first, then those of accounts.
    pub grants: Vec<AclGrant>,
}

impl Acl {
    /// The list of a record; the owner alone if it has none.
    pub fn of(owner: AccountId, record: Option<&AclRecord>) -> Self {
        let grants = record.map_or_else(|| vec![all_for(owner)], |record| record.grants.clone());
        Self { owner, grants }
    }
}

impl GivenAcl {
    /// The list of a bucket that `owner` owns; none if it is the owner's alone.
    pub fn of_bucket(&self, owner: AccountId) -> Option<AclRecord> {
        self.record(owner, owner)
    }

    /// The list of an object that `owner` owns, in the bucket of `bucket_owner`; none if it is the
    /// owner's alone.
    pub fn of_object(&self, owner: AccountId, bucket_owner: AccountId) -> Option<AclRecord> {
        self.record(owner, bucket_owner)
    }

    /// Whether it says no more than what holds where lists are disabled.
    pub fn is_full_control_of(&self, bucket_owner: AccountId) -> bool {
        match self {
            Self::Canned(canned) => *canned == CannedAcl::BucketOwnerFullControl,
            Self::Grants(grants) => !grants.is_empty() && grants.iter().all(|grant| *grant == all_for(bucket_owner)),
        }
    }

    fn record(&self, owner: AccountId, bucket_owner: AccountId) -> Option<AclRecord> {
        use AclPermission::{FullControl, Read, ReadAcp, Write};
        let to = |grantee, permission| AclGrant { grantee, permission };
        let others = match self {
            Self::Grants(grants) => {
                let mut grants = grants.clone();
                // Stable: the grants of accounts stay in the order that they were given.
                grants.sort_by_key(|grant| place(grant.grantee));
                return (grants != [all_for(owner)]).then_some(AclRecord { grants });
            }
            Self::Canned(canned) => match canned {
                CannedAcl::Private => vec![],
                CannedAcl::PublicRead => vec![to(AclGrantee::AllUsers, Read)],
                CannedAcl::PublicReadWrite => vec![to(AclGrantee::AllUsers, Read), to(AclGrantee::AllUsers, Write)],
                CannedAcl::AuthenticatedRead => vec![to(AclGrantee::AuthenticatedUsers, Read)],
                CannedAcl::LogDeliveryWrite => {
                    vec![to(AclGrantee::LogDelivery, Write), to(AclGrantee::LogDelivery, ReadAcp)]
                }
                CannedAcl::BucketOwnerRead | CannedAcl::BucketOwnerFullControl if bucket_owner == owner => vec![],
                CannedAcl::BucketOwnerRead => vec![to(AclGrantee::Account(bucket_owner), Read)],
                CannedAcl::BucketOwnerFullControl => vec![to(AclGrantee::Account(bucket_owner), FullControl)],
            },
        };
        if others.is_empty() {
            return None;
        }
        let grants = others.into_iter().chain([all_for(owner)]).collect();
        Some(AclRecord { grants })
    }
}

fn all_for(account: AccountId) -> AclGrant {
    AclGrant { grantee: AclGrantee::Account(account), permission: AclPermission::FullControl }
}

fn place(grantee: AclGrantee) -> u8 {
    match grantee {
        AclGrantee::AllUsers => 0,
        AclGrantee::AuthenticatedUsers => 1,
        AclGrantee::LogDelivery => 2,
        AclGrantee::Account(_) => 3,
    }
}
