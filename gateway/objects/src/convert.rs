//! Conversion: objects that stand under another redundancy than they should are written anew under it.

use crate::bucket::cached::Bucket;
use crate::domain::Objects;
use crate::error::Error;
use crate::rewrite::{Beside, Restated};
use crate::upkeep::Upkeep;
use cofre_catalog::keys::{self, family};
use cofre_catalog::records::{BlobRecord, BucketRecord, Content, Record, Segment, Usage, VersionKind, VersionRecord};
use cofre_catalog::{Entry, ReadExt, Revision, Scan, Visit, VisitStep};
use cofre_runtime::uncancelled;
use cofre_types::{BucketId, BucketName, ObjectKey};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Most version records that one step reads.
const RECORDS_PER_STEP_MAX: usize = 256;

/// Most versions that are written anew at once.
const WRITES_AT_ONCE_MAX: usize = 4;

/// Most version records of the bucket that a pass is in that are counted, and most buckets after it.
const COUNTED_MAX: u64 = 100_000;

/// Most buckets whose counters are read together.
const BUCKETS_PER_PAGE_MAX: usize = 1_000;

/// What a step of converting did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Converted {
    /// Versions that were looked at.
    pub looked_at: u64,
    /// Versions that stand under the redundancy that they should now, and did not.
    pub versions: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Versions that changed meanwhile: left to the next pass.
    pub changed: u64,
    /// What could not be converted, by object, and why.
    pub problems: Vec<(String, String)>,
    /// Where to go on; absent at the end of a pass.
    pub next: Option<Vec<u8>>,
}

/// Where a pass is: a bucket, one of its two families of versions, and the record after which to go on.
struct Cursor {
    bucket: BucketId,
    family: u8,
    last: Vec<u8>,
}

/// A version that stands under another redundancy than it should.
struct Pick {
    key: ObjectKey,
    at: (Vec<u8>, Revision),
    record: VersionRecord,
}

impl Upkeep {
    /// What the redundancy of all that stands should be, in a few bytes: as long as they stay the same there is nothing
    /// to convert but what failed.
    ///
    /// # Errors
    /// [`Error`] if the catalog cannot be read.
    pub async fn redundancy_goal(&self) -> Result<Vec<u8>, Error> {
        let settings = self.objects.0.parts.settings.current();
        let goal = Goal { hasher: DefaultHasher::new() };
        let mut goal = self.objects.store().scan(Scan::prefix(&[family::BUCKET]), goal).await?;
        (self.objects.0.parts.scheme, settings.redundancy, settings.writes.replicate_bytes_max).hash(&mut goal.hasher);
        for (class, scheme) in &settings.storage_classes {
            (class, scheme.scheme()).hash(&mut goal.hasher);
        }
        Ok(goal.hasher.finish().to_be_bytes().to_vec())
    }

    /// Converts some versions, one bounded page at a time. `cursor` is what the last step gave; empty to begin a pass.
    ///
    /// Each version is written anew and committed in the place of its record, which must be as it was read: a lock, a
    /// tag or another version meanwhile makes the commit fail, and the next pass decides anew. Its bytes stay what they
    /// were, so that a lock is no obstacle.
    ///
    /// # Errors
    /// [`Error`] if the catalog cannot be read or written; the step can be done again.
    pub async fn convert(&self, cursor: &[u8]) -> Result<Converted, Error> {
        let mut converted = Converted::default();
        let cursor = Cursor::decode(cursor);
        let Some((bucket, cursor)) = self.objects.bucket_at(cursor).await? else { return Ok(converted) };
        let Some(bucket) = bucket else {
            converted.next = Some(cursor.encode());
            return Ok(converted);
        };
        let mut scan = Scan::prefix(&keys::in_bucket(cursor.family, cursor.bucket));
        if !cursor.last.is_empty() {
            scan = scan.after(cursor.last.clone());
        }
        let page = self.objects.store().page(scan, RECORDS_PER_STEP_MAX).await?;
        let full = page.len() == RECORDS_PER_STEP_MAX;
        let last = page.last().map(|(key, _)| key.clone()).unwrap_or_default();
        converted.looked_at = page.len() as u64;
        let picks = self.objects.picks(&bucket, page).await?;
        let each = picks.into_iter().map(|pick| {
            let (objects, bucket) = (self.objects.clone(), Arc::clone(&bucket));
            async move {
                let about = format!("{}/{}", bucket.name, pick.key);
                Ok::<_, Error>((about, uncancelled(async move { objects.convert_one(&bucket, pick).await }).await?))
            }
        });
        let outcomes: Vec<_> = stream::iter(each).buffer_unordered(WRITES_AT_ONCE_MAX).try_collect().await?;
        for (about, outcome) in outcomes {
            converted.note(about, outcome);
        }
        let next = match (full, cursor.family) {
            (true, _) => Cursor { last, ..cursor },
            (false, family::CURRENT) => Cursor { family: family::VERSION, last: Vec::new(), ..cursor },
            (false, _) => Cursor { family: family::BUCKET, last: Vec::new(), ..cursor },
        };
        converted.next = Some(next.encode());
        Ok(converted)
    }

    /// How many versions, delete markers among them, a pass that is at `cursor` has not looked at: those of the bucket
    /// that it is in one by one, those of the buckets after it by their counters. Absent if there are more than 100,000 of
    /// either.
    ///
    /// # Errors
    /// [`Error`] if the catalog cannot be read.
    pub async fn left_to_convert(&self, cursor: &[u8]) -> Result<Option<u64>, Error> {
        let snapshot = self.objects.store().snapshot().await?;
        let mut scan = Scan::prefix(&[family::BUCKET_ID]);
        let mut left = 0;
        if let Some(Cursor { bucket, family: at, last }) = Cursor::decode(cursor) {
            let families: &[u8] = match at {
                family::CURRENT => &[family::CURRENT, family::VERSION],
                family::VERSION => &[family::VERSION],
                _ => &[],
            };
            for family in families {
                let mut rest = Scan::prefix(&keys::in_bucket(*family, bucket));
                if *family == at && !last.is_empty() {
                    rest = rest.after(last.clone());
                }
                left = snapshot.scan(rest, Rest { left }).await?.left;
            }
            if left > COUNTED_MAX {
                return Ok(None);
            }
            scan = scan.after(keys::bucket_id(bucket));
        }
        let mut buckets = 0;
        loop {
            let page = snapshot.page(scan.clone(), BUCKETS_PER_PAGE_MAX).await?;
            let ids = page.iter().filter_map(|(key, _)| key.last_chunk());
            let rows = ids.map(|id| keys::usage(BucketId(u64::from_be_bytes(*id)))).collect();
            for row in snapshot.get_many(rows).await?.into_iter().flatten() {
                let usage = Usage::from_value(&row.value);
                left += (usage.total_objects + usage.delete_markers).unsigned_abs();
            }
            buckets += page.len() as u64;
            match page.last() {
                Some((key, _)) if page.len() == BUCKETS_PER_PAGE_MAX => scan = scan.after(key.clone()),
                _ => return Ok(Some(left)),
            }
            if buckets >= COUNTED_MAX {
                return Ok(None);
            }
        }
    }
}

impl Objects {
    /// The bucket that a pass is in or comes to next, if it is still there; `None` at the end.
    async fn bucket_at(&self, cursor: Option<Cursor>) -> Result<Option<(Option<Arc<Bucket>>, Cursor)>, Error> {
        let mut scan = Scan::prefix(&[family::BUCKET_ID]);
        if let Some(cursor) = cursor {
            if cursor.family != family::BUCKET {
                let entry = self.get(keys::bucket_id(cursor.bucket)).await?;
                let bucket = match entry {
                    Some(entry) => self.named(cursor.bucket, &entry.value).await?,
                    None => None,
                };
                return Ok(Some(match bucket {
                    Some(bucket) => (Some(bucket), cursor),
                    None => (None, Cursor { family: family::BUCKET, ..cursor }),
                }));
            }
            scan = scan.after(keys::bucket_id(cursor.bucket));
        }
        let Some((key, entry)) = self.store().page(scan, 1).await?.pop() else { return Ok(None) };
        let id = key.last_chunk().map(|bytes| BucketId(u64::from_be_bytes(*bytes)));
        let id = id.ok_or_else(|| Error::Internal("the key of a bucket's name is too short".to_owned()))?;
        let begin = |family| Cursor { bucket: id, family, last: Vec::new() };
        Ok(Some(match self.named(id, &entry.value).await? {
            Some(bucket) => (Some(bucket), begin(family::CURRENT)),
            None => (None, begin(family::BUCKET)),
        }))
    }

    async fn named(&self, id: BucketId, name: &[u8]) -> Result<Option<Arc<Bucket>>, Error> {
        let name = std::str::from_utf8(name).ok().and_then(|name| BucketName::parse(name).ok());
        let Some(name) = name else { return Ok(None) };
        match self.bucket(&name).await {
            Ok(bucket) => Ok(Some(bucket).filter(|bucket| bucket.record.id == id)),
            Err(Error::NoSuchBucket) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The versions of a page that do not stand as they should. Those in one blob each are looked up together.
    async fn picks(&self, bucket: &Bucket, page: Vec<(Vec<u8>, Entry)>) -> Result<Vec<Pick>, Error> {
        let mut picks = Vec::new();
        for (at, entry) in page {
            let record = VersionRecord::decode(&entry.value)?;
            let key = keys::object_of(&at).and_then(|(_, object, _)| String::from_utf8(object).ok());
            let key = key.and_then(|key| ObjectKey::try_from(key).ok());
            if let Some(key) = key.filter(|_| record.kind == VersionKind::Object && record.size > 0) {
                picks.push(Pick { key, at: (at, entry.revision), record });
            }
        }
        let mut wanted: Vec<_> = picks.iter().flat_map(|pick| pick.segments()).map(|segment| segment.blob).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let entries = self.store().get_many(wanted.iter().map(|id| keys::blob(*id)).collect()).await?;
        let mut stands = HashMap::new();
        for (id, entry) in wanted.into_iter().zip(entries) {
            if let Some(entry) = entry {
                stands.insert(id, BlobRecord::decode(&entry.value)?);
            }
        }
        picks.retain(|pick| match &pick.record.content {
            // The parts of a manifest are looked up one by one, when it is its turn.
            Content::Manifest(_) => true,
            Content::Segments(segments) => {
                let scheme = self.scheme_of(bucket, &pick.record.storage_class);
                let found = segments.iter().filter_map(|segment| stands.get(&segment.blob));
                found.into_iter().any(|blob| !self.blobs().stands_under(blob, scheme))
            }
        });
        Ok(picks)
    }

    async fn convert_one(&self, bucket: &Bucket, pick: Pick) -> Result<Outcome, Error> {
        let Pick { key, at, record } = pick;
        let (class, size) = (record.storage_class.clone(), record.size);
        Ok(match self.restate(bucket, &key, at, record, class, Beside::default()).await? {
            Restated::Anew => Outcome::Done(size),
            Restated::AsItWas => Outcome::Whole,
            Restated::Changed => Outcome::Changed,
            Restated::Failed(why) => Outcome::Failed(why),
        })
    }
}

/// What came of one version.
enum Outcome {
    Done(u64),
    Whole,
    Changed,
    Failed(String),
}

impl Converted {
    fn note(&mut self, about: String, outcome: Outcome) {
        match outcome {
            Outcome::Done(size) => {
                self.versions += 1;
                self.bytes += size;
            }
            Outcome::Whole => {}
            Outcome::Changed => self.changed += 1,
            Outcome::Failed(why) => self.problems.push((about, why)),
        }
    }
}

impl Pick {
    fn segments(&self) -> &[Segment] {
        match &self.record.content {
            Content::Segments(segments) => segments,
            Content::Manifest(_) => &[],
        }
    }
}

impl Cursor {
    fn encode(&self) -> Vec<u8> {
        [&self.bucket.0.to_be_bytes()[..], &[self.family], &self.last].concat()
    }

    /// Undoes [`Cursor::encode`]; `None` for other bytes, with which a pass begins anew.
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (bucket, rest) = bytes.split_first_chunk()?;
        let (family, last) = rest.split_first()?;
        let known = matches!(*family, family::CURRENT | family::VERSION | family::BUCKET);
        known.then(|| Self { bucket: BucketId(u64::from_be_bytes(*bucket)), family: *family, last: last.to_vec() })
    }
}

/// Counts records, up to one more than [`COUNTED_MAX`].
struct Rest {
    left: u64,
}

impl Visit for Rest {
    fn visit(&mut self, _: &[u8], _: Revision, _: &[u8]) -> VisitStep {
        self.left += 1;
        if self.left > COUNTED_MAX { VisitStep::Stop } else { VisitStep::Continue }
    }
}

/// Adds up the redundancy of buckets.
struct Goal {
    hasher: DefaultHasher,
}

impl Visit for Goal {
    fn visit(&mut self, _: &[u8], _: Revision, value: &[u8]) -> VisitStep {
        // A record that cannot be read is told of by whoever needs it.
        if let Ok(record) = BucketRecord::decode(value)
            && let Some(scheme) = record.scheme
        {
            (record.id, scheme).hash(&mut self.hasher);
        }
        VisitStep::Continue
    }
}
