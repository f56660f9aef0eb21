use crate::error::IamError;
use crate::service::{Iam, TRIES_MAX};
use cofre_catalog::{Batch, Check, ReadExt, Scan, keys};
use cofre_types::AccountId;

/// Most keys that one commit deletes.
const KEYS_BATCH_MAX: usize = 500;

impl Iam {
    /// Deletes an account, its keys and its sessions, for good.
    ///
    /// The keys go first, in steps; the account goes in a commit that checks that it owns no bucket
    /// and has no key. After a crash, or a [`IamError::Refused`] because a bucket was made meanwhile,
    /// the account may be there without keys: call again, or make a new key.
    ///
    /// # Errors
    /// [`IamError::NotFound`]; [`IamError::Refused`] for the root account and while it owns a bucket.
    pub async fn delete_account(&self, id: AccountId, actor: &str) -> Result<(), IamError> {
        for _ in 0..TRIES_MAX {
            let found = self.0.find_account(id).await?;
            let account = found.record;
            if account.root {
                return Err(IamError::Refused { reason: "the root account cannot be deleted" });
            }
            self.check_owns_nothing(id).await?;
            self.delete_keys_of(id, &account.name, actor).await?;

            let mut batch = Batch::new();
            batch.unchanged(keys::account(id), Some(found.revision));
            batch.checks.push(Check::NoneWithPrefix(keys::owned_buckets(id)));
            batch.checks.push(Check::NoneWithPrefix(keys::account_keys(id)));
            batch.delete(keys::account(id)).delete(keys::account_name(&account.name));
            batch.delete(keys::account_usage(id));
            self.0.end_sessions(id, &mut batch).await?;
            if !account.email.is_empty() {
                batch.delete(keys::account_email(&account.email));
            }
            batch.writes.push(self.0.event(0, "account.deleted", &account.name, actor, &[("id", &id)]));
            if self.0.commit(batch).await? {
                return Ok(());
            }
        }
        Err(IamError::Conflict)
    }

    async fn check_owns_nothing(&self, id: AccountId) -> Result<(), IamError> {
        if self.0.store.count(Scan::prefix(&keys::owned_buckets(id)), 1).await? == 0 {
            return Ok(());
        }
        Err(IamError::Refused { reason: "the account owns buckets; delete them first" })
    }

    async fn delete_keys_of(&self, id: AccountId, name: &str, actor: &str) -> Result<(), IamError> {
        let prefix = keys::account_keys(id);
        loop {
            let places = self.0.store.keys(Scan::prefix(&prefix), KEYS_BATCH_MAX).await?;
            if places.is_empty() {
                return Ok(());
            }
            let mut batch = Batch::new();
            for place in &places {
                let key = [&[keys::family::ACCESS_KEY], &place[prefix.len()..]].concat();
                batch.delete(place.clone()).delete(key);
            }
            batch.writes.push(self.0.event(0, "account.keys_deleted", name, actor, &[("count", &places.len())]));
            // Without a check it cannot fail but by the store.
            if !self.0.commit(batch).await? {
                return Err(IamError::Conflict);
            }
        }
    }
}
