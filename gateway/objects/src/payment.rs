//! Requester Pays (AWS, "Using Requester Pays general purpose buckets for storage transfers and usage"). Nobody is
//! billed here: what stands of it is who must say that they pay, and who is told that they did.

use crate::bucket::cached::Bucket;
use crate::domain::Objects;
use crate::error::Error;
use cofre_iam::{Action, Caller, Principal};
use cofre_types::BucketName;

impl Bucket {
    /// Whether requests of the caller are its own to pay: of everyone but the account that owns the bucket.
    /// The root account and parts of Cofre are nobody's customers.
    fn charges(&self, caller: &Caller) -> bool {
        self.requester_pays
            && match &caller.principal {
                Principal::Account(account) => !account.root && account.id != self.record.owner,
                Principal::Anonymous => true,
                Principal::Internal(_) | Principal::Service(_) => false,
            }
    }

    /// Whether a request must be refused, since its caller should pay for it and has not said that it does.
    /// Someone without credentials cannot pay.
    pub(crate) fn is_unpaid(&self, caller: &Caller, action: Action, of_object: bool) -> bool {
        if !self.charges(caller) {
            return false;
        }
        match caller.principal {
            Principal::Anonymous => true,
            Principal::Account(_) => !caller.pays && (of_object || is_paid_of_a_bucket(action)),
            Principal::Internal(_) | Principal::Service(_) => false,
        }
    }
}

impl Objects {
    /// Whether a request to a bucket that has succeeded was its caller's to pay: for a door that tells it.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub async fn is_charged(&self, caller: &Caller, name: &BucketName) -> Result<bool, Error> {
        Ok(caller.pays && self.bucket(name).await?.charges(caller))
    }
}

/// What is paid for of a bucket itself: the operations of the API reference that have `x-amz-request-payer`
/// and are about no object.
fn is_paid_of_a_bucket(action: Action) -> bool {
    matches!(
        action,
        Action::ListBucket
            | Action::ListBucketVersions
            | Action::ListBucketMultipartUploads
            | Action::GetAccelerateConfiguration
            | Action::PutBucketObjectLockConfiguration
    )
}
