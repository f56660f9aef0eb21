//! From an access key id to its secret: the first step of every signed request.
//!
//! # Invariants
//! A cached key is used only while the marks hold that were made before its records were read: a key that was disabled,
//! rotated or deleted is refused by the next request after that change returned. Where another process changes it, that
//! is so at most [`cofre_catalog::Store::staleness_max`] later, also while this one hears of nothing. Ids that are
//! unknown are not cached: whoever tries them at random costs one read each and drives nothing out of the cache.

use crate::caller::{AccountIdentity, Principal};
use crate::error::IamError;
use crate::secret::Secret;
use crate::service::{Iam, Inner};
use cofre_catalog::records::{AccessKeyRecord, AccountRecord};
use cofre_catalog::{Mark, keys};
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
    /// Of the key's record and of its account's.
    marks: [Mark; 2],
    key: Arc<Key>,
}

struct Key {
    credential: Arc<Credential>,
    disabled: bool,
    expires: Option<Timestamp>,
}

/// What was read of a key, and whether it may be kept.
struct ReadKey {
    marks: [Option<Mark>; 2],
    key: Key,
}

impl Iam {
    /// Looks an access key up: from memory, unless the key or its account changed since.
    ///
    /// # Errors
    /// [`IamError::Store`] or [`IamError::Damaged`]; [`IamError::WrongMasterKey`] if the secret does
    /// not open. Whether the key is any good is not an error but the answer.
    pub async fn lookup(&self, id: &AccessKeyId) -> Result<Lookup, IamError> {
        let fresh = |cached: &CachedKey| cached.marks.iter().all(|mark| mark.holds(self.0.store.as_ref()));
        if let Some(cached) = self.0.keys.get(id).filter(fresh) {
            return Ok(self.0.verdict(&cached.key));
        }
        let Some(ReadKey { marks, key }) = self.0.read_key(id).await? else {
            return Ok(Lookup::Unknown);
        };
        let key = Arc::new(key);
        if let [Some(of_key), Some(of_account)] = marks {
            self.0.keys.put(id.clone(), CachedKey { marks: [of_key, of_account], key: Arc::clone(&key) });
        }
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

    /// Reads a key and then its account, each after a mark of it: what either was at that moment, the request that asks
    /// had begun.
    async fn read_key(&self, id: &AccessKeyId) -> Result<Option<ReadKey>, IamError> {
        let at = keys::access_key(id);
        let of_key = Mark::of_key(self.store.as_ref(), &at);
        let Some(key) = self.read::<AccessKeyRecord>(at).await? else {
            return Ok(None);
        };
        let key = key.record;
        let at = keys::account(key.account);
        let of_account = Mark::of_key(self.store.as_ref(), &at);
        let Some(account) = self.read::<AccountRecord>(at).await? else {
            return Ok(None);
        };
        let account = account.record;
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
        let read =
            Key { credential: Arc::new(credential), disabled: key.disabled || account.disabled, expires: key.expires };
        Ok(Some(ReadKey { marks: [of_key, of_account], key: read }))
    }
}
