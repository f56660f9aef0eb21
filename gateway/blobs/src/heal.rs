use crate::blob::{BLOBS_AT_ONCE_MAX, DELETED, HeldBlob, blob_ref, blob_subject, copy_bytes};
use crate::blobs::Blobs;
use crate::error::BlobsError;
use crate::given_up::GivenUp;
use crate::queue::HealCursor;
use crate::twins::Split;
use cofre_catalog::{Batch, Entry, keys};
use cofre_shards::{AddError, BlobRef, Copy, CopyState, standing};
use cofre_types::{BlobId, Scheme, ShardId};
use futures_util::stream::{self, StreamExt, TryStreamExt};

/// What a step of healing did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Healed {
    /// Blobs whose redundancy was proved whole again.
    pub blobs: u64,
    /// The same blobs, and the shards that got a copy: to read them back.
    pub healed: Vec<(BlobId, Vec<ShardId>)>,
    /// Bytes of the copies that were written.
    pub bytes: u64,
    /// Blobs that wait: no shard to write to, or a copy that cannot be reached.
    pub waiting: u64,
    /// Why each of them does.
    pub waits_for: Vec<String>,
    /// Blobs of which too few whole copies were found to read them. Nothing of them is deleted.
    pub damaged: Vec<Damaged>,
    /// Where to go on; absent at the end of the queue.
    pub next: Option<HealCursor>,
}

/// A blob of which too few whole copies are left to read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// The blob.
    pub blob: BlobId,
    /// The blob and its object, for a person to read.
    pub subject: String,
    /// What is wrong with its copies.
    pub why: String,
}

/// The copies of a blob, by what looking at them proved.
#[derive(Default)]
struct Sorted {
    /// Those that count.
    good: Vec<Copy>,
    /// Good ones beyond those that the scheme asks for.
    twins: Vec<Copy>,
    missing: Vec<Copy>,
    corrupt: Vec<Copy>,
    /// Deleted by their shards, and still to be read.
    deleted: Vec<Copy>,
    unknown: Vec<Copy>,
    why: String,
}

impl Blobs {
    /// Heals some blobs of the queue after `after`, those nearest loss first.
    ///
    /// # Errors
    /// [`BlobsError`] if the catalog cannot be read or written.
    pub async fn heal(&self, after: Option<HealCursor>) -> Result<Healed, BlobsError> {
        let given_up = self.given_up_shards().await?;
        let queued = self.heal_queue(after).await?;
        let ids: Vec<_> = queued.entries.iter().map(|(key, _)| keys::blob_of(key)).collect();
        let blobs = self.store().get_many(ids.iter().flatten().map(|id| keys::blob(*id)).collect()).await?;
        let mut blobs = blobs.into_iter();
        let each = queued.entries.into_iter().zip(ids).filter_map(|(queued, id)| {
            let id = id?;
            Some((queued, id, blobs.next().flatten()))
        });
        let each: Vec<_> = each.map(|(queued, id, blob)| self.heal_queued(queued, id, blob, &given_up)).collect();
        let healed: Vec<_> = stream::iter(each).buffer_unordered(BLOBS_AT_ONCE_MAX).try_collect().await?;
        let healed = healed.into_iter().fold(Healed::default(), Healed::and);
        Ok(Healed { next: queued.next, ..healed })
    }

    /// Heals a blob as its record was when the page of the queue was read: if it changed since, the commit fails, and the
    /// next pass decides anew.
    async fn heal_queued(
        &self,
        (key, entry): (Vec<u8>, Entry),
        id: BlobId,
        blob: Option<Entry>,
        given_up: &GivenUp,
    ) -> Result<Healed, BlobsError> {
        let mut unqueue = Batch::new();
        unqueue.unchanged(key.clone(), Some(entry.revision));
        unqueue.delete(key);
        match blob {
            Some(blob) => self.heal_blob(&HeldBlob::of(id, &blob)?, given_up, unqueue).await,
            None => self.maintain(unqueue).await.map(|_| Healed::default()),
        }
    }

    /// `unqueue` takes the blob off the queue; it is part of the commit that makes the blob whole.
    async fn heal_blob(&self, held: &HeldBlob, given_up: &GivenUp, unqueue: Batch) -> Result<Healed, BlobsError> {
        let mut healed = Healed::default();
        let scheme = held.record.scheme;
        let sorted = self.sort_copies(held, given_up).await?;
        let kept = join(&sorted.good, &sorted.unknown);
        let sources = match self.sources(held, given_up, &sorted).await {
            Sources::Enough(sources) => sources,
            Sources::OutOfReach => return Ok(Healed::waits("too few of their copies or pieces can be reached now")),
            Sources::TooFew => {
                healed.damaged.push(self.damaged(held, sorted).await);
                return Ok(healed);
            }
        };
        let blob = blob_ref(held.id, &held.record);
        let avoid: Vec<ShardId> = given_up.keys().copied().collect();
        let began = self.now();
        let spare = join(&sorted.twins, &sorted.deleted);
        let new = match self.shards().add_copies_beside(&blob, &sources, &spare, scheme, &avoid).await {
            Ok(new) => new,
            Err(error @ (AddError::Read(_) | AddError::Write(_))) => return Ok(Healed::waits(error)),
        };
        self.refuse_stale(began)?;
        let whole = stand(scheme, &join(&kept, &new)) >= scheme.width() && sorted.unknown.is_empty();
        let bytes: u64 = new.iter().map(|copy| copy_bytes(&held.record, copy.piece)).sum();
        let readable = stand(scheme, &join(&sorted.good, &new)) >= scheme.needed();
        let mut lost = if readable { sorted.lost(&new) } else { Vec::new() };
        lost.extend(self.leaving_twins(&sorted.twins, &new, whole).await?);
        if !whole && new.is_empty() && lost.is_empty() {
            return Ok(Healed::waits(sorted.lacks()));
        }
        let written = new.iter().map(|copy| copy.shard).collect();
        let mut batch = if whole { unqueue } else { Batch::new() };
        held.change_copies(&lost, new, &mut batch);
        for copy in &lost {
            // One that is back meanwhile is held against the catalog: nothing is let go on it.
            if let Some(read) = given_up.get(&copy.shard) {
                batch.unchanged(keys::shard(copy.shard), Some(*read));
            }
        }
        if self.maintain(batch).await? {
            healed.bytes += bytes;
            if whole {
                healed.blobs += 1;
                healed.healed.push((held.id, written));
            } else {
                healed = Healed { bytes, ..Healed::waits(sorted.lacks()) };
            }
        }
        Ok(healed)
    }

    /// The copies to make others from, besides those that are spare. What still reads on shards that were given up is
    /// looked for only where it may be all that is left.
    async fn sources(&self, held: &HeldBlob, given_up: &GivenUp, sorted: &Sorted) -> Sources {
        let scheme = held.record.scheme;
        let mut counted = sorted.good.clone();
        if stand(scheme, &join(&counted, &sorted.deleted)) < scheme.needed() {
            let blob = blob_ref(held.id, &held.record);
            for copy in blob.copies.iter().filter(|copy| given_up.contains_key(&copy.shard)) {
                if self.shards().verify(&blob, copy).await == CopyState::Whole {
                    counted.push(copy.clone());
                }
            }
        }
        let readable = join(&counted, &sorted.deleted);
        let with_unknown = join(&readable, &sorted.unknown);
        match (stand(scheme, &readable) >= scheme.needed(), stand(scheme, &with_unknown) >= scheme.needed()) {
            (true, _) => Sources::Enough(join(&counted, &sorted.unknown)),
            (false, true) => Sources::OutOfReach,
            (false, false) => Sources::TooFew,
        }
    }

    /// What is told of a blob that cannot be read. Its object is known where a copy's header can still be read.
    async fn damaged(&self, held: &HeldBlob, sorted: Sorted) -> Damaged {
        let there = [sorted.good, sorted.deleted, sorted.corrupt].concat();
        let blob = BlobRef { copies: there, ..blob_ref(held.id, &held.record) };
        let (subject, why) = match self.object_of(&blob).await {
            Some(object) => (blob_subject(held.id, Some(&object)), sorted.why),
            None => {
                let why = format!("{}; no copy is there to tell which object it is of", sorted.why);
                (blob_subject(held.id, None), why)
            }
        };
        Damaged { blob: held.id, subject, why }
    }

    /// A copy on a shard that was given up counts as missing; it is held against the catalog if the shard comes back.
    async fn sort_copies(&self, held: &HeldBlob, given_up: &GivenUp) -> Result<Sorted, BlobsError> {
        let mut sorted = Sorted::default();
        let blob = blob_ref(held.id, &held.record);
        let (gone, there): (Vec<_>, Vec<_>) =
            blob.copies.iter().cloned().partition(|copy| given_up.contains_key(&copy.shard));
        for copy in gone {
            sorted.why = format!("shard {} was given up", copy.shard);
            sorted.missing.push(copy);
        }
        for (copy, state) in self.check_copies(&blob, &there).await {
            match state {
                CopyState::Whole => sorted.good.push(copy),
                CopyState::Missing => {
                    sorted.why = format!("shard {}: missing", copy.shard);
                    sorted.missing.push(copy);
                }
                CopyState::Corrupt(why) => {
                    sorted.why = format!("shard {}: {why}", copy.shard);
                    sorted.corrupt.push(copy);
                }
                CopyState::Deleted => {
                    sorted.why = format!("shard {}: {DELETED}", copy.shard);
                    sorted.deleted.push(copy);
                }
                CopyState::Unreachable(_) => sorted.unknown.push(copy),
            }
        }
        let Split { kept, twins } = self.split_twins(held.record.scheme, sorted.good).await?;
        Ok(Sorted { good: kept, twins, ..sorted })
    }
}

impl Healed {
    /// One blob that waits, and why.
    fn waits(why: impl ToString) -> Self {
        Self { waiting: 1, waits_for: vec![why.to_string()], ..Self::default() }
    }

    /// What both did.
    fn and(mut self, other: Self) -> Self {
        self.healed.extend(other.healed);
        self.waits_for.extend(other.waits_for);
        self.damaged.extend(other.damaged);
        Self {
            blobs: self.blobs + other.blobs,
            bytes: self.bytes + other.bytes,
            waiting: self.waiting + other.waiting,
            next: other.next.or(self.next),
            ..self
        }
    }
}

/// What a blob can be made whole from.
enum Sources {
    /// These copies.
    Enough(Vec<Copy>),
    /// Too few are proved whole, and those out of reach may be what lacks.
    OutOfReach,
    /// Too few, and none that may come back.
    TooFew,
}

impl Sorted {
    /// The copies that are given up: what is missing, and what is corrupt or deleted where a whole copy of the same piece
    /// stands, for what is left of it may still be of use.
    fn lost(&self, new: &[Copy]) -> Vec<Copy> {
        let stands = |piece: u8| self.good.iter().chain(new).any(|copy| copy.piece == piece);
        let left = self.corrupt.iter().chain(&self.deleted).filter(|copy| stands(copy.piece));
        self.missing.iter().chain(left).cloned().collect()
    }

    /// Why the blob is not whole yet.
    fn lacks(&self) -> String {
        match self.unknown.first() {
            Some(copy) => format!("a copy or piece on shard {} cannot be reached", copy.shard),
            None => "too few shards on other failure domains take new copies".to_owned(),
        }
    }
}

fn join(some: &[Copy], others: &[Copy]) -> Vec<Copy> {
    some.iter().chain(others).cloned().collect()
}

fn stand(scheme: Scheme, copies: &[Copy]) -> usize {
    standing(scheme, copies.iter().map(|copy| copy.piece))
}
