use crate::change::Change;
use crate::checksum_error::ChecksumError;
use crate::domain::{Objects, Tried};
use crate::error::Error;
use crate::object::NewObject;
use crate::object::right::WriteRight;
use crate::rights::Makes;
use crate::upload::{CreateUpload, NewUpload, UploadInfo};
use cofre_catalog::keys;
use cofre_catalog::records::{Guards, Record, UploadRecord};
use cofre_iam::{Caller, GivenAcl};
use cofre_types::{ChecksumAlgorithm, ChecksumKind, UploadId};

/// The right to begin one upload, which was asked once.
pub struct UploadTicket(WriteRight);

impl UploadTicket {
    /// Gives the object to be another list than it was begun with: as [`PutTicket::give_acl`](crate::PutTicket::give_acl).
    ///
    /// # Errors
    /// As of [`Objects::begin_put`].
    pub fn give_acl(&mut self, given: GivenAcl) -> Result<(), Error> {
        self.0.give_acl(given)
    }

    /// Begins the upload.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn create(self, new: NewUpload) -> Result<UploadInfo, Error> {
        let NewUpload { headers, storage_class, checksum, checksum_kind, encryption } = new;
        let Self(mut right) = self;
        let objects = right.objects.clone();
        objects.check_class(&storage_class)?;
        let plan = objects.plan_for(&right.writer.caller, &right.bucket, &right.key, &encryption).await?;
        let sealed = objects.new_seal(plan).await?.map(|seal| seal.record);
        let initiated = objects.now();
        let mut record = UploadRecord {
            id: UploadId::new(initiated, objects.random().bytes()),
            initiator: right.writer.caller.principal.account_id().unwrap_or(right.bucket.record.owner),
            owner: right.owner,
            initiated,
            storage_class,
            headers,
            tags: right.tags.clone(),
            checksum: chosen(checksum, checksum_kind)?,
            guards: Guards { encryption: sealed, ..right.guards.clone() },
        };
        for _ in Objects::tries() {
            let WriteRight { bucket, key, .. } = &right;
            let mut change = Change::default();
            change.batch.put(keys::upload(bucket.record.id, key, record.id), record.encode());
            change.usage.uploads += 1;
            let tried = objects.try_commit(bucket, change).await;
            if matches!(tried.map_err(|error| right.told(error))?, Tried::Done) {
                let ending = Objects::ending_upload(bucket, key, record.initiated);
                return Ok(UploadInfo { ending, ..UploadInfo::of(&record) });
            }
            right.ask_again(Makes::Upload).await?;
            record.owner = right.owner;
            record.guards = Guards { encryption: record.guards.encryption.take(), ..right.guards.clone() };
        }
        Err(Error::Conflict)
    }
}

impl Objects {
    /// Asks for the right to begin a multipart upload, before the rest of the request is known to be good.
    ///
    /// # Errors
    /// As of [`Objects::begin_put`].
    pub async fn begin_upload(&self, caller: &Caller, new: NewObject) -> Result<UploadTicket, Error> {
        Ok(UploadTicket(WriteRight::ask(self, caller, new, Makes::Upload, None).await?))
    }

    /// Begins a multipart upload: [`Objects::begin_upload`] and [`UploadTicket::create`].
    ///
    /// # Errors
    /// As of both.
    pub async fn create_upload(&self, caller: &Caller, request: CreateUpload) -> Result<UploadInfo, Error> {
        let CreateUpload { bucket, key, headers, tags, storage_class, lock, acl, checksum, checksum_kind, encryption } =
            request;
        let ticket = self.begin_upload(caller, NewObject { bucket, key, tags, lock, acl }).await?;
        ticket.create(NewUpload { headers, storage_class, checksum, checksum_kind, encryption }).await
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
