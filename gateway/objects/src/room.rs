//! Room for bodies: what a write declares is held against quotas before its body is read.
//!
//! # Limits
//! Bytes of bodies under way count like bytes that stand: with what waits for the end of its grace they are at most the
//! quota and its multiple. So writers side by side do not fill the disk with what the quota refuses in the end. A body
//! whose length nobody declared takes its room piece by piece.

use crate::bucket::cached::Bucket;
use crate::change::Change;
use crate::domain::Objects;
use crate::error::Error;
use crate::excess::passed;
use crate::in_flight::Holder;
use crate::upload::UploadRef;
use cofre_blobs::Count;
use cofre_catalog::keys;
use cofre_catalog::records::{AccountUsage, PartRecord, Record, Usage, VersionKind, VersionRecord, as_delta};
use cofre_rules::{Adds, Amounts, Bound, Bounded, Quota, QuotaOf, Quotas, Removal};
use cofre_types::ObjectKey;
use parking_lot::Mutex;
use std::sync::Arc;

/// What a body becomes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Brings<'a> {
    /// The current object at a key.
    Object(&'a ObjectKey),
    /// A part of an upload.
    Part(&'a UploadRef, u16),
}

/// What bounds a body.
#[derive(Clone)]
pub(crate) struct BodyBound {
    /// Most bytes.
    pub size_max: u64,
    /// The room that it has under quotas; none if nothing is bounded.
    pub room: Option<Arc<Room>>,
}

impl BodyBound {
    /// A body of at most so many bytes, which no quota bounds before its commit.
    pub(crate) const fn size(size_max: u64) -> Self {
        Self { size_max, room: None }
    }
}

/// The room of a body that is declared and has not come yet.
pub(crate) struct Reservation {
    size: u64,
    /// None if nothing is bounded.
    room: Option<Arc<Room>>,
}

/// The room of one body, for as long as it is written and committed.
pub(crate) struct Room {
    objects: Objects,
    bucket: Arc<Bucket>,
    shares: Vec<Share>,
    taken: Mutex<u64>,
}

/// The room under one quota on bytes, as it was when the body was admitted.
struct Share {
    holder: Holder,
    of: QuotaOf,
    /// Bytes that stand and may stand.
    used: u64,
    limit: u64,
    /// Bytes that the body may have, with what it replaces.
    left: u64,
    /// Bytes that stand and that wait for the end of their grace, and how many they may be together.
    standing: u64,
    standing_max: u64,
}

impl Objects {
    /// Makes room for a body of a declared length, or for one of which no length is known yet; `None` if no quota bounds
    /// what the bucket holds. Costs one read where one does.
    ///
    /// # Errors
    /// [`Error::QuotaExceeded`] or [`Error::GraceExceeded`] if it cannot be committed as things stand.
    pub(crate) async fn room(
        &self,
        bucket: &Arc<Bucket>,
        brings: Brings<'_>,
        size: Option<u64>,
    ) -> Result<Option<Arc<Room>>, Error> {
        let quotas = self.quotas(bucket).await?;
        if !quotas.bound_content() {
            return Ok(None);
        }
        let (id, owner) = (bucket.record.id, bucket.record.owner);
        let mut rows = self.store().get_many(vec![keys::usage(id), keys::account_usage(owner)]).await?;
        let row =
            |rows: &mut Vec<_>| rows.pop().flatten().map(|entry: cofre_catalog::Entry| entry.value).unwrap_or_default();
        let account = AccountUsage::from_value(&row(&mut rows));
        let usage = Usage::from_value(&row(&mut rows));
        let declared = size.unwrap_or(0);
        // What brings no bytes only replaces some, and may.
        let brings_bytes = size != Some(0);
        let mut adds = brings.at_most(declared);
        let in_grace = usage.grace_bytes > 0 || account.grace_bytes > 0;
        if size.is_none() || in_grace || failed(&quotas, (&adds, brings_bytes), &usage, &account).is_some() {
            adds = self.net(bucket, brings, declared).await?;
        }
        if let Some(bound) = failed(&quotas, (&adds, brings_bytes), &usage, &account) {
            return Err(self.excess(bucket, bound).await?);
        }
        let replaced = u64::try_from(as_delta(declared).saturating_sub(adds.total_bytes)).unwrap_or(0);
        let share = |holder, of, quota: Quota, bytes: i64, grace: i64| {
            let (used, limit) = (bytes.max(0).unsigned_abs(), quota.bytes_max?);
            Some(Share {
                holder,
                of,
                used,
                limit,
                left: limit.saturating_sub(used).saturating_add(replaced),
                standing: used.saturating_add(grace.max(0).unsigned_abs()),
                standing_max: limit.saturating_add(quotas.grace_max(quota)?),
            })
        };
        let shares = [
            share(Holder::Bucket(id), QuotaOf::Bucket, quotas.bucket, usage.total_bytes, usage.grace_bytes),
            share(Holder::Account(owner), QuotaOf::Account, quotas.account, account.bytes, account.grace_bytes),
        ];
        let shares = shares.into_iter().flatten().collect();
        let room = Room { objects: self.clone(), bucket: Arc::clone(bucket), shares, taken: Mutex::new(0) };
        room.take(declared)?;
        Ok(Some(Arc::new(room)))
    }

    /// As [`Objects::room`], before the body is at hand.
    pub(crate) async fn reserve(
        &self,
        bucket: &Arc<Bucket>,
        brings: Brings<'_>,
        size: u64,
    ) -> Result<Reservation, Error> {
        Ok(Reservation { size, room: self.room(bucket, brings, Some(size)).await? })
    }

    /// The room of a body: what was reserved, unless it has another length after all.
    pub(crate) async fn room_of(
        &self,
        reserved: Option<Reservation>,
        bucket: &Arc<Bucket>,
        brings: Brings<'_>,
        size: Option<u64>,
    ) -> Result<Option<Arc<Room>>, Error> {
        match reserved.filter(|reserved| Some(reserved.size) == size) {
            Some(reserved) => Ok(reserved.room),
            None => self.room(bucket, brings, size).await,
        }
    }

    /// What a write of so many bytes would change, with what it replaces.
    async fn net(&self, bucket: &Bucket, brings: Brings<'_>, size: u64) -> Result<Usage, Error> {
        let mut change = Change::default();
        match brings {
            Brings::Object(key) => {
                let state = self.key_state(bucket, key).await?;
                let now = self.now();
                let place = state.next_place(now);
                let marker =
                    VersionRecord::delete_marker(self.version_at(bucket, place), place, now, bucket.record.owner);
                let record = VersionRecord { kind: VersionKind::Object, size, ..marker };
                state.put(bucket.record.versioning, &record, Removal::at(now), &mut change)?;
            }
            Brings::Part(at, number) => {
                let before = self.get(keys::part(at.upload, number)).await?;
                let before = before.map(|entry| PartRecord::decode(&entry.value)).transpose()?;
                if let Some(before) = &before {
                    change.release_blobs([], before.size);
                    change.count_part(before.size, Count::Remove);
                }
                change.count_part(size, Count::Add);
            }
        }
        Ok(Usage { grace_bytes: change.released_bytes(), ..change.usage })
    }
}

impl Brings<'_> {
    /// What it adds if it replaces nothing.
    fn at_most(self, size: u64) -> Usage {
        let total_bytes = as_delta(size);
        match self {
            Self::Object(_) => Usage { total_bytes, total_objects: 1, ..Usage::default() },
            Self::Part(..) => Usage { total_bytes, upload_parts: 1, ..Usage::default() },
        }
    }
}

/// The first bound that what is added would pass.
fn failed(quotas: &Quotas, (adds, bytes): (&Usage, bool), usage: &Usage, account: &AccountUsage) -> Option<Bound> {
    let adds = Adds { usage: adds, bytes, marker: false };
    quotas.bounds(&adds).into_iter().find(|bound| bound.is_passed_by(usage, account))
}

impl Room {
    /// Takes room for more bytes.
    ///
    /// # Errors
    /// As [`Objects::room`].
    pub(crate) fn take(&self, more: u64) -> Result<(), Error> {
        let mut taken = self.taken.lock();
        let body = taken.saturating_add(more);
        let mut in_flight = self.objects.0.in_flight.0.lock();
        for share in &self.shares {
            let proposed = Amounts { limit: share.limit, used: share.used, proposed: body };
            if body > share.left {
                return Err(passed(&self.bucket, share.of, Bounded::Bytes, proposed));
            }
            let others = in_flight.get(&share.holder).copied().unwrap_or(0);
            let standing = share.standing.saturating_add(others);
            if standing.saturating_add(more) > share.standing_max {
                let amounts = Amounts { limit: share.standing_max, used: standing, proposed: more };
                return Err(passed(&self.bucket, share.of, Bounded::GraceBytes, amounts));
            }
        }
        for share in &self.shares {
            let bytes = in_flight.entry(share.holder).or_default();
            *bytes = bytes.saturating_add(more);
        }
        *taken = body;
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let taken = *self.taken.get_mut();
        let mut in_flight = self.objects.0.in_flight.0.lock();
        for share in &self.shares {
            let left = in_flight.get(&share.holder).copied().unwrap_or(0).saturating_sub(taken);
            if left == 0 {
                in_flight.remove(&share.holder);
            } else {
                in_flight.insert(share.holder, left);
            }
        }
    }
}
