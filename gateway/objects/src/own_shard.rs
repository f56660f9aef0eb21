//! Remote shards that are buckets of this Cofre itself.

use cofre_blobs::{ShardPlace, TopologyError};
use cofre_catalog::records::{BucketRecord, ClusterRecord, Record, VersionRecord};
use cofre_catalog::{Store, keys};
use cofre_shards::ShardIdentity;
use cofre_types::{BucketName, ETag, ObjectKey, Timestamp};
use md5_simd::Md5;

/// Name of the identity object, behind the prefix.
const IDENTITY: &str = "cofre-shard";

/// Whether a remote shard leads back here: the identity that was written there stands in this catalog too, as an object of
/// ours.
///
/// # Errors
/// [`TopologyError`] if the catalog cannot be read.
pub async fn leads_back(
    store: &dyn Store,
    place: &ShardPlace,
    shard: [u8; 16],
    began: Timestamp,
) -> Result<bool, TopologyError> {
    let ShardPlace::S3(place) = place else { return Ok(false) };
    let (Ok(bucket), Ok(key)) =
        (BucketName::parse(&place.bucket), ObjectKey::parse(&format!("{}{IDENTITY}", place.prefix)))
    else {
        return Ok(false);
    };
    let mut found = store.get_many(vec![keys::bucket(&bucket), keys::cluster()]).await?;
    let (Some(cluster), Some(bucket)) = (found.pop().flatten(), found.pop().flatten()) else { return Ok(false) };
    let bucket = BucketRecord::decode(&bucket.value)?;
    let Some(object) = store.get_many(vec![keys::current(bucket.id, &key)]).await?.pop().flatten() else {
        return Ok(false);
    };
    let object = VersionRecord::decode(&object.value)?;
    let cluster = ClusterRecord::decode(&cluster.value)?.id;
    let text = ShardIdentity { shard, cluster }.encode();
    let mut md5 = Md5::new();
    md5.update(text.as_bytes());
    // Of an encrypted object the tag may be another: what is as long and came just now is it as well.
    Ok(object.etag == ETag::of_md5(md5.finalize()) || (object.size == text.len() as u64 && object.modified >= began))
}
