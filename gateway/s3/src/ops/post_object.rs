//! PostObject: a browser's form, whose policy and signature s3s has checked. The form's fields stand
//! for the headers of a PUT.
//!
//! # Limits
//! s3s does not hand on the form fields `acl` and `tagging`: whatever they say, the object is its
//! owner's alone and has no tags.

use super::asked::{answer_with, take};
use super::{Operations, put_object};
use crate::gate::refusals;
use crate::translate::checksums::Shown;
use crate::translate::encryption::{self, CustomerKeys};
use crate::translate::{names, times};
use http::{HeaderMap, HeaderName, HeaderValue};
use s3s::dto::{PostObjectInput, PostObjectOutput, PutObjectInput};
use s3s::stream::ByteStream;
use s3s::{S3Request, S3Response, S3Result, s3_error};

/// Answers PostObject. s3s turns the outcome into the status or redirect that the form asked for.
pub(super) async fn post(
    ops: &Operations,
    request: S3Request<PostObjectInput>,
) -> S3Result<S3Response<PostObjectOutput>> {
    let (input, mut asked) = take("PostObject", request)?;
    let mut fields = declared(&input)?;
    refusals::check(&fields)?;
    let safe = ops.allow_insecure_sse_c || asked.caller.origin.secure;
    asked.customer_keys = CustomerKeys::take(&mut fields, safe)?;
    asked.stand_in(fields);
    let length = input.body.as_ref().and_then(|body| body.remaining_length().exact());
    let input = PutObjectInput {
        body: input.body,
        bucket: input.bucket,
        cache_control: input.cache_control,
        content_disposition: input.content_disposition,
        content_encoding: input.content_encoding,
        content_language: input.content_language,
        content_length: length.map(|length| names::size(length as u64)),
        content_type: input.content_type,
        expires: input.expires,
        key: input.key,
        metadata: input.metadata,
        object_lock_legal_hold_status: input.object_lock_legal_hold_status,
        object_lock_mode: input.object_lock_mode,
        object_lock_retain_until_date: input.object_lock_retain_until_date,
        storage_class: input.storage_class,
        website_redirect_location: input.website_redirect_location,
        ..PutObjectInput::default()
    };
    let outcome = put_object::store(ops, input, &asked).await?;
    let checksum = Shown::new(outcome.checksum.as_ref(), None);
    let headers = encryption::shown_of_write(outcome.encryption.as_ref());
    let output = PostObjectOutput {
        checksum_crc32: checksum.crc32,
        checksum_crc32c: checksum.crc32c,
        checksum_crc64nvme: checksum.crc64nvme,
        checksum_sha1: checksum.sha1,
        checksum_sha256: checksum.sha256,
        checksum_type: checksum.kind,
        e_tag: Some(names::etag(&outcome.etag)),
        expiration: outcome.ending.map(times::to_expiration),
        version_id: names::made(outcome.version),
        ..PostObjectOutput::default()
    };
    answer_with(output, headers)
}

/// The fields that a PUT would have as headers and that are checked or refused as such.
fn declared(input: &PostObjectInput) -> S3Result<HeaderMap> {
    let fields = [
        ("x-amz-acl", input.acl.as_ref().map(|acl| acl.as_str().to_owned())),
        ("x-amz-checksum-crc32", input.checksum_crc32.clone()),
        ("x-amz-checksum-crc32c", input.checksum_crc32c.clone()),
        ("x-amz-checksum-crc64nvme", input.checksum_crc64nvme.clone()),
        ("x-amz-checksum-sha1", input.checksum_sha1.clone()),
        ("x-amz-checksum-sha256", input.checksum_sha256.clone()),
        ("x-amz-checksum-md5", input.checksum_md5.clone()),
        ("x-amz-checksum-sha512", input.checksum_sha512.clone()),
        ("x-amz-checksum-xxhash3", input.checksum_xxhash3.clone()),
        ("x-amz-checksum-xxhash64", input.checksum_xxhash64.clone()),
        ("x-amz-checksum-xxhash128", input.checksum_xxhash128.clone()),
        ("content-md5", input.content_md5.clone()),
        ("x-amz-server-side-encryption", input.server_side_encryption.as_ref().map(|sse| sse.as_str().to_owned())),
        ("x-amz-server-side-encryption-aws-kms-key-id", input.ssekms_key_id.clone()),
        ("x-amz-server-side-encryption-context", input.ssekms_encryption_context.clone()),
        (
            "x-amz-server-side-encryption-bucket-key-enabled",
            input.bucket_key_enabled.map(|enabled| enabled.to_string()),
        ),
        ("x-amz-server-side-encryption-customer-algorithm", input.sse_customer_algorithm.clone()),
        ("x-amz-server-side-encryption-customer-key", input.sse_customer_key.clone()),
        ("x-amz-server-side-encryption-customer-key-md5", input.sse_customer_key_md5.clone()),
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let Some(value) = value else { continue };
        let value = HeaderValue::try_from(value)
            .map_err(|_| s3_error!(InvalidArgument, "The form field {name} is not valid."))?;
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(headers)
}
