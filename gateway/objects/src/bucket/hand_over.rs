//! A bucket that is handed over to another account.

use crate::bucket::{BucketInfo, ConfigKind};
use crate::domain::Objects;
use crate::error::Error;
use cofre_catalog::records::{AccountRecord, AccountUsage, BucketConfig, EventRecord, Ownership, Record, Usage};
use cofre_catalog::{Batch, CommitError, keys};
use cofre_iam::{Caller, OperatorAct};
use cofre_types::{AccountId, BucketName};

impl Objects {
    /// Hands a bucket over to another account, with everything in it: its ownership controls disable access control
    /// lists from now on, so that the new owner owns every object, whoever wrote it, and no list grants anything. Its
    /// policy and its other configurations stay. What it holds counts for the new owner, whose quota stops further
    /// writes but not this.
    ///
    /// # Errors
    /// [`Error::AccessDenied`] for everyone but operators, and if there is no such account;
    /// [`Error::Conflict`] if it is written to all the while: try again.
    pub async fn hand_bucket_over(
        &self,
        caller: &Caller,
        name: &BucketName,
        to: AccountId,
    ) -> Result<BucketInfo, Error> {
        self.authorise_operator(caller, OperatorAct::HandBucketOver)?;
        for _ in Self::tries() {
            let bucket = self.bucket(name).await?;
            let from = bucket.record.owner;
            if from == to {
                return Ok(BucketInfo::of(name, &bucket.record));
            }
            let id = bucket.record.id;
            let wanted = vec![keys::usage(id), keys::account(to), keys::account(from)];
            let [row, to_entry, from_entry] = self.store().get_many(wanted).await?.try_into().unwrap_or_default();
            let to_entry = to_entry.ok_or(Error::AccessDenied)?;
            let mut record = bucket.record.clone();
            record.owner = to;
            record.config.retain(|config| !matches!(ConfigKind::of(config), ConfigKind::Acl | ConfigKind::Ownership));
            record.config.push(BucketConfig::Ownership(Ownership::HandedOver));
            let mut batch = Batch::new();
            batch.unchanged(keys::bucket(name), Some(bucket.revision)).put(keys::bucket(name), record.encode());
            batch.unchanged(keys::account(to), Some(to_entry.revision));
            // What the bucket holds is counted for its owner in each commit that changes it.
            batch.unchanged(keys::usage(id), row.as_ref().map(|row| row.revision));
            let holds = row.map_or_else(Usage::default, |row| Usage::from_value(&row.value));
            let (objects, bytes) = (holds.total_objects, holds.total_bytes);
            let owned = |sign: i64| {
                AccountUsage { buckets: sign, objects: sign * objects, bytes: sign * bytes, grace_bytes: 0 }.row()
            };
            batch.add(keys::account_usage(from), owned(-1)).add(keys::account_usage(to), owned(1));
            batch.delete(keys::owned_bucket(from, name)).put(keys::owned_bucket(to, name), Vec::new());
            let account = |value: &[u8]| AccountRecord::decode(value).map(|record| record.name);
            let before = from_entry.map_or_else(|| Ok(from.to_string()), |entry| account(&entry.value))?;
            let event = EventRecord {
                at: self.now(),
                kind: "bucket.owner_changed".to_owned(),
                subject: name.to_string(),
                actor: caller.actor(),
                details: vec![
                    ("owner".to_owned(), format!("{before} -> {}", account(&to_entry.value)?)),
                    ("owner_id".to_owned(), format!("{from} -> {to}")),
                ],
            };
            batch.writes.push(event.append(0));
            match self.store().commit(batch).await {
                Ok(_) => return Ok(BucketInfo::of(name, &record)),
                Err(CommitError::Failed(_)) => {}
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(Error::Conflict)
    }
}
