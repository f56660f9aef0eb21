//! Copies whose bytes are encrypted in another way than the source's, or have another redundancy: they are
//! read, and written anew.

use super::copy::{COPY_BYTES_MAX, Source, copied};
use crate::bucket::cached::Bucket;
use crate::content::Target;
use crate::encryption::{Plan, entity_tag};
use crate::object::put::Draft;
use crate::rights::Writer;
use crate::room::{BodyBound, Brings};
use crate::{Body, BodyError, CopyObject, CopyOutcome, CustomerKey, DeclaredChecksum, Error, Objects, Upload};
use cofre_catalog::records::{Content, Guards, VersionRecord};
use cofre_types::{AccountId, ChecksumAlgorithm, ChecksumKind, ResolvedRange};
use futures_util::StreamExt;
use std::sync::Arc;

impl Objects {
    /// Copies an object as one blob. The source need not stand when the copy is committed: it was read to
    /// its end. The caller runs it to its own.
    pub(super) async fn copy_anew(
        &self,
        request: &CopyObject,
        (bucket, writer): (&Arc<Bucket>, &Writer),
        source: &Source,
        plan: Option<Plan>,
        owner: AccountId,
        guards: Guards,
    ) -> Result<CopyOutcome, Error> {
        if !request.conditions.is_empty() {
            // Refused before the bytes are moved. Held again at the commit, where it counts.
            request.conditions.check(self.key_state(bucket, &request.key).await?.object())?;
        }
        let record = &source.held.record;
        let whole = ResolvedRange { start: 0, end: record.size };
        let upload = Upload {
            body: self.source_body(record, whole, request.source_customer_key.as_ref()).await?,
            content_md5: None,
            checksum: declared(record, request.checksum),
        };
        let seal = self.new_seal(plan).await?;
        let data_key = seal.as_ref().map(|seal| &seal.key);
        let version = self.planned_version(bucket);
        let target = Target {
            bucket,
            key: &request.key,
            version: version.to_string(),
            part: None,
            class: &request.storage_class,
            data_key,
            checksum: None,
        };
        let told = |error: Error| error.for_caller(&writer.caller, bucket);
        let room = self.room(bucket, Brings::Object(&request.key), Some(record.size)).await.map_err(told)?;
        let bound = BodyBound { size_max: COPY_BYTES_MAX, room };
        let written = self.write_blob(target, upload, bound.clone()).await.map_err(of_source)?;
        let etag = entity_tag(seal.as_ref().map(|seal| (&seal.record, &seal.key)), written.digests.md5);
        let guards = Guards { encryption: seal.map(|seal| seal.record), ..guards };
        let draft = Draft {
            etag,
            content: Content::Segments(written.segments()),
            ..copied(request, owner, guards, source, Some(written.digests.checksum.clone()))
        };
        let conditions = &request.conditions;
        let (bucket, record) =
            self.commit_or_discard((bucket, &request.key), draft, writer, conditions, written, version).await?;
        drop(bound);
        Ok(source.outcome((&bucket, &request.key), record))
    }

    /// A range of a source in the clear, as a body that is to be written.
    pub(crate) async fn source_body(
        &self,
        source: &VersionRecord,
        range: ResolvedRange,
        customer_key: Option<&CustomerKey>,
    ) -> Result<Body, Error> {
        let key = self.data_key(source.guards.encryption.as_ref(), customer_key).await?;
        let stream = self.read_content(&source.content, range, key.as_ref()).await?;
        let unreadable = |error: BodyError| BodyError(Box::new(Error::Unreadable(error.to_string())));
        Ok(Body::Stream {
            stream: Box::pin(stream.map(move |piece| piece.map_err(unreadable))),
            size: Some(range.len()),
        })
    }
}

/// The checksum that a copy gets. One that the source has of the whole object is held against the bytes.
fn declared(source: &VersionRecord, wanted: Option<ChecksumAlgorithm>) -> DeclaredChecksum {
    match (&source.checksum, wanted) {
        (Some(has), wanted)
            if has.kind() == ChecksumKind::FullObject && wanted.is_none_or(|wanted| wanted == has.algorithm()) =>
        {
            DeclaredChecksum::Value(has.clone())
        }
        (_, Some(wanted)) => DeclaredChecksum::Compute(wanted),
        (Some(has), None) => DeclaredChecksum::Compute(has.algorithm()),
        (None, None) => DeclaredChecksum::None,
    }
}

/// A source that is not what its own checksum says is the server's failure, not the client's.
fn of_source(error: Error) -> Error {
    match error {
        Error::ChecksumMismatch(_) => Error::Unreadable("the source does not match its checksum".to_owned()),
        other => other,
    }
}
