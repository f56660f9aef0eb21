//! Tags of objects and of buckets.

use super::Operations;
use super::asked::{answer, take};
use crate::translate::{names, tags};
use cofre_types::{Tags, TagsLimit};
use http::StatusCode;
use s3s::dto::{
    DeleteBucketTaggingInput, DeleteBucketTaggingOutput, DeleteObjectTaggingInput, DeleteObjectTaggingOutput,
    GetBucketTaggingInput, GetBucketTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutBucketTaggingInput, PutBucketTaggingOutput, PutObjectTaggingInput, PutObjectTaggingOutput,
};
use s3s::{S3Request, S3Response, S3Result};

/// Answers GetObjectTagging.
pub(super) async fn get_object(
    ops: &Operations,
    request: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let (input, asked) = take("GetObjectTagging", request)?;
    let (bucket, key) = (names::bucket(&input.bucket)?, names::key(input.key)?);
    let version = names::version(input.version_id.as_deref())?;
    let found = ops.objects.object_tags(&asked.caller, &bucket, &key, version).await;
    let (set, version) = found.map_err(|error| asked.refuse_object(&input.bucket, key.as_str(), error))?;
    answer(GetObjectTaggingOutput { tag_set: tags::to_dto(&set), version_id: version.map(|id| id.to_string()) })
}

/// Answers PutObjectTagging.
pub(super) async fn put_object(
    ops: &Operations,
    request: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let (input, asked) = take("PutObjectTagging", request)?;
    let (bucket, key) = (names::bucket(&input.bucket)?, names::key(input.key)?);
    let version = names::version(input.version_id.as_deref())?;
    let set = tags::from_dto(input.tagging.tag_set, TagsLimit::Object, &asked.exchange)?;
    let changed = ops.objects.put_object_tags(&asked.caller, &bucket, &key, version, set).await;
    let version = changed.map_err(|error| asked.refuse_object(&input.bucket, key.as_str(), error))?;
    answer(PutObjectTaggingOutput { version_id: version.map(|id| id.to_string()) })
}

/// Answers DeleteObjectTagging.
pub(super) async fn delete_object(
    ops: &Operations,
    request: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let (input, asked) = take("DeleteObjectTagging", request)?;
    let (bucket, key) = (names::bucket(&input.bucket)?, names::key(input.key)?);
    let version = names::version(input.version_id.as_deref())?;
    let changed = ops.objects.put_object_tags(&asked.caller, &bucket, &key, version, Tags::default()).await;
    let version = changed.map_err(|error| asked.refuse_object(&input.bucket, key.as_str(), error))?;
    answer(DeleteObjectTaggingOutput { version_id: version.map(|id| id.to_string()) })
}

/// Answers GetBucketTagging.
pub(super) async fn get_bucket(
    ops: &Operations,
    request: S3Request<GetBucketTaggingInput>,
) -> S3Result<S3Response<GetBucketTaggingOutput>> {
    let (input, asked) = take("GetBucketTagging", request)?;
    let found = ops.objects.bucket_tags(&asked.caller, &names::bucket(&input.bucket)?).await;
    let set = found.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(GetBucketTaggingOutput { tag_set: tags::to_dto(&set) })
}

/// Answers PutBucketTagging.
pub(super) async fn put_bucket(
    ops: &Operations,
    request: S3Request<PutBucketTaggingInput>,
) -> S3Result<S3Response<PutBucketTaggingOutput>> {
    let (input, asked) = take("PutBucketTagging", request)?;
    let set = tags::from_dto(input.tagging.tag_set, TagsLimit::Bucket, &asked.exchange)?;
    let put = ops.objects.put_bucket_tags(&asked.caller, &names::bucket(&input.bucket)?, set).await;
    put.map_err(|error| asked.refuse(&input.bucket, error))?;
    // AWS, "PutBucketTagging"; s3s has 200.
    asked.exchange.note(|noted| noted.status = Some(StatusCode::NO_CONTENT));
    answer(PutBucketTaggingOutput::default())
}

/// Answers DeleteBucketTagging.
pub(super) async fn delete_bucket(
    ops: &Operations,
    request: S3Request<DeleteBucketTaggingInput>,
) -> S3Result<S3Response<DeleteBucketTaggingOutput>> {
    let (input, asked) = take("DeleteBucketTagging", request)?;
    let bucket = names::bucket(&input.bucket)?;
    let deleted = ops.objects.put_bucket_tags(&asked.caller, &bucket, Tags::default()).await;
    deleted.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(DeleteBucketTaggingOutput::default())
}
