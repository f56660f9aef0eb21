//! Access control lists. Every bucket is its owner's alone: that is the list that is told, and the
//! only one that can be set. Others are refused as S3 refuses them on a bucket whose ownership
//! setting disables lists.

use super::asked::{Asked, answer, take};
use super::{Operations, owners};
use crate::translate::names;
use cofre_iam::Action;
use cofre_objects::{GetObject, ReadConditions};
use cofre_types::AccountId;
use s3s::dto::{
    AccessControlPolicy, GetBucketAclInput, GetBucketAclOutput, GetObjectAclInput, GetObjectAclOutput, Grant, Grantee,
    Permission, PutBucketAclInput, PutBucketAclOutput, PutObjectAclInput, PutObjectAclOutput, Type,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

/// Answers GetBucketAcl.
pub(super) async fn get_bucket(
    ops: &Operations,
    request: S3Request<GetBucketAclInput>,
) -> S3Result<S3Response<GetBucketAclOutput>> {
    let (input, asked) = take("GetBucketAcl", request)?;
    let found = ops.objects.bucket_allowing(&asked.caller, Action::GetBucketAcl, &names::bucket(&input.bucket)?).await;
    let account = found.map_err(|error| asked.refuse(&input.bucket, error))?.owner;
    answer(GetBucketAclOutput { grants: Some(grants(&asked, account)), owner: Some(owners::owner(&asked, account)) })
}

/// Answers PutBucketAcl. The gate has refused canned lists other than the private one.
pub(super) async fn put_bucket(
    ops: &Operations,
    request: S3Request<PutBucketAclInput>,
) -> S3Result<S3Response<PutBucketAclOutput>> {
    let (input, asked) = take("PutBucketAcl", request)?;
    let found = ops.objects.bucket_allowing(&asked.caller, Action::PutBucketAcl, &names::bucket(&input.bucket)?).await;
    let account = found.map_err(|error| asked.refuse(&input.bucket, error))?.owner;
    check_private(input.access_control_policy.as_ref(), account)?;
    answer(PutBucketAclOutput::default())
}

/// Answers GetObjectAcl.
pub(super) async fn get_object(
    ops: &Operations,
    request: S3Request<GetObjectAclInput>,
) -> S3Result<S3Response<GetObjectAclOutput>> {
    let (input, asked) = take("GetObjectAcl", request)?;
    let account = owner_of(ops, &asked, &input.bucket, input.key, input.version_id.as_deref()).await?;
    answer(GetObjectAclOutput {
        grants: Some(grants(&asked, account)),
        owner: Some(owners::owner(&asked, account)),
        ..GetObjectAclOutput::default()
    })
}

/// Answers PutObjectAcl.
pub(super) async fn put_object(
    ops: &Operations,
    request: S3Request<PutObjectAclInput>,
) -> S3Result<S3Response<PutObjectAclOutput>> {
    let (input, asked) = take("PutObjectAcl", request)?;
    let account = owner_of(ops, &asked, &input.bucket, input.key, input.version_id.as_deref()).await?;
    check_private(input.access_control_policy.as_ref(), account)?;
    answer(PutObjectAclOutput::default())
}

/// Who owns an object that the caller may read.
async fn owner_of(
    ops: &Operations,
    asked: &Asked,
    bucket: &str,
    key: String,
    version: Option<&str>,
) -> S3Result<AccountId> {
    let object = GetObject {
        bucket: names::bucket(bucket)?,
        key: names::key(key)?,
        version: names::version(version)?,
        range: None,
        part: None,
        conditions: ReadConditions::default(),
    };
    let key = object.key.clone();
    let found = ops.objects.head_object(&asked.caller, object).await;
    Ok(found.map_err(|error| asked.refuse_object(bucket, key.as_str(), error))?.info.owner)
}

fn grants(asked: &Asked, account: AccountId) -> Vec<Grant> {
    let owner = owners::owner(asked, account);
    let grantee = Grantee {
        display_name: owner.display_name,
        email_address: None,
        id: owner.id,
        type_: Type::from_static(Type::CANONICAL_USER),
        uri: None,
    };
    vec![Grant { grantee: Some(grantee), permission: Some(Permission::from_static(Permission::FULL_CONTROL)) }]
}

/// A list is accepted if it says what is true anyway: everything for the owner, nothing for others.
fn check_private(list: Option<&AccessControlPolicy>, account: AccountId) -> S3Result<()> {
    let Some(list) = list else { return Ok(()) };
    let account = account.to_string();
    let is_owner = |grant: &Grant| {
        let full = grant.permission.as_ref().is_some_and(|permission| permission.as_str() == Permission::FULL_CONTROL);
        full && grant.grantee.as_ref().is_some_and(|grantee| grantee.id.as_deref() == Some(account.as_str()))
    };
    let grants = list.grants.as_deref().unwrap_or_default();
    if !grants.is_empty() && grants.iter().all(is_owner) {
        return Ok(());
    }
    Err(S3Error::new(S3ErrorCode::AccessControlListNotSupported))
}
