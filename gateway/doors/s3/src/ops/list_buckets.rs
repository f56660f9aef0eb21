//! ListBuckets.

use super::asked::{answer, take};
use super::{Operations, owners};
use crate::translate::{times, token};
use cofre_objects::{BucketInfo, ListBuckets};
use s3s::dto::{Bucket, ListBucketsInput, ListBucketsOutput};
use s3s::{S3Request, S3Response, S3Result, s3_error};

/// Most buckets of a page (AWS, "ListBuckets").
const PAGE_BUCKETS_MAX: usize = 10_000;

/// Answers ListBuckets.
pub(super) async fn list(
    ops: &Operations,
    request: S3Request<ListBucketsInput>,
) -> S3Result<S3Response<ListBucketsOutput>> {
    let (input, asked) = take("ListBuckets", request)?;
    let max = match input.max_buckets {
        None => PAGE_BUCKETS_MAX,
        Some(asked_for) => {
            usize::try_from(asked_for).ok().filter(|max| (1..=PAGE_BUCKETS_MAX).contains(max)).ok_or_else(|| {
                asked.exchange.argument("max-buckets", asked_for.to_string());
                s3_error!(InvalidArgument, "Argument max-buckets must be an integer between 1 and 10000.")
            })?
        }
    };
    let after = match input.continuation_token.as_deref() {
        None | Some("") => None,
        Some(given) => Some(token::decode(given).ok_or_else(token::refuse)?),
    };
    let request = ListBuckets { prefix: input.prefix.clone().unwrap_or_default(), after, max };
    let page = ops.objects.list_buckets(&asked.caller, request).await.map_err(|error| asked.refuse("", error))?;
    // The filter may leave a page short or empty; the token still leads on.
    let in_region = |bucket: &BucketInfo| input.bucket_region.as_ref().is_none_or(|region| *region == bucket.region);
    let buckets = page.buckets.into_iter().filter(in_region).map(show).collect();
    answer(ListBucketsOutput {
        buckets: Some(buckets),
        continuation_token: page.next.as_deref().map(token::encode),
        owner: asked.caller.principal.account_id().map(|account| owners::owner(&asked, account)),
        prefix: input.prefix.map(|prefix| asked.escape(prefix)),
    })
}

fn show(bucket: BucketInfo) -> Bucket {
    Bucket {
        bucket_region: Some(bucket.region),
        creation_date: Some(times::to_dto(bucket.created)),
        name: Some(bucket.name.to_string()),
        ..Bucket::default()
    }
}
