//! What is known of an object: its versions, their blobs, and where each copy stands and why.

use crate::bucket::cached::Bucket;
use crate::domain::Objects;
use crate::error::Error;
use cofre_blobs::blob_ref;
use cofre_catalog::records::{
    BlobRecord, Content, EncryptionMethod, HealRecord, Record, ShardRecord, VersionKind, VersionRecord,
};
use cofre_catalog::{ReadExt, Scan, keys};
use cofre_iam::{Caller, OperatorAct};
use cofre_shards::{CopyState, ShardStatus};
use cofre_types::{BlobId, BucketName, ObjectKey, Scheme, ShardId, Timestamp, VersionId};

/// Most versions that one look shows.
pub const INSPECTED_VERSIONS_MAX: usize = 100;

/// Most blobs of one version that one look shows.
pub const INSPECTED_BLOBS_MAX: usize = 1_000;

/// An object to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspect {
    /// Its bucket.
    pub bucket: BucketName,
    /// Its key.
    pub key: ObjectKey,
    /// One of its versions; all of them if absent.
    pub version: Option<VersionId>,
    /// Whether every byte of every copy is read.
    pub check: bool,
}

/// What is known of a version.
#[derive(Debug, Clone)]
pub struct InspectedVersion {
    /// Its id.
    pub version: VersionId,
    /// Object or delete marker.
    pub kind: VersionKind,
    /// Whether it is what a GET without a version gets.
    pub current: bool,
    /// When it was made.
    pub modified: Timestamp,
    /// Bytes of content.
    pub size: u64,
    /// Its storage class; `STANDARD` if empty.
    pub class: String,
    /// The redundancy that its bucket, class and the settings ask for now.
    pub wanted: Scheme,
    /// How it is encrypted.
    pub encryption: Option<EncryptionMethod>,
    /// Its blobs in order, the first [`INSPECTED_BLOBS_MAX`].
    pub blobs: Vec<InspectedBlob>,
    /// Whether it has more.
    pub more: bool,
}

/// What is known of a blob.
#[derive(Debug, Clone)]
pub struct InspectedBlob {
    /// Its id.
    pub id: BlobId,
    /// The part that it belongs to.
    pub part: Option<u16>,
    /// Its record; absent if there is none, and the bytes are lost.
    pub record: Option<BlobRecord>,
    /// Since when it waits to be healed, and which shards are suspected.
    pub heal: Option<HealRecord>,
    /// Its copies.
    pub copies: Vec<InspectedCopy>,
}

/// What is known of a copy.
#[derive(Debug, Clone)]
pub struct InspectedCopy {
    /// The shard.
    pub shard: ShardId,
    /// Where on the shard, in the backend's own bytes.
    pub locator: Vec<u8>,
    /// Which piece of the blob it is; 0 for a whole copy.
    pub piece: u8,
    /// The shard's record; absent if there is no such shard.
    pub record: Option<ShardRecord>,
    /// What the pool sees of the shard; absent if it could not be opened.
    pub status: Option<ShardStatus>,
    /// What reading the copy proved, if that was asked for.
    pub checked: Option<CopyState>,
}

impl Objects {
    /// Tells what is known of an object.
    ///
    /// # Errors
    /// [`Error::AccessDenied`] for everyone but operators; [`Error::NoSuchBucket`], [`Error::NoSuchVersion`] if there is no such version, or none at all.
    pub async fn inspect(&self, caller: &Caller, request: Inspect) -> Result<Vec<InspectedVersion>, Error> {
        self.authorise_operator(caller, OperatorAct::InspectObject)?;
        let bucket = self.bucket(&request.bucket).await?;
        let mut versions = Vec::new();
        for (record, current) in self.versions_of(&bucket, &request.key, request.version).await? {
            versions.push(self.inspect_version(&bucket, record, current, request.check).await?);
        }
        if versions.is_empty() {
            return Err(Error::NoSuchVersion);
        }
        Ok(versions)
    }

    /// Versions of a key, newest first, and whether each is current.
    async fn versions_of(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        wanted: Option<VersionId>,
    ) -> Result<Vec<(VersionRecord, bool)>, Error> {
        let id = bucket.record.id;
        let snapshot = self.store().snapshot().await?;
        let current = snapshot.get(keys::current(id, key)).await?;
        let current = current.map(|entry| VersionRecord::decode(&entry.value)).transpose()?;
        let is_wanted = |record: &VersionRecord| wanted.is_none_or(|wanted| wanted == record.version);
        let mut versions: Vec<_> = current.into_iter().map(|record| (record, true)).collect();
        let mut scan = Scan::prefix(&keys::object(keys::family::VERSION, id, key));
        loop {
            versions.retain(|(record, _)| is_wanted(record));
            let page = snapshot.page(scan.clone(), INSPECTED_VERSIONS_MAX).await?;
            let Some((last, _)) = page.last() else { break };
            scan = scan.after(last.clone());
            for (_, entry) in &page {
                versions.push((VersionRecord::decode(&entry.value)?, false));
            }
            versions.retain(|(record, _)| is_wanted(record));
            if versions.len() >= INSPECTED_VERSIONS_MAX {
                break;
            }
        }
        versions.sort_by_key(|(record, _)| std::cmp::Reverse(record.place));
        versions.truncate(INSPECTED_VERSIONS_MAX);
        Ok(versions)
    }

    async fn inspect_version(
        &self,
        bucket: &Bucket,
        record: VersionRecord,
        current: bool,
        check: bool,
    ) -> Result<InspectedVersion, Error> {
        let (ids, more) = self.blobs_of(&record.content).await?;
        let mut blobs = Vec::with_capacity(ids.len());
        for (part, id) in ids {
            blobs.push(self.inspect_blob(id, part, check).await?);
        }
        Ok(InspectedVersion {
            version: record.version,
            kind: record.kind,
            current,
            modified: record.modified,
            size: record.size,
            wanted: self.scheme_of(bucket, &record.storage_class),
            class: record.storage_class,
            encryption: record.guards.encryption.map(|encryption| encryption.method),
            blobs,
            more,
        })
    }

    /// The blobs behind some content with the parts that they belong to, and whether there are more.
    async fn blobs_of(&self, content: &Content) -> Result<(Vec<(Option<u16>, BlobId)>, bool), Error> {
        let mut blobs = Vec::new();
        match content {
            Content::Segments(segments) => blobs.extend(segments.iter().map(|segment| (None, segment.blob))),
            Content::Manifest(id) => {
                for (number, _) in self.manifest(*id).await?.parts {
                    if blobs.len() > INSPECTED_BLOBS_MAX {
                        break;
                    }
                    let part = self.part(*id, number).await?;
                    blobs.extend(part.segments.iter().map(|segment| (Some(number), segment.blob)));
                }
            }
        }
        let more = blobs.len() > INSPECTED_BLOBS_MAX;
        blobs.truncate(INSPECTED_BLOBS_MAX);
        Ok((blobs, more))
    }

    async fn inspect_blob(&self, id: BlobId, part: Option<u16>, check: bool) -> Result<InspectedBlob, Error> {
        let heal = self.blobs().heal_record(id).await?;
        let record = self.blobs().held_blob(id).await?.map(|held| held.record);
        let Some(record) = record else { return Ok(InspectedBlob { id, part, record, heal, copies: Vec::new() }) };
        let blob = blob_ref(id, &record);
        let shards = self.store().get_many(blob.copies.iter().map(|copy| keys::shard(copy.shard)).collect()).await?;
        let statuses = self.blobs().statuses();
        let mut checked = vec![None; blob.copies.len()];
        if check {
            checked = self
                .blobs()
                .check_copies(&blob, &blob.copies)
                .await
                .into_iter()
                .map(|(_, state)| Some(state))
                .collect();
        }
        let mut copies = Vec::with_capacity(blob.copies.len());
        for ((copy, shard), checked) in blob.copies.iter().zip(shards).zip(checked) {
            copies.push(InspectedCopy {
                shard: copy.shard,
                locator: copy.locator.0.clone(),
                piece: copy.piece,
                record: shard.map(|entry| ShardRecord::decode(&entry.value)).transpose()?,
                status: statuses.iter().find(|status| status.id == copy.shard).cloned(),
                checked,
            });
        }
        Ok(InspectedBlob { id, part, record: Some(record), heal, copies })
    }
}
