//! Owners in answers, and the owners that clients expect.

use super::Operations;
use super::asked::Asked;
use cofre_types::{AccountId, BucketName};
use s3s::dto::{Initiator, Owner};
use s3s::{S3Error, S3ErrorCode, S3Result};

/// An account as S3 prints it. The display name is the caller's own, or none: S3 no longer tells
/// callers the names of others.
pub(super) fn owner(asked: &Asked, account: AccountId) -> Owner {
    Owner { display_name: name(asked, account), id: Some(account.to_string()) }
}

/// Who began an upload.
pub(super) fn initiator(asked: &Asked, account: AccountId) -> Initiator {
    Initiator { display_name: name(asked, account), id: Some(account.to_string()) }
}

fn name(asked: &Asked, account: AccountId) -> Option<String> {
    let caller = asked.caller.principal.account()?;
    (caller.id == account).then(|| caller.name.clone())
}

/// Refuses a request that expects another owner of a bucket.
pub(super) async fn expect(ops: &Operations, asked: &Asked, bucket: &BucketName, expected: &str) -> S3Result<()> {
    let found = ops.objects.head_bucket(&asked.caller, bucket).await;
    let found = found.map_err(|error| asked.refuse(bucket.as_str(), error))?;
    if found.owner.to_string() == expected { Ok(()) } else { Err(S3Error::new(S3ErrorCode::AccessDenied)) }
}
