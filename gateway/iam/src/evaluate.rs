//! The one place where rights are decided. Pure: the same question always has the same answer.
//!
//! The rules: root and the parts of Cofre itself may do everything; an account may do everything to
//! the buckets it owns and their objects, may list its buckets and make new ones; all else is denied.
//! Deny is the answer whenever no rule allows.

use crate::{Action, Caller, Principal};
use cofre_types::{AccountId, BucketName, ObjectKey};

/// What an action is asked of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        /// Who owns it.
        owner: AccountId,
    },
    /// An object, there or not, of a bucket.
    Object {
        /// Name of the bucket.
        bucket: &'a BucketName,
        /// Who owns the bucket.
        owner: AccountId,
        /// Key of the object.
        key: &'a ObjectKey,
    },
}

/// Whether a caller may do what it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Decision {
    /// It may.
    Allow,
    /// It may not: AccessDenied.
    Deny,
}

impl Decision {
    /// Whether it is [`Decision::Allow`].
    pub const fn is_allowed(self) -> bool {
        matches!(self, Self::Allow)
    }
}

/// Decides whether `caller` may do `action` to `resource`.
///
/// A copy is two questions: `GetObject` of the source and `PutObject` of the destination.
pub fn evaluate(caller: &Caller, action: Action, resource: Resource<'_>) -> Decision {
    let account = match &caller.principal {
        Principal::Internal(_) => return Decision::Allow,
        Principal::Anonymous => return Decision::Deny,
        Principal::Account(account) if account.root => return Decision::Allow,
        Principal::Account(account) => account,
    };
    let allowed = match resource {
        Resource::Service => action == Action::ListAllMyBuckets,
        Resource::NewBucket { .. } => action == Action::CreateBucket,
        Resource::Bucket { owner, .. } | Resource::Object { owner, .. } => owner == account.id,
    };
    if allowed { Decision::Allow } else { Decision::Deny }
}
