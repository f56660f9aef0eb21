use super::{Found, UploadRef, details_of};
use crate::bucket::cached::Bucket;
use crate::change::Change;
use crate::checksum_error::ChecksumError;
use crate::digest::{Hasher, join_crc};
use crate::domain::{Objects, Tried};
use crate::encryption::check_completion;
use crate::error::Error;
use crate::object::PutOutcome;
use crate::object::put::{Draft, put_outcome};
use crate::upload::{CompleteUpload, CompletedPart, Completion, PARTS_MAX};
use cofre_blobs::Count;
use cofre_catalog::records::{Content, ManifestRecord, PartRecord, Record, UploadRecord};
use cofre_catalog::{ReadExt, Revision, Scan, Visit, VisitStep, keys};
use cofre_iam::{Action, Caller, Details};
use cofre_runtime::uncancelled;
use cofre_types::{Checksum, ChecksumKind, ETag};
use md5_simd::Md5;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Smallest part but for the last (AWS, "Multipart upload limits"): 5 MiB.
const PART_BYTES_MIN: u64 = 5 << 20;

/// The parts of an upload by number, and how often a part was put: later ones show in the counter.
struct Standing {
    parts: BTreeMap<u16, PartRecord>,
    activity: Option<Revision>,
}

/// The right to make an object of one upload, which was asked once, and the upload; none if it is under way no more.
pub struct CompletionTicket {
    objects: Objects,
    caller: Caller,
    bucket: Arc<Bucket>,
    at: UploadRef,
    found: Option<Found>,
}

impl CompletionTicket {
    /// Makes an object of the upload's parts: one commit, whatever their number; no bytes move.
    /// Completing again what was completed answers alike.
    ///
    /// # Errors
    /// [`Error`]; the upload is still under way and can be completed or aborted.
    pub async fn complete(self, completion: Completion) -> Result<PutOutcome, Error> {
        let Self { objects, caller, bucket, at, found } = self;
        uncancelled(async move { objects.commit_upload(&caller, (bucket, found), &at, &completion).await }).await
    }
}

impl Objects {
    /// Asks for the right to make an object of an upload, before the request's document is known to be good. That there
    /// is no such upload is told when it is completed: it may have been before.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`] or [`Error::AccessDenied`].
    pub async fn begin_completion(&self, caller: &Caller, at: UploadRef) -> Result<CompletionTicket, Error> {
        let bucket = self.bucket(&at.bucket).await?;
        let found = self.authorise_completion(caller, &bucket, &at).await?;
        Ok(CompletionTicket { objects: self.clone(), caller: caller.clone(), bucket, at, found })
    }

    /// Makes an object of an upload's parts: [`Objects::begin_completion`] and [`CompletionTicket::complete`].
    ///
    /// # Errors
    /// As of both.
    pub async fn complete_upload(&self, caller: &Caller, request: CompleteUpload) -> Result<PutOutcome, Error> {
        let CompleteUpload { upload, parts, checksum, checksum_kind, size, conditions, encryption } = request;
        let completion = Completion { parts, checksum, checksum_kind, size, conditions, encryption };
        self.begin_completion(caller, upload).await?.complete(completion).await
    }

    /// The upload, if it is under way, and the right to make an object of it, as it was begun. What its list would open is
    /// asked of the bucket as it is now.
    async fn authorise_completion(
        &self,
        caller: &Caller,
        bucket: &Arc<Bucket>,
        at: &UploadRef,
    ) -> Result<Option<Found>, Error> {
        let found = match self.upload_in(Arc::clone(bucket), at).await {
            Ok(found) => Some(found),
            Err(Error::NoSuchUpload) => None,
            Err(error) => return Err(error),
        };
        let record = found.as_ref().map(|found| &found.record);
        let details = Details { creates: Some(true), ..details_of(record) };
        self.authorise_with(caller, Action::PutObject, bucket, Some(&at.key), details)?;
        let acl = record.and_then(|record| record.guards.acl.as_ref());
        self.refuse_public(caller, Action::PutObject, bucket, Some(&at.key), acl)?;
        Ok(found)
    }

    async fn commit_upload(
        &self,
        caller: &Caller,
        (bucket, found): (Arc<Bucket>, Option<Found>),
        at: &UploadRef,
        request: &Completion,
    ) -> Result<PutOutcome, Error> {
        let Some(mut found) = found else { return self.completed_before(&bucket, at).await };
        // AWS, "CompleteMultipartUpload", "Permissions".
        let held = found.record.guards.encryption.as_ref();
        self.authorise_reading(caller, &found.bucket, &at.key, held).await?;
        for _ in Self::tries() {
            let _turn = self.lock_key(&found.bucket, &at.key).await;
            let standing = self.standing_parts(at).await?;
            let checksum_sent = standing.parts.values().any(|part| part.checksum_sent);
            check_completion(&found.record, checksum_sent, &request.encryption)?;
            let chosen = choose(request, &found.record, &standing.parts)?;
            let (draft, manifest) = assemble(request, &found.record, &chosen)?;
            let mut change = Change::default();
            self.turn_into_manifest(&found, at, &standing, &manifest, &mut change).await?;
            let tried = self.try_put(&found.bucket, &at.key, &draft, &request.conditions, change, None).await;
            let (tried, record) = tried.map_err(|error| error.for_caller(caller, &found.bucket))?;
            if matches!(tried, Tried::Done) {
                return Ok(put_outcome(&found.bucket, &at.key, record));
            }
            let bucket = self.same_bucket(&found.bucket).await?;
            found = match self.authorise_completion(caller, &bucket, at).await? {
                Some(found) => found,
                None => return self.completed_before(&bucket, at).await,
            };
        }
        Err(Error::Conflict)
    }

    /// Answers a second completion: the object that the first one made is still the current one.
    async fn completed_before(&self, bucket: &Bucket, at: &UploadRef) -> Result<PutOutcome, Error> {
        let current = self.key_state(bucket, &at.key).await?.current.ok_or(Error::NoSuchUpload)?;
        if current.record.content == Content::Manifest(at.upload) {
            Ok(put_outcome(bucket, &at.key, current.record))
        } else {
            Err(Error::NoSuchUpload)
        }
    }

    async fn standing_parts(&self, at: &UploadRef) -> Result<Standing, Error> {
        let snapshot = self.store().snapshot().await?;
        let activity = snapshot.get(keys::upload_activity(at.upload)).await?.map(|entry| entry.revision);
        let scan = Scan::prefix(&keys::parts(at.upload));
        let gathered = snapshot.scan(scan, Gather { parts: BTreeMap::new(), error: None }).await?;
        match gathered.error {
            Some(error) => Err(error.into()),
            None => Ok(Standing { parts: gathered.parts, activity }),
        }
    }

    /// Ends the upload: the chosen parts stay where they are as the manifest, the others go.
    async fn turn_into_manifest(
        &self,
        found: &Found,
        at: &UploadRef,
        standing: &Standing,
        manifest: &ManifestRecord,
        change: &mut Change,
    ) -> Result<(), Error> {
        let upload_key = keys::upload(found.bucket.record.id, &at.key, at.upload);
        let activity_key = keys::upload_activity(at.upload);
        change.batch.unchanged(upload_key.clone(), Some(found.revision));
        change.batch.unchanged(activity_key.clone(), standing.activity);
        change.batch.delete(upload_key);
        change.batch.delete(activity_key);
        change.batch.put(keys::manifest(at.upload), manifest.encode());
        change.usage.uploads -= 1;
        for (number, part) in &standing.parts {
            change.count_part(part.size, Count::Remove);
            if manifest.parts.binary_search_by_key(number, |(number, _)| *number).is_err() {
                change.batch.delete(keys::part(at.upload, *number));
                let left_out = self.part(at.upload, *number).await?;
                change.release_blobs(left_out.segments.iter().map(|segment| segment.blob), part.size);
            }
        }
        Ok(())
    }

    /// Takes the parts of an upload that ends off the bucket's usage, and checks that no other comes. Gives their bytes.
    pub(crate) async fn uncount_parts(&self, at: &UploadRef, change: &mut Change) -> Result<u64, Error> {
        let standing = self.standing_parts(at).await?;
        change.batch.unchanged(keys::upload_activity(at.upload), standing.activity);
        change.batch.delete(keys::upload_activity(at.upload));
        for part in standing.parts.values() {
            change.count_part(part.size, Count::Remove);
        }
        Ok(standing.parts.values().map(|part| part.size).sum())
    }
}

struct Gather {
    parts: BTreeMap<u16, PartRecord>,
    error: Option<cofre_catalog::records::RecordError>,
}

impl Visit for Gather {
    fn visit(&mut self, key: &[u8], _revision: Revision, value: &[u8]) -> VisitStep {
        let number = key.last_chunk().map_or(0, |bytes| u16::from_be_bytes(*bytes));
        match PartRecord::decode(value) {
            Ok(part) => {
                // Segments are not needed to complete, and a part may have thousands of them.
                self.parts.insert(number, PartRecord { segments: Vec::new(), ..part });
                VisitStep::Continue
            }
            Err(error) => {
                self.error = Some(error);
                VisitStep::Stop
            }
        }
    }
}

/// The parts that the request names, in order, each as it was put.
fn choose<'a>(
    request: &Completion,
    upload: &UploadRecord,
    parts: &'a BTreeMap<u16, PartRecord>,
) -> Result<Vec<(u16, &'a PartRecord)>, Error> {
    if request.parts.is_empty() || request.parts.len() > usize::from(PARTS_MAX) {
        return Err(Error::InvalidRequest("You must specify at least one part and at most 10,000 parts"));
    }
    if !request.parts.is_sorted_by(|a, b| a.number < b.number) {
        return Err(Error::InvalidPartOrder);
    }
    let any_checksum = request.parts.iter().any(|part| part.checksum.is_some());
    let mut chosen = Vec::with_capacity(request.parts.len());
    for named in &request.parts {
        let part = parts.get(&named.number).filter(|part| named.etag == Some(part.etag));
        let part = part.ok_or(Error::InvalidPart { number: named.number })?;
        check_part_checksum(named, part, upload, any_checksum)?;
        chosen.push((named.number, part));
    }
    let (_, all_but_last) = chosen.split_last().ok_or(Error::InvalidPartOrder)?;
    if let Some((number, part)) = all_but_last.iter().find(|(_, part)| part.size < PART_BYTES_MIN) {
        return Err(Error::EntityTooSmall { number: *number, etag: part.etag, size: part.size });
    }
    Ok(chosen)
}

/// Compares the checksum that completing names of a part with the part's. A composite upload needs one of each part.
/// Where the algorithm has no other kind, none of any part will do too, as clients have it that chose the algorithm and
/// never heard of kinds; AWS refuses that. Of an upload that named no algorithm another one than is kept counts for
/// nothing: the part was compared with it when it came, and its entity tag says that it is this part.
fn check_part_checksum(
    named: &CompletedPart,
    part: &PartRecord,
    upload: &UploadRecord,
    any_checksum: bool,
) -> Result<(), Error> {
    let number = named.number;
    let Some(given) = &named.checksum else {
        return match upload.checksum {
            Some((algorithm, ChecksumKind::Composite))
                if any_checksum || algorithm.allows_multipart(ChecksumKind::FullObject) =>
            {
                Err(ChecksumError::PartMissing { number, algorithm }.into())
            }
            _ => Ok(()),
        };
    };
    match part.checksum.as_ref().filter(|has| has.algorithm() == given.algorithm()) {
        Some(has) if has.value() == given.value() => Ok(()),
        Some(_) => Err(Error::InvalidPart { number }),
        None if upload.checksum.is_none() => Ok(()),
        None => Err(ChecksumError::PartMismatch { number, algorithm: given.algorithm() }.into()),
    }
}

/// The object and the manifest that the chosen parts make.
fn assemble(
    request: &Completion,
    upload: &UploadRecord,
    chosen: &[(u16, &PartRecord)],
) -> Result<(Draft, ManifestRecord), Error> {
    let size = chosen.iter().map(|(_, part)| part.size).sum();
    if let Some(declared) = request.size
        && declared != size
    {
        return Err(Error::ObjectSizeMismatch { declared, computed: size });
    }
    let mut md5 = Md5::new();
    for (_, part) in chosen {
        md5.update(part.etag.md5());
    }
    let count = u16::try_from(chosen.len()).unwrap_or(PARTS_MAX);
    let etag = ETag::of_parts(md5.finalize(), count);
    let checksum = whole_checksum(request, upload, chosen)?;
    let parts = chosen.iter().map(|(number, part)| (*number, part.size)).collect();
    let draft = Draft {
        owner: upload.owner,
        size,
        etag,
        checksum,
        storage_class: upload.storage_class.clone(),
        headers: upload.headers.clone(),
        tags: upload.tags.clone(),
        content: Content::Manifest(upload.id),
        guards: upload.guards.clone(),
    };
    Ok((draft, ManifestRecord { references: 1, parts, etag }))
}

/// The checksum of the whole object, held against what the request says it is.
fn whole_checksum(
    request: &Completion,
    upload: &UploadRecord,
    chosen: &[(u16, &PartRecord)],
) -> Result<Option<Checksum>, Error> {
    let kind = upload.checksum.map_or(ChecksumKind::FullObject, |(_, kind)| kind);
    if request.checksum_kind.is_some_and(|asked| asked != kind) {
        return Err(ChecksumError::OtherKind(kind).into());
    }
    let checksum = match kind {
        ChecksumKind::Composite => composite(chosen)?,
        ChecksumKind::FullObject => full_object(chosen)?,
    };
    match (&request.checksum, &checksum) {
        (Some(given), Some(made)) if given.algorithm() != made.algorithm() || given.value() != made.value() => {
            Err(Error::ChecksumMismatch(given.algorithm()))
        }
        _ => Ok(checksum),
    }
}

/// The checksum of the parts' checksums.
fn composite(chosen: &[(u16, &PartRecord)]) -> Result<Option<Checksum>, Error> {
    let mut hasher = None;
    for (_, part) in chosen {
        let Some(checksum) = &part.checksum else { return Ok(None) };
        hasher.get_or_insert_with(|| Hasher::new(checksum.algorithm())).update(checksum.value());
    }
    hasher.map(|hasher| hasher.finish(ChecksumKind::Composite)).transpose()
}

/// The checksum of all bytes, from the parts'; none if they have several algorithms or a hash, which an upload that
/// named no algorithm may have from another version of Cofre.
fn full_object(chosen: &[(u16, &PartRecord)]) -> Result<Option<Checksum>, Error> {
    let mut whole: Option<Checksum> = None;
    for (_, part) in chosen {
        let Some(checksum) = &part.checksum else { return Ok(None) };
        whole = match whole {
            None => Some(checksum.clone()),
            Some(before) if before.algorithm() != checksum.algorithm() => return Ok(None),
            Some(before) => match join_crc(&before, checksum, part.size) {
                Ok(joined) => Some(joined),
                Err(_) => return Ok(None),
            },
        };
    }
    Ok(whole)
}
