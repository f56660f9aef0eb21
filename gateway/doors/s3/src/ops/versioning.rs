//! Whether a bucket keeps old versions.

use super::Operations;
use super::asked::{answer, take};
use crate::errors;
use crate::translate::names;
use cofre_objects::Versioning;
use s3s::dto::{
    BucketVersioningStatus, GetBucketVersioningInput, GetBucketVersioningOutput, MFADelete, PutBucketVersioningInput,
    PutBucketVersioningOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

/// Answers GetBucketVersioning.
pub(super) async fn get(
    ops: &Operations,
    request: S3Request<GetBucketVersioningInput>,
) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    let (input, asked) = take("GetBucketVersioning", request)?;
    let found = ops.objects.bucket_versioning(&asked.caller, &names::bucket(&input.bucket)?).await;
    let status = match found.map_err(|error| asked.refuse(&input.bucket, error))? {
        Versioning::Unversioned => None,
        Versioning::Enabled => Some(BucketVersioningStatus::ENABLED),
        Versioning::Suspended => Some(BucketVersioningStatus::SUSPENDED),
    };
    let status = status.map(BucketVersioningStatus::from_static);
    answer(GetBucketVersioningOutput { status, ..GetBucketVersioningOutput::default() })
}

/// Answers PutBucketVersioning.
pub(super) async fn put(
    ops: &Operations,
    request: S3Request<PutBucketVersioningInput>,
) -> S3Result<S3Response<PutBucketVersioningOutput>> {
    let (input, asked) = take("PutBucketVersioning", request)?;
    let asked_for = &input.versioning_configuration;
    if asked_for.mfa_delete.as_ref().is_some_and(|mfa| mfa.as_str() == MFADelete::ENABLED) {
        return Err(errors::not_implemented("MFA delete"));
    }
    let versioning = match asked_for.status.as_ref().map(BucketVersioningStatus::as_str) {
        Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
        Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
        _ => return Err(S3Error::new(S3ErrorCode::MalformedXML)),
    };
    let put = ops.objects.put_bucket_versioning(&asked.caller, &names::bucket(&input.bucket)?, versioning).await;
    put.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(PutBucketVersioningOutput::default())
}
