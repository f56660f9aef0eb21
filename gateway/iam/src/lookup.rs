//! From an access key id to its secret: the first step of every signed request.
//!
//! # Invariants
//! A cached key carries the numbers of touches of keys and accounts at which it was read, and counts
//! only while they stand still: a key that was disabled, rotated or deleted is refused by the next
//! request after that change returned. The numbers are read before the records, so that an old state is
//! never filed under new numbers. Ids that are unknown are not cached: whoever tries them at random
//! costs one read each and drives nothing out of the cache.

use crate::caller::{AccountIdentity, Principal};
use crate::error::IamError;
use crate::secret::Secret;
use crate::service::{Iam, Inner};
use cofre_catalog::keys::{self, family};
use cofre_catalog::records::{AccessKeyRecord, AccountRecord, Record};
use cofre_catalog::{Snapshot, SnapshotExt};
use cofre_types::{AccessKeyId, Timestamp};
use std::sync::Arc;

/// What a signature is checked with, and who the caller is if it is right.
#[derive(Debug)]
pub struct Credential {
    /// The secret access key.
    pub secret: Secret,
    /// The account, with this key in it.
    pub principal: Principal,
}

/// What became of an access key id.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// It may be used.
    Active(Arc<Credential>),
    /// There is none: S3 answers InvalidAccessKeyId.
    Unknown,
    /// It or its account is disabled: S3 answers InvalidAccessKeyId, as AWS does for an inactive key.
    Disabled,
    /// Its time is over: S3 answers InvalidAccessKeyId, as for a key that was deleted.
    Expired,
}

#[derive(Clone)]
pub(crate) struct CachedKey {
    touched: Touched,
    key: Arc<Key>,
}

struct Key {
    credential: Arc<Credential>,
    disabled: bool,
    expires: Option<Timestamp>,
}

/// How often keys and accounts have been touched.
type Touched = (u64, u64);

impl Iam {
    /// Looks an access key up: from memory, unless a key or an account changed since.
    ///
    /// # Errors
    /// [`IamError::Store`] or [`IamError::Damaged`]; [`IamError::WrongMasterKey`] if the secret does
    /// not open. Whether the key is any good is not an error but the answer.
    pub async fn lookup(&self, id: &AccessKeyId) -> Result<Lookup, IamError> {
        let touched = (self.0.store.touched(family::ACCESS_KEY), self.0.store.touched(family::ACCOUNT));
        if let Some(cached) = self.0.keys.get(id).filter(|cached| cached.touched == touched) {
            return Ok(self.0.verdict(&cached.key));
        }
        let Some(key) = self.0.read_key(id).await? else {
            return Ok(Lookup::Unknown);
        };
        let key = Arc::new(key);
        self.0.keys.put(id.clone(), CachedKey { touched, key: Arc::clone(&key) });
        Ok(self.0.verdict(&key))
    }
}

impl Inner {
    fn verdict(&self, key: &Key) -> Lookup {
        if key.disabled {
            return Lookup::Disabled;
        }
        match key.expires {
            Some(expires) if expires <= self.now() => Lookup::Expired,
            _ => Lookup::Active(Arc::clone(&key.credential)),
        }
    }

    async fn read_key(&self, id: &AccessKeyId) -> Result<Option<Key>, IamError> {
        let snapshot = self.store.snapshot().await?;
        let Some(key) = read::<AccessKeyRecord>(snapshot.as_ref(), keys::access_key(id)).await? else {
            return Ok(None);
        };
        let Some(account) = read::<AccountRecord>(snapshot.as_ref(), keys::account(key.account)).await? else {
            return Ok(None);
        };
        let identity = AccountIdentity {
            id: account.id,
            name: account.name,
            email: account.email,
            root: account.root,
            buckets_max: account.buckets_max,
            access_key: Some(id.clone()),
        };
        let credential = Credential {
            secret: self.master.open(id, &key.sealed_secret)?,
            principal: Principal::Account(Arc::new(identity)),
        };
        Ok(Some(Key {
            credential: Arc::new(credential),
            disabled: key.disabled || account.disabled,
            expires: key.expires,
        }))
    }
}

async fn read<R: Record>(snapshot: &dyn Snapshot, key: Vec<u8>) -> Result<Option<R>, IamError> {
    Ok(snapshot.get(key).await?.map(|entry| R::decode(&entry.value)).transpose()?)
}
