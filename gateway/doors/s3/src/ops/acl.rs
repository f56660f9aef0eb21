//! Access control lists of buckets and objects.

use super::asked::{Asked, answer, take};
use super::{Operations, owners};
use crate::translate::acl::{self, ListOf, Named, Written};
use crate::translate::names;
use cofre_iam::{Action, IamError};
use cofre_objects::{Acl, AclGrant, AclGrantee, GivenAcl};
use cofre_types::AccountId;
use s3s::dto::{
    AccessControlPolicy, GetBucketAclInput, GetBucketAclOutput, GetObjectAclInput, GetObjectAclOutput, Grant, Grantee,
    Owner, PutBucketAclInput, PutBucketAclOutput, PutObjectAclInput, PutObjectAclOutput, Type,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

/// Answers GetBucketAcl.
pub(super) async fn get_bucket(
    ops: &Operations,
    request: S3Request<GetBucketAclInput>,
) -> S3Result<S3Response<GetBucketAclOutput>> {
    let (input, asked) = take("GetBucketAcl", request)?;
    let found = ops.objects.bucket_acl(&asked.caller, &names::bucket(&input.bucket)?).await;
    let (owner, grants) = show(ops, &asked, found.map_err(|error| asked.refuse(&input.bucket, error))?).await?;
    answer(GetBucketAclOutput { grants: Some(grants), owner: Some(owner) })
}

/// Answers PutBucketAcl.
pub(super) async fn put_bucket(
    ops: &Operations,
    request: S3Request<PutBucketAclInput>,
) -> S3Result<S3Response<PutBucketAclOutput>> {
    let (input, asked) = take("PutBucketAcl", request)?;
    let bucket = names::bucket(&input.bucket)?;
    let written = replacement(&asked, input.access_control_policy, ListOf::Bucket)?;
    let allowed = ops.objects.bucket_allowing(&asked.caller, Action::PutBucketAcl, &bucket).await;
    allowed.map_err(|error| asked.refuse(&input.bucket, error))?;
    let given = resolve(ops, written).await?;
    let put = ops.objects.put_bucket_acl(&asked.caller, &bucket, given).await;
    put.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(PutBucketAclOutput::default())
}

/// Answers GetObjectAcl.
pub(super) async fn get_object(
    ops: &Operations,
    request: S3Request<GetObjectAclInput>,
) -> S3Result<S3Response<GetObjectAclOutput>> {
    let (input, asked) = take("GetObjectAcl", request)?;
    let (bucket, key) = (names::bucket(&input.bucket)?, names::key(input.key)?);
    let version = names::version(input.version_id.as_deref())?;
    let found = ops.objects.object_acl(&asked.caller, &bucket, &key, version).await;
    let found = found.map_err(|error| asked.refuse_object(&input.bucket, key.as_str(), error))?;
    let (owner, grants) = show(ops, &asked, found).await?;
    answer(GetObjectAclOutput { grants: Some(grants), owner: Some(owner), ..GetObjectAclOutput::default() })
}

/// Answers PutObjectAcl.
pub(super) async fn put_object(
    ops: &Operations,
    request: S3Request<PutObjectAclInput>,
) -> S3Result<S3Response<PutObjectAclOutput>> {
    let (input, asked) = take("PutObjectAcl", request)?;
    let at = names::object(&input.bucket, input.key, input.version_id.as_deref())?;
    let key = at.key.clone();
    let refuse = |error| asked.refuse_object(&input.bucket, key.as_str(), error);
    let written = replacement(&asked, input.access_control_policy, ListOf::Object)?;
    let ticket = ops.objects.begin_acl(&asked.caller, at).await.map_err(refuse)?;
    let given = resolve(ops, written).await?;
    ticket.store(given).await.map_err(refuse)?;
    answer(PutObjectAclOutput::default())
}

/// What stands for a list while the accounts that it names are not known: one that grants something, whatever it grants.
pub(super) fn unresolved(list: Option<&Written>) -> Option<GivenAcl> {
    list.map(|list| match list {
        Written::Canned(canned) => GivenAcl::Canned(*canned),
        Written::Grants(_) => GivenAcl::Grants(Vec::new()),
    })
}

/// The list in whose place [`unresolved`] stood; none if that was the list itself.
pub(super) async fn resolved(ops: &Operations, list: Option<Written>) -> S3Result<Option<GivenAcl>> {
    match list {
        Some(list @ Written::Grants(_)) => resolve(ops, list).await.map(Some),
        Some(Written::Canned(_)) | None => Ok(None),
    }
}

/// The list that replaces another: from the headers or from the body.
fn replacement(asked: &Asked, body: Option<AccessControlPolicy>, of: ListOf) -> S3Result<Written> {
    let written = match (acl::from_headers(asked.headers(), of)?, body) {
        (Some(written), None) => written,
        (None, Some(list)) if list.owner.is_some() => acl::from_dto(list)?,
        (None, Some(_)) => return Err(S3Error::new(S3ErrorCode::MalformedACLError)),
        (Some(_), Some(_)) => return Err(S3Error::new(S3ErrorCode::UnexpectedContent)),
        (None, None) => {
            return Err(s3_error!(MissingSecurityHeader, "Your request was missing a required header: x-amz-acl"));
        }
    };
    Ok(written)
}

/// Finds the accounts that a list names. For who may give one: else anyone could find out which accounts there are.
pub(super) async fn resolve(ops: &Operations, written: Written) -> S3Result<GivenAcl> {
    let named = match written {
        Written::Canned(canned) => return Ok(GivenAcl::Canned(canned)),
        Written::Grants(grants) => grants,
    };
    let mut grants = Vec::with_capacity(named.len());
    for (grantee, permission) in named {
        let grantee = match grantee {
            Named::Group(group) => group,
            Named::Id(id) => AclGrantee::Account(account(ops.iam.account(id).await, acl::invalid_id)?),
            Named::Email(email) => {
                let unknown = || S3Error::new(S3ErrorCode::UnresolvableGrantByEmailAddress);
                AclGrantee::Account(account(ops.iam.account_by_email(&email).await, unknown)?)
            }
        };
        grants.push(AclGrant { grantee, permission });
    }
    Ok(GivenAcl::Grants(grants))
}

fn account(found: Result<cofre_iam::Account, IamError>, unknown: impl Fn() -> S3Error) -> S3Result<AccountId> {
    match found {
        Ok(account) => Ok(account.id),
        Err(IamError::NotFound { .. }) => Err(unknown()),
        Err(error) => Err(owners::failed(&error)),
    }
}

async fn show(ops: &Operations, asked: &Asked, list: Acl) -> S3Result<(Owner, Vec<Grant>)> {
    let accounts = list.grants.iter().filter_map(|grant| match grant.grantee {
        AclGrantee::Account(account) => Some(account),
        AclGrantee::AllUsers | AclGrantee::AuthenticatedUsers | AclGrantee::LogDelivery => None,
    });
    let names = owners::Names::of(ops, asked, accounts.chain([list.owner])).await?;
    let grants = list.grants.iter().map(|grant| Grant {
        grantee: Some(grantee(&names, grant.grantee)),
        permission: Some(acl::permission_to_dto(grant.permission)),
    });
    Ok((names.owner(list.owner), grants.collect()))
}

pub(super) fn grantee(names: &owners::Names, grantee: AclGrantee) -> Grantee {
    let account = match grantee {
        AclGrantee::Account(account) => account,
        group => {
            return Grantee {
                display_name: None,
                email_address: None,
                id: None,
                type_: Type::from_static(Type::GROUP),
                uri: acl::group_uri(group).map(str::to_owned),
            };
        }
    };
    let Owner { display_name, id } = names.owner(account);
    Grantee { display_name, email_address: None, id, type_: Type::from_static(Type::CANONICAL_USER), uri: None }
}
