//! CompleteMultipartUpload.

use super::Operations;
use super::asked::{Asked, answer_with, take};
use super::uploads::{refuse, upload_ref};
use crate::translate::checksums::{self, ChecksumOf, Shown, with_checksum};
use crate::translate::{encryption, names, times};
use cofre_objects::{CompletedPart, Completion};
use cofre_types::ETag;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use s3s::dto::{self, CompleteMultipartUploadInput, CompleteMultipartUploadOutput};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

/// What is escaped of a key in the address of an object: all but unreserved characters (RFC 3986, section 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Answers CompleteMultipartUpload.
pub(super) async fn complete(
    ops: &Operations,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let (input, asked) = take("CompleteMultipartUpload", request)?;
    let about = upload_ref(&input.bucket, input.key, &input.upload_id)?;
    let mut parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    if parts.is_empty() {
        return Err(S3Error::new(S3ErrorCode::MalformedXML));
    }
    let refuse = |error| refuse(&asked, &about, error);
    let ticket = ops.objects.begin_completion(&asked.caller, about.clone()).await;
    let parsed = || Ok((asked.conditionals().write(&asked.exchange)?, asked.encrypt_as()?));
    let (ticket, (conditions, encryption)) = asked.after_rights(ticket, parsed(), refuse)?;
    let completion = Completion {
        parts: to_domain(&mut parts, &asked)?,
        checksum: checksums::value(asked.headers(), ChecksumOf::Completion)?,
        checksum_kind: input.checksum_type.as_ref().map(checksums::kind).transpose()?,
        size: asked.conditionals().object_size()?,
        conditions,
        encryption,
    };
    let outcome = ticket.complete(completion).await.map_err(refuse)?;
    let checksum = Shown::new(outcome.checksum.as_ref(), outcome.etag.parts());
    let headers = encryption::shown(outcome.encryption.as_ref());
    let output = CompleteMultipartUploadOutput {
        checksum_type: checksum.kind.clone(),
        location: Some(location(&asked, &input.bucket, about.key.as_str())),
        bucket: Some(input.bucket),
        key: Some(asked.escape(about.key.into())),
        e_tag: Some(names::etag(&outcome.etag)),
        expiration: outcome.ending.map(times::to_expiration),
        version_id: names::made(outcome.version),
        ..CompleteMultipartUploadOutput::default()
    };
    answer_with(with_checksum!(output, checksum), headers)
}

/// A part that is named twice in a row counts as it was named last: a client that put it again may
/// name both.
fn to_domain(parts: &mut [dto::CompletedPart], asked: &Asked) -> S3Result<Vec<CompletedPart>> {
    let mut named: Vec<CompletedPart> = Vec::with_capacity(parts.len());
    for given in parts {
        let given = part(given, asked)?;
        if named.last().is_some_and(|last| last.number == given.number) {
            named.pop();
        }
        named.push(given);
    }
    Ok(named)
}

fn part(part: &mut dto::CompletedPart, asked: &Asked) -> S3Result<CompletedPart> {
    let (Some(number), Some(etag)) = (part.part_number, &part.e_tag) else {
        return Err(S3Error::new(S3ErrorCode::MalformedXML));
    };
    if number < 1 {
        asked.exchange.argument("PartNumber", number.to_string());
        return Err(s3_error!(InvalidArgument, "PartNumber must be >= 1"));
    }
    Ok(CompletedPart {
        number: names::part(number)?,
        etag: ETag::parse(etag.value()).ok(),
        checksum: checksums::of_part(part, &asked.exchange)?,
    })
}

/// The object's address, by the host that the client used: that of the bucket if the path is only the key.
fn location(asked: &Asked, bucket: &str, key: &str) -> String {
    let scheme = if asked.caller.origin.secure { "https" } else { "http" };
    let host = asked.host().unwrap_or_default();
    let path = asked.path();
    let is_key = percent_decode_str(path.strip_prefix('/').unwrap_or(path)).eq(key.bytes());
    let bucket = if is_key { String::new() } else { format!("{bucket}/") };
    format!("{scheme}://{host}/{bucket}{}", utf8_percent_encode(key, ESCAPED))
}
