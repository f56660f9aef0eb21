//! Owners in answers, and the owners that clients expect.

use super::Operations;
use super::asked::Asked;
use crate::errors;
use cofre_iam::IamError;
use cofre_types::{AccountId, BucketName};
use s3s::dto::{Initiator, Owner};
use s3s::{S3Error, S3ErrorCode, S3Result};
use std::collections::HashMap;

/// An account as S3 prints it in listings of objects. The display name is the caller's own, or none.
pub(super) fn owner(asked: &Asked, account: AccountId) -> Owner {
    Owner { display_name: name(asked, account), id: Some(account.to_string()) }
}

fn name(asked: &Asked, account: AccountId) -> Option<String> {
    let caller = asked.caller.principal.account()?;
    (caller.id == account).then(|| caller.name.clone())
}

/// The display names of some accounts, where answers name others than the caller: those of access
/// control lists and of uploads. The caller's own costs no read.
pub(super) struct Names(HashMap<AccountId, String>);

impl Names {
    /// Looks the names up.
    pub(super) async fn of(
        ops: &Operations,
        asked: &Asked,
        accounts: impl IntoIterator<Item = AccountId>,
    ) -> S3Result<Self> {
        let own = asked.caller.principal.account();
        let mut names: HashMap<_, _> = own.map(|own| (own.id, own.name.clone())).into_iter().collect();
        let others: Vec<_> = accounts.into_iter().filter(|account| !names.contains_key(account)).collect();
        if !others.is_empty() {
            names.extend(ops.iam.account_names(others).await.map_err(|error| failed(&error))?);
        }
        Ok(Self(names))
    }

    /// An account with its name; without one if it was deleted.
    pub(super) fn owner(&self, account: AccountId) -> Owner {
        Owner { display_name: self.0.get(&account).cloned(), id: Some(account.to_string()) }
    }

    /// Who began an upload.
    pub(super) fn initiator(&self, account: AccountId) -> Initiator {
        let Owner { display_name, id } = self.owner(account);
        Initiator { display_name, id }
    }
}

/// The answer where accounts could not be read.
pub(super) fn failed(error: &IamError) -> S3Error {
    tracing::error!(%error, "accounts could not be read");
    errors::internal()
}

/// Refuses a request that expects another owner of a bucket.
pub(super) async fn expect(ops: &Operations, asked: &Asked, bucket: &BucketName, expected: &str) -> S3Result<()> {
    let owner = ops.objects.bucket_owner(bucket).await.map_err(|error| asked.refuse(bucket.as_str(), error))?;
    if owner.to_string() == expected { Ok(()) } else { Err(S3Error::new(S3ErrorCode::AccessDenied)) }
}
