//! Writes content anew under another redundancy, as it stands on the shards.

use crate::bucket::cached::Bucket;
use crate::change::Change;
use crate::domain::{Objects, Tried};
use crate::error::Error;
use cofre_blobs::NewBlob;
use cofre_catalog::records::{BlobRecord, Content, ManifestRecord, PartRecord, Record, Segment, VersionRecord};
use cofre_catalog::{Revision, keys};
use cofre_shards::{BlobHeader, Body};
use cofre_types::{BlobId, ObjectKey, ResolvedRange, Scheme, UploadId};

/// Content that was written anew, which no record refers to yet.
pub(crate) struct Rewritten {
    pub content: Content,
    blobs: Vec<NewBlob>,
    manifest: Option<(ManifestRecord, Vec<(u16, PartRecord)>)>,
}

/// What came of moving a version to a storage class.
pub(crate) enum Restated {
    /// It stands there now.
    Anew,
    /// It stood as it should already.
    AsItWas,
    /// It changed meanwhile.
    Changed,
    /// It could not be written, for this reason.
    Failed(String),
}

/// What goes with a move in its commit.
#[derive(Default)]
pub(crate) struct Beside {
    /// Records that must be as they were read.
    pub kept: Vec<(Vec<u8>, Revision)>,
    /// Lines that the access log of the bucket gets.
    pub lines: Vec<String>,
}

impl Rewritten {
    /// Adds to a change the records of the content, to which a record of the change refers.
    pub(crate) fn add_to(&self, change: &mut Change) {
        for blob in &self.blobs {
            change.add_blob(blob);
        }
        if let (Some((manifest, parts)), Content::Manifest(id)) = (&self.manifest, &self.content) {
            change.batch.put(keys::manifest(*id), manifest.encode());
            for (number, part) in parts {
                change.batch.put(keys::part(*id, *number), part.encode());
            }
        }
    }
}

impl Objects {
    /// Writes content anew under a scheme; `None` if all of it stands under that scheme already. In the clear, one
    /// blob is made for each part, whatever it was made of.
    ///
    /// What is `sealed` moves as it stands, blob by blob: that takes no key, so what only a customer's key opens moves
    /// like anything else. The record of the new blob tells which blob its bytes are bound to.
    ///
    /// The blobs must be committed within half of `timers.orphan_grace_secs`, so that is the longest
    /// that writing an object anew may take.
    async fn rewrite(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        sealed: bool,
        content: &Content,
        scheme: Scheme,
    ) -> Result<Option<Rewritten>, Error> {
        let mut blobs = Vec::new();
        match self.write_anew((bucket, key), sealed, content, scheme, &mut blobs).await {
            Ok(Some((content, manifest))) => Ok(Some(Rewritten { content, blobs, manifest })),
            Ok(None) => Ok(None),
            Err(error) => {
                self.discard_blobs(blobs).await;
                Err(error)
            }
        }
    }

    /// Moves the version whose record stands `at` a catalog key to a storage class, which may be its own, and writes its
    /// content anew if it does not stand under that class's redundancy. The record must still be as it was read.
    pub(crate) async fn restate(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        (at, revision): (Vec<u8>, Revision),
        record: VersionRecord,
        class: String,
        beside: Beside,
    ) -> Result<Restated, Error> {
        let scheme = self.scheme_of(bucket, &class);
        let sealed = record.guards.encryption.is_some();
        let rewritten = match self.rewrite(bucket, key, sealed, &record.content, scheme).await {
            Ok(rewritten) => rewritten,
            Err(
                error @ (Error::NoRoom
                | Error::Unavailable(_)
                | Error::Refused(_)
                | Error::Unreadable(_)
                | Error::Lost(_)),
            ) => {
                return Ok(Restated::Failed(error.to_string()));
            }
            Err(error) => return Err(error),
        };
        if rewritten.is_none() && record.storage_class == class {
            return Ok(Restated::AsItWas);
        }
        let mut change = Change::default();
        let mut moved = VersionRecord { storage_class: class, ..record };
        if let Some(rewritten) = &rewritten {
            rewritten.add_to(&mut change);
            change.release(&moved.content, moved.size);
            moved.content = rewritten.content.clone();
        }
        change.batch.unchanged(at.clone(), Some(revision));
        change.batch.put(at, moved.encode());
        for (at, revision) in beside.kept {
            change.batch.unchanged(at, Some(revision));
        }
        let tried = {
            let _turn = self.lock_key(bucket, key).await;
            self.try_commit_logged(bucket, change, beside.lines).await
        };
        match tried {
            Ok(Tried::Done) => Ok(Restated::Anew),
            Ok(Tried::Again) => {
                self.discard_rewritten(rewritten).await;
                Ok(Restated::Changed)
            }
            // A shard that the bytes went to was removed meanwhile.
            Err(Error::Unavailable(why)) => Ok(Restated::Failed(why)),
            Err(Error::Refused(why)) => {
                self.discard_rewritten(rewritten).await;
                Ok(Restated::Failed(why))
            }
            Err(error) => Err(error),
        }
    }

    /// Gives up what was written anew and then not wanted.
    async fn discard_rewritten(&self, rewritten: Option<Rewritten>) {
        if let Some(rewritten) = rewritten {
            self.discard_blobs(rewritten.blobs).await;
        }
    }

    async fn discard_blobs(&self, blobs: Vec<NewBlob>) {
        for blob in blobs {
            self.blobs().discard(Some(blob)).await;
        }
    }

    async fn write_anew(
        &self,
        place: (&Bucket, &ObjectKey),
        sealed: bool,
        content: &Content,
        scheme: Scheme,
        blobs: &mut Vec<NewBlob>,
    ) -> Result<Option<(Content, Option<(ManifestRecord, Vec<(u16, PartRecord)>)>)>, Error> {
        match content {
            Content::Segments(segments) => {
                if self.all_under(scheme, segments).await? {
                    return Ok(None);
                }
                let segments = self.copy_segments(place, sealed, segments, None, scheme, blobs).await?;
                Ok(Some((Content::Segments(segments), None)))
            }
            Content::Manifest(id) => {
                let manifest = self.manifest(*id).await?;
                let mut parts = Vec::with_capacity(manifest.parts.len());
                let mut whole = true;
                for (number, _) in &manifest.parts {
                    let part = self.part(*id, *number).await?;
                    whole = whole && self.all_under(scheme, &part.segments).await?;
                    parts.push((*number, part));
                }
                if whole {
                    return Ok(None);
                }
                let anew = UploadId::from_bytes(self.random().bytes());
                for (number, part) in &mut parts {
                    let named = Some((*number, anew));
                    part.segments = self.copy_segments(place, sealed, &part.segments, named, scheme, blobs).await?;
                }
                let manifest = ManifestRecord { references: 1, ..manifest };
                Ok(Some((Content::Manifest(anew), Some((manifest, parts)))))
            }
        }
    }

    /// Whether every blob of some segments was written as a scheme asks for its size.
    async fn all_under(&self, scheme: Scheme, segments: &[Segment]) -> Result<bool, Error> {
        let wanted = segments.iter().map(|segment| keys::blob(segment.blob)).collect();
        for entry in self.store().get_many(wanted).await? {
            let entry = entry.ok_or_else(|| Error::Unreadable("the object was replaced".to_owned()))?;
            if !self.blobs().stands_under(&BlobRecord::decode(&entry.value)?, scheme) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes the bytes of some segments anew: as one blob, or blob by blob if they are sealed. Gives the segments that
    /// are all of them.
    async fn copy_segments(
        &self,
        place: (&Bucket, &ObjectKey),
        sealed: bool,
        segments: &[Segment],
        part: Option<(u16, UploadId)>,
        scheme: Scheme,
        blobs: &mut Vec<NewBlob>,
    ) -> Result<Vec<Segment>, Error> {
        let runs = if sealed { segments.chunks(1) } else { segments.chunks(segments.len().max(1)) };
        let mut copied = Vec::new();
        for run in runs {
            let sealed_for = match run {
                [segment] if sealed => Some(self.sealed_for(segment.blob).await?),
                _ => None,
            };
            copied.push(self.copy_bytes(place, run, part, (scheme, sealed_for), blobs).await?);
        }
        Ok(copied)
    }

    /// The blob that the encrypted bytes of a blob are bound to.
    async fn sealed_for(&self, id: BlobId) -> Result<BlobId, Error> {
        let entry = self.get(keys::blob(id)).await?;
        let entry = entry.ok_or_else(|| Error::Unreadable("the object was replaced".to_owned()))?;
        Ok(BlobRecord::decode(&entry.value)?.sealed_for.unwrap_or(id))
    }

    /// Writes the bytes of some segments as one blob, as they stand, and gives the segment that is all of it.
    async fn copy_bytes(
        &self,
        (bucket, key): (&Bucket, &ObjectKey),
        segments: &[Segment],
        part: Option<(u16, UploadId)>,
        (scheme, sealed_for): (Scheme, Option<BlobId>),
        blobs: &mut Vec<NewBlob>,
    ) -> Result<Segment, Error> {
        let length = segments.iter().map(|segment| segment.length).sum();
        let range = ResolvedRange { start: 0, end: length };
        let stream = self.read_content(&Content::Segments(segments.to_vec()), range, None).await?;
        let id = BlobId::from_bytes(self.random().bytes());
        let now = self.now();
        let header = BlobHeader {
            bucket: bucket.name.to_string(),
            key: key.to_string(),
            version: String::new(),
            part: part.map(|(number, upload)| (number, upload.to_string())),
            written_nanos: now.0,
            scheme: None,
            piece: 0,
        };
        let body = Body::Stream { stream, size: Some(length) };
        let mut blob = self.blobs().write(id, header, body, scheme).await?;
        blob.record.sealed_for = sealed_for;
        let size = blob.record.size;
        blobs.push(blob);
        if let Some(first) = blobs.first() {
            self.blobs().refuse_stale(first.record.written)?;
        }
        if size != length {
            return Err(Error::Unreadable("the content is shorter than its record says".to_owned()));
        }
        Ok(Segment { blob: id, offset: 0, length })
    }
}
