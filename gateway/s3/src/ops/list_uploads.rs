//! ListMultipartUploads.

use super::asked::{answer, take};
use super::list_objects::{check_encoding, common_prefixes};
use super::{Operations, owners};
use crate::translate::text::Encoding;
use crate::translate::{checksums, names, times};
use cofre_objects::{ListUploads, ListedUpload, PAGE_ENTRIES_MAX, UploadsPage};
use s3s::dto::{ListMultipartUploadsInput, ListMultipartUploadsOutput, MultipartUpload, StorageClass};
use s3s::{S3Request, S3Response, S3Result};
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
    let echoed = [prefix.as_str(), key_marker.as_deref().unwrap_or_default(), delimiter.as_deref().unwrap_or_default()];
    let encoding = Encoding::choose(input.encoding_type.as_ref(), echoed.into_iter().chain(names_of(&page)));
    let (next_key, next_upload) = page.next.map_or((None, None), |(key, upload)| (Some(key), upload));
    answer(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        common_prefixes: Some(common_prefixes(page.common_prefixes, encoding)),
        delimiter: delimiter.map(|delimiter| encoding.write(delimiter)),
        encoding_type: encoding.to_dto(),
        is_truncated: Some(next_key.is_some()),
        key_marker: Some(encoding.write(key_marker.unwrap_or_default())),
        max_uploads: Some(names::count(max)),
        next_key_marker: next_key.map(|key| encoding.write(key)),
        next_upload_id_marker: next_upload,
        prefix: Some(encoding.write(prefix)),
        upload_id_marker: Some(asked.escape(upload_marker.unwrap_or_default())),
        uploads: Some(page.uploads.into_iter().map(|upload| show(&owners, upload, encoding)).collect()),
        ..ListMultipartUploadsOutput::default()
    })
}

fn names_of(page: &UploadsPage) -> impl Iterator<Item = &str> {
    let keys = page.uploads.iter().map(|upload| upload.key.as_str());
    keys.chain(page.common_prefixes.iter().map(String::as_str)).chain(page.next.iter().map(|(key, _)| key.as_str()))
}

fn show(owners: &owners::Names, listed: ListedUpload, encoding: Encoding) -> MultipartUpload {
    let upload = listed.upload;
    MultipartUpload {
        checksum_algorithm: upload.checksum.map(|(algorithm, _)| checksums::algorithm_to_dto(algorithm)),
        checksum_type: upload.checksum.map(|(_, kind)| checksums::kind_to_dto(kind)),
        initiated: Some(times::to_dto(upload.initiated)),
        initiator: Some(owners.initiator(upload.initiator)),
        key: Some(encoding.write(listed.key.into())),
        owner: Some(owners.owner(upload.owner)),
        storage_class: Some(StorageClass::from(class(upload.storage_class))),
        upload_id: Some(upload.id.to_string()),
    }
}

/// A storage class as S3 prints it where it prints the default too.
pub(super) fn class(class: String) -> String {
    if class.is_empty() { StorageClass::STANDARD.to_owned() } else { class }
}
