use crate::calls::{ANSWER_MAX, Bucket, bounded};
use crate::error::S3Error;
use crate::failure::Failure;
use crate::identity;
use crate::names::BLOBS;
use cofre_runtime::Clock;
use cofre_shards::{BackendError, ShardIdentity};
use parking_lot::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How long it counts that the identity was seen.
const IDENTITY_TTL: Duration = Duration::from_secs(30);
/// Between two looks for uploads that a crash left.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// Age of an upload that is aborted: above that of any put.
const STALE_UPLOAD_AGE: Duration = Duration::from_secs(24 * 3600);
/// Uploads that one look aborts.
const SWEEP_UPLOADS_MAX: i32 = 1000;
/// What all parts of a shard share.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) bucket: Bucket,
    pub(crate) identity: ShardIdentity,
    pub(crate) clock: Clock,
    pub(crate) capacity_bytes: u64,
    /// When the identity was last seen.
    pub(crate) seen_at: Mutex<Option<Duration>>,
    /// Whether the endpoint deletes one by one.
    pub(crate) one_by_one: AtomicBool,
    /// When uploads were last looked for.
    pub(crate) swept_at: Mutex<Option<Duration>>,
}

impl Shard {
    /// Fails unless the identity was seen lately, or is seen now.
    pub(crate) async fn ensure_identity(&self) -> Result<(), BackendError> {
        if self.seen_within(IDENTITY_TTL) { Ok(()) } else { self.verify_identity().await }
    }

    pub(crate) fn seen_within(&self, ttl: Duration) -> bool {
        let seen_at = *self.seen_at.lock();
        seen_at.is_some_and(|at| self.clock.elapsed().saturating_sub(at) < ttl)
    }

    pub(crate) async fn verify_identity(&self) -> Result<(), BackendError> {
        let verified = identity::verify(&self.bucket, &self.identity).await;
        *self.seen_at.lock() = verified.is_ok().then(|| self.clock.elapsed());
        verified.map_err(S3Error::unreachable)
    }

    /// What it means that the endpoint knows no such object: missing only if it is the shard that answers.
    pub(crate) async fn missing(&self) -> BackendError {
        match self.verify_identity().await {
            Ok(()) => BackendError::Missing,
            Err(error) => error,
        }
    }

    /// Aborts uploads that a crash left, now and then. An endpoint that lists none has to forget them by itself.
    pub(crate) async fn sweep_uploads(&self) -> Result<(), Failure> {
        let now = self.clock.elapsed();
        {
            let mut swept_at = self.swept_at.lock();
            if swept_at.is_some_and(|at| now.saturating_sub(at) < SWEEP_EVERY) {
                return Ok(());
            }
            *swept_at = Some(now);
        }
        let bucket = &self.bucket;
        let list = bucket.client.list_multipart_uploads().bucket(&bucket.name).prefix(bucket.key(BLOBS));
        let list = list.max_uploads(SWEEP_UPLOADS_MAX);
        let found = bounded("listing uploads", ANSWER_MAX, list.send()).await?;
        let stale_before = i128::from(self.clock.now_nanos()) - STALE_UPLOAD_AGE.as_nanos() as i128;
        for upload in found.uploads() {
            let name = upload.key().and_then(|key| key.strip_prefix(&*bucket.prefix));
            let stale = upload.initiated().is_some_and(|at| at.as_nanos() < stale_before);
            if let (Some(name), Some(id), true) = (name, upload.upload_id(), stale) {
                bucket.abort_upload(name, id).await?;
            }
        }
        Ok(())
    }
}
