use super::put_part::{PartTicket, kept_algorithm};
use crate::change::Change;
use crate::content::narrow;
use crate::digest::Hasher;
use crate::domain::{Objects, Tried};
use crate::encryption::check_customer_key;
use crate::error::Error;
use crate::object::copy::Source;
use crate::object::{DeclaredChecksum, ObjectRef, Upload};
use crate::upload::{CopiedRange, CopyPart, PartOutcome, UploadRef};
use cofre_catalog::records::{Content, PartRecord, Segment};
use cofre_iam::{Action, Caller};
use cofre_keys::{CustomerKey, DataKey};
use cofre_types::{ByteRange, ChecksumAlgorithm, ChecksumKind, ETag, ResolvedRange, UploadId};
use futures_util::StreamExt;
use md5_simd::Md5;

/// Largest range that one request copies (AWS, "UploadPartCopy"): 5 GiB.
const COPY_BYTES_MAX: u64 = 5 << 30;

/// Most segments of a part: 5 GiB over parts of 5 MiB have half as many.
const SEGMENTS_MAX: usize = 2_048;

/// The right to make one part of an object, which was asked once: to read the object, which is here, and to put the part.
pub struct CopyPartTicket {
    part: PartTicket,
    from: ObjectRef,
    source: Source,
}

impl CopyPartTicket {
    /// Makes the part of a range of the object. The bytes are read once, for the part's entity tag. None
    /// is written where all is in the clear and of one redundancy: the part refers to the source's blobs.
    ///
    /// # Errors
    /// [`Error`]; a part that was there before stays.
    pub async fn store(self, copied: CopiedRange) -> Result<PartOutcome, Error> {
        let Self { part: mut ticket, from, mut source } = self;
        let (objects, number) = (ticket.objects.clone(), ticket.number);
        let key = &ticket.at.key;
        let part_key = objects.part_key(&ticket.caller, &ticket.found, key, &copied.encryption).await?;
        let algorithm = kept_algorithm(&ticket.found.record);
        let mut part = None;
        for _ in Objects::tries() {
            let PartTicket { caller, found, at, .. } = &ticket;
            let record = &source.held.record;
            let held = record.guards.encryption.as_ref();
            check_customer_key(held, copied.source_customer_key.as_ref())?;
            copied.source_conditions.check_source(record)?;
            let range = source_range(copied.range, record.size)?;
            let same = source.scheme(&objects) == objects.scheme_of(&found.bucket, &found.record.storage_class);
            if held.is_some() || part_key.is_some() || !same {
                return write_anew(ticket, &source, range, copied.source_customer_key.as_ref(), part_key).await;
            }
            let made = match part.take() {
                Some((revision, made)) if revision == source.held.revision => made,
                _ => objects.copied_part(&record.content, range, algorithm).await?,
            };
            let mut change = Change::default();
            source.check_unchanged(&mut change);
            objects.share_segments(&made.segments, &mut change).await?;
            objects.change_part(found, at, number, &made, &mut change).await?;
            let tried = objects.try_commit(&found.bucket, change).await;
            if matches!(tried.map_err(|error| error.for_caller(caller, &found.bucket))?, Tried::Done) {
                return Ok(PartOutcome {
                    etag: made.etag,
                    checksum: found.record.checksum.and(made.checksum),
                    modified: made.modified,
                    source_version: source.bucket.shown(record.version),
                    encryption: None,
                });
            }
            part = Some((source.held.revision, made));
            let bucket = objects.same_bucket(&found.bucket).await?;
            let named = Some((&from.bucket, &from.key));
            let found = objects.upload_for_in(caller, Action::PutObject, bucket, at, named).await?;
            source = objects.copy_source(caller, &from).await?;
            ticket.found = found;
        }
        Err(Error::Conflict)
    }
}

/// Writes the bytes of a part anew: those of the source are encrypted in another way, or have another redundancy.
async fn write_anew(
    ticket: PartTicket,
    source: &Source,
    range: ResolvedRange,
    source_key: Option<&CustomerKey>,
    key: Option<DataKey>,
) -> Result<PartOutcome, Error> {
    let body = ticket.objects.source_body(&source.held.record, range, source_key).await?;
    let content = Upload { body, content_md5: None, checksum: DeclaredChecksum::None };
    let mut outcome = ticket.write(content, key).await?;
    outcome.source_version = source.bucket.shown(source.held.record.version);
    Ok(outcome)
}

impl Objects {
    /// Asks for the rights to make a part of an object, before the rest of the request is known to be good.
    ///
    /// # Errors
    /// As of [`Objects::begin_part`] and [`Objects::begin_get`].
    pub async fn begin_copy_part(
        &self,
        caller: &Caller,
        at: UploadRef,
        number: u16,
        from: ObjectRef,
    ) -> Result<CopyPartTicket, Error> {
        let part = self.part_ticket(caller, at, number, Some((&from.bucket, &from.key))).await?;
        let source = self.copy_source(caller, &from).await?;
        Ok(CopyPartTicket { part, from, source })
    }

    /// Makes a part of an object: [`Objects::begin_copy_part`] and [`CopyPartTicket::store`].
    ///
    /// # Errors
    /// As of both.
    pub async fn copy_part(&self, caller: &Caller, request: CopyPart) -> Result<PartOutcome, Error> {
        let from =
            ObjectRef { bucket: request.source_bucket, key: request.source_key, version: request.source_version };
        let ticket = self.begin_copy_part(caller, request.upload, request.number, from).await?;
        let (range, encryption) = (request.range, request.encryption);
        let (source_conditions, source_customer_key) = (request.source_conditions, request.source_customer_key);
        ticket.store(CopiedRange { range, source_conditions, source_customer_key, encryption }).await
    }

    async fn copied_part(
        &self,
        content: &Content,
        range: ResolvedRange,
        algorithm: ChecksumAlgorithm,
    ) -> Result<PartRecord, Error> {
        let segments = match content {
            Content::Segments(segments) => narrow(segments, range),
            Content::Manifest(id) => self.manifest_segments(*id, range).await?,
        };
        let mut md5 = Md5::new();
        let mut hasher = Hasher::new(algorithm);
        let mut bytes = self.read_content(content, range, None).await?;
        while let Some(chunk) = bytes.next().await {
            let chunk = chunk.map_err(|error| Error::Unreadable(error.to_string()))?;
            md5.update(&chunk);
            hasher.update(&chunk);
        }
        Ok(PartRecord {
            size: range.len(),
            etag: ETag::of_md5(md5.finalize()),
            checksum: Some(hasher.finish(ChecksumKind::FullObject)?),
            modified: self.now(),
            segments,
            checksum_sent: false,
        })
    }

    async fn manifest_segments(&self, id: UploadId, range: ResolvedRange) -> Result<Vec<Segment>, Error> {
        let mut segments = Vec::new();
        let mut start = 0;
        for (number, size) in self.manifest(id).await?.parts {
            if let Some(within) = crate::content::overlap(start, size, range) {
                segments.extend(narrow(&self.part(id, number).await?.segments, within));
                if segments.len() > SEGMENTS_MAX {
                    return Err(Error::InvalidRequest("the range lies over more than 2,048 runs of bytes"));
                }
            }
            start += size;
        }
        Ok(segments)
    }
}

/// The range of the source. Unlike a read's, it must lie in the object (AWS, "UploadPartCopy").
fn source_range(range: Option<ByteRange>, size: u64) -> Result<ResolvedRange, Error> {
    let range = match range {
        None => ResolvedRange { start: 0, end: size },
        Some(ByteRange::From { last: Some(last), .. }) if last >= size => return Err(Error::InvalidRange { size }),
        Some(range) => range.resolve(size).ok_or(Error::InvalidRange { size })?,
    };
    if range.len() > COPY_BYTES_MAX {
        return Err(Error::InvalidRequest(
            "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120",
        ));
    }
    Ok(range)
}
