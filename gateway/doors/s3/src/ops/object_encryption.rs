//! UpdateObjectEncryption.

use super::Operations;
use super::asked::{answer, take};
use crate::translate::names;
use cofre_iam::key_name;
use cofre_objects::NewKey;
use s3s::dto::{ObjectEncryption, UpdateObjectEncryptionInput, UpdateObjectEncryptionOutput};
use s3s::{S3Request, S3Response, S3Result, s3_error};

/// Answers UpdateObjectEncryption. A key is named by its ARN, or by its name alone.
pub(super) async fn update(
    ops: &Operations,
    request: S3Request<UpdateObjectEncryptionInput>,
) -> S3Result<S3Response<UpdateObjectEncryptionOutput>> {
    let (input, asked) = take("UpdateObjectEncryption", request)?;
    let (bucket, key) = (names::bucket(&input.bucket)?, names::key(input.key)?);
    let version = names::version(input.version_id.as_deref())?;
    if asked.is_of_version_2() {
        return Err(s3_error!(
            InvalidRequest,
            "Requests that modify an object encryption configuration require AWS Signature Version 4. Modify the request \
             to use AWS Signature Version 4, and then try again."
        ));
    }
    let ObjectEncryption::SSEKMS(wanted) = input.object_encryption else {
        return Err(s3_error!(InvalidRequest, "{NO_TYPE}"));
    };
    let arn = wanted.kms_key_arn;
    let name = key_name(&arn);
    if name.is_empty() || name.starts_with("arn:") {
        return Err(s3_error!(
            InvalidRequest,
            "Requests that modify an object's encryption type to SSE-KMS require a valid AWS KMS key Amazon Resource Name \
             (ARN), such as arn:aws:kms:::key/NAME. Confirm that you have a correctly formatted KMS key ARN in your \
             request, and then try again."
        ));
    }
    let to = NewKey { key: arn, bucket_key: wanted.bucket_key_enabled.unwrap_or(false) };
    let updated = ops.objects.update_object_encryption(&asked.caller, &bucket, &key, version, to).await;
    updated.map_err(|error| asked.refuse_object(&input.bucket, key.as_str(), error))?;
    answer(UpdateObjectEncryptionOutput::default())
}

const NO_TYPE: &str = "Requests that modify an object encryption configuration require a valid new encryption type. Valid \
                       values are SSEKMS. Modify the request to specify SSE-KMS for the updated encryption type, and then \
                       try again.";
const NO_KEY: &str = "Requests that modify an object's encryption type to SSE-KMS require an AWS KMS key Amazon Resource Name \
                      (ARN). Modify the request to specify a KMS key ARN, and then try again.";
const OTHER_TYPE: &str = "The UpdateObjectEncryption operation doesn't support updating the encryption type to DSSE-KMS or \
                          SSE-C. Modify the request to specify SSE-KMS for the updated encryption type, and then try again.";
const NO_TRUTH: &str = "The BucketKeyEnabled value isn't valid. Valid values are true or false. Modify the request to \
                        specify a valid value, and then try again.";

/// Refuses a document in AWS's words where it is well formed and the parser would only call it malformed.
pub(crate) fn check_document(xml: &[u8]) -> S3Result<()> {
    let has = |text: &str| memchr::memmem::find(xml, text.as_bytes()).is_some();
    let is_whole = has("<ObjectEncryption") && (has("</ObjectEncryption>") || has("/>"));
    let value = |name: &str| {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let from = memchr::memmem::find(xml, open.as_bytes())? + open.len();
        let length = memchr::memmem::find(&xml[from..], close.as_bytes())?;
        Some(xml[from..from + length].trim_ascii())
    };
    let words = if !is_whole {
        return Ok(());
    } else if has("<SSE-C") || has("<DSSE-KMS") {
        OTHER_TYPE
    } else if !has("<SSE-KMS") {
        NO_TYPE
    } else if !has("<KMSKeyArn") {
        NO_KEY
    } else if value("BucketKeyEnabled").is_some_and(|value| value != b"true" && value != b"false") {
        NO_TRUTH
    } else {
        return Ok(());
    };
    Err(s3_error!(InvalidRequest, "{words}"))
}
