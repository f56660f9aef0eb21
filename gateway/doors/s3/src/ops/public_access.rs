//! What a bucket refuses to make public.

use super::Operations;
use super::asked::{answer, take};
use crate::errors;
use crate::translate::names;
use cofre_objects::{BucketConfig, ConfigKind, PublicAccessBlock};
use s3s::dto::{
    DeletePublicAccessBlockInput, DeletePublicAccessBlockOutput, GetPublicAccessBlockInput, GetPublicAccessBlockOutput,
    PublicAccessBlockConfiguration, PutPublicAccessBlockInput, PutPublicAccessBlockOutput,
};
use s3s::{S3Request, S3Response, S3Result};

/// Answers GetPublicAccessBlock.
pub(super) async fn get(
    ops: &Operations,
    request: S3Request<GetPublicAccessBlockInput>,
) -> S3Result<S3Response<GetPublicAccessBlockOutput>> {
    let (input, asked) = take("GetPublicAccessBlock", request)?;
    let bucket = names::bucket(&input.bucket)?;
    let found = ops.objects.bucket_config(&asked.caller, &bucket, ConfigKind::PublicAccess).await;
    let block = match found.map_err(|error| asked.refuse(&input.bucket, error))? {
        BucketConfig::PublicAccess(block) => block,
        _ => return Err(errors::internal()),
    };
    answer(GetPublicAccessBlockOutput {
        public_access_block_configuration: Some(PublicAccessBlockConfiguration {
            block_public_acls: Some(block.block_acls),
            block_public_policy: Some(block.block_policy),
            ignore_public_acls: Some(block.ignore_acls),
            restrict_public_buckets: Some(block.restrict_buckets),
        }),
    })
}

/// Answers PutPublicAccessBlock. What is left out is off.
pub(super) async fn put(
    ops: &Operations,
    request: S3Request<PutPublicAccessBlockInput>,
) -> S3Result<S3Response<PutPublicAccessBlockOutput>> {
    let (input, asked) = take("PutPublicAccessBlock", request)?;
    let given = input.public_access_block_configuration;
    let block = BucketConfig::PublicAccess(PublicAccessBlock {
        block_acls: given.block_public_acls.unwrap_or(false),
        ignore_acls: given.ignore_public_acls.unwrap_or(false),
        block_policy: given.block_public_policy.unwrap_or(false),
        restrict_buckets: given.restrict_public_buckets.unwrap_or(false),
    });
    let put = ops.objects.put_bucket_config(&asked.caller, &names::bucket(&input.bucket)?, block).await;
    put.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(PutPublicAccessBlockOutput::default())
}

/// Answers DeletePublicAccessBlock.
pub(super) async fn delete(
    ops: &Operations,
    request: S3Request<DeletePublicAccessBlockInput>,
) -> S3Result<S3Response<DeletePublicAccessBlockOutput>> {
    let (input, asked) = take("DeletePublicAccessBlock", request)?;
    let bucket = names::bucket(&input.bucket)?;
    let deleted = ops.objects.delete_bucket_config(&asked.caller, &bucket, ConfigKind::PublicAccess).await;
    deleted.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(DeletePublicAccessBlockOutput::default())
}
