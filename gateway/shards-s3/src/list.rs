use crate::calls::{ANSWER_MAX, Bucket, bounded};
use crate::failure::Failure;
use crate::names::{BLOBS, Copy, Place};
use crate::shard::Shard;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::Object;
use cofre_shards::{BackendError, Listed, frame};

/// Objects in one page: the most that S3 gives.
const PAGE_OBJECTS: i32 = 1000;

type Page = (Vec<Listed>, Option<Vec<u8>>);

impl Bucket {
    /// Names after another, in the order of their bytes.
    pub(crate) async fn page(
        &self,
        under: &str,
        after: Option<&str>,
        max: i32,
    ) -> Result<ListObjectsV2Output, Failure> {
        let list = self.client.list_objects_v2().bucket(&self.name).prefix(self.key(under)).max_keys(max);
        let list = list.set_start_after(after.map(|name| self.key(name)));
        bounded("listing objects", ANSWER_MAX, list.send()).await
    }
}

/// A page of blobs after a cursor, which is the name of the last object of the page before.
pub(crate) async fn page(shard: &Shard, after: Option<&[u8]>) -> Result<Page, BackendError> {
    let no_cursor = |_| BackendError::Unreachable("not a cursor of this backend".into());
    let after = after.map(std::str::from_utf8).transpose().map_err(no_cursor)?;
    let bucket = &shard.bucket;
    let page = bucket.again(|| bucket.page(BLOBS, after, PAGE_OBJECTS)).await.map_err(Failure::unreachable)?;
    let named: Vec<_> = page.contents().iter().filter_map(|object| Some((name(shard, object)?, object))).collect();
    // An endpoint that does not know where to go on would begin anew for ever.
    if named.iter().any(|(name, _)| after.is_some_and(|after| *name <= after)) {
        return Err(BackendError::Unreachable("the endpoint does not list after a name (start-after)".into()));
    }
    let last = named.iter().map(|(name, _)| *name).max();
    let next = match (page.is_truncated() == Some(true), last) {
        (false, _) => None,
        (true, Some(last)) => Some(last.as_bytes().to_vec()),
        (true, None) => {
            return Err(BackendError::Unreachable("the endpoint lists nothing and says that there is more".into()));
        }
    };
    let listed = named.into_iter().filter_map(|(name, object)| listed(Copy::of_name(name)?, object));
    Ok((listed.collect(), next))
}

fn name<'a>(shard: &Shard, object: &'a Object) -> Option<&'a str> {
    object.key()?.strip_prefix(&*shard.bucket.prefix)
}

fn listed(copy: Copy, object: &Object) -> Option<Listed> {
    let object_bytes = u64::try_from(object.size()?).ok()?;
    // A length that no blob has gives a size that no record has: reading the copy tells that it is damaged.
    let size = frame::content_size(object_bytes.saturating_sub(copy.head_bytes.into()));
    let place = Place { copy, size };
    Some(Listed { blob: copy.blob, locator: place.locator(), size, written_nanos: copy.written_nanos })
}
