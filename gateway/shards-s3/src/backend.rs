use crate::error::S3Error;
use crate::failure::Failure;
use crate::names::Place;
use crate::options::S3Options;
use crate::shard::Shard;
use crate::{delete, get, identity, list, put};
use async_trait::async_trait;
use cofre_runtime::{Clock, Random};
use cofre_shards::{
    Backend, BackendError, BlobHeader, Body, ByteStream, Capacity, Compacted, Listed, Locator, NotDeleted, Probe,
    Relocate, ShardIdentity, Stored,
};
use cofre_types::{BlobId, ResolvedRange};
use futures_util::StreamExt;
use parking_lot::Mutex;
use std::time::Duration;
use tokio::time::timeout;

/// How long what was seen of the endpoint counts when the room is asked for.
const LOOK_TTL: Duration = Duration::from_secs(10);
/// How long such a look may take: a write may wait for it.
const LOOK_MAX: Duration = Duration::from_secs(2);
/// Content of a probe, in bytes.
const PROBE_BYTES: usize = 16;

/// A shard on a remote S3 endpoint.
#[derive(Debug)]
pub struct S3Backend(Shard);

impl S3Backend {
    /// Makes a shard of a prefix under which there is nothing, and answers with the identity that stands there: a
    /// shard of the same Cofre that was made before keeps its own.
    ///
    /// # Errors
    /// [`S3Error`]; but for an endpoint that ignores `If-None-Match`, nothing that was there is written over.
    pub async fn create(options: &S3Options, identity: ShardIdentity, random: Random) -> Result<[u8; 16], S3Error> {
        identity::create(options, identity, random).await
    }

    /// Opens a shard, if it is the one that it should be.
    ///
    /// # Errors
    /// [`S3Error`].
    pub async fn open(
        options: &S3Options,
        identity: ShardIdentity,
        clock: Clock,
        random: Random,
    ) -> Result<Self, S3Error> {
        let bucket = identity::open_bucket(options, random)?;
        identity::verify(&bucket, &identity).await?;
        let seen_at = Mutex::new(Some(clock.elapsed()));
        let (one_by_one, swept_at) = Default::default();
        let capacity_bytes = options.capacity_bytes;
        Ok(Self(Shard { bucket, identity, clock, capacity_bytes, seen_at, one_by_one, swept_at }))
    }
}

impl S3Backend {
    /// Puts, reads and deletes a small blob, while the identity is looked at.
    async fn prove(&self) -> Result<Probe, BackendError> {
        let began = self.0.clock.elapsed();
        let blob = BlobId::from_bytes(self.0.bucket.random.bytes());
        let content: [u8; PROBE_BYTES] = self.0.bucket.random.bytes();
        let header = BlobHeader {
            bucket: String::new(),
            key: "probe".into(),
            version: String::new(),
            part: None,
            written_nanos: self.0.clock.now_nanos(),
            scheme: None,
            piece: 0,
        };
        self.0.verify_identity().await?;
        let stored = put::put(&self.0, blob, &header, Body::Whole(content.to_vec().into())).await?;
        let read = self.read_back(blob, &stored).await;
        let failed = delete::delete(&self.0, vec![(blob, stored.locator)]).await?;
        if read? != content {
            return Err(BackendError::Corrupt("a blob did not come back as it was written".into()));
        }
        if let Some(failed) = failed.into_iter().next() {
            return Err(BackendError::Unreachable(failed.why));
        }
        Ok(Probe { round_trip: self.0.clock.elapsed().saturating_sub(began) })
    }

    async fn read_back(&self, blob: BlobId, stored: &Stored) -> Result<Vec<u8>, BackendError> {
        let place = Place::parse(blob, &stored.locator)?;
        let mut stream = get::read(&self.0, blob, place, ResolvedRange { start: 0, end: stored.size }).await?;
        let mut all = Vec::new();
        while let Some(piece) = stream.next().await {
            all.extend_from_slice(&piece.map_err(BackendError::of_stream)?);
        }
        Ok(all)
    }
}

#[async_trait]
impl Backend for S3Backend {
    /// The blob is as durable as the endpoint makes what it acknowledges.
    async fn put(&self, blob: BlobId, header: &BlobHeader, body: Body) -> Result<Stored, BackendError> {
        put::put(&self.0, blob, header, body).await
    }

    async fn get(&self, blob: BlobId, locator: &Locator, range: ResolvedRange) -> Result<ByteStream, BackendError> {
        get::read(&self.0, blob, Place::parse(blob, locator)?, range).await
    }

    async fn header(&self, blob: BlobId, locator: &Locator) -> Result<BlobHeader, BackendError> {
        get::header(&self.0, blob, Place::parse(blob, locator)?).await
    }

    async fn delete(&self, blobs: Vec<(BlobId, Locator)>) -> Result<Vec<NotDeleted>, BackendError> {
        delete::delete(&self.0, blobs).await
    }

    async fn list(&self, after: Option<Vec<u8>>) -> Result<(Vec<Listed>, Option<Vec<u8>>), BackendError> {
        list::page(&self.0, after.as_deref()).await
    }

    /// Nothing is to be moved: a blob is an object, and deleting it gives its room back. Uploads that a crash left
    /// are aborted instead.
    async fn compact(&self, _relocate: &dyn Relocate) -> Result<Option<Compacted>, BackendError> {
        match self.0.sweep_uploads().await {
            Ok(()) | Err(Failure::NotKnown(_) | Failure::NoSuchKey) => Ok(None),
            Err(failure) => Err(failure.unreachable()),
        }
    }

    /// What was set, all of it free: who knows what stands on the shard takes that off. The endpoint is looked at every
    /// ten seconds, so that one which is away does not count as room.
    async fn capacity(&self) -> Result<Capacity, BackendError> {
        if !self.0.seen_within(LOOK_TTL) {
            let looked = timeout(LOOK_MAX, self.0.verify_identity()).await;
            looked.map_err(|_| BackendError::Unreachable("no answer within 2 seconds to a look".into()))??;
        }
        let bytes = self.0.capacity_bytes;
        Ok(Capacity { total_bytes: bytes, free_bytes: bytes })
    }

    async fn probe(&self) -> Result<Probe, BackendError> {
        self.prove().await
    }
}
