//! CompleteMultipartUpload.

use super::Operations;
use super::asked::{Asked, answer_with, take};
use super::uploads::{refuse, upload_ref};
use crate::translate::checksums::{self, Shown};
use crate::translate::{encryption, names, times};
use cofre_objects::{CompleteUpload, CompletedPart};
use cofre_types::ETag;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{self, CompleteMultipartUploadInput, CompleteMultipartUploadOutput};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

/// Answers CompleteMultipartUpload.
pub(super) async fn complete(
    ops: &Operations,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let (input, asked) = take("CompleteMultipartUpload", request)?;
    let about = upload_ref(&input.bucket, input.key, &input.upload_id)?;
    let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    if parts.is_empty() {
        return Err(S3Error::new(S3ErrorCode::MalformedXML));
    }
    let allowed = ops.objects.may_complete(&asked.caller, &about);
    let conditions = asked.after_rights(asked.conditionals().write(&asked.exchange), allowed).await?;
    let allowed = ops.objects.may_complete(&asked.caller, &about);
    let encryption = asked.after_rights(asked.encrypt_as(), allowed).await?;
    let request = CompleteUpload {
        upload: about.clone(),
        parts: to_domain(&parts)?,
        checksum: checksums::value(asked.headers())?,
        checksum_kind: input.checksum_type.as_ref().map(checksums::kind).transpose()?,
        size: input.mpu_object_size.and_then(|size| u64::try_from(size).ok()),
        conditions,
        encryption,
    };
    let outcome = ops.objects.complete_upload(&asked.caller, request).await;
    let outcome = outcome.map_err(|error| refuse(&asked, &about, error))?;
    let checksum = Shown::new(outcome.checksum.as_ref(), outcome.etag.parts());
    let headers = encryption::shown(outcome.encryption.as_ref());
    let output = CompleteMultipartUploadOutput {
        checksum_crc32: checksum.crc32,
        checksum_crc32c: checksum.crc32c,
        checksum_crc64nvme: checksum.crc64nvme,
        checksum_sha1: checksum.sha1,
        checksum_sha256: checksum.sha256,
        checksum_type: checksum.kind,
        location: Some(location(&asked, &input.bucket, about.key.as_str())),
        bucket: Some(input.bucket),
        key: Some(asked.escape(about.key.into())),
        e_tag: Some(names::etag(&outcome.etag)),
        expiration: outcome.ending.map(times::to_expiration),
        version_id: names::made(outcome.version),
        ..CompleteMultipartUploadOutput::default()
    };
    answer_with(output, headers)
}

/// A part that is named twice in a row counts as it was named last: a client that put it again may
/// name both.
fn to_domain(parts: &[dto::CompletedPart]) -> S3Result<Vec<CompletedPart>> {
    let mut named: Vec<CompletedPart> = Vec::with_capacity(parts.len());
    for given in parts {
        let given = part(given)?;
        if named.last().is_some_and(|last| last.number == given.number) {
            named.pop();
        }
        named.push(given);
    }
    Ok(named)
}

fn part(part: &dto::CompletedPart) -> S3Result<CompletedPart> {
    let number = part.part_number.ok_or_else(|| S3Error::new(S3ErrorCode::MalformedXML))?;
    Ok(CompletedPart {
        number: names::part(number)?,
        etag: part.e_tag.as_ref().and_then(|tag| ETag::parse(tag.value()).ok()),
        checksum: checksums::of_part(part)?,
    })
}

/// The object's address, by the host that the client used.
fn location(asked: &Asked, bucket: &str, key: &str) -> String {
    let scheme = if asked.caller.origin.secure { "https" } else { "http" };
    let host = asked.headers().get(http::header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    format!("{scheme}://{host}/{bucket}/{}", utf8_percent_encode(key, NON_ALPHANUMERIC))
}
