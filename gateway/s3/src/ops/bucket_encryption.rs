//! Default encryption of a bucket: for objects that ask for none.

use super::Operations;
use super::asked::{answer, take};
use crate::errors::not_implemented;
use crate::translate::names;
use cofre_objects::{BucketConfig, ConfigKind, DEFAULT_KEY, DefaultEncryption, EncryptionMethod};
use s3s::dto::{
    DeleteBucketEncryptionInput, DeleteBucketEncryptionOutput, GetBucketEncryptionInput, GetBucketEncryptionOutput,
    PutBucketEncryptionInput, PutBucketEncryptionOutput, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

/// Answers GetBucketEncryption. A bucket has none until it is set: Cofre encrypts nothing unasked.
pub(super) async fn get(
    ops: &Operations,
    request: S3Request<GetBucketEncryptionInput>,
) -> S3Result<S3Response<GetBucketEncryptionOutput>> {
    let (input, asked) = take("GetBucketEncryption", request)?;
    let bucket = names::bucket(&input.bucket)?;
    let found = ops.objects.bucket_config(&asked.caller, &bucket, ConfigKind::Encryption).await;
    let rules = match found.map_err(|error| asked.refuse(&input.bucket, error))? {
        BucketConfig::Encryption(default) => vec![show(default)],
        _ => Vec::new(),
    };
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
    let default = BucketConfig::Encryption(to_domain(input.server_side_encryption_configuration)?);
    let set = ops.objects.put_bucket_config(&asked.caller, &names::bucket(&input.bucket)?, default).await;
    set.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(PutBucketEncryptionOutput::default())
}

/// Answers DeleteBucketEncryption.
pub(super) async fn delete(
    ops: &Operations,
    request: S3Request<DeleteBucketEncryptionInput>,
) -> S3Result<S3Response<DeleteBucketEncryptionOutput>> {
    let (input, asked) = take("DeleteBucketEncryption", request)?;
    let bucket = names::bucket(&input.bucket)?;
    let deleted = ops.objects.delete_bucket_config(&asked.caller, &bucket, ConfigKind::Encryption).await;
    deleted.map_err(|error| asked.refuse(&input.bucket, error))?;
    answer(DeleteBucketEncryptionOutput::default())
}

fn to_domain(given: ServerSideEncryptionConfiguration) -> S3Result<DefaultEncryption> {
    let malformed = || S3Error::new(S3ErrorCode::MalformedXML);
    let [rule] = <[ServerSideEncryptionRule; 1]>::try_from(given.rules).map_err(|_| malformed())?;
    if rule.blocked_encryption_types.is_some() {
        return Err(not_implemented("Blocking of encryption types"));
    }
    let default = rule.apply_server_side_encryption_by_default.ok_or_else(malformed)?;
    let key = default.kms_master_key_id.filter(|key| !key.is_empty());
    let bucket_key = rule.bucket_key_enabled.unwrap_or(false);
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
    let key = key.unwrap_or_else(|| DEFAULT_KEY.to_owned());
    Ok(DefaultEncryption { method: EncryptionMethod::Kms { key, dual_layer }, bucket_key })
}

fn show(default: DefaultEncryption) -> ServerSideEncryptionRule {
    let (algorithm, key) = match default.method {
        EncryptionMethod::Kms { key, dual_layer: false } => ("aws:kms", Some(key)),
        EncryptionMethod::Kms { key, dual_layer: true } => ("aws:kms:dsse", Some(key)),
        EncryptionMethod::S3 | EncryptionMethod::Customer => ("AES256", None),
    };
    ServerSideEncryptionRule {
        apply_server_side_encryption_by_default: Some(ServerSideEncryptionByDefault {
            kms_master_key_id: key.filter(|key| key != DEFAULT_KEY),
            sse_algorithm: ServerSideEncryption::from(algorithm.to_owned()),
        }),
        blocked_encryption_types: None,
        bucket_key_enabled: Some(default.bucket_key),
    }
}
