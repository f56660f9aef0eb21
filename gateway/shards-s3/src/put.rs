use crate::calls::Bucket;
use crate::framer::{Framer, PARTS_MAX, check_parts};
use crate::names::{Copy, Place};
use crate::shard::Shard;
use crate::unclaimed::Unclaimed;
use crate::upload::Upload;
use bytes::{Bytes, BytesMut};
use cofre_runtime::uncancelled;
use cofre_shards::frame::{self, Kind};
use cofre_shards::{BackendError, BlobHeader, Body, BodyError, ByteStream, Stored};
use cofre_types::BlobId;
use futures_util::{StreamExt, stream};

/// Writes a blob: in one request if it fits a part, else as a multipart upload.
pub(crate) async fn put(shard: &Shard, blob: BlobId, header: &BlobHeader, body: Body) -> Result<Stored, BackendError> {
    let (mut stream, declared): (ByteStream, _) = match body {
        Body::Whole(content) => {
            let size = content.len() as u64;
            (Box::pin(stream::iter([Ok(content)])), Some(size))
        }
        Body::Stream { stream, size } => (stream, size),
    };
    let mut writing = Writing::begin(shard, blob, header, declared)?;
    shard.ensure_identity().await?;
    while let Some(piece) = stream.next().await {
        writing.add(&piece?).await?;
    }
    writing.finish().await
}

/// A blob that is being written.
struct Writing<'a> {
    shard: &'a Shard,
    header: &'a BlobHeader,
    copy: Copy,
    declared: Option<u64>,
    framer: Framer,
    upload: Option<Upload>,
    /// The first part, where its head must wait for the size: it is written last then.
    first: Option<BytesMut>,
    /// Number of the next part; the first is 1.
    number: i32,
}

impl<'a> Writing<'a> {
    fn begin(
        shard: &'a Shard,
        blob: BlobId,
        header: &'a BlobHeader,
        declared: Option<u64>,
    ) -> Result<Self, BackendError> {
        // The size has its own place in the head: the length does not depend on it.
        let head = frame::encode_head(Kind::Object, blob, declared.unwrap_or(0), header)?;
        if let Some(size) = declared {
            check_parts((head.len() as u64).saturating_add(frame::content_len(size.min(frame::CONTENT_BYTES_MAX))))?;
        }
        let copy = Copy {
            blob,
            written_nanos: header.written_nanos,
            head_bytes: head.len() as u32,
            nonce: shard.bucket.random.u64(),
        };
        let framer = Framer::new(blob, &head);
        Ok(Self { shard, header, copy, declared, framer, upload: None, first: None, number: 1 })
    }

    async fn add(&mut self, mut piece: &[u8]) -> Result<(), BackendError> {
        let received = self.framer.size() + piece.len() as u64;
        if let Some(size) = self.declared.filter(|size| received > *size) {
            return Err(BodyError::wrong_size(size, received).into());
        }
        while !piece.is_empty() {
            self.framer.take(&mut piece);
            if let Some(part) = self.framer.part() {
                self.part(part).await?;
            }
        }
        Ok(())
    }

    async fn part(&mut self, part: BytesMut) -> Result<(), BackendError> {
        let upload = self.upload.get_or_insert_with(|| Upload::begin(self.shard.bucket.clone(), self.copy.name()));
        let number = self.number;
        if number as u64 > PARTS_MAX {
            return Err(BodyError("the blob is longer than a remote shard takes".into()).into());
        }
        self.number += 1;
        if number == 1 && self.declared.is_none() {
            self.first = Some(part);
            return Ok(());
        }
        upload.part(number, part.freeze()).await
    }

    async fn finish(self) -> Result<Stored, BackendError> {
        let Self { shard, header, copy, declared, framer, upload, first, number } = self;
        let (size, mut last) = framer.finish();
        if let Some(declared) = declared.filter(|declared| *declared != size) {
            return Err(BodyError::wrong_size(declared, size).into());
        }
        let head = frame::encode_head(Kind::Object, copy.blob, size, header)?;
        let unclaimed = match upload {
            None => {
                last[..head.len()].copy_from_slice(&head);
                write_whole(shard.bucket.clone(), copy.name(), last.freeze()).await?
            }
            Some(mut upload) => {
                if let Some(mut first) = first {
                    first[..head.len()].copy_from_slice(&head);
                    upload.part(1, first.freeze()).await?;
                }
                if !last.is_empty() {
                    upload.part(number, last.freeze()).await?;
                }
                upload.finish().await?
            }
        };
        unclaimed.claim();
        Ok(Stored { locator: Place { copy, size }.locator(), size })
    }
}

/// Writes an object in one request, which goes on to its end even if nobody waits: only then can it be deleted.
async fn write_whole(bucket: Bucket, name: String, bytes: Bytes) -> Result<Unclaimed, BackendError> {
    let written = uncancelled(async move {
        let unclaimed = Unclaimed::new(bucket.clone(), name.clone());
        bucket.put(&name, bytes).await.map(|()| unclaimed)
    });
    written.await.map_err(crate::failure::Failure::unreachable)
}
