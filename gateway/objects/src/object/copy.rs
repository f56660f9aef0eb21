use crate::bucket::cached::Bucket;
use crate::change::Change;
use crate::digest::Hasher;
use crate::domain::{Objects, Tried};
use crate::encryption::{EncryptAs, Encrypted, check_customer_key};
use crate::error::Error;
use crate::object::put::Draft;
use crate::object::right::WriteRight;
use crate::object::{CopyContent, CopyObject, CopyOutcome, NewCopy, ObjectRef};
use crate::rights::{Asking, Makes};
use crate::versions::Held;
use cofre_catalog::records::{BlobRecord, Content, Header, Headers, ManifestRecord, Record, Segment, VersionRecord};
use cofre_catalog::{Revision, keys};
use cofre_iam::{Action, Caller, Details, GivenAcl};
use cofre_runtime::uncancelled;
use cofre_types::{Checksum, ChecksumKind, ObjectKey, ResolvedRange, Scheme};
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

/// The right to copy one object, which was asked once: to read the source, which is here, and to make the copy.
pub struct CopyTicket {
    right: WriteRight,
    copies_tags: bool,
    from: ObjectRef,
    source: Source,
}

/// A copy, as far as the domain knows it by now.
pub(super) struct Copying {
    pub right: WriteRight,
    copies_tags: bool,
    from: ObjectRef,
    pub content: CopyContent,
}

impl CopyTicket {
    /// Gives the copy another list than it was begun with: as [`PutTicket::give_acl`](crate::PutTicket::give_acl).
    ///
    /// # Errors
    /// As of [`Objects::begin_put`].
    pub fn give_acl(&mut self, given: GivenAcl) -> Result<(), Error> {
        self.right.give_acl(given)
    }

    /// Makes the copy: a new version that refers to the same blobs. No bytes move unless they are to be encrypted in
    /// another way, or to have another redundancy.
    ///
    /// # Errors
    /// [`Error`]; the destination stands as it was.
    pub async fn store(self, content: CopyContent) -> Result<CopyOutcome, Error> {
        let Self { right, copies_tags, from, source } = self;
        uncancelled(Copying { right, copies_tags, from, content }.run(source)).await
    }
}

impl Copying {
    async fn run(mut self, mut source: Source) -> Result<CopyOutcome, Error> {
        let objects = self.right.objects.clone();
        objects.check_class(&self.content.storage_class)?;
        let mut known: Option<(Revision, Option<Checksum>)> = None;
        for _ in Objects::tries() {
            let held = source.held.record.guards.encryption.as_ref();
            check_customer_key(held, self.content.source_customer_key.as_ref())?;
            self.content.source_conditions.check_source(&source.held.record)?;
            if self.copies_tags {
                self.authorise_tags(&source)?;
            }
            let WriteRight { bucket, key, writer, .. } = &self.right;
            let plan = objects.plan_for(&writer.caller, bucket, key, &self.content.encryption).await?;
            let shares = plan.as_ref().map_or(held.is_none(), |plan| held.is_some_and(|held| plan.is_met_by(held)));
            self.refuse_no_change(&source, shares)?;
            if !shares || objects.scheme_of(bucket, &self.content.storage_class) != source.scheme(&objects) {
                return self.write_anew(&source, plan).await;
            }
            let checksum = match known.take() {
                Some((of, checksum)) if of == source.held.revision => checksum,
                _ => objects.copied_checksum(&source.held.record, &self.content).await?,
            };
            known = Some((source.held.revision, checksum.clone()));
            let mut draft = self.draft(&source, checksum);
            draft.guards.encryption = held.cloned();
            if let (Some(shared), Some(plan)) = (&mut draft.guards.encryption, &plan) {
                shared.bucket_key = plan.bucket_key;
            }
            let _turn = objects.lock_key(bucket, key).await;
            let mut change = Change::default();
            source.check_unchanged(&mut change);
            objects.share(&source.held.record.content, &mut change).await?;
            let tried = objects.try_put(bucket, key, &draft, &self.content.conditions, change, None).await;
            let (tried, record) = tried.map_err(|error| self.right.told(error))?;
            if matches!(tried, Tried::Done) {
                return Ok(source.outcome((bucket, key), record));
            }
            self.right.ask_again(Makes::Object).await?;
            source = objects.copy_source(&self.right.writer.caller, &self.from).await?;
        }
        Err(Error::Conflict)
    }

    /// Tags that go along with a copy are read there and set here (AWS, "CopyObject", "Permissions").
    fn authorise_tags(&self, source: &Source) -> Result<(), Error> {
        let WriteRight { objects, bucket, key, writer, .. } = &self.right;
        let record = &source.held.record;
        if record.tags.is_empty() {
            return Ok(());
        }
        let version = self.from.version;
        let read = if version.is_some() { Action::GetObjectVersionTagging } else { Action::GetObjectTagging };
        let details = Details { version, ..Details::default() };
        objects.authorise_version(&writer.caller, read, &source.bucket, &source.key, record, details)?;
        // Conditions on the object to be see the tags that it gets.
        let from = Some((&self.from.bucket, &self.from.key));
        let asking = Asking { tags: &record.tags, makes: Makes::Object, lock: writer.lock, source: from };
        objects.authorise_put(&writer.caller, bucket, key, asking)
    }

    /// A copy of an object onto itself must change something (AWS, "CopyObject").
    fn refuse_no_change(&self, source: &Source, shares: bool) -> Result<(), Error> {
        if source.held.record.size > COPY_BYTES_MAX {
            return Err(Error::InvalidRequest(
                "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120",
            ));
        }
        let (from, content) = (&self.from, &self.content);
        let itself = from.bucket == self.right.bucket.name && from.key == self.right.key;
        let changes = content.headers.is_some()
            || content.website_redirect.is_some()
            || from.version.is_some()
            || !content.storage_class.is_empty() && content.storage_class != source.held.record.storage_class
            || content.checksum.is_some()
            || !shares
            || !matches!(content.encryption, EncryptAs::AsBucket);
        if itself && !changes {
            return Err(Error::InvalidRequest(
                "This copy request is illegal because it is trying to copy an object to itself without changing the \
                 object's metadata, storage class, website redirect location or encryption attributes.",
            ));
        }
        Ok(())
    }

    /// The copy that is to be, in the clear.
    pub(super) fn draft(&self, source: &Source, checksum: Option<Checksum>) -> Draft {
        let (record, content) = (&source.held.record, &self.content);
        let tags = if self.copies_tags { &record.tags } else { &self.right.tags };
        Draft {
            owner: self.right.owner,
            size: record.size,
            etag: record.etag,
            checksum,
            storage_class: content.storage_class.clone(),
            headers: content.headers.clone().unwrap_or_else(|| copied_headers(content, &record.headers)),
            tags: tags.clone(),
            content: record.content.clone(),
            guards: self.right.guards.clone(),
        }
    }
}

impl Objects {
    /// Asks for the rights to copy an object, before the rest of the request is known to be good.
    ///
    /// # Errors
    /// As of [`Objects::begin_put`] and [`Objects::begin_get`].
    pub async fn begin_copy(&self, caller: &Caller, new: NewCopy) -> Result<CopyTicket, Error> {
        let NewCopy { to, copies_tags, from } = new;
        let named = Some((from.bucket.clone(), from.key.clone()));
        let right = WriteRight::ask(self, caller, to, Makes::Object, named).await?;
        let source = self.copy_source(caller, &from).await?;
        Ok(CopyTicket { right, copies_tags, from, source })
    }

    /// Copies an object whose request is all at hand: [`Objects::begin_copy`] and [`CopyTicket::store`].
    ///
    /// # Errors
    /// As of both.
    pub async fn copy_object(&self, caller: &Caller, request: CopyObject) -> Result<CopyOutcome, Error> {
        let (new, content) = request.split();
        self.begin_copy(caller, new).await?.store(content).await
    }

    /// The object to copy from, if the caller may read it.
    pub(crate) async fn copy_source(&self, caller: &Caller, from: &ObjectRef) -> Result<Source, Error> {
        let ObjectRef { bucket, key, version } = from;
        let action = if version.is_some() { Action::GetObjectVersion } else { Action::GetObject };
        let bucket = self.bucket(bucket).await?;
        let held = self.version_for(caller, action, &bucket, key, *version).await.map_err(|error| match error {
            Error::IsDeleteMarker { .. } => Error::InvalidRequest("the source of a copy is not a delete marker"),
            other => other,
        })?;
        self.authorise_reading(caller, &bucket, key, held.record.guards.encryption.as_ref()).await?;
        Ok(Source { bucket, key: key.clone(), held })
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
    async fn copied_checksum(&self, source: &VersionRecord, content: &CopyContent) -> Result<Option<Checksum>, Error> {
        let Some(wanted) = content.checksum else { return Ok(source.checksum.clone()) };
        if let Some(has) = &source.checksum
            && has.algorithm() == wanted
            && has.kind() == ChecksumKind::FullObject
        {
            return Ok(source.checksum.clone());
        }
        let range = ResolvedRange { start: 0, end: source.size };
        let key = self.data_key(source.guards.encryption.as_ref(), content.source_customer_key.as_ref()).await?;
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

/// The source's headers, as the copy has them.
fn copied_headers(content: &CopyContent, source: &Headers) -> Headers {
    let mut headers = source.clone();
    headers.system.retain(|(header, _)| *header != Header::WebsiteRedirectLocation);
    headers.system.extend(content.website_redirect.clone().map(|to| (Header::WebsiteRedirectLocation, to)));
    headers
}
