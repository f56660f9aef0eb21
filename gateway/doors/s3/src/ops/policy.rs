//! Bucket policies.

use super::Operations;
use super::asked::{answer, take};
use crate::errors;
use crate::translate::names;
use cofre_objects::{BucketConfig, ConfigKind};
use s3s::dto::{
    DeleteBucketPolicyInput, DeleteBucketPolicyOutput, GetBucketPolicyInput, GetBucketPolicyOutput,
    GetBucketPolicyStatusInput, GetBucketPolicyStatusOutput, PolicyStatus, PutBucketPolicyInput, PutBucketPolicyOutput,
};
use s3s::{S3Request, S3Response, S3Result};

/// Answers GetBucketPolicy, with the document as it was put.
pub(super) async fn get(
    ops: &Operations,
    request: S3Request<GetBucketPolicyInput>,
) -> S3Result<S3Response<GetBucketPolicyOutput>> {
    let (input, asked) = take("GetBucketPolicy", request)?;
    let found = ops.objects.bucket_config(&asked.caller, &names::bucket(&input.bucket)?, ConfigKind::Policy).await;
    match found.map_err(|error| asked.refuse(&input.bucket, error))? {
        BucketConfig::Policy(policy) => answer(GetBucketPolicyOutput { policy: Some(policy) }),
        _ => Err(errors::internal()),
    }
}

/// Answers PutBucketPolicy.
pub(super) async fn put(
    ops: &Operations,
    request: S3Request<PutBucketPolicyInput>,
) -> S3Result<S3Response<PutBucketPolicyOutput>> {
    let (input, asked) = take("PutBucketPolicy", request)?;
    let policy = BucketConfig::Policy(input.policy);
    let put = ops.objects.put_bucket_config(&asked.caller, &names::bucket(&input.bucket)?, policy).await;
    put.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(PutBucketPolicyOutput::default())
}

/// Answers DeleteBucketPolicy.
pub(super) async fn delete(
    ops: &Operations,
    request: S3Request<DeleteBucketPolicyInput>,
) -> S3Result<S3Response<DeleteBucketPolicyOutput>> {
    let (input, asked) = take("DeleteBucketPolicy", request)?;
    let bucket = names::bucket(&input.bucket)?;
    let deleted = ops.objects.delete_bucket_config(&asked.caller, &bucket, ConfigKind::Policy).await;
    deleted.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(DeleteBucketPolicyOutput::default())
}

/// Answers GetBucketPolicyStatus: whether the bucket is public, by its policy or its list.
pub(super) async fn status(
    ops: &Operations,
    request: S3Request<GetBucketPolicyStatusInput>,
) -> S3Result<S3Response<GetBucketPolicyStatusOutput>> {
    let (input, asked) = take("GetBucketPolicyStatus", request)?;
    let public = ops.objects.bucket_is_public(&asked.caller, &names::bucket(&input.bucket)?).await;
    let is_public = Some(public.map_err(|error| asked.refuse(&input.bucket, error))?);
    answer(GetBucketPolicyStatusOutput { policy_status: Some(PolicyStatus { is_public }) })
}
