use crate::change::Change;
use crate::domain::Tried;
use crate::rights::{Makes, Writer};
use crate::{ChecksumError, CreateUpload, Error, Objects, UploadInfo};
use cofre_catalog::keys;
use cofre_catalog::records::{Guards, Record, UploadRecord};
use cofre_iam::Caller;
use cofre_types::{ChecksumAlgorithm, ChecksumKind, UploadId};

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
        let writer = Writer { caller: caller.clone(), acl, lock, source: None };
        let (owner, guards) = self.authorise_write(&writer, &bucket, &key, &tags, Makes::Upload)?;
        self.check_class(&storage_class)?;
        let plan = self.plan_for(caller, &bucket, &key, &encryption).await?;
        let seal = self.new_seal(plan).await?;
        let initiated = self.now();
        let mut record = UploadRecord {
            id: UploadId::new(initiated, self.random().bytes()),
            initiator: caller.principal.account_id().unwrap_or(bucket.record.owner),
            owner,
            initiated,
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
            let tried = self.try_commit(&bucket, change).await;
            if matches!(tried.map_err(|error| error.for_caller(caller, &bucket))?, Tried::Done) {
                let ending = Self::ending_upload(&bucket, &key, record.initiated);
                return Ok(UploadInfo { ending, ..UploadInfo::of(&record) });
            }
            bucket = self.same_bucket(&bucket).await?;
            let (owner, guards) = self.authorise_write(&writer, &bucket, &key, &record.tags, Makes::Upload)?;
            record.owner = owner;
            record.guards = Guards { encryption: record.guards.encryption.take(), ..guards };
        }
        Err(Error::Conflict)
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
                return Err(ChecksumError::NoSuchKind(kind, algorithm).into());
            }
            Ok(Some((algorithm, kind)))
        }
    }
}
