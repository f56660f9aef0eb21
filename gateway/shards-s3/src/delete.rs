use crate::calls::{ANSWER_MAX, bounded};
use crate::failure::Failure;
use crate::names::Place;
use crate::shard::Shard;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use cofre_shards::{BackendError, Locator, NotDeleted};
use cofre_types::BlobId;
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;

/// Objects in one request: the most that S3 takes (DeleteObjects).
const BULK_OBJECTS: usize = 1000;
/// Single deletions at once, where the endpoint knows none in bulk.
const SINGLE_AT_ONCE: usize = 8;

/// Deletes copies.
pub(crate) async fn delete(shard: &Shard, blobs: Vec<(BlobId, Locator)>) -> Result<Vec<NotDeleted>, BackendError> {
    let mut failed = Vec::new();
    let mut doomed = Vec::with_capacity(blobs.len());
    for (blob, locator) in blobs {
        match Place::parse(blob, &locator) {
            Ok(place) => doomed.push((place.copy.name(), blob)),
            Err(error) => failed.push(NotDeleted { blob, why: error.to_string() }),
        }
    }
    for some in doomed.chunks(BULK_OBJECTS) {
        if !shard.one_by_one.load(Relaxed) {
            match bulk(shard, some).await {
                Ok(some) => {
                    failed.extend(some);
                    continue;
                }
                Err(Failure::NotKnown(why)) => {
                    tracing::info!(why, "the endpoint does not delete in bulk; from now on one by one");
                    shard.one_by_one.store(true, Relaxed);
                }
                Err(failure) => return Err(failure.unreachable()),
            }
        }
        let singles: Vec<_> = some.iter().map(|(name, _)| shard.bucket.delete(name)).collect();
        let singles = stream::iter(singles).buffer_unordered(SINGLE_AT_ONCE);
        singles.try_collect::<()>().await.map_err(Failure::unreachable)?;
    }
    Ok(failed)
}

async fn bulk(shard: &Shard, doomed: &[(String, BlobId)]) -> Result<Vec<NotDeleted>, Failure> {
    let bucket = &shard.bucket;
    let mut keys: HashMap<String, BlobId> = HashMap::with_capacity(doomed.len());
    let mut objects = Vec::with_capacity(doomed.len());
    for (name, blob) in doomed {
        let key = bucket.key(name);
        let object = ObjectIdentifier::builder().key(&key).build();
        objects.push(object.map_err(|error| Failure::Refused(error.to_string()))?);
        keys.insert(key, *blob);
    }
    let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build();
    let delete = delete.map_err(|error| Failure::Refused(error.to_string()))?;
    let answer = bucket.again(|| {
        let call = bucket.client.delete_objects().bucket(&bucket.name).delete(delete.clone());
        async { bounded("deleting objects", ANSWER_MAX, call.send()).await }
    });
    let answer = answer.await?;
    let errors = answer.errors().iter().filter(|error| error.code() != Some("NoSuchKey"));
    let failed = errors.filter_map(|error| {
        let blob = keys.get(error.key()?)?;
        let why = format!("{}: {}", error.code().unwrap_or("error"), error.message().unwrap_or("without a reason"));
        Some(NotDeleted { blob: *blob, why })
    });
    Ok(failed.collect())
}
