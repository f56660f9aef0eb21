//! Whether a bucket's tags count in conditions of policies.

use super::Operations;
use super::asked::{answer, document, take};
use crate::errors;
use crate::translate::lock::malformed;
use crate::translate::names;
use cofre_objects::{BucketConfig, ConfigKind, Error};
use s3s::dto::{
    AbacStatus, BucketAbacStatus, GetBucketAbacInput, GetBucketAbacOutput, PutBucketAbacInput, PutBucketAbacOutput,
};
use s3s::xml::SerializeContent;
use s3s::{S3Request, S3Response, S3Result};

/// Answers GetBucketAbac. Tags do not count unless that is set.
pub(super) async fn get(
    ops: &Operations,
    request: S3Request<GetBucketAbacInput>,
) -> S3Result<S3Response<GetBucketAbacOutput>> {
    let (input, asked) = take("GetBucketAbac", request)?;
    let bucket = names::bucket(&input.bucket)?;
    let enabled = match ops.objects.bucket_config(&asked.caller, &bucket, ConfigKind::Abac).await {
        Ok(BucketConfig::Abac(enabled)) => enabled,
        Ok(_) => return Err(errors::internal()),
        Err(Error::NoSuchConfiguration(_)) => false,
        Err(error) => return Err(asked.refuse(&input.bucket, error)),
    };
    let name = if enabled { BucketAbacStatus::ENABLED } else { BucketAbacStatus::DISABLED };
    let status = AbacStatus { status: Some(BucketAbacStatus::from_static(name)) };
    // s3s writes it without its namespace.
    document(&asked, "AbacStatus", |xml| status.serialize_content(xml))
}

/// Answers PutBucketAbac.
pub(super) async fn put(
    ops: &Operations,
    request: S3Request<PutBucketAbacInput>,
) -> S3Result<S3Response<PutBucketAbacOutput>> {
    let (input, asked) = take("PutBucketAbac", request)?;
    let enabled = match input.abac_status.status.as_ref().map(BucketAbacStatus::as_str) {
        Some(BucketAbacStatus::ENABLED) => true,
        Some(BucketAbacStatus::DISABLED) => false,
        _ => return Err(malformed()),
    };
    let bucket = names::bucket(&input.bucket)?;
    let put = ops.objects.put_bucket_config(&asked.caller, &bucket, BucketConfig::Abac(enabled)).await;
    put.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(PutBucketAbacOutput::default())
}
