//! ListMultipartUploads.

use super::asked::{Asked, answer, take};
use super::list_objects::{check_encoding, common_prefixes};
use super::{Operations, owners};
use crate::translate::text::Encoding;
use crate::translate::{checksums, names, times};
use cofre_objects::{ListUploads, ListedUpload, PAGE_ENTRIES_MAX};
use cofre_types::UploadId;
use s3s::dto::{ListMultipartUploadsInput, ListMultipartUploadsOutput, MultipartUpload, StorageClass};
use s3s::{S3Request, S3Response, S3Result, s3_error};
use std::collections::HashSet;

/// Answers ListMultipartUploads.
pub(super) async fn list(
    ops: &Operations,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let (input, asked) = take("ListMultipartUploads", request)?;
    let max = names::page(input.max_uploads, "max-uploads", PAGE_ENTRIES_MAX)?;
    check_encoding(input.encoding_type.as_ref())?;
    let key_marker = input.key_marker.filter(|marker| !marker.is_empty());
    // S3 ignores the id marker where there is no key marker.
    let upload_marker = input.upload_id_marker.filter(|marker| !marker.is_empty() && key_marker.is_some());
    if let Some(marker) = &upload_marker
        && UploadId::parse(marker).is_err()
    {
        asked.exchange.argument("upload-id-marker", marker);
        return Err(s3_error!(InvalidArgument, "Invalid uploadId marker"));
    }
    let prefix = input.prefix.unwrap_or_default();
    let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
    let request = ListUploads {
        bucket: names::bucket(&input.bucket)?,
        prefix: prefix.clone(),
        delimiter: delimiter.clone().unwrap_or_default(),
        key_after: key_marker.clone(),
        upload_after: upload_marker.clone(),
        max,
    };
    let page = ops.objects.list_uploads(&asked.caller, request).await;
    let page = page.map_err(|error| asked.refuse(&input.bucket, error))?;

    let accounts = page.uploads.iter().flat_map(|listed| [listed.upload.initiator, listed.upload.owner]);
    let accounts: HashSet<_> = accounts.collect();
    let owners = owners::Names::of(ops, &asked, accounts).await?;
    let encoding = Encoding::of(input.encoding_type.as_ref());
    let write = |name| asked.write(encoding, name);
    let (next_key, next_upload) = page.next.map_or((None, None), |(key, upload)| (Some(key), upload));
    answer(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        common_prefixes: Some(common_prefixes(&asked, page.common_prefixes, encoding)),
        delimiter: delimiter.map(write),
        encoding_type: encoding.to_dto(),
        is_truncated: Some(next_key.is_some()),
        key_marker: Some(write(key_marker.unwrap_or_default())),
        max_uploads: Some(names::count(max)),
        next_key_marker: next_key.map(write),
        next_upload_id_marker: next_upload,
        prefix: Some(write(prefix)),
        upload_id_marker: Some(upload_marker.unwrap_or_default()),
        uploads: Some(page.uploads.into_iter().map(|upload| show(&asked, &owners, upload, encoding)).collect()),
        ..ListMultipartUploadsOutput::default()
    })
}

fn show(asked: &Asked, owners: &owners::Names, listed: ListedUpload, encoding: Encoding) -> MultipartUpload {
    let upload = listed.upload;
    MultipartUpload {
        checksum_algorithm: upload.checksum.map(|(algorithm, _)| checksums::algorithm_to_dto(algorithm)),
        checksum_type: upload.checksum.map(|(_, kind)| checksums::kind_to_dto(kind)),
        initiated: Some(times::to_dto(upload.initiated)),
        initiator: Some(owners.initiator(upload.initiator)),
        key: Some(asked.write(encoding, listed.key.into())),
        owner: Some(owners.owner(upload.owner)),
        storage_class: Some(StorageClass::from(class(upload.storage_class))),
        upload_id: Some(upload.id.to_string()),
    }
}

/// A storage class as S3 prints it where it prints the default too.
pub(super) fn class(class: String) -> String {
    if class.is_empty() { StorageClass::STANDARD.to_owned() } else { class }
}
