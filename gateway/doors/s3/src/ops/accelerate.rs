//! Transfer acceleration of a bucket: the setting alone. There is no accelerate endpoint here, so the
//! state is kept and told, and makes nothing faster.

use super::Operations;
use super::asked::{answer, take};
use crate::errors;
use crate::translate::lock::malformed;
use crate::translate::names;
use cofre_objects::{BucketConfig, ConfigKind, Error};
use s3s::dto::{
    BucketAccelerateStatus, GetBucketAccelerateConfigurationInput, GetBucketAccelerateConfigurationOutput,
    PutBucketAccelerateConfigurationInput, PutBucketAccelerateConfigurationOutput,
};
use s3s::{S3Request, S3Response, S3Result};

/// Answers GetBucketAccelerateConfiguration: an empty document if it was never set.
pub(super) async fn get(
    ops: &Operations,
    request: S3Request<GetBucketAccelerateConfigurationInput>,
) -> S3Result<S3Response<GetBucketAccelerateConfigurationOutput>> {
    let (input, asked) = take("GetBucketAccelerateConfiguration", request)?;
    let bucket = names::bucket(&input.bucket)?;
    let status = match ops.objects.bucket_config(&asked.caller, &bucket, ConfigKind::Accelerate).await {
        Ok(BucketConfig::Accelerate(true)) => Some(BucketAccelerateStatus::ENABLED),
        Ok(BucketConfig::Accelerate(false)) => Some(BucketAccelerateStatus::SUSPENDED),
        Ok(_) => return Err(errors::internal()),
        Err(Error::NoSuchConfiguration(_)) => None,
        Err(error) => return Err(asked.refuse(&input.bucket, error)),
    };
    answer(GetBucketAccelerateConfigurationOutput {
        status: status.map(BucketAccelerateStatus::from_static),
        ..GetBucketAccelerateConfigurationOutput::default()
    })
}

/// Answers PutBucketAccelerateConfiguration.
pub(super) async fn put(
    ops: &Operations,
    request: S3Request<PutBucketAccelerateConfigurationInput>,
) -> S3Result<S3Response<PutBucketAccelerateConfigurationOutput>> {
    let (input, asked) = take("PutBucketAccelerateConfiguration", request)?;
    let config = match input.accelerate_configuration.status.as_ref().map(BucketAccelerateStatus::as_str) {
        Some(BucketAccelerateStatus::ENABLED) => BucketConfig::Accelerate(true),
        Some(BucketAccelerateStatus::SUSPENDED) => BucketConfig::Accelerate(false),
        Some(_) | None => return Err(malformed()),
    };
    let put = ops.objects.put_bucket_config(&asked.caller, &names::bucket(&input.bucket)?, config).await;
    put.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(PutBucketAccelerateConfigurationOutput::default())
}
