//! Who owns what others put in a bucket.

use super::Operations;
use super::asked::{answer, take};
use crate::errors;
use crate::translate::names;
use cofre_objects::{BucketConfig, ConfigKind, Ownership};
use s3s::dto::{
    DeleteBucketOwnershipControlsInput, DeleteBucketOwnershipControlsOutput, GetBucketOwnershipControlsInput,
    GetBucketOwnershipControlsOutput, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
    PutBucketOwnershipControlsInput, PutBucketOwnershipControlsOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

/// Answers GetBucketOwnershipControls.
pub(super) async fn get(
    ops: &Operations,
    request: S3Request<GetBucketOwnershipControlsInput>,
) -> S3Result<S3Response<GetBucketOwnershipControlsOutput>> {
    let (input, asked) = take("GetBucketOwnershipControls", request)?;
    let found = ops.objects.bucket_config(&asked.caller, &names::bucket(&input.bucket)?, ConfigKind::Ownership).await;
    let ownership = match found.map_err(|error| asked.refuse(&input.bucket, error))? {
        BucketConfig::Ownership(ownership) => ownership,
        _ => return Err(errors::internal()),
    };
    let rule = OwnershipControlsRule { object_ownership: to_dto(ownership) };
    answer(GetBucketOwnershipControlsOutput { ownership_controls: Some(OwnershipControls { rules: vec![rule] }) })
}

/// Answers PutBucketOwnershipControls.
pub(super) async fn put(
    ops: &Operations,
    request: S3Request<PutBucketOwnershipControlsInput>,
) -> S3Result<S3Response<PutBucketOwnershipControlsOutput>> {
    let (input, asked) = take("PutBucketOwnershipControls", request)?;
    let [rule] = input.ownership_controls.rules.as_slice() else {
        return Err(S3Error::new(S3ErrorCode::MalformedXML));
    };
    let ownership = from_dto(&rule.object_ownership).ok_or_else(|| S3Error::new(S3ErrorCode::MalformedXML))?;
    let config = BucketConfig::Ownership(ownership);
    let put = ops.objects.put_bucket_config(&asked.caller, &names::bucket(&input.bucket)?, config).await;
    put.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(PutBucketOwnershipControlsOutput::default())
}

/// Answers DeleteBucketOwnershipControls.
pub(super) async fn delete(
    ops: &Operations,
    request: S3Request<DeleteBucketOwnershipControlsInput>,
) -> S3Result<S3Response<DeleteBucketOwnershipControlsOutput>> {
    let (input, asked) = take("DeleteBucketOwnershipControls", request)?;
    let bucket = names::bucket(&input.bucket)?;
    let deleted = ops.objects.delete_bucket_config(&asked.caller, &bucket, ConfigKind::Ownership).await;
    deleted.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(DeleteBucketOwnershipControlsOutput::default())
}

/// Reads an ownership by its name.
pub(super) fn from_dto(ownership: &ObjectOwnership) -> Option<Ownership> {
    match ownership.as_str() {
        ObjectOwnership::BUCKET_OWNER_ENFORCED => Some(Ownership::BucketOwnerEnforced),
        ObjectOwnership::BUCKET_OWNER_PREFERRED => Some(Ownership::BucketOwnerPreferred),
        ObjectOwnership::OBJECT_WRITER => Some(Ownership::ObjectWriter),
        _ => None,
    }
}

fn to_dto(ownership: Ownership) -> ObjectOwnership {
    ObjectOwnership::from_static(match ownership {
        ownership if ownership.disables_lists() => ObjectOwnership::BUCKET_OWNER_ENFORCED,
        Ownership::BucketOwnerPreferred => ObjectOwnership::BUCKET_OWNER_PREFERRED,
        _ => ObjectOwnership::OBJECT_WRITER,
    })
}
