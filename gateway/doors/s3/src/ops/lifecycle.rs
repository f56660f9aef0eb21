//! The lifecycle rules of a bucket.

use super::Operations;
use super::asked::{answer, take};
use crate::translate::lock::malformed;
use crate::translate::{lifecycle, names};
use cofre_objects::ConfigKind;
use s3s::dto::{
    DeleteBucketLifecycleInput, DeleteBucketLifecycleOutput, GetBucketLifecycleConfigurationInput,
    GetBucketLifecycleConfigurationOutput, PutBucketLifecycleConfigurationInput, PutBucketLifecycleConfigurationOutput,
};
use s3s::{S3Request, S3Response, S3Result};

/// Answers GetBucketLifecycleConfiguration.
pub(super) async fn get(
    ops: &Operations,
    request: S3Request<GetBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<GetBucketLifecycleConfigurationOutput>> {
    let (input, asked) = take("GetBucketLifecycleConfiguration", request)?;
    let found = ops.objects.lifecycle(&asked.caller, &names::bucket(&input.bucket)?).await;
    let rules = found.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(GetBucketLifecycleConfigurationOutput {
        transition_default_minimum_object_size: Some(lifecycle::minimum(&rules)),
        rules: Some(rules.rules.into_iter().map(lifecycle::rule_to_dto).collect()),
    })
}

/// Answers PutBucketLifecycleConfiguration.
pub(super) async fn put(
    ops: &Operations,
    request: S3Request<PutBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<PutBucketLifecycleConfigurationOutput>> {
    let (input, asked) = take("PutBucketLifecycleConfiguration", request)?;
    let rules = lifecycle::from_dto(
        input.lifecycle_configuration.ok_or_else(malformed)?,
        input.transition_default_minimum_object_size,
    )?;
    let minimum = lifecycle::minimum(&rules);
    let put = ops.objects.put_lifecycle(&asked.caller, &names::bucket(&input.bucket)?, rules).await;
    put.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(PutBucketLifecycleConfigurationOutput { transition_default_minimum_object_size: Some(minimum) })
}

/// Answers DeleteBucketLifecycle. Deleting what is not set is fine.
pub(super) async fn delete(
    ops: &Operations,
    request: S3Request<DeleteBucketLifecycleInput>,
) -> S3Result<S3Response<DeleteBucketLifecycleOutput>> {
    let (input, asked) = take("DeleteBucketLifecycle", request)?;
    let bucket = names::bucket(&input.bucket)?;
    let deleted = ops.objects.delete_bucket_config(&asked.caller, &bucket, ConfigKind::Lifecycle).await;
    deleted.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(DeleteBucketLifecycleOutput::default())
}
