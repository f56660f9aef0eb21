use crate::domain::Objects;
use crate::error::Error;
use cofre_catalog::records::{AccountUsage, EventRecord, Garbage, GarbageRecord, GraceCharge, Record, Usage};
use cofre_catalog::{Check, Committed, GuardedBatch, keys};
use cofre_iam::{Action, Caller};
use cofre_types::BucketName;

/// Why a bucket cannot be deleted.
struct NotEmpty;

impl Objects {
    /// Deletes a bucket that holds no object, version or delete marker. Uploads under way in it end.
    ///
    /// # Errors
    /// [`Error::BucketNotEmpty`].
    pub async fn delete_bucket(&self, caller: &Caller, name: &BucketName) -> Result<(), Error> {
        for _ in Self::tries() {
            let bucket = self.bucket_for(caller, Action::DeleteBucket, name, None).await?;
            let id = bucket.record.id;
            let now = self.now();
            let mut batch = GuardedBatch::new();
            batch.unchanged(keys::bucket(name), Some(bucket.revision));
            // What uploads under way hold is no longer its owner's.
            let row = self.get(keys::usage(id)).await?;
            batch.unchanged(keys::usage(id), row.as_ref().map(|row| row.revision));
            let left = row.map_or_else(Usage::default, |row| Usage::from_value(&row.value));
            // They wait for the end of their grace.
            let grace_bytes = left.total_bytes;
            let owned =
                AccountUsage { buckets: -1, objects: -left.total_objects, bytes: -left.total_bytes, grace_bytes };
            batch.add(keys::account_usage(bucket.record.owner), owned.row());
            // The counters are exact; looking for keys would walk what a bucket that was emptied leaves.
            for index in Usage::EMPTY_WHEN_ZERO {
                batch.require(Check::CounterAtMost { key: keys::usage(id), index, adding: 0, max: 0 }, NotEmpty);
            }
            batch.delete(keys::bucket(name));
            batch.delete(keys::bucket_id(id));
            batch.delete(keys::owned_bucket(bucket.record.owner, name));
            batch.delete(keys::usage(id));
            let due = now.after(self.garbage_grace());
            let charge = |bytes| GraceCharge { bucket: id, account: bucket.record.owner, bytes };
            let charge = u64::try_from(grace_bytes).ok().map(charge);
            let garbage = GarbageRecord { what: Garbage::Uploads(id), charge };
            batch.put(keys::garbage(due.0, self.random().bytes()), garbage.encode());
            let event = EventRecord {
                at: now,
                kind: "bucket.deleted".to_owned(),
                subject: name.to_string(),
                actor: caller.actor(),
                details: Vec::new(),
            };
            batch.writes.push(event.append(0));
            match batch.commit(self.store()).await? {
                Committed::Done(_) => return Ok(()),
                Committed::Refused(NotEmpty) => return Err(Error::BucketNotEmpty),
                Committed::Changed => {}
            }
        }
        Err(Error::Conflict)
    }
}
