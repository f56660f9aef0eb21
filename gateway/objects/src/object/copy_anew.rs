//! Copies whose bytes are encrypted in another way than the source's, or have another redundancy: they are
//! read, and written anew.

use super::copy::{COPY_BYTES_MAX, Copying, Source};
use crate::content::Target;
use crate::domain::Objects;
use crate::encryption::{Plan, entity_tag};
use crate::error::Error;
use crate::object::right::WriteRight;
use crate::object::{CopyOutcome, DeclaredChecksum, Upload};
use crate::room::{BodyBound, Brings};
use cofre_catalog::records::{Content, VersionRecord};
use cofre_keys::CustomerKey;
use cofre_shards::{Body, BodyError};
use cofre_types::{ChecksumAlgorithm, ChecksumKind, ResolvedRange};
use futures_util::StreamExt;

impl Copying {
    /// Copies an object as one blob. The source need not stand when the copy is committed: it was read to
    /// its end. The caller runs it to its own.
    pub(super) async fn write_anew(self, source: &Source, plan: Option<Plan>) -> Result<CopyOutcome, Error> {
        let WriteRight { objects, bucket, key, writer, .. } = &self.right;
        let (content, conditions) = (&self.content, &self.content.conditions);
        if !conditions.is_empty() {
            // Refused before the bytes are moved. Checked again at the commit, where it counts.
            conditions.check(objects.key_state(bucket, key).await?.object())?;
        }
        let record = &source.held.record;
        let whole = ResolvedRange { start: 0, end: record.size };
        let upload = Upload {
            body: objects.source_body(record, whole, content.source_customer_key.as_ref()).await?,
            content_md5: None,
            checksum: declared(record, content.checksum),
        };
        let seal = objects.new_seal(plan).await?;
        let data_key = seal.as_ref().map(|seal| &seal.key);
        let version = objects.planned_version(bucket);
        let target = Target {
            bucket,
            key,
            version: version.to_string(),
            part: None,
            class: &content.storage_class,
            data_key,
            checksum: None,
        };
        let room = objects.room(bucket, Brings::Object(key), Some(record.size)).await;
        let room = room.map_err(|error| self.right.told(error))?;
        let bound = BodyBound { size_max: COPY_BYTES_MAX, room };
        let written = objects.write_blob(target, upload, bound.clone()).await.map_err(of_source)?;
        let mut draft = self.draft(source, Some(written.digests.checksum.clone()));
        draft.etag = entity_tag(seal.as_ref().map(|seal| (&seal.record, &seal.key)), written.digests.md5);
        draft.content = Content::Segments(written.segments());
        draft.guards.encryption = seal.map(|seal| seal.record);
        let (bucket, record) =
            objects.commit_or_discard((bucket, key), draft, writer, conditions, written, version).await?;
        drop(bound);
        Ok(source.outcome((&bucket, key), record))
    }
}

impl Objects {
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
