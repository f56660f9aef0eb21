//! Encryption of a bucket: of objects that ask for none, and what is blocked.

use super::Operations;
use super::asked::{answer, take};
use crate::translate::names;
use cofre_objects::{BucketEncryption, DEFAULT_KEY, DefaultEncryption, EncryptionBlock, EncryptionMethod};
use s3s::dto::{
    BlockedEncryptionTypes, DeleteBucketEncryptionInput, DeleteBucketEncryptionOutput, EncryptionType,
    GetBucketEncryptionInput, GetBucketEncryptionOutput, PutBucketEncryptionInput, PutBucketEncryptionOutput,
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

/// Answers GetBucketEncryption. A bucket has none until it is set: Cofre encrypts nothing unasked.
pub(super) async fn get(
    ops: &Operations,
    request: S3Request<GetBucketEncryptionInput>,
) -> S3Result<S3Response<GetBucketEncryptionOutput>> {
    let (input, asked) = take("GetBucketEncryption", request)?;
    let found = ops.objects.bucket_encryption(&asked.caller, &names::bucket(&input.bucket)?).await;
    let rules = vec![show(found.map_err(|error| asked.refuse(&input.bucket, error))?)];
    answer(GetBucketEncryptionOutput {
        server_side_encryption_configuration: Some(ServerSideEncryptionConfiguration { rules }),
    })
}

/// Answers PutBucketEncryption.
pub(super) async fn put(
    ops: &Operations,
    request: S3Request<PutBucketEncryptionInput>,
) -> S3Result<S3Response<PutBucketEncryptionOutput>> {
    let (input, asked) = take("PutBucketEncryption", request)?;
    let wanted = to_domain(input.server_side_encryption_configuration)?;
    let set = ops.objects.put_bucket_encryption(&asked.caller, &names::bucket(&input.bucket)?, wanted).await;
    set.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(PutBucketEncryptionOutput::default())
}

/// Answers DeleteBucketEncryption.
pub(super) async fn delete(
    ops: &Operations,
    request: S3Request<DeleteBucketEncryptionInput>,
) -> S3Result<S3Response<DeleteBucketEncryptionOutput>> {
    let (input, asked) = take("DeleteBucketEncryption", request)?;
    let deleted = ops.objects.delete_bucket_encryption(&asked.caller, &names::bucket(&input.bucket)?).await;
    deleted.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(DeleteBucketEncryptionOutput::default())
}

fn malformed() -> S3Error {
    S3Error::new(S3ErrorCode::MalformedXML)
}

/// A rule says how objects are encrypted, what is blocked, or both.
fn to_domain(given: ServerSideEncryptionConfiguration) -> S3Result<BucketEncryption> {
    let [rule] = <[ServerSideEncryptionRule; 1]>::try_from(given.rules).map_err(|_| malformed())?;
    let block = rule.blocked_encryption_types.map(block).transpose()?.flatten();
    let bucket_key = rule.bucket_key_enabled.unwrap_or(false);
    let default =
        rule.apply_server_side_encryption_by_default.map(|default| method(default, bucket_key)).transpose()?;
    if default.is_none() && block.is_none() {
        return Err(malformed());
    }
    Ok(BucketEncryption { default, block })
}

/// What is blocked; none where a list names nothing.
fn block(given: BlockedEncryptionTypes) -> S3Result<Option<EncryptionBlock>> {
    let mut block = None;
    for given in given.encryption_type.unwrap_or_default() {
        let customer_keys = match given.as_str() {
            EncryptionType::SSE_C => true,
            EncryptionType::NONE => false,
            _ => return Err(malformed()),
        };
        if block.replace(EncryptionBlock { customer_keys }).is_some_and(|said| said.customer_keys != customer_keys) {
            return Err(s3_error!(InvalidArgument, "NONE does not go together with another blocked encryption type."));
        }
    }
    Ok(block)
}

fn method(default: ServerSideEncryptionByDefault, bucket_key: bool) -> S3Result<DefaultEncryption> {
    let key = default.kms_master_key_id.filter(|key| !key.is_empty());
    let dual_layer = match default.sse_algorithm.as_str() {
        "AES256" if key.is_some() => {
            return Err(s3_error!(
                InvalidArgument,
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
            ));
        }
        "AES256" => return Ok(DefaultEncryption { method: EncryptionMethod::S3, bucket_key }),
        "aws:kms" => false,
        "aws:kms:dsse" => true,
        _ => return Err(malformed()),
    };
    if dual_layer && bucket_key {
        return Err(s3_error!(InvalidArgument, "S3 Bucket Keys are not supported for DSSE-KMS."));
    }
    // An ARN is told as it was given: Terraform holds it against what it has.
    let key = key.unwrap_or_else(|| DEFAULT_KEY.to_owned());
    Ok(DefaultEncryption { method: EncryptionMethod::Kms { key, dual_layer }, bucket_key })
}

fn show(found: BucketEncryption) -> ServerSideEncryptionRule {
    let shown = |block: EncryptionBlock| {
        let name = if block.customer_keys { EncryptionType::SSE_C } else { EncryptionType::NONE };
        BlockedEncryptionTypes { encryption_type: Some(vec![EncryptionType::from_static(name)]) }
    };
    ServerSideEncryptionRule {
        bucket_key_enabled: found.default.as_ref().map(|default| default.bucket_key),
        apply_server_side_encryption_by_default: found.default.map(show_default),
        blocked_encryption_types: found.block.map(shown),
    }
}

fn show_default(default: DefaultEncryption) -> ServerSideEncryptionByDefault {
    let (algorithm, key) = match default.method {
        EncryptionMethod::Kms { key, dual_layer: false } => ("aws:kms", Some(key)),
        EncryptionMethod::Kms { key, dual_layer: true } => ("aws:kms:dsse", Some(key)),
        EncryptionMethod::S3 | EncryptionMethod::Customer => ("AES256", None),
    };
    ServerSideEncryptionByDefault {
        kms_master_key_id: key.filter(|key| key != DEFAULT_KEY),
        sse_algorithm: ServerSideEncryption::from(algorithm.to_owned()),
    }
}
