use crate::change::Change;
use crate::domain::{Bucket, Tried};
use crate::rights::Writer;
use crate::{CreateUpload, Error, Objects, UploadInfo};
use cofre_catalog::keys;
use cofre_catalog::records::{Guards, Record, UploadRecord};
use cofre_iam::{Action, Caller, Details};
use cofre_types::{AccountId, ChecksumAlgorithm, ChecksumKind, ObjectKey, Tags, UploadId};

impl Objects {
    /// Begins a multipart upload.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn create_upload(&self, caller: &Caller, request: CreateUpload) -> Result<UploadInfo, Error> {
        let CreateUpload {
            bucket: name,
            key,
            headers,
            tags,
            storage_class,
            lock,
            acl,
            checksum,
            checksum_kind,
            encryption,
        } = request;
        let mut bucket = self.bucket(&name).await?;
        let writer = Writer { caller: caller.clone(), acl, lock };
        let (owner, guards) = self.authorise_begin(&writer, &bucket, &key, &tags)?;
        self.check_class(&storage_class)?;
        let seal = self.data_seal(&bucket, &encryption).await?;
        let mut record = UploadRecord {
            id: UploadId::from_bytes(self.random().bytes()),
            initiator: caller.principal.account_id().unwrap_or(bucket.record.owner),
            owner,
            initiated: self.now(),
            storage_class,
            headers,
            tags,
            checksum: chosen(checksum, checksum_kind)?,
            guards: Guards { encryption: seal.map(|seal| seal.record), ..guards },
        };
        for _ in Self::tries() {
            let mut change = Change::default();
            change.batch.put(keys::upload(bucket.record.id, &key, record.id), record.encode());
            change.usage.uploads += 1;
            if matches!(self.try_commit(&bucket, change).await?, Tried::Done) {
                let ending = Self::ending_upload(&bucket, &key, record.initiated);
                return Ok(UploadInfo { ending, ..UploadInfo::of(&record) });
            }
            bucket = self.same_bucket(&bucket).await?;
            let (owner, guards) = self.authorise_begin(&writer, &bucket, &key, &record.tags)?;
            record.owner = owner;
            record.guards = Guards { encryption: record.guards.encryption.take(), ..guards };
        }
        Err(Error::Conflict)
    }

    /// The right to begin an upload, and the owner and guards of what is to come of it.
    fn authorise_begin(
        &self,
        writer: &Writer,
        bucket: &Bucket,
        key: &ObjectKey,
        tags: &Tags,
    ) -> Result<(AccountId, Guards), Error> {
        let caller = &writer.caller;
        let request_tags = (!tags.is_empty()).then_some(tags);
        let details = Details { request_tags, creates: Some(false), ..Details::default() };
        self.authorise_with(caller, Action::PutObject, bucket, Some(key), details)?;
        if request_tags.is_some() {
            self.authorise_with(caller, Action::PutObjectTagging, bucket, Some(key), details)?;
        }
        self.owner_and_guards(writer, bucket, key)
    }
}

fn chosen(
    algorithm: Option<ChecksumAlgorithm>,
    kind: Option<ChecksumKind>,
) -> Result<Option<(ChecksumAlgorithm, ChecksumKind)>, Error> {
    match (algorithm, kind) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Error::InvalidRequest(
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
        )),
        (Some(algorithm), kind) => {
            let kind = kind.unwrap_or(algorithm.default_multipart_kind());
            if !algorithm.allows_multipart(kind) {
                return Err(Error::InvalidRequest("the checksum type is not one that the checksum algorithm has"));
            }
            Ok(Some((algorithm, kind)))
        }
    }
}
