//! UploadPart and UploadPartCopy.

use super::asked::{answer_with, document, take};
use super::put_object::{sent, upload};
use super::uploads::{refuse, upload_ref};
use super::{Operations, owners};
use crate::translate::checksums::{ChecksumOf, Shown, with_checksum};
use crate::translate::{encryption, names, range, times};
use cofre_objects::{CopiedRange, Error};
use s3s::dto::{CopyPartResult, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput};
use s3s::xml::SerializeContent;
use s3s::{S3Request, S3Response, S3Result, s3_error};

/// Answers UploadPart.
pub(super) async fn put(
    ops: &Operations,
    request: S3Request<UploadPartInput>,
) -> S3Result<S3Response<UploadPartOutput>> {
    let (input, asked) = take("UploadPart", request)?;
    let number = names::part(input.part_number)?;
    let about = upload_ref(&input.bucket, input.key, &input.upload_id)?;
    let refuse = |error| refuse(&asked, &about, error);
    let ticket = ops.objects.begin_part(&asked.caller, about.clone(), number).await;
    let (mut ticket, encryption) = asked.after_rights(ticket, asked.encrypt_as(), refuse)?;
    if let Some(size) = input.content_length.and_then(|length| u64::try_from(length).ok()) {
        ticket.reserve(size).await.map_err(refuse)?;
    }
    let content = upload(&asked, sent(input.body, input.content_length), ChecksumOf::Other).await?;
    let outcome = ticket.store(content, encryption).await.map_err(refuse)?;
    let checksum = Shown::new(outcome.checksum.as_ref(), None);
    let headers = encryption::shown(outcome.encryption.as_ref());
    let output = UploadPartOutput { e_tag: Some(names::etag(&outcome.etag)), ..UploadPartOutput::default() };
    answer_with(with_checksum!(output, checksum), headers)
}

/// Answers UploadPartCopy.
pub(super) async fn copy(
    ops: &Operations,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let (input, asked) = take("UploadPartCopy", request)?;
    let number = names::part(input.part_number)?;
    let about = upload_ref(&input.bucket, input.key, &input.upload_id)?;
    let source = names::copy_source(input.copy_source)?;
    if let Some(expected) = &input.expected_source_bucket_owner {
        owners::expect(ops, &asked, &source.bucket, expected).await?;
    }
    let range = input.copy_source_range.as_deref().map(|header| {
        range::parse_copy(header).ok_or_else(|| {
            s3_error!(InvalidArgument, "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy")
        })
    });
    let (bucket, key) = (source.bucket.clone(), source.key.clone());
    let refuse = |error| match error {
        error @ Error::NoSuchUpload => refuse(&asked, &about, error),
        error => asked.refuse_object(bucket.as_str(), key.as_str(), error),
    };
    let ticket = ops.objects.begin_copy_part(&asked.caller, about.clone(), number, source).await;
    let parsed = || Ok((asked.encrypt_as()?, asked.source_customer_key()?, range.transpose()?));
    let (ticket, (encryption, source_customer_key, range)) = asked.after_rights(ticket, parsed(), refuse)?;
    let source_conditions = asked.conditionals().copy_source();
    let outcome = ticket.store(CopiedRange { range, source_conditions, source_customer_key, encryption }).await;
    let outcome = outcome.map_err(refuse)?;
    let checksum = Shown::new(outcome.checksum.as_ref(), None);
    let headers = encryption::shown(outcome.encryption.as_ref());
    let result = CopyPartResult {
        e_tag: Some(names::etag(&outcome.etag)),
        last_modified: Some(times::to_dto(outcome.modified)),
        ..CopyPartResult::default()
    };
    let result = with_checksum!(result, checksum);
    // s3s writes it without its namespace.
    let mut response = document(&asked, "CopyPartResult", |xml| result.serialize_content(xml))?;
    response.output = UploadPartCopyOutput {
        copy_source_version_id: outcome.source_version.map(|version| version.to_string()),
        ..UploadPartCopyOutput::default()
    };
    response.headers = headers;
    Ok(response)
}
