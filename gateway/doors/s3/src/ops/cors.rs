//! The CORS rules of a bucket. What browsers get by them is answered around s3s (`layers::cors`).

use super::Operations;
use super::asked::{answer, take};
use crate::translate::{cors, names};
use cofre_objects::ConfigKind;
use s3s::dto::{
    DeleteBucketCorsInput, DeleteBucketCorsOutput, GetBucketCorsInput, GetBucketCorsOutput, PutBucketCorsInput,
    PutBucketCorsOutput,
};
use s3s::{S3Request, S3Response, S3Result};

/// Answers GetBucketCors.
pub(super) async fn get(
    ops: &Operations,
    request: S3Request<GetBucketCorsInput>,
) -> S3Result<S3Response<GetBucketCorsOutput>> {
    let (input, asked) = take("GetBucketCors", request)?;
    let found = ops.objects.cors(&asked.caller, &names::bucket(&input.bucket)?).await;
    let rules = found.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(GetBucketCorsOutput { cors_rules: Some(cors::to_dto(rules)) })
}

/// Answers PutBucketCors.
pub(super) async fn put(
    ops: &Operations,
    request: S3Request<PutBucketCorsInput>,
) -> S3Result<S3Response<PutBucketCorsOutput>> {
    let (input, asked) = take("PutBucketCors", request)?;
    let rules = cors::from_dto(input.cors_configuration)?;
    let put = ops.objects.put_cors(&asked.caller, &names::bucket(&input.bucket)?, &rules).await;
    put.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(PutBucketCorsOutput::default())
}

/// Answers DeleteBucketCors. Deleting what is not set is fine.
pub(super) async fn delete(
    ops: &Operations,
    request: S3Request<DeleteBucketCorsInput>,
) -> S3Result<S3Response<DeleteBucketCorsOutput>> {
    let (input, asked) = take("DeleteBucketCors", request)?;
    let bucket = names::bucket(&input.bucket)?;
    let deleted = ops.objects.delete_bucket_config(&asked.caller, &bucket, ConfigKind::Cors).await;
    deleted.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(DeleteBucketCorsOutput::default())
}
