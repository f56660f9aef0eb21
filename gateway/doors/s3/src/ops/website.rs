//! The website configuration of a bucket. The website itself is served beside s3s (`crate::website`).

use super::Operations;
use super::asked::{answer, take};
use crate::translate::{names, website};
use cofre_objects::ConfigKind;
use s3s::dto::{
    DeleteBucketWebsiteInput, DeleteBucketWebsiteOutput, GetBucketWebsiteInput, GetBucketWebsiteOutput,
    PutBucketWebsiteInput, PutBucketWebsiteOutput,
};
use s3s::{S3Request, S3Response, S3Result};

/// Answers GetBucketWebsite.
pub(super) async fn get(
    ops: &Operations,
    request: S3Request<GetBucketWebsiteInput>,
) -> S3Result<S3Response<GetBucketWebsiteOutput>> {
    let (input, asked) = take("GetBucketWebsite", request)?;
    let found = ops.objects.website(&asked.caller, &names::bucket(&input.bucket)?).await;
    answer(website::to_dto(found.map_err(|error| asked.refuse(&input.bucket, error))?))
}

/// Answers PutBucketWebsite.
pub(super) async fn put(
    ops: &Operations,
    request: S3Request<PutBucketWebsiteInput>,
) -> S3Result<S3Response<PutBucketWebsiteOutput>> {
    let (input, asked) = take("PutBucketWebsite", request)?;
    let website = website::from_dto(input.website_configuration)?;
    let put = ops.objects.put_website(&asked.caller, &names::bucket(&input.bucket)?, &website).await;
    put.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(PutBucketWebsiteOutput::default())
}

/// Answers DeleteBucketWebsite. Deleting what is not set is fine.
pub(super) async fn delete(
    ops: &Operations,
    request: S3Request<DeleteBucketWebsiteInput>,
) -> S3Result<S3Response<DeleteBucketWebsiteOutput>> {
    let (input, asked) = take("DeleteBucketWebsite", request)?;
    let bucket = names::bucket(&input.bucket)?;
    let deleted = ops.objects.delete_bucket_config(&asked.caller, &bucket, ConfigKind::Website).await;
    deleted.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(DeleteBucketWebsiteOutput::default())
}
