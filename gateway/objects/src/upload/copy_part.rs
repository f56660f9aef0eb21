use super::put_part::kept_algorithm;
use super::{Found, check_number};
use crate::change::Change;
use crate::content::narrow;
use crate::digest::Hasher;
use crate::domain::Tried;
use crate::encryption::check_customer_key;
use crate::object::copy::Source;
use crate::{CopyPart, DeclaredChecksum, Error, Objects, PartOutcome, Upload};
use cofre_catalog::records::{Content, PartRecord, Segment};
use cofre_iam::{Action, Caller};
use cofre_keys::DataKey;
use cofre_types::{ByteRange, ChecksumAlgorithm, ChecksumKind, ETag, ResolvedRange, UploadId};
use futures_util::StreamExt;
use md5_simd::Md5;

/// Largest range that one request copies (AWS, "UploadPartCopy"): 5 GiB.
const COPY_BYTES_MAX: u64 = 5 << 30;

/// Most segments of a part: 5 GiB over parts of 5 MiB have half as many.
const SEGMENTS_MAX: usize = 2_048;

impl Objects {
    /// Makes a part of a range of an object. The bytes are read once, for the part's entity tag. None
    /// is written where all is in the clear and of one redundancy: the part refers to the source's blobs.
    ///
    /// # Errors
    /// [`Error`]; a part that was there before stays.
    pub async fn copy_part(&self, caller: &Caller, request: CopyPart) -> Result<PartOutcome, Error> {
        let at = &request.upload;
        check_number(request.number)?;
        let from = Some((&request.source_bucket, &request.source_key));
        let mut found = self.upload_for(caller, Action::PutObject, at, from).await?;
        let part_key = self.part_key(caller, &found, &at.key, &request.encryption).await?;
        let algorithm = kept_algorithm(&found.record);
        let mut part = None;
        for _ in Self::tries() {
            let source =
                self.copy_source(caller, &request.source_bucket, &request.source_key, request.source_version).await?;
            let record = &source.held.record;
            let held = record.guards.encryption.as_ref();
            check_customer_key(held, request.source_customer_key.as_ref())?;
            request.source_conditions.check_source(record)?;
            let range = source_range(request.range, record.size)?;
            let same = source.scheme(self) == self.scheme_of(&found.bucket, &found.record.storage_class);
            if held.is_some() || part_key.is_some() || !same {
                return self.copy_part_anew(caller, found, &request, &source, range, part_key).await;
            }
            let made = match part.take() {
                Some((revision, made)) if revision == source.held.revision => made,
                _ => self.copied_part(&record.content, range, algorithm).await?,
            };
            let mut change = Change::default();
            source.check_unchanged(&mut change);
            self.share_segments(&made.segments, &mut change).await?;
            self.change_part(&found, at, request.number, &made, &mut change).await?;
            let tried = self.try_commit(&found.bucket, change).await;
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
            let bucket = self.same_bucket(&found.bucket).await?;
            found = self.upload_for_in(caller, Action::PutObject, bucket, at, from).await?;
        }
        Err(Error::Conflict)
    }

    /// Writes the bytes of a part anew: those of the source are encrypted in another way.
    async fn copy_part_anew(
        &self,
        caller: &Caller,
        found: Found,
        request: &CopyPart,
        source: &Source,
        range: ResolvedRange,
        key: Option<DataKey>,
    ) -> Result<PartOutcome, Error> {
        let content = Upload {
            body: self.source_body(&source.held.record, range, request.source_customer_key.as_ref()).await?,
            content_md5: None,
            checksum: DeclaredChecksum::None,
        };
        let mut outcome = self.write_part(caller, found, request.upload.clone(), request.number, content, key).await?;
        outcome.source_version = source.bucket.shown(source.held.record.version);
        Ok(outcome)
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
