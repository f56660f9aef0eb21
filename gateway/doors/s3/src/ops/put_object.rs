//! PutObject.

use super::asked::{Asked, answer_with, take};
use super::{Operations, acl};
use crate::body;
use crate::translate::acl::{ListOf, from_headers};
use crate::translate::checksums::{self, ChecksumOf, Shown, with_checksum};
use crate::translate::{encryption, headers, lock, names, tags, times};
use cofre_objects::{Body, NewObject, PutContent, PutOutcome, Upload};
use cofre_types::Tags;
use s3s::dto::{PutObjectInput, PutObjectOutput, StorageClass, StreamingBlob};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

/// Answers PutObject.
pub(super) async fn put(ops: &Operations, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
    let (mut input, asked) = take("PutObject", request)?;
    let tags = tags::from_header(input.tagging.as_deref(), &asked.exchange)?;
    let body = sent(input.body.take(), input.content_length);
    let outcome = store(ops, input, tags, body, &asked).await?;
    let headers = encryption::shown_of_write(outcome.encryption.as_ref());
    answer_with(show(outcome), headers)
}

/// Stores an object. Its body is asked for once the caller may.
pub(super) async fn store(
    ops: &Operations,
    input: PutObjectInput,
    tags: Tags,
    body: impl Future<Output = S3Result<Body>>,
    asked: &Asked,
) -> S3Result<PutOutcome> {
    let bucket = names::bucket(&input.bucket)?;
    let key = names::key(input.key)?;
    let headers = headers::to_domain(headers::given!(input, asked))?;
    let storage_class = storage_class(input.storage_class)?;
    let lock = lock::wanted(
        input.object_lock_mode.as_ref(),
        input.object_lock_retain_until_date.as_ref(),
        input.object_lock_legal_hold_status.as_ref(),
    )?;
    // Before the body: a client that waits for `100 Continue` gets the refusal instead.
    let list = from_headers(asked.headers(), ListOf::Object)?;
    let new = NewObject { bucket, key: key.clone(), tags, lock, acl: acl::unresolved(list.as_ref()) };
    let refuse = |error| asked.refuse_object(&input.bucket, key.as_str(), error);
    let mut ticket = ops.objects.begin_put(&asked.caller, new).await.map_err(refuse)?;
    if let Some(acl) = acl::resolved(ops, list).await? {
        ticket.give_acl(acl).map_err(refuse)?;
    }
    let conditions = asked.conditionals().write(&asked.exchange)?;
    if let Some(size) = input.content_length.and_then(|length| u64::try_from(length).ok()) {
        ticket.reserve(size).await.map_err(refuse)?;
    }
    let encryption = asked.encrypt_as()?;
    let upload = upload(asked, body, ChecksumOf::Object).await?;
    if lock.is_some() {
        refuse_unchecked(&upload)?;
    }
    ticket.store(PutContent { upload, headers, storage_class, encryption, conditions }).await.map_err(refuse)
}

/// What is locked is there for long: its sender must say what the bytes are (AWS, "PutObject").
fn refuse_unchecked(upload: &Upload) -> S3Result<()> {
    if upload.content_md5.is_none() && !upload.checksum.has_value() {
        return Err(s3_error!(
            InvalidRequest,
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"
        ));
    }
    Ok(())
}

/// The body of a PUT, once it is asked for.
pub(super) async fn sent(body: Option<StreamingBlob>, length: Option<i64>) -> S3Result<Body> {
    let length = length.and_then(|length| u64::try_from(length).ok());
    body::to_domain(body, length.ok_or_else(|| S3Error::new(S3ErrorCode::MissingContentLength))?).await
}

/// A body and what the headers declare of it.
pub(super) async fn upload(
    asked: &Asked,
    body: impl Future<Output = S3Result<Body>>,
    of: ChecksumOf,
) -> S3Result<Upload> {
    let content_md5 = checksums::content_md5(asked.headers())?;
    let checksum = checksums::declared(asked.headers(), asked.trailers.as_ref(), of)?;
    Ok(Upload { body: body.await?, content_md5, checksum })
}

/// Reads a storage class; the default is the empty text. Which there are the domain knows.
pub(super) fn storage_class(class: Option<StorageClass>) -> S3Result<String> {
    match class.as_ref().map(StorageClass::as_str) {
        None | Some("STANDARD") => Ok(String::new()),
        // What the domain takes for the default must not come from outside.
        Some("") => Err(S3Error::new(S3ErrorCode::InvalidStorageClass)),
        Some(class) => Ok(class.to_owned()),
    }
}

fn show(outcome: PutOutcome) -> PutObjectOutput {
    let checksum = Shown::new(outcome.checksum.as_ref(), None);
    let output = PutObjectOutput {
        checksum_type: checksum.kind.clone(),
        e_tag: Some(names::etag(&outcome.etag)),
        expiration: outcome.ending.map(times::to_expiration),
        version_id: names::made(outcome.version),
        ..PutObjectOutput::default()
    };
    with_checksum!(output, checksum)
}
