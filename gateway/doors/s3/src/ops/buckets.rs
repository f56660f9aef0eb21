//! Buckets: create, head, delete, location.

use super::asked::{Asked, answer, take};
use super::{Operations, acl, ownership};
use crate::translate::acl::{ListOf, from_headers};
use crate::translate::{names, tags};
use cofre_iam::Action;
use cofre_objects::{CreateBucket, Error};
use cofre_types::{BucketName, Tags, TagsLimit};
use s3s::dto::{
    BucketLocationConstraint, CreateBucketInput, CreateBucketOutput, DeleteBucketInput, DeleteBucketOutput,
    GetBucketLocationInput, GetBucketLocationOutput, HeadBucketInput, HeadBucketOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

/// The region whose location constraint is empty, for reasons of S3's history.
const FIRST_REGION: &str = "us-east-1";

/// What the first region of Europe is called too (AWS, "CreateBucketConfiguration").
const EUROPE: (&str, &str) = ("EU", "eu-west-1");

/// Answers CreateBucket. The region is one that requests can be signed for.
pub(super) async fn create(
    ops: &Operations,
    request: S3Request<CreateBucketInput>,
) -> S3Result<S3Response<CreateBucketOutput>> {
    let (input, asked) = take("CreateBucket", request)?;
    let name = names::bucket(&input.bucket)?;
    let unknown = || s3_error!(InvalidArgument, "Invalid x-amz-object-ownership header.");
    let ownership = input.object_ownership.as_ref();
    let ownership = ownership.map(|given| ownership::from_dto(given).ok_or_else(unknown)).transpose()?;
    let configuration = input.create_bucket_configuration.unwrap_or_default();
    let constraint = configuration.location_constraint.as_ref().map_or("", BucketLocationConstraint::as_str);
    let region = if constraint == EUROPE.0 { EUROPE.1 } else { constraint };
    if !region.is_empty() && !ops.regions.iter().any(|own| own == region) {
        asked.exchange.detail("LocationConstraint", constraint);
        return Err(s3_error!(
            InvalidLocationConstraint,
            "The specified location-constraint is not valid. This server is in {}.",
            ops.regions.join(", ")
        ));
    }
    let set = match configuration.tags {
        Some(set) => tags::from_dto(set, TagsLimit::Bucket, &asked.exchange)?,
        None => Tags::default(),
    };
    let object_lock = input.object_lock_enabled_for_bucket.unwrap_or(false);
    let list = from_headers(asked.headers(), ListOf::Bucket)?;
    let acl = acl::unresolved(list.as_ref());
    let request = CreateBucket { name: name.clone(), region: region.to_owned(), object_lock, acl, ownership };
    let ticket = ops.objects.begin_bucket(&asked.caller, request);
    let mut ticket = ticket.map_err(|error| asked.refuse(&input.bucket, error))?;
    if let Some(acl) = acl::resolved(ops, list).await? {
        ticket.give_acl(acl);
    }
    match ticket.create().await {
        Ok(_) => {}
        Err(Error::BucketAlreadyOwnedByYou) if is_old_style(ops, &asked, &name, region, object_lock).await => {}
        Err(error) => return Err(asked.refuse(&input.bucket, error)),
    }
    if !set.is_empty() {
        let tagged = ops.objects.put_bucket_tags(&asked.caller, &name, set).await;
        tagged.map_err(|error| asked.refuse(&input.bucket, error))?;
    }
    answer(CreateBucketOutput { location: Some(format!("/{name}")), ..CreateBucketOutput::default() })
}

/// Whether making the caller's own bucket again succeeds and changes nothing, as S3 keeps it in its
/// first region for clients of old (AWS, "CreateBucket", `BucketAlreadyOwnedByYou`). A lock that was asked
/// for and that the bucket has not would be pretended.
async fn is_old_style(ops: &Operations, asked: &Asked, name: &BucketName, region: &str, object_lock: bool) -> bool {
    let found = ops.objects.head_bucket(&asked.caller, name).await;
    (region.is_empty() || region == FIRST_REGION)
        && found.is_ok_and(|found| found.region == FIRST_REGION && found.object_lock >= object_lock)
}

/// Answers HeadBucket.
pub(super) async fn head(
    ops: &Operations,
    request: S3Request<HeadBucketInput>,
) -> S3Result<S3Response<HeadBucketOutput>> {
    let (input, asked) = take("HeadBucket", request)?;
    let found = ops.objects.head_bucket(&asked.caller, &names::bucket(&input.bucket)?).await;
    let found = found.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(HeadBucketOutput { bucket_region: Some(found.region), ..HeadBucketOutput::default() })
}

/// Answers DeleteBucket.
pub(super) async fn delete(
    ops: &Operations,
    request: S3Request<DeleteBucketInput>,
) -> S3Result<S3Response<DeleteBucketOutput>> {
    let (input, asked) = take("DeleteBucket", request)?;
    let deleted = ops.objects.delete_bucket(&asked.caller, &names::bucket(&input.bucket)?).await;
    deleted.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(DeleteBucketOutput::default())
}

/// Answers GetBucketLocation.
pub(super) async fn location(
    ops: &Operations,
    request: S3Request<GetBucketLocationInput>,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    let (input, asked) = take("GetBucketLocation", request)?;
    let name = names::bucket(&input.bucket)?;
    let found = ops.objects.bucket_allowing(&asked.caller, Action::GetBucketLocation, &name).await;
    let region = found.map_err(|error| asked.refuse(&input.bucket, error))?.region;
    let constraint = (region != FIRST_REGION).then(|| BucketLocationConstraint::from(region));
    answer(GetBucketLocationOutput { location_constraint: constraint })
}
