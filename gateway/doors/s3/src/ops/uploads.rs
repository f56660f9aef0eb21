//! Multipart uploads: create, abort, list the parts.

use super::asked::{Asked, answer, answer_with, take};
use super::list_uploads::class;
use super::put_object::storage_class;
use super::{Operations, acl, owners};
use crate::translate::acl::{ListOf, from_headers};
use crate::translate::checksums::{self, Shown, with_checksum};
use crate::translate::{encryption, headers, lock, names, tags, times};
use cofre_objects::{ListedPart, NewObject, NewUpload, PAGE_ENTRIES_MAX, UploadRef};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput,
    ListPartsInput, ListPartsOutput, Part, StorageClass,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

/// Reads which upload a request is about.
pub(super) fn upload_ref(bucket: &str, key: String, upload: &str) -> S3Result<UploadRef> {
    Ok(UploadRef { bucket: names::bucket(bucket)?, key: names::key(key)?, upload: names::upload(upload)? })
}

/// Tells a client of an error about an upload.
pub(super) fn refuse(asked: &Asked, about: &UploadRef, error: cofre_objects::Error) -> s3s::S3Error {
    asked.refuse_upload(about.bucket.as_str(), about.key.as_str(), &about.upload.to_string(), error)
}

/// Answers CreateMultipartUpload.
pub(super) async fn create(
    ops: &Operations,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let (input, asked) = take("CreateMultipartUpload", request)?;
    let algorithm = input.checksum_algorithm.as_ref().map(|name| checksums::algorithm(name.as_str())).transpose()?;
    let kind = input.checksum_type.as_ref().map(checksums::kind).transpose()?;
    let (bucket, key) = (names::bucket(&input.bucket)?, names::key(input.key)?);
    let tags = tags::from_header(input.tagging.as_deref(), &asked.exchange)?;
    let lock = lock::wanted(
        input.object_lock_mode.as_ref(),
        input.object_lock_retain_until_date.as_ref(),
        input.object_lock_legal_hold_status.as_ref(),
    )?;
    let list = from_headers(asked.headers(), ListOf::Object)?;
    let new = NewObject { bucket, key: key.clone(), tags, lock, acl: acl::unresolved(list.as_ref()) };
    let refuse = |error| asked.refuse_object(&input.bucket, key.as_str(), error);
    let ticket = ops.objects.begin_upload(&asked.caller, new).await;
    let (mut ticket, encryption) = asked.after_rights(ticket, asked.encrypt_as(), refuse)?;
    if let Some(acl) = acl::resolved(ops, list).await? {
        ticket.give_acl(acl).map_err(refuse)?;
    }
    let new = NewUpload {
        headers: headers::to_domain(headers::given!(input, asked))?,
        storage_class: storage_class(input.storage_class)?,
        checksum: algorithm,
        checksum_kind: kind,
        encryption,
    };
    let created = ticket.create(new).await.map_err(refuse)?;
    let headers = encryption::shown_of_write(created.encryption.as_ref());
    let output = CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        checksum_algorithm: created.checksum.map(|(algorithm, _)| checksums::algorithm_to_dto(algorithm)),
        checksum_type: created.checksum.map(|(_, kind)| checksums::kind_to_dto(kind)),
        key: Some(asked.escape(key.into())),
        abort_date: created.ending.as_ref().map(|ending| times::to_dto(ending.at)),
        abort_rule_id: created.ending.map(|ending| times::rule_to_header(&ending.rule)),
        upload_id: Some(created.id.to_string()),
        ..CreateMultipartUploadOutput::default()
    };
    answer_with(output, headers)
}

/// Answers AbortMultipartUpload.
pub(super) async fn abort(
    ops: &Operations,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let (input, asked) = take("AbortMultipartUpload", request)?;
    let about = upload_ref(&input.bucket, input.key, &input.upload_id)?;
    let initiated = input.if_match_initiated_time.as_ref().map(times::from_dto);
    let aborted = ops.objects.abort_upload(&asked.caller, about.clone(), initiated).await;
    aborted.map_err(|error| refuse(&asked, &about, error))?;
    answer(AbortMultipartUploadOutput::default())
}

/// Answers ListParts.
pub(super) async fn list_parts(
    ops: &Operations,
    request: S3Request<ListPartsInput>,
) -> S3Result<S3Response<ListPartsOutput>> {
    let (input, asked) = take("ListParts", request)?;
    let about = upload_ref(&input.bucket, input.key, &input.upload_id)?;
    let max = names::page(input.max_parts, "max-parts", PAGE_ENTRIES_MAX)?;
    let marker = input.part_number_marker.unwrap_or(0);
    let after = u16::try_from(marker).map_err(|_| {
        s3_error!(InvalidArgument, "Argument part-number-marker must be an integer between 0 and 2147483647")
    })?;
    let page = ops.objects.list_parts(&asked.caller, about.clone(), after, max).await;
    let page = page.map_err(|error| refuse(&asked, &about, error))?;
    let upload = page.upload;
    let names_of = owners::Names::of(ops, &asked, [upload.initiator, upload.owner]).await?;
    answer(ListPartsOutput {
        abort_date: upload.ending.as_ref().map(|ending| times::to_dto(ending.at)),
        abort_rule_id: upload.ending.map(|ending| times::rule_to_header(&ending.rule)),
        bucket: Some(input.bucket),
        checksum_algorithm: upload.checksum.map(|(algorithm, _)| checksums::algorithm_to_dto(algorithm)),
        checksum_type: upload.checksum.map(|(_, kind)| checksums::kind_to_dto(kind)),
        initiator: Some(names_of.initiator(upload.initiator)),
        is_truncated: Some(page.truncated),
        key: Some(asked.escape(about.key.into())),
        max_parts: Some(names::count(max)),
        next_part_number_marker: page.parts.last().map(|part| i32::from(part.number)),
        owner: Some(names_of.owner(upload.owner)),
        part_number_marker: Some(marker),
        parts: Some(page.parts.into_iter().map(show_part).collect()),
        storage_class: Some(StorageClass::from(class(upload.storage_class))),
        upload_id: Some(input.upload_id),
        ..ListPartsOutput::default()
    })
}

fn show_part(part: ListedPart) -> Part {
    let checksum = Shown::new(part.checksum.as_ref(), None);
    let shown = Part {
        e_tag: Some(names::etag(&part.etag)),
        last_modified: Some(times::to_dto(part.modified)),
        part_number: Some(i32::from(part.number)),
        size: Some(names::size(part.size)),
        ..Part::default()
    };
    with_checksum!(shown, checksum)
}
