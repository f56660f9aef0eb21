//! Counts anew what the records of a salvaged catalog add up to.
//!
//! # How
//! Where a block was lost, an older value of a record may have come to light, or none: a count that stands in a record is of
//! another state than what it counts. So references, and the counters of buckets, accounts and shards, are added up from
//! the records that are there. What only leads to deletions is left out: garbage and doomed copies, which may have been
//! dealt with already, so that doing it again would let something go that is in use. What they were about is in no record
//! then, and stands on the shards. What only leads to other records is made anew (see [`Indexes`]). Left out as well are blobs and manifests that nothing refers to, uploads that were
//! completed, and parts of neither an upload nor a manifest.
//!
//! # Limits
//! References to blobs are noted in files, 16 bytes each, and counted for a share of all blobs at a time. Memory holds a
//! few numbers for each bucket, account, upload and multipart object.

use super::CopyBytes;
use super::indexes::{Indexes, Row};
use crate::keys::{self, family};
use crate::records::{
    AccessKeyRecord, AccountRecord, AccountUsage, BlobRecord, BucketRecord, Content, ManifestRecord, PartRecord,
    Record, RecordError, Segment, ShardUsage, Usage, VersionKind, VersionRecord,
};
use cofre_types::{AccountId, BlobId, BucketId, ShardId, UploadId, VersionId};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Bytes that are gathered before they go to a file of references; there are up to 256 files.
const NOTED_BYTES: usize = 4 * 1024;

/// What the records of a catalog refer to, and add up to.
pub(super) struct Recount {
    copy_bytes: CopyBytes,
    references: References,
    indexes: Indexes,
    owners: HashMap<BucketId, AccountId>,
    buckets: BTreeMap<BucketId, Usage>,
    uploads: HashMap<UploadId, BucketId>,
    manifests: HashMap<UploadId, u32>,
    shards: BTreeMap<ShardId, ShardUsage>,
    /// Counters and indexes that are yet to be written.
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Keys of records that do not decode.
    unreadable: BTreeSet<Vec<u8>>,
}

impl Recount {
    /// Begins one that notes references in files of `work`.
    pub(super) fn new(work: &Path, copy_bytes: CopyBytes) -> Self {
        Self {
            copy_bytes,
            references: References::new(work),
            indexes: Indexes::new(work),
            owners: HashMap::new(),
            buckets: BTreeMap::new(),
            uploads: HashMap::new(),
            manifests: HashMap::new(),
            shards: BTreeMap::new(),
            rows: BTreeMap::new(),
            unreadable: BTreeSet::new(),
        }
    }

    /// Counts a record, but for parts: whose they are is known once all others are counted.
    pub(super) fn count(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        let counted = match key.first() {
            Some(&family::ACCOUNT) => AccountRecord::decode(value).map(|account| {
                self.indexes.account(&account);
                Ok(())
            }),
            Some(&family::ACCESS_KEY) => AccessKeyRecord::decode(value).map(|access_key| {
                self.indexes.access_key(&access_key);
                Ok(())
            }),
            Some(&family::BUCKET) => BucketRecord::decode(value).map(|bucket| {
                self.owners.insert(bucket.id, bucket.owner);
                self.indexes.bucket(key, &bucket);
                Ok(())
            }),
            Some(&(family::CURRENT | family::VERSION)) => {
                VersionRecord::decode(value).map(|version| self.count_version(key, &version))
            }
            Some(&family::UPLOAD) => {
                let id = key.last_chunk().copied().map(UploadId::from_bytes);
                self.uploads.extend(id.zip(bucket_of(key)));
                Ok(Ok(()))
            }
            _ => Ok(Ok(())),
        };
        self.readable(key, counted).unwrap_or(Ok(()))
    }

    fn count_version(&mut self, key: &[u8], version: &VersionRecord) -> io::Result<()> {
        if let Some(bucket) = bucket_of(key) {
            let usage = self.buckets.entry(bucket).or_default();
            let (current, size) = (key.first() == Some(&family::CURRENT), delta(version.size));
            *usage += match (current, version.kind) {
                (true, _) => Usage { objects: 1, bytes: size, total_objects: 1, total_bytes: size, ..Usage::default() },
                (false, VersionKind::DeleteMarker) => Usage { delete_markers: 1, ..Usage::default() },
                (false, VersionKind::Object) => Usage {
                    noncurrent_versions: 1,
                    noncurrent_bytes: size,
                    total_objects: 1,
                    total_bytes: size,
                    ..Usage::default()
                },
            };
        }
        if key.first() == Some(&family::VERSION) && version.version == VersionId::Null {
            self.indexes.null_version(key, version.place)?;
        }
        match &version.content {
            Content::Segments(segments) => self.references.note_all(segments),
            Content::Manifest(id) => {
                let count = self.manifests.entry(*id).or_default();
                *count = count.saturating_add(1);
                Ok(())
            }
        }
    }

    /// Says that all records but parts are counted.
    pub(super) fn end_of_records(&mut self) {
        // One that was completed left its parts to the object.
        self.uploads.retain(|id, _| !self.manifests.contains_key(id));
        for bucket in self.uploads.values() {
            self.buckets.entry(*bucket).or_default().uploads += 1;
        }
    }

    /// Counts a record if it is a part.
    pub(super) fn count_part(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        if key.first() != Some(&family::PART) || !self.has_parts(key) {
            return Ok(());
        }
        let Some(part) = self.readable(key, PartRecord::decode(value)) else { return Ok(()) };
        if let Some(bucket) = upload_of(key).and_then(|id| self.uploads.get(&id)) {
            let size = delta(part.size);
            *self.buckets.entry(*bucket).or_default() +=
                Usage { upload_parts: 1, upload_bytes: size, total_bytes: size, ..Usage::default() };
        }
        self.references.note_all(&part.segments)
    }

    /// Says that all is counted.
    pub(super) fn end_of_parts(&mut self) -> io::Result<()> {
        let mut accounts: HashMap<AccountId, AccountUsage> = HashMap::new();
        for (bucket, owner) in &self.owners {
            let usage = self.buckets.get(bucket).copied().unwrap_or_default();
            let account = accounts.entry(*owner).or_default();
            account.buckets += 1;
            account.objects += usage.total_objects;
            account.bytes += usage.total_bytes;
        }
        let accounts = accounts.iter().map(|(id, usage)| (keys::account_usage(*id), row(&usage.row())));
        let buckets = self.buckets.iter().map(|(id, usage)| (keys::usage(*id), row(&usage.row())));
        self.rows = accounts.chain(buckets).chain(self.indexes.end()?).collect();
        self.references.end()
    }

    /// The next row that was made anew and stands before a key.
    pub(super) fn next_before(&mut self, key: &[u8]) -> io::Result<Option<Row>> {
        if key.first().is_some_and(|of| *of > family::BLOB) {
            let shards = std::mem::take(&mut self.shards);
            self.rows.extend(shards.iter().map(|(id, usage)| (keys::shard_usage(*id), row(&usage.row()))));
        }
        let first = self.rows.first_entry().filter(|first| first.key().as_slice() < key);
        let null = self.indexes.null().map(|(null, _)| null.as_slice()).filter(|null| *null < key);
        match (first, null) {
            (Some(first), None) => Ok(Some(first.remove_entry())),
            (Some(first), Some(null)) if first.key().as_slice() < null => Ok(Some(first.remove_entry())),
            (_, Some(_)) => self.indexes.take_null(),
            (None, None) => Ok(None),
        }
    }

    /// What stands in the place of a record, once all is counted; `None` for what is left out. Records come in the order
    /// of their keys.
    pub(super) fn recounted<'a>(&mut self, key: &[u8], value: &'a [u8]) -> io::Result<Option<Cow<'a, [u8]>>> {
        let kept = match key.first() {
            // What waits is counted when the catalog is first used.
            Some(
                &(family::GARBAGE
                | family::DOOMED
                | family::WAITING
                | family::USAGE
                | family::ACCOUNT_USAGE
                | family::SHARD_USAGE),
            ) => false,
            _ if Indexes::hold(key) => false,
            Some(&family::BLOB) => return self.recounted_blob(key, value),
            Some(&family::MANIFEST) => return Ok(self.recounted_manifest(key, value)),
            Some(&family::PART) => self.has_parts(key),
            Some(&(family::UPLOAD | family::UPLOAD_ACTIVITY)) => {
                key.last_chunk().is_some_and(|id| self.uploads.contains_key(&UploadId::from_bytes(*id)))
            }
            _ => true,
        };
        Ok((kept && !self.unreadable.contains(key)).then_some(Cow::Borrowed(value)))
    }

    fn recounted_blob<'a>(&mut self, key: &[u8], value: &[u8]) -> io::Result<Option<Cow<'a, [u8]>>> {
        let Some(id) = keys::blob_of(key) else { return Ok(None) };
        let references = self.references.of(id)?;
        if references == 0 {
            return Ok(None);
        }
        let Some(mut blob) = self.readable(key, BlobRecord::decode(value)) else { return Ok(None) };
        blob.references = references;
        for copy in &blob.copies {
            let held = self.shards.entry(copy.shard).or_default();
            held.copies += 1;
            held.bytes += delta((self.copy_bytes)(blob.scheme, blob.size, copy.piece));
        }
        Ok(Some(Cow::Owned(blob.encode())))
    }

    fn recounted_manifest<'a>(&mut self, key: &[u8], value: &[u8]) -> Option<Cow<'a, [u8]>> {
        let references = *upload_of(key).and_then(|id| self.manifests.get(&id))?;
        let manifest = self.readable(key, ManifestRecord::decode(value))?;
        Some(Cow::Owned(ManifestRecord { references, ..manifest }.encode()))
    }

    /// Whether a part belongs to something that is there.
    fn has_parts(&self, key: &[u8]) -> bool {
        upload_of(key).is_some_and(|id| self.uploads.contains_key(&id) || self.manifests.contains_key(&id))
    }

    fn readable<T>(&mut self, key: &[u8], decoded: Result<T, RecordError>) -> Option<T> {
        if decoded.is_err() {
            self.unreadable.insert(key.to_vec());
        }
        decoded.ok()
    }

    /// Keys of records that do not decode and are left out, in order.
    pub(super) fn unreadable(self) -> BTreeSet<Vec<u8>> {
        self.unreadable
    }
}

fn bucket_of(key: &[u8]) -> Option<BucketId> {
    keys::object_of(key).map(|(bucket, ..)| bucket)
}

/// The upload or manifest in a key that has its id behind the family.
fn upload_of(key: &[u8]) -> Option<UploadId> {
    key.get(1..)?.first_chunk().copied().map(UploadId::from_bytes)
}

fn delta(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn row(counters: &[i64]) -> Vec<u8> {
    counters.iter().flat_map(|counter| counter.to_le_bytes()).collect()
}

/// References to blobs, in a file for each first byte of their ids.
struct References {
    folder: PathBuf,
    files: HashMap<u8, BufWriter<File>>,
    /// The counts of one of the files.
    counts: (Option<u8>, HashMap<BlobId, u32>),
}

impl References {
    fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), files: HashMap::new(), counts: (None, HashMap::new()) }
    }

    fn path(&self, share: u8) -> PathBuf {
        self.folder.join(format!("references-{share:02x}"))
    }

    fn note_all(&mut self, segments: &[Segment]) -> io::Result<()> {
        for segment in segments {
            let id = segment.blob.as_bytes();
            let path = self.path(id[0]);
            let file = match self.files.entry(id[0]) {
                std::collections::hash_map::Entry::Occupied(file) => file.into_mut(),
                std::collections::hash_map::Entry::Vacant(free) => {
                    free.insert(BufWriter::with_capacity(NOTED_BYTES, File::create(path)?))
                }
            };
            file.write_all(id)?;
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.files.values_mut().try_for_each(Write::flush)
    }

    /// How many there are to a blob.
    fn of(&mut self, blob: BlobId) -> io::Result<u32> {
        let share = blob.as_bytes()[0];
        if self.counts.0 != Some(share) {
            self.counts = (Some(share), self.counted(share)?);
        }
        Ok(self.counts.1.get(&blob).copied().unwrap_or(0))
    }

    fn counted(&self, share: u8) -> io::Result<HashMap<BlobId, u32>> {
        let mut counts: HashMap<BlobId, u32> = HashMap::new();
        if !self.files.contains_key(&share) {
            return Ok(counts);
        }
        let mut file = BufReader::new(File::open(self.path(share))?);
        let mut id = [0; 16];
        loop {
            match file.read_exact(&mut id) {
                Ok(()) => {
                    let count = counts.entry(BlobId::from_bytes(id)).or_default();
                    *count = count.saturating_add(1);
                }
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(counts),
                Err(error) => return Err(error),
            }
        }
    }
}
