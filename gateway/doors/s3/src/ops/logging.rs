//! Where the access log of a bucket goes.

use super::asked::{Asked, answer, take};
use super::{Operations, acl, owners};
use crate::translate::{logging, names};
use cofre_iam::Action;
use cofre_objects::{AclGrant, AclGrantee, GivenAcl, Logging};
use s3s::dto::{
    BucketLogsPermission, GetBucketLoggingInput, GetBucketLoggingOutput, PutBucketLoggingInput, PutBucketLoggingOutput,
    TargetGrant,
};
use s3s::{S3Request, S3Response, S3Result};

/// Answers GetBucketLogging: nothing for a bucket that is not logged.
pub(super) async fn get(
    ops: &Operations,
    request: S3Request<GetBucketLoggingInput>,
) -> S3Result<S3Response<GetBucketLoggingOutput>> {
    let (input, asked) = take("GetBucketLogging", request)?;
    let found = ops.objects.bucket_logging(&asked.caller, &names::bucket(&input.bucket)?).await;
    let Some(found) = found.map_err(|error| asked.refuse(&input.bucket, error))? else {
        return answer(GetBucketLoggingOutput::default());
    };
    let grants = show_grants(ops, &asked, &found.grants).await?;
    answer(GetBucketLoggingOutput { logging_enabled: Some(logging::to_dto(found, grants)) })
}

/// Answers PutBucketLogging.
pub(super) async fn put(
    ops: &Operations,
    request: S3Request<PutBucketLoggingInput>,
) -> S3Result<S3Response<PutBucketLoggingOutput>> {
    let (input, asked) = take("PutBucketLogging", request)?;
    let bucket = names::bucket(&input.bucket)?;
    let wanted = match input.bucket_logging_status.logging_enabled {
        Some(mut enabled) => {
            let grants = match logging::grants(enabled.target_grants.take().unwrap_or_default())? {
                Some(written) => {
                    let allowed = ops.objects.bucket_allowing(&asked.caller, Action::PutBucketLogging, &bucket).await;
                    allowed.map_err(|error| asked.refuse(&input.bucket, error))?;
                    acl::resolve(ops, written).await?
                }
                None => GivenAcl::Grants(Vec::new()),
            };
            let GivenAcl::Grants(grants) = grants else { return Err(crate::errors::internal()) };
            Some(Logging { grants, ..logging::from_dto(enabled)? })
        }
        None => None,
    };
    let put = ops.objects.put_bucket_logging(&asked.caller, &bucket, wanted).await;
    put.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(PutBucketLoggingOutput::default())
}

async fn show_grants(ops: &Operations, asked: &Asked, grants: &[AclGrant]) -> S3Result<Vec<TargetGrant>> {
    let accounts = grants.iter().filter_map(|grant| match grant.grantee {
        AclGrantee::Account(account) => Some(account),
        AclGrantee::AllUsers | AclGrantee::AuthenticatedUsers | AclGrantee::LogDelivery => None,
    });
    let names = owners::Names::of(ops, asked, accounts).await?;
    let show = |grant: &AclGrant| TargetGrant {
        grantee: Some(acl::grantee(&names, grant.grantee)),
        permission: Some(BucketLogsPermission::from_static(logging::permission_name(grant.permission))),
    };
    Ok(grants.iter().map(show).collect())
}
