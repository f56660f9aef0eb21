use crate::bucket::cached::Bucket;
use crate::change::Change;
use crate::digest::Hasher;
use crate::domain::Tried;
use crate::encryption::check_customer_key;
use crate::object::put::Draft;
use crate::rights::{Asking, Makes, Writer};
use crate::versions::Held;
use crate::{CopyObject, CopyOutcome, EncryptAs, Encrypted, Error, Objects};
use cofre_catalog::records::{
    BlobRecord, Content, Guards, Header, Headers, ManifestRecord, Record, Segment, VersionRecord,
};
use cofre_catalog::{Revision, keys};
use cofre_iam::{Action, Caller, Details};
use cofre_runtime::uncancelled;
use cofre_types::{AccountId, BucketName, Checksum, ChecksumKind, ObjectKey, ResolvedRange, Scheme, VersionId};
use futures_util::StreamExt;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Largest object or range that one request copies (AWS, "CopyObject"): 5 GiB.
pub(super) const COPY_BYTES_MAX: u64 = 5 << 30;

/// An object that is copied from, which the caller may read.
pub(crate) struct Source {
    pub bucket: Arc<Bucket>,
    pub key: ObjectKey,
    pub held: Held,
}

impl Objects {
    /// Copies an object: a new version that refers to the same blobs. No bytes move unless they are to
    /// be encrypted in another way, or to have another redundancy.
    ///
    /// # Errors
    /// [`Error`]; the destination stands as it was.
    pub async fn copy_object(&self, caller: &Caller, request: CopyObject) -> Result<CopyOutcome, Error> {
        let (objects, caller) = (self.clone(), caller.clone());
        uncancelled(async move { objects.copy_to_end(&caller, request).await }).await
    }

    async fn copy_to_end(&self, caller: &Caller, request: CopyObject) -> Result<CopyOutcome, Error> {
        let mut bucket = self.bucket(&request.bucket).await?;
        self.check_class(&request.storage_class)?;
        let source = Some((request.source_bucket.clone(), request.source_key.clone()));
        let writer = Writer { caller: caller.clone(), acl: request.acl.clone(), lock: request.lock, source };
        let given_tags = request.tags.clone().unwrap_or_default();
        let mut known: Option<(Revision, Option<Checksum>)> = None;
        for _ in Self::tries() {
            let (owner, mut guards) =
                self.authorise_write(&writer, &bucket, &request.key, &given_tags, Makes::Object)?;
            let source =
                self.copy_source(caller, &request.source_bucket, &request.source_key, request.source_version).await?;
            let held = source.held.record.guards.encryption.as_ref();
            check_customer_key(held, request.source_customer_key.as_ref())?;
            request.source_conditions.check_source(&source.held.record)?;
            if request.tags.is_none() {
                self.authorise_copied_tags(caller, &request, &bucket, &source)?;
            }
            let plan = self.plan_for(caller, &bucket, &request.key, &request.encryption).await?;
            let shares = plan.as_ref().map_or(held.is_none(), |plan| held.is_some_and(|held| plan.is_met_by(held)));
            refuse_no_change(&request, &source, shares)?;
            if !shares || self.scheme_of(&bucket, &request.storage_class) != source.scheme(self) {
                return self.copy_anew(&request, (&bucket, &writer), &source, plan, owner, guards).await;
            }
            let checksum = match known.take() {
                Some((of, checksum)) if of == source.held.revision => checksum,
                _ => self.copied_checksum(&source.held.record, &request).await?,
            };
            known = Some((source.held.revision, checksum.clone()));
            guards.encryption = held.cloned();
            if let (Some(shared), Some(plan)) = (&mut guards.encryption, &plan) {
                shared.bucket_key = plan.bucket_key;
            }
            let draft = copied(&request, owner, guards, &source, checksum);
            let _turn = self.lock_key(&bucket, &request.key).await;
            let mut change = Change::default();
            source.check_unchanged(&mut change);
            self.share(&source.held.record.content, &mut change).await?;
            let tried = self.try_put(&bucket, &request.key, &draft, &request.conditions, change, None).await;
            let (tried, record) = tried.map_err(|error| error.for_caller(caller, &bucket))?;
            if matches!(tried, Tried::Done) {
                return Ok(source.outcome((&bucket, &request.key), record));
            }
            bucket = self.same_bucket(&bucket).await?;
        }
        Err(Error::Conflict)
    }

    /// The object to copy from, if the caller may read it.
    pub(crate) async fn copy_source(
        &self,
        caller: &Caller,
        bucket: &BucketName,
        key: &ObjectKey,
        version: Option<VersionId>,
    ) -> Result<Source, Error> {
        let action = if version.is_some() { Action::GetObjectVersion } else { Action::GetObject };
        let bucket = self.bucket(bucket).await?;
        let held = self.version_for(caller, action, &bucket, key, version).await.map_err(|error| match error {
            Error::IsDeleteMarker { .. } => Error::InvalidRequest("the source of a copy is not a delete marker"),
            other => other,
        })?;
        self.authorise_reading(caller, &bucket, key, held.record.guards.encryption.as_ref()).await?;
        Ok(Source { bucket, key: key.clone(), held })
    }

    /// Tags that go along with a copy are read there and set here (AWS, "CopyObject", "Permissions").
    fn authorise_copied_tags(
        &self,
        caller: &Caller,
        request: &CopyObject,
        bucket: &Bucket,
        source: &Source,
    ) -> Result<(), Error> {
        let record = &source.held.record;
        if record.tags.is_empty() {
            return Ok(());
        }
        let version = request.source_version;
        let read = if version.is_some() { Action::GetObjectVersionTagging } else { Action::GetObjectTagging };
        let details = Details { version, ..Details::default() };
        self.authorise_version(caller, read, &source.bucket, &source.key, record, details)?;
        // Conditions on the object to be see the tags that it gets.
        let from = Some((&request.source_bucket, &request.source_key));
        let asking = Asking { tags: &record.tags, makes: Makes::Object, lock: request.lock, source: from };
        self.authorise_put(caller, bucket, &request.key, asking)
    }

    /// Takes one more reference to everything that content refers to.
    pub(crate) async fn share(&self, content: &Content, change: &mut Change) -> Result<(), Error> {
        match content {
            Content::Segments(segments) => self.share_segments(segments, change).await,
            Content::Manifest(id) => {
                let key = keys::manifest(*id);
                let entry = self.get(key.clone()).await?.ok_or(Error::Conflict)?;
                let mut manifest = ManifestRecord::decode(&entry.value)?;
                manifest.references += 1;
                change.batch.unchanged(key.clone(), Some(entry.revision));
                change.batch.put(key, manifest.encode());
                Ok(())
            }
        }
    }

    /// Takes one more reference for each segment.
    pub(crate) async fn share_segments(&self, segments: &[Segment], change: &mut Change) -> Result<(), Error> {
        let mut more: BTreeMap<_, u32> = BTreeMap::new();
        for segment in segments {
            *more.entry(segment.blob).or_default() += 1;
        }
        let blob_keys: Vec<_> = more.keys().map(|id| keys::blob(*id)).collect();
        let entries = self.store().get_many(blob_keys.clone()).await?;
        for ((key, entry), count) in blob_keys.into_iter().zip(entries).zip(more.values()) {
            let entry = entry.ok_or(Error::Conflict)?;
            let mut blob = BlobRecord::decode(&entry.value)?;
            blob.references += count;
            change.batch.unchanged(key.clone(), Some(entry.revision));
            change.batch.put(key, blob.encode());
        }
        Ok(())
    }

    /// The checksum of a copy: the source's, or another that is computed by reading the bytes once.
    async fn copied_checksum(&self, source: &VersionRecord, request: &CopyObject) -> Result<Option<Checksum>, Error> {
        let Some(wanted) = request.checksum else { return Ok(source.checksum.clone()) };
        if let Some(has) = &source.checksum
            && has.algorithm() == wanted
            && has.kind() == ChecksumKind::FullObject
        {
            return Ok(source.checksum.clone());
        }
        let range = ResolvedRange { start: 0, end: source.size };
        let key = self.data_key(source.guards.encryption.as_ref(), request.source_customer_key.as_ref()).await?;
        let mut bytes = self.read_content(&source.content, range, key.as_ref()).await?;
        let mut hasher = Hasher::new(wanted);
        while let Some(chunk) = bytes.next().await {
            let chunk = chunk.map_err(|error| Error::Unreadable(error.to_string()))?;
            hasher.update(&chunk);
        }
        Ok(Some(hasher.finish(ChecksumKind::FullObject)?))
    }
}

impl Source {
    /// The redundancy of its storage class.
    pub(crate) fn scheme(&self, objects: &Objects) -> Scheme {
        objects.scheme_of(&self.bucket, &self.held.record.storage_class)
    }

    /// What is told of a copy of it that was made.
    pub(super) fn outcome(&self, (bucket, key): (&Bucket, &ObjectKey), record: VersionRecord) -> CopyOutcome {
        CopyOutcome {
            etag: record.etag,
            modified: record.modified,
            version: bucket.shown(record.version),
            source_version: self.bucket.shown(self.held.record.version),
            ending: Objects::ending(bucket, key, &record),
            checksum: record.checksum,
            encryption: Encrypted::of(record.guards.encryption.as_ref()),
        }
    }

    /// The commit happens only if the source is still there: so are the blobs that it refers to.
    pub(crate) fn check_unchanged(&self, change: &mut Change) {
        let at = self.held.place(self.bucket.record.id, &self.key);
        change.batch.unchanged(at, Some(self.held.revision));
    }
}

/// A copy of an object onto itself must change something (AWS, "CopyObject").
fn refuse_no_change(request: &CopyObject, source: &Source, shares: bool) -> Result<(), Error> {
    if source.held.record.size > COPY_BYTES_MAX {
        return Err(Error::InvalidRequest(
            "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120",
        ));
    }
    let itself = request.source_bucket == request.bucket && request.source_key == request.key;
    let changes = request.headers.is_some()
        || request.website_redirect.is_some()
        || request.source_version.is_some()
        || !request.storage_class.is_empty() && request.storage_class != source.held.record.storage_class
        || request.checksum.is_some()
        || !shares
        || !matches!(request.encryption, EncryptAs::AsBucket);
    if itself && !changes {
        return Err(Error::InvalidRequest(
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    Ok(())
}

/// The source's headers, as the copy has them.
fn copied_headers(request: &CopyObject, source: &Headers) -> Headers {
    let mut headers = source.clone();
    headers.system.retain(|(header, _)| *header != Header::WebsiteRedirectLocation);
    headers.system.extend(request.website_redirect.clone().map(|to| (Header::WebsiteRedirectLocation, to)));
    headers
}

pub(super) fn copied(
    request: &CopyObject,
    owner: AccountId,
    guards: Guards,
    source: &Source,
    checksum: Option<Checksum>,
) -> Draft {
    let record = &source.held.record;
    Draft {
        owner,
        size: record.size,
        etag: record.etag,
        checksum,
        storage_class: request.storage_class.clone(),
        headers: request.headers.clone().unwrap_or_else(|| copied_headers(request, &record.headers)),
        tags: request.tags.clone().unwrap_or_else(|| record.tags.clone()),
        content: record.content.clone(),
        guards,
    }
}
